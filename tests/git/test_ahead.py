"""Questions to git that are asked early: who takes over their answers, and who does not."""

from __future__ import annotations

import os
import unittest

from core.git import ahead, bare_status, configuration
from core.git.refs import HEADS, SEEN
from core.process import spawner
from core.process.spawner import end_started, run_sync
from tests.support.git import GitTest


class AskTest(GitTest):
    """The first questions of ``plan``, ``run`` and ``status``."""

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(end_started)

    def _ask(self, config: str) -> int:
        """Ask about a list; how many questions were started."""
        ahead.ask(["plan", "--config", config], self.repository.environ, settings=True)
        return len(spawner._early)

    def test_whoever_asks_the_same_gets_the_answers(self) -> None:
        self.assertEqual(self._ask(self.repository.path), 4)
        git = self.open(self.repository.path)
        found, settings = run_sync(git.refs(*SEEN)), run_sync(configuration.values(git.read_only()))
        self.assertEqual(spawner._early, [])
        self.assertEqual(found[HEADS + "main"], self.repository.commit_of("main"))
        self.assertEqual(settings["core.bare"], "false")

    def test_the_status_of_the_checkout_is_asked_without_the_users_filters(self) -> None:
        self.repository.git("config", "filter.odd.clean", "false")
        self.repository.write({"new": "1"})
        self._ask_for_run()
        self.assertEqual(len(spawner._early), 5)
        git = self.open(self.repository.path).read_only()
        status = run_sync(bare_status.bare_status(git, git.repository.top, ["odd"]))
        assert status is not None
        self.assertEqual(status.untracked, ("new",))
        self.assertFalse(any("status" in words for words, _, _ in spawner._early))

    def test_without_an_answer_about_the_settings_no_status_is_asked(self) -> None:
        for key, value in (("filter.a=b.clean", "cat"), ("core.bare", "perhaps")):
            with self.subTest(key):
                self.repository.git("config", key, value)
                self._ask_for_run()
                self.assertEqual(len(spawner._early), 4)
                end_started()

    def _ask_for_run(self) -> None:
        words = ["run", "--config", self.repository.path]
        ahead.ask(words, self.repository.environ, settings=True, status=True)

    def test_the_list_or_its_folder_tells_which_repository_is_asked(self) -> None:
        for folder in ("", "config"):
            with self.subTest(folder):
                os.makedirs(os.path.join(self.repository.path, folder), exist_ok=True)
                self._ask(os.path.join(self.repository.path, folder, "feature_list.json"))
                found = run_sync(self.open(self.repository.path).refs(*SEEN))
                self.assertEqual(found[HEADS + "main"], self.repository.commit_of("main"))
                self.assertEqual(len(spawner._early), 1, "only the settings are left")
                end_started()

    def test_beside_a_list_outside_of_any_repository_the_current_folder_is_asked(self) -> None:
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.repository.path)
        self._ask(self.beside("list.json"))
        found = run_sync(self.open(self.repository.path).refs(*SEEN))
        self.assertEqual(found[HEADS + "main"], self.repository.commit_of("main"))
        self.assertEqual(len(spawner._early), 1)

    def test_the_answers_about_one_repository_are_not_those_about_another(self) -> None:
        other = self.make("other")
        other.commit({"a": "1"})
        self._ask(other.path)
        found = run_sync(self.open(self.repository.path).refs(*SEEN))
        self.assertEqual(found[HEADS + "main"], self.repository.commit_of("main"))

    def test_a_ref_that_moves_afterwards_is_seen_by_the_next_question(self) -> None:
        self._ask(self.repository.path)
        git = self.open(self.repository.path)
        run_sync(git.refs(*SEEN))
        made = self.repository.commit({"a": "1"})
        self.assertEqual(run_sync(git.refs(*SEEN))[HEADS + "main"], made)

    def test_nothing_is_started_where_the_folder_of_git_is_elsewhere(self) -> None:
        self.repository.git("worktree", "add", "-q", self.beside("linked"))
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.repository.path)
        self.assertEqual(self._ask(self.beside("linked")), 0)
        os.chdir(self.beside(os.curdir))
        self.assertEqual(self._ask(os.path.join(self.repository.path, "missing", "list.json")), 0)

    def test_without_a_named_list_the_current_folder_is_asked_if_it_is_still_there(self) -> None:
        gone = self.beside("gone")
        os.mkdir(gone)
        self.addCleanup(os.chdir, os.getcwd())
        for folder, count in ((self.repository.path, 3), (gone, 0)):
            os.chdir(folder)
            if folder == gone:
                os.rmdir(gone)
            ahead.ask(["status"], self.repository.environ, settings=False)
            self.assertEqual(len(spawner._early), count)
            end_started()

    def test_without_git_nothing_is_started(self) -> None:
        words, environ = ["run", "--config", self.repository.path], {"PATH": self.repository.path}
        ahead.ask(words, environ, settings=True, status=True)
        self.assertEqual(spawner._early, [])


if __name__ == "__main__":
    unittest.main()
