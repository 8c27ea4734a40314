"""Remotes: where they are, what they have, and pushes that overwrite nothing of others."""

from __future__ import annotations

import os

from core.git import remotes
from core.git.door import GitError
from core.process.spawner import run_sync
from tests.support.git import GitTest


class RemotesTest(GitTest):
    def setUp(self) -> None:
        super().setUp()
        self.url = self.beside("origin's here.git")
        self.repository.git("init", "--quiet", "--bare", self.url)
        self.repository.git("remote", "add", "origin", self.url)
        self.main = self.repository.commit_of("main")
        self.auth = self.repository.branch("feature/auth")

    def push(self, commit: str, lease: str, branch: str = "feature/auth") -> remotes.Pushed:
        return run_sync(remotes.push(self.git, "origin", branch, commit, lease))

    def there(self) -> dict[str, str]:
        asked = ("feature/auth", "main")
        return run_sync(remotes.branches_on(self.git, "origin", asked))

    def test_a_push_with_a_lease_overwrites_only_what_it_expects(self) -> None:
        self.assertEqual(self.there(), {})
        self.assertEqual(self.push(self.auth, ""), remotes.Pushed(True))
        self.assertEqual(self.there(), {"feature/auth": self.auth})
        amended = self.repository.commit({"a": "1"}, "other")
        refused = self.push(amended, "")
        self.assertFalse(refused.is_done)
        self.assertIn("stale info", refused.said)
        self.assertEqual(self.there(), {"feature/auth": self.auth})
        self.assertTrue(self.push(amended, self.auth).is_done)
        self.assertTrue(self.push(self.auth, amended).is_done)  # back, as after an amend

    def test_only_the_branch_is_pushed_whatever_the_settings_are(self) -> None:
        self.repository.git("tag", "-a", "v1", "-m", "v1")
        for key, value in (
            ("push.followTags", "true"),
            ("push.default", "matching"),
            ("remote.origin.push", "refs/heads/*:refs/heads/*"),
        ):
            self.repository.git("config", key, value)
        self.assertTrue(self.push(self.auth, "").is_done)
        listed = self.repository.git("for-each-ref", "--format=%(refname)", at=self.url)
        self.assertEqual(listed, "refs/heads/feature/auth")

    def test_the_users_hook_runs_where_it_does_for_a_plain_push(self) -> None:
        hooks = os.path.join(self.repository.path, ".git", "hooks")
        os.makedirs(hooks, exist_ok=True)
        path = os.path.join(hooks, "pre-push")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\npwd >&2\ncat >&2\necho no secrets here >&2\nexit 1\n")
        os.chmod(path, 0o755)
        refused = self.push(self.auth, "")
        lines = refused.said.split("\n")
        self.assertEqual((lines[0], lines[-1]), (self.repository.path, "no secrets here"))
        self.assertEqual(self.there(), {})

    def test_the_words_of_a_server_that_refuses_are_told(self) -> None:
        path = os.path.join(self.url, "hooks", "update")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho 'GH006: Protected branch update failed'\nexit 1\n")
        os.chmod(path, 0o755)
        said = self.push(self.auth, "").said
        self.assertIn("hook declined", said.split("\n")[0])
        self.assertIn("GH006: Protected branch update failed", said)

    def test_a_server_that_is_gone_is_told(self) -> None:
        os.rename(self.url, self.beside("gone"))
        self.assertIn("does not appear to be a git repository", self.push(self.auth, "").said)
        with self.assertRaises(GitError):
            self.there()
        silent = remotes._said(remotes.Finished(-9, b"", b""), "refs/heads/x")
        self.assertEqual(silent, "exit -9")

    def test_a_longer_name_with_the_same_end_is_another_branch(self) -> None:
        for branch in ("x/refs/heads/main", "old/feature/auth"):
            self.push(self.auth, "", branch)
        self.assertEqual(self.there(), {})

    def test_a_fetch_changes_no_ref(self) -> None:
        clone = self.beside("colleague")
        self.push(self.main, "", "main")
        self.repository.git("clone", "--quiet", "--branch", "main", self.url, clone)
        theirs = self.repository.commit({"theirs": "1"}, at=clone)
        self.repository.git("push", "--quiet", "origin", "main", at=clone)
        before = self.repository.git("for-each-ref")
        run_sync(remotes.fetch_commits(self.git, "origin", ["main"]))
        self.assertEqual(self.repository.git("for-each-ref"), before)
        self.assertEqual(run_sync(self.git.commit_of(theirs)), theirs)
        self.assertFalse(os.path.exists(os.path.join(self.repository.path, ".git", "FETCH_HEAD")))

    def test_the_urls_are_those_that_git_uses(self) -> None:
        self.repository.git("config", "remote.origin.pushurl", "gh:acme/shop")
        self.repository.git("config", "url.https://github.com/.insteadOf", "gh:")
        written = {"remote.origin.pushurl": "gh:acme/shop"}
        urls = run_sync(remotes.urls_of(self.git, "origin", written))
        self.assertEqual(
            urls, remotes.RemoteUrls(self.url, "https://github.com/acme/shop", "gh:acme/shop")
        )
        with self.assertRaises(GitError):
            run_sync(remotes.urls_of(self.git, "nowhere", {}))

    def test_the_default_is_the_one_of_a_plain_push(self) -> None:
        settings = {
            "remote.origin.url": "o",
            "remote.my fork.pushurl": "f",
            "branch.main.remote": ".",
        }
        self.assertEqual(remotes.names_in(settings), ("origin", "my fork"))
        self.assertEqual(remotes.default_of(settings, "main"), "")
        settings["branch.main.remote"] = "origin"
        self.assertEqual(remotes.default_of(settings, "main"), "origin")
        settings["remote.pushdefault"] = "my fork"
        self.assertEqual(remotes.default_of(settings, "main"), "my fork")
        settings["branch.main.pushremote"] = "origin"
        self.assertEqual(remotes.default_of(settings, "main"), "origin")
