"""Features that run again, and the reasons."""

from __future__ import annotations

import unittest
from collections.abc import Mapping

from core.dag import incremental
from core.dag.incremental import Facts, selection
from core.dag.resolver import DAGResolver
from core.model.again import Again
from core.model.attempt import Attempt
from core.model.decision import Action, Decision
from core.model.feature import ClaudeOptions, Command, Config, Feature, Project
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, Fault, Status, Work
from core.model.review import Answer, Comment, Review
from core.model.state import FeatureState, RunState, Skip

LIST = (
    Feature("auth", "Sign-in", prompt="Build it."),
    Feature("api", "API", prompt="Build it on auth.", depends_on=("auth",)),
    Feature("docs", "Manual", prompt="Write it."),
)
ALL = {feature.id for feature in LIST}
BASE = Config("/l.json", "/", Project("shop", "/repo"), LIST)


def _decide(
    config: Config = BASE, state: RunState | None = None, facts: Facts | None = None
) -> dict[str, Decision]:
    dag = DAGResolver(config.features)
    return incremental.decide(config, dag, state or RunState(), facts or Facts(reachable=ALL))


def _completed(config: Config = BASE) -> RunState:
    """The state after a run in which everything went well."""
    return RunState({id: _done(decision) for id, decision in _decide(config).items()})


def _done(decision: Decision) -> FeatureState:
    outcome = AttemptOutcome(Status.COMPLETED)
    return FeatureState(
        decision.feature,
        status=Status.COMPLETED,
        run="r1",
        key=decision.key,
        inputs=decision.inputs,
        attempts=(Attempt("r1", 1, "s1", 1.0, outcome=outcome),),
        work=Work("c0ffee"),
    )


def _with(config: Config, id: str, **changes: object) -> Config:
    features = tuple(
        replace(f, **changes) if f.id == id else f  # type: ignore[arg-type]
        for f in config.features
    )
    return replace(config, features=features)


def _told(decisions: Mapping[str, Decision]) -> dict[str, tuple[Action, str]]:
    return {id: (decision.action, decision.reason) for id, decision in decisions.items()}


