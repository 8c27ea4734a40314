"""``run``, end to end: the whole command, real git, the simulated agent."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import time
import unittest
import unittest.mock
from collections.abc import Mapping

from core.journal.journal import Journal
from core.model import events
from core.process.supervisor import MARK
from core.runner import feature_run
from tests.support.commands import MEASURED, CommandResult, read_text, terminal
from tests.support.diamond import DIAMOND, diamond
from tests.support.event_schema import HAS_JSONSCHEMA, faults_of
from tests.support.once import once
from tests.support.runs import FULL_LIFE, RunTest, read_until
from tests.support.workspace import Json, Workspace, feature


class DiamondTest(unittest.TestCase):
    """One run of four features, with the list inside the repository, looked at from all sides."""

    workspace: Workspace
    done: CommandResult
    events: str
    before: tuple[str, str, bytes, bytes]

    @classmethod
    def setUpClass(cls) -> None:
        place = cls.workspace = Workspace()
        cls.addClassCleanup(place.close)
        place.features(*diamond(place))
        place.commit({}, "the list")
        cls.before = place.seen_by_user()
        cls.events = place.beside("of a run", "events.jsonl")
        cls.done = place.run("--json", "--events", cls.events)
        assert cls.done.code == 0, cls.done.err

    def test_features_that_do_not_need_each_other_ran_at_the_same_time(self) -> None:
        events = [(e["event"], e.get("feature")) for e in self.workspace.journal()]
        starts = [events.index(("attempt_started", id)) for id in ("storage", "search")]
        ends = [events.index(("ended", id)) for id in ("storage", "search")]
        self.assertLess(max(starts), min(ends))

    def test_the_last_branch_holds_the_work_of_all_four(self) -> None:
        expected = {f"{id}.py" for id in DIAMOND}
        found = self.workspace.added("feature/app")
        self.assertEqual(found - {"config/feature_list.json"}, expected)

    def test_each_branch_is_at_its_result(self) -> None:
        for id, result in self.workspace.results().items():
            commit = self.workspace.commit_of(result["branch"])
            self.assertEqual([commit], self.workspace.ref(id))
            self.assertEqual(commit, result["commit"])

    def test_the_journal_tells_the_life_of_each_feature(self) -> None:
        for id in DIAMOND:
            self.assertEqual([k for k in self.workspace.kinds(id) if k != "note"], FULL_LIFE)
        first, *_, last = self.workspace.journal()
        self.assertEqual((first["event"], last["event"]), ("run_started", "run_ended"))
        self.assertEqual(last["exit_code"], 0)

    def test_json_prints_every_event_as_it_happened_and_the_report_last(self) -> None:
        *events, report = self.done.lines
        self.assertEqual(events, self.workspace.journal())
        self.assertEqual(report.pop("event"), "report")
        self.assertEqual([os.path.isfile(path) for path in report.pop("files")], [True, True])
        pages = report.pop("pages")
        self.assertEqual([os.path.splitext(path)[1] for path in pages], [".html", ".md"])
        self.assertEqual(report, self.workspace.report())

    def test_the_file_of_the_events_has_the_same(self) -> None:
        lines = read_text(self.events).splitlines()
        self.assertEqual([json.loads(line) for line in lines], self.workspace.journal())

    @unittest.skipUnless(HAS_JSONSCHEMA, "jsonschema is a development tool")
    def test_every_event_is_as_the_schema_says(self) -> None:
        for event in self.workspace.journal():
            with self.subTest(event["event"]):
                self.assertEqual(faults_of(event), [])

    def test_the_report_has_the_keys_of_the_contract_and_the_right_figures(self) -> None:
        report = self.workspace.report()
        contract = {
            "project_name",
            "started_at",
            "finished_at",
            "total_features",
            "successful",
            "failed",
            "total_cost_usd",
            "total_duration_ms",
            "wall_ms",
            "speedup",
            "waves",
            "branches_created",
            "errors",
            "features",
        }
        ours = {
            "run",
            "base_branch",
            "base_commit",
            "max_parallel",
            "cost_is_complete",
            "max_cost_usd",
            "usage",
            "limit_wait_ms",
            "pause_ms",
            "up_to_date",
            "left_out",
            "list",
            "command",
            "versions",
            "exit_code",
            "by_status",
            "estimated_cost_usd",
            "estimated_wall_ms",
            "cost_by_model",
            "waste",
            "advice",
        }
        self.assertEqual(set(report), contract | ours)
        self.assertEqual(report["project_name"], "Shop")
        counts = (report["total_features"], report["successful"], report["failed"])
        self.assertEqual(counts, (4, 4, 0))
        self.assertAlmostEqual(report["total_cost_usd"], 0.25 + 3 * 0.05)
        self.assertEqual(report["waves"], [["model"], ["storage", "search"], ["app"]])
        self.assertEqual(report["features"], ["model", "storage", "search", "app"])
        self.assertEqual(report["branches_created"], [f"feature/{id}" for id in report["features"]])
        self.assertEqual((report["errors"], report["up_to_date"]), ([], []))
        self.assertEqual(report["base_commit"], self.workspace.commit_of("main"))
        durations = [r["duration_ms"] for r in self.workspace.results().values()]
        self.assertEqual(report["total_duration_ms"], sum(durations))
        self.assertEqual(
            report["speedup"], round(report["total_duration_ms"] / report["wall_ms"], 2)
        )
        self.assertGreater(report["wall_ms"], max(durations))
        zoned = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"
        self.assertRegex(report["started_at"], rf"\A{zoned}\Z")
        self.assertRegex(report["finished_at"], rf"\A{zoned}\Z")

    def test_the_results_have_the_keys_of_the_contract_and_the_right_figures(self) -> None:
        result = self.workspace.results()["model"]
        contract = {
            "feature_id",
            "status",
            "success",
            "result",
            "cost_usd",
            "usage",
            "duration_ms",
            "num_turns",
            "session_id",
            "started_at",
            "finished_at",
            "attempts",
            "branch",
            "commit",
            "files_changed",
            "insertions",
            "deletions",
            "error",
            "resume_command",
        }
        ours = {"name", "cost_is_complete", "worktree", "held_back", "denied_tools", "strays"}
        ours |= {"fault", "last_check", "verdicts", "start_commit", "cost_by_model", "setup_cached"}
        self.assertEqual(set(result), contract | ours)
        figures = (result["files_changed"], result["insertions"], result["deletions"])
        self.assertEqual(figures, (1, 2, 0))
        self.assertEqual((result["status"], result["success"]), ("completed", True))
        self.assertEqual((result["result"], result["error"]), ("Done.", None))
        self.assertEqual((result["cost_usd"], result["num_turns"]), (0.25, 2))
        self.assertEqual(result["usage"]["input_tokens"], 1000)
        (attempt,) = result["attempts"]
        self.assertEqual(attempt["session_id"], result["session_id"])
        self.assertTrue(os.path.isfile(attempt["log"]))

    def test_the_user_sees_nothing_of_it_in_the_repository(self) -> None:
        status, head, index, config = self.workspace.seen_by_user()
        shown = [line for line in status.splitlines() if not line.startswith("! reports/")]
        self.assertEqual("\n".join(shown), self.before[0])
        self.assertEqual((head, index, config), self.before[1:])

    def test_the_folder_of_the_reports_ignores_itself(self) -> None:
        reports = os.listdir(os.path.join(self.workspace.folder, "reports"))
        self.assertIn(".gitignore", reports)
        kinds = sorted(re.sub(r"_\d{8}_\d{6}", "", name) for name in reports)
        latest = ["latest.html", "latest.json", "latest.md"]
        beside = ["report.html", "report.json", "report.md", "results.json"]
        self.assertEqual(kinds, [".gitignore", *latest, *beside])

    def test_a_worktree_contains_no_files_of_ours(self) -> None:
        for id in ("model", "app"):
            worktree = self.workspace.worktree(id)
            status = self.workspace.git("status", "--porcelain", at=worktree)
            self.assertEqual(status, "")

    def test_state_and_logs_are_for_the_user_alone(self) -> None:
        state = self.workspace.state_folder
        modes: dict[bool, set[int]] = {}
        for folder, folders, files in os.walk(state):
            for name in (*folders, *files):
                mode = os.stat(os.path.join(folder, name)).st_mode
                modes.setdefault(stat.S_ISDIR(mode), set()).add(stat.S_IMODE(mode))
        self.assertEqual(stat.S_IMODE(os.stat(state).st_mode), 0o700)
        self.assertEqual(modes[False], {0o600})

    def test_a_second_run_finds_nothing_to_do(self) -> None:
        events = self.workspace.journal()
        done = self.workspace.run()
        self.assertEqual((done.code, done.out), (0, ""))
        self.assertIn("Everything is up to date", done.err)
        self.assertEqual(self.workspace.journal(), events)


class OrderTest(RunTest):
    def started(self) -> list[str]:
        events = self.workspace.journal()
        return [e["feature"] for e in events if e["event"] == "attempt_started"]

    def test_a_feature_starts_while_a_feature_of_an_earlier_wave_still_runs(self) -> None:
        path = self.workspace.beside
        self.workspace.features(
            feature("slow", {"wait": path("late.md")}, {"write": "slow.md"}),
            feature("quick"),
            feature("late", {"write": path("late.md")}, {"write": "l"}, depends_on=["quick"]),
        )
        self.run_to(0)
        self.assert_statuses(quick="completed", late="completed", slow="completed")

    def test_sequential_runs_one_at_a_time_wave_by_wave(self) -> None:
        self.workspace.features(
            feature("leaf", depends_on=["root"], estimated_tokens=99),
            feature("lone", estimated_tokens=1),
            feature("root", estimated_tokens=1),
        )
        self.run_to(0, "--sequential")
        self.assertEqual(self.started(), ["lone", "root", "leaf"])
        told = [e for e in self.workspace.journal() if e["event"] in FULL_LIFE]
        for id in ("lone", "root", "leaf"):
            self.assertEqual([e["event"] for e in told if e["feature"] == id], FULL_LIFE)
        worked = [e["event"] for e in told if e["event"] in ("attempt_started", "ended")]
        self.assertEqual(worked, ["attempt_started", "ended"] * 3)
        self.assertEqual(self.workspace.report()["max_parallel"], 1)

    def test_one_slot_takes_the_longest_path_first_then_the_priority(self) -> None:
        self.workspace.features(
            feature("lone", priority=5),
            feature("urgent", priority=1),
            feature("root"),
            feature("leaf", depends_on=["root"]),
            max_parallel=3,
        )
        self.run_to(0, "--max-parallel", "1")
        self.assertEqual(self.started(), ["root", "leaf", "urgent", "lone"])

    def test_fail_fast_starts_nothing_more(self) -> None:
        self.workspace.features(feature("bad", {"say": "no"}), feature("good"))
        self.run_to(1, "--sequential", "--fail-fast")
        self.assert_statuses(bad="empty", good="cancelled")
        self.assertIn("--fail-fast", self.workspace.last("good")["reason"])


@once
class SelectionTest(RunTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace.features(
            feature("model"),
            feature("api", depends_on=["model"], tags=["net"]),
            feature("web", depends_on=["api"], tags=["net"]),
            feature("docs"),
        )

    def test_only_runs_a_feature_and_what_it_needs(self) -> None:
        self.run_to(0, "--only", "api")
        self.assert_statuses(model="completed", api="completed")
        report = self.workspace.report()
        self.assertEqual(report["features"], ["model", "api"])
        self.assertEqual(report["up_to_date"], [])
        self.run_to(0, "--only", "web,docs")
        self.assertEqual(self.workspace.report()["up_to_date"], ["model", "api"])

    def test_no_deps_refuses_a_feature_whose_needs_have_no_result(self) -> None:
        done = self.run_to(2, "--only", "api", "--no-deps")
        self.assertIn("api needs model, which has no result yet", done.err)
        self.assertEqual(self.workspace.journal(), [])

    def test_no_deps_uses_the_results_that_there_are_also_outdated_ones(self) -> None:
        self.run_to(0, "--only", "model")
        self.workspace.features(
            feature("model", {"write": "other"}), feature("api", depends_on=["model"])
        )
        self.run_to(0, "--only", "api", "--no-deps")
        self.assertEqual(self.workspace.added("feature/api"), {"model.md", "api.md"})
        self.assertEqual(len(self.workspace.attempts("model")), 1)

    def test_a_tag_selects_its_features_and_their_dependencies(self) -> None:
        self.run_to(0, "--tag", "net")
        self.assertEqual(set(self.workspace.statuses()), {"model", "api", "web"})

    def test_fresh_runs_all_features_again_and_keeps_the_old_results(self) -> None:
        self.run_to(0, "--only", "model")
        before = self.workspace.commit_of("feature/model")
        with open(os.path.join(self.workspace.worktree("model"), "by-hand"), "w") as file:
            file.write("mine")
        self.run_to(0, "--only", "model", "--fresh")
        (kept,) = self.workspace.ref("model", "kept")
        self.assertEqual(self.workspace.added(kept), {"model.md", "by-hand"})
        parents = self.workspace.git("log", "-1", "--format=%P", kept)
        self.assertEqual(parents, before)
        self.assertEqual(self.workspace.added("feature/model"), {"model.md"})
        self.assertEqual(len(self.workspace.ref("model")), 2)


class QuestionTest(RunTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace.features(feature("a"))

    def answer(self, words: str) -> tuple[CommandResult, str]:
        """Run on a terminal and type ``words`` at the question; what the terminal shows."""
        with terminal() as (ours, theirs):
            running = self.workspace.start("run", terminal=theirs)
            os.close(theirs)
            shown = read_until(ours, "[y/N]")
            running.wait_for_its_question()
            os.write(ours, words.encode())
            shown += read_until(ours, "")
            return running.end(), shown

    def test_yes_starts_the_run(self) -> None:
        done, shown = self.answer("y\n")
        self.assertEqual(done.code, 0, shown)
        base = self.workspace.commit_of("main")[:7]
        where = f"{self.workspace.path} from main @ {base}"
        asked = f"Run 1 feature in {where}: cost unknown, no budget (--max-cost)? [y/N]"
        self.assertIn(asked, " ".join(shown.split()))
        self.assertIn("PLAN Shop", shown)
        self.assert_statuses(a="completed")

    def test_anything_else_starts_nothing(self) -> None:
        for words in ("n\n", "\n", "\x04", "ja\n"):
            with self.subTest(words=words):
                done, shown = self.answer(words)
                self.assertEqual(done.code, 2, shown)
                self.assertIn("Nothing was started.", shown)
        self.assertEqual(self.workspace.journal(), [])

    def test_ctrl_c_at_the_question_starts_nothing(self) -> None:
        done, shown = self.answer("\x03")
        self.assertEqual(done.code, 130, shown)
        self.assertEqual(self.workspace.journal(), [])
        self.assertNotIn("Traceback", shown)

    def test_ctrl_c_at_the_question_is_answered(self) -> None:
        _, shown = self.answer("\x03")
        self.assertIn("\nNothing was started.\n", shown)

    def test_a_byte_that_is_no_text_counts_as_no(self) -> None:
        with terminal() as (ours, theirs):
            env = {"PYTHONIOENCODING": "utf-8:strict"}
            running = self.workspace.start("run", terminal=theirs, env=env)
            os.close(theirs)
            shown = read_until(ours, "[y/N]")
            os.write(ours, b"\xff\n")
            shown += read_until(ours, "")
            self.assertEqual(running.end().code, 2, shown)
        self.assertIn("Nothing was started.", shown)

    def test_the_question_tells_where_and_for_how_much(self) -> None:
        expensive = feature("a", estimated_tokens=200_000)
        self.workspace.features(expensive, feature("b"), max_cost_usd=3)
        home = {"HOME": os.path.dirname(self.workspace.path)}
        self.workspace.environ.update(home)
        _, shown = self.answer("n\n")
        self.assertIn("Run 2 features in ~/shop from main @ ", shown)
        self.assertIn(": about $6.00, at most $3.00? [y/N]", shown)
        self.assertIn("Warning: the estimate of $6.00 exceeds the budget of $3.00", shown)

    def test_without_a_terminal_it_refuses_at_once(self) -> None:
        done = self.workspace.command("run", "--only", "a")
        self.assert_code(done, 2)
        self.assertIn("there is no terminal to ask on", done.err)
        self.assertIn("rorchestrator run --only a --yes", done.err)

    def test_without_any_standard_input_it_refuses_at_once(self) -> None:
        under = ("/bin/sh", "-c", 'exec "$@" <&-', "sh")
        self.assert_code(self.workspace.start("run", under=under).end(), 2)

    def test_a_terminal_shows_what_is_going_on(self) -> None:
        path = self.workspace.beside
        self.workspace.features(self.held("a"))
        with terminal() as (ours, theirs):
            env = {"TERM": "xterm"}
            running = self.workspace.start("run", "--yes", terminal=theirs, env=env)
            os.close(theirs)
            shown = read_until(ours, "0/1 done")
            self.workspace.touch("a.go")
            shown += read_until(ours, "")
            self.assertEqual(running.end().code, 0, shown)
        self.assertIn("\x1b[K", shown)
        self.assertTrue(os.path.exists(path("a.began")))

    def test_quiet_says_nothing_but_the_report(self) -> None:
        done = self.run_to(0, "--quiet")
        self.assertEqual(done.err, "")
        self.assertIn("1/1 features completed", done.out)


class NothingToDoTest(RunTest):
    def test_json_names_what_is_up_to_date_and_nothing_else(self) -> None:
        self.workspace.features(feature("a"), feature("b"))
        self.run_to(0, "--only", "a")
        self.assertEqual(
            self.run_to(0, "--only", "a", "--json").lines,
            [{"event": "report", "total_features": 0, "up_to_date": ["a"], "left_out": []}],
        )

    def test_a_run_ends_the_processes_of_a_killed_merge(self) -> None:
        self.workspace.features(feature("a"))
        os.makedirs(self.workspace.state_folder)
        journal = Journal(self.workspace.state_folder)
        journal.open()
        journal.append(events.merge_started(0.0, "merge-1", into="main"))
        journal.close()
        carrier = subprocess.Popen(
            ["sleep", "1000"], env={**self.workspace.environ, MARK: "merge-1/;"}
        )
        try:
            self.assert_code(self.workspace.command("run", "--yes"), 0)
            self.assertEqual(carrier.wait(10), -signal.SIGTERM)
        finally:
            carrier.kill()
        self.assertEqual(self.workspace.journal()[1]["event"], "merge_ended")


class LockTest(RunTest):
    def test_a_second_run_is_refused_with_the_pid_and_the_time_of_the_first(self) -> None:
        self.workspace.features(self.held("a"))
        first = self.start_held("a")
        second = self.run_to(2)
        self.assertIn(f"pid {first.pid}, since {time.strftime('%Y-')}", second.err)
        self.assertIn("or: rorchestrator stop", second.err)
        self.workspace.touch("a.go")
        self.assert_code(first.end(), 0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)


@once
class IncrementalTest(RunTest):
    def setUp(self) -> None:
        super().setUp()
        self.list()

    def list(
        self, *a: Mapping[str, object], b: str = "Do b.", claude: Mapping[str, object] | None = None
    ) -> None:
        """A feature, and one that needs it."""
        self.workspace.features(
            feature("a", *a), feature("b", depends_on=["a"]) | {"prompt": b}, claude=claude
        )

    def test_a_feature_that_never_ran_is_new(self) -> None:
        self.assertEqual(self.reasons(), {"a": "start: new", "b": "start: new"})

    def test_a_completed_feature_is_up_to_date(self) -> None:
        self.run_to(0)
        self.assertEqual(self.reasons(), {"a": "skip: up to date", "b": "skip: up to date"})

    def test_a_changed_prompt_runs_the_feature_and_its_dependents(self) -> None:
        self.run_to(0)
        self.list({"write": "new"})
        self.assertEqual(
            self.reasons(), {"a": "start: prompt changed", "b": "start: dependency a changed"}
        )
        done = self.run_to(0)
        self.assertIn("a: started (prompt changed)", done.err)
        self.assertEqual(self.workspace.added("feature/b"), {"new", "b.md"})

    def test_a_changed_option_runs_everything(self) -> None:
        self.run_to(0)
        self.list(claude={"model": "opus"})
        self.assertEqual(self.reasons()["a"], "start: options changed")

    def test_only_what_changed_is_paid_again(self) -> None:
        self.run_to(0)
        self.list(b="Do b better.")
        self.run_to(0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)
        self.assertEqual(self.workspace.report()["up_to_date"], ["a"])
        self.assertEqual(self.workspace.report()["total_cost_usd"], 0.05)

    def test_a_feature_that_ended_by_its_own_result_starts_over(self) -> None:
        self.list({"say": "no"})
        self.run_to(1)
        self.assertEqual(self.reasons(), {"a": "start: failed before", "b": "start: new"})

    def test_a_feature_that_the_api_failed_is_resumed(self) -> None:
        self.list({"fail": "Overloaded", "status": 529})
        self.run_to(1)
        self.assertEqual(self.reasons()["a"], "resume: failed before")

    def test_a_start_over_that_could_not_begin_is_simply_repeated(self) -> None:
        self.run_to(0)
        git = self.workspace.git
        git("worktree", "lock", self.workspace.worktree("a"))
        self.list({"write": "new"})
        self.run_to(1)
        self.assertIn("locked", str(self.workspace.last("a")["reason"]))
        self.assertEqual(self.reasons()["a"], "start: prompt changed")
        git("worktree", "unlock", self.workspace.worktree("a"))
        self.run_to(0)
        self.assertEqual(self.workspace.added("feature/b"), {"new", "b.md"})

    def test_the_base_that_holds_a_dependency_is_part_of_where_its_dependents_start(self) -> None:
        both = feature("both", depends_on=["a", "b"])
        self.workspace.features(feature("a"), feature("b"), both)
        self.run_to(0, "--only", "a,b")
        self.workspace.git("merge", "--quiet", "--no-edit", "feature/a")
        self.run_to(0)
        self.assertLessEqual({"a.md", "b.md", "both.md"}, self.workspace.added("feature/both"))

    def test_a_feature_built_on_an_outdated_result_is_out_of_date(self) -> None:
        self.run_to(0)
        self.list({"write": "new"})
        self.run_to(0, "--only", "b", "--no-deps")
        self.assertEqual(self.reasons()["b"], "start: dependency a changed")
        self.run_to(0)
        self.assertEqual(self.workspace.added("feature/b"), {"new", "b.md"})

    def test_fresh_means_the_named_features_and_those_that_build_on_them_come_after(self) -> None:
        self.run_to(0)
        self.run_to(0, "--only", "b", "--fresh")
        self.assertEqual(len(self.workspace.attempts("a")), 1)
        self.run_to(0, "--fresh=a", "--no-deps", "--only", "a")
        self.assertEqual(self.reasons()["b"], "start: dependency a changed")
        self.run_to(0)
        self.assertEqual(self.reasons(), {"a": "skip: up to date", "b": "skip: up to date"})
        self.run_to(0, "--fresh=b")
        self.assertEqual([len(self.workspace.attempts(id)) for id in "ab"], [2, 4])
        unknown = self.run_to(2, "--fresh=c")
        self.assertIn("--fresh: unknown feature 'c'", unknown.err)
        other = self.run_to(2, "--only", "a", "--fresh=b")
        self.assertIn("--fresh: b is not among the selected features", other.err)

    def test_a_feature_that_took_too_long_is_resumed(self) -> None:
        go = self.workspace.beside("go")
        does = ({"wait": go}, {"write": "a.md"})
        self.workspace.features(feature("a", *does, timeout_seconds=4))
        done = self.run_to(1)
        self.assert_statuses(a="timed_out")
        self.assertIn("no result within the time limit", done.out)
        self.assertEqual(self.reasons()["a"], "resume: timed out before")
        self.workspace.touch("go")
        self.workspace.features(feature("a", *does, timeout_seconds=60))
        self.run_to(0)
        (_, first, _), (_, second, resumed) = self.workspace.attempts("a")
        self.assertEqual((first, resumed), (second, True))

    def test_a_result_that_is_gone_is_made_again(self) -> None:
        self.run_to(0)
        (ref,) = self.workspace.git(
            "for-each-ref", "--format=%(refname)", "refs/rorchestrator/results/a/"
        ).split()
        self.workspace.git("update-ref", "-d", ref)
        self.assertEqual(self.reasons()["a"], "start: its result is gone")

    def test_a_commit_by_hand_on_a_dependency_is_used_and_invalidates_nothing(self) -> None:
        self.run_to(0)
        self.workspace.commit({"fix": "x"}, at=self.workspace.worktree("a"))
        self.assertEqual(self.reasons(), {"a": "skip: up to date", "b": "skip: up to date"})
        self.list(b="Do b with the fix.")
        self.run_to(0)
        self.assertEqual(self.workspace.added("feature/b"), {"a.md", "fix", "b.md"})
        self.assertEqual(len(self.workspace.attempts("a")), 1)

    def test_a_dependency_whose_branch_was_moved_is_reported_before_anything_starts(self) -> None:
        self.run_to(0)
        repository = self.workspace
        result = repository.commit_of("feature/a")
        other = repository.git("commit-tree", "-p", "main", "-m", "other", "main^{tree}")
        repository.git("update-ref", "refs/heads/feature/a", other)
        self.list(b="Do b again.")
        said = self.run_to(2).err
        self.assertIn("b needs a, but feature/a has other work than its run created", said)
        repository.git("update-ref", "refs/heads/feature/a", result)
        self.run_to(0)
        self.assertEqual(self.workspace.added("feature/b"), {"a.md", "b.md"})


@once
class MergedTest(RunTest):
    """Once a feature's work is in the base, it is done for ever."""

    def setUp(self) -> None:
        super().setUp()
        self.list("Do b.")
        self.run_to(0)
        self.git = self.workspace.git

    def list(self, b: str) -> None:
        self.workspace.features(feature("a"), feature("b", depends_on=["a"]) | {"prompt": b})

    def assert_merged(self) -> None:
        self.workspace.commit({"later": "x"})
        self.assertRegex(self.reasons()["a"], r"\Askip: merged \(.+\)\Z")
        self.list("Do b on top.")
        self.run_to(0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)
        main = self.workspace.commit_of("main")
        self.assertEqual(self.workspace.last("b", "based")["start_commit"], main)

    def test_by_a_merge(self) -> None:
        self.git("merge", "-q", "--no-ff", "-m", "merge", "feature/a")
        self.assert_merged()

    def test_by_a_squash(self) -> None:
        self.workspace.commit({"before": "x"})
        self.git("merge", "-q", "--squash", "feature/a")
        self.git("commit", "-qm", "squashed")
        self.assert_merged()

    def test_by_a_rebase(self) -> None:
        self.workspace.commit({"before": "x"})
        self.git("cherry-pick", "feature/a")
        self.assert_merged()


