"""The files of templates, and the prompts that are made from them."""

from __future__ import annotations

import os
import unittest

from core.model.errors import UserError
from core.project.keys import FEATURE
from core.project.list_reader import Reader
from core.start import template_files
from core.start.template import filled
from core.start.template_files import TemplateFile
from core.start.template_files import template_files as found_around
from tests.support.in_a_folder import InAFolder

SHIPPED = ["bug-fix", "feature", "refactoring", "tests"]


class TemplateFiles(InAFolder):
    def setUp(self) -> None:
        super().setUp()
        os.makedirs(self.folder)

    def own(self, name: str, text: str) -> str:
        path = os.path.join(self.folder, ".rorchestrator", "templates", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_those_that_come_along_make_a_prompt_and_a_valid_entry(self) -> None:
        known = found_around(self.folder)
        self.assertEqual(list(known), SHIPPED)
        for file in known.values():
            with self.subTest(file.name):
                template = template_files.read(file)
                given = {each.name: "x" for each in template.variables if each.default is None}
                made = filled(template, "one", given)
                self.assertIn("## Acceptance", made.prompt)
                self.assertNotIn("$", made.prompt)
                reader = Reader(self.folder)
                reader.fields("", dict(made.entry), FEATURE)
                self.assertEqual(reader.faults, [])
                for key in ("name", "verify", "estimated_tokens", "tags"):
                    self.assertIn(key, made.entry)

    def test_the_users_own_win_wherever_in_the_repository_the_list_is(self) -> None:
        os.makedirs(os.path.join(self.folder, ".git"))
        inner = os.path.join(self.folder, "packages", "shop")
        os.makedirs(inner)
        path = self.own("feature.md", "mine")
        for name in (".hidden.md", "_context.md", "notes.txt"):
            self.own(name, "no template")
        known = found_around(inner)
        self.assertEqual(list(known), SHIPPED)
        self.assertEqual(known["feature"], TemplateFile("feature", path, is_own=True))
        self.assertFalse(known["tests"].is_own)

    def test_a_folder_outside_of_every_repository_is_its_own(self) -> None:
        self.assertEqual(template_files.repository_around(self.folder), self.folder)

    def test_an_installed_package_has_them_beside_its_examples(self) -> None:
        self.assertEqual(
            template_files.shipped_folder(self.folder),
            os.path.join(os.path.dirname(self.folder), "prompts", "templates"),
        )
        inside = os.path.join(self.folder, "examples", "prompts", "templates")
        os.makedirs(inside)
        self.assertEqual(template_files.shipped_folder(self.folder), inside)

    def test_an_unknown_name_gets_a_suggestion(self) -> None:
        with self.assertRaises(UserError) as caught:
            template_files.named("featur", found_around(self.folder))
        self.assertEqual(
            caught.exception.message, "unknown template 'featur' (did you mean 'feature'?)"
        )

    def test_a_file_that_cannot_be_read_is_named(self) -> None:
        path = self.own("a.md", "\0")
        for each, why in ((path, "is not text at line 1"), (f"{path}x", "can't be read: No such")):
            with self.subTest(why), self.assertRaises(UserError) as caught:
                template_files.text_of_file(each)
            self.assertIn(f"{each} {why}", caught.exception.message)


class Written(InAFolder):
    def setUp(self) -> None:
        super().setUp()
        os.makedirs(self.folder)

    def assert_refused(self, id: str, why: str) -> None:
        with self.assertRaises(UserError) as caught:
            template_files.write_prompt(self.folder, id, "text")
        self.assertIn(why, caught.exception.message)

    def test_a_prompt_is_written_once_and_never_again(self) -> None:
        path = template_files.write_prompt(self.folder, "home", "text")
        self.assertEqual(path, os.path.join(self.folder, "prompts", "home.md"))
        self.assert_refused("home", f"{path} exists already")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "text")

    def test_a_link_is_not_followed(self) -> None:
        prompts = os.path.join(self.folder, "prompts")
        os.mkdir(prompts)
        os.symlink("elsewhere", os.path.join(prompts, "home.md"))
        self.assert_refused("home", "exists already")
        os.rename(prompts, os.path.join(self.folder, "old"))
        os.symlink(os.path.dirname(self.folder), prompts)
        self.assert_refused("home", "leads out of")

    def test_a_folder_that_cannot_be_made_is_named(self) -> None:
        prompts = os.path.join(self.folder, "prompts")
        with open(prompts, "w"):
            pass
        self.assert_refused("home", "prompts is not a folder")
        os.remove(prompts)
        self.assert_refused("x" * 300, "can't be written: File name too long")


if __name__ == "__main__":
    unittest.main()
