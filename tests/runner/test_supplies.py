"""Copied and linked files."""

from __future__ import annotations

import asyncio
import os
from unittest import mock

from core.git.opening import open_repository
from core.model.events import Event
from core.model.outcome import Fault, Status
from core.process.cancellation import Cancellation
from core.process.spawner import Spawner, run_sync
from core.process.supervisor import Supervisor
from core.project import feature_list
from core.runner.context import RunContext
from core.runner.failure import Failure
from core.runner.preparation import Preparation
from core.runner.steps import StepRunner
from core.worktree import copy_link
from core.worktree.manager import WorktreeManager
from core.worktree.worktree import Worktree
from tests.support.checks import ChecksTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.runner import run_id

setUpModule = skip_if_run_elsewhere


class Supplies(ChecksTest):
    def test_ignored_files_are_copied_and_linked_before_the_setup(self) -> None:
        self.ignore(".env", "node_modules")
        self.supply(".env")
        self.supply("node_modules/m.js", "m")
        setup = ["cat .env node_modules/m.js > seen.txt; echo changed > .env"]
        self.lists(project={"setup": setup, "copy": [".env"], "link": ["node_modules"]})
        self.completes()
        self.assertEqual(self.read("seen.txt"), "secret\nm")
        self.assertTrue(os.path.islink(self.here("node_modules")))
        self.assertEqual(
            self.workspace.path,
            os.path.dirname(os.path.realpath(self.here("node_modules"))),
        )
        with open(os.path.join(self.workspace.path, ".env"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "secret\n")
        self.assertEqual(self.workspace.added("feature/a"), {".gitignore", "a.md"})
        # What any build makes again is nobody's work anyway.
        self.assertEqual(self.state.feature("a").made, (".env",))

    def test_a_tracked_file_is_never_overwritten(self) -> None:
        self.workspace.commit({"tracked": "as committed\n"})
        self.supply("tracked", "as edited\n")
        for key in ("copy", "link"):
            with self.subTest(key):
                self.lists(project={key: ["tracked"]})
                self.completes()
                self.assertEqual(self.read("tracked"), "as committed\n")
                self.assertFalse(os.path.islink(self.here("tracked")))

    def test_a_folder_with_tracked_files_gets_the_ignored_ones_that_it_lacks(self) -> None:
        self.ignore("*.key", "config/cache/")
        self.workspace.commit({"config/app.yml": "as committed\n"})
        for name in ("config/app.yml", "config/master.key", "config/cache/x", "config/loose"):
            self.supply(name)
        self.lists(project={"copy": ["config"]})
        self.completes()
        self.assertEqual(self.read("config", "app.yml"), "as committed\n")
        self.assertEqual(self.read("config", "master.key"), "secret\n")
        self.assertEqual(self.read("config", "cache", "x"), "secret\n")
        self.assertFalse(os.path.exists(self.here("config", "loose")))

    def test_a_copy_that_git_does_not_ignore_is_refused_in_advance(self) -> None:
        self.ignore("node_modules/")
        self.supply(".env")
        self.supply("lib/x")
        self.supply("node_modules/m.js")
        cases = {".env": "copy", "lib": "copy", "node_modules": "link"}
        for name, key in cases.items():
            with self.subTest(name):
                self.lists(project={key: [name]})
                self.fails(Fault.SETUP, f"git does not ignore {name}", "in .gitignore without")
                self.assertFalse(os.path.lexists(self.here(name)))
        self.lists(project={"copy": ["node_modules"], "link": ["node_modules"]})
        self.fails(Fault.SETUP, "could not be supplied: ", "File exists")

    def test_a_pattern_that_matches_nothing_fails_the_feature_and_costs_nothing(self) -> None:
        self.lists(project={"link": ["node_modules"]})
        self.fails(Fault.SETUP, "node_modules matches nothing in ", "correct project.copy")
        self.assertEqual(self.attempts(), [])

    def test_a_bare_repository_has_nothing_to_copy(self) -> None:
        self.lists(project={"copy": ["config"]})
        with Repository(bare=True) as bare:
            red = asyncio.run(self.make_ready_in(bare))
        assert red is not None
        self.assertIn("a bare repository has no files to copy", red.reason)

    async def make_ready_in(self, bare: Repository) -> Failure | None:
        git = run_sync(open_repository(Spawner(), bare.path, bare.environ))
        stop = Cancellation()
        context = RunContext(run_id(1), self.workspace.beside("logs"), lambda: 0.0, print, stop)
        preparation = Preparation(
            feature_list.load(self.workspace.list_file),
            WorktreeManager(git, self.workspace.beside("worktrees"), "feature/"),
            StepRunner(Supervisor(run_id(1)), context),
            context,
            environ={},
        )
        made = Worktree("a", bare.path, "feature/a", "", b"")
        return await preparation.make_ready(preparation.config.features[0], made, {})

    def test_a_full_disk_is_reported_in_one_line(self) -> None:
        self.ignore(".env", "lib")
        self.supply(".env")
        self.supply("lib/x")
        self.supply("lib/y")
        for name in (".env", "lib"):
            with (
                self.subTest(name),
                mock.patch.object(
                    copy_link, "clone", side_effect=OSError(28, "No space left on device")
                ),
            ):
                self.lists(project={"copy": [name]})
                self.fails(Fault.SETUP, "could not be supplied: [Errno 28] No space left on device")

    def test_a_stop_ends_the_copying(self) -> None:
        self.ignore("lib")
        self.supply("lib/x")
        self.lists(project={"copy": ["lib"]})

        def stop_now(event: Event, stop: Cancellation) -> None:
            if event.kind == "setting_up":
                stop.set()

        self.on_event = stop_now
        outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.INTERRUPTED))
