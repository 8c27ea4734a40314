"""The fold: what is known of runs and features after any number of events."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

from core.model import events, state
from core.model.costs import Paid
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.fold import apply, fold
from core.model.frozen import replace
from core.model.outcome import Fault, Outcome, Status, Usage, Work
from core.model.state import Attempt, Check, FeatureState, Landing, Run, RunState

WORK = Work("c0ffee", files_changed=3)
DONE = Outcome(Status.COMPLETED, cost_usd=0.5, usage=Usage(1, 2, 3, 4), session_id="s1")
LATE = Outcome(Status.TIMED_OUT, "no result in time", Fault.TIMEOUT)


def _decision(action: Action = Action.START) -> Decision:
    return Decision("auth", action, "new", "key1", {"prompt": "p1"})


def _prepared(at: float, run: str, action: Action = Action.START) -> Event:
    return events.preparing(
        at, run, _decision(action), branch="feature/auth", worktree="/w/auth", name="Sign-in"
    )


def _attempted(at: float, run: str, number: int, outcome: Outcome) -> list[Event]:
    session = f"s{number}"
    return [
        events.attempt_started(
            at, run, "auth", attempt=number, session_id=session, resumed=number > 1, log="l"
        ),
        events.attempt_ended(at + 1, run, "auth", outcome),
    ]


def _life(run: str, outcome: Outcome, end: Outcome, action: Action = Action.START) -> list[Event]:
    """A feature's turn in a run, from its slot to its end."""
    based = events.based(2, run, _decision(), start_commit="57a7", base_commit="ba5e")
    return [
        _prepared(1, run, action),
        *([based] if action is Action.START else []),
        *_attempted(3, run, 2 if action is Action.RESUME else 1, outcome),
        events.verifying(5, run, "auth"),
        events.committing(6, run, "auth"),
        events.ended(7, run, "auth", end),
    ]


def _auth(story: Sequence[Event]) -> FeatureState:
    return fold(story).feature("auth")


