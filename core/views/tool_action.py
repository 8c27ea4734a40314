"""A tool call of Claude in a few words: ``Edit src/api.py``, ``$ npm test``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

MOST_CHARACTERS = 8_192
"""Of an argument: it is masked before it is shortened, and masking takes time."""

LONGEST_ACTION = 300
"""Wider than any row of a view."""

ARGUMENTS = (
    *("file_path", "notebook_path", "path", "pattern", "description", "url", "query"),
    *("skill", "subject"),
)
"""The arguments that say most about a call, the best first."""


def tool_action(
    name: str, given: Mapping[str, object], folder: str, mask: Callable[[str], str]
) -> str:
    """What a tool does; paths in ``folder`` are relative to it. Masked, but not cleaned."""
    if name == "Bash" and isinstance(given.get("command"), str):
        return f"$ {excerpt(str(given['command']), mask)}"
    if name in ("Grep", "Glob") and isinstance(given.get("pattern"), str):
        return f"{name} {excerpt(str(given['pattern']), mask)}"
    for argument in ARGUMENTS:
        value = given.get(argument)
        if isinstance(value, str) and value.strip():
            return f"{excerpt(name, mask)} {excerpt(_inside(value, folder), mask)}"
    return excerpt(name or "?", mask)


def excerpt(text: str, mask: Callable[[str], str]) -> str:
    """The beginning of a text, masked. What is cut off may be half a secret, so more goes."""
    return mask(text[:MOST_CHARACTERS])[:LONGEST_ACTION]


def _inside(path: str, folder: str) -> str:
    prefix = folder.rstrip(os.sep) + os.sep
    return path[len(prefix) :] if folder and path.startswith(prefix) else path
