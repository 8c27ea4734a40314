"""`Tree`: the files of a commit, or of one of its folders, as the ecosystems look at them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

READ_LIMIT = 1_000_000
"""Characters of a file that are looked at."""


class Tree:
    """The paths below a folder, relative to it, and their texts."""

    def __init__(self, paths: Iterable[str], read: Callable[[str], str]) -> None:
        self.paths = frozenset(paths)
        self._read = read
        self._known: dict[str, str] = {}

    def has(self, *paths: str) -> bool:
        """Whether one of these files is there."""
        return not self.paths.isdisjoint(paths)

    def first(self, *paths: str) -> str:
        """The first of these files that is there; else empty."""
        return next((path for path in paths if path in self.paths), "")

    def text(self, path: str) -> str:
        """The text of a file; empty if there is none."""
        if path not in self.paths:
            return ""
        if path not in self._known:
            self._known[path] = self._read(path)[:READ_LIMIT]
        return self._known[path]

    def json(self, path: str) -> dict[str, object]:
        """A file with a JSON object; empty if it is not one."""
        try:
            found = json.loads(self.text(path))
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def here(self, pattern: str) -> list[str]:
        """The files of the folder itself whose names match, sorted."""
        found = (path for path in self.paths if "/" not in path)
        return sorted(path for path in found if fnmatchcase(path, pattern))

    def matching(self, pattern: str) -> list[str]:
        """The paths that match a regular expression, sorted."""
        wanted = re.compile(pattern)
        return sorted(filter(wanted.search, self.paths))

    def below(self, folder: str) -> Tree:
        """The tree of a folder."""
        head = f"{folder}/"
        paths = (path[len(head) :] for path in self.paths if path.startswith(head))
        return Tree(paths, lambda path: self.text(head + path))

    def folders(self, depth: int) -> list[str]:
        """The folders with files, up to a depth, the outer ones first."""
        found = {
            "/".join(parts[:count])
            for parts in (path.split("/") for path in self.paths)
            for count in range(1, min(depth, len(parts) - 1) + 1)
        }
        return sorted(found, key=lambda folder: (folder.count("/"), folder))


def table(value: object) -> dict[str, object]:
    """An object of a JSON document; empty if it is none."""
    return value if isinstance(value, dict) else {}
