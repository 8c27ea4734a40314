"""What features start from: a branch that is named, or the repository's own default."""

from __future__ import annotations

import os
import unittest

from tests.support.commands import CommandResult
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace, WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere


class WithoutAName(unittest.TestCase):
    """A list that names no base, in a repository whose branches change."""

    def setUp(self) -> None:
        self.space = Workspace([feature("auth")])
        self.addCleanup(self.space.close)
        self.main = self.space.commit_of("main")

    def assert_base(self, name: str, commit: str = "", at: str = "") -> None:
        told = self.space.main("status", "--json", at=at).json
        self.assertEqual((told["base_branch"], told["base_commit"]), (name, commit or self.main))

    def refused(self, *words: str) -> CommandResult:
        said = self.space.main("plan", *words)
        self.assertEqual((said.code, said.out), (2, ""), said)
        return said

    def test_the_default_is_looked_for_in_the_order_of_the_documents(self) -> None:
        git = self.space.git
        git("branch", "master")
        git("update-ref", "refs/remotes/origin/trunk", self.main)
        git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
        git("branch", "trunk")
        self.assert_base("main")
        git("checkout", "--quiet", "-b", "mine")
        git("branch", "-D", "main")
        self.assert_base("trunk")
        git("branch", "-D", "trunk")
        self.assert_base("master")
        git("branch", "-D", "master")
        self.assert_base("origin/trunk")
        git("update-ref", "-d", "refs/remotes/origin/trunk")
        self.assert_base("mine")
        git("symbolic-ref", "-d", "refs/remotes/origin/HEAD")
        self.assert_base("mine")
        second = self.space.commit({"second": "2"})
        git("checkout", "--quiet", "--detach", self.main)
        self.assert_base("HEAD")
        # The HEAD of the checkout that the list is in, and not that of the repository.
        linked = os.path.join(self.space.root, "linked")
        git("worktree", "add", "--quiet", "--detach", linked, second)
        self.assert_base("HEAD", second, at=linked)

    def test_a_branch_of_a_feature_is_nobodys_base(self) -> None:
        self.space.git("branch", "--move", "main", "feature/auth")
        said = self.refused()
        self.assertIn("no main or master", said.err)
        self.assertNotIn("there are", said.err)
        self.assertEqual(self.space.main("plan", "--base", "feature/auth").code, 2)
        self.space.git("branch", "--move", "feature/auth", "mine")
        self.assert_base("mine")

    def test_existing_branches_are_named_if_the_base_is_missing(self) -> None:
        for number in range(11):
            self.space.git("branch", f"b{number:02}")
        self.assertIn("(did you mean 'main'?)", self.refused("--base", "mian").err)
        self.assertIn("b08, b09 and 2 more)", self.refused("--base", "mian").err)
        self.assertIn("must name a branch", self.refused("--base", "").err)
        self.assertIn("'^main' does not exist", self.refused("--base", "^main").err)
        # A checkout of a CI has no branch of its own.
        self.space.change(base_branch="main")
        self.space.git("checkout", "--quiet", "--detach")
        for branch in ("main", *(f"b{number:02}" for number in range(11))):
            self.space.git("branch", "--quiet", "-D", branch)
        self.space.git("branch", "feature/auth")
        named = "set project.base_branch, or --base REF (HEAD is the commit of the checkout)\n"
        self.assertIn(named, self.refused().err)
        self.assertEqual(self.space.main("status", "--base", "HEAD").code, 0)
        self.space.git("branch", "--quiet", "-D", "feature/auth")
        self.space.git("update-ref", "refs/remotes/origin/main", self.main)
        said = self.refused()
        self.assertNotIn("no commit", said.err)
        self.assertIn("existing: origin/main", said.err)
        self.assertEqual(self.space.main("plan", "--base", "origin/main").code, 0)


class AnotherBase(WorkspaceTest):
    """What is no local branch is a base, and nothing lands on it unasked."""

    def setUp(self) -> None:
        super().setUp()
        repository = self.workspace
        self.first = repository.commit_of("main")
        repository.git("update-ref", "refs/remotes/origin/main", self.first)
        repository.commit({"later": "x"})

    def said(self, code: int, *words: str) -> str:
        done = self.workspace.command(*words)
        self.assertEqual(done.code, code, f"{done.out}\n{done.err}")
        return done.out + done.err

    def test_merge_needs_the_branch_to_land_on(self) -> None:
        repository = self.workspace
        self.workspace.features(feature("a"), base_branch="origin/main")
        self.assertIn("merge --into BRANCH", self.said(2, "run", "--yes", "--merge"))
        self.assertEqual(self.workspace.journal(), [])
        self.said(0, "run", "--yes", "--rehearse")
        self.said(0, "run", "--yes")
        self.assertEqual(repository.git("merge-base", "feature/a", "main"), self.first)
        said = self.said(2, "merge")
        self.assertIn("the base origin/main is no local branch", said)
        self.assertIn("next: rorchestrator merge --into BRANCH", said)
        self.assertIn("then --into NAME", self.said(2, "merge", "--into", "origin/main"))
        self.assertIn("git branch nowhere", self.said(2, "merge", "--into", "nowhere"))
        self.said(0, "merge", "--into", "main")
        self.assertIn("a.md", self.workspace.added("main"))

    def test_a_feature_from_another_base_is_held_until_the_branch_is_named(self) -> None:
        self.workspace.features(feature("a"), feature("b"))
        self.said(2, "run", "--yes", "--base", "main~1", "--merge")
        self.said(0, "run", "--yes", "--base", "main~1", "--rehearse", "--only", "a")
        self.said(0, "run", "--yes", "--base", "main~1", "--only", "a")
        self.said(0, "run", "--yes", "--only", "b")
        self.assertEqual(self.workspace.journal()[0]["base_option"], "main~1")
        said = self.said(1, "merge")
        self.assertIn("held a (feature/a): it started from main~1 (--base)", said)
        self.assertIn("landed b", said)
        self.assertIn("features start from main~1", self.said(2, "merge", "--base", "main~1"))
        self.said(0, "merge", "--into", "main")
        self.assertEqual(self.workspace.added("main"), {"later", "a.md", "b.md"})


class OnlyTrustedFolders(WorkspaceTest):
    def test_a_git_that_trusts_no_implicit_bare_repository_is_supported(self) -> None:
        repository = self.workspace
        repository.git("config", "--global", "safe.bareRepository", "explicit")
        self.workspace.features(feature("a"), feature("b", depends_on=["a"]))
        for words in (
            ("plan",),
            ("run", "--yes", "--rehearse"),
            ("run", "--yes"),
            ("status",),
            ("merge",),
            ("cleanup", "--all"),
        ):
            done = self.workspace.command(*words)
            self.assertEqual(done.code, 0, f"{words}: {done.out}\n{done.err}")
        self.assertEqual(self.workspace.added("main"), {"a.md", "b.md"})
        # One that only lies there is still refused, in git's words.
        bare = Workspace(name="hub.git", bare=True, apart=True)
        self.use(bare)
        bare.git("config", "--global", "safe.bareRepository", "explicit", at=bare.home)
        self.workspace.features(feature("a"))
        said = self.workspace.command("plan")
        self.assertEqual(said.code, 2)
        self.assertIn("safe.bareRepository is 'explicit'", said.err)


if __name__ == "__main__":
    unittest.main()
