"""What the page shows: parts that change with the journal, each only when it changed."""

from __future__ import annotations

import os
import unittest
from unittest import mock

from core.model import events
from core.model.control_action import ControlAction
from core.model.events import Event
from core.model.events_reload import Reloaded, reloaded
from core.model.frozen import replace
from core.model.outcome import FeatureOutcome, Status
from core.views.run_view import Extras
from core.views.web import board as board_module
from core.views.web.board import CLOCK_SECONDS, SHORTEST_SECONDS
from tests.support.boards import BoardTest, running, told
from tests.support.run_views import COMPLETED, LATE, RUN, STORY, begun, checked, steered
from tests.support.story import AT


class PartsTest(BoardTest):
    def news(self, now: float = float("inf")) -> dict[str, str]:
        """The parts that changed, by name; the arrangement among them."""
        self.board.refresh(now)
        found = {}
        for kind, data in told(self.board.news()):
            found["-arrangement" if kind == "arrange" else data["id"]] = str(data)
        return found

    def test_before_the_first_run_the_list_is_shown(self) -> None:
        news = self.news()
        self.assertIn("Nothing has run yet", news["-bar"])
        self.assertIn("rorchestrator run --config x.json", news["-bar"])
        self.assertNotIn("data-action", news["-bar"])
        self.assertEqual(self.board.title, "Shop")
        self.assertIn("Sign-in", news["auth"])
        self.assertIn("svg", news["-graph"])
        self.assertIn("3 features to run", news["-head"])
        for name in ("-timeline", "-costs", "-notes"):
            self.assertNotIn("<section", news[name])
        self.assertEqual((self.asked_for, self.board.active), ([], []))

    def test_only_what_changed_is_news(self) -> None:
        self.write(begun(["auth", "api", "app"]), *running("auth"))
        self.runs()
        self.assertIn("In progress: 1 running", self.news()["-bar"])
        self.assertEqual(self.news(), {})
        self.write(events.ended(AT + 5, RUN, "auth", COMPLETED))
        news = self.news()
        self.assertIn("auth", news)
        self.assertEqual(news.keys() & {"api", "app", "-notes"}, set())
        self.assertIn("1 of 3", news["-head"])
        self.assertEqual(self.board.title, "Shop: 1 of 3 features completed")

    def test_the_arrangement_comes_before_the_parts_that_it_makes_room_for(self) -> None:
        self.write(*STORY)
        self.board.refresh(0.0)
        kinds = [kind for kind, _ in told(self.board.news())]
        self.assertEqual((kinds[0], set(kinds[1:])), ("arrange", {"part"}))

    def test_features_are_listed_by_how_they_are(self) -> None:
        failed = FeatureOutcome(Status.FAILED, "no")
        self.write(begun(["auth", "api", "app"]), *running("auth"), *running("api"))
        self.write(events.ended(AT + 1, RUN, "api", failed))
        self.runs()
        self.board.refresh(0.0)
        lists = dict(told(self.board.news()))["arrange"]
        self.assertEqual(
            [lists[name] for name in ("-active", "-failures", "-others")],
            [["auth"], ["api"], ["app"]],
        )
        self.assertEqual([known.id for known in self.board.active], ["auth"])

    def test_features_join_and_leave_where_the_run_takes_up_a_changed_list(self) -> None:
        self.write(begun(["auth", "api"]), *running("auth"))
        self.runs()
        self.assertIn("api", self.news(100))
        made = Reloaded(("auth", "docs"), joined=("docs",), gone=("api",))
        self.write(reloaded(AT + 2, RUN, made, text="", automatic=False))
        news = self.news(100)
        self.assertIn("docs", news)
        self.assertIn("['docs']", news["-arrangement"])
        self.assertNotIn("'api'", news["-arrangement"])

    def test_it_is_rendered_now_and_then_only(self) -> None:
        self.write(begun(["auth"]), *running("auth"))
        self.runs()
        self.news(100)
        self.write(steered(AT, ControlAction.PAUSE))
        self.assertEqual(self.news(100 + SHORTEST_SECONDS / 2), {})
        self.assertIn("Paused", self.news(200)["-bar"])

    def test_the_clock_of_a_current_run_goes_on_and_that_of_others_does_not(self) -> None:
        self.write(begun(["auth"]), *running("auth"))
        self.runs()
        self.news(100)
        self.now += 30
        self.assertEqual(self.news(100 + CLOCK_SECONDS / 2), {})
        self.assertIn("-head", self.news(200))
        self.write(events.ended(AT + 5, RUN, "auth", COMPLETED))
        self.write(events.run_ended(AT + 5, RUN, exit_code=0))
        self.assertIn("The run is over", self.news(300)["-bar"])
        self.now += 30
        self.assertEqual(self.news(400), {})

    def test_a_usage_limit_and_a_pause_are_said(self) -> None:
        self.write(begun(["auth"]), events.paused(AT, RUN, until=AT + 3600))
        self.runs()
        self.assertIn("usage limit", self.news()["-bar"])
        self.write(steered(AT, ControlAction.PAUSE))
        bar = self.news()["-bar"]
        self.assertIn("Paused", bar)
        self.assertIn("resume", bar)

    def test_a_killed_run_is_shown_as_it_was(self) -> None:
        self.write(begun(["auth"]), *running("auth"))
        first = self.news()
        self.assertIn("was killed", first["-bar"])
        self.assertNotIn("data-action", first["-bar"] + first["auth"])
        self.now += 1000
        self.assertEqual(self.news(), {})
        self.runs(pid=2)  # Another one, which has not begun.
        self.assertEqual(self.news(), {})

    def test_the_next_run_takes_the_place_of_the_last_one(self) -> None:
        self.write(*STORY)
        self.news()
        self.assertEqual(self.reads, 2)
        later = replace(begun(["api"]), run="r2")
        self.write(later, *[replace(event, run="r2") for event in running("api")])
        self.runs()
        news = self.news()
        self.assertIn("r2", news["-head"])
        self.assertEqual(self.reads, 3)
        self.assertIsNone(self.board.feature("docs"))
        self.assertIsNotNone(self.board.feature("api"))

    def test_a_deleted_journal_begins_anew(self) -> None:
        self.write(*STORY)
        self.news()
        os.unlink(self.journal.path)
        self.assertIn("Nothing has run yet", self.news()["-bar"])

    def test_faults_of_the_list_and_of_the_journal_are_shown_beside_what_is_known(self) -> None:
        self.write(*STORY)
        self.news()
        self.known = replace(self.known, fault="features[0].id is <missing>")
        self.write(replace(begun(["api"]), run="r2"))
        self.assertIn("features[0].id is &lt;missing&gt;", self.news()["-bar"])
        with open(self.journal.path, "ab") as file:
            file.write(b"damaged\n")
        news = self.news()
        self.assertIn("is damaged", news["-bar"])
        self.assertIn("back up the file", news["-bar"])

    def test_a_fault_without_a_next_step(self) -> None:
        os.makedirs(self.journal.path)
        self.assertIn("can&#x27;t be read", self.news()["-bar"])

    # -- what is beside the journal ---------------------------------------------------------

    def test_extras_are_asked_for_when_they_may_have_changed(self) -> None:
        self.found = Extras({"auth": [("3 passed",)]}, {})
        self.write(begun(["auth", "api"]), *running("auth"), *running("api"))
        self.runs()
        self.news()
        self.assertEqual(self.asked_for, [])
        self.write(checked("auth", AT + 3, "make test", passed=True))
        self.assertIn("3 passed", self.news()["auth"])
        self.write(events.ended(AT + 4, RUN, "auth", COMPLETED))
        self.assertIn("3 passed", self.news()["auth"])
        self.write(events.ended(AT + 4, RUN, "api", FeatureOutcome(Status.FAILED, "no")))
        self.write(events.run_ended(AT + 5, RUN, exit_code=1))
        self.news()
        self.assertEqual(self.asked_for, [("auth",), ("auth",), ("auth", "api")])

    # -- catching up ------------------------------------------------------------------------

    def names(self, messages: list[bytes]) -> set[str]:
        return {str(data.get("id", "-arrangement")) for _, data in told(messages)}

    def test_a_page_that_connects_again_gets_what_it_missed(self) -> None:
        self.write(begun(["auth", "api"]), *running("auth"))
        self.runs()
        self.news()
        seen = self.board.position
        self.assertEqual(self.board.since(seen), [])
        self.write(events.ended(AT + 5, RUN, "auth", COMPLETED))
        self.news()
        missed = self.names(self.board.since(seen))
        self.assertIn("auth", missed)
        self.assertNotIn("api", missed)

    def test_a_page_of_another_journal_gets_everything(self) -> None:
        self.write(begun(["auth", "api"]))
        self.news()
        for position in ("", "0-00000001", "999999-ab", "x"):
            self.assertGreaterEqual(
                self.names(self.board.since(position)), {"-bar", "-head", "-arrangement", "api"}
            )

    def test_a_message_has_the_position_in_the_journal(self) -> None:
        self.write(begun(["auth"]))
        self.board.refresh(0.0)
        position = f"id: {self.board.position}\n".encode()
        *first, last = self.board.news()
        self.assertIn(position, last)
        # Else a page that has got only some of them would miss the rest.
        self.assertFalse([said for said in first if b"id: " in said])
        self.assertTrue(self.board.position.startswith(f"{os.path.getsize(self.journal.path)}-"))

    def test_the_whole_page_is_made_of_the_same_parts(self) -> None:
        self.write(*STORY)
        self.board.refresh(0.0)
        page = self.board.page("a&b")
        self.assertIn('data-csrf="a&amp;b"', page)
        self.assertIn(f'data-position="{self.board.position}"', page)
        for kind, data in told(self.board.news()):
            if kind == "part":
                self.assertIn(data["html"], page)

    def test_hostile_names_are_text(self) -> None:
        name = "<script>alert(1)</script>'\"&"
        self.known = replace(self.known, name=name, features={"auth": (name, ())}, fault=name)
        story = [
            replace(e, data={**e.data, "name": name}) if e.kind == "preparing" else e
            for e in running("auth")
        ]
        noted: list[Event] = [events.note(AT, RUN, name)]
        self.write(begun(["auth"]), *story, *noted)
        self.board.refresh(0.0)
        page = self.board.page("c")
        self.assertNotIn("<script>", page)
        self.assertIn("&lt;script&gt;alert(1)", page)

    def test_many_features_are_rendered_less_often(self) -> None:
        self.write(begun(["auth"]), *running("auth"))
        self.runs()
        with mock.patch.object(board_module, "WHOLE_SHARE", 1e9):
            self.news(100)
        self.write(steered(AT, ControlAction.PAUSE))
        self.write(events.attempt_ended(AT + 1, RUN, "auth", LATE))
        news = self.news(1000)
        self.assertEqual(news.keys(), {"-bar", "auth"})
        self.assertIn("Paused", news["-bar"])
        with mock.patch.object(board_module, "SHARE", 1e9):
            self.write(steered(AT, ControlAction.RESUME))
            self.assertNotIn("Paused", self.news(2000)["-bar"])
        self.write(steered(AT, ControlAction.PAUSE))
        self.assertEqual(self.news(3000), {})
        self.write(events.ended(AT + 2, RUN, "auth", COMPLETED))
        self.write(events.run_ended(AT + 5, RUN, exit_code=0))
        self.holder = None
        # The end is shown at once.
        self.assertIn("-timeline", self.news(3000))

    def test_a_page_that_is_loaded_is_as_old_as_its_rendering_is_expensive(self) -> None:
        self.write(begun(["auth"]), *running("auth"))
        self.runs()
        with mock.patch.object(board_module, "LOAD_SHARE", 1e9):
            self.board.load(100)
        self.write(steered(AT, ControlAction.PAUSE))
        self.board.load(1000)
        self.assertNotIn("Paused", self.board.page("c"))
        self.board.load(float("inf"))
        self.assertIn("Paused", self.board.page("c"))


if __name__ == "__main__":
    unittest.main()
