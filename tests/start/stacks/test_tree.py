"""The files of a commit, as the stacks look at them."""

from __future__ import annotations

import unittest

from core.start.stacks.tree import READ_LIMIT, Tree, table
from tests.support.trees import tree

FILES = {"a.json": '{"x": {"y": 1}}', "list.json": "[1]", "b.txt": "b", "web/c/d.txt": "d"}


class Trees(unittest.TestCase):
    def test_files_are_found_by_name_and_pattern(self) -> None:
        found = tree(FILES)
        self.assertTrue(found.has("none", "b.txt"))
        self.assertFalse(found.has("web"))
        self.assertEqual(found.first("none", "b.txt", "a.json"), "b.txt")
        self.assertEqual(found.first("none"), "")
        self.assertEqual(found.matching(r"\.txt$"), ["b.txt", "web/c/d.txt"])

    def test_a_text_is_read_once_and_not_without_end(self) -> None:
        asked = []

        def read(path: str) -> str:
            asked.append(path)
            return "x" * (READ_LIMIT + 1)

        found = Tree(["a"], read)
        self.assertEqual(len(found.text("a")), READ_LIMIT)
        self.assertEqual(found.text("none"), "")
        found.text("a")
        self.assertEqual(asked, ["a"])

    def test_json_that_is_no_object_counts_as_an_empty_one(self) -> None:
        found = tree({**FILES, "deep.json": "[" * 100_000, "broken.json": "{"})
        self.assertEqual(table(found.json("a.json").get("x")), {"y": 1})
        for path in ("list.json", "broken.json", "deep.json", "none"):
            self.assertEqual(found.json(path), {}, path)
        self.assertEqual(table([1]), {})

    def test_a_folder_is_a_tree_of_its_own(self) -> None:
        found = tree(FILES).below("web")
        self.assertEqual(found.paths, {"c/d.txt"})
        self.assertEqual(found.text("c/d.txt"), "d")
        self.assertEqual(tree(FILES).folders(1), ["web"])
        self.assertEqual(tree(FILES).folders(2), ["web", "web/c"])


if __name__ == "__main__":
    unittest.main()
