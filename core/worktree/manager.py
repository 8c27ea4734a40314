"""`WorktreeManager` creates, reopens, repairs, commits and removes worktrees; `git worktree`."""

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
from ..git.output import BEING_CREATED, WorktreeEntry, WorktreeStatus
from ..git.refs import HEADS, RESULTS
from ..git.submodules import Submodules
from ..journal import private_files
from ..model.commit_subject import DEFAULT as COMMIT_SUBJECT
from ..model.errors import UserError, unwritable
from ..model.excerpt import some
from ..model.feature import Feature
from ..model.frozen import replace
from ..model.outcome import Work
from ..model.translate import N_
from ..process.temporary_folder import remove_tree
from . import admin_files, baseline, build_products, committing, inspection, spare
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
from .names import MARK, MARKS_SINCE, RUBBISH, SCRATCH, SPARE
from .worktree import Worktree

OWN_FOLDER = N_("set project.worktrees_path to a folder that only this repository uses")


class WorktreeManager:
    """Creates, commits and removes the worktrees of one repository's features.

    ``folder`` contains the worktrees, ``branch_prefix`` precedes each feature's id, and
    ``commit_subject`` is the template for the first line of commits.
    """

    def __init__(
        self, git: Git, folder: str, branch_prefix: str, commit_subject: str = COMMIT_SUBJECT
    ) -> None:
        self.git = git
        self.folder = folder
        self.branch_prefix = branch_prefix
        self.commit_subject = commit_subject
        common = os.fsencode(git.repository.common_dir)
        self.key = f"k{zlib.crc32(common):08x}"  # Claude asks for permission below ~<digit>
        """Part of scratch worktrees' names: repositories may share a worktree folder."""
        self._merges: dict[tuple[str, str], tuple[str, list[str]]] = {}
        """Results of merges made in a scratch worktree."""
        self._reuses = False
        self._spare: spare.Fresh | None = None
        """A released worktree; its files are at the scratch path of :data:`SPARE`."""

    def using(self, git: Git) -> WorktreeManager:
        """The same worktrees, through another git."""
        return WorktreeManager(git, self.folder, self.branch_prefix, self.commit_subject)

    def path(self, feature: str) -> str:
        """The path of the feature's worktree."""
        return os.path.join(self.folder, feature)

    def branch(self, feature: str) -> str:
        """The feature's branch."""
        return self.branch_prefix + feature

    def result_ref(self, feature: str, run: str) -> str:
        """The commit point of a feature's result in a run."""
        return f"{RESULTS}{feature}/{run}"

    # -- creating -------------------------------------------------------------------------

    async def create(self, feature: str, start_commit: str) -> Worktree:
        """A new worktree on a new branch at ``start_commit``.

        Raises :class:`UserError` if the path or the branch exists.
        """
        path, branch = self.path(feature), self.branch(feature)
        self._make_folder()
        old = await self._fitting(start_commit)
        await self._add(path, start_commit, new_branch=branch, old=old)
        gitfile, is_new = read_gitfile(path), old is None
        return Worktree(feature, path, branch, start_commit, gitfile, is_checked_out=is_new)

    async def _add(
        self,
        path: str,
        commit: str,
        *,
        new_branch: str = "",
        instead: str = "",
        old: spare.Fresh | None = None,
    ) -> None:
        """A worktree of a branch, or of a new branch at a commit; it replaces the lost ``instead``.

        It takes over the files of the released worktree ``old``, if there is one. It is locked
        until it is complete. Only changes of git's worktree list are serialised, so that large
        trees are checked out concurrently.
        """
        self._check_free(path)
        async with self.git.spawner.exclusive():
            self._clear_rubbish(path)
            if instead:
                await checkouts.remove_worktree(self.git, instead)
            self._note_first_mark()
            await checkouts.add_worktree(self.git, path, commit)
            admin = admin_files.admin_folder(self, path)
            with open(os.path.join(admin, MARK), "xb"):
                pass
            takes_over = old is not None and spare.put(old, self.scratch_path(SPARE), path)
        try:
            if takes_over:
                await checkouts.remove_untracked(self.git, path)
            await checkouts.check_out(self.git, path, new_branch)
        except GitError:
            self._undo(path)
            if takes_over:
                return await self._add(path, commit, new_branch=new_branch)
            raise
        try:
            await Submodules(self.git).fill(path)
        except GitError:
            self._undo(path)
            if new_branch:
                await self.git.delete_ref(HEADS + new_branch, commit)
            raise
        os.unlink(os.path.join(admin, "locked"))

    def _undo(self, path: str) -> None:
        """Remove an incomplete worktree; a kill leaves no partial folder."""
        if admin_files.is_linked(self, path):
            admin = admin_files.admin_folder(self, path)
            rubbish = self._clear_rubbish(path)
            os.rename(path, rubbish)
            admin_files.remove_admin(self, admin)
            remove_tree(rubbish)

    def _clear_rubbish(self, path: str) -> str:
        """Remove leftovers of an interrupted removal; the path to rename a worktree to."""
        rubbish = path + RUBBISH
        self._check_free(rubbish)
        remove_tree(rubbish)
        _check_gone(rubbish)
        return rubbish

    def _check_free(self, path: str) -> None:
        other = admin_files.other_repository(self, path)
        if other:
            raise UserError(
                N_("{path} is a worktree of the repository {other}").format(path=path, other=other),
                hint=OWN_FOLDER,
            )

    def _note_first_mark(self) -> None:
        path = os.path.join(self.git.repository.common_dir, MARKS_SINCE)
        try:
            private_files.make_folder(os.path.dirname(path))
            os.close(private_files.open_file(path, os.O_WRONLY))
        except OSError as error:
            raise unwritable(path, error) from None

    async def unpublished(self, path: str, start: str, tip: str, branch: str) -> list[str]:
        """The commands that push submodule commits which only this worktree has."""
        submodules = Submodules(self.git)
        return await submodules.push_commands(
            await submodules.unpublished(path, start, tip), branch
        )

    @asynccontextmanager
    async def scratch(
        self, name: str, commit: str, *, is_reused: bool = False
    ) -> AsyncIterator[Worktree]:
        """A temporary worktree with a detached HEAD at ``commit``.

        ``is_reused``: a later worktree may take over its files.
        """
        path, fresh = self.scratch_path(name), None
        self._make_folder()
        await self.clear_scratch([path])
        try:
            old = await self._fitting(commit)
            await self._add(path, commit, old=old)
            is_new = old is None
            if is_reused and self._reuses:
                fresh = await spare.look(self.git, path, commit, is_checked_out=is_new)
            gitfile = read_gitfile(path)
            yield Worktree(name, path, "", commit, gitfile, is_checked_out=is_new)
        finally:
            if fresh is not None:
                await self._set_aside(fresh)
            await self.clear_scratch([path])

    @asynccontextmanager
    async def reusing(self) -> AsyncIterator[None]:
        """Meanwhile, one released scratch worktree is kept for the next worktree."""
        self._reuses = True
        try:
            yield
        finally:
            self._reuses, self._spare = False, None
            await self.clear_scratch([self.scratch_path(SPARE)])

    async def _set_aside(self, fresh: spare.Fresh) -> None:
        """Keep a released worktree, unless there is one."""
        async with self.git.spawner.exclusive():
            if self._spare is None and spare.set_aside(fresh, self.scratch_path(SPARE)):
                admin_files.remove_admin(self, fresh.admin)
                self._spare = fresh

    async def _fitting(self, commit: str) -> spare.Fresh | None:
        """Take the released worktree, if its files can become those of one at ``commit``."""
        place = self.scratch_path(SPARE)
        old, self._spare = self._spare, None
        if old is None or await spare.fits(self.git, old, place, commit):
            return old
        await self.clear_scratch([place])
        return None

    def scratch_path(self, name: str) -> str:
        """The path of a scratch worktree."""
        return f"{self.path(name)}~{self.key}{SCRATCH}"

    def left_scratch(self) -> list[str]:
        """This repository's scratch worktrees; before a run, those of killed runs."""
        here = os.path.realpath(self.folder)
        linked = (linked_folder(admin) for admin in admin_files.all_admin_dirs(self))
        known = [path for path in linked if os.path.dirname(path) == here]
        there = os.listdir(here) if os.path.isdir(here) else []
        names = [name.removesuffix(RUBBISH) for name in there]
        names += [f"{name}~{self.key}{SCRATCH}" for name in admin_files.stumps_of_scratch(self)]
        found = {*known, *(os.path.join(here, name) for name in names)}
        scratch = (path for path in found if path.endswith(SCRATCH))
        return sorted(path for path in scratch if self._is_our_scratch(path))

    def _is_our_scratch(self, path: str) -> bool:
        """Whether a scratch worktree, or its leftovers, belongs to this repository."""
        for place in (path, path + RUBBISH):
            gitfile = os.path.join(place, ".git")
            # A killed `git worktree add` may leave the file empty.
            was_written = not os.path.isfile(gitfile) or os.path.getsize(gitfile) > 0
            if os.path.lexists(gitfile) and was_written:
                return admin_files.is_linked(self, place)
        is_keyed = path.endswith(f"~{self.key}{SCRATCH}")
        return is_keyed or path in map(linked_folder, admin_files.all_admin_dirs(self))

    async def clear_scratch(self, paths: Iterable[str]) -> None:
        """Remove scratch worktrees, complete or not, with their admin folders."""
        for path in map(os.path.realpath, paths):
            # Another feature's `worktree add` writes git's list as well.
            async with self.git.spawner.exclusive():
                rubbish = self._clear_rubbish(path)
                if os.path.isdir(path) and self._is_our_scratch(path):
                    os.rename(path, rubbish)
                for admin in admin_files.all_admin_dirs(self):
                    if linked_folder(admin) == path or is_unfinished(admin, path):
                        admin_files.remove_admin(self, admin)
            await self.git.spawner.in_thread(partial(remove_tree, rubbish))

    async def reopen(self, feature: str, start_commit: str) -> Worktree | None:
        """The worktree of an earlier attempt, created again if only its branch exists.

        ``None`` if neither exists, or if the worktree is on another branch or lost its ``.git``
        file.
        """
        branch = self.branch(feature)
        entry = await self.entry(feature)
        if entry is not None and entry.locked in BEING_CREATED:
            entry = self._remove_incomplete(entry)
        if entry is not None and os.path.isdir(entry.path):
            if entry.branch != branch or not admin_files.leads_here(self, entry.path):
                return None
            path, is_old = entry.path, True
            self._unlock(feature, admin_files.admin_folder(self, path))
        elif await self.git.commit_of(HEADS + branch):
            path, is_old = self.path(feature), False
            self._make_folder()
            await self._add(path, branch, instead=entry.path if entry is not None else "")
        else:
            return None
        gitfile = read_gitfile(path)
        return Worktree(feature, path, branch, start_commit, gitfile, is_old, not is_old)

    def _remove_incomplete(self, entry: WorktreeEntry) -> WorktreeEntry | None:
        """Remove a worktree whose creation or removal was interrupted."""
        if admin_files.is_linked(self, entry.path):
            self._undo(entry.path)  # entry() found it to be ours
            return None
        if os.path.lexists(entry.path):
            return entry  # not ours
        for admin in admin_files.admin_dirs(self, os.path.realpath(entry.path)):
            admin_files.remove_admin(self, admin)
        return None

    def _make_folder(self) -> None:
        try:
            os.makedirs(self.folder, exist_ok=True)
            if not os.listdir(self.folder) and inside_a_repository(self.folder):
                # Else the user's `git add -A` would add the worktrees.
                ignore = os.path.join(self.folder, ".gitignore")
                with open(private_files.open_file(ignore, os.O_WRONLY | os.O_TRUNC), "wb") as file:
                    file.write(b"*\n")
        except OSError as error:
            raise UserError(
                N_("{folder} cannot be used for worktrees: {strerror}").format(
                    folder=self.folder, strerror=error.strerror
                ),
                hint=N_("correct project.worktrees_path"),
            ) from None

    async def entry(self, feature: str) -> WorktreeEntry | None:
        """git's entry of the worktree that we created for a feature, even if it was moved.

        Not a worktree that the user created on the feature's branch or at its path.
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
        """Remove leftovers of a killed ``git worktree add`` for this feature.

        Only before its agent ever started, so that all files are from git.
        """
        path = os.path.realpath(self.path(feature))
        # A running `worktree add` of another feature looks like a killed one.
        async with self.git.spawner.exclusive():
            for admin in admin_files.admin_dirs(self, path):
                if not is_whole(admin, path) and admin_files.is_half_of_ours(self, admin, path):
                    # In this order: without its admin folder, the worktree would never be found.
                    remove_tree(path)
                    admin_files.remove_admin(self, admin)
            with suppress(FileNotFoundError):
                os.unlink(self._branch_lock(feature))

    # -- the result -----------------------------------------------------------------------

    async def inspect(self, worktree: Worktree) -> WorktreeStatus | str:
        """The status after an agent's work, or the fault that rules out a commit.

        Raises :class:`GitError` if git fails, which says nothing about the work.
        """
        status = await self.read_status(worktree)
        if isinstance(status, str):
            return status
        if status.branch != worktree.branch:
            return N_("the worktree was switched to {other}; the work belongs on {branch}").format(
                other=status.branch, branch=worktree.branch
            )
        if status.unmerged:
            return N_("a merge is unfinished: {unmerged}").format(unmerged=some(status.unmerged))
        moved = status.commit != worktree.start_commit
        if moved and not await self.git.is_ancestor(worktree.start_commit, status.commit):
            return N_("{branch} was rewritten: it no longer contains its starting point").format(
                branch=worktree.branch
            )
        return status

    async def read_status(self, worktree: Worktree) -> WorktreeStatus | str:
        """The status of a worktree after an agent, or why git cannot be run in it.

        Raises :class:`GitError` if git fails.
        """
        if not os.path.isdir(worktree.path):
            return N_("the worktree {path} is gone").format(path=worktree.path)
        if os.path.islink(worktree.path):
            return N_("the worktree {path} was replaced by a link").format(path=worktree.path)
        if gitfile_or_nothing(worktree.path) != worktree.gitfile:
            return N_("{path}/.git was changed: it points to another repository").format(
                path=worktree.path
            )
        admin = admin_files.admin_folder(self, worktree.path)
        if not admin_files.is_admin_here(self, admin):
            return N_("{path} no longer leads to this repository").format(path=worktree.path)
        found = unreadable_entries.scan(worktree.path)
        if found.pipes:
            return pipe_message(found.pipes)
        self._unlock(worktree.feature, admin)
        return replace(
            await inspection.full_status(self, worktree.path), unreadable=found.unreadable
        )

    def _unlock(self, feature: str, admin: str) -> None:
        """Remove locks of a killed git. No process works in the worktree any more."""
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
        """Commit uncommitted work, except files to leave out; the resulting work.

        Raises :class:`UserError` if git or a hook refuses.
        """
        admin = admin_files.admin_folder(self, worktree.path)
        known = baseline.load(admin)
        old = await inspection.old_files(self, worktree.path, status, known)
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
            hooks = hooks or await hooks_of(self.git, worktree.path, admin)
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
        """Ignored paths that are newer than the baseline and no build products."""
        new = [file for file in status.ignored if file not in known and not built_by_tools(file)]
        built = build_products.among(path, new)
        return tuple(file for file in new if file not in built)

    async def publish(self, feature: str, run: str, commit: str) -> None:
        """Create the result ref, the commit point. Raises if it is at another commit."""
        ref = self.result_ref(feature, run)
        if not await self.git.create_ref(ref, commit) and await self.git.commit_of(ref) != commit:
            raise UserError(N_("{ref} already exists with another commit").format(ref=ref))

    # -- keeping and removing ---------------------------------------------------------------

    async def remove(self, feature: str, path: str, tip: str) -> str:
        """Remove the worktree and its branch, which must be at ``tip``.

        The caller has saved its work. An empty string, or why the branch stays.
        """
        branch = self.branch(feature)
        async with self.git.spawner.exclusive():
            if path:
                await self._remove_worktree(path)
            used = [e.path for e in await checkouts.worktrees(self.git) if e.branch == branch]
            if used:
                return N_("{branch} is checked out in {path}").format(branch=branch, path=used[0])
            return await self.git.delete_ref(HEADS + branch, tip) if tip else ""

    async def _remove_worktree(self, path: str) -> None:
        """Remove it atomically: after a kill, it is either complete or renamed as rubbish.

        Raises :class:`UserError` if it contains files of another user.
        """
        stuck = unreadable_entries.undeletable(path)
        if stuck:
            raise UserError(
                N_("{path} belongs to another user and cannot be removed").format(path=stuck),
                hint=N_("sudo rm -r {path}, then run this again").format(path=shlex.quote(stuck)),
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
        """The manager for a feature that was created with another folder or branch prefix."""
        prefix = branch[: len(branch) - len(feature)]
        return WorktreeManager(self.git, os.path.dirname(path), prefix, self.commit_subject)


def _check_gone(rubbish: str) -> None:
    """Raise :class:`UserError` if a removed folder still exists."""
    if os.path.lexists(rubbish):
        raise UserError(
            N_(
                "{path} could not be removed: you have no permission to remove some of its files"
            ).format(path=rubbish),
            hint=N_("sudo rm -r {path}, then run this again").format(path=shlex.quote(rubbish)),
        )
