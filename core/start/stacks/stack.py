"""`Stack`: a language and its tools in a folder, with the commands that set it up and check it."""

from __future__ import annotations

import re
import shlex

from ...model.frozen import dataclass, replace


@dataclass(frozen=True)
class Stack:
    """A language and its tools, found in a folder."""

    name: str
    """For people: ``Node with npm``."""
    files: tuple[str, ...] = ()
    """The files that told it."""
    setup: tuple[str, ...] = ()
    setup_cache: tuple[str, ...] = ()
    """All folders that the setup makes, if copies of them work in another worktree."""
    verify: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    """Commands that Claude may need beside the checks."""
    programs: tuple[str, ...] = ()
    """Programs that setup and checks start."""
    ignored: tuple[str, ...] = ()
    """Patterns for ``.gitignore``: what setup and checks make."""
    port_variable: str = ""
    """The variable from which its servers read their port."""
    copy: tuple[str, ...] = ()
    """Files that the checks need, and that git often ignores."""
    one_at_a_time: str = ""
    """Why no two features can be checked at once; empty if they can."""
    is_crowded: bool = False
    """Whether new folders in the root would break its build."""
    notes: tuple[str, ...] = ()
    """What the user should know."""
    folder: str = ""
    """Empty for the folder that was looked at."""


def moved(stack: Stack, folder: str) -> Stack:
    """The stack of a folder, as the root sees it: its commands begin with ``cd``."""
    inner = f"{folder}/"
    return replace(
        stack,
        folder=inner + stack.folder if stack.folder else folder,
        files=tuple(inner + name for name in stack.files),
        setup=tuple(in_folder(folder, command) for command in stack.setup),
        setup_cache=tuple(inner + each for each in stack.setup_cache),
        verify=tuple(in_folder(folder, command) for command in stack.verify),
        # A rule for each part of the commands, which are compound now.
        allowed=stack.allowed if stack.folder else (*stack.verify, *stack.allowed),
        ignored=tuple(_ignored_in(inner, each) for each in stack.ignored),
        copy=tuple(inner + name for name in stack.copy),
        notes=tuple(f"{folder}: {note}" for note in stack.notes),
    )


def in_folder(folder: str, command: str) -> str:
    """A command line that runs a command in a folder of the repository."""
    inner = f"({command})" if "||" in command else command
    there = f"./{folder}" if folder.startswith("-") else folder
    return f"cd {shlex.quote(there)} && {inner}"


def _ignored_in(inner: str, pattern: str) -> str:
    """A pattern for the same files below a folder: without a slash, it is for each depth."""
    depth = "**/" if "/" not in pattern.rstrip("/") else ""
    return f"/{as_pattern(inner)}{depth}{pattern.lstrip('/')}"


def as_pattern(path: str) -> str:
    """A path in ``.gitignore``, whose lines can have no line break."""
    return re.sub(r"([\\*?\[!#])", r"\\\1", path).replace("\n", "?").replace("\r", "?")
