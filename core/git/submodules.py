"""Submodules of worktrees: checked out from local clones; commits not pushed yet."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence

from ..model.translate import N_
from . import configuration
from .ahead import NO_FETCH
from .door import LITERAL, Git, GitError
from .output import parse_gitlinks
from .paths import is_there


class Submodules:
    """The submodules of one repository's worktrees, recursively."""

    def __init__(self, git: Git) -> None:
        self.git = git

    async def fill(self, path: str) -> None:
        """Check out those submodules of a new worktree that the main checkout has.

        They are cloned from local clones, without network, and get the real remotes afterwards.
        """
        await self._fill(path, self.git.repository.common_dir)

    async def _fill(self, path: str, git_dir: str) -> None:
        """Check out the submodules of a checkout; ``git_dir`` contains the user's clones."""
        if not os.path.exists(os.path.join(path, ".gitmodules")):
            return
        paths = await module_paths(self.git, path)
        initialised = await self._urls(git_dir)
        clones = {name: os.path.join(git_dir, "modules", name) for name in paths}
        clones = {n: c for n, c in clones.items() if n in initialised and os.path.isdir(c)}
        if not clones:
            return
        pinned = await pins_of(self.git, path, [paths[name] for name in clones])
        sources = {
            name: await self._source(clone, pinned.get(paths[name], ""))
            for name, clone in clones.items()
        }
        try:
            await update_submodules(self.git, path, sources)
        except GitError as error:
            where = shlex.quote(self.git.repository.top)
            hint = N_("git -C {where} submodule update --recursive fetches what is missing")
            error.hint = hint.format(where=where)
            raise
        for name, clone in clones.items():
            folder = os.path.join(path, paths[name])
            if _is_checked_out(folder):
                await set_remotes(self.git, folder, await self._remotes(clone, initialised[name]))
                if sources[name] != clone:
                    await mark_as_filled(self.git, folder)
                await self._fill(folder, clone)

    async def _urls(self, git_dir: str) -> dict[str, str]:
        """URL by name of the submodules that the user initialised."""
        found = await self._settings(git_dir, "submodule.", ".url")
        return {key[len("submodule.") : -len(".url")]: value for key, value in found.items()}

    async def _remotes(self, clone: str, url: str) -> Mapping[str, str]:
        """The settings of ``origin`` in the user's clone, with ``url`` as the default."""
        return {"remote.origin.url": url, **await self._settings(clone, "remote.origin.", "url")}

    async def _settings(self, git_dir: str, begin: str, end: str) -> dict[str, str]:
        entries = await configuration.settings(self.git, os.path.join(git_dir, "config"))
        return {k: value for _, k, value in entries if k.startswith(begin) and k.endswith(end)}

    async def _source(self, clone: str, commit: str) -> str:
        """A clone that has the commit: the user's, else another worktree's."""
        common = self.git.repository.common_dir
        worktrees = os.path.join(common, "worktrees")
        below = os.path.relpath(clone, common)
        names = sorted(os.listdir(worktrees)) if os.path.isdir(worktrees) else []
        others = [os.path.join(worktrees, name, below) for name in names]
        for place in (clone, *filter(os.path.isdir, others)):
            if await has_commit(self.git, commit, place):
                return place
        return clone

    async def unpublished(self, path: str, start: str, tip: str) -> list[tuple[str, str]]:
        """Checkout and commit of each submodule commit that only this worktree has.

        That is one that ``tip`` pins and ``start`` does not, and that is neither on a remote
        nor in the user's clone. Inner submodules come first.
        """
        if not os.path.isdir(path):
            return []
        links = await gitlinks(self.git, tip, start)
        return await self._unpublished(path, tip, links, self.git.repository.common_dir)

    async def _unpublished(
        self, path: str, commit: str, links: Mapping[str, str], git_dir: str
    ) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        paths = await module_paths(self.git, path, commit) if links else {}
        names = {where: name for name, where in paths.items()}
        for where, pin in links.items():
            folder = os.path.join(path, where)
            if not (_is_checked_out(folder) and await has_commit(self.git, pin, folder)):
                continue
            clone = os.path.join(git_dir, "modules", names.get(where, where))
            inner = await gitlinks(self.git, pin, at=folder)
            found += await self._unpublished(folder, pin, inner, clone)
            known = os.path.isdir(clone) and await has_commit(self.git, pin, clone)
            if not known and not await is_on_remote(self.git, pin, folder):
                found.append((folder, pin))
        return found

    async def push_commands(self, found: Sequence[tuple[str, str]], branch: str) -> list[str]:
        """The commands that push such commits to a branch with the feature's name."""
        return [await self._push(folder, commit, branch) for folder, commit in found]

    async def _push(self, folder: str, commit: str, branch: str) -> str:
        git = f"git -C {shlex.quote(folder)}"
        push = f"{git} push origin {shlex.quote(f'{commit}:refs/heads/{branch}')}"
        has_remote = await has_a_remote(self.git, folder)
        return push if has_remote else f"{git} remote add origin URL && {push}"


