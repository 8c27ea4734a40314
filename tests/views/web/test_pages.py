"""The page: its parts, its buttons by the state of the run, and nothing that a policy forbids."""

from __future__ import annotations

import re
import unittest

from core.model import events
from core.model.control_action import ControlAction
from core.model.events import Event
from core.model.outcome import FeatureOutcome, Status
from core.views.run_view import RunView
from core.views.web import pages
from core.views.web.pages import Situation
from tests.support.boards import running
from tests.support.html_pages import Page
from tests.support.run_views import COMPLETED, RUN, STORY, begun, steered, view_of
from tests.support.story import AT

RUNS = Situation(takes_requests=True)


def buttons(html: str) -> list[tuple[str, str | None, str | None]]:
    """Words, action and command of each button."""
    found = re.findall(r"<button([^>]*)>([^<]*)", html)
    given = [(words, dict(re.findall(r'([\w-]+)="([^"]*)"', text))) for text, words in found]
    return [(words, of.get("data-action"), of.get("data-command")) for words, of in given]


def feature_buttons(story: list[Event], now: Situation, id: str = "auth") -> dict[str, str | None]:
    """The buttons of a feature, each with its action."""
    view = view_of(story)
    (feature,) = [each for each in view.features if each.id == id]
    return {words: action for words, action, _ in buttons(pages.controls(feature, now))}


class ButtonsTest(unittest.TestCase):
    def test_a_run_in_progress_can_be_paused_resumed_and_stopped(self) -> None:
        story = [begun(["auth"]), *running("auth")]
        found = buttons(pages.bar(view_of(story), RUNS))
        self.assertEqual([words for words, _, _ in found], ["Pause", "Stop"])
        self.assertEqual(found[0][1:], ("pause", "rorchestrator pause"))
        paused = view_of([*story, steered(AT, ControlAction.PAUSE)])
        self.assertEqual(buttons(pages.bar(paused, RUNS))[0][1], "resume")

    def test_without_a_run_no_button_acts(self) -> None:
        for view in (None, view_of(STORY)):
            self.assertEqual(
                buttons(pages.bar(view, Situation())), [("Run", None, "rorchestrator run")]
            )
        for each in view_of(STORY).features:
            self.assertNotIn("data-action", pages.controls(each, Situation()))

    def test_a_feature_has_the_buttons_that_fit_its_status(self) -> None:
        active = [begun(["auth"]), *running("auth")]
        completed = [*active, events.ended(AT, RUN, "auth", COMPLETED)]
        failed = [*active, events.ended(AT, RUN, "auth", FeatureOutcome(Status.FAILED, "no"))]
        blocked = [
            begun(["auth"]),
            events.ended(AT, RUN, "auth", FeatureOutcome(Status.BLOCKED, "no")),
        ]
        cases = [
            ([begun(["auth"])], {"Skip": "skip"}),
            (active, {"Claude": None, "Stop": "stop"}),
            (completed, {"Claude": None}),
            (failed, {"Claude": None, "Retry": "retry"}),
            (blocked, {"Retry": "retry", "Skip": "skip"}),
        ]
        for story, expected in cases:
            self.assertEqual(feature_buttons(story, RUNS), expected)
            without = dict.fromkeys(expected)
            self.assertEqual(feature_buttons(story, Situation()), without)

    def test_commands_are_completed_and_can_be_typed(self) -> None:
        now = Situation(complete=lambda command: f"{command} --config 'my list.json'")
        (_, _, command), *_ = buttons(pages.bar(None, now))
        self.assertEqual(command, "rorchestrator run --config &#x27;my list.json&#x27;")

    def test_what_cannot_be_taken_back_is_asked_first(self) -> None:
        asked = re.findall(r'data-question="([^"]*)"', pages.bar(view_of([begun(["auth"])]), RUNS))
        self.assertEqual(len(asked), 1)


class PageTest(unittest.TestCase):
    def whole(self, view: RunView, now: Situation = RUNS) -> str:
        html = {pages.BAR: pages.bar(view, now)}
        html.update({name: pages.part(view, name) for name in pages.MAIN})
        html.update({each.id: pages.feature_part(each, now) for each in view.features})
        lists = pages.arrangement(view)
        return pages.page(pages.title_of(view, "Shop"), html, lists, "12-ab", "csrf")

    def test_it_is_well_formed_and_each_id_is_there_once(self) -> None:
        for view in (view_of(STORY), view_of([begun([])]), view_of([begun(["auth"])])):
            parts = [given.get("data-part") for given in Page(self.whole(view)).all("div")]
            self.assertIn("-bar", parts)

    def test_there_is_nothing_that_the_policy_forbids(self) -> None:
        for tag, given in Page(self.whole(view_of(STORY))).elements:
            self.assertNotIn("style", given)
            self.assertFalse([name for name in given if name.startswith("on")], tag)
            if tag == "script":
                self.assertIn(given["src"], ("/report.js", "/web.js"))
            self.assertNotIn(tag, ("style", "iframe", "object", "form"))

    def test_every_control_has_a_name(self) -> None:
        html = self.whole(view_of(STORY))
        named = re.findall(r"<button[^>]*>(?:<i>)?[^<]+", html)
        # The script gives the last button its words.
        self.assertEqual(len(named), html.count("<button") - 1)
        self.assertIn("<label>Attempt <select", html)

    def test_lists_without_features_are_hidden(self) -> None:
        html = self.whole(view_of([begun(["auth"])]))
        hidden = set(re.findall(r'<section id="([\w-]+)" hidden', html))
        self.assertEqual(hidden, {"-active", "-failures"})

    def test_each_state_of_a_run_is_said(self) -> None:
        active = [begun(["auth"]), *running("auth")]
        cases = [
            (view_of(active), RUNS, "In progress: 1 running"),
            (view_of(active), Situation(was_killed=True), "was killed"),
            (view_of([*active, steered(AT, ControlAction.PAUSE)]), RUNS, "Paused"),
            (view_of([*active, events.paused(AT, RUN, until=AT + 9)]), RUNS, "usage limit"),
            (
                view_of([*active, events.unreviewed(AT, RUN, count=1, limit=1)]),
                *(RUNS, "but waits for your review of 1 feature"),
            ),
            (view_of(STORY), Situation(), "The run is over: 2 of 4"),
            (None, Situation(), "Nothing has run yet"),
        ]
        for view, now, words in cases:
            with self.subTest(words):
                self.assertIn(words, pages.bar(view, now))
        self.assertIn("&lt;b&gt;", pages.bar(None, Situation(faults=("<b>",))))

    def test_notes_about_no_feature_are_shown(self) -> None:
        story = [begun(["auth"]), events.note(AT, RUN, "the <stash> changed")]
        self.assertIn("the &lt;stash&gt; changed", pages.part(view_of(story), "-notes"))

    def test_a_run_of_no_features_has_no_graph(self) -> None:
        self.assertEqual(pages.part(view_of([begun([])]), "-graph"), "")

    def test_a_browser_without_the_cookie_gets_no_script(self) -> None:
        self.assertNotIn("script", Page(pages.closed_page()).tags)


if __name__ == "__main__":
    unittest.main()