class StatusTest(RunTest):
    """Each way in which a feature can end, in journal, report, exit code and next commands."""

    def error(self, id: str) -> Json:
        (found,) = (e for e in self.workspace.report()["errors"] if e["feature_id"] == id)
        self.assertEqual(found["error"], self.workspace.last(id)["reason"])
        self.assertEqual(found["status"], self.workspace.last(id)["status"])
        return found["error"]

    def test_a_failed_feature_blocks_its_dependents_and_nothing_else(self) -> None:
        self.workspace.features(
            feature("bad", {"stderr": "it broke"}, {"exit": 3}),
            feature("next", depends_on=["bad"]),
            feature("last", depends_on=["next"]),
            feature("good"),
        )
        done = self.run_to(1)
        self.assert_statuses(bad="failed", next="blocked", last="blocked", good="completed")
        self.assertEqual(self.error("bad"), "Claude ended without a result (exit 3): it broke")
        self.assertEqual(self.error("last"), "bad did not complete (failed)")
        result = self.workspace.results()["bad"]
        session, worktree = result["session_id"], self.workspace.worktree("bad")
        self.assertIn("→ rorchestrator logs bad\n", done.out)
        resume = f"cd {worktree} && claude --resume {session}"
        self.assertIn(f"→ {resume}\n", done.out)
        self.assertEqual(result["resume_command"], resume)
        self.assertNotIn("logs next", done.out)
        report = self.workspace.report()
        counts = (report["total_features"], report["successful"], report["failed"])
        self.assertEqual(counts, (4, 1, 3))
        self.assertEqual(report["branches_created"], ["feature/bad", "feature/good"])

    def test_costs_add_up_over_attempts_and_one_that_is_unknown_is_said(self) -> None:
        self.workspace.features(
            feature("a", {"cost": 0.2}, {"write": "a.md"}),
            feature("b", {"exit": 3}),
        )
        done = self.run_to(1)
        report = self.workspace.report()
        self.assertEqual((report["total_cost_usd"], report["cost_is_complete"]), (0.2, False))
        self.assertIsNone(self.workspace.results()["b"]["cost_usd"])
        self.assertIn("Total cost: ≥ $0.20", done.out)

    def test_an_unknown_session_costs_what_both_attempts_cost(self) -> None:
        self.workspace.features(feature("a", {"fail": "Overloaded", "status": 529}))
        self.run_to(1)
        for name in os.listdir(self.workspace.sessions):
            os.unlink(os.path.join(self.workspace.sessions, name))
        self.run_to(1)
        result = self.workspace.results()["a"]
        self.assertEqual([a["attempt"] for a in result["attempts"]], [2, 3])
        self.assertEqual([a["resumed"] for a in result["attempts"]], [True, False])
        costs = [a["cost_usd"] for a in result["attempts"]]
        self.assertEqual(result["cost_usd"], sum(costs))
        self.assertTrue(result["cost_is_complete"])

    def test_a_feature_that_changes_nothing_is_empty_unless_that_is_allowed(self) -> None:
        nothing = {"say": "Fine as it is."}
        self.workspace.features(feature("a", nothing), feature("b", nothing, allow_empty=True))
        self.run_to(1)
        self.assert_statuses(a="empty", b="completed")
        self.assertIn("changed nothing", self.error("a"))
        self.assertEqual(self.workspace.results()["b"]["files_changed"], 0)

    def test_a_conflict_names_the_files_and_both_features(self) -> None:
        self.workspace.features(
            feature("one", {"write": "x", "content": "1"}),
            feature("two", {"write": "x", "content": "2"}),
            feature("both", depends_on=["one", "two"]),
            feature("after", depends_on=["both"]),
        )
        done = self.run_to(1)
        self.assert_statuses(one="completed", two="completed", both="conflict", after="blocked")
        told, mend, _ = self.error("both").split("\n")
        self.assertEqual(told, "one and two conflict in x")
        self.assertRegex(mend, r"run again: cd \S+/two && git merge feature/one$")
        self.assertIn("one and two conflict in x", done.out)
        self.assertEqual(self.workspace.kinds("both"), ["preparing", "ended"])
        self.assertEqual(self.workspace.commit_of("feature/both"), "")

    def test_files_left_uncommitted_are_named(self) -> None:
        self.workspace.features(feature("a", {"write": ".env"}, {"write": "a.md"}))
        done = self.run_to(0)
        self.assertIn("left uncommitted: .env", done.err)
        self.assertEqual(self.workspace.results()["a"]["held_back"], [".env"])


