"""Undo: moves a branch back to where a merge found it, as long as nothing else depends on it."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterator

from ..git import checkouts, history
from ..git.refs import HEADS, RESULTS, UNDONE
from ..journal.recorder import Recorder
from ..landing.undoing import WayBack, settled
from ..model import events
from ..model.did_you_mean import did_you_mean
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.fold_moves import is_of
from ..model.frozen import dataclass, replace
from ..model.json_values import Json
from ..model.state import FeatureState, Move
from ..model.strategy import Strategy
from ..model.translate import N_
from ..project.open import OpenProject


@dataclass(frozen=True)
class Back:
    """A feature that has not landed any more once its merge is undone."""

    id: str
    branch: str
    result: str
    """What of it had landed."""
    is_restored: bool
    """Whether its branch is gone, and made again."""


@dataclass(frozen=True)
class UndoReport:
    """What an undo does or did: the branch was at ``before`` and goes back to ``after``."""

    merge: str
    into: str
    before: str
    after: str
    features: tuple[Back, ...] = ()
    is_undone: bool = False
    is_finished: bool = False
    """Whether an undo that was killed before was only finished."""
    reason: str = ""
    """Why it is not possible; else empty."""
    next: str = ""
    """What to do instead."""
    revert: str = ""
    """The command that reverts the landing by new commits, if that is what is left."""
    kept_ref: str = ""
    """The ref that keeps what was undone."""
    notes: tuple[str, ...] = ()
    """What is left to do in the checkout."""

    def to_json(self) -> dict[str, Json]:
        """As ``undo --json`` prints it."""
        features: list[Json] = [
            {"id": each.id, "branch": each.branch, "restored": each.is_restored}
            for each in self.features
        ]
        return {
            "event": "undo",
            "merge": self.merge,
            "into": self.into,
            "before": self.before,
            "after": self.after,
            "undone": self.is_undone,
            "features": features,
            "reason": self.reason,
            "next": self.next,
            "revert": self.revert,
            "kept_ref": self.kept_ref,
            "notes": list(self.notes),
        }


class Undo:
    """One ``undo`` of the merge ``merge``, or of the last one; it needs the lock."""

    def __init__(
        self, project: OpenProject, merge: str = "", *, clock: Callable[[], float] = time.time
    ) -> None:
        self.project = project
        self.git = project.git
        self.clock = clock
        self.asked = merge
        self.state = project.whole_state()
        self._recorder = Recorder(project.journal, self.state)

    async def look(self) -> UndoReport:
        """What would be undone, or why it is not possible.

        An undo that was killed is finished. Raises :class:`UserError` if there is nothing to undo.
        """
        done = await self._settled()
        if done:
            return replace(_report(done), is_undone=True, is_finished=True)
        move = await self._chosen()
        return await self._examined(move, replace(_report(move), features=self._features(move)))

    async def undo(self, report: UndoReport) -> UndoReport:
        """Move the branch back, as ``look`` found it.

        Raises :class:`UserError` if it moved in the meantime, or something is in the way.
        """
        move = self.state.moves[report.merge]
        kept = await self._keep(move)
        branches = {each.id: each.branch for each in report.features if each.is_restored}
        # Recorded before: after a kill git tells whether the branch went back.
        self._record(events.undoing(self.clock(), move, kept_ref=kept, branches=branches))
        for each in report.features:
            if each.is_restored:
                await self.git.create_ref(HEADS + each.branch, each.result)
        target = WayBack(self.git, move.into, move.tip)
        await target.move(move.moved_from)
        self._record(events.undone(self.clock(), move))
        notes = await target.submodules_behind(move.tip, move.moved_from)
        return replace(report, is_undone=True, kept_ref=kept, notes=tuple(notes))

    def _record(self, event: events.Event) -> None:
        self._recorder.emit(event)
        self.state = self._recorder.state

    async def _keep(self, move: Move) -> str:
        """The ref that keeps what is undone, such as the resolutions of conflicts."""
        ref = UNDONE + move.merge
        await self.git.create_ref(ref, move.tip)
        return ref

    # -- which merge ----------------------------------------------------------------------------

    async def _settled(self) -> Move | None:
        """A merge whose undo was killed and is finished now; ``None`` if there is none."""
        found = None
        for into in dict.fromkeys(move.into for move in self.state.moves.values()):
            commit = self.project.refs.get(HEADS + into, "")
            if not commit:
                continue
            for event in await settled(WayBack(self.git, into, commit), self.state, self.clock):
                self._record(event)
                found = event.run if self.asked in ("", event.run) else found
        return self.state.moves[found] if found else None

    async def _chosen(self) -> Move:
        """The merge to undo. Raises :class:`UserError` if there is none."""
        moves = {id: move for id, move in self.state.moves.items() if move.tip != move.moved_from}
        if self.asked and self.asked not in moves:
            raise UserError(
                N_("no merge {name!r} moved a branch{guess}").format(
                    name=self.asked, guess=did_you_mean(self.asked, list(moves))
                ),
                hint="rorchestrator history",
            )
        if self.asked:
            return moves[self.asked]
        for move in reversed(moves.values()):
            if move.undone_at is None and (move.is_over or await self._is_there(move)):
                return move
        raise UserError(
            N_("there is nothing to undo: no merge has moved a branch"),
            hint="rorchestrator history",
        )

    async def _is_there(self, move: Move) -> bool:
        """Whether the branch contains what the merge landed."""
        commit = self.project.refs.get(HEADS + move.into, "")
        return bool(commit) and await self.git.is_ancestor(move.tip, commit)

    def _features(self, move: Move) -> tuple[Back, ...]:
        """The features that the merge landed and that have not started over since."""
        return tuple(self._back(known, move) for known in self._landed(move))

    def _back(self, known: FeatureState, move: Move) -> Back:
        branch = known.branch or self.project.worktrees.branch(known.id)
        is_gone = HEADS + branch not in self.project.refs
        return Back(known.id, branch, known.landings[move.into].result, is_gone)

    def _landed(self, move: Move) -> Iterator[FeatureState]:
        for id in move.landings:
            known = self.state.feature(id)
            if is_of(move, known.landings.get(move.into)) and known.work is not None:
                yield known

    # -- whether it is possible -----------------------------------------------------------------

    async def _examined(self, move: Move, report: UndoReport) -> UndoReport:
        """The report with the reason why the merge can't be undone, if there is one."""
        if move.undone_at is not None:
            return replace(report, reason=N_("it was undone before"))
        commit = self.project.refs.get(HEADS + move.into, "")
        if not await self._is_there(move):
            return replace(
                report,
                reason=N_("{into} no longer contains what it landed").format(into=move.into),
                next=f"git log {shlex.quote(move.into)}" if commit else "git branch",
            )
        reason = await self._moved_on(move, commit) or await self._published(move)
        reason = reason or await self._missing(report)
        if reason:
            return replace(report, reason=reason, revert=await self._revert(move))
        try:
            await WayBack(self.git, move.into, move.tip).check()
        except UserError as error:
            return replace(report, reason=error.message, next=error.hint)
        return report

    async def _moved_on(self, move: Move, commit: str) -> str:
        if commit != move.tip:
            return N_("{into} has moved since").format(into=move.into)
        if not move.moved_from:
            return N_("an older version did not record where {into} was before").format(
                into=move.into
            )
        if not await self.git.is_ancestor(move.moved_from, move.tip):
            return N_("{commit}, where {into} was before, is no ancestor of it").format(
                commit=move.moved_from[:10], into=move.into
            )
        return ""

    async def _published(self, move: Move) -> str:
        """Why the commits are no longer the user's alone; empty if they are."""
        landed = [commit for commit, _ in await self._commits(move)]
        results = {landing.result for landing in move.landings.values()}
        for commit in reversed(landed):
            # A feature's own commit may be on the remote as its branch.
            if not any([await self.git.is_ancestor(commit, result) for result in results]):
                break
        else:
            commit = move.tip
        remotes = await history.published(self.git, commit)
        if remotes:
            return N_("it was pushed: {remotes} contains it").format(remotes=some(remotes))
        return ""

    async def _missing(self, report: UndoReport) -> str:
        """Why a feature could not land again; empty if each of them could."""
        for each in report.features:
            work = self.state.feature(each.id).work
            kept = {
                commit
                for ref, commit in self.project.refs.items()
                if ref.startswith(f"{RESULTS}{each.id}/")
            }
            if work is None or work.commit not in kept or not await self.git.commit_of(each.result):
                return N_("the result of {id} no longer exists").format(id=each.id)
        return ""

    async def _commits(self, move: Move) -> list[tuple[str, bool]]:
        """What the merge put on the branch, newest first, each with whether it is a merge."""
        return await history.first_parents(self.git, move.tip, move.moved_from)

    async def _revert(self, move: Move) -> str:
        """The command that reverts the landing by new commits; empty if it is not known."""
        landings = list(move.landings.values())
        if not move.moved_from:
            first = landings[0]
            if first.strategy is Strategy.REBASE:
                return ""  # how many commits it has is not recorded
            move = replace(move, moved_from=await self.git.commit_of(f"{first.commit}^"))
        commits = await self._commits(move)
        where = await self._place(move.into)
        return " && ".join(where + _reverts(commits, move))

    async def _place(self, into: str) -> list[str]:
        """The command that goes to where the branch is checked out."""
        for entry in await checkouts.worktrees(self.git):
            if entry.branch == into:
                here = os.path.realpath(entry.path) == os.path.realpath(os.getcwd())
                return [] if here else [f"cd {shlex.quote(entry.path)}"]
        return [f"git switch {shlex.quote(into)}"]


def _report(move: Move) -> UndoReport:
    return UndoReport(move.merge, move.into, move.tip, move.moved_from)


def _reverts(commits: list[tuple[str, bool]], move: Move) -> list[str]:
    """``git revert`` of commits, newest first: those of merges name the side that stays."""
    if commits and not any(is_merge for _, is_merge in commits):
        return [f"git revert --no-edit {move.moved_from[:12]}..{move.tip[:12]}"]
    lines: list[list[str]] = []
    last = None
    for commit, is_merge in commits:
        if is_merge is not last:
            lines.append(["git revert --no-edit", *(["-m 1"] if is_merge else [])])
        lines[-1].append(commit[:12])
        last = is_merge
    return [" ".join(line) for line in lines]
