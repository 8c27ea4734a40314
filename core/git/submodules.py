"""The submodules of worktrees: filled from local clones, and commits that only a worktree has."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence

from .door import Git, GitError


class Submodules:
    """The submodules of one repository's worktrees, and of those submodules in turn."""

    def __init__(self, git: Git) -> None:
        self.git = git

    async def fill(self, path: str) -> None:
        """Check out those submodules of a new worktree that the user's checkout has.

        Without network: from the clones that are there. Their remotes are the real ones afterwards.
        """
        await self._fill(path, self.git.repository.common_dir)

    async def _fill(self, path: str, git_dir: str) -> None:
        """Fill the submodules of a checkout; ``git_dir`` is where the user's clones of them are."""
        if not os.path.exists(os.path.join(path, ".gitmodules")):
            return
        paths = await self.git.module_paths(path)
        initialised = await self._urls(git_dir)
        clones = {name: os.path.join(git_dir, "modules", name) for name in paths}
        clones = {n: c for n, c in clones.items() if n in initialised and os.path.isdir(c)}
        if not clones:
            return
        pinned = await self.git.pinned(path, [paths[name] for name in clones])
        sources = {
            name: await self._source(clone, pinned.get(paths[name], ""))
            for name, clone in clones.items()
        }
        try:
            await self.git.update_submodules(path, sources)
        except GitError as error:
            where = shlex.quote(self.git.repository.top)
            error.hint = f"git -C {where} submodule update --recursive fetches what is missing"
            raise
        for name, clone in clones.items():
            folder = os.path.join(path, paths[name])
            if _is_checked_out(folder):
                await self.git.set_remotes(folder, await self._remotes(clone, initialised[name]))
                if sources[name] != clone:
                    await self.git.mark_as_filled(folder)
                await self._fill(folder, clone)

    async def _urls(self, git_dir: str) -> dict[str, str]:
        """The URL of each submodule that the user has initialised, by name."""
        found = await self._settings(git_dir, "submodule.", ".url")
        return {key[len("submodule.") : -len(".url")]: value for key, value in found.items()}

    async def _remotes(self, clone: str, url: str) -> Mapping[str, str]:
        """What ``origin`` is in the user's clone; ``url`` where it does not tell."""
        return {"remote.origin.url": url, **await self._settings(clone, "remote.origin.", "url")}

    async def _settings(self, git_dir: str, begin: str, end: str) -> dict[str, str]:
        entries = await self.git.settings(os.path.join(git_dir, "config"))
        return {k: value for _, k, value in entries if k.startswith(begin) and k.endswith(end)}

    async def _source(self, clone: str, commit: str) -> str:
        """The clone that has a commit: the user's, else that of another worktree."""
        common = self.git.repository.common_dir
        worktrees = os.path.join(common, "worktrees")
        below = os.path.relpath(clone, common)
        names = sorted(os.listdir(worktrees)) if os.path.isdir(worktrees) else []
        others = [os.path.join(worktrees, name, below) for name in names]
        for place in (clone, *filter(os.path.isdir, others)):
            if await self.git.has_commit(commit, place):
                return place
        return clone

    async def unpublished(self, path: str, start: str, tip: str) -> list[tuple[str, str]]:
        """Checkout and commit of each submodule that ``tip`` pins since ``start`` and whose commit
        is in no clone but that of the worktree, and on no remote; inner ones come first."""
        if not os.path.isdir(path):
            return []
        links = await self.git.gitlinks(tip, start)
        return await self._unpublished(path, tip, links, self.git.repository.common_dir)

    async def _unpublished(
        self, path: str, commit: str, links: Mapping[str, str], git_dir: str
    ) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        paths = await self.git.module_paths(path, commit) if links else {}
        names = {where: name for name, where in paths.items()}
        for where, pin in links.items():
            folder = os.path.join(path, where)
            if not (_is_checked_out(folder) and await self.git.has_commit(pin, folder)):
                continue
            clone = os.path.join(git_dir, "modules", names.get(where, where))
            inner = await self.git.gitlinks(pin, at=folder)
            found += await self._unpublished(folder, pin, inner, clone)
            known = os.path.isdir(clone) and await self.git.has_commit(pin, clone)
            if not known and not await self.git.is_on_remote(pin, folder):
                found.append((folder, pin))
        return found

    async def publishing(self, found: Sequence[tuple[str, str]], branch: str) -> list[str]:
        """The commands that publish such commits, on a branch of the feature's name."""
        return [await self._push(folder, commit, branch) for folder, commit in found]

    async def _push(self, folder: str, commit: str, branch: str) -> str:
        git = f"git -C {shlex.quote(folder)}"
        push = f"{git} push origin {shlex.quote(f'{commit}:refs/heads/{branch}')}"
        has_remote = await self.git.has_remote(folder)
        return push if has_remote else f"{git} remote add origin URL && {push}"


def _is_checked_out(folder: str) -> bool:
    """Else git would take the repository around it for the submodule."""
    return os.path.lexists(os.path.join(folder, ".git"))
