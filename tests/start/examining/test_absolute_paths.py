"""Folders with absolute paths into the main checkout."""

from __future__ import annotations

import os
import tempfile
import unittest

from core.start.examining.absolute_paths import MOST_BYTES, holder_of_path


class AbsolutePaths(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = os.path.realpath(folder.name)
        self.venv = os.path.join(self.top, ".venv")
        os.makedirs(os.path.join(self.venv, "bin"))

    def write(self, name: str, text: str) -> str:
        path = os.path.join(self.venv, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_a_script_with_the_path_of_its_environment_is_found(self) -> None:
        self.write("bin/large", f"{self.top}/x" + " " * MOST_BYTES)
        self.write("bin/other", f"#!/usr/bin/python3 {self.top}2/x")
        self.assertEqual(holder_of_path(self.venv, self.top), "")
        script = self.write("bin/pip", f"#!{self.venv}/bin/python3\n")
        self.assertEqual(holder_of_path(self.venv, self.top), script)
        self.assertEqual(holder_of_path(script, self.top), "")

    def test_a_link_into_the_checkout_is_found_and_a_pipe_is_passed_over(self) -> None:
        os.mkfifo(os.path.join(self.venv, "a pipe"))
        os.symlink("bin", os.path.join(self.venv, "lib"))
        self.assertEqual(holder_of_path(self.venv, self.top), "")
        link = os.path.join(self.venv, "lib64")
        os.symlink(os.path.join(self.venv, "bin"), link)
        self.assertEqual(holder_of_path(self.venv, self.top), link)


if __name__ == "__main__":
    unittest.main()
