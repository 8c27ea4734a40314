"""Several feature lists of one repository: a result belongs to the list that made it."""

from __future__ import annotations

import json
import os
import unittest
from typing import Any

from tests.support.commands import CommandResult, wait_until
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere


class ListsTest(WorkspaceTest):
    """Two lists beside the repository, ``one`` and ``two``."""

    def write(self, name: str, *features: dict[str, object], **project: Any) -> str:
        """Write a list of that name; where it is."""
        path = self.workspace.beside("plan", f"{name}.json")
        self.workspace.list_file = path
        self.workspace.features(*features, **project)
        return path

    def setUp(self) -> None:
        super().setUp()
        self.one = self.write("one", feature("auth", {"write": "one.md"}))
        self.two = self.write("two", feature("auth", {"write": "two.md"}), feature("other"))

    def said(self, code: int, list: str, *words: str) -> str:
        done = self.done(list, *words)
        self.assertEqual(done.code, code, f"{done.out}\n{done.err}")
        return done.out + done.err

    def done(self, list: str, *words: str) -> CommandResult:
        return self.workspace.command(*words, "--config", list)

    def status(self, list: str, *words: str) -> dict[str, Any]:
        told = json.loads(self.done(list, "status", "--json", *words).out)
        assert isinstance(told, dict)
        return told

    def statuses(self, list: str) -> dict[str, str]:
        return {known["id"]: known["status"] for known in self.status(list)["features"]}

    def paid(self) -> int:
        return len(self.workspace.attempts("auth"))


class OneIdTwice(ListsTest):
    def test_work_that_has_not_landed_is_refused_by_name_and_landed_work_gives_way(self) -> None:
        repository = self.workspace
        self.said(0, self.one, "run", "--yes")
        tip, before = repository.commit_of("feature/auth"), self.workspace.journal()
        for words in (
            ("plan",),
            ("run", "--yes"),
            ("run", "--yes", "--only", "auth"),
            ("retry", "auth", "--yes"),
            ("skip", "auth"),
        ):
            said = self.said(2, self.two, *words)
            self.assertIn(f"feature auth: feature/auth belongs to the list {self.one}", said)
            self.assertIn(f"rorchestrator merge auth --config {self.one}", said)
        self.assertEqual(
            (self.workspace.journal(), repository.commit_of("feature/auth")), (before, tip)
        )
        self.assertIn(self.one, self.said(1, self.two, "run", "--rehearse", "--yes"))
        # Nothing of it is this list's: neither to see, nor to land, nor to take away.
        self.assertEqual(self.statuses(self.two), {"auth": "pending", "other": "pending"})
        self.assertIn(f"Other lists: {self.one}", self.said(0, self.two, "status"))
        self.assertIn("Nothing to land", self.said(0, self.two, "merge"))
        self.assertIn("held auth", self.said(1, self.two, "merge", "auth"))
        self.assertIn(
            "Nothing to clean up", self.said(0, self.two, "cleanup", "--all", "--discard")
        )
        self.assertIn("has not started yet", self.said(2, self.two, "logs", "auth"))
        self.assertIn("has no session yet", self.said(2, self.two, "attach", "auth", "--print"))
        # The others of the list do run.
        self.said(0, self.two, "run", "--yes", "--only", "other")
        self.assertEqual(self.statuses(self.one), {"auth": "completed"})
        self.assertIn(f"auth ({self.one})", self.said(0, self.two, "status", "--all-lists"))
        # Once it has landed, the id is free, and each list still knows its own.
        self.said(0, self.one, "merge")
        self.said(0, self.two, "run", "--yes")
        self.assertEqual(self.paid(), 2)
        self.assertIn("merged (", self.said(0, self.one, "plan"))
        self.said(0, self.one, "run", "--yes")
        self.assertIn("Nothing to land", self.said(0, self.one, "merge"))
        self.assertIn(
            "Nothing to clean up", self.said(0, self.one, "cleanup", "--all", "--discard")
        )
        self.assertEqual(self.paid(), 2)
        self.said(0, self.two, "merge")
        self.assertEqual(self.workspace.added("main"), {"one.md", "two.md", "other.md"})
        # And back again.
        self.one = self.write("one", feature("auth", {"write": "three.md"}))
        self.said(0, self.one, "run", "--yes", "--fresh", "--merge")
        self.assertIn("three.md", self.workspace.added("main"))
        self.assertIn("merged (", self.said(0, self.two, "plan"))

    def test_paid_work_that_failed_is_refused_until_its_list_gave_it_up(self) -> None:
        self.one = self.write("one", feature("auth", {"write": "one.md"}, {"exit": 1}))
        self.said(1, self.one, "run", "--yes")
        self.assertIn("rorchestrator run --only auth --config", self.said(2, self.two, "plan"))
        said = self.said(2, self.two, "cleanup", "auth", "--discard")
        self.assertIn(f"auth belongs to another list: {self.one}", said)
        self.said(0, self.one, "cleanup", "auth", "--discard")
        self.said(0, self.two, "run", "--yes")
        self.assertEqual(self.statuses(self.one), {"auth": "pending"})

    def test_a_skip_is_of_one_list(self) -> None:
        self.said(0, self.one, "skip", "auth")
        self.assertIn("new", self.said(0, self.two, "plan"))
        self.said(0, self.two, "skip", "auth")
        self.said(0, self.two, "retry", "auth", "--yes")
        self.assertEqual(self.statuses(self.one), {"auth": "skipped"})
        self.assertEqual(self.statuses(self.two), {"auth": "completed", "other": "pending"})

    def test_worktrees_of_another_list_stay_where_they_are(self) -> None:
        self.one = self.write("one", feature("auth", {"write": "one.md"}), branch_prefix="one/")
        self.said(0, self.one, "run", "--yes", "--merge")
        self.said(0, self.two, "run", "--yes", "--only", "other")
        torn = self.workspace.beside("torn")
        self.two = self.write("two", feature("auth"), feature("other"), teardown=[f"touch {torn}"])
        self.said(0, self.two, "merge")
        everything = ("cleanup", "--all", "--all-lists", "--dry-run")
        self.assertIn("would remove auth (one/auth)", self.said(0, self.two, *everything))
        self.said(0, self.two, "cleanup", "auth", "--all-lists", "--yes")
        self.assertFalse(os.path.exists(torn), "one list took down what another one had set up")
        self.said(0, self.two, "cleanup", "--all", "--yes")
        self.assertEqual(self.workspace.commit_of("one/auth"), "")
        self.assertTrue(os.path.exists(torn))
        self.said(0, self.two, "run", "--yes")
        self.assertEqual(self.status(self.one)["features"][0]["merged"], "cleaned up")


