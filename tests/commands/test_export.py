"""`export`: writes the file of an engine, and never over somebody's work."""

from __future__ import annotations

import os
import shlex

from tests.support.commands import CommandResult, read_text
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace, WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere

FILE = ".github/workflows/features.yml"


class ExportTest(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace([feature("auth"), feature("api", depends_on=["auth"])]))
        self.path = os.path.join(self.workspace.path, FILE)

    def export(self, *words: str, at: str = "") -> CommandResult:
        return self.workspace.main("export", "github-actions", *words, at=at)

    def test_the_file_is_where_the_engine_looks_for_it(self) -> None:
        os.mkdir(os.path.join(self.workspace.path, "sub"))
        said = self.export(at=os.path.join(self.workspace.path, "sub"))
        self.assertEqual((said.code, said.out), (0, ""))
        self.assertIn(f"written: ../{FILE}\n", said.err)
        self.assertIn("# Made by: rorchestrator export github-actions\n", read_text(self.path))

    def test_stdout_gets_the_file_and_nothing_else(self) -> None:
        said = self.export("--out", "-", "--only", "auth")
        self.assertTrue(
            said.out.startswith("# Made by: rorchestrator export github-actions --only")
        )
        self.assertFalse(os.path.exists(self.path))
        self.assertEqual(self.export("--out", "-", "-q").err, "")

    def test_the_command_in_the_file_makes_it_again(self) -> None:
        shop = self.workspace
        shop.git("mv", "config", "plans")
        os.makedirs(os.path.join(shop.path, "sub"))
        words = ("--config", "../plans/feature_list.json", "--out", "made.yml", "--only", "auth")
        self.assertEqual(self.export(*words, at=os.path.join(shop.path, "sub")).code, 0)
        made = read_text(os.path.join(shop.path, "sub", "made.yml"))
        command = shlex.split(made.split("\n", 1)[0].partition("rorchestrator ")[2])
        expected = [
            "--only",
            "auth",
            "--config",
            "plans/feature_list.json",
            "--out",
            "sub/made.yml",
        ]
        self.assertEqual(command, ["export", "github-actions", *expected])
        os.unlink(os.path.join(shop.path, "sub", "made.yml"))
        self.assertEqual(shop.main(*command).code, 0)
        self.assertEqual(read_text(os.path.join(shop.path, "sub", "made.yml")), made)

    def test_a_file_of_ours_is_replaced_and_no_other(self) -> None:
        self.export()
        self.assertEqual(self.export("-q"), CommandResult(0, "", ""))
        with open(self.path, "a", encoding="utf-8") as file:
            file.write("# mine\n")
        said = self.export("--only", "auth")
        self.assertEqual(said.code, 2)
        self.assertIn("was changed since it was exported", said.err)
        self.assertIn("export github-actions --only auth --force", said.err)
        self.assertIn("# mine", read_text(self.path))
        self.workspace.write({"other.yml": "a: b\n"})
        said = self.export("--out", "other.yml")
        self.assertIn("other.yml already exists, and export did not write it", said.err)
        self.assertEqual(self.export("--force").code, 0)
        self.assertNotIn("# mine", read_text(self.path))
        said = self.export("--out", "config/feature_list.json", "--force")
        self.assertIn("would replace the feature list", said.err)

    def test_line_ends_of_a_checkout_are_no_change(self) -> None:
        self.export()
        text = read_text(self.path)
        with open(self.path, "w", encoding="utf-8", newline="") as file:
            file.write(text.replace("\n", "\r\n"))
        self.assertEqual(self.export("--check").code, 0)
        self.assertEqual(self.export().code, 0)

    def test_a_file_that_no_longer_fits_the_list_is_found(self) -> None:
        self.export("--only", "api")
        self.assertIn("matches the list", self.export("--check", "--only", "api").out)
        self.assertEqual(self.export("--check", "--only", "api", "-q").out, "")
        self.workspace.change([feature("auth"), feature("api")])
        said = self.export("--check", "--only", "api")
        self.assertEqual((said.code, said.out), (1, ""))
        again = "export it again: rorchestrator export github-actions --only api\n"
        self.assertIn(f"no longer matches the list; {again}", said.err)
        os.unlink(self.path)
        os.mkdir(self.path)
        self.assertIn("can't be read", self.export("--check").err)
        said = self.export("--check", "--out", "config/feature_list.json")
        self.assertIn("was not written by export", said.err)

    def test_a_missing_file_is_answered_with_the_command_that_writes_it(self) -> None:
        self.workspace.features(feature("auth", tags=["a b"]))
        for command in (
            "export github-actions",
            "export gitlab-ci --only auth",
            "export github-actions --tag 'a b' --out 'my file.yml' --max-parallel 2",
        ):
            with self.subTest(command):
                words = shlex.split(command)
                said = self.workspace.main(*words, "--check")
                self.assertEqual((said.code, said.out), (2, ""))
                self.assertIn(" does not exist\n", said.err)
                self.assertIn(f"next: write it: rorchestrator {command}\n", said.err)
                self.assertEqual(self.workspace.main(*words).code, 0)
                self.assertEqual(self.workspace.main(*words, "--ch").code, 0)

    def test_what_is_no_file_is_not_read(self) -> None:
        os.mkfifo(self.workspace.beside("pipe"))
        for words in (("--check",), ()):
            said = self.export("--out", self.workspace.beside("pipe"), *words)
            self.assertEqual(said.code, 2)
            self.assertIn("pipe can't be read: it is not a regular file\n", said.err)
        os.symlink("nowhere", self.workspace.beside("link"))
        said = self.export("--out", self.workspace.beside("link"))
        self.assertIn("link can't be read: No such file or directory\n", said.err)

    def test_standard_output_can_not_be_checked(self) -> None:
        for engine in ("github-actions", "gitlab-ci"):
            said = self.workspace.main("export", engine, "--check", "--out", "-")
            self.assertEqual((said.code, said.out), (2, ""))
            self.assertIn("--check reads a file, and --out - is standard output\n", said.err)
            self.assertIn("next: leave out one of them\n", said.err)

    def test_a_list_without_permission_checks_needs_a_yes(self) -> None:
        self.workspace.features(feature("a"), claude={"permission_mode": "bypassPermissions"})
        said = self.export("--out", "-")
        self.assertEqual(said.code, 2)
        self.assertIn("allow it: rorchestrator export github-actions --allow-bypass", said.err)
        for engine in ("github-actions", "gitlab-ci"):
            said = self.workspace.main("export", engine, "--out", "-", "--allow-bypass")
            self.assertIn(" --allow-bypass\n", said.out)

    def test_what_has_landed_is_named(self) -> None:
        self.workspace.run("--only", "auth")
        self.workspace.main("merge", "--yes", "auth")
        self.assertIn("left out, already landed: auth\n", self.export("--out", "-").err)

    def test_what_is_skipped_is_named(self) -> None:
        self.workspace.main("skip", "api")
        self.assertIn("left out, skipped: api\n", self.export("--out", "-").err)
