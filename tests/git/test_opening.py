"""Repositories: found, opened, refused."""

from __future__ import annotations

import os
import subprocess
import unittest
from pathlib import Path

from core.git import (
    staging,
    worktree_status,
)
from core.git.opening import first_commit, open_repository, version_in
from core.model.errors import UserError
from core.process.spawner import run_sync
from tests.support.git import GitTest


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
                git = run_sync(open_repository(self.spawner, repository.path, repository.environ))
                self.assertEqual(git.repository.top, repository.path)
                self.assertEqual(run_sync(git.commit_of("main")), repository.commit_of("main"))

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
        self.assertEqual(run_sync(self.open(empty.path).commit_of("main")), "")

    def test_the_first_commit_of_a_folder_can_be_made_as_it_is_said(self) -> None:
        for files in (dict[str, str](), {"a.txt": "a\n"}):
            with self.subTest(files):
                place = self.make(f"of {len(files)}", empty=True)
                place.write(files)
                command = ["sh", "-c", first_commit(place.path)]
                subprocess.run(
                    command, cwd=place.path, env=place.environ, check=True, capture_output=True
                )
                self.assertTrue(place.commit_of("main"))
        self.assertIn("git add .", first_commit("nowhere"))

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

    def test_a_refusal_of_git_is_quoted(self) -> None:
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

    def test_the_hint_never_suggests_to_commit_the_home_folder(self) -> None:
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
        for said in ("git version 2.24.9", "git version 2", "git version 3.x", "what?"):
            program = Path(self.beside("git"))
            program.write_text(f"#!/bin/sh\necho {said}\n")
            program.chmod(0o755)
            with self.subTest(said), self.assertRaisesRegex(UserError, "too old") as caught:
                self.open(self.repository.path, PATH=self.repository.root)
            self.assertIn("2.25", caught.exception.hint)
        program.write_text("#!/bin/sh\necho 'git version 3.1.2 (Apple Git-9)'\n")
        told = run_sync(self.spawner.run([str(program)], env=self.repository.environ))
        self.assertEqual(version_in(told), (3, 1))

    def test_git_variables_of_a_calling_hook_are_ignored(self) -> None:
        other = self.make("other")
        hook = {"GIT_DIR": os.path.join(other.path, ".git"), "GIT_INDEX_FILE": "/nowhere/index"}
        git = self.open(self.repository.path, **hook)
        self.assertEqual(git.repository.top, self.repository.path)
        self.repository.write({"new": "x"})
        self.assertEqual(
            run_sync(worktree_status.status_of(git, self.repository.path)).untracked, ("new",)
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
