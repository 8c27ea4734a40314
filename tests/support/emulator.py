"""`Emulator`: what a terminal shows after the sequences that our views write, and no others."""

from __future__ import annotations

import re

from core.reporter.style import columns

_TOKEN = re.compile(
    r"\x1b\[(?P<args>[?\d;]*)(?P<final>[A-Za-z])"
    r"|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|(?P<text>[^\x1b])",
    re.DOTALL,
)


class Emulator:
    """A terminal of ``width`` columns that never scrolls; colours stay in its lines."""

    def __init__(self, width: int = 80) -> None:
        self.width = width
        self.rows: list[list[str]] = [[]]
        """A cell is a character with the colours before it; empty behind a wide one."""
        self.titles = ["before"]
        """The stack of titles; the last one is shown."""
        self.progress: tuple[str, ...] = ()
        """The state and percentage of OSC 9;4; empty without it."""
        self.wraps = True
        self._row = self._column = 0
        self._colour = ""

    def feed(self, text: str) -> None:
        """Take what a program wrote, as the terminal gets it: with a CR in each line end."""
        end = 0
        for found in _TOKEN.finditer(text):
            assert found.start() == end, f"unknown sequence: {text[end : end + 20]!r}"
            end = found.end()
            if found["text"] is not None:
                self._print(found["text"])
            elif found["osc"] is not None:
                self._command(found["osc"])
            else:
                self._control(found["args"], found["final"])
        assert end == len(text), f"unfinished: {text[end:]!r}"

    @property
    def lines(self) -> list[str]:
        """What is shown, without blank lines at the end."""
        shown = ["".join(row).rstrip() for row in self.rows]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    @property
    def plain(self) -> list[str]:
        """The same without colours."""
        return [re.sub(r"\x1b\[\d*m", "", line) for line in self.lines]

    def _print(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._down()
        else:
            self._put(character)

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.rows):
            self.rows.append([])

    def _put(self, character: str) -> None:
        wide = columns(character)
        if self._column + wide > self.width:
            if not self.wraps:
                self._column = self.width - wide
            else:
                self._down()
                self._column = 0
        row = self.rows[self._row]
        row.extend(" " * (self._column + wide - len(row)))
        row[self._column] = self._colour + character
        if wide == 2:
            row[self._column + 1] = ""
        self._column += wide
        self._colour = ""

    def _control(self, args: str, final: str) -> None:
        row = self.rows[self._row]
        if final == "m":
            code = f"\x1b[{args}m"
            if args == "0" and self._column and self._column <= len(row):
                row[self._column - 1] += code
            else:
                self._colour += code
        elif final == "A":
            self._row = max(0, self._row - int(args or 1))
        elif final == "K" and not args:
            del row[self._column :]
        elif final == "J" and not args:
            del row[self._column :]
            del self.rows[self._row + 1 :]
        elif (args, final) in (("?7", "l"), ("?7", "h")):
            self.wraps = final == "h"
        elif (args, final) == ("22;2", "t"):
            self.titles.append(self.titles[-1])
        elif (args, final) == ("23;2", "t"):
            self.titles.pop()
        else:
            raise AssertionError(f"unknown sequence: {args}{final}")

    def _command(self, words: str) -> None:
        kind, _, rest = words.partition(";")
        if kind == "2":
            self.titles[-1] = rest
        elif words.startswith("9;4;"):
            state, *percent = words.split(";")[2:]
            self.progress = () if state == "0" else (state, *percent)
        else:
            raise AssertionError(f"unknown command: {words}")
