"""What outsiders write is text in Markdown, wherever it stands."""

from __future__ import annotations

import unittest

from core.reporter.markdown_text import code, escaped, fenced


class Outsiders(unittest.TestCase):
    def test_a_name_formats_nothing_and_mentions_nobody(self) -> None:
        for given, expected in (
            ("plain - words", "plain - words"),
            ("$x$", "\\$x\\$"),
            ("a|b", "a\\|b"),
            ("*b* _i_ `c`", "\\*b\\* \\_i\\_ \\`c\\`"),
            ("<img onerror=x>", "&lt;img onerror=x&gt;"),
            ("@all #12", "@<!-- -->all #<!-- -->12"),
            ("http://a.example", "http:<!-- -->//a.example"),
            ("![x](y)", "\\!\\[x\\]\\(y\\)"),
            ("two\nlines\x1b[31m", "two lines"),
        ):
            with self.subTest(given):
                self.assertEqual(escaped(given), expected)

    def test_code_holds_every_text(self) -> None:
        self.assertEqual(code("feature/a"), "`feature/a`")
        self.assertEqual(code("a|`b`<c>"), "<code>a&#124;&#96;b&#96;&#60;c&#62;</code>")
        self.assertEqual(code(" \n"), "")

    def test_a_block_of_code_is_not_ended_by_its_text(self) -> None:
        self.assertEqual(list(fenced("a\n````\nb")), ["`````", "a", "````", "b", "`````"])
        self.assertEqual(list(fenced("")), ["```", "", "```"])
