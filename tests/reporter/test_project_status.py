"""The status of a project as values, and its JSON."""

from __future__ import annotations

import unittest

from core.model.attempt import Attempt
from core.model.fold import fold
from core.model.frozen import replace
from core.model.outcome import Status, Stray, Work
from core.model.review import Answer, Review
from core.model.state import Check, FeatureState, Run
from core.model.window import Window
from core.reporter.documents import local_time
from core.reporter.project_status import Checkout, PredictedConflict
from tests.support.statuses import FEATURE, HOLDER, PROJECT
from tests.support.story import AT, RUN, STORY


class TheJson(unittest.TestCase):
    maxDiff = None

    def test_a_predicted_conflict_names_files_and_why_it_is_unknown(self) -> None:
        conflict = PredictedConflict("api", ("a.py", "and 3 more"))
        document = {"with": "api", "files": ["a.py", "and 3 more"]}
        self.assertEqual(conflict.to_json(), document)
        unknown = replace(conflict, unknown="a merge driver decides").to_json()
        self.assertEqual(unknown, {**document, "unknown": "a merge driver decides"})

    def test_a_checkout_has_null_for_what_is_not_there(self) -> None:
        document = Checkout().to_json()
        self.assertEqual(
            list(document),
            [
                *("branch", "commit", "ahead", "merged", "unknown", "by_hand", "worktree"),
                *("uncommitted", "maybe_changed", "clashes", "problem"),
            ],
        )
        self.assertEqual([*document.values()], [None, None, 0, *[None] * 4, [], [], [], None])

    def test_a_checkout_tells_everything(self) -> None:
        checkout = Checkout(
            branch="feature/auth",
            commit="c0ffee",
            ahead=2,
            merged="ancestor",
            unknown="u",
            by_hand="h",
            worktree="/w/auth",
            uncommitted=("a.py",),
            maybe_changed=(("b.bin", "lfs"),),
            conflicts=(PredictedConflict("api", ()),),
            problem="p",
        )
        self.assertEqual(
            checkout.to_json(),
            {
                "branch": "feature/auth",
                "commit": "c0ffee",
                "ahead": 2,
                "merged": "ancestor",
                "unknown": "u",
                "by_hand": "h",
                "worktree": "/w/auth",
                "uncommitted": ["a.py"],
                "maybe_changed": [{"file": "b.bin", "filter": "lfs"}],
                "clashes": [{"with": "api", "files": []}],
                "problem": "p",
            },
        )

    def test_a_feature_has_what_the_journal_knows_and_what_git_knows(self) -> None:
        state = fold(STORY).feature("api")
        check = Check("make test", False, "exit 2", AT)
        state = replace(state, last_check=check, owner="list.json")
        document = replace(FEATURE, state=state, name="API").to_json()
        times = [document.pop("started_at"), document.pop("finished_at")]
        self.assertEqual(times, [local_time(AT), local_time(AT + 4)])
        self.assertEqual(
            document,
            {
                "id": "api",
                "name": "API",
                "in_list": True,
                "list": "list.json",
                "status": "failed",
                "active": False,
                "out_of_date": None,
                "reason": "no\nluck",
                "cost_usd": 0.25,
                "cost_is_complete": False,
                "resolution_cost_usd": 0.0,
                "duration_seconds": 4.0,
                "attempts": 2,
                "session_id": "s2",
                "fault": "none",
                "set_up": False,
                "setup_cached": [],
                "last_check": {
                    "command": "make test",
                    "passed": False,
                    "ending": "exit 2",
                    "at": local_time(AT),
                },
                "review": {"answer": None, "open_comments": 0},
                "pull_request": None,
                **Checkout().to_json(),
            },
        )

    def test_an_acceptance_is_of_a_commit_and_a_rejection_lasts(self) -> None:
        work, both = Work("c0ffee"), (Answer.ACCEPTED, Answer.REJECTED)
        for tip, expected in (("", both), ("c0ffee", both), ("other", (None, Answer.REJECTED))):
            for answer, found in zip(both, expected):
                state = FeatureState("auth", work=work, review=Review(answer, "c0ffee"))
                status = replace(FEATURE, state=state, checkout=Checkout(commit=tip))
                self.assertEqual(status.answer, found)
        nothing = FeatureState("auth", review=Review(Answer.ACCEPTED, "c0ffee"))
        self.assertIsNone(replace(FEATURE, state=nothing).answer)

    def test_a_project_has_its_features_and_the_last_run(self) -> None:
        run = Run(RUN, AT, pid=7, ended_at=AT + 5, exit_code=1)
        stray = Stray("/w/x", "x", "c0ffee")
        project = replace(
            PROJECT,
            features=(FEATURE,),
            run=run,
            holder=HOLDER,
            claude="2.1.0",
            other_lists=("b.json",),
            strays=(("auth", stray), ("", stray)),
            windows=(Window("five_hour", 0.62, AT + 60, AT),),
            list_fault="no list",
        )
        where = {"worktree": "/w/x", "branch": "x", "commit": "c0ffee"}
        document = project.to_json()
        self.assertEqual(document.pop("features"), [FEATURE.to_json()])
        self.assertEqual(
            document,
            {
                "project_name": "Shop",
                "repository": "/shop",
                "base_branch": "main",
                "base_commit": "ba5e",
                "config": "/shop/list.json",
                "list": "list.json",
                "other_lists": ["b.json"],
                "claude": "2.1.0",
                "running": {"pid": 7, "started_at": HOLDER.started_at, "command": "run"},
                "paused": False,
                "unreviewed": 0,
                "last_run": {
                    "run": RUN,
                    "list": None,
                    "started_at": local_time(AT),
                    "finished_at": local_time(AT + 5),
                    "exit_code": 1,
                    "paused_until": None,
                },
                "windows": [
                    {
                        "type": "five_hour",
                        "utilization": 0.62,
                        "resets_at": local_time(AT + 60),
                    }
                ],
                "list_fault": "no list",
                "setup_cache": [],
                "strays": [{"feature": "auth", **where}, {"feature": None, **where}],
            },
        )

    def test_the_order_of_the_keys_is_part_of_it(self) -> None:
        self.assertEqual(
            list(PROJECT.to_json()),
            [
                *("project_name", "repository", "base_branch", "base_commit", "config", "list"),
                *(
                    "other_lists",
                    "claude",
                    "running",
                    "paused",
                    "unreviewed",
                    "last_run",
                    "features",
                ),
                *("windows", "list_fault", "setup_cache", "strays"),
            ],
        )
        self.assertEqual(
            list(FEATURE.to_json())[:24],
            [
                *("id", "name", "in_list", "list", "status", "active", "out_of_date", "reason"),
                *("cost_usd", "cost_is_complete", "resolution_cost_usd", "duration_seconds"),
                "started_at",
                *("finished_at", "attempts", "session_id", "fault", "set_up", "setup_cached"),
                "last_check",
                "review",
                *("pull_request", "branch", "commit"),
            ],
        )

    def test_a_project_without_a_run_has_null_for_it(self) -> None:
        document = PROJECT.to_json()
        empty = {name for name, value in document.items() if value is None}
        self.assertEqual(empty, {"claude", "running", "last_run", "list_fault"})


