"""Commits of a worktree: files taken and files left out."""

from __future__ import annotations

import os
from pathlib import Path

from core.git import commits
from core.git.output import WorktreeStatus
from core.git.refs import RESULTS
from core.model.commit_subject import DEFAULT
from core.model.frozen import replace
from core.model.outcome import Work
from core.process.spawner import run_sync
from core.worktree.committing import commit_message
from core.worktree.files import HUGE_BYTES, left_uncommitted
from tests.support.once import skip_if_run_elsewhere
from tests.support.worktrees import WorktreeTest, changed

setUpModule = skip_if_run_elsewhere


class ResultTest(WorktreeTest):
    """What an agent left, and the commit of it."""

    def test_files_and_links_may_become_folders(self) -> None:
        os.symlink("nowhere", os.path.join(self.repository.path, "link"))
        self.base = self.repository.commit({"plain": "1", "staged": "1", "nested": "1"})
        made = self.create()
        self.repository.git("rm", "--quiet", "staged", "link", "nested", at=made.path)
        os.unlink(os.path.join(made.path, "plain"))
        new = {f"{name}/file": "2" for name in ("plain", "staged", "link")}
        self.repository.write(dict(new), at=made.path)
        self.repository.git("init", "--quiet", "nested", at=made.path)
        self.repository.git("commit", "-q", "--allow-empty", "-m", "x", at=f"{made.path}/nested")
        work = self.work(made)
        self.assertEqual(work.held_back, ("nested/",))
        (changed,) = run_sync(commits.changed_files(self.manager.git, [(self.base, work.commit)]))
        self.assertEqual(changed, {"plain", "staged", "link", "nested", *new})

    def test_work_left_by_claude_is_committed_under_the_features_name(self) -> None:
        made = self.create()
        self.write(made, {"a": changed(_3="x"), "new/file": "1\n2\n", "README.md": None})
        work = self.work(made)
        self.assertEqual(work, Work(work.commit, 3, 3, 2))
        self.assertEqual(work.commit, self.repository.commit_of("feature/auth"))
        message = self.repository.git("log", "-1", "--format=%an %B", work.commit)
        self.assertEqual(
            message.rstrip("\n"),
            f"Test {commit_message(self.feature, 'run1', DEFAULT)}".rstrip("\n"),
        )
        self.assertEqual(set(self.repository.files(work.commit)), {"a", "new/file"})

    def test_claudes_own_commits_are_kept_as_they_are(self) -> None:
        made = self.create()
        own = self.repository.commit({"own": "x\n"}, at=made.path)
        self.assertEqual(self.work(made), Work(own, 1, 1, 0))

    def test_nothing_done_is_no_work(self) -> None:
        self.assertEqual(self.work(self.create()), Work(self.base))

    def test_line_ends_that_git_normalises_are_no_work(self) -> None:
        self.base = self.repository.commit({".gitattributes": "* text=auto eol=lf\n", "b": "1\n"})
        made = self.create()
        self.write(made, {"b": "1\r\n"})
        status = run_sync(self.manager.inspect(made))
        assert isinstance(status, WorktreeStatus)
        status = replace(status, changed=("b",))
        committing = self.manager.commit(made, status, self.feature, "run1")
        self.assertEqual(run_sync(committing), Work(self.base))

    def test_secrets_huge_files_and_repositories_are_held_back_and_named(self) -> None:
        made = self.create()
        odd = (".env", ".env.local", "deep/id_rsa", "server.pem", "huge")
        self.write(made, dict.fromkeys(odd, "secret"))
        self.write(made, {".env.example": "", "plain": "x", "huge": b"\0" * (HUGE_BYTES + 1)})
        os.symlink(self.folder, os.path.join(made.path, "node_modules"))
        self.repository.git("init", "-q", "nested", at=made.path)
        self.repository.commit({"x": ""}, at=os.path.join(made.path, "nested"))
        work = self.work(made)
        expected = sorted((*odd, "node_modules", "nested/"))
        self.assertEqual(sorted(work.held_back), expected)
        self.assertEqual(
            set(self.repository.files(work.commit)), {"README.md", "a", ".env.example", "plain"}
        )

    def test_a_secret_that_the_agent_only_staged_is_left_uncommitted(self) -> None:
        made = self.create()
        self.write(made, {".env": "secret", "new": "x"})
        self.repository.git("add", "--all", at=made.path)
        work = self.work(made)
        self.assertEqual(work.held_back, (".env",))
        self.assertEqual(set(self.repository.files(work.commit)), {"README.md", "a", "new"})
        self.assertTrue(os.path.exists(os.path.join(made.path, ".env")))
        self.write(made, {"new": None})
        self.assertEqual(self.work(made).files_changed, 0)

    def test_a_secret_that_was_there_before_is_no_secret(self) -> None:
        self.base = self.repository.commit({".env": "old\n"})
        made = self.create()
        self.write(made, {".env": "new\n"})
        self.assertEqual(self.work(made).held_back, ())

    def test_a_file_that_went_in_the_meantime_is_not_held_back(self) -> None:
        self.assertEqual(left_uncommitted(self.folder, ["gone", ".env"]), (".env",))

    def test_a_commit_without_an_identity_uses_ours(self) -> None:
        Path(self.repository.config).write_text("[user]\n\tuseConfigOnly = true\n")
        made = self.create()
        self.write(made, {"new": "x"})
        who = self.repository.git("log", "-1", "--format=%an <%ae>", self.work(made).commit)
        self.assertEqual(who, "RoRchestrator <rorchestrator@localhost>")

    def test_a_failing_hook_is_quoted_and_the_work_stays(self) -> None:
        hook = Path(self.repository.path, ".git", "hooks", "pre-commit")
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho 'the design is wrong' >&2\nexit 1\n")
        hook.chmod(0o755)
        made = self.create()
        self.write(made, {"new": "x"})
        status = run_sync(self.manager.inspect(made))
        assert isinstance(status, WorktreeStatus)
        error = self.refused(
            self.manager.commit(made, status, self.feature, "run1"), "the design is wrong"
        )
        self.assertIn("`rorchestrator run` then only commits", error.hint)
        self.assertTrue(error.message.startswith("your pre-commit hook refused the commit: "))
        self.assertTrue(os.path.exists(os.path.join(made.path, "new")))
        self.assertEqual(self.repository.commit_of("feature/auth"), self.base)

    def test_a_signature_without_a_key_is_explained(self) -> None:
        with open(self.repository.config, "a") as config:
            config.write("[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = false\n")
        one = self.manager.git.commit_tree(run_sync(self.manager.git.tree_of(self.base)), (), "x")
        self.assertTrue(run_sync(one), "merges of ours are not signed")
        made = self.create()
        self.write(made, {"new": "x"})
        status = run_sync(self.manager.inspect(made))
        assert isinstance(status, WorktreeStatus)
        committing = self.manager.commit(made, status, self.feature, "run1")
        self.assertIn("commit.gpgsign", self.refused(committing, "failed to").hint)

    def test_a_hooks_variables_do_not_lead_the_commit_astray(self) -> None:
        self.repository.environ["GIT_INDEX_FILE"] = os.path.join(
            self.repository.path, ".git", "index"
        )
        self.repository.environ["GIT_DIR"] = os.path.join(self.repository.path, ".git")
        self.manager = self.open()
        del self.repository.environ["GIT_INDEX_FILE"], self.repository.environ["GIT_DIR"]
        seen = self.repository.seen_by_user()
        made = self.create()
        self.write(made, {"new": "x"})
        self.assertEqual(self.work(made).files_changed, 1)
        self.assertEqual(self.repository.seen_by_user(), seen)

    def test_a_result_is_published_once(self) -> None:
        run_sync(self.manager.publish("auth", "run1", self.base))
        run_sync(self.manager.publish("auth", "run1", self.base))
        self.assertEqual(self.repository.commit_of(f"{RESULTS}auth/run1"), self.base)
        other = self.repository.commit({"b": "x"})
        self.refused(
            self.manager.publish("auth", "run1", other), "already exists with another commit"
        )