def _is_checked_out(folder: str) -> bool:
    """Whether it has a ``.git``; else git would use the repository around it."""
    return os.path.lexists(os.path.join(folder, ".git"))


async def module_paths(git: Git, path: str, commit: str = "") -> dict[str, str]:
    """Path by name of the submodules in ``.gitmodules`` of a checkout or a commit."""
    source = ("--blob", f"{commit}:.gitmodules") if commit else ("--file", ".gitmodules")
    listing = ("config", *source, "-z", "--get-regexp", MODULE_PATH)
    finished = await git.try_run(*listing, at=path, env=offline_environment(git), elsewhere=True)
    entries = os.fsdecode(finished.stdout).split("\0")
    pairs = (entry.split("\n", 1) for entry in entries if "\n" in entry)
    return {key[len("submodule.") : -len(".path")]: path for key, path in pairs}


async def pins_of(git: Git, path: str, modules: Iterable[str]) -> dict[str, str]:
    """Submodule commits in the index of a worktree, by path."""
    listing = ("ls-files", "--stage", "-z", "--", *modules)
    finished = await git.run(N_("read the index"), *listing, at=path, settings=LITERAL)
    return parse_gitlinks(finished.stdout, commit=1)


async def update_submodules(git: Git, path: str, sources: Mapping[str, str]) -> None:
    """Check out submodules of a worktree, each from its clone in ``sources``."""
    # On the command line, so that the shared config is not written.
    local = [w for name, url in sources.items() for w in ("-c", f"submodule.{name}.url={url}")]
    allowed = ("-c", "protocol.file.allow=always", "-c", "clone.defaultRemoteName=origin")
    doing, settings = N_("check out the submodules"), (*allowed, *local)
    arguments = ("submodule", "--quiet", "update")
    # If the user sets this variable, protocol.file.allow has no effect.
    only = git.environ.get("GIT_ALLOW_PROTOCOL")
    env = {**git.environ, **({} if only is None else {"GIT_ALLOW_PROTOCOL": f"{only}:file"})}
    await git.run(doing, *arguments, at=path, guarded=True, settings=settings, env=env)


async def set_remotes(git: Git, path: str, settings: Mapping[str, str]) -> None:
    """Write the settings of remotes into a submodule that was just checked out."""
    for key, value in settings.items():
        await git.run(N_("set the URL of a submodule"), "config", key, value, at=path)


async def mark_as_filled(git: Git, path: str) -> None:
    """Record in a submodule the commit that it got from another worktree's clone."""
    await git.run(N_("mark a submodule"), "update-ref", f"{FILLED}from", "HEAD", at=path)


