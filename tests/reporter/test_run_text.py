"""Everything that a terminal shows, as lines."""

from __future__ import annotations

import re
import unittest
from collections.abc import Mapping, Sequence
from datetime import datetime

from core.dag.resolver import DAGResolver
from core.dag.schedule import Plan, predict
from core.model import events, next_commands, words
from core.model.costs import SHARE
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.feature import Feature, Invocation
from core.model.fold import fold
from core.model.frozen import replace
from core.model.outcome import Fault, Outcome, Status, Work
from core.model.state import FeatureState, RunState
from core.reporter import plan_text, run_text, stream_text, style
from core.reporter.documents import RunReport
from core.reporter.style import Style

PLAIN = Style()
ASCII = Style(unicode=False)
COLOUR = Style(colour=True)

HOSTILE = "a\x1b[31mred\x1b[0m\x07\x9b2J\u202egnp\udc80\r\x00\u200b\x1b]0;t"
"""Colour, bell, C1, right-to-left override, half a surrogate pair, overwriting, a title."""

WORK = Work("c0ffee", files_changed=3, insertions=120, deletions=4)


def _is_safe(line: str) -> bool:
    return not re.search(
        "[\x00-\x1f\x7f-\x9f\u200b-\u200c\u200e\u200f\u202a-\u202e\ud800-\udfff]", line
    )


# -- small things ---------------------------------------------------------------------------


class Words(unittest.TestCase):
    def test_what_would_steer_a_terminal_is_taken_out(self) -> None:
        cases = {
            "plain": "plain",
            "Übergrößenträger 日本 🚀 👩‍🚀": "Übergrößenträger 日本 🚀 👩‍🚀",
            "two\nlines\tand a tab": "two\nlines    and a tab",
            "dos\r\nline ends": "dos\nline ends",
            "\x1b[1;31mbold red\x1b[0m": "bold red",
            "\x1b[2Jgone": "gone",
            "\x1b\x1b[31m[31mtwice": "�[31mtwice",
            "\x1b]0;title\x07": "�]0;title�",
            "50 %\rover": "50 %�over",
            "user\u202egpj.exe": "user�gpj.exe",
            "half \udc80 pair": "half � pair",
            "a\x00b\x7fc\x9bd": "a�b�c�d",
            "no\u00a0break,\u3000wide": "no break, wide",
            "line\u2028separator": "line�separator",
        }
        for given, expected in cases.items():
            with self.subTest(given):
                self.assertEqual(run_text.clean(given), expected)
        self.assertTrue(_is_safe(run_text.clean(HOSTILE)))

    def test_one_line_is_one_line(self) -> None:
        self.assertEqual(run_text.one_line("  a\n b\t\tc \x1b[1m "), "a b c")

    def test_width_is_counted_in_columns(self) -> None:
        for given, expected in {"abc": 3, "é": 1, "e\u0301": 1, "日本": 4, "✅": 2, "": 0}.items():
            with self.subTest(given):
                self.assertEqual(style.columns(given), expected)

    def test_a_cut_is_marked_and_fits(self) -> None:
        cases = [
            ("abcdef", 6, PLAIN, "abcdef"),
            ("abcdefg", 6, PLAIN, "abcde…"),
            ("abcdefg", 6, ASCII, "abc..."),
            ("日本語", 6, PLAIN, "日本語"),
            ("日本語です", 6, PLAIN, "日本…"),
            ("abc", 0, PLAIN, "…"),
            ("", 0, PLAIN, ""),
        ]
        for given, width, made, expected in cases:
            with self.subTest(given, width=width):
                self.assertEqual(style.shorten(given, width, made), expected)

    def test_money_has_as_many_digits_as_it_needs(self) -> None:
        cases = {5.4: "$5.40", 0.0: "$0.00", 0.01: "$0.01", 0.0042: "$0.0042", None: "cost unknown"}
        for usd, expected in cases.items():
            with self.subTest(usd):
                self.assertEqual(words.money(usd), expected)

    def test_a_duration_reads_as_a_person_says_it(self) -> None:
        cases = {
            -1.0: "0.0s",
            0.84: "0.8s",
            9.94: "9.9s",
            45.2: "45s",
            59.7: "1m00s",
            150.0: "2m30s",
            3599.0: "59m59s",
            3900.0: "1h05m",
            360000.0: "100h00m",
        }
        for seconds, expected in cases.items():
            with self.subTest(seconds):
                self.assertEqual(words.duration(seconds), expected)

    def test_tokens_are_rounded_only_where_nothing_is_lost(self) -> None:
        cases = {None: "? tokens", 0: "~0 tokens", 999: "~999 tokens", 40000: "~40k tokens"}
        for count, expected in cases.items():
            with self.subTest(count):
                self.assertEqual(words.tokens(count), expected)
        self.assertEqual(words.tokens(1500), "~1.5k tokens")

    def test_a_noun_agrees_with_its_number(self) -> None:
        self.assertEqual(
            [words.counted(number, "wave") for number in range(3)],
            ["0 waves", "1 wave", "2 waves"],
        )

    def test_colours_are_there_only_where_they_are_wanted(self) -> None:
        self.assertEqual(COLOUR.paint("x", "red"), "\x1b[31mx\x1b[0m")
        self.assertEqual(COLOUR.paint("", "red"), "")
        self.assertEqual(PLAIN.paint("x", "red"), "x")

    def test_columns_line_up_whatever_is_in_them(self) -> None:
        rows = [["NAME", "B"], ["日本", "x"], ["longer", ""]]
        self.assertEqual(list(style.table_lines(rows)), ["NAME    B", "日本    x", "longer"])


