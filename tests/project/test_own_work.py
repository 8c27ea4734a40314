"""What a feature changed since the commit that it started from."""

from __future__ import annotations

import os
import unittest

from core.model.errors import UserError
from core.model.frozen import replace
from core.model.outcome import Status, Work
from core.model.state import FeatureState, RunState
from core.process.spawner import run_sync
from core.project.own_work import OwnDiff, own_diff
from tests.support.once import skip_if_run_elsewhere
from tests.support.projects import place_of
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere

FEATURES = [feature("auth"), feature("api", depends_on=["auth"])]


class OwnWorkTest(unittest.TestCase):
    def setUp(self) -> None:
        self.space = Workspace(FEATURES)
        self.addCleanup(self.space.close)
        self.base = self.space.commit_of("main")

    def commit(self, branch: str, files: dict[str, str | None], *parents: str) -> str:
        """Let a branch have one more commit, a merge if it has ``parents``; the main checkout."""
        space = self.space
        if space.commit_of(branch):
            space.git("switch", "--quiet", branch)
        else:
            space.git("switch", "--quiet", "-c", branch)
        if parents:
            space.git("merge", "--quiet", "--no-ff", "--no-commit", *parents)
        made = space.commit(files)
        space.git("switch", "--quiet", "main")
        return made

    def known(self, id: str, start: str, commit: str = "", **more: object) -> FeatureState:
        known = FeatureState(
            id,
            status=Status.COMPLETED,
            branch=f"feature/{id}",
            work_start=start,
            start_commit=start,
        )
        if commit:
            known = replace(known, work=Work(commit, 1))
        return replace(known, **more)  # type: ignore[arg-type]

    def diff(self, *features: FeatureState) -> OwnDiff:
        found = self.maybe(*features)
        assert found is not None
        return found

    def maybe(self, *features: FeatureState) -> OwnDiff | None:
        state = RunState({known.id: known for known in features})
        return run_sync(own_diff(place_of(self.space), state, features[-1].id))

    def assert_own(self, found: OwnDiff, *files: str) -> None:
        self.assertEqual([file.path for file in found.files], list(files))


class ABranch(OwnWorkTest):
    def setUp(self) -> None:
        super().setUp()
        self.auth = self.commit("feature/auth", {"auth.txt": "auth\n"})
        self.space.git("branch", "feature/api", "feature/auth")
        self.api = self.commit("feature/api", {"api.txt": "api\n", "both.txt": "one\n"})
        self.states = (
            self.known("auth", self.base, self.auth),
            self.known("api", self.auth, self.api),
        )

    def test_the_work_of_a_dependency_is_not_its_own(self) -> None:
        found = self.diff(*self.states)
        self.assert_own(found, "api.txt", "both.txt")
        self.assertEqual((found.notes, found.uncommitted), ((), ()))
        self.assertIn("+api\n", found.files[0].patch)

    def test_it_is_the_same_after_its_branch_has_landed(self) -> None:
        self.commit("main", {"other.txt": "other\n"})
        self.commit("main", {}, "feature/api")
        self.assert_own(self.diff(*self.states), "api.txt", "both.txt")

    def test_what_was_merged_into_the_branch_by_hand_is_not_its_own(self) -> None:
        self.commit("main", {"other.txt": "other\n"})
        self.commit("feature/api", {}, "main")
        found = self.diff(*self.states)
        self.assert_own(found, "api.txt", "both.txt")
        self.assertEqual(found.notes, ("feature/api has new commits since its run",))
        self.commit("feature/auth", {"more.txt": "more\n"})
        self.commit("feature/api", {"own.txt": "own\n"}, "feature/auth")
        self.assert_own(self.diff(*self.states), "api.txt", "both.txt", "own.txt")
        with self.subTest("after it landed"):
            self.commit("main", {}, "feature/api")
            self.commit("main", {"later.txt": ""})
            self.assert_own(self.diff(*self.states), "api.txt", "both.txt", "own.txt")

    def test_a_merge_of_its_own_branch_is_its_own(self) -> None:
        self.space.git("branch", "side", "feature/api")
        self.commit("side", {"side.txt": "side\n"})
        self.commit("feature/api", {}, "side")
        self.assert_own(self.diff(*self.states), "api.txt", "both.txt", "side.txt")
        with self.subTest("after the base was moved to it"):
            self.space.git("merge", "--quiet", "--ff-only", "feature/api")
            self.assert_own(self.diff(*self.states), "api.txt", "both.txt", "side.txt")

    def test_what_was_merged_with_a_conflict_is_included_and_said(self) -> None:
        self.commit("main", {"auth.txt": "main\n"})
        space = self.space
        space.git("switch", "--quiet", "feature/api")
        space.git("merge", "--quiet", "main", fails=True)
        space.commit({"auth.txt": "both\n"})
        space.git("switch", "--quiet", "main")
        found = self.diff(*self.states)
        self.assert_own(found, "api.txt", "auth.txt", "both.txt")
        said = "it includes what was merged from the base into the branch"
        self.assertIn(said, found.notes)
        with self.subTest("a merge driver of the user's decides"):
            space.git("config", "merge.mine.driver", "true")
            space.write({"info/attributes": "auth.txt merge=mine\n"}, at=space.git_folder)
            self.assertIn(said, self.diff(*self.states).notes)

    def test_without_dependencies_only_the_base_can_come_in(self) -> None:
        self.commit("main", {"other.txt": "other\n"})
        self.commit("feature/auth", {}, "main")
        self.assert_own(self.diff(self.states[0]), "auth.txt")

    def test_an_amended_branch_and_a_rebased_one_count_as_they_are(self) -> None:
        space = self.space
        space.git("switch", "--quiet", "feature/api")
        space.write({"api.txt": "amended\n"})
        space.git("commit", "--quiet", "--all", "--amend", "--no-edit")
        space.git("switch", "--quiet", "main")
        found = self.diff(*self.states)
        self.assertIn("+amended\n", found.files[0].patch)
        self.assertIn("was rewritten since its run", found.notes[0])
        self.commit("main", {"other.txt": "other\n"})
        space.git("rebase", "--quiet", "--onto", "main", "feature/auth", "feature/api")
        space.git("switch", "--quiet", "main")
        self.assert_own(self.diff(*self.states), "api.txt", "both.txt")

    def test_a_deleted_branch_leaves_the_result_of_its_run(self) -> None:
        self.space.git("branch", "--quiet", "-D", "feature/api")
        found = self.diff(*self.states)
        self.assert_own(found, "api.txt", "both.txt")
        self.assertIn("feature/api was deleted", found.notes[0])

    def test_after_a_cleanup_the_kept_ref_has_it(self) -> None:
        gone = {"branch": "", "start_commit": ""}
        kept = self.commit("feature/api", {"late.txt": "late\n"})
        self.space.git("branch", "--quiet", "-D", "feature/api")
        ref = "refs/rorchestrator/kept/api/r1"
        self.space.git("update-ref", ref, kept)
        auth, api = self.states
        api = replace(api, **gone)  # type: ignore[arg-type]
        self.assert_own(self.diff(auth, api), "api.txt", "both.txt")
        found = self.diff(auth, replace(api, kept_ref=ref))
        self.assert_own(found, "api.txt", "both.txt", "late.txt")
        self.assertEqual(found.notes, ())

    def test_a_feature_that_never_began_has_none(self) -> None:
        self.assertIsNone(self.maybe(FeatureState("api")))
        self.assertIsNone(self.maybe(FeatureState("gone", branch="feature/gone")))

    def test_without_any_start_it_says_so(self) -> None:
        lone = self.space.git("commit-tree", "-m", "lone", f"{self.base}^{{tree}}")
        self.space.git("update-ref", "refs/heads/feature/lone", lone)
        known = FeatureState("lone", branch="feature/lone", status=Status.FAILED)
        with self.assertRaisesRegex(UserError, "the commit that lone started from is unknown"):
            self.maybe(known)

    def test_work_that_git_has_collected_is_gone(self) -> None:
        known = self.known("auth", "4" * 40, "5" * 40)
        with self.assertRaisesRegex(UserError, "the work of auth is gone: git has no commit 55555"):
            self.maybe(replace(known, is_replaced=True))


