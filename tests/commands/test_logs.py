"""``logs``: Claude's stream of an attempt as readable text, or raw."""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import sys
import time
import unittest
from unittest import mock

from core import cli
from core.commands import logs
from core.model import events
from core.model.decision import Action, Decision
from core.model.moments import moment
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status
from tests.support.commands import CommandResult, standing_in, streams, wait_until
from tests.support.lives import RUN, attempt
from tests.support.workspace import Workspace, feature

HOSTILE = "\x1b[2Jgone\x1b]0;t\x07 \u202egpj \x9b1m end"


def line_of(text: str) -> str:
    """A line of the stream in which Claude speaks."""
    content = [{"type": "text", "text": text}]
    return json.dumps({"type": "assistant", "message": {"content": content}}) + "\n"


class OfARun(unittest.TestCase):
    maxDiff = None
    space: Workspace

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = Workspace(
            [
                feature(
                    "auth",
                    {"say": "I will write it.\nNow."},
                    {"write": "auth.py", "content": "x = 1\n"},
                    {"bash": "true; " + "echo a long line; " * 20},
                    {"print": "no JSON \x1b[31mat all\n\n"},
                    {"stderr": HOSTILE},
                    {"say": HOSTILE},
                ),
                feature("again", {"exit": 3}),
                feature("app", depends_on=["again"]),
            ]
        )
        cls.addClassCleanup(cls.space.close)
        cls.space.run()
        cls.space.run("--only", "again")

    def test_a_log_is_shown_as_readable_text(self) -> None:
        said = self.space.main("logs", "auth")
        self.assertEqual((said.code, said.err), (0, ""))
        heading, started, empty, *lines = said.out.splitlines()
        (first,) = self.space.state().feature("auth").attempts
        self.assertEqual((heading, empty), (f"auth: attempt 1 of 1, run {first.run}", ""))
        self.assertEqual(started, f"started {moment(first.started_at)} (new)")
        self.assertRegex(lines[-1], r"^attempt 1 completed \d{4}-.* · 0\.\ds · \$0\.05$")
        self.assertEqual(
            lines[:4],
            [
                "Claude Code 0.0.0-simulated, simulated",
                "I will write it.",
                "Now.",
                "▸ Write(file_path=auth.py, content=x = 1)",
            ],
        )
        self.assertTrue(lines[4].startswith("▸ Bash(command=true; echo a long line; "))
        self.assertEqual((len(lines[4]), lines[4][-1]), (100, "…"))
        self.assertEqual(lines[5], "no JSON at all")
        self.assertIn("RESULT success · 3 turns · $0.05 · 0.0s", lines)
        self.assertEqual(lines[-4], "stderr:")

    def test_a_log_does_not_control_the_terminal(self) -> None:
        said = self.space.command("logs", "auth", "--verbose").out
        for character in "\x1b\x07\u202e\x9b":
            self.assertNotIn(character, said)
        self.assertEqual(said.count("gone�]0;t� �gpj �1m end"), 2)

    def test_quiet_leaves_the_tools_out(self) -> None:
        said = self.space.main("logs", "auth", "-q").out
        self.assertNotIn("Write(", said)
        self.assertIn("I will write it.", said)

    def test_on_a_terminal_it_has_colours_and_ascii_where_needed(self) -> None:
        said = self.space.main("logs", "auth", terminal=True, encoding="ascii").out
        self.assertIn("\x1b[36m> Write(file_path=auth.py", said)
        self.assertNotIn("\x1b", self.space.main("logs", "auth", "--color", "never").out)

    def test_raw_is_what_claude_printed_byte_by_byte(self) -> None:
        path = self.space.state().feature("auth").attempts[0].log
        with open(path, "rb") as file:
            printed = file.read()
        self.assertEqual(self.space.command("logs", "auth", "--raw").out.encode(), printed)
        self.assertEqual(self.space.main("logs", "auth", "--raw").out.encode(), printed)

    def test_an_earlier_attempt_is_asked_for_by_its_number(self) -> None:
        sessions = [
            json.loads(self.space.main("logs", "again", *words, "--raw").out.splitlines()[0])
            for words in ((), ("--attempt", "1"), ("--attempt", "2"))
        ]
        attempts = self.space.state().feature("again").attempts
        self.assertEqual(len(attempts), 2)
        for said, known in zip(sessions, (attempts[1], attempts[0], attempts[1])):
            self.assertEqual(said["session_id"], known.session_id)
        heading, started, *_ = self.space.main("logs", "again").out.splitlines()
        self.assertEqual(heading, f"again: attempt 2 of 2, run {attempts[1].run}")
        self.assertTrue(started.endswith(" (failed before)"), started)

    def test_a_missing_log_is_reported_with_the_next_step(self) -> None:
        cases = {
            ("again", "--attempt", "7"): ("again has no attempt 7", "its attempts: 1, 2"),
            ("atuh",): ("unknown feature 'atuh' (did you mean 'auth'?)", "rorchestrator status"),
            ("app",): (
                "app has not started yet (again did not complete (failed))",
                "rorchestrator status",
            ),
        }
        for words, (expected, hint) in cases.items():
            with self.subTest(words):
                said = self.space.main("logs", *words)
                self.assertEqual((said.code, said.out), (2, ""))
                self.assertIn(expected, said.err)
                self.assertIn(f"next: {hint}", said.err)

    def test_the_next_step_of_an_error_names_the_list(self) -> None:
        said = self.space.main("logs", "app", "--config", "config")
        self.assertIn("next: rorchestrator status --config config\n", said.err)
        said = self.space.main("logs", "auth", "--config", "config")
        self.assertNotIn("--config", said.out)

    def test_a_feature_that_left_the_list_still_has_its_logs(self) -> None:
        before = self.space.document["features"]
        assert isinstance(before, list)
        self.space.change([feature("other")])
        try:
            self.assertEqual(self.space.main("logs", "auth").code, 0)
            said = self.space.main("logs", "other")
            self.assertIn("other has not started yet (pending)", said.err)
        finally:
            self.space.change(before)


