"""Every form of repository that people have, each through a real ``run --yes``."""

from __future__ import annotations

import os
import signal
import unittest
from collections.abc import Mapping
from typing import Any

from tests.support.commands import CommandResult, wait_until
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.workspace import Workspace, WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere


class RepositoryTest(WorkspaceTest):
    """By default two features, of which one needs the other."""

    def use_another(self, workspace: Workspace, **project: Any) -> None:
        """Another workspace than the usual one."""
        self.use(workspace)
        self.list(**project)

    def list(self, **project: Any) -> None:
        self.workspace.features(feature("a"), feature("b", depends_on=["a"]), **project)

    def run_to(self, code: int, *argv: str, env: Mapping[str, str] | None = None) -> CommandResult:
        done = self.workspace.command("run", "--yes", *argv, env=env)
        self.assertEqual(done.code, code, f"{done.out}\n{done.err}")
        self.assertNotIn("Traceback", done.err)
        return done

    def assert_builds(self, *, base: str = "main", env: Mapping[str, str] | None = None) -> None:
        """Both features are brought to branches on top of the base; the user sees nothing."""
        before = self.seen()
        self.run_to(0, env=env)
        repository = self.workspace
        self.assertEqual(self.seen(), before)
        found = self.workspace.added("feature/b") - self.workspace.added(base)
        self.assertEqual(found, {"a.md", "b.md"})
        self.assertEqual(
            repository.git("merge-base", base, "feature/b"), repository.commit_of(base)
        )
        self.assertIn("Everything is up to date", self.workspace.command("plan").out)

    def seen(self) -> object:
        repository = self.workspace
        if repository.git("rev-parse", "--is-bare-repository") == "true":
            return repository.git("symbolic-ref", "HEAD")
        return repository.seen_by_user()

    def assert_refused(self, *words: str) -> None:
        """The run starts nothing, and says why."""
        done = self.run_to(2)
        for word in words:
            self.assertIn(word, done.err)
        self.assertEqual(self.workspace.journal(), [])


