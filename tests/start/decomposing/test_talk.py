"""The command line of `decompose --talk`."""

from __future__ import annotations

import os
import sys
import tempfile
import unittest

from core.model.feature import ClaudeOptions
from core.start.decomposing.talk import talk_words, typed_command
from tests.support.paths import ORCHESTRATE


class Talk(unittest.TestCase):
    def test_it_opens_the_plugin_with_its_command(self) -> None:
        words = talk_words(ClaudeOptions(), "/plugin", "rorchestrator", "/shop/SPEC.md")
        self.assertEqual(words[:2], ["claude", "--plugin-dir=/plugin"])
        self.assertIn("Bash(rorchestrator plan --json),", words[2])
        self.assertEqual(words[3:], ["/rorchestrator:plan-features /shop/SPEC.md"])

    def test_claude_is_told_what_to_type_and_which_list(self) -> None:
        options = ClaudeOptions(command=("/bin/claude", "x"), model="opus")
        words = talk_words(options, "/plugin", "python3 o.py", list_file="/l.json")
        self.assertEqual(words[:2], ["/bin/claude", "x"])
        self.assertIn("Bash(python3 o.py schema)", words[3])
        self.assertEqual(words[4], "--model=opus")
        self.assertIn("typing: python3 o.py\nThe feature list is /l.json:", words[5])
        self.assertEqual(words[6], "/rorchestrator:plan-features")

    def test_the_program_is_typed_by_its_name_or_by_its_path(self) -> None:
        self.assertEqual(
            typed_command({"PATH": ""}), f"{sys.executable} {os.path.realpath(ORCHESTRATE)}"
        )
        with tempfile.TemporaryDirectory() as folder:
            package = os.path.join(folder, "rorchestrator")
            self.assertEqual(
                typed_command({"PATH": folder}, package), f"{sys.executable} -m rorchestrator"
            )
            with open(package, "w", encoding="utf-8"):
                os.chmod(package, 0o755)
            self.assertEqual(typed_command({"PATH": folder}), "rorchestrator")


if __name__ == "__main__":
    unittest.main()
