"""The fold: what is known of runs and features after any number of events."""

from __future__ import annotations

import unittest

from core.model import events
from core.model.attempt import Attempt, cost_of
from core.model.decision import Action
from core.model.events import Event
from core.model.fold import apply, fold
from core.model.outcome import Fault, FeatureOutcome, Status
from core.model.state import Check, FeatureState, Landing, Run, RunState, Skip
from core.model.strategy import Strategy
from tests.support.lives import DONE, LATE, WORK, attempted, auth, decision, life, prepared, steered


class FeatureRun(unittest.TestCase):
    def test_each_event_moves_the_feature_on(self) -> None:
        story = life("r1", DONE, FeatureOutcome(Status.COMPLETED, work=WORK))
        expected = [
            Status.PREPARING,
            Status.PREPARING,
            Status.RUNNING,
            Status.RUNNING,
            Status.VERIFYING,
            Status.COMMITTING,
            Status.COMPLETED,
        ]
        seen = [auth(story[: number + 1]).status for number in range(len(story))]
        self.assertEqual(seen, expected)

    def test_at_its_end_everything_is_known(self) -> None:
        found = auth(life("r1", DONE, FeatureOutcome(Status.COMPLETED, work=WORK)))
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
                phase_at=7,
                started_at=3,
                in_slot=True,
                ended_at=7,
                attempts=(attempt,),
                work=WORK,
                work_start="57a7",
                published=("r1", 1),
            ),
        )
        self.assertEqual(found.session_id, "s1")
        self.assertEqual(found.last_outcome, DONE)

    def test_its_time_begins_with_the_first_attempt_of_the_run_and_not_while_it_waits(self) -> None:
        again = [*attempted(4, "r1", 1, DONE), *attempted(6, "r1", 2, DONE)]
        self.assertEqual(auth([prepared(1, "r1")]).started_at, 1)
        self.assertEqual(auth([prepared(1, "r1"), *again]).started_at, 4)

    def test_a_setup_begins_its_time_and_what_it_made_is_nobodys_work(self) -> None:
        based = events.based(2, "r1", decision(), start_commit="57a7", base_commit="ba5e")
        story = [prepared(1, "r1"), based]
        self.assertEqual(auth(story).made_before_work, ())
        story.append(events.setting_up(3, "r1", "auth"))
        begun = auth(story)
        self.assertEqual((begun.in_slot, begun.started_at, begun.was_set_up), (True, 3, True))
        self.assertEqual((begun.is_ready, begun.made_before_work), (False, None))
        story.append(events.ready(4, "r1", "auth", made=[".env"]))
        ready = auth(story)
        self.assertEqual((ready.is_ready, ready.made_before_work), (True, None))
        story += attempted(5, "r1", 1, DONE)
        self.assertEqual((auth(story).started_at, auth(story).made_before_work), (3, (".env",)))
        story.append(events.setting_up(7, "r2", "auth"))
        again = auth(story)
        self.assertEqual((again.is_ready, again.made_before_work), (False, (".env",)))
        anew = auth([*story, based])
        self.assertEqual((anew.was_set_up, anew.is_ready, anew.made), (False, False, ()))

    def test_a_skipped_setup_is_one_until_the_feature_starts_over(self) -> None:
        based = events.based(2, "r1", decision(), start_commit="57a7", base_commit="ba5e")
        story = [based, events.ready(4, "r1", "auth", made=[], cached=["node_modules"])]
        self.assertEqual(auth(story).setup_cached, ("node_modules",))
        self.assertEqual(auth([*story, based]).setup_cached, ())

    def test_the_last_entries_of_the_setup_cache_are_known_by_their_digests(self) -> None:
        def stored(number: int, digest: str) -> Event:
            return events.setup_stored(1, "r1", key=f"k{number}", digest=digest, folders=(), size=1)

        many = [stored(number, "old") for number in range(100)]
        known = fold([*many, stored(99, "new"), stored(40, "new")]).stored
        self.assertEqual((len(known), known["k99"], known["k40"]), (64, "new", "new"))
        self.assertNotIn("k35", known)

    def test_a_check_is_remembered_by_feature_and_a_passing_one_by_its_key(self) -> None:
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

    def test_a_new_start_forgets_the_past_and_a_resumed_feature_continues(self) -> None:
        first = life("r1", LATE)
        anew = auth([*first, *life("r2", DONE)])
        self.assertEqual([a.number for a in anew.attempts], [1])
        again = auth([*first, prepared(8, "r2", Action.RESUME)])
        self.assertEqual((again.start_commit, again.base_commit), ("57a7", "ba5e"))
        self.assertEqual((again.status, again.fault), (Status.PREPARING, Fault.NONE))
        resumed = auth([*first, *life("r2", DONE, action=Action.RESUME)])
        self.assertEqual([(a.number, a.resumed) for a in resumed.attempts], [(1, False), (2, True)])
        self.assertEqual([a.number for a in resumed.of_run("r2")], [2])

    def test_an_earlier_life_stands_until_the_new_one_is_based(self) -> None:
        first = life("r1", DONE, FeatureOutcome(Status.COMPLETED, work=WORK))
        failed = FeatureOutcome(Status.FAILED, "its worktree is locked")
        found = auth([*first, prepared(9, "r2"), events.ended(10, "r2", "auth", failed)])
        self.assertEqual((found.status, found.reason), (Status.FAILED, "its worktree is locked"))
        self.assertEqual((found.start_commit, found.key, found.work), ("57a7", "key1", WORK))
        self.assertEqual(len(found.attempts), 1)
        based = events.based(11, "r3", decision(), start_commit="new", base_commit="b")
        begun = auth([*first, prepared(9, "r3"), based])
        self.assertEqual((begun.start_commit, begun.work, begun.attempts), ("new", None, ()))

    def test_an_attempt_that_ends_without_having_started_changes_nothing(self) -> None:
        story = [prepared(1, "r1"), events.attempt_ended(2, "r1", "auth", DONE)]
        self.assertEqual(auth(story).attempts, ())

    def test_a_failure_gives_its_reason(self) -> None:
        found = auth(life("r1", LATE))
        self.assertEqual(
            (found.status, found.reason, found.fault, found.work),
            (Status.TIMED_OUT, "no result within the time limit", Fault.TIMEOUT, None),
        )