# -- plan -----------------------------------------------------------------------------------


def _plan(
    features: Sequence[Feature],
    *,
    selected: Sequence[str] | None = None,
    decisions: Mapping[str, Decision] | None = None,
    description: str = "",
    max_cost_usd: float | None = None,
    copied: tuple[str, ...] = (),
    linked: tuple[str, ...] = (),
) -> Plan:
    dag = DAGResolver(features)
    new = {id: Decision(id, Action.START, "new") for id in dag.features}
    return Plan(
        project="Shop",
        description=description,
        features=dag.features,
        waves=tuple(map(tuple, dag.waves())),
        branches={id: f"feature/{id}" for id in dag.features},
        decisions={**new, **(decisions or {})},
        selected=frozenset(dag.features if selected is None else selected),
        critical_path=tuple(dag.critical_path(lambda feature: feature.estimated_tokens or 1)),
        max_parallel=2,
        timeline=predict(dag, 2),
        usd_per_million_tokens=30.0,
        max_cost_usd=max_cost_usd,
        copied=copied,
        linked=linked,
    )


AUTH = Feature("auth", "Sign-in", estimated_tokens=50_000)
API = Feature("api", "Lookup", depends_on=("auth",), estimated_tokens=40_000)
BATCH = Feature("batch", "batch", depends_on=("auth",), estimated_tokens=60_000)
DIAMOND = (AUTH, API, BATCH, Feature("app", "App", depends_on=("api", "batch")))


