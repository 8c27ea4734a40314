"""Which remote branches go to."""

from __future__ import annotations

import os

from tests.support.handovers import HandoverTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class RemoteTest(HandoverTest):
    def setUp(self) -> None:
        self.open(feature("auth"))
        self.shop.finish("auth")

    def fork(self) -> str:
        """Another remote, whose name has a space."""
        url = self.shop.beside("fork.git")
        self.shop.git("clone", "--quiet", "--bare", self.forge.git_folder, url)
        self.shop.git("config", "remote.my fork.url", url)
        return url

    def test_the_default_is_that_of_a_plain_push(self) -> None:
        url = self.fork()
        self.shop.git("config", "remote.pushDefault", "my fork")
        self.assertEqual(self.push().code, 0)
        self.assertEqual(self.shop.git("rev-parse", "feature/auth", at=url), self.tip("auth"))
        self.assertNotIn("feature/auth", self.forge.branches())

    def test_a_remote_can_be_named_and_a_wrong_name_is_corrected(self) -> None:
        self.fork()
        self.assertEqual(self.push("--remote", "my fork").code, 0)
        said = self.push("--remote", "orign")
        self.assertEqual(said.code, 2)
        self.assertIn("no remote 'orign' (did you mean 'origin'?)", said.err)
        self.assertIn("--remote NAME names one of: origin, my fork", said.err)

    def test_a_remote_that_pushes_elsewhere_is_asked_there(self) -> None:
        self.shop.git("config", "remote.origin.pushurl", self.fork())
        self.shop.git("push", "--quiet", "origin", "feature/auth")
        self.assertEqual(self.states(self.push("--json")), {"auth": "up to date"})

    def test_each_url_of_a_remote_gets_the_branch_also_after_one_of_them_failed(self) -> None:
        other = self.fork()
        for url in (self.forge.git_folder, other):
            self.shop.git("config", "--add", "remote.origin.pushurl", url)
        os.rename(other, f"{other}~")
        self.assertEqual(self.states(self.push("--json")), {"auth": "held"})
        os.rename(f"{other}~", other)
        self.assertEqual(self.push("--dry-run").code, 0)
        self.assertEqual(self.states(self.push("--json")), {"auth": "up to date"})
        self.assertEqual(self.shop.git("rev-parse", "feature/auth", at=other), self.tip("auth"))
        # What somebody else pushed there stays, and is no success.
        self.shop.git("update-ref", "refs/heads/feature/auth", "main", at=other)
        theirs = self.shop.git(
            *("commit-tree", "-p", "main", "-m", "theirs", "main^{tree}"), at=other
        )
        self.shop.git("update-ref", "refs/heads/feature/auth", theirs, at=other)
        said = self.push("--json")
        self.assertEqual(self.states(said), {"auth": "held"})
        self.assertIn("rejected", self.ending(said, "auth")["reason"])
        self.assertEqual(self.shop.git("rev-parse", "feature/auth", at=other), theirs)

    def test_a_relative_url_is_relative_to_the_checkout_as_for_git(self) -> None:
        self.forge.commit("main", {"theirs": "1"})
        self.shop.git("config", "remote.origin.url", os.path.join("..", "origin.git"))
        said = self.shop.main("push", at=os.path.join(self.shop.path, "config"))
        self.assertEqual((said.code, said.err), (0, ""))
        self.assertIn("feature/auth", self.forge.branches())

    def test_the_only_remote_needs_no_name(self) -> None:
        self.shop.git("remote", "rename", "origin", "upstream")
        self.assertEqual(self.push("--json").json["remote"], "upstream")

    def test_a_base_that_is_a_branch_of_the_remote_is_that_branch(self) -> None:
        self.shop.git("fetch", "--quiet", "origin")
        said = self.push("--base", "origin/main", "--json")
        self.assertEqual((said.json["base"], said.code), ("main", 0))

    def test_without_a_remote_the_command_that_adds_one_is_named(self) -> None:
        self.shop.git("remote", "remove", "origin")
        said = self.push()
        self.assertEqual(said.code, 2)
        self.assertIn("git remote add origin URL", said.err)

    def test_a_remote_without_the_base_is_told_how_it_gets_it(self) -> None:
        self.forge.git("update-ref", "-d", "refs/heads/main")
        said = self.push()
        self.assertEqual(said.code, 2)
        self.assertIn("git push origin main", said.err)
        said = self.push("--base", self.shop.commit_of("main"))
        self.assertIn("--base BRANCH", said.err)

    def test_what_somebody_else_pushed_to_the_base_is_fetched_without_a_ref(self) -> None:
        theirs = self.forge.commit("main", {"theirs": "1"})
        before = self.shop.git("for-each-ref", "refs/heads", "refs/remotes/origin/main")
        self.assertEqual(self.push().code, 0)
        self.assertEqual(self.shop.commit_of(theirs), theirs)
        now = self.shop.git("for-each-ref", "refs/heads", "refs/remotes/origin/main")
        self.assertEqual(now, before)
        self.assertFalse(os.path.exists(os.path.join(self.shop.git_folder, "FETCH_HEAD")))