class WhileItGrows(unittest.TestCase):
    def setUp(self) -> None:
        self.space = Workspace([feature("auth")])
        self.addCleanup(self.space.close)
        self.log = os.path.join(self.space.root, "auth.1.jsonl")
        self.write(line_of("One."))

    def write(self, text: str) -> None:
        with open(self.log, "a") as file:
            file.write(text)

    def over(self) -> events.Event:
        return events.attempt_ended(2000.0, RUN, "auth", AttemptOutcome(Status.COMPLETED))

    def test_follow_continues_until_the_attempt_is_over(self) -> None:
        at_work = self.space.at_work(*attempt("auth", log=self.log))
        with at_work:
            running = self.space.start("logs", "auth", "-q", "--follow")
            wait_until(lambda: running.out == "One.\n", "its first line")
            # In two halves, and with the last line without an end.
            two = line_of("Two.")
            self.write(two[:20])
            self.write(two[20:])
            wait_until(lambda: running.out == "One.\nTwo.\n", "its second line")
            self.write(line_of("Three.").rstrip())
            self.space.record(self.over())
            self.assertEqual(running.end(), CommandResult(0, "One.\nTwo.\nThree.\n", ""))

    def test_follow_ends_with_the_run_even_where_the_run_was_killed(self) -> None:
        self.space.record(*attempt("auth", log=self.log))
        said = self.space.main("logs", "auth", "-q", "--follow")
        self.assertEqual((said.code, said.out), (0, "One.\n"))

    def test_follow_sees_the_end_of_an_attempt_that_it_is_showing(self) -> None:
        class Reacting(io.TextIOWrapper):
            """Ends the attempt once its first line is shown."""

            def write(stream, words: str) -> int:
                if "One." in words:
                    self.write(line_of("Two."))
                    self.space.record(self.over())
                return super().write(words)

        out, err = (Reacting(io.BytesIO(), encoding="utf-8") for _ in range(2))
        place = standing_in(self.space.path, self.space.environ)
        at_work = self.space.at_work(*attempt("auth", log=self.log))
        with at_work, place, streams(out, err):
            self.assertEqual(cli.main(["logs", "auth", "-q", "-f"]), 0)
        out.seek(0)
        self.assertEqual(out.read(), "One.\nTwo.\n")

    def test_follow_of_a_finished_attempt_ends_at_once(self) -> None:
        self.space.record(*attempt("auth", log=self.log), self.over())
        self.write(line_of("Two.").rstrip())
        with self.space.at_work():
            said = self.space.main("logs", "auth", "-q", "--follow")
        self.assertEqual((said.code, said.out), (0, "One.\nTwo.\n"))

    def test_follow_waits_for_a_feature_that_has_not_started_and_says_so(self) -> None:
        begun = events.run_started(
            time.time(),
            RUN,
            pid=os.getpid(),
            base_branch="main",
            base_commit="ba5e",
            features=["auth"],
            max_parallel=1,
        )
        with self.space.at_work(begun):
            running = self.space.start("logs", "auth", "-f", "--config", "config")
            wait_until(lambda: running.err, "its first line")
            self.space.record(*attempt("auth", log=self.log))
            wait_until(lambda: "One.\n" in running.out, "the log")
            self.space.record(self.over())
            said = running.end()
        self.assertEqual(
            said.err,
            "auth has not started yet: waiting. rorchestrator why --config config auth shows why\n",
        )
        self.assertIn(f"auth: attempt 1 of 1, run {RUN}\nstarted ", said.out)
        self.assertIn("\nattempt 1 completed ", said.out)

    def test_follow_waits_for_the_next_run_and_ends_with_the_feature(self) -> None:
        running = self.space.start("logs", "auth", "-f")
        wait_until(lambda: running.err, "its first line")
        self.assertIn("(no run is in progress: rorchestrator run starts one)", running.err)
        blocked = FeatureOutcome(Status.BLOCKED, "no luck")
        self.space.record(events.ended(time.time(), RUN, "auth", blocked))
        said = running.end()
        self.assertEqual(said.code, 2)
        self.assertIn("auth has not started yet (no luck)", said.err)

    def test_follow_waits_for_checks_too(self) -> None:
        with self.space.at_work(*attempt("auth")):
            running = self.space.start("logs", "auth", "--checks", "-f")
            wait_until(lambda: running.err, "its first line")
            self.assertIn("auth has run no check yet: waiting. ", running.err)
            folder = os.path.join(self.space.state_folder, "logs", RUN)
            os.makedirs(folder)
            with open(os.path.join(folder, "auth.verify.log"), "w") as file:
                file.write("$ make\n")
            wait_until(lambda: "$ make" in running.out, "the log")
            done = FeatureOutcome(Status.COMPLETED)
            self.space.record(events.ended(time.time(), RUN, "auth", done))
            self.assertEqual(running.end().out, f"auth: checks, run {RUN}\n\n$ make\n")
            self.assertEqual(self.space.main("logs", "auth", "--checks", "-q").out, "$ make\n")

    def test_the_lines_around_the_output_of_checks_are_in_the_language_of_the_user(self) -> None:
        folder = os.path.join(self.space.state_folder, "logs", RUN)
        begun = "2026-11-29 14:02:31"
        with self.space.at_work(*attempt("auth")):
            os.makedirs(folder)
            with open(os.path.join(folder, "auth.verify.log"), "w") as file:
                file.write(f"[in /w/auth, {begun}]\nok\n[ended with exit 2 after 1m05s]\n")
            for language, expected in (
                ("en", (f"[in /w/auth, {begun}]", "ok", "[ended with exit 2 after 1m05s]")),
                (
                    "fr",
                    (
                        f"[dans /w/auth, {begun}]",
                        "ok",
                        "[a renvoyé le code 2 après 1 min 05 s]",
                    ),
                ),
            ):
                said = self.space.main("logs", "auth", "--checks", "-q", "--lang", language)
                self.assertEqual(tuple(said.out.splitlines()), expected)

    def test_a_feature_that_starts_over_ends_what_follows_its_old_attempt(self) -> None:
        with self.space.at_work(*attempt("auth", log=self.log)):
            running = self.space.start("logs", "auth", "-f")
            wait_until(lambda: "One.\n" in running.out, "the log")
            anew = Decision("auth", Action.START, "requested again", "key")
            based = events.based(time.time(), "r2", anew, start_commit="c", base_commit="b")
            self.space.record(based)
            self.assertIn("attempt 1 is running, for ", running.end().out)

    def test_a_line_that_is_not_whole_yet_shows_as_it_stands(self) -> None:
        self.write('{"type": "assi')
        self.space.record(*attempt("auth", log=self.log))
        self.assertEqual(self.space.main("logs", "auth", "-q").out, 'One.\n{"type": "assi\n')

    def test_only_the_end_of_a_flood_of_errors_is_shown(self) -> None:
        with open(self.log[: -len(".jsonl")] + ".stderr", "w") as file:
            file.write("x" * 70_000 + "\nthe cause\n")
        self.space.record(*attempt("auth", log=self.log))
        said = self.space.main("logs", "auth", "-q").out
        self.assertTrue(said.endswith("x\nthe cause\n"))
        # Of the word that was cut not the beginning, which may be half a secret.
        self.assertLess(len(said), 62_000)

    def test_a_reader_of_the_output_that_is_gone_is_no_fault_of_the_log(self) -> None:
        class Gone(io.StringIO):
            def flush(self) -> None:
                raise BrokenPipeError(errno.EPIPE, "Broken pipe")

        told: list[bytes] = []
        arguments = argparse.Namespace(follow=False)
        with mock.patch.object(sys, "stdout", Gone()), self.assertRaises(BrokenPipeError):
            logs._print(self.log, told.append, arguments, lambda: None, lambda: True)

    def test_a_log_that_is_gone_is_said(self) -> None:
        os.unlink(self.log)
        self.space.record(*attempt("auth", log=self.log))
        said = self.space.main("logs", "auth")
        self.assertEqual((said.code, said.out), (2, ""))
        self.assertIn(f"{self.log} no longer exists", said.err)


if __name__ == "__main__":
    unittest.main()
