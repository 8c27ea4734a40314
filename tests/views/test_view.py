from __future__ import annotations

import unittest

from core.model.errors import UserError
from core.model.events import Event
from core.model.state import Run, RunState
from core.reporter.documents import RunReport
from core.views.view import View, Views

EVENT = Event("note", 1.0, "r1")
REPORT = RunReport(RunState(), Run("r1", 1.0), "shop", (), (), ())


class Seen(View):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_event(self, state: RunState, event: Event) -> None:
        self.told.append(event.kind)

    def at_start(self) -> None:
        self.told.append("start")

    def on_append(self, event: Event) -> None:
        self.told.append(f"journal: {event.kind}")

    def on_tick(self) -> None:
        self.told.append("tick")

    def at_end(self, report: RunReport) -> None:
        self.told.append(report.project_name)

    def nothing_to_do(self, report: RunReport) -> None:
        self.told.append("nothing")

    def close(self) -> None:
        self.told.append("close")


class Broken(View):
    """Fails at the first event, or at the end."""

    def on_event(self, state: RunState, event: Event) -> None:
        raise KeyError("a mistake")

    def at_end(self, report: RunReport) -> None:
        raise UserError("out.xml can't be written", hint="free some space")


class ViewsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.seen = Seen()
        self.views = Views(
            [Broken(), self.seen], lambda message, hint: self.said.append((message, hint))
        )

    def test_each_view_is_told_everything(self) -> None:
        self.views.at_start()
        self.views.on_append(EVENT)
        self.views.on_event(RunState(), EVENT)
        self.views.on_tick()
        self.views.at_end(REPORT)
        self.views.nothing_to_do(REPORT)
        self.views.close()
        expected = ["start", "journal: note", "note", "tick", "shop", "nothing", "close"]
        self.assertEqual(self.seen.told, expected)

    def test_a_view_that_breaks_says_so_once_and_is_dropped(self) -> None:
        for _ in range(2):
            self.views.on_event(RunState(), EVENT)
        self.views.at_end(REPORT)
        self.assertEqual(self.said, [("Broken is off: KeyError: 'a mistake'", "")])
        self.assertFalse(self.views.has_failed)

    def test_a_view_that_could_not_do_what_was_asked_for_says_so(self) -> None:
        self.views.at_end(REPORT)
        self.assertEqual(self.said, [("out.xml can't be written", "free some space")])
        self.assertTrue(self.views.has_failed)

    def test_a_view_does_nothing_by_itself(self) -> None:
        views = Views([View()], lambda message, hint: self.said.append((message, hint)))
        views.at_start()
        views.on_append(EVENT)
        views.on_event(RunState(), EVENT)
        views.on_tick()
        views.at_end(REPORT)
        views.nothing_to_do(REPORT)
        views.close()
        self.assertEqual(self.said, [])


if __name__ == "__main__":
    unittest.main()
