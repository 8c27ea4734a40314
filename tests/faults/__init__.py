"""Faults on purpose: crashes, signals, agents that misbehave, and a world that does."""

from __future__ import annotations

import os
import unittest

WANTED = os.environ.get("RORCHESTRATOR_TEST_FAULTS", "")
"""``1``: also what takes long; ``0``: nothing of it."""

LONG = WANTED == "1"


def skip_unless_wanted() -> None:
    """The ``setUpModule`` of every module of tests here."""
    if WANTED == "0":
        raise unittest.SkipTest("RORCHESTRATOR_TEST_FAULTS=0")
