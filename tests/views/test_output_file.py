"""Files that a run was asked to write: refused before it, or written whole."""

from __future__ import annotations

import os

from core.model.errors import UserError
from core.views.output_file import OutputFile
from tests.support.commands import read_text
from tests.support.in_a_folder import InAFolder


class OutputFileTest(InAFolder):
    def setUp(self) -> None:
        super().setUp()
        os.mkdir(self.folder)

    def test_it_is_written_whole_and_missing_folders_are_made(self) -> None:
        path = os.path.join(self.folder, "a", "b", "x.xml")
        file = OutputFile("--junit", path)
        self.assertEqual(os.listdir(os.path.dirname(path)), [])
        for content in ("one é", "two"):
            file.write(content)
            self.assertEqual(read_text(path), content)
        self.assertEqual(os.listdir(os.path.dirname(path)), ["x.xml"])

    def test_a_link_stays_one(self) -> None:
        place, link = (os.path.join(self.folder, name) for name in ("place", "link"))
        os.symlink(place, link)
        OutputFile("--junit", link).write("x")
        self.assertTrue(os.path.islink(link))
        self.assertEqual(read_text(place), "x")

    def test_what_cannot_be_written_is_refused_with_the_reason(self) -> None:
        file = os.path.join(self.folder, "file")
        pipe = os.path.join(self.folder, "pipe")
        os.mkfifo(pipe)
        with open(file, "w"):
            pass
        for path, reason in (
            (self.folder, "it is not a regular file"),
            (pipe, "it is not a regular file"),
            (os.devnull, "it is not a regular file"),
            (os.path.join(file, "x.xml"), "can't be written: "),
            (os.path.join(self.folder, "x" * 300), "can't be written: File name too long"),
        ):
            with self.subTest(path), self.assertRaises(UserError) as raised:
                OutputFile("--junit", path)
            self.assertIn(reason, raised.exception.message)
            self.assertIn("give --junit the path", raised.exception.hint)
        self.assertEqual(sorted(os.listdir(self.folder)), ["file", "pipe"])

    def test_a_write_that_fails_later_is_said_as_well(self) -> None:
        path = os.path.join(self.folder, "a", "x.xml")
        file = OutputFile("--junit", path)
        os.rmdir(os.path.dirname(path))
        with self.assertRaisesRegex(UserError, "--junit .*x.xml can't be written: No such file"):
            file.write("x")
