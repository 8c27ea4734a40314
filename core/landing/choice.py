"""`Choice`: which candidates stay out so that the largest number lands: pairs, by trial merges."""

from __future__ import annotations

import os.path
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

from ..dag.largest_set import largest_set
from ..git import commits
from ..git.door import Git
from ..model.frozen import dataclass
from .layers import Candidate, Held, Put, conflict_between

READ_BY_MERGES = frozenset((".gitattributes", ".gitmodules"))
"""Files that change how git merges others."""


@dataclass(frozen=True)
class Touched:
    """What a feature changed: two that have nothing in common here can't conflict."""

    files: frozenset[str]
    missing: frozenset[str]
    """Those of them that are gone, or that are gone from what the feature is built on."""
    folders: frozenset[str]
    """All folders above the files: another one may have put a file there."""
    left: frozenset[str]
    """The folders above missing files: git may take them for renamed."""
    is_anything: bool
    """Whether it can meet with any other: by attributes, or by files that the branch renamed."""

    def meets(self, other: Touched) -> bool:
        """Whether git could find a conflict between the two."""
        return bool(
            self.is_anything
            or other.is_anything
            or self.files & other.files
            or self.files & other.folders
            or self.folders & other.files
            or self.left & other.folders
            or self.folders & other.left
        )


class Choice:
    """Chooses among ``candidates``, which are in topological order, for a branch at ``base``.

    ``put`` merges a candidate onto a commit, as the stack does, ``tried`` makes no commit of it.
    Their results are remembered there.
    """

    def __init__(
        self,
        git: Git,
        into: str,
        base: str,
        candidates: Sequence[Candidate],
        put: Callable[[str, Candidate], Awaitable[Put]],
        tried: Callable[[str, Candidate], Awaitable[Put]],
    ) -> None:
        self.git = git
        self.into = into
        self.base = base
        self.candidates = {candidate.id: candidate for candidate in candidates}
        self.put = put
        self.tried = tried
        self.place = {id: number for number, id in enumerate(self.candidates)}
        self.above: dict[str, frozenset[str]] = {}
        """The candidates that each one needs, directly or not, and itself."""
        for id, candidate in self.candidates.items():
            needed = [self.above[need] for need in candidate.needs if need in self.above]
            self.above[id] = frozenset({id}).union(*needed)
        self._touched: dict[str, Touched] = {}
        self._pairs: dict[tuple[str, str], Held | None] = {}

    async def left_out(self, held: Mapping[str, Held]) -> dict[str, Held]:
        """The candidates that stay out of the largest set, and what they conflict with.

        Nothing that depends on them is named, nor on what is ``held``.
        """
        out: dict[str, Held] = {}
        for id in self.candidates:
            if not self.above[id] & (held.keys() | out.keys()):
                why = await self._alone(id)
                if why is not None:
                    out[id] = why
        gone = held.keys() | out.keys()
        free = [id for id in self.candidates if not self.above[id] & gone]
        pairs = await self._conflicts(free)
        kept = frozenset(largest_set({id: self.candidates[id].needs for id in free}, pairs))
        for (one, other), why in pairs.items():
            if (one in kept) is not (other in kept):
                loser, winner = (other, one) if one in kept else (one, other)
                out.setdefault(loser, _against(why, loser, winner))
        return out

    async def _alone(self, id: str) -> Held | None:
        """Why a candidate does not merge even on top of only what it needs."""
        onto = await self._stacked(self.above[id] - {id})
        put = await self.put(onto, self.candidates[id])
        return _reason(put, id, self.into)

    async def _stacked(self, ids: Iterable[str]) -> str:
        """The commit with these candidates; of what does not merge, the commit without it."""
        tip = self.base
        for id in sorted(ids, key=self.place.__getitem__):
            put = await self.put(tip, self.candidates[id])
            tip = put if isinstance(put, str) else tip
        return tip

    async def _conflicts(self, free: Sequence[str]) -> dict[tuple[str, str], Held]:
        """Pairs that do not merge, the earlier one first; not those that follow from others."""
        await self._look_at_files(free)
        found: dict[tuple[str, str], Held] = {}
        foes: dict[str, set[str]] = {id: set() for id in free}
        for place, later in enumerate(free):
            foes_above = set().union(*(foes[id] for id in self.above[later]))
            for earlier in free[:place]:
                follows = not foes_above.isdisjoint(self.above[earlier])
                if follows or earlier in self.above[later]:
                    continue
                why = await self._pair(earlier, later)
                if why is not None:
                    found[earlier, later] = why
                    foes[earlier].add(later)
                    foes[later].add(earlier)
                    foes_above.add(earlier)
        return found

    async def _pair(self, earlier: str, later: str) -> Held | None:
        """Why two candidates that merge alone do not merge together, judged as the stack will."""
        if not self._touched[earlier].meets(self._touched[later]):
            return None
        pair = (earlier, later)
        if pair not in self._pairs:
            onto = await self._stacked(self.above[earlier] | self.above[later] - {later})
            put = await self.tried(onto, self.candidates[later])
            self._pairs[pair] = _reason(put, later, earlier)
        return self._pairs[pair]

    # -- what they changed ----------------------------------------------------------------------

    async def _look_at_files(self, ids: Iterable[str]) -> None:
        new = [self.candidates[id] for id in ids if id not in self._touched]
        starts = [each.start_commit or await self._shared(each) for each in new]
        own = [(start, each.tip) for start, each in zip(starts, new)]
        changed = await commits.changed_files(self.git, own)
        missing = await commits.changed_files(self.git, own, only="D")
        since = [(start, self.base) for start in starts]
        renamed = await commits.changed_files(self.git, since, only="D")
        for each, files, gone, moved in zip(new, changed, missing, renamed):
            below = [self._touched[need] for need in each.needs if need in self._touched]
            self._touched[each.id] = _touched(files, gone, below, is_moved=bool(files & moved))

    async def _shared(self, candidate: Candidate) -> str:
        return await self.git.merge_base(self.base, candidate.tip) or self.base


def _reason(put: Put, id: str, other: str) -> Held | None:
    """Why a candidate can't land with another one; what nobody knows is left to the stack."""
    if isinstance(put, tuple):
        return conflict_between(id, other, put)
    return put if isinstance(put, Held) and not put.is_unknown else None


def _against(why: Held, loser: str, winner: str) -> Held:
    """The reason for the one that is left out; a conflict names the other one."""
    return conflict_between(loser, winner, why.files) if why.conflict_with else why


def _touched(
    files: Collection[str], gone: Collection[str], below: Iterable[Touched], *, is_moved: bool
) -> Touched:
    """What a feature changed with what the features below it took away: they may have renamed it.

    ``is_moved``: some of the files are gone from the branch, under another name perhaps.
    """
    missing = frozenset(map(_plain, gone)).union(*(each.missing for each in below))
    own = frozenset(map(_plain, files)) | missing
    names = {os.path.basename(file) for file in own}
    return Touched(
        own, missing, _folders(own), _folders(missing), is_moved or bool(names & READ_BY_MERGES)
    )


def _folders(files: Iterable[str]) -> frozenset[str]:
    """All folders above files, without the topmost, which git never takes for renamed."""
    found: set[str] = set()
    for file in files:
        folder = os.path.dirname(file)
        while folder and folder not in found:
            found.add(folder)
            folder = os.path.dirname(folder)
    return frozenset(found)


def _plain(file: str) -> str:
    """A name without the quotes that git puts around one with special characters."""
    return file.strip('"')
