"""One event of nearly every kind."""

from __future__ import annotations

from core.model import events
from core.model.decision import Action, Decision
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status, Usage, Work
from core.model.strategy import Strategy

AT = 1_700_000_000.125


OUTCOME = AttemptOutcome(
    status=Status.FAILED,
    reason="it said “no” ✋",
    fault=Fault.LIMIT,
    cost_usd=0.25,
    usage=Usage(1, 2, 3, 4),
    duration_ms=1500,
    num_turns=7,
    session_id="5e55",
    result="line\nline \u0085 \ud800",
    denied_tools=("Bash(rm)", "Write"),
)


WORK = Work("c0ffee", files_changed=3, insertions=120, deletions=4, held_back=(".env",))


DECISION = Decision("auth", Action.RESUME, "interrupted", "key", {"prompt": "abc"})


EVERY = {
    "run_started": events.run_started(
        AT,
        "r1",
        pid=42,
        base_branch="main",
        base_commit="ba5e",
        features=("auth", "api"),
        max_parallel=3,
    ),
    "run_ended": events.run_ended(AT, "r1", exit_code=1),
    "preparing": events.preparing(
        AT, "r1", DECISION, branch="feature/auth", worktree="/w/auth", name="Sign-in"
    ),
    "based": events.based(AT, "r1", DECISION, start_commit="57a7", base_commit="ba5e"),
    "attempt_started": events.attempt_started(
        AT, "r1", "auth", attempt=2, session_id="5e55", resumed=True, log="logs/auth.2.jsonl"
    ),
    "attempt_ended": events.attempt_ended(AT, "r1", "auth", OUTCOME),
    "verifying": events.verifying(AT, "r1", "auth"),
    "committing": events.committing(AT, "r1", "auth"),
    "ended": events.ended(AT, "r1", "auth", FeatureOutcome(Status.COMPLETED, work=WORK)),
    "cleaned": events.cleaned(
        AT, "auth", merged_into="main", kept_ref="refs/kept", discarded=False, detail="ancestor"
    ),
    "clash": events.clash(AT, "r1", "api", other="auth", files=("a.py", "é")),
    "merge_started": events.merge_started(AT, "merge-1", into="main"),
    "merge_ended": events.merge_ended(AT, "merge-1"),
    "landing": events.landing(
        AT,
        "merge-1",
        "auth",
        into="main",
        commit="c0ffee",
        result="57a7",
        strategy=Strategy.SQUASH,
        tip="71b",
    ),
    "merged": events.merged(
        AT, "merge-1", "auth", into="main", commit="c0ffee", strategy=Strategy.SQUASH
    ),
    "resolution_started": events.of_resolution(
        events.attempt_started(
            AT,
            "merge-1",
            "api",
            attempt=1,
            session_id="5e55",
            resumed=False,
            log="logs/api.1.jsonl",
        )
    ),
    "resolution_ended": events.of_resolution(events.attempt_ended(AT, "merge-1", "api", OUTCOME)),
    "resolved": events.resolved(
        AT, "merge-1", "api", files=("a.py", "é"), commit="c0ffee", reason=""
    ),
    "note": events.of_resolution(events.note(AT, "r1", "disk nearly full")),
}
