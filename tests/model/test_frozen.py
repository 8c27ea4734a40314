"""Frozen values behave as those of ``dataclasses``, in all that the program uses."""

from __future__ import annotations

import dataclasses
import unittest
from collections.abc import Mapping

from core.model import frozen


@frozen.dataclass(frozen=True)
class Ours:
    name: str
    count: int = 3
    """A text between the fields is none."""
    extra: Mapping[str, int] = frozen.field(default_factory=dict)

    @property
    def double(self) -> int:
        return 2 * self.count


@dataclasses.dataclass(frozen=True)
class Theirs:
    name: str
    count: int = 3
    extra: Mapping[str, int] = dataclasses.field(default_factory=dict)


@frozen.dataclass(frozen=True)
class Pair:
    one: int
    two: int


@frozen.dataclass(frozen=True)
class OtherPair:
    one: int
    two: int


class FrozenValues(unittest.TestCase):
    def test_positions_names_and_defaults_fill_the_fields(self) -> None:
        cases: list[tuple[tuple[object, ...], dict[str, object]]] = [
            (("a",), {}),
            (("a", 5), {}),
            (("a", 5, {"x": 1}), {}),
            ((), {"name": "a", "extra": {"x": 1}}),
            (("a",), {"count": 0}),
        ]
        for values, named in cases:
            with self.subTest(values=values, named=named):
                ours = Ours(*values, **named)  # type: ignore[arg-type]
                theirs = Theirs(*values, **named)  # type: ignore[arg-type]
                self.assertEqual(vars(ours), vars(theirs))
                self.assertEqual(repr(ours), repr(theirs).replace("Theirs", "Ours"))
        self.assertEqual(Ours("a", 4).double, 8)

    def test_a_default_factory_shares_no_value(self) -> None:
        self.assertIsNot(Ours("a").extra, Ours("a").extra)

    def test_missing_unknown_and_further_values_are_refused(self) -> None:
        cases: list[tuple[tuple[object, ...], dict[str, object]]] = [
            ((), {}),
            (("a", 1, {}, 4), {}),
            (("a",), {"colour": "red"}),
        ]
        for values, named in cases:
            with self.subTest(values=values, named=named), self.assertRaises(TypeError) as caught:
                Ours(*values, **named)  # type: ignore[arg-type]
            self.assertEqual(str(caught.exception), "Ours takes name, count, extra")

    def test_a_value_never_changes(self) -> None:
        value = Ours("a")
        with self.assertRaises(AttributeError):
            value.count = 4  # type: ignore[misc]
        with self.assertRaises(AttributeError):
            del value.count
        with self.assertRaises(AttributeError):
            value.other = 4  # type: ignore[attr-defined]
        self.assertEqual(value, Ours("a"))

    def test_equal_are_values_of_one_class_with_equal_fields(self) -> None:
        self.assertEqual(Pair(1, 2), Pair(one=1, two=2))
        self.assertNotEqual(Pair(1, 2), Pair(2, 1))
        self.assertNotEqual(Pair(1, 2), OtherPair(1, 2))
        self.assertNotEqual(Pair(1, 2), (1, 2))
        self.assertEqual(len({Pair(1, 2), Pair(1, 2), Pair(2, 1)}), 2)

    def test_a_copy_differs_in_what_was_asked_for(self) -> None:
        value = Ours("a", 5)
        self.assertEqual(frozen.replace(value, name="b"), Ours("b", 5))
        self.assertEqual(value, Ours("a", 5))
        with self.assertRaises(TypeError):
            frozen.replace(value, colour="red")  # type: ignore[call-arg]


if __name__ == "__main__":
    unittest.main()
