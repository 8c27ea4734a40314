"""`core.git`: every question and every change, on real repositories."""

from __future__ import annotations

import os
import shutil
import unittest
from collections.abc import Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Callable

from core.git import (
    checkouts,
    commits,
    history,
    merged,
    merging,
    staging,
    submodules,
    worktree_status,
)
from core.git.door import TRANSIENT, Git, GitError
from core.git.opening import git_version, open_repository
from core.git.output import BEING_MADE, DiffStat, WorktreeEntry, WorktreeStatus
from core.git.submodules import Submodules
from core.model.errors import UserError
from core.model.frozen import replace
from core.process.spawner import Finished, Spawner, drive
from tests.support.repository import Repository

MISSING = "1" * 40


def make_worktree(git: Git, path: str, branch: str, commit: str) -> None:
    """A worktree with its files on a new branch, as :mod:`core.worktree` makes it."""
    drive(checkouts.add_worktree(git, path, commit))
    drive(checkouts.check_out(git, path, branch))
    os.unlink(os.path.join(drive(checkouts.admin_dir(git, path)), "locked"))


class Impatient(Spawner):
    """Does not sleep between two tries; counts the commands and the pauses."""

    def __init__(self) -> None:
        self.commands: list[Sequence[str]] = []
        self.pauses = 0
        self.at_pause: Callable[[], object] = lambda: None
        self.complaints: list[str] = []
        """What git says instead of doing its work, the next times."""

    async def run(self, argv: Sequence[str], **options: Any) -> Finished:
        self.commands.append(argv)
        if self.complaints:
            return Finished(128, b"", self.complaints.pop().encode())
        return await super().run(argv, **options)

    async def pause(self, seconds: float) -> None:
        self.pauses += 1
        self.at_pause()


class GitTest(unittest.TestCase):
    def setUp(self) -> None:
        self.repository = self.make()
        self.spawner = Impatient()
        self.git = self.open(self.repository.path)

    def make(self, name: str = "repository", **how: bool) -> Repository:
        repository = Repository(name, **how)
        self.addCleanup(repository.close)
        return repository

    def open(self, path: str, **more: str) -> Git:
        environ = {**self.repository.environ, **more}
        return drive(open_repository(self.spawner, path, environ))

    def beside(self, name: str) -> str:
        return os.path.join(self.repository.root, name)

    def refused(self, change: Coroutine[None, None, object], pattern: str) -> GitError:
        with self.assertRaisesRegex(GitError, pattern) as caught:
            drive(change)
        return caught.exception


class OpenTest(GitTest):
    """Where a repository lies, and which are refused."""

    def test_a_repository_is_found_from_a_folder_below(self) -> None:
        below = os.path.join(self.repository.path, "a", "b")
        os.makedirs(below)
        found = self.open(below).repository
        self.assertEqual(found.top, self.repository.path)
        self.assertEqual(found.common_dir, os.path.join(self.repository.path, ".git"))
        self.assertFalse(found.bare or found.shallow)

    def test_odd_characters_in_the_path_do_no_harm(self) -> None:
        for name in ("a b", 'it\'s "quoted"', "naïve 日本", "-dash", "$(id) `id`;*?\\"):
            with self.subTest(name):
                repository = self.make(name)
                git = drive(open_repository(self.spawner, repository.path, repository.environ))
                self.assertEqual(git.repository.top, repository.path)
                self.assertEqual(drive(git.commit_of("main")), repository.commit_of("main"))

    def test_a_bare_repository_is_its_own_top(self) -> None:
        bare = self.make("bare.git", bare=True)
        found = self.open(bare.path).repository
        self.assertEqual((found.top, found.common_dir), (bare.path, bare.path))
        self.assertTrue(found.bare)

    def test_a_linked_worktree_is_the_top_and_shares_the_folder_of_its_repository(self) -> None:
        self.repository.git("worktree", "add", "-q", self.beside("linked"))
        found = self.open(self.beside("linked")).repository
        self.assertEqual(found.top, self.beside("linked"))
        self.assertEqual(found.common_dir, os.path.join(self.repository.path, ".git"))

    def test_a_shallow_clone_is_recognised(self) -> None:
        self.repository.commit({"a": "1"})
        url = f"file://{self.repository.path}"
        self.repository.git("clone", "-q", "--depth=1", url, self.beside("shallow"))
        self.assertTrue(self.open(self.beside("shallow")).repository.shallow)

    def test_a_repository_without_commits_opens_and_has_no_branch(self) -> None:
        empty = self.make("empty", empty=True)
        self.assertEqual(drive(self.open(empty.path).commit_of("main")), "")

    def test_a_folder_without_a_repository_is_refused(self) -> None:
        with self.assertRaisesRegex(UserError, "is not in a git repository"):
            self.open(self.repository.root)

    def test_a_folder_that_does_not_exist_is_refused(self) -> None:
        with self.assertRaisesRegex(UserError, "does not exist"):
            self.open(self.beside("missing"))

    @unittest.skipUnless(os.geteuid() == 0, "only root can give a folder away")
    def test_a_repository_of_somebody_else_is_refused_with_gits_own_remedy(self) -> None:
        os.chown(self.repository.path, 12345, 12345)
        os.chown(os.path.join(self.repository.path, ".git"), 12345, 12345)
        with self.assertRaisesRegex(UserError, "git refuses the repository") as caught:
            self.open(self.repository.path)
        said = "\n".join(caught.exception.details)
        self.assertIn("dubious ownership", said)
        self.assertIn(f"safe.directory {self.repository.path}", said)

    def test_whatever_git_refuses_is_told_in_its_own_words(self) -> None:
        config = os.path.join(self.repository.path, ".git", "config")
        below = os.path.join(self.repository.path, "below")
        os.mkdir(below)
        with open(config, encoding="utf-8") as file:
            before = file.read()
        for line, said in (
            ("[core]\n\trepositoryformatversion = 1\n[extensions]\n\tfoo = 1\n", "extension"),
            ("[core]\n\trepositoryformatversion = 7\n", "version"),
            ("[user\n", "bad config line"),
        ):
            with open(config, "w", encoding="utf-8") as file:
                file.write(before + line)
            with self.subTest(said), self.assertRaises(UserError) as caught:
                self.open(below)
            self.assertIn(f"git refuses the repository of {below}", caught.exception.message)
            self.assertIn(said, "\n".join(caught.exception.details))
            self.assertNotIn("git init", caught.exception.hint)
        with open(self.repository.config, "a", encoding="utf-8") as file:
            file.write("[user\n")
        with self.assertRaisesRegex(UserError, "git does not start") as caught:
            self.open(self.repository.path)
        self.assertIn("bad config line", caught.exception.details[0])

    def test_nobody_is_told_to_commit_his_home(self) -> None:
        with self.assertRaises(UserError) as caught:
            self.open(self.repository.home)
        self.assertNotIn("git init", caught.exception.hint)
        with self.assertRaises(UserError) as caught:
            self.open(self.repository.root)
        self.assertIn("git init", caught.exception.hint)

    def test_a_missing_git_is_named(self) -> None:
        with self.assertRaisesRegex(UserError, "git was not found"):
            self.open(self.repository.path, PATH=self.repository.home)

    def test_an_old_git_is_named(self) -> None:
        for said in ("git version 2.24.9", "what?"):
            program = Path(self.beside("git"))
            program.write_text(f"#!/bin/sh\necho {said}\n")
            program.chmod(0o755)
            with self.subTest(said), self.assertRaisesRegex(UserError, "too old") as caught:
                drive(git_version(self.spawner, {"PATH": self.repository.root}))
            self.assertIn("2.25", caught.exception.hint)
        program.write_text("#!/bin/sh\necho 'git version 3.1.2 (Apple Git-9)'\n")
        env = {"PATH": self.repository.root}
        self.assertEqual(drive(git_version(self.spawner, env)), (3, 1))

    def test_what_a_calling_hook_left_in_the_environment_is_ignored(self) -> None:
        other = self.make("other")
        hook = {"GIT_DIR": os.path.join(other.path, ".git"), "GIT_INDEX_FILE": "/nowhere/index"}
        git = self.open(self.repository.path, **hook)
        self.assertEqual(git.repository.top, self.repository.path)
        self.repository.write({"new": "x"})
        self.assertEqual(
            drive(worktree_status.status_of(git, self.repository.path)).untracked, ("new",)
        )

    def test_messages_are_english_and_hooks_keep_the_users_characters(self) -> None:
        self.repository.git("config", "core.hooksPath", "hooks")
        hook = Path(self.repository.path, "hooks", "pre-commit")
        hook.parent.mkdir()
        hook.write_text('#!/bin/sh\necho "$LC_ALL|$LC_CTYPE|$LC_MESSAGES"; exit 1\n')
        hook.chmod(0o755)
        git = self.open(self.repository.path, LC_ALL="nl_NL.UTF-8").using(self.spawner)
        error = self.refused(staging.commit(git, self.repository.path, "x"), "could not commit")
        self.assertEqual(error.complaint, "|nl_NL.UTF-8|C")


