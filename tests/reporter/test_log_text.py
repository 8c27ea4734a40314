"""What stands around a log: which attempt it is, why it began, how it ended."""

from __future__ import annotations

import unittest

from core.model import events
from core.model.attempt import Attempt
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.frozen import replace
from core.model.moments import moment
from core.model.outcome import AttemptOutcome, Status
from core.reporter.log_text import ending_lines, heading_lines, why_it_began
from tests.support.story import ASCII, AT, HOSTILE, PLAIN, RUN, is_safe

FIRST = Attempt(RUN, 1, "s", AT)
SECOND = Attempt(RUN, 2, "s", AT, resumed=True)


def prepares(why: str, run: str = RUN) -> Event:
    decision = Decision("auth", Action.START, why, "key")
    return events.preparing(AT, run, decision, branch="b", worktree="/w", name="Auth")


def begins(number: int, run: str = RUN) -> Event:
    return events.attempt_started(
        AT, run, "auth", attempt=number, session_id="s", resumed=False, log="/l"
    )


def ends(reason: str = "") -> Event:
    status = Status.FAILED if reason else Status.COMPLETED
    return events.attempt_ended(AT, RUN, "auth", AttemptOutcome(status, reason))


class WhyItBegan(unittest.TestCase):
    def test_the_first_of_a_run_began_because_of_its_decision(self) -> None:
        story = [
            prepares("new", "r0"),
            begins(1, "r0"),
            prepares("prompt changed"),
            events.note(AT, RUN, "port 8000 is taken", "auth"),
            begins(1),
        ]
        self.assertEqual(why_it_began(story, "auth", FIRST), "prompt changed")

    def test_a_further_one_began_because_of_how_the_one_before_it_ended(self) -> None:
        overloaded = [prepares("new"), begins(1), ends("API Error: 529")]
        self.assertEqual(why_it_began([*overloaded, begins(2)], "auth", SECOND), "API Error: 529")
        note = events.note(AT, RUN, "`make` ended with exit 2: sent back to Claude", "auth")
        other = events.note(AT, RUN, "of another feature", "api")
        story = [prepares("new"), begins(1), ends(), note, other, begins(2)]
        self.assertEqual(why_it_began(story, "auth", SECOND), note.data["text"])

    def test_what_the_journal_does_not_say_is_empty(self) -> None:
        self.assertEqual(why_it_began([prepares("new"), begins(1)], "auth", SECOND), "")


class AroundALog(unittest.TestCase):
    def test_the_heading_has_run_number_start_and_cause(self) -> None:
        both = [FIRST, SECOND]
        self.assertEqual(
            list(heading_lines("auth", FIRST, both, "", PLAIN)),
            [f"auth: attempt 1 of 2, run {RUN}", f"started {moment(AT)}", ""],
        )
        _, started, _ = heading_lines("auth", SECOND, both, "failed\nbefore", PLAIN)
        self.assertEqual(started, f"resumed its session {moment(AT)} (failed before)")

    def test_the_end_has_status_times_cost_and_reason(self) -> None:
        outcome = AttemptOutcome(Status.TIMED_OUT, "no\nresult", cost_usd=0.5)
        over = replace(FIRST, ended_at=AT + 150, outcome=outcome)
        for style, dot in (PLAIN, "·"), (ASCII, "|"):
            _, line = ending_lines(over, AT, style, is_alive=True)
            self.assertEqual(
                line,
                f"attempt 1 timed out {moment(AT + 150)} {dot} 2m30s {dot} $0.50: no result",
            )
        done = replace(over, outcome=AttemptOutcome(Status.COMPLETED))
        _, line = ending_lines(done, AT, PLAIN, is_alive=False)
        self.assertTrue(line.endswith("2m30s · cost unknown"), line)

    def test_one_without_an_end_is_running_or_its_run_was_killed(self) -> None:
        _, line = ending_lines(FIRST, AT + 60, PLAIN, is_alive=True)
        self.assertEqual(line, "attempt 1 is running, for 1m00s (--follow keeps printing)")
        _, line = ending_lines(FIRST, AT + 60, PLAIN, is_alive=False)
        self.assertEqual(line, "attempt 1 did not end: its run was killed")

    def test_hostile_text_does_not_reach_the_terminal(self) -> None:
        outcome = AttemptOutcome(Status.FAILED, HOSTILE)
        odd = replace(FIRST, run=HOSTILE, ended_at=AT, outcome=outcome)
        for line in (
            *heading_lines(HOSTILE, odd, [odd], HOSTILE, PLAIN),
            *ending_lines(odd, AT, PLAIN, is_alive=False),
        ):
            self.assertTrue(is_safe(line), line)
