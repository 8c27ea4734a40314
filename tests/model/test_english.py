"""Numbers as they are recorded, whatever the language of the user."""

from __future__ import annotations

import unittest

from core.model import english
from tests.support.french import French


class Recorded(unittest.TestCase):
    def test_they_stay_english(self) -> None:
        with French():
            said = [english.duration(seconds) for seconds in (0.84, 45.0, 150.0, 3900.0)]
            self.assertEqual(said, ["0.8s", "45s", "2m30s", "1h05m"])
            self.assertEqual(english.counted(1, "wave"), "1 wave")
            self.assertEqual(english.counted(2, "wave"), "2 waves")


if __name__ == "__main__":
    unittest.main()