async def gitlinks(git: Git, tip: str, start: str = "", *, at: str = "") -> dict[str, str]:
    """Submodule commits in ``tip``, by path; with ``start``, only those that differ."""
    if start:
        arguments = ("diff-tree", "-r", "-z", "--raw", "--no-renames", start, tip)
        words = (await git.run(N_("compare commits"), *arguments)).stdout.split(b"\0")
        pairs = zip(words[::2], words[1::2])
        # :mode mode commit commit status
        changed = ((raw.split(b" ")[1::2], file) for raw, file in pairs)
        entries = (b"%b %b\t%b" % (mode, commit, file) for (mode, commit), file in changed)
        return parse_gitlinks(b"\0".join(entries), commit=1)
    listing = ("ls-tree", "-r", "-z", "--full-tree", tip)
    offline = offline_environment(git)
    finished = await git.run(N_("read a commit"), *listing, at=at, env=offline, elsewhere=True)
    return parse_gitlinks(finished.stdout, commit=2)


async def known_paths(git: Git, commit: str) -> list[str]:
    """The paths of the submodules in a commit, which is read once."""
    known = git.answers.get("submodules", commit)
    if known is None:
        known = "\0".join(await gitlinks(git, commit))
        git.answers.put(known, "submodules", commit)
    return known.split("\0") if known else []


async def has_commit(git: Git, commit: str, path: str) -> bool:
    """Whether a clone has a commit, without fetching."""
    asked = ("cat-file", "-e", f"{commit}^{{commit}}")
    return (
        await git.try_run(*asked, at=path, env=offline_environment(git), elsewhere=True)
    ).code == 0


async def is_on_remote(git: Git, commit: str, path: str) -> bool:
    """Whether a remote-tracking branch of a clone contains a commit."""
    asked = ("rev-list", "-n", "1", commit, "--not", "--remotes")
    finished = await git.try_run(*asked, at=path, env=offline_environment(git), elsewhere=True)
    return finished.code == 0 and not finished.text


async def has_a_remote(git: Git, path: str) -> bool:
    """Whether a clone has a remote ``origin``."""
    asked = ("config", "--get", "remote.origin.url")
    return (
        await git.try_run(*asked, at=path, env=offline_environment(git), elsewhere=True)
    ).code == 0


async def was_pinned(git: Git, commit: str, path: str, tip: str) -> bool:
    """Whether the history of ``tip`` pins a submodule to a commit."""
    asked = ("log", "-1", "--format=%H", "--no-show-signature", f"--find-object={commit}")
    finished = await git.try_run(*asked, tip, "--", path, settings=LITERAL)
    return finished.code == 0 and bool(finished.text)


def offline_environment(git: Git) -> Mapping[str, str]:
    """For reading a clone whose settings an agent may have written."""
    return {**git.environ, **NO_FETCH}


def clone_of_submodule(git: Git, name: str) -> str:
    clone = os.path.join(git.repository.common_dir, "modules", name)
    return clone if os.path.isdir(clone) else ""


async def unpublished_commits(git: Git, path: str, name: str) -> int:
    """The number of commits of a submodule that are neither on a remote nor in our clone.

    ``path`` is its checkout or its git folder. Commits from another worktree's clone are safe
    there and do not count.
    """
    left_out = ("--not", "--remotes", f"--glob={FILLED}*")
    arguments = ("rev-list", "HEAD", "--branches", *left_out)
    env = git.environ
    if is_there(path, "objects"):
        # Else git fails if the checkout is gone.
        env = {**env, "GIT_DIR": path, "GIT_WORK_TREE": path}
    finished = await git.try_run(*arguments, at=path, env=env, elsewhere=True)
    clone = clone_of_submodule(git, name)
    if finished.code != 0 or not clone:
        return len(finished.text.split()) or finished.code
    listed = ("cat-file", "--batch-check")
    known = await git.run(
        N_("look for commits"), *listed, at=clone, stdin=finished.stdout, elsewhere=True
    )
    return sum(line.endswith(" missing") for line in known.text.splitlines())


FILLED = "refs/rorchestrator/filled/"
"""In a submodule's clone: the commits that it got from another worktree's clone."""


MODULE_PATH = r"^submodule\..*\.path$"