class APlan(unittest.TestCase):
    maxDiff = None

    def test_its_budget_and_what_worktrees_are_given_are_told(self) -> None:
        plan = _plan([AUTH], max_cost_usd=7.5, copied=(".env", "*.k\ney"), linked=("vendor",))
        lines = list(plan_text.plan_lines(plan, PLAIN))
        begin = lines.index("Budget: $7.50")
        self.assertEqual(lines[begin + 1 : begin + 3], ["Copied: .env, *.k ey", "Linked: vendor"])

    def test_it_shows_waves_features_and_what_they_take(self) -> None:
        plan = _plan(DIAMOND, description="All of it")
        self.assertEqual(
            list(plan_text.plan_lines(plan, PLAIN)),
            [
                "PLAN Shop",
                "All of it",
                "",
                "WAVE 1",
                "  │ auth: Sign-in (~50k tokens, $1.50) [new]",
                "",
                "WAVE 2 [PARALLEL]",
                "  │ api: Lookup ← auth (~40k tokens, $1.20) [new]",
                "  │ batch ← auth (~60k tokens, $1.80) [new]",
                "",
                "WAVE 3",
                "  │ app: App ← api, batch (? tokens) [new]",
                "",
                "4 features, 3 waves",
                "Estimated: ~150k tokens, $4.50 (1 without an estimate)",
                "Critical path: auth → batch → app",
                "Predicted: 17m47s on 2 slots, 22m13s one after the other – speedup 1.25x",
            ],
        )

    def test_it_has_ascii_forms(self) -> None:
        said = "\n".join(plan_text.plan_lines(_plan(DIAMOND), ASCII, verbose=True))
        self.assertTrue(said.isascii(), said)
        self.assertIn("  | batch <- auth (", said)
        self.assertIn("auth -> batch -> app", said)

    def test_without_any_estimate_no_time_and_no_cost_is_invented(self) -> None:
        lines = list(plan_text.plan_lines(_plan([Feature("a", "a"), Feature("b", "b")]), PLAIN))
        self.assertIn("  │ a (? tokens) [new]", lines)
        self.assertIn("Estimated: ? tokens (2 without an estimate)", lines)
        self.assertEqual(
            lines[-1],
            "Predicted: speedup 2.00x on 2 slots (without estimates all features count the same)",
        )

    def test_what_would_not_run_is_told_apart(self) -> None:
        plan = _plan(
            DIAMOND,
            selected=["batch", "app"],
            decisions={
                "auth": Decision("auth", Action.SKIP, "up to date"),
                "batch": Decision("batch", Action.RESUME, "interrupted"),
            },
        )
        lines = list(plan_text.plan_lines(plan, PLAIN))
        self.assertIn("  │ auth: Sign-in (~50k tokens, $1.50) [up to date]", lines)
        self.assertIn("  │ api: Lookup ← auth (~40k tokens, $1.20) [new, not selected]", lines)
        self.assertIn("  │ batch ← auth (~60k tokens, $1.80) [resumes: interrupted]", lines)
        self.assertEqual(lines[-1], "To run: 2 of 4 features, ~60k tokens, $1.80")
        unknown = list(plan_text.plan_lines(_plan(DIAMOND, selected=["app"]), PLAIN))
        self.assertEqual(unknown[-1], "To run: 1 of 4 features, ? tokens")

    def test_it_says_when_run_would_do_nothing(self) -> None:
        done = {id: Decision(id, Action.SKIP, "up to date") for id in ("auth", "api")}
        nothing = list(plan_text.plan_lines(_plan([AUTH, API], selected=[], decisions=done), PLAIN))
        self.assertEqual(nothing[-1], "Everything is up to date: run would do nothing.")
        del done["api"]
        chosen = list(plan_text.plan_lines(_plan([AUTH, API], selected=[], decisions=done), PLAIN))
        self.assertEqual(chosen[-1], "What was chosen is up to date: run would do nothing.")

    def test_verbose_adds_what_a_feature_is_made_of_and_quiet_leaves_the_waves_out(self) -> None:
        feature = replace_feature(AUTH, tags=("x", "y"), creates=("a.py",), prompt_file="auth.md")
        lines = list(plan_text.plan_lines(_plan([feature]), PLAIN, verbose=True))
        details = [line.split("│")[1].strip() for line in lines[4:8]]
        self.assertEqual(
            details, ["branch: feature/auth", "prompt: auth.md", "tags: x, y", "creates: a.py"]
        )
        quiet = list(plan_text.plan_lines(_plan(DIAMOND), PLAIN, quiet=True))
        self.assertFalse([line for line in quiet if "WAVE" in line or "│" in line])
        self.assertIn("4 features, 3 waves", quiet)

    def test_it_shows_the_commands_that_would_run(self) -> None:
        plan = replace(
            _plan(DIAMOND),
            commands=(
                Invocation(
                    "claude", ("claude", "-p", "--verbose"), ("claude", "-p"), ("auth", "api")
                ),
                Invocation(
                    "claude",
                    ("sh", "-c", "evil; claude"),
                    ("sh", "-c", "evil\x1b[2J; claude"),
                    env={"A": "b c\x9b"},
                    bypass=("claude.permission_mode", "claude.command[2]"),
                ),
            ),
        )
        self.assertEqual(
            list(plan_text.plan_lines(plan, PLAIN, quiet=True))[-4:],
            [
                "Runs (auth, api): claude -p",
                "Runs: sh -c 'evil; claude'",
                "  with A='b c\ufffd'",
                "  ⚠ it may do anything unasked (claude.permission_mode, claude.command[2]): "
                "--allow-bypass",
            ],
        )
        whole = list(plan_text.plan_lines(plan, ASCII, verbose=True))
        self.assertIn("Runs (auth, api): claude -p --verbose", whole)
        self.assertIn("  [!] it may do anything unasked", whole[-1])

    def test_names_of_the_list_do_not_reach_the_terminal_raw(self) -> None:
        feature = Feature(
            "auth",
            HOSTILE,
            prompt_file=HOSTILE,
            tags=(HOSTILE,),
            creates=(HOSTILE,),
            uses=(HOSTILE,),
        )
        plan = _plan([feature], description=HOSTILE)
        plan = Plan(**{**vars(plan), "project": HOSTILE})
        for line in plan_text.plan_lines(plan, PLAIN, verbose=True):
            self.assertTrue(_is_safe(line), line)


