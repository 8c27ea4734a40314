"""Tests that do not depend on the version of Python: `.ci/run` runs them on the newest only."""

from __future__ import annotations

import os
import unittest


def skip_if_run_elsewhere() -> None:
    """The ``setUpModule`` of these tests: ``RORCHESTRATOR_TEST_ONCE=0`` skips them."""
    if os.environ.get("RORCHESTRATOR_TEST_ONCE") == "0":
        raise unittest.SkipTest("RORCHESTRATOR_TEST_ONCE=0")
