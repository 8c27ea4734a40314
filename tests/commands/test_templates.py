"""`templates`: listed, shown, and made into prompts."""

from __future__ import annotations

import json
import os
import shlex

from tests.support.commands import read_text
from tests.support.workspace import Workspace, WorkspaceTest, feature

TITLE = ("--set", "title=Home")
OWN = '---\n{"description": "a page", "variables": {"title": "its name"}}\n---\n# $title\n'


class TemplatesTest(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace([feature("auth")]))
        self.workspace.write({".rorchestrator/templates/page.md": OWN, "src/a.py": ""})

    def refused(self, *words: str) -> str:
        said = self.workspace.main("templates", *words)
        self.assertEqual((said.code, said.out), (2, ""))
        return said.err

    def test_they_are_listed_with_what_they_are_for(self) -> None:
        said = self.workspace.main("templates")
        self.assertEqual(said, self.workspace.main("templates", "list"))
        self.assertEqual((said.code, said.err), (0, ""))
        self.assertIn("feature      a new feature, with its tests\n", said.out)
        self.assertIn("page         a page  (your own)\n", said.out)
        self.workspace.write({".rorchestrator/templates/bad.md": "no front matter"})
        said = self.workspace.main("templates", "list", "--json")
        self.assertEqual(said.code, 1)
        bad = said.json["templates"][0]
        self.assertEqual((bad["name"], bad["own"]), ("bad", True))
        self.assertIn("has no front matter", bad["fault"])
        self.assertIn("has no front matter", self.workspace.main("templates").out)

    def test_one_is_shown_as_its_file_or_as_json(self) -> None:
        self.assertEqual(self.workspace.main("templates", "show", "page").out, OWN)
        shown = self.workspace.main("templates", "--json", "show", "page").json
        variable = {"name": "title", "meaning": "its name", "default": None}
        self.assertEqual(shown["variables"], [variable])
        self.assertEqual(shown["body"], "# $title\n")

    def test_a_prompt_is_written_and_its_entry_printed(self) -> None:
        said = self.workspace.main("templates", "new", "--template", "page", *TITLE, "home")
        self.assertEqual(said.code, 0, said.err)
        self.assertEqual(said.json, {"id": "home", "prompt_file": "home.md"})
        path = os.path.join(self.workspace.path, "prompts", "home.md")
        self.assertIn("written: prompts/home.md; add this to features of ", said.err)
        self.assertEqual(read_text(path), "# Home\n")
        self.workspace.change([feature("auth"), said.json])
        self.assertEqual(self.workspace.main("plan").code, 0)
        again = self.refused("new", "other", "--template", "page", "--set", "titel=x")
        self.assertIn("missing: title (its name)\n  unknown: titel", again)
        said = self.workspace.main("templates", "new", "b", "-q", "--template", "page", *TITLE)
        self.assertEqual((said.code, said.err), (0, ""))
        self.assertIn("b.md exists already", self.refused("new", "b", "--template", "page", *TITLE))

    def test_the_example_of_the_help_can_be_typed_as_it_stands(self) -> None:
        shown = self.workspace.main("templates", "--help").out
        words = shlex.split(shown.split("rorchestrator ")[-1].replace("\\\n", ""))
        said = self.workspace.main(*words)
        self.assertEqual((said.code, said.json["creates"][0]), (0, "path:src/search.py"))

    def test_an_id_that_the_list_cannot_have_is_refused(self) -> None:
        words = ("--template", "page", *TITLE)
        self.assertIn("the list has a feature 'Auth' already", self.refused("new", "Auth", *words))
        self.assertIn("must begin with a letter", self.refused("new", "../x", *words))
        self.assertIn("two values for title", self.refused("new", "x", *words, *TITLE))

    def test_arguments_that_do_not_fit_are_refused(self) -> None:
        for words, why in (
            (("list", "page"), "templates list takes no name"),
            (("show",), "templates show needs the name of a template"),
            (("show", "pag"), "unknown template 'pag' (did you mean 'page'?)"),
            (("show", "page", "--template", "page"), "takes neither --template nor --set"),
            (("new", "x"), "templates new needs an id and --template"),
            (("new", "--template", "page"), "templates new needs an id and --template"),
            (("new", "x", "--set", "title"), "'title' is not KEY=VALUE"),
            (("list", "--set", "a=b"), "neither --template"),
            (("list", "--config", "none"), "none does not exist"),
            (("list", "--config", "src"), "no feature list in src"),
        ):
            with self.subTest(words):
                self.assertIn(why, self.refused(*words))

    def test_no_list_is_needed(self) -> None:
        os.remove(self.workspace.list_file)
        words = ("templates", "new", "home", "--template", "page", *TITLE)
        inner = os.path.join(self.workspace.path, "src")
        said = self.workspace.main(*words, at=inner)
        self.assertEqual(json.loads(said.out)["id"], "home")
        self.assertIn("written: ../prompts/home.md", said.err)
        self.assertTrue(os.path.exists(os.path.join(self.workspace.path, "prompts", "home.md")))
