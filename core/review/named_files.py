"""Which files a feature's prompt and its contracts name."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from ..model.feature import Feature

_WORD = re.compile(r"[^\s\"'`(){}<>,;|]+")
_TEST_OF = re.compile(r"(?:test|spec)[_.-](.+)|(.+?)[_.-]?(?:test|tests|spec)", re.IGNORECASE)
_KIND = re.compile(r"(?:path|symbol|command):")
_IS_FILE = re.compile(
    r"(?:.*/)?(?:[^/]{2,}\.[A-Za-z]\w{0,7}|[^/]\.[A-Za-z]\w{1,7}|[A-Z]\w*file|\.\w{2,})|.*\w/"
)
"""Neither ``e.g.`` nor ``2.0`` nor ``and/or``."""


def names_files(feature: Feature) -> bool:
    """Whether a feature names any file at all: else that it does not name one says nothing."""
    return any(_IS_FILE.fullmatch(word) for word in _words(feature))


def is_named_by(feature: Feature) -> Callable[[str], bool]:
    """Whether a feature names a file: its path, its name, a folder or pattern around it.

    The tests of a named file are named with it.
    """
    words = _words(feature)
    folders = {word.rstrip("/") for word in words if "/" in word}
    patterns = [word for word in words if "*" in word]
    stems = {_stem(word) for word in words if _IS_FILE.fullmatch(word)} - {""}

    def is_named(path: str) -> bool:
        name = path.rpartition("/")[2]
        if path in words or name in words or not folders.isdisjoint(_around(path)):
            return True
        if any(fnmatchcase(path, each) or fnmatchcase(name, each) for each in patterns):
            return True
        tested = _TEST_OF.fullmatch(name.split(".")[0]) or _TEST_OF.fullmatch(_stem(name))
        return tested is not None and (tested[1] or tested[2]) in stems

    return is_named


def _words(feature: Feature) -> frozenset[str]:
    texts = (feature.prompt, feature.description, *feature.creates, *feature.uses)
    text = "\n".join((*texts, *(command.line for command in feature.verify)))
    words = (_KIND.sub("", word).rstrip(".:!?") for word in _WORD.findall(text))
    return frozenset(word.removeprefix("./") for word in words) - {""}


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def _around(path: str) -> set[str]:
    parts = path.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}
