"""The list of the run in progress, as a file of the state folder, to show what a reload would do.

The run itself compares with what it has in memory: the file is only for those who ask.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress

from ..journal import private_files
from ..model.feature import Command, Feature
from ..model.frozen import dataclass
from ..model.list_outline import Outline
from .selection import Selection

FILE = "running_list.json"

LARGEST_BYTES = 64 << 20

Json = Mapping[str, object]


@dataclass(frozen=True)
class RunningList:
    """What a run follows."""

    run: str
    path: str
    """The list, as the run reads it."""
    selection: Selection
    outline: Outline


def write(folder: str, running: RunningList) -> None:
    """Write the file in the state folder ``folder``, whole. Raises ``OSError``."""
    path = os.path.join(folder, FILE)
    hidden = f"{path}.tmp"
    with suppress(FileNotFoundError):
        os.unlink(hidden)
    file = private_files.open_file(hidden, os.O_WRONLY | os.O_EXCL)
    with open(file, "w", encoding="utf-8", errors="surrogatepass") as stream:
        json.dump(_document(running), stream)
    os.replace(hidden, path)


def read(folder: str, run: str) -> RunningList | None:
    """The list of the run ``run``; ``None`` if the file is missing, another run's or damaged."""
    try:
        with open(os.path.join(folder, FILE), "rb", opener=private_files.only_regular) as stream:
            value = json.loads(stream.read(LARGEST_BYTES))
        found = _running(value)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return found if found.run == run else None


def _document(running: RunningList) -> Json:
    outline = vars(running.outline)
    features = [
        {name: _plain(value) for name, value in vars(feature).items()}
        for feature in running.outline.features
    ]
    return {
        "run": running.run,
        "path": running.path,
        "selection": vars(running.selection),
        "outline": {**outline, "features": features},
    }


def _plain(value: object) -> object:
    commands = isinstance(value, tuple) and any(isinstance(each, Command) for each in value)
    return [vars(each) for each in value] if commands and isinstance(value, tuple) else value


def _running(value: dict[str, dict[str, object]]) -> RunningList:
    outline, selection = value["outline"], value["selection"]
    features = outline["features"]
    if not isinstance(features, list):
        raise TypeError
    made = tuple(map(_feature, features))
    rest = {name: _field(item) for name, item in outline.items()}
    chosen = {name: _field(item) for name, item in selection.items()}
    return RunningList(
        str(value["run"]),
        str(value["path"]),
        Selection(**chosen),  # type: ignore[arg-type]
        Outline(**{**rest, "features": made}),  # type: ignore[arg-type]
    )


def _feature(given: dict[str, object]) -> Feature:
    return Feature(**{name: _field(item) for name, item in given.items()})  # type: ignore[arg-type]


def _field(value: object) -> object:
    """A value as the classes have it: a tuple for a list, a command for one in it."""
    if isinstance(value, list):
        return tuple(map(_field, value))
    if isinstance(value, dict) and value.keys() == {"argv", "line"}:
        return Command(tuple(value["argv"]), value["line"])
    return value
