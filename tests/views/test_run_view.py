"""The view of a run: spans, waits, checks, the critical path, what older versions recorded."""

from __future__ import annotations

import unittest

from core.model import events
from core.model.control_action import ControlAction
from core.model.decision import Action, Decision
from core.model.events_reload import Reloaded, reloaded
from core.model.outcome import FeatureOutcome, Status
from core.model.phase import Phase
from core.model.provenance import Provenance
from core.views.run_view import Extras, OwnDiff, Span, graph, run_view
from tests.support.run_views import (
    COMPLETED,
    DONE,
    FAILED,
    STORY,
    begun,
    feature_story,
    report_of,
    steered,
    view_of,
)
from tests.support.story import AT, RUN


class AWholeRun(unittest.TestCase):
    def setUp(self) -> None:
        self.view = view_of(STORY)
        self.features = {feature.id: feature for feature in self.view.features}

    def test_features_keep_the_order_of_the_run(self) -> None:
        self.assertEqual(list(self.features), ["auth", "api", "app", "docs"])
        self.assertEqual((self.view.id, self.view.is_over, self.view.seconds), (RUN, True, 40.0))
        self.assertEqual([each.id for each in self.view.failures], ["api", "app"])

    def test_a_feature_has_a_span_for_each_phase(self) -> None:
        self.assertEqual(
            self.features["auth"].spans,
            (
                Span(AT + 1, AT + 2, Phase.WORKTREE),
                Span(AT + 2, AT + 3, Phase.SETUP),
                Span(AT + 3, AT + 3, Phase.BETWEEN),
                Span(AT + 3, AT + 13, Phase.CLAUDE, 1),
                Span(AT + 13, AT + 14, Phase.BETWEEN),
            ),
        )
        self.assertEqual(self.features["auth"].seconds, 12.0)
        self.assertEqual([s.attempt for s in self.features["api"].spans if s.attempt], [1, 2])
        self.assertEqual((self.features["app"].spans, self.features["app"].seconds), ((), 0.0))

    def test_limits_and_pauses_are_waits_of_the_run(self) -> None:
        self.assertEqual(self.view.limits, (Span(AT + 8, AT + 12),))
        self.assertEqual(self.view.pauses, (Span(AT + 13, AT + 14),))

    def test_a_feature_knows_its_checks_notes_cost_and_next_commands(self) -> None:
        api = self.features["api"]
        self.assertEqual(
            [(c.command, c.passed) for c in api.checks],
            [("npm run lint", True), ("npm test", False)],
        )
        self.assertEqual(api.next_commands[0], "rorchestrator logs api --checks")
        self.assertEqual(self.features["auth"].next_commands, [])
        self.assertEqual((len(api.attempts), api.cost.is_complete), (2, False))
        self.assertEqual(api.usage.output_tokens, 20)
        self.assertEqual((api.name, api.status, api.work), ("Api", Status.FAILED, None))
        assert self.features["auth"].work is not None
        self.assertEqual(self.features["auth"].work.insertions, 12)
        self.assertEqual(self.view.notes, ("Claude Code 2.1.330",))
        assert api.estimate is not None
        self.assertEqual(api.estimate.seconds, 120.0)

    def test_the_critical_path_is_the_chain_that_took_longest(self) -> None:
        self.assertEqual(self.view.critical_path, ("auth", "api"))
        self.assertEqual([f.id for f in self.view.features if f.is_critical], ["auth", "api"])

    def test_concurrency_changes_where_features_get_and_leave_slots(self) -> None:
        self.assertEqual(
            self.view.concurrency,
            [(AT + 2, 2), (AT + 6, 1), (AT + 14, 0), (AT + 15, 1), (AT + 39, 0)],
        )

    def test_outputs_of_checks_and_diffs_come_from_outside(self) -> None:
        extras = Extras({"api": [("linted",)]}, {"auth": OwnDiff(more=2)})
        features = {each.id: each for each in view_of(STORY, extras).features}
        self.assertEqual([check.lines for check in features["api"].checks], [("linted",), ()])
        self.assertEqual(features["auth"].diff, OwnDiff(more=2))


