"""The events of a feature's life, in short."""

from __future__ import annotations

import time
from collections.abc import Sequence

from core.model import events, events_review
from core.model.control_action import ControlAction
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.fold import fold
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status, Usage, Work
from core.model.review import Comment
from core.model.state import FeatureState

RUN = "20260102T143015-abcdef"
"""The run that :func:`attempt` belongs to."""

WORK = Work("c0ffee", files_changed=3)


DONE = AttemptOutcome(Status.COMPLETED, cost_usd=0.5, usage=Usage(1, 2, 3, 4), session_id="s1")


def attempt(
    id: str, *, log: str = "", at: float | None = None, worktree: str = "/nowhere"
) -> list[Event]:
    """The events of a feature whose attempt has begun."""
    now = time.time() if at is None else at
    begun = Decision(id, Action.START, "new", "key")
    return [
        events.preparing(now, RUN, begun, branch=f"feature/{id}", worktree=worktree, name=id),
        events.attempt_started(now, RUN, id, attempt=1, session_id="s1", resumed=False, log=log),
    ]


def prepared(at: float, run: str, action: Action = Action.START) -> Event:
    return events.preparing(
        at, run, decision(action), branch="feature/auth", worktree="/w/auth", name="Sign-in"
    )


def attempted(at: float, run: str, number: int, outcome: AttemptOutcome) -> list[Event]:
    session = f"s{number}"
    return [
        events.attempt_started(
            at, run, "auth", attempt=number, session_id=session, resumed=number > 1, log="l"
        ),
        events.attempt_ended(at + 1, run, "auth", outcome),
    ]


def life(
    run: str,
    outcome: AttemptOutcome,
    end: FeatureOutcome | None = None,
    action: Action = Action.START,
) -> list[Event]:
    """A feature's turn in a run, from its slot to its end, which may be that of its attempt."""
    end = end or FeatureOutcome(outcome.status, outcome.reason, outcome.fault)
    based = events.based(2, run, decision(), start_commit="57a7", base_commit="ba5e")
    return [
        prepared(1, run, action),
        *([based] if action is Action.START else []),
        *attempted(3, run, 2 if action is Action.RESUME else 1, outcome),
        events.verifying(5, run, "auth"),
        events.committing(6, run, "auth"),
        events.ended(7, run, "auth", end),
    ]


def auth(story: Sequence[Event]) -> FeatureState:
    return fold(story).feature("auth")


LATE = AttemptOutcome(Status.TIMED_OUT, "no result within the time limit", Fault.TIMEOUT)


def decision(action: Action = Action.START) -> Decision:
    return Decision("auth", action, "new", "key1", {"prompt": "p1"})


def steered(at: float, run: str, action: str, *, done: bool = True, force: bool = False) -> Event:
    feature = "" if action in ("pause", "resume") else "auth"
    return events.steered(
        at,
        run,
        feature,
        action=ControlAction(action),
        request="q",
        done=done,
        text="said",
        force=force,
    )


def asked_again(attempts: int | None = None, *, done: bool = True, id: str = "auth") -> Event:
    """The reply to a retry."""
    return events.steered(
        *(9.0, "", id),
        action=ControlAction.RETRY,
        request="",
        done=done,
        text=f"{id} runs again",
        attempts=attempts,
    )


def life_again(run: str, commit: str) -> list[Event]:
    """A retry of a completed feature in a run, up to its new result."""
    return [
        events_review.commented(9.0, "auth", comment=Comment("c1", "use the clock")),
        asked_again(),
        events.preparing(
            9.0,
            run,
            Decision("auth", Action.RESUME, "comments"),
            branch="feature/auth",
            worktree="/w/auth",
            name="Sign-in",
        ),
        events.reopened(9.0, run, "auth", start_commit="57a8", tip="mine"),
        events.ended(9.0, run, "auth", FeatureOutcome(Status.COMPLETED, work=Work(commit))),
    ]
