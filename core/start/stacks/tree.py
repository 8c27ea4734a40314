"""`Tree`: the files of a commit, or of one of its folders, as the stacks look at them."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable

READ_LIMIT = 1_000_000
"""Characters of a file that are looked at."""


class Tree:
    """The paths below a folder, relative to it, and their texts."""

    def __init__(self, paths: Iterable[str], read: Callable[[str], str]) -> None:
        self._sorted = sorted(paths)
        self.paths = frozenset(self._sorted)
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

    def matching(self, pattern: str) -> list[str]:
        """The paths that match a regular expression, sorted."""
        return list(filter(re.compile(pattern).search, self._sorted))

    def below(self, folder: str) -> Tree:
        """The tree of a folder."""
        head = f"{folder}/"
        # In order, what is below a folder stands together: a large repository has many of them.
        first, last = bisect_left(self._sorted, head), bisect_left(self._sorted, f"{folder}0")
        paths = (path[len(head) :] for path in self._sorted[first:last])
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
