"""What prompts say: files that they write, names that they make, and what they only use."""

from __future__ import annotations

import unittest
from pathlib import Path

from core.start.assisting.prompts import (
    LONGEST,
    LONGEST_LINE,
    is_distinctive,
    name_in,
    path_in,
    said_by,
)
from tests.support.paths import ROOT


class SaidTest(unittest.TestCase):
    def writes(self, text: str) -> list[str]:
        return sorted(said_by(text).writes)

    def uses(self, text: str) -> list[str]:
        return sorted(said_by(text).uses)

    def test_the_nearest_verb_tells_whether_a_file_is_written(self) -> None:
        for text, expected in (
            ("Add `src/auth.py`.", ["src/auth.py"]),
            ("Write the tests in tests/auth_test.py.", ["tests/auth_test.py"]),
            ("Add a route like the one in `src/api.py`.", []),
            ("Extend `src/app.py`, which imports `src/db.py`.", ["src/app.py"]),
            ("Follow the style of `src/x.py` and add `src/y.py`.", ["src/y.py"]),
            ("`src/task.py` exists already.", []),
            (
                "Change `package.json`, `src/a.js` and `src/b/`.",
                ["package.json", "src/a.js", "src/b/"],
            ),
        ):
            self.assertEqual(self.writes(text), expected, text)

    def test_what_is_ruled_out_is_not_said_at_all(self) -> None:
        for text in (
            "Do not change `src/app.py`.",
            "Out of scope: the search, which `src/search.py` adds later.",
            "Never edit `Search` or `src/search.py`.",
        ):
            said = said_by(text)
            self.assertEqual(said.writes, {}, text)
        self.assertEqual(self.uses("Do not use `SearchIndex`. Use `Finder`."), ["Finder"])

    def test_a_list_of_files_says_what_is_written_and_made(self) -> None:
        said = said_by(
            "## Files\n\n| file | content |\n|---|---|\n"
            "| `src/storage.py` | `TaskStorage`, below `src/base.py`, `id` |\n"
            "| src/plain.py | text |\n| a word | `Other` |\n"
            "- `config/x.yml`: not changed\n\n## Rules\n\n- `src/rules.py` exists.\n"
        )
        self.assertEqual(said.writes, {"src/storage.py": 5, "src/plain.py": 6})
        self.assertEqual(said.makes, {"TaskStorage": 5})
        self.assertEqual(sorted(said.uses), ["Other", "src/base.py", "src/rules.py"])

    def test_definitions_in_code_are_names_that_are_made(self) -> None:
        said = said_by(
            "The interface:\n\n```python\nclass TaskStorage:\n    def add_task(self): ...\n"
            "def run(): ...\nvalue = TaskView()\n```\n\nIt uses `Task.from_dict(mapping)` and `ok`."
        )
        self.assertEqual(said.makes, {"TaskStorage": 4, "add_task": 5})
        self.assertEqual(sorted(said.uses), ["Task", "Task.from_dict"])

    def test_what_is_made_is_not_used(self) -> None:
        said = said_by("`TaskStorage` is in `src/s.py`.\nAdd class `TaskStorage`, and `src/s.py`.")
        self.assertEqual((sorted(said.writes), sorted(said.makes)), (["src/s.py"], ["TaskStorage"]))
        self.assertEqual(said.uses, {})
        self.assertEqual(said_by("Add `os.fsync` and `git status`.").makes, {})
        with_names = said_by("Add `src/a.py` with `sign_in()` and `SignedIn`.")
        self.assertEqual(list(with_names.makes), ["sign_in", "SignedIn"])

    def test_words_are_paths_or_names_by_their_shape(self) -> None:
        paths = ("src/a.py", "./src/a.py", "package.json", "src/views/")
        self.assertEqual([path_in(word) for word in paths], ["src/a.py", "src/a.py", *paths[2:]])
        for word in ("../a.py", "a//b.py", "Task.from_dict", "/etc/passwd", "src/*.py", "word"):
            self.assertEqual(path_in(word), "", word)
        self.assertEqual(name_in("Gs1::Gtin.parse(text)"), "Gs1::Gtin.parse")
        for word in ("id", "a b", "--flag", "1st"):
            self.assertEqual(name_in(word), "", word)
        for word, expected in (
            ("TaskStorage", True),
            ("add_task", True),
            ("name", False),
            ("Task", True),
        ):
            self.assertEqual(is_distinctive(word), expected, word)

    def test_a_long_line_and_a_long_prompt_are_read_to_a_limit(self) -> None:
        self.assertEqual(self.writes("x\n" * LONGEST + "Add `src/a.py`."), [])
        self.assertEqual(self.writes("x" * LONGEST_LINE + " add `src/a.py`"), [])
        self.assertEqual(self.writes("## Files\n- " + "x" * LONGEST_LINE + "`src/a.py`"), [])

    def test_the_prompts_that_come_along_are_understood(self) -> None:
        text = (Path(ROOT) / "prompts/test-project/task-storage.md").read_text(encoding="utf-8")
        said = said_by(text)
        self.assertEqual(sorted(said.writes), ["src/storage.py", "tests/test_storage.py"])
        self.assertLessEqual({"TaskStorage", "StorageError", "TaskNotFoundError"}, set(said.makes))
        self.assertIn("src/task.py", said.uses)
