"""Pull requests: opened, brought up to date, retargeted; what people changed stays."""

from __future__ import annotations

import os
from unittest import mock

from core.handover.pull_requests import PullRequests
from tests.support.commands import wait_until
from tests.support.handovers import HandoverTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class PullRequestTest(HandoverTest):
    def setUp(self) -> None:
        self.chain()

    def changes(self) -> list[str]:
        """The requests so far that changed something: method and path."""
        calls = [call for call in self.forge.calls() if "--method" in call]
        found = [(call[call.index("--method") + 1], call[-1]) for call in calls]
        return [f"{method} {path}" for method, path in found if method != "GET"]

    def test_they_are_opened_on_what_they_are_built_on_and_recorded(self) -> None:
        said = self.pr("--draft")
        url = "https://github.com/acme/shop/pull/"
        self.assertIn(f"    opened {url}11\n", said.out)
        self.assertEqual(self.bases(), {"feature/auth": "main", "feature/api": "feature/auth"})
        pull = self.forge.pulls["feature/api"]
        self.assertEqual((pull["title"], pull["draft"]), ("api", True))
        self.assertIn("**Built on**: #11 (`auth`)", pull["body"])
        known = self.shop.state().feature("api").pull_request
        assert known is not None
        self.assertEqual((known.url, known.base, known.state), (f"{url}12", "feature/auth", "open"))
        before = self.changes()
        said = self.pr()
        self.assertIn(f"    up to date: {url}12\n", said.out)
        self.assertEqual(self.changes(), before)
        self.assertEqual(len(self.shop.events("pull_request")), 2)

    def test_a_preview_opens_nothing(self) -> None:
        said = self.pr("--dry-run")
        self.assertIn("would push api (feature/api)", said.out)
        self.assertIn("    would open a pull request\n", said.out)
        self.assertEqual(self.changes(), [])
        self.pr()
        self.forge.change("feature/auth", base="develop")
        said = self.pr("--dry-run")
        self.assertEqual(len(self.shop.events("pull_request")), 2)
        self.assertIn("    would update https://github.com/acme/shop/pull/12\n", said.out)

    def test_after_a_squash_merge_the_next_one_shows_its_own_work_only(self) -> None:
        self.pr()
        self.forge.merge("feature/auth", squash=True)
        said = self.pr("--sync")
        self.assertIn("its base changed from feature/auth to main", said.out)
        self.assertEqual(self.bases()["feature/api"], "main")
        self.assertEqual(self.forge.shown("feature/api"), {"api.txt"})
        self.assertEqual(self.forge.git("rev-list", "--count", "main..feature/api"), "1")
        self.assertIn("**Built on**: `main`", self.forge.pulls["feature/api"]["body"])
        state = self.shop.state().feature("auth").pull_request
        self.assertEqual(state and state.state, "merged")
        before = self.changes(), self.forge.branches()
        asked = len(self.forge.calls())
        self.assertEqual(self.pr("--sync").code, 0)
        self.assertEqual((self.changes(), self.forge.branches()), before)
        self.assertEqual(len(self.forge.calls()), asked + 1)  # not for what has landed

    def test_after_a_merge_commit_the_base_alone_changes(self) -> None:
        self.pr()
        self.forge.merge("feature/auth")
        self.pr("--sync")
        self.assertEqual(self.bases()["feature/api"], "main")
        self.assertEqual(self.forge.branches()["feature/api"], self.tip("api"))
        self.assertEqual(self.forge.shown("feature/api"), {"api.txt"})

    def test_one_that_merges_on_its_own_is_named_and_never_has_the_new_base_early(self) -> None:
        self.pr()
        self.forge.change("feature/api", armed=True)
        said = self.pr()
        self.assertIn("although feature/auth has not landed: turn it off on", said.out)
        self.forge.merge("feature/auth", squash=True)
        self.pr("--sync")
        self.assertEqual(self.bases()["feature/api"], "main")
        self.assertEqual(self.forge.shown("feature/api"), {"api.txt"})

    def test_what_people_wrote_around_our_part_stays(self) -> None:
        self.pr("auth")
        text = self.forge.pulls["feature/auth"]["body"]
        self.forge.change("feature/auth", body=f"Look here first.\n\n{text}\n\ncloses #7\n")
        self.shop.commit({"more": "1"}, at=self.shop.worktree("auth"))
        said = self.pr("auth")
        self.assertIn("    updated https", said.out)
        new = self.forge.pulls["feature/auth"]["body"]
        self.assertTrue(new.startswith("Look here first.\n\n<!-- rorchestrator"))
        self.assertTrue(new.endswith("-->\n\ncloses #7\n"))
        self.assertIn(self.tip("auth"), new)
        self.forge.change("feature/auth", body="I wrote it all anew")
        self.pr("auth")
        self.assertEqual(self.forge.pulls["feature/auth"]["body"], "I wrote it all anew")

    def test_a_base_that_a_person_changed_stays(self) -> None:
        self.pr()
        self.forge.change("feature/api", base="main")
        said = self.pr()
        self.assertIn("changed its base from feature/auth to main; it stays there", said.out)
        self.assertEqual(self.bases()["feature/api"], "main")

    def test_one_that_was_closed_stays_closed_until_it_is_named(self) -> None:
        self.pr()
        self.forge.change("feature/api", state="closed")
        said = self.pr()
        self.assertEqual(said.code, 1)
        self.assertIn("/12 was closed; rorchestrator pr api opens a new one", said.out)
        self.assertEqual(self.pr("api").code, 0)
        self.assertEqual(self.forge.pulls["feature/api"]["number"], 13)

    def test_one_of_an_earlier_feature_with_the_same_branch_is_not_ours(self) -> None:
        self.shop.git("push", "--quiet", "origin", "feature/auth")
        self.forge.add("feature/auth", state="merged", sha="0" * 40)
        self.forge.git("update-ref", "-d", "refs/heads/feature/auth")
        self.pr("auth")
        self.assertEqual(self.forge.pulls["feature/auth"]["state"], "open")

    def test_one_that_another_process_opens_at_the_same_time_is_taken(self) -> None:
        async def seen(*_: object) -> None:
            return None

        self.shop.git("push", "--quiet", "origin", "feature/auth")
        self.forge.add("feature/auth")
        with mock.patch.object(PullRequests, "seen", seen):
            said = self.pr("auth", "--json")
        self.assertEqual(self.ending(said, "auth")["pull_request"]["number"], 11)

    def test_one_that_was_opened_by_hand_is_found(self) -> None:
        self.shop.git("push", "--quiet", "origin", "feature/auth")
        self.forge.add("feature/auth", body="by hand")
        said = self.pr("auth")
        self.assertIn("up to date: https://github.com/acme/shop/pull/11", said.out)
        self.assertEqual(self.forge.pulls["feature/auth"]["body"], "by hand")

    def test_one_that_was_merged_with_changes_of_the_reviewer_has_landed(self) -> None:
        self.pr()
        self.forge.commit("feature/auth", {"auth.txt": "better\n"})
        self.forge.merge("feature/auth", squash=True)
        self.forge.commit("main", {"auth.txt": "best\n"})
        said = self.pr("--sync", "--json")
        self.assertEqual(self.states(said), {"auth": "landed", "api": "pushed"})
        self.assertEqual(self.forge.shown("feature/api"), {"api.txt"})

    def test_one_that_was_merged_into_anothers_branch_is_left_there(self) -> None:
        self.pr()
        self.forge.merge("feature/api")
        said = self.pr("--json")
        self.assertEqual(self.states(said), {"auth": "up to date", "api": "up to date"})
        self.assertIn(
            "its pull request was merged into feature/auth", self.ending(said, "api")["notes"]
        )

    def test_sync_opens_none(self) -> None:
        self.pr("auth")
        said = self.pr("--sync", "--json")
        self.assertEqual(self.states(said), {"auth": "up to date", "api": "left out"})
        self.assertEqual(set(self.forge.pulls), {"feature/auth"})

    def test_what_was_pushed_before_the_forge_refused_is_found_by_the_next_command(self) -> None:
        self.forge.set(refuse="API rate limit exceeded")
        said = self.pr()
        self.assertEqual(said.code, 1)
        self.assertIn("held auth (feature/auth): gh could not ask github.com", said.out)
        self.assertIn("feature/auth", self.forge.branches())
        self.forge.set(refuse="")
        self.assertEqual(self.states(self.pr("--json")), {"auth": "up to date", "api": "pushed"})

    def test_without_a_login_nothing_is_pushed(self) -> None:
        self.forge.set(logins={"gh": [], "glab": []})
        said = self.pr()
        self.assertEqual(said.code, 2)
        self.assertIn("gh auth login --hostname github.com", said.err)
        self.assertEqual(set(self.forge.branches()), {"main"})

    def test_without_gh_nothing_is_pushed_and_push_is_named(self) -> None:
        path = self.shop.environ["PATH"].split(os.pathsep)[0]
        os.unlink(os.path.join(path, "gh"))
        bare = os.path.join(self.shop.root, "git-only")
        os.mkdir(bare)
        git = next(
            os.path.join(folder, "git")
            for folder in self.shop.environ["PATH"].split(os.pathsep)
            if os.path.exists(os.path.join(folder, "git"))
        )
        os.symlink(git, os.path.join(bare, "git"))
        said = self.shop.main("pr", env={"PATH": bare})
        self.assertEqual(said.code, 2)
        self.assertIn("gh was not found; pull requests on github.com need it", said.err)
        self.assertIn("rorchestrator push", said.err)
        self.assertEqual(set(self.forge.branches()), {"main"})


