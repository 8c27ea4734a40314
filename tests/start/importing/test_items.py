"""Items of a plan from elsewhere: cleaned, bounded, with unique keys."""

from __future__ import annotations

import unittest

from core.model.errors import UserError
from core.start.importing.items import (
    ITEMS_LIMIT,
    TEXT_LIMIT,
    Item,
    block,
    key_in,
    line,
    parsed,
    slug,
    source_of,
    text_in,
    texts_in,
)


class Texts(unittest.TestCase):
    def test_a_line_is_cleaned_and_cut(self) -> None:
        self.assertEqual(line(" a\x1b[31m\n  b\u202e "), "a b\ufffd")
        self.assertEqual(line("x" * 300), "x" * 199 + "…")
        self.assertEqual(line("a" * 10_000_000, 5), "aaaa…")

    def test_a_block_keeps_its_lines_and_tabs(self) -> None:
        self.assertEqual(block("\n\na\r\n\tb  \r\n\x00c\ud800\n"), "a\n\tb\n\ufffdc\ufffd")

    def test_a_slug_is_an_id(self) -> None:
        for text, expected in (
            ("Crée l'été: ÀÖ & ß!", "cree-lete-ao-ss"),
            ("../../etc/passwd", "etc-passwd"),
            ("日本", ""),
            ("a-" * 40, "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a"),
            ("x" * 60, "x" * 36),
            ("HEAD.lock", "head-lock"),
        ):
            self.assertEqual(slug(text), expected)

    def test_json_values_become_texts(self) -> None:
        self.assertEqual(text_in(["a", 2, ["b"], {}]), "- a\n- 2\n- - b")
        self.assertEqual([text_in(value) for value in (True, None, {}, 1.5)], ["", "", "", "1.5"])
        self.assertEqual(texts_in(["a\nb", "", None, 3]), ("a b", "3"))
        self.assertEqual(texts_in("one"), ("one",))
        self.assertEqual([key_in(value) for value in (7, "1.2", ["1"], None)], ["7", "1.2", "", ""])

    def test_json_that_is_nested_too_deeply_is_a_value_error(self) -> None:
        self.assertEqual(parsed("[1]"), [1])
        with self.assertRaisesRegex(ValueError, "nested too deeply"):
            parsed("[" * 200_000)


class Sources(unittest.TestCase):
    def test_keys_are_unique_and_nothing_depends_on_itself(self) -> None:
        items = [
            Item("a", "A", depends_on=("b", "b", "a", "x")),
            Item("b", "B"),
            Item("b", "B again"),
            Item("b", "B once more"),
            Item("", ""),
            Item("c", ""),
        ]
        found = source_of("kind", items, ["first"])
        keys = ["a", "b", "b (2)", "b (3)", "Item 5", "c"]
        self.assertEqual([item.key for item in found.items], keys)
        self.assertEqual([item.title for item in found.items[4:]], ["Item 5", "c"])
        self.assertEqual(found.items[0].depends_on, ("b", "x"))
        self.assertEqual((found.notes, found.is_partial), (("first",), False))

    def test_what_is_too_large_is_refused(self) -> None:
        many = [Item(str(n), "x") for n in range(ITEMS_LIMIT + 1)]
        self.assertEqual(len(source_of("kind", many[:-1]).items), ITEMS_LIMIT)
        links = tuple(str(n) for n in range(100))
        for items, why in (
            ([], "the kind file has no item"),
            (many, "more than 2,000 items"),
            ([Item("a", "A", "x" * (TEXT_LIMIT + 1))], "a is longer than"),
            ([Item(str(n), "x", depends_on=links) for n in range(501)], "50,000 dependencies"),
        ):
            with self.assertRaisesRegex(UserError, why):
                source_of("kind", items)
