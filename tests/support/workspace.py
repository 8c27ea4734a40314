"""A workspace: a real git repository, a feature list, the simulated agent, nothing of the user's.

``main`` runs the command in this process, ``command`` and ``start`` as a process of its own.
``journal``, ``state``, ``report`` and ``results`` read what runs left.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import signal
import sys
import unittest
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.commands.ask_consent import all_commands
from core.git.opening import open_repository
from core.journal.journal import Journal
from core.journal.lock import Holder, RunLock
from core.model import events
from core.model.decision import Action, Decision
from core.model.errors import UserError
from core.model.events import Event
from core.model.fold import fold
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status, Work
from core.model.state import RunState
from core.process.spawner import Spawner, run_sync
from core.project.consent import Consents
from core.project.feature_list import load
from core.worktree.manager import WorktreeManager
from tests.support.commands import (
    HAS_PROC,
    CommandResult,
    Running,
    read_text,
    run_in_process,
    start_command,
)
from tests.support.forked import may_fork
from tests.support.lives import RUN, attempt
from tests.support.paths import AGENT, ORCHESTRATE
from tests.support.repository import AT_ONCE, Content, Repository

MARK = "WORKSPACE_OF_A_TEST"
"""The variable that every process of a workspace carries: its value is the temporary folder."""

ASKING = (("merge",), ("cleanup",), ("attach",), ("push",), ("pr",))
"""The commands that ask for consent to the list's commands; ``run`` asks anyway."""

Json = Any
"""What ``json.loads`` gives: a test that looks for a missing key may fail."""


def steps(*given: Mapping[str, object]) -> str:
    """The prompt that makes the simulated agent do these steps, in this order."""
    return "\n".join(f"simulate: {json.dumps(step)}" for step in given)


def feature(id: str, *does: Mapping[str, object], **more: object) -> dict[str, object]:
    """An entry of a feature list; without steps the agent writes ``<id>.md``."""
    prompt = f"Build {id}.\n{steps(*does)}" if does else f"Build {id}."
    return {"id": id, "prompt": prompt, **more}


