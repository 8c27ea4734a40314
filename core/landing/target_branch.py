"""The target branch of a merge: checks that it can move, moves it and its checkout."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from ..git import (
    checkouts,
    commits,
    history,
    merged,
    merging,
    submodules,
    unreadable_entries,
    worktree_status,
)
from ..git.door import Git, GitError
from ..git.output import WorktreeEntry
from ..git.refs import HEADS
from ..model.errors import ExitCode, UserError
from ..model.excerpt import some
from ..model.translate import N_
from .checkout_backup import CheckoutBackup

STORE = "rorchestrator-landing"
"""The folder beside HEAD for the backup of files while git changes them."""

HIDDEN_IN_HINT = 5
"""As many files as a command names that one can still read."""


class Interrupted(UserError):
    """The move was interrupted; some files have neither the old nor the new content."""


class TargetBranch:
    """The branch ``name`` at ``commit``; a worktree with it checked out is updated too."""

    command = "merge"
    """The command that moves it, for the reflog."""
    when_uncommitted = N_("commit them, or: git -C {where} stash")
    when_untracked = N_("move or commit them, then merge again")

    def __init__(self, git: Git, name: str, commit: str) -> None:
        self.git = git
        self.name = name
        self.ref = HEADS + name
        self.commit = commit
        self.uncertain: tuple[str, ...] = ()
        """Files that may be changed in its checkout; only a filter could tell."""
        self._moved: frozenset[str] = frozenset()
        """Clean submodules of its checkout at another commit."""
        self._changed_inside: frozenset[str] = frozenset()
        """Submodules with changes of their own."""

    async def finish_move(self, tips: Iterable[str]) -> bool:
        """Finish a move to one of ``tips`` that was killed after updating the files.

        It was killed before it moved the branch, by a crash of the machine or of git.
        """
        path = await self.changed_checkout()
        if not path:
            return False
        for tip in tips:
            forward = tip != self.commit and await self.git.is_ancestor(self.commit, tip)
            # A branch that was there was moved back by the user, as by `git reset --soft`.
            if not forward or await history.was_at(self.git, self.ref, tip):
                continue
            if await merged.matches(self.git, path, tip):
                await self.git.move_ref(self.ref, tip, self.commit, at=path)
                self.commit = tip
                return True
        return False

    async def changed_checkout(self) -> str:
        """The path where the branch is checked out with changed files; else empty."""
        entry = await self._entry()
        return entry.path if entry is not None and await self._files(entry) else ""

    async def check(self, touched: Collection[str] | None = None) -> str:
        """The path where the branch is checked out; empty if it is not.

        ``touched`` are the files that the move changes; ``None`` means any. Raises
        :class:`UserError` if the branch can't be moved.
        """
        real = (await self.git.symbolic_ref(self.ref))[len(HEADS) :]
        if real:
            raise UserError(
                N_("{name} is a symbolic ref to {real}").format(name=self.name, real=real),
                hint=f"--into {shlex.quote(real)}",
            )
        rebased = checkouts.rebase_in_progress(self.git, self.name)
        if rebased:
            raise UserError(
                N_("a rebase of {name} is in progress ({rebased})").format(
                    name=self.name, rebased=rebased
                ),
                hint=N_("finish it with git rebase --continue or --abort"),
            )
        entry = await self._entry()
        if entry is None:
            return ""
        where = shlex.quote(entry.path)
        busy = await checkouts.operation_in_progress(self.git, entry.path)
        if busy:
            raise UserError(
                N_("{busy} is in progress in {path}, where {name} is checked out").format(
                    busy=busy, path=entry.path, name=self.name
                ),
                hint=N_("finish it: git -C {where} status").format(where=where),
            )
        files = await self._files(entry)
        if touched is not None:
            files = tuple(file for file in files if file in touched)
        if files:
            raise UserError(
                N_("{path}, where {name} is checked out, has uncommitted files: {files}").format(
                    path=entry.path, name=self.name, files=some(files)
                ),
                hint=self._way_out(entry.path, files),
            )
        return entry.path

    def _way_out(self, path: str, files: Collection[str]) -> str:
        """What to do about uncommitted files; `git stash` leaves out submodules."""
        where = shlex.quote(path)
        if set(files) <= self._moved:
            return N_(
                "git -C {where} submodule status shows where they are; "
                "to put them back: git -C {where} submodule update"
            ).format(where=where)
        changed = [file for file in files if file in self._changed_inside]
        if len(changed) == len(files):
            inside = shlex.quote(os.path.join(path, changed[0]))
            return N_("commit or remove what is changed inside: git -C {where} status").format(
                where=inside
            )
        return self.when_uncommitted.format(where=where)

    async def _entry(self) -> WorktreeEntry | None:
        entries = [e for e in await checkouts.worktrees(self.git) if e.branch == self.name]
        if len(entries) > 1:
            raise UserError(
                N_("{name} is checked out more than once: {paths}").format(
                    name=self.name, paths=", ".join(entry.path for entry in entries)
                ),
                hint=f"git -C {shlex.quote(entries[-1].path)} switch --detach",
            )
        if entries and not os.path.isdir(entries[0].path):
            raise UserError(
                N_("{branch} is checked out in {path}, which no longer exists").format(
                    branch=self.name, path=entries[0].path
                ),
                hint=N_(
                    "if it was moved: git worktree repair <new path>; "
                    "if it was deleted: git worktree prune"
                ),
            )
        return entries[0] if entries else None

    async def _files(self, entry: WorktreeEntry) -> tuple[str, ...]:
        """Uncommitted changes there, without untracked files."""
        status = await worktree_status.status_of(self.git, entry.path)
        self.uncertain = tuple(
            N_("{file} (filter {name})").format(file=file, name=name)
            for file, name in status.uncertain
        )
        self._moved = frozenset(status.moved)
        self._changed_inside = frozenset(status.submodules)
        behind = [module for module in status.moved if await self._is_behind(entry.path, module)]
        changed = (file for file in status.changed if file not in behind)
        return (*changed, *status.unmerged, *status.submodules)

    async def _is_behind(self, path: str, module: str) -> bool:
        """Whether a submodule is at a commit that the branch once pinned: no work of the user."""
        head = await self.git.commit_of("HEAD", at=os.path.join(path, module))
        return await submodules.was_pinned(self.git, head, module, self.commit)

    async def submodules_behind(self, old: str, new: str) -> list[str]:
        """How to update the submodules of the checkout after a move."""
        entry = await self._entry()
        if entry is None or not await submodules.gitlinks(self.git, new, old):
            return []
        git = f"git -C {shlex.quote(entry.path)} submodule"
        (changed,) = await commits.changed_files(self.git, [(old, new)])
        # For new submodules, names and URLs.
        sync = f"{git} sync --recursive && " if ".gitmodules" in changed else ""
        init = " --init --recursive" if sync else ""
        update = N_("to update the submodules of the checkout: {command}")
        return [update.format(command=f"{sync}{git} update{init}")]

    async def move(self, commit: str) -> None:
        """Move it to ``commit``.

        Raises :class:`UserError` if it has moved in the meantime, or something is in the way.
        """
        try:
            (touched,) = await commits.changed_files(self.git, [(self.commit, commit)])
            path = await self.check(touched)
            if await self._has_moved():
                raise self._moved_error()
            if path:
                await self._move_with_files(path, commit)
            else:
                await self.git.move_ref(self.ref, commit, self.commit, by=self.command)
                old, self.commit = self.commit, commit
                await self._catch_up(old)
        except UserError as error:
            moved = isinstance(error, GitError) and await self._has_moved()
            error = self._moved_error() if moved else error
            error.exit_code = ExitCode.INCOMPLETE
            raise error from None

    async def _move_with_files(self, path: str, commit: str) -> None:
        """Update the files of a checkout, then move the branch.

        The user may switch, commit or reset at any moment: no other branch is moved, and
        the files of another branch are restored.
        """
        await self._check_untracked(path, commit)
        await self._update(path, commit)
        try:
            await self._check_head(path)
            await self.git.move_ref(self.ref, commit, self.commit, at=path, by=self.command)
        except UserError:
            if await self.git.commit_of(self.ref) == commit:
                return  # git was killed just after moving it
            await self._revert(path, commit)
            raise
        if await checkouts.head_of(self.git, path) != self.ref:
            await self._revert(path, commit)

    async def _update(self, path: str, commit: str) -> None:
        """Update the files of a checkout to ``commit``; restore them if that fails."""
        (files,) = await commits.changed_files(self.git, [(self.commit, commit)])
        store = os.path.join(await checkouts.admin_dir(self.git, path), STORE)
        with CheckoutBackup(path, store, files) as backup:
            try:
                await merging.update_checkout(self.git, path, self.commit, commit)
            except UserError as error:
                left = await self._restore(backup, path, commit)
                if left:
                    where = shlex.quote(path)
                    raise Interrupted(
                        N_(
                            "{name} was not moved; these files in {path} were changed in the "
                            "meantime and left as they are: {left}"
                        ).format(name=self.name, path=path, left=some(left)),
                        hint=f"git -C {where} status",
                    ) from None
                if isinstance(error, GitError):
                    await self._check_head(path)
                    await self._check_hidden(path, files)
                raise

    async def _restore(self, backup: CheckoutBackup, path: str, commit: str) -> Sequence[str]:
        """Restore what git changed in a checkout; the files that somebody else changed."""
        changed = backup.changed
        if (
            not changed
            or await checkouts.head_of(self.git, path) != self.ref
            or await self._has_moved()
        ):
            return ()  # nothing to restore, or another commit is checked out
        return backup.restore(await self._written(path, commit, changed))

    async def _written(self, path: str, commit: str, files: Sequence[str]) -> set[str]:
        """The files with the content of ``commit``; none if git can't tell in time."""
        with suppress(UserError):
            return await merging.equal_files(self.git, path, commit, files)
        return set()

    async def _check_untracked(self, path: str, commit: str) -> None:
        """Raise if an untracked file, ignored or not, would be overwritten."""
        added = await commits.added_files(self.git, self.commit, commit)
        tracked = await commits.files_of(self.git, self.commit) if added else ()
        files = unreadable_entries.colliding(path, added, tracked)
        if files:
            raise UserError(
                N_("untracked files in {path} would be overwritten: {files}").format(
                    path=path, files=some(files)
                ),
                hint=self.when_untracked,
            )

    async def _check_hidden(self, path: str, files: Collection[str]) -> None:
        """Raise if changes are hidden in files that would be overwritten; git says less."""
        hidden = [f for f in await worktree_status.hidden(self.git, path) if f in files]
        if hidden:
            git = f"git -C {shlex.quote(path)} update-index"
            names = shlex.join(["--", *hidden[:HIDDEN_IN_HINT]])
            raise UserError(
                N_("assume-unchanged or skip-worktree is set in {path} for {files}").format(
                    path=path, files=some(hidden)
                ),
                hint=f"{git} --no-assume-unchanged {names} && {git} --no-skip-worktree {names}",
            )

    async def _check_head(self, path: str) -> None:
        if await checkouts.head_of(self.git, path) != self.ref:
            raise self._switched_error(path)

    async def _revert(self, path: str, commit: str) -> None:
        """Revert a checkout's files from ``commit``, unless its HEAD contains them by now."""
        head = await self.git.commit_of("HEAD", at=path)
        brought, missing = await commits.changed_files(
            self.git, [(self.commit, commit), (head, commit)]
        )
        if not brought.isdisjoint(missing):
            with suppress(GitError):  # the user has changed them since
                await merging.update_checkout(self.git, path, commit, self.commit)

    async def _catch_up(self, old: str) -> None:
        """Update a checkout that was switched to the branch just before it moved."""
        entry = await self._entry()
        if entry is not None:
            await merging.update_checkout(self.git, entry.path, old, self.commit)

    async def _has_moved(self) -> bool:
        return await self.git.commit_of(self.ref) != self.commit

    def _moved_error(self) -> UserError:
        return UserError(
            N_("{name} moved in the meantime; nothing was landed").format(name=self.name),
            hint=N_("try again; the merge starts from the branch's current commit"),
        )

    def _switched_error(self, path: str) -> UserError:
        return UserError(
            N_("{path} was switched away from {name} in the meantime; nothing was landed").format(
                path=path, name=self.name
            ),
            hint=N_("try again; the merge starts from what is checked out now"),
        )
