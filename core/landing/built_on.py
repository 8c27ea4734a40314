"""Finds the merges resolved by Claude in a run that candidates started from."""

from __future__ import annotations

from collections.abc import Sequence

from ..git import history
from ..git.door import Git
from ..model.frozen import dataclass
from .layers import SESSION, Candidate, Resolution, Resolved


@dataclass(frozen=True)
class BuiltOn:
    """A resolved merge of ``tip``, one candidate's, into ``ours``, which holds ``others``."""

    commit: str
    ours: str
    tip: str
    others: frozenset[str]
    resolution: Resolution


async def built_on(git: Git, base: str, candidates: Sequence[Candidate]) -> list[BuiltOn]:
    """The resolved merges from which candidates with several dependencies started."""
    tips = {candidate.tip: candidate.id for candidate in candidates}
    merges: dict[str, tuple[str, ...]] = {}
    for candidate in candidates:
        if len(candidate.needs) > 1 and candidate.start_commit:
            made = await history.own_commits(git, candidate.start_commit, [base])
            merges.update((commit, parents) for commit, parents in made if len(parents) == 2)
    found: list[BuiltOn] = []
    for commit, (one, other) in merges.items():
        session = await history.trailer(git, commit, SESSION)
        resolution = Resolution(Resolved.KNOWN, commit, session_id=session)
        for ours, tip in ((one, other), (other, one)):
            if session and tip in tips:
                held = {each for each, _ in await history.own_commits(git, ours, [base])}
                others = frozenset(id for known, id in tips.items() if known in held)
                found.append(BuiltOn(commit, ours, tip, others, resolution))
    return found
