"""The data of events as typed values: replies to control requests, conflicts, notes, limits."""

from __future__ import annotations

from datetime import datetime

from .control_action import ControlAction
from .events import Event, control_action_of
from .frozen import dataclass
from .json_values import Json, strings
from .window import Window, share_of


@dataclass(frozen=True)
class Reply:
    """The reply to a control request, or to a command that needed no run."""

    action: ControlAction | None
    """``None`` for one of a newer version."""
    command: str
    """The command's name, such as ``skip``."""
    is_done: bool
    text: str
    hint: str = ""
    """What to do instead, if it was refused."""
    feature: str = ""
    run: str = ""
    request: str = ""
    is_forced: bool = False

    def to_json(self) -> dict[str, Json]:
        """What ``--json`` prints."""
        return {
            "action": self.command,
            "feature": self.feature or None,
            "done": self.is_done,
            "text": self.text,
            "hint": self.hint or None,
            "run": self.run or None,
        }


def reply_of(event: Event) -> Reply:
    """The reply in a ``steered`` event."""
    data = event.data
    return Reply(
        control_action_of(event),
        str(data.get("action", "")),
        data.get("done") is True,
        str(data.get("text", "")),
        str(data.get("hint", "")),
        event.feature,
        event.run,
        str(data.get("request", "")),
        data.get("force") is True,
    )


def conflict_of(event: Event) -> tuple[str, tuple[str, ...]]:
    """The other feature and the files of a ``clash`` event; no files if the conflict is gone."""
    return str(event.data.get("other", "")), strings(event.data, "files")


def text_of(event: Event) -> str:
    """The text of a ``note`` or ``stray`` event."""
    return str(event.data.get("text", ""))


def window_of(event: Event) -> Window | None:
    """The window of a ``window`` event; ``None`` if its value is invalid."""
    utilization = share_of(event.data.get("utilization"))
    if utilization is None:
        return None
    at = str(event.data.get("resets_at", ""))
    try:
        resets_at = datetime.fromisoformat(at).timestamp() if at else None
    except (ValueError, OverflowError):
        resets_at = None
    return Window(str(event.data.get("window", "")), utilization, resets_at, event.at)


def reset_of(event: Event) -> str:
    """The reset of the usage limit in a ``paused`` event (ISO 8601); empty once it is lifted."""
    return str(event.data.get("until", ""))
