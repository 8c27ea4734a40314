"""The names that git allows for branches."""

from __future__ import annotations

import re

REF_LIMIT_BYTES = 250
"""Of each part between slashes: git puts ``.lock`` behind it, and file systems end at 255."""


REF_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|\Z)|\A[/.-]")


def is_branch_name(text: str) -> bool:
    """Whether git lets a branch be called so."""
    return text != "HEAD" and not REF_FORBIDDEN.search(text)
