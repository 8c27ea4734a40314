"""What git would execute in a repository, and whether that changed since a run began.

An agent can reach all of it: a hook, or a setting that names a program, would be run by the next
git command of ours, or of the user's.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

from ..model.errors import UserError
from ..model.excerpt import some
from . import configuration
from .door import Git, GitError
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
"""Keys whose value is run as a program, or leads to one that is: all of them in git-config(1) of
2.39 and what was added since (``hook``), those of git-lfs and git-svn."""

UNREADABLE = "a line that git can't read"

OF_WORKTREE = "config.worktree"

MOST_FOLDERS = 10_000
"""Below the folders of submodules; no repository has as many."""

HOOK_LIMIT_BYTES = 4 * 1024 * 1024
"""Of a larger hook the size counts, and its beginning."""

Stamp = tuple[object, ...]


class Tampered(UserError):
    """What git would execute is no longer what the run found."""


class ExecutableFingerprint:
    """What git would execute, as a run found it; made by :func:`seal`.

    To see that nothing changed takes a few ``stat`` calls; git is asked only where a file did.
    """

    def __init__(
        self, common: str, folders: Iterable[str], reference: Mapping[str, str] | None = None
    ) -> None:
        self.common = common
        self.top = os.path.dirname(common)
        self.folders = list(folders)
        self.files: list[str] = []
        self.module_folders: list[str] = []
        """Where git keeps the clones of submodules: in the repository, and in each worktree."""
        self.reference = dict(reference or {})
        """What setups changed, with the user's consent: digests by name, empty for what is gone."""
        self.is_suspended = False
        """While setups run, and nobody else: they are judged by themselves."""
        self.suspect = ""
        """Who changed what is not as it was, where that is known."""
        self._stamps = self._current_stamps()
        self._facts = self._hooks()

    async def watch(self, git: Git, *files: str) -> None:
        """From now on these config files, and what they include, are to stay as they are.

        So are the submodules of the worktree that a ``config.worktree`` belongs to.
        """
        module_folders = [
            _modules_folder(file) for file in files if os.path.basename(file) == OF_WORKTREE
        ]
        self.module_folders = list(dict.fromkeys((*self.module_folders, *module_folders)))
        modules = _modules(module_folders)
        for hook in _listed(_hooks_of(modules)):
            self._stamps[hook], self._facts[hook] = _stamp(hook), _fingerprint(hook)
        for file in (*files, *_configs_of(modules)):
            self._stamps[file] = _stamp(file)
            entries = await _entries(git, file)
            included = {origin: _stamp(origin) for origin, _, _ in entries}
            self._stamps.update({**included, **self._stamps})
            self._facts.update(_settings(entries))
            self.files = list(dict.fromkeys((*self.files, file, *included)))

    async def check(self, git: Git, during: str = "") -> None:
        """Raise :class:`Tampered` where something was added, changed or removed.

        ``during`` tells what has been going on since the last check.
        """
        changed = [] if self.is_suspended else await self.changes(git)
        if changed:
            who, what = during or self.suspect, some(changed, between="; ")
            raise Tampered(
                f"what git executes in this repository was changed{who}: {what}",
                hint="any running feature may have done this; nothing was committed since,"
                " and the work is in the worktrees. Inspect and revert it, then run again: a new "
                "run accepts what it finds. git config --list --show-origin",
            )

    async def changes(self, git: Git) -> list[str]:
        """What was added, changed or removed, each with how; nothing where all is as it was."""
        stamps = self._current_stamps()
        if stamps == self._stamps:
            return []
        found = await self._found(git)
        changed = list(_differences(self._accepted(found), found, self.top))
        if not changed:
            self._stamps = stamps
        return changed

    def _accepted(self, found: Mapping[str, str]) -> dict[str, str]:
        """What it was, or what a setup is known to make of it."""
        facts = dict(self._facts)
        for name, digest in self.reference.items():
            if _digest(found.get(name)) == digest:
                _copy_fact(name, found, facts)
        return facts

    async def differing(self, git: Git) -> dict[str, str]:
        """Digests by name of what is not as it was; empty for what is gone."""
        if self._current_stamps() == self._stamps:
            return {}
        found = await self._found(git)
        names = {n for n in {*self._facts, *found} if self._facts.get(n) != found.get(n)}
        return {name: _digest(found.get(name)) for name in names}

    async def accept(self, git: Git, names: Iterable[str]) -> None:
        """Take some of what changed for good."""
        found = await self._found(git)
        for name in names:
            _copy_fact(name, found, self._facts)

    def _current_stamps(self) -> dict[str, Stamp]:
        modules = _modules(self.module_folders)
        files = {file: _stamp(file) for file in (*self.files, *_configs_of(modules))}
        return {**files, **{hook: _stamp(hook) for hook in self._listed(modules)}}

    def _hooks(self) -> dict[str, str]:
        return {hook: _fingerprint(hook) for hook in self._listed(_modules(self.module_folders))}

    def _listed(self, modules: Iterable[str]) -> Iterator[str]:
        return _listed((*self.folders, *_hooks_of(modules)))

    async def _found(self, git: Git) -> dict[str, str]:
        """What is there now: looked at once more where a new worktree came to it meanwhile."""
        while True:
            known = dict(self._facts)
            found = await self._found_at_once(git)
            if known == self._facts:
                return found

    async def _found_at_once(self, git: Git) -> dict[str, str]:
        found = self._hooks()
        for file in dict.fromkeys((*self.files, *_configs_of(_modules(self.module_folders)))):
            settings = _settings(await _entries(git, file))
            # git itself writes there where the files of a submodule are: a new or a moved one.
            place = f"core.worktree in {file}"
            if file not in self.files:
                settings.pop(place, "")
            elif place in settings and self._is_at_home(file, settings[place]):
                settings[place] = self._facts.get(place, settings[place])
            found.update(settings)
        gone = {name: fact for name, fact in self._facts.items() if self._is_gone(name)}
        return {**gone, **found}

    def _is_at_home(self, file: str, place: str) -> bool:
        """Whether the files of a submodule are in the checkout that its git folder belongs to."""
        kind, *rest = os.path.relpath(file, self.common).split(os.sep)
        home = self.top if kind == "modules" else ""
        if kind == "worktrees" and rest[1] == "modules":
            gitfile = os.path.join(self.common, kind, rest[0], "gitdir")
            home = os.path.dirname(first_line(gitfile))
        last = place.split("\0")[-2]
        there = os.path.realpath(os.path.join(os.path.dirname(file), last))
        return bool(home) and there.startswith(os.path.join(os.path.realpath(home), ""))

    def _is_gone(self, name: str) -> bool:
        """Whether it belonged to a worktree or a submodule that is there no longer."""
        folder = os.path.dirname(name.rpartition(" in ")[2])
        nested = (os.path.join(self.common, kind, "") for kind in ("worktrees", "modules"))
        return folder.startswith(tuple(nested)) and not os.path.isdir(folder)


