"""One event of every kind, with all of its keys."""

from __future__ import annotations

from core.model import events, events_reload, events_review
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.control_action import ControlAction
from core.model.costs import Paid
from core.model.decision import Action, Decision
from core.model.handover import PullRequest, Push
from core.model.outcome import (
    AttemptOutcome,
    Fault,
    FeatureOutcome,
    Stage,
    Status,
    Stray,
    Usage,
    Work,
)
from core.model.provenance import Estimate, Provenance
from core.model.review import Answer, Comment
from core.model.state import Move
from core.model.strategy import Strategy
from core.model.window import Window

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
    paid={"opus": Paid(0.25, 3)},
    tokens={"haiku": 3},
    session_cost_usd=0.5,
    model="opus",
    claude_version="2.1.330",
)


WORK = Work("c0ffee", files_changed=3, insertions=120, deletions=4, held_back=(".env",))


DECISION = Decision("auth", Action.RESUME, "interrupted", "key", {"prompt": "abc"})


VERDICT = CheckVerdict(
    *("make test", Scope.PROJECT, Verdict.PROVED, "c0ffee", "exit code 1", "passed", ("a_test.py",))
)

COMMENT = Comment("c1", "use the clock", "src/é.py", 7, "ada", "PRRC_1")

PUSH = Push("origin", "feature/auth", "c0ffee")

PULL_REQUEST = PullRequest("github", 7, "https://example.com/7", "main", "open")

MOVE = Move("merge-1", AT, "main", "71b", "ba5e")


EVERY = {
    "run_started": events.run_started(
        AT,
        "r1",
        pid=42,
        base_branch="main",
        base_commit="ba5e",
        features=("auth", "api"),
        max_parallel=3,
        base_option="main",
        owner="config/feature_list.json",
        provenance=Provenance(
            "1.2.0",
            "rorchestrator run --yes",
            "Shop",
            "opus",
            5.0,
            {"auth": (), "api": ("auth",)},
            {"auth": Estimate(60.0, 0.5)},
            90.0,
            {"auth": ("core",)},
        ),
    ),
    "claimed": events.claimed(AT, "config/feature_list.json", ("auth",)),
    "replaced": events.replaced(AT, "config/feature_list.json", ("auth",)),
    "run_ended": events.run_ended(AT, "r1", exit_code=1),
    "preparing": events.preparing(
        AT, "r1", DECISION, branch="feature/auth", worktree="/w/auth", name="Sign-in"
    ),
    "reopened": events.reopened(AT, "r1", "auth", start_commit="57a7", tip="c0ffee"),
    "based": events.based(AT, "r1", DECISION, start_commit="57a7", base_commit="ba5e"),
    "setting_up": events.setting_up(AT, "r1", "auth"),
    "setup_changed": events.setup_changed(AT, "r1", facts={".git/hooks/x": "d1", "y": ""}),
    "ready": events.ready(AT, "r1", "auth", made=(".env",), cached=("node_modules",)),
    "setup_stored": events.setup_stored(
        AT, "r1", key="5e7", digest="d1", folders=("node_modules",), size=4096
    ),
    "attempt_started": events.attempt_started(
        AT, "r1", "auth", attempt=2, session_id="5e55", resumed=True, log="logs/auth.2.jsonl"
    ),
    "attempt_ended": events.attempt_ended(AT, "r1", "auth", OUTCOME),
    "verifying": events.verifying(AT, "r1", "auth"),
    "committing": events.committing(AT, "r1", "auth"),
    "committed": events.committed(AT, "r1", "auth", hooks=("pre-commit",), seconds=0.25),
    "checking": events.checking(AT, "r1", "auth"),
    "checked": events.checked(
        AT,
        "r1",
        "auth",
        key="k",
        command="npm test",
        passed=False,
        ending="ended with exit 1",
        by="c",
        wrote=("cover",),
    ),
    "left": events.left(AT, "r1", "auth", paths={"cover": "d1"}),
    "ended": events.ended(
        AT,
        "r1",
        "auth",
        FeatureOutcome(Status.FAILED, "no", Fault.CHECK, WORK, Stage.CHECK),
    ),
    "queued": events.queued(AT, "r1", "auth"),
    "paused": events.paused(AT, "r1", until=AT),
    "window": events.window(AT, "r1", seen=Window("five_hour", 0.62, AT + 3600)),
    "reloaded": events_reload.reloaded(
        AT,
        "r1",
        events_reload.Reloaded(
            ("auth", "api"),
            joined=("api",),
            changed=("auth",),
            gone=("search",),
            out_of_date={"auth": "prompt changed"},
            provenance=Provenance(
                depends_on={"auth": (), "api": ("auth",)},
                estimates={"auth": Estimate(60.0, 0.5)},
                estimated_seconds=90.0,
                tags={"auth": ("core",)},
            ),
        ),
        text="joins: api",
        automatic=True,
    ),
    "unreviewed": events.unreviewed(AT, "r1", count=3, limit=3),
    "steered": events.steered(
        AT,
        "r1",
        "auth",
        action=ControlAction.SKIP,
        request="q1",
        done=False,
        text="auth is over",
        hint="rorchestrator status",
        force=True,
        owner="config/feature_list.json",
        attempts=2,
    ),
    "cleaned": events.cleaned(
        AT, "auth", merged_into="main", kept_ref="refs/kept", discarded=False, detail="ancestor"
    ),
    "clash": events.clash(AT, "r1", "api", other="auth", files=("a.py", "é")),
    "merge_started": events.merge_started(
        AT, "merge-1", into="main", owner="config/feature_list.json"
    ),
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
        moved_from="ba5e",
    ),
    "undoing": events.undoing(
        AT, MOVE, kept_ref="refs/rorchestrator/undone/merge-1", branches={"auth": "feature/auth"}
    ),
    "undone": events.undone(AT, MOVE),
    "pruned": events.pruned(AT, {"refs/rorchestrator/kept/auth/r1": "c0ffee"}),
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
    "stray": events.stray(AT, "r1", "auth", Stray("/w/x", "x", "c0ffee"), "appeared"),
    "note": events.of_resolution(events.note(AT, "r1", "disk nearly full")),
    "judged": events_review.judged(AT, "r1", "auth", verdict=VERDICT),
    "reviewed": events_review.reviewed(
        AT, "auth", answer=Answer.ACCEPTED, commit="c0ffee", owner="config/feature_list.json"
    ),
    "seen": events_review.seen(
        AT, "auth", files={"src/é.py": "d1ge57"}, owner="config/feature_list.json"
    ),
    "commented": events_review.commented(
        AT, "auth", comment=COMMENT, owner="config/feature_list.json"
    ),
    "comments_sent": events_review.comments_sent(AT, "r1", "auth", comments=["c1"]),
    "pushed": events_review.pushed(AT, "auth", push=PUSH, owner="config/feature_list.json"),
    "pull_request": events_review.pull_request(
        AT, "auth", request=PULL_REQUEST, owner="config/feature_list.json"
    ),
}
