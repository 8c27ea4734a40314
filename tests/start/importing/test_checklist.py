"""A Markdown checklist."""

from __future__ import annotations

import time
import unittest

from core.model.errors import UserError
from core.start.importing.checklist import read as read_checklist
from core.start.importing.items import Item, Source


def read(text: str) -> Source:
    found = read_checklist(text)
    assert found
    return found


class Checklist(unittest.TestCase):
    def test_each_box_is_an_item_with_its_steps(self) -> None:
        text = "# Shop\n\n- [ ] **Cart**: fill it\n  - [x] add\n  - [ ] remove\n- [x] Sign in\n"
        cart, sign_in = read(text).items
        body = "- [x] add\n- [ ] remove\n\nThis is part of “Shop”."
        self.assertEqual(cart, Item("Cart: fill it", "Cart: fill it", body))
        self.assertTrue(sign_in.is_done)

    def test_it_may_name_dependencies(self) -> None:
        text = (
            "1. [ ] A1 Sign in\n2. [ ] 2.1 API (depends on: a1)\n"
            "3. [ ] Cart (after “2.1” and sign-in; Cart)\n   Blocked by `the moon`.\n"
            "4. [ ] Sign in\n   - [ ] depends on Cart\n"
        )
        found = read(text)
        self.assertEqual(found.items[1].depends_on, ("A1 Sign in",))
        self.assertEqual(found.items[1].title, "2.1 API")
        self.assertEqual(found.items[2].depends_on, ("2.1 API", "Sign in", "the moon"))
        self.assertEqual(found.items[3].depends_on, ())

    def test_without_dependencies_a_note_says_so(self) -> None:
        self.assertEqual(read("- [ ] a\n").notes, ())
        self.assertIn("names no dependencies", read("- [ ] a\n- [ ] b\n").notes[0])

    def test_items_of_the_same_name_are_kept_apart(self) -> None:
        self.assertEqual([item.key for item in read("- [ ] a\n- [ ] a\n").items], ["a", "a (2)"])

    def test_hostile_lists_are_read_in_no_time(self) -> None:
        began = time.process_time()
        read(f"- [ ] x{' ' * 50_000}y\n")
        with self.assertRaises(UserError):
            read("- [ ] t (depends on T1)\n" * 3_000)
        self.assertLess(time.process_time() - began, 5)

    def test_a_text_without_boxes_is_no_checklist(self) -> None:
        self.assertIsNone(read_checklist("# A\n- b\n"))
