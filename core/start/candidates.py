"""What may stand at the end of a command line: the answer to the completion script of a shell."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence

from ..model.translate import N_, _
from .completion import answer_lines, whole_words
from .list_words import ids_and_tags

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "options.json")
"""The options of all commands, because importing the commands would take too long.

``python3 -m tests.pages`` writes it. Each command has a list of objects: ``names`` (none of an
argument), ``meaning``, ``value`` (missing if there is none; choices, or ``id``, ``ids``, ``tag``,
``file``, ``text``), ``may_lack`` its value, ``repeats``.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Option = dict[str, Any]

BEFORE_A_COMMAND = {"--help": N_("show the commands"), "--version": N_("show the version")}


def answer(
    words: Sequence[str], commands: Mapping[str, str], everywhere: Mapping[str, bool]
) -> list[str]:
    """The lines for ``SHELL WORD…``; the last word is the one to complete.

    ``commands`` are all commands with their meanings; ``everywhere`` are the options that may stand
    before a command, True if a value follows.
    """
    if len(words) < 2:
        return []
    shell = words[0]
    *before, typed = whole_words(shell, words[1:])
    with open(TABLE, encoding="utf-8") as file:
        table: dict[str, list[Option]] = json.load(file)
    place = _place_of_command(before, everywhere)
    if place == len(before):
        if not typed.startswith("-"):
            return answer_lines(shell, typed, _said(commands))
        meanings = _meanings(_Options(table["plan"]).found)
        known = {name: meanings[name] for name in everywhere if name in meanings}
        return answer_lines(shell, typed, {**known, **_said(BEFORE_A_COMMAND)})
    command = before[place] if place < len(before) else "plan"
    if command == "help":
        return answer_lines(shell, typed, _said(commands))
    if command not in table:
        return []
    typed_options = _Options(table[command])
    for word in (*before[:place], *before[place + 1 :]):
        typed_options.read(word)
    return typed_options.answer(shell, typed)


def _place_of_command(before: Sequence[str], everywhere: Mapping[str, bool]) -> int:
    """Where the command stands; behind the words if it is still to come.

    Further behind if an option still waits for its value.
    """
    place = 0
    while place < len(before) and before[place].startswith("-"):
        place += 2 if everywhere.get(before[place]) else 1
    return place


class _Options:
    """The options and arguments of one command, and what the words so far did with them."""

    def __init__(self, options: Sequence[Option]) -> None:
        self.found = [option for option in options if option["names"]]
        self._arguments = [option for option in options if not option["names"]]
        self._named = {name: option for option in self.found for name in option["names"]}
        self._used: list[Option] = []
        self._count = 0
        self._waiting: Option | None = None
        self._list = ""

    def read(self, word: str) -> None:
        """Take the next word of the line."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not _is_next(waiting, word):
            waiting = None
        if waiting is None and not word.startswith("-"):
            self._count += 1
        name, is_given, value = word.partition("=")
        if waiting is not None:
            name, is_given, value = waiting["names"][0], "=", word
        option = self._named.get(name)
        if option is not None:
            self._used.append(option)
            if not is_given and "value" in option:
                self._waiting = option
            elif name == "--config":
                self._list = value

    def answer(self, shell: str, typed: str) -> list[str]:
        """The lines for the last word."""
        if self._waiting is not None and _is_next(self._waiting, typed):
            return self._values(shell, typed, self._waiting, "")
        name, is_given, _ = typed.partition("=")
        if typed.startswith("-") and is_given:
            option = self._named.get(name, {})
            return self._values(shell, typed, option, f"{name}=")
        argument = self._argument()
        if argument is not None and not typed.startswith("-"):
            return self._values(shell, typed, argument, "")
        left = [each for each in self.found if each not in self._used or each.get("repeats")]
        return answer_lines(shell, typed, _meanings(left))

    def _argument(self) -> Option | None:
        if self._count < len(self._arguments):
            return self._arguments[self._count]
        last = self._arguments[-1] if self._arguments else None
        return last if last is not None and last.get("repeats") else None

    def _values(self, shell: str, typed: str, option: Option, prefix: str) -> list[str]:
        value = option.get("value", "text")
        found: dict[str, str] = dict.fromkeys(value, "") if isinstance(value, list) else {}
        if value in ("id", "ids"):
            found = ids_and_tags(self._list)[0]
        elif value == "tag":
            found = ids_and_tags(self._list)[1]
        if value == "ids":
            head = typed[len(prefix) : typed.rfind(",") + 1]
            given = head.split(",")
            found = {head + id: name for id, name in found.items() if id not in given}
        found = {prefix + each: meaning for each, meaning in found.items()}
        return answer_lines(shell, typed, found, files=value == "file")


def _is_next(option: Option, word: str) -> bool:
    """Whether a word is the value of the option before it."""
    return not (option.get("may_lack") and word.startswith("-"))


def _meanings(options: Sequence[Option]) -> dict[str, str]:
    """The options, each in its long form, with their meanings."""
    return _said({option["names"][-1]: option["meaning"] for option in options})


def _said(meanings: Mapping[str, str]) -> dict[str, str]:
    """The meanings in the language of the user."""
    return {word: _(meaning) for word, meaning in meanings.items()}
