"""The documents name tests: each one is there."""

from __future__ import annotations

import ast
import re
import unittest
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests import pages
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

ROOT = Path(__file__).resolve().parent.parent.parent
NAMED = re.compile(r"\btests(?:\.[a-z_0-9]+)+(?:\.[A-Z]\w*(?:\.test_\w+)?)?")

TYPED = re.compile(r"^```bash\n.*?^```$", re.DOTALL | re.MULTILINE)


def exists(name: str) -> bool:
    """Whether a module, a class or a test of ``tests/`` is there."""
    found = re.fullmatch(r"([a-z_0-9.]+)(?:\.([A-Z]\w*)(?:\.(\w+))?)?", name)
    assert found is not None, name
    module, group, test = found.groups()
    path = ROOT.joinpath(*module.split("."))
    if not group:
        return path.is_dir() or path.with_suffix(".py").exists()
    classes = classes_of(path.with_suffix(".py"))
    return group in classes and (not test or test in classes[group])


@cache
def classes_of(path: Path) -> dict[str, set[str]]:
    """The functions of each class of a module; none where there is no such module."""
    tree = ast.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    return {
        group.name: {node.name for node in group.body if isinstance(node, ast.FunctionDef)}
        for group in tree.body
        if isinstance(group, ast.ClassDef)
    }


class NamedTests(unittest.TestCase):
    def test_every_test_that_a_document_names_is_there(self) -> None:
        documents = [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
        texts = {document.name: document.read_text(encoding="utf-8") for document in documents}
        named = {(where, name) for where, text in texts.items() for name in NAMED.findall(text)}
        self.assertGreater(len(named), 20)
        self.assertEqual([each for each in sorted(named) if not exists(each[1])], [])

    def test_every_file_that_a_document_names_is_there(self) -> None:
        """Beside those in blocks that a test types, which may be of another repository."""
        for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]:
            text = TYPED.sub("", document.read_text("utf-8"))
            for path in re.findall(r"\b(?:core|tests)/[\w/]+(?:\.py)?", text):
                with self.subTest(document=document.name, path=path):
                    self.assertTrue((ROOT / path).exists())

    def test_every_message_to_look_up_is_one_of_the_programs(self) -> None:
        page = (ROOT / "docs" / "TROUBLESHOOTING.md").read_text(encoding="utf-8")
        said = "\n".join(strings_of_core())
        looked_up = re.findall(r"^\| (.*?) \|", page, re.MULTILINE)
        messages = [each for cell in looked_up for each in re.findall(r"`([^`]* [^`]*)`", cell)]
        self.assertGreater(len(messages), 6)
        for message in messages:
            # Names, numbers and what is left out are other ones each time.
            for part in re.split(r"'[^']*'|…|: |[\w.]+:\d+|claude|pre-commit", message):
                with self.subTest(message=message):
                    self.assertTrue(part.strip() in said, part)

    def test_the_files_that_the_code_makes_are_written(self) -> None:
        for path, text in pages.made_files().items():
            with self.subTest(path.name):
                self.assertEqual(path.read_text("utf-8"), text, "run: python3 -m tests.pages")

    def test_a_name_that_is_nowhere_is_found(self) -> None:
        here = "tests.scenarios.test_docs.NamedTests.test_a_name_that_is_nowhere_is_found"
        folder = "tests.scenarios.test_docs"
        text = f"(`{here}`), tests.bench.makespan. And {folder}.NamedTests: {folder}"
        known = [
            here,
            "tests.bench.makespan",
            "tests.scenarios.test_docs.NamedTests",
            "tests.scenarios.test_docs",
        ]
        self.assertEqual(NAMED.findall(text), known)
        self.assertTrue(all(map(exists, known)))
        for name in (
            *("tests.test_nothing", "tests.scenarios.test_docs.Nothing", "tests.bench.nothing"),
            *(
                "tests.scenarios.test_docs.NamedTests.test_nothing",
                "tests.scenarios.test_docs.Nothing.test_x",
            ),
        ):
            self.assertFalse(exists(name), name)

    def test_every_threat_and_every_hazard_names_a_test(self) -> None:
        threats = section("SECURITY.md", "The threat model").split("\n\n**")[1:]
        self.assertGreater(len(threats), 25)
        for threat in threats:
            self.assertIn(".test_", threat)
        hazards = section("RELIABILITY.md", "Hazards").split("\n- **")[1:]
        self.assertGreater(len(hazards), 90)
        for hazard in hazards:
            self.assertIn("\n  - `", hazard)


def strings_of_core() -> Iterator[str]:
    """Every text in the code of ``core/``, those between the fields of a template included."""
    for module in (ROOT / "core").glob("**/*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def section(page: str, heading: str) -> str:
    """The part of a page under a heading that begins so."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return text.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]


if __name__ == "__main__":
    unittest.main()
