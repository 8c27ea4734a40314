"""A tool call in a few words."""

from __future__ import annotations

import unittest

from core.model.mask import Mask
from core.views.tool_action import LONGEST_ACTION, MOST_CHARACTERS, tool_action

CASES = [
    ("Edit", {"file_path": "/w/api/src/api.py", "old_string": "a"}, "Edit src/api.py"),
    ("Read", {"file_path": "/etc/hosts"}, "Read /etc/hosts"),
    ("Read", {"file_path": "/w/api2/x"}, "Read /w/api2/x"),
    ("NotebookEdit", {"notebook_path": "/w/api/a.ipynb"}, "NotebookEdit a.ipynb"),
    ("Bash", {"command": "npm test", "description": "run it"}, "$ npm test"),
    ("Bash", {"command": 5}, "Bash"),
    ("Grep", {"pattern": "def x", "path": "/w/api"}, "Grep def x"),
    ("Glob", {"pattern": "**/*.py"}, "Glob **/*.py"),
    ("Agent", {"description": "Find it", "prompt": "long"}, "Agent Find it"),
    ("WebFetch", {"url": "https://example.org", "prompt": "?"}, "WebFetch https://example.org"),
    ("TodoWrite", {"todos": []}, "TodoWrite"),
    ("mcp__db__query", {"query": "select 1"}, "mcp__db__query select 1"),
    ("Edit", {"file_path": " "}, "Edit"),
]


class ToolActions(unittest.TestCase):
    def test_each_tool_shows_the_argument_that_says_most(self) -> None:
        for name, given, words in CASES:
            with self.subTest(name=name, given=given):
                self.assertEqual(tool_action(name, given, "/w/api", str), words)

    def test_without_a_known_folder_paths_are_whole(self) -> None:
        self.assertEqual(tool_action("Edit", {"file_path": "/w/a"}, "", str), "Edit /w/a")

    def test_a_secret_is_masked_before_a_long_command_is_cut(self) -> None:
        mask = Mask({"DEPLOY_TOKEN": "s3cr3t-" + "x" * 40})
        command = "echo " + "y" * (LONGEST_ACTION - 10) + " s3cr3t-" + "x" * 40
        shown = tool_action("Bash", {"command": command}, "", mask)
        self.assertNotIn("s3cr3t", shown)
        self.assertLessEqual(len(shown), LONGEST_ACTION + 2)
        self.assertLess(len(tool_action("Bash", {"command": "z" * 10**6}, "", mask)), 400)
        self.assertGreater(MOST_CHARACTERS, 2 * LONGEST_ACTION)
