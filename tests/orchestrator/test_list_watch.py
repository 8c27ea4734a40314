"""When a run looks at the files of its list, and what it tells."""

from __future__ import annotations

import os
import tempfile
import unittest
from types import SimpleNamespace
from typing import Any

from core.dag.list_change import ListChange
from core.dag.widening import Widening
from core.model.errors import UserError
from core.model.feature import Invocation, Purpose
from core.orchestrator.list_watch import ListWatch
from tests.support.stage import DIAMOND, Stage

JOINS = ListChange(joins=("docs",))
WIDER = ListChange(widenings=(Widening("a", "a: a command", Invocation(Purpose.SETUP, (), ())),))


class ListWatchTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        found = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(found.cleanup)
        self.path = os.path.join(found.name, "list.json")
        self.write("old", at=1_000)
        self.made = Stage(DIAMOND)
        self.addCleanup(self.made.close)
        self.orchestrator = self.made.orchestrator
        config = SimpleNamespace(path=self.path, files=(), workspace=found.name)
        self.change: ListChange | UserError = JOINS
        self.taken: list[ListChange] = []
        self.reads = 0
        self.time = self.now = 10_000.0
        self.while_reading = lambda: None
        reloading: Any = SimpleNamespace(
            orchestrator=self.orchestrator,
            now=SimpleNamespace(project=SimpleNamespace(config=config)),
            changed=self.changed,
            take_up=lambda found, automatic: self.taken.append(found.change),
        )
        self.watch = ListWatch(reloading, monotonic=lambda: self.time, clock=lambda: self.now)

    def changed(self) -> Any:
        self.reads += 1
        self.while_reading()
        if isinstance(self.change, UserError):
            raise self.change
        return SimpleNamespace(change=self.change)

    def write(self, content: str, *, at: float) -> None:
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(content)
        os.utime(self.path, (at, at))

    def look(self) -> None:
        self.time += 5.0
        self.watch.look()

    def told(self) -> list[str]:
        return [str(event.data["text"]) for event in self.made.heard]

    def test_an_unchanged_list_is_not_read(self) -> None:
        self.look()
        self.assertEqual(self.reads, 0)

    def test_a_changed_list_is_taken_up_once(self) -> None:
        self.write("new list", at=2_000)
        self.look()
        self.look()
        self.assertEqual((self.reads, self.taken), (1, [JOINS]))
        self.change = ListChange()
        self.write("the same but longer", at=3_000)
        self.look()
        self.assertEqual((self.reads, self.taken, self.told()), (2, [JOINS], []))

    def test_it_looks_only_now_and_then_and_while_a_slot_is_free(self) -> None:
        self.look()
        self.write("new list", at=2_000)
        self.watch.look()
        self.assertEqual(self.reads, 0)
        self.orchestrator.slots.pause(True)
        self.look()
        self.assertEqual(self.reads, 0)
        self.watch.at_free_slot()
        self.assertEqual(self.reads, 1)

    def test_nothing_is_read_for_a_run_that_starts_nothing_more(self) -> None:
        self.write("new list", at=2_000)
        self.orchestrator.is_over = True
        self.look()
        self.orchestrator.is_over = False
        self.orchestrator.slots.close("budget")
        self.look()
        self.assertEqual(self.reads, 0)

    def test_a_file_that_is_being_written_is_left_alone_and_one_of_the_future_is_not(self) -> None:
        self.write("half", at=self.now - 0.5)
        self.look()
        self.assertEqual(self.reads, 0)
        self.write("half", at=self.now + 500)
        self.look()
        self.assertEqual(self.reads, 1)

    def test_what_changed_while_it_was_read_is_read_again(self) -> None:
        self.write("new list", at=2_000)
        self.while_reading = lambda: self.write("newer list", at=3_000)
        self.look()
        self.assertEqual(self.taken, [])
        self.while_reading = lambda: None
        self.look()
        self.assertEqual((self.reads, self.taken), (2, [JOINS]))

    def test_a_refusal_is_told_once(self) -> None:
        self.change = UserError("2 faults", details=("one", "two"))
        for content in ("new list", "another list"):
            self.write(content, at=2_000)
            self.look()
        expected = "the changed list is not taken up: 2 faults; one; two. To see all of it: "
        self.assertEqual(self.told(), [f"{expected}rorchestrator reload"])
        self.change = WIDER
        self.write("a list with a command", at=2_000)
        self.look()
        self.assertIn("it needs your consent: a: a command.", self.told()[-1])
        self.assertEqual(self.taken, [])

    def test_a_list_that_is_gone_is_a_change(self) -> None:
        os.unlink(self.path)
        self.change = UserError("it does not exist")
        self.look()
        self.look()
        self.assertEqual((self.reads, len(self.told())), (1, 1))
