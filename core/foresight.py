"""Sees conflicts coming: while features run side by side, their branches are merged for trial."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from itertools import combinations

from . import events
from .errors import UserError
from .events import Event
from .frozen import dataclass
from .git import Git
from .model import Status
from .state import RunState

PROBE_SECONDS = 5.0

HEADS = "refs/heads/"


@dataclass(frozen=True)
class Side:
    """The own work of a feature so far, from ``start`` to ``tip``."""

    id: str
    start: str
    tip: str


class Foresight:
    """Looks at the branches of ``features``; a look costs only what has moved since the last.

    Two are merged for trial where they changed a file of the same name.
    """

    def __init__(
        self,
        git: Git,
        features: Collection[str],
        *,
        run: str,
        state: Callable[[], RunState],
        emit: Callable[[Event], None],
        clock: Callable[[], float],
    ) -> None:
        self.git = git
        self.features = features
        self.run_id = run
        self.state = state
        self.emit = emit
        self.clock = clock
        self._seen: dict[str, Side] = {}
        self._files: dict[str, frozenset[str]] = {}
        self._clashes: dict[tuple[str, str], tuple[str, ...]] = {}

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Tell of each conflict that is new, and of each that is gone."""
        if not self.git.merges_without_worktree:
            return
        try:
            await self._look()
        except UserError:
            return  # A branch, or git, went meanwhile: the next look sees what there is.

    async def _look(self) -> None:
        sides = list(self._sides(await self.git.refs(HEADS)))
        moved = [side for side in sides if self._seen.get(side.id) != side]
        changed = await self.git.changed_files([(side.start, side.tip) for side in moved])
        for side, files in zip(moved, changed):
            self._files[side.id] = files
        for one, other in combinations(sides, 2):
            if one in moved or other in moved:
                await self._try(one, other)
        self._seen = {side.id: side for side in sides}

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
            tree, files = await self.git.merged_tree(one.tip, other.tip)
            now = () if tree else tuple(files or sorted(shared))
        if now != before:
            self._clashes[pair] = now
            self.emit(events.clash(self.clock(), self.run_id, other.id, other=one.id, files=now))
