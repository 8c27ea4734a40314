"""``cleanup``: removes worktrees and branches whose work is safe elsewhere, and says why not."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field

from .. import events
from ..errors import ExitCode, StateError, UserError
from ..git import WorktreeEntry
from ..journal import Holder
from ..model import Status
from ..process.spawner import drive
from ..reporter import local_time, style_of
from ..state import FeatureState, RunState
from ..text import Style, counted, one_line
from ..worktree import WorktreeManager
from .workplace import HEADS, Workplace, add_common_options, check_known, made_by_us, open_workplace

EXAMPLES = """\
examples:
  rorchestrator cleanup --merged
  rorchestrator cleanup --all --dry-run
  rorchestrator cleanup auth --discard
"""

SHOWN_FILES = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Tell argparse of the command's options."""
    parser.description = (
        "Remove worktrees and branches that a run made. Work that is nowhere else is kept,\n"
        "unless --discard is given; its tip stays under refs/rorchestrator/kept/ even then."
    )
    parser.epilog = EXAMPLES
    parser.add_argument("ids", nargs="*", metavar="ID", help="these features")
    parser.add_argument(
        "--merged", action="store_true", help="the features whose work is in the base branch"
    )
    parser.add_argument("--all", action="store_true", help="every feature that a run made")
    parser.add_argument("--into", metavar="BRANCH", help="look for the work in this branch")
    parser.add_argument("--discard", action="store_true", help="remove unmerged work as well")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--json", action="store_true", help="what was done, as JSON")
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Clean up; exit 1 when something that was asked for was kept."""
    if sum((bool(arguments.ids), arguments.merged, arguments.all)) != 1:
        raise UserError(
            "cleanup needs ids, --merged or --all, and only one of them",
            hint="rorchestrator cleanup --merged",
        )
    place = open_workplace(arguments)
    place.lock.acquire(Holder(os.getpid(), str(local_time(time.time())), "cleanup"))
    try:
        done = _clean_up(arguments, place)
    finally:
        place.lock.release()
    if arguments.json:
        print(json.dumps([vars(removal) for removal in done], indent=2))
    else:
        _show(done, arguments, style_of(sys.stdout, arguments.color))
    return ExitCode.INCOMPLETE if any(removal.kept for removal in done) else ExitCode.UP_TO_DATE


def _clean_up(arguments: argparse.Namespace, place: Workplace) -> list[Removal]:
    if arguments.dry_run:
        return drive(Cleanup(arguments, place).run())
    repaired = place.journal.open()
    try:
        if repaired:
            print(one_line(repaired), file=sys.stderr)
        return drive(Cleanup(arguments, place).run())
    finally:
        place.journal.close()


@dataclass
class Removal:
    """What was done about one feature; ``kept`` says why it is still there."""

    id: str
    branch: str
    worktree: str = ""
    removed: bool = False
    merged: str = ""
    """How the target holds the branch; empty where it does not."""
    lost: list[str] = field(default_factory=list)
    """What is nowhere else, in words."""
    files: list[str] = field(default_factory=list)
    """What no commit holds."""
    kept: str = ""
    next: str = ""
    """The command to type, or the step to take, where it was kept."""
    kept_ref: str = ""
    bring_back: str = ""


class Cleanup:
    """One ``cleanup``, under the lock."""

    def __init__(self, arguments: argparse.Namespace, place: Workplace) -> None:
        self.arguments = arguments
        self.place = place
        self.git = place.git
        self.state: RunState = place.state()
        self.into: str = arguments.into or place.config.project.base_branch
        # A discarded feature may be discarded again, after another run of the same second.
        self.stamp = time.strftime("cleanup-%Y%m%dT%H%M%S")

    async def run(self) -> list[Removal]:
        """Go through the features that were asked for."""
        target = self.place.refs.get(HEADS + self.into) or await self.git.commit_of(self.into)
        if not target:
            raise UserError(f"the branch {self.into!r} does not exist", hint="mend --into")
        return [
            removal
            for id in self._wanted()
            if (removal := await self._clean(self.state.feature(id), target)) is not None
        ]

    def _wanted(self) -> list[str]:
        check_known("", self.arguments.ids, {**self.place.dag.features, **self.state.features})
        return list(dict.fromkeys(self.arguments.ids or self.state.features))

    async def _clean(self, known: FeatureState, target: str) -> Removal | None:
        """Remove one feature's worktree and branch; ``None`` where it was not meant."""
        branch = known.branch
        if not made_by_us(known, branch):
            return None
        # Where it was made, whatever the list says of prefix and folder by now.
        prefix = branch[: len(branch) - len(known.id)]
        worktrees = WorktreeManager(self.git, os.path.dirname(known.worktree), prefix)
        tip = self.place.refs.get(HEADS + branch, "")
        entry = await worktrees.entry(known.id)
        if not tip and entry is None:
            return None
        merged = await self._merged(worktrees, known, tip, target)
        if self.arguments.merged and not (merged and known.status is Status.COMPLETED):
            return None
        removal = Removal(known.id, branch, entry.path if entry else "", merged=merged)
        try:
            await self._decide(worktrees, removal, entry, tip, target)
            if not (removal.kept or self.arguments.dry_run):
                await self._remove(worktrees, known, removal, tip)
        except StateError:
            raise
        except UserError as error:
            # The others may go all the same.
            removal.kept, removal.next = error.message, error.hint
        return removal

    async def _merged(
        self, worktrees: WorktreeManager, known: FeatureState, tip: str, target: str
    ) -> str:
        """How the target holds the branch; empty where it does not."""
        if not tip:
            return "no branch"
        if tip == known.start_commit:
            return "no commits of its own"
        if tip == target:
            return "same commit"
        return await worktrees.merged(tip, target)

    async def _decide(
        self,
        worktrees: WorktreeManager,
        removal: Removal,
        entry: WorktreeEntry | None,
        tip: str,
        target: str,
    ) -> None:
        """Find what would be lost, and whether anything forbids the removal."""
        await self._check_places(removal, entry)
        if entry is not None and os.path.isdir(entry.path) and not removal.kept:
            removal.files, nested = await worktrees.unsaved(entry.path)
            if nested:
                removal.kept = f"it holds what no commit can: {', '.join(nested)}"
                removal.next = f"commit and push it there: cd {shlex.quote(entry.path)}"
        removal.lost = [loss async for loss in self._losses(removal, entry, tip, target)]
        if removal.lost and not removal.kept and not self.arguments.discard:
            removal.kept = "; ".join(removal.lost)
            removal.next = f"rorchestrator cleanup {removal.id} --discard"

    async def _check_places(self, removal: Removal, entry: WorktreeEntry | None) -> None:
        """Keep what is locked, and a branch that somebody uses elsewhere."""
        if entry is not None and entry.locked is not None:
            why = f" ({entry.locked})" if entry.locked else ""
            removal.kept = f"the worktree is locked{why}"
            removal.next = f"git worktree unlock {shlex.quote(entry.path)}"
            return
        for other in await self.git.worktrees():
            if other.branch == removal.branch and other.path != removal.worktree:
                removal.kept = f"{removal.branch} is checked out in {other.path}"
                removal.next = f"git -C {shlex.quote(other.path)} switch --detach"

    async def _losses(
        self, removal: Removal, entry: WorktreeEntry | None, tip: str, target: str
    ) -> AsyncIterator[str]:
        if removal.files:
            files = counted(len(removal.files), "file")
            yield f"{files} not committed: {_some(removal.files)}"
        if not removal.merged:
            commits = counted(await self.git.count_commits(tip, target), "commit")
            yield f"{commits} not in {self.into}"
        if entry is None or entry.branch == removal.branch:
            return
        if entry.branch:
            yield f"the worktree is on the branch {entry.branch}"
        elif not await self._holds(entry.commit, (tip, target)):
            yield f"the worktree is at {entry.commit[:10]}, on no branch"

    async def _holds(self, commit: str, others: Iterable[str]) -> bool:
        return any([await self.git.is_ancestor(commit, other) for other in others if other])

    async def _remove(
        self, worktrees: WorktreeManager, known: FeatureState, removal: Removal, tip: str
    ) -> None:
        if removal.lost:
            kept = await worktrees.keep(known.id, self.stamp, removal.worktree, known.start_commit)
            removal.kept_ref = kept.ref
            if kept.ref:
                top = shlex.quote(self.git.repository.top)
                name = shlex.quote(removal.branch)
                removal.bring_back = f"git -C {top} branch {name} {kept.ref}"
        removal.kept = await worktrees.remove(known.id, removal.worktree, tip)
        removal.removed = not removal.kept
        if removal.removed:
            self.place.journal.append(
                events.cleaned(
                    time.time(),
                    known.id,
                    merged_into="" if removal.lost else self.into,
                    kept_ref=removal.kept_ref,
                    discarded=bool(removal.lost) or known.status is not Status.COMPLETED,
                    detail=removal.merged,
                )
            )