class RefTest(GitTest):
    """Refs, and the commits that they name."""

    def test_refs_are_listed_by_prefix(self) -> None:
        tip = self.repository.branch("feature/a")
        self.repository.branch("other")
        self.repository.git("update-ref", "refs/heads/odd\u2028name", tip)
        self.assertEqual(drive(self.git.refs("refs/heads/feature/")), {"refs/heads/feature/a": tip})
        self.assertEqual(len(drive(self.git.refs("refs/heads/"))), 4)
        self.assertEqual(drive(self.git.refs("refs/none/")), {})

    def test_a_revision_names_a_commit_or_nothing(self) -> None:
        tip = self.repository.commit_of("main")
        self.repository.git("tag", "-a", "-m", "x", "v1")
        self.assertEqual(drive(self.git.commit_of("v1")), tip)
        for revision in ("none", "", "--all", "-1", "main:README.md"):
            self.assertEqual(drive(self.git.commit_of(revision)), "", revision)

    def test_ancestors_and_merge_bases(self) -> None:
        first = self.repository.commit_of("main")
        self.repository.branch("side")
        second = self.repository.commit({"a": "1"})
        self.repository.git("checkout", "-q", "--orphan", "alone")
        alone = self.repository.commit({"b": "2"})
        self.assertTrue(drive(self.git.is_ancestor(first, second)))
        self.assertFalse(drive(self.git.is_ancestor(second, first)))
        self.assertTrue(drive(self.git.is_ancestor("side", second)))
        self.assertFalse(drive(self.git.is_ancestor(second, "side")))
        self.assertFalse(drive(self.git.is_ancestor(MISSING, first)))
        self.assertEqual(drive(self.git.merge_base("side", second)), first)
        self.assertEqual(drive(self.git.merge_base(alone, second)), "")
        self.assertEqual(drive(history.count_commits(self.git, second, first)), 1)
        self.refused(history.count_commits(self.git, MISSING, first), "list commits")
        self.refused(self.git.tree_of(MISSING), "read a commit")

    def test_a_ref_is_created_once(self) -> None:
        first = self.repository.commit_of("main")
        second = self.repository.commit({"a": "1"})
        self.assertTrue(drive(self.git.create_ref("refs/x/a", first)))
        self.assertFalse(drive(self.git.create_ref("refs/x/a", second)))
        self.assertEqual(self.repository.commit_of("refs/x/a"), first)
        self.refused(self.git.create_ref("refs/x/a/b", second), "make refs/x/a/b")
        self.assertEqual(self.spawner.pauses, 0, "a refusal is no reason to try again")

    def test_a_ref_moves_and_goes_only_from_where_we_saw_it(self) -> None:
        first = self.repository.branch("x")
        second = self.repository.commit({"a": "1"})
        ref = "refs/heads/x"
        self.refused(self.git.move_ref(ref, first, second), "move refs/heads/x")
        drive(self.git.move_ref(ref, second, first))
        self.assertIn("moved in the meantime", drive(self.git.delete_ref(ref, first)))
        self.assertEqual(drive(self.git.delete_ref(ref, second)), "")
        self.assertEqual(self.repository.commit_of(ref), "")
        self.assertEqual(self.spawner.pauses, 0)

    def test_a_lock_that_goes_away_delays_and_one_that_stays_fails(self) -> None:
        tip = self.repository.commit_of("main")
        lock = Path(self.repository.path, ".git", "refs", "heads", "x.lock")
        lock.write_text("")
        self.spawner.at_pause = lambda: lock.unlink() if self.spawner.pauses == 3 else None
        self.assertTrue(drive(self.git.create_ref("refs/heads/x", tip)))
        self.assertEqual(self.spawner.pauses, 3)
        self.spawner.at_pause = lambda: None
        lock.write_text("")
        self.refused(self.git.move_ref("refs/heads/x", tip, tip), "File exists")
        self.assertEqual(self.spawner.pauses, 3 + 7)
        # It did not move: git's own words tell why it stays.
        said = drive(self.git.delete_ref("refs/heads/x", tip))
        self.assertRegex(said, "git could not delete x: .*File exists")

    def test_what_another_worktree_that_comes_or_goes_causes_is_tried_again(self) -> None:
        for said in (
            "fatal: Invalid path '/r/.git/worktrees/b': No such file or directory",
            "fatal: failed to read /r/.git/worktrees/b/commondir: Success",
            "fatal: could not open '/r/.git/worktrees/b/HEAD' for writing: No such file",
            "fatal: could not create directory of '/r/.git/worktrees/b': File exists",
        ):
            with self.subTest(said):
                self.spawner.complaints = [said, said]
                self.assertEqual(len(drive(checkouts.worktrees(self.git))), 1)
        self.assertEqual(self.spawner.pauses, 8)
        self.spawner.complaints = ["fatal: Invalid path '/r/.git': No such file or directory"] * 2
        self.refused(checkouts.worktrees(self.git), "Invalid path")

    def test_a_question_that_dies_once_is_asked_again_and_a_change_is_not(self) -> None:
        self.spawner.complaints = ["fatal: Out of memory, malloc failed"]
        self.assertEqual(len(drive(checkouts.worktrees(self.git))), 1)
        self.assertEqual(self.spawner.pauses, 1)
        self.spawner.complaints = ["fatal: Out of memory, malloc failed"]
        self.refused(checkouts.remove_worktree(self.git, self.beside("w")), "Out of memory")
        self.assertEqual(self.spawner.pauses, 1)

    def test_repositories_with_long_object_names_work(self) -> None:
        path = self.beside("sha256")
        self.repository.git("init", "-q", "--object-format=sha256", path)
        tip = self.repository.commit({"a": "1\n"}, at=path)
        git = self.open(path)
        self.assertEqual(len(tip), 64)
        self.assertTrue(drive(git.create_ref("refs/x/a", tip)))
        self.assertFalse(drive(git.create_ref("refs/x/a", tip)))
        make_worktree(git, self.beside("w"), "feature/a", tip)
        picked = self.repository.commit({"b": "1\n"}, at=self.beside("w"))
        self.repository.commit({"c": "1\n"}, at=path)
        self.repository.git("cherry-pick", picked, at=path)
        self.assertTrue(drive(merged.equivalent(git, picked, "main")))
        self.assertTrue(drive(merged.squashed(git, picked, "main")))

    def test_a_commit_is_made_of_a_tree_with_or_without_an_identity(self) -> None:
        tree = drive(self.git.tree_of("main"))
        main = self.repository.commit_of("main")
        for config, expected in (
            ("", "Test"),
            ("[user]\n\tuseConfigOnly = true\n", "RoRchestrator"),
        ):
            if config:
                Path(self.repository.config).write_text(config)
            git = self.open(self.repository.path)
            made = [drive(git.commit_tree(tree, (main,), "the message")) for _ in range(2)]
            said = self.repository.git("log", "-1", "--format=%an|%cn|%s|%P", made[1])
            self.assertEqual(said, f"{expected}|{expected}|the message|{main}")

    def test_a_committer_without_an_author_is_enough(self) -> None:
        Path(self.repository.config).write_text("[user]\n\tuseConfigOnly = true\n")
        who = {"GIT_COMMITTER_NAME": "CI", "GIT_COMMITTER_EMAIL": "ci@localhost"}
        git = self.open(self.repository.path, **who)
        made = drive(git.commit_tree(drive(git.tree_of("main")), (), "x"))
        said = self.repository.git("log", "-1", "--format=%an|%cn", made)
        self.assertEqual(said, "RoRchestrator|CI")