class FatalTest(RunTest):
    def three(self, *does: Mapping[str, object], **claude: object) -> None:
        self.workspace.features(
            feature("a", *does),
            feature("b", depends_on=["a"]),
            feature("c"),
            claude=claude,
            max_parallel=1,
        )

    def test_not_logged_in_stops_the_run_before_anything_else_starts(self) -> None:
        self.three({"fail": "Not logged in · Please run /login"})
        done = self.run_to(2)
        self.assert_statuses(a="failed", b="cancelled", c="cancelled")
        self.assertIn("Not logged in", done.out)
        self.assertIn(
            "the remaining features would fail the same way", self.workspace.last("c")["reason"]
        )
        self.assertEqual(self.workspace.journal()[-1]["exit_code"], 2)
        self.assertEqual(self.workspace.report()["failed"], 3)

    def test_the_exit_code_is_1_if_something_ran_before_a_fatal_fault(self) -> None:
        self.workspace.features(
            feature("a"),
            feature("b", {"fail": "Credit balance is too low"}, depends_on=["a"]),
            feature("c", depends_on=["b"]),
        )
        self.run_to(1)
        self.assert_statuses(a="completed", b="failed", c="cancelled")

    def test_the_exit_code_is_1_if_an_earlier_success_was_committed_before_a_fatal_fault(
        self,
    ) -> None:
        hook = self.workspace.hook("pre-commit", "exit 1")
        self.three({"write": "a.md"})
        self.run_to(1)
        os.unlink(hook)
        self.workspace.features(
            feature("a", {"write": "a.md"}),
            feature("b", {"fail": "Credit balance is too low"}, depends_on=["a"]),
        )
        self.run_to(1)
        ended = self.workspace.statuses()
        self.assertEqual((ended["a"], ended["b"]), ("completed", "failed"))

    def test_an_option_that_claude_does_not_know_stops_the_run(self) -> None:
        script = "echo \"error: unknown option '--no-such'\" >&2; exit 1"
        self.three(command=["/bin/sh", "-c", script])
        done = self.run_to(2)
        self.assert_statuses(a="failed", b="cancelled", c="cancelled")
        self.assertIn("unknown option '--no-such'", done.out)
        self.assertNotIn("claude --resume", done.out)

    def test_a_claude_that_is_missing_is_said_before_anything_starts(self) -> None:
        self.three(command=["no-such-claude"])
        done = self.run_to(2)
        self.assertIn("no-such-claude was not found on PATH", done.err)
        self.assertEqual(self.workspace.journal(), [])
        self.assertEqual(self.workspace.commit_of("feature/a"), "")

    def test_the_fault_of_a_claude_given_by_path_is_named(self) -> None:
        path = self.workspace.script("my claude", "#!/bin/sh\n")
        os.chmod(path, 0o644)
        for name, expected in {
            path: f"{path} is not executable\n  next: chmod +x '{path}'",
            self.workspace.root: f"{self.workspace.root} is not a program\n  next: correct",
            f"{path}2": f"{path}2 does not exist\n  next: correct claude.command",
        }.items():
            with self.subTest(name):
                self.three(command=[name])
                self.assertIn(expected, self.run_to(2).err)

    def test_a_claude_that_cannot_be_executed_stops_the_run(self) -> None:
        self.three(command=[self.workspace.script("claude", "#!/no/such/interpreter\n")])
        with unittest.mock.patch.object(feature_run, "START_WAITS_SECONDS", (0.0,)):
            self.run_to(2)
        self.assert_statuses(a="failed", b="cancelled", c="cancelled")


