"""The diffs of many pairs of commits by two processes of git, bounded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress

from ..model.errors import UserError
from ..model.frozen import replace
from ..model.translate import N_
from .door import Git
from .patches import PLAIN, SETTINGS, FileDiff, each_file, numbers

MOST_FILES = 60
MOST_LINES = 1_000
"""The largest diff that gets patches."""

MOST_LINES_IN_ALL = 20_000

PATCH_BYTES = 24 * 1024
"""The limit of the patch of one file."""

Pair = tuple[str, str]
"""An older and a newer commit."""


async def diffs_at_once(git: Git, pairs: Sequence[Pair]) -> list[tuple[FileDiff, ...]]:
    """The files that differ, for each pair; the first diffs that are small enough have patches.

    A pair has no files if git no longer has one of its commits.
    """
    found: list[tuple[FileDiff, ...]] = []
    with suppress(UserError):
        found = await _diffs(git, pairs)
    if len(found) == len(pairs):
        return found
    if len(pairs) == 1:
        return [()]
    return [files for pair in pairs for files in await diffs_at_once(git, [pair])]


async def _diffs(git: Git, pairs: Sequence[Pair]) -> list[tuple[FileDiff, ...]]:
    text = os.fsdecode(await _asked(git, pairs, "--numstat", "-z"))
    found = [tuple(numbers(entries)) for entries in _by_pair(text)]
    if len(found) != len(pairs):
        return []  # git prints nothing for a commit that it does not have.
    shown = list(_small(found))
    patches = await _asked(git, [pairs[number] for number in shown], "-p")
    for number, patch in zip(shown, list(_patches(patches, [pairs[number] for number in shown]))):
        files = found[number]
        if len(files) == len(patch):
            found[number] = tuple(map(_with_patch, files, patch))
    return found


async def _asked(git: Git, pairs: Sequence[Pair], *options: str) -> bytes:
    if not pairs:
        return b""
    # git takes the second commit on a line for the parent of the first.
    listed = "".join(f"{new} {old}\n" for old, new in pairs).encode()
    words = ("diff-tree", "-r", "-M", "--always", *PLAIN, *options, "--stdin")
    finished = await git.run(N_("compare commits"), *words, stdin=listed, settings=SETTINGS)
    return finished.stdout


def _by_pair(text: str) -> Iterator[str]:
    """The entries of each pair: they follow its newer commit."""
    parts: list[list[str]] = []
    names = 0
    for word in text.split("\0"):
        if names:
            names -= 1
        elif "\t" in word:
            names = 2 if word.endswith("\t") else 0  # A rename: both names follow.
        else:
            parts += [[]] if word else []
            continue
        parts[-1].append(word)
    return map("\0".join, parts)


def _small(found: Sequence[Sequence[FileDiff]]) -> Iterator[int]:
    """The numbers of the diffs that get patches."""
    left = MOST_LINES_IN_ALL
    for number, files in enumerate(found):
        lines = sum((file.insertions or 0) + (file.deletions or 0) for file in files)
        if files and len(files) <= MOST_FILES and lines <= min(MOST_LINES, left):
            left -= lines
            yield number


def _patches(text: bytes, pairs: Sequence[Pair]) -> Iterator[list[bytes]]:
    """The patches of each pair, by file."""
    rest = text
    for number, (_, new) in enumerate(pairs):
        begin = len(new) + 1
        following = pairs[number + 1][1] if number + 1 < len(pairs) else ""
        end = rest.find(f"\n{following}\n".encode(), begin - 1) if following else len(rest)
        yield each_file(rest[begin:end])
        rest = rest[end + 1 :]


def _with_patch(file: FileDiff, patch: bytes) -> FileDiff:
    kept = patch if len(patch) <= PATCH_BYTES else patch[: patch.rfind(b"\n", 0, PATCH_BYTES) + 1]
    return replace(file, patch=kept.decode("utf-8", "replace"), is_cut=len(kept) < len(patch))