def replace_feature(feature: Feature, **changes: object) -> Feature:
    """The same feature with other values."""
    return Feature(**{**vars(feature), **changes})


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
    return events.attempt_ended(AT + 150, RUN, id, Outcome(Status.COMPLETED, cost_usd=cost))


def _ended(id: str, status: Status, reason: str = "", work: Work | None = None) -> Event:
    return events.ended(AT + 150, RUN, id, Outcome(status, reason, work=work))


def _steered(at: float, action: str) -> Event:
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
                "❌ auth: failed · 2m30s · $0.50 · no luck",
                "[failed] auth: failed | 2m30s | $0.50 | no luck",
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
        line = _last_line((*LIFE, _ended("auth", Status.FAILED, "x" * 200)))
        self.assertLess(len(line), 100)
        self.assertTrue(line.endswith("…"))

    def test_what_a_model_or_git_said_does_not_reach_the_terminal_raw(self) -> None:
        for story in (
            (*LIFE, _ended("auth", Status.FAILED, HOSTILE)),
            (events.note(AT, RUN, HOSTILE, "auth"),),
        ):
            line = _last_line(story)
            self.assertTrue(_is_safe(line) and "red" in line, line)


class ASteeredRun(unittest.TestCase):
    def said(self, action: str, style: Style = PLAIN, *, done: bool = True) -> str:
        event = events.steered(
            *(AT, "r1", "auth"), action=action, request="q", done=done, text="so\x1b[2J be it"
        )
        return run_text.event_line(fold([event]), event, style).partition("] ")[2]

    def test_it_tells_what_a_user_made_it_do_and_not_what_it_refused(self) -> None:
        shown = {a: self.said(a) for a in ("pause", "resume", "stop", "skip", "retry", "attach")}
        self.assertEqual(shown["pause"], "⏸ pause: so be it")
        self.assertEqual(len({line[0] for line in shown.values()}), 6)
        self.assertEqual(self.said("stop", ASCII), "[stop] stop: so be it")
        self.assertEqual(self.said("stop", done=False), "")

    def test_a_pause_shows_as_long_as_it_lasts(self) -> None:
        begun = events.run_started(
            *(AT, "r1"), pid=1, base_branch="main", base_commit="b", features=[], max_parallel=1
        )
        pause, resume = (
            events.steered(AT, "r1", "", action=action, request="q", done=True, text="")
            for action in ("pause", "resume")
        )
        line = run_text.progress_line(fold([begun, pause]), AT, PLAIN)
        self.assertTrue(line.endswith(" · paused"), line)
        self.assertNotIn("paused", run_text.progress_line(fold([begun, pause, resume]), AT, PLAIN))

    def test_a_plan_says_what_is_skipped_and_that_nothing_else_is_left(self) -> None:
        left = {
            "auth": Decision("auth", Action.LEAVE, "skipped"),
            "api": Decision("api", Action.LEAVE, "needs auth, which does not run"),
        }
        shown = "\n".join(
            plan_text.plan_lines(_plan((AUTH, API), selected=[], decisions=left), PLAIN)
        )
        self.assertIn("$1.20) [needs auth, which does not run]", shown)
        self.assertIn("Nothing is left to run but what is skipped", shown)
        self.assertNotIn("up to date", shown)


