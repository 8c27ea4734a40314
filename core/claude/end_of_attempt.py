"""Classifies the end of an attempt: API errors, usage limits, exit codes, "not logged in"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..model.excerpt import excerpt, listed
from ..model.json_values import integer
from ..model.outcome import AttemptOutcome, Fault, Status
from ..model.translate import N_
from .transcript import (
    LONGEST_ID,
    RESULT_CHARACTERS,
    RESULT_LINES,
    STDERR_TAIL_LINES,
    Message,
    Transcript,
    text_of,
)


def outcome(
    transcript: Transcript, *, code: int, ended: Fault = Fault.NONE, stderr: str = ""
) -> AttemptOutcome:
    """The outcome of an attempt.

    ``code`` is the exit status, negative for a signal. ``ended`` is our reason for ending it before
    its result (``TIMEOUT``, ``INTERRUPTED``, …), which rules out success. If we end a Claude that
    lingers after its result, pass ``code`` 0 and no ``ended``.
    """
    result = transcript.result
    fault, reason = _judge(transcript, code, stderr)
    if ended is not Fault.NONE:
        fault, reason = ended, _ENDED_REASONS[ended]
    cost_usd = None if transcript.unpaid else transcript.cost_usd
    return AttemptOutcome(
        status=_STATUS.get(fault, Status.FAILED) if reason else Status.COMPLETED,
        reason=excerpt(reason),
        fault=fault,
        cost_usd=cost_usd,
        usage=transcript.usage,
        duration_ms=integer(result or {}, "duration_ms"),
        num_turns=integer(result or {}, "num_turns"),
        session_id=text_of(result or {}, "session_id")[:LONGEST_ID],
        result=excerpt(transcript.text, lines=RESULT_LINES, characters=RESULT_CHARACTERS),
        denied_tools=_denied_tools(result),
        resets_at=transcript.resets_at if fault is Fault.LIMIT else None,
        paid=transcript.paid,
        tokens=transcript.tokens if cost_usd is None else {},
        session_cost_usd=transcript.session_cost_usd,
        model=transcript.model,
        claude_version=transcript.version,
    )


_STATUS = {
    Fault.TIMEOUT: Status.TIMED_OUT,
    Fault.STALL: Status.TIMED_OUT,
    Fault.INTERRUPTED: Status.CANCELLED,
}


_ENDED_REASONS = {
    Fault.TIMEOUT: N_("no result within the time limit"),
    Fault.INTERRUPTED: N_("interrupted"),
    Fault.STALL: N_("no output for too long"),
    Fault.OUTPUT: N_("output exceeded the log limit"),
}


def _judge(transcript: Transcript, code: int, stderr: str) -> tuple[Fault, str]:
    """The fault of an attempt and the reason, which is empty after success."""
    result = transcript.result
    if result is None:
        return _judge_silence(transcript, code, stderr)
    if result.get("subtype") != "success":
        return _judge_stop(result)
    if result.get("is_error") is not False:
        said = text_of(result, "result")
        return _fault_of_answer(transcript, said), said or N_("Claude reported an error")
    if integer(result, "num_turns") < 1:
        said = text_of(result, "result")
        return Fault.REQUEST, said or N_("the prompt never reached the model")
    if code != 0:
        text = N_("Claude reported success but ended with exit {code}")
        if code < 0:
            text = N_("Claude reported success but ended with signal {code}")
        return Fault.TRANSIENT, text.format(code=abs(code))
    return Fault.NONE, ""


def _judge_stop(result: Message) -> tuple[Fault, str]:
    subtype = text_of(result, "subtype")
    errors = result.get("errors")
    given = errors if isinstance(errors, list) else []
    said = "; ".join(error for error in given if isinstance(error, str))
    if "No conversation found" in said:
        return Fault.SESSION, said
    known = {
        "error_max_turns": (Fault.TURNS, N_("the maximum number of turns is reached")),
        "error_max_budget_usd": (Fault.ALLOWANCE, N_("the maximum budget is reached")),
        "error_max_structured_output_retries": (Fault.NONE, N_("no valid structured output")),
        "error_during_execution": (Fault.TRANSIENT, N_("Claude was interrupted during its work")),
    }
    fault, words = known.get(
        subtype,
        (Fault.NONE, N_("Claude stopped: {subtype}").format(subtype=subtype or N_("no subtype"))),
    )
    return fault, f"{words} ({said})" if said and "ede_diagnostic" not in said else words


USAGE_LIMIT = r"^you.ve (hit|reached) your|usage limit|limit reached"


_ANSWERS: Sequence[tuple[Fault, str]] = (
    (Fault.ACCOUNT, r"not logged in|invalid api key|run /login|credit balance|authenticat|oauth"),
    (Fault.LIMIT, USAGE_LIMIT),
    (Fault.RATE, r"rate.?limit|\(429\)|too many requests"),
    (Fault.REQUEST, r"prompt is too long|violate our|output token maximum|selected model"),
    (Fault.TRANSIENT, r"overloaded|unable to connect|timed out|connection|server error|\b5\d\d\b"),
)


_CLASSES = {
    "authentication_failed": Fault.ACCOUNT,
    "oauth_org_not_allowed": Fault.ACCOUNT,
    "billing_error": Fault.ACCOUNT,
    "rate_limit": Fault.RATE,
    "overloaded": Fault.TRANSIENT,
    "server_error": Fault.TRANSIENT,
    "invalid_request": Fault.REQUEST,
    "model_not_found": Fault.REQUEST,
    "max_output_tokens": Fault.REQUEST,
}
"""Faults by ``error`` of an assistant message; for ``unknown``, the HTTP status decides."""


def _fault_of_answer(transcript: Transcript, said: str) -> Fault:
    """By limit event, error class, HTTP status; by words last, because they change."""
    assert transcript.result is not None
    if transcript.limited:
        return Fault.LIMIT
    if re.search(USAGE_LIMIT, said, re.IGNORECASE):
        return Fault.LIMIT
    if transcript.error in _CLASSES:
        return _CLASSES[transcript.error]
    status = transcript.result.get("api_error_status")
    if isinstance(status, int):
        return _fault_of_status(status, said)
    return _fault_of_words(said)


def _fault_of_status(status: int, said: str) -> Fault:
    if status in (401, 402, 403) or "credit balance" in said.lower():
        return Fault.ACCOUNT
    if status == 429:
        return Fault.RATE
    return Fault.TRANSIENT if status >= 500 or status == 408 else Fault.REQUEST


def _fault_of_words(said: str) -> Fault:
    for fault, pattern in _ANSWERS:
        if re.search(pattern, said, re.IGNORECASE):
            return fault
    return Fault.REQUEST


_COMPLAINTS: Sequence[tuple[Fault, str]] = (
    (Fault.SESSION, r"no conversation found|already in use|requires a valid session"),
    (Fault.REQUEST, r"input must be provided|exceeds 10MB|no messages returned"),
    (Fault.ACCOUNT, r"not logged in|invalid api key|run /login"),
    (
        Fault.USAGE,
        # In lower case, as in its option parser; any crash may print "Error: ".
        r"^(?-i:error): |is invalid|unknown option|cannot be used with root|requires --verbose"
        r"|invalid session id",
    ),
)


def _judge_silence(transcript: Transcript, code: int, stderr: str) -> tuple[Fault, str]:
    """The fault of an attempt without a result, from its stderr."""
    tail = "\n".join(stderr.strip().splitlines()[-STDERR_TAIL_LINES:])
    if code in (126, 127) and not transcript.began:
        return Fault.PROGRAM, tail or N_("claude could not be started")
    if code > 0 and not transcript.began:
        for fault, pattern in _COMPLAINTS:
            if re.search(pattern, tail, re.IGNORECASE | re.MULTILINE):
                return fault, tail
    text = N_("Claude ended without a result (exit {code})")
    if code < 0:
        text = N_("Claude ended without a result (signal {code})")
    if tail and code < 0:
        text = N_("Claude ended without a result (signal {code}): {tail}")
    elif tail:
        text = N_("Claude ended without a result (exit {code}): {tail}")
    return Fault.TRANSIENT, text.format(code=abs(code), tail=tail)


def _denied_tools(result: Message | None) -> tuple[str, ...]:
    denials = result.get("permission_denials") if result else None
    if not isinstance(denials, list):
        return ()
    return tuple(listed(_denied_tool(each) for each in denials if isinstance(each, dict)))


def _denied_tool(denial: Message) -> str:
    name = text_of(denial, "tool_name") or N_("a tool")
    given = denial.get("tool_input")
    command = text_of(given, "command") if isinstance(given, dict) else ""
    return f"{name}({excerpt(command, characters=COMMAND_CHARACTERS)})" if command else name


COMMAND_CHARACTERS = 1_000
"""Limit of a denied command."""