class LaterRuns(unittest.TestCase):
    def test_blocked_before_its_slot_leaves_the_earlier_life_as_it_was(self) -> None:
        story = life("r1", DONE, FeatureOutcome(Status.COMPLETED, work=WORK))
        blocked = FeatureOutcome(Status.BLOCKED, "api failed")
        found = auth([*story, events.ended(20, "r2", "auth", blocked)])
        self.assertEqual((found.status, found.reason), (Status.BLOCKED, "api failed"))
        self.assertEqual((found.run, found.started_at, found.ended_at), ("r2", None, 20))
        self.assertEqual((found.key, found.work, found.start_commit), ("key1", WORK, "57a7"))
        self.assertEqual(len(found.attempts), 1)
        self.assertEqual(found.of_run("r2"), ())

    def test_cleaning_up_keeps_what_was_merged_and_forgets_what_was_discarded(self) -> None:
        story = life("r1", DONE, FeatureOutcome(Status.COMPLETED, work=WORK))
        for discarded in (False, True):
            event = events.cleaned(
                9, "auth", merged_into="main", kept_ref="refs/k", discarded=discarded, detail="d"
            )
            found = auth([*story, event])
            with self.subTest(discarded=discarded):
                self.assertEqual(found.worktree, "")
                self.assertEqual((found.merged_into, found.kept_ref), ("main", "refs/k"))
                self.assertEqual(found.work, None if discarded else WORK)
                self.assertEqual(found.key, "" if discarded else "key1")
                status = Status.PENDING if discarded else Status.COMPLETED
                self.assertEqual(found.status, status)

    def test_a_merge_is_in_progress_until_its_own_end(self) -> None:
        started = events.merge_started(8, "m1", into="main")
        self.assertEqual(fold([started]).merge, "m1")
        self.assertEqual(fold([started, events.merge_ended(9, "m0")]).merge, "m1")
        self.assertEqual(fold([started, events.merge_ended(9, "m1")]).merge, "")

    def landing(self, into: str, commit: str) -> Event:
        return events.landing(
            8,
            "m1",
            "auth",
            into=into,
            commit=commit,
            result="c0ffee",
            strategy=Strategy.SQUASH,
            tip="71b",
        )

    def test_the_last_landing_on_each_branch_is_known_until_the_feature_starts_over(self) -> None:
        story = life("r1", DONE, FeatureOutcome(Status.COMPLETED, work=WORK))
        landings = [self.landing("main", "1"), self.landing("develop", "2")]
        again = self.landing("main", "3")
        merged = events.merged(9, "m1", "auth", into="main", commit="3", strategy=Strategy.SQUASH)
        found = auth([*story, *landings, again, merged])
        expected = {
            "main": Landing("3", "c0ffee", Strategy.SQUASH, "71b", is_over=True),
            "develop": Landing("2", "c0ffee", Strategy.SQUASH, "71b"),
        }
        self.assertEqual(found.landings, expected)
        self.assertEqual((found.status, found.work), (Status.COMPLETED, WORK))
        over = life("r2", DONE, FeatureOutcome(Status.COMPLETED, work=WORK))
        self.assertEqual(auth([*story, *landings, *over]).landings, {})
        self.assertEqual(auth([*story, merged]).landings, {})

    def test_a_clash_with_another_feature_is_known_until_it_is_gone(self) -> None:
        def clash(other: str, *files: str) -> Event:
            return events.clash(8, "r1", "auth", other=other, files=files)

        story = life("r1", DONE, FeatureOutcome(Status.COMPLETED, work=WORK))
        story += [clash("api", "a"), clash("web", "b"), clash("api", "a", "c")]
        self.assertEqual(auth(story).clashes, {"api": ("a", "c"), "web": ("b",)})
        self.assertEqual(auth([*story, clash("api")]).clashes, {"web": ("b",)})
        again = life("r2", DONE, FeatureOutcome(Status.COMPLETED, work=WORK))
        self.assertEqual(auth([*story, *again]).clashes, {})


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
        *life("r1", LATE),
        events.note(8, "r1", "a note", "auth"),
        events.run_ended(9, "r1", exit_code=1),
        *life("r2", DONE, FeatureOutcome(Status.COMPLETED, work=WORK), Action.RESUME),
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

    def test_unknown_events_and_those_of_no_feature_change_nothing(self) -> None:
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
        self.assertEqual(found.feature("auth").landings, {"": Landing("", "", None, "")})
        self.assertEqual(found.run, Run("r1", 1, max_parallel=0))


