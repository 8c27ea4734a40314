"""What statuses, faults, tokens and errors say of themselves."""

from __future__ import annotations

import unittest

from core.model.feature import ALWAYS_DISALLOWED_TOOLS, DEFAULT_ALLOWED_TOOLS


class Tools(unittest.TestCase):
    def test_the_default_tools_reach_no_network_and_no_shared_stash(self) -> None:
        commands = [
            rule[len("Bash(") :] for rule in DEFAULT_ALLOWED_TOOLS if rule.startswith("Bash(")
        ]
        forbidden = ("curl", "wget", "git push", "git fetch", "git pull", "git stash", "npm i")
        for command in commands:
            with self.subTest(command=command):
                self.assertFalse(command.startswith(forbidden))
        for tool in ("Bash", "Write", "Edit", "NotebookEdit", "WebFetch", "WebSearch"):
            self.assertNotIn(tool, DEFAULT_ALLOWED_TOOLS)
        for needed in ("git add:*)", "git commit:*)", "git status:*)", "git diff:*)", "git log:*)"):
            self.assertIn(needed, commands)
        self.assertIn("Bash(git stash:*)", ALWAYS_DISALLOWED_TOOLS)
        self.assertIn("EnterWorktree", ALWAYS_DISALLOWED_TOOLS)


if __name__ == "__main__":
    unittest.main()