class UpToDate(unittest.TestCase):
    def test_a_list_that_never_ran_is_new(self) -> None:
        self.assertEqual(_told(_decide()), dict.fromkeys(ALL, (Action.START, "new")))

    def test_an_unchanged_completed_feature_is_skipped(self) -> None:
        told = _told(_decide(state=_completed()))
        self.assertEqual(told, dict.fromkeys(ALL, (Action.SKIP, "up to date")))

    def test_a_result_that_is_gone_is_made_again(self) -> None:
        told = _told(_decide(state=_completed(), facts=Facts(reachable={"auth", "docs"})))
        self.assertEqual(told["api"], (Action.START, "its result is gone"))
        self.assertEqual(told["docs"], (Action.SKIP, "up to date"))

    def test_a_landed_feature_stays_done_whatever_changed(self) -> None:
        facts = Facts(merged={"auth": "ancestor"}, reachable=ALL)
        told = _told(_decide(_with(BASE, "auth", prompt="Other."), _completed(), facts))
        changed = "merged (ancestor); prompt changed since, --fresh=auth runs it"
        self.assertEqual(told["auth"], (Action.SKIP, changed))
        on_auth = _with(BASE, "auth", prompt="Other.")
        told = _told(_decide(on_auth, _completed(), Facts(merged={"api": "ancestor"})))
        self.assertEqual(told["api"], (Action.SKIP, "merged (ancestor)"))
        told = _told(_decide(on_auth, RunState(), Facts(merged={"auth": "cleaned up"})))
        self.assertEqual(told["auth"], (Action.SKIP, "merged (cleaned up)"))
        asked = Facts(merged={"auth": "ancestor"}, reachable=ALL, fresh={"auth"})
        self.assertEqual(_decide(on_auth, _completed(), asked)["auth"].action, Action.START)

    def test_other_checks_put_out_of_date_what_they_look_at(self) -> None:
        check, other = Command(("make", "a"), "make a"), Command(("make", "b"), "make b")
        self.assertNotIn("checks", _decide()["auth"].inputs)
        checked = replace(BASE, project=replace(BASE.project, verify=(check,)))
        of_api = _with(checked, "api", verify=(other,))
        told = _told(_decide(of_api, _completed(checked)))
        self.assertEqual(told["api"], (Action.START, "checks changed"))
        self.assertEqual(told["auth"], (Action.SKIP, "up to date"))
        self.assertEqual(_told(_decide(checked, _completed()))["docs"][1], "checks changed")
        # A word that moves from one command to the next is another check.
        both = (Command(("make", "a"), "make a"), Command(("b",), "b"))
        apart = (Command(("make",), "make"), Command(("a", "b"), "a b"))
        one, two = (
            replace(BASE, project=replace(BASE.project, verify=verify)) for verify in (both, apart)
        )
        self.assertEqual(_told(_decide(two, _completed(one)))["auth"][1], "checks changed")

    def test_how_a_worktree_is_prepared_puts_nothing_out_of_date(self) -> None:
        project = replace(
            BASE.project,
            setup=(Command(("true",), "true"),),
            teardown=(Command(("true",), "true"),),
            copy=(".env",),
            verify_attempts=0,
            verify_clean=True,
        )
        told = _told(_decide(replace(BASE, project=project), _completed()))
        self.assertEqual(told, dict.fromkeys(ALL, (Action.SKIP, "up to date")))

    def test_fresh_runs_everything(self) -> None:
        told = _told(_decide(state=_completed(), facts=Facts(reachable=ALL, fresh=ALL)))
        self.assertEqual(told, dict.fromkeys(ALL, (Action.START, "requested again")))

    def test_a_new_result_makes_its_dependents_out_of_date(self) -> None:
        state = _completed()
        for facts in (
            Facts(reachable=ALL, fresh={"auth"}, run="r2"),
            Facts(reachable=ALL - {"auth"}, run="r2"),
        ):
            decisions = _decide(state=state, facts=facts)
            told = _told(decisions)
            with self.subTest(reason=told["auth"][1]):
                self.assertEqual(told["auth"][0], Action.START)
                self.assertEqual(told["api"], (Action.START, "dependency auth changed"))
                done = {id: _done(decision) for id, decision in decisions.items()}
                again = _told(_decide(state=RunState(done)))
                self.assertEqual(set(again.values()), {(Action.SKIP, "up to date")})

    def test_features_built_on_outdated_results_are_out_of_date(self) -> None:
        state = _completed()
        changed = _with(BASE, "auth", prompt="Other.")
        dag = DAGResolver(changed.features)
        decisions = _decide(changed, state)
        alone = incremental.with_current_keys(decisions, dag, state, {"api"})
        self.assertEqual(alone["api"].key, state.feature("api").key)
        self.assertNotEqual(alone["api"].key, decisions["api"].key)
        both = incremental.with_current_keys(decisions, dag, state, {"auth", "api"})
        self.assertEqual(both, decisions)

    def test_without_hashes_everything_is_new(self) -> None:
        dag = DAGResolver(LIST)
        decisions = incremental.decide(BASE, dag, RunState(), Facts(), hashed=False)
        self.assertEqual(list(decisions), dag.order())
        for decision in decisions.values():
            expected = Decision(decision.feature, Action.START, "new")
            self.assertEqual(decision, expected)


class Changes(unittest.TestCase):
    def test_a_change_is_named_and_reaches_the_dependents(self) -> None:
        skip = (Action.SKIP, "up to date")
        rules = replace(BASE, quality_rules=("tests pass",))
        options = replace(BASE, claude=ClaudeOptions(model="opus"))
        prompt, option = (Action.START, "prompt changed"), (Action.START, "options changed")
        dependency = (Action.START, "dependency auth changed")
        cases: list[tuple[str, Config, tuple[tuple[Action, str], ...]]] = [
            ("a prompt", _with(BASE, "auth", prompt="Other."), (prompt, dependency, skip)),
            ("a leaf", _with(BASE, "docs", prompt="Other."), (skip, skip, prompt)),
            ("a model", _with(BASE, "auth", model="opus"), (option, dependency, skip)),
            ("the rules", rules, (prompt, prompt, prompt)),
            ("the options", options, (option, option, option)),
            (
                "a new dependency",
                _with(BASE, "docs", depends_on=("auth",)),
                (skip, skip, dependency),
            ),
        ]
        for name, config, (auth, api, docs) in cases:
            with self.subTest(changed=name):
                told = _told(_decide(config, _completed()))
                self.assertEqual(told, {"auth": auth, "api": api, "docs": docs})

    def test_options_that_do_not_affect_the_result_change_nothing(self) -> None:
        skip = dict.fromkeys(ALL, (Action.SKIP, "up to date"))
        program = ClaudeOptions(command=("/opt/claude",), max_turns=9, max_budget_usd=2.5)
        cases = {
            "program and limits": replace(BASE, claude=program),
            "slots": replace(BASE, project=replace(BASE.project, max_parallel=9)),
            "commits": replace(
                BASE,
                project=replace(BASE.project, commit_subject="{id}", commit_timeout_seconds=1.0),
            ),
            "estimate": _with(BASE, "auth", estimated_tokens=5, priority=3, tags=("x",)),
            "time limit": _with(BASE, "auth", timeout_seconds=9.0),
            "order": replace(BASE, features=tuple(reversed(LIST))),
        }
        for name, config in cases.items():
            with self.subTest(changed=name):
                self.assertEqual(_told(_decide(config, _completed())), skip)

    def test_an_input_that_is_no_more_is_a_change(self) -> None:
        cases = {
            "dependency gone changed": {"dependency gone": "k"},
            "checks changed": {"checks": "k", "dependency gone": "k"},
        }
        for reason, further in cases.items():
            done = _completed()
            auth = done.feature("auth")
            before = replace(auth, inputs={**auth.inputs, **further})
            state = RunState({**done.features, "auth": before})
            with self.subTest(reason=reason):
                self.assertEqual(_told(_decide(state=state))["auth"], (Action.START, reason))

    def test_keys_are_the_same_in_every_process(self) -> None:
        self.assertEqual(incremental.digest("auth"), "d50677e6c091052b7423")
        self.assertEqual(
            incremental.digest({"b": "1", "a": "2"}), incremental.digest({"a": "2", "b": "1"})
        )
        self.assertNotEqual(incremental.digest(["ab"]), incremental.digest(["a", "b"]))
        self.assertEqual(len(incremental.digest("\ud800")), 20)


