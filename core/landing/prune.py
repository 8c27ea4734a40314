"""Prune: removes old refs of results and kept work that nothing needs any more."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

from ..git import ref_facts
from ..git.door import Unknown
from ..git.refs import KEPT, OWN, RESOLUTIONS, RESULTS, UNDONE
from ..journal.recorder import Recorder
from ..model import events
from ..model.cached_setup import CachedSetup
from ..model.frozen import dataclass, replace
from ..model.json_values import Json
from ..model.state import FeatureState
from ..model.translate import N_
from ..project.landed import how_merged_into
from ..project.open import OpenProject
from ..worktree.setup_store import SetupStore

OLDER_THAN_SECONDS = 30 * 86_400.0
"""As long as git keeps what only its reflog holds (``gc.reflogExpireUnreachable``)."""

KINDS: Mapping[str, str] = {
    RESULTS: N_("result"),
    KEPT: N_("kept work"),
    RESOLUTIONS: N_("resolution"),
    UNDONE: N_("undone merge"),
}

SIZED = 100
"""How many refs have a size of their own: git counts for each anew."""

STAMP = re.compile(r"(?:^|-)(\d{8}T\d{6})(?=-|\.|$)")
"""When a run, a cleanup or a merge began, in its id: local time."""


@dataclass(frozen=True)
class OldRef:
    """A ref that nothing needs."""

    ref: str
    commit: str
    kind: str
    at: float
    """When it was made, in seconds since 1970."""
    bytes: int | None = None
    """What only this and the other pruned refs hold; ``None`` if git can't tell."""
    failure: str = ""
    """Why it could not be removed."""


@dataclass(frozen=True)
class PruneReport:
    """What a prune removes, or removed."""

    refs: tuple[OldRef, ...]
    needed: int
    """How many refs are old enough, but needed."""
    bytes: int | None
    """What git gc can free; ``None`` if git can't tell."""
    is_pruned: bool = False
    setups: tuple[CachedSetup, ...] = ()
    """Entries of the setup cache that no worktree used for that long."""
    in_use: tuple[str, ...] = ()
    """The keys of those that a process uses, so that they stay."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.refs or self.setups)

    def to_json(self, now: float) -> dict[str, Json]:
        """As ``cleanup --prune --json`` prints it."""
        refs: list[Json] = [
            {
                "ref": each.ref,
                "commit": each.commit,
                "kind": each.kind,
                "age_seconds": round(now - each.at),
                "bytes": each.bytes,
                "removed": self.is_pruned and not each.failure,
                "failure": each.failure,
            }
            for each in self.refs
        ]
        setups: list[Json] = [
            {**each.to_json(now), "removed": self.is_pruned and each.key not in self.in_use}
            for each in self.setups
        ]
        return {
            "event": "prune",
            "refs": refs,
            "needed": self.needed,
            "bytes": self.bytes,
            "setup_cache": setups,
        }


class Prune:
    """One ``cleanup --prune`` of refs of all lists; to remove them, it needs the lock."""

    def __init__(
        self,
        project: OpenProject,
        older_than_seconds: float = OLDER_THAN_SECONDS,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.project = project
        self.git = project.git
        self.clock = clock
        self.limit = clock() - older_than_seconds
        """What was made later stays."""
        self.store = SetupStore(project.git.repository.common_dir)
        self.state = project.whole_state()
        self._record = Recorder(project.journal, self.state).emit

    async def find(self) -> PruneReport:
        """The refs that are old enough and that nothing needs."""
        times = await ref_facts.commit_times(self.git, OWN)
        old = [
            OldRef(ref, commit, KINDS[prefix], at)
            for ref, commit in self.project.refs.items()
            for prefix in KINDS
            if ref.startswith(prefix)
            for at in (self._made_at(ref, times.get(ref, self.clock())),)
            if at <= self.limit
        ]
        needed = [pattern async for pattern in self._needed()]
        free = [each for each in old if not any(map(each.ref.startswith, needed))]
        sized, total = await self._sized(free)
        setups = tuple(each for each in self.store.entries() if each.used_at <= self.limit)
        return PruneReport(tuple(sized), len(old) - len(free), total, setups=setups)

    async def remove(self, report: PruneReport) -> PruneReport:
        """Remove the refs, each only if it has not moved, and the entries of the setup cache."""
        self.store.clear()
        used = tuple(each.key for each in report.setups if not self.store.remove(each.key))
        report = replace(report, in_use=used, is_pruned=True)
        if not report.refs:
            return report
        refs = {each.ref: each.commit for each in report.refs}
        self._record(events.pruned(self.clock(), refs))
        done = [
            replace(each, failure=await self.git.delete_ref(each.ref, each.commit))
            for each in report.refs
        ]
        return replace(report, refs=tuple(done))

    def _made_at(self, ref: str, committed_at: float) -> float:
        """When a ref was made: its name tells, or else its commit."""
        undone = self.state.moves.get(ref[len(UNDONE) :]) if ref.startswith(UNDONE) else None
        if undone is not None:
            return undone.undone_at or undone.undoing_at or undone.at
        found = STAMP.search(ref.rpartition("/")[2])
        if found is None:
            return committed_at
        try:
            return time.mktime(time.strptime(found[1], "%Y%m%dT%H%M%S"))
        except (ValueError, OverflowError):
            return committed_at

    async def _sized(self, free: Sequence[OldRef]) -> tuple[list[OldRef], int | None]:
        """The refs with their sizes, the oldest first; the size of all together."""
        ordered = sorted(free, key=lambda each: (each.at, each.ref))
        if not ordered:
            return [], 0
        others = await ref_facts.staying(self.git, {each.ref for each in free})
        sized = [
            replace(each, bytes=await ref_facts.bytes_of(self.git, [each.commit], others))
            for each in ordered[:SIZED]
        ]
        sized += ordered[SIZED:]
        commits = [each.commit for each in ordered]
        return sized, await ref_facts.bytes_of(self.git, commits, others)

    # -- what is needed -------------------------------------------------------------------------

    async def _needed(self) -> AsyncIterator[str]:
        """The refs, or the beginnings of refs, that something needs whatever their age."""
        for known in (*self.state.features.values(), *self.state.replaced.values()):
            if await self._is_open(known):
                for ref in self._of_open(known):
                    yield ref
        for move in self.state.moves.values():
            if move.undone_at is None and move.at > self.limit:
                for id in move.landings:
                    yield f"{RESULTS}{id}/"  # `undo` needs it

    def _of_open(self, known: FeatureState) -> Iterator[str]:
        """The refs of a feature whose work is nowhere else yet."""
        yield f"{RESULTS}{known.id}/{known.run}"
        yield f"{RESOLUTIONS}{known.id}/"
        if known.kept_ref:
            yield known.kept_ref
        commit = known.last_result
        for ref, at in self.project.refs.items():
            if at == commit and ref.startswith(f"{RESULTS}{known.id}/"):
                yield ref

    async def _is_open(self, known: FeatureState) -> bool:
        """Whether a run works on a feature, or its work has not landed on the base branch."""
        if known.status.active or known.again is not None:
            return True
        if known.work is None:
            return False
        base = self.project.config.project.base_branch
        try:
            return not await how_merged_into(self.project, known, self.project.base_commit, base)
        except Unknown:
            return True