class AFeature(unittest.TestCase):
    def test_a_feature_of_a_killed_run_is_interrupted(self) -> None:
        state = FeatureState("auth", status=Status.RUNNING)
        self.assertEqual(replace(FEATURE, state=state).status, "interrupted")
        self.assertEqual(replace(FEATURE, state=state, is_active=True).status, "running")

    def test_its_duration_is_known_from_start_to_end_or_to_now(self) -> None:
        for started, ended, is_active, expected in (
            (None, None, False, None),
            (AT - 9, None, False, None),
            (AT - 9, None, True, 9.0),
            (AT - 9, AT - 7.50004, False, 1.5),
            (AT, AT - 7, False, 0.0),
        ):
            with self.subTest(started=started, ended=ended, is_active=is_active):
                state = FeatureState("auth", started_at=started, ended_at=ended)
                feature = replace(FEATURE, state=state, is_active=is_active)
                self.assertEqual(feature.duration_seconds, expected)

    def test_an_unfinished_resolution_has_no_cost(self) -> None:
        state = FeatureState("auth", resolutions=(Attempt(RUN, 1, "s", AT),))
        self.assertIsNone(replace(FEATURE, state=state).resolution_cost_usd)


class APausedRun(unittest.TestCase):
    def test_only_the_run_that_holds_the_lock_is_paused(self) -> None:
        run = Run(RUN, AT, pid=7, is_paused=True)
        for holder, last, expected in (
            (HOLDER, run, True),
            (HOLDER, replace(run, is_paused=False), False),
            (HOLDER, replace(run, pid=8), False),
            (HOLDER, None, False),
            (None, run, False),
        ):
            with self.subTest(holder=holder, last=last):
                status = replace(PROJECT, holder=holder, run=last)
                self.assertEqual(status.is_paused, expected)


if __name__ == "__main__":
    unittest.main()
