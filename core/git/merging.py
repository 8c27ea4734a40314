"""Merges, with or without a worktree: trees, conflicts, leftover conflict markers."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable

from ..model.frozen import replace
from ..process.spawner import Finished
from . import worktree_status
from .door import Git, Unknown
from .filters_and_drivers import DRIVER, Programs
from .output import NO_PLACE, parts


async def merged_tree(git: Git, one: str, other: str) -> tuple[str, list[str]]:
    """The tree of a merge, empty where there is a conflict, and the files in conflict.

    As ``git merge`` makes it where ``one`` is checked out, by attributes and settings. No
    program runs: raises :class:`Unknown` where one would decide, or this git can't merge so.
    Few conflicts are of no file. Format: git-merge-tree(1), "OUTPUT".
    """
    if not git.merges_without_worktree:
        raise Unknown("unknown, for only git 2.38 or newer merges without a working tree")
    known = git.answers.get("merge", one, other)
    if known is None:
        tree, files = await _merged_tree(git, one, other)
        if git.is_lasting(one, other):
            git.answers.put("\0".join((tree, *files)), "merge", one, other)
        return tree, files
    tree, *files = known.split("\0")
    return tree, files


async def _merged_tree(git: Git, one: str, other: str) -> tuple[str, list[str]]:
    programs = await git.named_programs()
    finished = await _merge_tree(git, programs, one, other)
    if os.fsencode(DRIVER) in finished.stderr:
        raise Unknown("a merge driver decides whether they merge, and none runs for a look")
    tree, *files = os.fsdecode(finished.stdout).split("\0")
    if finished.code == 0:
        return tree, []
    if finished.code == 1 and tree:
        return "", sorted({file for file in files if file})
    if programs.renormalizes and programs.filters:
        raise Unknown("a filter decides whether they merge, and none runs for a look")
    raise await git.refusal("merge", finished)


async def _merge_tree(git: Git, programs: Programs, one: str, other: str) -> Finished:
    folder = await _attributes_of(git, one)
    git.redirect_objects()
    # Attributes are read from the working tree: here it has nothing else.
    place = {"GIT_DIR": git.repository.common_dir, "GIT_WORK_TREE": folder}
    return await git.try_run(
        *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", one, other),
        at=folder,
        env={**git.environ, **place},
        settings=git.without(programs, strict=True),
    )


async def _attributes_of(git: Git, commit: str) -> str:
    """A folder that has of a commit's files only those that merges read."""
    tree = await git.tree_of(commit)
    if tree not in git.attributes:
        listed = await git.run("list files", "ls-tree", "-r", "-z", "--full-tree", tree)
        found = ATTRIBUTES.findall(listed.stdout)
        files = {path: blob for blob, path in found if NO_PLACE.isdisjoint(parts(path))}
        contents = await _contents(git, files.values())
        for path, content in zip(files, contents):
            git.scratch.write(os.path.join(tree, os.fsdecode(path)), content)
        git.attributes[tree] = git.scratch.folder(tree)
    return git.attributes[tree]


async def _contents(git: Git, blobs: Collection[bytes]) -> list[bytes]:
    """What each of the blobs holds; format: git-cat-file(1), "BATCH OUTPUT"."""
    if not blobs:
        return []
    asked = b"".join(blob + b"\n" for blob in blobs)
    finished = await git.run("read files", "cat-file", "--batch", stdin=asked)
    contents: list[bytes] = []
    rest = finished.stdout
    while rest:
        heading, _, rest = rest.partition(b"\n")
        if heading.endswith(b" missing"):
            raise await git.refusal("read files", replace(finished, stderr=heading))
        size = int(heading.rsplit(b" ", 1)[1])
        contents.append(rest[:size])
        rest = rest[size + 1 :]
    return contents


