"""``setup_cache`` and what belongs to it, in a list."""

from __future__ import annotations

import unittest

from core.project.list_reader import Reader
from core.project.setup_cache_keys import FOLDERS, setup_cache_faults


class Folders(unittest.TestCase):
    def test_a_folder_inside_of_the_repository_is_named(self) -> None:
        cases = {
            "node_modules": "",
            "packages/*/node_modules": "",
            "**/node_modules": "",
            ".venv": "is a virtual environment",
            "api/venv": "is a virtual environment",
            ".": "names no folder",
            "**": "names no folder",
            "vendor/**": "names no folder",
            "../node_modules": "is not a pattern of files",
            ".git/x": "is not a pattern of files",
        }
        for pattern, fault in cases.items():
            with self.subTest(pattern=pattern):
                reader = Reader("/")
                FOLDERS.check(reader, "p", [pattern])
                self.assertEqual(len(reader.faults), int(bool(fault)))
                self.assertIn(fault, str(reader.faults))


class Together(unittest.TestCase):
    def faults(self, **fields: object) -> list[tuple[str, str]]:
        return list(setup_cache_faults(fields))

    def test_the_other_keys_need_it(self) -> None:
        given = self.faults(setup_inputs=("a",), setup_cache_max_gib=1.0)
        words = "has no effect without project.setup_cache"
        names = ("project.setup_inputs", "project.setup_cache_max_gib")
        self.assertEqual(given, [(name, words) for name in names])
        self.assertEqual(self.faults(setup_cache=("a",), setup_inputs=("a",)), [])
        self.assertEqual(self.faults(setup_cache=None), [])

    def test_what_is_copied_or_linked_can_not_come_from_the_cache_too(self) -> None:
        self.assertEqual(
            self.faults(setup_cache=("vendor", "node_modules"), link=("node_modules",)),
            [
                (
                    "project.setup_cache[1]",
                    "project.link already provides node_modules (node_modules)",
                )
            ],
        )
        cases = {
            ("node_modules", "node_modules/left"): True,
            ("app/node_modules", "*/node_modules"): True,
            ("**/node_modules", "app/node_modules"): True,
            ("app/node_modules", "app"): True,
            ("node_modules", ".env"): False,
            ("**/node_modules", "**/.env"): False,
            ("app/node_modules", "web/node_modules"): False,
        }
        for (one, other), expected in cases.items():
            with self.subTest(one=one, other=other):
                self.assertEqual(bool(self.faults(setup_cache=(one,), copy=(other,))), expected)
