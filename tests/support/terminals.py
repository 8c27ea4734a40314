"""A pseudo-terminal whose other end is an :class:`Emulator`."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios

from tests.support.emulator import Emulator


class PseudoTerminal:
    """``theirs`` is the descriptor of the program; :meth:`read` shows what it wrote."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self.ours, self.theirs = os.openpty()
        self.emulator = Emulator(columns)
        self.written = ""
        """All that was read so far."""
        self.resize(columns, lines)

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in (self.ours, self.theirs):
            try:
                os.close(descriptor)
            except OSError:
                continue  # the test closed it

    def resize(self, columns: int, lines: int) -> None:
        """Give it another size. The emulator reflows nothing."""
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, size)
        self.emulator.width = columns

    def read(self) -> str:
        """What was written since the last call; the emulator shows it."""
        parts = []
        while select.select([self.ours], [], [], 0)[0]:
            parts.append(os.read(self.ours, 65536))
        new = b"".join(parts).decode("utf-8")
        self.emulator.feed(new)
        self.written += new
        return new

    @property
    def lines(self) -> list[str]:
        """What is shown now, without colours."""
        self.read()
        return self.emulator.plain
