"""Moves a branch and its checkout back to before a landing; finishes interrupted undos."""

from __future__ import annotations

from collections.abc import Callable

from ..git import checkouts, merged
from ..model import events
from ..model.errors import UserError
from ..model.events import Event
from ..model.state import Move, RunState
from ..model.translate import N_
from .target_branch import TargetBranch


class WayBack(TargetBranch):
    """The branch of a landing that is undone; a worktree with it checked out goes back too."""

    command = "undo"
    when_uncommitted = N_("git -C {where} stash, then undo again")
    when_untracked = N_("move them elsewhere, then undo again")

    def _moved_error(self) -> UserError:
        return UserError(
            N_("{name} moved in the meantime; nothing was undone").format(name=self.name),
            hint=N_("try again to see what can still be undone"),
        )

    def _switched_error(self, path: str) -> UserError:
        return UserError(
            N_("{path} was switched away from {name} in the meantime; nothing was undone").format(
                path=path, name=self.name
            ),
            hint=N_("try again to see what can still be undone"),
        )


async def settled(target: TargetBranch, state: RunState, clock: Callable[[], float]) -> list[Event]:
    """Finish the undos of a branch that were killed; the events that are left to record."""
    found = []
    for move in state.moves.values():
        if move.into != target.name or move.undoing_at is None or move.undone_at is not None:
            continue
        if target.commit == move.tip:
            await _finish(target, move)
        if not await target.git.is_ancestor(move.tip, target.commit):
            found.append(events.undone(clock(), move))
    return found


async def _finish(target: TargetBranch, move: Move) -> None:
    """Move the branch back if its checkout is back already: only a crash came between."""
    path = await target.changed_checkout()
    if path and await checkouts.operation_in_progress(target.git, path):
        return  # the user reverts it by hand
    if path and await merged.matches(target.git, path, move.moved_from):
        await target.git.move_ref(
            target.ref, move.moved_from, move.tip, at=path, by=WayBack.command
        )
        target.commit = move.moved_from