class Workspace(Repository):
    """A repository with its feature list, committed in it or ``apart`` in a folder beside it."""

    def __init__(
        self,
        features: Sequence[Mapping[str, object]] = (),
        *,
        name: str = "shop",
        project: Mapping[str, Any] | None = None,
        claude: Mapping[str, object] | None = None,
        apart: bool = False,
        empty: bool = False,
        bare: bool = False,
    ) -> None:
        super().__init__(name, empty=empty, bare=bare)
        self.folder = self.beside("plan") if apart else self.path
        """Where the feature list is, and where commands run."""
        self.list_file = os.path.join(self.folder, "config", "feature_list.json")
        self.worktrees = self.beside("worktrees")
        self.sessions = self.beside("sessions")
        self.agrees = True
        """Whether the user has consented to the list's commands before."""
        self.document: dict[str, Any] = {}
        self.temporary = self.beside("tmp")
        self._started: list[Running] = []
        for folder in (self.sessions, self.temporary):
            os.mkdir(folder)
        os.makedirs(os.path.dirname(self.list_file), exist_ok=True)
        self.environ.update(
            LANG="C.UTF-8",
            TMPDIR=self.temporary,
            RORCHESTRATOR_SIMULATION=self.sessions,
            **{MARK: self.root},
        )
        if not apart:
            self.features(*features, claude=claude, **dict(project or {}))
            self.commit({}, "the list")

    def __enter__(self) -> Workspace:
        return self

    def close(self) -> None:
        """Kill what still runs, and remove everything."""
        for running in self._started:
            running.close()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        super().close()

    # -- the feature list -------------------------------------------------------------------

    def features(
        self,
        *features: Mapping[str, object],
        claude: Mapping[str, object] | None = None,
        prompts: Mapping[str, object] | None = None,
        **project: object,
    ) -> None:
        """Write a new feature list; keywords are settings of the project."""
        where = {} if self.folder == self.path else {"repo_path": self.path}
        self.document = {
            "project": {"name": "Shop", **where, **AT_ONCE, **project},
            "claude": {"command": AGENT, **(claude or {})},
            "prompts": dict(prompts or {}),
            "features": list(features),
        }
        self._write_list()

    def change(self, features: Sequence[Mapping[str, object]] = (), **project: object) -> None:
        """Change the feature list: other features if there are any, and settings of the project."""
        self.document["project"] = {**self.document["project"], **project}
        self.document["features"] = list(features) or self.document["features"]
        self._write_list()

    def _write_list(self) -> None:
        with open(self.list_file, "w", encoding="utf-8") as file:
            json.dump(self.document, file)

    # -- files --------------------------------------------------------------------------------

    def beside(self, *parts: str) -> str:
        """A path in the temporary folder, beside the repository."""
        return os.path.join(self.root, *parts)

    def worktree(self, id: str) -> str:
        """Where a feature's worktree is."""
        return os.path.join(self.worktrees, id)

    def scratch_path(self, name: str) -> str:
        """Where a scratch worktree is, while it exists."""
        git = run_sync(open_repository(Spawner(), self.path, self.environ))
        return WorktreeManager(git, self.worktrees, "").scratch_path(name)

    def touch(self, name: str) -> str:
        """Make an empty file that something waits for; its path."""
        with open(self.beside(name), "w", encoding="utf-8"):
            pass
        return self.beside(name)

    def script(self, name: str, text: str) -> str:
        """Write a program; its path."""
        path = self.beside(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)
        return path

    def hook(self, name: str, script: str) -> str:
        """Write a git hook; its path."""
        folder = os.path.join(self.git_folder, "hooks")
        os.makedirs(folder, exist_ok=True)
        return self.script(os.path.join(folder, name), f"#!/bin/sh\n{script}\n")

    # -- the command --------------------------------------------------------------------------

    def argv(self, *words: str) -> list[str]:
        """The command line that runs the command."""
        return [sys.executable, ORCHESTRATE, *words]

    def main(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        at: str = "",
        terminal: bool = False,
        encoding: str = "utf-8",
        stdin: bytes | None = None,
    ) -> CommandResult:
        """Run the command in this process; ``stdin`` is what it reads."""
        self.agree(*words)
        environ = {**self.environ, **(env or {})}
        folder = at or self.folder
        return run_in_process(
            words, folder, environ, terminal=terminal, encoding=encoding, stdin=stdin
        )

    def command(
        self, *words: str, env: Mapping[str, str] | None = None, at: str = ""
    ) -> CommandResult:
        """Run the command to its end, as a process of its own."""
        return self.start(*words, at=at, env=env).end()

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> CommandResult:
        """``run --yes``, which gets as far as its report: the exit code is 0 or 1."""
        done = self.whole_run(*words, env=env)
        assert done.code in (0, 1), done
        return done

    def whole_run(self, *words: str, env: Mapping[str, str] | None = None) -> CommandResult:
        """``run --yes`` in this process, unless it might reap a command that was started."""
        alone = all(each.process.poll() is not None for each in self._started)
        return (self.main if alone else self.command)("run", "--yes", *words, env=env)

    def start(
        self,
        *words: str,
        at: str = "",
        env: Mapping[str, str] | None = None,
        under: Sequence[str] = (),
        terminal: int = -1,
    ) -> Running:
        """Start the command as a process of its own; see :func:`start_command`."""
        self.agree(*words)
        running = start_command(
            words,
            at or self.folder,
            {**self.environ, **(env or {})},
            under=under,
            terminal=terminal,
            may_be_forked=may_fork(env or {}),
        )
        self._started.append(running)
        return running

    def agree(self, *words: str) -> None:
        """Consent to the list's commands, as a user has who knows his own list."""
        if self.agrees and words[:1] in ASKING:
            with contextlib.suppress(UserError):
                config = load(self.list_file)
                consents = Consents(os.path.realpath(self.git_folder), self.environ)
                consents.give(all_commands(config))

    def processes(self) -> list[int]:
        """The pids of all living processes that were started in this workspace."""
        found: list[int] = []
        if not HAS_PROC:
            return found
        wanted = f"{MARK}={self.root}".encode()
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
                if wanted in file.read().split(b"\0"):
                    found.append(pid)
        return found

    def faults_of_ours(self) -> list[str]:
        """The tracebacks that a command put into a file, because no user is to see them."""
        paths = glob.glob(os.path.join(self.temporary, "rorchestrator-*.txt"))
        return [read_text(path) for path in paths]

    # -- what runs left -------------------------------------------------------------------------

    @property
    def git_folder(self) -> str:
        """Git's common directory."""
        folder = os.path.join(self.path, ".git")
        if os.path.isdir(folder) or not os.path.isdir(self.path):
            return folder
        return os.path.join(self.path, self.git("rev-parse", "--git-common-dir"))

    @property
    def state_folder(self) -> str:
        """The state folder."""
        return os.path.join(self.git_folder, "rorchestrator")

    def state(self) -> RunState:
        """The state that the journal tells."""
        return fold(Journal(self.state_folder).read())

    def journal(self, id: str = "") -> list[Json]:
        """The events so far, of one feature or of all."""
        path = os.path.join(self.state_folder, "journal.jsonl")
        if not os.path.exists(path):
            return []
        whole = [line for line in read_text(path).splitlines(keepends=True) if line.endswith("\n")]
        events = [json.loads(line) for line in whole]
        for event in events:
            event.pop("sum", None)  # of the line, not of what happened
        return [event for event in events if not id or event.get("feature") == id]

    def events(self, kind: str) -> list[Json]:
        """The events so far of one kind."""
        return [event for event in self.journal() if event["event"] == kind]

    def kinds(self, id: str) -> list[str]:
        """The kinds of a feature's events of the last run."""
        events = self.journal(id)
        return [event["event"] for event in events if event["run"] == events[-1]["run"]]

    def last(self, id: str, kind: str = "ended") -> Json:
        """The last event of a kind of a feature."""
        return [event for event in self.journal(id) if event["event"] == kind][-1]

    def statuses(self) -> dict[str, str]:
        """How each feature ended the last time."""
        return {event["feature"]: event["status"] for event in self.events("ended")}

    def attempts(self, id: str) -> list[tuple[int, str, bool]]:
        """Number and session of every attempt so far, and whether it was resumed."""
        started = [e for e in self.journal(id) if e["event"] == "attempt_started"]
        return [(e["attempt"], e["session_id"], e["resumed"]) for e in started]

    def report(self) -> Json:
        """The last report of a run."""
        return self._document("report")

    def results(self) -> dict[str, Json]:
        """The last report of each feature, by id."""
        return {result["feature_id"]: result for result in self._document("results")}

    def _document(self, kind: str) -> Json:
        folder = os.path.join(self.folder, "reports")
        paths = glob.glob(os.path.join(glob.escape(folder), f"{kind}_*.json"))
        return json.loads(read_text(max(paths, key=os.path.getmtime)))

    def ref(self, id: str, of: str = "results") -> list[str]:
        """The commits under ``refs/rorchestrator/<of>/<id>/``, oldest run first."""
        pattern = f"refs/rorchestrator/{of}/{id}/"
        listed = self.git("for-each-ref", "--format=%(objectname)", pattern)
        return listed.split()

    def added(self, revision: str) -> set[str]:
        """The files of a commit, less those of the first one."""
        names = self.git("ls-tree", "-r", "-z", "--name-only", revision).split("\0")
        return {name for name in names if name} - {"README.md"}

    # -- state without a run ------------------------------------------------------------------

    def record(self, *story: Event) -> None:
        """Write events into the journal."""
        journal = Journal(self.state_folder)
        journal.open()
        for event in story:
            journal.append(event)
        journal.close()

    def finish(
        self,
        id: str,
        *changes: Mapping[str, Content],
        start: str = "main",
        cost_usd: float | None = None,
    ) -> str:
        """As a run leaves a completed feature: a commit for each of its changes; its result.

        For tests that need many of them; what a real run leaves is tested with real ones.
        """
        base, first = self.commit_of("main"), self.commit_of(start)
        git = run_sync(open_repository(Spawner(), self.path, self.environ))
        manager = WorktreeManager(git, self.worktrees, "feature/")
        made = run_sync(manager.create(id, first))
        tip = first
        for files in changes or ({f"{id}.txt": f"{id}\n"},):
            tip = self.commit(files, f"feat({id})", at=made.path)
        run_sync(manager.publish(id, RUN, tip))
        count = 0 if tip == first else 1
        prepared, begun = attempt(id, worktree=made.path)
        decision = Decision(id, Action.START, "new", "key")
        done = AttemptOutcome(Status.COMPLETED, cost_usd=cost_usd)
        outcome = FeatureOutcome(Status.COMPLETED, work=Work(tip, count, count))
        self.record(
            prepared,
            events.based(prepared.at, RUN, decision, start_commit=first, base_commit=base),
            begun,
            events.attempt_ended(begun.at, RUN, id, done),
            events.ended(begun.at, RUN, id, outcome),
        )
        return tip

    def finished(self, *ids: str) -> None:
        """Features that completed, each with one commit."""
        for id in ids:
            self.finish(id, cost_usd=0.05)

    @contextlib.contextmanager
    def at_work(self, *story: Event) -> Iterator[None]:
        """As if a run of this process was in progress, and these its last events."""
        lock = RunLock(self.state_folder)
        lock.acquire(Holder(os.getpid(), "2026-01-02T14:30:15+00:00", "run"))
        try:
            self.record(*story)
            yield
        finally:
            lock.release()


class WorkspaceTest(unittest.TestCase):
    """A test in a workspace: at its end nothing still runs, and no fault of ours was met."""

    workspace: Workspace

    def setUp(self) -> None:
        self.use(Workspace(apart=True))

    def use(self, workspace: Workspace) -> None:
        """Use this workspace from now on, and close the one before."""
        if hasattr(self, "workspace"):
            self.workspace.close()
        self.workspace = workspace
        self.addCleanup(workspace.close)
        self.addCleanup(self._assert_clean, workspace)

    def _assert_clean(self, workspace: Workspace) -> None:
        self.assertEqual(workspace.processes(), [], "something was left running")
        self.assertEqual(workspace.faults_of_ours(), [])

    def assert_statuses(self, **expected: str) -> None:
        """How each feature ended."""
        self.assertEqual(self.workspace.statuses(), expected)
