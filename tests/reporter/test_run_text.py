"""Everything that a terminal shows, as lines."""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from datetime import datetime

from core.model import events, events_review, next_steps
from core.model.check_verdict import CheckVerdict, Scope, Verdict
from core.model.control_action import ControlAction
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.fold import fold
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Stage, Status, Work
from core.model.provenance import Provenance
from core.model.review import Answer, Comment
from core.model.state import FeatureState, RunState
from core.model.unreviewed import BACKLOG
from core.reporter import plan_text, run_text
from core.reporter.documents import RunReport
from core.reporter.style import Style
from tests.support.plans import API, AUTH, plan_of
from tests.support.story import ASCII, HOSTILE, PLAIN, is_safe

WORK = Work("c0ffee", files_changed=3, insertions=120, deletions=4)


# -- a run ----------------------------------------------------------------------------------

AT = datetime(2026, 1, 2, 14, 30, 15).timestamp()
RUN = "20260102T143015-abc"


def _started(*features: str) -> Event:
    return events.run_started(
        AT, RUN, pid=1, base_branch="main", base_commit="ba5e", features=features, max_parallel=2
    )


def _prepared(id: str, why: str = "new", action: Action = Action.START) -> Event:
    decision = Decision(id, action, why, "key")
    return events.preparing(
        AT, RUN, decision, branch=f"feature/{id}", worktree=f"/w/{id}", name=id.title()
    )


def _attempt(id: str, number: int = 1, *, resumed: bool = False) -> Event:
    return events.attempt_started(
        AT, RUN, id, attempt=number, session_id=f"s{number}", resumed=resumed, log="/l"
    )


def _over(id: str, cost: float | None = 0.5) -> Event:
    return events.attempt_ended(AT + 150, RUN, id, AttemptOutcome(Status.COMPLETED, cost_usd=cost))


def _ended(id: str, status: Status, reason: str = "", work: Work | None = None) -> Event:
    return events.ended(AT + 150, RUN, id, FeatureOutcome(status, reason, work=work))


def _steered(at: float, action: ControlAction) -> Event:
    return events.steered(at, RUN, "", action=action, request="1", done=True, text="")


def _last_line(story: Sequence[Event], style: Style = PLAIN, *, verbose: bool = False) -> str:
    return run_text.event_line(fold(story), story[-1], style, verbose=verbose)


LIFE = (_started("auth"), _prepared("auth"), _attempt("auth"), _over("auth"))


