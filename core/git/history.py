"""Commits of a branch: `rev-list`, authors, trailers, reflog; recreated on another parent."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from ..model.translate import N_
from . import merged
from .door import Git


async def count_commits(git: Git, tip: str, without: str) -> int:
    """The number of commits in ``without..tip``."""
    return len(await merged.parents_of(git, tip, without))


async def was_at(git: Git, ref: str, commit: str) -> bool:
    """Whether the reflog of a ref, if there is one, contains a commit."""
    finished = await git.try_run("reflog", "show", "--format=%H", ref, "--")
    return commit in finished.text.split()


async def own_commits(
    git: Git, tip: str, without: Iterable[str]
) -> list[tuple[str, tuple[str, ...]]]:
    """The commits of ``tip`` that are not in ``without``, oldest first, with their parents."""
    left_out = [f"^{commit}" for commit in without]
    arguments = ("rev-list", "--reverse", "--topo-order", "--parents", tip, *left_out)
    finished = await git.run(N_("list commits"), *arguments)
    lines = (line.split() for line in finished.text.splitlines())
    return [(commit, tuple(parents)) for commit, *parents in lines]


async def authors(git: Git, tip: str, without: str) -> set[tuple[str, str]]:
    """Author, date and subject of each commit in ``without..tip``."""
    arguments = ("rev-list", "--format=%ae %at%n%s", tip, f"^{without}")
    lines = (await git.run(N_("list commits"), *arguments)).text.split("\n")
    return set(zip(lines[1::3], lines[2::3]))  # after a line with its id


async def trailer(git: Git, commit: str, key: str) -> str:
    """The value of a trailer in a commit's message; else empty."""
    wanted = f"--format=%(trailers:key={key},valueonly)"
    shown = ("show", "-s", "--no-show-signature", wanted)
    return (await git.run(N_("read the commit"), *shown, commit)).text.strip()


async def recreate_commit(git: Git, commit: str, tree: str, parent: str) -> str:
    """Write a commit of ``tree`` with the author and message of ``commit``."""
    wanted = ("-s", "--no-show-signature", "--date=raw", "--encoding=UTF-8")
    seen = await git.run(
        N_("read the commit"), "show", *wanted, "--format=%an%n%ae%n%ad%n%B", commit
    )
    name, email, date, message = seen.stdout.split(b"\n", 3)
    env = {
        **await git.identity(),
        "GIT_AUTHOR_NAME": os.fsdecode(name),
        "GIT_AUTHOR_EMAIL": os.fsdecode(email),
        "GIT_AUTHOR_DATE": f"@{os.fsdecode(date)}",
    }
    arguments = ("commit-tree", "--no-gpg-sign", "-p", parent, "-F", "-", tree)
    utf8 = ("-c", "i18n.commitEncoding=UTF-8")
    words = message.rstrip(b"\n") + b"\n"
    git.redirect_objects()
    doing = N_("write a commit")
    return (await git.run(doing, *arguments, stdin=words, env=env, settings=utf8)).text


async def before(git: Git, branch: str, commit: str) -> str:
    """The newest commit of a branch's own history that does not contain ``commit`` yet.

    Empty if the branch was fast-forwarded to it.
    """
    listed = ("rev-list", branch, f"^{commit}")
    own = (await git.run(N_("list commits"), *listed, "--first-parent")).text.split()
    holding = set((await git.run(N_("list commits"), *listed, "--ancestry-path")).text.split())
    first = [each for each in own if each in holding][-1:]
    found = await git.commit_of(f"{first[0]}^") if first else ""
    return "" if found and await git.is_ancestor(commit, found) else found


async def first_parents(git: Git, tip: str, without: str) -> list[tuple[str, bool]]:
    """The commits of a branch's own history since ``without``, newest first.

    Each with whether it is a merge.
    """
    arguments = ("rev-list", "--first-parent", "--parents", tip, f"^{without}")
    finished = await git.run(N_("list commits"), *arguments)
    lines = (line.split() for line in finished.text.splitlines())
    return [(commit, len(parents) > 1) for commit, *parents in lines]


async def published(git: Git, commit: str) -> list[str]:
    """The remote-tracking branches that contain a commit, such as ``origin/main``."""
    arguments = ("for-each-ref", "--contains", commit, "--format=%(refname:lstrip=2)")
    finished = await git.run(N_("list its refs"), *arguments, "refs/remotes/")
    return finished.text.splitlines()


async def trailers_in(git: Git, revisions: Iterable[str], key: str) -> set[str]:
    """The values of a trailer in all commits of ``revisions``."""
    wanted = f"--format=%(trailers:key={key},valueonly)"
    arguments = ("log", "--no-show-signature", f"--grep=^{key}: ", wanted, *revisions, "--")
    told = await git.run(N_("list commits"), *arguments)
    return {line.strip() for line in told.text.split("\n") if line.strip()}


async def line_of(git: Git, commit: str) -> list[str]:
    """A commit, its first parent, and so on."""
    return (await git.run(N_("list commits"), "rev-list", "--first-parent", commit)).text.split()


async def has_work(git: Git, tip: str, without: Sequence[str]) -> bool:
    """Whether ``tip`` has commits that none of ``without`` contains, other than merges."""
    less = [f"^{commit}" for commit in without if commit]
    found = await git.try_run("rev-list", "--no-merges", "--max-count=1", tip, *less, "--")
    return found.code != 0 or bool(found.text)
