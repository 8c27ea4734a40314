"""What is recorded of one feature's git commands, and nothing of another's."""

from __future__ import annotations

import unittest

from .recorded_git import Command, script_of

COMMIT = "00f030".ljust(40, "0")
"""A commit of another feature, whose name has the characters of the feature's id."""


def command(*words: str) -> Command:
    return Command("", 0.0, ("git", *words), by_git=False)


class ScriptTest(unittest.TestCase):
    def test_a_commit_with_the_characters_of_an_id_brings_in_no_other_feature(self) -> None:
        commands = [
            command("status", "worktrees/f030"),
            command("update-ref", "refs/results/f029/1", COMMIT),
            command("update-ref", "refs/results/f030/a-f030e", COMMIT),
        ]
        script = script_of("f030", commands, "/bench", "agent")
        self.assertNotIn("f029", script)
        self.assertIn('update-ref refs/results/"$1"/a-f030e feature/"$1" >', script)


if __name__ == "__main__":
    unittest.main()
