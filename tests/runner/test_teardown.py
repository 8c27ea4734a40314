"""The teardown of a list."""

from __future__ import annotations

import os
import shutil
from unittest import mock

from core.model.outcome import Fault
from tests.support.checks import SHOW_ALL, ChecksTest
from tests.support.runner import run_id


class Teardown(ChecksTest):
    def test_teardown_runs_without_a_slot_before_a_worktree_starts_over(self) -> None:
        gone = self.workspace.beside("gone")
        project = {
            "setup": ["exit 1"],
            "teardown": [f"{SHOW_ALL} > {gone}; pwd >> {gone}"],
        }
        self.lists(project=project)
        self.fails(Fault.SETUP, "ended with exit 1")
        self.assertFalse(os.path.exists(gone))
        with mock.patch.dict(self.workspace.environ, {"RORCHESTRATOR_SLOT": "7"}):
            self.fails(Fault.SETUP, "ended with exit 1")
        with open(gone, encoding="utf-8") as file:
            self.assertEqual(file.read(), f"a feature/a {run_id(2)}\n{self.here()}\n")

    def test_a_failing_teardown_is_reported_and_delays_nothing(self) -> None:
        self.lists(project={"teardown": ["echo it hurts; false", "true"]})
        self.completes()
        self.completes()
        told = "teardown: `echo it hurts; false` ended with exit 1\nit hurts"
        self.assertIn(told, self.notes())

    def test_a_worktree_that_is_gone_is_not_torn_down(self) -> None:
        self.lists(project={"teardown": ["false"]})
        self.completes()
        shutil.rmtree(self.here())
        self.completes()
        self.assertEqual([note for note in self.notes() if "teardown" in note], [])
