"""`Recorder`: appends events to the journal, folds them into the state, and tells listeners."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..model.events import Event
from ..model.fold import apply
from ..model.state import RunState
from .journal import Journal

Listener = Callable[[RunState, Event], None]


class Recorder:
    """The only writer of the journal during a command."""

    def __init__(
        self, journal: Journal, state: RunState, listeners: Iterable[Listener] = ()
    ) -> None:
        self.journal = journal
        self.state = state
        self._listeners = tuple(listeners)

    def emit(self, event: Event) -> None:
        """Record an event. Raises :class:`~core.model.errors.StateError` if that fails."""
        event = self.journal.append(event)  # with secrets masked
        self.state = apply(self.state, event)
        for listener in self._listeners:
            listener(self.state, event)