class Life(unittest.TestCase):
    def test_each_event_moves_the_feature_on(self) -> None:
        story = _life("r1", DONE, Outcome(Status.COMPLETED, work=WORK))
        expected = [
            Status.PREPARING,
            Status.PREPARING,
            Status.RUNNING,
            Status.RUNNING,
            Status.VERIFYING,
            Status.COMMITTING,
            Status.COMPLETED,
        ]
        seen = [_auth(story[: number + 1]).status for number in range(len(story))]
        self.assertEqual(seen, expected)

    def test_at_its_end_everything_is_known(self) -> None:
        found = _auth(_life("r1", DONE, Outcome(Status.COMPLETED, work=WORK)))
        attempt = Attempt("r1", 1, "s1", 3, log="l", ended_at=4, outcome=DONE)
        self.assertEqual(
            found,
            FeatureState(
                "auth",
                name="Sign-in",
                status=Status.COMPLETED,
                why="new",
                run="r1",
                key="key1",
                inputs={"prompt": "p1"},
                branch="feature/auth",
                worktree="/w/auth",
                start_commit="57a7",
                base_commit="ba5e",
                started_at=3,
                in_slot=True,
                ended_at=7,
                attempts=(attempt,),
                work=WORK,
                work_start="57a7",
            ),
        )
        self.assertEqual(found.session_id, "s1")
        self.assertEqual(found.last_outcome, DONE)

    def test_its_time_begins_with_the_first_attempt_of_the_run_and_not_while_it_waits(self) -> None:
        again = [*_attempted(4, "r1", 1, DONE), *_attempted(6, "r1", 2, DONE)]
        self.assertEqual(_auth([_prepared(1, "r1")]).started_at, 1)
        self.assertEqual(_auth([_prepared(1, "r1"), *again]).started_at, 4)

    def test_a_setup_begins_its_time_and_what_it_made_is_nobodys_work(self) -> None:
        based = events.based(2, "r1", _decision(), start_commit="57a7", base_commit="ba5e")
        story = [_prepared(1, "r1"), based]
        self.assertEqual(_auth(story).made_before_work, ())
        story.append(events.setting_up(3, "r1", "auth"))
        begun = _auth(story)
        self.assertEqual((begun.in_slot, begun.started_at, begun.was_set_up), (True, 3, True))
        self.assertEqual((begun.is_ready, begun.made_before_work), (False, None))
        story.append(events.ready(4, "r1", "auth", made=[".env"]))
        ready = _auth(story)
        self.assertEqual((ready.is_ready, ready.made_before_work), (True, None))
        story += _attempted(5, "r1", 1, DONE)
        self.assertEqual((_auth(story).started_at, _auth(story).made_before_work), (3, (".env",)))
        story.append(events.setting_up(7, "r2", "auth"))
        again = _auth(story)
        self.assertEqual((again.is_ready, again.made_before_work), (False, (".env",)))
        anew = _auth([*story, based])
        self.assertEqual((anew.was_set_up, anew.is_ready, anew.made), (False, False, ()))

    def test_a_check_is_remembered_by_its_feature_and_a_green_one_by_its_key(self) -> None:
        def check(at: float, key: str, *, passed: bool, feature: str = "auth") -> Event:
            return events.checked(
                at, "r1", feature, key=key, command="make", passed=passed, ending="it ended"
            )

        story = [check(1, "k1", passed=True), check(2, "k2", passed=False)]
        story.append(check(3, "k3", passed=True, feature=""))
        state = fold(story)
        self.assertEqual(state.passed, {"k1", "k3"})
        self.assertEqual(state.feature("auth").last_check, Check("make", False, "it ended", 2))
        self.assertEqual(set(state.features), {"auth"})
        state = fold([events.checking(4, "r1", "auth")], state)
        self.assertEqual(state.feature("auth").status, Status.VERIFYING)

    def test_a_feature_that_never_ran_is_blank(self) -> None:
        blank = RunState().feature("auth")
        self.assertEqual(blank, FeatureState("auth"))
        self.assertEqual((blank.session_id, blank.last_outcome), ("", None))

    def test_a_new_start_forgets_and_a_resumed_one_goes_on(self) -> None:
        first = _life("r1", LATE, LATE)
        anew = _auth([*first, *_life("r2", DONE, DONE)])
        self.assertEqual([a.number for a in anew.attempts], [1])
        again = _auth([*first, _prepared(8, "r2", Action.RESUME)])
        self.assertEqual((again.start_commit, again.base_commit), ("57a7", "ba5e"))
        self.assertEqual((again.status, again.fault), (Status.PREPARING, Fault.NONE))
        resumed = _auth([*first, *_life("r2", DONE, DONE, Action.RESUME)])
        self.assertEqual([(a.number, a.resumed) for a in resumed.attempts], [(1, False), (2, True)])
        self.assertEqual([a.number for a in resumed.of_run("r2")], [2])

    def test_an_earlier_life_stands_until_the_new_one_is_based(self) -> None:
        first = _life("r1", DONE, Outcome(Status.COMPLETED, work=WORK))
        failed = Outcome(Status.FAILED, "its worktree is locked")
        found = _auth([*first, _prepared(9, "r2"), events.ended(10, "r2", "auth", failed)])
        self.assertEqual((found.status, found.reason), (Status.FAILED, "its worktree is locked"))
        self.assertEqual((found.start_commit, found.key, found.work), ("57a7", "key1", WORK))
        self.assertEqual(len(found.attempts), 1)
        based = events.based(11, "r3", _decision(), start_commit="new", base_commit="b")
        begun = _auth([*first, _prepared(9, "r3"), based])
        self.assertEqual((begun.start_commit, begun.work, begun.attempts), ("new", None, ()))

    def test_an_attempt_that_ends_without_having_started_changes_nothing(self) -> None:
        story = [_prepared(1, "r1"), events.attempt_ended(2, "r1", "auth", DONE)]
        self.assertEqual(_auth(story), _auth(story[:1]))

    def test_what_failed_tells_why(self) -> None:
        found = _auth(_life("r1", LATE, LATE))
        self.assertEqual(
            (found.status, found.reason, found.fault, found.work),
            (Status.TIMED_OUT, "no result in time", Fault.TIMEOUT, None),
        )


