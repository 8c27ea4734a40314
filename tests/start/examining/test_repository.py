"""`doctor` on repositories: what is odd, what is left, how much room there is."""

from __future__ import annotations

import os
import unittest
from typing import ClassVar

from core.git.door import Git
from core.git.opening import open_repository
from core.git.refs import SEEN
from core.model.outcome import Stray
from core.model.state import FeatureState, RunState
from core.model.window import Window
from core.process.spawner import Spawner, run_sync
from core.start.examining import repository
from core.start.examining.diagnosis import Level, Line
from core.worktree.manager import WorktreeManager
from tests.support.machines import programs
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace

setUpModule = skip_if_run_elsewhere

NOW = 1_000.0


class Room(unittest.TestCase):
    def test_the_disk_needs_room_for_the_worktrees_of_all_slots(self) -> None:
        levels = [repository.room_line(1000, 3, free, "/x").level for free in (10**9, 5999, 2999)]
        self.assertEqual(levels, [Level.OK, Level.WARNING, Level.FAULT])
        self.assertEqual(list(map(repository.size, (640, 12_400_000))), ["640 bytes", "12.4 MB"])
        self.assertEqual(repository.size(2e15), "2000.0 TB")

    def test_a_usage_limit_that_is_nearly_reached_is_a_warning(self) -> None:
        def line(share: float, hold_at: float | None = None, reset: float | None = None) -> Line:
            window = Window("five_hour", share, reset, NOW)
            return repository.window_line({"five_hour": window}, NOW, hold_at)

        self.assertIs(line(0.5).level, Level.OK)
        self.assertIs(line(0.95, reset=NOW + 60).level, Level.WARNING)
        self.assertIs(line(0.5, 0.4).level, Level.WARNING)
        self.assertIn("nothing recorded", repository.window_line({}, NOW, None).said)


class Repositories(unittest.TestCase):
    def setUp(self) -> None:
        self.space = Workspace(apart=True)
        self.addCleanup(self.space.close)

    def git(self) -> Git:
        opened = open_repository(Spawner(), self.space.path, self.space.environ)
        return run_sync(opened).read_only()

    def content(self, **scripts: str) -> dict[str, Line]:
        git = self.git()
        env = programs(self.space, **scripts)
        found = repository.content_lines(git, repository.settings_of(git), env)
        return {line.topic: line for line in found}

    def test_a_shallow_repository_and_a_missing_identity_are_warnings(self) -> None:
        found = repository.repository_lines(self.git(), repository.settings_of(self.git()))
        self.assertEqual([line.level for line in found], [Level.OK, Level.OK])
        self.space.write({"shallow": f"{self.space.commit_of('main')}\n"}, at=self.space.git_folder)
        found = repository.repository_lines(self.git(), {"user.name": "Test"})
        self.assertEqual([line.level for line in found], [Level.WARNING, Level.WARNING])
        with Workspace(apart=True, bare=True) as bare:
            git = run_sync(open_repository(Spawner(), bare.path, bare.environ))
            said = next(repository.repository_lines(git, {})).said
        self.assertIn("(bare)", said)

    def test_submodules_and_lfs_have_to_be_there(self) -> None:
        found = self.content()
        self.assertEqual((found["submodules"].said, found["lfs"].said), ("none", "not used"))
        module = '[submodule "m"]\n\tpath = m\n\turl = ../m\n'
        self.space.write({".gitmodules": module, ".gitattributes": "*.bin filter=lfs\n"})
        found = self.content()
        self.assertIn("submodule update", found["submodules"].command)
        self.assertIs(found["lfs"].level, Level.FAULT)
        self.space.write({"m/.git": "gitdir: x\n"})
        self.space.git("config", "filter.lfs.process", "git-lfs filter-process")
        found = self.content(git_lfs="exit 0")
        self.assertEqual(
            (found["submodules"].said, found["lfs"].said), ("1, checked out", "set up")
        )
        urls = repository.remote_urls({"remote.origin.url": "u", "user.url": "x"})
        self.assertEqual(urls, ["u"])

    def test_hooks_that_run_are_named_and_those_that_cannot_are_warnings(self) -> None:
        def line() -> Line:
            commit = self.space.commit_of("main")
            (found,) = repository.hook_lines(self.git(), commit, self.space.worktree("a"))
            return found

        self.assertEqual(line().said, "none")
        self.space.hook("pre-commit", "exit 0")
        self.assertEqual(line().said, "pre-commit")
        os.chmod(os.path.join(self.space.git_folder, "hooks", "pre-commit"), 0o644)
        self.assertIn("not executable", line().said)


class Leftovers(unittest.TestCase):
    space: ClassVar[Workspace]

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = space = Workspace(apart=True)
        cls.addClassCleanup(space.close)
        git = run_sync(open_repository(Spawner(), space.path, space.environ))
        manager = WorktreeManager(git, space.worktrees, "feature/")
        for id in ("auth", "api"):
            run_sync(manager.create(id, space.commit_of("main")))

    def lines(self, state: RunState, *ids: str) -> list[Line]:
        opened = open_repository(Spawner(), self.space.path, self.space.environ)
        git = run_sync(opened).read_only()
        return list(repository.worktree_lines(git, state, ids, run_sync(git.refs(*SEEN))))

    def test_worktrees_of_features_are_ok_and_others_are_told_apart(self) -> None:
        empty = RunState()
        self.assertEqual(self.lines(empty, "auth", "api")[0].said, "2 worktrees of features")
        lost = self.lines(empty, "auth")[0]
        self.assertIn("of no feature any more", lost.said)
        scratch = f"{self.space.worktree('x')}~scratch"
        self.space.git("worktree", "move", self.space.worktree("api"), scratch)
        self.assertIn("left by a killed run", self.lines(empty, "auth")[0].said)
        with self.space.at_work():
            self.assertIn("2 worktrees", self.lines(empty, "auth")[0].said)
        os.rename(scratch, self.space.beside("gone"))
        self.assertIn("worktree prune", self.lines(empty, "auth")[0].command)
        os.rename(self.space.beside("gone"), scratch)
        self.space.git("worktree", "move", scratch, self.space.worktree("api"))

    def test_worktrees_and_branches_of_other_agents_are_named(self) -> None:
        self.assertIs(self.lines(RunState(), "auth", "api")[-1].level, Level.OK)
        self.space.git("branch", "worktree-agent-1")
        found = self.lines(RunState(), "auth", "api")[-1]
        self.assertIn("branch -d worktree-agent-1", found.command)
        self.space.write({".claude/worktrees/agent-1/x": ""})
        stray = Stray(self.space.beside("home"), "odd", "")
        known = FeatureState("auth", strays=(stray,))
        found = self.lines(RunState(features={"auth": known}), "api")[-1]
        self.assertIn("worktree remove", found.command)
        for name in (".claude/worktrees/agent-1", "home", "worktree-agent-1"):
            self.assertIn(name, found.said)


if __name__ == "__main__":
    unittest.main()