class FormTest(RepositoryTest):
    def test_the_base_branch_is_not_checked_out(self) -> None:
        self.list()
        repository = self.workspace
        repository.git("checkout", "-q", "-b", "mine")
        repository.commit({"mine": "x"})
        repository.write({"README.md": "half done\n", "new": "x"})
        repository.git("add", "new")
        self.assert_builds()
        self.assertNotIn("mine", self.workspace.added("feature/b"))

    def test_the_base_is_another_branch(self) -> None:
        self.list(base_branch="develop")
        self.workspace.branch("develop")
        self.workspace.commit({"later": "x"})
        self.assert_builds(base="develop")

    def test_head_is_detached(self) -> None:
        self.list()
        repository = self.workspace
        first = repository.commit_of("HEAD")
        repository.commit({"second": "x"})
        repository.git("checkout", "-q", "--detach", first)
        self.assert_builds()

    def test_the_repository_is_bare(self) -> None:
        source = self.workspace
        bare = Workspace(name="shop.git", bare=True, apart=True)
        source.git("push", "-q", bare.path, "main")
        self.use_another(bare)
        self.assert_builds()

    def test_repo_path_lies_inside_another_worktree(self) -> None:
        repository = self.workspace
        repository.commit({"src/deep/file": "x"})
        other = self.workspace.beside("other")
        repository.git("worktree", "add", "-q", "-b", "mine", other)
        self.list(repo_path=os.path.join(other, "src", "deep"))
        self.assert_builds()
        self.assertEqual(repository.git("status", "--porcelain", at=other), "")
        self.assertTrue(os.path.isdir(self.workspace.worktree("b")))

    def test_the_clone_is_shallow(self) -> None:
        source = self.workspace
        for number in range(3):
            source.commit({"file": str(number)})
        shallow = Workspace(name="shallow", bare=True, apart=True)
        url = f"file://{source.path}"
        clone = os.path.join(shallow.root, "clone")
        shallow.git("clone", "-q", "--depth", "1", url, clone)
        shallow.path = clone
        self.use_another(shallow)
        self.assertEqual(shallow.git("rev-parse", "--is-shallow-repository"), "true")
        self.assert_builds()

    def test_there_are_no_commits_yet(self) -> None:
        self.use_another(Workspace(empty=True, apart=True))
        self.assert_refused("no commit yet", "git commit --allow-empty")

    def test_there_is_no_repository(self) -> None:
        self.list(repo_path=self.workspace.sessions)
        self.assert_refused("is not in a git repository")

    def test_the_base_branch_does_not_exist(self) -> None:
        self.list(base_branch="mian")
        self.assert_refused("the base branch 'mian' does not exist", "main")

    def test_the_path_has_spaces_quotes_and_unicode(self) -> None:
        self.use_another(Workspace(name='der "schöne" Laden\'s 🐟', apart=True))
        self.assert_builds()

    def test_the_repository_has_submodules(self) -> None:
        with Repository("library") as library:
            library.commit({"lib.txt": "library\n"})
            repository = self.workspace
            allowed = ("-c", "protocol.file.allow=always")
            repository.git(*allowed, "submodule", "--quiet", "add", library.path, "vendor/lib")
            repository.commit({}, "with a library")
            use = {"bash": "cp vendor/lib/lib.txt used.txt"}
            self.workspace.features(
                feature("a", use), feature("b", {"bash": "cp used.txt b.md"}, depends_on=["a"])
            )
            before = self.seen()
            self.run_to(0)
            self.assertEqual(self.seen(), before)
            used = [repository.content(f"feature/b:{name}") for name in ("used.txt", "b.md")]
            self.assertEqual(used, [b"library\n", b"library\n"])
            status = repository.git("status", "--porcelain", at=self.workspace.worktree("b"))
            self.assertEqual(status, "")

    def test_the_worktrees_go_inside_the_repository(self) -> None:
        self.list(worktrees_path=".worktrees")
        before = self.seen_but_ignored()
        self.run_to(0)
        self.assertEqual(self.seen_but_ignored(), before)
        inside = os.path.join(self.workspace.path, ".worktrees", "b", "a.md")
        self.assertTrue(os.path.exists(inside))
        self.workspace.git("add", "--all")
        self.assertEqual(self.workspace.git("status", "--porcelain"), "")

    def seen_but_ignored(self) -> list[str]:
        status = self.workspace.seen_by_user()[0]
        return [line for line in status.splitlines() if not line.startswith("!")]


class NameTest(RepositoryTest):
    def test_a_branch_of_the_same_name_that_we_did_not_make_is_refused(self) -> None:
        self.list()
        tip = self.workspace.branch("feature/b")
        self.assert_refused("the branch 'feature/b' already exists", "branch_prefix")
        self.assertEqual(self.workspace.commit_of("feature/b"), tip)

    def test_a_branch_called_feature_leaves_no_room(self) -> None:
        self.list()
        self.workspace.branch("feature")
        self.assert_refused("the branch 'feature' prevents branches feature/<id>")

    def test_a_folder_in_the_place_of_a_worktree_is_refused(self) -> None:
        self.list()
        os.makedirs(self.workspace.worktree("a"))
        self.assert_refused(self.workspace.worktree("a"), "already exists")

    def test_without_a_prefix_the_branches_have_the_names_of_the_features(self) -> None:
        self.list(branch_prefix="")
        self.run_to(0)
        self.assertEqual(self.workspace.added("b"), {"a.md", "b.md"})


