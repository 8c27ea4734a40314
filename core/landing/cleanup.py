"""Cleanup: removes worktrees and branches, unless work would be lost that is not merged."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from ..git import checkouts, history
from ..git.output import WorktreeEntry
from ..git.refs import HEADS, RESOLUTIONS, branch_name
from ..journal.recorder import Recorder
from ..model import events
from ..model.errors import StateError, UserError
from ..model.excerpt import some
from ..model.outcome import Status
from ..model.state import FeatureState, RunState
from ..model.translate import N_
from ..project.landed import content_now, how_landed
from ..project.obstructions import made_by_us
from ..project.open import OpenProject
from ..project.selection import check_known
from ..worktree import keeping
from ..worktree.manager import WorktreeManager
from ..worktree.merge_proof import how_merged

PRUNE = N_("if it was moved: git worktree repair <new path>; if it was deleted: git worktree prune")


@dataclass(frozen=True)
class CleanupOptions:
    """What to clean up: the features ``ids``, or all features of the list."""

    ids: tuple[str, ...] = ()
    into: str = ""
    """The branch that merges are checked against; else the base branch."""
    merged: bool = False
    """Only merged features."""
    discard: bool = False
    """Also remove work that exists nowhere else; a ref keeps it."""
    dry_run: bool = False
    all_lists: bool = False


@dataclass
class Removal:
    """Result of a cleanup for one feature; ``kept`` says why it was not removed."""

    id: str
    branch: str
    worktree: str = ""
    removed: bool = False
    merged: str = ""
    """How the feature's result and branch were merged into the target; else empty."""
    safe: str = ""
    """Why removing the branch loses nothing, although the result is not merged."""
    lost: list[str] = field(default_factory=list)
    """What exists nowhere else, in words."""
    files: list[str] = field(default_factory=list)
    """Uncommitted files."""
    kept: str = ""
    next: str = ""
    """The next command or step, if it was kept."""
    kept_ref: str = ""
    bring_back: str = ""
    aside: str = ""
    """The folder with files that look secret; they are not saved in a ref."""

    failed_teardown: bool = False
    """Whether it was kept because the teardown failed."""

    def to_json(self) -> dict[str, object]:
        """As ``cleanup --json`` prints it."""
        return {name: value for name, value in vars(self).items() if name != "failed_teardown"}

    @property
    def proof(self) -> str:
        """Why nothing is lost."""
        return "; ".join(filter(None, (self.merged, self.safe)))


