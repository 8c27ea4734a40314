"""A run as a trace, which Perfetto (https://ui.perfetto.dev) and Chrome show.

The format is the JSON of the Trace Event Format: complete events (``X``) with a start and a
duration in microseconds, counters (``C``) and names (``M``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from ..model.attempt import Attempt
from ..model.json_values import Json
from ..model.phase import Phase
from ..model.terminal_text import one_line
from .run_view import FeatureView, RunView, Span

RUN, SLOTS, FEATURES = 1, 2, 3
"""The processes of the trace: their rows are the waits, the slots, and the features."""

_WORDS = {
    Phase.WORKTREE: "worktree or waiting for a slot",
    Phase.BETWEEN: "waiting",
}

Row = Mapping[str, Json]


def trace(view: RunView) -> str:
    """The trace of a run; time 0 is its start."""
    return json.dumps({"traceEvents": list(_rows(view)), "otherData": _about(view)}) + "\n"


def _about(view: RunView) -> Row:
    told = view.run.provenance
    return {
        "run": view.id,
        "project": view.report.project_name,
        "base": view.run.base_commit,
        "rorchestrator": told.version,
        "command": told.command,
    }


def _rows(view: RunView) -> Iterator[Row]:
    for process, name in ((RUN, "run"), (SLOTS, "slots"), (FEATURES, "features")):
        yield _name("process_name", process, 0, name)
        yield {
            "ph": "M",
            "name": "process_sort_index",
            "pid": process,
            "tid": 0,
            "args": {"sort_index": process},
        }
    yield from _run(view)
    begun = [feature for feature in view.features if feature.spans]
    yield from _slots(view, begun)
    for number, feature in enumerate(begun, 1):
        yield _name("thread_name", FEATURES, number, one_line(feature.id))
        yield from _feature(view, feature, number)


def _name(kind: str, process: int, thread: int, name: str) -> Row:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}


def _complete(
    view: RunView, span: Span, name: str, process: int, thread: int, **arguments: Json
) -> Row:
    start = _microseconds(view, span.start)
    return {
        "ph": "X",
        "name": name,
        "cat": span.phase.value or "run",
        "ts": start,
        "dur": _microseconds(view, span.end) - start,
        "pid": process,
        "tid": thread,
        "args": {key: value for key, value in arguments.items() if value not in (None, "")},
    }


def _microseconds(view: RunView, at: float) -> int:
    return max(0, round((at - view.run.started_at) * 1_000_000))


def _run(view: RunView) -> Iterator[Row]:
    """The run with its waits, and how many features had a slot."""
    yield _name("thread_name", RUN, 1, "waits")
    for words, spans in (("usage limit", view.limits), ("paused", view.pauses)):
        for span in spans:
            yield _complete(view, span, words, RUN, 1)
    for at, number in view.concurrency:
        yield {
            "ph": "C",
            "name": "slots in use",
            "ts": _microseconds(view, at),
            "pid": RUN,
            "tid": 0,
            "args": {"slots": number},
        }


def _slots(view: RunView, features: Sequence[FeatureView]) -> Iterator[Row]:
    """Who had which slot: whoever begins gets the first one that is free."""
    free_at: list[float] = []
    held = [(feature.in_slot[0].start, feature) for feature in features if feature.in_slot]
    for start, feature in sorted(held, key=lambda each: each[0]):
        end = feature.in_slot[-1].end
        slot = next((n for n, at in enumerate(free_at) if at <= start), len(free_at))
        if slot == len(free_at):
            free_at.append(end)
            yield _name("thread_name", SLOTS, slot + 1, f"slot {slot + 1}")
        free_at[slot] = end
        span = Span(start, end)
        yield _complete(view, span, one_line(feature.id), SLOTS, slot + 1, **_facts(feature))


def _facts(feature: FeatureView) -> dict[str, Json]:
    cost = feature.cost.usd
    return {
        "status": feature.status.value,
        "reason": one_line(feature.known.reason),
        "cost_usd": None if cost is None else round(cost, 6),
        "critical_path": feature.is_critical or None,
    }


def _feature(view: RunView, feature: FeatureView, thread: int) -> Iterator[Row]:
    """A feature as a whole, and above it its phases and attempts."""
    whole = Span(feature.spans[0].start, feature.spans[-1].end)
    yield _complete(view, whole, one_line(feature.id), FEATURES, thread, **_facts(feature))
    attempts = {attempt.number: attempt for attempt in feature.attempts}
    for span in feature.spans:
        if span.phase is Phase.CLAUDE:
            made = attempts.get(span.attempt)
            yield _attempt(view, span, made, thread)
        elif span.seconds:
            name = _WORDS.get(span.phase, span.phase.value)
            yield _complete(view, span, name, FEATURES, thread)


def _attempt(view: RunView, span: Span, attempt: Attempt | None, thread: int) -> Row:
    outcome = attempt.outcome if attempt else None
    facts: dict[str, Json] = {"session": attempt.session_id if attempt else ""}
    if attempt is not None and outcome is not None:
        facts.update(
            status=outcome.status.value,
            reason=one_line(outcome.reason),
            cost_usd=None if attempt.cost.usd is None else round(attempt.cost.usd, 6),
            turns=outcome.num_turns,
            model=outcome.model,
            **vars(outcome.usage),
        )
    return _complete(view, span, f"attempt {span.attempt}", FEATURES, thread, **facts)
