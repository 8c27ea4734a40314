"""Conflicts to come are seen while the features run."""

from __future__ import annotations

import asyncio
import json
import unittest
from unittest import mock

from core.git.door import Git, GitError
from core.git.opening import open_repository
from core.model import events
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.fold import apply
from core.model.frozen import replace
from core.model.outcome import FeatureOutcome, Status
from core.model.state import RunState
from core.orchestrator import conflict_probe
from core.orchestrator.conflict_probe import ConflictProbe
from core.process.cancellation import Cancellation
from core.process.spawner import Finished, Spawner, run_sync
from core.runner.context import RunContext
from tests.support.commands import wait_until
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.workspace import WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere


class ForesightTest(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = Repository()
        self.addCleanup(self.repository.close)
        self.base = self.repository.commit({"text": "1\n2\n3\n"}, "text")
        self.git = run_sync(
            open_repository(Spawner(), self.repository.path, self.repository.environ)
        )
        self.state = RunState()
        self.foresight = self.make(self.git)

    def make(self, git: Git) -> ConflictProbe:
        context = asyncio.run(self.context())
        return ConflictProbe(git, ("a", "b", "c"), context, state=lambda: self.state)

    async def context(self) -> RunContext:
        # Python 3.9 makes an asyncio.Event in a running loop only.
        return RunContext("r1", "", lambda: 1.0, self.emit, Cancellation())

    def emit(self, event: Event) -> None:
        self.state = apply(self.state, event)

    def begin(self, id: str) -> None:
        """A run begins a feature on a branch of its own."""
        self.repository.branch(f"feature/{id}", self.base)
        decision = Decision(id, Action.START, "new", "key")
        self.emit(events.preparing(1, "r1", decision, branch=f"feature/{id}", worktree="", name=id))
        self.emit(events.based(1, "r1", decision, start_commit=self.base, base_commit=self.base))

    def work(self, id: str, text: str, name: str = "text") -> None:
        """A commit on a feature's branch."""
        self.repository.git("checkout", "--quiet", f"feature/{id}")
        self.repository.commit({name: text})
        self.repository.git("checkout", "--quiet", "main")

    def clashes(self) -> dict[str, tuple[str, ...]]:
        run_sync(self.foresight.look())
        known = self.state.features.values()
        pairs = ((f, other, files) for f in known for other, files in f.clashes.items())
        return {f"{feature.id} {other}": files for feature, other, files in pairs}

    def test_two_that_changed_the_same_lines_clash_and_the_files_are_named(self) -> None:
        for id in ("a", "b", "c"):
            self.begin(id)
        self.assertEqual(self.clashes(), {})
        self.work("a", "a\n2\n3\n")
        self.work("c", "1\n2\nc\n")
        self.assertEqual(self.clashes(), {})
        self.work("b", "b\n2\n3\n")
        self.assertEqual(self.clashes(), {"b a": ("text",)})
        self.work("c", "c\n2\n3\n")
        self.assertEqual(self.clashes(), {"b a": ("text",), "c a": ("text",), "c b": ("text",)})

    def test_a_predicted_conflict_that_is_gone_is_reported(self) -> None:
        self.begin("a")
        self.begin("b")
        self.work("a", "a\n2\n3\n")
        self.work("b", "b\n2\n3\n")
        self.assertEqual(self.clashes(), {"b a": ("text",)})
        self.work("b", "a\n2\n3\n")
        self.assertEqual(self.clashes(), {})
        self.work("b", "b\n2\n3\n")
        self.assertEqual(self.clashes(), {"b a": ("text",)})
        self.work("b", "1\n2\n3\n")
        self.assertEqual(self.clashes(), {})

    def test_a_second_look_merges_nothing_again(self) -> None:
        self.test_two_that_changed_the_same_lines_clash_and_the_files_are_named()
        with mock.patch("core.git.merging.merged_tree", side_effect=AssertionError):
            run_sync(self.foresight.look())

    def test_a_union_merge_is_no_conflict_and_a_merge_driver_is_not_predicted(
        self,
    ) -> None:
        for id in ("a", "b"):
            self.begin(id)
            self.work(id, f"{id}\n2\n3\n")
        self.repository.git("config", "merge.mine.driver", "exit 1")
        for driver in ("union", "mine"):
            self.repository.write({".git/info/attributes": f"text merge={driver}\n"})
            self.foresight = self.make(self.git)
            self.assertEqual(self.clashes(), {})

    def test_the_conflict_probe_ignores_failed_features(self) -> None:
        for id in ("a", "b"):
            self.begin(id)
            self.work(id, f"{id}\n2\n3\n")
        self.emit(events.ended(2, "r1", "a", FeatureOutcome(Status.FAILED)))
        self.assertEqual(self.clashes(), {})

    def test_a_fault_of_git_ends_no_run_and_is_looked_at_again(self) -> None:
        for id in ("a", "b"):
            self.begin(id)
            self.work(id, f"{id}\n2\n3\n")
        gone = GitError("merge", Finished(128, b"", b"bad object"))
        with mock.patch("core.git.merging.merged_tree", side_effect=gone):
            self.assertEqual(self.clashes(), {})
        self.assertEqual(self.clashes(), {"b a": ("text",)})

    def test_a_look_tries_few_pairs_and_the_next_one_the_others(self) -> None:
        for id in ("a", "b", "c"):
            self.begin(id)
            self.work(id, f"{id}\n2\n3\n")
        with mock.patch.object(conflict_probe, "TRIALS", 2):
            self.assertEqual(len(self.clashes()), 2)
            self.assertEqual(len(self.clashes()), 3)

    def test_no_more_conflicts_are_looked_for_than_are_shown(self) -> None:
        for id in ("a", "b", "c"):
            self.begin(id)
            self.work(id, f"{id}\n2\n3\n")
        with mock.patch.object(conflict_probe, "PREDICTED_CONFLICTS", 1):
            self.assertEqual(self.clashes(), {"b a": ("text",)})
            self.work("b", "a\n2\n3\n")
            self.work("c", "a\n2\n3\n")
            self.assertEqual(self.clashes(), {})

    def test_a_feature_that_failed_meanwhile_is_no_longer_predicted(self) -> None:
        for id in ("a", "b", "c"):
            self.begin(id)
            self.work(id, f"{id}\n2\n3\n")
        with mock.patch.object(conflict_probe, "TRIALS", 1):
            self.assertEqual(self.clashes(), {"b a": ("text",)})
            self.emit(events.ended(2, "r1", "c", FeatureOutcome(Status.FAILED)))
            self.assertEqual(self.clashes(), {"b a": ("text",)})
            self.assertEqual(self.clashes(), {"b a": ("text",)})

    def test_an_old_git_can_not_look_ahead(self) -> None:
        old = replace(self.git.repository, version=(2, 37))
        self.foresight = self.make(Git(self.git.spawner, old, self.repository.environ))
        for id in ("a", "b"):
            self.begin(id)
            self.work(id, f"{id}\n2\n3\n")
        self.assertEqual(self.clashes(), {})

    def test_the_conflict_probe_repeats_until_it_is_cancelled(self) -> None:
        looks: list[int] = []

        async def look() -> None:
            looks.append(1)
            if len(looks) == 3:
                raise asyncio.CancelledError

        with (
            mock.patch.object(self.foresight, "look", look),
            mock.patch.object(conflict_probe, "PROBE_SECONDS", 0.0),
            self.assertRaises(asyncio.CancelledError),
        ):
            asyncio.run(self.foresight.watch())
        self.assertEqual(len(looks), 3)


class InARun(WorkspaceTest):
    def test_a_conflict_is_shown_while_both_features_run_and_in_status_until_it_is_gone(
        self,
    ) -> None:
        play = self.workspace
        commit = {"bash": "git add -A && git commit -qm early"}
        wait = {"wait": play.beside("go")}
        play.features(
            feature("a", {"write": "same.md", "content": "a"}, commit, wait),
            feature("b", {"write": "same.md", "content": "b"}, commit, wait),
            feature("c"),
        )
        running = play.start("run", "--yes")
        wait_until(lambda: "b and a will not merge: same.md" in running.err, "the warning")
        self.assertEqual(play.statuses(), {"c": "completed"})
        status = play.command("status")
        self.assertIn("b: will not merge with a: same.md", status.out)
        play.touch("go")
        self.assertEqual(running.end().code, 0)
        self.assertEqual(running.err.count("will not merge"), 1)
        play.commit({"same.md": "a"}, at=play.worktree("b"))
        self.assertNotIn("will not merge", play.command("status").out)

    def clash(self) -> None:
        """A run whose features a and b will not merge."""
        play = self.workspace
        last = {"wait": play.beside("go")}
        play.features(
            feature("a", {"write": "same.md", "content": "a"}),
            feature("b", {"write": "same.md", "content": "b"}),
            feature("c", last, {"write": "c.md"}),
        )
        with mock.patch.object(conflict_probe, "PROBE_SECONDS", 0.2):
            running = play.start("run", "--yes")
            wait_until(lambda: "b and a will not merge: same.md" in running.err, "the warning")
            play.touch("go")
            self.assertEqual(running.end().code, 0)

    def test_a_clash_lasts_until_the_branches_merge(self) -> None:
        play = self.workspace
        self.clash()
        self.assertEqual(self.clashes_of_b(), [{"with": "a", "files": ["same.md"]}])
        self.assertEqual(play.command("merge", "a").code, 0)
        self.assertEqual(play.command("cleanup", "a").code, 0)
        self.assertEqual(self.clashes_of_b(), [{"with": "a", "files": ["same.md"]}])
        at = play.worktree("b")
        play.git("merge", "--quiet", "main", at=at, fails=True)
        play.commit({"same.md": "a and b"}, at=at)
        self.assertEqual(self.clashes_of_b(), [])
        self.assertEqual(play.command("merge", "b").code, 0)
        self.assertEqual(self.clashes_of_b(), [])

    def test_a_clash_with_a_branch_that_is_gone_is_not_shown(self) -> None:
        play = self.workspace
        self.clash()
        self.assertEqual(play.command("cleanup", "a", "--discard").code, 0)
        self.assertEqual(self.clashes_of_b(), [])

    def clashes_of_b(self) -> object:
        features = json.loads(self.workspace.command("status", "--json").out)["features"]
        return next(each["clashes"] for each in features if each["id"] == "b")


if __name__ == "__main__":
    unittest.main()