class CompareTest(GitTest):
    """What one commit has that another has not."""

    def test_the_difference_is_counted(self) -> None:
        first = self.repository.commit({"a": "1\n2\n3\n", "b": "x\n", "c": b"\0"})
        second = self.repository.commit({"a": "1\n3\n4\n5\n", "b": None, "moved": "x\n"})
        self.assertEqual(drive(commits.diffstat(self.git, first, second)), DiffStat(2, 2, 1))
        self.assertEqual(drive(commits.diffstat(self.git, first, first)), DiffStat())
        self.refused(commits.diffstat(self.git, first, MISSING), "compare commits")

    def test_a_branch_that_took_its_changes_back_adds_nothing(self) -> None:
        self.repository.git("checkout", "-q", "-b", "x")
        self.repository.commit({"a": "1"})
        self.assertFalse(drive(merged.is_empty_diff(self.git, "x", "main")))
        self.repository.commit({"a": None})
        self.assertTrue(drive(merged.is_empty_diff(self.git, "x", "main")))
        self.repository.git("checkout", "-q", "--orphan", "alone")
        self.repository.commit({"a": "1"})
        self.assertFalse(drive(merged.is_empty_diff(self.git, "alone", "main")))

    def test_a_merge_is_forecast(self) -> None:
        if not self.git.merges_without_worktree:
            self.skipTest("needs git 2.38")
        self.repository.commit({"a": "1\n", "é": "1\n"})
        for name, content in (("one", "one\n"), ("two", "two\n")):
            self.repository.git("checkout", "-q", "-b", name, "main")
            self.repository.commit({"a": content, "é": content, name: ""})
        self.repository.git("checkout", "-q", "-b", "clean", "main")
        self.repository.commit({"clean": ""})
        self.assertEqual(drive(merging.merged_tree(self.git, "one", "two")), ("", ["a", "é"]))
        tree, files = drive(merging.merged_tree(self.git, "one", "clean"))
        self.assertEqual(files, [])
        self.assertEqual(set(self.repository.files(tree)), {"README.md", "a", "clean", "one", "é"})
        self.refused(merging.merged_tree(self.git, "one", MISSING), "could not merge")

    def test_a_copied_commit_is_recognised_wherever_it_went(self) -> None:
        lines = [f"{n}\n" for n in range(40)]
        self.repository.commit({"a": "".join(lines)})
        self.repository.git("checkout", "-q", "-b", "x")
        lines[30] = "changed\n"
        self.repository.commit({"a": "".join(lines)})
        picked = self.repository.commit({"new": "x\n"})
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"a": "top\n" + self.repository.git("show", "HEAD:a") + "\n"})
        self.repository.git("cherry-pick", "main..x")
        copy = self.repository.commit_of("main")
        self.repository.commit({"new": "y\n"})
        self.assertEqual(drive(merged.equivalent(self.git, "x", "main")), copy)
        self.repository.git("checkout", "-q", "x")
        self.repository.commit({}, "nothing")
        self.assertEqual(drive(merged.equivalent(self.git, "x", "main")), "")
        self.repository.git("reset", "-q", "--hard", picked)
        self.assertFalse(drive(merged.squashed(self.git, "x", "main")))
        self.assertFalse(drive(merged.equivalent(self.git, "main", "main")))
        self.assertTrue(drive(merged.equivalent(self.git, picked, "main")))

    def test_a_change_of_white_space_is_a_change(self) -> None:
        self.repository.commit({"a.py": "if x:\n    one()\ntwo()\n"})
        self.repository.git("checkout", "-q", "-b", "x")
        self.repository.commit({"a.py": "if x:\n    one()\n    three()\ntwo()\n"})
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"a.py": "if x:\n    one()\nthree()\ntwo()\n"})
        self.assertFalse(drive(merged.equivalent(self.git, "x", "main")))
        self.assertFalse(drive(merged.squashed(self.git, "x", "main")))

    def test_another_content_of_a_binary_file_is_a_change(self) -> None:
        self.repository.commit({"logo": b"\0one"})
        self.repository.git("checkout", "-q", "-b", "x")
        self.repository.commit({"logo": b"\0two"})
        self.repository.git("checkout", "-q", "-b", "same", "main")
        self.repository.commit({"logo": b"\0two"}, "another message")
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"logo": b"\0three"})
        self.assertFalse(drive(merged.squashed(self.git, "x", "main")))
        self.assertTrue(drive(merged.squashed(self.git, "x", "same")))

    def test_a_merge_among_the_commits_is_never_taken_for_copied(self) -> None:
        self.repository.git("checkout", "-q", "-b", "x")
        first = self.repository.commit({"a": "1\n"})
        self.repository.git("checkout", "-q", "-b", "y", "main")
        second = self.repository.commit({"b": "1\n"})
        self.repository.git("merge", "-q", "--no-commit", "x")
        self.repository.commit({"c": "only in the merge\n"})
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"z": ""})
        self.repository.git("cherry-pick", first, second)
        self.assertFalse(drive(merged.equivalent(self.git, "y", "main")))

    def test_a_squash_is_recognised_with_renames_and_after_later_changes(self) -> None:
        self.repository.commit({"old": "".join(f"{n}\n" for n in range(30)), "a": "1\n"})
        self.repository.git("checkout", "-q", "-b", "x")
        self.repository.git("mv", "old", "new")
        self.repository.commit({"a": "2\n"})
        self.repository.commit({"a": "3\n"})
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"unrelated": "x\n"})
        self.repository.git("merge", "-q", "--squash", "x")
        self.repository.commit({}, "the squash")
        self.repository.commit({"a": "4\n", "new": "gone\n"})
        self.assertTrue(drive(merged.squashed(self.git, "x", "main")))
        self.assertFalse(drive(merged.equivalent(self.git, "x", "main")))

    def test_an_unrelated_history_holds_no_squash(self) -> None:
        self.repository.git("checkout", "-q", "--orphan", "alone")
        self.repository.commit({"a": "1"})
        self.assertFalse(drive(merged.squashed(self.git, "alone", "main")))
        self.assertFalse(drive(merged.equivalent(self.git, "alone", "main")))

    def test_no_program_of_the_repositorys_config_compares(self) -> None:
        trace = self.beside("trace")
        self.repository.git("checkout", "-q", "-b", "x")
        tip = self.repository.commit({".gitattributes": "* diff=x\n", "a": "1\n"})
        for key in ("diff.external", "diff.x.command", "diff.x.textconv", "core.fsmonitor"):
            self.repository.git("config", key, f"touch '{trace}'; false")
        for question in (merged.equivalent, merged.squashed, merged.is_empty_diff):
            self.assertFalse(drive(question(self.git, tip, "main")))
        drive(commits.diffstat(self.git, "main", tip))
        drive(worktree_status.status_of(self.git, self.repository.path))
        self.assertFalse(os.path.exists(trace))


