"""Frozen values and words behave as those of ``dataclasses`` and ``enum``, as far as used."""

from __future__ import annotations

import copy
import dataclasses
import enum
import pickle
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


class Word(frozen.Enum):
    """A kind of words."""

    FIRST = "first"
    """A text between the members is none."""
    NONE = ""

    @property
    def is_first(self) -> bool:
        return self is Word.FIRST


class TheirWord(enum.Enum):
    FIRST = "first"
    NONE = ""


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


class Words(unittest.TestCase):
    def test_members_are_listed_and_found_by_their_values(self) -> None:
        self.assertEqual(
            [(each.name, each.value) for each in Word],
            [(each.name, each.value) for each in TheirWord],
        )
        self.assertIs(Word(""), Word.NONE)
        self.assertIs(Word("first"), Word.FIRST)
        self.assertTrue(Word.FIRST.is_first)
        self.assertFalse(Word.NONE.is_first)
        self.assertEqual(len({Word.FIRST, Word.NONE, Word("first")}), 2)
        self.assertNotEqual(Word.FIRST, TheirWord.FIRST)
        self.assertEqual(repr(Word.FIRST), "Word.FIRST")

    def test_another_value_is_refused_in_the_same_words(self) -> None:
        for value in ("third", None, 3, ["first"], {}):
            with self.subTest(value):
                with self.assertRaises(ValueError) as ours:
                    Word(value)
                with self.assertRaises(ValueError) as theirs:
                    TheirWord(value)
                said = str(ours.exception).replace("Word", "TheirWord")
                self.assertEqual(said, str(theirs.exception))

    def test_a_member_is_frozen(self) -> None:
        with self.assertRaises(AttributeError):
            Word.FIRST.value = "other"  # type: ignore[misc]
        with self.assertRaises(AttributeError):
            del Word.FIRST.value

    def test_a_copy_is_the_member_itself(self) -> None:
        for word in Word:
            self.assertIs(pickle.loads(pickle.dumps(word)), word)
            self.assertIs(copy.deepcopy(word), word)


if __name__ == "__main__":
    unittest.main()
