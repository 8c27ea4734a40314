"""`Keyboard`: single keys of the terminal, while the view is in the foreground."""

from __future__ import annotations

import os
import termios
from contextlib import suppress

Settings = list["int | list[bytes | int]"]
"""What ``termios.tcgetattr`` returns."""

_LOCAL, _SPECIAL = 3, 6


class Keyboard:
    """The terminal at a descriptor, usually standard input.

    While open, a key needs no Enter and is not printed. Ctrl-C and Ctrl-Z stay signals.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.before: Settings | None = None
        """The settings to restore, while open."""
        self.ours: Settings | None = None

    def open(self) -> bool:
        """Take the keys; whether that was possible: never from the background."""
        if self.before is not None:
            return True
        with suppress(OSError, termios.error):
            if os.tcgetpgrp(self.descriptor) != os.getpgrp():
                return False
            before = termios.tcgetattr(self.descriptor)
            termios.tcsetattr(self.descriptor, termios.TCSADRAIN, single_keys(before))
            self.before, self.ours = before, termios.tcgetattr(self.descriptor)
        return self.before is not None

    def close(self) -> None:
        """Restore the settings, unless another program has changed them."""
        before, self.before = self.before, None
        with suppress(OSError, termios.error):
            if before is not None and termios.tcgetattr(self.descriptor) == self.ours:
                termios.tcsetattr(self.descriptor, termios.TCSADRAIN, before)

    def read(self) -> str:
        """The keys that were pressed. Call it only if there are some: else it blocks."""
        try:
            pressed = os.read(self.descriptor, 1024)
        except OSError:
            pressed = b""
        if not pressed:
            self.close()
        return pressed.decode("ascii", "replace")


def single_keys(settings: Settings) -> Settings:
    """Settings by which each key arrives at once, and is not printed."""
    changed = list(settings)
    local, special = settings[_LOCAL], settings[_SPECIAL]
    assert isinstance(local, int) and isinstance(special, list)
    changed[_LOCAL] = local & ~(termios.ICANON | termios.ECHO)
    keys = list(special)
    keys[termios.VMIN], keys[termios.VTIME] = 1, 0
    changed[_SPECIAL] = keys
    return changed
