"""The options of ``run`` that write files for other programs."""

from __future__ import annotations

import json
import os
import unittest

from tests.support.commands import MEASURED, read_text
from tests.support.event_schema import HAS_JSONSCHEMA, faults_of
from tests.support.junit_schema import junit_faults
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
        if HAS_JSONSCHEMA:
            self.assertEqual([fault for line in done.lines for fault in faults_of(line)], [])
        self.assertIn("1/1 features completed", done.err)
        self.assertIn("with 1 feature", done.err)

    def test_a_reader_that_goes_away_changes_nothing(self) -> None:
        under = ("bash", "-c", 'set -o pipefail; "$@" | head -c 1 >/dev/null', "bash")
        self.workspace.features(feature("a"), feature("b", depends_on=["a"]))
        done = self.workspace.start(
            "run", "--yes", "--events", "-", under=under, env=MEASURED
        ).end()
        self.assert_code(done, 0)
        self.assert_statuses(a="completed", b="completed")

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


class FilesTest(RunTest):
    def test_they_are_written_also_if_nothing_is_to_do(self) -> None:
        self.workspace.features(feature("a"))
        paths = [self.workspace.beside("out", name) for name in ("junit.xml", "summary.md")]
        words = ("--junit", paths[0], "--summary", paths[1])
        self.run_to(0)
        self.run_to(0, *words)
        document, summary = map(read_text, paths)
        self.assertEqual(junit_faults(document), [])
        self.assertIn('tests="1" failures="0"', document)
        self.assertEqual(summary, "## ✅ Shop: nothing to do\n\n1 feature up to date\n")

    def test_a_file_that_cannot_be_written_at_the_end_is_said(self) -> None:
        folder = self.workspace.beside("out")
        lost = f"rm -r '{folder}'"
        self.workspace.features(feature("a", {"bash": lost}, {"write": "a.md"}), feature("b"))
        path = os.path.join(folder, "junit.xml")
        done = self.run_to(1, "--junit", path, "--quiet")
        said = f"rorchestrator: --junit {path} can't be written: No such file or directory"
        self.assertEqual(done.err.count(said), 1)
        self.assertEqual(self.workspace.journal()[-1]["exit_code"], 0)
        self.workspace.features(feature("a", {"fail": "Not logged in"}))
        self.run_to(2, "--fresh", "--junit", path)  # which is worse

    def test_the_summary_of_a_step_that_cannot_be_written_changes_no_exit_code(self) -> None:
        self.workspace.features(feature("a"))
        env = {"GITHUB_STEP_SUMMARY": self.workspace.root}
        done = self.workspace.command("run", "--yes", env=env)
        self.assert_code(done, 0)
        self.assertIn("the summary of the step was not written: Is a directory", done.err)

    def test_a_summary_that_is_the_steps_is_written_once(self) -> None:
        path = self.workspace.beside("step.md")
        self.workspace.features(feature("a"))
        done = self.workspace.command(
            "run", "--yes", "--summary", path, env={"GITHUB_STEP_SUMMARY": path}
        )
        self.assert_code(done, 0)
        self.assertEqual(read_text(path).count("## ✅ Shop"), 1)


class RefusalTest(RunTest):
    def test_what_excludes_each_other_or_cannot_be_written_is_refused(self) -> None:
        self.workspace.features(feature("a"))
        folder, list_file = self.workspace.root, self.workspace.list_file
        for words, said in (
            (("--events", "-", "--json"), "--events - and --json both print to standard output"),
            (("--events", ""), "argument --events: it must name a file"),
            (("--events", "x", "--rehearse"), "--events is about a run, and a rehearsal is none"),
            (("--junit", "x", "--rehearse"), "--junit is about a run, and a rehearsal is none"),
            (("--junit", folder), f"--junit {folder}: it is not a regular file"),
            (("--summary", f"{list_file}/x"), f"--summary {list_file}/x can't be written: "),
            (("--events", folder), f"--events {folder} can't be written: Is a directory"),
            *(
                ((name, list_file), f"{name} {list_file} would replace the feature list")
                for name in ("--events", "--junit", "--summary")
            ),
        ):
            with self.subTest(words):
                self.assertIn(said, self.run_to(2, *words).err)
        self.assertEqual(self.workspace.journal(), [])
