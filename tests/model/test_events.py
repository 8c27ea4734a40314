"""Events: each kind has a constructor, and a time that JSON can hold."""

from __future__ import annotations

import ast
import os
import unittest
from collections.abc import Iterator

from core.model import events, events_reload, events_review, fold
from core.reporter import run_text
from tests.support.every_event import AT, EVERY
from tests.support.once import once
from tests.support.paths import ROOT

RESOLUTIONS = {"resolution_started", "resolution_ended"}


def constructed() -> set[str]:
    """The kinds that have a constructor."""
    calls: list[ast.Call] = []
    for module in (events, events_reload, events_review):
        with open(str(module.__file__), encoding="utf-8") as file:
            nodes = ast.walk(ast.parse(file.read()))
        calls += [node for node in nodes if isinstance(node, ast.Call)]
    made = [call.args[0] for call in calls if ast.unparse(call.func) in ("Event", "_of_list")]
    return {kind.value for kind in made if isinstance(kind, ast.Constant)} | RESOLUTIONS


def compared(source: str) -> Iterator[str]:
    """The kinds that a module compares the kind of an event with."""
    if "event.kind" not in source:
        return  # most modules, and to parse them takes time
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and ast.unparse(node.left) == "event.kind":
            for literal in ast.walk(node.comparators[0]):
                if isinstance(literal, ast.Constant):
                    yield literal.value


@once
class Kinds(unittest.TestCase):
    def test_every_kind_that_is_compared_with_or_folded_has_a_constructor(self) -> None:
        found = {*fold._FEATURE_CHANGES, *run_text.STEPS_BETWEEN}
        for folder, _, names in os.walk(os.path.join(ROOT, "core")):
            for name in (name for name in names if name.endswith(".py")):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found.update(compared(file.read()))
        self.assertEqual(found - constructed(), set())
        self.assertLess({"steered", "run_ended", "checked"}, found)

    def test_the_tests_know_an_event_of_every_kind(self) -> None:
        self.assertEqual(set(EVERY), constructed())

    def test_an_attempt_of_a_resolution_is_a_kind_of_its_own(self) -> None:
        found = events.of_resolution(EVERY["attempt_ended"])
        self.assertEqual(
            (found.kind, found.data), ("resolution_ended", EVERY["attempt_ended"].data)
        )

    def test_a_time_is_iso_8601_in_utc_with_milliseconds(self) -> None:
        self.assertEqual(events.timestamp(AT), "2023-11-14T22:13:20.125+00:00")


if __name__ == "__main__":
    unittest.main()