class Cleanup:
    """One ``cleanup``; it needs the lock, except for a dry run."""

    def __init__(self, options: CleanupOptions, project: OpenProject) -> None:
        self.options = options
        self.project = project
        self.git = project.git
        self.whole: RunState = project.whole_state()
        self.state = self.whole if options.all_lists else project.seen(self.whole)
        self._record = Recorder(project.journal, self.whole).emit
        self.owners = project.owners(self.whole)
        base = project.config.project.base_branch
        self.into: str = branch_name(options.into or base, project.refs)
        self.protected = {self.into, base}
        self.target = ""
        self._listed: list[WorktreeEntry] | None = None
        self.target_stays = True
        # Distinguishes refs of a feature that is discarded several times.
        self.stamp = time.strftime("cleanup-%Y%m%dT%H%M%S")

    async def run(self) -> list[Removal]:
        """Clean up the requested features."""
        self.target = self.project.refs.get(HEADS + self.into) or await self.git.commit_of(
            self.into
        )
        if not self.target:
            raise UserError(
                N_("the branch {into!r} does not exist").format(into=self.into),
                hint=N_("correct --into"),
            )
        selected = self._selected()
        self.target_stays = await self._target_stays(selected)
        removals = [await self.clean(known) for known in selected]
        return [removal for removal in removals if removal is not None]

    def _selected(self) -> list[FeatureState]:
        known_here = {**self.project.dag.features, **self.state.features}
        for id in self.options.ids:
            if id not in self.state.features and id in self.whole.features:
                raise UserError(
                    N_("{id} belongs to another list: {owner}").format(
                        id=id, owner=self.whole.features[id].owner
                    ),
                    hint=f"rorchestrator cleanup {id} --all-lists",
                )
        check_known("", self.options.ids, known_here)
        asked = dict.fromkeys(self.options.ids or self.state.features)
        known = (self.state.feature(id) for id in asked)
        return [feature for feature in known if made_by_us(feature, feature.branch)]

    async def _target_stays(self, selected: Iterable[FeatureState]) -> bool:
        """Whether a ref that this call does not remove contains the target."""
        if HEADS + self.into in self.project.refs:
            return True
        going = {HEADS + known.branch for known in selected if known.branch not in self.protected}
        refs = await self.git.refs(HEADS, "refs/tags/", "refs/remotes/")
        staying = (commit for ref, commit in refs.items() if ref not in going)
        return await self._holds(self.target, staying)

    async def clean(self, known: FeatureState) -> Removal | None:
        """Remove one feature's worktree and branch; ``None`` if it was not requested."""
        removal = Removal(known.id, known.branch)
        try:
            return removal if await self._process(removal, known) else None
        except StateError:
            raise
        except UserError as error:
            # The other features can still be removed.
            removal.kept, removal.next = error.message, error.hint
            return removal

    async def _process(self, removal: Removal, known: FeatureState) -> bool:
        """Remove it, or record why it is kept; whether it was requested at all."""
        # Prefix and folder may have been changed in the list since.
        worktrees = self.project.worktrees.with_recorded_names(
            known.id, known.worktree, known.branch
        )
        tip = self.project.refs.get(HEADS + known.branch, "")
        entry = await worktrees.entry(known.id)
        removal.worktree = entry.path if entry else ""
        if not tip and entry is None:
            return False
        if known.branch not in self.protected:
            removal.merged, removal.safe = await self._proof(worktrees, known, tip)
        if self.options.merged and not (removal.merged and known.status is Status.COMPLETED):
            return False
        await self._find_losses(worktrees, removal, entry, known, tip)
        if not (removal.kept or self.options.dry_run):
            await self._remove(worktrees, known, removal, tip)
        return True

    async def _proof(
        self, worktrees: WorktreeManager, known: FeatureState, tip: str
    ) -> tuple[str, str]:
        """How result and branch were merged; why removing the branch loses nothing.

        A deleted or reset branch does not count as merged, so the result is searched for too.
        Later commits of the user are on the branch.
        """
        result = await self.git.commit_of(known.work.commit) if known.work else ""
        whole = await self._merged(worktrees, known, result)
        if not tip:
            return whole, N_("no branch")
        if tip == known.start_commit:
            return whole, N_("no commits of its own")
        how = whole if tip == result else await self._merged(worktrees, known, tip)
        if not (how and result):
            return "", how
        # Commits on top of the result may be squashed with it, or revert it.
        undone = how == "empty difference"
        if whole or (not undone and await self._holds(result, [tip])):
            return how, ""
        content = await content_now(self.project, known, self.target)
        if not undone and content.tip:
            return how, ""  # the user rewrote it
        return "", N_("{how}, but its result {result} is not in {into}").format(
            how=how, result=result[:10], into=self.into
        )

    async def _merged(self, worktrees: WorktreeManager, known: FeatureState, commit: str) -> str:
        """How a feature's commit was merged into the target; empty if it was not."""
        if not (commit and self.target_stays):
            return ""
        if commit == self.target:
            return N_("same commit")
        how = await how_landed(self.git, known, commit, self.target, self.into)
        return how or await how_merged(worktrees, commit, self.target)

    async def _find_losses(
        self,
        worktrees: WorktreeManager,
        removal: Removal,
        entry: WorktreeEntry | None,
        known: FeatureState,
        tip: str,
    ) -> None:
        """Find what a removal would lose, and what prevents it."""
        self._check_use(removal, known)
        if not removal.kept:
            await self._check_checkouts(removal, entry)
        if entry is not None and os.path.isdir(entry.path) and not removal.kept:
            removal.files, nested = await keeping.unsaved(
                worktrees, entry.path, known.made_before_work, known.start_commit, known.left
            )
            if nested:
                removal.kept = N_("it contains what git cannot commit: {nested}").format(
                    nested=some(nested)
                )
                removal.next = N_("commit and push it there: cd {path}").format(
                    path=shlex.quote(entry.path)
                )
                try:
                    keeping.check_readable(worktrees, entry.path, nested)
                except UserError as error:
                    removal.kept, removal.next = error.message, error.hint
        removal.lost = [loss async for loss in self._losses(removal, entry, tip)]
        if removal.lost and not removal.kept and not self.options.discard:
            removal.kept = "; ".join(removal.lost)
            removal.next = _next(removal, known)

    def _check_use(self, removal: Removal, known: FeatureState) -> None:
        """Keep protected branches and worktrees in use."""
        holder = (
            self.project.lock.holder() if known.status.active and self.options.dry_run else None
        )
        if removal.branch in self.protected:
            removal.kept = N_("{branch} is the branch merges are checked against").format(
                branch=removal.branch
            )
            removal.next = N_("name another one: --into BRANCH")
            if removal.branch == self.project.config.project.base_branch:
                removal.kept = N_("{branch} is the base branch").format(branch=removal.branch)
                removal.next = N_("change project.base_branch first")
        elif holder is not None:
            removal.kept = N_("rorchestrator {command} is using it (pid {pid})").format(
                command=holder.command, pid=holder.pid
            )
            removal.next = N_("wait until it has finished")
        elif removal.worktree and holds_current_folder(removal.worktree):
            removal.kept = N_("the current folder is in its worktree {worktree}").format(
                worktree=removal.worktree
            )
            removal.next = f"cd {shlex.quote(os.path.dirname(self.git.repository.common_dir))}"

    async def _check_checkouts(self, removal: Removal, entry: WorktreeEntry | None) -> None:
        """Keep locked worktrees and branches checked out elsewhere."""
        if entry is not None and entry.locked is not None:
            locked = N_("the worktree is locked")
            if entry.locked:
                locked = N_("the worktree is locked ({why})")
            removal.kept = locked.format(why=entry.locked)
            removal.next = f"git worktree unlock {shlex.quote(entry.path)}"
            return
        for other in await self._all_worktrees():
            if other.branch == removal.branch and other.path != removal.worktree:
                kept = N_("{branch} is checked out in {path}")
                removal.next = f"git -C {shlex.quote(other.path)} switch --detach"
                if not os.path.isdir(other.path):
                    kept = N_("{branch} is checked out in {path}, which no longer exists")
                    removal.next = PRUNE
                removal.kept = kept.format(branch=removal.branch, path=other.path)

    async def _losses(
        self, removal: Removal, entry: WorktreeEntry | None, tip: str
    ) -> AsyncIterator[str]:
        if removal.files:
            files = N_("{count} uncommitted files: {names}")
            if len(removal.files) == 1:
                files = N_("{count} uncommitted file: {names}")
            yield files.format(count=len(removal.files), names=some(removal.files))
        if not (removal.merged or removal.safe):
            if self.target_stays:
                count = await history.count_commits(self.git, tip, self.target)
                text = N_("{count} commit not in {into}")
                if count != 1:
                    text = N_("{count} commits not in {into}")
                yield text.format(count=count, into=self.into)
            else:
                yield N_("{into} proves nothing: only branches to be removed contain it").format(
                    into=self.into
                )
        if entry is None:
            return
        if not os.path.isdir(entry.path):
            yield (
                N_(
                    "git's entry for the worktree points to {path}, which no longer exists; if "
                    "it was moved by hand, it may contain uncommitted files"
                ).format(path=entry.path)
            )
        if entry.branch == removal.branch:
            return
        if entry.branch:
            yield N_("the worktree is on the branch {branch}").format(branch=entry.branch)
        elif not await self._holds(entry.commit, (tip, self.target)):
            yield N_("the worktree is at {commit}, not on a branch").format(
                commit=entry.commit[:10]
            )

    async def _all_worktrees(self) -> list[WorktreeEntry]:
        if self._listed is None:
            self._listed = await checkouts.worktrees(self.git)
        return self._listed

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
                # Not the worktree, which is removed.
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
            self._record(
                events.cleaned(
                    time.time(),
                    known.id,
                    merged_into=self.into if merged else "",
                    kept_ref=removal.kept_ref,
                    discarded=not merged and (bool(removal.lost) or not completed),
                    detail=removal.proof,
                )
            )

    async def _forget_resolutions(self, id: str) -> None:
        """Delete the refs with resolutions of the feature's conflicts."""
        for ref, commit in self.project.refs.items():
            if ref.startswith(f"{RESOLUTIONS}{id}/"):
                await self.git.delete_ref(ref, commit)

    def _tear_down(self, worktrees: WorktreeManager, known: FeatureState, removal: Removal) -> str:
        """Run the teardown in a worktree; why the worktree must stay, if so."""
        settings = self.project.config.project
        if not (settings.teardown and os.path.isdir(removal.worktree)):
            return ""
        if known.owner not in self.owners:
            return ""  # The worktree belongs to another list.
        from ..runner.teardown import tear_down

        log = os.path.join(self.project.journal.folder, "logs", self.stamp)
        said = tear_down(
            self.project.config, worktrees, known.id, removal.worktree, run=self.stamp, logs=log
        )
        if not said or self.options.discard:
            return ""
        removal.failed_teardown = True
        removal.next = N_("see {log}, or: rorchestrator cleanup {id} --discard").format(
            log=log, id=known.id
        )
        return said


def holds_current_folder(path: str) -> bool:
    """Whether the current folder is in ``path``."""
    try:
        here = os.path.realpath(os.getcwd())
    except FileNotFoundError:
        return False
    top = os.path.realpath(path)
    return os.path.commonpath((here, top)) == top


REPAIR = N_("if it was moved: git worktree repair <new path>; if it was deleted: {discard}")
PRUNE_OR = N_(
    "if it was moved: git worktree repair <new path>; if it was deleted: git worktree prune, "
    "or: {discard}"
)


def _next(removal: Removal, known: FeatureState) -> str:
    discard = f"rorchestrator cleanup {removal.id} --discard"
    if not removal.worktree or os.path.isdir(removal.worktree):
        if known.status is Status.COMPLETED and not (removal.files or removal.safe):
            return N_("rorchestrator merge {id}, or: {discard}").format(
                id=removal.id, discard=discard
            )
        return discard
    # A prune would also lose the rest.
    text = PRUNE_OR if len(removal.lost) == 1 else REPAIR
    return text.format(discard=discard)
