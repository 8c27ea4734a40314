"""What comes before Claude and what comes after: setup, supplies, contracts, checks, teardown."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from glob import glob
from unittest import mock

from core.git.door import Git
from core.model.decision import Action
from core.model.errors import StateError
from core.model.events import Event
from core.model.outcome import Fault, Status
from core.process.cancellation import Cancellation
from core.process.supervisor import Killed
from core.project import feature_list
from core.runner import ports
from core.runner.checks import check_key
from core.worktree.check_artifacts import CheckArtifacts
from tests.support.runner import run_id
from tests.support.workbench import PAUSE, SHOW, SHOW_ALL, WorkbenchTest


class Setup(WorkbenchTest):
    def test_the_project_s_commands_come_first_then_the_feature_s_then_claude(self) -> None:
        self.ignore("*.made")
        self.lists(
            {"bash": "cat one.made two.made > a.txt"},
            project={"setup": ["echo 1 > one.made"]},
            setup=[["sh", "-c", "cat one.made > two.made; echo 2 >> two.made"]],
        )
        self.completes()
        self.assertEqual(self.read("a.txt"), "1\n1\n2\n")
        kinds = [kind for kind in self.kinds() if kind in ("based", "setting_up", "ready")]
        self.assertEqual(kinds, ["based", "setting_up", "ready"])
        self.assertLess(self.kinds().index("ready"), self.kinds().index("attempt_started"))
        known = self.state.feature("a")
        self.assertEqual((known.is_ready, known.made), (True, ("one.made", "two.made")))

    def test_without_anything_to_set_up_nothing_is_told(self) -> None:
        self.lists()
        self.completes()
        self.assertEqual((self.count("setting_up"), self.count("checking")), (0, 0))

    def test_setup_claude_and_checks_are_given_the_same_variables(self) -> None:
        show = f"{SHOW_ALL} >> vars.made"
        self.ignore("*.made")
        project = {"setup": [show], "verify": [show]}
        self.lists({"bash": show}, {"write": "a.txt"}, project=project)
        with mock.patch.dict(self.playground.environ, {"RORCHESTRATOR_PORT": "1", "OWN": "x"}):
            self.completes()
        lines = self.read("vars.made").splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual(len(set(lines)), 1, lines)
        id, branch, run, slot, port = lines[0].split()
        self.assertEqual((id, branch, run, slot), ("a", "feature/a", run_id(1), "0"))
        self.assertGreaterEqual(int(port), ports.FIRST)

    def test_where_no_port_is_free_none_is_named_and_the_work_goes_on(self) -> None:
        self.lists(project={"setup": ['test -z "${RORCHESTRATOR_PORT+x}"']})
        with mock.patch.object(ports, "FIRST", ports.LAST):
            self.completes()
        self.assertIn("no 10 ports in a row are free: RORCHESTRATOR_PORT is not set", self.notes())

    def test_one_that_fails_ends_the_feature_before_a_word_is_said_to_claude(self) -> None:
        self.lists(project={"setup": ["echo it hurts; exit 3", "touch never"]})
        self.fails(Fault.SETUP, "setup: `echo it hurts; exit 3` ended with exit 3", "it hurts")
        self.assertEqual(self.attempts(), [])
        self.assertFalse(os.path.exists(self.here("never")))
        self.assertEqual(self.log("setup"), "$ echo it hurts; exit 3\nit hurts\n")
        self.assertFalse(self.state.feature("a").is_ready)

    def test_one_that_takes_too_long_fails(self) -> None:
        self.lists(project={"setup": ["sleep 300"], "setup_timeout_seconds": 0.3})
        self.fails(Fault.SETUP, "setup: `sleep 300` did not end within")

    def test_a_wish_to_stop_interrupts_it_and_the_next_run_begins_anew(self) -> None:
        self.ignore("*.made")
        project = {"setup": [f"touch half.made {self.playground.path('on')}; sleep 300"]}
        self.lists(project=project)
        self.stop_at("setting_up", "on")
        outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.INTERRUPTED))
        self.on_event = lambda event, stop: None
        self.lists(project={"setup": ["test ! -e half.made"]})
        self.completes()

    def stop_at(self, kind: str, exists: str) -> None:
        """Set the wish to stop once a file is there, after an event."""

        async def watch(stop: Cancellation) -> None:
            while not os.path.exists(self.playground.path(exists)):
                await asyncio.sleep(0.01)
            stop.set()

        def listen(event: Event, stop: Cancellation) -> None:
            if event.kind == kind:
                self._watcher = asyncio.get_running_loop().create_task(watch(stop))

        self.on_event = listen

    def test_what_a_failed_one_left_is_nobody_s_work_and_no_secret_gets_into_git(self) -> None:
        self.ignore(".env", "*.made", "cache")
        self.supply(".env")
        setup = ["mkdir cache; touch cache/x half.made; exit 1"]
        self.lists(project={"setup": setup, "copy": [".env"]})
        self.fails(Fault.SETUP, "ended with exit 1")
        self.fails(Fault.SETUP, "ended with exit 1")
        self.assertEqual(self.playground.ref("a", "kept"), [])
        self.assertEqual([note for note in self.notes() if "is kept as" in note], [])

    def test_what_the_user_changed_after_a_failed_one_is_kept(self) -> None:
        self.ignore(".env")
        self.supply(".env")
        self.lists(project={"setup": ["exit 1"], "copy": [".env"]})
        self.fails(Fault.SETUP, "ended with exit 1")
        with open(self.here(".env"), "a", encoding="utf-8") as file:
            file.write("mine\n")
        with open(self.here("new.txt"), "w", encoding="utf-8"):
            pass
        self.fails(Fault.SETUP, "ended with exit 1")
        (kept,) = self.playground.ref("a", "kept")
        self.assertEqual(self.playground.files(kept), {".gitignore", "new.txt"})
        (aside,) = glob(os.path.join(self.playground.state, "aside", "a", "*", ".env"))
        with open(aside, encoding="utf-8") as file:
            self.assertTrue(file.read().endswith("mine\n"))

    def test_a_resumed_worktree_is_not_set_up_again_but_one_that_is_made_again_is(self) -> None:
        self.ignore("*.made")
        fail = {"fail": "Overloaded", "status": 529}
        project = {"setup": ["echo x >> setups.made; test ! -e ../broken"]}
        self.lists({"write": "a.txt"}, fail, fail, fail, project=project)
        self.assertEqual(self.run_feature().fault, Fault.TRANSIENT)
        self.assertEqual(self.run_feature(action=Action.RESUME).fault, Fault.TRANSIENT)
        self.assertEqual(self.read("setups.made"), "x\n")
        shutil.rmtree(self.here())
        broken = self.playground.touch("worktrees/broken")
        self.fails(Fault.SETUP, "ended with exit 1", action=Action.RESUME)
        os.unlink(broken)
        self.assertEqual(self.run_feature(action=Action.RESUME).fault, Fault.TRANSIENT)
        self.assertEqual(self.read("setups.made"), "x\nx\n")

    def test_a_log_that_cannot_be_written_ends_the_run(self) -> None:
        self.lists(project={"setup": ["true"]})
        with open(self.playground.path("logs"), "w", encoding="utf-8"):
            pass
        with self.assertRaises(StateError):
            self.run_feature()


class Contracts(WorkbenchTest):
    def test_what_a_feature_uses_has_to_be_where_it_starts(self) -> None:
        self.playground.repository.commit({"src/base.py": "class Base:\n    pass\n"})
        there = ["path:src/base.py", "path:./src/", "symbol:Base", "command:test -f src/base.py"]
        self.lists(uses=["free text", *there])
        self.completes()
        cases = {
            "path:src/other.py": "there is no such path",
            "path:src/base.py/x": "there is no such path",
            "symbol:Other": "no line of code defines it",
            "command:echo it hurts; false": "check: `echo it hurts; false` ended with exit 1",
        }
        for entry, reason in cases.items():
            with self.subTest(entry):
                self.lists(uses=[there[0], entry])
                self.fails(Fault.SETUP, f"`uses` names {entry}, but {reason}")
                self.assertEqual(self.attempts(), [])

    def test_what_it_creates_has_to_be_in_its_commit(self) -> None:
        project = {"verify_attempts": 0}
        write = {"write": "src/task.py", "content": "class Task:\n    pass\n"}
        kept = ["path:src/task.py", "symbol:Task", "command:test -f src/task.py", "free text"]
        self.lists(write, creates=kept, project=project)
        self.completes()
        for entry in ("path:src/other.py", "symbol:Other", "command:test -f other"):
            with self.subTest(entry):
                self.lists(write, creates=[*kept, entry], project=project)
                self.fails(Fault.CHECK, f"`creates` promises {entry}, but ")

    def test_a_resumed_feature_is_not_asked_again_what_it_uses(self) -> None:
        fail = {"fail": "Overloaded", "status": 529}
        self.lists({"write": "a.txt"}, fail, uses=["command:test ! -e a.txt"])
        self.assertEqual(self.run_feature().fault, Fault.TRANSIENT)
        self.completes(Action.RESUME)


class Checks(WorkbenchTest):
    def test_a_feature_whose_checks_are_green_is_completed(self) -> None:
        self.lists(project={"verify": ["test -f a.md"]}, verify=[["echo", "a b"]])
        self.completes()
        self.assertEqual(self.log("verify"), "$ test -f a.md\n$ echo 'a b'\na b\n")
        check = self.state.feature("a").last_check
        assert check is not None
        self.assertEqual((check.command, check.passed), ("echo 'a b'", True))
        self.assertEqual(check.ending, "ended with exit 0")
        self.assertEqual(len(self.state.passed), 2)

    def test_the_same_session_is_told_what_is_red_and_mends_it(self) -> None:
        self.lists(
            {"write": "bad"},
            PAUSE,
            {"bash": "rm bad; touch good"},
            verify=["echo looking with $TEST_TOKEN; test ! -f bad || exit 3"],
        )
        with mock.patch.dict(self.playground.environ, {"TEST_TOKEN": "tok-1234567"}):
            self.completes()
        self.assertEqual(self.attempts(), [(1, False), (2, True)])
        (_, first), (_, second) = (
            (a.number, a.session_id) for a in self.state.feature("a").attempts
        )
        self.assertEqual(first, second)
        said = self.prompt_of(2)
        self.assertIn("test ! -f bad || exit 3` ended with exit 3", said)
        self.assertIn("looking with [masked TEST_TOKEN]\n", said)
        self.assertNotIn("tok-1234567", said)
        self.assertEqual(self.playground.files("feature/a"), {"good"})

    def test_a_session_that_is_gone_is_begun_anew_and_told_all_of_it(self) -> None:
        self.playground.environ.pop("RORCHESTRATOR_SIMULATION")
        self.lists({"bash": "echo x >> seen.txt"}, verify=["test $(wc -l < seen.txt) -gt 1"])
        self.completes()
        self.assertEqual(self.attempts(), [(1, False), (2, True), (3, False)])
        said = self.prompt_of(3)
        self.assertIn('Task: bring the feature "a"', said)
        self.assertIn("An earlier attempt at this feature", said)
        self.assertIn("ended with exit 1", said)
        self.assertIn("(nothing)", said)

    def test_what_stays_red_fails_the_feature_and_keeps_its_work_unpublished(self) -> None:
        self.lists({"write": "bad"}, project={"verify": ["seq 30; test ! -f bad"]})
        self.fails(
            Fault.CHECK, "check: `seq 30; test ! -f bad` ended with exit 1\n11\n12\n", "\n30"
        )
        self.assertEqual(len(self.attempts()), 3)
        self.assertEqual(self.playground.files("feature/a"), {"bad"})
        self.assertEqual(self.playground.ref("a"), [])
        self.assertIsNone(self.state.feature("a").work)
        check = self.state.feature("a").last_check
        assert check is not None
        self.assertEqual((check.passed, check.ending), (False, "ended with exit 1"))

    def test_how_often_claude_is_told_is_in_the_list(self) -> None:
        self.lists(project={"verify": ["false"], "verify_attempts": 0})
        self.fails(Fault.CHECK, "check: `false` ended with exit 1")
        self.assertEqual(len(self.attempts()), 1)

    def test_a_check_that_hangs_is_ended_and_red(self) -> None:
        project = {"verify": ["sleep 300"], "verify_timeout_seconds": 0.3, "verify_attempts": 0}
        self.lists(project=project)
        self.fails(Fault.CHECK, "check: `sleep 300` did not end within")

    def test_a_check_that_leaves_a_daemon_behind_leaves_nothing(self) -> None:
        self.lists(project={"verify": ["(setsid sleep 300 >/dev/null 2>&1 &) ; true"]})
        self.completes()
        self.assertEqual(self.playground.processes(), [])

    def test_one_that_changes_what_it_checks_is_red_and_the_change_is_looked_at_next(self) -> None:
        self.lists(
            {"write": "a.txt", "content": "wild\n"},
            project={"verify": ["echo tidy > a.txt", "grep tidy a.txt"]},
        )
        self.completes()
        notes = "\n".join(self.notes())
        self.assertIn("`echo tidy > a.txt` changed a.txt: what it saw is no commit", notes)
        content = self.playground.repository.content("feature/a:a.txt")
        self.assertEqual(content, b"tidy\n")

    def test_one_that_commits_is_red(self) -> None:
        project = {"verify": ["git commit -q --allow-empty -m more"], "verify_attempts": 0}
        self.lists(project=project)
        self.fails(Fault.CHECK, "changed the branch")
        self.assertEqual(self.playground.ref("a"), [])

    def test_one_that_switches_the_branch_is_red(self) -> None:
        self.lists(project={"verify": ["git switch -q -c other"], "verify_attempts": 0})
        self.fails(Fault.CHECK, "changed the branch")
        self.assertEqual(self.playground.ref("a"), [])

    def test_a_log_of_theirs_that_cannot_be_written_ends_the_run(self) -> None:
        self.lists(project={"verify": ["true"]})
        os.makedirs(self.playground.path("logs", run_id(1), "a.verify.log"))
        with self.assertRaisesRegex(StateError, "a.verify.log can't be written"):
            self.run_feature()

    def test_files_that_were_held_back_and_that_the_checks_saw_are_told(self) -> None:
        self.lists({"write": ".env"}, {"write": "a.txt"}, verify=["test -f .env"])
        self.completes()
        told = "the checks see files that no commit holds: .env"
        self.assertTrue(any(note.startswith(told) for note in self.notes()), self.notes())

    def test_a_check_that_was_green_is_not_repeated_on_the_same_tree(self) -> None:
        self.lists({"write": "a.txt"}, project={"verify": ["touch ../checked; test -f a.txt"]})
        self.completes()
        os.unlink(self.playground.path("worktrees", "checked"))
        self.completes()
        self.assertFalse(os.path.exists(self.playground.path("worktrees", "checked")))
        self.lists({"write": "a.txt"}, {"write": "b"}, project={"verify": ["touch ../checked"]})
        self.completes()
        self.assertTrue(os.path.exists(self.playground.path("worktrees", "checked")))

    def test_results_are_remembered_by_tree_command_and_cleanliness(self) -> None:
        self.lists(project={"verify": ["make a", ["make", "a"], "make b"]})
        commands = feature_list.load(self.playground.list).project.verify
        keys = {check_key("tree", command) for command in commands}
        keys |= {check_key("other", command) for command in commands}
        keys |= {check_key("tree", command, clean=True) for command in commands}
        self.assertEqual(len(keys), 9)

    def test_an_interrupted_one_goes_on_without_claude(self) -> None:
        on = self.playground.path("on")
        self.lists(project={"verify": [f"test -e {on} || {{ touch {on}; sleep 300; }}"]})

        def listen(event: Event, stop: Cancellation) -> None:
            if event.kind == "checking":
                self._watcher = asyncio.get_running_loop().create_task(watch(stop))

        async def watch(stop: Cancellation) -> None:
            while not os.path.exists(on):
                await asyncio.sleep(0.01)
            stop.set()

        self.on_event = listen
        outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.INTERRUPTED))
        self.assertIsNone(self.state.feature("a").last_check)
        self.on_event = lambda event, stop: None
        self.completes(Action.RESUME)
        self.assertEqual(self.attempts(), [(1, False)])

    def test_a_command_of_ours_that_a_second_signal_killed_is_no_red_check(self) -> None:
        self.lists(verify=["true"])
        killed = mock.patch.object(Git, "tree_of", side_effect=Killed("git was killed"))
        with killed:
            outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.INTERRUPTED))

    def test_what_is_told_ends_with_an_attempt_that_does_not_succeed(self) -> None:
        self.lists({"write": "bad"}, PAUSE, {"fail": "Overloaded", "status": 529}, verify=["false"])
        self.assertEqual(self.run_feature().fault, Fault.TRANSIENT)


class WhatChecksLeave(WorkbenchTest):
    """Files that no .gitignore names: reports, caches."""

    def test_build_products_are_taken_away_once_all_is_green_and_nothing_else_is(self) -> None:
        mess = "mkdir -p .tox/deep kept; touch .tox/deep/a kept/cache.pyc .coverage"
        self.lists(
            {"write": ".env"}, {"write": "kept/a.txt"}, project={"verify": [mess, "test -d .tox"]}
        )
        self.completes()
        expected = [".coverage", ".env", ".git", "README.md", "kept"]
        self.assertEqual(sorted(os.listdir(self.here())), expected)
        self.assertEqual(os.listdir(self.here("kept")), ["a.txt"])

    def test_claude_sees_it_after_a_red_check_and_it_is_not_committed_as_its_work(self) -> None:
        red = "date +%N >> report.xml; touch snapshot; test ! -f bad"
        self.lists(
            {"write": "bad"},
            PAUSE,
            {"bash": "test -s report.xml && touch saw-it"},
            PAUSE,
            {"bash": "rm bad; echo mine > snapshot"},
            project={"verify": [red]},
        )
        self.completes()
        self.assertEqual(self.playground.files("feature/a"), {"saw-it", "snapshot"})
        self.assertTrue(os.path.exists(self.here("report.xml")))

    def test_what_stays_red_leaves_it_to_be_looked_at(self) -> None:
        project = {"verify": ["touch report.xml; false"], "verify_attempts": 0}
        self.lists(project=project)
        self.fails(Fault.CHECK, "ended with exit 1")
        self.assertTrue(os.path.exists(self.here("report.xml")))

    def test_nothing_is_taken_away_through_a_link_nor_what_was_changed_since(self) -> None:
        for name in ("a", "b", "deep/c", "gone", "folder/x"):
            self.playground.repository.write({name: "1"}, at=self.playground.path("outside"))
        folder = self.playground.path("outside")
        left = CheckArtifacts(folder)
        left.record(["a", "b", "deep/c", "gone", "never", "folder/"])
        self.assertEqual(left.files, ["a", "b", "deep/c", "gone"])
        with open(os.path.join(folder, "b"), "a", encoding="utf-8") as file:
            file.write("mine")
        os.unlink(os.path.join(folder, "gone"))
        os.rename(os.path.join(folder, "deep"), os.path.join(folder, "moved"))
        os.symlink("moved", os.path.join(folder, "deep"))
        self.assertEqual(left.files, ["a"])
        left.remove(["a", "b", "c"])
        self.assertEqual(sorted(os.listdir(folder)), ["b", "deep", "folder", "moved"])
        self.assertEqual(os.listdir(os.path.join(folder, "moved")), ["c"])
        self.assertEqual(left.files, [])

    def test_what_may_be_somebody_elses_is_no_work_and_stays_until_a_check_writes_it(self) -> None:
        folder = self.playground.path("outside")
        for name in ("a", "b", "c"):
            self.playground.repository.write({name: "1"}, at=folder)
        left = CheckArtifacts(folder)
        left.ignore(["a", "b", "c", "never"])
        left.record(["a", "b"])
        self.assertEqual(left.files, ["a", "b", "c"])
        for name in ("b", "c"):
            self.playground.repository.write({name: "more"}, at=folder)
        left.record(["b"])
        self.assertEqual(left.files, ["a", "b"])
        left.remove(["a", "b"])
        self.assertEqual(sorted(os.listdir(folder)), ["a", "c"])

    def test_what_cannot_be_taken_away_stays(self) -> None:
        folder = self.playground.path("outside")
        self.playground.repository.write({"deep/a": "1"}, at=folder)
        left = CheckArtifacts(folder)
        left.record(["deep/a"])
        with mock.patch.object(os, "unlink", side_effect=PermissionError):
            left.remove(["deep/a"])
        self.assertEqual(os.listdir(os.path.join(folder, "deep")), ["a"])


class CleanCheckout(WorkbenchTest):
    def clean(self, *does: Mapping[str, object], **project: object) -> None:
        self.lists(*does, project={"verify_clean": True, "verify_attempts": 0, **project})

    def test_what_only_a_file_beside_the_commit_makes_green_is_red(self) -> None:
        self.clean({"write": ".env"}, {"write": "a.txt"}, verify=["test -f .env"])
        self.fails(Fault.CHECK, "in a clean checkout, check: `test -f .env` ended with exit 1")
        self.assert_no_scratch()

    def test_it_has_setup_and_supplies_of_its_own_and_is_torn_down(self) -> None:
        self.ignore(".env", "*.made")
        self.supply(".env")
        seen = self.playground.path("seen")
        self.clean(
            setup=[f"{SHOW} setup >> {seen}; touch x.made"],
            copy=[".env"],
            verify=[f"{SHOW} verify >> {seen}; test -f .env -a -f x.made"],
            teardown=[f"{SHOW} teardown >> {seen}"],
        )
        self.completes()
        with open(seen, encoding="utf-8") as file:
            lines = [line.split() for line in file]
        own, clean = ["a", "feature/a", run_id(1)], ["_clean_a", "feature/a", run_id(1)]
        torn = ["_clean_a", "_clean_a", run_id(1)]
        self.assertEqual(
            lines,
            [
                [*own, "setup"],
                [*own, "verify"],
                [*clean, "setup"],
                [*clean, "verify"],
                [*torn, "teardown"],
            ],
        )
        self.assert_no_scratch()

    def test_a_setup_that_fails_there_is_red(self) -> None:
        setup = ["test $RORCHESTRATOR_FEATURE = a"]
        self.clean(setup=setup, verify=["true"], teardown=["false"])
        self.fails(Fault.CHECK, "in a clean checkout, setup: ")
        self.assertIn("teardown: `false` ended with exit 1", self.notes())
        self.assert_no_scratch()

    def test_promised_commands_are_looked_at_there_too(self) -> None:
        self.lists(
            {"write": ".env"},
            {"write": "a.txt"},
            creates=["command:test -f .env"],
            project={"verify_clean": True, "verify_attempts": 0},
        )
        self.fails(Fault.CHECK, "in a clean checkout, check: `test -f .env`")

    def test_a_green_one_is_not_repeated(self) -> None:
        self.clean({"write": "a.txt"}, verify=["echo x >> ../looks"])
        self.completes()
        self.completes()
        with open(self.playground.path("worktrees", "looks"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "x\nx\n")

    def test_where_it_cannot_be_made_the_work_stays_and_the_next_run_looks_again(self) -> None:
        self.clean({"write": "a.txt"}, verify=["true"])
        os.makedirs(self.playground.path("worktrees"))
        in_the_way = self.playground.scratch("_clean_a")
        with open(in_the_way, "x", encoding="utf-8"):
            pass
        self.fails(Fault.COMMIT, "could not make the worktree")
        os.unlink(in_the_way)
        self.completes(Action.RESUME)
        self.assertEqual(self.attempts(), [(1, False)])

    def assert_no_scratch(self) -> None:
        names = os.listdir(self.playground.path("worktrees"))
        self.assertEqual([name for name in names if "~" in name], [])
        self.assertNotIn("~scratch", self.playground.repository.git("worktree", "list"))
