"""What is said of a measured command that fails."""

from __future__ import annotations

import os
import unittest

from .measure import ERROR_BYTES, run


class RunTest(unittest.TestCase):
    def run_in_a_shell(self, script: str) -> float:
        return run(["sh", "-c", script], cwd=os.sep, env=os.environ).wall_seconds

    def test_a_command_that_fails_is_quoted_with_the_end_of_its_standard_error(self) -> None:
        script = f"printf '%{ERROR_BYTES}s' x >&2; echo out; echo cause >&2; exit 3"
        with self.assertRaises(SystemExit) as caught:
            self.run_in_a_shell(script)
        said = str(caught.exception)
        self.assertTrue(said.endswith("cause"), said)
        self.assertIn(" ended with 3: ", said)
        self.assertLess(len(said), ERROR_BYTES + 2 * len(script))

    def test_one_that_succeeds_may_say_what_it_likes(self) -> None:
        self.assertGreater(self.run_in_a_shell("echo out; echo warning >&2"), 0)


if __name__ == "__main__":
    unittest.main()
