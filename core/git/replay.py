"""Commits made again with the same result each time: nothing in them is of the moment.

Making them again gives the same ids, so pushing them again changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..model.translate import N_
from .door import Git

PEOPLE = "--format=%an%n%ae%n%ad%n%cn%n%ce%n%cd%n%B"


async def copied(git: Git, commit: str, tree: str, parent: str) -> str:
    """A copy of a commit on another parent: author, committer, dates and message stay."""
    wanted = ("-s", "--no-show-signature", "--date=raw", "--encoding=UTF-8", PEOPLE)
    shown = await git.run(N_("read the commit"), "show", *wanted, commit)
    *people, message = shown.stdout.split(b"\n", 6)
    return await _made(git, tree, (parent,), people, message.rstrip(b"\n") + b"\n")


async def joined(git: Git, tree: str, parents: Sequence[str], message: str) -> str:
    """A merge commit; its people and dates are those of its last parent."""
    wanted = ("-s", "--no-show-signature", "--date=raw", "--encoding=UTF-8", PEOPLE)
    shown = await git.run(N_("read the commit"), "show", *wanted, parents[-1])
    *people, _message = shown.stdout.split(b"\n", 6)
    return await _made(git, tree, parents, people, message.encode())


async def _made(
    git: Git, tree: str, parents: Sequence[str], people: Sequence[bytes], message: bytes
) -> str:
    roles = ("AUTHOR", "COMMITTER")
    names = [f"GIT_{role}_{part}" for role in roles for part in ("NAME", "EMAIL", "DATE")]
    given = dict(zip(names, map(os.fsdecode, people)))
    for role in roles:
        given[f"GIT_{role}_DATE"] = f"@{given[f'GIT_{role}_DATE']}"
    sides = [word for parent in parents for word in ("-p", parent)]
    arguments = ("commit-tree", "--no-gpg-sign", *sides, "-F", "-", tree)
    utf8 = ("-c", "i18n.commitEncoding=UTF-8")
    env = {**git.environ, **given}
    git.redirect_objects()
    doing = N_("write a commit")
    return (await git.run(doing, *arguments, stdin=message, env=env, settings=utf8)).text
