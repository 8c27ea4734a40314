"""The marks of statuses: told apart without colours."""

from __future__ import annotations

import unittest

from core.model.outcome import Status
from core.views.status_marks import ACTIVE, mark, mark_of, symbols
from tests.support.html_pages import page_of


class Marks(unittest.TestCase):
    def test_each_status_has_a_shape_of_its_own(self) -> None:
        over = [status for status in Status if not status.active]
        self.assertEqual(len({mark_of(status).drawing for status in over}), len(over))
        self.assertIs(mark_of(Status.RUNNING), ACTIVE)

    def test_every_mark_has_a_symbol_and_a_word(self) -> None:
        ids = set(page_of(symbols()).ids)
        for status in Status:
            page = page_of(mark(status))
            self.assertIn(page.all("use")[0]["href"][1:], ids)
            self.assertEqual(page.all("svg")[0]["aria-label"], status.words)
        self.assertIn('x="3" y="4"', mark(Status.FAILED, 'x="3" y="4"'))
