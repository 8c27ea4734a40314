"""What `init` finds in a repository, of every kind of repository."""

from __future__ import annotations

import os
import unittest
from collections.abc import Mapping
from contextlib import suppress
from unittest import mock

from core.model.errors import UserError
from core.start.survey import Survey, survey
from tests.support.repository import Repository
from tests.support.trees import GO, NODE, PYTHON, RAILS
from tests.support.workspace import Workspace, feature


class SurveyTest(unittest.TestCase):
    def use(self, repository: Repository) -> Repository:
        self.addCleanup(repository.close)
        self.repository = repository
        return repository

    def setUp(self) -> None:
        self.use(Repository("shop"))

    def look(self, inner: str = "", base: str = "", *, given: bool = False) -> Survey:
        path = os.path.join(self.repository.path, inner) if inner else self.repository.path
        return survey(path, base, self.repository.environ, given=given)

    def refused(self, inner: str = "", *, given: bool = False) -> tuple[str, str]:
        with self.assertRaises(UserError) as caught:
            self.look(inner, given=given)
        return caught.exception.message, caught.exception.hint

    def commit(self, files: Mapping[str, str]) -> None:
        self.repository.commit(dict(files), "more")

    def assert_noted(self, found: Survey, text: str) -> None:
        self.assertTrue(any(text in note for note in found.notes), found.notes)


class OfTheCommit(SurveyTest):
    def test_what_the_base_commit_has_is_found(self) -> None:
        self.commit(NODE)
        found = self.look()
        self.assertEqual((found.top, found.workspace), (self.repository.path,) * 2)
        self.assertEqual((found.name, found.inner, found.base_branch), ("shop", "", "main"))
        self.assertEqual([stack.name for stack in found.choice.stacks], ["Node with npm"])
        self.assertEqual(found.worktrees_path, "../shop-worktrees")
        self.assertEqual(found.ignore, ("/reports/", "node_modules/"))

    def test_a_manifest_that_is_not_committed_is_asked_for_first(self) -> None:
        self.repository.write({"package.json": NODE["package.json"]})
        message, hint = self.refused()
        self.assertIn("does not have package.json: features start from this commit", message)
        self.assertIn("git add package.json && git commit, then: rorchestrator init", hint)

    def test_a_lockfile_that_is_not_committed_is_named(self) -> None:
        files = {"package.json": NODE["package.json"], "web/package.json": "{}"}
        self.commit(files)
        lock = {"package-lock.json": NODE["package-lock.json"], "web/yarn.lock": ""}
        self.repository.write({**lock, "node_modules/x/package.json": "{}"})
        found = self.look()
        self.assertEqual(found.choice.stacks[0].setup, ())
        self.assert_noted(found, "package-lock.json is in your checkout, but not in main @ ")
        self.assert_noted(found, "web/yarn.lock is in your checkout")
        self.commit({".gitignore": "*lock*\n"})
        self.assertFalse(any("checkout" in note for note in self.look().notes))

    def test_a_file_that_differs_in_the_checkout_is_named(self) -> None:
        self.commit(NODE)
        self.repository.write({"package.json": NODE["package.json"].replace(",", ",\r\n")})
        self.assert_noted(self.look(), "package.json in your checkout differs from main @ ")
        text = NODE["package.json"]
        self.repository.write({"package.json": f"{text}\r\n"})
        os.remove(os.path.join(self.repository.path, "package-lock.json"))
        self.assertFalse(any("differs" in note for note in self.look().notes))

    def test_the_name_of_a_folder_is_no_pattern(self) -> None:
        folder = "a\n*\n[b]"
        self.commit({f"{folder}/go.mod": "", f"{folder}/Cargo.toml": ""})
        self.assertIn("/a?\\*?\\[b]/**/target/", self.look().ignore)
        self.assertEqual(self.look(folder, given=True).ignore[0], "/a?\\*?\\[b]/reports/")

    def test_a_program_that_is_missing_is_named(self) -> None:
        self.commit(GO)
        folder = os.path.join(self.repository.root, "bin")
        os.mkdir(folder)
        with suppress(FileExistsError):
            os.symlink(os.path.realpath(self.git()), os.path.join(folder, "git"))
        self.repository.environ["PATH"] = folder
        self.assert_noted(self.look(), "go is not on PATH, and setup and checks need it (Go)")

    def git(self) -> str:
        folders = self.repository.environ["PATH"].split(os.pathsep)
        paths = (os.path.join(folder, "git") for folder in folders)
        return next(path for path in paths if os.access(path, os.X_OK))

    def test_ignored_settings_that_tests_may_need_are_named_and_the_database_is_copied(
        self,
    ) -> None:
        files = {name: text for name, text in RAILS.items() if name != "config/database.yml"}
        self.commit({**files, ".gitignore": ".env\nconfig/database.yml\n/tmp/\n"})
        self.repository.write({".env": "", "config/database.yml": "x"})
        found = self.look()
        self.assertEqual(found.copy, ("config/database.yml",))
        self.assert_noted(found, "worktrees have no .env, because git ignores it")
        self.assertEqual(found.ignore, ("/reports/", "/log/*"))


