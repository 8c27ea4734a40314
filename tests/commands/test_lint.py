"""`lint`: what the prompts of a list, or of files, lack."""

from __future__ import annotations

import os

from tests.support.workspace import Workspace, WorkspaceTest, feature

GOOD = "Write `src/api.py`.\n\n## Acceptance\n\n`npm test` passes.\n"


class LintTest(WorkspaceTest):
    def setUp(self) -> None:
        listed = [
            {"id": "api", "prompt_file": "api.md", "creates": ["path:src/api.py"]},
            {"id": "web", "prompt_file": "web.md", "allowed_tools": ["Bash(make all)"]},
        ]
        self.use(Workspace([feature("auth")]))
        self.workspace.write({"prompts/api.md": GOOD, "web.md": GOOD + "Run `make all`, etc.\n"})
        self.workspace.change([*listed, feature("auth")])

    def lint(self, *words: str, at: str = "") -> tuple[int, str, str]:
        said = self.workspace.main("lint", *words, at=at)
        return said.code, said.out, said.err

    def test_all_prompts_of_the_list_are_read(self) -> None:
        code, out, err = self.lint()
        self.assertEqual((code, err), (1, "4 findings in 3 prompts\n"), out)
        self.assertEqual(
            out.splitlines(),
            [
                "web.md:5: no rule of allowed_tools allows: npm test (add 'Bash(npm test:*)')",
                "web.md:6: vague: 'etc.'; say exactly what is meant",
                "feature auth: no acceptance check: say which command or result shows that it "
                "works",
                "feature auth: no file is named: say where the work begins, or what it creates",
            ],
        )
        self.assertEqual(self.lint("-q"), (1, out, ""))
        said = self.workspace.main("lint", "--json")
        self.assertEqual((said.code, said.json["prompts"]), (1, 3))
        self.assertEqual([each["line"] for each in said.json["findings"]], [5, 6, None, None])
        self.assertEqual(said.json["findings"][1]["rule"], "vague")

    def test_a_named_file_is_read_as_its_feature_or_as_it_is(self) -> None:
        clean = (0, "", "no findings in 1 prompt\n")
        self.assertEqual(self.lint("prompts/api.md"), clean)
        self.workspace.write({"other.md": GOOD.replace("api.py", "new.py")})
        code, out, _ = self.lint("other.md", "web.md")
        self.assertEqual(code, 1)
        self.assertIn("other.md:1: src/new.py does not exist", out)
        self.assertIn("web.md:6: ", out)
        self.assertIn("none.md can't be read: No such file", self.lint("none.md")[2])

    def test_nothing_is_refused_where_permissions_are_bypassed(self) -> None:
        self.workspace.document["claude"]["permission_mode"] = "bypassPermissions"
        self.workspace.change()
        self.assertNotIn("allowed_tools", self.lint()[1])

    def test_files_need_no_list(self) -> None:
        os.remove(self.workspace.list_file)
        self.assertIn("no feature list", self.lint()[2])
        self.assertIn("src/api.py does not exist", self.lint("prompts/api.md")[1])
        self.assertIn("does not exist", self.lint("prompts/api.md", "--config", "none.json")[2])
