"""`WorktreeManager`: creates, reopens, repairs, commits and removes the worktrees of features."""

from __future__ import annotations

import os
import shlex
import zlib
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial

from ..git import (
    checkouts,
    commits,
    staging,
    unreadable_entries,
)
from ..git.door import Git, GitError
from ..git.hooks import Hooks, hooks_of
from ..git.output import BEING_MADE, WorktreeEntry, WorktreeStatus
from ..git.refs import HEADS, RESULTS
from ..git.submodules import Submodules
from ..journal import private_files
from ..model.commit_subject import DEFAULT as COMMIT_SUBJECT
from ..model.errors import UserError, unwritable
from ..model.excerpt import some
from ..model.feature import Feature
from ..model.frozen import replace
from ..model.outcome import Work
from ..process.temporary_folder import remove_tree
from . import admin_files, build_products, committing, inspection
from .admin_files import (
    gitfile_or_nothing,
    is_unfinished,
    is_whole,
    linked_folder,
    read_gitfile,
)
from .check_artifacts import stamp_of
from .committing import commit_message
from .files import (
    built_by_tools,
)
from .keeping import inside_a_repository, pipe_message
from .names import MARK, MARKS_SINCE, RUBBISH, SCRATCH
from .worktree import Worktree

OWN_FOLDER = "set project.worktrees_path to a folder that only this repository uses"


