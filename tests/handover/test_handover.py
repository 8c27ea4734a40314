"""Branches pushed: each on what it is built on, nothing of others overwritten, every step twice."""

from __future__ import annotations

import os
from unittest import mock

from core.model import events, events_review
from core.model.handover import Push
from core.model.outcome import FeatureOutcome, Status, Work
from core.model.review import Answer
from core.worktree.manager import WorktreeManager
from tests.support.handovers import HandoverTest
from tests.support.lives import RUN
from tests.support.once import once
from tests.support.steered_runs import Run, started
from tests.support.workspace import feature


class PushTest(HandoverTest):
    def setUp(self) -> None:
        self.chain()

    def pushes(self) -> list[tuple[str, str]]:
        """What was recorded: feature and commit."""
        return [(event["feature"], event["commit"]) for event in self.shop.events("pushed")]

    def test_the_branches_are_pushed_once_and_recorded(self) -> None:
        auth, api = self.tip("auth"), self.tip("api")
        said = self.push()
        self.assertEqual(
            said.out.splitlines(),
            [
                f"pushed auth (feature/auth): {auth[:10]} on main",
                f"pushed api (feature/api): {api[:10]} on feature/auth",
            ],
        )
        there = self.forge.branches()
        self.assertEqual((there["feature/auth"], there["feature/api"]), (auth, api))
        self.assertEqual(self.pushes(), [("auth", auth), ("api", api)])
        again = self.push("--json")
        self.assertEqual(self.states(again), {"auth": "up to date", "api": "up to date"})
        self.assertEqual(len(self.pushes()), 2)
        self.assertEqual(
            self.shop.state().feature("api").pushes["origin"], Push("origin", "feature/api", api)
        )
        self.assertEqual(self.forge.calls(), [])

    def test_a_preview_pushes_and_records_nothing(self) -> None:
        said = self.push("--dry-run", "--json")
        self.assertEqual(self.states(said), {"auth": "would push", "api": "would push"})
        self.assertEqual(set(self.forge.branches()), {"main"})
        self.assertEqual(self.pushes(), [])

    def test_a_push_that_was_killed_before_its_record_counts(self) -> None:
        self.shop.git("push", "--quiet", "origin", "feature/auth")
        said = self.push("auth", "--json")
        self.assertEqual(self.states(said), {"auth": "up to date"})
        self.assertEqual(self.pushes(), [("auth", self.tip("auth"))])

    def test_a_commit_of_the_feature_that_you_pushed_is_no_obstacle(self) -> None:
        self.shop.git("push", "--quiet", "origin", "feature/auth")
        more = self.shop.commit({"more": "1"}, at=self.shop.worktree("auth"))
        said = self.push("auth", "--json")
        self.assertEqual(self.forge.branches()["feature/auth"], more)
        self.assertIn("has new commits since its run", self.ending(said, "auth")["notes"][0])

    def test_what_somebody_else_pushed_stays(self) -> None:
        self.push()
        theirs = self.forge.commit("feature/auth", {"theirs": "1"})
        said = self.push("--json")
        self.assertEqual(self.states(said), {"auth": "up to date", "api": "up to date"})
        self.assertEqual(
            self.ending(said, "auth")["notes"],
            ["somebody pushed more to feature/auth: git fetch origin feature/auth"],
        )
        self.shop.git("commit", "--quiet", "--amend", "-m", "x", at=self.shop.worktree("auth"))
        said = self.push("--json")
        self.assertEqual(said.code, 1)
        self.assertEqual(self.states(said), {"auth": "held", "api": "held"})
        self.assertIn(theirs[:10], self.ending(said, "auth")["reason"])
        self.assertEqual(self.ending(said, "api")["reason"], "it depends on auth, also held")
        self.assertEqual(self.forge.branches()["feature/auth"], theirs)

    def test_a_branch_of_somebody_else_with_the_same_name_stays(self) -> None:
        self.shop.git("push", "--quiet", "origin", "main:refs/heads/feature/auth")
        said = self.push("auth")
        self.assertEqual(said.code, 1)
        self.assertIn("which we did not push, so it stays", said.out)
        self.assertEqual(self.forge.branches()["feature/auth"], self.shop.commit_of("main"))

    def test_an_amended_branch_is_pushed_again_and_its_dependent_put_on_it(self) -> None:
        self.push()
        self.shop.write({"auth.txt": "better\n"}, at=self.shop.worktree("auth"))
        self.shop.git(
            "commit", "--quiet", "-a", "--amend", "-m", "x", at=self.shop.worktree("auth")
        )
        said = self.push("--json")
        self.assertEqual(self.states(said), {"auth": "pushed", "api": "pushed"})
        there = self.forge.branches()
        self.assertEqual(there["feature/auth"], self.tip("auth"))
        self.assertEqual(self.forge.git("rev-parse", "feature/api^"), self.tip("auth"))
        self.assertIn("its commits were put on feature/auth", self.ending(said, "api")["notes"][0])
        self.assertEqual(self.states(self.push("--json"))["api"], "up to date")
        self.assertNotEqual(self.tip("api"), there["feature/api"])

    def test_a_branch_that_was_deleted_there_is_pushed_again_only_if_it_is_named(self) -> None:
        self.push()
        self.forge.git("update-ref", "-d", "refs/heads/feature/api")
        said = self.push()
        self.assertIn("feature/api was deleted on origin; rorchestrator push api", said.out)
        self.assertEqual(self.push("api").code, 0)
        self.assertIn("feature/api", self.forge.branches())

    def test_the_words_of_a_server_that_refuses_are_shown(self) -> None:
        hook = os.path.join(self.forge.git_folder, "hooks", "update")
        os.makedirs(os.path.dirname(hook), exist_ok=True)
        self.shop.script(
            hook, "#!/bin/sh\necho 'GH013: push declined, sk-ant-abcdefghij'\nexit 1\n"
        )
        said = self.push()
        self.assertEqual(said.code, 1)
        self.assertIn("GH013: push declined, [masked Anthropic key]", said.out)
        self.assertIn("it depends on auth, also held", said.out)
        self.assertEqual(self.pushes(), [])

    def test_a_branch_of_the_remote_that_prevents_the_push_is_named(self) -> None:
        self.forge.git("update-ref", "refs/heads/feature", "main")
        said = self.push()
        self.assertEqual(said.code, 1)
        self.assertIn("(feature/auth): refs/heads/feature is in the way of refs/heads", said.out)
        self.assertIn("there: git push origin --delete refs/heads/feature\n", said.out)
        self.forge.git("update-ref", "-d", "refs/heads/feature")
        self.assertEqual(self.push().code, 0)

    def test_only_accepted_features_are_pushed_if_you_say_so(self) -> None:
        self.shop.record(
            events_review.reviewed(1, "auth", answer=Answer.ACCEPTED, commit=self.tip("auth"))
        )
        said = self.push("--accepted", "--json")
        self.assertEqual(self.states(said), {"auth": "pushed", "api": "held"})
        self.assertIn("rorchestrator review api", self.ending(said, "api")["reason"])

    def test_commits_of_submodules_have_to_be_published_first(self) -> None:
        commands = ["git -C lib push origin c0ffee:refs/heads/feature/auth"]

        async def unpublished(*_: object) -> list[str]:
            return commands

        with mock.patch.object(WorktreeManager, "unpublished", unpublished):
            said = self.push("auth")
        self.assertEqual(said.code, 1)
        self.assertIn(f"\n    {commands[0]}\n", said.out)

    def test_a_run_in_progress_records_it(self) -> None:
        with self.shop.at_work(started("r1", os.getpid())):
            run = Run(self.shop)
            run.start()
            self.assertEqual(self.push("auth").code, 0)
            run.over.set()
            run.join()
        self.assertEqual(self.pushes(), [("auth", self.tip("auth"))])

    def test_a_branch_without_commits_of_its_own_any_more_is_held(self) -> None:
        self.shop.git("reset", "--quiet", "--hard", "main", at=self.shop.worktree("auth"))
        said = self.push("auth")
        self.assertIn("was reset and has no commits of its own", said.out)


