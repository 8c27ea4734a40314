"""The recorder: journal first, then the state, then the listeners."""

from __future__ import annotations

import tempfile
import unittest

from core.journal.journal import Journal
from core.journal.recorder import Recorder
from core.model import events
from core.model.errors import StateError
from core.model.events import Event
from core.model.state import RunState


class Recording(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(folder.cleanup)
        self.journal = Journal(folder.name)
        self.heard: list[tuple[str, Event]] = []
        self.recorder = Recorder(self.journal, RunState(), [self._hear])
        self.event = events.merge_started(1.0, "m1", into="main")

    def _hear(self, state: RunState, event: Event) -> None:
        self.heard.append((state.merge, event))

    def test_listeners_get_the_state_with_the_event_in_it(self) -> None:
        self.journal.open()
        self.addCleanup(self.journal.close)
        self.recorder.emit(self.event)
        self.assertEqual(self.heard, [("m1", self.event)])
        self.assertEqual(list(self.journal.read()), [self.event])
        self.assertEqual(self.recorder.state.merge, "m1")

    def test_an_event_that_cannot_be_recorded_reaches_no_listener(self) -> None:
        with self.assertRaises(StateError):
            self.recorder.emit(self.event)
        self.assertEqual((self.heard, self.recorder.state.merge), ([], ""))


if __name__ == "__main__":
    unittest.main()
