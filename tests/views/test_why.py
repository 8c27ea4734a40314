"""Why a feature is not running: from its state, the run and the decisions, in a table of cases."""

from __future__ import annotations

import unittest
from collections.abc import Sequence

from core.model import events
from core.model.control_action import ControlAction
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.fold import fold
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status, Work
from core.model.provenance import Provenance
from core.project.changed_inputs import ChangedInput
from core.views.why import Cause, Situation, Standing, Why, why

AT = 1_000_000.0
RUN = "r1"
NEEDS = {"auth": (), "api": ("auth",), "app": ("api",)}


def begun(*features: str, slots: int = 2) -> Event:
    return events.run_started(
        AT,
        RUN,
        pid=1,
        base_branch="main",
        base_commit="ba5e",
        features=features or tuple(NEEDS),
        max_parallel=slots,
    )


def prepares(id: str) -> Event:
    decision = Decision(id, Action.START, "new", "key")
    return events.preparing(AT, RUN, decision, branch=f"feature/{id}", worktree=f"/w/{id}", name=id)


def works(id: str) -> list[Event]:
    return [
        prepares(id),
        events.attempt_started(
            AT + 5, RUN, id, attempt=1, session_id="s", resumed=False, log="/l/1.jsonl"
        ),
    ]


def ends(
    id: str, status: Status, reason: str = "", fault: Fault = Fault.NONE, run: str = RUN
) -> Event:
    work = Work("c0ffee", 1) if status is Status.COMPLETED else None
    return events.ended(AT + 9, run, id, FeatureOutcome(status, reason, fault, work))


def steered(action: ControlAction, feature: str = "") -> Event:
    return events.steered(
        AT + 6, RUN, feature, action=action, request="1", done=True, text="", force=False
    )


def during(*story: Event, **more: object) -> Situation:
    """A situation in which the last run is in progress."""
    state = fold(story)
    return Situation(state, AT + 65, NEEDS, {}, lambda id: (), state.run, **more)  # type: ignore[arg-type]


def after(
    *story: Event, changed: Sequence[ChangedInput] = (), **decided: tuple[Action, str]
) -> Situation:
    """A situation without a run in progress; features that are not ``decided`` are up to date."""
    given = {id: decided.get(id, (Action.SKIP, "up to date")) for id in NEEDS}
    decisions = {id: Decision(id, action, reason) for id, (action, reason) in given.items()}
    return Situation(fold(story), AT + 65, NEEDS, decisions, lambda id: tuple(changed))


NEW = (Action.START, "new")
FAILED = (Action.START, "failed before")


