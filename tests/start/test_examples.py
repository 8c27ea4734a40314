"""The included examples."""

from __future__ import annotations

import os
import shutil
import tempfile
import unittest

from core.model.errors import UserError
from core.project.feature_list import load
from core.start.examples import EXAMPLES, LIST, files_of
from core.start.new_files import write
from tests.support.paths import ROOT


class Examples(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(temporary.cleanup)
        self.folder = os.path.realpath(temporary.name)

    def test_each_is_a_valid_list_with_its_prompts(self) -> None:
        for name in EXAMPLES:
            with self.subTest(name):
                root = os.path.join(self.folder, name)
                written = list(write(root, files_of(name)))
                config = load(os.path.join(root, LIST))
                self.assertEqual(written[-1], LIST)
                self.assertTrue(all(feature.prompt for feature in config.features))
                self.assertEqual(bool(config.context), name != "todo")
                self.assertEqual(config.project.base_branch, "main")

    def test_its_features_start_from_the_base_of_the_repository(self) -> None:
        root = os.path.join(self.folder, "shop")
        list(write(root, files_of("todo", "trunk")))
        self.assertEqual(load(os.path.join(root, LIST)).project.base_branch, "trunk")

    def test_an_installed_package_has_them_inside(self) -> None:
        for folder in ("config", "prompts"):
            shutil.copytree(
                os.path.join(ROOT, folder), os.path.join(self.folder, "examples", folder)
            )
        self.assertEqual(files_of("todo", package=self.folder), files_of("todo"))

    def test_an_unknown_example_gets_a_suggestion_and_a_missing_one_is_named(self) -> None:
        with self.assertRaises(UserError) as caught:
            files_of("toda")
        self.assertEqual(caught.exception.message, "unknown example 'toda' (did you mean 'todo'?)")
        with self.assertRaises(UserError) as caught:
            files_of("todo", package=os.path.join(self.folder, "nothing", "here"))
        self.assertIn("can't be read", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
