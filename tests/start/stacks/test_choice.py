"""Which stacks of a repository the list is for."""

from __future__ import annotations

import time
import unittest

from core.start.stacks.choice import Choice, choose
from tests.support.trees import GO, NODE, PYTHON, RAILS, RUST, package_json, tree

ALL = {"Rails": RAILS, "Node with npm": NODE, "Python": PYTHON, "Go": GO, "Rust": RUST}


def at(folder: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in files.items()}


class Choices(unittest.TestCase):
    def verify(self, found: Choice) -> list[str]:
        return [line for stack in found.stacks for line in stack.verify]

    def test_each_sample_tree_is_recognised_and_can_be_checked(self) -> None:
        for name, files in ALL.items():
            with self.subTest(name):
                found = choose(tree(files))
                self.assertEqual([stack.name for stack in found.stacks], [name])
                self.assertTrue(self.verify(found))
                self.assertEqual(found.notes, ())

    def test_several_stacks_at_the_root_are_all_set_up_and_checked(self) -> None:
        found = choose(tree({**RAILS, **NODE}))
        self.assertEqual([stack.name for stack in found.stacks], ["Rails", "Node with npm"])

    def test_a_makefile_helps_where_the_stack_has_no_tests(self) -> None:
        files = {"package.json": package_json(), "Makefile": "test:\n\ttrue\n"}
        self.assertEqual(self.verify(choose(tree(files))), ["make test"])
        self.assertEqual(
            self.verify(choose(tree({**NODE, **files, **NODE}))), ["npm run lint", "npm test"]
        )

    def test_folders_are_taken_where_the_root_cannot_be_checked(self) -> None:
        found = choose(tree({"README.md": "", **at("web", dict(NODE)), **at("apps/api", dict(GO))}))
        self.assertEqual([stack.folder for stack in found.stacks], ["web", "apps/api"])
        self.assertIn("cd web && npm test", self.verify(found))
        self.assertEqual(found.notes, ("the checks of web, apps/api run for every feature",))

    def test_a_root_with_nothing_but_folders_of_several_languages_is_checked_in_each(self) -> None:
        found = choose(tree({**at("web", dict(NODE)), **at("api", dict(PYTHON))}))
        self.assertEqual([stack.folder for stack in found.stacks], ["api", "web"])

    def test_folders_beside_a_root_that_can_be_checked_are_named(self) -> None:
        found = choose(tree({**PYTHON, **at("web", dict(NODE))}))
        self.assertEqual([stack.name for stack in found.stacks], ["Python"])
        self.assertIn("the list does not check web: ", found.notes[0])

    def test_the_members_of_a_workspace_belong_to_its_root(self) -> None:
        root = {"package.json": package_json(workspaces=["packages/*"], scripts={"test": "x"})}
        self.assertEqual(choose(tree({**root, **at("packages/a", dict(NODE))})).notes, ())
        root = {**RUST, "Cargo.toml": "[workspace]\n"}
        self.assertEqual(choose(tree({**root, **at("crates/a", dict(RUST))})).notes, ())

    def test_examples_hidden_folders_and_folders_within_one_are_none_of_ours(self) -> None:
        files = {
            **at("examples/a", dict(NODE)),
            **at(".github/b", dict(GO)),
            **at("docs", dict(NODE)),
        }
        files = {**files, **at("web", dict(NODE)), **at("web/inner", dict(GO))}
        self.assertEqual([stack.folder for stack in choose(tree(files)).stacks], ["web"])

    def test_not_more_than_a_few_folders_are_taken(self) -> None:
        files = {name: text for n in range(6) for name, text in at(f"m{n}", dict(GO)).items()}
        found = choose(tree(files))
        self.assertEqual(len(found.stacks), 4)
        self.assertIn("the list does not check m4, m5: ", found.notes[1])

    def test_a_folder_without_a_manifest_is_part_of_something_else(self) -> None:
        files = {"tools/test_a.py": "import unittest\n", "tools/a.py": ""}
        found = choose(tree(files))
        self.assertEqual([stack.folder for stack in found.stacks], [""])

    def test_a_note_says_that_nothing_was_found(self) -> None:
        found = choose(tree({"README.md": ""}))
        self.assertEqual(found.stacks, ())
        self.assertIn("no tests were found", found.notes[0])

    def test_hostile_files_are_read_in_no_time(self) -> None:
        lines, calls = "\n" * 30_000, 'extras_require={"a":[' + '"a":[' * 20_000
        began = time.process_time()
        for files in (
            {"a.py": "", "pyproject.toml": f"[project]{lines}", "requirements.txt": lines},
            {"a.py": "", "setup.py": calls, "test_a.py": ""},
            {"Gemfile": lines, "config/application.rb": "", "config/database.yml": lines},
            {"Makefile": lines, "justfile": "test " + "\ntest " * 20_000},
        ):
            choose(tree(files))
        self.assertLess(time.process_time() - began, 5)


if __name__ == "__main__":
    unittest.main()