class DuringARun(unittest.TestCase):
    def check(self, found: Why, standing: Standing, cause: Cause, reason: str, *more: str) -> None:
        self.assertEqual((found.standing, found.cause, found.reason), (standing, cause, reason))
        self.assertEqual(found.commands, more)

    def test_a_running_feature_says_what_it_does_and_since_when(self) -> None:
        cases = [
            (works("auth"), "Claude works (1m00s)", ""),
            (
                [prepares("auth"), events.setting_up(AT + 5, RUN, "auth")],
                "its setup runs",
                " --setup",
            ),
            ([*works("auth"), events.checking(AT + 5, RUN, "auth")], "its checks run", " --checks"),
            (
                [
                    prepares("auth"),
                    events.setting_up(AT + 5, RUN, "auth"),
                    events.ready(AT + 6, RUN, "auth", made=(), cached=("node_modules",)),
                ],
                "between two steps (59s); its setup was skipped",
                "",
            ),
        ]
        for story, doing, option in cases:
            with self.subTest(doing):
                found = why("auth", during(begun(), *story))
                self.assertEqual(found.standing, Standing.RUNNING)
                self.assertIn(f"is running: {doing}", found.reason)
                self.assertEqual(
                    found.commands,
                    (f"rorchestrator logs auth{option} --follow", "rorchestrator stop auth"),
                )

    def test_a_feature_waits_for_dependencies_and_names_what_they_do(self) -> None:
        situation = during(begun(), *works("auth"))
        found = why("api", situation)
        self.check(
            found,
            *(Standing.WAITING, Cause.DEPENDENCY, "waits for auth (running)"),
            "rorchestrator logs auth --follow",
        )
        self.assertEqual(found.waits_for, ("auth",))
        self.check(
            why("app", situation),
            *(Standing.WAITING, Cause.DEPENDENCY, "waits for api (waiting)"),
            "rorchestrator why api",
        )

    def test_a_dependency_that_is_not_in_the_run_is_not_waited_for(self) -> None:
        found = why("api", during(begun("api")))
        self.assertEqual(found.cause, Cause.PREPARATION)

    def test_a_feature_waits_for_a_slot_and_names_who_has_it(self) -> None:
        for story in ([], [prepares("api")]):
            found = why("api", during(begun("one", "api", slots=1), *works("one"), *story))
            self.check(
                found,
                *(Standing.WAITING, Cause.SLOT, "waits for a slot: 1 of 1 in use (one)"),
                "rorchestrator logs one --follow",
            )
            self.assertEqual(found.waits_for, ("one",))

    def test_a_pause_and_a_usage_limit_are_named_with_what_ends_them(self) -> None:
        self.check(
            why("auth", during(begun(), steered(ControlAction.PAUSE))),
            *(Standing.WAITING, Cause.PAUSE, "waits because you paused the run"),
            "rorchestrator resume",
        )
        found = why("auth", during(begun(), events.paused(AT, RUN, until=AT + 600)))
        self.assertEqual(found.cause, Cause.LIMIT)
        self.assertRegex(
            found.reason, r"^waits for the reset of a usage limit: 1970-01-1\d \d\d:\d\d$"
        )

    def test_what_its_user_said_is_why_it_runs_again(self) -> None:
        for reason in ("comments", "rejected"):
            found = why("auth", after(auth=(Action.RESUME, reason)))
            self.assertEqual((found.cause, found.reason), (Cause.REVIEW, f"runs again: {reason}"))

    def test_what_never_began_waits_for_a_review(self) -> None:
        self.check(
            why("auth", during(begun(), events.unreviewed(AT, RUN, count=3, limit=3))),
            *(Standing.WAITING, Cause.REVIEW),
            "waits for your review of 3 features: project.max_unreviewed is set",
            "rorchestrator review",
        )

    def test_a_feature_between_two_attempts_is_held_by_a_pause(self) -> None:
        story = [
            begun(),
            *works("auth"),
            events.attempt_ended(AT + 6, RUN, "auth", AttemptOutcome(Status.FAILED, "no")),
        ]
        self.assertIn("between two steps", why("auth", during(*story)).reason)
        paused = during(*story, steered(ControlAction.PAUSE))
        self.assertEqual(why("auth", paused).cause, Cause.PAUSE)

    def test_a_feature_with_a_free_slot_waits_for_its_worktree_or_for_money(self) -> None:
        alone = [begun("auth", "one"), prepares("auth")]
        self.assertEqual(why("auth", during(*alone)).cause, Cause.PREPARATION)
        beside = [*alone, *works("one")]
        self.assertEqual(why("auth", during(*beside)).cause, Cause.SLOT)
        cost = AttemptOutcome(Status.COMPLETED, cost_usd=0.5)
        spent = [*beside, events.attempt_ended(AT + 7, RUN, "one", cost)]
        self.check(
            why("auth", during(*spent, max_cost_usd=2.0)),
            *(Standing.WAITING, Cause.BUDGET),
            "waits for its worktree or for money: $0.50 of $2.00 is spent, more is reserved by one",
            "rorchestrator run --max-cost USD",
        )

    def test_a_feature_that_ended_in_the_run_says_how_and_what_runs_it_again(self) -> None:
        done = during(begun(), *works("auth"), ends("auth", Status.COMPLETED))
        self.check(why("auth", done), Standing.UP_TO_DATE, Cause.NONE, "completed in this run")
        story = [begun(), *works("auth"), ends("auth", Status.FAILED, "no luck")]
        blocked = during(*story, ends("api", Status.BLOCKED, "auth did not complete (failed)"))
        self.check(
            why("auth", blocked),
            *(Standing.DUE, Cause.FAILED, "failed: no luck"),
            *("rorchestrator retry auth", "rorchestrator logs auth"),
        )
        self.check(
            why("api", blocked),
            *(Standing.DUE, Cause.DEPENDENCY),
            "was blocked: auth did not complete (failed)",
            "rorchestrator retry api",
        )
        skipped = during(begun(), steered(ControlAction.SKIP, "auth"))
        self.check(
            why("auth", skipped),
            *(Standing.LEFT_OUT, Cause.SKIP, "is skipped, and its dependents do not run"),
            "rorchestrator retry auth",
        )

    def test_a_feature_that_is_not_in_the_run_waits_for_the_next_one(self) -> None:
        situation = replace(after(begun("auth"), api=NEW), run=fold([begun("auth")]).run)
        self.check(
            why("api", situation),
            *(Standing.WAITING, Cause.SELECTION),
            "is not part of the current run; the next one starts it (has never run)",
            "rorchestrator reload",
            "rorchestrator run --only api",
        )
        run = situation.run
        assert run is not None
        chosen = replace(run, provenance=Provenance(command="rorchestrator run --only=auth"))
        of_some = replace(situation, run=chosen)
        self.assertEqual(why("api", of_some).commands, ("rorchestrator run --only api",))
        self.assertEqual(why("app", situation).standing, Standing.UP_TO_DATE)


