"""`Surroundings`: changes outside of a run's worktrees: checkout, settings, stray branches.

An agent, or a test that it wrote, can reach the user's checkout, the shared settings, and branches
and worktrees that no run made. So can the user: changes are reported, never undone.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, suppress

from ..git import configuration, history, known_settings
from ..git.bare_status import bare_status
from ..git.door import Git
from ..git.paths import first_line
from ..git.refs import HEADS
from ..git.tampering import EXECUTES, ExecutableFingerprint
from ..model import events
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.frozen import dataclass, field, replace
from ..model.mask import is_secret
from ..model.outcome import FeatureOutcome, Status, Stray
from ..model.state import RunState
from ..model.translate import N_
from ..process.supervisor import Killed
from ..worktree.names import AGENTS_FOLDER, BY_A_SUBAGENT
from .context import RunContext

REPLACED = "refs/replace/"
"""Replacements of objects, which git uses everywhere; see git-replace(1)."""

FINGERPRINTED = (
    *("info/attributes", "info/exclude", "info/grafts", "objects/info/alternates", "shallow"),
)
"""Files of the git folder, other than the config, that change how git works."""

LONGEST = 100
"""The most characters of a value that are shown."""

SHARE = 10
"""Looks take at most a tenth of the time, except after an empty feature and at the end."""


@dataclass(frozen=True)
class Change:
    """What is said of a change: while no feature ran, and ``beside`` features that did."""

    alone: str
    beside: str


EXECUTED = Change(
    N_("git hooks or settings were changed during the run: {details}"),
    N_(
        "git hooks or settings were changed while {names} ran "
        "(by you or by a process of it): {details}"
    ),
)
SETTINGS = Change(
    N_("settings of git changed during the run: {details}"),
    N_("settings of git changed while {names} ran (by you or by a process of it): {details}"),
)
BRANCHES = Change(
    N_("branches of yours changed during the run: {details}"),
    N_("branches of yours changed while {names} ran (by you or by a process of it): {details}"),
)
CHECKOUT = Change(
    N_("your checkout {checkout} changed during the run: {details}"),
    N_(
        "your checkout {checkout} changed while {names} ran "
        "(by you or by a process of it): {details}"
    ),
)
UNKNOWN = Change(
    N_("what changed outside of the worktrees is unknown during the run: {details}"),
    N_(
        "what changed outside of the worktrees is unknown while {names} ran "
        "(by you or by a process of it): {details}"
    ),
)
STRAY = Change(
    N_("{stray} appeared during the run; no feature has what is in it"),
    N_(
        "{stray} appeared while {names} ran (by you or by a process of it); "
        "no feature has what is in it"
    ),
)

CREDENTIALS = re.compile(r"//[^/@\s]*@")


@dataclass(frozen=True)
class Checkout:
    """The user's checkout."""

    branch: str
    commit: str
    files: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    """A stamp of each uncommitted file, which changes when it is written."""

    def __str__(self) -> str:
        return f"{self.branch} ({self.commit[:10]})"


@dataclass(frozen=True)
class Setting:
    """A configuration key, a file in ``.git`` or a ref that changes how git works."""

    name: str
    origin: str = ""
    """The configuration file, unless it is the repository's own."""
    is_file: bool = False

    def __str__(self) -> str:
        return f"{self.name} in {self.origin}" if self.origin else self.name


@dataclass(frozen=True)
class Seen:
    """The surroundings at one moment."""

    checkout: Checkout | None = None
    """``None`` if there is none, or if git can't read it."""
    settings: Mapping[Setting, str] = field(default_factory=dict)
    branches: Mapping[str, str] = field(default_factory=dict)
    admins: frozenset[str] = frozenset()
    """The names of the admin folders of worktrees, in ``.git/worktrees``."""


