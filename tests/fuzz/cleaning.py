"""Any text in any place that is shown: nothing of it steers a terminal."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import strategies as st

from core import cli
from core.dag.schedule import Plan, Timeline
from core.journal.lock import Holder
from core.model import events, events_review
from core.model.attempt import Attempt
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.control_action import ControlAction
from core.model.decision import Action, Decision
from core.model.errors import UserError
from core.model.feature import Feature
from core.model.fold import fold
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status, Stray, Work
from core.model.state import Check, FeatureState, Run, RunState
from core.model.terminal_text import clean, one_line
from core.project import list_reader
from core.project.list_reader import Key
from core.project.value_checks import RULES, Id, Ref
from core.reporter.documents import RunReport
from core.reporter.plan_text import plan_lines
from core.reporter.project_status import (
    Checkout,
    FeatureStatus,
    PredictedConflict,
    ProjectStatus,
)
from core.reporter.run_text import event_line, report_lines
from core.reporter.status_text import status_lines
from core.reporter.stream_text import message_lines
from core.reporter.style import Style, columns, shorten, table_lines
from core.worktree.worktree import Conflict
from tests.fuzz.harness import Target, assert_shown_clean
from tests.support.commands import streams

HOSTILE = st.sampled_from(
    (
        *("\x1b[2J", "\x1b]0;x\x07", "\x9b31m", "\x90q\x9c", "\u202e", "\u2066", "\r", "\x08"),
        *("\x7f", "\ud800", "\udcff", "\u2028", "\u2029", "\u0085", "\ufeff", "\u200f", "\n", "\0"),
        *("\x1b[", "\x1b", "[31m", "\x1b[\x1b[31m", "\x1b[3\x1b[1m1m", "👩\u200d💻", "漢", "\t"),
        "\U000e0001",
    )
)
TEXT = st.one_of(
    st.lists(st.one_of(HOSTILE, st.text(max_size=3)), max_size=8).map("".join),
    st.text(st.characters(blacklist_categories=()), max_size=40),
    st.binary(max_size=60).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
)
STYLES = (Style(), Style(12, colour=False, unicode=False))


def check(text: str) -> None:
    """Put it everywhere."""
    assert_shown_clean(clean(text), lines=True)
    assert_shown_clean(one_line(text))
    assert clean(clean(text)) == clean(text)
    for style in STYLES:
        cut = shorten(one_line(text), 10, style)
        assert columns(cut) <= 10
        for line in (*_plan(text, style), *_stream(text, style)):
            assert_shown_clean(line)
        for shown in _run(text, style):
            assert_shown_clean(shown, lines=True)  # a failure is shown with its output
        for line in _status(text, style):
            assert_shown_clean(line)
    assert_shown_clean("".join(table_lines([["a", "b"], [one_line(text), one_line(text)]])))
    _check_errors(text)


def _plan(text: str, style: Style) -> list[str]:
    feature = Feature("a", text, text, text, text, (), (text,), (text,), (text,))
    plan = Plan(
        project=text,
        description=text,
        features={"a": feature},
        waves=(("a",),),
        branches={"a": text},
        decisions={"a": Decision("a", Action.START, "new")},
        selected=frozenset(),
        critical_path=("a",),
        max_parallel=1,
        timeline=Timeline(1.0, 1.0, {"a": 0.0}),
        usd_per_million_tokens=30.0,
    )
    return list(plan_lines(plan, style, verbose=True))


def _run(text: str, style: Style) -> list[str]:
    decision = Decision("a", Action.START, "new")
    conflict = str(Conflict("a", "b", (text,)))
    work = Work("c", 1, 1, 1, held_back=(text,))
    judged = CheckVerdict(text, Scope.OWN, Verdict.FLAKY, "c", text, text, (text,))
    story = [
        events.run_started(
            1.0, "r", pid=1, base_branch=text, base_commit="c", features=["a", "b"], max_parallel=1
        ),
        events.preparing(1.0, "r", decision, branch=text, worktree=text, name=text),
        events.attempt_started(1.0, "r", "a", attempt=1, session_id=text, resumed=True, log=text),
        events.note(1.0, "r", text, "a"),
        events.clash(1.0, "r", "a", other=text, files=(text,)),
        events.steered(
            1.0, "r", "a", action=ControlAction.SKIP, request=text, done=True, text=text
        ),
        events.resolved(1.0, "r", "a", files=(text,), commit="c", reason=text),
        events.ended(
            1.0, "r", "a", FeatureOutcome(Status.FAILED, text + conflict, Fault.TRANSIENT)
        ),
        events.ended(1.0, "r", "b", FeatureOutcome(Status.COMPLETED, text, work=work)),
        events_review.judged(1.0, "r", "a", verdict=judged),
    ]
    state, lines = RunState(), []
    for event in story:
        state = fold([event], state)
        lines.append(event_line(state, event, style, verbose=True))
    assert state.run is not None
    report = RunReport(state, state.run, text, waves=(), branches=(text,), up_to_date=())
    return [*lines, *report_lines(report, style, all_checks=True)]


def _stream(text: str, style: Style) -> list[str]:
    blocks: list[dict[str, Any]] = [
        {"type": "text", "text": text},
        {"type": "tool_use", "name": text, "input": {text: text, "x": [text]}},
        {"type": "tool_result", "is_error": True, "content": text},
        {"type": "tool_result", "content": [{"type": "text", "text": text}]},
    ]
    messages: list[dict[str, Any]] = [
        {"type": "assistant", "message": {"content": blocks}},
        {"type": "user", "message": {"content": text}},
        {"type": "system", "subtype": "init", "model": text, "claude_code_version": text},
        {"type": "system", "subtype": "api_retry", "attempt": text, "error_status": text},
        {"type": "result", "subtype": text, "result": text},
        {"type": "result", "subtype": "error", "errors": [text]},
    ]
    return [line for m in messages for line in message_lines(m, style, verbose=True)]


def _status(text: str, style: Style) -> list[str]:
    attempt = Attempt("r", 1, text, 1.0, outcome=AttemptOutcome(Status.FAILED, cost_usd=0.05))
    state = FeatureState(
        "a",
        text,
        status=Status.FAILED,
        reason=text,
        started_at=1.0,
        ended_at=2.0,
        attempts=(attempt, Attempt("r", 2, text, 1.0)),
        resolutions=(attempt,),
        last_check=Check(text, False, text, 1.0),
    )
    checkout = Checkout(
        branch=text,
        merged=text,
        unknown=text,
        by_hand=text,
        worktree=text.replace("\0", ""),
        uncommitted=(text,),
        maybe_changed=((text, text),),
        conflicts=(PredictedConflict(text, (text,), text),),
        problem=text,
    )
    status = ProjectStatus(
        project_name=text,
        repository=text,
        git_folder=text,
        base_branch=text,
        base_commit=text,
        config=text,
        owner="config/feature_list.json",
        other_lists=(text,),
        claude=text,
        holder=Holder(1, text, text),
        run=Run("r", 1.0, pid=1, paused_until=text or "never", is_paused=True, owner=text),
        features=(FeatureStatus(state, text, False, 1.0, False, checkout),),
        strays=(("a", Stray(text, text, text)),),
    )
    return list(status_lines(status, style, verbose=True))


def _check_errors(text: str) -> None:
    reader = list_reader.Reader("/nowhere")
    reader.fields("", {text: 1, "x-a": text}, {"id": Key(Id())})
    Id().check(reader, "id", text)
    RULES.check(reader, "rules", [text])
    Ref(filled=True).check(reader, "branch", text)
    for details in ((text,), tuple(reader.faults)):
        said = io.StringIO()
        with streams(None, said):
            cli._complain(UserError(text, text, details=details))
        assert_shown_clean(said.getvalue(), lines=True)


TARGET = Target("text", TEXT, check)