class BetweenRuns(unittest.TestCase):
    def check(
        self,
        situation: Situation,
        id: str,
        standing: Standing,
        cause: Cause,
        reason: str,
        *commands: str,
    ) -> Why:
        found = why(id, situation)
        self.assertEqual((found.standing, found.cause), (standing, cause))
        self.assertEqual((found.reason, found.commands), (reason, commands))
        return found

    def test_an_up_to_date_feature_says_so_and_how_to_run_it_again(self) -> None:
        again = "rorchestrator run --fresh=auth --only auth"
        self.check(after(), "auth", Standing.UP_TO_DATE, Cause.NONE, "is up to date", again)
        merged = Decision("auth", Action.SKIP, "merged (main holds it)", merged="main holds it")
        situation = replace(after(), decisions={"auth": merged})
        reason = "is up to date: merged (main holds it)"
        self.check(situation, "auth", Standing.UP_TO_DATE, Cause.NONE, reason, again)

    def test_a_new_feature_names_what_runs_before_it(self) -> None:
        found = self.check(
            after(auth=NEW, api=NEW),
            *("api", Standing.DUE, Cause.NEW, "has never run; auth runs first"),
            "rorchestrator run --only api",
        )
        self.assertEqual(found.waits_for, ("auth",))
        self.check(
            after(auth=NEW),
            *("auth", Standing.DUE, Cause.NEW, "has never run", "rorchestrator run --only auth"),
        )

    def test_a_skipped_feature_and_its_dependents_name_who_is_skipped(self) -> None:
        left = (Action.LEAVE, "needs auth, which does not run")
        far = (Action.LEAVE, "needs api, which does not run")
        situation = after(
            begun(),
            steered(ControlAction.SKIP, "auth"),
            auth=(Action.LEAVE, "skipped, and its dependents do not run"),
            api=left,
            app=far,
        )
        self.check(
            situation,
            *("auth", Standing.LEFT_OUT, Cause.SKIP),
            "is skipped, and its dependents do not run",
            "rorchestrator retry auth",
        )
        commands = ("rorchestrator retry auth", "rorchestrator skip auth --force")
        self.check(
            situation,
            *("api", Standing.LEFT_OUT, Cause.DEPENDENCY),
            "is left out: it needs auth, which does not run",
            *commands,
        )
        self.check(
            situation,
            *("app", Standing.LEFT_OUT, Cause.DEPENDENCY),
            "is left out: it needs api, which does not run, because auth is skipped",
            *commands,
        )

    def test_a_feature_without_a_result_says_why_and_what_to_type(self) -> None:
        cases = [
            (Status.TIMED_OUT, "late", Fault.TIMEOUT, Cause.FAILED, "timed out: late", ""),
            (Status.CANCELLED, "", Fault.INTERRUPTED, Cause.INTERRUPTED, "was cancelled", ""),
            (
                Status.CANCELLED,
                "stopped",
                Fault.NONE,
                Cause.INTERRUPTED,
                "was cancelled: stopped",
                "",
            ),
            (
                *(Status.CANCELLED, "budget: too small", Fault.BUDGET, Cause.BUDGET),
                *("was cancelled: budget: too small", " --max-cost USD"),
            ),
            (Status.FAILED, "limit", Fault.LIMIT, Cause.LIMIT, "failed: limit", ""),
        ]
        for status, reason, fault, cause, expected, option in cases:
            with self.subTest(expected):
                story = [begun(), *works("auth"), ends("auth", status, reason, fault)]
                self.check(
                    after(*story, auth=FAILED),
                    *("auth", Standing.DUE, cause, expected),
                    f"rorchestrator run --only auth{option}",
                    "rorchestrator logs auth",
                )

    def test_a_blocked_feature_names_the_dependency_that_runs_first(self) -> None:
        blocked = ends("api", Status.BLOCKED, "auth did not complete (failed)")
        found = self.check(
            after(begun(), blocked, auth=FAILED, api=NEW),
            *("api", Standing.DUE, Cause.DEPENDENCY),
            "was blocked: auth did not complete (failed)",
            *("rorchestrator why auth", "rorchestrator run --only api"),
        )
        self.assertEqual(found.waits_for, ("auth",))

    def test_a_killed_run_and_a_lost_result_are_told_apart(self) -> None:
        commands = ("rorchestrator run --only auth", "rorchestrator logs auth")
        for action, verb in ((Action.RESUME, "resumes"), (Action.START, "starts")):
            self.check(
                after(begun(), *works("auth"), auth=(action, "interrupted")),
                *("auth", Standing.DUE, Cause.INTERRUPTED),
                f"was interrupted (running): the next run {verb} it",
                *commands,
            )
        waiting = after(begun(), prepares("auth"), auth=(Action.START, "interrupted"))
        self.assertEqual(why("auth", waiting).commands, commands[:1])
        self.check(
            after(
                begun(),
                *works("auth"),
                ends("auth", Status.COMPLETED),
                auth=(Action.START, "its result is gone"),
            ),
            *("auth", Standing.DUE, Cause.GONE, "runs again: its result is gone", commands[0]),
        )

    def test_changed_inputs_are_named_with_the_dependencies_that_run_again(self) -> None:
        prompt = ChangedInput("prompt", ("prompt_file api.md",), ("-old", "+new"))
        changed = [
            prompt,
            ChangedInput("options"),
            ChangedInput("dependency auth", ("auth",)),
            ChangedInput("dependency gone", ("gone",)),
        ]
        again = (Action.START, "prompt changed")
        story = [begun(), *works("api"), ends("api", Status.COMPLETED)]
        found = self.check(
            after(*story, changed=changed, auth=again, api=again),
            *("api", Standing.DUE, Cause.CHANGED),
            "runs again: prompt changed (prompt_file api.md); options changed; its dependency auth "
            "runs again (prompt changed); it no longer depends on gone",
            *("rorchestrator run --only api", "rorchestrator merge api --stale"),
        )
        self.assertEqual(found.waits_for, ("auth",))
        self.assertEqual(found.to_json()["waits_for"], ["auth"])
        other = self.check(
            after(begun(), changed=changed[2:3], api=again),
            *("api", Standing.DUE, Cause.CHANGED),
            "runs again: its dependency auth has another result",
            "rorchestrator run --only api",
        )
        self.assertEqual(other.waits_for, ())

    def test_without_a_usable_list_only_what_is_recorded_is_told(self) -> None:
        story = [begun(), *works("auth"), ends("auth", Status.FAILED, "no luck")]
        situation = Situation(fold(story), AT, NEEDS, {}, lambda id: ())
        for id, reason in (("auth", "failed: no luck"), ("api", "pending")):
            self.check(
                situation,
                *(id, Standing.UNKNOWN, Cause.NONE),
                f"is recorded as {reason}",
                "rorchestrator plan",
            )