class ContentTest(GitTest):
    """What a commit holds, and what a worktree ignores."""

    def test_a_path_is_in_a_commit_or_not_however_it_is_spelled(self) -> None:
        commit = self.repository.commit({"src/a b.py": "x", "-f": "x"})
        for path in ("src", "src/", "./src/a b.py", "src//a b.py", "src/../src", "-f"):
            with self.subTest(path):
                self.assertTrue(drive(commits.has_path(self.git, commit, path)))
        for path in ("other", "src/a", "../src", "src/a b.py/x", "/src", "SRC"):
            with self.subTest(path):
                self.assertFalse(drive(commits.has_path(self.git, commit, path)))

    def test_a_line_is_looked_for_in_text_and_not_in_what_is_left_out(self) -> None:
        commit = self.repository.commit({"a.py": "one\n", "b/c.md": "two\n", "d": b"\0three\n"})
        cases = {"one": True, "^one$": True, "tw+o": False, "three": False, "-x": False}
        for pattern, expected in cases.items():
            with self.subTest(pattern):
                found = drive(commits.has_line(self.git, commit, pattern, less=["*.md"]))
                self.assertEqual(found, expected)
        self.assertTrue(drive(commits.has_line(self.git, commit, "two")))

    def test_a_search_that_git_cannot_make_is_no_answer(self) -> None:
        with self.assertRaises(GitError):
            drive(commits.has_line(self.git, MISSING, "one"))

    def test_what_a_worktree_ignores_need_not_be_there(self) -> None:
        self.repository.commit({".gitignore": ".env\nlib/\n", "tracked.env": ""})
        asked = [".env", "lib/", "lib", "deep/.env", "tracked.env", "lib/é"]
        found = drive(worktree_status.ignored_of(self.git, self.repository.path, asked))
        self.assertEqual(found & set(asked), {".env", "lib/", "deep/.env", "lib/é"})
        nothing = drive(worktree_status.ignored_of(self.git, self.repository.path, ["tracked.env"]))
        self.assertEqual(nothing & {"tracked.env"}, set())