class BesideARunTest(HandoverTest):
    def test_what_is_completed_is_handed_over_while_the_rest_is_at_work(self) -> None:
        self.open(feature("auth"), feature("api", depends_on=["auth"]))
        waits = feature("slow", {"wait": self.shop.beside("go")}, {"bash": "touch slow.txt"})
        self.shop.change([*self.shop.document["features"], waits])
        run = self.shop.start("run", "--yes")
        done = {"auth": "completed", "api": "completed"}
        wait_until(lambda: self.shop.statuses() == done, "both are completed")
        self.assertEqual(self.states(self.pr("--json")), {"auth": "pushed", "api": "pushed"})
        self.shop.touch("go")
        self.assertEqual(run.end().code, 0)
        known = self.shop.state().feature("api")
        assert known.pull_request is not None
        self.assertEqual(known.pull_request.base, "feature/auth")
        self.assertEqual(known.pushes["origin"].commit, self.tip("api"))


class MergeRequestTest(HandoverTest):
    def test_a_chain_on_gitlab_is_opened_and_retargeted(self) -> None:
        self.chain("glab")
        self.pr("--draft")
        self.assertEqual(self.bases(), {"feature/auth": "main", "feature/api": "feature/auth"})
        self.assertEqual(self.forge.pulls["feature/api"]["title"], "Draft: api")
        self.assertIn("**Built on**: !11 (`auth`)", self.forge.pulls["feature/api"]["body"])
        self.forge.merge("feature/auth", squash=True)
        said = self.pr("--sync", "--json")
        self.assertEqual(self.ending(said, "api")["base"], "main")
        self.assertEqual(self.forge.shown("feature/api"), {"api.txt"})

    def test_a_list_without_completed_features_has_nothing_to_hand_over(self) -> None:
        self.open(feature("auth"))
        self.assertEqual(self.pr().out, "Nothing to hand over to origin.\n")
