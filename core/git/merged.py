"""Proof that a branch is merged: squash merge, cherry-picks (equal patches), empty diff."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress

from ..model.errors import UserError
from ..model.patterns import pattern
from ..model.translate import N_
from .door import Git


async def is_empty_diff(git: Git, tip: str, target: str) -> bool:
    """Whether ``git diff target...tip`` is empty."""
    base = await git.merge_base(target, tip)
    return bool(base) and await git.tree_of(base) == await git.tree_of(tip)


async def prefetch(git: Git, tips: Collection[str], target: str) -> None:
    """Cache in one call what the merge proof needs for each of the ``tips``."""
    wanted = [tip for tip in tips if git.answers.get("history", tip, target) is None]
    if not wanted or not git.is_lasting(target, *wanted):
        return
    listed = "".join(f"{commit}\n" for commit in (*wanted, f"^{target}")).encode()
    arguments = ("rev-list", "--topo-order", "--parents", "--stdin")
    finished = await git.try_run(*arguments, stdin=listed)
    if finished.code != 0:
        return  # Later, each tip is read alone and reports its own error.
    lines = {line.split(" ", 1)[0]: line for line in finished.text.splitlines()}
    parents = {commit: line.split()[1:] for commit, line in lines.items()}
    for tip in wanted:
        own = _reachable(tip, parents)
        history = "\n".join(line for commit, line in lines.items() if commit in own)
        git.answers.put(history, "history", tip, target)
        left = {p for commit in own for p in parents[commit] if p not in own}
        left = left if own else {tip}
        if len(left) == 1:
            # Every path out of the branch goes through this commit, so it is the merge base.
            git.answers.put(*left, "base", min(tip, target), max(tip, target))
    await _learn_trees(git, [*wanted, target])
    with suppress(UserError):  # Missing objects make one feature unknown, not all.
        await _patches(git, [c for c in lines if len(parents[c]) < 2])


async def _learn_trees(git: Git, commits: Iterable[str]) -> None:
    arguments = ("rev-list", "--no-walk", "--stdin", "--format=%T")
    listed = "".join(f"{commit}\n" for commit in commits).encode()
    words = (await git.run(N_("read commits"), *arguments, stdin=listed)).text.split()
    # git-rev-list(1) prints "commit ID" before each formatted line.
    for commit, tree in zip(words[1::3], words[2::3]):
        git.answers.put(tree, "tree", commit)


async def equivalent(git: Git, tip: str, target: str) -> str:
    """The newest commit of ``target`` with the same patch as a commit of ``tip``.

    Empty unless every commit of ``tip`` has its equivalent.
    """
    commits = await parents_of(git, tip, without=target)
    if not commits or any(len(parents) > 1 for parents in commits.values()):
        return ""
    wanted = await _changes(git, commits)
    if len(wanted) < len(commits):
        return ""
    found = await _changes_since(git, tip, target)
    newest = (commit for change, commit in found.items() if change in wanted)
    return next(newest, "") if wanted.keys() <= found.keys() else ""


async def matches(git: Git, path: str, commit: str) -> bool:
    """Whether index and files of a worktree match ``commit``, wherever HEAD is."""
    plain = ("--quiet", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none")
    index = await git.try_run("diff", "--cached", *plain, commit, at=path, guarded=True)
    files = await git.try_run("diff", *plain, at=path, guarded=True)
    return index.code == 0 and files.code == 0


async def squashed(git: Git, tip: str, target: str) -> str:
    """The newest commit of ``target`` with the patch of the whole branch; else empty."""
    base = await git.merge_base(tip, target)
    if not base:
        return ""
    own = await parents_of(git, tip, without=target)
    if own == {tip: [base]}:
        patch = next(iter(await _changes(git, [tip])), "")
    else:
        patch = await _patch(git, base, tip)
    return (await _changes_since(git, tip, target)).get(patch, "")


async def _patch(git: Git, base: str, tip: str) -> str:
    """The patch id of the changes between two commits."""
    patch = git.answers.get("patch", base, tip)
    if patch is None:
        whole = await git.run(N_("compare commits"), *PATCH, base, tip)
        patch = git.answers.put(_change(whole.stdout), "patch", base, tip)
    return patch


async def parents_of(git: Git, tip: str, without: str) -> dict[str, list[str]]:
    """The commits of ``without..tip``, newest first, with their parents."""
    listed = git.answers.get("history", tip, without)
    if listed is None:
        arguments = ("rev-list", "--topo-order", "--parents", tip, f"^{without}")
        listed = (await git.run(N_("list commits"), *arguments)).text
        if git.is_lasting(tip, without):
            git.answers.put(listed, "history", tip, without)
    lines = [line.split() for line in listed.splitlines()]
    return {commit: parents for commit, *parents in lines}


async def _changes_since(git: Git, tip: str, target: str) -> dict[str, str]:
    """Patch ids of ``target`` since the merge base with ``tip``, each with its newest commit."""
    # By merge base, which many tips share.
    start = await git.merge_base(tip, target) or tip
    if (start, target) in git.changes_since:
        return git.changes_since[start, target]
    commits = await parents_of(git, target, without=start)
    changes = await _changes(git, (c for c, parents in commits.items() if len(parents) < 2))
    if git.is_lasting(start, target):
        git.changes_since[start, target] = changes
    return changes


async def _changes(git: Git, commits: Iterable[str]) -> dict[str, str]:
    """Patch ids of commits, each with the first one that has it, without empty patches."""
    wanted = list(commits)
    known = {commit: git.answers.get("patch", commit) for commit in wanted}
    known.update(await _patches(git, [c for c, patch in known.items() if patch is None]))
    changes: dict[str, str] = {}
    for commit, patch in known.items():
        changes.setdefault(patch or "", commit)
    changes.pop("", None)
    return changes


async def _patches(git: Git, commits: Sequence[str]) -> dict[str, str]:
    """The patch id of each commit; empty for an empty patch."""
    if not commits:
        return {}
    listed = "".join(f"{commit}\n" for commit in commits).encode()
    finished = await git.run(N_("compare commits"), *PATCH, "--root", "--stdin", stdin=listed)
    named = (line.decode().strip() for line in COMMIT_LINE.findall(finished.stdout))
    patches = dict.fromkeys(commits, "")
    patches.update(zip(named, map(_change, COMMIT_LINE.split(finished.stdout)[1:])))
    for commit, patch in patches.items():
        git.answers.put(patch, "patch", commit)
    return patches


PATCH = (
    "diff-tree",
    "-r",
    "-p",
    "--full-index",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--ignore-submodules=none",
)


COMMIT_LINE = pattern(rb"^[0-9a-f]{40,64}\n", re.MULTILINE)


TEXT_INDEX = pattern(rb"^index .*\n(?!Binary files )", re.MULTILINE)


HUNK = pattern(rb"^@@ .*", re.MULTILINE)


def _reachable(tip: str, parents: Mapping[str, Sequence[str]]) -> set[str]:
    """The commits reachable from ``tip`` that have an entry in ``parents``."""
    found: set[str] = set()
    todo = [tip]
    while todo:
        commit = todo.pop()
        if commit in parents and commit not in found:
            found.add(commit)
            todo += parents[commit]
    return found


def _change(patch: bytes) -> str:
    """A hash of a patch without line numbers, like git-patch-id(1), but exact.

    git's own ignores white space and, before 2.39, the contents of binary files.
    """
    import hashlib

    return hashlib.sha256(HUNK.sub(b"@@", TEXT_INDEX.sub(b"", patch))).hexdigest()
