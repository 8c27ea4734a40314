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

from ..git import checkouts, history
from ..git.output import WorktreeEntry
from ..git.refs import RESOLUTIONS
from ..journal.lock import Holder
from ..model import events
from ..model.errors import ExitCode, StateError, UserError
from ..model.excerpt import some
from ..model.outcome import Status
from ..model.state import FeatureState, RunState
from ..model.terminal_text import one_line
from ..model.words import counted
from ..process.spawner import drive
from ..project.agreement import check_agreed, commands_of_cleanup
from ..project.workplace import (
    HEADS,
    Workplace,
    add_common_options,
    branch_name,
    check_known,
    held_now,
    landed,
    made_by_us,
    open_workplace,
    stray_lines,
    strays_of,
)
from ..reporter.console import style_of
from ..reporter.documents import local_time
from ..reporter.style import Style
from ..worktree import keeping
from ..worktree.manager import WorktreeManager

EXAMPLES = """\
examples:
  rorchestrator cleanup --merged
  rorchestrator cleanup --all --dry-run
  rorchestrator cleanup auth --discard
"""


REPAIR = "if it was moved: git worktree repair <the new place>"


def configure(parser: argparse.ArgumentParser) -> None:
    """Tell argparse of the command's options."""
    parser.description = (
        "Remove worktrees and branches that a run made. Work that exists nowhere else is kept,\n"
        "unless --discard is given; even then its tip stays under refs/rorchestrator/kept/."
    )
    parser.epilog = EXAMPLES
    parser.add_argument("ids", nargs="*", metavar="ID", help="the features to clean up")
    parser.add_argument(
        "--merged", action="store_true", help="all features that are merged into the base branch"
    )
    parser.add_argument("--all", action="store_true", help="all features of the list")
    parser.add_argument(
        "--all-lists",
        action="store_true",
        help="include the features of the repository's other lists",
    )
    parser.add_argument("--into", metavar="BRANCH", help="look for merged work in this branch")
    parser.add_argument(
        "--discard", action="store_true", help="also remove work that exists nowhere else"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be removed, and remove nothing"
    )
    parser.add_argument(
        "-y", "--yes", action="store_true", help="consent to the list's teardown without asking"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Clean up; exit 1 when something that was asked for was kept."""
    if sum((bool(arguments.ids), arguments.merged, arguments.all)) != 1:
        raise UserError(
            "cleanup needs ids, --merged or --all, and only one of them",
            hint="rorchestrator cleanup --merged",
        )
    place = open_workplace(arguments)
    if not arguments.dry_run:
        commands = commands_of_cleanup(place.config)
        check_agreed(arguments, place, commands, lambda: _would_tear_down(arguments, place))
    # Looking needs no lock: it writes nothing, and a run may be at work.
    clean_up = _look if arguments.dry_run else _clean_up
    done = clean_up(arguments, place)
    if arguments.json:
        print(json.dumps([vars(removal) for removal in done], indent=2))
    else:
        _show(done, arguments, style_of(sys.stdout, arguments.color))
    if not arguments.quiet:
        for line in stray_lines(strays_of(place, place.state()), place.git):
            print(one_line(line), file=sys.stderr if arguments.json else sys.stdout)
    return ExitCode.INCOMPLETE if any(removal.kept for removal in done) else ExitCode.UP_TO_DATE


def _look(arguments: argparse.Namespace, place: Workplace) -> list[Removal]:
    return drive(Cleanup(arguments, place).run())


def _would_tear_down(arguments: argparse.Namespace, place: Workplace) -> bool:
    """Whether a worktree would go."""
    looking = argparse.Namespace(**{**vars(arguments), "dry_run": True})
    return any(not each.kept and os.path.isdir(each.worktree) for each in _look(looking, place))


def _clean_up(arguments: argparse.Namespace, place: Workplace) -> list[Removal]:
    place.lock.acquire(Holder(os.getpid(), str(local_time(time.time())), "cleanup"))
    try:
        repaired = place.journal.open()
        try:
            if repaired:
                print(one_line(repaired), file=sys.stderr)
            return drive(Cleanup(arguments, place.acting()).run())
        finally:
            place.journal.close()
    finally:
        place.lock.release()


@dataclass
class Removal:
    """What was done about one feature; ``kept`` says why it is still there."""

    id: str
    branch: str
    worktree: str = ""
    removed: bool = False
    merged: str = ""
    """How the target holds the feature's result and its branch; empty where it does not."""
    safe: str = ""
    """Why the branch holds nothing to lose, though that is no merge of the result."""
    lost: list[str] = field(default_factory=list)
    """What is nowhere else, in words."""
    files: list[str] = field(default_factory=list)
    """What no commit holds."""
    kept: str = ""
    next: str = ""
    """The command to type, or the step to take, where it was kept."""
    kept_ref: str = ""
    bring_back: str = ""
    aside: str = ""
    """The folder that has the files that look secret, which no ref holds."""


class Cleanup:
    """One ``cleanup``, under the lock unless it only looks."""

    def __init__(self, arguments: argparse.Namespace, place: Workplace) -> None:
        self.arguments = arguments
        self.place = place
        self.git = place.git
        self.whole: RunState = place.whole_state()
        self.state = self.whole if arguments.all_lists else place.seen(self.whole)
        self.owners = place.owners(self.whole)
        base = place.config.project.base_branch
        self.into: str = branch_name(arguments.into or base, place.refs)
        self.stays = {self.into, base}
        self.target = ""
        self.is_held = True
        # A discarded feature may be discarded again, after another run of the same second.
        self.stamp = time.strftime("cleanup-%Y%m%dT%H%M%S")

    async def run(self) -> list[Removal]:
        """Go through the features that were asked for."""
        self.target = self.place.refs.get(HEADS + self.into) or await self.git.commit_of(self.into)
        if not self.target:
            raise UserError(f"the branch {self.into!r} does not exist", hint="mend --into")
        wanted = self._wanted()
        self.is_held = await self._is_held(wanted)
        removals = [await self._clean(known) for known in wanted]
        return [removal for removal in removals if removal is not None]

    def _wanted(self) -> list[FeatureState]:
        known_here = {**self.place.dag.features, **self.state.features}
        for id in self.arguments.ids:
            if id not in self.state.features and id in self.whole.features:
                raise UserError(
                    f"{id} is of another list: {self.whole.features[id].owner}",
                    hint=f"rorchestrator cleanup {id} --all-lists",
                )
        check_known("", self.arguments.ids, known_here)
        asked = dict.fromkeys(self.arguments.ids or self.state.features)
        known = (self.state.feature(id) for id in asked)
        return [feature for feature in known if made_by_us(feature, feature.branch)]

    async def _is_held(self, wanted: Iterable[FeatureState]) -> bool:
        """Whether something holds the target that does not go in this very call."""
        if HEADS + self.into in self.place.refs:
            return True  # A branch: it stays, whatever else was asked for.
        going = {HEADS + known.branch for known in wanted if known.branch not in self.stays}
        refs = await self.git.refs(HEADS, "refs/tags/", "refs/remotes/")
        staying = (commit for ref, commit in refs.items() if ref not in going)
        return await self._holds(self.target, staying)

    async def _clean(self, known: FeatureState) -> Removal | None:
        """Remove one feature's worktree and branch; ``None`` where it was not meant."""
        removal = Removal(known.id, known.branch)
        try:
            return removal if await self._settle(removal, known) else None
        except StateError:
            raise
        except UserError as error:
            # The others may go all the same.
            removal.kept, removal.next = error.message, error.hint
            return removal

    async def _settle(self, removal: Removal, known: FeatureState) -> bool:
        """Remove it, or tell why it is kept; whether it was meant at all."""
        # Where it was made, whatever the list says of prefix and folder by now.
        worktrees = self.place.worktrees.as_made(known.id, known.worktree, known.branch)
        tip = self.place.refs.get(HEADS + known.branch, "")
        entry = await worktrees.entry(known.id)
        removal.worktree = entry.path if entry else ""
        if not tip and entry is None:
            return False
        if known.branch not in self.stays:
            removal.merged, removal.safe = await self._proof(worktrees, known, tip)
        if self.arguments.merged and not (removal.merged and known.status is Status.COMPLETED):
            return False
        await self._decide(worktrees, removal, entry, known, tip)
        if not (removal.kept or self.arguments.dry_run):
            await self._remove(worktrees, known, removal, tip)
        return True

    async def _proof(
        self, worktrees: WorktreeManager, known: FeatureState, tip: str
    ) -> tuple[str, str]:
        """How the target holds the result and the branch; why the branch has nothing to lose.

        A branch that was deleted, or set back to its start, is no merge: the result is looked
        for as well. What was done on top of it, or instead of it, is on the branch.
        """
        result = await self.git.commit_of(known.work.commit) if known.work else ""
        whole = await self._merged(worktrees, known, result)
        if not tip:
            return whole, "no branch"
        if tip == known.start_commit:
            return whole, "no commits of its own"
        how = whole if tip == result else await self._merged(worktrees, known, tip)
        if not (how and result):
            return "", how
        # What is on top of the result may have been squashed with it, or have undone it.
        undone = how == "empty difference"
        if whole or (not undone and await self._holds(result, [tip])):
            return how, ""
        held = await held_now(self.place, known, self.target)
        if not undone and held.tip:
            return how, ""  # The user made that of it.
        return "", f"{how}, but its result {result[:10]} is not in {self.into}"

    async def _merged(self, worktrees: WorktreeManager, known: FeatureState, commit: str) -> str:
        """How the target holds a feature's commit; empty where it does not."""
        if not (commit and self.is_held):
            return ""
        if commit == self.target:
            return "same commit"
        how = await landed(self.git, known, commit, self.target, self.into)
        return how or await worktrees.merged(commit, self.target)

    async def _decide(
        self,
        worktrees: WorktreeManager,
        removal: Removal,
        entry: WorktreeEntry | None,
        known: FeatureState,
        tip: str,
    ) -> None:
        """Find what would be lost, and whether anything forbids the removal."""
        self._check_use(removal, known)
        if not removal.kept:
            await self._check_places(removal, entry)
        if entry is not None and os.path.isdir(entry.path) and not removal.kept:
            removal.files, nested = await keeping.unsaved(
                worktrees, entry.path, known.made_before_work, known.start_commit, known.left
            )
            if nested:
                removal.kept = f"it holds what no commit can: {some(nested)}"
                removal.next = f"commit and push it there: cd {shlex.quote(entry.path)}"
                try:
                    keeping.check_open(worktrees, entry.path, nested)
                except UserError as error:
                    removal.kept, removal.next = error.message, error.hint
        removal.lost = [loss async for loss in self._losses(removal, entry, tip)]
        if removal.lost and not removal.kept and not self.arguments.discard:
            removal.kept = "; ".join(removal.lost)
            removal.next = _next(removal, known)

    def _check_use(self, removal: Removal, known: FeatureState) -> None:
        """Keep what others rest on, or somebody stands in."""
        holder = (
            self.place.lock.holder() if known.status.active and self.arguments.dry_run else None
        )
        if removal.branch in self.stays:
            removal.kept = f"{removal.branch} is the branch that merged work is looked for in"
            removal.next = "name another one: --into BRANCH"
            if removal.branch == self.place.config.project.base_branch:
                removal.kept = f"{removal.branch} is the base branch"
                removal.next = "change project.base_branch first"
        elif holder is not None:
            removal.kept = f"rorchestrator {holder.command} is at work on it (pid {holder.pid})"
            removal.next = "wait for it"
        elif removal.worktree and holds_current_folder(removal.worktree):
            removal.kept = f"the current folder is in its worktree {removal.worktree}"
            removal.next = f"cd {shlex.quote(os.path.dirname(self.git.repository.common_dir))}"

    async def _check_places(self, removal: Removal, entry: WorktreeEntry | None) -> None:
        """Keep what is locked, and a branch that somebody uses elsewhere."""
        if entry is not None and entry.locked is not None:
            why = f" ({entry.locked})" if entry.locked else ""
            removal.kept = f"the worktree is locked{why}"
            removal.next = f"git worktree unlock {shlex.quote(entry.path)}"
            return
        for other in await checkouts.worktrees(self.git):
            if other.branch == removal.branch and other.path != removal.worktree:
                removal.kept = f"{removal.branch} is checked out in {other.path}"
                removal.next = f"git -C {shlex.quote(other.path)} switch --detach"
                if not os.path.isdir(other.path):
                    removal.kept += ", which is gone"
                    removal.next = f"{REPAIR}; if it was deleted: git worktree prune"

    async def _losses(
        self, removal: Removal, entry: WorktreeEntry | None, tip: str
    ) -> AsyncIterator[str]:
        if removal.files:
            files = counted(len(removal.files), "file")
            yield f"{files} not committed: {some(removal.files)}"
        if not (removal.merged or removal.safe):
            if self.is_held:
                commits = counted(await history.count_commits(self.git, tip, self.target), "commit")
                yield f"{commits} not in {self.into}"
            else:
                yield f"{self.into} proves nothing: only branches that would go as well hold it"
        if entry is None:
            return
        if not os.path.isdir(entry.path):
            yield (
                f"git's entry for the worktree points to {entry.path}, which is gone: if it was "
                "moved by hand, it may hold files that no commit has, and git can't tell"
            )
        if entry.branch == removal.branch:
            return
        if entry.branch:
            yield f"the worktree is on the branch {entry.branch}"
        elif not await self._holds(entry.commit, (tip, self.target)):
            yield f"the worktree is at {entry.commit[:10]}, on no branch"

    async def _holds(self, commit: str, others: Iterable[str]) -> bool:
        for other in filter(None, others):
            if await self.git.is_ancestor(commit, other):
                return True
        return False

    async def _remove(
        self, worktrees: WorktreeManager, known: FeatureState, removal: Removal, tip: str
    ) -> None:
        if removal.lost:
            kept = await keeping.keep(
                worktrees,
                known.id,
                self.stamp,
                removal.worktree,
                known.start_commit,
                known.made_before_work,
                known.left,
            )
            removal.kept_ref, removal.aside = kept.ref, kept.aside
            if kept.ref:
                # Never the worktree that goes, though the list may be in it.
                where = shlex.quote(self.git.repository.common_dir)
                name = shlex.quote(removal.branch)
                removal.bring_back = f"git -C {where} branch {name} {kept.ref}"
        removal.kept = self._tear_down(worktrees, known, removal)
        if not removal.kept:
            try:
                removal.kept = await worktrees.remove(known.id, removal.worktree, tip)
            except UserError as error:
                removal.kept, removal.next = error.message, error.hint
        removal.removed = not removal.kept
        if removal.removed:
            await self._forget_resolutions(known.id)
            completed = known.status is Status.COMPLETED
            merged = bool(removal.merged) and completed
            self.place.journal.append(
                events.cleaned(
                    time.time(),
                    known.id,
                    merged_into=self.into if merged else "",
                    kept_ref=removal.kept_ref,
                    discarded=not merged and (bool(removal.lost) or not completed),
                    detail=_said(removal),
                )
            )

    async def _forget_resolutions(self, id: str) -> None:
        """Nothing of the feature is left to land, or to resolve."""
        for ref, commit in self.place.refs.items():
            if ref.startswith(f"{RESOLUTIONS}{id}/"):
                await self.git.delete_ref(ref, commit)

    def _tear_down(self, worktrees: WorktreeManager, known: FeatureState, removal: Removal) -> str:
        """Run the list's teardown in a worktree; why it has to stay, if it has."""
        project = self.place.config.project
        if not (project.teardown and os.path.isdir(removal.worktree)):
            return ""
        if known.owner not in self.owners:
            return ""  # What this list starts, and so ends, is not what another one does.
        from ..runner.teardown import tear_down

        log = os.path.join(self.place.journal.folder, "logs", self.stamp)
        said = tear_down(
            self.place.config, worktrees, known.id, removal.worktree, run=self.stamp, logs=log
        )
        if not said or self.arguments.discard:
            return ""
        removal.next = f"see {log}, or: rorchestrator cleanup {known.id} --discard"
        return said


def holds_current_folder(path: str) -> bool:
    """Whether somebody would stand nowhere if ``path`` was removed."""
    try:
        here = os.path.realpath(os.getcwd())
    except FileNotFoundError:
        return False
    top = os.path.realpath(path)
    return os.path.commonpath((here, top)) == top


def _next(removal: Removal, known: FeatureState) -> str:
    discard = f"rorchestrator cleanup {removal.id} --discard"
    if not removal.worktree or os.path.isdir(removal.worktree):
        if known.status is Status.COMPLETED and not (removal.files or removal.safe):
            return f"rorchestrator merge {removal.id}, or: {discard}"
        return discard
    # What else would be lost is not for a prune to take.
    deleted = "git worktree prune, or: " if len(removal.lost) == 1 else ""
    return f"{REPAIR}; if it was deleted: {deleted}{discard}"


def _said(removal: Removal) -> str:
    return "; ".join(filter(None, (removal.merged, removal.safe)))


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
            why = [_said(removal), *(f"discarding {loss}" for loss in removal.lost)]
            said = "; ".join(filter(None, why))
            yield style.paint(one_line(f"{verb} {name}: {said}"), "green")
            if arguments.verbose and removal.worktree:
                yield f"    worktree {one_line(removal.worktree)}"
        if removal.aside:
            yield f"    put aside, as it looks secret: {one_line(removal.aside)}"
        if removal.bring_back:
            yield f"    to bring it back: {one_line(removal.bring_back)}"
