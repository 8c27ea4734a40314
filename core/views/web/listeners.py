"""`Listener`: the connection of a page that listens for server-sent events. It never blocks."""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Iterable

from ...model.json_values import Json

MOST_PENDING = 16 * 1024 * 1024
"""Bytes that a slow page may leave unread. The messages are shared by all pages."""

STALL_SECONDS = 30.0
"""How long a page may read nothing before it is dropped; its browser connects again."""

BEAT = b": beat\n\n"


class Listener:
    """A page that listens, on a connection that is ours from now on.

    ``since`` is the last position that it has seen, ``follow`` the feature whose Claude it reads,
    ``attempt`` the number of the attempt, or 0 for the last.
    """

    def __init__(
        self, connection: socket.socket, since: str = "", follow: str = "", attempt: int = 0
    ) -> None:
        connection.setblocking(False)
        self._connection = connection
        self.since = since
        self.follow = follow
        self.attempt = attempt
        self.is_gone = False
        self._waiting: deque[bytes] = deque()
        self._sent = 0
        """How many bytes of the first waiting message were sent."""
        self._pending = 0
        self._stalled_at: float | None = None

    @property
    def is_behind(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self._waiting)

    def send(self, messages: Iterable[bytes], now: float) -> None:
        """Send messages, or keep them until the page reads again."""
        for message in messages:
            self._waiting.append(message)
            self._pending += len(message)
        self.flush(now)

    def flush(self, now: float) -> None:
        """Send what is waiting, as far as the page reads it; drop a page that doesn't."""
        try:
            while self._waiting and not self.is_gone:
                first = memoryview(self._waiting[0])[self._sent :]
                count = self._connection.send(first)
                self._stalled_at = None
                self._sent += count
                self._pending -= count
                if count == len(first):
                    self._waiting.popleft()
                    self._sent = 0
        except BlockingIOError:
            self._stalled_at = now if self._stalled_at is None else self._stalled_at
            if self._pending > MOST_PENDING or now - self._stalled_at > STALL_SECONDS:
                self.close()
        except OSError:
            self.close()

    def look(self) -> None:
        """Notice that the page is gone."""
        try:
            if not self.is_gone and not self._connection.recv(4096):
                self.close()
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def close(self) -> None:
        """Close the connection."""
        self.is_gone = True
        self._waiting.clear()
        self._connection.close()


def message(event: str, data: Json, position: str = "") -> bytes:
    """A server-sent event. ``position`` is what the page sends when it connects again."""
    # JSON has no line ends, so the data is one line.
    id = f"id: {position}\n" if position else ""
    return f"event: {event}\n{id}data: {json.dumps(data)}\n\n".encode()
