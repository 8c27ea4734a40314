"""What a user can ask of a run from another terminal: pause, resume, stop, skip, retry, reload."""

from __future__ import annotations

from .frozen import Enum


class ControlAction(Enum):
    """The action of a control request, by the name of its command."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    SKIP = "skip"
    RETRY = "retry"
    ATTACH = "attach"
    """Open the session of a feature: refused while the run may work on it."""
    RELOAD = "reload"
    """Take up the changed feature list."""
    RECORD = "record"
    """Write the events of a review or a handover into the journal."""