class AnEvent(unittest.TestCase):
    def test_a_conflict_to_come_names_both_and_the_files_and_so_does_its_end(self) -> None:
        def line(*files: str) -> str:
            event = events.clash(AT, "r1", "api", other="auth", files=files)
            return _last_line([event]).split("] ", 1)[1]

        self.assertEqual(
            line("a.py", "b\x1b.py"), "⚡ api and auth will not merge: a.py, b\ufffd.py"
        )
        self.assertEqual(line(), "⚡ api and auth will merge again")

    def test_a_usage_limit_has_its_reset_and_its_end(self) -> None:
        waiting, lifted = events.paused(AT, RUN, until=AT + 60), events.paused(AT, RUN, until=0)
        line = _last_line((LIFE[0], waiting), ASCII)
        self.assertEqual(line, "[14:30:15] [pause] usage limit: waiting until 14:31:15")
        line = _last_line((LIFE[0], waiting, lifted), ASCII)
        self.assertEqual(line, "[14:30:15] [go] the usage limit is reset: continuing")

    def test_what_waits_for_a_review_is_said_and_that_it_goes_on(self) -> None:
        full = events.unreviewed(AT, RUN, count=2, limit=2)
        line = _last_line((LIFE[0], full), ASCII)
        self.assertEqual(
            line,
            "[14:30:15] [review] waits for your review of 2 features, so nothing new starts",
        )
        line = _last_line((LIFE[0], full, events.unreviewed(AT, RUN, count=0, limit=2)), ASCII)
        self.assertEqual(line, "[14:30:15] [go] reviewed: continuing")
        over = events.unreviewed(AT, RUN, count=0, limit=0)
        self.assertNotIn("[14:30:15]", _last_line((LIFE[0], full, over), ASCII))

    def test_each_change_of_state_is_a_line(self) -> None:
        done = _ended("auth", Status.COMPLETED, work=WORK)
        cases: list[tuple[Sequence[Event], str, str]] = [
            (LIFE[:3], "🚀 auth: started", "[start] auth: started"),
            (
                (*LIFE, done),
                "✅ auth: completed · 2m30s · $0.50 · 3 files +120 −4",
                "[ok] auth: completed | 2m30s | $0.50 | 3 files +120 -4",
            ),
            (
                (*LIFE, _ended("auth", Status.FAILED, "no\nluck")),
                "❌ auth: failed · 2m30s · $0.50\n    no\n    luck",
                "[failed] auth: failed | 2m30s | $0.50\n    no\n    luck",
            ),
            (
                (*LIFE, _ended("auth", Status.TIMED_OUT, "late")),
                "⏰ auth: timed out · 2m30s · $0.50 · late",
                "[timed out] auth: timed out | 2m30s | $0.50 | late",
            ),
            (
                (LIFE[0], _ended("auth", Status.BLOCKED, "api did not complete")),
                "⛔ auth: blocked · api did not complete",
                "[blocked] auth: blocked | api did not complete",
            ),
            (
                (LIFE[0], _ended("auth", Status.CANCELLED)),
                "🛑 auth: cancelled",
                "[cancelled] auth: cancelled",
            ),
            (
                (events.note(AT, RUN, "Claude Code 2.1"),),
                "💬 Claude Code 2.1",
                "[note] Claude Code 2.1",
            ),
            ((events.note(AT, RUN, "kept", "auth"),), "💬 auth: kept", "[note] auth: kept"),
        ]
        for story, glyphs, ascii in cases:
            with self.subTest(glyphs):
                clock = "[14:32:45]" if story[-1].kind == "ended" else "[14:30:15]"
                self.assertEqual(_last_line(story), f"{clock} {glyphs}")
                self.assertEqual(_last_line(story, ASCII), f"{clock} {ascii}")

    def test_a_start_says_why_unless_it_is_the_first(self) -> None:
        again = (_started("auth"), _prepared("auth", "prompt changed"), _attempt("auth"))
        self.assertIn("auth: started (prompt changed)", _last_line(again))
        resumed = _prepared("auth", "interrupted", Action.RESUME)
        story = (_started("auth"), resumed, _attempt("auth", 2, resumed=True))
        self.assertIn("auth: resumed (interrupted)", _last_line(story))

    def test_a_cost_that_is_not_whole_is_a_lower_bound(self) -> None:
        story = (*LIFE, _attempt("auth", 2), _over("auth", None), _ended("auth", Status.FAILED))
        self.assertIn(" · ≥ $0.50", _last_line(story))
        self.assertIn(" | >= $0.50", _last_line(story, ASCII))
        unknown = (*LIFE[:3], _over("auth", None), _ended("auth", Status.FAILED))
        self.assertIn(" · cost unknown", _last_line(unknown))

    def test_files_that_were_held_back_are_named(self) -> None:
        work = Work("c0ffee", files_changed=1, held_back=(".env", "a\x1b[1mb"))
        line = _last_line((*LIFE, _ended("auth", Status.COMPLETED, work=work)))
        self.assertTrue(line.endswith("1 file +0 −0 (left uncommitted: .env, ab)"), line)

    def test_the_steps_in_between_show_only_when_asked_for(self) -> None:
        story = (*LIFE, events.verifying(AT, RUN, "auth"))
        self.assertEqual(_last_line(story), "")
        self.assertEqual(_last_line(story, verbose=True), "[14:30:15] · auth: verifying")
        self.assertEqual(_last_line(story, ASCII, verbose=True), "[14:30:15] [..] auth: verifying")
        self.assertEqual(_last_line(LIFE, verbose=True), "")

    def test_a_long_reason_is_cut_on_its_line(self) -> None:
        line = _last_line((*LIFE, _ended("auth", Status.CANCELLED, "x" * 200)))
        self.assertLess(len(line), 100)
        self.assertTrue(line.endswith("…"))

    def test_a_failure_is_shown_whole_the_command_first(self) -> None:
        reason = "check: `npm test` ended with exit 1\n  at a.js:1\n" + "x" * 200
        line = _last_line((*LIFE, _ended("auth", Status.FAILED, reason)))
        head, *rest = line.split("\n")
        self.assertEqual(head, "[14:32:45] ❌ auth: failed · 2m30s · $0.50")
        self.assertEqual(
            rest,
            ["    check: `npm test` ended with exit 1", "      at a.js:1", "    " + "x" * 200],
        )

    def test_an_event_of_another_day_has_its_date(self) -> None:
        late = events.note(AT + 86_400, RUN, "late")
        self.assertEqual(_last_line((LIFE[0], late)), "[2026-01-03 14:30:15] 💬 late")

    def test_output_of_a_model_or_git_never_reaches_the_terminal_raw(self) -> None:
        for story in (
            (*LIFE, _ended("auth", Status.FAILED, HOSTILE)),
            (events.note(AT, RUN, HOSTILE, "auth"),),
        ):
            for line in _last_line(story).split("\n"):
                self.assertTrue(is_safe(line), line)
            self.assertIn("red", _last_line(story))


