"""A run takes up a changed list: asked to from another terminal, and by itself."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from core.journal.control import Requests
from core.model.control_action import ControlAction
from core.process.supervisor import MARK
from tests.support.commands import CommandResult, Running, wait_until
from tests.support.once import skip_if_run_elsewhere
from tests.support.runs import RunTest
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class ReloadTest(RunTest):
    """A run of held features whose list changes."""

    def ror(self, *words: str) -> Any:
        """What a command answers that has to work."""
        done = self.workspace.command(*words, "--json")
        self.assertEqual((done.code, done.err), (0, ""), words)
        return json.loads(done.out)

    def change(self, *features: dict[str, object], **project: object) -> None:
        self.workspace.features(*features, max_parallel=2, **project)

    def begin(self, *features: dict[str, object], **project: object) -> Running:
        self.change(*features, **project)
        running = self.workspace.start("run", "--yes", "--json")
        self.wait_for("a.began")
        self.wait_for("b.began")
        return running

    def finish(self, running: Running, code: int) -> CommandResult:
        for id in ("a", "b"):
            self.workspace.touch(f"{id}.go")
        done = running.end()
        self.assert_code(done, code)
        return done

    def test_features_join_follow_go_and_are_out_of_date(self) -> None:
        running = self.begin(
            self.held("a"),
            self.held("b"),
            feature("late", {"write": "old.md"}, depends_on=["a"]),
            feature("gone", depends_on=["a"]),
        )
        changed = self.held("b")
        changed["prompt"] = f"Better.\n{changed['prompt']}"
        self.change(
            self.held("a"),
            changed,
            feature("late", {"write": "new.md"}, depends_on=["a", "extra"]),
            feature("extra", depends_on=["a"]),
            feature("top", depends_on=["late"]),
        )
        shown = self.workspace.command("reload", "--dry-run")
        self.assertEqual((shown.code, shown.err), (0, ""))
        self.assertEqual(
            shown.out.splitlines(),
            [
                "Joins the run: extra, top",
                "Follows its new entry:",
                "  late: prompt, depends_on",
                "Leaves the run:",
                "  gone: it was removed from the list",
                "Out of date: not run again by this run; the next run does:",
                "  b: prompt changed",
            ],
        )
        self.assertEqual([e for e in self.workspace.journal() if e["event"] == "steered"], [])
        answer = self.ror("reload")
        self.assertTrue(answer["reply"]["done"], answer)
        self.assertEqual(answer["change"]["joins"], ["extra", "top"])
        shown = json.loads(self.workspace.command("status", "--json").out)["features"]
        stale = {each["id"]: each["out_of_date"] for each in shown if each["out_of_date"]}
        self.assertEqual(stale, {"b": "prompt changed"})
        again = self.ror("reload")
        self.assertEqual((again["reply"], again["change"]["joins"]), (None, []))
        done = self.finish(running, 0)
        document = done.lines[-1]
        self.assertEqual((document["successful"], document["total_features"]), (5, 5))
        self.assert_statuses(**dict.fromkeys(("a", "b", "late", "extra", "top"), "completed"))
        self.assertEqual(
            self.workspace.added("feature/top"), {"a.md", "extra.md", "new.md", "top.md"}
        )
        self.assertEqual(
            self.reasons(),
            {
                "a": "skip: up to date",
                "b": "start: prompt changed",
                "late": "skip: up to date",
                "extra": "skip: up to date",
                "top": "skip: up to date",
            },
        )

    def test_what_widens_rights_needs_the_users_yes_from_outside_of_the_run(self) -> None:
        running = self.begin(self.held("a"), self.held("b"), feature("late", depends_on=["a"]))
        self.change(
            self.held("a"),
            self.held("b"),
            feature("late", depends_on=["a"], verify=["test -e late.md"], timeout_seconds=90_000),
        )
        told = self.workspace.command("reload")
        self.assertEqual(told.code, 2)
        for words in (
            "late: a new command under verify: test -e late.md",
            "late: a time limit of 90000 s instead of 1800 s",
            "rorchestrator reload --yes",
        ):
            self.assertIn(words, told.err)
        run = self.workspace.journal()[-1]["run"]
        theirs = self.workspace.command("reload", "--yes", env={MARK: f"{run}/a.1"})
        self.assertEqual(theirs.code, 2)
        self.assertIn("this process was started by the run", theirs.err)
        for listed in ("", "of another list"):
            Requests(self.workspace.state_folder).leave(run, ControlAction.RELOAD, listed=listed)
        wait_until(lambda: len(self.workspace.events("steered")) == 2, "both are answered")
        self.assertEqual(
            [(e["done"], e["text"]) for e in self.workspace.events("steered")],
            [(False, "the list changed since it was shown")] * 2,
        )
        self.assertTrue(self.ror("reload", "--yes")["reply"]["done"])
        self.finish(running, 0)
        [checked] = [e for e in self.workspace.events("checked") if e.get("feature") == "late"]
        self.assertEqual((checked["command"], checked["passed"]), ("test -e late.md", True))

    def test_a_faulty_list_is_refused_whole_and_the_run_goes_on(self) -> None:
        running = self.begin(self.held("a"), self.held("b"), feature("late", depends_on=["a"]))
        self.change(
            feature("a", depends_on=["c"]), feature("c", depends_on=["a"]), feature("d", x=1)
        )
        told = self.workspace.command("reload")
        self.assertEqual(told.code, 2)
        self.assertIn("dependency cycle: a → c → a", told.err)
        self.assertIn("features[2].x: unknown key", told.err)
        self.assertEqual(self.workspace.events("steered"), [])
        os.unlink(self.workspace.list_file)
        self.assertEqual(self.workspace.command("reload").code, 2)
        self.finish(running, 0)
        self.assert_statuses(a="completed", b="completed", late="completed")

    def test_what_is_in_preparation_prepares_again_or_goes(self) -> None:
        names = ("a", "b", "c")
        self.workspace.features(*map(self.held, names), feature("d"), max_parallel=2)
        running = self.workspace.start("run", "--yes")
        self.wait_for("a.began")
        self.wait_for("b.began")
        for id in ("c", "d"):
            wait_until(lambda id=id: "based" in self.kinds(id), f"{id} is prepared")  # type: ignore[misc]
        other = feature("c", {"write": "other.md"})
        self.workspace.features(self.held("a"), self.held("b"), other, max_parallel=2)
        self.assertEqual(
            self.ror("reload", "-y")["change"],
            {
                "joins": [],
                "follows": {"c": ["prompt"]},
                "every_prompt": [],
                "goes": {"d": "it was removed from the list"},
                "stays": [],
                "out_of_date": {},
                "up_to_date": [],
                "left_out": {},
                "needs_consent": [],
                "next_run": [],
            },
        )
        wait_until(lambda: self.kinds("c").count("based") == 2, "c is prepared again")
        self.finish(running, 0)
        self.assertEqual(self.workspace.added("feature/c"), {"other.md"})
        self.assertEqual(self.workspace.last("d")["reason"], "it was removed from the list")
        self.assertEqual(self.workspace.report()["total_features"], 3)

    def kinds(self, id: str) -> list[str]:
        return [event["event"] for event in self.workspace.journal(id)]

    def test_a_running_feature_that_is_gone_from_the_list_can_still_be_stopped(self) -> None:
        running = self.begin(self.held("a"), self.held("b"))
        self.change(self.held("b"), repo_path=self.workspace.path, verify_attempts=5)
        answer = self.ror("reload")
        self.assertEqual(answer["change"]["stays"], ["a"])
        self.assertEqual(answer["change"]["next_run"], ["project.verify_attempts"])
        self.assertTrue(self.ror("stop", "a")["done"])
        wait_until(lambda: "ended" in self.kinds("a"), "it is stopped")
        document = self.finish(running, 1).lines[-1]
        self.assert_statuses(a="cancelled", b="completed")
        self.assertEqual(document["waves"], [["a"], ["b"]])
        self.assertEqual(document["branches_created"], ["feature/a", "feature/b"])

    def test_a_list_is_taken_up_by_itself_at_a_free_slot_unless_it_needs_consent(self) -> None:
        running = self.begin(self.held("a"), self.held("b"), reload=True)
        self.change(
            self.held("a"), self.held("b"), feature("c", verify=["test -e c.md"]), reload=True
        )
        self.calm()
        self.workspace.touch("a.go")
        wait_until(lambda: self.notes() != [], "it is refused")
        self.assertEqual(
            self.notes(),
            [
                "the changed list is not taken up: it needs your consent: c: a new command under "
                "verify: test -e c.md. To see all of it: rorchestrator reload"
            ],
        )
        self.change(self.held("a"), self.held("b"), feature("c"), reload=True)
        self.calm()
        wait_until(lambda: self.workspace.events("reloaded") != [], "it is taken up")
        done = self.finish(running, 0)
        [event] = self.workspace.events("reloaded")
        self.assertEqual((event["joined"], event["automatic"]), (["c"], True))
        self.assertIn("the list changed: joins the run: c", done.err)
        self.assert_statuses(a="completed", b="completed", c="completed")

    def calm(self) -> None:
        """Make the list look as if nobody was writing it."""
        then = time.time() - 60
        os.utime(self.workspace.list_file, (then, then))

    def notes(self) -> list[str]:
        notes = (event["text"] for event in self.workspace.events("note"))
        return [text for text in notes if "list" in text]

    def test_without_a_run_or_with_another_list_there_is_nothing_to_reload(self) -> None:
        self.change(self.held("a"), self.held("b"))
        told = self.workspace.command("reload")
        self.assertEqual(told.code, 2)
        self.assertIn("no run in progress in this repository: nothing to reload", told.err)
        running = self.begin(self.held("a"), self.held("b"))
        other = os.path.join(self.workspace.folder, "other.json")
        os.link(self.workspace.list_file, other)
        told = self.workspace.command("reload", "--config", "other.json")
        self.assertIn("the current run follows another list", told.err)
        self.assertIn("rorchestrator reload --config", told.err)
        self.finish(running, 0)
