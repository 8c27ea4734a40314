"""Parts of a line that vanish, and cells that align."""

from __future__ import annotations

import unittest

from core.reporter.style import Style
from core.views.layout import Part, fitted, padded, right

PARTS = (
    Part(("3/10 done", "3/10"), 1, "bold", is_kept=True),
    Part(("12m05s",), 3),
    Part((), 9),
    Part(("$1.20 of $10.00", "$1.20"), 2, "dim"),
    Part(("",), 8),
)


class Lines(unittest.TestCase):
    def test_parts_shrink_and_vanish_from_the_highest_rank_on(self) -> None:
        cases = {
            80: "3/10 done · 12m05s · $1.20 of $10.00",
            36: "3/10 done · 12m05s · $1.20 of $10.00",
            35: "3/10 done · $1.20 of $10.00",
            20: "3/10 done · $1.20",
            10: "3/10 done",
            5: "3/10",
            3: "3/…",
        }
        for width, line in cases.items():
            self.assertEqual(fitted(PARTS, width, Style()), line, width)
        self.assertEqual(fitted((), 10, Style()), "")

    def test_colours_take_no_room(self) -> None:
        self.assertEqual(
            fitted(PARTS, 17, Style(colour=True)), "\x1b[1m3/10 done\x1b[0m · \x1b[2m$1.20\x1b[0m"
        )

    def test_cells_align_by_columns_not_by_characters(self) -> None:
        self.assertEqual(padded("検索", 6), "検索  ")
        self.assertEqual(right("検索", 6), "  検索")
        self.assertEqual((padded("long", 2), right("long", 2)), ("long", "long"))
