"""Opens an address or a file in the user's browser, which may outlive this process."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping

from .environment import without_git
from .spawner import spawn, which

OPENERS = ("open", "xdg-open", "wslview", "sensible-browser", "gio open")
"""Programs that open an address: those of macOS, of freedesktop.org, of WSL, of Debian, of GNOME.

``open`` is another program on some Linux systems, so it is taken on macOS only.
"""

REFUSAL_SECONDS = 1.0
"""An opener that fails does so within this time; one that still runs may be the browser."""


def open_in_browser(address: str, environ: Mapping[str, str], platform: str) -> bool:
    """Open an address, or the path of a file; whether a program for that was found and started.

    ``BROWSER`` goes first, as a command to which the address is added. ``platform`` is
    ``sys.platform``.
    """
    for words in _commands(environ, platform):
        if which(words[0], environ) and _starts([*words, address], environ):
            return True
    return False


def _commands(environ: Mapping[str, str], platform: str) -> list[list[str]]:
    named = environ.get("BROWSER", "").split(os.pathsep)
    known = OPENERS[:1] if platform == "darwin" else OPENERS[1:]
    found: list[list[str]] = []
    for command in (*named, *known):
        try:
            found.append(shlex.split(command.replace("%s", "")))
        except ValueError:
            continue
    return [words for words in found if words]


def _starts(argv: list[str], environ: Mapping[str, str]) -> bool:
    """Whether a command starts, and does not fail at once."""
    nowhere = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in range(3)]
    pid = spawn(argv, without_git(environ), nowhere)
    deadline = time.monotonic() + REFUSAL_SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.01)
    return True
