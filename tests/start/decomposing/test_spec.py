"""Reading a specification."""

from __future__ import annotations

import io
import os
import tempfile
import unittest

from core.model.errors import UserError
from core.start.decomposing.spec import LONGEST, read_specification


class Specifications(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "SPEC.md")

    def put(self, content: bytes) -> str:
        with open(self.path, "wb") as file:
            file.write(content)
        return self.path

    def test_it_is_read_from_a_file_or_from_standard_input(self) -> None:
        self.assertEqual(read_specification(self.put(b"\xef\xbb\xbfShop"), None), "Shop")
        stdin = io.TextIOWrapper(io.BytesIO("Café".encode()), encoding="ascii")
        self.assertEqual(read_specification("-", stdin), "Café")

    def test_what_can_not_be_read_is_refused(self) -> None:
        closed = io.TextIOWrapper(io.FileIO(os.open(os.devnull, os.O_WRONLY), "w"))
        self.addCleanup(closed.close)
        for path, stdin, words in (
            (self.path, None, "SPEC.md can't be read: No such file"),
            (tempfile.gettempdir(), None, "is not a regular file"),
            ("-", None, "there is no standard input"),
            ("-", io.TextIOWrapper(io.BytesIO(b"\xff")), "standard input is not UTF-8"),
            ("-", io.TextIOWrapper(io.BytesIO(b" \n")), "standard input is empty"),
            ("-", closed, "standard input can't be read"),
        ):
            with self.subTest(words), self.assertRaisesRegex(UserError, words):
                read_specification(path, stdin)
        with self.assertRaisesRegex(UserError, "is too long"):
            read_specification(self.put(b"x" * (LONGEST + 1)), None)


if __name__ == "__main__":
    unittest.main()