def outcome(work: Work) -> FeatureOutcome:
    """That a feature completed with this work."""
    return FeatureOutcome(Status.COMPLETED, work=work)


@once
class OthersTest(HandoverTest):
    def test_a_feature_that_is_not_completed_is_held(self) -> None:
        self.open(feature("auth"))
        said = self.push("auth")
        self.assertEqual(
            (said.code, said.out), (1, "held auth (): its status is pending, not completed\n")
        )
        self.assertEqual(self.push().out, "Nothing to hand over to origin.\n")
        self.assertEqual(self.push("other").code, 2)

    def test_a_branch_that_can_not_be_handed_over_is_held_with_the_reason(self) -> None:
        self.open(feature("auth"), feature("old"), feature("gone"), feature("none"))
        for id in ("auth", "old", "gone", "none"):
            self.shop.finish(id)
        self.shop.git(
            "rebase",
            "--quiet",
            "--exec",
            "false",
            "HEAD~1",
            fails=True,
            at=self.shop.worktree("auth"),
        )
        self.shop.record(
            events.cleaned(1, "old", merged_into="", kept_ref="", discarded=False, detail=""),
            events.ended(1, RUN, "gone", outcome(Work("1" * 40, 1, 1))),
            events.ended(1, RUN, "none", outcome(Work(self.shop.commit_of("main")))),
        )
        self.shop.git("worktree", "remove", "--force", self.shop.worktree("gone"))
        self.shop.git("branch", "-D", "feature/gone")
        said = self.push("--json")
        reasons = {each["id"]: each["reason"] for each in said.json["features"]}
        self.assertIn("a rebase of its branch is in progress", reasons["auth"])
        self.assertIn("its branch was removed by a cleanup", reasons["old"])
        self.assertEqual(reasons["gone"], "its result 1111111111 no longer exists")
        self.assertEqual(reasons["none"], "it changed nothing")

    def test_a_feature_of_another_base_is_held_with_the_option(self) -> None:
        self.open(feature("auth"))
        self.shop.git("branch", "release")
        self.shop.git("push", "--quiet", "origin", "release")
        about = {"pid": 1, "base_branch": "release", "base_commit": "", "features": ["auth"]}
        self.shop.record(
            events.run_started(1, RUN, max_parallel=1, base_option="release", **about),  # type: ignore[arg-type]
        )
        self.shop.finish("auth")
        self.assertIn("it started from another base: add --base release", self.push().out)
        self.assertEqual(self.push("--base", "release", "--json").json["base"], "release")

    def test_what_a_cleanup_removed_has_landed_even_if_its_commit_is_gone(self) -> None:
        self.open(feature("auth"), feature("api", depends_on=["auth"]))
        self.shop.finish("auth")
        self.shop.finish("api", start="feature/auth")
        self.shop.git("merge", "--quiet", "--ff-only", "feature/auth")
        self.assertEqual(self.shop.main("cleanup", "--merged").code, 0)
        self.shop.git("push", "--quiet", "origin", "main")
        said = self.push("--json")
        self.assertEqual(self.states(said), {"auth": "landed", "api": "pushed"})
        self.assertEqual(self.ending(said, "auth")["reason"], "cleaned up")

    def test_a_base_that_was_not_pushed_is_named(self) -> None:
        self.open(feature("auth"))
        self.shop.commit({"local": "1"})
        self.shop.finish("auth")
        said = self.push()
        self.assertIn("of main, which origin does not have: git push origin main", said.out)
        self.shop.git("push", "--quiet", "origin", "main")
        self.assertEqual(self.push().code, 0)

    def test_what_landed_here_alone_is_held_until_the_base_is_pushed(self) -> None:
        self.open(feature("auth"), feature("empty", allow_empty=True))
        self.shop.finish("auth")
        self.shop.finish("empty", {})
        self.shop.git("merge", "--quiet", "--no-ff", "feature/auth")
        said = self.push()
        self.assertIn("it landed on your main, which has not been pushed since", said.out)
        self.shop.git("push", "--quiet", "origin", "main")
        said = self.push("--verbose")
        self.assertEqual(said.code, 0)
        self.assertEqual(
            said.out,
            "landed auth (feature/auth): ancestor\n"
            "landed empty (feature/empty): empty difference\n",
        )
