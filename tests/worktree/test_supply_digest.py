"""The digest of copied files: what changes it, and where it is kept."""

from __future__ import annotations

import os
import shutil
import tempfile
import unittest

from core.worktree import supply_digest


class SupplyDigestTest(unittest.TestCase):
    def setUp(self) -> None:
        self.top = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.top)
        for name, content in ((".env", "A=1"), ("modules/deep/x.js", "1"), ("modules/y.js", "2")):
            self.write(name, content)
        os.symlink("x.js", self.path("modules/deep/link"))

    def path(self, name: str) -> str:
        return os.path.join(self.top, name)

    def write(self, name: str, content: str) -> None:
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(content)

    def digest(self, *names: str) -> str:
        return supply_digest.digest_of(self.top, names or (".env", "modules"))

    def test_nothing_copied_has_none(self) -> None:
        self.assertEqual(supply_digest.digest_of(self.top, ()), "")

    def test_a_file_counts_by_content_and_not_by_its_time(self) -> None:
        first = self.digest()
        os.utime(self.path(".env"), (1, 1))
        self.assertEqual(self.digest(), first)
        self.write(".env", "A=2")
        self.assertNotEqual(self.digest(), first)

    def test_a_large_file_counts_by_size_and_time(self) -> None:
        with open(self.path(".env"), "wb") as file:
            file.truncate(supply_digest.BY_CONTENT_BYTES + 1)
        first = self.digest(".env")
        os.utime(self.path(".env"), (1, 1))
        self.assertNotEqual(self.digest(".env"), first)

    def test_each_file_and_link_in_a_folder_counts(self) -> None:
        seen = {self.digest()}
        self.write("modules/deep/x.js", "other")
        seen.add(self.digest())
        os.unlink(self.path("modules/deep/link"))
        seen.add(self.digest())
        os.symlink("y.js", self.path("modules/deep/link"))
        seen.add(self.digest())
        os.unlink(self.path("modules/y.js"))
        seen.add(self.digest())
        self.assertEqual(len(seen), 5)

    def test_it_is_kept_in_a_folder(self) -> None:
        self.assertEqual(supply_digest.load(self.top), "")
        supply_digest.save(self.top, "c0ffee")
        self.assertEqual(supply_digest.load(self.top), "c0ffee")


if __name__ == "__main__":
    unittest.main()
