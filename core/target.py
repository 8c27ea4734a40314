"""The branch that features land on: whether it may move, and how it moves."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable

from .errors import ExitCode, UserError
from .git import Git, GitError, WorktreeEntry

SHOWN_FILES = 5


class Target:
    """The branch ``name``, at ``commit``; a worktree that has it checked out moves along."""

    def __init__(self, git: Git, name: str, commit: str) -> None:
        self.git = git
        self.name = name
        self.ref = f"refs/heads/{name}"
        self.commit = commit

    async def settle(self, tips: Iterable[str]) -> bool:
        """Finish a move to one of ``tips`` that ended when all but the branch had moved.

        So it is where the machine went down, or git was killed, in the middle of it.
        """
        entry = await self._entry()
        if entry is None or await self._files(entry) == ():
            return False
        for tip in tips:
            forward = tip != self.commit and await self.git.is_ancestor(self.commit, tip)
            if forward and await self.git.stands_at(entry.path, tip):
                await self.git.move_ref(self.ref, tip, self.commit)
                self.commit = tip
                return True
        return False

    async def check(self) -> str:
        """Where the branch is checked out, with nothing in the way; empty where it is nowhere.

        Raises :class:`UserError` for what forbids to move it.
        """
        meant = (await self.git.meant_by(self.ref))[len("refs/heads/") :]
        if meant:
            # Where that one is checked out would be looked for under the wrong name.
            raise UserError(
                f"{self.name} only stands for {meant}", hint=f"--into {shlex.quote(meant)}"
            )
        rebased = self.git.rebased_in(self.name)
        if rebased:
            raise UserError(
                f"a rebase of {self.name} is going on ({rebased})",
                hint="end it with git rebase --continue or --abort",
            )
        entry = await self._entry()
        if entry is None:
            return ""
        where = shlex.quote(entry.path)
        busy = await self.git.busy_with(entry.path)
        if busy:
            raise UserError(
                f"{busy} is going on in {entry.path}, which has {self.name} checked out",
                hint=f"end it: git -C {where} status",
            )
        files = await self._files(entry)
        if files:
            more = f" and {len(files) - SHOWN_FILES} more" if len(files) > SHOWN_FILES else ""
            raise UserError(
                f"{entry.path} has {self.name} checked out, and files that are not committed: "
                f"{', '.join(files[:SHOWN_FILES])}{more}",
                hint=f"commit them, or: git -C {where} stash",
            )
        return entry.path

    async def _entry(self) -> WorktreeEntry | None:
        entries = [e for e in await self.git.worktrees() if e.branch == self.name]
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
        status = await self.git.status(entry.path)
        return (*status.changed, *status.unmerged, *status.submodules)

    async def move(self, commit: str) -> None:
        """Move it from where it was to ``commit``.

        Raises :class:`UserError` where it is elsewhere by now, or something is in the way.
        """
        try:
            path = await self.check()
            # Where it is checked out git compares for itself: it only ever goes forward.
            if await self.git.commit_of(self.ref) != self.commit:
                raise self._moved()
            if path:
                await self.git.fast_forward(path, commit)
            else:
                await self.git.move_ref(self.ref, commit, self.commit)
        except UserError as error:
            moved = isinstance(error, GitError) and await self._is_elsewhere()
            error = self._moved() if moved else error
            error.exit_code = ExitCode.INCOMPLETE
            raise error from None

    async def _is_elsewhere(self) -> bool:
        return await self.git.commit_of(self.ref) != self.commit

    def _moved(self) -> UserError:
        return UserError(
            f"{self.name} moved in the meantime; nothing was landed",
            hint="type it again: it starts from where the branch is now",
        )
