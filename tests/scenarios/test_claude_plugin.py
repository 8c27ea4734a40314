"""The plugin for Claude Code: what its skill and its commands tell an agent to type exists."""

from __future__ import annotations

import json
import re
import shlex
import unittest
from collections.abc import Iterator

from core import cli
from core.model.errors import ExitCode
from core.project.feature_list import load
from tests.pages import ROOT
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere

PLUGIN = ROOT / "install" / "claude-plugin"
SKILL = PLUGIN / "skills" / "rorchestrator" / "SKILL.md"
FILES = [SKILL, *sorted(PLUGIN.glob("commands/*.md"))]

COSTLY = ("run", "retry", "submit", "merge --resolve", "decompose")
"""What starts Claude."""


def front_matter(text: str) -> dict[str, str]:
    """The lines between the first two ``---``, each a key with its value."""
    head = text.split("---\n", 2)[1]
    return dict(line.split(": ", 1) for line in head.splitlines())


def named(text: str) -> Iterator[str]:
    """Every command line of ours in code blocks, between backticks, and in rules of tools."""
    blocks = "\n".join(re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    rest = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    spans = [span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", rest)]
    rules = re.findall(r"Bash\((.*?)\)", front_matter(text).get("allowed-tools", ""))
    for line in (*blocks.splitlines(), *spans, *rules):
        words = line.split(" | ")[0]
        first = words.split(" ")[0]
        if words.startswith("rorchestrator ") or first in cli.COMMANDS:
            yield words.removeprefix("rorchestrator ")


class Plugin(unittest.TestCase):
    def test_every_command_and_option_that_it_names_exists(self) -> None:
        found = [(file.name, line) for file in FILES for line in named(file.read_text("utf-8"))]
        self.assertGreater(len(found), 40)
        for name, line in found:
            with self.subTest(name, line=line):
                words = shlex.split(line.replace("USD", "5"))
                parser = cli.parser(words[0])
                if words[1:]:  # else it is a name, such as that of `retry`
                    parser.parse_args(words)

    def test_the_names_of_its_parts_are_those_of_their_files(self) -> None:
        skill = front_matter(SKILL.read_text("utf-8"))
        self.assertEqual(skill["name"], SKILL.parent.name)
        self.assertLessEqual(len(skill["description"]), 1024)
        names = {path.stem for path in FILES[1:]}
        self.assertEqual(names, {"plan-features", "run-features", "feature-status"})
        for path in FILES[1:]:
            with self.subTest(path.name):
                text = path.read_text("utf-8")
                self.assertIn("$ARGUMENTS", text)
                self.assertLess(len(front_matter(text)["description"]), 100)

    def test_a_command_of_it_runs_without_a_question_only_what_changes_and_costs_nothing(
        self,
    ) -> None:
        for path in FILES[1:]:
            rules = front_matter(path.read_text("utf-8"))["allowed-tools"]
            for rule in re.findall(r"Bash\((.*?)\)", rules):
                with self.subTest(path.name, rule=rule):
                    # A pattern would also match an option that writes a file.
                    self.assertNotRegex(rule, r"[*:]")
                    self.assertIn(
                        rule.split()[1],
                        ("doctor", "plan", "lint", "assist", "status", "why", "watch"),
                    )

    def test_no_line_of_it_spends_money_without_a_limit(self) -> None:
        for line in named(SKILL.read_text("utf-8")):
            if " " in line and line.startswith(COSTLY):
                with self.subTest(line):
                    self.assertRegex(line, "--(rehearse|dry-run|max-cost|resolve)")

    def test_every_section_that_a_command_names_is_in_the_skill(self) -> None:
        skill = SKILL.read_text("utf-8")
        sections = re.findall(
            r'"([A-Z][^"]+)"|section "(\w+)"',
            "".join(
                re.sub(r"---.*?---", "", path.read_text("utf-8"), count=1, flags=re.DOTALL)
                for path in FILES[1:]
            ),
        )
        self.assertGreater(len(sections), 3)
        for name in map("".join, sections):
            self.assertIn(f"\n## {name}\n", skill)

    def test_every_exit_code_is_in_the_table(self) -> None:
        rows = re.findall(r"^\| ([\d, ]+) \|", SKILL.read_text("utf-8"), re.MULTILINE)
        told = {int(code) for row in rows for code in row.split(", ")}
        self.assertLessEqual({int(code) for code in ExitCode}, told)

    def test_every_key_of_json_that_the_skill_names_is_printed(self) -> None:
        with Workspace([feature("api")]) as space:
            printed = {
                name: json.dumps(space.main(name, "--json").json)
                for name in ("plan", "status", "why", "lint")
            }
        for part in re.split(r"^- |\n\n", SKILL.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            found = re.match(r"`(\w+) --json`", part)
            if found:
                for key in re.findall(r"`(\w+)`", part):
                    with self.subTest(found[1], key=key):
                        self.assertIn(f'"{key}"', printed[found[1]])

    def test_the_list_of_the_skill_is_one(self) -> None:
        (block,) = re.findall(r"^```json\n(.*?)^```", SKILL.read_text("utf-8"), re.S | re.M)
        with Workspace() as space:
            space.write(
                {
                    "config/feature_list.json": block,
                    "prompts/_context.md": "A shop.",
                    "prompts/auth.md": "Add it.",
                    "prompts/api.md": "Add it.",
                }
            )
            self.assertEqual(len(load(space.list_file).features), 2)


if __name__ == "__main__":
    unittest.main()
