"""The branch that features land on: whether it may move, and how it moves."""

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
from .checkout_backup import Before

STORE = "rorchestrator-landing"
"""The folder beside HEAD in which files are kept while git changes them."""


class Interrupted(UserError):
    """The move was interrupted, and some files are neither what they were nor what was to land."""


class TargetBranch:
    """The branch ``name``, at ``commit``; a worktree that has it checked out moves along."""

    def __init__(self, git: Git, name: str, commit: str) -> None:
        self.git = git
        self.name = name
        self.ref = HEADS + name
        self.commit = commit
        self.uncertain: tuple[str, ...] = ()
        """What may have changed where it is checked out: only a filter could tell."""

    async def settle(self, tips: Iterable[str]) -> bool:
        """Finish a move to one of ``tips`` that ended when all but the branch had moved.

        So it is where the machine went down, or git was killed, in the middle of it.
        """
        entry = await self._entry()
        if entry is None or await self._files(entry) == ():
            return False
        for tip in tips:
            forward = tip != self.commit and await self.git.is_ancestor(self.commit, tip)
            # A branch that was there came back by the user's hand, as by `git reset --soft`.
            if not forward or await history.was_at(self.git, self.ref, tip):
                continue
            if await merged.matches(self.git, entry.path, tip):
                await self.git.move_ref(self.ref, tip, self.commit, at=entry.path)
                self.commit = tip
                return True
        return False

    async def check(self, touched: Collection[str] | None = None) -> str:
        """Where the branch is checked out, with nothing in the way; empty where it is nowhere.

        ``touched`` are the files that its move changes; without them, any may be. Raises
        :class:`UserError` for what forbids to move it.
        """
        meant = (await self.git.symbolic_ref(self.ref))[len(HEADS) :]
        if meant:
            # Where that one is checked out would be looked for under the wrong name.
            raise UserError(
                f"{self.name} only stands for {meant}", hint=f"--into {shlex.quote(meant)}"
            )
        rebased = checkouts.rebased_in(self.git, self.name)
        if rebased:
            raise UserError(
                f"a rebase of {self.name} is going on ({rebased})",
                hint="end it with git rebase --continue or --abort",
            )
        entry = await self._entry()
        if entry is None:
            return ""
        where = shlex.quote(entry.path)
        busy = await checkouts.operation_in_progress(self.git, entry.path)
        if busy:
            raise UserError(
                f"{busy} is going on in {entry.path}, which has {self.name} checked out",
                hint=f"end it: git -C {where} status",
            )
        files = await self._files(entry)
        if touched is not None:
            files = tuple(file for file in files if file in touched)
        if files:
            raise UserError(
                f"{entry.path} has {self.name} checked out, and files that are not committed: "
                f"{some(files)}",
                hint=f"commit them, or: git -C {where} stash",
            )
        return entry.path

    async def _entry(self) -> WorktreeEntry | None:
        entries = [e for e in await checkouts.worktrees(self.git) if e.branch == self.name]
        if len(entries) > 1:
            raise UserError(
                f"{self.name} is checked out more than once: "
                f"{', '.join(entry.path for entry in entries)}",
                hint=f"git -C {shlex.quote(entries[-1].path)} switch --detach",
            )
        if entries and not os.path.isdir(entries[0].path):
            raise UserError(
                f"{self.name} is checked out in {entries[0].path}, which is gone",
                hint="if it was moved: git worktree repair <the new place>; "
                "if it was deleted: git worktree prune",
            )
        return entries[0] if entries else None

    async def _files(self, entry: WorktreeEntry) -> tuple[str, ...]:
        """What is not committed there; new files are not in the way yet."""
        status = await worktree_status.status_of(self.git, entry.path)
        self.uncertain = tuple(f"{file} (filter {name})" for file, name in status.uncertain)
        behind = [module for module in status.moved if await self._is_behind(entry.path, module)]
        changed = (file for file in status.changed if file not in behind)
        return (*changed, *status.unmerged, *status.submodules)

    async def _is_behind(self, path: str, module: str) -> bool:
        """Whether a submodule stands where the branch had it once: nothing of the user's is new."""
        head = await self.git.commit_of("HEAD", at=os.path.join(path, module))
        return await submodules.was_pinned(self.git, head, module, self.commit)

    async def submodules_behind(self, old: str, new: str) -> list[str]:
        """How the submodules follow where the branch, which moved, is checked out."""
        entry = await self._entry()
        if entry is None or not await submodules.gitlinks(self.git, new, old):
            return []
        git = f"git -C {shlex.quote(entry.path)} submodule"
        (changed,) = await commits.changed_files(self.git, [(old, new)])
        # New ones have to be initialised, and those of another name or URL to be told so.
        sync = f"{git} sync --recursive && " if ".gitmodules" in changed else ""
        init = " --init --recursive" if sync else ""
        return [f"the submodules of the checkout follow with: {sync}{git} update{init}"]

    async def move(self, commit: str) -> None:
        """Move it from where it was to ``commit``.

        Raises :class:`UserError` where it is elsewhere by now, or something is in the way.
        """
        try:
            (touched,) = await commits.changed_files(self.git, [(self.commit, commit)])
            path = await self.check(touched)
            if await self._is_elsewhere():
                raise self._moved()
            if path:
                await self._move_with_files(path, commit)
            else:
                await self.git.move_ref(self.ref, commit, self.commit)
                old, self.commit = self.commit, commit
                await self._catch_up(old)
        except UserError as error:
            moved = isinstance(error, GitError) and await self._is_elsewhere()
            error = self._moved() if moved else error
            error.exit_code = ExitCode.INCOMPLETE
            raise error from None

    async def _move_with_files(self, path: str, commit: str) -> None:
        """Move the files of a checkout, and then the branch.

        The user may switch, commit or reset at any moment: no branch moves but the one that is
        meant, and the files of another one are brought back.
        """
        await self._check_room(path, commit)
        await self._bring(path, commit)
        try:
            await self._check_head(path)
            await self.git.move_ref(self.ref, commit, self.commit, at=path)
        except UserError:
            if await self.git.commit_of(self.ref) == commit:
                return  # git was ended just after it
            await self._bring_back(path, commit)
            raise
        if await checkouts.head_of(self.git, path) != self.ref:
            await self._bring_back(path, commit)

    async def _bring(self, path: str, commit: str) -> None:
        """Bring the files of a checkout to ``commit``. Where that fails, they are put back."""
        (files,) = await commits.changed_files(self.git, [(self.commit, commit)])
        store = os.path.join(await checkouts.admin_dir(self.git, path), STORE)
        with Before(path, store, files) as before:
            try:
                await merging.update_checkout(self.git, path, self.commit, commit)
            except UserError as error:
                left = await self._put_back(before, path, commit)
                if left:
                    where = shlex.quote(path)
                    raise Interrupted(
                        f"{self.name} was not moved; these files of {path} changed meanwhile and "
                        f"stay as they are: {some(left)}",
                        hint=f"git -C {where} status",
                    ) from None
                if isinstance(error, GitError):
                    await self._check_head(path)
                raise

    async def _put_back(self, before: Before, path: str, commit: str) -> Sequence[str]:
        """Put back what git changed in a checkout; the files that somebody else changed."""
        changed = before.changed
        if (
            not changed
            or await checkouts.head_of(self.git, path) != self.ref
            or await self._is_elsewhere()
        ):
            return ()  # nothing is wrong, or the files are those of another commit by now
        return before.restore(await self._written(path, commit, changed))

    async def _written(self, path: str, commit: str, files: Sequence[str]) -> set[str]:
        """Those of the files that hold what ``commit`` has; none where git can't tell soon."""
        with suppress(UserError):
            return await merging.equal_files(self.git, path, commit, files)
        return set()

    async def _check_room(self, path: str, commit: str) -> None:
        """Raise where a file that git does not know, ignored or not, would be replaced."""
        added = await commits.added_files(self.git, self.commit, commit)
        tracked = await commits.files_of(self.git, self.commit) if added else ()
        files = unreadable_entries.colliding(path, added, tracked)
        if files:
            raise UserError(
                f"{path} has files in the way that git does not know: {some(files)}",
                hint="move or commit them, then merge again",
            )

    async def _check_head(self, path: str) -> None:
        if await checkouts.head_of(self.git, path) != self.ref:
            raise UserError(
                f"{path} was switched away from {self.name} in the meantime; nothing was landed",
                hint="type it again: it starts from what is checked out now",
            )

    async def _bring_back(self, path: str, commit: str) -> None:
        """Take the files of ``commit`` out of a checkout, unless its HEAD holds them by now."""
        head = await self.git.commit_of("HEAD", at=path)
        brought, missing = await commits.changed_files(
            self.git, [(self.commit, commit), (head, commit)]
        )
        if not brought.isdisjoint(missing):
            with suppress(GitError):  # where the user has gone on with them, they are the user's
                await merging.update_checkout(self.git, path, commit, self.commit)

    async def _catch_up(self, old: str) -> None:
        """Bring a checkout along that was switched to the branch just before it moved."""
        entry = await self._entry()
        if entry is not None:
            await merging.update_checkout(self.git, entry.path, old, self.commit)

    async def _is_elsewhere(self) -> bool:
        return await self.git.commit_of(self.ref) != self.commit

    def _moved(self) -> UserError:
        return UserError(
            f"{self.name} moved in the meantime; nothing was landed",
            hint="type it again: it starts from where the branch is now",
        )
