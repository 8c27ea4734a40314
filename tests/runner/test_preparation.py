"""The setup before Claude: order, variables, failures, a stop, a resumed worktree."""

from __future__ import annotations

import asyncio
import os
import shutil
from glob import glob
from unittest import mock

from core.model.decision import Action
from core.model.errors import StateError
from core.model.events import Event
from core.model.outcome import Fault, Status
from core.process.cancellation import Cancellation
from core.runner import ports
from tests.support.checks import SHOW_ALL, ChecksTest
from tests.support.runner import run_id


class Setup(ChecksTest):
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

    def test_no_setup_is_reported_if_there_is_none(self) -> None:
        self.lists()
        self.completes()
        self.assertEqual((self.count("setting_up"), self.count("checking")), (0, 0))

    def test_setup_claude_and_checks_are_given_the_same_variables(self) -> None:
        show = f"{SHOW_ALL} >> vars.made"
        self.ignore("*.made")
        project = {"setup": [show], "verify": [show]}
        self.lists({"bash": show}, {"write": "a.txt"}, project=project)
        with mock.patch.dict(self.workspace.environ, {"RORCHESTRATOR_PORT": "1", "OWN": "x"}):
            self.completes()
        lines = self.read("vars.made").splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual(len(set(lines)), 1, lines)
        id, branch, run, slot, port = lines[0].split()
        self.assertEqual((id, branch, run, slot), ("a", "feature/a", run_id(1), "0"))
        self.assertGreaterEqual(int(port), ports.FIRST)

    def test_the_variable_of_the_stack_has_the_same_port(self) -> None:
        same = "test -n $PORT && test $PORT = $RORCHESTRATOR_PORT"
        self.lists({"bash": same}, {"write": "a.txt"}, project={"port_variable": "PORT"})
        self.completes()
        self.lists(project={"port_variable": "PORT", "setup": ["test $PORT = 7"]})
        free = mock.patch.object(ports, "FIRST", ports.LAST)
        with free, mock.patch.dict(self.workspace.environ, {"PORT": "7"}):
            self.completes()

    def test_the_feature_continues_without_ports_if_none_is_free(self) -> None:
        self.lists(project={"setup": ['test -z "${RORCHESTRATOR_PORT+x}"']})
        with mock.patch.object(ports, "FIRST", ports.LAST):
            self.completes()
        self.assertIn("no 10 ports in a row are free: RORCHESTRATOR_PORT is not set", self.notes())

    def test_a_failing_setup_ends_the_feature_before_claude_starts(self) -> None:
        self.lists(project={"setup": ["echo it hurts; exit 3", "touch never"]})
        self.fails(Fault.SETUP, "setup: `echo it hurts; exit 3` ended with exit 3", "it hurts")
        self.assertEqual(self.attempts(), [])
        self.assertFalse(os.path.exists(self.here("never")))
        self.assertEqual(self.log("setup"), "$ echo it hurts; exit 3\nit hurts\n")
        self.assertFalse(self.state.feature("a").is_ready)

    def test_a_setup_that_takes_too_long_fails(self) -> None:
        self.lists(project={"setup": ["sleep 300"], "setup_timeout_seconds": 0.3})
        self.fails(Fault.SETUP, "setup: `sleep 300` did not end within")

    def test_a_stop_interrupts_the_setup_and_the_next_run_repeats_it(self) -> None:
        self.ignore("*.made")
        project = {"setup": [f"touch half.made {self.workspace.beside('on')}; sleep 300"]}
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
            while not os.path.exists(self.workspace.beside(exists)):
                await asyncio.sleep(0.01)
            stop.set()

        def listen(event: Event, stop: Cancellation) -> None:
            if event.kind == kind:
                self._watcher = asyncio.get_running_loop().create_task(watch(stop))

        self.on_event = listen

    def test_leftovers_of_a_failed_copy_are_no_work_and_put_no_secret_into_git(self) -> None:
        self.ignore(".env", "*.made", "cache")
        self.supply(".env")
        setup = ["mkdir cache; touch cache/x half.made; exit 1"]
        self.lists(project={"setup": setup, "copy": [".env"]})
        self.fails(Fault.SETUP, "ended with exit 1")
        self.fails(Fault.SETUP, "ended with exit 1")
        self.assertEqual(self.workspace.ref("a", "kept"), [])
        self.assertEqual([note for note in self.notes() if "is kept as" in note], [])

    def test_the_users_changes_after_a_failed_setup_are_kept(self) -> None:
        self.ignore(".env")
        self.supply(".env")
        self.lists(project={"setup": ["exit 1"], "copy": [".env"]})
        self.fails(Fault.SETUP, "ended with exit 1")
        with open(self.here(".env"), "a", encoding="utf-8") as file:
            file.write("mine\n")
        with open(self.here("new.txt"), "w", encoding="utf-8"):
            pass
        self.fails(Fault.SETUP, "ended with exit 1")
        (kept,) = self.workspace.ref("a", "kept")
        self.assertEqual(self.workspace.added(kept), {".gitignore", "new.txt"})
        (aside,) = glob(os.path.join(self.workspace.state_folder, "aside", "a", "*", ".env"))
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
        broken = self.workspace.touch("worktrees/broken")
        self.fails(Fault.SETUP, "ended with exit 1", action=Action.RESUME)
        os.unlink(broken)
        self.assertEqual(self.run_feature(action=Action.RESUME).fault, Fault.TRANSIENT)
        self.assertEqual(self.read("setups.made"), "x\nx\n")

    def test_a_log_that_cannot_be_written_ends_the_run(self) -> None:
        self.lists(project={"setup": ["true"]})
        with open(self.workspace.beside("logs"), "w", encoding="utf-8"):
            pass
        with self.assertRaises(StateError):
            self.run_feature()
