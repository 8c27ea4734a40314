"""`Recorder`: appends events to the journal, folds them into the state, and tells listeners."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..model.events import Event
from ..model.fold import apply
from ..model.state import RunState
from .journal import Journal

Listener = Callable[[RunState, Event], None]


class Recorder:
    """The one writer of a journal during a command."""

    def __init__(
        self, journal: Journal, state: RunState, listeners: Iterable[Listener] = ()
    ) -> None:
        self.journal = journal
        self.state = state
        self._listeners = tuple(listeners)

    def emit(self, event: Event) -> None:
        """Record an event. Raises :class:`~core.model.errors.StateError` where that fails."""
        event = self.journal.append(event)  # without the secrets that it came with
        self.state = apply(self.state, event)
        for listener in self._listeners:
            listener(self.state, event)