class Unfinished(unittest.TestCase):
    def _told(self, **known: object) -> tuple[Action, str]:
        """The decision on a feature that was begun with the inputs of today."""
        decision = _decide()["auth"]
        begun = FeatureState("auth", key=decision.key, inputs=decision.inputs)
        state = RunState({"auth": replace(begun, **known)})  # type: ignore[arg-type]
        return _told(_decide(state=state))["auth"]

    def _attempt(self, outcome: AttemptOutcome | None) -> tuple[Attempt, ...]:
        return (Attempt("r1", 1, "s1", 1.0, outcome=outcome),)

    def test_a_feature_that_was_interrupted_is_resumed(self) -> None:
        done = AttemptOutcome(Status.COMPLETED)
        cases: list[tuple[Status, Fault, AttemptOutcome | None, str]] = [
            (Status.RUNNING, Fault.NONE, None, "interrupted"),
            (Status.VERIFYING, Fault.NONE, done, "interrupted"),
            (Status.COMMITTING, Fault.NONE, done, "interrupted"),
            (Status.FAILED, Fault.COMMIT, done, "failed before"),
        ]
        for fault in Fault:
            if fault.resumable:
                failed = AttemptOutcome(Status.FAILED, "r", fault)
                cases.append((Status.FAILED, fault, failed, "failed before"))
        late = AttemptOutcome(Status.TIMED_OUT, "r", Fault.TIMEOUT)
        cases.append((Status.TIMED_OUT, Fault.TIMEOUT, late, "timed out before"))
        stopped = AttemptOutcome(Status.CANCELLED, "r", Fault.INTERRUPTED)
        cases.append((Status.CANCELLED, Fault.INTERRUPTED, stopped, "interrupted"))
        cases.append((Status.BLOCKED, Fault.TIMEOUT, late, "failed before"))
        for status, fault, outcome, reason in cases:
            with self.subTest(status=status, fault=fault):
                found = self._told(status=status, fault=fault, attempts=self._attempt(outcome))
                self.assertEqual(found, (Action.RESUME, reason))

    def test_a_feature_that_failed_by_its_own_result_starts_over(self) -> None:
        done = AttemptOutcome(Status.COMPLETED)
        cases = [
            (Status.EMPTY, Fault.NONE, done),
            (Status.FAILED, Fault.NONE, done),
            (Status.FAILED, Fault.NONE, AttemptOutcome(Status.FAILED, "r")),
            (Status.FAILED, Fault.CHECK, done),
        ]
        for status, fault, outcome in cases:
            with self.subTest(status=status, fault=fault):
                found = self._told(status=status, fault=fault, attempts=self._attempt(outcome))
                self.assertEqual(found, (Action.START, "failed before"))

    def test_without_an_attempt_there_is_nothing_to_resume(self) -> None:
        self.assertEqual(self._told(status=Status.CONFLICT), (Action.START, "failed before"))
        self.assertEqual(self._told(status=Status.PREPARING), (Action.START, "interrupted"))
        self.assertEqual(self._told(status=Status.PENDING), (Action.START, "new"))

    def test_a_feature_changed_meanwhile_starts_over(self) -> None:
        attempts = self._attempt(None)
        found = self._told(status=Status.RUNNING, attempts=attempts, inputs={"prompt": "other"})
        self.assertEqual(found, (Action.START, "prompt changed"))

    def test_a_result_stands_though_a_later_run_never_got_to_its_feature(self) -> None:
        done = self._attempt(AttemptOutcome(Status.COMPLETED))
        for status in (Status.BLOCKED, Status.CANCELLED):
            with self.subTest(status=status):
                found = self._told(status=status, attempts=done, work=Work("c0ffee"))
                self.assertEqual(found, (Action.SKIP, "up to date"))

    def test_a_higher_limit_lets_an_attempt_that_reached_it_continue(self) -> None:
        state = _completed(replace(BASE, claude=ClaudeOptions(max_turns=5)))
        stopped = AttemptOutcome(Status.FAILED, "r", Fault.ALLOWANCE)
        auth = replace(
            state.feature("auth"),
            status=Status.FAILED,
            fault=Fault.ALLOWANCE,
            attempts=self._attempt(stopped),
            work=None,
        )
        more = replace(BASE, claude=ClaudeOptions(max_turns=50))
        told = _told(_decide(more, RunState({**state.features, "auth": auth})))
        self.assertEqual(told["auth"], (Action.RESUME, "failed before"))


