"""Streams of the real CLI, recorded and made up, and how each is judged."""

from __future__ import annotations

import json
import os
import re

from core.claude import end_of_attempt, stream
from core.claude.transcript import Transcript
from core.model.lines import LineSplitter
from core.model.outcome import AttemptOutcome, Fault, Status
from tests.support.paths import ROOT

RECORDED = os.path.join(ROOT, "tests", "fixtures", "claude")


DENIED = ("Bash(npm test)",)


RATE = "API Error: Request rejected (429)"


NO_SESSION = "No conversation found with session ID: 00000000-1111-4222-8333-444444444444"


NO_INPUT = "Error: Input must be provided either through stdin or as a prompt argument"


SILENT = "Claude ended without a result"


TURNS = "the maximum number of turns is reached"


BUDGET = "the maximum budget is reached"

INTERRUPTED = "Claude was interrupted during its work"


BAD_KEY = "Invalid API key"


class Run:
    """What has to be made of a recorded run; ``said`` begins its reason, ``text`` its result."""

    def __init__(
        self,
        fault: Fault | None,
        cost: float | None,
        text: str = "",
        *,
        said: str = "",
        denied: tuple[str, ...] = (),
    ) -> None:
        self.status = Status.COMPLETED if fault is None else Status.FAILED
        self.fault = fault or Fault.NONE
        self.cost = cost
        self.text = text
        self.said = said or text if fault else ""
        self.denied = denied


def done(cost: float, text: str = "Done.", denied: tuple[str, ...] = ()) -> Run:
    return Run(None, cost, text, denied=denied)


def answer(fault: Fault, text: str, cost: float = 0.0) -> Run:
    """An error that came as the text of a result."""
    return Run(fault, cost, text)


def stop(fault: Fault, cost: float, said: str) -> Run:
    """A result without a text."""
    return Run(fault, cost, said=said)


def silent(fault: Fault, said: str) -> Run:
    """No result at all, and so no known cost."""
    return Run(fault, None, said=said)


