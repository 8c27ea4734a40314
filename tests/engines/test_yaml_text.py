"""YAML that people read, and that every reader takes for the same."""

from __future__ import annotations

import random
import unittest
from importlib.util import find_spec
from typing import Any

from core.engines.yaml_text import Noted, yaml_text
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

HAZARDS = (
    *("", " ", "on", "Yes", "NO", "off", "true", "False", "null", "~", "y", "N", "nan", ".inf"),
    *("1", "-1", "1.5", "1e3", "0x1f", "0o17", "017", "1_000", "12:30:45", "2026-11-29", "+.5"),
    *("a: b", "a:", "a :b", "a #b", "#b", "a#b", "- a", "-", "--- a", "? a", "! a", "& a", "* a"),
    *("*a", "&a", "!a", "%a", "@a", "`a", "|", ">", "[a]", "{a}", "a, b", "a]", "'a'", '"a"'),
    *("a'b", 'a"b', "a\\b", "\\n", "=", "<<", "$a", "${{ a == 'b' && c }}", "${{ '}}' }}: x"),
    *("é", "日本", "🙂", "\u00a0", "a\u2028b", "\ufeff", "\x85", "\x7f", "\x00", "\x1b[0m"),
    *("\t", "a\tb", "\ta", "a\t", "a ", " a", "\r", "a\r\nb", "a\n", "a\nb", "a\nb\n", "a\nb\n\n"),
    *("\na", "\n", "\n\n", " a\nb", "a\n b", "a\n\nb", "a\n \nb", "a\n\tb", "a\tb\nc", "a \nb"),
    *("...", "a\n...\nb", "---\na\n", "# a\nb\n", "git+https://h/x.git", "/a/b", "x" * 200),
)


def readers() -> dict[str, Any]:
    """YAML libraries by name, as functions."""
    found: dict[str, Any] = {}
    if find_spec("yaml"):
        import yaml

        found["PyYAML"] = yaml.safe_load
    if find_spec("ruamel"):
        from ruamel.yaml import YAML

        found["ruamel"] = YAML(typ="safe", pure=True).load
    return found


class Readable(unittest.TestCase):
    def test_a_document_is_as_a_person_would_write_it(self) -> None:
        document = {
            "name": "features",
            "on": {"push": None, "inputs": {}, "paths": []},
            "jobs": Noted({"a": Noted({"needs": ["b", "c-d"], "limit": 5}, "One.\n\nTwo.")}),
            "steps": [
                {"run": "set -e\n\necho a: b\n", "if": True},
                {"name": "a: b", "run": "x\ny"},
                {},
                ["a"],
                [{"b": 1}, "c d"],
                "yes",
            ],
        }
        self.assertEqual(
            yaml_text(document),
            "name: features\n"
            '"on":\n'
            "  push: null\n"
            "  inputs: {}\n"
            "  paths: []\n"
            "\n"
            "jobs:\n"
            "\n"
            "  # One.\n"
            "  #\n"
            "  # Two.\n"
            "  a:\n"
            "    needs: [b, c-d]\n"
            "    limit: 5\n"
            "steps:\n"
            "  - run: |\n"
            "      set -e\n"
            "\n"
            "      echo a: b\n"
            "    if: true\n"
            '  - name: "a: b"\n'
            "    run: |-\n"
            "      x\n"
            "      y\n"
            "  - {}\n"
            "  - [a]\n"
            "  -\n"
            "    - b: 1\n"
            "    - c d\n"
            '  - "yes"\n',
        )

    def test_a_long_list_has_a_line_for_each_entry(self) -> None:
        names = [f"name-{number}" for number in range(20)]
        text = yaml_text({"needs": names})
        self.assertEqual(text, "needs:\n" + "".join(f"  - {name}\n" for name in names))

    def test_a_script_that_no_block_can_hold_is_quoted(self) -> None:
        self.assertEqual(yaml_text({"run": " a\nb\n"}), 'run: " a\\nb\\n"\n')
        self.assertEqual(yaml_text({"a": "\x1b\u2028\U000e0001"}), 'a: "\\x1b\\u2028\\U000e0001"\n')


@unittest.skipUnless(readers(), "PyYAML and ruamel.yaml are development tools")
class AsRead(unittest.TestCase):
    def assert_same(self, document: dict[str, Any]) -> None:
        text = yaml_text(document)
        for name, read in readers().items():
            with self.subTest(name, text=text):
                self.assertEqual(read(text), document)

    def test_every_hazard_is_read_back_as_the_string_that_it_was(self) -> None:
        for text in HAZARDS:
            self.assert_same({"key": text, "list": [text, "b"], "maps": [{"in": text, "c": "d"}]})
            self.assert_same({text: {"in": text}})

    def test_documents_of_hazards_are_read_back(self) -> None:
        pick = random.Random(13)

        def value(depth: int) -> Any:
            kind = pick.randrange(4 if depth else 2)
            if kind == 3:
                return {pick.choice(HAZARDS): value(depth - 1) for _ in range(pick.randrange(4))}
            if kind == 2:
                return [value(depth - 1) for _ in range(pick.randrange(4))]
            parts = (
                pick.choice(HAZARDS),
                pick.choice(("\n", "", ": ", " #")),
                pick.choice(HAZARDS),
            )
            return "".join(parts) if kind else pick.choice((True, False, None, 0, 7, "on"))

        for _ in range(150):
            self.assert_same({"document": value(4), "end": "x"})


if __name__ == "__main__":
    unittest.main()
