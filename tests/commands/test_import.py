"""`import`: shown, asked, written, and repeated."""

from __future__ import annotations

import json
import os

from tests.support.commands import CommandResult, read_text
from tests.support.workspace import Workspace, WorkspaceTest, feature

TASKS = """\
# Tasks: Shop

## Phase 1: Setup

- [ ] T001 Set up the project
- [x] T002 Write the licence

## Phase 2: User Story 1

- [ ] T003 [P] [US1] Cart in src/cart.py
  - Run `pytest tests/test_cart.py`
- [ ] T004 [P] [US1] Search in src/search.py
"""


class ImportTest(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace([feature("auth")]))
        self.workspace.write({"tasks.md": TASKS})

    def imported(self, *words: str, **more: bool | bytes) -> CommandResult:
        return self.workspace.main("import", "tasks.md", *words, **more)  # type: ignore[arg-type]

    def test_a_plan_becomes_features_that_can_be_planned(self) -> None:
        said = self.imported("--yes")
        self.assertEqual(said.code, 0, said.err)
        self.assertIn("IMPORT tasks.md (spec-kit) into config/feature_list.json\n", said.out)
        self.assertIn("  new      t003-cart-in-src-cart-py  Cart in src/cart.py\n", said.out)
        self.assertIn("           after t001-set-up-the-project\n", said.out)
        self.assertIn("           check: pytest tests/test_cart.py\n", said.out)
        self.assertTrue(said.out.endswith("3 new\n"), said.out)
        written = "Written: config/feature_list.json and 3 prompts.\n  next: rorchestrator plan\n"
        self.assertEqual(said.err, written)
        plan = self.workspace.main("plan", "--json").json
        self.assertEqual(len(plan["features"]), 4)
        prompt = os.path.join(self.workspace.path, "prompts", "t001-set-up-the-project.md")
        self.assertTrue(read_text(prompt).startswith("# Set up the project\n"))
        again = self.imported("--yes")
        self.assertEqual((again.code, again.err), (0, ""))
        self.assertTrue(again.out.endswith("\n3 as before\n"), again.out)

    def test_without_a_terminal_it_shows_the_plan_and_writes_nothing(self) -> None:
        before = read_text(self.workspace.list_file)
        said = self.imported()
        self.assertEqual(said.code, 2)
        self.assertIn("3 new\n", said.out)
        self.assertIn("there is no terminal to ask on", said.err)
        self.assertIn("rorchestrator import tasks.md --yes", said.err)
        said = self.imported("--json")
        self.assertEqual((said.code, said.json["written"]), (2, False))
        self.assertEqual(len(said.json["features"]), 3)
        self.assertEqual(read_text(self.workspace.list_file), before)
        self.assertFalse(os.path.exists(os.path.join(self.workspace.path, "prompts")))

    def test_at_a_terminal_it_asks(self) -> None:
        said = self.imported(terminal=True, stdin=b"n\n")
        self.assertEqual(said.code, 2)
        self.assertIn("Write config/feature_list.json and 3 prompts? [y/N]", said.err)
        self.assertIn("Nothing was written.", said.err)
        said = self.imported("--quiet", terminal=True, stdin=b"y\n")
        self.assertEqual((said.code, said.out), (0, "3 new\n"))
        self.assertNotIn("Written", said.err)

    def test_json_says_what_was_written(self) -> None:
        said = self.imported("--json", "--yes")
        self.assertEqual((said.code, said.err), (0, ""))
        self.assertEqual((said.json["kind"], said.json["written"]), ("spec-kit", True))
        first = said.json["features"][0]
        self.assertEqual((first["action"], first["key"]), ("new", "T001"))
        again = self.imported("--json")
        self.assertEqual((again.code, again.json["written"]), (0, False))

    def test_issues_are_read_from_standard_input_into_a_new_list(self) -> None:
        os.remove(self.workspace.list_file)
        issues = [
            {"number": 1, "title": "Sign in", "body": "", "labels": []},
            {"number": 2, "title": "Cart", "body": "Depends on #1", "labels": [{"name": "shop"}]},
        ]
        content = json.dumps(issues).encode()
        said = self.workspace.main("import", "-", "--yes", stdin=content)
        self.assertEqual(said.code, 0, said.err)
        self.assertIn(
            "IMPORT standard input (github-issues) into config/feature_list.json", said.out
        )
        self.assertIn(
            "Note: The new list has neither setup nor checks; rorchestrator init", said.out
        )
        self.assertIn("  next: rorchestrator doctor\n", said.err)
        made = json.loads(read_text(self.workspace.list_file))
        cart = made["features"][1]
        self.assertEqual((cart["id"], cart["depends_on"]), ("2-cart", ["1-sign-in"]))
        self.assertEqual((cart["tags"], cart["x-origin"]["file"]), (["shop"], "-"))
        self.assertEqual(self.workspace.main("plan").code, 0)
        closed = self.workspace.main("import", "-", "--yes", stdin=json.dumps(issues[1:]).encode())
        self.assertIn("  gone     1-sign-in  Sign in\n", closed.out)
        self.assertTrue(
            closed.out.endswith("1 as before, 1 no longer in the source, left in the list\n")
        )

    def test_a_file_without_a_plan_is_refused(self) -> None:
        self.workspace.write({"tasks.md": "# Nothing"})
        said = self.imported()
        self.assertEqual((said.code, said.out), (2, ""))
        self.assertIn("tasks.md has no plan that import can read\n  spec-kit's tasks.md", said.err)
        self.workspace.write({"tasks.md": "- [ ] a\x1b[2J"})
        self.assertNotIn("\x1b", self.imported().out)
