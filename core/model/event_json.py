"""Events as JSON and back, and with secrets masked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from .events import EXACT, LATEST, TOLD_CHARACTERS, TOLD_LINES, VERSION, Event, timestamp
from .excerpt import excerpt
from .frozen import replace
from .json_values import Json
from .outcome import Status
from .outcome_json import attempt_outcome, feature_outcome
from .translate import N_


def masked(event: Event, mask: Callable[[str], str]) -> Event:
    """The event with ``mask`` applied to every value but those of :data:`EXACT`.

    Texts that are too long for a journal are cut. Most were cut at their source.
    """
    data = {k: v if k in EXACT else _masked(v, mask) for k, v in event.data.items()}
    return replace(event, data=data)


def _masked(value: Json, mask: Callable[[str], str]) -> Json:
    if isinstance(value, list):
        return [_masked(item, mask) for item in value]
    if isinstance(value, dict):
        return {key: _masked(item, mask) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    return excerpt(mask(value), lines=TOLD_LINES, characters=TOLD_CHARACTERS)


def to_json(event: Event) -> dict[str, Json]:
    """The event as one flat JSON object."""
    head: dict[str, Json] = {"v": VERSION, "event": event.kind, "at": timestamp(event.at)}
    if event.run:
        head["run"] = event.run
    if event.feature:
        head["feature"] = event.feature
    return {**head, **event.data}


def from_json(value: Json) -> Event:
    """The event of a JSON object. Raises ``ValueError`` if it is not one of ours."""
    if not isinstance(value, dict):
        raise ValueError(N_("not a JSON object"))
    data = dict(value)
    version = data.pop("v", None)
    if version != VERSION:
        raise ValueError(
            N_("format version {version!r}; this program reads version {ours}").format(
                version=version, ours=VERSION
            )
        )
    try:
        event = Event(
            kind=str(data.pop("event")),
            at=datetime.fromisoformat(str(data.pop("at"))).timestamp(),
            run=str(data.pop("run", "")),
            feature=str(data.pop("feature", "")),
            data=data,
        )
        if not 0 <= event.at <= LATEST:
            raise ValueError(N_("{value!r} is not a valid time").format(value=value["at"]))
        if not (event.feature.isprintable() and event.run.isprintable()):
            raise ValueError(N_("an id contains a control character"))
        if event.kind in ("attempt_ended", "resolution_ended", "ended"):
            # Checked here, so that the fold can rely on it.
            read = feature_outcome if event.kind == "ended" else attempt_outcome
            status = read(event.data).status
            if status is Status.PENDING or status.active:
                raise ValueError(N_("{status} is not an outcome").format(status=status.value))
            if not event.feature:
                raise ValueError(N_("'feature' is missing"))
        return event
    except KeyError as error:
        raise ValueError(N_("{arg!r} is missing").format(arg=error.args[0])) from None
