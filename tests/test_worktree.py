"""The worktrees: the tests of ``core/worktree/``, by one name."""

from __future__ import annotations

import os
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


def load_tests(
    loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None
) -> unittest.TestSuite:
    """Run by this name: all of ``tests/worktree``, which a discovery finds by itself."""
    if pattern is not None:
        return tests
    return loader.discover(os.path.join(HERE, "worktree"), top_level_dir=os.path.dirname(HERE))


if __name__ == "__main__":
    unittest.main()