class WorktreeManager:
    """Makes, commits and removes the worktrees of one repository's features.

    ``folder`` is where they go; ``branch_prefix`` comes before each feature's id, and
    ``commit_subject`` is the template of their commits' first line.
    """

    def __init__(
        self, git: Git, folder: str, branch_prefix: str, commit_subject: str = COMMIT_SUBJECT
    ) -> None:
        self.git = git
        self.folder = folder
        self.branch_prefix = branch_prefix
        self.commit_subject = commit_subject
        common = os.fsencode(git.repository.common_dir)
        self.key = f"k{zlib.crc32(common):08x}"  # Claude asks before it writes below ~<digit>
        """In the names of scratch worktrees: repositories may share a folder for worktrees."""
        self._merges: dict[tuple[str, str], tuple[str, list[str]]] = {}
        """What became of merges that were made in a worktree."""

    def using(self, git: Git) -> WorktreeManager:
        """The same worktrees, through another git."""
        return WorktreeManager(git, self.folder, self.branch_prefix, self.commit_subject)

    def path(self, feature: str) -> str:
        """Where the feature's worktree goes."""
        return os.path.join(self.folder, feature)

    def branch(self, feature: str) -> str:
        """The feature's branch."""
        return self.branch_prefix + feature

    def result_ref(self, feature: str, run: str) -> str:
        """The commit point of a feature's result in a run."""
        return f"{RESULTS}{feature}/{run}"

    # -- making -------------------------------------------------------------------------

    async def create(self, feature: str, start_commit: str) -> Worktree:
        """A new worktree on a new branch at ``start_commit``.

        Raises :class:`UserError` where something stands in the way.
        """
        path, branch = self.path(feature), self.branch(feature)
        self._make_folder()
        await self._add(path, start_commit, new_branch=branch)
        return Worktree(feature, path, branch, start_commit, read_gitfile(path))

    async def _add(
        self, path: str, commit: str, *, new_branch: str = "", instead: str = ""
    ) -> None:
        """A worktree of a branch, or of a new one at a commit; ``instead`` of one that is gone.

        It is locked until it is whole. Only git's own list needs the others to wait: large
        trees are checked out side by side.
        """
        self._check_free(path)
        async with self.git.spawner.exclusive():
            self._clear_rubbish(path)
            if instead:
                await checkouts.remove_worktree(self.git, instead)
            self._note_first_mark()
            await checkouts.add_worktree(self.git, path, commit)
            with open(os.path.join(admin_files.admin_folder(self, path), MARK), "xb"):
                pass
        try:
            await checkouts.check_out(self.git, path, new_branch)
        except GitError:
            self._undo(path)
            raise
        try:
            await Submodules(self.git).fill(path)
        except GitError:
            self._undo(path)
            if new_branch:
                await self.git.delete_ref(HEADS + new_branch, commit)
            raise
        os.unlink(os.path.join(admin_files.admin_folder(self, path), "locked"))

    def _undo(self, path: str) -> None:
        """Take a worktree away that never became whole; a kill leaves no half of a folder."""
        if admin_files.is_linked(self, path):
            admin = admin_files.admin_folder(self, path)
            rubbish = self._clear_rubbish(path)
            os.rename(path, rubbish)
            admin_files.remove_admin(self, admin)
            remove_tree(rubbish)

    def _clear_rubbish(self, path: str) -> str:
        """Remove what a kill left of an earlier removal; where a worktree goes to be removed."""
        rubbish = path + RUBBISH
        self._check_free(rubbish)
        remove_tree(rubbish)
        _check_gone(rubbish)
        return rubbish

    def _check_free(self, path: str) -> None:
        other = admin_files.other_repository(self, path)
        if other:
            raise UserError(f"{path} is a worktree of the repository {other}", hint=OWN_FOLDER)

    def _note_first_mark(self) -> None:
        path = os.path.join(self.git.repository.common_dir, MARKS_SINCE)
        try:
            private_files.make_folder(os.path.dirname(path))
            os.close(private_files.open_file(path, os.O_WRONLY))
        except OSError as error:
            raise unwritable(path, error) from None

    async def unpublished(self, path: str, start: str, tip: str, branch: str) -> list[str]:
        """The commands that publish submodules' commits which only their clones in here have."""
        submodules = Submodules(self.git)
        return await submodules.publishing(await submodules.unpublished(path, start, tip), branch)

    @asynccontextmanager
    async def scratch(self, name: str, commit: str) -> AsyncIterator[Worktree]:
        """A worktree of a commit, on no branch, that is gone afterwards with all that is in it."""
        path = self.scratch_path(name)
        self._make_folder()
        await self.clear_scratch([path])
        try:
            await self._add(path, commit)
            yield Worktree(name, path, "", commit, read_gitfile(path))
        finally:
            await self.clear_scratch([path])

    def scratch_path(self, name: str) -> str:
        """Where a scratch worktree goes."""
        return f"{self.path(name)}~{self.key}{SCRATCH}"

    def left_scratch(self) -> list[str]:
        """This repository's scratch worktrees; those of killed runs, before one begins."""
        here = os.path.realpath(self.folder)
        linked = (linked_folder(admin) for admin in admin_files.all_admin_dirs(self))
        known = [path for path in linked if os.path.dirname(path) == here]
        there = os.listdir(here) if os.path.isdir(here) else []
        found = {*known, *(os.path.join(here, name.removesuffix(RUBBISH)) for name in there)}
        scratch = (path for path in found if path.endswith(SCRATCH))
        return sorted(path for path in scratch if self._is_our_scratch(path))

    def _is_our_scratch(self, path: str) -> bool:
        """Whether a scratch worktree is this repository's, also what a kill left of one."""
        for place in (path, path + RUBBISH):
            gitfile = os.path.join(place, ".git")
            # A killed `git worktree add` may leave the file empty.
            was_written = not os.path.isfile(gitfile) or os.path.getsize(gitfile) > 0
            if os.path.lexists(gitfile) and was_written:
                return admin_files.is_linked(self, place)
        is_keyed = path.endswith(f"~{self.key}{SCRATCH}")
        return is_keyed or path in map(linked_folder, admin_files.all_admin_dirs(self))

    async def clear_scratch(self, paths: Iterable[str]) -> None:
        """Take scratch worktrees away, whole or not: the folder, and what git knows of it."""
        for path in map(os.path.realpath, paths):
            # An add that goes on for another feature writes git's list as well.
            async with self.git.spawner.exclusive():
                rubbish = self._clear_rubbish(path)
                if os.path.isdir(path) and self._is_our_scratch(path):
                    os.rename(path, rubbish)
                for admin in admin_files.all_admin_dirs(self):
                    if linked_folder(admin) == path or is_unfinished(admin, path):
                        admin_files.remove_admin(self, admin)
            await self.git.spawner.in_thread(partial(remove_tree, rubbish))

    async def reopen(self, feature: str, start_commit: str) -> Worktree | None:
        """The worktree that an earlier attempt left, made again where only its branch stands.

        ``None`` where neither is there, or where the worktree is on another branch or has lost
        its ``.git`` file.
        """
        branch = self.branch(feature)
        entry = await self.entry(feature)
        if entry is not None and entry.locked in BEING_MADE:
            entry = self._unmade(entry)
        if entry is not None and os.path.isdir(entry.path):
            if entry.branch != branch or not admin_files.leads_here(self, entry.path):
                return None
            path, is_old = entry.path, True
            self._unlock(feature, path)
        elif await self.git.commit_of(HEADS + branch):
            path, is_old = self.path(feature), False
            self._make_folder()
            await self._add(path, branch, instead=entry.path if entry is not None else "")
        else:
            return None
        return Worktree(feature, path, branch, start_commit, read_gitfile(path), is_old)

    def _unmade(self, entry: WorktreeEntry) -> WorktreeEntry | None:
        """Take away what was being made when we were killed, or was being taken away."""
        if admin_files.is_linked(self, entry.path):
            self._undo(entry.path)  # entry() found it to be ours
            return None
        if os.path.lexists(entry.path):
            return entry  # what stands there is not ours
        for admin in admin_files.admin_dirs(self, os.path.realpath(entry.path)):
            admin_files.remove_admin(self, admin)
        return None

    def _make_folder(self) -> None:
        try:
            os.makedirs(self.folder, exist_ok=True)
            if not os.listdir(self.folder) and inside_a_repository(self.folder):
                # Else the user's `git add -A` would take the worktrees in.
                ignore = os.path.join(self.folder, ".gitignore")
                with open(private_files.open_file(ignore, os.O_WRONLY | os.O_TRUNC), "wb") as file:
                    file.write(b"*\n")
        except OSError as error:
            raise UserError(
                f"{self.folder} can't hold the worktrees: {error.strerror}",
                hint="correct project.worktrees_path",
            ) from None

    async def entry(self, feature: str) -> WorktreeEntry | None:
        """git's entry for the worktree that we made for a feature, also where it was moved by hand.

        A worktree that the user made, on the feature's branch or in its place, is not ours.
        """
        path = os.path.realpath(self.path(feature))
        linked = (await checkouts.worktrees(self.git))[1:]
        there = [entry for entry in linked if checkouts.real_path(self.git, entry.path) == path]
        there += [entry for entry in linked if entry.branch == self.branch(feature)]
        return next(
            (entry for entry in there if admin_files.was_made_for(self, entry, path, feature)),
            None,
        )

    async def repair(self, feature: str) -> None:
        """Take away what a killed ``git worktree add`` left of this feature's worktree.

        Only for a feature whose agent never started: all that is there came from git.
        """
        path = os.path.realpath(self.path(feature))
        # An add that goes on for another feature looks like one that was killed.
        async with self.git.spawner.exclusive():
            for admin in admin_files.admin_dirs(self, path):
                if not is_whole(admin, path) and admin_files.is_half_of_ours(self, admin, path):
                    # In this order: a folder without the other one would never be found.
                    remove_tree(path)
                    admin_files.remove_admin(self, admin)
            with suppress(FileNotFoundError):
                os.unlink(self._branch_lock(feature))

    # -- the result -----------------------------------------------------------------------

    async def inspect(self, worktree: Worktree) -> WorktreeStatus | str:
        """The state that an agent left, or what is wrong with it.

        Raises :class:`GitError` where git fails: that says nothing of the work.
        """
        status = await self.read_status(worktree)
        if isinstance(status, str):
            return status
        if status.branch != worktree.branch:
            return (
                f"the worktree was switched to {status.branch}; "
                f"the work belongs on {worktree.branch}"
            )
        if status.unmerged:
            return f"a merge was left half done: {some(status.unmerged)}"
        moved = status.commit != worktree.start_commit
        if moved and not await self.git.is_ancestor(worktree.start_commit, status.commit):
            return f"{worktree.branch} was rewritten: it no longer contains its starting point"
        return status

    async def read_status(self, worktree: Worktree) -> WorktreeStatus | str:
        """What git tells of a worktree that an agent had, or why it can't be asked.

        Raises :class:`GitError` where git fails.
        """
        if not os.path.isdir(worktree.path):
            return f"the worktree {worktree.path} is gone"
        if os.path.islink(worktree.path):
            return f"the worktree {worktree.path} was replaced by a link"
        if gitfile_or_nothing(worktree.path) != worktree.gitfile:
            return f"{worktree.path}/.git was changed: it points to another repository"
        if not admin_files.leads_here(self, worktree.path):
            return f"{worktree.path} no longer leads to this repository"
        found = unreadable_entries.scan(worktree.path)
        if found.pipes:
            return pipe_message(found.pipes)
        self._unlock(worktree.feature, worktree.path)
        return replace(
            await inspection.full_status(self, worktree.path), unreadable=found.unreadable
        )

    def _unlock(self, feature: str, path: str) -> None:
        """Take away the locks that a killed git left: nobody works in the worktree any more."""
        admin = admin_files.admin_folder(self, path)
        for lock in (f"{admin}/index.lock", f"{admin}/HEAD.lock", self._branch_lock(feature)):
            with suppress(FileNotFoundError):
                os.unlink(lock)

    def _branch_lock(self, feature: str) -> str:
        heads = os.path.join(self.git.repository.common_dir, "refs", "heads")
        return os.path.join(heads, self.branch(feature) + ".lock")

    async def commit(
        self,
        worktree: Worktree,
        status: WorktreeStatus,
        feature: Feature,
        run: str,
        hooks: Hooks | None = None,
    ) -> Work:
        """Commit what is uncommitted, less what is to be held back; what the branch has now.

        Raises :class:`UserError` where git or one of the user's hooks refuses.
        """
        known = inspection.read_baseline(self, worktree.path)
        old = await inspection.old_files(self, worktree.path, status)
        await inspection.restore(self, worktree.path, status, old)
        status = status.without(old)
        new = (*status.untracked, *status.added)
        built = await inspection.products(self, worktree.path, worktree.start_commit, new)
        held = await committing.files_held_back(
            self, worktree.path, [file for file in new if file not in built]
        )
        wanted = set(status.uncommitted).difference(held, built)
        await staging.unstage(self.git, worktree.path, {*held, *built}.intersection(status.added))
        held += tuple(sorted(set(built.values())))
        if known.ignored is not None:
            held += self._new_ignored(worktree.path, status, known.ignored)
        held += tuple(f"{module}/" for module in status.submodules)
        held += status.unreadable
        made = None
        if wanted:
            await committing.stage(self, worktree.path, sorted(wanted))
            hooks = hooks or await hooks_of(self.git, worktree.path)
            message = commit_message(feature, run, self.commit_subject)
            stamps = {file: stamp_of(worktree.path, file) for file in wanted}
            made = await committing.commit_index(
                self, worktree.path, message, status.commit, hooks, stamps
            )
            if hooks.ran:
                await committing.check_hooks(self, worktree, status.commit, made, wanted, hooks)
        tip = made.id if made else status.commit
        if tip == worktree.start_commit:
            return Work(tip, held_back=held)
        if made and made.parents == (worktree.start_commit,):
            stat = made.stat
        else:
            stat = await commits.diffstat(self.git, worktree.start_commit, tip)
        return Work(tip, stat.files, stat.insertions, stat.deletions, held)

    @staticmethod
    def _new_ignored(path: str, status: WorktreeStatus, known: Collection[str]) -> tuple[str, ...]:
        """Ignored paths that were not there before Claude, and that no tool makes again."""
        new = [file for file in status.ignored if file not in known and not built_by_tools(file)]
        built = build_products.among(path, new)
        return tuple(file for file in new if file not in built)

    async def publish(self, feature: str, run: str, commit: str) -> None:
        """Write the commit point of a result. Raises where another result stands there."""
        ref = self.result_ref(feature, run)
        if not await self.git.create_ref(ref, commit) and await self.git.commit_of(ref) != commit:
            raise UserError(f"{ref} holds another commit already")

    # -- keeping and removing ---------------------------------------------------------------

    async def remove(self, feature: str, path: str, tip: str) -> str:
        """Remove the worktree and its branch, which must still be at ``tip``.

        The caller has saved what is worth it. An empty string, or why the branch stays.
        """
        branch = self.branch(feature)
        async with self.git.spawner.exclusive():
            if path:
                await self._remove_worktree(path)
            used = [e.path for e in await checkouts.worktrees(self.git) if e.branch == branch]
            if used:
                return f"{branch} is checked out in {used[0]}"
            return await self.git.delete_ref(HEADS + branch, tip) if tip else ""

    async def _remove_worktree(self, path: str) -> None:
        """Remove it in one step: what a kill leaves is either whole or marked as rubbish.

        Raises :class:`UserError` where it holds what is not ours to remove.
        """
        stuck = unreadable_entries.undeletable(path)
        if stuck:
            raise UserError(
                f"{stuck} belongs to another user, and can't be removed",
                hint=f"sudo rm -r {shlex.quote(stuck)}, then type this again",
            )
        rubbish = self._clear_rubbish(path)
        if admin_files.is_linked(self, path):
            os.rename(path, rubbish)
        try:
            await checkouts.remove_worktree(self.git, path)
        except GitError:
            if os.path.isdir(rubbish):
                os.rename(rubbish, path)
            raise
        await self.git.spawner.in_thread(partial(remove_tree, rubbish))
        _check_gone(rubbish)

    def with_recorded_names(self, feature: str, path: str, branch: str) -> WorktreeManager:
        """For a feature whose worktree and branch were made with another folder or prefix."""
        prefix = branch[: len(branch) - len(feature)]
        return WorktreeManager(self.git, os.path.dirname(path), prefix, self.commit_subject)


def _check_gone(rubbish: str) -> None:
    """Raise :class:`UserError` where a folder that was to go is still there."""
    if os.path.lexists(rubbish):
        raise UserError(
            f"{rubbish} could not be removed: it holds files that you may not remove",
            hint=f"sudo rm -r {shlex.quote(rubbish)}, then type this again",
        )
