"""Control requests: pause, resume, stop, skip, retry, reload, …: a file each in the state folder.

A file appears whole and names its run. Whoever removes the file owns the request: the run, which
then replies in the journal, or the sender, who withdraws it after a timeout.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from ..model import event_json
from ..model.control_action import ControlAction
from ..model.errors import unwritable
from ..model.events import Event
from ..model.frozen import dataclass
from ..model.json_values import integer
from . import private_files

LARGEST_BYTES = 4 << 20
"""The digests of ten thousand files, twice over."""
SUFFIX = ".json"


@dataclass(frozen=True)
class Request:
    """A request to the run ``run``; without ``feature`` it is for the whole run."""

    id: str
    run: str
    action: ControlAction
    feature: str = ""
    force: bool = False
    events: tuple[Event, ...] = ()
    """What the run is to record."""
    attempts: int | None = None
    """How often a ``retry`` lets a failing check go back to Claude."""
    listed: str = ""
    """The digest of the changed list that the user was shown."""


class Requests:
    """The requests in a state folder. The first one creates their folder, for this user only."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.join(folder, "requests")

    def leave(
        self,
        run: str,
        action: ControlAction,
        feature: str = "",
        *,
        force: bool = False,
        events: Sequence[Event] = (),
        attempts: int | None = None,
        listed: str = "",
    ) -> Request:
        """Write a request. Raises :class:`~core.model.errors.StateError` if that fails."""
        # The id starts with the time, so that requests are taken in their order.
        id = f"{time.time_ns():020}-{os.urandom(4).hex()}"
        request = Request(id, run, action, feature, force, tuple(events), attempts, listed)
        path, hidden = self._path(request), os.path.join(self.folder, f".{request.id}.tmp")
        try:
            private_files.make_folder(self.folder, 2)
            file = private_files.open_file(hidden, os.O_WRONLY | os.O_EXCL)
            with open(file, "w", encoding="utf-8") as stream:
                json.dump(_document(request), stream)
            os.rename(hidden, path)
        except OSError as error:
            raise unwritable(path, error) from None
        return request

    def withdraw(self, request: Request) -> bool:
        """Withdraw a request; whether the run had not taken it yet."""
        return _take_away(self._path(request))

    def _path(self, request: Request) -> str:
        return os.path.join(self.folder, request.id + SUFFIX)

    def take(self, run: str) -> Iterator[Request]:
        """Take each request for ``run``, in order: its file is removed. Others are removed, too."""
        for name in self._names():
            path = os.path.join(self.folder, name)
            request = None if name.startswith(".") else _read(path)
            if name.startswith(".") and run:
                continue  # It is being written.
            if _take_away(path) and request is not None and request.run == run:
                yield request

    def clear(self) -> None:
        """Remove the requests to earlier runs."""
        list(self.take(""))

    def _names(self) -> list[str]:
        if os.path.islink(self.folder):
            return []  # It came with an archive: the files behind it are not ours.
        try:
            return sorted(os.listdir(self.folder))
        except OSError:
            return []  # There was never a request.


def _document(request: Request) -> dict[str, object]:
    plain = {**vars(request), "action": request.action.value}
    return {**plain, "events": [event_json.to_json(event) for event in request.events]}


def _take_away(path: str) -> bool:
    with suppress(OSError):
        os.unlink(path)
        return True
    return False


def _read(path: str) -> Request | None:
    """A request; ``None`` for any other file. Nothing that could block is opened."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            regular = stat.S_ISREG(os.fstat(file).st_mode)
            with open(file, "rb", closefd=False) as stream:
                text = stream.read(LARGEST_BYTES + 1) if regular else b""
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
    given = value.get("events")
    made = tuple(map(event_json.from_json, given if isinstance(given, list) else ()))
    action, force = ControlAction(value.get("action")), value.get("force") is True
    attempts, listed = integer(value, "attempts") or None, str(value.get("listed", ""))
    return Request(id, run, action, feature, force, made, attempts, listed)
