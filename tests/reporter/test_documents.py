"""The JSON reports of a run, and how they are written."""

from __future__ import annotations

import json
import os
import resource
import tempfile
import unittest

from core.model import events
from core.model.control_action import ControlAction
from core.model.costs import Paid
from core.model.errors import UserError
from core.model.events import Event
from core.model.fold import fold
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, Status
from core.reporter import documents
from core.reporter.documents import RunReport
from tests.support import run_views
from tests.support.faulty import nth_call
from tests.support.story import AT, RUN, STORY


class Documents(unittest.TestCase):
    maxDiff = None

    def _run_document(self, story: list[Event]) -> dict[str, object]:
        state = fold(story)
        assert state.run is not None
        return RunReport(
            state,
            state.run,
            project_name="Shop",
            waves=(("auth", "api"), ("app",)),
            branches=("feature/auth",),
            up_to_date=("docs",),
        ).to_json()

    def test_the_report_of_a_run_adds_up(self) -> None:
        document = self._run_document(STORY)
        times = [document.pop("started_at"), document.pop("finished_at")]
        self.assertEqual(times, [documents.local_time(AT), documents.local_time(AT + 5)])
        self.assertEqual(
            document,
            {
                "project_name": "Shop",
                "run": RUN,
                "base_branch": "main",
                "base_commit": "ba5e",
                "max_parallel": 2,
                "list": None,
                "command": None,
                "versions": {"rorchestrator": None, "claude": [], "models": []},
                "exit_code": 1,
                "total_features": 3,
                "successful": 1,
                "failed": 2,
                "by_status": {"completed": 1, "failed": 1, "blocked": 1},
                "estimated_cost_usd": None,
                "estimated_wall_ms": None,
                "cost_by_model": {},
                "total_cost_usd": 0.75,
                "cost_is_complete": False,
                "max_cost_usd": None,
                "usage": {
                    "input_tokens": 1,
                    "output_tokens": 2,
                    "cache_creation_input_tokens": 3,
                    "cache_read_input_tokens": 4,
                },
                "total_duration_ms": 6000,
                "wall_ms": 5000,
                "limit_wait_ms": 0,
                "pause_ms": 0,
                "speedup": 1.2,
                "waves": [["auth", "api"], ["app"]],
                "branches_created": ["feature/auth"],
                "errors": [
                    {
                        "feature_id": "api",
                        "status": "failed",
                        "error": "no\nluck",
                        "fault": "none",
                    },
                    {
                        "feature_id": "app",
                        "status": "blocked",
                        "error": "api did not complete",
                        "fault": "none",
                    },
                ],
                "features": ["auth", "api", "app"],
                "up_to_date": ["docs"],
                "left_out": [],
                "waste": [
                    {
                        "kind": "thrown_away",
                        "words": "attempts thrown away",
                        "count": 2,
                        "cost_usd": 0.25,
                        "seconds": 4,
                    },
                    {
                        "kind": "idle_slots",
                        "words": "idle slots",
                        "count": 2,
                        "cost_usd": None,
                        "seconds": 4,
                    },
                ],
                "advice": [
                    {
                        "text": "split api: it did not complete",
                        "cost_usd": 0.25,
                        "seconds": 4,
                    },
                ],
            },
        )

    def test_a_report_tells_what_the_run_was_started_with_and_what_was_expected(self) -> None:
        document = self._run_document(run_views.STORY)
        expected = {
            "list": "config/feature_list.json",
            "command": "rorchestrator run --yes",
            "versions": {
                "rorchestrator": "1.2.3",
                "claude": ["2.1.330"],
                "models": ["claude-opus"],
            },
            "estimated_cost_usd": 1.5,
            "estimated_wall_ms": 180_000,
            # To a millionth of a dollar.
            "total_cost_usd": 0.37037,
            "cost_by_model": {"claude-opus": 0.3, "claude-haiku": 0.07037},
        }
        self.assertEqual({key: document[key] for key in expected}, expected)

    def test_it_tells_how_long_nothing_was_started(self) -> None:
        def pause(at: float, action: str) -> Event:
            return events.steered(
                at, RUN, "", action=ControlAction(action), request="1", done=True, text=""
            )

        document = self._run_document(
            [
                *STORY[:-1],
                events.paused(AT + 1, RUN, until=AT + 2),
                events.paused(AT + 1.5, RUN, until=AT + 2.5),
                events.paused(AT + 2.5, RUN, until=0),
                pause(AT + 3, "pause"),
                pause(AT + 3.25, "pause"),
                STORY[-1],
            ]
        )
        self.assertEqual((document["limit_wait_ms"], document["pause_ms"]), (1500, 2000))

    def test_a_run_that_took_no_time_has_no_speedup_to_tell(self) -> None:
        document = self._run_document(STORY[:1])
        self.assertEqual((document["wall_ms"], document["speedup"]), (0, 1.0))

    def test_the_report_of_a_feature_tells_every_attempt(self) -> None:
        document = documents.feature_document(fold(STORY).feature("api"))
        self.assertEqual(document["status"], "failed")
        self.assertIs(document["success"], False)
        self.assertEqual((document["cost_usd"], document["cost_is_complete"]), (0.25, False))
        self.assertEqual((document["duration_ms"], document["num_turns"]), (4000, 2))
        self.assertEqual(document["error"], "no\nluck")
        self.assertEqual(document["resume_command"], "cd /w/api && claude --resume s2")
        self.assertEqual((document["commit"], document["files_changed"]), (None, 0))
        self.assertEqual(
            document["attempts"],
            [
                {
                    "attempt": 1,
                    "session_id": "s1",
                    "resumed": False,
                    "status": "timed_out",
                    "reason": "late",
                    "cost_usd": None,
                    "model": "",
                    "started_at": documents.local_time(AT),
                    "finished_at": documents.local_time(AT + 2),
                    "log": "/l/api.1.jsonl",
                },
                {
                    "attempt": 2,
                    "session_id": "s2",
                    "resumed": True,
                    "status": "failed",
                    "reason": "no",
                    "cost_usd": 0.25,
                    "model": "",
                    "started_at": documents.local_time(AT),
                    "finished_at": documents.local_time(AT + 2),
                    "log": "/l/api.2.jsonl",
                },
            ],
        )

    def test_an_attempt_without_a_result_is_estimated(self) -> None:
        done = AttemptOutcome(Status.COMPLETED, cost_usd=0.5, paid={"opus": Paid(0.5, 1000)})
        cut = AttemptOutcome(Status.CANCELLED, tokens={"opus": 400})
        story = [
            event
            for number, outcome in enumerate((done, cut), 1)
            for event in (
                events.attempt_started(
                    1, "r1", "a", attempt=number, session_id="s", resumed=False, log=""
                ),
                events.attempt_ended(2, "r1", "a", outcome),
            )
        ]
        known = replace(fold(story).feature("a"), run="r1")
        document = documents.feature_document(known)
        self.assertEqual((document["cost_usd"], document["cost_about_usd"]), (0.5, 0.7))
        self.assertEqual(document["tokens_at_least"], 400)
        attempts = document["attempts"]
        assert isinstance(attempts, list)
        self.assertEqual((attempts[1]["cost_usd"], attempts[1]["cost_about_usd"]), (None, 0.2))
        self.assertNotIn("cost_about_usd", attempts[0])

    def test_the_report_of_a_finished_feature_tells_what_it_made(self) -> None:
        document = documents.feature_document(fold(STORY).feature("auth"))
        expected = {
            "feature_id": "auth",
            "name": "Auth",
            "success": True,
            "result": "Built it.",
            "branch": "feature/auth",
            "worktree": "/w/auth",
            "commit": "c0ffee",
            "files_changed": 3,
            "insertions": 12,
            "deletions": 4,
            "held_back": [".env"],
            "denied_tools": ["WebFetch"],
            "error": None,
        }
        self.assertEqual({key: document[key] for key in expected}, expected)

    def test_the_report_of_a_feature_that_never_started_invents_nothing(self) -> None:
        document = documents.feature_document(fold(STORY).feature("app"))
        for key in ("started_at", "commit", "resume_command"):
            self.assertIsNone(document[key], key)
        self.assertEqual((document["cost_usd"], document["cost_is_complete"]), (0.0, True))
        self.assertEqual((document["attempts"], document["duration_ms"]), ([], 0))
        going_on = documents.feature_document(fold(STORY[:3]).feature("auth"))
        attempts = going_on["attempts"]
        assert isinstance(attempts, list)
        self.assertIsNone(attempts[0]["status"])
        self.assertIsNone(going_on["finished_at"])

    def test_times_carry_their_zone(self) -> None:
        self.assertRegex(str(documents.local_time(AT)), r"T\d\d:\d\d:\d\d\.000[+-]\d\d:\d\d$")
        self.assertIsNone(documents.local_time(None))


