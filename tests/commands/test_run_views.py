"""The options of ``run`` that write files for other programs."""

from __future__ import annotations

import json
import os
import unittest

from tests.support.commands import read_text
from tests.support.runs import RunTest
from tests.support.workspace import feature


class EventsTest(RunTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace.features(feature("a"))

    def test_on_standard_output_there_is_nothing_else(self) -> None:
        done = self.run_to(0, "--events", "-", "--merge")
        self.assertEqual(done.lines, self.workspace.journal())
        self.assertEqual(done.lines[-1]["event"], "merge_ended")
        self.assertIn("1/1 features completed", done.err)
        self.assertIn("with 1 feature", done.err)

    def test_what_ends_a_killed_run_is_among_them(self) -> None:
        self.workspace.features(self.held("a"))
        self.start_held("a").kill()
        self.workspace.touch("a.go")
        self.nothing_runs()
        before = len(self.workspace.journal())
        path = self.workspace.beside("events.jsonl")
        self.run_to(0, "--events", path)
        found = [json.loads(line) for line in read_text(path).splitlines()]
        self.assertEqual(found, self.workspace.journal()[before:])
        self.assertEqual((found[0]["event"], found[0]["status"]), ("ended", "cancelled"))

    @unittest.skipUnless(os.path.exists("/dev/full"), "this system has no /dev/full")
    def test_a_write_that_fails_is_said_once_and_the_run_continues(self) -> None:
        done = self.run_to(1, "--events", "/dev/full", "--quiet")
        said = "rorchestrator: --events /dev/full can't be written: No space left on device"
        self.assertEqual(done.err.count(said), 1)
        self.assertIn("\n  next: give --events the path", done.err)
        self.assert_statuses(a="completed")
        self.assertEqual(self.workspace.journal()[-1]["exit_code"], 0)


class RefusalTest(RunTest):
    def test_what_excludes_each_other_or_cannot_be_written_is_refused(self) -> None:
        self.workspace.features(feature("a"))
        folder = self.workspace.root
        for words, said in (
            (("--events", "-", "--json"), "--events - and --json both print to standard output"),
            (("--events", ""), "argument --events: it must name a file"),
            (("--events", "x", "--rehearse"), "--events is about a run, and a rehearsal is none"),
            (("--events", folder), f"--events {folder} can't be written: Is a directory"),
        ):
            with self.subTest(words):
                self.assertIn(said, self.run_to(2, *words).err)
        self.assertEqual(self.workspace.journal(), [])
