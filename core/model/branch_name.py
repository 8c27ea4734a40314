"""The names that git allows for branches."""

from __future__ import annotations

from .patterns import pattern

REF_LIMIT_BYTES = 250
"""The limit for each part between slashes: git appends ``.lock``, file systems end at 255."""


REF_FORBIDDEN = pattern(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|\Z)|\A[/.-]")


def is_branch_name(text: str) -> bool:
    """Whether git allows this name for a branch."""
    return text != "HEAD" and (_is_plain(text) or not REF_FORBIDDEN.search(text))


def _is_plain(text: str) -> bool:
    """Whether it is of words only, as most names are: that needs no pattern to be compiled."""
    words = text.replace("-", "_").split("/")
    return not text.startswith("-") and all(map(str.isidentifier, words))
