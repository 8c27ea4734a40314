"""What a run reads is not written over, however its path is spelled."""

from __future__ import annotations

import os
import unittest

from tests.support.commands import read_text
from tests.support.workspace import Workspace


class OutputPathTest(unittest.TestCase):
    def test_the_list_its_prompts_and_gits_folder_are_kept(self) -> None:
        space = Workspace([{"id": "a", "prompt_file": "a.md"}])
        self.addCleanup(space.close)
        os.mkdir(space.beside("prompts"))
        prompt = os.path.join(space.path, "a.md")
        with open(prompt, "w", encoding="utf-8") as file:
            file.write("Build it.")
        linked, hard = space.beside("linked"), space.beside("hard")
        os.symlink(space.list_file, linked)
        os.link(prompt, hard)
        its_list = "would replace the feature list"
        read = "would replace a file that the feature list reads"
        git = "is inside git's own folder"
        for path, fault in (
            (space.list_file, its_list),
            ("config/../config/feature_list.json", its_list),
            (linked, its_list),
            ("a.md", read),
            (hard, read),
            (".git/description", git),
            (".git/new/plan.svg", git),
            (space.beside("else", ".git"), git),
        ):
            with self.subTest(path):
                done = space.main("plan", "--svg", path)
                self.assertEqual(done.code, 2, done)
                self.assertIn(f"rorchestrator: --svg {path} {fault}\n", done.err)
                self.assertIn("next: give --svg the path of a file of its own", done.err)
        self.assertEqual(read_text(prompt), "Build it.")
        # The user may well replace other files, tracked ones too.
        space.commit({"docs/plan.svg": "old"}, "a picture")
        self.assertEqual(space.main("plan", "--svg", "docs/plan.svg").code, 0)
        self.assertIn("<svg", read_text(os.path.join(space.path, "docs", "plan.svg")))
