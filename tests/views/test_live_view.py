"""The live view on a pseudo-terminal, with a clock of its own."""

from __future__ import annotations

import os
import unittest
from collections.abc import Mapping
from unittest import mock

from core.model import events
from core.model.fold import fold
from core.model.state import RunState
from core.reporter.style import Style
from core.views import terminal_codes as codes
from core.views.activities import Activities
from core.views.activity import Activity
from core.views.keyboard import Keyboard
from core.views.live import Facts
from core.views.live_view import LiveView
from core.views.screen import Screen
from tests.support.live_runs import NOW, RUN, busy, first, paused, waiting
from tests.support.terminals import PseudoTerminal

FOREGROUND = mock.patch.object(os, "tcgetpgrp", lambda descriptor: os.getpgrp())
BACKGROUND = mock.patch.object(os, "tcgetpgrp", lambda descriptor: os.getpgrp() + 1)


class Told(Activities):
    """Activities that a test makes up."""

    def __init__(self) -> None:
        super().__init__()
        self.told: Mapping[str, Activity] = {}

    def read(self, state: RunState) -> Mapping[str, Activity]:
        """What the test says."""
        return self.told


class _AView(unittest.TestCase):
    term = "xterm-256color"

    def setUp(self) -> None:
        self.env = {"TERM": self.term}
        for patch in (FOREGROUND, mock.patch.dict(os.environ, self.env, clear=True)):
            patch.start()
            self.addCleanup(patch.stop)
        self.terminal = PseudoTerminal(100, 30)
        self.addCleanup(self.terminal.__exit__)
        self.now = 0.0
        self.paused: list[bool] = []
        self.held: list[tuple[bool, str]] = []
        self.activities = Told()
        self.view = LiveView(
            Screen(self.terminal.theirs),
            Style(),
            keyboard=Keyboard(self.terminal.theirs),
            activities=self.activities,
            facts=lambda: Facts(cap_usd=20.0),
            pause=self.paused.append,
            hold=lambda keyboard, closing: self.held.append((keyboard is not None, closing)),
            name="Shop\x1b[2J",
            clock=lambda: NOW + self.now,
            monotonic=lambda: self.now,
        )
        self.addCleanup(lambda: self.view.screen.is_gone or self.view.close(0))

    def at(self, seconds: float) -> float:
        """Tick at a time; what the view asks for."""
        self.now = seconds
        return self.view.tick()

    def draws(self) -> int:
        """How often the block was drawn since the last call."""
        return self.terminal.read().count(codes.NO_WRAP)


class When(_AView):
    def test_the_first_draw_comes_after_half_a_second(self) -> None:
        self.view.on_event(busy()[0])
        self.assertAlmostEqual(self.at(0.1), 0.4)
        self.assertEqual(self.terminal.lines, [])
        self.at(0.5)
        self.assertIn("1/6 done", self.terminal.lines[0])

    def test_ten_draws_a_second_at_most_and_one_if_only_a_clock_changed(self) -> None:
        self.view.on_event(first()[0])
        self.at(0.5)
        self.assertEqual(self.draws(), 1)
        self.assertEqual(self.at(0.6), 0.4, "the logs are looked at again")
        self.assertEqual(self.draws(), 0)
        self.view.on_event(busy()[0])
        self.assertEqual(self.draws(), 0)
        self.at(0.61)
        self.view.on_event(first()[0])
        self.assertAlmostEqual(self.at(0.65), 0.06)
        self.assertEqual(self.draws(), 1)
        self.at(1.2)
        self.assertEqual(self.draws(), 1)
        for tenth in range(13, 22):
            self.at(tenth / 10)
        self.assertEqual(self.draws(), 0)
        self.at(2.3)
        self.assertEqual(self.draws(), 1)

    def test_a_new_action_is_drawn_at_the_next_look(self) -> None:
        self.view.on_event(busy()[0])
        self.at(0.5)
        self.activities.told = {"api": Activity("$ make", changed_at=NOW)}
        self.at(0.9)
        self.assertNotIn("$ make", "".join(self.terminal.lines))
        self.at(1.0)
        self.assertIn("$ make", "".join(self.terminal.lines))

    def test_the_width_is_asked_at_each_draw(self) -> None:
        self.view.on_event(busy()[0])
        self.at(0.5)
        self.terminal.resize(50, 20)
        self.at(1.5)
        self.assertTrue(all(len(line) < 50 for line in self.terminal.lines[-3:]))