class TransientTest(unittest.TestCase):
    def test_what_another_try_may_mend_is_told_from_what_it_will_not(self) -> None:
        texts = {
            b"fatal: Unable to create '/r/.git/index.lock': File exists.": True,
            b"fatal: failed to read .git/worktrees/x/commondir": True,
            b"fatal: bad object worktrees/x/HEAD": True,
            b"error: could not lock config file .git/config: File exists": True,
            b"fatal: could not open 'worktrees/x/gitdir' for writing: No such file": True,
            b"fatal: could not create directory of 'worktrees/x': File exists": True,
            b"error: unable to create temporary file: No such file or directory": True,
            b"error: unable to create temporary file: Permission denied": False,
            b"error: cannot lock ref 'refs/x': reference already exists": False,
            b"fatal: could not open 'notes' for reading: No such file": False,
        }
        for text, expected in texts.items():
            with self.subTest(text):
                self.assertEqual(bool(TRANSIENT.search(text)), expected)


class WorktreesTest(GitTest):
    """Worktrees: listed, made, removed."""

    def test_worktrees_are_listed_with_all_that_git_knows(self) -> None:
        tip = self.repository.commit_of("main")
        linked, detached, gone = (self.beside(name) for name in ("l i", "d", "gone"))
        make_worktree(self.git, linked, "feature/a", tip)
        self.repository.git("worktree", "lock", "--reason", "on a stick", linked)
        self.repository.git("worktree", "add", "-q", "--detach", detached)
        self.repository.git("worktree", "add", "-q", gone, "-b", "gone")
        shutil.rmtree(gone)
        main, *others = drive(checkouts.worktrees(self.git))
        self.assertEqual(main, WorktreeEntry(self.repository.path, "main", tip))
        expected = {
            linked: WorktreeEntry(linked, "feature/a", tip, locked="on a stick"),
            detached: WorktreeEntry(detached, "", tip),
            gone: WorktreeEntry(gone, "gone", tip, prunable=True),
        }
        self.assertEqual({entry.path: entry for entry in others}, expected)

    def test_a_bare_repository_lists_itself_first(self) -> None:
        self.repository.git("clone", "-q", "--bare", ".", self.beside("bare.git"))
        git = self.open(self.beside("bare.git"))
        make_worktree(git, self.beside("w"), "feature/a", drive(git.commit_of("main")))
        self.assertEqual(
            [entry.branch for entry in drive(checkouts.worktrees(git))], ["", "feature/a"]
        )

    def test_a_folder_in_the_way_is_named_and_left_alone(self) -> None:
        self.repository.write({"f": ""}, at=self.beside("taken"))
        adding = checkouts.add_worktree(self.git, self.beside("taken"), "main")
        self.refused(adding, "already exists")

    def test_a_branch_in_the_way_is_named_and_left_alone(self) -> None:
        tip = self.repository.branch("feature/a")
        second = self.repository.commit({"a": "1"})
        drive(checkouts.add_worktree(self.git, self.beside("w"), second))
        self.refused(
            checkouts.check_out(self.git, self.beside("w"), "feature/a"),
            "feature/a.*already exists",
        )
        self.assertEqual(self.repository.commit_of("feature/a"), tip)
        self.repository.branch("task")
        self.refused(
            checkouts.check_out(self.git, self.beside("w"), "task/a"), "'refs/heads/task' exists"
        )
        self.assertEqual(self.spawner.pauses, 0)

    def test_hooks_stay_silent_and_a_branch_is_made_only_with_its_files(self) -> None:
        hook = Path(self.repository.path, ".git", "hooks", "post-checkout")
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 9\n")
        hook.chmod(0o755)
        tip = self.repository.commit_of("main")
        make_worktree(self.git, self.beside("v"), "feature/b", tip)
        attributes = self.repository.commit({".gitattributes": "* filter=f\n"})
        self.repository.git("config", "filter.f.smudge", "false")
        self.repository.git("config", "filter.f.required", "true")
        drive(checkouts.add_worktree(self.git, self.beside("w"), attributes))
        adding = checkouts.check_out(self.git, self.beside("w"), "feature/a")
        self.refused(adding, "smudge filter f failed")
        self.assertEqual(self.repository.commit_of("feature/a"), "")

    def test_a_worktree_of_a_branch_that_exists_gets_its_files(self) -> None:
        tip = self.repository.branch("feature/a")
        drive(checkouts.add_worktree(self.git, self.beside("w"), "feature/a"))
        self.assertEqual(os.listdir(self.beside("w")), [".git"])
        drive(checkouts.check_out(self.git, self.beside("w")))
        status = drive(worktree_status.status_of(self.git, self.beside("w")))
        self.assertEqual((status.branch, status.commit), ("feature/a", tip))
        self.assertEqual(status.uncommitted, ())
        self.assertIn(drive(checkouts.worktrees(self.git))[1].locked, BEING_MADE)

    def test_the_users_lock_on_the_config_delays_nothing(self) -> None:
        Path(self.repository.path, ".git", "config.lock").write_text("")
        tip = self.repository.commit_of("main")
        make_worktree(self.git, self.beside("w"), "feature/a", tip)
        drive(checkouts.remove_worktree(self.git, self.beside("w")))
        self.assertEqual(self.spawner.pauses, 0)

    def test_a_worktree_is_removed_with_everything_in_it(self) -> None:
        path = self.beside("w")
        make_worktree(self.git, path, "feature/a", self.repository.commit_of("main"))
        self.assertEqual(
            drive(checkouts.admin_dir(self.git, path)),
            os.path.join(self.repository.path, ".git", "worktrees", "w"),
        )
        self.repository.write({"new": "x"}, at=path)
        drive(checkouts.remove_worktree(self.git, path))
        self.assertFalse(os.path.exists(path))
        self.refused(checkouts.remove_worktree(self.git, path), "is not a working tree")
        self.refused(checkouts.admin_dir(self.git, self.repository.root), "find a worktree")