def _some(files: list[str]) -> str:
    more = len(files) - SHOWN_FILES
    shown = ", ".join(files[:SHOWN_FILES])
    return f"{shown} and {more} more" if more > 0 else shown


def _show(done: list[Removal], arguments: argparse.Namespace, style: Style) -> None:
    if not done and not arguments.quiet:
        print("Nothing to clean up.")
    for line in _lines(done, arguments, style):
        print(line)


def _lines(done: list[Removal], arguments: argparse.Namespace, style: Style) -> Iterator[str]:
    for removal in done:
        name = one_line(f"{removal.id} ({removal.branch})")
        if removal.kept:
            yield style.paint(one_line(f"kept {name}: {removal.kept}"), "yellow")
            if removal.next:
                yield f"    next: {one_line(removal.next)}"
        elif not arguments.quiet:
            verb = "removed" if removal.removed else "would remove"
            why = [removal.merged, *(f"discarding {loss}" for loss in removal.lost)]
            said = "; ".join(filter(None, why))
            yield style.paint(one_line(f"{verb} {name}: {said}"), "green")
            if arguments.verbose and removal.worktree:
                yield f"    worktree {one_line(removal.worktree)}"
        if removal.bring_back:
            yield f"    to bring it back: {one_line(removal.bring_back)}"
