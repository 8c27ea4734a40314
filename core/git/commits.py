"""Files of commits: `ls-tree`, `grep`, `diff-tree`, diff statistics."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from ..model.translate import N_
from .door import PATHS_AT_ONCE, Git
from .output import DiffStat, parse_names, parse_shortstat


async def has_path(git: Git, commit: str, path: str) -> bool:
    """Whether a commit contains a file or a folder of that name."""
    spelled = f"{commit}:{os.path.normpath(path)}"
    return (await git.try_run("cat-file", "-e", spelled)).code == 0


async def folders(git: Git, commit: str) -> list[str]:
    """All folders of a commit."""
    arguments = ("ls-tree", "-r", "-d", "-z", "--name-only", "--full-tree", commit)
    finished = await git.run(N_("read a commit"), *arguments)
    return os.fsdecode(finished.stdout).split("\0")[:-1]


async def content_of(git: Git, commit: str, path: str) -> bytes | None:
    """The content of a file in a commit; ``None`` if it has no such file."""
    finished = await git.try_run("cat-file", "blob", f"{commit}:{path}")
    return finished.stdout if finished.code == 0 else None


async def present(git: Git, commit: str, paths: Iterable[str]) -> set[str]:
    """Those of ``paths`` that a commit contains; folders end with a slash."""
    spelled = {path.rstrip("/"): path for path in paths}
    names, found = list(spelled), set()
    for start in range(0, len(names), PATHS_AT_ONCE):
        asked = names[start : start + PATHS_AT_ONCE]
        arguments = ("ls-tree", "--full-tree", "--name-only", "-z", commit, "--", *asked)
        literally = {**git.environ, "GIT_LITERAL_PATHSPECS": "1"}
        finished = await git.run(N_("read a commit"), *arguments, env=literally)
        found.update(os.fsdecode(finished.stdout).split("\0"))
    return {path for name, path in spelled.items() if name in found}


async def has_line(git: Git, commit: str, pattern: str, exclude: Iterable[str] = ()) -> bool:
    """Whether a line of a commit's files matches a POSIX extended regular expression.

    ``exclude`` are patterns of files to ignore.
    """
    arguments = ("grep", "--quiet", "--no-textconv", "-I", "-E", "-e", pattern, commit)
    finished = await git.try_run(*arguments, "--", *(f":(exclude){each}" for each in exclude))
    if finished.code not in (0, 1):
        raise git.error(N_("search the commit"), finished)
    return finished.code == 0


async def lines_with(git: Git, commit: str, words: Sequence[str], exclude: Iterable[str]) -> str:
    """The lines of a commit's files that contain one of ``words``, as a whole word.

    ``exclude`` are patterns of files to ignore.
    """
    if not words:
        return ""
    wanted = [option for word in words for option in ("-e", word)]
    arguments = ("grep", "-h", "--no-textconv", "--no-color", "-I", "-F", "-w", *wanted, commit)
    finished = await git.try_run(*arguments, "--", *(f":(exclude){each}" for each in exclude))
    if finished.code not in (0, 1):
        raise await git.refusal(N_("search the commit"), finished)
    return finished.stdout.decode("utf-8", "replace")


async def diffstat(git: Git, old: str, new: str) -> DiffStat:
    """The numbers of files and lines that differ between two commits."""
    finished = await git.run(
        N_("compare commits"), "diff-tree", "-r", "-M", "--shortstat", old, new
    )
    return parse_shortstat(finished.text)


async def changed_files(
    git: Git, pairs: Sequence[tuple[str, str]], *, only: str = ""
) -> list[frozenset[str]]:
    """The files that differ, for each pair of an older and a newer commit.

    ``only`` are the letters of ``--diff-filter``: ``D`` are those that the newer one lacks.
    """
    if not pairs:
        return []
    # git takes the second commit on a line for the parent of the first.
    listed = "".join(f"{new} {old}\n" for old, new in pairs).encode()
    kinds = (f"--diff-filter={only}",) if only else ()
    arguments = ("diff-tree", "-r", "--always", "--no-renames", "--name-only", *kinds, "--stdin")
    finished = await git.run(N_("compare commits"), *arguments, stdin=listed)
    return parse_names(finished.text.splitlines(), [new for _, new in pairs])


async def latest_changes(git: Git, commit: str, count: int) -> list[frozenset[str]]:
    """The files that each of the latest ``count`` commits changed, without merges."""
    listed = ("rev-list", f"--max-count={count}", "--no-merges", commit)
    ids = (await git.run(N_("list commits"), *listed)).text.split()
    arguments = ("diff-tree", "-r", "--always", "--no-renames", "--name-only", "--stdin")
    stdin = "".join(f"{id}\n" for id in ids).encode()
    finished = await git.run(N_("read its history"), *arguments, stdin=stdin)
    return parse_names(finished.text.splitlines(), ids)


async def existing(git: Git, ids: Sequence[str]) -> set[str]:
    """Those of the commits that the repository still has."""
    stdin = "".join(f"{id}\n" for id in ids).encode()
    wanted = "--batch-check=%(objectname) %(objecttype)"
    lines = (
        await git.run(N_("look for commits"), "cat-file", wanted, stdin=stdin)
    ).text.splitlines()
    return {id for id, _, kind in (line.partition(" ") for line in lines) if kind == "commit"}


async def added_files(git: Git, old: str, new: str) -> list[str]:
    """The files that ``new`` has and ``old`` has not."""
    arguments = ("diff-tree", "-r", "-z", "--no-renames", "--name-only", "--diff-filter=A")
    finished = await git.run(N_("compare commits"), *arguments, old, new)
    return [name for name in os.fsdecode(finished.stdout).split("\0") if name]


async def files_of(git: Git, commit: str) -> set[str]:
    """The names of all files in a commit."""
    arguments = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    finished = await git.run(N_("list the files of the commit"), *arguments)
    return set(os.fsdecode(finished.stdout).split("\0"))


async def blobs_of(git: Git, commit: str) -> dict[str, str]:
    """The mode and the id of each file in a commit, by name; of a submodule, its commit."""
    arguments = ("ls-tree", "-r", "-z", "--full-tree", commit)
    finished = await git.run(N_("list the files of the commit"), *arguments)
    lines = (line.partition("\t") for line in os.fsdecode(finished.stdout).split("\0") if line)
    return {name: facts for facts, _, name in lines}
