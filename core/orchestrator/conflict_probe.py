"""`ConflictProbe`: predicts conflicts by trial merges of the branches of running features."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from itertools import islice

from ..git import commits, merging
from ..git.door import Git, Unknown
from ..git.refs import HEADS
from ..model import events
from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.outcome import Status
from ..model.state import PREDICTED_CONFLICTS, RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..runner.context import RunContext

PROBE_SECONDS = 5.0

TRIALS = 20
"""Trial merges in one look; the other pairs wait for the next look."""


@dataclass(frozen=True)
class Side:
    """The work of a feature so far, from ``start`` to ``tip``."""

    id: str
    start: str
    tip: str


class ConflictProbe:
    """Watches the branches of ``features``; a look examines only those that moved.

    Two branches are merged on trial if they changed the same file, at most :data:`TRIALS` pairs
    in a look, so that the run never waits for it.
    """

    def __init__(
        self,
        git: Git,
        features: Collection[str],
        context: RunContext,
        *,
        state: Callable[[], RunState],
    ) -> None:
        self.git = git
        self.features = features
        self.context = context
        self.state = state
        self._position = {id: number for number, id in enumerate(features)}
        self._seen: dict[str, Side] = {}
        self._files: dict[str, frozenset[str]] = {}
        self._changed_by: dict[str, set[str]] = {}
        """Ids by file."""
        self._untried: dict[tuple[str, str], None] = {}
        """Pairs of ids to try, in this order."""
        self._clashes: dict[tuple[str, str], tuple[str, ...]] = {}

    def watch_over(self, features: Collection[str]) -> None:
        """Watch other features from now on."""
        self.features = features
        for id in features:
            self._position.setdefault(id, len(self._position))

    async def watch(self) -> None:
        """Look at intervals until cancelled."""
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Record each conflict that is new or gone."""
        if not self.git.merges_without_worktree:
            return
        try:
            await self._look()
        except UserError:
            return  # A branch was deleted meanwhile, or git failed: the next look tries again.

    async def _look(self) -> None:
        sides = {side.id: side for side in self._sides(await self.git.refs(HEADS))}
        moved = [side for id, side in sides.items() if self._seen.get(id) != side]
        changed = await commits.changed_files(self.git, [(side.start, side.tip) for side in moved])
        for id in self._seen.keys() - sides.keys():
            self._note_files(id, frozenset())
        for side, files in zip(moved, changed):
            self._note_files(side.id, files)
        self._seen = sides
        for side in moved:
            self._queue(side.id)
        await self._try_some()

    def _note_files(self, id: str, files: frozenset[str]) -> None:
        for file in self._files.get(id, frozenset()) - files:
            self._changed_by[file].discard(id)
        for file in files:
            self._changed_by.setdefault(file, set()).add(id)
        self._files[id] = files

    def _queue(self, id: str) -> None:
        """Queue trials of a feature with the first features that changed one of its files."""
        near = {other for file in self._files[id] for other in self._changed_by[file]} - {id}
        clashes = (pair for pair, files in self._clashes.items() if files and id in pair)
        known = {other for pair in clashes for other in pair} - {id}
        others = [*known, *sorted(near - known, key=self._position.__getitem__)[:TRIALS]]
        for other in others:
            one, two = sorted((id, other), key=self._position.__getitem__)
            self._untried[one, two] = None

    async def _try_some(self) -> None:
        for pair in list(islice(self._untried, TRIALS)):
            one, other = (self._seen.get(id) for id in pair)
            full = pair not in self._clashes and any(
                self._count(id) >= PREDICTED_CONFLICTS for id in pair
            )
            if one is not None and other is not None and not full:
                await self._try(one, other)
            del self._untried[pair]

    def _count(self, id: str) -> int:
        return sum(1 for pair, files in self._clashes.items() if files and id in pair)

    def _sides(self, heads: dict[str, str]) -> Iterator[Side]:
        for id in self.features:
            known = self.state().feature(id)
            tip = heads.get(HEADS + known.branch, "")
            goes_on = known.status.active or known.status is Status.COMPLETED
            if goes_on and tip and known.start_commit not in ("", tip):
                yield Side(id, known.start_commit, tip)

    async def _try(self, one: Side, other: Side) -> None:
        pair = (one.id, other.id)
        shared = self._files[one.id] & self._files[other.id]
        before = self._clashes.get(pair, ())
        now: tuple[str, ...] = ()
        if shared:
            # Unknown: a merge driver of the user would have to run, so nothing is predicted.
            with suppress(Unknown):
                tree, files = await merging.merged_tree(self.git, one.tip, other.tip)
                now = () if tree else tuple(files or sorted(shared))
        if now != before:
            self._clashes[pair] = now
            self.context.record(events.clash, other.id, other=one.id, files=now)
