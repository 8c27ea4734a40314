"""The status of a project, collected from its journal and git."""

from __future__ import annotations

import os
import shutil
import time
import unittest

from core.model import events
from core.model.outcome import FeatureOutcome, Status, Stray, Work
from core.model.window import Window
from core.process import spawner
from core.reporter.project_status import Checkout, FeatureStatus, PredictedConflict
from tests.support.lives import RUN, attempt
from tests.support.once import once
from tests.support.statuses import status_of
from tests.support.workspace import Workspace, feature


def features_of(space: Workspace, *, all_lists: bool = False) -> dict[str, FeatureStatus]:
    return {each.id: each for each in status_of(space, all_lists=all_lists).features}


def checkout_of(space: Workspace, id: str) -> Checkout:
    return features_of(space)[id].checkout


class TwoThatCompleted(unittest.TestCase):
    space: Workspace

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = Workspace([feature("auth", name="Sign-in"), feature("api"), feature("idle")])
        cls.addClassCleanup(cls.space.close)
        cls.space.finished("auth", "api")
        cls.space.write({"half done.txt": "", "b.txt": ""}, at=cls.space.worktree("api"))

    def test_the_project_is_described(self) -> None:
        status = status_of(self.space)
        self.assertEqual(
            (status.project_name, status.repository, status.git_folder),
            ("Shop", self.space.path, os.path.join(self.space.path, ".git")),
        )
        self.assertEqual(
            (status.base_branch, status.base_commit), ("main", self.space.commit_of("main"))
        )
        self.assertEqual(
            (status.config, status.owner, status.other_lists),
            (self.space.list_file, "config/feature_list.json", ()),
        )
        self.assertEqual((status.holder, status.run, status.list_fault), (None, None, ""))

    def test_usage_windows_that_are_current_are_told(self) -> None:
        now = time.time()
        space = Workspace([feature("auth")])
        self.addCleanup(space.close)
        self.assertEqual(status_of(space).windows, ())
        full, over = Window("five_hour", 0.8, now + 60, now), Window("seven_day", 0.9, now - 1, now)
        space.record(*(events.window(now, RUN, seen=seen) for seen in (full, over)))
        self.assertEqual([each.type for each in status_of(space).windows], ["five_hour"])

    def test_a_feature_has_its_branch_and_its_worktree(self) -> None:
        expected = Checkout(
            branch="feature/auth",
            commit=self.space.commit_of("feature/auth"),
            ahead=1,
            worktree=self.space.worktree("auth"),
        )
        self.assertEqual(checkout_of(self.space, "auth"), expected)
        files = ("b.txt", "half done.txt")
        self.assertEqual(checkout_of(self.space, "api").uncommitted, files)
        self.assertEqual(checkout_of(self.space, "idle"), Checkout())

    def test_a_feature_is_looked_for_where_it_was_made(self) -> None:
        before = checkout_of(self.space, "auth")
        self.space.change(branch_prefix="work/", worktrees_path="../others")
        try:
            self.assertEqual(checkout_of(self.space, "auth"), before)
        finally:
            self.space.change(branch_prefix="feature/", worktrees_path="../worktrees")

    def test_a_feature_that_left_the_list_but_not_the_disk_is_still_there(self) -> None:
        before = self.space.document["features"]
        assert isinstance(before, list)
        try:
            self.space.change([feature("idle")])
            features = features_of(self.space)
        finally:
            self.space.change(before)
        self.assertEqual(
            [(id, each.in_list) for id, each in features.items()],
            [("idle", True), ("auth", False), ("api", False)],
        )

    def test_a_worktree_that_was_moved_is_found_by_git(self) -> None:
        away = os.path.join(self.space.root, "elsewhere")
        self.space.git("worktree", "move", self.space.worktree("api"), away)
        try:
            checkout = checkout_of(self.space, "api")
            self.assertEqual((checkout.worktree, len(checkout.uncommitted)), (away, 2))
            os.rename(away, f"{away}-by-hand")
            checkout = checkout_of(self.space, "api")
            self.assertEqual((checkout.worktree, checkout.branch), ("", "feature/api"))
        finally:
            os.rename(f"{away}-by-hand", away)
            self.space.git("worktree", "move", away, self.space.worktree("api"))

    def test_a_worktree_whose_folder_is_gone_is_a_problem_until_git_forgets_it(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.finished("auth")
            shutil.rmtree(space.worktree("auth"))
            gone = f"the worktree {space.worktree('auth')} is gone: moved or deleted by hand"
            checkout = checkout_of(space, "auth")
            self.assertEqual((checkout.worktree, checkout.problem), ("", gone))
            space.git("worktree", "prune")
            checkout = checkout_of(space, "auth")
            self.assertEqual(
                (checkout.worktree, checkout.problem, checkout.branch), ("", "", "feature/auth")
            )

    def test_a_broken_worktree_is_the_problem_of_its_feature_alone(self) -> None:
        at = self.space.worktree("auth")
        gitfile, index = f"{at}/.git", f"{self.space.path}/.git/worktrees/auth/index"
        for file, fault in ((gitfile, "no longer a worktree of this repository"), (index, "index")):
            with self.subTest(file), open(file, "rb") as opened:
                content = opened.read()
                os.unlink(file)
                if file == index:
                    self.space.write({file: "garbage"})
                try:
                    features = features_of(self.space)
                finally:
                    self.space.write({file: content})
                auth, api = features["auth"].checkout, features["api"].checkout
                self.assertIn(fault, auth.problem)
                self.assertEqual((auth.ahead, auth.worktree), (1, at))
                self.assertEqual((api.problem, len(api.uncommitted)), ("", 2))

    def test_status_does_not_block_on_a_pipe_that_an_agent_left(self) -> None:
        at = self.space.worktree("auth")
        built = os.path.join(at, "node_modules")
        os.mkdir(built)
        pipes = [os.path.join(folder, ".gitignore") for folder in (built, at)]
        for pipe in pipes:
            os.mkfifo(pipe)
        try:
            problem = checkout_of(self.space, "auth").problem
        finally:
            shutil.rmtree(built)
            os.unlink(pipes[-1])
        expected = f"{at}: git would block on a pipe: .gitignore"
        self.assertEqual(problem, expected)
        self.assertEqual(spawner._early, [], "git is still blocked")

    def test_a_branch_that_the_user_took_away_is_described(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.finished("auth")
            space.git("update-ref", "-d", "refs/heads/feature/auth")
            checkout = checkout_of(space, "auth")
            self.assertEqual((checkout.branch, checkout.commit), ("", ""))
            self.assertIn("feature/auth", checkout.by_hand)

    def test_branches_of_no_feature_are_strays(self) -> None:
        with Workspace([feature("auth")]) as space:
            commit = space.commit_of("main")
            left, gone = Stray("", "left", commit), Stray("/nowhere", "gone", commit)
            space.record(*(events.stray(1.0, RUN, "auth", each, "") for each in (left, gone)))
            space.git("branch", "left")
            # One that nobody recorded, as after a killed run.
            space.git("branch", "worktree-agent-7")
            expected = (("auth", left), ("", Stray("", "worktree-agent-7", commit)))
            self.assertEqual(status_of(space).strays, expected)


@once
class Merged(unittest.TestCase):
    def test_merged_work_has_its_proof(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            space.run()
            space.git("merge", "--quiet", "feature/auth")
            space.git("merge", "--quiet", "--squash", "feature/api")
            space.commit({}, "squashed")
            self.assertEqual(
                [(each.checkout.ahead, each.checkout.merged) for each in status_of(space).features],
                [(0, "ancestor"), (1, "merge adds nothing")],
            )
            space.main("cleanup", "--merged")
            for each in status_of(space).features:
                self.assertEqual(each.checkout, Checkout(merged="cleaned up"))


@once
class Conflicts(unittest.TestCase):
    def test_a_predicted_conflict_is_there_as_long_as_git_sees_it(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            space.finished("auth", "api")
            for id in ("auth", "api"):
                space.commit({"same.txt": id}, id, at=space.worktree(id))
            space.record(events.clash(1.0, RUN, "api", other="auth", files=["same.txt"]))
            conflict = PredictedConflict("auth", ("same.txt",))
            self.assertEqual(checkout_of(space, "api").conflicts, (conflict,))
            self.assertEqual(checkout_of(space, "auth").conflicts, ())
            # The base holds the other one by now: the conflict is with the base.
            space.git("merge", "--quiet", "feature/auth")
            self.assertEqual(checkout_of(space, "api").conflicts, (conflict,))
            space.commit({"same.txt": "auth"}, "as the other", at=space.worktree("api"))
            self.assertEqual(checkout_of(space, "api").conflicts, ())

    def test_the_result_of_a_merge_driver_is_unknown(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            space.finished("auth", "api")
            for id in ("auth", "api"):
                space.commit({"same.txt": id}, id, at=space.worktree(id))
            space.record(events.clash(1.0, RUN, "api", other="auth", files=["same.txt"]))
            space.git("config", "merge.mine.driver", "false")
            space.write({".git/info/attributes": "*.txt merge=mine\n"})
            (conflict,) = checkout_of(space, "api").conflicts
            self.assertEqual((conflict.other, conflict.files), ("auth", ("same.txt",)))
            self.assertIn("a merge driver decides", conflict.unknown)
            space.commit({"same.txt": "main"})
            checkout = checkout_of(space, "api")
            self.assertEqual((checkout.merged, checkout.ahead), ("", 2))
            self.assertIn("a merge driver decides", checkout.unknown)

    def test_a_conflict_with_a_deleted_branch_is_none(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            space.finished("api")
            space.record(events.clash(1.0, RUN, "api", other="auth", files=["same.txt"]))
            self.assertEqual(checkout_of(space, "api").conflicts, ())


class OtherLists(unittest.TestCase):
    def test_their_features_are_shown_only_if_asked_for(self) -> None:
        with Workspace([feature("auth")]) as space:
            prepared, begun = attempt("other")
            started = events.run_started(
                1.0,
                RUN,
                pid=1,
                base_branch="main",
                base_commit="",
                features=("other",),
                max_parallel=1,
                owner="other.json",
            )
            space.write({"other.json": "{}"})
            space.record(started, prepared, begun)
            status = status_of(space)
            self.assertEqual(status.other_lists, ("other.json",))
            self.assertEqual([each.id for each in status.features], ["auth"])
            other = features_of(space, all_lists=True)["other"]
            self.assertEqual((other.in_list, other.state.owner), (False, "other.json"))


class WhileARunIsInProgress(unittest.TestCase):
    def test_the_process_and_the_features_of_the_run_are_described(self) -> None:
        started = attempt("auth", at=time.time() - 100)
        with Workspace([feature("auth")]) as space:
            with space.at_work(*started):
                status = status_of(space)
            assert status.holder is not None
            self.assertEqual((status.holder.pid, status.holder.command), (os.getpid(), "run"))
            (auth,) = status.features
            self.assertEqual((auth.status, auth.is_active), ("running", True))
            self.assertGreater(auth.duration_seconds or 0, 99)
            # Its process is gone: it was killed.
            (auth,) = status_of(space).features
            self.assertEqual((auth.status, auth.is_active), ("interrupted", False))

    def test_before_the_first_run_everything_is_pending(self) -> None:
        with Workspace([feature("auth")]) as space:
            status = status_of(space)
            self.assertIsNone(status.run)
            self.assertEqual([each.status for each in status.features], ["pending"])
            self.assertFalse(os.path.exists(space.state_folder))

    def test_a_result_without_a_commit_of_its_own_is_not_merged(self) -> None:
        with Workspace([feature("auth")]) as space:
            work = Work(space.commit_of("main"))
            ended = events.ended(1.0, RUN, "auth", FeatureOutcome(Status.COMPLETED, work=work))
            space.record(*attempt("auth"), ended)
            self.assertEqual(checkout_of(space, "auth").merged, "")


if __name__ == "__main__":
    unittest.main()
