"""What a prompt lacks."""

from __future__ import annotations

import unittest

from core.start.prompt_lint import LONGEST, Around, Finding, Prompt, findings
from core.start.tool_rules import ToolRules

GOOD = "Write `src/api.py`.\n\n## Acceptance\n\n`npm test` passes.\n"
RULES = ToolRules(["Bash(npm test:*)"], ["Bash(git stash:*)"])


def around(context: str = "", *created: str) -> Around:
    return Around(lambda path: path == "src/api.py", context, created)


def found(text: str, context: str = "", *created: str) -> list[tuple[int, str]]:
    """The findings of a prompt that is good otherwise."""
    prompt = Prompt(GOOD + text, rules=RULES)
    return [(each.line - 5, each.text) for each in findings(prompt, around(context, *created))]


class Lint(unittest.TestCase):
    def test_a_good_prompt_has_no_finding(self) -> None:
        self.assertEqual(found(""), [])

    def test_an_acceptance_check_and_a_file_are_needed(self) -> None:
        rules = [each.rule for each in findings(Prompt("Build it."), around())]
        self.assertEqual(rules, ["acceptance", "file"])
        for prompt in (
            Prompt("Build it.", creates=("path:src/api.py",)),
            Prompt("Build api.py.", verify=("npm test",)),
            Prompt("Build api.py. It is done when it answers."),
            Prompt("Build api.py.\n## Done when\nIt answers."),
        ):
            self.assertEqual(findings(prompt, around()), [], prompt)
        rules = [
            each.rule for each in findings(Prompt("Build api.py\n```\n# Tests\n```"), around())
        ]
        self.assertEqual(rules, ["acceptance"])

    def test_a_long_prompt_is_found(self) -> None:
        (finding,) = findings(Prompt(GOOD + "x" * LONGEST), around())
        self.assertEqual((finding.rule, finding.line), ("length", 0))
        self.assertIn("too long (12,0", finding.text)

    def test_vague_words_are_found_in_prose_only(self) -> None:
        said = found("Handle errors properly, etc. Properly.\n`etc.` is a folder.\n")
        self.assertEqual([line for line, _ in said], [1, 1])
        self.assertEqual(said[0][1], "vague: 'properly'; say exactly what is meant")
        self.assertEqual(found("```\nproperly\n```\nRobustness.\n"), [])

    def test_a_contradiction_to_the_context_is_found(self) -> None:
        for context, text, expected in (
            ("Never change `schema.rb`.", "Edit `schema.rb`.", "forbids changing schema.rb"),
            ("`schema.rb` is read-only.", "- Then edit `schema.rb`", "forbids changing schema.rb"),
            ("Use `Money`.", "Do not use `Money`.", "requires using Money"),
            ("Do not use `x`, but use `y`.", "You must call `x`.", "forbids using x"),
            ("Do not use `x`.", "Use `y`.", ""),
            ("Use `x`.", "Use `x`. It is about `x`.", ""),
            ("Never change `x`.", "```\nchange `x`\n```", ""),
        ):
            with self.subTest(text, context=context):
                said = [each for _, each in found(text, context)]
                self.assertEqual(said, [f"the context {expected}"] if expected else [])

    def test_a_new_dependency_contradicts_a_context_that_allows_none(self) -> None:
        text = "Run `npm install left-pad`.\nRun `npm test -- x`.\n"
        for context in ("Add no dependency.", "There is no network.", "No new packages."):
            said = found(text, context)
            self.assertIn("no new dependency or network: npm install left-pad", said[0][1])
            self.assertEqual(len(said), 2, said)  # No rule allows it, either.
        self.assertEqual(len(found(text)), 1)

    def test_a_path_exists_or_is_created(self) -> None:
        text = "Read `lib/a.py` and `src/api.py`."
        self.assertEqual(
            found(text),
            [(1, "lib/a.py does not exist, and no feature creates it (add 'path:lib/a.py')")],
        )
        for created in ("lib/a.py", "lib/*.py", "lib/", "lib"):
            self.assertEqual(found(text, "", created), [], created)

    def test_a_command_needs_a_rule(self) -> None:
        rule = "no rule of allowed_tools allows: make all (add 'Bash(make all:*)')"
        self.assertEqual(found("Run `make all`.\nRun `make all`."), [(1, rule)])
        forbidden = "a rule of disallowed_tools forbids: git stash"
        self.assertEqual(found("Run `git stash`."), [(1, forbidden)])
        free = Prompt(GOOD + "Run `make all`.")
        self.assertEqual(findings(free, around()), [])

    def test_a_compound_check_needs_a_rule_for_each_part(self) -> None:
        checks = ("npm test && make all", "npm test; make all")
        said = findings(Prompt(GOOD, verify=checks, rules=RULES), around())
        text = "no rule of allowed_tools allows: make all (add 'Bash(make all:*)')"
        self.assertEqual(said, [Finding("command", 0, text)])


if __name__ == "__main__":
    unittest.main()