class ASteeredRun(unittest.TestCase):
    def said(self, action: str, style: Style = PLAIN, *, done: bool = True) -> str:
        event = events.steered(
            *(AT, "r1", "auth"),
            action=ControlAction(action),
            request="q",
            done=done,
            text="so\x1b[2J be it",
        )
        return run_text.event_line(fold([event]), event, style).partition("] ")[2]

    def test_the_lines_tell_accepted_requests_and_not_refused_ones(self) -> None:
        shown = {a: self.said(a) for a in ("pause", "resume", "stop", "skip", "retry", "attach")}
        self.assertEqual(shown["pause"], "⏸ so be it")
        self.assertEqual(self.said("record"), "")
        self.assertEqual(len({line[0] for line in shown.values()}), 6)
        self.assertEqual(self.said("stop", ASCII), "[stop] so be it")
        self.assertEqual(self.said("stop", done=False), "")

    def test_a_plan_says_what_is_skipped_and_that_nothing_else_is_left(self) -> None:
        left = {
            "auth": Decision("auth", Action.LEAVE, "skipped"),
            "api": Decision("api", Action.LEAVE, "needs auth, which does not run"),
        }
        shown = "\n".join(
            plan_text.plan_lines(plan_of((AUTH, API), selected=[], decisions=left), PLAIN)
        )
        self.assertIn("$1.20) [needs auth, which does not run]", shown)
        self.assertIn("Only skipped features, and what depends on them, are left", shown)
        self.assertNotIn("up to date", shown)


def _report(
    state: RunState, *branches: str, max_cost_usd: float | None = None, seconds: float = 150
) -> RunReport:
    """The report of a run that took that long."""
    run = state.run
    assert run is not None
    run = replace(run, ended_at=run.started_at + seconds)
    return RunReport(state, run, "Shop", (), branches, (), max_cost_usd=max_cost_usd)


