"""Stamps of files tell that one was written."""

from __future__ import annotations

import os
import tempfile
import unittest

from core.git.file_stamps import COARSE_NS, SETTLED_NS, is_settled, stamp_of, stamps_of
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


class StampTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def write(self, name: str, text: str) -> None:
        with open(self.path(name), "w") as file:
            file.write(text)

    def test_a_file_a_link_and_its_target_each_change_the_stamp(self) -> None:
        self.write("file", "one")
        os.symlink("file", self.path("link"))
        seen = {stamp_of(self.path("link"))}
        self.write("file", "other")
        seen.add(stamp_of(self.path("link")))
        os.unlink(self.path("link"))
        os.symlink("./file", self.path("link"))
        seen.add(stamp_of(self.path("link")))
        os.unlink(self.path("file"))
        seen.add(stamp_of(self.path("link")))
        self.assertEqual(len(seen), 4)

    def test_what_is_not_there_has_no_stamp(self) -> None:
        self.write("file", "")
        found = stamps_of([self.path("file"), self.path("none")])
        self.assertEqual(found, {self.path("file"): stamp_of(self.path("file"))})

    def test_a_file_is_settled_once_a_later_change_gets_another_time(self) -> None:
        fine, coarse = 7 * 10**9 + 1, 7 * 10**9
        cases = {(fine, SETTLED_NS): False, (fine, SETTLED_NS + 1): True}
        cases |= {(coarse, SETTLED_NS + 1): False, (coarse, COARSE_NS + 1): True}
        for (changed, later), expected in cases.items():
            with self.subTest(changed=changed, later=later):
                self.assertIs(is_settled((1, 2, changed), changed + later), expected)
        self.assertFalse(is_settled((), COARSE_NS))
