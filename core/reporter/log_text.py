"""What ``logs`` prints around a log: run and number of an attempt, why it began, how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..model.attempt import Attempt, cost_of
from ..model.event_values import text_of
from ..model.events import Event
from ..model.json_values import integer
from ..model.moments import moment
from ..model.terminal_text import one_line
from ..model.translate import _, shown
from ..model.words import duration, headed
from .cost_text import spent
from .style import Style


def why_it_began(events: Iterable[Event], id: str, attempt: Attempt) -> str:
    """Why an attempt began: the reason of its decision, or how the one before it ended.

    Empty if the journal does not say.
    """
    why, is_next = "", False
    for event in events:
        if event.feature != id or event.run != attempt.run:
            continue
        if event.kind == "preparing":
            why, is_next = str(event.data.get("why", "")), False
        elif event.kind == "attempt_ended":
            why, is_next = str(event.data.get("reason", "")), True
        elif event.kind == "note" and is_next:
            why = text_of(event)  # a check that failed, or a wait
        elif event.kind == "attempt_started" and _number(event) == attempt.number:
            return why
    return ""


def _number(event: Event) -> int:
    return integer(event.data, "attempt")


def heading_lines(
    id: str, attempt: Attempt, all: Sequence[Attempt], why: str, style: Style
) -> Iterator[str]:
    """The run, the number and the start of an attempt, and why it began."""
    most = max(each.number for each in all)
    which = _("{id}: attempt {number} of {most}").format(
        id=one_line(id), number=attempt.number, most=most
    )
    yield _("{which}, run {run}").format(
        which=style.paint(which, "bold"), run=one_line(attempt.run)
    )
    how = _("resumed its session") if attempt.resumed else _("started")
    because = f" ({one_line(shown(why))})" if why else ""
    yield f"{how} {moment(attempt.started_at)}{because}"
    yield ""


def ending_lines(attempt: Attempt, now: float, style: Style, *, is_alive: bool) -> Iterator[str]:
    """How an attempt ended, and what it cost; ``is_alive``: whether its run is in progress."""
    yield ""
    outcome, number = attempt.outcome, attempt.number
    if outcome is None or attempt.ended_at is None:
        running = _("is running, for {time} (--follow keeps printing)").format(
            time=duration(now - attempt.started_at)
        )
        yield _("attempt {number} {running}").format(
            number=number, running=running if is_alive else _("did not end: its run was killed")
        )
        return
    cost = cost_of([attempt])
    dot = style.pick(" · ", " | ")
    facts = [
        f"{_(outcome.status.words)} {moment(attempt.ended_at)}",
        duration(attempt.ended_at - attempt.started_at),
        spent(cost.usd, cost.about_usd, style, complete=cost.is_complete),
    ]
    said = dot.join(facts)
    if outcome.reason:
        said = headed(said, one_line(shown(outcome.reason)))
    yield _("attempt {number} {facts}").format(number=number, facts=said)
