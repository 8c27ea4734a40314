"""A run is looked at and steered whatever became of its feature list since it started."""

from __future__ import annotations

import json
import os
import unittest
from collections.abc import Callable

from tests.support.commands import CommandResult, Running, wait_until
from tests.support.once import once
from tests.support.workspace import WorkspaceTest, feature


@once
class FaultyList(WorkspaceTest):
    """Each test starts a run, spoils its list, and uses every command that looks or steers."""

    knows_claude = True
    """Whether the list still says which Claude it means."""

    def setUp(self) -> None:
        super().setUp()
        path = self.workspace.beside
        prompts = os.path.join(self.workspace.folder, "prompts")
        os.makedirs(prompts)
        self.prompt = os.path.join(prompts, "later.md")
        with open(self.prompt, "w", encoding="utf-8") as file:
            file.write("Later.\n")
        later = {"id": "later", "prompt_file": "later.md", "depends_on": ["held"]}
        self.workspace.features(
            feature("done"),
            feature("held", {"write": path("began")}, {"wait": path("go")}),
            feature("other", {"wait": path("go")}),
            later,
            base_branch="main",
        )

    def spoiled_by(self, spoil: Callable[[], None]) -> None:
        """Use all commands on the list as ``spoil`` leaves it."""
        running = self.workspace.start("run", "--yes")
        self.wait_for("began")
        wait_until(lambda: self.workspace.statuses().get("done") == "completed", "done is over")
        spoil()
        self.assertEqual(self.say("plan").code, 2)
        self.looked_at()
        self.steered(running)

    def wait_for(self, name: str) -> None:
        wait_until(lambda: os.path.exists(self.workspace.beside(name)), name)

    def say(self, *words: str, code: int | None = None) -> CommandResult:
        done = self.workspace.command(*words)
        if code is not None:
            self.assertEqual(done.code, code, done.err)
        return done

    def looked_at(self) -> None:
        document = json.loads(self.say("status", "--json", code=0).out)
        rows = {row["id"]: (row["status"], row["active"]) for row in document["features"]}
        self.assertEqual(rows["done"], ("completed", False))
        self.assertEqual(rows["held"], ("running", True))
        self.assertTrue(document["list_fault"])
        shown = self.say("status", code=0)
        self.assertIn("The feature list cannot be used (", shown.err)
        self.assertIn("held", shown.out)
        self.assertIn("RESULT", self.say("logs", "done", code=0).out)
        attached = self.say("attach", "done", "--print")
        self.assertIn("--resume" if self.knows_claude else "claude was not found", str(attached))
        self.assertIn("unknown feature 'hel'", self.say("stop", "hel", code=2).err)

    def steered(self, running: Running) -> None:
        self.say("pause", code=0)
        self.assertTrue(json.loads(self.say("status", "--json").out)["paused"])
        self.say("resume", code=0)
        self.say("skip", "later", code=0)
        self.say("retry", "later", code=0)
        self.say("stop", "held", code=0)
        wait_until(lambda: self.workspace.statuses().get("held") == "cancelled", "it is stopped")
        self.say("retry", "held", code=0)
        wait_until(
            lambda: self.workspace.kinds("held").count("attempt_started") == 2, "it runs again"
        )
        self.say("stop", code=0)
        self.assertEqual(running.end().code, 1)
        # Without a run, the list is needed again.
        self.assertIn("no run", self.say("pause", code=2).err)
        self.assertEqual(self.say("skip", "later").code, 2)
        self.assertEqual(self.say("retry", "held").code, 2)
        self.assertEqual(json.loads(self.say("status", "--json", code=0).out)["running"], None)

    def test_an_unknown_key(self) -> None:
        def spoil() -> None:
            with open(self.workspace.list_file, encoding="utf-8") as file:
                document = json.load(file)
            document["featurs"] = []
            with open(self.workspace.list_file, "w", encoding="utf-8") as file:
                json.dump(document, file)

        self.spoiled_by(spoil)

    def test_no_json(self) -> None:
        def spoil() -> None:
            with open(self.workspace.list_file, "a", encoding="utf-8") as file:
                file.write("}")

        self.knows_claude = False
        self.spoiled_by(spoil)

    def test_a_missing_prompt(self) -> None:
        self.spoiled_by(lambda: os.unlink(self.prompt))

    def test_a_deleted_base_branch(self) -> None:
        def spoil() -> None:
            self.workspace.git("checkout", "--quiet", "--detach")
            self.workspace.git("branch", "--quiet", "-D", "main")

        self.spoiled_by(spoil)


class FaultyClaude(WorkspaceTest):
    """The list has a fault in its own Claude options, and says nothing of its repository."""

    def test_the_features_are_shown_all_the_same(self) -> None:
        self.workspace.features(feature("a"))
        self.assertEqual(self.workspace.run("--yes").code, 0)
        with open(self.workspace.list_file, encoding="utf-8") as file:
            document = json.load(file)
        document["claude"]["max_turns"] = 0
        with open(self.workspace.list_file, "w", encoding="utf-8") as file:
            json.dump(document, file)
        shown = json.loads(self.workspace.command("status", "--json").out)
        self.assertEqual([row["status"] for row in shown["features"]], ["completed"])
        done = self.workspace.command("retry", "a")
        self.assertIn("has 1 fault", done.err)
        del document["project"]["repo_path"]
        with open(self.workspace.list_file, "w", encoding="utf-8") as file:
            json.dump(document, file)
        self.assertEqual(self.workspace.command("status").code, 2)  # no repository is around it


class NothingRecorded(WorkspaceTest):
    def test_without_a_run_the_faults_of_the_list_are_shown(self) -> None:
        self.workspace.features({"id": "a"})
        for words in (["status"], ["pause"], ["logs", "a"]):
            done = self.workspace.command(*words)
            self.assertEqual(done.code, 2)
            self.assertIn("has 1 fault", done.err)


if __name__ == "__main__":
    unittest.main()