class Surroundings:
    """The surroundings of a run, compared at the end of each feature and at its own end."""

    def __init__(
        self,
        git: Git,
        fingerprint: ExecutableFingerprint,
        context: RunContext,
        *,
        folder: str,
        state: Callable[[], RunState],
    ) -> None:
        self.git = git
        self.fingerprint = fingerprint
        self.folder = os.path.realpath(folder)
        self.context = context
        self.state = state
        self._seen: Seen | None = None
        self._working: set[str] = set()
        self._worked: set[str] = set()
        """The features that ran since the last comparison."""
        self._named: set[str] = set()
        """What was reported: a file that the user edits all day is reported once."""
        self._next_look = 0.0
        self._turn = asyncio.Lock()
        self._looks: list[asyncio.Task[list[Stray]]] = []
        """Comparisons that nothing waits for, except the end of the run."""

    async def begin(self) -> None:
        """Read the surroundings before the first feature."""
        try:
            self._seen = await self._look()
        except UserError as error:
            self._say("", UNKNOWN, [error.message])

    async def during(self, feature: str, working: Awaitable[FeatureOutcome]) -> FeatureOutcome:
        """Await the outcome of a feature, then report what changed around it.

        Only an empty feature waits for the report: others have dependents that can start.
        """
        self._working.add(feature)
        try:
            outcome = await working
            known = self.state().feature(feature)
            if known.run != self.context.run_id or not known.in_slot:
                return outcome
            self._worked.update(self._in_slots())
        finally:
            self._working.discard(feature)
        if outcome.status is not Status.EMPTY:
            self._looks = [look for look in self._looks if not look.done() or look.exception()]
            self._looks.append(asyncio.create_task(self._compare(feature)))
            return outcome
        self._next_look = 0.0
        strays = await self._compare(feature)
        if strays:
            where = some([*map(str, strays)])
            there = N_("there is work in {where}").format(where=where)
            return replace(outcome, reason=f"{outcome.reason}; {there}")
        return outcome

    def _in_slots(self) -> Iterator[str]:
        for id in self._working:
            known = self.state().feature(id)
            if known.run == self.context.run_id and known.in_slot:
                yield id

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[None]:
        """Compare beside the running features; what is not done at their end is cancelled."""
        try:
            yield
        finally:
            for look in self._looks:
                look.cancel()
            await asyncio.gather(*self._looks, return_exceptions=True)

    async def settle(self) -> None:
        """Wait for the comparisons under way. Raises what one of them raised."""
        await asyncio.gather(*self._looks)
        self._looks = []

    async def end(self) -> None:
        """Report what changed since the last feature ended."""
        await self.settle()
        self._next_look = 0.0
        await self._compare("".join(self._worked) if len(self._worked) == 1 else "")

    async def _compare(self, feature: str) -> list[Stray]:
        """Report what changed since the last comparison. Return new worktrees and branches.

        Nothing is compared too soon after the last look: the next one finds it as well.
        """
        async with self._turn:
            begun = time.monotonic()
            if self._seen is None or begun < self._next_look:
                return []
            strays = await self._compared(feature, self._seen)
            ended = time.monotonic()
            self._next_look = ended + (ended - begun) * SHARE
            return strays

    async def _compared(self, feature: str, last: Seen) -> list[Stray]:
        try:
            # During a setup, the setup guard decides about changes.
            executed = (
                [] if self.fingerprint.is_suspended else await self.fingerprint.changes(self.git)
            )
            if executed:
                # Git must not run now: it might execute the change.
                self._say(feature, EXECUTED, executed)
                return []
            now = self._seen = await self._look()
            self._name_checkout(feature, last.checkout, now.checkout)
            settings = list(_settings_changed(last.settings, now.settings))
            self._say(feature, SETTINGS, settings)
            self._say(feature, BRANCHES, await self._lost(last, now))
            strays = await self._strays(last, now)
        except Killed:
            return []
        except UserError as error:
            self._say(feature, UNKNOWN, [error.message])
            return []
        for stray in strays:
            self._tell_of(stray, feature)
        self._worked.clear()
        return strays

    def _say(self, feature: str, what: Change, details: Sequence[str]) -> None:
        new = [detail for detail in details if f"{what.alone} {detail}" not in self._named]
        self._named.update(f"{what.alone} {detail}" for detail in new)
        if new:
            text = what.beside if self._worked else what.alone
            names, all = some(sorted(self._worked)), some(new, between="; ")
            checkout = self.git.repository.top
            self.context.note(text.format(names=names, details=all, checkout=checkout), feature)

    # -- the checkout -----------------------------------------------------------------------

    def _name_checkout(self, feature: str, before: Checkout | None, now: Checkout | None) -> None:
        if before is None or now is None:
            return
        details = []
        if (before.branch, before.commit) != (now.branch, now.commit):
            details.append(N_("HEAD {before} → {now}").format(before=before, now=now))
        changed = [f for f, stamp in now.files.items() if before.files.get(f) != stamp]
        changed = [file for file in changed if file not in self._named]
        self._named.update(changed)
        if changed:
            details.append(N_("changed {changed}").format(changed=some(changed)))
        # Committed files are clean too.
        clean = [file for file in before.files if file not in now.files]
        if clean and before.commit == now.commit:
            details.append(
                N_("uncommitted changes are gone from {clean}").format(clean=some(clean))
            )
        self._say(feature, CHECKOUT, details)

    async def _look(self) -> Seen:
        refs = await self.git.refs(HEADS, REPLACED)
        settings, filters = await self._settings()
        settings.update((Setting(ref), to) for ref, to in refs.items() if ref.startswith(REPLACED))
        linked = os.path.join(self.git.repository.common_dir, "worktrees")
        return Seen(
            checkout=await self._checkout(filters),
            settings=settings,
            branches={r[len(HEADS) :]: to for r, to in refs.items() if r.startswith(HEADS)},
            admins=frozenset(os.listdir(linked) if os.path.isdir(linked) else ()),
        )

    async def _checkout(self, filters: Iterable[str]) -> Checkout | None:
        where = self.git.repository
        if where.bare:
            return None
        status = await bare_status(self.git, where.top, filters)
        if status is None:
            return None
        ours = _written_by_us()
        stamps = {file: _stamp(os.path.join(where.top, file)) for file in status.uncommitted}
        files = {file: stamp for file, stamp in stamps.items() if stamp[:2] not in ours}
        return Checkout(status.branch, status.commit, files)

    async def _settings(self) -> tuple[dict[Setting, str], set[str]]:
        """The settings of the checkout, and the names of filters."""
        where = self.git.repository
        found: dict[Setting, str] = {}
        filters: set[str] = set()
        own = os.path.join(where.common_dir, "config")
        known = await known_settings.everywhere(self.git)
        if known is None:
            known = tuple(await configuration.settings_in(self.git, where.top))
        for origin, key, value in known:
            if not origin:
                continue  # A variable of ours or of the user's does not change.
            setting = Setting(key, "" if origin == own else origin)
            if key.startswith("filter."):
                filters.add(key[len("filter.") :].rpartition(".")[0])
            if origin == own and EXECUTES.match(key):
                continue  # The fingerprint covers it, and knows what a setup may change.
            found[setting] = f"{found[setting]}, {value}" if setting in found else value
        for file in FINGERPRINTED:
            stamp = _stamp(os.path.join(where.common_dir, file))
            found[Setting(f".git/{file}", is_file=True)] = str(stamp) if stamp else ""
        return found, filters

    # -- worktrees and branches that no run made --------------------------------------------

    async def _lost(self, before: Seen, now: Seen) -> list[str]:
        """The branches of the user that lost a commit."""
        ours = {known.branch for known in self.state().features.values()}
        ours.update(seen.checkout.branch for seen in (before, now) if seen.checkout)
        lost = []
        for name, old in before.branches.items():
            new = now.branches.get(name, "")
            if new == old or name in ours or (new and await self.git.is_ancestor(old, new)):
                continue
            lost.append(f"{name} {old[:10]} → {new[:10] or 'deleted'}")
        return lost

    async def _strays(self, before: Seen, now: Seen) -> list[Stray]:
        """New worktrees and branches that the user hardly made.

        That is a worktree of a subagent, or among those of a run; and a branch that is checked
        out nowhere, and holds commits that nothing else does.
        """
        worktrees = list(self._new_worktrees(now.admins - before.admins))
        found = [
            replace(stray, commit=now.branches.get(stray.branch, stray.commit))
            for stray in worktrees
            if self._is_odd(stray)
        ]
        ours = {known.branch for known in self.state().features.values()}
        used = {*ours, *(stray.branch for stray in worktrees)}
        if now.checkout is not None:
            used.add(now.checkout.branch)
        new = [name for name in now.branches if name not in before.branches and name not in used]
        held = [tip for name, tip in now.branches.items() if name not in new]
        for name in new:
            tip = now.branches[name]
            if BY_A_SUBAGENT.fullmatch(name) or await history.own_commits(self.git, tip, held):
                found.append(Stray("", name, tip))
        return found

    def _new_worktrees(self, admins: Iterable[str]) -> Iterator[Stray]:
        for name in sorted(admins):
            admin = os.path.join(self.git.repository.common_dir, "worktrees", name)
            path = os.path.dirname(first_line(os.path.join(admin, "gitdir")))
            head = first_line(os.path.join(admin, "HEAD"))
            if path and not self._is_ours(path):
                of_branch = head.startswith(f"ref: {HEADS}")
                branch = head[len(f"ref: {HEADS}") :] if of_branch else ""
                yield Stray(path, branch, "" if of_branch else head)

    def _is_ours(self, path: str) -> bool:
        """Whether the path is a worktree of a run."""
        folder, name = os.path.split(os.path.realpath(path))
        # Scratch worktrees have a tilde in their names, ids have none.
        return folder == self.folder and ("~" in name or name in self.state().features)

    def _is_odd(self, stray: Stray) -> bool:
        """Whether no user would put a worktree there: a subagent's, or beside those of a run."""
        path = os.path.realpath(stray.worktree)
        agents = os.path.join(os.path.realpath(self.git.repository.top), AGENTS_FOLDER)
        return path.startswith((agents, os.path.join(self.folder, ""))) or bool(
            BY_A_SUBAGENT.fullmatch(stray.branch)
        )

    def _tell_of(self, stray: Stray, feature: str) -> None:
        owner = self._maker(stray)
        if owner:
            text = N_("Claude made {stray}; no feature has what is in it").format(stray=stray)
        else:
            text = STRAY.beside if self._worked else STRAY.alone
            text = text.format(stray=stray, names=some(sorted(self._worked)))
        self.context.record(events.stray, owner or feature, stray, text)

    def _maker(self, stray: Stray) -> str:
        """The feature whose log mentions it, or ""."""
        name = os.path.basename(stray.worktree) or stray.branch
        for id in sorted(self._worked):
            attempts = self.state().feature(id).of_run(self.context.run_id)
            if any(_mentions(attempt.log, name) for attempt in attempts):
                return id
        return ""


