"""Outcomes of attempts and features as event data, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .costs import Paid
from .excerpt import listed
from .json_values import LARGEST, Json, dollars_of, integer, strings
from .outcome import AttemptOutcome, Fault, FeatureOutcome, Stage, Status, Usage, Work


def attempt_data(outcome: AttemptOutcome) -> dict[str, Json]:
    """The data of ``attempt_ended``."""
    known: dict[str, Json] = {
        "paid": {model: [paid.cost_usd, paid.tokens] for model, paid in outcome.paid.items()},
        "tokens": dict(outcome.tokens),
        "session_cost_usd": outcome.session_cost_usd,
        "model": outcome.model,
        "claude_version": outcome.claude_version,
    }
    return {
        **{name: value for name, value in known.items() if value not in ({}, None, "")},
        "status": outcome.status.value,
        "reason": outcome.reason,
        "fault": outcome.fault.value,
        "cost_usd": outcome.cost_usd,
        "usage": vars(outcome.usage).copy(),
        "duration_ms": outcome.duration_ms,
        "num_turns": outcome.num_turns,
        "session_id": outcome.session_id,
        "result": outcome.result,
        "denied_tools": list(outcome.denied_tools),
    }


def _paid(given: Json) -> Iterator[tuple[str, Paid]]:
    for model, paid in given.items() if isinstance(given, dict) else ():
        cost, tokens = paid if isinstance(paid, list) and len(paid) == 2 else (None, None)
        cost_usd = dollars_of(cost)
        if cost_usd is not None and isinstance(tokens, int) and 0 < tokens <= LARGEST:
            yield model, Paid(cost_usd, tokens)


def _counts(given: Json) -> dict[str, int]:
    known = given if isinstance(given, dict) else {}
    return {name: integer(known, name) for name in known}


def _usage_of(counts: Mapping[str, Json]) -> Usage:
    return Usage(**{name: integer(counts, name) for name in vars(Usage())})


def _work_of(data: Mapping[str, Json]) -> Work | None:
    if "commit" not in data:
        return None
    return Work(
        commit=str(data["commit"]),
        files_changed=integer(data, "files_changed"),
        insertions=integer(data, "insertions"),
        deletions=integer(data, "deletions"),
        held_back=strings(data, "held_back"),
    )


def attempt_outcome(data: Mapping[str, Json]) -> AttemptOutcome:
    """The outcome that :func:`attempt_data` was made of. Raises ``ValueError`` if it is invalid."""
    usage = data.get("usage")
    return AttemptOutcome(
        status=Status(data["status"]),
        reason=str(data.get("reason", "")),
        fault=Fault(data.get("fault", "none")),
        cost_usd=dollars_of(data.get("cost_usd")),
        usage=_usage_of(usage) if isinstance(usage, dict) else Usage(),
        duration_ms=integer(data, "duration_ms"),
        num_turns=integer(data, "num_turns"),
        session_id=str(data.get("session_id", "")),
        result=str(data.get("result", "")),
        denied_tools=strings(data, "denied_tools"),
        paid=dict(_paid(data.get("paid"))),
        tokens=_counts(data.get("tokens")),
        session_cost_usd=dollars_of(data.get("session_cost_usd")),
        model=str(data.get("model", "")),
        claude_version=str(data.get("claude_version", "")),
    )


def feature_data(outcome: FeatureOutcome) -> dict[str, Json]:
    """The data of ``ended``."""
    work = outcome.work
    data: dict[str, Json] = {
        "status": outcome.status.value,
        "reason": outcome.reason,
        "fault": outcome.fault.value,
    }
    if outcome.stage is not Stage.NONE:
        data["stage"] = outcome.stage.value
    if work is not None:
        data.update(
            commit=work.commit,
            files_changed=work.files_changed,
            insertions=work.insertions,
            deletions=work.deletions,
            held_back=listed(work.held_back),
        )
    return data


def feature_outcome(data: Mapping[str, Json]) -> FeatureOutcome:
    """The outcome that :func:`feature_data` was made of. Raises ``ValueError`` if it is invalid."""
    return FeatureOutcome(
        status=Status(data["status"]),
        reason=str(data.get("reason", "")),
        fault=Fault(data.get("fault", "none")),
        work=_work_of(data),
        stage=Stage(data.get("stage", "")),  # events up to version 1.1.0 have none
    )
