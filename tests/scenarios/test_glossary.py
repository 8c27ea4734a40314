"""The glossary: its terms, and names, messages and pages without the words that it avoids."""

from __future__ import annotations

import ast
import re
import unittest
from collections.abc import Iterator
from typing import ClassVar

from tests.pages import ROOT, pages
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")

EXCEPTIONS = {
    ("core/claude/prompt.py", "task"): "what Claude is given is a task to it",
    ("core/dag/inputs_1_0.py", "task"): "prompts of version 1.0, word for word",
    ("core/start/stacks/ci_files.py", "task"): "the name of a program",
    ("core/start/stacks/ruby.py", "task"): "how a Rakefile calls it",
    **{
        (f"core/{name}.py", "task"): "the name of another program, or its word"
        for name in (
            "commands/import",
            "start/importing/references",
            "start/importing/said_order",
            "start/importing/source",
            "start/importing/spec_kit",
            "start/importing/task_master",
        )
    },
    ("docs/commands/import.md", "task"): "the same",
    ("docs/GUIDE-UTILISATION.md", "task"): "names of files that import reads",
    ("core/start/importing/checks.py", "green"): "how others say that a check passes",
    ("core/start/importing/checks.py", "verification"): "how others call a check",
    ("core/model/events.py", "clash"): "a kind of event, older than the glossary",
    ("docs/EVENTS.md", "clash"): "the same",
    ("README.md", "promise"): "what we promise to the user",
    ("docs/RELIABILITY.md", "promise"): "the same",
    ("docs/LIMITS_AND_BUDGETS.md", "allowance"): "a fault in reports, older than the glossary",
}
"""Where an avoided word is right: file and word, and why."""

EXAMPLES = (
    *("docs/QUICKSTART.md", "docs/VALIDATION.md", "docs/FEATURE_LIST.md"),
    *("docs/GLOSSARY.md", "CHANGELOG.md"),
)
"""Pages about an application with tasks, about the words themselves, or about the past."""


def rows() -> list[tuple[str, str]]:
    """Each term of the glossary with its cell of avoided words."""
    page = (ROOT / "docs" / "GLOSSARY.md").read_text(encoding="utf-8")
    return re.findall(r"^\| (\*\*.*?) \|.*\| (.*?) \|$", page, re.MULTILINE)


def avoided() -> list[str]:
    """The words that are right for nothing else."""
    words = [word for _, cell in rows() for word in cell.split(", ")]
    return [word for word in words if not word.startswith("*")]


def holds(word: str, text: str) -> bool:
    """Whether a text has the word, also in the plural or with a hyphen for the space."""
    if word.split(" ")[0] not in text.lower():
        return False
    spelled = word.replace(" ", "[ -]")
    return re.search(rf"(?<![\w/-]){spelled}(?:e?s)?(?![\w/])", text, re.IGNORECASE) is not None


def texts() -> Iterator[tuple[str, str]]:
    """Every public name of ``core/`` as words, every message, and every page; with the file."""
    for module in sorted((ROOT / "core").glob("**/*.py")):
        name = str(module.relative_to(ROOT))
        tree = ast.parse(module.read_text(encoding="utf-8"))
        yield name, module.stem.replace("_", " ")
        about = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            public = getattr(node, "name", None) or "_"
            if not public.startswith("_"):
                yield name, " ".join(NAME_PARTS.findall(public))
            text = getattr(node, "value", "")
            if isinstance(text, str) and " " in text.strip() and id(node) not in about:
                yield name, text
    for page in pages():
        name = str(page.relative_to(ROOT))
        if name not in EXAMPLES:
            # The name of a test is its own sentence.
            yield name, re.sub(r"`tests\.[\w.]+`", "", page.read_text(encoding="utf-8"))


class Glossary(unittest.TestCase):
    texts: ClassVar[list[tuple[str, str]]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.texts = list(texts())

    def test_the_glossary_has_at_most_thirty_terms(self) -> None:
        self.assertIn(len(rows()), range(20, 31))
        self.assertGreater(len(avoided()), 20)

    def test_no_name_message_or_page_has_an_avoided_word(self) -> None:
        words = avoided()
        found = {(name, word) for name, text in self.texts for word in words if holds(word, text)}
        self.assertEqual(sorted(found - set(EXCEPTIONS)), [])
        self.assertEqual(sorted(set(EXCEPTIONS) - found), [], "exceptions that nothing needs")

    def test_words_are_found_as_they_are_spelled(self) -> None:
        self.assertTrue(holds("promise", "it promises nothing"))
        self.assertTrue(holds("dry run", "a Dry-run of it"))
        self.assertFalse(holds("dry run", "merge --dry-run"))
        self.assertFalse(holds("cap", "capable of cleanup"))
        self.assertIn("Conflict Probe", {text for _, text in self.texts})


if __name__ == "__main__":
    unittest.main()