class TheProgressLine(unittest.TestCase):
    def test_it_says_what_is_done_and_what_runs(self) -> None:
        story = [_started("auth", "api"), *LIFE[1:], _ended("auth", Status.COMPLETED, work=WORK)]
        state = fold([*story, _prepared("api"), _attempt("api"), _prepared("waiting")])
        self.assertEqual(
            run_text.progress_line(state, AT + 160, PLAIN),
            "1/2 done · 2m40s · $0.50 · running: api 2m40s",
        )
        self.assertTrue(run_text.progress_line(state, AT + 160, ASCII).isascii())

    def test_it_never_fills_the_line(self) -> None:
        many = [f"a-feature-with-a-long-name-{number}" for number in range(9)]
        state = fold([_started(*many), *map(_prepared, many), *map(_attempt, many)])
        line = run_text.progress_line(state, AT, Style(width=60))
        self.assertEqual((style.columns(line), line[-1]), (59, "…"))

    def test_it_says_how_long_a_usage_limit_lasts(self) -> None:
        for until, shown in (AT + 60, "14:31:15"), (AT + 86_400, "Sat 14:30"):
            state = fold([_started("auth"), events.paused(AT, RUN, until=until)])
            line = run_text.progress_line(state, AT, PLAIN)
            with self.subTest(shown):
                self.assertTrue(line.endswith(f"usage limit, waiting until {shown}"), line)

    def test_before_a_run_there_is_none(self) -> None:
        self.assertEqual(run_text.progress_line(RunState(), AT, PLAIN), "")


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
                "Speedup: 1.0x",
                "Total cost: $0.50",
                "By status: 1 completed",
                "Branches: feature/auth",
            ],
        )

    def test_what_it_was_to_cost_and_how_long_it_waited(self) -> None:
        waits = [
            events.paused(AT + 1, RUN, until=AT + 61),
            events.paused(AT + 61, RUN, until=0),
            _steered(AT + 70, "pause"),
            _steered(AT + 71, "resume"),
        ]
        state = fold([*LIFE, *waits, _ended("auth", Status.COMPLETED, work=WORK)])
        lines = list(run_text.report_lines(_report(state, max_cost_usd=5), PLAIN))
        self.assertEqual(lines[3:5], ["Waited for usage limits: 1m00s", "Paused by you: 1.0s"])
        self.assertIn("Total cost: $0.50 of $5.00", lines)

    def test_each_problem_is_told_whole_with_the_next_command(self) -> None:
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
            lines[6:],
            [
                "",
                "❌ auth: failed",
                "    first line",
                "    " + "x" * 300,
                "    → rorchestrator logs auth",
                "    → cd /w/auth && claude --resume s1",
                "⛔ api: blocked · auth did not complete (failed)",
                "• app: pending",
            ],
        )

    def test_a_damaged_journal_steers_no_terminal(self) -> None:
        state = fold([_started("a\0\x1b[2J")])
        *_, last = run_text.report_lines(_report(state), PLAIN)
        self.assertEqual(last, "• a\ufffd: pending")

    def test_a_run_that_was_stopped_says_how_to_go_on(self) -> None:
        story = [*LIFE, _ended("auth", Status.CANCELLED, "interrupted")]
        last = list(run_text.report_lines(_report(fold(story)), ASCII))[-1]
        self.assertEqual(last, "-> rorchestrator run  (goes on where this one stopped)")

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
        self.assertEqual(len(next_commands.next_commands(tried)), 2)
        self.assertEqual(next_commands.next_commands(FeatureState("auth")), [])
        usage = Outcome(Status.FAILED, "unknown option", Fault.USAGE)
        refused = fold([*LIFE, events.ended(AT, RUN, "auth", usage)]).feature("auth")
        self.assertEqual(next_commands.next_commands(refused), ["rorchestrator logs auth"])
        promise = Outcome(Status.FAILED, "`creates` promises path:x", Fault.CHECK)
        broken = fold([*LIFE, events.ended(AT, RUN, "auth", promise)]).feature("auth")
        self.assertEqual(next_commands.next_commands(broken)[0], "rorchestrator logs auth")
        for reason, commands in {"setup: `x`": 1, "`uses` names path:x": 0}.items():
            failed = Outcome(Status.FAILED, reason, Fault.SETUP)
            unready = fold([*LIFE, events.ended(AT, RUN, "auth", failed)]).feature("auth")
            self.assertEqual(len(next_commands.next_commands(unready)), commands)
        gone = fold([*LIFE, cleaned()]).feature("auth")
        self.assertEqual(next_commands.resume_command(gone), "")

    def test_the_folder_of_a_session_is_quoted(self) -> None:
        state = FeatureState(
            id="auth", worktree="/my work/it's", attempts=fold(LIFE).feature("auth").attempts
        )
        self.assertEqual(
            next_commands.resume_command(state), "cd '/my work/it'\"'\"'s' && claude --resume s1"
        )

    def test_reasons_branches_and_folders_do_not_reach_the_terminal_raw(self) -> None:
        decision = Decision("auth", Action.START, "new")
        place = events.preparing(
            AT, RUN, decision, branch="b", worktree=f"/w/{HOSTILE}", name=HOSTILE
        )
        story = [LIFE[0], place, *LIFE[2:], _ended("auth", Status.FAILED, HOSTILE)]
        for line in run_text.report_lines(_report(fold(story), HOSTILE), PLAIN):
            self.assertTrue(_is_safe(line), line)


