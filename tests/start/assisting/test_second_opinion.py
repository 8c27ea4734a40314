"""Claude's opinion, with a stand-in: it reads, is limited, and may fail or be stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from unittest import mock

from core.model.errors import UserError
from core.start.assisting import second_opinion
from core.start.assisting.assistant import findings
from core.start.assisting.finding import Kind, Opinion
from core.start.assisting.second_opinion import SecondOpinion
from core.start.reading_claude import ReadingClaude
from tests.support.answering_claude import COST_USD, INIT, AnsweringClaude, result
from tests.support.commands import standing_in
from tests.support.projects import place_of
from tests.support.workspace import Workspace, WorkspaceTest, feature

LIST = [feature("auth"), feature("api"), feature("web")]
MISSING = {"kind": "missing", "feature": "api", "other": "auth", "reason": "It signs in."}


class SecondOpinionTest(WorkspaceTest):
    def setUp(self) -> None:
        space = Workspace()
        self.use(space)
        self.claude = AnsweringClaude(space.beside("bin"))
        space.features(*LIST, claude={"command": [self.claude.program]})

    def asked(self, **env: str) -> SecondOpinion:
        project = place_of(self.workspace)
        found = findings(project.config.features)
        with standing_in(self.workspace.path, {**self.workspace.environ, **env}):
            return asyncio.run(second_opinion.second_opinion(project, found, 0.25, self.watch))

    async def watch(self, claude: ReadingClaude) -> None:
        """Shows nothing."""

    def test_opinions_are_heard_and_paid_for(self) -> None:
        self.claude.answers({"opinions": [MISSING, {"kind": "x"}]})
        said = self.asked()
        self.assertEqual(
            said.heard.opinions, (Opinion(Kind.MISSING, "api", "auth", "It signs in."),)
        )
        self.assertEqual((said.heard.dropped, said.spent.usd), (1, COST_USD))
        words = self.claude.words(1)
        self.assertIn("--tools=Read,Grep,Glob", words)
        self.assertIn("--max-budget-usd=0.25", words)
        self.assertIn("### api: api", self.claude.prompt(1))
        self.assertEqual(os.listdir(self.workspace.temporary), [])

    def test_no_answer_is_a_fault_and_no_opinion(self) -> None:
        self.claude.prints(1, INIT, result(is_error=True, result="Not logged in"))
        self.assertEqual(self.asked().heard.fault, "Not logged in")
        self.claude.prints(2, INIT, result())
        self.assertIn("does not have the form", self.asked().heard.fault)

    def test_a_log_that_cannot_be_written_is_a_fault(self) -> None:
        with mock.patch.object(ReadingClaude, "ask", side_effect=UserError("the disk is full")):
            self.assertEqual(self.asked().heard.fault, "the disk is full")

    def test_a_signal_stops_it(self) -> None:
        self.claude.does(1, f"kill -INT {os.getpid()}; exec sleep 60")
        said = self.asked()
        self.assertEqual((said.received, said.heard.fault), (signal.SIGINT, "interrupted"))
