"""Tests that no version of Python changes: `.ci/run` runs them on the newest only.

Those of git's answers, of worktrees and landings, and of the pages. What goes through asyncio,
signals, argparse, json or the start of a process runs on the oldest as well, and so does a share
of every command.
"""

from __future__ import annotations

import os
import unittest

WHY = "RORCHESTRATOR_TEST_ONCE=0"
"""The setting that skips them."""

_ELSEWHERE = os.environ.get("RORCHESTRATOR_TEST_ONCE") == "0"


def skip_if_run_elsewhere() -> None:
    """The ``setUpModule`` of modules of such tests."""
    if _ELSEWHERE:
        raise unittest.SkipTest(WHY)


once = unittest.skipIf(_ELSEWHERE, WHY)
"""The decorator of classes of such tests."""
