"""The lines of a plan."""

from __future__ import annotations

import unittest

from core.dag.prediction import Measured
from core.dag.schedule import Plan
from core.model.decision import Action, Decision
from core.model.feature import Feature, Invocation, Purpose
from core.model.frozen import replace
from core.reporter import plan_text
from tests.support.french import French
from tests.support.plans import API, AUTH, DIAMOND, plan_of
from tests.support.story import ASCII, HOSTILE, PLAIN, is_safe


class APlan(unittest.TestCase):
    maxDiff = None

    def test_the_budget_and_the_files_given_to_worktrees_are_shown(self) -> None:
        given = {"copied": (".env", "*.k\ney"), "linked": ("vendor",), "setup_cache": ("m\ny",)}
        plan = plan_of([AUTH], max_cost_usd=7.5, **given)
        lines = list(plan_text.plan_lines(plan, PLAIN))
        begin = lines.index("Budget: $7.50")
        self.assertEqual(lines[begin + 1 : begin + 3], ["Copied: .env, *.k ey", "Linked: vendor"])
        self.assertEqual(lines[-1], "Setup is skipped where cached folders can be used: m y")

    def test_it_shows_waves_features_and_what_they_take(self) -> None:
        plan = plan_of(DIAMOND, description="All of it")
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
        said = "\n".join(plan_text.plan_lines(plan_of(DIAMOND), ASCII, verbose=True))
        self.assertTrue(said.isascii(), said)
        self.assertIn("  | batch <- auth (", said)
        self.assertIn("auth -> batch -> app", said)

    def test_without_any_estimate_no_time_and_no_cost_is_invented(self) -> None:
        lines = list(plan_text.plan_lines(plan_of([Feature("a", "a"), Feature("b", "b")]), PLAIN))
        self.assertIn("  │ a (? tokens) [new]", lines)
        self.assertIn("Estimated: ? tokens (2 without an estimate)", lines)
        self.assertEqual(
            lines[-1],
            "Predicted: speedup 2.00x on 2 slots (without estimates all features count the same)",
        )

    def test_what_was_measured_is_told_with_its_source_and_its_range(self) -> None:
        took = [Measured("auth", frozenset(), seconds, 0.5) for seconds in (60.0, 80.0)]
        took.append(Measured("auth", frozenset(), 100.0, 1.0))
        twin = Feature("twin", "Twin", tags=("x",))
        tagged = Feature("tagged", "Tagged", tags=("x",))
        plan = plan_of(
            [AUTH, twin, tagged, Feature("new", "New")],
            measured=[*took, Measured("twin", frozenset(), 10.0, 0.25)],
            max_cost_usd=1.0,
            past_error=0.18,
        )
        lines = list(plan_text.plan_lines(plan, PLAIN))
        self.assertIn("  │ auth: Sign-in (~$0.50 from 3 runs, P90 $0.90; 1m20s) [new]", lines)
        self.assertIn("  │ twin: Twin (~$0.25 from 1 run; 10s) [new]", lines)
        self.assertIn("  │ tagged: Tagged (~$0.25 from 1 run with its tags; 10s) [new]", lines)
        expected = "  │ new: New (~$0.50 from 4 runs of all features, P90 $0.85; 1m10s) [new]"
        self.assertIn(expected, lines)
        self.assertEqual(
            lines[-3:],
            [
                "Predicted: 1m30s on 2 slots, 2m50s one after the other – speedup 1.89x",
                "From past runs: ~$1.50 (P90 $2.03, 1m46s; past predictions were off by 18 %)",
                "Warning: the estimate of $1.50 exceeds the budget of $1.00: "
                "not every feature may run",
            ],
        )
        question = plan_text.run_question(plan, "~/shop", "main @ c0ffee0")
        self.assertIn("about $1.50, at most $1.00?", question)
        with French():
            question = plan_text.run_question(plan, "~/shop", "main @ c0ffee0")
        self.assertEqual(
            question.replace("\u00a0", " "),
            "Lancer 4 fonctionnalités dans ~/shop depuis main @ c0ffee0 : "
            "environ 1,50 $, au plus 1 $ ?",
        )

    def test_features_that_would_not_run_are_marked(self) -> None:
        plan = plan_of(
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
        unknown = list(plan_text.plan_lines(plan_of(DIAMOND, selected=["app"]), PLAIN))
        self.assertEqual(unknown[-1], "To run: 1 of 4 features, ? tokens")

    def test_it_says_when_run_would_do_nothing(self) -> None:
        done = {id: Decision(id, Action.SKIP, "up to date") for id in ("auth", "api")}
        nothing = list(
            plan_text.plan_lines(plan_of([AUTH, API], selected=[], decisions=done), PLAIN)
        )
        self.assertEqual(nothing[-1], "Everything is up to date: run would do nothing.")
        del done["api"]
        chosen = list(
            plan_text.plan_lines(plan_of([AUTH, API], selected=[], decisions=done), PLAIN)
        )
        self.assertEqual(chosen[-1], "The selection is up to date: run would do nothing.")

    def test_verbose_adds_what_a_feature_is_made_of_and_quiet_leaves_the_waves_out(self) -> None:
        feature = replace_feature(AUTH, tags=("x", "y"), creates=("a.py",), prompt_file="auth.md")
        lines = list(plan_text.plan_lines(plan_of([feature]), PLAIN, verbose=True))
        details = [line.split("│")[1].strip() for line in lines[4:8]]
        self.assertEqual(
            details, ["branch: feature/auth", "prompt: auth.md", "tags: x, y", "creates: a.py"]
        )
        quiet = list(plan_text.plan_lines(plan_of(DIAMOND), PLAIN, quiet=True))
        self.assertFalse([line for line in quiet if "WAVE" in line or "│" in line])
        self.assertIn("4 features, 3 waves", quiet)

    def test_it_shows_the_commands_that_would_run(self) -> None:
        plan = replace(
            plan_of(DIAMOND),
            commands=(
                Invocation(
                    Purpose.CLAUDE, ("claude", "-p", "--verbose"), ("claude", "-p"), ("auth", "api")
                ),
                Invocation(
                    Purpose.CLAUDE,
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
                "  ⚠ its permission checks are off (claude.permission_mode, claude.command[2]): "
                "--allow-bypass",
            ],
        )
        whole = list(plan_text.plan_lines(plan, ASCII, verbose=True))
        self.assertIn("Runs (auth, api): claude -p --verbose", whole)
        self.assertIn("  [!] its permission checks are off", whole[-1])

    def test_names_of_the_list_do_not_reach_the_terminal_raw(self) -> None:
        feature = Feature(
            "auth",
            HOSTILE,
            prompt_file=HOSTILE,
            tags=(HOSTILE,),
            creates=(HOSTILE,),
            uses=(HOSTILE,),
        )
        plan = plan_of([feature], description=HOSTILE)
        plan = Plan(**{**vars(plan), "project": HOSTILE})
        for line in plan_text.plan_lines(plan, PLAIN, verbose=True):
            self.assertTrue(is_safe(line), line)


def replace_feature(feature: Feature, **changes: object) -> Feature:
    """The same feature with other values."""
    return Feature(**{**vars(feature), **changes})
