"""Detects changes to what git executes: git hooks and settings that name a program.

An agent can change both, and the next git command, ours or the user's, would run its code.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from ..model.errors import UserError
from ..model.excerpt import some
from ..model.translate import N_
from . import configuration
from .door import Git, GitError
from .file_stamps import Stamp, is_settled, looked_at, stamp_of, stamps_of
from .paths import first_line

EXECUTES = re.compile(
    r"(core\.(fsmonitor|hookspath|sshcommand|gitproxy|pager|editor|askpass|worktree"
    r"|alternaterefscommand|attributesfile|virtualfilesystem)|extensions\.worktreeconfig"
    r"|gc\.recentobjectshook|init\.templatedir|imap\.tunnel|svn\.authorsprog"
    r"|sequence\.editor|submodule\..*\.update|lfs\.(customtransfer|extension)\..*"
    r"|lfs\.standalonetransferagent|(diff|merge)\.(gui)?tool|(web|help)\.browser"
    r"|(alias|pager|filter|gpg|credential|url|protocol|include|includeif|hook|mergetool|difftool"
    r"|guitool|browser|man|instaweb|sendemail)\..*"
    r"|.*\.(cmd|command|program|driver|textconv|external|helper|proxy|uploadpack|receivepack|vcs"
    r"|difffilter|packobjectshook|defaultkeycommand))\Z",
    re.DOTALL,
)
"""Settings that git runs as a program, or that lead to one: from git-config(1) of 2.39, later
additions (``hook``), git-lfs and git-svn."""

UNREADABLE = N_("a line that git cannot read")

OF_WORKTREE = "config.worktree"

MOST_FOLDERS = 10_000
"""A limit below the submodules' folders, above any real repository."""

HOOK_LIMIT_BYTES = 4 * 1024 * 1024
"""Of a larger hook, only the size and the beginning are compared."""

SHARE = 50
"""Looks at folders without settings take at most a fiftieth of the time."""


class Tampered(UserError):
    """Something that git executes was changed during the run."""