class LaterRuns(unittest.TestCase):
    def test_blocked_before_its_slot_leaves_the_earlier_life_as_it_was(self) -> None:
        story = _life("r1", DONE, Outcome(Status.COMPLETED, work=WORK))
        blocked = Outcome(Status.BLOCKED, "api failed")
        found = _auth([*story, events.ended(20, "r2", "auth", blocked)])
        self.assertEqual((found.status, found.reason), (Status.BLOCKED, "api failed"))
        self.assertEqual((found.run, found.started_at, found.ended_at), ("r2", None, 20))
        self.assertEqual((found.key, found.work, found.start_commit), ("key1", WORK, "57a7"))
        self.assertEqual(len(found.attempts), 1)
        self.assertEqual(found.of_run("r2"), ())

    def test_cleaning_up_keeps_what_was_merged_and_forgets_what_was_discarded(self) -> None:
        story = _life("r1", DONE, Outcome(Status.COMPLETED, work=WORK))
        for discarded in (False, True):
            event = events.cleaned(
                9, "auth", merged_into="main", kept_ref="refs/k", discarded=discarded, detail="d"
            )
            found = _auth([*story, event])
            with self.subTest(discarded=discarded):
                self.assertEqual(found.worktree, "")
                self.assertEqual((found.merged_into, found.kept_ref), ("main", "refs/k"))
                self.assertEqual(found.work, None if discarded else WORK)
                self.assertEqual(found.key, "" if discarded else "key1")
                status = Status.PENDING if discarded else Status.COMPLETED
                self.assertEqual(found.status, status)

    def test_a_merge_is_at_work_until_its_own_end(self) -> None:
        started = events.merge_started(8, "m1", into="main")
        self.assertEqual(fold([started]).merge, "m1")
        self.assertEqual(fold([started, events.merge_ended(9, "m0")]).merge, "m1")
        self.assertEqual(fold([started, events.merge_ended(9, "m1")]).merge, "")

    def landing(self, into: str, commit: str) -> Event:
        return events.landing(
            8, "m1", "auth", into=into, commit=commit, result="c0ffee", strategy="squash", tip="71b"
        )

    def test_its_last_landing_on_each_branch_is_known_until_it_starts_over(self) -> None:
        story = _life("r1", DONE, Outcome(Status.COMPLETED, work=WORK))
        landings = [self.landing("main", "1"), self.landing("develop", "2")]
        again = self.landing("main", "3")
        merged = events.merged(9, "m1", "auth", into="main", commit="3", strategy="squash")
        found = _auth([*story, *landings, again, merged])
        expected = {
            "main": Landing("3", "c0ffee", "squash", "71b", is_over=True),
            "develop": Landing("2", "c0ffee", "squash", "71b"),
        }
        self.assertEqual(found.landings, expected)
        self.assertEqual((found.status, found.work), (Status.COMPLETED, WORK))
        over = _life("r2", DONE, Outcome(Status.COMPLETED, work=WORK))
        self.assertEqual(_auth([*story, *landings, *over]).landings, {})
        self.assertEqual(_auth([*story, merged]).landings, {})

    def test_a_clash_with_another_feature_is_known_until_it_is_gone(self) -> None:
        def clash(other: str, *files: str) -> Event:
            return events.clash(8, "r1", "auth", other=other, files=files)

        story = _life("r1", DONE, Outcome(Status.COMPLETED, work=WORK))
        story += [clash("api", "a"), clash("web", "b"), clash("api", "a", "c")]
        self.assertEqual(_auth(story).clashes, {"api": ("a", "c"), "web": ("b",)})
        self.assertEqual(_auth([*story, clash("api")]).clashes, {"web": ("b",)})
        again = _life("r2", DONE, Outcome(Status.COMPLETED, work=WORK))
        self.assertEqual(_auth([*story, *again]).clashes, {})


class Runs(unittest.TestCase):
    STARTED = events.run_started(
        1, "r1", pid=42, base_branch="main", base_commit="ba5e", features=["auth"], max_parallel=2
    )

    def test_a_run_is_known_from_its_start_to_its_end(self) -> None:
        run = fold([self.STARTED]).run
        self.assertEqual(run, Run("r1", 1, 42, "main", "ba5e", ("auth",), 2))
        ended = fold([self.STARTED, events.run_ended(5, "r1", exit_code=130)]).run
        assert ended is not None
        self.assertEqual((ended.ended_at, ended.exit_code), (5, 130))

    def test_the_end_of_another_run_ends_nothing(self) -> None:
        other = events.run_ended(5, "r0", exit_code=0)
        self.assertEqual(fold([self.STARTED, other]), fold([self.STARTED]))
        self.assertIsNone(fold([other]).run)


