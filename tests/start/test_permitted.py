"""Commands against the rules of `allowed_tools`, and commands in prompts."""

from __future__ import annotations

import unittest

from core.start.permitted import commands_in, rule_for, unallowed

PROMPT = """\
Write `src/go.py` and `go` on. Run `npm run check` and `pytest`; then

```bash
$ cargo build
# a comment
ls -l

make docs && make test
```
"""


class Permitted(unittest.TestCase):
    def test_rules_allow_a_command_or_all_that_begin_so(self) -> None:
        for rule, command, allowed in (
            ("Bash(npm test)", "npm test", True),
            ("Bash(npm test)", "npm test -- --watch", False),
            ("Bash(npm test:*)", "npm test -- --watch", True),
            ("Bash(npm test:*)", "npm tests", False),
            ("Bash(npm *)", "npm test", True),
            ("Bash(npm:*)", "npm", True),
            ("Bash", "rm x", True),
            ("Bash(*)", "rm x", True),
            ("Read", "npm test", False),
            ("bash(npm test)", "npm test", False),
            ("Bash(npm test", "npm test", False),
            ("Read", "echo done", True),
        ):
            with self.subTest(rule, command=command):
                self.assertEqual(unallowed(command, [rule]), [] if allowed else [command])

    def test_each_part_of_a_line_for_the_shell_needs_a_rule(self) -> None:
        rules = ["Bash(npm test:*)"]
        line = "npm test 2>&1 && grep 'a && b' x | sort; npm test"
        self.assertEqual(unallowed(line, rules), ["grep 'a && b' x", "sort"])
        self.assertEqual(unallowed(" ; ", rules), [])
        self.assertEqual(unallowed("sort", [rule_for("sort")]), [])

    def test_commands_of_a_prompt_are_in_blocks_for_the_shell_and_in_code(self) -> None:
        expected = ["cargo build", "make docs && make test", "npm run check", "pytest"]
        self.assertEqual(list(commands_in(PROMPT)), expected)


if __name__ == "__main__":
    unittest.main()