def _settings_changed(before: Mapping[Setting, str], after: Mapping[Setting, str]) -> Iterator[str]:
    for setting in sorted({*before, *after}, key=str):
        old, new = before.get(setting), after.get(setting)
        if old == new:
            continue
        if setting.is_file or _is_private(setting.name):
            yield N_("{entry} changed").format(entry=setting)
        else:
            yield f"{setting}: {_shown(old)} → {_shown(new)}"


def _is_private(name: str) -> bool:
    """Whether the value of a key may be a secret, whatever it looks like."""
    key = name.lower()
    return key.startswith(("http.", "credential.", "sendemail.")) or is_secret(
        key.rpartition(".")[2].upper()
    )


def _shown(value: str | None) -> str:
    if value is None:
        return "unset"
    text = CREDENTIALS.sub("//…@", value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _stamp(path: str) -> tuple[object, ...]:
    try:
        info = os.lstat(path)
    except OSError:
        return ()
    return info.st_dev, info.st_ino, info.st_mode, info.st_size, info.st_mtime_ns


def _written_by_us() -> set[tuple[object, ...]]:
    """The files that this process writes: its redirected output, the file of ``--events``."""
    found: set[tuple[object, ...]] = set()
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # The listing names its own descriptor, which is closed by now.
            if fcntl.fcntl(int(name), fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
                info = os.fstat(int(name))
                found.add((info.st_dev, info.st_ino))
    return found


def _mentions(log: str, name: str) -> bool:
    """Whether a log, which may have gigabytes, contains a name."""
    import mmap

    try:
        with open(log, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as all:
            return all.find(os.fsencode(name)) >= 0
    except (OSError, ValueError):  # missing or empty
        return False