class OfAnotherList(unittest.TestCase):
    def test_the_next_commands_name_the_list_that_the_run_named(self) -> None:
        for words, expected in (
            ("--config lists/b.json", "--config lists/b.json "),
            ("'--config=a list.json' --yes", "--config 'a list.json' "),
            ("--yes", ""),
            ("--config it's", ""),
        ):
            told = Provenance(command=f"rorchestrator run {words}")
            story = [begun(["api"], told), *feature_story("api", AT, DONE, end=FAILED)]
            commands = view_of(story).features[0].next_commands
            self.assertEqual(commands[0], f"rorchestrator logs {expected}api")


class DuringARun(unittest.TestCase):
    def test_what_is_going_on_lasts_until_now(self) -> None:
        story = [
            begun(["auth", "api"]),
            events.paused(AT + 1, RUN, until=AT + 100),
            *feature_story("auth", AT + 1, DONE, end=COMPLETED)[:5],
        ]
        view = view_of(story, now=AT + 50)
        self.assertEqual((view.is_over, view.seconds), (False, 50.0))
        self.assertEqual(view.features[0].spans[-1], Span(AT + 3, AT + 50, Phase.CLAUDE, 1))
        self.assertEqual(view.limits, (Span(AT + 1, AT + 50),))
        self.assertEqual((view.features[1].status, view.failures), (Status.PENDING, ()))

    def test_a_feature_shows_nothing_of_its_earlier_runs(self) -> None:
        earlier = [begun(["auth"]), *feature_story("auth", AT, DONE, end=COMPLETED)]
        now = events.run_started(
            AT + 90,
            "r2",
            pid=1,
            base_branch="main",
            base_commit="ba5e",
            features=["auth"],
            max_parallel=1,
        )
        [auth] = run_view(report_of([*earlier, now]), [*earlier, now], AT + 99).features
        self.assertEqual((auth.status, auth.attempts, auth.spans), (Status.PENDING, (), ()))
        self.assertEqual(auth.name, "Auth")

    def test_a_changed_list_is_a_note_and_decides_which_features_there_are(self) -> None:
        made = Reloaded(("auth", "docs"), joined=("docs",))
        story = [begun(["auth"]), reloaded(AT + 1, RUN, made, text="joins: docs", automatic=True)]
        view = view_of([*story, events.run_ended(AT + 9, RUN, exit_code=1)])
        self.assertEqual([feature.id for feature in view.features], ["auth", "docs"])
        self.assertEqual(view.notes, ("the list changed: joins: docs",))

    def test_a_refused_request_and_one_for_a_feature_pause_nothing(self) -> None:
        refused = events.steered(
            AT + 1, RUN, "", action=ControlAction.PAUSE, request="1", done=False, text=""
        )
        story = [begun(["auth"]), refused, steered(AT + 2, ControlAction.RETRY)]
        story.append(events.run_ended(AT + 9, RUN, exit_code=1))
        self.assertEqual(view_of(story).pauses, ())


class OlderVersions(unittest.TestCase):
    def test_dependencies_are_taken_from_the_inputs(self) -> None:
        story = feature_story("api", AT, DONE, end=COMPLETED)
        inputs = {"prompt": "p", "dependency auth": "k"}
        decision = Decision("api", Action.START, "new", "key", inputs)
        story[1] = events.based(AT, RUN, decision, start_commit="57a7", base_commit="ba5e")
        view = view_of([begun(["api"], None), *story])
        self.assertEqual(view.features[0].depends_on, ("auth",))
        self.assertIsNone(view.features[0].estimate)
        self.assertIsNone(view.report.versions["rorchestrator"])

    def test_dependencies_of_different_times_that_make_a_circle_are_left_out(self) -> None:
        told = Provenance(depends_on={"a": ("b",), "b": ("a",)})
        blocked = FeatureOutcome(Status.BLOCKED, "circle")
        story = [begun(["a", "b"], told), *(events.ended(AT, RUN, id, blocked) for id in "ab")]
        view = view_of(story)
        self.assertEqual(view.critical_path, ())
        self.assertEqual(graph(view.features).dependencies, {"a": (), "b": ()})