def cleaned() -> Event:
    """The worktree and the branch of ``auth`` are gone."""
    return events.cleaned(AT, "auth", merged_into="main", kept_ref="", discarded=False, detail="")


# -- Claude's stream ------------------------------------------------------------------------


def _assistant(*blocks: Mapping[str, object]) -> dict[str, object]:
    return {"type": "assistant", "message": {"content": list(blocks)}}


def _user(content: object, *, is_error: bool = False) -> dict[str, object]:
    block = {"type": "tool_result", "content": content, "is_error": is_error}
    return {"type": "user", "message": {"content": [block]}}


def _lines(
    message: Mapping[str, object],
    style: Style = PLAIN,
    *,
    verbose: bool = False,
    quiet: bool = False,
) -> list[str]:
    return list(stream_text.message_lines(message, style, verbose=verbose, quiet=quiet))


TOOL = {"type": "tool_use", "name": "Bash", "input": {"command": "ls\n-la", "timeout": 5}}
WORDS = {"type": "text", "text": "I will.\nNow."}
RESULT = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "num_turns": 1,
    "total_cost_usd": 0.5,
    "duration_ms": 1500,
    "result": "Done.",
}


class AMessage(unittest.TestCase):
    def test_words_and_tools_are_shown(self) -> None:
        self.assertEqual(
            _lines(_assistant(WORDS, TOOL)),
            ["I will.", "Now.", "▸ Bash(command=ls -la, timeout=5)"],
        )
        self.assertEqual(_lines(_assistant(TOOL), ASCII), ["> Bash(command=ls -la, timeout=5)"])

    def test_a_tool_is_cut_to_the_width(self) -> None:
        long = {"type": "tool_use", "name": "Write", "input": {"content": "日本" * 100}}
        for width in (20, 80, 200):
            (line,) = _lines(_assistant(long), Style(width=width))
            self.assertIn(style.columns(line), (width - 1, width))
            self.assertTrue(line.endswith("…"))

    def test_answers_of_tools_show_when_they_failed_or_when_asked_for(self) -> None:
        self.assertEqual(_lines(_user("fine\nall of it")), [])
        self.assertEqual(_lines(_user("fine\nall"), verbose=True), ["  fine", "  all"])
        self.assertEqual(_lines(_user("no such\nfile", is_error=True)), ["  ✗ no such file"])
        self.assertEqual(_lines(_user("no", is_error=True), ASCII), ["  x no"])
        structured = _user([{"type": "text", "text": "é"}])
        self.assertEqual(_lines(structured, verbose=True), ['  [{"type": "text", "text": "é"}]'])

    def test_quiet_shows_words_only(self) -> None:
        self.assertEqual(_lines(_assistant(WORDS, TOOL), quiet=True), ["I will.", "Now."])
        self.assertEqual(_lines({"type": "system", "subtype": "init"}, quiet=True), [])

    def test_a_result_says_how_it_went(self) -> None:
        overloaded = {**RESULT, "is_error": True, "result": "API Error: 529"}
        share = {"a": {"costUSD": 0.1}, "b": {"costUSD": 0.2}}
        stopped = {**RESULT, "subtype": "error_max_turns", "num_turns": 7, "errors": ["a", "b"]}
        del stopped["result"]
        bare = {"type": "result"}
        cases: list[tuple[Mapping[str, object], list[str]]] = [
            (RESULT, ["RESULT success · 1 turn · $0.50 · 1.5s"]),
            (overloaded, ["RESULT failed · 1 turn · $0.50 · 1.5s", "API Error: 529"]),
            (stopped, ["RESULT error_max_turns · 7 turns · $0.50 · 1.5s", '["a", "b"]']),
            (bare, ["RESULT ? · ? turns · cost unknown · 0.0s"]),
            ({**RESULT, SHARE: share}, ["RESULT success · 1 turn · $0.30 · 1.5s"]),
            ({**RESULT, SHARE: {"a": 7}}, ["RESULT success · 1 turn · cost unknown · 1.5s"]),
        ]
        for message, expected in cases:
            with self.subTest(expected[0]):
                self.assertEqual(_lines(message), expected)

    def test_of_the_housekeeping_only_the_beginning_and_retries_are_shown(self) -> None:
        cases: list[tuple[Mapping[str, object], list[str]]] = [
            ({"type": "system", "subtype": "init"}, ["Claude Code ?, ?"]),
            (
                {"type": "system", "subtype": "init", "model": "m", "claude_code_version": "2.1"},
                ["Claude Code 2.1, m"],
            ),
            (
                {"type": "system", "subtype": "api_retry", "attempt": 2, "error_status": 529},
                ["API retry 2 after 529"],
            ),
            (
                {"type": "system", "subtype": "api_retry", "attempt": 1},
                ["API retry 1 after no answer"],
            ),
            ({"type": "system", "subtype": "compact_boundary"}, []),
            ({"type": "system", "subtype": ["?"]}, []),
            ({"type": "rate_limit_event"}, []),
        ]
        for message, expected in cases:
            with self.subTest(message):
                self.assertEqual(_lines(message), expected)

    def test_a_message_of_any_shape_is_survived(self) -> None:
        cases: list[tuple[object, list[str]]] = [
            ("just words", ["just words"]),
            (None, []),
            (["no block", {"type": "thinking", "thinking": "hm"}], []),
            ([{"type": "text"}], []),
            ([{"type": "tool_use"}], ["▸ ?()"]),
            ([{"type": "tool_use", "name": "T", "input": [1]}], ["▸ T()"]),
            ([{"type": "tool_result", "is_error": True}], ["  ✗ null"]),
        ]
        for content, expected in cases:
            with self.subTest(content):
                message = {"type": "assistant", "message": {"content": content}}
                self.assertEqual(_lines(message), expected)
        self.assertEqual(_lines({"type": "assistant"}), [])

    def test_nothing_that_the_model_says_reaches_the_terminal_raw(self) -> None:
        tool = {"type": "tool_use", "name": HOSTILE, "input": {HOSTILE: HOSTILE}}
        for message in (
            _assistant({"type": "text", "text": HOSTILE}, tool),
            _user(HOSTILE, is_error=True),
            _user([HOSTILE]),
            _user(HOSTILE),
            {**RESULT, "subtype": HOSTILE, "result": HOSTILE},
            {"type": "system", "subtype": "init", "model": HOSTILE},
            {"type": "system", "subtype": "api_retry", "error_status": HOSTILE},
        ):
            lines = _lines(message, verbose=True)
            self.assertTrue(lines)
            for line in lines:
                self.assertTrue(_is_safe(line), line)


if __name__ == "__main__":
    unittest.main()