class StatusTest(GitTest):
    """What stands in a worktree, and how it is staged and committed."""

    def status(self, **options: bool) -> WorktreeStatus:
        return drive(worktree_status.status_of(self.git, self.repository.path, **options))

    def test_every_kind_of_change_is_told(self) -> None:
        self.repository.commit({".gitignore": "*.log\n", "a": "1", "b": "1", "c": "1"})
        self.repository.write({"a": "2", "b": None, "new": "", "staged": "", "x.log": ""})
        self.repository.git("add", "staged")
        self.repository.git("add", "-N", "new")
        self.repository.write({"d/e f": ""})
        status = self.status(ignored=True)
        self.assertEqual(status.branch, "main")
        self.assertEqual(status.commit, self.repository.commit_of("main"))
        self.assertEqual(status.changed, ("a", "b", "new", "staged"))
        self.assertEqual(status.added, ("new", "staged"))
        self.assertEqual(status.untracked, ("d/e f",))
        self.assertEqual(status.ignored, ("x.log",))
        self.assertEqual(status.uncommitted, ("a", "b", "new", "staged", "d/e f"))
        self.assertEqual(self.status().ignored, ())

    def test_files_of_a_half_done_merge_are_told(self) -> None:
        self.repository.commit({"a b": "1\n"})
        self.repository.git("checkout", "-q", "-b", "x")
        self.repository.commit({"a b": "2\n"})
        self.repository.git("checkout", "-q", "main")
        self.repository.commit({"a b": "3\n"})
        self.repository.git("merge", "x", fails=True)
        status = self.status()
        self.assertEqual((status.unmerged, status.changed), (("a b",), ()))

    def test_a_folder_that_is_no_worktree_has_no_status(self) -> None:
        self.refused(worktree_status.status_of(self.git, self.repository.root), "look at")

    def test_everything_an_agent_can_do_to_a_file_is_committed(self) -> None:
        odd = {
            "new\nline": "1",
            'quo"te': "2",
            "-dash": "3",
            "tab\there": "4",
            "日本": "5",
            os.fsdecode(b"latin-\xe9"): "6",
            ":(glob)*": "7",
        }
        before = {
            "changed": "1",
            "deleted": "1",
            "mode": "1",
            "from": "a long enough text\n" * 5,
            "file-to-folder": "1",
            "folder-to-file/a": "1",
            "folder-to-link/a": "1",
            "file-to-link": "1",
        }
        self.repository.commit(before)
        path = self.repository.path
        self.repository.write({"changed": "2", "deleted": None, "from": None, **odd})
        self.repository.write({"to": "a long enough text\n" * 5})
        os.chmod(os.path.join(path, "mode"), 0o755)
        os.unlink(os.path.join(path, "file-to-folder"))
        self.repository.write({"file-to-folder/b": "2"})
        for folder in ("folder-to-file", "folder-to-link"):
            shutil.rmtree(os.path.join(path, folder))
        self.repository.write({"folder-to-file": "2"})
        os.symlink("file-to-folder", os.path.join(path, "folder-to-link"))
        os.unlink(os.path.join(path, "file-to-link"))
        os.symlink("nowhere", os.path.join(path, "file-to-link"))
        drive(staging.stage(self.git, path, self.status().uncommitted))
        old = self.repository.commit_of("main")
        made = drive(staging.commit(self.git, path, "all of it"))
        self.assertEqual(self.status().uncommitted, ())
        self.assertEqual((made.id, made.parents), (self.repository.commit_of("main"), (old,)))
        self.assertEqual(made.stat, drive(commits.diffstat(self.git, old, made.id)))
        expected = {
            "README.md": b"hello\n",
            "changed": b"2",
            "mode": b"1",
            "to": before["from"].encode(),
            "file-to-folder/b": b"2",
            "folder-to-file": b"2",
            "folder-to-link": b"file-to-folder",
            "file-to-link": b"nowhere",
            **{name: content.encode() for name, content in odd.items()},
        }
        self.assertEqual(self.repository.files(made.id), expected)
        self.assertTrue(self.repository.git("ls-tree", made.id, "mode").startswith("100755"))

    def test_what_is_taken_out_of_the_index_stays_on_disk(self) -> None:
        self.repository.write({"new": "x"})
        self.repository.git("add", "new")
        drive(staging.unstage(self.git, self.repository.path, ["new"]))
        drive(staging.unstage(self.git, self.repository.path, []))
        self.assertEqual(self.status().untracked, ("new",))

    def test_a_file_that_cannot_be_staged_is_named(self) -> None:
        self.repository.git("config", "filter.f.clean", "false")
        self.repository.git("config", "filter.f.required", "true")
        self.repository.write({".gitattributes": "bad filter=f\n", "bad": "x"})
        self.refused(staging.stage(self.git, self.repository.path, ["bad"]), "stage the files")

    def test_a_snapshot_leaves_index_and_branch_as_they_are(self) -> None:
        self.repository.commit({"a": "1", "b": "1"})
        self.repository.write({"a": "2", "b": None, "new": "x", "left out": "x"})
        seen = self.repository.seen_by_user()
        index = self.beside("index")
        files = ["a", "b", "new"]
        tree = drive(staging.snapshot_tree(self.git, self.repository.path, files, index))
        self.assertEqual(
            self.repository.files(tree), {"README.md": b"hello\n", "a": b"2", "new": b"x"}
        )
        self.assertEqual(self.repository.seen_by_user(), seen)

    def test_a_merge_in_the_worktree_is_made_or_undone(self) -> None:
        self.repository.commit({"é": "1\n"})
        for name, content in (("one", "one\n"), ("two", "two\n")):
            self.repository.git("checkout", "-q", "-b", name, "main")
            self.repository.commit({"é": content})
        self.repository.git("checkout", "-q", "-b", "clean", "main")
        self.repository.commit({"clean": "x"})
        self.repository.git("checkout", "-q", "one")
        path = self.repository.path
        merge = partial(merging.merge_into_worktree, self.git)
        self.assertEqual(drive(merge(path, "clean", "merge them")), [])
        self.assertEqual(self.repository.git("log", "-1", "--format=%s"), "merge them")
        seen = self.repository.git("status", "--porcelain=v2", "--branch")
        self.assertEqual(drive(merge(path, "two", "merge them")), ["é"])
        self.assertEqual(self.repository.git("status", "--porcelain=v2", "--branch"), seen)
        self.refused(merge(path, MISSING, "merge them"), "could not merge")


