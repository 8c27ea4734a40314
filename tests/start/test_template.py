"""Templates as values: front matter, variables, and what is made of them."""

from __future__ import annotations

import json
import unittest

from core.model.errors import UserError
from core.start.template import KEYS, Template, Variable, filled, parsed

FRONT = {
    "description": "a page",
    "variables": {
        "title": "its name",
        "file": "its file",
        "more": {"meaning": "what else", "default": ""},
    },
    "name": "$title",
    "creates": ["path:$file", "$more"],
    "verify": [["test", "-f", "${file}"]],
    "estimated_tokens": 100,
}


def text(body: str = "# $id: $title\n\n$more\n\nIt costs $$5.\n", **front: object) -> str:
    return f"---\n{json.dumps({**FRONT, **front}, indent=1)}\n---\n\n{body}"


def template(source: str = "") -> Template:
    return parsed("page", "page.md", source or text())


class Parsed(unittest.TestCase):
    def assert_faults(self, source: str, *expected: str) -> None:
        with self.assertRaises(UserError) as caught:
            template(source)
        self.assertEqual(caught.exception.details, expected)

    def test_the_front_matter_describes_the_template(self) -> None:
        found = template(text().replace("\n", "\r\n"))
        self.assertEqual(found.description, "a page")
        variables = (Variable("title", "its name"), Variable("file", "its file"))
        self.assertEqual(found.variables, (*variables, Variable("more", "what else", "")))
        self.assertEqual(list(found.suggested), ["name", "creates", "verify", "estimated_tokens"])
        self.assertTrue(found.body.startswith("# $id"))

    def test_the_variables_are_an_object(self) -> None:
        self.assertEqual(KEYS["variables"].schema()["type"], "object")

    def test_a_text_without_front_matter_is_none(self) -> None:
        for source in ("", "# A prompt", "---\n{}\n", "--- {}\n---\n"):
            with self.subTest(source), self.assertRaises(UserError) as caught:
                parsed("page", "page.md", source)
            self.assertIn("page.md has no front matter", caught.exception.message)

    def test_a_mistake_in_the_json_is_shown_with_the_line_of_the_file(self) -> None:
        with self.assertRaises(UserError) as caught:
            template('---\n{\n"description": "x",\n}\n---\n')
        self.assertIn("the front matter of page.md is not JSON at line 3", str(caught.exception))

    def test_all_faults_are_told_at_once(self) -> None:
        self.assert_faults(
            '---\n{"descripton": "x", "tags": "web", "variables": []}\n---\n',
            "descripton: unknown key (did you mean 'description'?)",
            "tags: expected a list of strings, not a string",
            "variables: expected an object, not a list",
            "description is missing",
        )
        variables = {"a-b": "x", "id": "x", "c": {"default": 1}, "d": 2}
        self.assert_faults(
            text("", variables=variables, name="x", creates=[], verify=[]),
            "variables.a-b: is not a free name of letters, digits and _",
            "variables.id: is not a free name of letters, digits and _",
            "variables.c.default: expected a string, not a number",
            "variables.c: meaning is missing",
            "variables.d: expected an object, not a number",
        )

    def test_a_placeholder_that_is_no_variable_is_a_fault(self) -> None:
        self.assert_faults(
            text("$title\n$titel costs $5", tags=["$group"]),
            "the text: $titel is not in variables (did you mean 'title'?)",
            "the text: a $ in line 2 begins no variable: write $$ for a dollar sign",
            "tags[0]: $group is not in variables",
        )


class Filled(unittest.TestCase):
    def test_variables_are_replaced_in_the_prompt_and_in_the_entry(self) -> None:
        made = filled(template(), "home", {"title": "Home $id", "file": 'a "b".html'})
        self.assertEqual(made.prompt, "# home: Home $id\n\nIt costs $5.\n")
        self.assertEqual(
            made.entry,
            {
                "id": "home",
                "prompt_file": "home.md",
                "name": "Home $id",
                "creates": ['path:a "b".html'],
                "verify": [["test", "-f", 'a "b".html']],
                "estimated_tokens": 100,
            },
        )

    def test_missing_and_unknown_variables_are_told_at_once(self) -> None:
        with self.assertRaises(UserError) as caught:
            filled(template(), "home", {"titel": "Home", "file": " "})
        self.assertEqual(
            caught.exception.details,
            (
                "missing: title (its name)",
                "missing: file (its file)",
                "unknown: titel (did you mean 'title'?)",
            ),
        )
        self.assertEqual(
            caught.exception.hint, "rorchestrator templates show page shows its variables"
        )

    def test_without_any_variable_the_command_to_type_names_them(self) -> None:
        with self.assertRaises(UserError) as caught:
            filled(template(), "home", {})
        command = "rorchestrator templates new home --template page --set title=… --set file=…"
        self.assertEqual(caught.exception.hint, command)

    def test_the_command_to_type_keeps_what_was_given(self) -> None:
        with self.assertRaises(UserError) as caught:
            filled(template(), "home", {"title": "The home page", "file": " "})
        kept = "rorchestrator templates new home --template page --set 'title=The home page'"
        self.assertEqual(caught.exception.hint, f"{kept} --set file=…")
        with self.assertRaises(UserError) as caught:
            filled(template(), "home", {"title": "two\nlines"})
        self.assertIn("shows its variables", caught.exception.hint)


if __name__ == "__main__":
    unittest.main()