class Steered(unittest.TestCase):
    """What users leave out, and take up again."""

    LIST = (*LIST, Feature("app", "App", prompt="Build it on both.", depends_on=("api", "docs")))

    def setUp(self) -> None:
        self.config = replace(BASE, features=self.LIST)
        self.dag = DAGResolver(self.LIST)
        self.fresh = self.decide(self.config)

    def decide(self, config: Config, state: RunState | None = None) -> dict[str, Decision]:
        dag, facts = DAGResolver(config.features), Facts(reachable={"auth", "api", "docs", "app"})
        return incremental.decide(config, dag, state or RunState(), facts)

    def skipped(self, id: str, **more: object) -> FeatureState:
        return FeatureState(id, status=Status.SKIPPED, skip=Skip.PLAIN, reason="skipped", **more)  # type: ignore[arg-type]

    def test_a_skipped_feature_and_its_dependents_are_omitted(self) -> None:
        decisions = self.decide(self.config, RunState({"auth": self.skipped("auth")}))
        left = {id: d.reason for id, d in decisions.items() if d.action is Action.LEAVE}
        expected = {"auth": "skipped", "api": "needs auth, which does not run"}
        self.assertEqual(left, {**expected, "app": "needs api, which does not run"})
        self.assertEqual(selection(self.dag, decisions, ["app"], deps=True), ["docs"])
        known = FeatureState("auth", status=Status.SKIPPED, skip=Skip.PLAIN)
        self.assertEqual(
            self.decide(self.config, RunState({"auth": known}))["auth"].reason, "skipped"
        )

    def test_a_completed_feature_stays_completed_if_its_dependency_is_skipped(self) -> None:
        state = _completed()
        skipped = RunState(
            {**state.features, "auth": replace(state.feature("auth"), skip=Skip.PLAIN)}
        )
        self.assertEqual(_told(_decide(state=skipped))["api"], (Action.SKIP, "up to date"))
        merged = Facts(reachable=ALL, merged={"auth": "ancestor"})
        self.assertEqual(_told(_decide(state=skipped, facts=merged))["auth"][0], Action.SKIP)

    def test_keys_in_a_run_are_those_of_a_later_one(self) -> None:
        less = incremental.without(self.LIST, {"auth"})
        self.assertEqual([f.depends_on for f in less], [(), (), (), ("api", "docs")])
        forced = self.decide(replace(self.config, features=tuple(less)))
        changed = [f for f in less if f.id == "api"]
        dag = DAGResolver({**self.dag.features, **{f.id: f for f in changed}}.values())
        built = incremental.rekeyed(self.fresh, dag)
        self.assertEqual(built, {**forced, "auth": self.fresh["auth"]})
        self.assertNotEqual(built["app"].key, self.fresh["app"].key)
        back = incremental.rekeyed(built, self.dag)
        self.assertEqual(back, self.fresh)

    def test_a_feature_built_on_another_commit_starts_over(self) -> None:
        resumes = {
            id: replace(decision, action=Action.RESUME) for id, decision in self.fresh.items()
        }
        less = {f.id: f for f in incremental.without(self.LIST, {"auth"})}
        built = incremental.rekeyed(resumes, DAGResolver(less.values()))
        told = {id: (d.action, d.reason) for id, d in built.items()}
        self.assertEqual(told["app"], (Action.START, "a dependency changed"))
        self.assertEqual(told["docs"], (Action.RESUME, "new"))

    def test_a_retry_resumes_an_interrupted_feature(self) -> None:
        decision = self.fresh["auth"]
        late = AttemptOutcome(Status.TIMED_OUT, "r", Fault.TIMEOUT)
        red = AttemptOutcome(Status.FAILED, "r")
        for outcome, key, expected in (
            (late, decision.key, (Action.RESUME, "timed out before")),
            (late, "other", (Action.START, "interrupted")),
            (red, decision.key, (Action.START, "failed before")),
        ):
            attempts = (Attempt("r1", 1, "s1", 1.0, outcome=outcome),)
            known = FeatureState(
                *("auth", "auth"),
                status=outcome.status,
                fault=outcome.fault,
                key=key,
                attempts=attempts,
            )
            found = incremental.retry_decision(decision, known)
            self.assertEqual((found.action, found.reason, found.key), (*expected, decision.key))
        never = incremental.retry_decision(decision, FeatureState("auth"))
        self.assertEqual(never.action, Action.START)