class AWorktree(OwnWorkTest):
    def setUp(self) -> None:
        super().setUp()
        self.space.write({".gitignore": "*.log\n"})
        self.start = self.space.commit({"old.txt": "old\n"})
        self.path = self.space.worktree("auth")
        made = ("worktree", "add", "--quiet", "-b", "feature/auth", self.path)
        self.space.git(*made)

    def running(self) -> FeatureState:
        return self.known("auth", self.start, status=Status.RUNNING, worktree=self.path)

    def test_uncommitted_work_is_part_of_it_without_what_a_commit_leaves_out(self) -> None:
        before = self.space.seen_by_user()
        objects = self.space.git("count-objects")
        self.assert_own(self.diff(self.running()))
        self.space.commit({"one.txt": "1\n"}, at=self.path)
        self.space.write({"one.txt": "2\n", "two.txt": "2\n", ".env": "KEY=1\n"}, at=self.path)
        self.space.write({"x.log": "", "old.txt": None}, at=self.path)
        found = self.diff(self.running())
        self.assert_own(found, "old.txt", "one.txt", "two.txt")
        self.assertEqual(found.uncommitted, ("old.txt", "one.txt", "two.txt"))
        self.assertIn("+2\n", found.files[1].patch)
        self.assertEqual(self.space.seen_by_user(), before)
        self.assertNotEqual(self.space.git("count-objects"), objects, "the commit")
        counted = self.space.git("count-objects")
        self.diff(self.running())
        self.assertEqual(self.space.git("count-objects"), counted)
        with self.subTest("a completed feature"):
            done = replace(self.running(), status=Status.COMPLETED)
            self.assert_own(self.diff(done), "one.txt")

    def test_a_worktree_that_cannot_be_read_leaves_the_branch(self) -> None:
        self.space.commit({"one.txt": "1\n"}, at=self.path)
        os.mkfifo(os.path.join(self.path, ".gitattributes"))
        found = self.diff(self.running())
        self.assert_own(found, "one.txt")
        self.assertIn("its uncommitted work could not be read", found.notes[0])

    def test_a_deleted_worktree_leaves_the_branch(self) -> None:
        self.space.commit({"one.txt": "1\n"}, at=self.path)
        os.rename(self.path, f"{self.path}-moved")
        self.assert_own(self.diff(self.running()), "one.txt")


if __name__ == "__main__":
    unittest.main()