async def merge_into_worktree(git: Git, path: str, commit: str, message: str) -> list[str]:
    """Merge ``commit`` inside a worktree; the files in conflict, after undoing the merge.

    For a git that cannot merge without a working tree.
    """
    identity = await git.identity()
    arguments = ("merge", "--quiet", "--no-ff", "--no-gpg-sign", "--no-verify-signatures")
    merged = await git.try_run(
        *(*arguments, "-m", message, commit),
        at=path,
        guarded=True,
        env=identity,
        settings=("-c", "rerere.enabled=false"),
    )
    if merged.code == 0:
        return []
    listed = await git.try_run("diff", "--name-only", "--diff-filter=U", "-z", at=path)
    await git.try_run("merge", "--abort", at=path)
    files = os.fsdecode(listed.stdout).strip("\0").split("\0")
    if files == [""]:
        raise git.error("merge", merged)
    return sorted(files)


async def begin_merge(git: Git, path: str, commit: str) -> tuple[str, ...]:
    """Begin to merge ``commit`` in a worktree and leave it there; the files in conflict.

    The markers show the base as well. Raises where nothing is left to resolve.
    """
    settings = ("-c", "merge.conflictStyle=diff3", "-c", "rerere.enabled=false")
    arguments = ("merge", "--quiet", "--no-commit", "--no-ff", "--no-verify-signatures")
    identity = await git.identity()
    merged = await git.try_run(
        *arguments, commit, at=path, guarded=True, env=identity, settings=settings
    )
    files = (await worktree_status.status_of(git, path)).unmerged
    if not files:
        raise git.error(f"leave a conflict in {path}", merged)
    return files


async def markers_left(git: Git, commit: str, sides: Iterable[str]) -> list[str]:
    """``file:line`` of conflict markers in a commit that none of the ``sides`` has there.

    By git's own check: a line of a document may look like one, and come from a side.
    """
    plain = ("--check", "--no-renames", "--no-ext-diff", "--no-textconv")
    found: list[set[str]] = []
    for side in sides:
        compared = await git.try_run("diff-tree", "-r", *plain, side, commit)
        lines = os.fsdecode(compared.stdout).split("\n")
        found.append({line[: -len(MARKER)] for line in lines if line.endswith(MARKER)})
    return sorted(set.intersection(*found))


async def update_checkout(git: Git, path: str, old: str, new: str) -> None:
    """Bring index and files of a worktree from one commit to another, whatever HEAD says.

    Raises where something differs from ``old`` that is different in ``new``, or where a file
    is in the way that git does not know; nothing has changed then. Ignored files are replaced.
    """
    # Files that were only touched would count as changed.
    await git.try_run("update-index", "-q", "--refresh", at=path, guarded=True)
    arguments = ("read-tree", "-m", "-u", "--no-recurse-submodules", old, new)
    # Not guarded: where we are killed, git is to come to its end in the user's checkout.
    await git.run(f"bring {path} to {new[:10]}", *arguments, at=path)


async def equal_files(git: Git, path: str, commit: str, files: Iterable[str]) -> set[str]:
    """Those files of a worktree that hold what a commit has, after the user's filters."""
    listed = await git.run("list files", "ls-tree", "-r", "-z", "--full-tree", commit)
    entries = (entry.partition("\t") for entry in os.fsdecode(listed.stdout).split("\0"))
    wanted = {name: head.split()[-1] for head, _, name in entries if head}
    equal: set[str] = set()
    asked: list[str] = []
    for name in wanted.keys() & set(files):
        place = os.path.join(path, name)
        if os.path.islink(place):
            words = ("hash-object", "--stdin")
            link = await git.run("hash a link", *words, stdin=os.fsencode(os.readlink(place)))
            equal |= {name} if link.text == wanted[name] else set()
        elif os.path.isfile(place) and "\n" not in name:
            asked.append(name)
    names = os.fsencode("".join(f"{name}\n" for name in asked))
    arguments = ("hash-object", "--stdin-paths")
    hashed = await git.run("hash files", *arguments, at=path, stdin=names, guarded=True)
    found = zip(asked, hashed.text.splitlines())
    return equal | {name for name, blob in found if blob == wanted[name]}


ATTRIBUTES = re.compile(
    rb"(?:^|\0)100[0-7]{3} blob ([0-9a-f]+)\t((?:[^\0]*/)?\.gitattributes|\.gitmodules)(?=\0)"
)
"""Files of a tree that merges of it read; format: git-ls-tree(1)."""


MARKER = ": leftover conflict marker"
"""What git says of one; its messages are in English here."""
