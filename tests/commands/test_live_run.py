"""The live view of ``run`` on a terminal, its keys, and where there is none."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
import termios
import unittest
from collections.abc import Mapping
from contextlib import ExitStack

from core.commands.live_run import LiveRun, Streams, is_live
from core.commands.options import Display
from core.model.state import RunState
from core.reporter.style import Style
from tests.support.commands import Terminal, standing_in, streams, terminal, wait_until
from tests.support.live_runs import busy
from tests.support.runs import RunTest, read_until

KNOWN = {"TERM": "xterm-256color"}


class WhatProgressMeans(unittest.TestCase):
    def live(
        self,
        display: Display,
        env: Mapping[str, str] = KNOWN,
        *,
        err: type[io.TextIOWrapper] = Terminal,
        piped: bool = False,
    ) -> bool:
        with ExitStack() as stack:
            reading, writing = os.pipe()
            stack.callback(os.close, reading)
            out = stack.enter_context(os.fdopen(writing, "w")) if piped else Terminal(io.BytesIO())
            if not piped:
                os.close(writing)
            stack.enter_context(standing_in(os.getcwd(), env))
            stack.enter_context(streams(out, err(io.BytesIO())))
            return is_live(display)

    def test_auto_is_live_on_a_terminal_that_is_not_dumb_and_not_in_ci(self) -> None:
        auto = Display()
        cases: list[tuple[Mapping[str, str], bool]] = [
            ({}, True),
            (KNOWN, True),
            ({"TERM": "dumb"}, False),
            ({**KNOWN, "CI": "true"}, False),
            ({**KNOWN, "CI": ""}, True),
            ({**KNOWN, "CI": "false"}, True),
            ({**KNOWN, "NO_COLOR": "1"}, True),
        ]
        for env, expected in cases:
            with self.subTest(env=env):
                self.assertEqual(self.live(auto, env), expected)
        self.assertFalse(self.live(auto, err=io.TextIOWrapper))

    def test_a_reader_of_our_json_may_print_on_the_same_terminal(self) -> None:
        self.assertFalse(self.live(Display(json=True), piped=True))
        self.assertTrue(self.live(Display(json=True)))
        self.assertTrue(self.live(Display(json=True, progress="live"), piped=True))

    def test_the_user_decides_otherwise(self) -> None:
        ci = {"TERM": "dumb", "CI": "1"}
        self.assertTrue(self.live(Display(progress="live"), ci))
        self.assertFalse(self.live(Display(progress="live"), err=io.TextIOWrapper))
        # A screen has lines that a CI system would obey.
        self.assertFalse(self.live(Display(progress="live"), {"GITLAB_CI": "true"}))
        self.assertFalse(self.live(Display(progress="plain")))
        self.assertFalse(self.live(Display(quiet=True, progress="live")))

    def test_without_a_run_there_is_no_supervisor_and_a_broken_view_is_said(self) -> None:
        said: list[str] = []
        with streams(io.StringIO(), io.StringIO()):
            live = LiveRun(Streams(), Display(), Style(), said.append, mask=str, name="Shop")
            self.assertIs(live.streams.out, sys.stdout)
        live._hold(None, "x")
        live._broke(ValueError("no"))
        live._tell(busy()[0])
        live._tell(RunState())
        self.assertEqual(said[0], "the live view is off: ValueError: no")
        self.assertIn("search (claude ", said[1])
        self.assertEqual(said[2], "No feature is being worked on.")


class OnATerminal(RunTest):
    def test_the_view_is_drawn_and_keys_are_obeyed(self) -> None:
        self.workspace.features(self.held("a"))
        with terminal() as (ours, theirs):
            before = termios.tcgetattr(theirs)
            running = self.workspace.start("run", "--yes", "--json", terminal=theirs, env=KNOWN)
            shown = read_until(ours, "Write ")
            os.write(ours, b"s")
            shown += read_until(ours, "(claude ")
            running.signal(signal.SIGUSR1)
            shown += read_until(ours, "(claude ")
            os.write(ours, b"p")
            shown += read_until(ours, "rorchestrator resume")
            os.write(ours, b"p")
            shown += read_until(ours, "resumed")
            requests = os.path.join(self.workspace.state_folder, "requests")
            shutil.rmtree(requests)
            os.symlink(self.workspace.temporary, requests)
            os.write(ours, b"p")
            shown += read_until(ours, "symbolic link")
            os.write(ours, b"?")
            shown += read_until(ours, "Ctrl-Z")
            self.workspace.touch("a.go")
            shown += read_until(ours, '"report"')
            self.assertEqual(running.end().code, 0, shown)
            self.assertEqual(termios.tcgetattr(theirs), before)
        self.assertIn('"event": "run_started"', shown)
        self.assertIn("paused: nothing new starts", shown)
        self.assertIn("\x1b]2;0/1 Shop\x1b\\", shown)
        self.assertIn("\x1b]9;4;0;\x1b\\", shown)

    def test_plain_lines_and_sigusr1(self) -> None:
        self.workspace.features(self.held("a"))
        running = self.workspace.start("run", "--yes", "--progress", "plain")
        self.wait_for("a.began")
        running.signal(signal.SIGUSR1)
        wait_until(lambda: "a (claude " in running.err, "it tells what everything does")
        self.workspace.touch("a.go")
        self.assert_code(running.end(), 0)
        self.assertIn("a: started", running.err)
        self.assertNotIn("\x1b", running.err)

    def test_progress_quiet_is_quiet(self) -> None:
        self.workspace.features(self.held("a"))
        self.workspace.touch("a.go")
        self.assertEqual(self.run_to(0, "--progress", "quiet").err, "")

    def test_a_rehearsal_is_shown_in_the_same_way(self) -> None:
        self.workspace.features(self.held("a"), verify=["sleep 0.7"])
        with terminal() as (ours, theirs):
            words = ("run", "--rehearse", "--yes", "--progress", "live")
            running = self.workspace.start(*words, terminal=theirs, env=KNOWN)
            os.close(theirs)
            shown = read_until(ours, "1 done") + read_until(ours, "")
            self.assertEqual(running.end().code, 0, shown)
