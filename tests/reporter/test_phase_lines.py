"""Phases are said in plain output: those that may take long at once, others if they do."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

from core.model import events
from core.model.control_action import ControlAction
from core.model.events import Event
from core.model.fold import fold
from core.model.moments import clock
from core.model.state import RunState
from core.reporter.phase_lines import SLOW_SECONDS, PhaseLines
from tests.support.story import ASCII, AT, DONE, PLAIN, RUN, attempted, prepared


def started(*features: str, slots: int = 1) -> Event:
    return events.run_started(
        AT,
        RUN,
        pid=1,
        base_branch="main",
        base_commit="ba5e",
        features=features,
        max_parallel=slots,
    )


LATER = AT + SLOW_SECONDS


class Phases(unittest.TestCase):
    def setUp(self) -> None:
        self.lines = PhaseLines(PLAIN)

    def slow(self, *story: Event, now: float = LATER) -> list[str]:
        said = self.lines.slow(fold(story), now)
        return [line.partition("] ")[2] for line in said]

    def test_setup_and_checks_are_said_when_they_begin(self) -> None:
        for make, words in ((events.setting_up, "setup"), (events.checking, "checks")):
            event = make(AT, RUN, "auth")
            story: Sequence[Event] = (started("auth"), event)
            line = self.lines.at_event(fold(story), event)
            self.assertEqual(line, f"[{clock(AT, AT)}] · auth: {words}")
            self.assertIn("[..] auth: ", PhaseLines(ASCII).at_event(RunState(), event))
        self.assertEqual(self.lines.at_event(fold(story), prepared("auth")), "")

    def test_a_phase_that_takes_long_is_said_once(self) -> None:
        story = (started("auth"), prepared("auth"))
        self.assertEqual(self.slow(*story, now=AT + 1), [])
        self.assertEqual(self.slow(*story), ["· auth: worktree"])
        self.assertEqual(self.slow(*story), [])

    def test_inspection_and_commit_are_one_line(self) -> None:
        story = [started("auth"), prepared("auth"), *attempted("auth", 1, DONE)]
        story.append(events.verifying(AT, RUN, "auth"))
        self.assertEqual(self.slow(*story), ["· auth: commit"])
        self.assertEqual(self.slow(*story, events.committing(AT, RUN, "auth")), [])

    def test_claude_has_a_line_of_its_own(self) -> None:
        story = (started("auth"), prepared("auth"), attempted("auth", 1, DONE)[0])
        self.assertEqual(self.slow(*story), [])

    def test_a_feature_that_waits_for_a_slot_or_for_the_run_is_not_slow(self) -> None:
        busy = (started("auth", "api"), prepared("auth"), attempted("auth", 1, DONE)[0])
        self.assertEqual(self.slow(*busy, prepared("api")), [])
        pause = events.steered(
            AT, RUN, "", action=ControlAction.PAUSE, request="1", done=True, text=""
        )
        for held in (pause, events.paused(AT, RUN, until=AT + 60)):
            self.assertEqual(self.slow(started("auth"), prepared("auth"), held), [])

    def test_without_a_run_there_is_nothing_to_say(self) -> None:
        self.assertEqual(self.slow(prepared("auth")), [])
