"""What other machines will find on the remote."""

from __future__ import annotations

import os

from core.engines.on_remote import check_branches, remote_with_base, url_for_others
from core.git.remotes import RemoteUrls
from core.model.errors import UserError
from core.model.mask import Mask
from core.project.open import open_project
from core.project.remote import Remote
from tests.support.on_slurm import SlurmTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class OnRemoteTest(SlurmTest):
    def setUp(self) -> None:
        self.open(feature("a"))

    def url(self, base: str = "") -> str:
        project = open_project(self.shop.list_file, base, Mask({}))
        return url_for_others(project, remote_with_base(project, ""))

    def refused(self, base: str = "") -> UserError:
        with self.assertRaises(UserError) as caught:
            self.url(base)
        return caught.exception

    def test_a_path_is_absolute_for_others_and_a_url_stays(self) -> None:
        self.assertEqual(self.url(), self.remote)
        self.shop.git("remote", "set-url", "origin", "../shop.git")
        self.assertEqual(os.path.normpath(self.url()), self.remote)
        self.shop.git("remote", "set-url", "origin", f"file://{self.remote}")
        self.assertEqual(self.url(), f"file://{self.remote}")

    def test_a_password_or_a_token_in_the_url_is_refused(self) -> None:
        project = open_project(self.shop.list_file, "", Mask({"SHOP_TOKEN": "abcdef-ghij"}))

        def url(user: str) -> str:
            urls = RemoteUrls("", f"https://{user}@localhost/shop.git", "")
            return url_for_others(project, Remote(project.git, "origin", urls, "main"))

        for secret in ("me:secret", f"ghp_{'x' * 36}", f"glpat-{'x' * 20}", "abcdef-ghij"):
            with self.assertRaises(UserError) as caught:
                url(secret)
            self.assertIn("the URL of origin has a password", caught.exception.message)
        self.assertEqual(url("me"), "https://me@localhost/shop.git")

    def test_branches_of_the_remote_that_prevent_those_of_features_are_named(self) -> None:
        project = open_project(self.shop.list_file, "", Mask({}))
        remote = remote_with_base(project, "")
        check_branches(project, remote, ["a", "b"])
        for other, refs in (
            ("refs/heads/feature", ["refs/heads/feature/a", "refs/heads/feature/b"]),
            ("refs/heads/feature/b/x", ["refs/heads/feature/b"]),
        ):
            with self.subTest(other):
                self.shop.git("update-ref", other, "HEAD", at=self.remote)
                with self.assertRaises(UserError) as caught:
                    check_branches(project, remote, ["a", "b"])
                self.assertEqual(caught.exception.message, "branches on origin are in the way")
                said = [f"{other} is in the way of {ref}: git" for ref in refs]
                self.assertEqual(len(caught.exception.details), len(refs))
                for detail, expected in zip(caught.exception.details, said):
                    self.assertIn(expected, detail)
                self.shop.git("update-ref", "-d", other, at=self.remote)

    def test_a_commit_that_the_remote_lacks_is_to_be_pushed(self) -> None:
        self.shop.commit({"x": "x"}, "not pushed")
        error = self.refused()
        self.assertIn("main on origin does not have the commit", error.message)
        self.assertEqual(error.hint, "git push origin main")
        self.shop.git("push", "--quiet", "origin", "main")
        self.url()
        self.shop.git("update-ref", "refs/remotes/origin/main", self.shop.commit({"y": ""}, "y"))
        self.assertEqual(self.refused("origin/main").hint, "git fetch origin")

    def test_a_list_that_is_not_committed_as_it_is_here_is_refused(self) -> None:
        self.shop.features(feature("a"), feature("b"))
        error = self.refused()
        self.assertIn("lacks your version of config/feature_list.json", error.message)
        self.assertEqual(error.hint, "commit and push them on main")
        self.shop.features({"id": "a", "prompt_file": "a.md"})
        self.shop.write({"prompts/a.md": "Do it.\r\n"})
        self.shop.commit({}, "list")
        self.shop.git("push", "--quiet", "origin", "main")
        self.url()
        self.shop.write({"prompts/a.md": "Do it.\n"})
        self.url()
        self.shop.write({"prompts/a.md": "Do something else.\n"})
        self.assertIn("prompts/a.md", self.refused().message)
