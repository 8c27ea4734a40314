"""`Site`: what the server can answer: the page, its files, its events, its requests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

from ...model.control_action import ControlAction
from ...model.errors import UserError
from ...model.json_values import Json
from ...model.translate import _
from ..html_style import SCRIPT, STYLE
from .feed import Feed
from .listeners import Listener
from .pages import closed_page

HERE = os.path.dirname(os.path.abspath(__file__))

FILES = {
    "/web.css": "text/css; charset=utf-8",
    "/web.js": "text/javascript; charset=utf-8",
    "/icon.svg": "image/svg+xml",
}

FROM_THE_REPORT = {
    "/report.css": ("text/css; charset=utf-8", STYLE),
    "/report.js": ("text/javascript; charset=utf-8", SCRIPT),
}

OF_THE_RUN = (ControlAction.PAUSE, ControlAction.RESUME, ControlAction.STOP)
OF_A_FEATURE = (ControlAction.STOP, ControlAction.RETRY, ControlAction.SKIP)

Ask = Callable[[ControlAction, str], Mapping[str, Json]]
"""Asks the current run for something, of one feature or of all; its reply."""


class Site:
    """The content of the server. ``ask`` raises :class:`UserError` if no run replies."""

    def __init__(self, feed: Feed, ask: Ask) -> None:
        self._feed = feed
        self._ask = ask

    def page(self, csrf: str) -> bytes:
        """The page, as it is now."""
        with self._feed.lock:
            self._feed.board.load(time.monotonic())
            return self._feed.board.page(csrf).encode()

    def closed(self) -> bytes:
        """The page for a browser that may see nothing."""
        return closed_page().encode()

    def asset(self, path: str) -> tuple[str, bytes] | None:
        """The type and the content of a file of the page; ``None`` for any other path."""
        if path in FROM_THE_REPORT:
            kind, content = FROM_THE_REPORT[path]
            return kind, content.encode()
        if path in FILES:
            with open(HERE + path, "rb") as file:
                return FILES[path], file.read()
        return None

    def is_full(self) -> bool:
        """Whether no further page may listen."""
        return self._feed.is_full

    def connect(self, listener: Listener) -> None:
        """A page listens from now on."""
        self._feed.connect(listener)

    def carry_out(self, action: str, feature: str) -> Mapping[str, Json]:
        """Ask the run for what a button says. Raises :class:`UserError` if that is not possible."""
        known = {each.value: each for each in (OF_A_FEATURE if feature else OF_THE_RUN)}
        if action not in known:
            raise UserError(_("there is no such request"))
        with self._feed.lock:
            board = self._feed.board
            board.follow()
            is_known = not feature or board.feature(feature) is not None
            takes_requests = board.takes_requests
        if not is_known:
            raise UserError(_("the run has no such feature"), hint=_("reload this page"))
        if not takes_requests:
            raise UserError(_("no run is in progress"), hint=_("type the command in a terminal"))
        return self._ask(known[action], feature)