class ExecutableFingerprint:
    """What git executes, recorded at the start of a run by :func:`take_fingerprint`.

    A check costs a few ``stat`` calls; git runs only if a file changed.
    """

    def __init__(
        self, common: str, folders: Iterable[str], reference: Mapping[str, str] | None = None
    ) -> None:
        self.common = common
        self.top = os.path.dirname(common)
        self.folders = list(folders)
        self.files: list[str] = []
        self._admins: list[str] = []
        """The repository's git folder and those of its worktrees: each may have a
        ``config.worktree`` and the clones of submodules."""
        self._bare: dict[str, Stamp] = {}
        """The admin folders that had neither, each with its stamp."""
        self._next_look = 0.0
        """The monotonic time of the next look at these."""
        self.reference = dict(reference or {})
        """Changes by setups, with the user's consent: digest by name, empty if removed."""
        self.is_suspended = False
        """True while only setups run; they are checked separately."""
        self.suspect = ""
        """What made the changes, if known."""
        self._stamps = self._current_stamps()
        self._facts = self._hooks()

    async def watch(self, git: Git, *files: str) -> None:
        """Record these config files and their includes.

        A ``config.worktree`` adds the submodules of its worktree.
        """
        admins = [os.path.dirname(f) for f in files if os.path.basename(f) == OF_WORKTREE]
        self._admins = list(dict.fromkeys((*self._admins, *admins)))
        modules = _modules(admins)
        for hook in _listed(_hooks_of(modules)):
            self._stamps[hook], self._facts[hook] = stamp_of(hook), _fingerprint(hook)
        for file in (*files, *_configs_of(modules)):
            self._stamps.update(stamps_of([file]))
            entries = await _entries(git, file)
            included = dict.fromkeys(origin for origin, _, _ in entries)
            self._stamps.update({**stamps_of(included), **self._stamps})
            self._facts.update(_settings(entries))
            others = (f for f in (file, *included) if os.path.basename(f) != OF_WORKTREE)
            self.files = list(dict.fromkeys((*self.files, *others)))

    async def check(self, git: Git, during: str = "") -> None:
        """Raise :class:`Tampered` if something was added, changed or removed.

        ``during`` says what happened since the last check.
        """
        changed = [] if self.is_suspended else await self.changes(git)
        if changed:
            who, what = during or self.suspect, some(changed, between="; ")
            changes = N_("git hooks or settings were changed{who}: {what}")
            raise Tampered(
                changes.format(who=who, what=what),
                hint=N_(
                    "any running feature may have done this. Nothing was committed since, and the "
                    "work is in the worktrees. Inspect and revert it, then run again; a new run "
                    "accepts what it finds. To list settings: git config --list --show-origin"
                ),
            )

    async def changes(self, git: Git) -> list[str]:
        """Descriptions of everything that was added, changed or removed."""
        stamps = self._current_stamps()
        if stamps == self._stamps:
            return []
        found = await self._found(git)
        changed = list(_differences(self._accepted(found), found, self.top))
        if not changed:
            self._stamps = stamps
        return changed

    def _accepted(self, found: Mapping[str, str]) -> dict[str, str]:
        """The recorded facts, with the known changes of setups."""
        facts = dict(self._facts)
        for name, digest in self.reference.items():
            if _digest(found.get(name)) == digest:
                _copy_fact(name, found, facts)
        return facts

    async def differing(self, git: Git) -> dict[str, str]:
        """Digest by name of everything that changed; empty if it was removed."""
        if self._current_stamps() == self._stamps:
            return {}
        found = await self._found(git)
        names = {n for n in {*self._facts, *found} if self._facts.get(n) != found.get(n)}
        return {name: _digest(found.get(name)) for name in names}

    async def accept(self, git: Git, names: Iterable[str]) -> None:
        """Accept the changes of these names."""
        found = await self._found(git)
        for name in names:
            _copy_fact(name, found, self._facts)

    def _current_stamps(self) -> dict[str, Stamp]:
        admins = list(self._filled())
        modules = _modules(admins)
        own = (os.path.join(admin, OF_WORKTREE) for admin in admins)
        return stamps_of((*self.files, *own, *_configs_of(modules), *self._listed(modules)))

    def _filled(self) -> Iterator[str]:
        """The admin folders that may have something to watch.

        Most have nothing, which one look at the folder shows. A run leaves hundreds of worktrees,
        so those are looked at for a fiftieth of the time at most.
        """
        now, begun = time.time_ns(), time.monotonic()
        is_due = begun >= self._next_look
        for admin in self._admins:
            if not is_due and admin in self._bare:
                continue
            seen = looked_at(os.stat, admin)
            if self._bare.get(admin, ()) == seen != ():
                continue
            self._bare.pop(admin, None)
            places = (os.path.join(admin, name) for name in (OF_WORKTREE, "modules"))
            if any(map(os.path.lexists, places)):
                yield admin
            elif is_settled(seen, now):
                self._bare[admin] = seen
        if is_due:
            self._next_look = begun + SHARE * (time.monotonic() - begun)

    def doubt(self, admin: str) -> None:
        """Look into this admin folder at the next check: somebody worked in its worktree."""
        self._bare.pop(admin, None)

    def _modules(self) -> list[str]:
        return _modules(self._filled())

    def _hooks(self) -> dict[str, str]:
        return {hook: _fingerprint(hook) for hook in self._listed(self._modules())}

    def _listed(self, modules: Iterable[str]) -> Iterator[str]:
        return _listed((*self.folders, *_hooks_of(modules)))

    async def _found(self, git: Git) -> dict[str, str]:
        """The current facts, read again if a worktree was added meanwhile."""
        while True:
            known = dict(self._facts)
            found = await self._found_at_once(git)
            if known == self._facts:
                return found

    async def _found_at_once(self, git: Git) -> dict[str, str]:
        found = self._hooks()
        own = (os.path.join(admin, OF_WORKTREE) for admin in self._admins)
        for file in dict.fromkeys((*self.files, *own, *_configs_of(self._modules()))):
            settings = _settings(await _entries(git, file))
            # git itself sets core.worktree in new and in moved submodules.
            place = f"core.worktree in {file}"
            if file not in self.files and os.path.dirname(file) not in self._admins:
                settings.pop(place, "")
            elif place in settings and self._is_at_home(file, settings[place]):
                settings[place] = self._facts.get(place, settings[place])
            found.update(settings)
        gone = {name: fact for name, fact in self._facts.items() if self._is_gone(name)}
        return {**gone, **found}

    def _is_at_home(self, file: str, place: str) -> bool:
        """Whether a submodule's files are in the checkout that its git folder belongs to."""
        kind, *rest = os.path.relpath(file, self.common).split(os.sep)
        home = self.top if kind == "modules" else ""
        if kind == "worktrees" and rest[1] == "modules":
            gitfile = os.path.join(self.common, kind, rest[0], "gitdir")
            home = os.path.dirname(first_line(gitfile))
        last = place.split("\0")[-2]
        there = os.path.realpath(os.path.join(os.path.dirname(file), last))
        return bool(home) and there.startswith(os.path.join(os.path.realpath(home), ""))

    def _is_gone(self, name: str) -> bool:
        """Whether its worktree or submodule was removed."""
        folder = os.path.dirname(name.rpartition(" in ")[2])
        nested = (os.path.join(self.common, kind, "") for kind in ("worktrees", "modules"))
        return folder.startswith(tuple(nested)) and not os.path.isdir(folder)