class OfTheBase(SurveyTest):
    def test_the_branch_of_the_remote_wins_over_the_one_that_is_checked_out(self) -> None:
        git = self.repository.git
        git("branch", "develop")
        git("update-ref", "refs/remotes/origin/develop", "HEAD")
        git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/develop")
        found = self.look()
        self.assertEqual(found.base_branch, "develop")
        self.assert_noted(found, "start from develop, not from main, which is checked out")
        self.assertEqual(self.look(base="main").base_branch, "main")
        self.assertFalse(any("start from" in note for note in self.look(base="main").notes))

    def test_the_branch_that_is_checked_out_is_the_base_where_there_is_no_main(self) -> None:
        self.repository.git("branch", "--quiet", "-m", "main", "work")
        self.assertEqual(self.look().base_branch, "work")

    def test_a_branch_that_leaves_no_room_for_those_of_features_changes_their_prefix(self) -> None:
        self.assertEqual(self.look().branch_prefix, "")
        self.repository.git("branch", "feature")
        self.assertEqual(self.look().branch_prefix, "rorchestrator/")

    def test_a_commit_without_a_branch_stays_open(self) -> None:
        self.repository.git("checkout", "--quiet", "--detach")
        self.repository.git("branch", "--quiet", "-D", "main")
        found = self.look()
        self.assertEqual(found.base_branch, "")
        self.assert_noted(found, "no branch is checked out")

    def test_without_a_commit_there_is_nothing_to_start_from(self) -> None:
        self.use(Repository(empty=True))
        self.assertIn("no commit yet", self.refused()[0])

    def test_without_a_repository_or_a_folder_the_next_step_is_said(self) -> None:
        outside = survey_of(self, self.repository.root)
        self.assertIn("is not in a git repository", outside)
        self.assertIn("does not exist", self.refused("none")[0])

    def test_the_folder_of_git_itself_has_no_place_for_a_list(self) -> None:
        for inner in (".git", ".git/objects"):
            message, hint = self.refused(inner, given=True)
            self.assertIn(f"{inner} is in git's own folder", message)
            self.assertIn("in your checkout", hint)

    def test_a_bare_repository_has_no_place_for_a_list(self) -> None:
        self.use(Repository(bare=True))
        message, hint = self.refused()
        self.assertIn("is a bare repository", message)
        self.assertIn("clone it", hint)


def survey_of(case: SurveyTest, folder: str) -> str:
    """Why there can be no list in a folder."""
    with case.assertRaises(UserError) as caught:
        survey(folder, "", case.repository.environ)
    return caught.exception.message


class OfThePlace(SurveyTest):
    def test_a_list_that_exists_is_left_alone(self) -> None:
        self.repository.write({"orchestrator/config/feature_list.json": "{}"})
        message, hint = self.refused()
        self.assertIn("there is a feature list already: ", message)
        self.assertIn("rorchestrator plan", hint)

    def test_from_a_folder_the_list_is_for_the_whole_repository_unless_it_is_named(self) -> None:
        self.commit({f"web/{name}": text for name, text in PYTHON.items()})
        found = self.look("web")
        self.assertEqual(found.inner, "")
        self.assert_noted(found, "for web alone: rorchestrator init --dir .")
        inner = self.look("web", given=True)
        self.assertEqual((inner.inner, inner.name), ("web", "web"))
        check = "cd web && python3 -m unittest discover -s tests"
        self.assertEqual(inner.choice.stacks[0].verify, (check,))
        self.assertEqual(inner.ignore, ("/web/reports/", "/web/**/__pycache__/"))
        self.assertFalse(any("whole" in note for note in inner.notes))

    def test_a_worktree_of_the_user_is_said_to_be_one(self) -> None:
        path = os.path.join(self.repository.root, "second")
        self.repository.git("worktree", "add", "--quiet", "-b", "second", path)
        found = survey(path, "", self.repository.environ, given=False)
        self.assertEqual(found.worktrees_path, "../second-worktrees")
        self.assert_noted(found, f"this is a worktree of {self.repository.path}")

    def test_a_submodule_has_a_list_of_its_own(self) -> None:
        other = Repository("part")
        self.addCleanup(other.close)
        allowed = ("-c", "protocol.file.allow=always")
        self.repository.git(*allowed, "submodule", "--quiet", "add", other.path, "part")
        self.repository.git("commit", "--quiet", "-m", "part")
        found = self.look("part")
        self.assertEqual(found.top, os.path.join(self.repository.path, "part"))
        self.assert_noted(found, f"this is a submodule of {self.repository.path}")

    def test_the_worktree_of_a_feature_is_no_place_for_a_list(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.finish("auth")
            os.remove(os.path.join(space.worktree("auth"), "config", "feature_list.json"))
            with self.assertRaises(UserError) as caught:
                survey(space.worktree("auth"), "", space.environ)
        self.assertIn("is the worktree of a feature", caught.exception.message)
        self.assertIn(f"cd {space.path}", caught.exception.hint)

    def test_where_nothing_can_be_made_beside_the_repository_worktrees_go_into_it(self) -> None:
        with mock.patch("os.access", lambda path, mode: path != self.repository.root):
            found = self.look()
        self.assertEqual(found.worktrees_path, ".rorchestrator/worktrees")
        self.assertEqual(found.ignore, ("/reports/", "/.rorchestrator/worktrees/"))
        self.assert_noted(found, "is not writable, so worktrees go to")

    def test_a_name_of_any_characters_makes_a_folder_of_plain_ones(self) -> None:
        for name, expected in (
            ("my shop\n2", "../my-shop-2-worktrees"),
            ("--", "../repository-worktrees"),
        ):
            self.use(Repository(name))
            self.assertEqual(self.look().worktrees_path, expected)


if __name__ == "__main__":
    unittest.main()
