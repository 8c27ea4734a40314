"""What a retry that goes on asks for."""

from __future__ import annotations

import unittest

from core.model.again import Again
from core.model.state_json import decoded, encoded


class AgainTest(unittest.TestCase):
    def test_it_is_part_of_a_checkpoint(self) -> None:
        for again in (Again(), Again(3)):
            self.assertEqual(decoded(encoded(again)), again)


if __name__ == "__main__":
    unittest.main()
