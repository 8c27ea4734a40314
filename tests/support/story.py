"""The events of a small run: one feature completes, one fails, one is blocked."""

from __future__ import annotations

import re

from core.model import events
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status, Usage, Work
from core.reporter.style import Style

AT = 1_000_000.0


RUN = "r1"


WORK = Work("c0ffee", files_changed=3, insertions=12, deletions=4, held_back=(".env",))


DONE = AttemptOutcome(
    Status.COMPLETED,
    cost_usd=0.5,
    usage=Usage(1, 2, 3, 4),
    num_turns=3,
    session_id="s1",
    result="Built it.",
    denied_tools=("WebFetch",),
)


def prepared(id: str) -> Event:
    decision = Decision(id, Action.START, "new", "key")
    return events.preparing(
        AT, RUN, decision, branch=f"feature/{id}", worktree=f"/w/{id}", name=id.title()
    )


def attempted(id: str, number: int, outcome: AttemptOutcome) -> list[Event]:
    log = f"/l/{id}.{number}.jsonl"
    return [
        events.attempt_started(
            AT, RUN, id, attempt=number, session_id=f"s{number}", resumed=number > 1, log=log
        ),
        events.attempt_ended(AT + 2, RUN, id, outcome),
    ]


STORY = [
    events.run_started(
        AT,
        RUN,
        pid=1,
        base_branch="main",
        base_commit="ba5e",
        features=["auth", "api", "app"],
        max_parallel=2,
    ),
    prepared("auth"),
    *attempted("auth", 1, DONE),
    events.ended(AT + 2, RUN, "auth", FeatureOutcome(Status.COMPLETED, work=WORK)),
    prepared("api"),
    *attempted("api", 1, AttemptOutcome(Status.TIMED_OUT, "late", cost_usd=None, session_id="s1")),
    *attempted("api", 2, AttemptOutcome(Status.FAILED, "no", cost_usd=0.25, num_turns=2)),
    events.ended(AT + 4, RUN, "api", FeatureOutcome(Status.FAILED, "no\nluck")),
    events.ended(AT + 4, RUN, "app", FeatureOutcome(Status.BLOCKED, "api did not complete")),
    events.run_ended(AT + 5, RUN, exit_code=1),
]


PLAIN = Style()


ASCII = Style(unicode=False)


COLOUR = Style(colour=True)


HOSTILE = "a\x1b[31mred\x1b[0m\x07\x9b2J\u202egnp\udc80\r\x00\u200b\x1b]0;t"
"""Colour, bell, C1, right-to-left override, half a surrogate pair, overwriting, a title."""


def is_safe(line: str) -> bool:
    return not re.search(
        "[\x00-\x1f\x7f-\x9f\u200b-\u200c\u200e\u200f\u202a-\u202e\ud800-\udfff]", line
    )
