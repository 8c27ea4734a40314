"""Views of runs for tests, made from stories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.model import events, events_review
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.control_action import ControlAction
from core.model.costs import Paid
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.fold import fold
from core.model.outcome import (
    AttemptOutcome,
    Fault,
    FeatureOutcome,
    Stage,
    Status,
    Usage,
    Work,
)
from core.model.provenance import Estimate, Provenance
from core.reporter.documents import RunReport
from core.views.run_view import NO_EXTRAS, Extras, RunView, run_view
from tests.support.story import AT, RUN

PROVENANCE = Provenance(
    version="1.2.3",
    command="rorchestrator run --yes",
    project="Shop",
    model="opus",
    max_cost_usd=5.0,
    depends_on={"auth": (), "api": ("auth",), "app": ("api", "auth"), "docs": ()},
    estimates={"auth": Estimate(60.0, 0.5), "api": Estimate(120.0, 1.0)},
    estimated_seconds=180.0,
)


def begun(ids: Sequence[str], provenance: Provenance | None = PROVENANCE, slots: int = 2) -> Event:
    """The start of a run."""
    return events.run_started(
        AT,
        RUN,
        pid=1,
        base_branch="main",
        base_commit="ba5e" * 10,
        features=ids,
        max_parallel=slots,
        owner="config/feature_list.json",
        provenance=provenance,
    )


def feature_story(
    id: str,
    at: float,
    *outcomes: AttemptOutcome,
    end: FeatureOutcome,
    seconds: float = 10.0,
    name: str = "",
) -> list[Event]:
    """A feature from its preparation at ``at`` to its end; each attempt takes ``seconds``."""
    decision = Decision(id, Action.START, "new", "key")
    branch, worktree = f"feature/{id}", f"/w/{id}"
    story = [
        events.preparing(
            at, RUN, decision, branch=branch, worktree=worktree, name=name or id.title()
        ),
        events.based(at, RUN, decision, start_commit="57a7" * 10, base_commit="ba5e" * 10),
        events.setting_up(at + 1, RUN, id),
        events.ready(at + 2, RUN, id, made=()),
    ]
    at += 2
    for number, outcome in enumerate(outcomes, 1):
        log = f"/l/{id}.{number}.jsonl"
        resumed = number > 1
        story += [
            events.attempt_started(
                at, RUN, id, attempt=number, session_id=f"s{number}", resumed=resumed, log=log
            ),
            events.attempt_ended(at + seconds, RUN, id, outcome),
        ]
        at += seconds + 1
    return [*story, events.ended(at, RUN, id, end)]


def checked(id: str, at: float, command: str, *, passed: bool) -> Event:
    """A check of a feature."""
    ending = "ended with exit 0" if passed else "ended with exit 1"
    return events.checked(at, RUN, id, key="k", command=command, passed=passed, ending=ending)


def judged(id: str, *verdicts: CheckVerdict) -> list[Event]:
    """The verdicts on the checks of a feature."""
    return [events_review.judged(AT, RUN, id, verdict=each) for each in verdicts]


GOOD, BAD = "ended with exit 0", "ended with exit 1"

VERDICTS = (
    CheckVerdict("make x", Scope.OWN, Verdict.PROVED, "c0ffee", BAD, GOOD),
    CheckVerdict("make x", Scope.PROJECT, Verdict.NOT_YOURS, "c0ffee", BAD, BAD),
    CheckVerdict("make <y>", Scope.PROJECT, Verdict.FLAKY, "c0ffee", "", GOOD, ("test_a.py",)),
    CheckVerdict("make z", Scope.PROJECT, Verdict.BROKEN, "c0ffee", GOOD, BAD),
)
"""One of each kind that a report shows in a way of its own."""


DONE = AttemptOutcome(
    Status.COMPLETED,
    cost_usd=0.123456789,
    usage=Usage(10, 20, 30, 40),
    num_turns=3,
    session_id="s1",
    result="Built it.",
    paid={"claude-opus": Paid(0.1, 1000), "claude-haiku": Paid(0.023456789, 500)},
    model="claude-opus",
    claude_version="2.1.330",
)

LATE = AttemptOutcome(Status.TIMED_OUT, "no output", fault=Fault.STALL, session_id="s1")

COMPLETED = FeatureOutcome(Status.COMPLETED, work=Work("c0ffee" * 6, 3, 12, 4))

FAILED = FeatureOutcome(
    Status.FAILED,
    "check: `npm test` ended with exit 1\nFAIL src/api.test.ts",
    Fault.CHECK,
    stage=Stage.CHECK,
)


def steered(at: float, action: ControlAction) -> Event:
    """A control request to the whole run that was carried out."""
    return events.steered(at, RUN, "", action=action, request="1", done=True, text="")


STORY = [
    begun(["auth", "api", "app", "docs"]),
    events.note(AT, RUN, "Claude Code 2.1.330"),
    *feature_story("auth", AT + 1, DONE, end=COMPLETED),
    *feature_story("docs", AT + 1, DONE, end=COMPLETED, seconds=2.0),
    events.paused(AT + 8, RUN, until=AT + 12),
    events.paused(AT + 12, RUN, until=0),
    steered(AT + 13, ControlAction.PAUSE),
    steered(AT + 14, ControlAction.RESUME),
    *feature_story("api", AT + 14, LATE, DONE, end=FAILED)[:-1],
    checked("api", AT + 37, "npm run lint", passed=True),
    checked("api", AT + 38, "npm test", passed=False),
    events.ended(AT + 39, RUN, "api", FAILED),
    events.ended(AT + 39, RUN, "app", FeatureOutcome(Status.BLOCKED, "api did not complete")),
    events.run_ended(AT + 40, RUN, exit_code=1),
]
"""Four features: two complete, one fails after two attempts, one is blocked."""


def report_of(story: Sequence[Event], **more: object) -> RunReport:
    """The report of the last run of a story."""
    state = fold(story)
    assert state.run is not None
    values: Mapping[str, object] = {
        "project_name": "Shop",
        "waves": (),
        "branches": ("feature/auth",),
        "up_to_date": (),
        "max_cost_usd": 5.0,
        **more,
    }
    return RunReport(state, state.run, **values)  # type: ignore[arg-type]


def view_of(
    story: Sequence[Event] = STORY, extras: Extras = NO_EXTRAS, now: float = AT + 60, **more: object
) -> RunView:
    """The view of the last run of a story."""
    return run_view(report_of(story, **more), story, now, extras)
