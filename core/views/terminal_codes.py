"""Control sequences for a terminal: the redrawn block, its title, its progress.

The sequences are those of ECMA-48 and xterm, and OSC 9;4 of ConEmu.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..reporter.style import columns

ERASE_BELOW = "\x1b[J"
ERASE_RIGHT = "\x1b[K"
NO_WRAP = "\x1b[?7l"
WRAP = "\x1b[?7h"
PUSH_TITLE = "\x1b[22;2t"
POP_TITLE = "\x1b[23;2t"
NO_PROGRESS = "\x1b]9;4;0;\x1b\\"

NORMAL, FAILED, PAUSED = 1, 2, 4
"""The states of :func:`progress`."""


def up(rows: int) -> str:
    """To the first column, ``rows`` higher."""
    return f"\r\x1b[{rows}A" if rows else "\r"


def block(lines: Sequence[str]) -> str:
    """Lines over whatever is there; none of them wraps."""
    body = "".join(f"{line}{ERASE_RIGHT}\n" for line in lines)
    return f"{NO_WRAP}{body}{ERASE_BELOW}{WRAP}" if lines else ""


def rows_of(lines: Sequence[str], width: int) -> int:
    """How many rows lines without colours take, also after the terminal has become narrower."""
    return sum(max(1, -(-columns(line) // max(1, width))) for line in lines)


def title(text: str) -> str:
    """Sets the title of the window or tab."""
    return f"\x1b]2;{text}\x1b\\"


def progress(percent: int, state: int = NORMAL) -> str:
    """Shows progress at the window, tab or task bar."""
    return f"\x1b]9;4;{state};{percent}\x1b\\"


def knows_titles(env: Mapping[str, str]) -> bool:
    """Whether the terminal has a title; others could print the sequences."""
    name = env.get("TERM", "")
    return not (name in ("", "dumb", "linux", "ansi", "cons25") or name.startswith(("vt", "sun")))


def knows_progress(env: Mapping[str, str]) -> bool:
    """Whether OSC 9;4 is known or ignored: older iTerm2 shows it as a notification."""
    version = env.get("TERM_PROGRAM_VERSION", "").split(".")
    if env.get("TERM_PROGRAM") == "iTerm.app":
        numbers = [int(part) if part.isdecimal() else 0 for part in version]
        return numbers >= [3, 6, 6]
    return knows_titles(env)


def closing(env: Mapping[str, str]) -> str:
    """Undoes everything that a view changed in the terminal, without moving the cursor."""
    parts = [WRAP, "\x1b[0m"]
    parts += [NO_PROGRESS] if knows_progress(env) else []
    # A terminal without a stack of titles is left without one.
    parts += [title(""), POP_TITLE] if knows_titles(env) else []
    return "".join(parts)