class SubmoduleTest(GitTest):
    """Submodules: checked out from the clone that the repository has."""

    def setUp(self) -> None:
        super().setUp()
        self.library = self.make("library")
        self.add_submodule(self.library.path, "libs/the lib", "lib")

    def add_submodule(self, source: str, path: str, name: str) -> None:
        allow = ("-c", "protocol.file.allow=always")
        self.repository.git(*allow, "submodule", "add", "-q", "--name", name, source, path)
        self.repository.commit({}, "a submodule")

    def worktree(self) -> str:
        path = self.beside("w")
        make_worktree(self.git, path, "feature/a", self.repository.commit_of("main"))
        drive(Submodules(self.git).fill(path))
        return path

    def test_a_submodule_is_filled_without_network_and_without_the_shared_config(self) -> None:
        shutil.rmtree(self.library.path)
        seen = self.repository.seen_by_user()
        path = self.worktree()
        self.assertTrue(os.path.exists(os.path.join(path, "libs", "the lib", "README.md")))
        self.assertEqual(self.repository.seen_by_user(), seen)
        self.assertEqual(drive(worktree_status.status_of(self.git, path)).uncommitted, ())

    def test_a_commit_that_no_branch_of_the_clone_has_is_found(self) -> None:
        newer = self.library.commit({"newer": "x"})
        module = os.path.join(self.repository.path, "libs", "the lib")
        self.repository.git("fetch", "-q", at=module)
        self.repository.git("checkout", "-q", "--detach", newer, at=module)
        self.repository.commit({}, "newer")
        self.repository.git("checkout", "-q", "main", at=module)
        path = self.worktree()
        self.assertTrue(os.path.exists(os.path.join(path, "libs", "the lib", "newer")))
        module = os.path.join(path, "libs", "the lib")
        self.assertEqual(drive(submodules.unpublished_commits(self.git, module, "lib")), 0)
        self.assertEqual(drive(submodules.unpublished_commits(self.git, module, "another")), 1)

    def test_a_submodule_that_the_user_did_not_fetch_stays_empty(self) -> None:
        shutil.rmtree(os.path.join(self.repository.path, ".git", "modules"))
        path = self.worktree()
        self.assertEqual(os.listdir(os.path.join(path, "libs", "the lib")), [])

    def test_work_in_a_submodule_is_told_apart_from_a_new_commit_of_it(self) -> None:
        path = self.worktree()
        module = os.path.join(path, "libs", "the lib")
        self.repository.write({"new": "x"}, at=module)
        status = drive(worktree_status.status_of(self.git, path))
        self.assertEqual((status.submodules, status.changed), (("libs/the lib",), ()))
        self.assertEqual(drive(submodules.unpublished_commits(self.git, module, "lib")), 0)
        self.repository.commit({}, "in the submodule", at=module)
        status = drive(worktree_status.status_of(self.git, path))
        self.assertEqual((status.submodules, status.changed), ((), ("libs/the lib",)))
        self.assertEqual(drive(submodules.unpublished_commits(self.git, module, "lib")), 1)
        self.assertTrue(
            drive(submodules.unpublished_commits(self.git, self.repository.root, "lib"))
        )

    def test_a_broken_clone_is_told(self) -> None:
        shutil.rmtree(os.path.join(self.repository.path, ".git", "modules", "lib", "objects"))
        with self.assertRaisesRegex(GitError, "check out the submodules"):
            self.worktree()