async def take_fingerprint(
    git: Git, reference: Mapping[str, str] | None = None
) -> ExecutableFingerprint:
    """Record hooks and settings of the repository, its submodules and its worktrees.

    ``reference`` is what earlier setups changed. A relative hooks folder is versioned and not
    watched.
    """
    common = git.repository.common_dir
    folders = dict.fromkeys([os.path.join(common, "hooks"), await configuration.hooks_folder(git)])
    made = ExecutableFingerprint(common, filter(os.path.isabs, folders), reference)
    linked = os.path.join(common, "worktrees")
    names = sorted(os.listdir(linked)) if os.path.isdir(linked) else []
    admins = [common, *(os.path.join(linked, name) for name in names)]
    own = (os.path.join(admin, OF_WORKTREE) for admin in admins)
    await made.watch(git, os.path.join(common, "config"), *own)
    return made


async def shared_settings(git: Git) -> dict[str, str]:
    """The values of each key in the repository's own config file."""
    found: dict[str, str] = {}
    for _, key, value in await _entries(git, os.path.join(git.repository.common_dir, "config")):
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The settings that differ; values only for keys that hold no password."""
    return [
        f"{key} {before.get(key, 'unset')} → {after.get(key, 'unset')}"
        if key.startswith(("core.", "extensions."))
        else key
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _modules(admins: Iterable[str]) -> list[str]:
    """The git folders of submodules, recursively; a name may contain slashes."""
    found: list[str] = []
    seen: set[str] = set()  # Links may form a cycle.
    pending = [os.path.join(admin, "modules") for admin in admins]
    while pending and len(seen) < MOST_FOLDERS:
        folder = pending.pop()
        if not os.path.isdir(folder):
            continue
        place = os.path.realpath(folder)
        if place in seen:
            continue
        seen.add(place)
        if os.path.lexists(os.path.join(folder, "HEAD")):
            found.append(folder)
            pending.append(os.path.join(folder, "modules"))
            continue
        with suppress(OSError):
            pending += [os.path.join(folder, name) for name in os.listdir(folder)]
    return sorted(found)


def _configs_of(modules: Iterable[str]) -> Iterator[str]:
    return (os.path.join(module, name) for module in modules for name in ("config", OF_WORKTREE))


def _hooks_of(modules: Iterable[str]) -> Iterator[str]:
    return (os.path.join(module, "hooks") for module in modules)


def _listed(folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        with suppress(OSError):
            for name in os.listdir(folder):
                if not name.endswith(".sample"):
                    yield os.path.join(folder, name)


def _copy_fact(name: str, source: Mapping[str, str], target: dict[str, str]) -> None:
    target.pop(name, "")
    if name in source:
        target[name] = source[name]


def _digest(fact: str | None) -> str:
    import hashlib

    return "" if fact is None else hashlib.sha256(fact.encode("utf-8", "replace")).hexdigest()[:20]


def _fingerprint(path: str) -> str:
    """Mode and content hash of a hook."""
    import hashlib

    try:
        info = os.stat(path)
        content = b""
        if stat.S_ISREG(info.st_mode):
            with open(path, "rb") as file:
                content = file.read(HOOK_LIMIT_BYTES)
    except OSError as error:
        return f"{error.errno}"
    return f"{info.st_mode} {info.st_size} {hashlib.sha256(content).hexdigest()}"


async def _entries(git: Git, file: str) -> list[tuple[str, str, str]]:
    seen = stamp_of(file)
    if not seen:
        return []
    stamp, known = git.config_files.get(file, ((), []))
    if stamp == seen:
        return known
    now = time.time_ns()
    try:
        found = await configuration.settings(git, file)
    except GitError:
        return [(file, UNREADABLE, "")]
    # What is included may change, or come, without this file.
    if is_settled(seen, now) and not any(key.startswith("include") for _, key, _ in found):
        git.config_files[file] = seen, found
    return found


def _settings(entries: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """The settings that execute something, each with all its values."""
    found: dict[str, str] = {}
    for origin, key, value in entries:
        if key == UNREADABLE or EXECUTES.match(key.lower()):
            name = f"{key} in {origin}"
            found[name] = f"{found.get(name, '')}{value}\0"
    return found


CHANGED = N_("{name} was changed")
ADDED = N_("{name} was added")
REMOVED = N_("{name} was removed")


def _differences(before: Mapping[str, str], after: Mapping[str, str], top: str) -> Iterable[str]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            how = CHANGED if name in before else ADDED
            text = how if name in after else REMOVED
            yield text.format(name=name.replace(top + os.sep, ""))
