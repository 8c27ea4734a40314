"""Scenarios on a real Slurm: those of CI, and those that take longer."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import unittest
from typing import Any, ClassVar

from tests.slurm.cluster import NODES, Cluster
from tests.slurm.project import Project, feature

FIGURES: list[str] = []
"""What was measured, as lines of a table."""


def measured(what: str, seconds: float) -> None:
    """Note a time for the table."""
    FIGURES.append(f"| {what} | {seconds:.1f} s |")


class OnSlurm(unittest.TestCase):
    """A cluster for all tests of a class, a project for each."""

    cluster: ClassVar[Cluster]
    folder: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        began = time.monotonic()
        cls.cluster = cls.enterClassContext(Cluster(os.path.join(cls.folder, "slurm")))
        measured("munge, controller and three nodes start", time.monotonic() - began)

    @classmethod
    def enterClassContext(cls, manager: Any) -> Any:  # Python 3.11 has it.
        value = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)
        return value

    def setUp(self) -> None:
        self.project = Project(self.cluster, os.path.join(self.folder, self.id().split(".")[-1]))

    def diamond(self, **project: object) -> None:
        """``d`` needs ``b`` and ``c``, both need ``a``; ``b`` and ``c`` wait for a file."""
        waits = [{"wait": self.project.flag(id)} for id in "bc"]
        self.project.list(
            feature("a"),
            feature("b", waits[0], needs=["a"]),
            feature("c", waits[1], needs=["a"]),
            feature("d", needs=["b", "c"]),
            **project,
        )


class InCi(OnSlurm):
    def test_a_diamond_runs_on_three_nodes_and_survives_the_death_of_one(self) -> None:
        project, began = self.project, time.monotonic()
        self.diamond()
        run = project.submit()
        measured("submit four features", time.monotonic() - began)
        shown = [self.cluster.run("scontrol", "show", "job")]
        project.wait_for(b="running", c="running", d="pending")
        nodes = project.nodes()
        self.assertEqual(len(set(nodes.values())), 2, nodes)
        killed, dead = time.monotonic(), nodes["b"]
        self.cluster.kill_node(dead)
        project.wait_for(b="pending", c="running", d="pending")
        project.wait_for(b="running")
        measured("a killed node's job runs on another node", time.monotonic() - killed)
        self.assertNotIn(dead, project.nodes().values())
        private = project.holders_of_the_key(self.folder)
        project.go("b", "c")
        ended = project.wait(lambda told: bool(told["is_over"]), "the end")
        measured("the diamond with the death of a node", time.monotonic() - began)
        self.assertEqual(ended["counts"]["completed"], 4, ended)
        self.assertLessEqual({"a.md", "b.md", "c.md", "d.md"}, set(project.files("feature/d")))
        refs = project.git("for-each-ref", "--format=%(refname)", at=project.remote)
        self.assertIn(f"refs/rorchestrator/runs/{run}/d", refs)
        # The key was in one private file, which is gone.
        self.assertEqual([os.path.basename(path) for path in private], ["environment"])
        self.assertEqual(project.holders_of_the_key(self.folder), [])
        shown.append(self.cluster.run("scontrol", "show", "job"))
        self.assertNotIn("sk-ant", "".join(shown))
        self.cluster.start_node(dead)


class All(OnSlurm):
    def test_a_failure_cancels_its_dependents_and_a_retry_completes_the_list(self) -> None:
        project = self.project
        mended = project.flag("mended")
        project.list(
            feature("a"),
            {**feature("b", needs=["a"]), "verify": [["test", "-e", mended]]},
            feature("c", needs=["a"]),
            feature("d", needs=["b", "c"]),
            verify_attempts=0,
        )
        began = time.monotonic()
        project.submit()
        told = project.wait(lambda told: bool(told["is_over"]), "the end")
        measured("a diamond whose middle fails", time.monotonic() - began)
        phases = {each["id"]: each["phase"] for each in told["features"]}
        wanted = {"a": "completed", "b": "failed", "c": "completed", "d": "cancelled"}
        self.assertEqual(phases, wanted, told)
        project.go("mended")
        began = time.monotonic()
        codes = project.at_once("retry", "b", "--engine", "slurm", "--yes")
        self.assertEqual(codes, [0, 2], "typed twice, it is submitted once")
        told = project.wait(lambda told: bool(told["is_over"]), "the end")
        measured("retry of the failed feature and its dependent", time.monotonic() - began)
        self.assertEqual(told["counts"]["completed"], 4, told)
        self.assertLessEqual({"a.md", "b.md", "c.md", "d.md"}, set(project.files("feature/d")))

    def test_without_the_remote_the_status_is_what_slurm_knows(self) -> None:
        project = self.project
        begun = {"bash": f"touch {project.flag('begun')}"}
        works = feature("b", begun, {"wait": project.flag("go")}, needs=["a"])
        project.list(feature("a"), works, feature("c", needs=["b"]))
        project.submit()
        project.wait(lambda _: os.path.exists(project.flag("begun")), "the agent's file")
        os.rename(project.remote, f"{project.remote}.away")
        told = json.loads(project.command("status", "--engine", "slurm", "--json", code=1))
        phases = {each["id"]: each["phase"] for each in told["features"]}
        wanted = {"a": "completed", "b": "running", "c": "pending"}
        self.assertEqual(phases, wanted, told)
        os.rename(f"{project.remote}.away", project.remote)
        project.go("go")
        told = project.wait(lambda told: bool(told["is_over"]), "the end")
        self.assertEqual(told["counts"]["completed"], 3, told)

    def test_stop_reaches_the_tool_and_tells_what_was_kept(self) -> None:
        project = self.project
        written = {"write": "half.md", "content": "half"}
        begun = {"bash": f"touch {project.flag('begun')}"}
        waits = {"wait": project.flag("never")}
        project.list(feature("a", written, begun, waits), feature("b", needs=["a"]))
        project.submit()
        project.wait(lambda _: os.path.exists(project.flag("begun")), "the agent's file")
        began = time.monotonic()
        said = project.command("stop", "--engine", "slurm")
        measured("stop, until all has ended and its work is pushed", time.monotonic() - began)
        self.assertEqual(project.phases(), {"a": "cancelled", "b": "cancelled"})
        self.assertIn("its work so far is on the remote", said)
        commit = said.partition("on the remote (")[2].partition(")")[0]
        self.assertIn("half.md", project.files(commit))

    def test_the_work_of_a_job_that_reaches_its_time_limit_is_pushed(self) -> None:
        project = self.project
        written = {"write": "half.md", "content": "half"}
        project.list(feature("a", written, {"wait": project.flag("never")}))
        began = time.monotonic()
        project.submit("--sbatch-option=--time=1")
        told = project.wait(lambda told: bool(told["is_over"]), "the end", 240)
        measured("a job with a time limit of a minute is told and ends", time.monotonic() - began)
        self.assertEqual(told["features"][0]["phase"], "cancelled", told)
        self.assertIn("half.md", project.files(told["features"][0]["commit"]))

    def test_max_parallel_holds(self) -> None:
        project = self.project
        project.list(*(feature(id, {"sleep": 1}) for id in "abcdef"), max_parallel=2)
        began = time.monotonic()
        project.submit()
        most = 0
        while not (told := project.status())["is_over"]:
            most = max(most, told["counts"]["running"])
        measured("six features of 1 s, two at once, on three nodes", time.monotonic() - began)
        self.assertEqual(most, 2)
        self.assertEqual(told["counts"]["completed"], 6, told)

    def test_the_controller_may_be_killed_and_started_again(self) -> None:
        project = self.project
        self.diamond()
        project.submit()
        project.wait_for(b="running", c="running")
        time.sleep(6)  # It saves its state every five seconds.
        began = time.monotonic()
        self.cluster.kill_controller()
        project.go("b", "c")
        self.cluster.start_controller()
        told = project.wait(lambda told: bool(told["is_over"]), "the end")
        measured("the rest of a diamond whose controller was killed", time.monotonic() - began)
        self.assertEqual(told["counts"]["completed"], 4, told)

    def test_each_of_three_nodes_works(self) -> None:
        project = self.project
        project.list(*(feature(id, {"wait": project.flag("go")}) for id in "abc"))
        project.submit()
        project.wait_for(a="running", b="running", c="running")
        self.assertEqual(sorted(project.nodes().values()), list(NODES))
        project.go("go")
        project.wait(lambda told: bool(told["is_over"]), "the end")
