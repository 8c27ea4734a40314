"""The summary of a CI job: graph, table and errors, and never more than GitHub takes."""

from __future__ import annotations

import os

from core.model.errors import UserError
from core.model.events import Event
from core.model.frozen import replace
from core.views.ci_summary import MOST_BYTES, StepSummary, summary
from tests.support.commands import read_text
from tests.support.in_a_folder import InAFolder
from tests.support.run_views import (
    COMPLETED,
    FAILED,
    PROVENANCE,
    STORY,
    begun,
    feature_story,
    report_of,
    view_of,
)
from tests.support.story import AT


def large(count: int) -> list[Event]:
    """A run whose features all fail, with long names."""
    ids = [f"feature-{n}" for n in range(count)]
    story = [begun(ids)]
    for id in ids:
        story += feature_story(id, AT, end=FAILED, name=f"{id} " + "é" * 400)
    return story


class SummaryTest(InAFolder):
    def setUp(self) -> None:
        super().setUp()
        os.mkdir(self.folder)
        self.path = os.path.join(self.folder, "step.md")

    def test_the_graph_comes_before_the_table(self) -> None:
        text = summary(view_of(STORY, up_to_date=("lib", "db"), left=("old",)))
        parts = (
            "## ❌ Shop: 2 of 4 features completed\n\n40s",
            "\n\n2 features up to date, 1 feature skipped\n\n```mermaid\nflowchart LR\n",
            '"api<br/>Api<br/>failed"',
            "```\n\n| feature | status |",
            "<details><summary>❌ `api` failed</summary>",
        )
        places = [text.find(part) for part in parts]
        self.assertNotIn(-1, places, text)
        self.assertEqual(places, sorted(places))

    def test_when_nothing_ran_it_says_so(self) -> None:
        given = view_of(STORY[:1], up_to_date=("a", "b"))
        nothing = type(given)(given.report, (), given.now)
        self.assertEqual(summary(nothing), "## ✅ Shop: nothing to do\n\n2 features up to date\n")

    def test_a_large_graph_is_folded_and_one_that_is_not_drawn_is_left_out(self) -> None:
        for count, has_edges, is_folded, is_there in (
            (20, True, False, True),
            (41, False, True, True),
            (41, True, True, False),  # 820 edges
        ):
            ids = [f"f{n}" for n in range(count)]
            needed = {id: tuple(ids[:n]) for n, id in enumerate(ids) if has_edges}
            story = [begun(ids, replace(PROVENANCE, depends_on=needed))]
            for id in ids:
                story += feature_story(id, AT, end=COMPLETED)
            text = summary(view_of(story))
            self.assertEqual("```mermaid" in text, is_there)
            folded = "<details><summary>Graph</summary>\n\n```mermaid"
            self.assertEqual(folded in text, is_folded and is_there)

    def add(self) -> None:
        StepSummary(self.path, lambda report: view_of()).at_end(report_of(STORY))

    def test_it_is_added_to_what_is_there(self) -> None:
        self.add()
        first = read_text(self.path)
        self.assertEqual(first, summary(view_of()))
        self.add()
        self.assertEqual(read_text(self.path), f"{first}\n\n{first}")

    def test_the_file_of_a_step_stays_below_1_mib(self) -> None:
        full = len(summary(view_of()).encode())
        for room, has_graph, has_table in ((full + 3, 1, 1), (full, 0, 1), (100, 0, 0)):
            with open(self.path, "w") as file:
                file.write("x" * (MOST_BYTES - room))
            self.add()
            added = read_text(self.path)[MOST_BYTES - room :]
            self.assertTrue(added.startswith("\n\n## ❌ Shop"), added)
            self.assertEqual("mermaid" in added, bool(has_graph))
            self.assertEqual("| feature |" in added, bool(has_table))
            self.assertLess(os.path.getsize(self.path), MOST_BYTES)
        with open(self.path, "w") as file:
            file.write("x" * (MOST_BYTES - 20))
        with self.assertRaisesRegex(UserError, "was not written: it would be larger"):
            self.add()

    def test_it_is_small_for_the_largest_list(self) -> None:
        text = summary(view_of(large(300)))
        self.assertLess(len(text.encode()), MOST_BYTES // 2)

    def test_a_summary_that_cannot_be_written_is_whole_or_not_there(self) -> None:
        self.path = self.folder
        with self.assertRaisesRegex(UserError, "was not written: Is a directory"):
            self.add()
        self.path = "/dev/full"
        if os.path.exists(self.path):
            with self.assertRaisesRegex(UserError, "was not written: "):
                self.add()

    def test_a_short_write_is_taken_back(self) -> None:
        def short(descriptor: int, content: bytes) -> int:
            return write(descriptor, content[:10])

        self.add()
        before, write = read_text(self.path), os.write
        os.write = short  # type: ignore[assignment]
        try:
            with self.assertRaisesRegex(UserError, "No space left"):
                self.add()
        finally:
            os.write = write
        self.assertEqual(read_text(self.path), before)

    def test_nobody_asked_for_it_unless_somebody_did(self) -> None:
        self.assertTrue(StepSummary(self.path, lambda report: view_of()).is_optional)
        asked = StepSummary(self.path, lambda report: view_of(), is_optional=False)
        self.assertFalse(asked.is_optional)
