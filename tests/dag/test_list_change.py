"""What a changed list means for a run: a table of changes."""

from __future__ import annotations

import unittest
from collections.abc import Mapping, Sequence

from core.dag import incremental
from core.dag.list_change import (
    NOT_SELECTED,
    REMOVED,
    ListChange,
    RunSoFar,
    Where,
    list_change,
)
from core.dag.resolver import DAGResolver
from core.model.decision import Action, Decision
from core.model.feature import ClaudeOptions, Config, Feature, Project
from core.model.frozen import replace
from core.model.list_outline import outline_of
from core.model.outcome import Status, Work
from core.model.state import FeatureState, Run, RunState, Skip

AUTH = Feature("auth", "Sign-in", "Build it.")
API = Feature("api", "API", "Build it.", depends_on=("auth",))
UI = Feature("ui", "UI", "Build it.", depends_on=("api",))
ALL = (AUTH, API, UI)


def config_of(features: Sequence[Feature], **more: object) -> Config:
    return replace(Config("/list", "/", Project("Shop", "/"), tuple(features)), **more)  # type: ignore[arg-type]


def begun(config: Config, id: str, status: Status) -> FeatureState:
    """A feature that began with the text of ``config``."""
    decision = incremental.decide(
        config, DAGResolver(config.features), RunState(), incremental.Facts()
    )[id]
    work = Work("c0ffee") if status is Status.COMPLETED else None
    return FeatureState(
        id, run="r1", status=status, key=decision.key, inputs=decision.inputs, work=work
    )