class Folding(unittest.TestCase):
    STORY = (
        Runs.STARTED,
        *_life("r1", LATE, LATE),
        events.note(8, "r1", "a note", "auth"),
        events.run_ended(9, "r1", exit_code=1),
        *_life("r2", DONE, Outcome(Status.COMPLETED, work=WORK), Action.RESUME),
    )

    def test_all_at_once_is_the_same_as_one_after_the_other(self) -> None:
        one_by_one = RunState()
        for number, event in enumerate(self.STORY):
            before = one_by_one
            one_by_one = apply(before, event)
            self.assertEqual(one_by_one, fold(self.STORY[: number + 1]))
        self.assertEqual(fold(self.STORY[4:], fold(self.STORY[:4])), one_by_one)

    def test_a_state_is_never_changed_in_place(self) -> None:
        before = fold(self.STORY[:4])
        copy = RunState(dict(before.features), before.run)
        fold(self.STORY[4:], before)
        self.assertEqual(before, copy)

    def test_what_is_unknown_or_concerns_no_feature_changes_nothing(self) -> None:
        known = fold(self.STORY)
        strangers = [
            Event("paused", 1, "r1", "auth"),
            events.note(1, "r1", "text", "auth"),
            Event("verifying", 1, "r1"),
        ]
        for event in strangers:
            with self.subTest(event=event):
                self.assertEqual(apply(known, event), known)

    def test_missing_fields_are_blank(self) -> None:
        kinds = ("preparing", "based", "attempt_started", "cleaned", "run_started", "landing")
        found = fold(Event(kind, 1, "r1", "auth") for kind in kinds)
        self.assertEqual(found.feature("auth").attempts, (Attempt("r1", 0, "", 1),))
        self.assertEqual(found.feature("auth").inputs, {})
        self.assertEqual(found.feature("auth").landings, {"": Landing("", "", "", "")})
        self.assertEqual(found.run, Run("r1", 1, max_parallel=0))


def _steered(at: float, run: str, action: str, *, done: bool = True, force: bool = False) -> Event:
    feature = "" if action in ("pause", "resume") else "auth"
    return events.steered(
        at, run, feature, action=action, request="q", done=done, text="said", force=force
    )


