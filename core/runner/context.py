"""`RunContext`: what the parts of a run share: id, logs, clock, events, cancellation, deadline."""

from __future__ import annotations

from ..model import events
from ..model.events import Event
from ..model.frozen import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Concatenate, ParamSpec

    from ..process.cancellation import Cancellation

    Data = ParamSpec("Data")


@dataclass(frozen=True)
class RunContext:
    """One run, for its parts."""

    run_id: str
    log_folder: str
    clock: Callable[[], float]
    """The time in seconds since 1970."""
    emit: Callable[[Event], None]
    """Journals an event."""
    stop: Cancellation
    deadline: float = float("inf")
    """By the monotonic clock."""

    def record(
        self,
        kind: Callable[Concatenate[float, str, Data], Event],
        *given: Data.args,
        **more: Data.kwargs,
    ) -> None:
        """Journal an event of this run, now."""
        self.emit(kind(self.clock(), self.run_id, *given, **more))

    def note(self, text: str, feature: str = "") -> None:
        """Journal a note for the user."""
        self.record(events.note, text, feature)
