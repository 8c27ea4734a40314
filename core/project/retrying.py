"""What ``retry`` records without a run: what the user says to a feature, and that it goes on."""

from __future__ import annotations

import os
import time

from ..model import events, events_review
from ..model.control_action import ControlAction
from ..model.events import Event
from ..model.review import Comment
from ..model.translate import N_
from .open import OpenProject


def said(project: OpenProject, id: str, message: str) -> list[Event]:
    """The event with what the user says to a feature; none without a message."""
    if not message:
        return []
    comment = Comment(f"c{os.urandom(4).hex()}", message)
    return [events_review.commented(time.time(), id, comment=comment, owner=project.owner)]


def retried(
    project: OpenProject, id: str, message: str = "", attempts: int | None = None
) -> list[Event]:
    """The events of a retry: a skip ends, and with something to say the feature goes on."""
    event = events.steered(
        time.time(),
        *("", id),
        action=ControlAction.RETRY,
        request="",
        done=True,
        text=N_("{id} runs again").format(id=id),
        owner=project.owner,
        attempts=attempts,
    )
    return [*said(project, id, message), event]
