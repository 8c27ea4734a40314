"""Machines that run one feature each: fresh folders, and a bare repository that they share."""

from __future__ import annotations

import itertools
import json
import os
import unittest

from core.engines.one_feature import Asked, OneFeature
from core.model.errors import UserError
from core.model.mask import Mask
from tests.support.commands import CommandResult, Running, read_text, standing_in, wait_until
from tests.support.workspace import Json, Workspace, feature

RUN_ID = "r1"


class Elsewhere(Workspace):
    """A workspace whose list is pushed to ``remote``; each run of a feature gets a new folder."""

    def __init__(self, *features: dict[str, object], **project: object) -> None:
        super().__init__(features, project=project)
        self.remote = self.beside("remote.git")
        self.url = f"file://{self.remote}"
        self.git("clone", "--quiet", "--bare", self.path, self.remote)
        self.git("remote", "add", "origin", self.remote)
        self._numbers = itertools.count(1)

    def there(self, *arguments: str, fails: bool = False) -> str:
        """What git prints in the remote."""
        return self.git(*arguments, at=self.remote, fails=fails)

    def refs_there(self, pattern: str = "refs/") -> dict[str, str]:
        """Commits by ref, in the remote."""
        listed = self.there("for-each-ref", "--format=%(refname) %(objectname)", pattern)
        return dict(line.split(" ") for line in listed.splitlines())

    def tip_there(self, id: str) -> str:
        """The tip of a feature's branch in the remote; empty without one."""
        return self.refs_there().get(f"refs/heads/feature/{id}", "")

    def file_there(self, revision: str, name: str) -> str:
        """A file of a commit in the remote."""
        return self.there("show", f"{revision}:{name}")

    def publish(self, message: str = "more") -> str:
        """Commit what changed in the list, and push the base branch; the commit."""
        commit = self.commit({}, message)
        self.git("push", "--quiet", "origin", "main")
        return commit

    def report_path(self, id: str) -> str:
        """Where the report of a feature is written."""
        return self.beside("reports of machines", f"{id}.json")

    def begin(
        self, id: str, *words: str, run_id: str = RUN_ID, env: dict[str, str] | None = None
    ) -> Running:
        """Start a machine for a feature, in a new folder."""
        folder = self.beside(f"machine-{next(self._numbers)}")
        os.mkdir(folder)
        own = ("--only", id, "--remote", self.url, "--run-id", run_id)
        given = (*own, "--report", self.report_path(id), *words)
        return self.start("run", *given, at=folder, env=env)

    def at_work(self, id: str) -> Running:
        """A machine whose agent, of a feature that is :meth:`held`, is at work."""
        running = self.begin(id)
        self.wait_for(f"{id}.began")
        return running

    def run_there(
        self, id: str, *words: str, run_id: str = RUN_ID, env: dict[str, str] | None = None
    ) -> CommandResult:
        """The same, to its end."""
        return self.begin(id, *words, run_id=run_id, env=env).end()

    def report_of(self, id: str) -> Json:
        """The report that a machine wrote."""
        return json.loads(read_text(self.report_path(id)))

    def pushed_report(self, id: str, run_id: str = RUN_ID) -> Json:
        """The report of a feature on the remote."""
        return json.loads(self.file_there(f"refs/rorchestrator/runs/{run_id}/{id}", "report.json"))

    def merged(self, *words: str) -> CommandResult:
        """``report --merge`` of the remote."""
        return self.main("report", "--merge", "--remote", self.url, "--run-id", RUN_ID, *words)

    def wait_for(self, name: str) -> None:
        """Wait for a file that an agent writes."""
        wait_until(lambda: os.path.exists(self.beside(name)), f"{name} is there")

    def held(self, id: str, **more: object) -> dict[str, object]:
        """A feature whose agent writes ``<id>.md``, then waits for the file ``<id>.go``."""
        steps = ({"write": f"{id}.md"}, {"write": self.beside(f"{id}.began")})
        return feature(id, *steps, {"wait": self.beside(f"{id}.go")}, **more)


class ElsewhereTest(unittest.TestCase):
    """A test with machines: at its end nothing runs any more, and no temporary folder is left."""

    space: Elsewhere

    def use(self, *features: dict[str, object], **project: object) -> Elsewhere:
        self.space = Elsewhere(*features, **project)
        self.addCleanup(self.space.close)
        self.addCleanup(self._assert_clean)
        return self.space

    def use_held(self) -> Running:
        """A machine at work on ``auth`` until the file ``auth.go`` is there."""
        space = self.use()
        space.features(space.held("auth"))
        space.publish()
        return space.at_work("auth")

    def _assert_clean(self) -> None:
        # One that was just killed is still there for a moment.
        wait_until(lambda: not self.space.processes(), "nothing is left running")
        self.assertEqual(self.space.faults_of_ours(), [])
        self.assertEqual(os.listdir(self.space.temporary), [])

    def assert_code(self, done: CommandResult, code: int) -> None:
        self.assertEqual(done.code, code, f"{done.out}\n{done.err}")
        self.assertNotIn("Traceback", done.err)


class MachineTest(ElsewhereTest):
    """A test of a machine in this process, step by step."""

    def machine(self, id: str = "auth", **asked: str) -> OneFeature:
        """A machine that has looked at the remote."""
        self.said: list[str] = []
        folder = self.space.beside(f"folder {len(os.listdir(self.space.root))}")
        os.mkdir(folder)
        given = {"url": self.space.url, **asked}
        machine = OneFeature(
            Asked(feature=id, run_id=RUN_ID, **given), folder, Mask({}), self.said.append
        )
        context = standing_in(folder, self.space.environ)
        context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.before = machine.look()
        return machine

    def base_of(self, **asked: str) -> tuple[str, str]:
        """The name and the commit that a feature starts from."""
        project = self.machine(**asked).open()
        self.assertEqual(
            os.path.dirname(project.worktrees.folder), os.path.dirname(project.git.repository.top)
        )
        return project.config.project.base_branch, project.base_commit

    def refused(self, **asked: str) -> UserError:
        """Why a machine can't begin."""
        with self.assertRaises(UserError) as met:
            self.machine(**asked).open()
        return met.exception