class LandingTest(GitTest):
    """Commits made once more, and a checkout that is moved."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.repository.path
        self.first = self.repository.commit_of("main")
        self.second = self.repository.commit({"a": "1\n"}, "second\n\nWhy: \u00e9\n")
        self.third = self.repository.commit({"a": "2\n"}, "third")

    def test_own_commits_come_oldest_first_with_their_parents(self) -> None:
        self.repository.git("checkout", "-q", "-b", "side", self.first)
        side = self.repository.commit({"b": ""}, "side")
        self.repository.git("merge", "-q", "--no-ff", "-m", "both", "main")
        tip = self.repository.commit({"c": ""}, "on top")
        merge = self.repository.commit_of("side~1")
        own = drive(history.own_commits(self.git, tip, [self.third]))
        both = (side, self.third)
        self.assertEqual(own, [(side, (self.first,)), (merge, both), (tip, (merge,))])
        everything = dict(drive(history.own_commits(self.git, tip, [])))
        self.assertEqual(everything[self.first], ())
        self.assertEqual(set(everything), {self.first, self.second, self.third, *both, merge, tip})

    def test_a_commit_is_made_again_with_author_date_and_message(self) -> None:
        self.repository.git("checkout", "-q", "--detach", self.first)
        who = {"GIT_AUTHOR_NAME": "Zo\u00eb", "GIT_AUTHOR_DATE": "@12345 +0130"}
        self.repository.git("commit", "-q", "--allow-empty", "-m", "Some\n\nwords \u00e9", env=who)
        commit = self.repository.commit_of("HEAD")
        tree = drive(self.git.tree_of(self.third))
        made = drive(history.commit_again(self.git, commit, tree, self.third))
        seen = self.repository.git("log", "-1", "--date=raw", "--format=%T %P %an %ad%n%B", made)
        expected = f"{tree} {self.third} Zo\u00eb 12345 +0130\nSome\n\nwords \u00e9"
        self.assertEqual(seen.rstrip("\n"), expected)

    def test_the_files_of_many_pairs_come_at_once(self) -> None:
        fourth = self.repository.commit({"b": "", "dir/\u00e9": ""})
        pairs = [(self.first, fourth), (fourth, fourth), (self.second, self.third)]
        pairs += [(self.third, fourth), (fourth, self.first)]
        expected = [{"a", "b", "dir/\u00e9"}, set(), {"a"}, {"b", "dir/\u00e9"}]
        expected.append(expected[0])
        self.assertEqual(drive(commits.changed_files(self.git, pairs)), expected)
        self.assertEqual(drive(commits.changed_files(self.git, [])), [])

    def test_a_worktree_stands_at_a_commit_only_with_index_and_files(self) -> None:
        def stands(commit: str) -> bool:
            return drive(merged.matches(self.git, self.path, commit))

        self.assertEqual((stands(self.third), stands(self.second)), (True, False))
        self.repository.git("update-ref", "refs/heads/main", self.second)
        self.assertEqual((stands(self.third), stands(self.second)), (True, False))
        self.repository.write({"a": "mine\n"})
        self.assertFalse(stands(self.third))
        self.repository.git("add", "a")
        self.assertFalse(stands(self.third))

    def test_a_checkout_is_brought_to_another_commit_and_its_head_stays(self) -> None:
        self.repository.git("reset", "-q", "--hard", self.first)
        os.utime(os.path.join(self.path, "README.md"), (1, 1))
        drive(merging.bring(self.git, self.path, self.first, self.third))
        self.assertEqual(self.repository.commit_of("main"), self.first)
        self.assertEqual(self.repository.git("status", "--porcelain"), "A  a")
        drive(merging.bring(self.git, self.path, self.third, self.first))
        self.assertEqual(self.repository.git("status", "--porcelain"), "")
        self.repository.write({"a": "mine\n"})
        self.refused(merging.bring(self.git, self.path, self.first, self.third), "overwritten")
        self.assertEqual(self.repository.git("status", "--porcelain"), "?? a")

    def test_the_log_of_a_ref_tells_where_it_was(self) -> None:
        self.repository.git("reset", "-q", "--soft", self.second)
        self.assertTrue(drive(history.was_at(self.git, "refs/heads/main", self.third)))
        self.assertFalse(drive(history.was_at(self.git, "refs/heads/main", MISSING)))
        self.assertFalse(drive(history.was_at(self.git, "refs/heads/nowhere", self.third)))
        self.assertEqual(drive(checkouts.head_of(self.git, self.path)), "refs/heads/main")
        self.repository.git("checkout", "-q", "--detach")
        self.assertEqual(drive(checkouts.head_of(self.git, self.path)), "")

    def test_what_is_half_done_is_known_by_the_worktree_and_by_the_branch(self) -> None:
        path = self.beside("w")
        make_worktree(self.git, path, "side", self.first)
        self.assertEqual(drive(checkouts.operation_in_progress(self.git, path)), "")
        self.repository.commit({"a": "side\n"}, at=path)
        self.repository.git("merge", "main", at=path, fails=True)
        self.assertEqual(drive(checkouts.operation_in_progress(self.git, path)), "a merge")
        self.assertEqual(drive(checkouts.operation_in_progress(self.git, self.path)), "")
        self.repository.git("merge", "--abort", at=path)
        self.assertEqual(checkouts.rebased_in(self.git, "side"), "")
        self.repository.git("rebase", "main", at=path, fails=True)
        self.assertEqual(drive(checkouts.operation_in_progress(self.git, path)), "a rebase")
        self.assertEqual(
            checkouts.rebased_in(self.git, "side"), drive(checkouts.admin_dir(self.git, path))
        )
        self.assertEqual(checkouts.rebased_in(self.git, "main"), "")


class VersionTest(GitTest):
    def test_an_older_git_merges_in_the_worktree(self) -> None:
        old = replace(self.git.repository, version=(2, 30))
        git = Git(self.spawner, old, self.repository.environ)
        self.assertFalse(git.merges_without_worktree)


if __name__ == "__main__":
    unittest.main()
