"""The last lines that each check of a feature printed, from the log that has them all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from ..journal.private_files import only_regular
from ..model.events import Event
from ..model.mask import whole_words
from ..model.terminal_text import clean

READ_BYTES = 1024 * 1024
"""Of the end of a log."""

LINES = 40
LINE_CHARACTERS = 1_000
"""Of each check."""


def outputs_by_feature(
    folder: str, events: Iterable[Event], mask: Callable[[str], str], lines: int = LINES
) -> dict[str, list[tuple[str, ...]]]:
    """The last lines of the checks of each feature in a run, whose logs are in ``folder``.

    ``events`` are those of the run.
    """
    commands: dict[str, list[str]] = {}
    for event in events:
        if event.kind == "checked" and event.feature:
            commands.setdefault(event.feature, []).append(str(event.data.get("command", "")))
    return {
        id: check_outputs(os.path.join(folder, f"{id}.verify.log"), ran, mask, lines)
        for id, ran in commands.items()
    }


def check_outputs(
    log: str, commands: Sequence[str], mask: Callable[[str], str], lines: int = LINES
) -> list[tuple[str, ...]]:
    """For each of the ``commands``, which ran in this order, its last lines, masked and cleaned.

    They are empty if the log no longer has them.
    """
    text = _end_of(log, mask).split("\n")
    found: list[tuple[str, ...]] = []
    end = len(text)
    for command in reversed(commands):
        first = clean(f"$ {command}").split("\n", 1)[0]
        begin = next((at for at in range(end - 1, -1, -1) if text[at] == first), None)
        output = [] if begin is None else [_short(line) for line in text[begin + 1 : end]]
        while output and not output[-1]:
            output.pop()
        found.append(tuple(output[-lines:]))
        end = end if begin is None else begin
    return found[::-1]


def _short(line: str) -> str:
    shown = line.rstrip()
    return shown if len(shown) <= LINE_CHARACTERS else f"{shown[:LINE_CHARACTERS]}…"


def _end_of(log: str, mask: Callable[[str], str]) -> str:
    try:
        with open(log, "rb", opener=only_regular) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - READ_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    # Masked before it is cut into lines: a secret may have several of them.
    return clean(mask(whole_words(text) if size > READ_BYTES else text))
