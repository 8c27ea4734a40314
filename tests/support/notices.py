"""Events of a run, for notifications about it."""

from __future__ import annotations

from core.model import events
from core.model.events import Event
from tests.support.lives import RUN


def started(*ids: str) -> Event:
    """The run of these features starts."""
    return events.run_started(
        1.0, RUN, pid=1, base_branch="main", base_commit="c0ffee00", features=ids, max_parallel=2
    )
