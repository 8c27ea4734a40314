"""What can be computed again: past runs, a checkpoint of the fold, and files for such things.

A :class:`DerivedFile` holds what took time to compute: the past runs, a state, or git's answers.
It is in the user's own cache folder, has a checksum, and is never believed where it does not fit.
It can be deleted at any time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.events import Event
    from ..model.past_runs import PastRun
    from ..model.state import RunState
    from .reader import Reader

FORM = 5
"""Version of the files. A file of another version is ignored."""

LARGEST_BYTES = 64 * 1024 * 1024

READ_BYTES = 1024 * 1024


class DerivedFile:
    """A JSON value in the user's cache folder; ``name`` tells the kinds apart.

    ``key`` is everything that the value depends on: with another key there is no value.
    """

    def __init__(
        self, repository: str, name: str, environ: Mapping[str, str], key: str = ""
    ) -> None:
        import hashlib

        folder = cache_folder(environ)
        hashed = hashlib.sha256(os.fsencode(repository)).hexdigest()[:20]
        self.path = os.path.join(folder, f"{hashed}{name}.json") if folder else ""
        self.key = key

    def read(self) -> object:
        """The value; ``None`` if there is none, or if the file is unusable."""
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(file, "rb") as stream:
                if os.fstat(file).st_uid != os.geteuid():
                    return None
                head, body = stream.readline(LARGEST_BYTES), stream.read(LARGEST_BYTES)
            if head != self._head(body):
                return None
            value: object = json.loads(body)
            return value
        except (OSError, ValueError, RecursionError):
            return None

    def write(self, value: object) -> None:
        """Write the value. A failed write only costs the next command some time."""
        body = json.dumps(value, separators=(",", ":")).encode()
        if not self.path or len(body) > LARGEST_BYTES:
            return
        temporary = f"{self.path}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(file, "wb") as stream:
                stream.write(self._head(body) + body)
            os.replace(temporary, self.path)
        except OSError:  # The disk may be full: a part of the file is of no use.
            with suppress(OSError):
                os.unlink(temporary)

    def _head(self, body: bytes) -> bytes:
        """The first line of the file: version, key and checksum."""
        from binascii import crc32

        head = {"form": FORM, "key": self.key, "sum": crc32(body)}
        return json.dumps(head).encode() + b"\n"


def cache_folder(environ: Mapping[str, str]) -> str:
    """Our folder in ``XDG_CACHE_HOME``; empty without a home folder."""
    given = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(given):
        home = environ.get("HOME", "")
        if not os.path.isabs(home):
            return ""
        given = os.path.join(home, ".cache")
    return os.path.join(given, "rorchestrator")


LARGE_BYTES = 1024 * 1024
"""A smaller journal is folded anew each time: that takes less than a tenth of a second."""

NEWS_BYTES = 256 * 1024
"""The checkpoint is rewritten once this much is new."""

UNUSABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError, AssertionError)
"""Exceptions from reading a file that another version wrote."""


def folded(folder: str, environ: Mapping[str, str]) -> RunState:
    """The state that the journal of a state folder tells.

    The fold of a large journal goes on from a checkpoint. Raises :class:`UserError` at a damaged
    line after it.
    """
    from ..model.state import RunState
    from .journal import Journal

    journal = Journal(folder)
    if not os.path.lexists(journal.path):
        return RunState()
    from ..model.fold import fold
    from .reader import Reader

    try:
        is_large = os.path.getsize(journal.path) >= LARGE_BYTES
    except OSError:
        is_large = False
    if not is_large:
        return fold(journal.read())
    with _without_collection():
        file = DerivedFile(folder, ".state", environ, _version())
        state, offset, line = _checkpoint(file, journal.path)
        reader = Reader(journal.path, offset, line)
        state = fold(reader.new_events(), state)
        if reader.offset - offset >= NEWS_BYTES:
            _write_checkpoint(file, state, reader)
    return state


@contextmanager
def _without_collection() -> Iterator[None]:
    """Turn off garbage collection: of millions of new values none is garbage, and the search for
    some would take a third of the time.
    """
    import gc

    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _version() -> str:
    """What a state depends on beside the journal: the code of its values and of their fold."""
    from binascii import crc32

    from .. import __version__
    from ..model import fold

    with os.scandir(os.path.dirname(str(fold.__file__))) as entries:
        known = sorted(
            f"{entry.name}:{entry.stat().st_mtime_ns}:{entry.stat().st_size}"
            for entry in entries
            if entry.is_file()
        )
    return f"{__version__} {crc32(' '.join(known).encode()):08x}"


def _checkpoint(file: DerivedFile, path: str) -> tuple[RunState, int, int]:
    """The state of the checkpoint, its offset and its line; a blank one if it does not fit."""
    from ..model.state import RunState
    from ..model.state_json import decoded

    known = file.read()
    with suppress(*UNUSABLE):
        assert isinstance(known, dict)
        offset, line = int(known["offset"]), int(known["line"])
        if known["before"] == _fingerprint(path, offset) != SHORTER:
            state = decoded(known["state"])
            assert isinstance(state, RunState)
            return state, offset, line
    return RunState(), 0, 0


def _write_checkpoint(file: DerivedFile, state: RunState, reader: Reader) -> None:
    from ..model.state_json import encoded

    file.write(
        {
            "offset": reader.offset,
            "line": reader.line,
            "before": _fingerprint(reader.path, reader.offset),
            "state": encoded(state),
        }
    )


def past_runs(folder: str, environ: Mapping[str, str]) -> list[PastRun]:
    """All runs in the journal of a state folder, oldest first.

    Runs that are over come from the index, the rest from the journal. Raises :class:`UserError`
    at a damaged line.
    """
    from .journal import Journal
    from .reader import Reader

    path = Journal(folder).path
    file = DerivedFile(folder, ".history", environ)
    index = _Index.read(file, path)
    reader = Reader(path, index.offset, index.line)
    before = reader.offset, reader.line
    for event in reader.new_events():
        index.take(event, before, (reader.offset, reader.line))
        before = reader.offset, reader.line
    if index.has_news:
        index.write(file, path)
    return index.all_runs()


class _Index:
    """The past runs up to a place in the journal, and the events of the run after it."""

    def __init__(self) -> None:
        self.offset = 0
        self.line = 0
        self.has_news = False
        self._runs: list[PastRun] = []
        self._rates: dict[str, tuple[float, int]] = {}
        """What each model cost so far, for attempts that did not report their cost."""
        self._open: list[Event] = []

    @classmethod
    def read(cls, file: DerivedFile, path: str) -> _Index:
        """The index in a file; an empty one if it does not fit to the journal ``path``."""
        from ..model.past_runs import from_json

        index, known = cls(), file.read()
        if (
            isinstance(known, dict)
            and known["before"] == _fingerprint(path, known["offset"]) != SHORTER
        ):
            index.offset, index.line = known["offset"], known["line"]
            index._runs = list(map(from_json, known["runs"]))
            index._rates = {model: (usd, count) for model, (usd, count) in known["rates"].items()}
        return index

    def write(self, file: DerivedFile, path: str) -> None:
        """Write the index."""
        from ..model.past_runs import to_json

        file.write(
            {
                "offset": self.offset,
                "line": self.line,
                "before": _fingerprint(path, self.offset),
                "rates": self._rates,
                "runs": list(map(to_json, self._runs)),
            }
        )

    def take(self, event: Event, before: tuple[int, int], after: tuple[int, int]) -> None:
        """The next event, between two places in the journal (offset and line)."""
        if event.kind == "run_started":
            self._close(before)  # The last run was killed.
        if event.kind == "run_started" or self._open:
            self._open.append(event)
        if event.kind == "run_ended":
            self._close(after)

    def _close(self, place: tuple[int, int]) -> None:
        """No event of the open run follows."""
        if self._open:
            run, self._rates = self._folded()
            self._runs.append(run)
            self._open = []
            self.has_news = True
            self.offset, self.line = place

    def _folded(self) -> tuple[PastRun, dict[str, tuple[float, int]]]:
        from ..model.costs import Paid
        from ..model.fold import fold
        from ..model.past_runs import last_alive, past_run
        from ..model.state import RunState

        rates = {model: Paid(usd, count) for model, (usd, count) in self._rates.items()}
        state = fold(self._open, RunState(rates=rates))
        paid = {model: (paid.cost_usd, paid.tokens) for model, paid in state.rates.items()}
        alive = last_alive(self._open[0].run, self._open)
        return past_run(state, alive), paid

    def all_runs(self) -> list[PastRun]:
        """All runs, also the one that is not over."""
        return [*self._runs, *([self._folded()[0]] if self._open else [])]


SHORTER = -1


def _fingerprint(path: str, offset: int) -> int:
    """A checksum of all bytes of the journal before ``offset``; :data:`SHORTER` if it is."""
    from binascii import crc32

    from .private_files import only_regular

    found, left = 0, offset
    try:
        with open(path, "rb", opener=only_regular) as file:
            while left > 0:
                content = file.read(min(left, READ_BYTES))
                if not content:
                    return SHORTER
                found, left = crc32(content, found), left - len(content)
    except OSError:
        return SHORTER
    return found
