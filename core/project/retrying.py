"""What ``retry`` records without a run: the message of the user, and that the feature continues."""

from __future__ import annotations

import time

from ..model import events, events_review
from ..model.control_action import ControlAction
from ..model.events import Event
from ..model.review import own_comment
from ..model.state import FeatureState
from ..model.translate import N_
from .open import OpenProject


def said(project: OpenProject, known: FeatureState, message: str) -> list[Event]:
    """The event with what the user says to a feature; none without a message."""
    if not message:
        return []
    made, owner = own_comment(known.review, message), project.owner
    return [events_review.commented(time.time(), known.id, comment=made, owner=owner)]


def retried(
    project: OpenProject, known: FeatureState, message: str = "", attempts: int | None = None
) -> list[Event]:
    """The events of a retry: a skip ends, and with something to say the feature goes on."""
    event = events.steered(
        time.time(),
        *("", known.id),
        action=ControlAction.RETRY,
        request="",
        done=True,
        text=N_("{id} runs again").format(id=known.id),
        owner=project.owner,
        attempts=attempts,
    )
    return [*said(project, known, message), event]
