"""Opens a file with the program that the desktop has for it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

from ..model.errors import UserError
from .spawner import Scratch, spawn, which

OPENERS = ("open",) if sys.platform == "darwin" else ("xdg-open", "wslview")

WAIT_SECONDS = 3.0
"""How long an opener may take to fail. One that is still running then has become the browser."""

POLL_SECONDS = 0.02


def open_file(path: str, env: Mapping[str, str], *, wait_seconds: float = WAIT_SECONDS) -> None:
    """Open a file, such as a page in the browser.

    Raises :class:`UserError` if there is no program for it, or if it fails.
    """
    opener = next(filter(None, (which(name, env) for name in OPENERS)), "")
    if not opener:
        raise UserError(f"{OPENERS[0]} was not found", hint=f"open {path} in a browser")
    with Scratch(b"") as scratch:
        pid = spawn([opener, path], env, scratch.actions())
        deadline = time.monotonic() + wait_seconds
        ended, status = os.waitpid(pid, os.WNOHANG)
        while not ended and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            ended, status = os.waitpid(pid, os.WNOHANG)
        if ended and status:
            said = scratch.finished(os.waitstatus_to_exitcode(status)).complaint
            raise UserError(
                f"{opener} could not open the page: {said}", hint=f"open {path} in a browser"
            )
