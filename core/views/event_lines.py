"""`EventLines`: the events of the journal as they happen, one JSON object a line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from ..model import event_json
from ..model.errors import UserError
from ..model.events import Event
from ..model.translate import _, shown
from .view import View


class EventLines(View):
    """Hands the line of each event to ``write``; ``mask`` removes secrets."""

    def __init__(self, write: Callable[[str], object], mask: Callable[[str], str]) -> None:
        self._write = write
        self._mask = mask

    def on_append(self, event: Event) -> None:
        """Write an event."""
        self._write(self._mask(json.dumps(event_json.to_json(event))) + "\n")


class EventFile:
    """The file that ``--events`` names; also a device, or a pipe that somebody reads.

    Raises :class:`UserError` if it can't be written. An old content is removed.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        # O_NONBLOCK: neither a pipe without a reader nor a slow reader stops the run.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
            self._descriptor = os.open(path, flags, 0o666)
        except OSError as error:
            raise self._refusal(error) from None

    def __call__(self, line: str) -> None:
        """Write a line. Raises :class:`UserError`."""
        content = line.encode("utf-8", "backslashreplace")
        try:
            while content:
                content = content[os.write(self._descriptor, content) :]
        except BlockingIOError:
            raise UserError(
                _("--events {path} ends here: its reader is too slow").format(path=self.path),
                hint=_("let it write to a file"),
            ) from None
        except OSError as error:
            raise self._refusal(error) from None

    def _refusal(self, error: OSError) -> UserError:
        return UserError(
            _("--events {path} can't be written: {strerror}").format(
                path=self.path, strerror=shown(error.strerror or "")
            ),
            hint=_("give --events the path of a file in a folder that you can write to"),
        )
