"""A catalogue is read with gettext, and knows its sentences."""

from __future__ import annotations

import unittest

from core.process.catalogue import Catalogue
from tests.support import po_files
from tests.support.po_files import Entry

ENTRIES = [
    Entry("no space left", said=["plus de place"]),
    Entry("{name} is gone for good", said=["{name} n'existe plus"]),
    Entry("{count} file", "{count} files", ["{count} fichier", "{count} fichiers"]),
]


class TheFile(unittest.TestCase):
    def test_a_finished_sentence_is_found(self) -> None:
        french = Catalogue("fr", po_files.compiled(ENTRIES))
        self.assertEqual(french.language, "fr")
        self.assertEqual(french.gettext("no space left"), "plus de place")
        self.assertEqual(french.shown("auth is gone for good"), "auth n'existe plus")
        self.assertEqual(french.shown("2 files"), "2 fichiers")
        self.assertEqual(french.shown("nothing of ours"), "nothing of ours")

    def test_the_other_order_of_bytes_is_read_too(self) -> None:
        import struct

        little = po_files.compiled(ENTRIES)
        numbers = (len(ENTRIES) + 1) * 4 + 7
        values = struct.unpack(f"<{numbers}I", little[: 4 * numbers])
        big = struct.pack(f">{numbers}I", *values) + little[4 * numbers :]
        self.assertEqual(Catalogue("fr", big).shown("auth is gone for good"), "auth n'existe plus")


if __name__ == "__main__":
    unittest.main()
