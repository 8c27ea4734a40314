"""Dependencies without cycles and without items that are left out."""

from __future__ import annotations

import unittest

from core.start.importing.order import among, without_cycles


class Order(unittest.TestCase):
    def test_a_dependency_that_closes_a_cycle_is_cut(self) -> None:
        for links, cut in (
            ({"a": ["b"], "b": ["c"], "c": []}, []),
            ({"a": ["b"], "b": ["c"], "c": ["a"]}, [("c", "a")]),
            ({"a": ["a"]}, [("a", "a")]),
            ({"a": ["b", "c"], "b": ["c"], "c": ["b", "a"]}, [("c", "b"), ("c", "a")]),
            ({"a": [], "b": ["a"], "c": ["b", "a"]}, []),
        ):
            with self.subTest(links):
                kept, found = without_cycles(links)
                self.assertEqual(found, cut)
                total = sum(map(len, links.values()))
                self.assertEqual(sum(map(len, kept.values())), total - len(cut))
                self.assertEqual(without_cycles(kept)[1], [])
                order = list(kept)
                for key, needed in kept.items():
                    self.assertTrue(all(order.index(n) < order.index(key) for n in needed))

    def test_a_long_chain_is_no_problem(self) -> None:
        links = {str(n): [str(n + 1)] for n in range(5000)}
        self.assertEqual(without_cycles({**links, "5000": ["0"]})[1], [("5000", "0")])

    def test_an_item_that_is_left_out_hands_on_its_dependencies(self) -> None:
        links = {"a": (), "b": ("a",), "c": ("b", "a"), "d": ("c", "b")}
        self.assertEqual(among(links, {"a", "d"}), {"a": [], "d": ["a"]})
        self.assertEqual(among(links, {"b", "d"}), {"b": [], "d": ["b"]})
