"""The runs in a journal, and the events that one of them needs, without those of the others.

A fold of the whole journal knows only the last run. Lines that are not needed are not parsed:
their first bytes tell what they are about.
"""

from __future__ import annotations

import json
import re

from ..model.events import Event
from ..model.json_values import strings
from .reader import Reader

_HEAD = re.compile(
    rb'\{"v":\d+,"event":"(\w+)","at":"[^"]*"'
    rb'(?:,"run":"((?:[^"\\]|\\.)*)")?(?:,"feature":"((?:[^"\\]|\\.)*)")?'
)

PRICED = frozenset(("attempt_started", "attempt_ended", "resolution_started", "resolution_ended"))
"""Kinds that every estimate of a cost rests on, whatever feature they are about."""


def runs_of(path: str) -> list[Event]:
    """The ``run_started`` event of each run, oldest first.

    Raises :class:`UserError` if one of these lines is damaged.
    """
    reader = Reader(path, want=lambda line: b'"event":"run_started"' in line[:64])
    return list(reader.new_events())


def events_of(path: str, begun: Event) -> list[Event]:
    """The events from which the state of a run is folded as it was at the run's end.

    ``begun`` is its ``run_started`` event. What happened to its features later is not among them,
    except how a later run ended those that it was killed with.
    """
    story = _Story(begun)
    events = []
    for event in Reader(path, want=story.wants).new_events():
        if story.is_over:
            break
        events.append(event)
    return events


class _Story:
    """Chooses the lines of a run and of what came before it."""

    def __init__(self, begun: Event) -> None:
        self.run = begun.run
        self.features = frozenset(strings(begun.data, "features"))
        self.is_over = False
        self._has_begun = False
        self._has_ended = False

    def wants(self, line: bytes) -> bool:
        """Whether a line is needed. The first line after the run's end is, and sets ``is_over``."""
        found = _HEAD.match(line)
        if found is None:
            return True  # Damaged: the reader complains.
        kind, run, feature = (_text(part) for part in found.groups())
        if not self._has_begun:
            self._has_begun = kind == "run_started" and run == self.run
            return not feature or feature in self.features or kind in PRICED
        self.is_over = self._has_ended or kind == "run_started"
        self._has_ended = kind == "run_ended" and run == self.run
        return self.is_over or run == self.run


def _text(part: bytes | None) -> str:
    if part is None:
        return ""
    return str(json.loads(b'"%b"' % part)) if b"\\" in part else part.decode()