EXPECTED = {
    "success.json": done(0.03055),
    "success.stream.jsonl": done(0.03055),
    # Text that isn't JSON is no result: the format that we ask for always gives one.
    "success.txt": silent(Fault.TRANSIENT, f"{SILENT} (exit 0)"),
    "text_only.json": done(0.015275),
    "text_only.stream.jsonl": done(0.015275),
    "permission_denied.json": done(0.03055, denied=DENIED),
    "permission_denied.stream.jsonl": done(0.03055, denied=DENIED),
    "permission_denied_dontask.stream.jsonl": done(0.03055, denied=DENIED),
    "permission_allowed.stream.jsonl": done(0.03055),
    "auth_error.json": answer(Fault.ACCOUNT, BAD_KEY),
    "auth_error.stream.jsonl": answer(Fault.ACCOUNT, BAD_KEY),
    "auth_error_noretry.stream.jsonl": answer(Fault.ACCOUNT, BAD_KEY),
    "not_logged_in.json": answer(Fault.ACCOUNT, "Not logged in"),
    "not_logged_in.stream.jsonl": answer(Fault.ACCOUNT, "Not logged in"),
    "forbidden.json": answer(Fault.ACCOUNT, "Failed to authenticate. API Error: 403"),
    "bad_request.json": answer(Fault.REQUEST, "API Error: 400"),
    "bad_request.stream.jsonl": answer(Fault.REQUEST, "API Error: 400"),
    "credit_too_low.stream.jsonl": answer(Fault.ACCOUNT, "Credit balance is too low"),
    "prompt_too_long.stream.jsonl": answer(Fault.REQUEST, "Prompt is too long"),
    "model_not_found.stream.jsonl": answer(Fault.REQUEST, "There's an issue with the selected"),
    "rate_limited.json": answer(Fault.RATE, RATE),
    "rate_limited.stream.jsonl": answer(Fault.RATE, RATE),
    "rate_limited_long_wait.stream.jsonl": answer(Fault.RATE, RATE),
    "overloaded.json": answer(Fault.TRANSIENT, "API Error: Repeated 529 Overloaded errors."),
    "overloaded.stream.jsonl": answer(Fault.TRANSIENT, "API Error: Repeated 529 Overloaded"),
    "overloaded_retries1.json": answer(Fault.TRANSIENT, "API Error: 529 Overloaded."),
    "server_error.json": answer(Fault.TRANSIENT, "API Error: 500 Internal server error."),
    "server_error.stream.jsonl": answer(Fault.TRANSIENT, "API Error: 500 Internal server"),
    "network_refused.json": answer(Fault.TRANSIENT, "API Error: Unable to connect"),
    "network_refused.stream.jsonl": answer(Fault.TRANSIENT, "API Error: Unable to connect"),
    "api_timeout.stream.jsonl": answer(Fault.TRANSIENT, "Request timed out"),
    "retry_then_success.stream.jsonl": done(0.03055),
    "fallback_model.stream.jsonl": done(0.01833),
    "max_turns.json": stop(Fault.TURNS, 0.03055, f"{TURNS} (Reached maximum"),
    "max_turns.stream.jsonl": stop(Fault.TURNS, 0.03055, f"{TURNS} (Reached maximum"),
    "max_turns.txt": silent(Fault.TRANSIENT, f"{SILENT} (exit 1)"),
    "budget_exceeded.json": stop(Fault.ALLOWANCE, 0.03055, f"{BUDGET} (Reached maximum"),
    "budget_exceeded.stream.jsonl": stop(Fault.ALLOWANCE, 0.03055, f"{BUDGET} (Reached"),
    "budget_exceeded.txt": silent(Fault.TRANSIENT, f"{SILENT} (exit 1)"),
    "refusal.json": answer(Fault.REQUEST, "API Error: Claude Code is unable", 0.015275),
    "max_output_tokens.json": answer(Fault.REQUEST, "API Error: Claude's response", 0.0611),
    # An empty answer is no failure: the work decides.
    "empty_answer.json": done(0.03055, ""),
    "slash_unknown.json": answer(Fault.REQUEST, "Unknown command: /nosuchcommand"),
    "structured_ok.json": done(0.015275, '{"verdict":"pass","files":["a.py"]}'),
    "structured_ok.stream.jsonl": done(0.015275, '{"verdict":"pass","files":["a.py"]}'),
    "structured_missing.json": done(0.03055),
    "structured_exhausted.json": stop(Fault.NONE, 0.0611, "no valid structured output (Failed"),
    "verbose_array.json": done(0.015275),
    "partial_messages.stream.jsonl": done(0.03055),
    # Two results: the cost of both is in the last, the text that answers us in the first.
    "background_task.stream.jsonl": done(0.045825, "Turn text 4."),
    "background_task.json": done(0.045825, "Turn text 6."),
    "background_task_killed.stream.jsonl": done(0.03055, "Turn text 4."),
    "subagent.stream.jsonl": done(0.045825),
    "bash_timeout.stream.jsonl": done(0.03055),
    "big_line.stream.jsonl": done(0.03055),
    "sigint_api.stream.jsonl": silent(Fault.TRANSIENT, f"{SILENT} (exit 0)"),
    "sigterm_api.stream.jsonl": silent(Fault.TRANSIENT, f"{SILENT} (exit 143)"),
    "sigkill_api.stream.jsonl": silent(Fault.TRANSIENT, f"{SILENT} (signal 9)"),
    "sigint_bash.stream.jsonl": stop(Fault.TRANSIENT, 0.015275, INTERRUPTED),
    "sigterm_bash.stream.jsonl": silent(Fault.TRANSIENT, f"{SILENT} (exit 143)"),
    "sigkill_bash.stream.jsonl": silent(Fault.TRANSIENT, f"{SILENT} (signal 9)"),
    "sigint_backoff.stream.jsonl": stop(Fault.TRANSIENT, 0.0, INTERRUPTED),
    "sigterm_bash_survived.stream.jsonl": done(0.03055),
    "session_first.json": done(0.03055),
    "session_resumed.json": done(0.015275),
    "session_forked.json": done(0.015275),
    "session_in_use.stderr.txt": silent(Fault.SESSION, "Error: Session ID 7d1f4f0a"),
    "resume_unknown.stderr.txt": silent(Fault.SESSION, NO_SESSION),
    "resume_unknown.stream.jsonl": stop(Fault.SESSION, 0.0, NO_SESSION),
    "resume_not_uuid.stderr.txt": silent(Fault.SESSION, "Error: --resume requires a valid"),
    "bad_session_id.stderr.txt": silent(Fault.USAGE, "Error: Invalid session ID."),
    "bad_flag.stderr.txt": silent(Fault.USAGE, "error: unknown option '--no-such-flag'"),
    "bad_permission_mode.stderr.txt": silent(Fault.USAGE, "error: option '--permission-mode"),
    "stream_needs_verbose.stderr.txt": silent(Fault.USAGE, "Error: When using --print"),
    "empty_prompt.stderr.txt": silent(Fault.REQUEST, NO_INPUT),
    "blank_prompt.stderr.txt": silent(Fault.REQUEST, "Error: No messages returned"),
    "swallowed_prompt.stderr.txt": silent(Fault.REQUEST, NO_INPUT),
    "stdin_too_big.stderr.txt": silent(Fault.REQUEST, "Error: piped stdin input exceeds 10MB."),
    "bypass_as_root.stderr.txt": silent(Fault.USAGE, "--dangerously-skip-permissions cannot"),
    "project_hooks.stream.jsonl": done(0.03055, denied=DENIED),
    "v2.1.330/success.json": done(0.02442),
    "v2.1.330/success.stream.jsonl": done(0.02442),
    "v2.1.330/max_turns.json": stop(Fault.TURNS, 0.02442, f"{TURNS} (Reached maximum"),
    "v2.1.330/auth_error.json": answer(Fault.ACCOUNT, BAD_KEY),
    "v2.1.330/budget_exceeded.json": stop(Fault.ALLOWANCE, 0.03663, f"{BUDGET} (Reached"),
    "v2.1.330/permission_denied.json": done(0.02442, denied=DENIED),
    "v2.1.1/success.json": done(0.064155),
    "v2.1.1/success.stream.jsonl": done(0.05499),
    # Exit 0 and is_error false in the older versions: only the subtype tells.
    "v2.1.1/max_turns.json": stop(Fault.TURNS, 0.033605, TURNS),
    "v2.1.1/auth_error.json": answer(Fault.ACCOUNT, BAD_KEY),
    "v2.1.1/budget_exceeded.json": stop(Fault.ALLOWANCE, 0.033605, BUDGET),
    "v2.1.1/permission_denied.json": done(0.06721, denied=DENIED),
    "v2.0.76/success.json": done(0.045825),
    "v2.0.76/success.stream.jsonl": done(0.045825),
    "v2.0.76/max_turns.json": stop(Fault.TURNS, 0.02444, TURNS),
    "v2.0.76/auth_error.json": answer(Fault.ACCOUNT, BAD_KEY),
    "v2.0.76/budget_exceeded.json": stop(Fault.ALLOWANCE, 0.033605, BUDGET),
    "v2.0.76/permission_denied.json": done(0.039715, denied=DENIED),
    "v1.0.128/success.json": done(0.020774),
    "v1.0.128/success.stream.jsonl": done(0.023218),
    "v1.0.128/max_turns.json": stop(Fault.TURNS, 0.020774, TURNS),
    "v1.0.128/auth_error.json": answer(Fault.ACCOUNT, BAD_KEY),
    "v1.0.128/permission_denied.json": done(0.028106, denied=DENIED),
}
"""By the first file of each row of INDEX.md."""


