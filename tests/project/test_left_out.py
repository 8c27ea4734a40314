"""What `plan` says does not take part in a run."""

from __future__ import annotations

import os
import unittest

from tests.support.workspace import Workspace, feature


class LeftOut(unittest.TestCase):
    def setUp(self) -> None:
        self.space = Workspace([feature("auth")])
        self.addCleanup(self.space.close)

    def warnings(self, **env: str) -> list[str]:
        said = self.space.main("plan", "--json", env=env)
        self.assertEqual(said.code, 0, said)
        found: list[str] = said.json["warnings"]
        return found

    def follow(self, count: int) -> None:
        """Let ``main`` follow a fetched branch that has so many more commits."""
        tip = self.space.commit_of("main")
        self.space.git("checkout", "--quiet", "--detach")
        for number in range(count):
            self.space.git("commit", "--quiet", "--allow-empty", "-m", f"theirs {number}")
        self.space.git("update-ref", "refs/remotes/origin/main", "HEAD")
        self.space.git("update-ref", "refs/heads/main", tip)
        self.space.git("checkout", "--quiet", "main")
        for key, value in (
            ("remote.origin.url", "/nowhere"),
            ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
            ("branch.main.remote", "origin"),
            ("branch.main.merge", "refs/heads/main"),
        ):
            self.space.git("config", key, value)

    def test_uncommitted_changes_are_named_without_list_prompts_and_reports(self) -> None:
        self.space.write({"prompts/a.md": "x", "reports/r.json": "{}"})
        self.space.change([feature("auth"), feature("api")])
        self.assertEqual(self.warnings(), [])
        self.space.write({"README.md": "changed\n", "new/file": "x"})
        expected = (
            "features start from main, without 2 uncommitted changes of the checkout: "
            "README.md, new/"
        )
        self.assertEqual(self.warnings(), [expected])
        self.assertIn(f"Warning: {expected}\n", self.space.main("plan").out)
        self.space.git("config", "filter.x.clean", "no-such-program")
        self.assertEqual(self.warnings(), [expected])

    def test_a_base_that_is_behind_its_upstream_is_named_also_if_not_checked_out(self) -> None:
        self.follow(2)
        expected = "main is 2 commits behind origin/main: features start without them (git pull)"
        self.assertEqual(self.warnings(), [expected])
        self.space.git("checkout", "--quiet", "-b", "other")
        self.assertEqual(self.warnings(), [expected])
        self.space.git("update-ref", "refs/heads/main", "refs/remotes/origin/main")
        self.assertEqual(self.warnings(), [])

    def test_commits_without_an_identity_are_named(self) -> None:
        self.space.git("config", "user.useConfigOnly", "true")
        nobody = {"GIT_CONFIG_GLOBAL": os.devnull}
        (said,) = self.warnings(**nobody)
        self.assertIn("git has no identity and would refuse to commit", said)
        given = {
            f"GIT_{role}_{what}": "x@y"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        self.assertEqual(self.warnings(**nobody, **given), [])
        self.space.git("config", "user.name", "X")
        addresses = {name: value for name, value in given.items() if name.endswith("EMAIL")}
        self.assertEqual(self.warnings(**nobody, **addresses), [])

    def test_a_checkout_that_git_cannot_read_is_no_obstacle(self) -> None:
        with open(os.path.join(self.space.path, ".git", "index"), "wb") as file:
            file.write(b"nonsense")
        self.assertEqual(self.warnings(), [])


if __name__ == "__main__":
    unittest.main()