async def take_fingerprint(
    git: Git, reference: Mapping[str, str] | None = None
) -> ExecutableFingerprint:
    """Take what is there for good: hooks, and the settings of the repository itself.

    ``reference`` is what earlier setups changed.

    Its submodules and its worktrees are parts of it. Hooks in a folder that every worktree has
    its own of are not watched: they are versioned.
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
    """What the repository's own config file says: the values of each key."""
    found: dict[str, str] = {}
    for _, key, value in await _entries(git, os.path.join(git.repository.common_dir, "config")):
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Which settings differ; how, only where a value can't hold a password."""
    return [
        f"{key} {before.get(key, 'unset')} → {after.get(key, 'unset')}"
        if key.startswith(("core.", "extensions."))
        else key
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _modules_folder(file: str) -> str:
    return os.path.join(os.path.dirname(file), "modules")


def _modules(module_folders: Iterable[str]) -> list[str]:
    """The git folders of submodules, and of submodules of theirs; a name may hold slashes."""
    found: list[str] = []
    seen: set[str] = set()  # A link may lead back.
    pending = [*module_folders]
    while pending and len(seen) < MOST_FOLDERS:
        folder = pending.pop()
        if os.path.realpath(folder) in seen or not os.path.isdir(folder):
            continue
        seen.add(os.path.realpath(folder))
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


def _stamp(path: str) -> Stamp:
    """What changes whenever a file, or what a link leads to, is written or replaced."""
    return (*_stat(os.lstat, path), *_stat(os.stat, path))


def _stat(look: Callable[[str], os.stat_result], path: str) -> Stamp:
    try:
        info = look(path)
    except OSError:
        return ()
    return info.st_ino, info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def _copy_fact(name: str, source: Mapping[str, str], target: dict[str, str]) -> None:
    target.pop(name, "")
    if name in source:
        target[name] = source[name]


def _digest(fact: str | None) -> str:
    import hashlib

    return "" if fact is None else hashlib.sha256(fact.encode("utf-8", "replace")).hexdigest()[:20]


def _fingerprint(path: str) -> str:
    """A fingerprint of a hook: mode and contents."""
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
    if not os.path.lexists(file):
        return []
    try:
        return await configuration.settings(git, file)
    except GitError:
        return [(file, UNREADABLE, "")]


def _settings(entries: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """The settings that execute something, with all the values that each has."""
    found: dict[str, str] = {}
    for origin, key, value in entries:
        if key == UNREADABLE or EXECUTES.match(key.lower()):
            name = f"{key} in {origin}"
            found[name] = f"{found.get(name, '')}{value}\0"
    return found


def _differences(before: Mapping[str, str], after: Mapping[str, str], top: str) -> Iterable[str]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            how = "changed" if name in before else "added"
            verb = how if name in after else "removed"
            yield f"{name.replace(top + os.sep, '')} was {verb}"
