"""A feature begun on a machine: which commit and list it starts from, and the claim of it."""

from __future__ import annotations

import os

from core.engines.feature_report import CLAIM, claim_in
from core.model.errors import UserError
from tests.support.elsewhere import RUN_ID, Elsewhere, MachineTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class BaseTest(MachineTest):
    def test_the_base_is_the_option_or_the_branch_of_the_list_or_of_the_remotes_head(self) -> None:
        space = self.use(feature("auth"))
        main = space.commit_of("main")
        space.git("tag", "v1")
        space.git("switch", "--quiet", "-c", "develop")
        develop = space.commit({"more": "1"}, "x")
        space.git("push", "--quiet", "origin", "develop", "v1")
        self.assertEqual(self.base_of(), ("main", main))
        self.assertEqual(self.base_of(base="develop"), ("develop", develop))
        self.assertEqual(self.base_of(base="v1"), (main, main))
        self.assertEqual(self.base_of(base=develop), (develop, develop))
        space.git("switch", "--quiet", "main")
        space.change(base_branch="develop")
        space.publish()
        self.assertEqual(self.base_of(), ("develop", develop))
        space.there("symbolic-ref", "HEAD", "refs/heads/gone")
        self.assertIn("the HEAD of the remote names no branch that it", self.refused().message)
        self.assertIn("no branch, tag or commit 'v2'", self.refused(base="v2").message)
        for branch in ("main", "develop"):
            space.there("update-ref", "-d", f"refs/heads/{branch}")
        space.there("update-ref", "-d", "refs/tags/v1")
        self.assertIn("no branch yet", self.refused().message)

    def test_the_list_is_that_of_the_commit_wherever_it_is_in_it(self) -> None:
        space = self.use(feature("auth"))
        space.git("mv", "config", "plans")
        space.publish()
        self.assertIn("has no feature list config/feature_list.json", self.refused().message)
        self.machine(config="plans/feature_list.json").open()
        self.machine(config="plans").open()

    def test_a_shallow_clone_is_not_enough(self) -> None:
        space = self.use(feature("auth"))
        shallow = space.beside("shallow.git")
        space.git("clone", "--quiet", "--bare", "--depth=1", space.url, shallow)
        said = self.refused(url=f"file://{shallow}")
        self.assertIn("is a shallow clone, and merges need the whole history", said.message)

    def test_a_list_that_is_about_another_repository_is_refused(self) -> None:
        space = self.use(feature("auth"))
        space.change(repo_path=space.path)
        space.publish()
        self.assertIn("project.repo_path leads out of the repository", self.refused().message)

    def test_a_repository_may_be_called_as_our_own_folders_are(self) -> None:
        space = self.use(feature("auth"))
        other = space.beside("worktrees")
        os.rename(space.remote, f"{other}.git")
        self.assertIn("worktrees-clone", self.machine(url=f"{other}.git").open().git.repository.top)
        os.rename(f"{other}.git", space.remote)

    def test_the_clone_remembers_no_password_and_the_journal_none_either(self) -> None:
        space = self.use(feature("auth"))
        url = "https://bot:pass-word-9@host.invalid/shop.git"
        space.git("config", "--file", space.config, f"url.{space.remote}.insteadOf", url)
        machine = self.machine(url=url)
        project = machine.open()
        with open(os.path.join(project.git.repository.common_dir, "config"), "rb") as file:
            self.assertNotIn(b"pass-word-9", file.read())
        self.assertEqual(self.said, ["cloning https://host.invalid/shop.git"])
        self.assertEqual(project.mask("pass-word-9"), "[masked REMOTE_PASSWORD]")

    def test_a_branch_of_somebody_else_is_not_replaced(self) -> None:
        space = self.use(feature("auth"))
        space.git("push", "--quiet", "origin", "main:refs/heads/feature/auth")
        self.machine().open()  # It holds nobody's work.
        commit = space.commit({"theirs": "1"}, "x")
        space.git("push", "--quiet", "origin", "main:refs/heads/feature/auth")
        space.git("update-ref", "refs/heads/main", f"{commit}~")
        said = self.refused()
        self.assertIn("has a branch feature/auth that no run made", said.message)
        self.assertIn("rename or delete it", said.hint)

    def test_a_branch_that_is_checked_out_in_the_remote_is_refused_if_git_refuses_it(self) -> None:
        space = self.use(feature("auth"))
        path = space.beside("my work")
        space.git("clone", "--quiet", space.path, path)
        space.git("worktree", "add", "--quiet", "-b", "feature/auth", f"{path}-2", at=path)
        for url in (path, f"file://{path.replace(' ', '%20')}"):
            said = self.refused(url=url)
            self.assertEqual(said.message, f"feature/auth is checked out in {path}-2")
            self.assertIn(f"git -C '{path}-2' switch --detach", said.hint)
        for value in ("warn", "updateInstead"):
            space.git("config", "receive.denyCurrentBranch", value, at=path)
            self.machine(url=path).open()
        space.git("config", "receive.denyCurrentBranch", "refuse", at=path)
        self.assertIn("is checked out in", self.refused(url=path).message)
        space.git("switch", "--quiet", "--detach", at=f"{path}-2")
        self.machine(url=path).open()

    def test_the_branch_of_the_remotes_head_is_refused(self) -> None:
        space = self.use(feature("auth"))
        space.git("push", "--quiet", "origin", "main:refs/heads/feature/auth")
        space.there("symbolic-ref", "HEAD", "refs/heads/feature/auth")
        said = self.refused(base="main").message
        self.assertEqual(said, "feature/auth is the branch of the remote's HEAD")

    def test_a_push_to_another_name_of_a_branch_is_refused(self) -> None:
        space = self.use(feature("auth"))
        for ref, hint in (
            ("refs/heads/feature/auth", "rename or delete it"),
            (f"refs/rorchestrator/runs/{RUN_ID}/auth", "delete it, or choose another --run-id"),
        ):
            with self.subTest(ref):
                space.there("symbolic-ref", ref, "refs/heads/main")
                said = self.refused()
                self.assertIn(f"{ref} on the remote is a symbolic ref", said.message)
                self.assertIn("a push would move refs/heads/main", said.message)
                self.assertIn(hint, said.hint)
                space.there("symbolic-ref", "--delete", ref)
        self.machine().open()


