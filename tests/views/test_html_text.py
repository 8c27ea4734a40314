"""Text from outside in HTML: escaped, cleaned, and never the end of anything."""

from __future__ import annotations

import json
import unittest

from core.views import html_text
from tests.support.html_pages import page_of

HOSTILE = "</script><script>alert(1)</script><!-- \"'&\u2028 \x1b[31m"


class Text(unittest.TestCase):
    def test_a_text_is_escaped_and_on_one_line(self) -> None:
        self.assertEqual(html_text.text("a <b>\n&\t\"'"), "a &lt;b&gt; &amp; &quot;&#x27;")
        self.assertEqual(html_text.text("red\x1b[31m\u202e"), "red\ufffd")

    def test_lines_stay_lines(self) -> None:
        self.assertEqual(html_text.lines("a\n  <b>"), "a\n  &lt;b&gt;")

    def test_an_address_leads_to_its_id(self) -> None:
        for id in ("auth", "a.b_c", "é", 'a"b', "100%"):
            page = page_of(f'<a href="{html_text.address(id)}">x</a>')
            [link] = page.all("a")
            self.assertTrue(link["href"].startswith("#") and '"' not in link["href"])
        self.assertEqual(html_text.address("é/%"), "#%C3%A9%2F%25")

    def test_data_does_not_end_its_script(self) -> None:
        said = html_text.data({"name": HOSTILE})
        self.assertNotIn("<", said)
        self.assertEqual(json.loads(said), {"name": HOSTILE})
