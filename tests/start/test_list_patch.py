"""Patches of lists: git applies them, whatever the bytes."""

from __future__ import annotations

import os
import random

from core.start.list_patch import patch
from tests.support.git import GitTest
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

NUMBERS = b"".join(b"line %d\n" % number for number in range(40))


class PatchTest(GitTest):
    def assert_applies(self, name: str, old: bytes, new: bytes) -> bytes:
        """git applies the patch, and the result is the new content."""
        path = os.path.join(self.repository.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(old)
        made = patch(name, old, new)
        with open(self.repository.path + ".patch", "wb") as file:
            file.write(made)
        self.repository.git("apply", self.repository.path + ".patch")
        with open(path, "rb") as file:
            self.assertEqual(file.read(), new)
        return made

    def test_git_applies_a_patch_of_any_lines(self) -> None:
        for old, new in (
            (NUMBERS, NUMBERS.replace(b"line 5\n", b"five\nmore\n").replace(b"line 30", b"30")),
            (b"one\r\ntwo\r\n", b"one\r\n2\r\n"),
            (b"\xef\xbb\xbf[\n]\n", b"\xef\xbb\xbf[\n1\n]\n"),
            (b"{\n}", b"{1\n}"),
            (b"{\n}", b"{\n1}"),
            (b"x", b"x\n"),
            (b"a\rb\fc\n\xff\xfe\n", b"a\rb\fc\n\xff\n"),
            (b"gone\n", b"\n"),
        ):
            with self.subTest(old=old):
                self.assert_applies("config/feature_list.json", old, new)

    def test_names_are_quoted_as_git_quotes_them(self) -> None:
        for name in ("a b/c d.json", 'q"\\.json', "é\t.json", os.fsdecode(b"\xff.json")):
            with self.subTest(name=name):
                self.assert_applies(name, b"1\n", b"2\n")
        self.assertIn(rb'"a/\303\251\011.json"', patch("é\t.json", b"1\n", b"2\n"))

    def test_a_patch_shows_only_what_is_around_a_change(self) -> None:
        self.assertEqual(patch("x", b"1\n", b"1\n"), b"")
        made = patch("x", NUMBERS, NUMBERS.replace(b"line 20\n", b"twenty\n"))
        self.assertEqual(made.count(b"\n"), 3 + 1 + 2 * 3 + 2)
        self.assertIn(b"@@ -18,7 +18,7 @@\n", made)

    def test_patches_of_random_changes_apply(self) -> None:
        chance = random.Random(3)
        for _ in range(5):
            old = [b"line %d\n" % chance.randrange(4) for _ in range(60)]
            new = [line for line in old if chance.random() < 0.8]
            new.insert(chance.randrange(len(new)), b"new\n")
            self.assert_applies("list.json", b"".join(old), b"".join(new))
