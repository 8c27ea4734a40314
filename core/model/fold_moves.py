"""The fold of landings and their undo: what each merge moved, and what of it was taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .events import Event
from .frozen import replace
from .state import FeatureState, Landing, Move


def follow(
    moves: dict[str, Move], features: dict[str, FeatureState], event: Event, *, owner: str
) -> None:
    """Take an event into account, if it is one of a landing: after the feature has followed it.

    ``owner`` is the feature list of the merge.
    """
    if event.kind == "landing" and event.feature:
        _landing(moves, features, event, owner)
        return
    change = _CHANGES.get(event.kind)
    move = moves.get(event.run)
    if change is not None and move is not None:
        moves[event.run] = change(move, features, event)


def _landing(
    moves: dict[str, Move], features: Mapping[str, FeatureState], event: Event, owner: str
) -> None:
    data = event.data
    into, tip = str(data.get("into", "")), str(data.get("tip", ""))
    move = moves.get(event.run) or Move(
        event.run, event.at, into, tip, str(data.get("moved_from", "")), owner
    )
    landed = {**move.landings, event.feature: features[event.feature].landings[into]}
    moves[event.run] = replace(move, landings=landed)


def _merged(move: Move, features: dict[str, FeatureState], event: Event) -> Move:
    return replace(move, is_over=True)


def _undoing(move: Move, features: dict[str, FeatureState], event: Event) -> Move:
    """The features lose what says that they have landed, but for what git can be asked about."""
    named = event.data.get("branches")
    branches: Mapping[str, object] = named if isinstance(named, dict) else {}
    for known in _landed_by(move, features):
        merged_into = "" if known.merged_into == move.into else known.merged_into
        back = replace(known, merged_into=merged_into)
        branch = str(branches.get(known.id, ""))
        if branch:
            back = replace(back, branch=branch, start_commit=known.work_start)
        features[known.id] = back
    return replace(move, undoing_at=event.at)


def _undone(move: Move, features: dict[str, FeatureState], event: Event) -> Move:
    for known in _landed_by(move, features):
        left = {into: each for into, each in known.landings.items() if into != move.into}
        features[known.id] = replace(known, landings=left)
    return replace(move, undone_at=event.at)


def _landed_by(move: Move, features: Mapping[str, FeatureState]) -> list[FeatureState]:
    """The features that this move landed last, and that have not started over since."""
    known = (features.get(id) or FeatureState(id) for id in move.landings)
    return [each for each in known if is_of(move, each.landings.get(move.into))]


def is_of(move: Move, landing: Landing | None) -> bool:
    """Whether a landing on the move's branch is one of the move's."""
    return landing is not None and landing.tip == move.tip


_CHANGES: Mapping[str, Callable[[Move, dict[str, FeatureState], Event], Move]] = {
    "merged": _merged,
    "undoing": _undoing,
    "undone": _undone,
}
