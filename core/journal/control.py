"""What other terminals ask of a run: a file for each request, in a folder of the state folder.

A request is there whole or not at all, and names the run that it is for. Who takes its file
away has it: the run, which then answers in the journal, or who left it and has waited enough.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress

from ..model.control_action import ControlAction
from ..model.errors import unwritable
from ..model.frozen import dataclass
from . import private_files

LARGEST_BYTES = 4096
SUFFIX = ".json"


@dataclass(frozen=True)
class Request:
    """What is asked of the run ``run``; without ``feature`` it is about the whole run."""

    id: str
    run: str
    action: ControlAction
    feature: str = ""
    force: bool = False


class Requests:
    """The requests in a state folder; theirs is made with the first one, for us alone."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.join(folder, "requests")

    def leave(
        self, run: str, action: ControlAction, feature: str = "", *, force: bool = False
    ) -> Request:
        """Ask for something. Raises :class:`~core.errors.StateError` where it can't be written."""
        # In the order in which they were asked, as far as the clock tells.
        request = Request(
            f"{time.time_ns():020}-{os.urandom(4).hex()}", run, action, feature, force
        )
        path, hidden = self._path(request), os.path.join(self.folder, f".{request.id}.tmp")
        try:
            private_files.make_folder(self.folder, 2)
            file = private_files.open_file(hidden, os.O_WRONLY | os.O_EXCL)
            with open(file, "w", encoding="utf-8") as stream:
                json.dump({**vars(request), "action": request.action.value}, stream)
            os.rename(hidden, path)
        except OSError as error:
            raise unwritable(path, error) from None
        return request

    def withdraw(self, request: Request) -> bool:
        """Take a request back; whether nobody had taken it up."""
        return _take_away(self._path(request))

    def _path(self, request: Request) -> str:
        return os.path.join(self.folder, request.id + SUFFIX)

    def take(self, run: str) -> Iterator[Request]:
        """Each request for ``run``, in order, once its file is gone; the others are removed."""
        for name in self._names():
            path = os.path.join(self.folder, name)
            request = None if name.startswith(".") else _read(path)
            if name.startswith(".") and run:
                continue  # Somebody is writing it.
            if _take_away(path) and request is not None and request.run == run:
                yield request

    def clear(self) -> None:
        """Remove what was left for runs that are over."""
        list(self.take(""))

    def _names(self) -> list[str]:
        if os.path.islink(self.folder):
            return []  # It came along: the files that it leads to are not ours to remove.
        try:
            return sorted(os.listdir(self.folder))
        except OSError:
            return []  # Nobody ever asked for anything.


def _take_away(path: str) -> bool:
    with suppress(OSError):
        os.unlink(path)
        return True
    return False


def _read(path: str) -> Request | None:
    """A request; ``None`` for anything else, of which nothing is ever opened that would block."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            regular = stat.S_ISREG(os.fstat(file).st_mode)
            text = os.read(file, LARGEST_BYTES + 1) if regular else b""
        finally:
            os.close(file)
        return _parse(text, os.path.basename(path))
    except (OSError, ValueError, RecursionError):
        return None


def _parse(text: bytes, name: str) -> Request | None:
    value = json.loads(text) if len(text) <= LARGEST_BYTES else None
    if not isinstance(value, dict):
        return None
    words = [value.get(key) for key in ("id", "run", "feature")]
    id, run, feature = (word if isinstance(word, str) else "" for word in words)
    if not run or f"{id}{SUFFIX}" != name or not feature.isprintable():
        return None
    return Request(id, run, ControlAction(value.get("action")), feature, value.get("force") is True)