class Selection(unittest.TestCase):
    def test_selected_features_include_their_dependencies_unless_up_to_date(self) -> None:
        dag = DAGResolver(LIST)
        done = _completed()
        states = {
            "nothing ran": (RunState(), True),
            "auth is up to date": (RunState({"auth": done.feature("auth")}), False),
        }
        for name, (state, auth_runs) in states.items():
            decisions = _decide(state=state)
            with self.subTest(state=name):
                needed = ["auth"] if auth_runs else []
                self.assertEqual(selection(dag, decisions, ["api"], deps=True), [*needed, "api"])
                self.assertEqual(selection(dag, decisions, ["api"], deps=False), ["api"])
                everything = selection(dag, decisions, ALL, deps=True)
                self.assertEqual(everything, [*needed, "api", "docs"])


class Reviewed(unittest.TestCase):
    def told(self, **known: object) -> tuple[Action, str]:
        done = _completed()
        auth = replace(done.feature("auth"), **known)  # type: ignore[arg-type]
        return _told(_decide(state=RunState({**done.features, "auth": auth})))["auth"]

    def test_a_retry_with_something_to_say_goes_on(self) -> None:
        said = Review(comments=(Comment("c1", "Use the clock."),))
        cases: tuple[tuple[dict[str, object], str], ...] = (
            ({"review": said}, "comments"),
            ({"again": Again(3), "work": None}, "more attempts"),
            ({"status": Status.RUNNING, "again": Again(3), "work": None}, "interrupted"),
            ({"status": Status.FAILED, "work": None}, "failed before"),
        )
        for known, reason in cases:
            with self.subTest(reason=reason):
                self.assertEqual(self.told(**{"again": Again(), **known}), (Action.RESUME, reason))
        changed = {"prompt": "other"}
        self.assertEqual(self.told(again=Again(), inputs=changed)[0], Action.START)

    def test_comments_alone_start_nothing(self) -> None:
        said = Review(comments=(Comment("c1", "Use the clock."),))
        self.assertEqual(self.told(review=said), (Action.SKIP, "up to date"))

    def test_what_was_rejected_starts_over_and_its_dependents_are_made_anew(self) -> None:
        done, no = _completed(), Review(Answer.REJECTED, "c0ffee")
        auth = replace(done.feature("auth"), review=no)
        told = _told(_decide(state=RunState({**done.features, "auth": auth})))
        self.assertEqual(told["auth"], (Action.START, "rejected"))
        self.assertEqual(told["api"], (Action.START, "dependency auth changed"))

    def test_a_dependent_that_is_built_on_an_older_result_is_up_to_date(self) -> None:
        facts = Facts(reachable=ALL, older={"api": ("auth",)})
        told = _told(_decide(state=_completed(), facts=facts))
        self.assertEqual(told["api"], (Action.SKIP, "up to date, built on an older auth"))
        self.assertEqual(told["auth"], (Action.SKIP, "up to date"))

    def test_a_retry_in_the_same_run_decides_the_same(self) -> None:
        decision = _decide()["auth"]
        known = replace(_completed().feature("auth"), again=Again(3))
        goes_on = incremental.retry_decision(decision, known)
        self.assertEqual((goes_on.action, goes_on.key), (Action.RESUME, decision.key))
        no = replace(known, review=Review(Answer.REJECTED, "c0ffee"))
        over = incremental.retry_decision(decision, no, "q1")
        self.assertEqual((over.action, over.reason), (Action.START, "rejected"))
        self.assertNotEqual(over.key, decision.key)


if __name__ == "__main__":
    unittest.main()
