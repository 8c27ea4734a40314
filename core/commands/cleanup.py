"""``cleanup``: removes worktrees and branches whose work is safe elsewhere, and says why not."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from .. import events
from ..errors import ExitCode, UserError
from ..git import WorktreeEntry
from ..journal import Holder
from ..model import Status
from ..process.spawner import drive
from ..reporter import local_time, style_of
from ..state import FeatureState, RunState
from ..text import Style, counted, one_line
from .workplace import HEADS, Workplace, add_common_options, merged_how, open_workplace

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
        "Remove worktrees and branches that a run made. Work that is nowhere else is kept, "
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
        if not arguments.dry_run:
            place.journal.open()
        done = drive(Cleanup(arguments, place).run())
    finally:
        place.lock.release()
    if arguments.json:
        print(json.dumps([vars(removal) for removal in done], indent=2))
    else:
        _show(done, arguments, style_of(sys.stdout, arguments.color))
    return ExitCode.INCOMPLETE if any(removal.kept for removal in done) else ExitCode.UP_TO_DATE


@dataclass
class Removal:
    """What was done about one feature; ``kept`` says why it is still there."""

    id: str
    branch: str
    worktree: str = ""
    removed: bool = False
    merged: str = ""
    kept: str = ""
    kept_ref: str = ""
    bring_back: str = ""
    files: list[str] = field(default_factory=list)


class Cleanup:
    """One ``cleanup``, under the lock."""

    def __init__(self, arguments: argparse.Namespace, place: Workplace) -> None:
        self.arguments = arguments
        self.place = place
        self.worktrees = place.worktrees
        self.state: RunState = place.state()
        self.into = arguments.into or place.config.project.base_branch
        # A discarded feature may be discarded again, after another run of the same second.
        self.stamp = time.strftime("cleanup-%Y%m%dT%H%M%S")

    async def run(self) -> list[Removal]:
        """Go through the features that were asked for."""
        target = self.place.refs.get(HEADS + self.into) or await self.place.git.commit_of(self.into)
        if not target:
            raise UserError(f"the branch {self.into!r} does not exist", hint="mend --into")
        return [
            removal
            for id in self._wanted()
            if (removal := await self._clean(self.state.feature(id), target)) is not None
        ]

    def _wanted(self) -> list[str]:
        ours = [id for id, known in self.state.features.items() if known.start_commit]
        unknown = [id for id in self.arguments.ids if id not in ours]
        if unknown:
            raise UserError(
                f"no run of ours made a branch for {unknown[0]!r}",
                hint="rorchestrator status lists the features",
            )
        return self.arguments.ids or ours

    async def _clean(self, known: FeatureState, target: str) -> Removal | None:
        """Remove one feature's worktree and branch; ``None`` where it was not meant."""
        branch = known.branch
        tip = self.place.refs.get(HEADS + branch, "")
        entry = await self.worktrees.entry(known.id)
        if not tip and entry is None:
            return None
        merged = await self._merged(known, tip, target)
        if self.arguments.merged and not (merged and known.status is Status.COMPLETED):
            return None
        removal = Removal(known.id, branch, entry.path if entry else "", merged=merged)
        removal.files, obstacle = await self._obstacle(known, entry, tip, merged, target)
        if obstacle:
            removal.kept = obstacle
        elif not self.arguments.dry_run:
            await self._remove(known, removal, tip, discard=self._is_discard(removal, tip))
        return removal

    def _is_discard(self, removal: Removal, tip: str) -> bool:
        return bool(removal.files) or bool(tip and not removal.merged)

    async def _merged(self, known: FeatureState, tip: str, target: str) -> str:
        """How the target holds the branch; empty where it does not."""
        if not tip:
            return "no branch"
        if tip == target or tip == known.start_commit == known.base_commit:
            return "no commits of its own"
        if known.work is not None and known.work.commit == tip:
            return await merged_how(self.place, known, target, self.into)
        return await self.worktrees.merged(tip, target)

    async def _obstacle(
        self, known: FeatureState, entry: WorktreeEntry | None, tip: str, merged: str, target: str
    ) -> tuple[list[str], str]:
        """The files that no commit holds, and why the feature has to be kept."""
        files: list[str] = []
        nested: list[str] = []
        if entry is not None and entry.locked is not None:
            why = f" ({one_line(entry.locked)})" if entry.locked else ""
            return [], f"the worktree is locked{why}; git worktree unlock {entry.path}"
        if entry is not None and os.path.isdir(entry.path):
            files, nested = await self.worktrees.unsaved(entry.path)
        if nested:
            return files, f"it holds what no commit can: {', '.join(nested)}"
        if self.arguments.discard:
            return files, ""
        if files:
            return files, f"{counted(len(files), 'file')} not committed: {_some(files)}"
        if not merged:
            count = await self.place.git.count_commits(tip, target)
            return [], f"{counted(count, 'commit')} not in {self.into}"
        return [], ""

    async def _remove(
        self, known: FeatureState, removal: Removal, tip: str, *, discard: bool
    ) -> None:
        if discard:
            kept = await self.worktrees.keep(
                known.id, self.stamp, removal.worktree, known.start_commit
            )
            removal.kept_ref = kept.ref
            removal.bring_back = f"git branch {removal.branch} {kept.ref}" if kept.ref else ""
        removal.kept = await self.worktrees.remove(known.id, removal.worktree, tip)
        removal.removed = not removal.kept
        if removal.removed:
            self.place.journal.append(
                events.cleaned(
                    time.time(),
                    known.id,
                    merged_into="" if discard else self.into,
                    kept_ref=removal.kept_ref,
                    discarded=discard or known.status is not Status.COMPLETED,
                    detail=removal.merged,
                )
            )


def _some(files: list[str]) -> str:
    more = len(files) - SHOWN_FILES
    shown = one_line(", ".join(files[:SHOWN_FILES]))
    return f"{shown} and {more} more" if more > 0 else shown


def _show(done: list[Removal], arguments: argparse.Namespace, style: Style) -> None:
    if not done and not arguments.quiet:
        print("Nothing to clean up.")
    for line in _lines(done, arguments, style):
        print(line)


def _lines(done: list[Removal], arguments: argparse.Namespace, style: Style) -> Iterator[str]:
    for removal in done:
        name = f"{removal.id} ({removal.branch})"
        if removal.kept:
            yield style.paint(f"kept {name}: {removal.kept}", "yellow")
            if not removal.kept.startswith("the worktree is locked"):
                yield f"    to remove it all the same: rorchestrator cleanup {removal.id} --discard"
        elif not arguments.quiet:
            verb = "removed" if removal.removed else "would remove"
            why = f": {removal.merged}" if removal.merged else ""
            yield style.paint(f"{verb} {name}{why}", "green")
            if arguments.verbose and removal.worktree:
                yield f"    worktree {removal.worktree}"
        if removal.bring_back:
            yield f"    to bring it back: {removal.bring_back}"
