"""Parsers of git's porcelain output: worktree list, status v2, shortstat, gitlinks."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Sequence

from ..model.frozen import dataclass, replace
from .refs import HEADS

NO_PLACE = frozenset({b"", b".", b"..", b".git"})
"""Names that no folder of a checkout can have, but a damaged tree may."""


BEING_CREATED = ("initializing", "added with --lock")
"""git's lock reasons of a worktree that is being created."""


@dataclass(frozen=True)
class WorktreeEntry:
    """One entry of ``git worktree list``."""

    path: str
    branch: str = ""
    commit: str = ""
    locked: str | None = None
    prunable: bool = False


DETACHED = "(detached)"
"""git's name for the branch of a worktree without one."""


@dataclass(frozen=True)
class WorktreeStatus:
    """``git status`` of one worktree; all paths are relative to it."""

    branch: str
    commit: str
    changed: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    unmerged: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    """New files among ``changed`` that are staged."""
    indexed: tuple[str, ...] = ()
    """Files among ``changed`` whose staged content is in neither HEAD nor the worktree."""
    submodules: tuple[str, ...] = ()
    """Submodules with uncommitted work, which no commit here can contain."""
    moved: tuple[str, ...] = ()
    """Clean submodules among ``changed`` at another commit than the index has."""
    unreadable: tuple[str, ...] = ()
    """Folders that cannot be listed; git does not report them."""
    staged: tuple[str, ...] = ()
    """Files among ``changed`` with staged changes."""
    uncertain: tuple[tuple[str, str], ...] = ()
    """Files that may have changed, each with the filter that would have to run."""
    upstream: str = ""
    """The branch of the remote that this one follows, such as ``origin/main``."""
    behind: int = 0
    """The number of commits that only ``upstream`` has, as far as they are fetched."""

    @property
    def uncommitted(self) -> tuple[str, ...]:
        """Every path with uncommitted changes, without submodules."""
        return self.changed + self.unmerged + self.untracked

    def without(self, files: Collection[str]) -> WorktreeStatus:
        """The same without changes to these files."""
        return replace(
            self,
            changed=tuple(file for file in self.changed if file not in files),
            untracked=tuple(file for file in self.untracked if file not in files),
            added=tuple(file for file in self.added if file not in files),
            indexed=tuple(file for file in self.indexed if file not in files),
        )


@dataclass(frozen=True)
class DiffStat:
    """The size of a diff."""

    files: int = 0
    insertions: int = 0
    deletions: int = 0


@dataclass(frozen=True)
class Commit:
    """A commit, its parents, and the size of its diff if it has one parent."""

    id: str
    parents: tuple[str, ...]
    stat: DiffStat


def config_text(settings: Iterable[tuple[str, str]]) -> str:
    """Settings as the text of a config file; format: git-config(1), "Syntax"."""
    return "".join(_config_entry(key, value) for key, value in settings)


def _config_entry(key: str, value: str) -> str:
    section, _, rest = key.partition(".")
    subsection, dot, name = rest.rpartition(".")
    heading = f'{section} "{escaped(subsection)}"' if dot else section
    words = escaped(value).replace("\n", "\\n").replace("\t", "\\t").replace("\b", "\\b")
    return f'[{heading}]\n\t{name} = "{words}"\n'


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def parts(path: bytes) -> list[bytes]:
    return path.lower().split(b"/")


def parse_shortstat(text: str) -> DiffStat:
    found = re.findall(r"(\d+) (file|insertion|deletion)", text)
    numbers = {word: int(number) for number, word in found}
    return DiffStat(numbers.get("file", 0), numbers.get("insertion", 0), numbers.get("deletion", 0))


def worktree_entry(block: str) -> WorktreeEntry:
    entry = WorktreeEntry("")
    for line in block.split("\n"):
        word, _, rest = line.partition(" ")
        if word == "worktree":
            entry = replace(entry, path=rest)
        elif word == "HEAD":
            entry = replace(entry, commit=rest)
        elif word == "branch":
            entry = replace(entry, branch=rest[len(HEADS) :])
        elif word == "locked":
            entry = replace(entry, locked=rest)
        elif word == "prunable":
            entry = replace(entry, prunable=True)
    return entry


def parse_names(lines: Iterable[str], commits: Sequence[str]) -> list[frozenset[str]]:
    """The lines after each commit's own line, up to the next commit's."""
    found: list[set[str]] = []
    for line in lines:
        if len(found) < len(commits) and line == commits[len(found)]:
            found.append(set())
        else:
            found[-1].add(line)
    return [frozenset(files) for files in found]


def parse_status(text: str) -> WorktreeStatus:
    head = dict.fromkeys(("branch.oid", "branch.head", "branch.upstream", "branch.ab"), "")
    changed: list[str] = []
    untracked: list[str] = []
    ignored: list[str] = []
    unmerged: list[str] = []
    added: list[str] = []
    staged: list[str] = []
    indexed: list[str] = []
    submodules: list[str] = []
    moved: list[str] = []
    for entry in text.split("\0"):
        kind, _, rest = entry.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            head[name] = value
        elif kind == "1":
            states, submodule, _, _, _, _, _, path = rest.split(" ", 7)
            if submodule[2:] != "..":
                submodules.append(path)
            if states != ".M" or submodule[:2] != "S.":
                changed.append(path)
            if states[0] != ".":
                staged.append(path)
            if (states, submodule) == (".M", "SC.."):
                moved.append(path)
            if "A" in states:
                added.append(path)
            if "." not in states and states[0] != "D":
                indexed.append(path)
        elif kind == "u":
            unmerged.append(rest.split(" ", 9)[9])
        elif kind == "?":
            untracked.append(rest)
        elif kind == "!":
            ignored.append(rest)
    return WorktreeStatus(
        branch=head["branch.head"],
        commit=head["branch.oid"],
        changed=tuple(changed),
        untracked=tuple(untracked),
        ignored=tuple(ignored),
        unmerged=tuple(unmerged),
        added=tuple(added),
        indexed=tuple(indexed),
        submodules=tuple(submodules),
        staged=tuple(staged),
        moved=tuple(moved),
        upstream=head["branch.upstream"],
        behind=_number(head["branch.ab"].rpartition("-")[2]),
    )


def _number(digits: str) -> int:
    return int(digits) if digits.isdecimal() else 0  # ? with status.aheadBehind=false


def parse_gitlinks(entries: bytes, *, commit: int) -> dict[str, str]:
    """Submodule commits by path, from entries of mode, further words and path."""
    links: dict[str, str] = {}
    if b"160000 " not in entries:
        return links  # Most repositories have none.
    for entry in entries.split(b"\0"):
        words, _, path = entry.partition(b"\t")
        if words.startswith(b"160000 "):
            links[os.fsdecode(path)] = os.fsdecode(words.split(b" ")[commit])
    return links