class ListChangeTest(unittest.TestCase):
    def change(
        self,
        new: Config,
        where: Mapping[str, Where],
        *known: FeatureState,
        old: Config | None = None,
        selected: Sequence[str] | None = None,
    ) -> ListChange:
        state = RunState({each.id: each for each in known})
        dag = DAGResolver(new.features)
        done = {each.id for each in known if each.work}
        decisions = incremental.decide(new, dag, state, incremental.Facts(reachable=done))
        due = [id for id, made in decisions.items() if made.action is not Action.SKIP]
        run = RunSoFar(outline_of(old or config_of(ALL), str), where, state)
        chosen = due if selected is None else selected
        return list_change(run, outline_of(new, str), dag, decisions, chosen)

    def test_the_same_list_changes_nothing(self) -> None:
        where = dict.fromkeys(("auth", "api", "ui"), Where.WAITING)
        change = self.change(config_of(ALL), where)
        self.assertEqual(change, ListChange())
        self.assertTrue(change.is_empty)

    def test_new_features_join_and_those_that_the_options_do_not_select_are_left_out(self) -> None:
        where = dict.fromkeys(("auth", "api", "ui"), Where.WAITING)
        new = config_of((*ALL, Feature("docs", "Docs"), Feature("cli", "CLI")))
        change = self.change(new, where, selected=("auth", "api", "ui", "docs"))
        self.assertEqual(change, ListChange(joins=("docs",), left_out={"cli": NOT_SELECTED}))

    def test_a_new_feature_whose_dependency_is_skipped_does_not_join(self) -> None:
        skipped = FeatureState("auth", skip=Skip.PLAIN, status=Status.SKIPPED)
        new = config_of((*ALL, Feature("docs", "Docs", depends_on=("auth",))))
        change = self.change(new, {}, skipped, selected=())
        self.assertEqual(change.left_out, {"docs": "needs auth, which does not run"})

    def test_what_has_not_begun_follows_and_names_what_changed(self) -> None:
        where = {"auth": Where.WAITING, "api": Where.ENDED, "ui": Where.OUT}
        new = config_of(
            (
                replace(AUTH, prompt="Build more.", prompt_file="auth.md"),
                replace(API, depends_on=(), priority=3),
                replace(UI, description="With buttons."),
            )
        )
        change = self.change(new, where)
        self.assertEqual(
            change.follows,
            {"auth": ("prompt",), "api": ("depends_on", "priority"), "ui": ("description",)},
        )
        self.assertEqual(change.out_of_date, {})

    def test_a_prompt_that_moves_into_a_file_is_no_change(self) -> None:
        new = config_of((replace(AUTH, prompt_file="auth.md"), API, UI))
        self.assertTrue(self.change(new, {"auth": Where.WAITING}, selected=()).is_empty)

    def test_what_runs_and_what_is_done_is_out_of_date_with_its_dependents_that_began(
        self,
    ) -> None:
        old = config_of(ALL)
        where = {"auth": Where.DONE, "api": Where.RUNNING, "ui": Where.WAITING}
        known = (begun(old, "auth", Status.COMPLETED), begun(old, "api", Status.RUNNING))
        new = config_of((replace(AUTH, prompt="Build more."), API, UI))
        change = self.change(new, where, *known)
        self.assertEqual(
            change,
            ListChange(
                out_of_date={"auth": "prompt changed", "api": "dependency auth changed"},
            ),
        )

    def test_a_change_of_name_or_limits_makes_nothing_out_of_date(self) -> None:
        known = begun(config_of(ALL), "auth", Status.RUNNING)
        new = config_of((replace(AUTH, name="Login", timeout_seconds=5.0), API, UI))
        self.assertTrue(self.change(new, {"auth": Where.RUNNING}, known, selected=()).is_empty)

    def test_what_an_earlier_run_completed_is_out_of_date_and_does_not_join(self) -> None:
        old = config_of(ALL)
        known = begun(old, "auth", Status.COMPLETED)
        where = {"api": Where.WAITING, "ui": Where.WAITING}
        new = config_of((replace(AUTH, prompt="Build more."), API, UI))
        change = self.change(new, where, known)
        self.assertEqual(change, ListChange(out_of_date={"auth": "prompt changed"}))

    def test_what_an_earlier_change_made_out_of_date_stays_so_or_is_up_to_date_again(self) -> None:
        old = config_of(ALL)
        known = begun(old, "auth", Status.RUNNING)
        later = config_of((replace(AUTH, prompt="Build more."), API, UI))
        where = {"auth": Where.RUNNING, "gone": Where.RUNNING}
        earlier = Run("r1", 0.0, out_of_date={"auth": "prompt changed", "gone": "prompt changed"})
        for new, expected in (
            (later, ListChange(stays=("gone",), still_out_of_date=earlier.out_of_date)),
            (
                old,
                ListChange(
                    stays=("gone",),
                    still_out_of_date={"gone": "prompt changed"},
                    up_to_date=("auth",),
                ),
            ),
        ):
            state = RunState({"auth": known}, earlier)
            dag = DAGResolver(new.features)
            decisions = incremental.decide(new, dag, state, incremental.Facts())
            run = RunSoFar(outline_of(later, str), where, state)
            change = list_change(run, outline_of(new, str), dag, decisions, ())
            self.assertEqual(change, expected)
            self.assertEqual(replace(change, stays=()).is_empty, new is later)

    def test_what_was_merged_is_not_out_of_date(self) -> None:
        known = begun(config_of(ALL), "auth", Status.COMPLETED)
        new = config_of((replace(AUTH, prompt="Build more."),))
        run = RunSoFar(outline_of(config_of(ALL), str), {}, RunState({"auth": known}))
        merged = {"auth": Decision("auth", Action.SKIP, "merged", merged="a merge commit")}
        change = list_change(run, outline_of(new, str), DAGResolver(new.features), merged, ())
        self.assertEqual(change.out_of_date, {})

    def test_the_context_and_the_rules_change_every_prompt(self) -> None:
        old = config_of(ALL)
        known = begun(old, "auth", Status.RUNNING)
        where = {"auth": Where.RUNNING, "api": Where.WAITING, "ui": Where.WAITING}
        new = config_of(ALL, context="We use Rust.", quality_rules=("Test it.",))
        change = self.change(new, where, known)
        self.assertEqual(
            change,
            ListChange(
                everywhere=("prompts.context_file", "prompts.quality_rules"),
                out_of_date={"auth": "prompt changed"},
            ),
        )

    def test_what_is_removed_goes_unless_it_began(self) -> None:
        cases = {
            Where.WAITING: "goes",
            Where.OUT: "goes",
            Where.RUNNING: "stays",
            Where.DONE: "stays",
            Where.ENDED: "stays",
        }
        for place, what in cases.items():
            with self.subTest(place.value):
                change = self.change(config_of((AUTH, API)), {"ui": place})
                self.assertEqual(
                    (dict(change.goes), change.stays),
                    {
                        "goes": ({"ui": REMOVED}, ()),
                        "stays": ({}, ("ui",)),
                    }[what],
                )

    def test_what_waits_and_is_up_to_date_again_or_needs_a_skipped_feature_goes(self) -> None:
        done = begun(config_of(ALL), "auth", Status.COMPLETED)
        older = config_of((replace(AUTH, prompt="Other."), API, UI))
        change = self.change(config_of(ALL), {"auth": Where.WAITING}, done, old=older)
        self.assertEqual((change.goes, change.follows), ({"auth": "up to date"}, {}))
        skipped = FeatureState("docs", skip=Skip.PLAIN, status=Status.SKIPPED)
        new = config_of((replace(AUTH, depends_on=("docs",)), API, UI, Feature("docs", "Docs")))
        change = self.change(new, {"auth": Where.WAITING}, skipped)
        self.assertEqual(change.goes, {"auth": "needs docs, which does not run"})

    def test_settings_wait_for_the_next_run(self) -> None:
        new = config_of(
            ALL,
            project=Project("Shop", "/", max_parallel=9),
            claude=ClaudeOptions(model="opus"),
            notify=(),
        )
        change = self.change(new, {}, selected=())
        self.assertEqual(change.later, ("project.max_parallel", "claude.model"))
        self.assertEqual(change.left_out, {})
        self.assertTrue(change.is_empty)

    def test_only_what_is_due_or_joins_needs_a_decision(self) -> None:
        decisions = {"docs": Decision("docs", Action.LEAVE, "skipped")}
        new = outline_of(config_of((Feature("docs", "Docs"),)), str)
        run = RunSoFar(outline_of(config_of(()), str), {}, RunState())
        dag = DAGResolver((Feature("docs", "Docs"),))
        change = list_change(run, new, dag, decisions, ())
        self.assertEqual(change.left_out, {"docs": "skipped"})
