"""The plan of a changed list, as lines and as JSON."""

from __future__ import annotations

import unittest

from core.dag.list_change import REMOVED, ListChange
from core.dag.widening import Widening
from core.model.feature import Invocation, Purpose
from core.reporter.reload_text import reload_document, reload_lines
from core.reporter.style import Style

EVERYTHING = ListChange(
    joins=("api", "ui"),
    follows={"docs": ("prompt", "depends_on")},
    everywhere=("prompts.context_file",),
    goes={"old": REMOVED},
    stays=("gone",),
    out_of_date={"auth": "prompt changed"},
    up_to_date=("docs",),
    left_out={"cli": "skipped"},
    widenings=(Widening("api", "api: a new\x1b[31m command", Invocation(Purpose.SETUP, (), ())),),
    later=("project.verify", "claude.model"),
)


class ReloadTextTest(unittest.TestCase):
    def test_every_group_has_its_lines(self) -> None:
        self.assertEqual(
            "\n".join(reload_lines(EVERYTHING, Style())),
            """\
Joins the run: api, ui
Every prompt from now on: prompts.context_file
Follows its new entry:
  docs: prompt, depends_on
Leaves the run:
  old: it was removed from the list
Left alone, although it is gone from the list: gone
Out of date: not run again by this run; the next run does:
  auth: prompt changed
Up to date again: docs
Does not join:
  cli: skipped
Needs your consent:
  api: a new command
Takes effect with the next run, not with this one: project.verify, claude.model""",
        )

    def test_without_a_change_it_says_so(self) -> None:
        self.assertEqual(
            list(reload_lines(ListChange(), Style())), ["The run already follows this list."]
        )

    def test_the_document_has_every_group(self) -> None:
        document = reload_document(EVERYTHING)
        self.assertEqual(document["joins"], ["api", "ui"])
        self.assertEqual(
            document["needs_consent"],
            [{"feature": "api", "text": "api: a new\x1b[31m command"}],
        )
        self.assertEqual(document["next_run"], ["project.verify", "claude.model"])
        self.assertEqual(len(document), 10)