class TheTerminal(_AView):
    def test_title_and_progress_are_shown_and_removed_at_the_end(self) -> None:
        self.view.on_event(busy()[0])
        self.at(0.5)
        self.assertEqual(self.terminal.lines[0].split()[0], "1/6")
        self.assertEqual(self.terminal.emulator.titles, ["before", "1/6 Shop"])
        self.assertEqual(self.terminal.emulator.progress, ("1", "16"))
        self.assertEqual(self.held, [(True, codes.closing(self.env))])
        self.assertTrue(self.view.reads_keys)
        self.view.close()
        self.assertEqual(self.terminal.lines, [])
        self.assertEqual(self.terminal.emulator.titles, ["before"])
        self.assertEqual(self.terminal.emulator.progress, ())
        self.assertEqual(self.held[1:], [(False, "")])
        self.assertFalse(self.view.reads_keys)

    def test_progress_tells_failures_and_pauses(self) -> None:
        for state, expected in (
            (paused()[0], "4"),
            (waiting()[0], "4"),
            (fold([events.paused(NOW, RUN, until=0)], waiting()[0]), "2"),
        ):
            self.view.on_event(state)
            self.at(self.now + 1)
            self.terminal.read()
            self.assertEqual(self.terminal.emulator.progress[0], expected)

    def test_before_the_run_there_is_nothing_to_show(self) -> None:
        self.at(0.5)
        self.assertEqual(self.terminal.lines, [])
        self.assertEqual(self.terminal.emulator.progress, ())

    def test_in_the_background_nothing_is_drawn_and_lines_still_appear(self) -> None:
        self.view.on_event(busy()[0])
        self.at(0.5)
        with BACKGROUND:
            self.assertEqual(self.at(0.6), 1.0)
            self.assertEqual(self.terminal.lines, [])
            self.assertFalse(self.view.reads_keys)
            self.view.write("line\n")
            self.at(1.6)
            self.view.suspend()
        self.assertEqual(self.terminal.lines, ["line"])
        self.at(1.7)
        self.assertIn("1/6 done", self.terminal.lines[1])
        self.assertTrue(self.view.reads_keys)

    def test_a_suspension_leaves_a_clean_terminal_and_a_line(self) -> None:
        self.view.on_event(busy()[0])
        self.at(0.5)
        self.view.suspend()
        (line,) = self.terminal.lines
        self.assertTrue(line.startswith("Suspended. Running Claudes go on"), line)
        self.assertEqual(self.terminal.emulator.titles, ["before"])
        self.assertFalse(self.view.reads_keys)
        self.view.renew()
        self.at(0.7)
        self.assertIn("1/6 done", self.terminal.lines[1])
        self.assertEqual(self.terminal.emulator.titles, ["before", "1/6 Shop"])

    def test_after_a_stop_from_outside_it_draws_below_what_the_shell_wrote(self) -> None:
        self.view.on_event(busy()[0])
        self.at(0.5)
        count = len(self.terminal.lines)
        os.write(self.terminal.theirs, b"$ fg\n")
        self.view.renew()
        self.at(0.7)
        self.assertEqual(self.terminal.lines[count], "$ fg")
        self.assertIn("1/6 done", self.terminal.lines[count + 1])
        self.assertEqual(self.terminal.emulator.titles, ["before", "1/6 Shop"])

    def test_without_a_keyboard_that_can_be_taken_there_are_no_keys(self) -> None:
        with open(os.devnull) as nothing:
            self.view.keyboard = Keyboard(nothing.fileno())
            self.at(0.5)
        self.assertIsNone(self.view.keyboard)
        self.assertEqual(self.held, [(False, codes.closing(self.env))])
        self.view.renew()
        self.view.suspend()
        self.at(0.7)
        self.view.renew()


class OnAConsole(_AView):
    term = "linux"

    def test_a_terminal_that_would_print_them_gets_no_title_and_no_progress(self) -> None:
        self.view.on_event(busy()[0])
        self.at(0.5)
        self.view.close()
        self.terminal.read()
        self.assertNotIn("\x1b]", self.terminal.written)


class Keys(_AView):
    def test_s_tells_what_everything_does_with_its_last_lines(self) -> None:
        self.view.on_event(busy()[0])
        self.activities.told = {"api": Activity("$ make", last_lines=("> $ make", "  ok"))}
        self.view.press("ss")
        self.assertEqual(
            self.terminal.lines,
            [
                "api (claude 6m55s): $ make",
                "    > $ make",
                "      ok",
                "search (claude 6m35s)",
                "billing-and-invoices (setup 2m10s)",
            ],
        )
        self.view.on_event(first()[0])
        self.view.tell()
        self.assertEqual(self.terminal.lines[-1], "No feature is being worked on.")

    def test_p_pauses_and_resumes(self) -> None:
        self.view.press("p")
        self.view.on_event(busy()[0])
        self.view.press("xp")
        self.view.on_event(paused()[0])
        self.view.press("p")
        self.assertEqual(self.paused, [True, False])

    def test_the_question_mark_explains_the_keys(self) -> None:
        self.view.press("?")
        said = "\n".join(self.terminal.lines)
        self.assertIn(f"kill -USR1 {os.getpid()}", said)
        self.assertIn("p       pause or resume", said)
        bare = LiveView(self.view.screen, Style())
        bare.press("p?")
        self.assertEqual("\n".join(self.terminal.lines).count("p       pause"), 1)
        bare.tick()