class Steered(unittest.TestCase):
    def test_a_skip_stands_over_all_runs_until_a_retry(self) -> None:
        failed = _life("r1", DONE, Outcome(Status.FAILED, "red", Fault.COMMIT))
        skipped = [*failed, _steered(8, "", "skip")]
        found = _auth(skipped)
        self.assertEqual((found.status, found.skip, found.run), (Status.SKIPPED, "plain", "r1"))
        self.assertEqual(found.reason, "skipped, and what needs it does not run")
        self.assertEqual((found.started_at, found.ended_at, found.fault), (3, 8, Fault.COMMIT))
        forced = _auth([*skipped, _steered(9, "r2", "skip", force=True)])
        self.assertEqual((forced.skip, forced.run, forced.started_at), ("forced", "r2", None))
        self.assertEqual(forced.reason, "skipped, and what needs it runs without it")
        cleaned = events.cleaned(
            10, "auth", merged_into="", kept_ref="", discarded=True, detail="said"
        )
        gone = _auth([*skipped, cleaned])
        self.assertEqual((gone.status, gone.skip), (Status.SKIPPED, "plain"))
        back = _auth([*skipped, _steered(9, "", "retry")])
        self.assertEqual((back.status, back.skip, back.reason), (Status.PENDING, "", ""))
        self.assertEqual((back.session_id, back.fault), ("s1", Fault.COMMIT))
        # An older version knows of no skip: what it ran is not skipped.
        self.assertEqual(_auth([*skipped, _prepared(9, "r2")]).skip, "")

    def test_what_was_refused_or_changes_nothing_changes_nothing(self) -> None:
        failed = _life("r1", DONE, Outcome(Status.FAILED, "red"))
        for event in (
            _steered(8, "r1", "skip", done=False),
            _steered(8, "r1", "retry"),
            _steered(8, "r1", "stop"),
            Event("steered", 8, "r1", "auth"),
        ):
            self.assertEqual(_auth([*failed, event]), _auth(failed))

    def test_one_that_waits_again_keeps_what_it_left_and_belongs_to_no_run(self) -> None:
        story = _life("r1", DONE, Outcome(Status.FAILED, "red", Fault.COMMIT))
        queued = _auth([*story, events.queued(8, "r1", "auth")])
        self.assertEqual((queued.status, queued.run, queued.reason), (Status.PENDING, "", ""))
        cut = Outcome(Status.CANCELLED, "interrupted before it started")
        over = _auth([*story, events.queued(8, "r1", "auth"), events.ended(9, "r1", "auth", cut)])
        self.assertEqual((over.status, over.fault), (Status.CANCELLED, Fault.COMMIT))

    def test_a_second_life_in_a_run_is_paid_for_with_the_first(self) -> None:
        failed = Outcome(Status.EMPTY, "nothing")
        based = events.based(10, "r1", _decision(), start_commit="57a7", base_commit="ba5e")
        story = [
            *_life("r1", DONE, failed),
            *(_prepared(9, "r1"), based, *_attempted(11, "r1", 2, DONE)),
        ]
        found = _auth(story)
        self.assertEqual([attempt.number for attempt in found.attempts], [2])
        self.assertEqual([attempt.number for attempt in found.of_run("r1")], [1, 2])
        self.assertEqual(state.cost_of(found.of_run("r1")).usd, 1.0)
        later = _auth([*story, *_life("r2", DONE, failed)])
        self.assertEqual(len(later.of_run("r2")), 1)
        self.assertEqual(later.of_run("r1"), ())

    def test_a_pause_is_of_one_run(self) -> None:
        begun = events.run_started(
            *(1, "r1"), pid=1, base_branch="main", base_commit="b", features=[], max_parallel=1
        )
        cases = [
            ([], False),
            (["pause"], True),
            (["pause", "skip", "stop"], True),
            (["pause", "resume"], False),
        ]
        for actions, expected in cases:
            story = [begun, *(_steered(2, "r1", action) for action in actions)]
            run = fold(story).run
            assert run is not None
            self.assertEqual(run.is_paused, expected, actions)
        refused = [begun, _steered(2, "r1", "pause", done=False), _steered(2, "r0", "pause")]
        again = [begun, _steered(2, "r1", "pause"), begun]
        for story in (refused, again):
            run = fold(story).run
            self.assertEqual(run and run.is_paused, False)
        self.assertIsNone(fold([_steered(2, "", "skip")]).run)


