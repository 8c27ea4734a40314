"""The index of a worktree: `git update-index`, `git commit`, `git write-tree`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from ..model.translate import N_
from . import known_settings, unreadable_entries, worktree_status
from .door import TRIES, Git
from .output import Commit, parse_shortstat
from .paths import is_beyond_link


async def stage(git: Git, path: str, files: Iterable[str], *, index: str = "") -> None:
    """Stage files, including deleted ones."""
    files = list(files)
    # git refuses these: a symbolic link replaced their folder.
    beyond = [file for file in files if is_beyond_link(path, file)]
    folders = {file for file in files if unreadable_entries.is_folder(path, file)}
    if folders:
        # git stages a folder that is a submodule, and fails for a folder that replaced a file.
        folders -= set(await worktree_status.submodules_in(git, path, env_with_index(git, index)))
    there = set(files).difference(beyond, folders)
    await update_index(git, path, sorted(there), "--add", "--remove", "--replace", index=index)
    await unstage(git, path, (*beyond, *sorted(folders)), index=index)


async def unstage(git: Git, path: str, files: Iterable[str], *, index: str = "") -> None:
    """Remove files from the index, not from the worktree."""
    await update_index(git, path, files, "--force-remove", index=index)


async def restore(git: Git, path: str, files: Iterable[str], commit: str = "HEAD") -> None:
    """Restore files and their index entries from a commit.

    Those of another commit than HEAD come also if a sparse checkout leaves them out.
    """
    names = b"".join(os.fsencode(file) + b"\0" for file in files)
    if names:
        given = ("--pathspec-from-file=-", "--pathspec-file-nul")
        sparse = () if commit == "HEAD" else ("--ignore-skip-worktree-bits",)
        await git.run(
            N_("restore the files of {path}").format(path=path),
            *("checkout", "--force", "--quiet", "--no-recurse-submodules", *sparse, commit, *given),
            at=path,
            stdin=names,
            guarded=True,
            env={**git.environ, "GIT_LITERAL_PATHSPECS": "1"},
        )


async def update_index(
    git: Git, path: str, files: Iterable[str], *options: str, index: str
) -> None:
    names = b"".join(os.fsencode(file) + b"\0" for file in files)
    if names:
        # Else git may write a shared index next to the worktree's own.
        settings: tuple[str, ...] = ("-c", "core.splitIndex=false") if index else ()
        if git.is_read_only:
            # Clearing a bit makes git compare the file through its filter.
            settings += git.without(await git.named_programs(path), strict=False)
        await git.run(
            N_("stage the files of {path}").format(path=path),
            *("update-index", *options, "-z", "--stdin"),
            at=path,
            stdin=names,
            guarded=await known_settings.may_run_programs(git),
            env=env_with_index(git, index),
            settings=settings,
        )


def env_with_index(git: Git, index: str) -> Mapping[str, str]:
    return {**git.environ, "GIT_INDEX_FILE": index} if index else git.environ


async def commit(
    git: Git,
    path: str,
    message: str,
    hooks: str = "",
    *,
    amend: bool = False,
    runs_hooks: bool = True,
) -> Commit:
    """Commit the index of a worktree; the new commit.

    ``hooks`` is a hooks folder to use instead of the user's. The command is then not retried:
    output of a hook may look like a transient error of git.
    """
    identity = await git.identity()
    instead = ("-c", f"core.hooksPath={hooks}") if hooks else ()
    amending = ("--amend",) if amend else ()
    arguments = (*instead, "commit", "--quiet", *amending, "-m", message)
    await git.run(
        N_("commit in {path}").format(path=path),
        *arguments,
        at=path,
        guarded=runs_hooks or await known_settings.commit_may_run_programs(git),
        hooks=runs_hooks,
        env=identity,
        tries=1 if hooks else TRIES,
    )
    return await head_commit(git, path)


async def head_commit(git: Git, path: str) -> Commit:
    """The HEAD commit of a worktree."""
    # --always: a hook may have left an empty commit.
    seen = (
        "diff-tree",
        "-r",
        "-M",
        "--always",
        "--shortstat",
        "--pretty=tformat:%H %P",
        "HEAD",
    )
    finished = await git.run(N_("read HEAD"), *seen, at=path)
    named, _, numbers = finished.text.partition("\n")
    id, *parents = named.split()
    return Commit(id, tuple(parents), parse_shortstat(numbers))


async def written_tree(git: Git, path: str) -> str:
    """The tree of a worktree's index."""
    return (await git.run(N_("write the tree"), "write-tree", at=path)).text


async def snapshot_tree(git: Git, path: str, files: Iterable[str], index: str) -> str:
    """The tree of HEAD with the current ``files``, written with a temporary index."""
    env = env_with_index(git, index)
    await git.run(N_("read HEAD"), "read-tree", "HEAD", at=path, env=env)
    await stage(git, path, files, index=index)
    return (await git.run(N_("write the tree"), "write-tree", at=path, env=env)).text


async def index_tree(git: Git, path: str, files: Iterable[str], index: str) -> str:
    """A tree of only the staged ``files``, written with a temporary index."""
    wanted = {os.fsencode(file) for file in files}
    listed = await git.run(N_("read the index"), "ls-files", "--stage", "-z", at=path)
    entries = (e for e in listed.stdout.split(b"\0") if e.partition(b"\t")[2] in wanted)
    env = env_with_index(git, index)
    given = b"".join(entry + b"\0" for entry in entries)
    doing = N_("stage the files of {path}").format(path=path)
    await git.run(doing, "update-index", "-z", "--index-info", at=path, stdin=given, env=env)
    return (await git.run(N_("write the tree"), "write-tree", at=path, env=env)).text