class ClaimTest(MachineTest):
    def claim_there(self, space: Elsewhere) -> int:
        ref = f"refs/rorchestrator/runs/{RUN_ID}/auth"
        return claim_in(space.file_there(ref, CLAIM).encode()).attempt

    def test_the_attempt_is_claimed_before_anything_is_paid_for(self) -> None:
        space = self.use(feature("auth"))
        machine = self.machine()
        machine.open()
        machine.begin()
        self.assertEqual(self.claim_there(space), 1)
        again = self.machine()
        again.open()
        again.begin()
        self.assertEqual(self.claim_there(space), 2)
        self.assertIn("attempt 2 of auth: starting over", self.said)

    def test_of_two_machines_that_begin_at_once_one_ends(self) -> None:
        self.use(feature("auth"))
        first, second = self.machine(), self.machine()
        for machine in (first, second):
            machine.open()
        first.begin()
        with self.assertRaises(UserError) as met:
            second.begin()
        self.assertIn("another machine has just started auth in run r1", met.exception.message)
        self.assertEqual(met.exception.exit_code, 1)

    def test_a_token_that_may_not_push_is_told_of_bundles(self) -> None:
        space = self.use(feature("auth"))
        machine = self.machine()
        machine.open()
        hook = os.path.join(space.remote, "hooks", "pre-receive")
        os.makedirs(os.path.dirname(hook), exist_ok=True)
        space.script(hook, "#!/bin/sh\necho read-only >&2\nexit 1\n")
        with self.assertRaises(UserError) as met:
            machine.begin()
        self.assertIn("could not be claimed on the remote", met.exception.message)
        self.assertIn("allow pushes to refs/rorchestrator/ there", met.exception.hint)
        self.assertIn("--bundle FILE", met.exception.hint)

    def test_a_remote_that_hides_what_it_takes_is_named(self) -> None:
        space = self.use(feature("auth"))
        space.there("config", "uploadpack.hideRefs", "refs/rorchestrator")
        self.assert_code(space.run_there("auth"), 0)
        machine = self.machine()
        machine.open()
        with self.assertRaises(UserError) as met:
            machine.begin()
        self.assertIn(f"the remote hides {machine.ref}: it takes", met.exception.message)
        self.assertIn("uploadpack.hideRefs", met.exception.hint)
        self.assertEqual(machine.claimed, "")

    def test_what_is_no_commit_at_the_place_of_a_claim_is_named(self) -> None:
        space = self.use(feature("auth"))
        tree = space.there("rev-parse", "main^{tree}").strip()
        space.there("update-ref", f"refs/rorchestrator/runs/{RUN_ID}/auth", tree)
        said = self.refused()
        self.assertIn(f"runs/{RUN_ID}/auth on the remote is no commit", said.message)
        self.assertIn("another --run-id", said.hint)

    def test_a_report_whose_branch_was_not_pushed_proves_nothing(self) -> None:
        space = self.use(feature("auth"))
        self.assert_code(space.run_there("auth"), 0)
        self.machine()
        self.assertIsNotNone(self.before)
        space.there("update-ref", "-d", "refs/heads/feature/auth")
        machine = self.machine()
        self.assertIsNone(self.before)
        machine.open()
        machine.begin()
        self.assertIn("attempt 2 of auth: starting over", self.said)
