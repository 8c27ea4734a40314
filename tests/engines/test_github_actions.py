"""The workflow of GitHub Actions."""

from __future__ import annotations

import unittest

from core.engines.exported import Exported, Job
from core.engines.github_actions import body
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


class Workflow(unittest.TestCase):
    def test_each_feature_has_a_job(self) -> None:
        self.assertIn("  a: a\n", body(Exported("l.json", "main", (Job("a", "a"),), (), (), "0")))