class Steered(unittest.TestCase):
    def test_a_skip_stands_over_all_runs_until_a_retry(self) -> None:
        failed = life("r1", DONE, FeatureOutcome(Status.FAILED, "red", Fault.COMMIT))
        skipped = [*failed, steered(8, "", "skip")]
        found = auth(skipped)
        self.assertEqual((found.status, found.skip, found.run), (Status.SKIPPED, Skip.PLAIN, "r1"))
        self.assertEqual(found.reason, "skipped, and its dependents do not run")
        self.assertEqual((found.started_at, found.ended_at, found.fault), (3, 8, Fault.COMMIT))
        forced = auth([*skipped, steered(9, "r2", "skip", force=True)])
        self.assertEqual((forced.skip, forced.run, forced.started_at), (Skip.FORCED, "r2", None))
        self.assertEqual(forced.reason, "skipped, and its dependents run without it")
        cleaned = events.cleaned(
            10, "auth", merged_into="", kept_ref="", discarded=True, detail="said"
        )
        gone = auth([*skipped, cleaned])
        self.assertEqual((gone.status, gone.skip), (Status.SKIPPED, Skip.PLAIN))
        back = auth([*skipped, steered(9, "", "retry")])
        self.assertEqual((back.status, back.skip, back.reason), (Status.PENDING, None, ""))
        self.assertEqual((back.session_id, back.fault), ("s1", Fault.COMMIT))
        # An older version knows of no skip: what it ran is not skipped.
        self.assertEqual(auth([*skipped, prepared(9, "r2")]).skip, None)

    def test_refused_and_ineffective_requests_change_nothing(self) -> None:
        failed = life("r1", DONE, FeatureOutcome(Status.FAILED, "red"))
        for event in (
            steered(8, "r1", "skip", done=False),
            steered(8, "r1", "retry"),
            steered(8, "r1", "stop"),
            Event("steered", 8, "r1", "auth"),
        ):
            self.assertEqual(auth([*failed, event]), auth(failed))

    def test_a_requeued_feature_keeps_its_leftovers_and_belongs_to_no_run(self) -> None:
        story = life("r1", DONE, FeatureOutcome(Status.FAILED, "red", Fault.COMMIT))
        queued = auth([*story, events.queued(8, "r1", "auth")])
        self.assertEqual((queued.status, queued.run, queued.reason), (Status.PENDING, "", ""))
        cut = FeatureOutcome(Status.CANCELLED, "interrupted before it started")
        over = auth([*story, events.queued(8, "r1", "auth"), events.ended(9, "r1", "auth", cut)])
        self.assertEqual((over.status, over.fault), (Status.CANCELLED, Fault.COMMIT))

    def test_a_second_life_in_a_run_is_paid_for_with_the_first(self) -> None:
        failed = FeatureOutcome(Status.EMPTY, "nothing")
        based = events.based(10, "r1", decision(), start_commit="57a7", base_commit="ba5e")
        story = [
            *life("r1", DONE, failed),
            *(prepared(9, "r1"), based, *attempted(11, "r1", 2, DONE)),
        ]
        found = auth(story)
        self.assertEqual([attempt.number for attempt in found.attempts], [2])
        self.assertEqual([attempt.number for attempt in found.of_run("r1")], [1, 2])
        self.assertEqual(cost_of(found.of_run("r1")).usd, 1.0)
        later = auth([*story, *life("r2", DONE, failed)])
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
            story = [begun, *(steered(2, "r1", action) for action in actions)]
            run = fold(story).run
            assert run is not None
            self.assertEqual(run.is_paused, expected, actions)
        refused = [begun, steered(2, "r1", "pause", done=False), steered(2, "r0", "pause")]
        again = [begun, steered(2, "r1", "pause"), begun]
        for story in (refused, again):
            run = fold(story).run
            self.assertEqual(run and run.is_paused, False)
        self.assertIsNone(fold([steered(2, "", "skip")]).run)


if __name__ == "__main__":
    unittest.main()
