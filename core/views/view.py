"""`View`: looks at a run; `Views`: all of a run's views, where one that breaks disturbs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..model.errors import UserError
from ..model.events import Event
from ..model.state import RunState
from ..model.translate import _
from ..reporter.documents import RunReport


class View:
    """Looks at one run. Each method does nothing unless a view defines it.

    A :class:`UserError` of a view is shown to the user; any other error drops the view. Neither
    slows or fails the run.
    """

    is_optional = False
    """Whether nobody asked for it, so that what it can't do does not change the exit code."""

    def at_start(self) -> None:
        """The user has agreed; the run is about to start, and has no children yet."""

    def on_event(self, state: RunState, event: Event) -> None:
        """An event was recorded; ``state`` is the state after it."""

    def on_append(self, event: Event) -> None:
        """An event was written to the journal, also before or after the run itself."""

    def on_tick(self) -> None:
        """About a second has passed."""

    def at_end(self, report: RunReport) -> None:
        """The run is over, and its reports are written."""

    def nothing_to_do(self, report: RunReport) -> None:
        """Everything was up to date or skipped, so there is no run; ``report`` has no features."""

    def close(self) -> None:
        """The run has ended, in whatever way: the last call."""


class Views:
    """The views of a run. ``say`` gets a line, and the next step, for each view that broke."""

    def __init__(self, views: Sequence[View], say: Callable[[str, str], None]) -> None:
        self._views = list(views)
        self._say = say
        self.has_failed = False
        """Whether a view could not do what the user asked for, such as write a file."""

    def at_start(self) -> None:
        """Tell every view that the run is about to start."""
        self._tell(lambda view: view.at_start())

    def on_event(self, state: RunState, event: Event) -> None:
        """Tell every view about an event."""
        self._tell(lambda view: view.on_event(state, event))

    def on_append(self, event: Event) -> None:
        """Tell every view about an event in the journal."""
        self._tell(lambda view: view.on_append(event))

    def on_tick(self) -> None:
        """Tell every view that about a second has passed."""
        self._tell(lambda view: view.on_tick())

    def at_end(self, report: RunReport) -> None:
        """Tell every view that the run is over."""
        self._tell(lambda view: view.at_end(report))

    def nothing_to_do(self, report: RunReport) -> None:
        """Tell every view that nothing ran."""
        self._tell(lambda view: view.nothing_to_do(report))

    def close(self) -> None:
        """Tell every view that this was all."""
        self._tell(lambda view: view.close())

    def _tell(self, tell: Callable[[View], None]) -> None:
        for view in tuple(self._views):
            try:
                tell(view)
            except UserError as error:
                self._drop(view, error.message, error.hint)
                self.has_failed = self.has_failed or not view.is_optional
            except Exception as error:  # a view never fails a run
                name = type(view).__name__
                self._drop(
                    view,
                    _("{name} is off: {kind}: {error}").format(
                        name=name, kind=type(error).__name__, error=error
                    ),
                    "",
                )

    def _drop(self, view: View, message: str, hint: str) -> None:
        self._views.remove(view)
        self._say(message, hint)
