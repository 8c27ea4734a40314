"""The parts of the page about the whole run."""

from __future__ import annotations

import unittest

from core.model import events
from core.model.outcome import FeatureOutcome, Status
from core.model.provenance import Provenance
from core.views import html_parts
from tests.support.html_pages import page_of
from tests.support.run_views import COMPLETED, DONE, STORY, begun, feature_story, view_of
from tests.support.story import AT, RUN

MANY = [f"feature-{number}" for number in range(61)]


class Head(unittest.TestCase):
    def test_the_result_and_the_key_figures_come_first(self) -> None:
        page = page_of(html_parts.head(view_of(STORY)))
        self.assertIn("Shop 2 of 4 features completed", page.text)
        self.assertIn("2 completed 1 failed 1 blocked", page.text)
        self.assertIn("Duration 40s estimated 3m00s", page.text)
        self.assertIn("Cost ≥ $0.37 of $5.00, estimated $1.50", page.text)
        self.assertIn("Tokens 300 4 attempts", page.text)
        self.assertIn("Waited 5.0s 4.0s for usage limits, 1.0s paused by you", page.text)

    def test_the_run_is_told_from_its_base_to_its_versions(self) -> None:
        text = page_of(html_parts.head(view_of(STORY))).text
        for words in (
            "base main at ba5eba5eba5e",
            "list config/feature_list.json",
            "command rorchestrator run --yes",
            "exit code 1",
            "run r1 RoRchestrator 1.2.3 Claude Code 2.1.330 model claude-opus slots 2",
            "budget $5.00",
        ):
            self.assertIn(words, text)

    def test_a_run_in_progress_has_no_end_and_no_speedup(self) -> None:
        page = page_of(html_parts.head(view_of(STORY[:7])))
        self.assertIn("still running", page.text)
        self.assertNotIn("Speedup", page.text)
        self.assertEqual(page.all("svg")[0]["aria-label"], "running")

    def test_a_whole_success_needs_no_counts(self) -> None:
        story = [begun(["auth"]), *feature_story("auth", AT, DONE, end=COMPLETED)]
        story.append(events.run_ended(AT + 20, RUN, exit_code=0))
        page = page_of(html_parts.head(view_of(story)))
        self.assertEqual(page.all("ul"), [])
        self.assertEqual(page.all("svg")[0]["aria-label"], "completed")

    def test_what_an_older_version_did_not_record_is_left_out(self) -> None:
        story = [begun(["auth"], Provenance()), events.run_ended(AT, RUN, exit_code=0)]
        text = page_of(html_parts.head(view_of(story, max_cost_usd=None))).text
        for words in ("estimated", "command", "RoRchestrator", "model", "budget"):
            self.assertNotIn(words, text)

    def test_token_counts_are_short(self) -> None:
        for count, words in ((950, "950"), (12_345, "12.3k"), (4_500_000, "4.5M")):
            self.assertEqual(html_parts.short(count), words)


class Pictures(unittest.TestCase):
    def test_a_picture_of_more_than_sixty_features_is_folded(self) -> None:
        for ids, folded in ((MANY[:60], 0), (MANY, 1)):
            story = [begun(ids)]
            for id in ids:
                story += feature_story(id, AT, DONE, end=COMPLETED)
            view = view_of(story)
            for part in (
                html_parts.graph_section,
                html_parts.timeline_section,
                html_parts.costs_section,
            ):
                page = page_of(part(view))
                self.assertEqual(len(page.all("details")), folded)
        self.assertIn("Show 61 features", page.text)

    def test_a_wide_graph_keeps_its_size_and_a_small_one_fits(self) -> None:
        chain = {id: (MANY[number - 1],) if number else () for number, id in enumerate(MANY[:9])}
        for needs, fits in ((chain, 0), (dict(list(chain.items())[:3]), 1)):
            view = view_of([begun(list(needs), Provenance(depends_on=needs))])
            page = page_of(html_parts.graph_section(view))
            self.assertEqual(len(page.all("svg", "fit")), fits)

    def test_the_critical_path_is_told_in_words(self) -> None:
        page = page_of(html_parts.graph_section(view_of(STORY)))
        self.assertIn("Critical path: auth → api", page.text)

    def test_a_timeline_has_labels_waits_and_a_legend_of_what_it_shows(self) -> None:
        page = page_of(html_parts.timeline_section(view_of(STORY)))
        self.assertEqual([a["href"] for a in page.all("a")], ["#auth", "#docs", "#api"])
        for words in ("setup", "attempt without success", "usage limit", "paused by you"):
            self.assertIn(words, page.text)
        self.assertNotIn("commit", page.text)
        short = [begun(["a"], Provenance()), *feature_story("a", AT, end=COMPLETED)[:3]]
        text = page_of(html_parts.timeline_section(view_of(short, now=AT + 1))).text
        for words in ("without success", "usage limit", "paused by you", "critical path"):
            self.assertNotIn(words, text)

    def test_a_run_in_which_nothing_began_has_neither_timeline_nor_costs(self) -> None:
        blocked = events.ended(AT, RUN, "a", FeatureOutcome(Status.BLOCKED, "why"))
        view = view_of([begun(["a"]), blocked])
        self.assertEqual(html_parts.timeline_section(view), "")
        self.assertEqual(html_parts.costs_section(view), "")

    def test_costs_and_tokens_are_told_by_model_and_by_feature(self) -> None:
        page = page_of(html_parts.costs_section(view_of(STORY)))
        self.assertIn("claude-opus $0.30 claude-haiku $0.07", page.text)
        self.assertIn("auth $0.12 $0.50 10 20 30 40", page.text)
        self.assertIn("api ≥ $0.12 $1.00", page.text)
        self.assertIn("docs $0.12 10 20 30 40 all ≥ $0.37 $1.50 30 60 90 120", page.text)
