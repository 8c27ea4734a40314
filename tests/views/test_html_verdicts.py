"""The verdict table of the page."""

from __future__ import annotations

import unittest

from core.model.frozen import replace
from core.views.html_feature import feature_section
from core.views.html_verdicts import verdict_section
from tests.support.html_pages import page_of
from tests.support.run_views import STORY, VERDICTS, judged, view_of


class Verdicts(unittest.TestCase):
    def test_a_feature_shows_what_its_checks_prove(self) -> None:
        view = view_of([*STORY, *judged("auth", *VERDICTS)])
        pages = {each.id: page_of(feature_section(each)) for each in view.features}
        self.assertIn("What the checks prove verdict check at the start now", pages["auth"].text)
        self.assertIn("broken make z (project) passed ended with exit 1", pages["auth"].text)
        self.assertIn(
            "prove nothing: they pass without the change, too. test_a.py", pages["auth"].text
        )
        self.assertNotIn("What the checks prove", pages["docs"].text)

    def test_a_verdict_has_a_colour_and_says_what_it_means(self) -> None:
        cells = page_of(verdict_section(VERDICTS)).all("span")
        self.assertEqual([cell["class"] for cell in cells], ["bad", "warn", "warn", "good"])
        self.assertEqual(cells[1]["title"], "failed, then passed on the same tree")

    def test_hostile_names_are_text(self) -> None:
        hostile = "<img onerror=x>\"'|`"
        made = replace(VERDICTS[2], check=hostile, after=hostile, proves_nothing=(hostile,))
        page = page_of(verdict_section([made]))
        self.assertEqual(page.all("img"), [])
        self.assertEqual(page.text.count(hostile), 3)


if __name__ == "__main__":
    unittest.main()