class HookTest(RepositoryTest):
    def test_a_failing_pre_commit_hook_fails_the_feature_and_keeps_its_work(self) -> None:
        self.list()
        hook = self.workspace.hook("pre-commit", "echo 'a.md: trailing space' >&2; exit 1")
        done = self.run_to(1)
        self.assertIn("a.md: trailing space", done.out)
        self.assert_statuses(a="failed", b="blocked")
        path = os.path.join(self.workspace.worktree("a"), "a.md")
        self.assertTrue(os.path.exists(path))
        # The user repairs the work, then the hook: Claude is not paid again.
        with open(path, "a") as file:
            file.write("repaired\n")
        os.unlink(hook)
        self.run_to(0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)
        self.assertIn(b"repaired", self.workspace.files("feature/b")["a.md"])

    def test_a_failed_commit_that_the_user_made_by_hand_is_taken_over(self) -> None:
        self.list()
        self.workspace.hook("pre-commit", "exit 1")
        self.run_to(1)
        by_hand = self.workspace.commit({}, "by hand", at=self.workspace.worktree("a"))
        os.unlink(self.workspace.hook("pre-commit", "exit 1"))
        self.run_to(0)
        self.assertEqual(self.workspace.ref("a"), [by_hand])
        self.assertEqual(len(self.workspace.attempts("a")), 1)

    def test_a_pre_commit_hook_may_change_what_is_committed(self) -> None:
        self.list()
        self.workspace.hook("pre-commit", "echo formatted > formatted; git add formatted")
        self.run_to(0)
        self.assertIn("formatted", self.workspace.added("feature/a"))

    def test_a_failing_post_checkout_hook_is_not_run_for_our_worktrees(self) -> None:
        self.list()
        self.workspace.hook("post-checkout", "exit 1")
        self.assert_builds()

    def test_a_run_from_inside_a_hook_works_in_its_own_worktrees(self) -> None:
        self.list()
        git_dir = os.path.join(self.workspace.path, ".git")
        env = {
            "GIT_DIR": git_dir,
            "GIT_WORK_TREE": self.workspace.path,
            "GIT_INDEX_FILE": os.path.join(git_dir, "index"),
            "GIT_PREFIX": "",
        }
        self.assert_builds(env=env)

    def test_a_hook_that_hangs_is_ended_with_the_run(self) -> None:
        self.workspace.features(feature("a"))
        began = self.workspace.beside("began")
        self.workspace.hook("pre-commit", f"touch '{began}'; sleep 60")
        running = self.workspace.start("run", "--yes")
        wait_until(lambda: os.path.exists(began), "the hook is running")
        running.signal(signal.SIGINT)
        wait_until(lambda: "Stopping" in running.err, "the first signal is heard")
        running.signal(signal.SIGINT)
        done = running.end()
        self.assertEqual(done.code, 130, done.err)
        self.assertEqual(self.workspace.processes(), [])
        os.unlink(self.workspace.hook("pre-commit", ""))
        self.run_to(0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)


class IdentityTest(RepositoryTest):
    def config(self, text: str) -> None:
        with open(self.workspace.config, "w") as file:
            file.write(text)

    def test_commits_without_an_identity_use_ours(self) -> None:
        self.list()
        self.config("[user]\n\tuseConfigOnly = true\n[init]\n\tdefaultBranch = main\n")
        self.run_to(0)
        who = self.workspace.git("log", "-1", "--format=%an <%ae>", "feature/b")
        self.assertEqual(who, "RoRchestrator <rorchestrator@localhost>")

    def test_with_an_identity_the_commits_are_the_users(self) -> None:
        self.list()
        self.run_to(0)
        who = self.workspace.git("log", "-1", "--format=%an <%ae>", "feature/b")
        self.assertEqual(who, "Test <test@localhost>")

    def test_signing_without_a_key_is_explained_and_the_work_stays(self) -> None:
        self.list()
        git = self.workspace.git
        git("config", "commit.gpgsign", "true")
        git("config", "gpg.program", "/bin/false")
        done = self.run_to(1)
        self.assertIn("commit.gpgsign", done.out)
        self.assertTrue(os.path.exists(os.path.join(self.workspace.worktree("a"), "a.md")))
        git("config", "commit.gpgsign", "false")
        self.run_to(0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)


if __name__ == "__main__":
    unittest.main()
