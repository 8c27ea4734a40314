"""Regular expressions that are compiled when they are used first."""

from __future__ import annotations

import re
import unittest
from unittest import mock

from core.model.patterns import pattern


class Patterns(unittest.TestCase):
    def test_it_matches_as_a_compiled_one(self) -> None:
        ours, theirs = pattern(r"(\w+)-\d+", re.IGNORECASE), re.compile(r"(\w+)-\d+", re.IGNORECASE)
        for text in ("a-1 b-2", "", "-"):
            self.assertEqual(ours.findall(text), theirs.findall(text))
            self.assertEqual(ours.sub(r"\1", text), theirs.sub(r"\1", text))
        self.assertEqual((ours.pattern, ours.flags), (theirs.pattern, theirs.flags))

    def test_it_is_compiled_once_and_not_before_it_is_used(self) -> None:
        with mock.patch.object(re, "compile", wraps=re.compile) as compiled:
            ours = pattern("x+")
            compiled.assert_not_called()
            self.assertEqual([bool(ours.match(text)) for text in ("x", "y")], [True, False])
            self.assertEqual(compiled.call_count, 1)


if __name__ == "__main__":
    unittest.main()