class WhoseList(ListsTest):
    """What a list is called in the journal, and what becomes of that when it moves."""

    def test_a_list_that_moved_takes_its_features_along(self) -> None:
        self.said(0, self.one, "run", "--yes")
        self.assertEqual(self.status(self.one)["features"][0]["list"], self.one)
        os.rename(self.one, self.one + "~")
        moved = self.write("moved", feature("auth", {"write": "one.md"}))
        self.assertEqual(self.statuses(moved), {"auth": "completed"})
        self.assertIn("up to date", self.said(0, moved, "plan"))
        self.said(0, moved, "run", "--yes")
        self.assertEqual(self.status(moved)["features"][0]["list"], moved)
        # The name is free again: whoever has it now is another list.
        os.rename(self.one + "~", self.one)
        self.assertIn("belongs to the list", self.said(2, self.one, "plan", "--fresh"))
        self.assertEqual(self.paid(), 1)

    def test_a_list_in_the_repository_is_known_wherever_the_repository_is(self) -> None:
        repository = self.workspace
        inside = os.path.join(repository.path, "plans", "a.json")
        os.makedirs(os.path.dirname(inside))
        self.workspace.list_file = inside
        self.workspace.features(feature("auth"), repo_path="..")
        repository.commit({}, "the list")
        self.said(0, inside, "run", "--yes")
        self.assertEqual(self.status(inside)["list"], os.path.join("plans", "a.json"))
        linked = self.workspace.beside("linked")
        repository.git("worktree", "add", "--quiet", "-b", "mine", linked)
        self.assertEqual(
            self.statuses(os.path.join(linked, "plans", "a.json")), {"auth": "completed"}
        )
        # It is still there, on a branch that is checked out elsewhere, and so did not move.
        repository.git("rm", "--quiet", "-r", "plans")
        repository.commit({}, "on main it is gone")
        self.assertIn("belongs to the list plans/a.json", self.said(2, self.two, "plan"))
        # In the features' own worktrees it is no list of the user's.
        repository.git("worktree", "remove", "--force", linked)
        self.assertEqual(self.statuses(self.two), {"auth": "completed", "other": "pending"})

    def test_a_journal_without_lists_is_of_the_list_that_runs_next(self) -> None:
        self.said(0, self.one, "run", "--yes")
        self.forget_lists()
        self.assertEqual(self.statuses(self.one), {"auth": "completed"})
        self.said(0, self.one, "run", "--yes")
        self.assertEqual(self.status(self.one)["features"][0]["list"], self.one)
        self.assertIn("belongs to the list", self.said(2, self.two, "plan"))
        self.assertEqual(self.paid(), 1)

    def forget_lists(self) -> None:
        """Leave of the journal what version 1.0.0 wrote."""
        path = os.path.join(self.workspace.state_folder, "journal.jsonl")
        lines = [{**event, "list": None} for event in self.workspace.journal()]
        with open(path, "w", encoding="utf-8") as file:
            for line in lines:
                del line["list"]
                file.write(json.dumps(line) + "\n")


class WhileOneRuns(ListsTest):
    def test_the_run_of_another_list_is_named_and_steered_by_its_own_list(self) -> None:
        go = self.workspace.beside("go")
        self.one = self.write("one", feature("auth", {"wait": go}, {"write": "one.md"}))
        running = self.workspace.start("run", "--yes", "--config", self.one)
        wait_until(lambda: self.paid() == 1, "it is running")
        self.assertIn(f", of {self.one}", self.said(0, self.two, "status"))
        self.assertIn("belongs to the list", self.said(2, self.two, "plan"))
        for words in (("stop", "auth"), ("skip", "other"), ("retry", "other", "--yes")):
            said = self.said(2, self.two, *words)
            self.assertIn(f"the current run belongs to another list, {self.one}", said)
        self.said(0, self.two, "pause")
        self.said(0, self.two, "resume")
        self.workspace.touch("go")
        self.assertEqual(running.end().code, 0)

    def test_the_next_run_settles_a_killed_one(self) -> None:
        self.one = self.write("one", feature("auth", {"wait": self.workspace.beside("never")}))
        running = self.workspace.start("run", "--yes", "--config", self.one)
        wait_until(lambda: self.paid() == 1, "it is running")
        running.kill()
        self.assertIn("belongs to the list", self.said(2, self.two, "run", "--yes"))
        self.said(0, self.two, "run", "--yes", "--only", "other")
        self.assertEqual(self.statuses(self.one), {"auth": "cancelled"})
        self.assertEqual(self.statuses(self.two), {"auth": "pending", "other": "completed"})


if __name__ == "__main__":
    unittest.main()
