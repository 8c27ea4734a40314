"""`Supplies`: copies and links ignored files of the main checkout (`project.copy`, `.link`)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Iterable, Sequence

from ..git import worktree_status
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.feature import Project
from ..model.translate import N_
from ..process.temporary_folder import remove_tree
from ..worktree import admin_files, copy_link, supply_digest
from ..worktree.manager import WorktreeManager
from ..worktree.names import RUBBISH
from ..worktree.worktree import Worktree


class Supplies:
    """The copied and linked files of a list.

    With ``copies_links``, links become copies, also links inside a copied folder that lead out of
    it: nothing in the worktree leads back to the user's files. Files in the folder ``exclude`` are
    left out, because it has the worktrees.
    """

    def __init__(
        self,
        worktrees: WorktreeManager,
        project: Project,
        *,
        exclude: str = "",
        copies_links: bool = False,
    ) -> None:
        self.worktrees = worktrees
        self.project = project
        self.exclude = exclude or worktrees.folder
        self.copies_links = copies_links

    async def bring(self, worktree: Worktree, stopped: Callable[[], bool]) -> None:
        """Copy and link. Raises :class:`UserError` if this fails or is stopped."""
        project = self.project
        if self.worktrees.git.repository.bare and (project.copy or project.link):
            raise UserError(
                N_("a bare repository has no files to copy or to link"),
                hint=N_("take project.copy and project.link out of the list"),
            )
        try:
            digest = await self.digest(stopped)
            copied = await self._wanted(worktree, project.copy, stopped)
            linked = await self._wanted(worktree, project.link, stopped)
            await self._check_ignored(worktree, copied, linked)
            # In a thread: a large folder must not block the other features.
            await asyncio.get_running_loop().run_in_executor(
                None, lambda: self._put(worktree.path, copied, linked, stopped)
            )
            if digest:
                supply_digest.save(admin_files.admin_folder(self.worktrees, worktree.path), digest)
        except OSError as error:
            raise UserError(
                N_("{path} could not be supplied: {why}").format(
                    path=worktree.path, why=_why(error)
                )
            ) from None

    async def digest(self, stopped: Callable[[], bool] = copy_link.never_stopped) -> str:
        """The digest of what a copy would bring now; empty if nothing is to be copied.

        Raises :class:`UserError` if it can't be read, or is stopped.
        """
        top, patterns = self.worktrees.git.repository.top, self.project.copy
        if not patterns or self.worktrees.git.repository.bare:
            return ""

        def take() -> str:
            names = copy_link.matching(top, patterns, exclude=self.exclude, stopped=stopped)
            return supply_digest.digest_of(top, names)

        try:
            return await asyncio.get_running_loop().run_in_executor(None, take)
        except OSError as error:
            raise UserError(
                N_("files of project.copy could not be read: {why}").format(why=_why(error))
            ) from None

    def _put(
        self,
        path: str,
        copied: Iterable[str],
        linked: Iterable[str],
        stopped: Callable[[], bool],
    ) -> None:
        """Copy and link into a worktree. Raises ``OSError``."""
        top, staging = self.worktrees.git.repository.top, path + RUBBISH
        if self.copies_links:
            copied, linked = [*copied, *linked], ()
        for name in copied:
            remove_tree(staging)
            try:
                copy_link.copy(
                    top, name, path, stopped, staging=staging, contained=self.copies_links
                )
            finally:
                remove_tree(staging)
        for name in linked:
            copy_link.link(top, name, path)

    async def _wanted(
        self, worktree: Worktree, patterns: Sequence[str], stopped: Callable[[], bool]
    ) -> list[str]:
        """The matches of the patterns that the worktree does not have.

        If it has a folder with tracked files, the ignored files that are missing there.
        """
        top = self.worktrees.git.repository.top
        wanted: list[str] = []
        # In a thread: `**` may search a large tree.
        found = await asyncio.get_running_loop().run_in_executor(
            None, lambda: copy_link.matching(top, patterns, exclude=self.exclude, stopped=stopped)
        )
        for name in found:
            target = os.path.join(worktree.path, name)
            if not os.path.lexists(target):
                wanted.append(name)
            elif os.path.isdir(target) and not os.path.islink(target):
                ignored = (
                    await worktree_status.status_of(self.worktrees.git, top, ignored=True)
                ).ignored
                below = [file.rstrip("/") for file in ignored if file.startswith(f"{name}/")]
                wanted += [file for file in below if not _is_there(worktree.path, file)]
        return wanted

    async def _check_ignored(
        self, worktree: Worktree, copied: Collection[str], linked: Collection[str]
    ) -> None:
        """Raise :class:`UserError` for files that git does not ignore: they would be committed."""
        top = self.worktrees.git.repository.top
        asked = {name: _as_git_sees_it(top, name) for name in copied}
        asked.update((name, name) for name in linked if name not in asked)
        if not asked:
            return
        ignored = await worktree_status.ignored_of(
            self.worktrees.git, worktree.path, asked.values()
        )
        shown = [name for name, spelled in asked.items() if spelled not in ignored]
        if shown:
            raise UserError(
                N_(
                    "git does not ignore {shown}: what is copied or linked would be committed"
                ).format(shown=some(shown)),
                hint=N_(
                    "name it in .gitignore without a slash at its end (node_modules/ ignores "
                    "a folder, not a link to one), or copy it instead of linking it"
                ),
            )


def _why(error: OSError) -> str:
    """The first fault if several files of a folder could not be copied."""
    faults = error.args[0] if error.args else ""
    return str(faults[0][-1]) if isinstance(faults, list) else str(error)


def _is_there(worktree: str, file: str) -> bool:
    return os.path.lexists(os.path.join(worktree, file))


def _as_git_sees_it(top: str, name: str) -> str:
    return f"{name}/" if os.path.isdir(os.path.join(top, name)) else name