class Writing(unittest.TestCase):
    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(temporary.cleanup)
        self.folder = os.path.join(temporary.name, "reports")

    def test_both_reports_are_written_beside_a_gitignore_of_their_own(self) -> None:
        paths = documents.write_reports(self.folder, {"run": "é"}, [{"feature_id": "a"}], AT)
        self.assertEqual([os.path.basename(p).split("_")[0] for p in paths], ["report", "results"])
        self.assertRegex(paths[0], r"/report_\d{8}_\d{6}\.json$")
        contents = []
        for path in paths:
            with open(path, encoding="utf-8") as file:
                contents.append(json.load(file))
        self.assertEqual(contents, [{"run": "é"}, [{"feature_id": "a"}]])
        self.assertEqual(len(os.listdir(self.folder)), 3)
        with open(os.path.join(self.folder, ".gitignore")) as file:
            self.assertEqual(file.read(), "*\n")

    def test_runs_of_the_same_second_do_not_overwrite_each_other(self) -> None:
        names = [documents.write_reports(self.folder, {}, [], AT)[0] for _ in range(3)]
        self.assertEqual(len(set(names)), 3)
        self.assertTrue(names[2].endswith("_3.json"), names)

    def test_a_folder_that_can_not_be_written_to_is_named(self) -> None:
        with open(self.folder, "w") as file:
            file.write("in the way")
        with self.assertRaises(UserError) as raised:
            documents.write_reports(self.folder, {}, [], AT)
        self.assertIn(self.folder, raised.exception.message)
        self.assertIn("rorchestrator status", raised.exception.hint)

    def test_a_document_is_written_whole_or_not_at_all(self) -> None:
        in_the_way = os.path.join(self.folder, "report.json")
        os.makedirs(in_the_way)
        for path in (in_the_way, os.path.join(self.folder, "no", "such", "folder.json")):
            with self.assertRaises(OSError):
                documents.write_whole(path, "{}")
        self.assertEqual(os.listdir(self.folder), ["report.json"])

    def test_whichever_fsync_or_rename_fails_no_half_report_is_left(self) -> None:
        with nth_call("fsync", 0) as calls:
            self.assert_whole(documents.write_reports(self.folder, {}, [{}], AT), 3)
        for name in ("fsync", "replace"):
            for nth in range(1, calls[0] + 1):
                with self.subTest(name=name, nth=nth), tempfile.TemporaryDirectory() as folder:
                    with nth_call(name, nth) as made, self.assertRaises(UserError) as raised:
                        documents.write_reports(folder, {}, [{}], AT)
                    self.assertIn("Input/output error", raised.exception.message)
                    self.assertEqual(made, [nth])
                    self.assert_whole([os.path.join(folder, n) for n in os.listdir(folder)], nth)

    def test_wherever_the_disk_is_full_no_half_report_is_left(self) -> None:
        size = os.path.getsize(documents.write_reports(self.folder, {"run": "x"}, [], AT)[0])
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        for room in range(size):
            with self.subTest(room=room), tempfile.TemporaryDirectory() as folder:
                resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
                try:
                    with self.assertRaises(UserError):
                        documents.write_reports(folder, {"run": "x"}, [], AT)
                finally:
                    resource.setrlimit(resource.RLIMIT_FSIZE, before)
                self.assertLessEqual(set(os.listdir(folder)), {".gitignore"})

    def assert_whole(self, paths: list[str], most: int) -> None:
        """Fewer reports than ``most``, each whole."""
        reports = [path for path in paths if not path.endswith(".gitignore")]
        self.assertLess(len(reports), most)
        for path in reports:
            self.assertTrue(path.endswith(".json"), path)
            with open(path, encoding="utf-8") as file:
                json.load(file)
