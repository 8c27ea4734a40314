"""Settings are asked for again exactly when a file that they come from changed."""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

from core.git import configuration, file_stamps, known_settings, staging, worktree_status
from core.git.door import GitError
from core.process.spawner import Finished, run_sync
from tests.support.git import GitTest, Impatient
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


class Noting(Impatient):
    """Notes which commands may run code of the user's."""

    def __init__(self) -> None:
        super().__init__()
        self.guarded: dict[str, bool] = {}

    async def run(self, argv: Any, *, guarded: bool = False, **options: Any) -> Finished:
        known = ("status", "commit", "update-index")
        self.guarded.update((word, guarded) for word in argv if word in known)
        return await super().run(argv, guarded=guarded, **options)


class KnownSettingsTest(GitTest):
    def setUp(self) -> None:
        super().setUp()
        self.spawner = self.noting = Noting()
        self.home = self.beside("home")
        os.makedirs(os.path.join(self.home, ".config", "git"))
        more = {"HOME": self.home, "GIT_CONFIG_GLOBAL": "", "XDG_CONFIG_HOME": ""}
        self.git = self.open(self.repository.path, **more)
        self.git.environ.pop("GIT_CONFIG_GLOBAL")
        patch = mock.patch.multiple(file_stamps, SETTLED_NS=-1, COARSE_NS=-1)
        patch.start()
        self.addCleanup(patch.stop)

    def questions(self) -> int:
        """How many commands it takes to ask for the settings."""
        before = len(self.spawner.commands)
        run_sync(known_settings.everywhere(self.git))
        return len(self.spawner.commands) - before

    def values(self, key: str) -> list[str]:
        listed = run_sync(known_settings.everywhere(self.git))
        assert listed is not None
        return [value for _, name, value in listed if name == key]

    def write(self, *path: str, text: str) -> None:
        with open(os.path.join(self.home, *path), "a") as file:
            file.write(text)

    def test_they_are_asked_for_once_and_again_after_a_change_wherever_it_is(self) -> None:
        self.assertEqual([self.questions(), self.questions()], [1, 0])
        self.write(".gitconfig", text="[user]\n\tname = new\n")
        self.assertEqual([self.questions(), self.questions()], [1, 0])
        self.assertIn("new", self.values("user.name"))
        self.write(".config", "git", "config", text="[x]\n\ty = z\n")
        self.assertEqual(self.values("x.y"), ["z"])
        self.repository.git("config", "a.b", "c")
        self.assertEqual([self.questions(), self.questions()], [1, 0])
        self.assertEqual(self.values("a.b"), ["c"])

    def test_files_that_are_included_count_before_they_exist(self) -> None:
        self.write(".gitconfig", text="[include]\n\tpath = ~/one\n\tpath = two\n")
        self.assertEqual([self.questions(), self.questions()], [1, 0])
        for name in ("one", "two"):
            self.write(name, text=f"[x]\n\ty = {name}\n")
            self.assertIn(name, self.values("x.y"))
            self.assertEqual(self.questions(), 0)

    def test_a_change_that_might_not_show_is_asked_for_each_time(self) -> None:
        with mock.patch.multiple(file_stamps, SETTLED_NS=10**18, COARSE_NS=10**18):
            self.assertEqual([self.questions(), self.questions()], [1, 1])
        self.write(".gitconfig", text="[include]\n\tpath = ~nobody/more\n")
        self.assertEqual([self.questions(), self.questions()], [1, 1])
        self.assertIsNone(run_sync(known_settings.everywhere(self.git)))

    def test_settings_that_differ_or_that_git_cannot_read_are_unknown(self) -> None:
        self.repository.git("config", "extensions.worktreeConfig", "true")
        self.assertEqual([self.questions(), self.questions()], [1, 0])
        self.assertIsNone(run_sync(known_settings.everywhere(self.git)))
        self.assertTrue(run_sync(known_settings.may_run_programs(self.git)))
        self.write(".gitconfig", text="[broken\n")
        self.assertIsNone(run_sync(known_settings.everywhere(self.git)))

    def test_the_hooks_folder_is_the_usual_one_unless_a_setting_names_another(self) -> None:
        usual = os.path.join(self.git.repository.common_dir, "hooks")
        self.assertEqual(run_sync(configuration.hooks_folder(self.git)), usual)
        self.write(".gitconfig", text="[core]\n\thooksPath = ~/hooks\n")
        hooks = os.path.join(self.home, "hooks")
        self.assertEqual(run_sync(configuration.hooks_folder(self.git)), hooks)

    def guarded(self) -> dict[str, bool]:
        path = self.repository.path
        self.repository.write({"new": os.urandom(4).hex()})
        run_sync(worktree_status.status_of(self.git, path))
        run_sync(staging.stage(self.git, path, ["new"]))
        run_sync(staging.commit(self.git, path, "more", runs_hooks=False))
        return self.noting.guarded

    def test_only_commands_that_may_run_a_program_are_guarded(self) -> None:
        none = dict.fromkeys(("status", "update-index", "commit"), False)
        self.assertEqual(self.guarded(), none)
        self.write(".gitconfig", text="[commit]\n\tgpgsign = false\n")
        self.assertEqual(self.guarded(), none)
        self.write(".gitconfig", text="[commit]\n\tgpgsign\n[gpg]\n\tprogram = false\n")
        with self.assertRaises(GitError):
            self.guarded()
        self.assertEqual(self.noting.guarded, {**none, "commit": True})
        self.repository.git("config", "filter.x.clean", "cat")
        with self.assertRaises(GitError):
            self.guarded()
        self.assertEqual(self.noting.guarded, dict.fromkeys(none, True))

    def test_a_status_is_guarded_where_a_submodule_may_have_programs(self) -> None:
        commit, path = self.repository.commit_of("HEAD"), self.repository.path
        add = ("update-index", "--add", "--cacheinfo", f"160000,{commit},module")
        self.repository.git(*add)
        run_sync(worktree_status.status_of(self.git, path))
        self.assertEqual(self.noting.guarded, {"status": True})

    def test_a_commit_with_hooks_is_guarded_and_one_without_runs_none(self) -> None:
        hook = os.path.join(self.repository.path, ".git", "hooks", "pre-commit")
        self.repository.write({".git/hooks/pre-commit": "#!/bin/sh\nexit 1\n"})
        os.chmod(hook, 0o755)
        self.assertFalse(self.guarded()["commit"])
        with self.assertRaises(GitError):
            run_sync(staging.commit(self.git, self.repository.path, "refused", amend=True))
        self.assertTrue(self.noting.guarded["commit"])