class Sums(unittest.TestCase):
    def test_cost_and_tokens_add_up_over_what_is_known(self) -> None:
        known = Attempt("r1", 1, "s1", 1, outcome=DONE)
        unknown = Attempt("r1", 2, "s2", 2, outcome=LATE)
        running = Attempt("r1", 3, "s3", 3)
        cases: list[tuple[list[Attempt], float | None, bool, Usage]] = [
            ([], 0.0, True, Usage()),
            ([known, known], 1.0, True, Usage(2, 4, 6, 8)),
            ([known, unknown], 0.5, False, Usage(1, 2, 3, 4)),
            ([known, running], 0.5, False, Usage(1, 2, 3, 4)),
            ([unknown, running], None, False, Usage()),
        ]
        for attempts, cost, complete, tokens in cases:
            with self.subTest(attempts=[a.number for a in attempts]):
                summed = state.cost_of(attempts)
                self.assertEqual((summed.usd, summed.is_complete), (cost, complete))
                self.assertEqual(state.usage(attempts), tokens)

    def test_what_ended_without_a_result_is_estimated_by_what_its_model_cost_before(self) -> None:
        paid = replace(DONE, cost_usd=0.5, paid={"opus": Paid(0.5, 1000)})
        cut = Outcome(Status.CANCELLED, tokens={"opus": 400})
        other = Outcome(Status.CANCELLED, tokens={"haiku": 7})
        life = [_prepared(1, "r1"), *_attempted(2, "r1", 1, paid), *_attempted(4, "r1", 2, cut)]
        auth = fold(life).feature("auth")
        cost = auth.cost
        self.assertEqual((cost.usd, cost.about_usd, cost.is_complete), (0.5, 0.7, False))
        self.assertEqual(cost.tokens_at_least, 400)
        more = fold([*life, *_attempted(6, "r1", 3, other)]).feature("auth").cost
        self.assertEqual((more.usd, more.about_usd, more.tokens_at_least), (0.5, None, 407))

    def test_a_resumption_settles_what_its_session_cost_before(self) -> None:
        def attempt(at: float, number: int, outcome: Outcome) -> list[Event]:
            begun = events.attempt_started(
                at, "r1", "auth", attempt=number, session_id="s", resumed=number > 1, log="l"
            )
            return [begun, events.attempt_ended(at + 1, "r1", "auth", outcome)]

        cut = Outcome(Status.CANCELLED, session_id="s", tokens={"opus": 400})
        done = replace(DONE, cost_usd=0.25, session_cost_usd=1.0)
        life = [_prepared(1, "r1"), *attempt(2, 1, cut), *attempt(4, 2, cut), *attempt(6, 3, done)]
        auth = fold(life).feature("auth")
        self.assertEqual([a.cost.usd for a in auth.attempts], [0.0, 0.75, 0.25])
        self.assertTrue(auth.cost.is_complete)
        unknown = replace(done, session_cost_usd=None)
        auth = fold([*life[:5], *attempt(6, 3, unknown)]).feature("auth")
        self.assertEqual((auth.cost.usd, auth.cost.unknown), (0.25, 2))
        again = replace(cut, session_cost_usd=1.0)
        self.assertEqual(fold([*life[:5], *attempt(6, 3, again)]).feature("auth").cost.known, 0)

    def test_a_feature_costs_what_all_its_lives_did(self) -> None:
        decision = _decision()

        def based(at: float, run: str) -> Event:
            return events.based(at, run, decision, start_commit="c", base_commit="c")

        conflict = [events.of_resolution(event) for event in _attempted(7, "r1", 9, DONE)]
        story = [
            *(_prepared(1, "r1"), based(1, "r1"), *_attempted(2, "r1", 1, DONE)),
            *(based(4, "r1"), *_attempted(5, "r1", 1, LATE), *conflict),
            *(_prepared(9, "r2"), based(9, "r2"), *_attempted(10, "r2", 1, DONE)),
            *(_prepared(12, "r3"), based(12, "r3")),
        ]
        cost = fold(story).feature("auth").cost
        self.assertEqual((cost.usd, cost.known, cost.unknown), (1.5, 3, 1))


class Lists(unittest.TestCase):
    """Features of several lists under one id."""

    def test_a_list_keeps_what_is_still_its_own_after_another_one_took_the_id(self) -> None:
        mine = FeatureState(
            "auth", owner="a", branch="a/auth", worktree="/a/auth", start_commit="c0", key="k"
        )
        state = fold([events.replaced(1.0, "b", ["auth", "new"])], RunState({"auth": mine}))
        taken = state.of({"b"}).feature("auth")
        self.assertEqual((taken.branch, taken.start_commit, taken.key), ("a/auth", "c0", ""))
        given = state.of({"a"}).feature("auth")
        self.assertEqual((given.branch, given.key, given.is_replaced), ("", "k", True))
        elsewhere = replace(taken, branch="b/auth", worktree="/b/auth")
        state = replace(state, features={"auth": elsewhere})
        self.assertEqual(state.of({"a"}).feature("auth"), mine)
        self.assertEqual(state.of({"b"}).feature("auth"), elsewhere)
        back = fold([events.replaced(2.0, "a", ["auth"])], state)
        self.assertEqual(back.replaced["b", "auth"], elsewhere)
        self.assertNotIn(("a", "auth"), back.replaced)
        claimed = fold([events.claimed(3.0, "c", ["auth", "more"])], back)
        self.assertEqual(
            {id: known.owner for id, known in claimed.features.items()}, {"auth": "c", "more": "c"}
        )


if __name__ == "__main__":
    unittest.main()
