"""What merges landed, and what was undone: the journal, and git where a command was killed."""

from __future__ import annotations

from ..git.refs import HEADS
from ..model.frozen import replace
from ..model.json_values import Json
from ..model.state import Move
from .open import OpenProject


async def landings_of(project: OpenProject, *, all_lists: bool = False) -> list[Move]:
    """The landings of the list's features, oldest first; ``all_lists`` includes other lists.

    Raises :class:`UserError` if the journal is damaged.
    """
    state = project.whole_state()
    owners = project.owners(state)
    ours = (m for m in state.moves.values() if all_lists or m.owner in owners)
    seen = [await _seen(project, move) for move in ours if move.tip != move.moved_from]
    return [move for move in seen if move.is_over]


async def _seen(project: OpenProject, move: Move) -> Move:
    """The move with what git tells of it, if its merge or its undo was killed."""
    is_certain = move.is_over if move.undoing_at is None else move.undone_at is not None
    if is_certain:
        return move
    commit = project.refs.get(HEADS + move.into, "")
    if commit and await project.git.is_ancestor(move.tip, commit):
        return replace(move, is_over=True)
    return replace(move, undone_at=move.undoing_at)


def document(moves: list[Move]) -> list[dict[str, Json]]:
    """Landings as ``history --json`` prints them; times are seconds since 1970."""
    return [
        {
            "merge": move.merge,
            "at": move.at,
            "list": move.owner or None,
            "into": move.into,
            "before": move.moved_from or None,
            "after": move.tip,
            "features": list(move.landings),
            "undone_at": move.undone_at,
        }
        for move in moves
    ]
