"""Events to the console, and the state of a run to JSON reports."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import struct
import termios
import unittest
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from core.model import event_json, events
from core.model.events import Event
from core.model.fold import fold
from core.model.state import RunState
from core.reporter.console import Reporter
from core.reporter.style import Style, style_of
from tests.support.commands import Terminal, standing_in
from tests.support.story import AT, RUN, STORY

# -- the console ----------------------------------------------------------------------------


def _tell(one: Reporter, story: list[Event]) -> None:
    state = RunState()
    for event in story:
        state = fold([event], state)
        one.on_event(state, event)


class TheConsole(unittest.TestCase):
    def _reporter(
        self, stream: io.StringIO | None = None, **options: object
    ) -> tuple[Reporter, io.StringIO]:
        stream = stream or io.StringIO()
        style = Style(unicode=False)
        made = Reporter(stream, style, clock=lambda: AT + 60, **options)  # type: ignore[arg-type]
        return made, stream

    def test_each_change_of_state_is_a_line(self) -> None:
        one, stream = self._reporter()
        _tell(one, STORY)
        lines = stream.getvalue().splitlines()
        said = [line.split("] ", 1)[1] if line.startswith("[") else line for line in lines]
        self.assertEqual(
            said,
            [
                "[start] auth: started",
                "[ok] auth: completed | 2.0s | $0.50 | 3 files +12 -4 (left uncommitted: .env)",
                "[start] api: started",
                "[start] api: resumed",
                "[failed] api: failed | 4.0s | >= $0.25",
                *("    no", "    luck"),
                "[blocked] app: blocked | api did not complete",
            ],
        )

    def test_verbose_tells_more_and_quiet_nothing(self) -> None:
        one, stream = self._reporter(verbose=True)
        _tell(one, STORY[:2])
        self.assertIn("[..] auth: preparing", stream.getvalue())
        quiet, stream = self._reporter(quiet=True)
        _tell(quiet, STORY)
        self.assertEqual(stream.getvalue(), "")

    def test_phases_are_said_in_plain_output_only(self) -> None:
        setup = events.setting_up(AT, RUN, "auth")
        for options, told in ({}, 1), ({"is_live": True}, 0), ({"verbose": True}, 2):
            with self.subTest(options):
                one, stream = self._reporter(**options)
                _tell(one, [*STORY[:2], setup])
                self.assertEqual(stream.getvalue().count("auth: "), told)
        one, stream = self._reporter()
        _tell(one, STORY[:2])
        one.tick()
        one.tick()
        self.assertEqual(stream.getvalue().partition("] ")[2], "[..] auth: worktree\n")

    def test_a_live_view_shows_what_is_worked_on_so_there_are_no_lines_about_it(self) -> None:
        one, stream = self._reporter(is_live=True)
        _tell(one, STORY)
        self.assertNotIn("[start]", stream.getvalue())
        self.assertIn("[ok] auth: completed", stream.getvalue())
        one, stream = self._reporter(is_live=True, verbose=True)
        _tell(one, STORY)
        self.assertIn("[start] auth", stream.getvalue())

    def test_a_terminal_gets_lines_that_break_between_words(self) -> None:
        note = events.note(AT, RUN, "a word " * 20, "auth")
        for is_live, count in ((True, 3), (False, 1)):
            one, stream = self._reporter(is_live=is_live)
            _tell(one, [*STORY[:2], note])
            lines = stream.getvalue().splitlines()[-count:]
            self.assertRegex(lines[0], r"\[note\] auth: a word")
            self.assertEqual(
                [line.startswith(" " * 11 + "a word") for line in lines[1:]], [True] * (count - 1)
            )
            self.assertEqual(max(map(len, lines)) <= 80, is_live)

    def test_json_goes_to_a_stream_of_its_own_one_object_a_line(self) -> None:
        answer = io.StringIO()
        one, stream = self._reporter(json_stream=answer)
        _tell(one, STORY)
        objects = [json.loads(line) for line in answer.getvalue().splitlines()]
        self.assertEqual([o["event"] for o in objects], [event.kind for event in STORY])
        self.assertEqual(fold(map(event_json.from_json, objects)), fold(STORY))
        self.assertNotIn("{", stream.getvalue())

    def test_a_reader_that_goes_away_does_not_end_the_run(self) -> None:
        lost: list[OSError] = []
        with self._broken() as broken:
            one, _ = self._reporter(json_stream=broken, lost=lost.append)
            _tell(one, STORY)
            self.assertIsNone(one.json_stream)
        with self._broken() as broken:
            gone = Reporter(broken, Style(), clock=lambda: AT, lost=lost.append)
            _tell(gone, STORY)
            self.assertIsNone(gone.stream)
        self.assertEqual(lost, [])

    def _broken(self) -> TextIO:
        source, target = os.pipe()
        os.close(source)
        return os.fdopen(target, "w", encoding="utf-8")

    @unittest.skipUnless(os.path.exists("/dev/full"), "this system has no /dev/full")
    def test_a_full_disk_does_not_end_the_run_and_is_reported_once_per_stream(self) -> None:
        lost: list[OSError] = []
        with open("/dev/full", "w", encoding="utf-8") as full:
            one, stream = self._reporter(json_stream=full, lost=lost.append)
            _tell(one, STORY)
        self.assertEqual([error.errno for error in lost], [errno.ENOSPC])
        self.assertIn("auth: completed", stream.getvalue())


class WhatAStreamCanShow(unittest.TestCase):
    def _style(
        self, encoding: str = "utf-8", env: Mapping[str, str] | None = None, color: str = "auto"
    ) -> Style:
        with standing_in(os.getcwd(), env or {}):
            return style_of(Terminal(io.BytesIO(), encoding=encoding), color)

    def test_colours_are_for_terminals_that_want_them(self) -> None:
        cases: list[tuple[Mapping[str, str], str, bool]] = [
            ({}, "auto", True),
            ({"NO_COLOR": "1"}, "auto", False),
            ({"NO_COLOR": ""}, "auto", True),
            ({"TERM": "dumb"}, "auto", False),
            ({"NO_COLOR": "1", "TERM": "dumb"}, "always", True),
            ({}, "never", False),
        ]
        for env, color, expected in cases:
            with self.subTest(env=env, color=color):
                self.assertEqual(self._style(env=env, color=color).colour, expected)
        self.assertFalse(style_of(io.StringIO()).colour)
        self.assertTrue(style_of(io.StringIO(), "always").colour)

    def test_glyphs_are_for_streams_that_can_encode_them(self) -> None:
        for encoding, expected in {"utf-8": True, "ascii": False, "latin-1": False}.items():
            with self.subTest(encoding):
                self.assertEqual(self._style(encoding).unicode, expected)
        self.assertFalse(self._style(env={"LC_ALL": "C"}).unicode)
        self.assertTrue(self._style(env={"LC_ALL": "de_DE.UTF-8"}).unicode)
        self.assertFalse(style_of(io.StringIO()).unicode)  # it has no encoding

    def test_an_encoding_that_python_does_not_know_means_ascii(self) -> None:
        class Odd(io.StringIO):
            encoding = "x-odd"

        self.assertFalse(style_of(Odd()).unicode)

    def test_a_terminal_has_its_own_width(self) -> None:
        with _terminal(columns=57) as stream:
            self.assertEqual(style_of(stream).width, 57)
        with _terminal(columns=0) as stream:
            self.assertEqual(style_of(stream).width, 80)

    def test_without_a_terminal_lines_may_be_a_little_longer(self) -> None:
        self.assertEqual(style_of(io.StringIO()).width, 100)
        self.assertEqual(self._style().width, 80)  # a terminal that has no number


@contextmanager
def _terminal(columns: int) -> Iterator[io.TextIOWrapper]:
    leader, follower = os.openpty()
    try:
        fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        with open(follower, "w", encoding="utf-8") as stream:
            yield stream
    finally:
        os.close(leader)


# -- documents ------------------------------------------------------------------------------


if __name__ == "__main__":
    unittest.main()
