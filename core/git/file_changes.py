"""What differs between two commits, file by file, and a digest of each file's own diff.

A digest says whether somebody saw this diff before. It depends on the content alone: not on where
the lines are, and not on anybody's settings, attributes or programs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from ..model.frozen import dataclass
from ..model.translate import N_
from .door import PATHS_AT_ONCE, Git
from .patches import each_file

LARGEST_BYTES = 512 * 1024
"""Of a larger file, the digest is made of the ids of both versions."""

LARGEST_IN_ALL_BYTES = 64 * 1024 * 1024
"""The same holds for the files after this many bytes."""

DIGITS = 40

GITLINK = "160000"
NOTHING = "000000"


@dataclass(frozen=True)
class Entry:
    """A file in a tree: its mode and its object. The mode ``000000`` stands for no file."""

    mode: str = NOTHING
    object: str = ""

    @property
    def is_there(self) -> bool:
        """Whether there is a file."""
        return self.mode != NOTHING

    def __str__(self) -> str:
        return f"{self.mode}:{self.object}" if self.is_there else "-"


def entry_of(text: str) -> Entry | None:
    """The entry that ``str`` spelled so; ``None`` for any other text."""
    if text == "-":
        return Entry()
    return Entry(*text.split(":")) if _SPELLED.fullmatch(text) else None


_SPELLED = re.compile(r"[0-7]{6}:(?:[0-9a-f]{40}|[0-9a-f]{64})")


@dataclass(frozen=True)
class FileChange:
    """A file that differs. A renamed one is two: the old name is gone, the new one is there."""

    path: str
    before: Entry
    after: Entry


async def file_changes(git: Git, pairs: Sequence[tuple[str, str]]) -> list[tuple[FileChange, ...]]:
    """The files that differ, for each pair of an older and a newer commit."""
    if not pairs:
        return []
    # git takes the second commit on a line for the parent of the first.
    listed = "".join(f"{new} {old}\n" for old, new in pairs).encode()
    words = ("diff-tree", "-r", "--always", "--raw", *_ALIKE, "-z", "--stdin")
    finished = await git.run(N_("compare commits"), *words, stdin=listed)
    return list(_parts(os.fsdecode(finished.stdout)))


_ALIKE = ("--no-renames", "--ignore-submodules=none")


def _parts(text: str) -> Iterator[tuple[FileChange, ...]]:
    """The files of each pair: they follow its newer commit."""
    parts: list[list[FileChange]] = []
    words = iter(text.split("\0"))
    for word in filter(None, words):
        if word.startswith(":"):
            old_mode, new_mode, old, new, _status = word[1:].split(" ")
            change = FileChange(next(words), _entry(old_mode, old), _entry(new_mode, new))
            parts[-1].append(change)
        else:
            parts.append([])
    return map(tuple, parts)


def _entry(mode: str, object: str) -> Entry:
    return Entry() if mode == NOTHING else Entry(mode, object)


async def digests(git: Git, old: str, new: str, changes: Sequence[FileChange]) -> dict[str, str]:
    """The digest of the diff of each of ``changes``, which are all between two commits, by path.

    The same lines with the same context have the same digest, wherever they are in the file.
    """
    compared = await _worth_comparing(git, changes)
    whole = len(compared) == len(changes)
    patches: list[bytes] = []
    for start in range(0, len(compared), PATHS_AT_ONCE if not whole else max(1, len(compared))):
        paths = [] if whole else [c.path for c in compared[start : start + PATHS_AT_ONCE]]
        patches += await _patches(git, old, new, paths)
    shown = dict(zip((change.path for change in compared), patches))
    return {change.path: _digest(change, shown.get(change.path)) for change in changes}


async def _worth_comparing(git: Git, changes: Sequence[FileChange]) -> list[FileChange]:
    """The changes that are small enough to be compared line by line."""
    plain = [change for change in changes if _is_plain(change)]
    size = await sizes(git, [each.object for change in plain for each in _there(change)])
    found, left = [], LARGEST_IN_ALL_BYTES
    for change in plain:
        bytes = [size.get(each.object, LARGEST_BYTES + 1) for each in _there(change)]
        if max(bytes) <= LARGEST_BYTES and sum(bytes) <= left:
            left -= sum(bytes)
            found.append(change)
    return found


def _there(change: FileChange) -> list[Entry]:
    return [each for each in (change.before, change.after) if each.is_there]


def _is_plain(change: FileChange) -> bool:
    """Whether git shows one patch of a file's lines: no submodule, and the same kind of file."""
    kinds = {each.mode[:3] for each in _there(change)}
    return len(kinds) == 1 and GITLINK[:3] not in kinds


