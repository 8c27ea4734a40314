"""What all parts of one run share: its id, logs, clock, events, cancellation and deadline."""

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
    """One run, as its parts see it."""

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
        """Journal an event of this run and this moment."""
        self.emit(kind(self.clock(), self.run_id, *given, **more))

    def note(self, text: str, feature: str = "") -> None:
        """Journal a note for the user."""
        self.record(events.note, text, feature)