class TheReport(unittest.TestCase):
    maxDiff = None

    def test_a_run_that_went_well(self) -> None:
        state = fold([*LIFE, _ended("auth", Status.COMPLETED, work=WORK)])
        self.assertEqual(
            list(run_text.report_lines(_report(state, "feature/auth"), PLAIN)),
            [
                "",
                "✅ 1/1 features completed in 2m30s",
                "Sum of durations: 2m30s",
                "Total cost: $0.50",
                "By status: 1 completed",
                "Branches: feature/auth",
                "",
                "→ rorchestrator review  (what the features changed, for your answer)",
                "→ rorchestrator merge  (lands what is completed)",
            ],
        )

    def test_what_a_reader_says_during_the_run_is_a_line(self) -> None:
        state = fold(LIFE)
        accepted = events_review.reviewed(AT, "auth", answer=Answer.ACCEPTED, commit="c")
        said = events_review.commented(AT, "auth", comment=Comment("1", "Why?"))
        for event, expected in ((accepted, "auth: accepted"), (said, "auth: a comment for Claude")):
            line = run_text.event_line(state, event, PLAIN)
            self.assertTrue(line.endswith(f"] 💬 {expected}"), line)

    def test_where_a_review_is_required_only_what_was_accepted_lands(self) -> None:
        state = fold([*LIFE, _ended("auth", Status.COMPLETED, work=WORK)])
        report = replace(_report(state), only_accepted=True)
        last = list(run_text.report_lines(report, PLAIN))[-1]
        self.assertEqual(last, "→ rorchestrator merge  (lands what you accepted)")

    def test_a_run_that_waits_for_a_review_leads_to_it_first(self) -> None:
        stopped = _ended("auth", Status.CANCELLED, BACKLOG)
        lines = list(run_text.report_lines(_report(fold([*LIFE, stopped])), PLAIN))
        self.assertEqual(
            lines[-2:],
            [
                "→ rorchestrator review  (what waits for you, so that new features start)",
                "→ rorchestrator run  (continues where this run stopped)",
            ],
        )

    def test_what_the_checks_proved_is_a_table(self) -> None:
        made = CheckVerdict("make", Scope.OWN, Verdict.PROVED, "c0ffee", "ended with exit 2", "")
        judged = events_review.judged(AT, RUN, "auth", verdict=made)
        story = [*LIFE, _ended("auth", Status.COMPLETED, work=WORK), judged]
        report = _report(fold(story), "feature/auth")
        self.assertEqual(
            list(run_text.report_lines(report, PLAIN, all_checks=True))[6:11],
            [
                "Checks: 1 proved",
                "",
                "feature  verdict  check  at the start       now",
                "auth     proved   make   ended with exit 2  –",
                "",
            ],
        )
        self.assertEqual(list(run_text.report_lines(report, PLAIN))[6:8], ["Checks: 1 proved", ""])

    def test_a_run_that_lands_its_features_does_not_ask_for_it(self) -> None:
        done = fold([*LIFE, _ended("auth", Status.COMPLETED, work=WORK)])
        failed = fold([_started("auth", "api"), *LIFE[1:], _ended("auth", Status.COMPLETED)])
        for state, last in ((done, "diff auth"), (failed, "merge")):
            assert state.run is not None
            run = replace(state.run, provenance=Provenance(command="rorchestrator run --merge"))
            report = _report(replace(state, run=run))
            line = list(run_text.report_lines(report, ASCII))[-1]
            self.assertTrue(line.startswith(f"-> rorchestrator {last}  ("), line)

    def test_a_part_of_a_list_is_merged_by_name(self) -> None:
        def last(*ids: str, waves: tuple[tuple[str, ...], ...]) -> str:
            story = [_started(*ids)]
            for id in ids:
                story += [_prepared(id), _attempt(id), _ended(id, Status.COMPLETED, work=WORK)]
            report = replace(_report(fold(story)), waves=waves, up_to_date=("new",))
            return list(run_text.report_lines(report, ASCII))[-1].partition("  (")[0]

        self.assertEqual(last("a", "b", waves=(("a", "b"), ("new",))), "-> rorchestrator merge")
        self.assertEqual(last("a", "b", waves=(("a", "b", "c"),)), "-> rorchestrator merge a b")
        many = [f"f{number}" for number in range(9)]
        self.assertEqual(last(*many, waves=((*many, "c"),)), "-> rorchestrator merge")

    def test_what_it_was_to_cost_and_how_long_it_waited(self) -> None:
        waits = [
            events.paused(AT + 1, RUN, until=AT + 61),
            events.paused(AT + 61, RUN, until=0),
            _steered(AT + 70, ControlAction.PAUSE),
            _steered(AT + 71, ControlAction.RESUME),
        ]
        state = fold([*LIFE, *waits, _ended("auth", Status.COMPLETED, work=WORK)])
        lines = list(run_text.report_lines(_report(state, max_cost_usd=5), PLAIN))
        self.assertEqual(lines[3:5], ["Waited for usage limits: 1m00s", "Paused by you: 1.0s"])
        self.assertIn("Total cost: $0.50 of $5.00", lines)

    def test_each_problem_is_reported_with_the_next_command(self) -> None:
        reason = "first line\n" + "x" * 300
        story = [
            _started("auth", "api", "app"),
            *LIFE[1:],
            _ended("auth", Status.FAILED, reason),
            _ended("api", Status.BLOCKED, "auth did not complete (failed)"),
        ]
        lines = list(run_text.report_lines(_report(fold(story), seconds=0), PLAIN))
        self.assertEqual(lines[1], "❌ 0/3 features completed in 0.0s")
        self.assertIn("By status: 1 failed, 1 blocked, 1 pending", lines)
        self.assertEqual(
            lines[5:],
            [
                "",
                "❌ auth: failed",
                "    first line",
                "    " + "x" * 300,
                "    → rorchestrator logs auth",
                "    → cd /w/auth && claude --resume s1",
                "    → rorchestrator retry auth",
                "⛔ api: blocked · auth did not complete (failed)",
                "• app: pending",
                "",
                "Spent without a result:",
                "    attempts thrown away: $0.50, 2m30s",
                "    to save about $0.50, 2m30s: split auth: it did not complete",
            ],
        )

    def test_a_damaged_journal_steers_no_terminal(self) -> None:
        state = fold([_started("a\0\x1b[2J")])
        *_, last = run_text.report_lines(_report(state), PLAIN)
        self.assertEqual(last, "• a\ufffd: pending")

    def test_a_run_that_was_stopped_says_how_to_go_on(self) -> None:
        story = [*LIFE, _ended("auth", Status.CANCELLED, "interrupted")]
        last = list(run_text.report_lines(_report(fold(story)), ASCII))[-1]
        self.assertEqual(last, "-> rorchestrator run  (continues where this run stopped)")

    def test_it_has_ascii_forms(self) -> None:
        story = [*LIFE, _attempt("auth", 2), _over("auth", None)]
        state = fold([*story, _ended("auth", Status.FAILED, "no")])
        said = "\n".join(run_text.report_lines(_report(state), ASCII))
        self.assertTrue(said.isascii(), said)
        self.assertIn(">= $0.50 (some attempts ended without reporting their cost)", said)

    def test_a_cost_that_nobody_knows_is_not_nothing(self) -> None:
        started, prepared, attempt, _ = LIFE
        again = (_attempt("auth", 2), _over("auth", None))
        for story, expected in (
            ((started, prepared, attempt, _over("auth", None)), "cost unknown"),
            ((*LIFE, *again), "≥ $0.50 (some attempts ended without"),
        ):
            state = fold([*story, _ended("auth", Status.COMPLETED, work=WORK)])
            lines = list(run_text.report_lines(_report(state), PLAIN))
            (total,) = (line for line in lines if line.startswith("Total cost: "))
            self.assertNotIn("≥ cost unknown", total)
            self.assertIn(expected, total)

    def test_a_session_is_resumed_where_there_is_one_and_resuming_helps(self) -> None:
        tried = fold([*LIFE, _ended("auth", Status.FAILED, "no")]).feature("auth")
        self.assertEqual(len(next_steps.next_commands(tried)), 3)
        self.assertEqual(next_steps.next_commands(FeatureState("auth")), [])
        usage = FeatureOutcome(Status.FAILED, "unknown option", Fault.USAGE)
        refused = fold([*LIFE, events.ended(AT, RUN, "auth", usage)]).feature("auth")
        commands = ["rorchestrator logs auth", "rorchestrator retry auth"]
        self.assertEqual(next_steps.next_commands(refused), commands)
        promise = FeatureOutcome(Status.FAILED, "`creates` names path:x", Fault.CHECK)
        broken = fold([*LIFE, events.ended(AT, RUN, "auth", promise)]).feature("auth")
        self.assertEqual(next_steps.next_commands(broken)[0], "rorchestrator logs auth")
        for stage, count in {Stage.SETUP: 2, Stage.NONE: 1}.items():
            failed = FeatureOutcome(Status.FAILED, "`x`", Fault.SETUP, stage=stage)
            unready = fold([*LIFE, events.ended(AT, RUN, "auth", failed)]).feature("auth")
            self.assertEqual(len(next_steps.next_commands(unready)), count)
        gone = fold([*LIFE, cleaned()]).feature("auth")
        self.assertEqual(next_steps.resume_command(gone), "")

    def test_the_folder_of_a_session_is_quoted(self) -> None:
        state = FeatureState(
            id="auth", worktree="/my work/it's", attempts=fold(LIFE).feature("auth").attempts
        )
        self.assertEqual(
            next_steps.resume_command(state), "cd '/my work/it'\"'\"'s' && claude --resume s1"
        )

    def test_reasons_branches_and_folders_do_not_reach_the_terminal_raw(self) -> None:
        decision = Decision("auth", Action.START, "new")
        place = events.preparing(
            AT, RUN, decision, branch="b", worktree=f"/w/{HOSTILE}", name=HOSTILE
        )
        story = [LIFE[0], place, *LIFE[2:], _ended("auth", Status.FAILED, HOSTILE)]
        for line in run_text.report_lines(_report(fold(story), HOSTILE), PLAIN):
            self.assertTrue(is_safe(line), line)


def cleaned() -> Event:
    """The worktree and the branch of ``auth`` are gone."""
    return events.cleaned(AT, "auth", merged_into="main", kept_ref="", discarded=False, detail="")


# -- Claude's stream ------------------------------------------------------------------------


if __name__ == "__main__":
    unittest.main()
