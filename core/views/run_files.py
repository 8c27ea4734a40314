"""Files about a run, made of its view at its end: JUnit, summaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..model.events import Event
from ..model.state import RunState
from ..reporter.documents import RunReport
from .check_outputs import outputs_by_feature
from .run_view import Extras, RunView, run_view
from .view import View


class Collected(View):
    """Keeps the events of a run, to make its view for others; it comes before them.

    ``log_folder`` has the logs of the run, ``names`` those of the features by their ids.
    """

    def __init__(
        self, log_folder: str, mask: Callable[[str], str], names: Mapping[str, str]
    ) -> None:
        self._log_folder = log_folder
        self._mask = mask
        self._names = {id: mask(name) for id, name in names.items()}
        self._events: list[Event] = []
        self._made: tuple[RunReport, RunView] | None = None

    def on_event(self, state: RunState, event: Event) -> None:
        """Keep an event."""
        self._events.append(event)

    def view(self, report: RunReport) -> RunView:
        """The view of a run that is over."""
        if self._made is None or self._made[0] is not report:
            outputs = outputs_by_feature(self._log_folder, self._events, self._mask)
            extras = Extras(outputs, {}, self._names)
            self._made = report, run_view(report, self._events, report.ended_at, extras)
        return self._made[1]


class RunFile(View):
    """Writes what ``render`` makes of the view of a run."""

    def __init__(
        self,
        write: Callable[[str], None],
        render: Callable[[RunView], str],
        view: Callable[[RunReport], RunView],
    ) -> None:
        self._write = write
        self._render = render
        self._view = view

    def at_end(self, report: RunReport) -> None:
        """Write the file. Raises :class:`UserError` if it can't be written."""
        self._write(self._render(self._view(report)))

    def nothing_to_do(self, report: RunReport) -> None:
        """Write it about the features that were up to date."""
        self.at_end(report)
