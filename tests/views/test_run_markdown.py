"""The Markdown report: readable, short enough for a comment, and deaf to what outsiders write."""

from __future__ import annotations

import unittest

from core.model import events
from core.model.frozen import replace
from core.model.outcome import FeatureOutcome, Status
from core.model.provenance import Provenance
from core.views.run_markdown import markdown
from tests.support.run_views import (
    COMPLETED,
    DONE,
    STORY,
    VERDICTS,
    begun,
    feature_story,
    judged,
    view_of,
)
from tests.support.story import AT, RUN

COMMENT_CHARACTERS = 65_536
"""What GitHub takes."""


class Markdown(unittest.TestCase):
    maxDiff = None

    def test_a_run_is_told_from_its_result_to_its_provenance(self) -> None:
        said = markdown(view_of(STORY))
        lines = said.splitlines()
        self.assertEqual(lines[0], "## ❌ Shop: 2 of 4 features completed")
        self.assertEqual(lines[2], "40s · ≥ $0.37 of $5.00 · 2 slots · `main` @ `ba5eba5eba`")
        self.assertIn("| `auth` Auth | ✅ completed | 12s | $0.12 | 1 | 3 files +12 −4 |", lines)
        self.assertIn("| `api` Api | ❌ failed | 24s | ≥ $0.12 | 2 |  |", lines)
        self.assertIn("| `app` | ⛔ blocked |  |  |  |  |", lines)
        self.assertIn("<details><summary>❌ `api` failed</summary>", lines)
        self.assertIn("FAIL src/api.test.ts", lines)
        self.assertIn("→ `rorchestrator logs api --checks`", lines)
        self.assertIn("RoRchestrator `1.2.3` · Claude Code `2.1.330` · model `claude-opus`", said)
        self.assertIn("command `rorchestrator run --yes`", said)

    def test_a_speedup_is_said_where_there_is_one(self) -> None:
        story = [begun(["a", "b"])]
        for id in ("a", "b"):
            story += feature_story(id, AT, DONE, end=COMPLETED)
        story.append(events.run_ended(AT + 13, RUN, exit_code=0))
        self.assertRegex(markdown(view_of(story)), r" · speedup 1\.[1-9]\d · ")

    def test_the_next_commands_are_those_that_the_run_printed(self) -> None:
        said = markdown(view_of(STORY))
        self.assertIn(
            "→ `rorchestrator review`  (what the features changed, for your answer)", said
        )
        self.assertIn("→ `rorchestrator merge`  (lands what is completed)", said)
        self.assertNotIn("rorchestrator review", markdown(view_of(STORY[:7])))

    def test_what_had_no_result_is_listed_before_the_provenance(self) -> None:
        said = markdown(view_of(STORY))
        begin = said.index("### Spent without a result\n\n- ")
        self.assertLess(begin, said.index("RoRchestrator", begin))

    def test_a_run_in_progress_says_so(self) -> None:
        said = markdown(view_of(STORY[:5]))
        self.assertIn("## ⏳ Shop: 0 of 4 features completed", said)
        self.assertIn("| `auth` Auth | ⏳ preparing |", said)
        self.assertNotIn("speedup", said)

    def test_a_run_of_an_older_version_leaves_out_what_it_did_not_record(self) -> None:
        story = [begun(["auth"], Provenance()), *feature_story("auth", AT, end=COMPLETED)]
        said = markdown(view_of(story, max_cost_usd=None))
        self.assertIn("<sub>\nrun `r1` · list `config/feature_list.json`\n</sub>", said)

    def test_the_verdicts_of_all_features_are_one_table(self) -> None:
        self.assertNotIn("### Checks", markdown(view_of(STORY)))
        said = markdown(view_of([*STORY, *judged("auth", *VERDICTS), *judged("app", *VERDICTS)]))
        self.assertIn(
            "\n\n### Checks\n\n| feature | verdict | check | at the start | now |\n", said
        )
        self.assertIn(
            "| `auth` | ❌ broken | `make z` (project) | passed | ended with exit 1 |\n", said
        )
        self.assertIn("- `test_a.py`\n", said)
        self.assertNotIn("| `app` | ❌ broken", said)  # It had no slot.

    def test_the_longest_report_fits_into_a_comment(self) -> None:
        ids = [f"feature-{number}" for number in range(300)]
        failed = FeatureOutcome(Status.FAILED, "<&>\n" * 4_000 + "x" * 9_000)
        for end in (failed, COMPLETED):
            story = [begun(ids)]
            for id in ids:
                story += feature_story(id, AT, DONE, end=end, name="<&>" * 160)
                story += judged(id, *(replace(each, check="|" * 99) for each in VERDICTS))
            said = markdown(view_of(story))
            self.assertLess(len(said), COMMENT_CHARACTERS)
            self.assertIn("| 200 more features |", said)
        self.assertNotIn("Not completed", said)

    def test_failures_are_in_the_table_however_many_complete(self) -> None:
        ids = [f"feature-{number}" for number in range(150)]
        story = [begun(ids)]
        for id in ids[:-1]:
            story += feature_story(id, AT, DONE, end=COMPLETED)
        story.append(events.ended(AT, RUN, ids[-1], FeatureOutcome(Status.BLOCKED, "why")))
        said = markdown(view_of(story))
        self.assertIn("| `feature-149` | ⛔ blocked |", said)
        self.assertIn("| 50 more features |", said)
