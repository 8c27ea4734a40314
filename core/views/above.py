"""`Above`: a stream of the terminal on which a view draws; what is written goes above the view."""

from __future__ import annotations

from .screen import Screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


class Above:
    """Writes above the block of ``screen`` while there is one, else to ``stream`` itself."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.screen: Screen | None = None

    def write(self, text: str) -> int:
        """Write ``text``."""
        if self.screen is None or self.screen.is_gone:
            return self.stream.write(text)
        self.screen.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        if self.screen is None or self.screen.is_gone:
            self.stream.flush()

    def fileno(self) -> int:
        """The descriptor of the stream."""
        return self.stream.fileno()
