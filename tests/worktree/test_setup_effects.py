"""What a setup did beside the folders that are kept."""

from __future__ import annotations

import os

from core.process.spawner import run_sync
from core.worktree import setup_effects
from core.worktree.setup_effects import Look
from tests.support.once import skip_if_run_elsewhere
from tests.support.worktrees import WorktreeTest

setUpModule = skip_if_run_elsewhere


class LookTest(WorktreeTest):
    def test_a_file_that_goes_and_a_submodule_that_is_filled_are_changes(self) -> None:
        made = self.create()
        os.mkdir(os.path.join(made.path, "module"))
        before = self.look(made.path)
        self.assertEqual(self.look(made.path).changed_since(before), set())
        os.unlink(os.path.join(made.path, "a"))
        self.assertEqual(self.look(made.path).changed_since(before), {"a"})
        with open(os.path.join(made.path, "module", "file"), "w", encoding="utf-8"):
            pass
        self.assertEqual(self.look(made.path).changed_since(before), {"a", "module", "module/file"})

    def look(self, path: str) -> Look:
        return run_sync(setup_effects.look(self.manager.git, path, ("a", "module")))
