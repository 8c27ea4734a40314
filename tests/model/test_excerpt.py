"""What comes from outside is cut before it is kept, and stands whole in a log."""

from __future__ import annotations

import os
import shutil
import unittest

from core.claude import end_of_attempt, stream, transcript
from core.git.door import Git, GitError, Repository
from core.model import event_json, events, json_values
from core.model.events import Event
from core.model.excerpt import excerpt, listed, some
from core.process.spawner import Finished, Spawner
from core.runner.failure import Failure
from tests.support.workspace import WorkspaceTest, feature

GIT = """\
#!/bin/sh
case "$*" in
  *"/worktrees/a "*" checkout "*)
    seq -f 'error: unable to write file f%g: No space left on device' 20000 >&2
    exit 128 ;;
esac
exec REAL "$@"
"""


class Texts(unittest.TestCase):
    def test_a_text_that_fits_is_unchanged(self) -> None:
        for text in ("", "a", "a\n", "a\r\nb\n\n", "\n".join("abcd")):
            with self.subTest(text):
                self.assertEqual(excerpt(text, lines=4, characters=10), text)

    def test_only_the_first_and_last_of_many_lines_are_shown(self) -> None:
        text = "\n".join(map(str, range(5_000)))
        cut = "0\n1\n... 4,996 lines left out ...\n4998\n4999"
        self.assertEqual(excerpt(text, lines=4), cut)
        where = "0\n1\n... 4,996 lines left out, all are in git.log ...\n4998\n4999"
        self.assertEqual(excerpt(text, lines=4, whole="git.log"), where)

    def test_long_lines_are_shortened_between_words(self) -> None:
        text = " ".join(["word"] * 100)
        cut = excerpt(text, characters=23)
        self.assertEqual(cut, "word word ... 479 characters left out ... word word")
        self.assertEqual(excerpt("a" * 100, characters=20), "... 100 characters left out ...")

    def test_both_limits_hold_for_anything(self) -> None:
        for text in ("x" * 10**6, "x\n" * 10**6, "x y\r" * 10**6, ("x" * 300 + "\n") * 3_000):
            cut = excerpt(text, lines=10, characters=1_000)
            self.assertLess(len(cut), 1_100)
            self.assertLess(len(cut.splitlines()), 12)

    def test_some_of_many_names_are_shown_and_the_others_counted(self) -> None:
        for names, said in (
            ([], ""),
            (["a"], "a"),
            (["a", "b", "c"], "a, b, c"),
            (["a", "b", "c", *map(str, range(1_040))], "a, b, c and 1,040 more"),
        ):
            with self.subTest(said):
                self.assertEqual(some(names, 3), said)
        self.assertEqual(some(("a", "b", "c"), 2, between="; "), "a; b and 1 more")

    def test_the_last_entry_of_a_shortened_list_counts_the_others(self) -> None:
        self.assertEqual(listed(iter("abc"), 3), ["a", "b", "c"])
        self.assertEqual(listed("abcd", 3), ["a", "b", "c", "and 1 more"])


class WhereItEnters(unittest.TestCase):
    """Each door, with far too much."""

    MANY = "".join(f"line {number}\n" for number in range(20_000))

    def test_warnings_of_git_are_quoted(self) -> None:
        error = GitError("make it", Finished(128, b"", self.MANY.encode()))
        self.assertLess(len(str(error)), 1_000)
        self.assertTrue(str(error).startswith("git could not make it: line 0\nline 1\n"))
        self.assertEqual(error.complaint, self.MANY.strip())

    def test_a_log_that_takes_nothing_is_not_named(self) -> None:
        git = Git(Spawner(), Repository("/", "/", bare=True, shallow=False, version=(2, 40)), {})
        git.log = os.path.join(os.devnull, "logs", "git.log")
        error = git.error("make it", Finished(128, b"", self.MANY.encode()))
        self.assertIn("... 19,960 lines left out ...", str(error))

    def test_what_claude_says(self) -> None:
        denied = [
            {"tool_name": "Bash", "tool_input": {"command": f"echo {n} {'x ' * 9_000}"}}
            for n in range(300)
        ]
        result = {
            **{"type": "result", "subtype": "success", "is_error": True, "num_turns": 1},
            **{"result": "word " * 200_000, "permission_denials": denied, "session_id": "i" * 999},
        }
        outcome = end_of_attempt.outcome(stream.observe(transcript.Transcript(), result), code=1)
        self.assertLess(len(outcome.reason), 20_000)
        self.assertTrue(60_000 < len(outcome.result) < 70_000)
        self.assertLess(len(outcome.session_id), 300)
        self.assertEqual(outcome.denied_tools[-1], "and 200 more")
        self.assertLess(max(map(len, outcome.denied_tools)), 1_200)
        silent = end_of_attempt.outcome(transcript.Transcript(), code=1, stderr="x " * 200_000)
        self.assertLess(len(silent.reason), 20_000)

    def test_what_a_check_prints(self) -> None:
        red = Failure("check: `x` ended with exit 1", "word " * 10**5)
        self.assertLess(len(red.reason), 20_000)
        self.assertTrue(red.reason.startswith("check: `x` ended with exit 1\n"))

    def test_texts_of_an_event_are_shortened_and_values_for_the_next_run_are_not(self) -> None:
        made = [f"file-{number}" for number in range(20_000)]
        event = events.ready(0.0, "run", "a", made=made)
        self.assertEqual(event_json.masked(event, str).data["made"], made)
        for data in ({"text": self.MANY}, {"a": [self.MANY]}, {"a": {"b": self.MANY}}):
            cut = event_json.masked(Event("note", 0.0, "run", data=data), str)
            self.assertLess(len(str(cut.data)), 70_000)
        clash = events.clash(0.0, "run", "a", other="b", files=made)
        self.assertEqual(len(json_values.strings(clash.data, "files")), 101)


class Run(WorkspaceTest):
    def test_journal_reports_and_status_stay_small_and_the_log_has_all_of_it(self) -> None:
        workspace = self.workspace
        os.mkdir(workspace.beside("bin"))
        script = GIT.replace("REAL", str(shutil.which("git")))
        workspace.script(os.path.join("bin", "git"), script)
        secrets = [{"write": f"{number}/.env"} for number in range(150)]
        workspace.features(feature("a"), feature("b", {"write": "b.md"}, *secrets))
        path = f"{workspace.beside('bin')}{os.pathsep}{workspace.environ['PATH']}"
        said = [workspace.run(env={"PATH": path})]
        self.assertEqual(said[0].code, 1, said[0].err)
        self.assert_statuses(a="failed", b="completed")
        said += [workspace.command("status", *words) for words in ((), ("--json",), ("-v",))]
        for done in said:
            self.assertLess(len(done.out) + len(done.err), 100_000)
        folders = (workspace.state_folder, os.path.join(workspace.folder, "reports"))
        files = [f for folder in folders for f in os.scandir(folder) if f.is_file()]
        sizes = {f.name: f.stat().st_size for f in files if not f.name.startswith("latest.")}
        self.assertLess(sum(sizes.values()), 100_000, sizes)
        results = workspace.results()
        self.assertEqual(results["b"]["held_back"][-1], "and 50 more")
        log = workspace.beside(workspace.state_folder, "logs", workspace.report()["run"], "git.log")
        self.assertIn(f"lines left out, all are in {log} ...", results["a"]["error"])
        with open(log, encoding="utf-8") as file:
            self.assertIn("f20000: No space left", file.read())