SIGNALLED = [name for name in EXPECTED if name.startswith("sig")]


def rows() -> dict[str, tuple[list[str], int, str]]:
    """INDEX.md: by the first file of each row, its files, its exit status, its last result.

    ``resume_unknown.stderr.txt`` is in two rows: that with a stream goes by the stream's name.
    """
    rows = {}
    with open(os.path.join(RECORDED, "INDEX.md"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("| `"):
                cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
                files = re.findall(r"`([^`]+)`", cells[0])
                rows[files[0]] = (files, int(cells[4]), cells[5])
    return rows


ROWS = rows()


def content(name: str) -> bytes:
    with open(os.path.join(RECORDED, name), "rb") as file:
        return file.read()


def transcript(name: str, *, chunk: int = 65536) -> Transcript:
    """The transcript of a recorded run, read as the runner reads it."""
    splitter = LineSplitter()
    stdout = b"".join(content(f) for f in ROWS[name][0] if not f.endswith(".stderr.txt"))
    lines = []
    for start in range(0, len(stdout), chunk):
        lines += splitter.feed(stdout[start : start + chunk])
    return stream.transcript_of([*lines, *splitter.rest()])


def judged(name: str, ended: Fault = Fault.NONE, *, chunk: int = 65536) -> AttemptOutcome:
    files, code, _ = ROWS[name]
    stderr = b"".join(content(f) for f in files if f.endswith(".stderr.txt")).decode()
    return end_of_attempt.outcome(
        transcript(name, chunk=chunk), code=code, ended=ended, stderr=stderr
    )


def line(**fields: object) -> bytes:
    return json.dumps({"type": "result", **fields}).encode()


GOOD: dict[str, object] = {
    "subtype": "success",
    "is_error": False,
    "num_turns": 1,
    "result": "Done.",
    "total_cost_usd": 0.5,
}


def judge(
    *lines: bytes, code: int = 0, stderr: str = "", ended: Fault = Fault.NONE
) -> AttemptOutcome:
    return end_of_attempt.outcome(
        stream.transcript_of(lines), code=code, stderr=stderr, ended=ended
    )


def share(*costs: object, total: object = 9.0, **fields: object) -> bytes:
    models = {
        f"model-{n}": {"costUSD": cost, "inputTokens": 10 * (n + 1), "outputTokens": 1}
        for n, cost in enumerate(costs)
    }
    further = {"total_cost_usd": total, "model_usage_since_last_result": models}
    return line(**{**GOOD, **further, **fields})


def spoken(id: str, model: str = "a") -> bytes:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 100, "output_tokens": 1}
    return line(type="assistant", message={"id": id, "model": model, "usage": usage})


TOKENS = {"input_tokens": 10, "output_tokens": 1}


def error(text: str, status: object = None) -> bytes:
    return line(**{**GOOD, "is_error": True, "result": text, "api_error_status": status})
