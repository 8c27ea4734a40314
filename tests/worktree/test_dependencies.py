"""The start commit of a feature."""

from __future__ import annotations

from collections.abc import Mapping

from core.git import worktree_status
from core.process.spawner import run_sync
from core.worktree import dependencies
from core.worktree.worktree import Conflict
from tests.support.once import skip_if_run_elsewhere
from tests.support.worktrees import WorktreeTest, changed

setUpModule = skip_if_run_elsewhere


class StartTest(WorktreeTest):
    """Where a feature starts."""

    def start(self, results: Mapping[str, str]) -> str | Conflict:
        return run_sync(dependencies.start_commit(self.manager, self.base, results))

    def test_without_dependencies_a_feature_starts_at_the_base(self) -> None:
        self.assertEqual(self.start({}), self.base)

    def test_with_one_dependency_it_starts_at_its_result(self) -> None:
        one = self.result("one", {"one": "1"})
        self.assertEqual(self.start({"one": one}), one)

    def test_the_results_of_several_dependencies_are_merged(self) -> None:
        results = {name: self.result(name, {name: name}) for name in ("one", "two", "three")}
        start = self.start(results)
        assert isinstance(start, str)
        self.assertEqual(
            set(self.repository.files(start)), {"README.md", "a", "one", "two", "three"}
        )
        for result in results.values():
            self.repository.git("merge-base", "--is-ancestor", result, start)
        self.assertIn("merge one, two and three", self.repository.git("log", "-1", start))

    def test_a_result_that_another_contains_adds_nothing(self) -> None:
        one = self.result("one", {"one": "1"})
        two = self.result("two", {"two": "2"}, start=one)
        self.assertEqual(self.start({"one": one, "two": two, "same": two}), two)

    def test_a_conflict_names_both_features_and_the_files(self) -> None:
        one = self.result("one", {"a": changed(_3="one"), "é": "one"})
        two = self.result("two", {"two": "2"})
        three = self.result("three", {"a": changed(_3="three"), "é": "three"})
        conflict = self.start({"two": two, "one": one, "three": three})
        self.assertEqual(conflict, Conflict("one", "three", ("a", "é")))
        self.assertEqual(str(conflict), "one and three conflict in a, é")

    def test_a_conflict_with_the_merge_of_the_others_names_them_all(self) -> None:
        # `one` moves the folder and `two` adds a file to it: only both together meet `three`.
        self.repository.git("config", "merge.directoryRenames", "true")
        self.base = self.repository.commit({"old/x": "x\n" * 9, "old/y": "y\n" * 9})
        moved = {"old/x": None, "old/y": None, "new/x": "x\n" * 9, "new/y": "y\n" * 9}
        one = self.result("one", moved)
        two = self.result("two", {"old/z": "two\n"})
        three = self.result("three", {"new/z": "three\n"})
        conflict = self.start({"one": one, "two": two, "three": three})
        assert isinstance(conflict, Conflict)
        self.assertEqual((conflict.one, conflict.other), ("one + two", "three"))

    def test_a_conflict_of_folders_without_a_file_is_a_conflict(self) -> None:
        self.base = self.repository.commit({"old/x": "x\n" * 9, "old/y": "y\n" * 9})
        moved = {"old/x": None, "old/y": None, "left/x": "x\n" * 9, "right/y": "y\n" * 9}
        one = self.result("one", moved)
        two = self.result("two", {"old/z": "two\n"})
        conflict = self.start({"one": one, "two": two})
        self.assertEqual(conflict, Conflict("one", "two", ()))
        self.assertEqual(str(conflict), "one and two conflict")

    def test_results_that_crossed_over_merge(self) -> None:
        one = self.result("one", {"a": changed(_3="one")})
        two = self.result("two", {"a": changed(_15="two")})
        crossed = []
        for name, first, second in (("x", one, two), ("y", two, one)):
            self.repository.git("checkout", "-q", "-b", name, first)
            self.repository.git("merge", "-q", "-m", name, second)
            crossed.append(self.repository.commit({name: name}))
        start = self.start(dict(zip("xy", crossed)))
        assert isinstance(start, str)
        self.assertEqual(self.repository.files(start)["a"].decode(), changed(_3="one", _15="two"))

    def test_an_older_git_merges_inside_the_worktree(self) -> None:
        results = {name: self.result(name, {name: name}) for name in ("one", "two", "three")}
        manager = self.with_old_git()
        start = run_sync(dependencies.start_commit(manager, self.base, results))
        self.assertEqual(start, results["one"])
        worktree = self.create("auth", results["one"])
        merged = run_sync(dependencies.merge_rest(manager, worktree, results))
        assert isinstance(merged, str)
        self.assertEqual(
            set(self.repository.files(merged)), {"README.md", "a", "one", "two", "three"}
        )
        self.assertEqual(self.repository.commit_of("feature/auth"), merged)
        self.assertEqual(run_sync(dependencies.merge_rest(manager, worktree, {})), merged)

    def test_an_older_git_names_a_conflict_and_undoes_the_merge(self) -> None:
        one = self.result("one", {"a": changed(_3="one")})
        two = self.result("two", {"a": changed(_3="two")})
        worktree = self.create("auth", one)
        conflict = run_sync(
            dependencies.merge_rest(self.with_old_git(), worktree, {"one": one, "two": two})
        )
        self.assertEqual(conflict, Conflict("one", "two", ("a",)))
        status = run_sync(worktree_status.status_of(self.manager.git, worktree.path))
        self.assertEqual((status.commit, status.uncommitted), (one, ()))