class TroubleTest(RunTest):
    def test_a_state_folder_that_takes_no_logs_ends_the_run(self) -> None:
        self.workspace.features(feature("a"), feature("b"))
        os.makedirs(self.workspace.state_folder)
        blocker = os.path.join(self.workspace.state_folder, "logs")
        with open(blocker, "w"):
            pass
        done = self.run_to(1)
        self.assertIn("can't be written", done.err)
        os.unlink(blocker)
        self.run_to(0)
        self.assert_statuses(a="completed", b="completed")

    def test_reports_that_cannot_be_written_do_not_hide_how_it_went(self) -> None:
        self.workspace.features(feature("a"))
        with open(os.path.join(self.workspace.folder, "reports"), "w"):
            pass
        done = self.run_to(1)
        self.assertIn("1/1 features completed", done.out)
        self.assertIn("the reports could not be written", done.err)
        self.assertEqual(self.workspace.journal()[-1]["exit_code"], 0)
        self.workspace.features(feature("a", {"fail": "Not logged in"}))
        self.run_to(2)

    def test_a_reader_that_goes_away_does_not_change_the_exit_code(self) -> None:
        under = ("bash", "-c", 'set -o pipefail; "$@" | head -c 1 >/dev/null', "bash")
        self.workspace.features(feature("a"), feature("b", {"say": "no"}, depends_on=["a"]))
        done = self.workspace.start("run", "--yes", "--json", under=under).end()
        self.assert_code(done, 1)
        self.assert_statuses(a="completed", b="empty")
        self.assertEqual(self.workspace.report()["successful"], 1)

    def test_a_state_folder_that_is_deleted_meanwhile_ends_the_run(self) -> None:
        for gone, said in {
            "": "was deleted during the run",
            "logs": "was deleted during the run",
            "journal.jsonl": "journal.jsonl can't be written: it was deleted",
        }.items():
            with self.subTest(gone):
                path = os.path.join(self.workspace.state_folder, gone)
                self.workspace.features(
                    feature("a", {"bash": f"rm -rf '{path}'"}, {"write": "a.md"}),
                    feature("b", depends_on=["a"]),
                )
                self.assertIn(said, self.run_to(1, "--fresh").err)
                self.use(Workspace(apart=True))

    @unittest.skipUnless(os.path.exists("/dev/full"), "this system has no /dev/full")
    def test_a_full_disk_is_reported_and_the_run_continues(self) -> None:
        for words, told in {
            '"$@" --json >/dev/full': 1,
            '"$@" --json --quiet >/dev/full': 1,
            '"$@" >/dev/full': 1,
            '"$@" --json 2>/dev/full': 0,
            '"$@" --json >/dev/full 2>/dev/full': 0,
        }.items():
            with self.subTest(words):
                self.workspace.features(feature("a"))
                under = ("bash", "-c", words, "bash")
                done = self.workspace.start(
                    "run", "--yes", "--fresh", under=under, env=MEASURED
                ).end()
                self.assert_code(done, 1)
                said = "rorchestrator: could not write: No space left on device"
                self.assertEqual(done.err.count(said), told)
                self.assert_statuses(a="completed")
                self.assertEqual(self.workspace.journal()[-1]["exit_code"], 0)

    @once
    def test_a_base_branch_that_moves_or_disappears_during_the_run_is_reported(self) -> None:
        for change, told in {
            "git update-ref refs/heads/main feature/a": "main moved to ",
            "git update-ref -d refs/heads/main": "main was deleted ",
        }.items():
            with self.subTest(change):
                does = ({"bash": "git commit -q --allow-empty -m x"}, {"bash": change})
                self.workspace.features(feature("a", *does, {"write": "a.md"}))
                pinned = self.workspace.commit_of("main")
                done = self.run_to(0)
                self.assertIn(told, done.err)
                self.assertIn(f"during the run, which started from {pinned[:12]}", done.err)
                self.assertEqual(self.workspace.report()["branches_created"], ["feature/a"])
                self.use(Workspace(apart=True))

    @once
    def test_a_stash_changed_during_the_run_is_reported(self) -> None:
        stash = {"bash": "git add --all && git stash -q"}
        self.workspace.features(feature("a", {"write": "a.md"}, stash))
        told = "the stash, which all worktrees share, changed during the run"
        self.assertIn(told, self.run_to(1).err)
        self.assert_statuses(a="empty")
        self.workspace.features(feature("a"))
        self.assertNotIn(told, self.run_to(0).err)

    def stashing(self, *, both_pop: bool) -> None:
        """Features a and b: a stashes, then b does, and a pops what b has stashed."""
        path = self.workspace.beside
        stash = {"bash": "git add --all && git stash -q"}
        pop = {"bash": "git stash pop -q"}
        b_pops = [{"wait": path("a-popped")}, pop] if both_pop else [{"wait": path("a-popped")}]
        self.workspace.features(
            feature(
                "a",
                *({"write": "a.md"}, stash, {"write": path("a-stashed")}),
                *({"wait": path("b-stashed")}, pop, {"write": path("a-popped")}),
            ),
            feature(
                "b",
                *({"wait": path("a-stashed")}, {"write": "b.md"}, stash),
                *({"write": path("b-stashed")}, *b_pops),
            ),
        )

    @once
    def test_agents_that_pop_each_others_stash_lose_nothing(self) -> None:
        self.stashing(both_pop=True)
        self.run_to(0)
        self.assert_statuses(a="completed", b="completed")
        # git itself gave each the other's: that is why the default rules deny it.
        branches = [self.workspace.added(f"feature/{id}") for id in "ab"]
        self.assertEqual([files & {"a.md", "b.md"} for files in branches], [{"b.md"}, {"a.md"}])

    @once
    def test_a_stash_left_by_an_agent_is_reported_and_kept(self) -> None:
        self.stashing(both_pop=False)
        self.assertIn("the stash, which all worktrees share, changed", self.run_to(1).err)
        self.assert_statuses(a="completed", b="empty")
        self.assertIn("b.md", self.workspace.added("feature/a"))
        self.assertIn("a.md", self.workspace.added("refs/stash"))

    def test_a_git_that_disappears_during_a_run_is_reported_and_claude_is_paid_once(self) -> None:
        place = self.workspace
        tools = place.beside("bin")
        os.makedirs(tools)
        os.symlink(str(shutil.which("git")), os.path.join(tools, "git"))
        for tool in ("sh", "rm"):
            os.symlink(str(shutil.which(tool)), os.path.join(tools, tool))
        path = place.environ["PATH"]
        place.environ["PATH"] = tools
        gone = {"bash": f"rm {tools}/git"}
        place.features(feature("a", {"write": "a.md"}, gone), feature("b", depends_on=["a"]))
        done = self.run_to(1)
        self.assertIn("git was not found", done.err)
        self.assertIn("the branches are unknown", done.err)
        self.assertEqual(place.report()["branches_created"], [])
        self.assert_statuses(a="failed", b="blocked")
        place.environ["PATH"] = path
        self.run_to(0)
        self.assert_statuses(a="completed", b="completed")
        self.assertEqual(len(place.attempts("a")), 1)

    def test_a_reader_of_the_narration_that_goes_away_stops_nothing(self) -> None:
        under = ("bash", "-c", 'set -o pipefail; "$@" 2>&1 | head -c 1 >/dev/null', "bash")
        self.workspace.features(feature("a"))
        self.workspace.start("run", "--yes", under=under).end()
        self.assert_statuses(a="completed")
        self.assertEqual(self.workspace.journal()[-1]["exit_code"], 0)


if __name__ == "__main__":
    unittest.main()
