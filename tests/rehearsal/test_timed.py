"""What a rehearsal overrides, and the rows of its times."""

from __future__ import annotations

import inspect
import unittest
from collections.abc import Iterator

from core.rehearsal import rehearsed_checks, timed
from core.rehearsal.timed import row_of


def _overriding() -> Iterator[type]:
    """The classes of the rehearsal that derive from a class of another room."""
    for module in (timed, rehearsed_checks):
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ == module.__name__ and cls.__base__ is not object:
                yield cls


def idle(cls: type) -> list[str]:
    """The methods of a class that override nothing public."""
    return [
        name
        for name, member in vars(cls).items()
        if inspect.isfunction(member)
        and name != "__init__"
        and (name.startswith("_") or not any(name in vars(base) for base in cls.__mro__[1:]))
    ]


HELPERS = {"RehearsedChecks": ["_interruption", "_unless_noted"]}
"""Methods that are no overrides, and that the base class must not have."""


class Overrides(unittest.TestCase):
    """A renamed method of a run must not leave a rehearsal that silently measures nothing."""

    def test_each_one_overrides_a_public_method(self) -> None:
        found = list(_overriding())
        self.assertEqual(len(found), 6)
        for cls in found:
            with self.subTest(cls.__name__):
                self.assertEqual(idle(cls), HELPERS.get(cls.__name__, []))
                for helper in idle(cls):
                    self.assertFalse(hasattr(cls.__base__, helper))

    def test_an_override_without_a_base_method_is_found(self) -> None:
        class Base:
            def run(self) -> None: ...

            def _add(self) -> None: ...

        class Derived(Base):
            def run(self) -> None: ...

            def _add(self) -> None: ...

            def ran(self) -> None: ...

        self.assertEqual(idle(Derived), ["_add", "ran"])


class Rows(unittest.TestCase):
    def test_the_time_of_a_scratch_worktree_is_that_of_whom_it_is_for(self) -> None:
        names = (
            "a",
            "_base",
            "_base~scratch",
            "~merge~k01abcdef~scratch",
            "_clean_a~scratch",
            "_clean_a",
        )
        rows = ["a", "the base", "the base", "the merge", "a", "a"]
        self.assertEqual(list(map(row_of, names)), rows)


if __name__ == "__main__":
    unittest.main()
