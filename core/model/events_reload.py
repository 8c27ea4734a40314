"""The event of a run that takes up a changed feature list, and its place in the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .events import Event
from .frozen import dataclass, field, replace
from .json_values import Json, strings
from .provenance import Provenance, provenance_data, provenance_of
from .state import Run


@dataclass(frozen=True)
class Reloaded:
    """What a run took up: its features from now on, and what changed."""

    features: Sequence[str]
    """All features of the run."""
    joined: Sequence[str] = ()
    changed: Sequence[str] = ()
    gone: Sequence[str] = ()
    out_of_date: Mapping[str, str] = field(default_factory=dict)
    """The features whose result is or will be out of date, each with the input that changed."""
    provenance: Provenance = Provenance()
    """What is expected of the run from now on; what the run keeps is left out."""


def reloaded(at: float, run: str, made: Reloaded, *, text: str, automatic: bool) -> Event:
    """A run took up a changed list: by a control request, or because of ``project.reload``.

    ``text`` says what changed.
    """
    data: dict[str, Json] = {
        "features": list(made.features),
        "joined": list(made.joined),
        "changed": list(made.changed),
        "gone": list(made.gone),
        "out_of_date": dict(made.out_of_date),
        "automatic": automatic,
        "text": text,
        **provenance_data(made.provenance),
    }
    return Event("reloaded", at, run, data=data)


def after_reload(run: Run, event: Event) -> Run:
    """The run after it took up a changed list."""
    given, known = provenance_of(event.data), run.provenance
    stale = event.data.get("out_of_date")
    reasons = stale.items() if isinstance(stale, dict) else ()
    return replace(
        run,
        features=strings(event.data, "features"),
        out_of_date={str(id): str(reason) for id, reason in reasons},
        provenance=replace(
            known,
            depends_on=given.depends_on,
            estimates=given.estimates,
            estimated_seconds=given.estimated_seconds,
            tags=given.tags,
        ),
    )
