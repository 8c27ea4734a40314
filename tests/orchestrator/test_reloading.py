"""What a run answers to a request for its changed list, and what it says of a change."""

from __future__ import annotations

import os
import tempfile
import unittest
from types import SimpleNamespace
from typing import Any

from core.dag.list_change import ListChange
from core.journal.control import Request
from core.model.control_action import ControlAction
from core.model.errors import UserError
from core.model.feature import Config, Project
from core.model.list_outline import outline_of
from core.orchestrator.reloading import Reloading, summary, words_of
from core.orchestrator.steering import Answer
from core.project.running_list import FILE, RunningList, read
from core.project.selection import Selection
from tests.support.commands import wait_until
from tests.support.once import once
from tests.support.runs import RunTest
from tests.support.stage import DIAMOND, Stage
from tests.support.workspace import feature

ASKED = Request("q1", "r1", ControlAction.RELOAD)


class ReloadingTest(unittest.IsolatedAsyncioTestCase):
    def reloading(self, folder: str) -> Any:
        outline = outline_of(Config("/list", "/", Project("Shop", "/"), ()), str)
        self.running = RunningList("r1", "/list", Selection(), outline)
        project: Any = SimpleNamespace(
            journal=SimpleNamespace(folder=folder), config=SimpleNamespace(path="/no/list")
        )
        now: Any = SimpleNamespace(project=project, running=self.running)
        self.made = Stage(DIAMOND)
        self.addCleanup(self.made.close)
        followers: Any = SimpleNamespace(orchestrator=self.made.orchestrator)
        return Reloading(now, followers, sequential=False)

    def test_a_run_that_starts_nothing_more_takes_up_nothing(self) -> None:
        reloading = self.reloading("/no")
        self.made.orchestrator.slots.close("budget")
        answer, act = reloading.decide(ASKED)
        act()
        self.assertEqual(answer, Answer(False, "the run starts nothing more: budget"))

    def test_a_list_with_faults_is_refused_and_the_reply_names_them(self) -> None:
        answer, _ = self.reloading("/no").decide(ASKED)
        self.assertEqual((answer.done, answer.text), (False, "/no/list does not exist"))

    def test_what_the_run_follows_is_in_a_file_and_a_failure_only_ends_reload(self) -> None:
        with tempfile.TemporaryDirectory(prefix="ror-") as folder:
            self.reloading(folder).remember()
            self.assertEqual(read(folder, "r1"), self.running)
            os.unlink(os.path.join(folder, FILE))
            os.mkdir(os.path.join(folder, FILE))
            self.reloading(folder).remember()
        [event] = self.made.heard
        self.assertIn("rorchestrator reload will not work in this run: ", str(event.data["text"]))


class SentenceTest(unittest.TestCase):
    def test_a_change_is_one_line(self) -> None:
        change = ListChange(
            joins=tuple(f"f{number}" for number in range(12)),
            follows={"docs": ("prompt",)},
            everywhere=("prompts.context_file",),
            goes={"old": "removed"},
            later=("project.verify",),
        )
        self.assertEqual(
            summary(change),
            "joins the run: f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, … (+2); "
            "follows its new entry: prompts.context_file, docs; leaves the run: old; "
            "only in the next run: project.verify",
        )
        self.assertEqual(summary(ListChange()), "the run already follows this list")

    def test_faults_are_one_line(self) -> None:
        faults = tuple(f"fault {number}" for number in range(11))
        self.assertEqual(words_of(UserError("2 faults", details=faults[:2])).count(";"), 2)
        self.assertTrue(words_of(UserError("faults", details=faults)).endswith("fault 9; … (+1)"))


@once
class FollowedTest(RunTest):
    """Whole runs, sequential ones and with failures."""

    def reload(self) -> None:
        done = self.workspace.command("reload", "--yes")
        self.assertEqual((done.code, done.err), (0, ""))

    def test_a_failed_feature_follows_its_new_entry_when_it_is_retried(self) -> None:
        held = self.held("a")
        bad = feature("b", verify=["true", "false"])
        self.workspace.features(
            bad, held, feature("c", depends_on=["b"]), max_parallel=1, verify_attempts=0
        )
        running = self.workspace.start("run", "--yes", "--sequential", "--max-cost", "50")
        self.wait_for("a.began")
        self.assertEqual(self.workspace.statuses(), {"b": "failed", "c": "blocked"})
        good = feature("b", {"write": "b.md"}, verify=["true"])
        free = feature("c", depends_on=["skipped"])
        skipped = feature("skipped", depends_on=["a"])
        self.workspace.features(good, held, free, skipped, max_parallel=1, verify_attempts=0)
        self.reload()
        self.assertEqual(self.workspace.command("retry", "b").code, 0)
        self.assertEqual(self.workspace.command("skip", "skipped", "--force").code, 0)
        self.workspace.features(good, held, free, skipped, feature("d"), max_parallel=1)
        self.reload()
        self.workspace.touch("a.go")
        self.assert_code(running.end(), 1)
        self.assert_statuses(a="completed", b="completed", c="completed", d="completed")
        self.assertEqual(self.workspace.added("feature/c"), {"c.md"})
        self.assertEqual(self.reasons()["b"], "skip: up to date")

    def test_run_merge_lands_what_the_run_had_in_the_end(self) -> None:
        b = feature("b", depends_on=["a"])
        for number, only, then in (
            (1, (), [self.held("a", {"write": "1.md"}), b]),
            (2, ("--only", "a"), [feature("c")]),
        ):
            self.workspace.features(self.held("a", {"write": f"{number}.md"}))
            running = self.workspace.start("run", "--yes", "--merge", "--fresh", *only)
            self.wait_for("a.began")
            self.workspace.features(*then)
            self.reload()
            self.workspace.touch("a.go")
            self.assert_code(running.end(), 0)
            for name in ("a.began", "a.go"):
                os.unlink(self.workspace.beside(name))
            events = self.workspace.events("merged")
            self.assertEqual([event["feature"] for event in events], ["a", "b"])

    def test_what_completed_in_the_run_is_out_of_date_and_not_told_to_be_running(self) -> None:
        self.workspace.features(feature("b"), self.held("a"))
        running = self.start_held("a")
        wait_until(lambda: "b" in self.workspace.statuses(), "b is completed")
        self.workspace.features(feature("b", {"write": "other.md"}), self.held("a"))
        self.reload()
        self.workspace.touch("a.go")
        self.assert_code(running.end(), 0)
        [event] = self.workspace.events("reloaded")
        self.assertEqual(event["out_of_date"], {"b": "prompt changed"})
        self.assertEqual([e for e in self.workspace.events("note") if e.get("feature")], [])

    def test_ids_of_another_list_are_taken_over_before_they_join(self) -> None:
        self.workspace.features(feature("b"))
        self.run_to(0)
        self.assertEqual(self.workspace.command("merge", "--yes").code, 0)
        self.workspace.list_file = self.workspace.list_file.replace("feature_list", "other")
        self.workspace.features(self.held("a"))
        running = self.workspace.start("run", "--yes", "--config", self.workspace.list_file)
        self.wait_for("a.began")
        self.workspace.features(self.held("a"), feature("b", {"write": "more.md"}))
        done = self.workspace.command("reload", "--yes", "--config", self.workspace.list_file)
        self.assertEqual((done.code, done.err), (0, ""))
        wait_until(lambda: self.workspace.events("replaced") != [], "the id is taken over")
        self.workspace.touch("a.go")
        self.assert_code(running.end(), 0)
        self.assert_statuses(a="completed", b="completed")