async def sizes(git: Git, objects: Iterable[str]) -> dict[str, int]:
    """The size in bytes of each of the objects that the repository has."""
    stdin = "".join(f"{id}\n" for id in dict.fromkeys(objects)).encode()
    if not stdin:
        return {}
    wanted = "--batch-check=%(objectname) %(objectsize)"
    finished = await git.run(N_("look for files"), "cat-file", wanted, stdin=stdin)
    lines = (line.partition(" ") for line in finished.text.splitlines())
    return {id: int(size) for id, _, size in lines if size.isdigit()}


PATCH = (
    *("-p", "--text", "--unified=3", "--inter-hunk-context=0", "--diff-algorithm=myers"),
    *("--indent-heuristic", "--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)
"""Everything that settings, attributes or a newer git could make otherwise."""


async def _patches(git: Git, old: str, new: str, paths: Sequence[str]) -> list[bytes]:
    """The patch of each file in git's order; of all files without ``paths``."""
    named = ("--", *paths) if paths else ()
    literally = {**git.environ, "GIT_LITERAL_PATHSPECS": "1"}
    settings = ("-c", "diff.suppressBlankEmpty=false")
    words = ("diff-tree", "-r", *_ALIKE, *PATCH, old, new, *named)
    finished = await git.run(N_("compare commits"), *words, env=literally, settings=settings)
    return each_file(finished.stdout)


def _digest(change: FileChange, patch: bytes | None) -> str:
    modes = f"{change.before.mode} {change.after.mode}\n".encode()
    if patch is None:
        content = f"{change.before.object} {change.after.object}\n".encode()
    else:
        begin = patch.find(b"\n@@ ")
        # The numbers of the lines, and what git takes for the heading of a function.
        content = _HUNK.sub(b"@@", patch[begin + 1 :]) if begin >= 0 else b""
    return sha256(modes + content).hexdigest()[:DIGITS]


_HUNK = re.compile(rb"^@@ .*$", re.MULTILINE)


async def entries_of(git: Git, commit: str, paths: Sequence[str]) -> dict[str, Entry]:
    """The entry of each path in a commit; one that is not there for the others."""
    found = {path: Entry() for path in paths}
    literally = {**git.environ, "GIT_LITERAL_PATHSPECS": "1"}
    for start in range(0, len(paths), PATHS_AT_ONCE):
        asked = paths[start : start + PATHS_AT_ONCE]
        words = ("ls-tree", "--full-tree", "-z", commit, "--", *asked)
        finished = await git.run(N_("read a commit"), *words, env=literally)
        for line in filter(None, os.fsdecode(finished.stdout).split("\0")):
            about, _, path = line.partition("\t")
            mode, kind, object = about.split(" ")
            if kind != "tree":
                found[path] = Entry(mode, object)
    return found


async def with_entries(git: Git, commit: str, entries: Mapping[str, Entry]) -> str:
    """A commit on top of ``commit``, with other files at these paths. A read-only git makes it.

    Its objects are in the temporary folder of that git.
    """
    git.redirect_objects()
    env = {**git.environ, "GIT_INDEX_FILE": git.spare_index()}
    split = ("-c", "core.splitIndex=false", "-c", "index.sparse=false")
    await git.run(N_("read a commit"), "read-tree", commit, env=env, settings=split)
    # What is removed goes first: a file may be where a folder was.
    listed = sorted(entries.items(), key=lambda item: item[1].is_there)
    nothing = "0" * len(commit)
    stdin = b"".join(_index_line(path, entry, nothing) for path, entry in listed)
    words = ("update-index", "-z", "--index-info")
    doing = N_("compare commits")
    await git.run(doing, *words, stdin=stdin, env=env, settings=split)
    tree = (await git.run(N_("write the tree"), "write-tree", env=env)).text
    return await git.commit_tree(tree, (commit,), "seen")


def _index_line(path: str, entry: Entry, nothing: str) -> bytes:
    object = entry.object or nothing
    mode = entry.mode if entry.is_there else "0"
    return f"{mode} {object}\t".encode() + os.fsencode(path) + b"\0"
