"""`git merge-tree` and `git merge`: merged trees, conflicts, leftover conflict markers."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable

from ..model.frozen import replace
from ..model.patterns import pattern
from ..model.translate import N_
from ..process.spawner import Finished
from . import worktree_status
from .door import Git, Unknown
from .filters_and_drivers import Programs
from .output import NO_PLACE, parts
from .refs import DRIVER


async def merged_tree(git: Git, one: str, other: str) -> tuple[str, list[str]]:
    """The merged tree, empty after a conflict, and the files in conflict (sometimes none).

    The result is that of ``git merge`` with ``one`` checked out, including attributes and
    settings. No filter or merge driver runs: raises :class:`Unknown` if one would be needed, or if
    git is too old. Format: git-merge-tree(1), "OUTPUT".
    """
    if not git.merges_without_worktree:
        raise Unknown(N_("unknown: only git 2.38 or newer merges without a working tree"))
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
        raise Unknown(N_("a merge driver decides this merge, but read-only commands do not run it"))
    tree, *files = os.fsdecode(finished.stdout).split("\0")
    if finished.code == 0:
        return tree, []
    if finished.code == 1 and tree:
        return "", sorted({_without_side(file, (one, other)) for file in files if file})
    if programs.renormalizes and programs.filters:
        raise Unknown(N_("a filter decides this merge, but read-only commands do not run it"))
    raise await git.refusal("merge", finished)


def _without_side(file: str, sides: Iterable[str]) -> str:
    """The name of a file that git moved aside from a folder: it adds the commit to the name."""
    return re.sub(rf"~(?:{'|'.join(map(re.escape, sides))})(?:_\d+)?$", "", file)


async def _merge_tree(git: Git, programs: Programs, one: str, other: str) -> Finished:
    folder = await _attributes_of(git, one)
    git.redirect_objects()
    # merge-tree reads attributes from the working tree, so it gets one with nothing else.
    place = {"GIT_DIR": git.repository.common_dir, "GIT_WORK_TREE": folder}
    return await git.try_run(
        *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", one, other),
        at=folder,
        env={**git.environ, **place},
        settings=git.without(programs, strict=True),
    )


async def _attributes_of(git: Git, commit: str) -> str:
    """A folder with those files of a commit that merges read."""
    tree = await git.tree_of(commit)
    if tree not in git.attributes:
        listed = await git.run(N_("list the files"), "ls-tree", "-r", "-z", "--full-tree", tree)
        found = ATTRIBUTES.findall(listed.stdout)
        files = {path: blob for blob, path in found if NO_PLACE.isdisjoint(parts(path))}
        contents = await _contents(git, files.values())
        for path, content in zip(files, contents):
            git.scratch.write(os.path.join(tree, os.fsdecode(path)), content)
        git.attributes[tree] = git.scratch.folder(tree)
    return git.attributes[tree]


async def _contents(git: Git, blobs: Collection[bytes]) -> list[bytes]:
    """The contents of blobs; format: git-cat-file(1), "BATCH OUTPUT"."""
    if not blobs:
        return []
    asked = b"".join(blob + b"\n" for blob in blobs)
    finished = await git.run(N_("read files"), "cat-file", "--batch", stdin=asked)
    contents: list[bytes] = []
    rest = finished.stdout
    while rest:
        heading, _, rest = rest.partition(b"\n")
        if heading.endswith(b" missing"):
            raise await git.refusal(N_("read files"), replace(finished, stderr=heading))
        size = int(heading.rsplit(b" ", 1)[1])
        contents.append(rest[:size])
        rest = rest[size + 1 :]
    return contents


async def merge_into_worktree(git: Git, path: str, commit: str, message: str) -> list[str]:
    """Merge ``commit`` in a worktree. After a conflict, abort and return the files.

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
    """Start a merge of ``commit`` in a worktree and leave its conflicts; the files.

    The conflict markers include the base (diff3). Raises if there is no conflict.
    """
    settings = ("-c", "merge.conflictStyle=diff3", "-c", "rerere.enabled=false")
    arguments = ("merge", "--quiet", "--no-commit", "--no-ff", "--no-verify-signatures")
    identity = await git.identity()
    merged = await git.try_run(
        *arguments, commit, at=path, guarded=True, env=identity, settings=settings
    )
    files = (await worktree_status.status_of(git, path)).unmerged
    if not files:
        raise git.error(N_("leave a conflict in {path}").format(path=path), merged)
    return files


async def markers_left(git: Git, commit: str, sides: Iterable[str]) -> list[str]:
    """``file:line`` of conflict markers in a commit that none of the ``sides`` has.

    Found by ``git diff --check``. A marker that a side has may be part of a document.
    """
    plain = ("--check", "--no-renames", "--no-ext-diff", "--no-textconv")
    found: list[set[str]] = []
    for side in sides:
        compared = await git.try_run("diff-tree", "-r", *plain, side, commit)
        lines = os.fsdecode(compared.stdout).split("\n")
        found.append({line[: -len(MARKER)] for line in lines if line.endswith(MARKER)})
    return sorted(set.intersection(*found))


async def update_checkout(git: Git, path: str, old: str, new: str) -> None:
    """Move index and files of a worktree from ``old`` to ``new``, whatever HEAD says.

    Raises without changing anything if local changes or untracked files would be
    overwritten. Ignored files are overwritten.
    """
    # Else files with only a new mtime count as changed.
    await git.try_run("update-index", "-q", "--refresh", at=path, guarded=True)
    arguments = ("read-tree", "-m", "-u", "--no-recurse-submodules", old, new)
    # Not guarded: if we are killed, git must finish in the user's checkout.
    await git.run(N_("update {path} to {new}").format(path=path, new=new[:10]), *arguments, at=path)


async def equal_files(git: Git, path: str, commit: str, files: Iterable[str]) -> set[str]:
    """The files of a worktree whose content, after filters, is that of a commit."""
    listed = await git.run(N_("list the files"), "ls-tree", "-r", "-z", "--full-tree", commit)
    entries = (entry.partition("\t") for entry in os.fsdecode(listed.stdout).split("\0"))
    wanted = {name: head.split()[-1] for head, _, name in entries if head}
    equal: set[str] = set()
    asked: list[str] = []
    for name in wanted.keys() & set(files):
        place = os.path.join(path, name)
        if os.path.islink(place):
            words = ("hash-object", "--stdin")
            link = await git.run(N_("hash a link"), *words, stdin=os.fsencode(os.readlink(place)))
            equal |= {name} if link.text == wanted[name] else set()
        elif os.path.isfile(place) and "\n" not in name:
            asked.append(name)
    names = os.fsencode("".join(f"{name}\n" for name in asked))
    arguments = ("hash-object", "--stdin-paths")
    hashed = await git.run(N_("hash files"), *arguments, at=path, stdin=names, guarded=True)
    found = zip(asked, hashed.text.splitlines())
    return equal | {name for name, blob in found if blob == wanted[name]}


ATTRIBUTES = pattern(
    rb"(?:^|\0)100[0-7]{3} blob ([0-9a-f]+)\t((?:[^\0]*/)?\.gitattributes|\.gitmodules)(?=\0)"
)
"""Files of a tree that a merge reads; format: git-ls-tree(1)."""


MARKER = ": leftover conflict marker"
"""git's message; we run git in English."""
