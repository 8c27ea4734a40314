"""What agents may have planted is not executed while they work."""

from __future__ import annotations

import os
import time

from core.model import events
from tests.support.handovers import HandoverTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class SafetyTest(HandoverTest):
    def setUp(self) -> None:
        self.open(feature("auth"))
        self.shop.finish("auth")

    def test_a_hook_that_is_newer_than_the_run_stops_the_push(self) -> None:
        path = self.shop.hook("pre-push", "exit 0")
        with self.shop.at_work(started("r1", at=time.time() - 60)):
            said = self.push()
        self.assertEqual(said.code, 2)
        self.assertIn(f"{path} was changed while the run goes on", said.err)
        self.assertEqual(set(self.forge.branches()), {"main"})
        self.assertEqual(self.push().code, 0)

    def test_a_hook_that_was_removed_since_stops_it_too(self) -> None:
        path = self.shop.hook("pre-push", "exit 0")
        time.sleep(0.02)
        # The clock of files is a tick behind that of programs.
        with self.shop.at_work(started("r1", at=time.time() - 0.01)):
            os.unlink(path)
            self.assertIn(f"{os.path.dirname(path)} was changed", self.push().err)

    def test_settings_count_as_well_and_a_preview_executes_nothing(self) -> None:
        with self.shop.at_work(started("r1", at=time.time() - 60)):
            self.assertIn(os.path.join(".git", "config"), self.push().err)
            self.assertEqual(self.push("--dry-run").code, 0)

    def test_so_do_settings_of_the_worktree_and_what_they_include(self) -> None:
        shop = self.shop
        shop.git("config", "extensions.worktreeConfig", "true")
        included = shop.beside("shop", ".gitconfig")
        shop.git("config", "include.path", included)
        time.sleep(0.02)
        now = time.time() - 0.01
        for path in (os.path.join(shop.git_folder, "config.worktree"), included):
            with shop.at_work(started("r1", at=now)):
                shop.git("config", "--file", path, "core.sshCommand", "evil")
                self.assertIn(f"{path} was changed while the run goes on", self.push().err)
            os.unlink(path)
        with shop.at_work(started("r1", at=now)):
            self.assertEqual(self.push("--dry-run").code, 0)


def started(run: str, *, at: float) -> events.Event:
    """A run of this process that began then."""
    return events.run_started(
        at, run, pid=os.getpid(), base_branch="main", base_commit="", features=(), max_parallel=1
    )
