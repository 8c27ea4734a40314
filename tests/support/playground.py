"""A workspace to run the command in: real git, the simulated agent, nothing of the user's.

``playground.features(...)`` writes the list, ``playground.run(...)`` runs the command as a
process of its own, and ``journal()``, ``report()``, ``results()`` read what it left.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time
import unittest
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.git.opening import open_repository
from core.process.spawner import Spawner, run_sync
from core.worktree.manager import WorktreeManager
from tests.support.forked import Forked, may_fork
from tests.support.repository import AT_ONCE, Content, Repository
from tests.support.scratch import ASKING, say_yes
from tests.support.signals import as_at_a_terminal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIMULATED = os.path.join(ROOT, "core", "claude", "simulated.py")
MEASURED = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
"""What coverage needs in a process that it is to measure."""

AGENT = [sys.executable, "-S", SIMULATED]
"""The simulated agent. Without the site module it starts in half the time."""

HAS_PROC = os.path.isdir("/proc/self")
"""Whether the processes of a playground can be found."""

DEADLINE_SECONDS = 30.0
ANYBODY = "PLAYGROUND"
"""The variable that everything started in a playground carries: its value is the folder."""

Json = Any
"""What ``json.loads`` gives: a test that looks for a key which is not there may fail."""


def steps(*given: Mapping[str, object]) -> str:
    """The prompt that makes the simulated agent do these steps, in this order."""
    return "\n".join(f"simulate: {json.dumps(step)}" for step in given)


def feature(id: str, *does: Mapping[str, object], **more: object) -> dict[str, object]:
    """A feature of a list; without steps the agent writes ``<id>.md``."""
    prompt = steps(*does) if does else f"Do {id}."
    return {"id": id, "name": f"The {id}", "prompt": prompt, **more}


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Come back when ``holds()``; an assertion error where that takes too long."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.01)


@dataclass(frozen=True)
class Done:
    """A command that ended; ``code`` is negative where a signal ended it."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Json]:
        """What ``--json`` printed."""
        return [json.loads(line) for line in self.out.splitlines()]


class Running:
    """A command that goes on."""

    def __init__(self, process: Forked | subprocess.Popen[bytes], out: str, err: str) -> None:
        self.process = process
        self.pid = process.pid
        self._out, self._err = out, err

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command itself."""
        os.kill(self.pid, number)

    def wait_for_its_question(self) -> None:
        """Come back when it waits for an answer: a signal just before is heard only after one."""
        if HAS_PROC:
            wait_until(self._sleeps, "it waits for an answer")

    def _sleeps(self) -> bool:
        with open(f"/proc/{self.pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2].startswith(b"S")

    def end(self) -> Done:
        """Wait for its end."""
        code = self.process.wait(DEADLINE_SECONDS)
        return Done(code, self.out, self.err)

    def kill(self) -> Done:
        """End it as a crash of the machine would."""
        self.process.kill()
        return self.end()

    @property
    def out(self) -> str:
        """Standard output until now; nothing of what went to a terminal."""
        return _text(self._out) if os.path.exists(self._out) else ""

    @property
    def err(self) -> str:
        """Standard error until now."""
        return _text(self._err) if os.path.exists(self._err) else ""


class Playground:
    """A repository ``shop`` and, beside it, a workspace ``plan`` with the feature list."""

    def __init__(self, repository: Repository | None = None, *, inside: bool = False) -> None:
        self.repository = repository or Repository("shop")
        self.root = self.repository.root
        self.workspace = self.repository.path if inside else os.path.join(self.root, "plan")
        self.list = os.path.join(self.workspace, "config", "feature_list.json")
        self.agrees = True
        """Whether the user has said yes to the list's commands before."""
        self.sessions = os.path.join(self.root, "sessions")
        self._streams = os.path.join(self.root, "streams")
        self._started: list[Running] = []
        self._temporary = os.path.join(self.root, "tmp")
        config = os.path.dirname(self.list)
        for folder in (self.sessions, self._streams, self._temporary, config):
            os.makedirs(folder, exist_ok=True)
        self.environ = {
            **MEASURED,
            **self.repository.environ,
            "LANG": "C.UTF-8",
            "TMPDIR": self._temporary,
            "RORCHESTRATOR_SIMULATION": self.sessions,
            ANYBODY: self.root,
        }

    def close(self) -> None:
        """End whatever still runs, and remove everything."""
        for running in self._started:
            if running.process.poll() is None:
                running.kill()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.repository.close()

    def path(self, *parts: str) -> str:
        """A path below the scratch folder."""
        return os.path.join(self.root, *parts)

    def worktree(self, id: str) -> str:
        """Where a feature's worktree is."""
        return self.path("worktrees", id)

    def scratch(self, name: str) -> str:
        """Where a scratch worktree is, while it is there."""
        git = run_sync(open_repository(Spawner(), self.repository.path, self.environ))
        return WorktreeManager(git, self.path("worktrees"), "").scratch_path(name)

    def touch(self, name: str) -> str:
        """Make an empty file, which somebody waits for; its path."""
        with open(self.path(name), "w", encoding="utf-8"):
            pass
        return self.path(name)

    def script(self, name: str, text: str) -> str:
        """Write a program; its path."""
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)
        return path

    def hook(self, name: str, script: str) -> str:
        """Write a git hook; its path."""
        common = self.repository.git("rev-parse", "--git-common-dir")
        folder = os.path.join(self.repository.path, common, "hooks")
        os.makedirs(folder, exist_ok=True)
        return self.script(os.path.join(folder, name), f"#!/bin/sh\n{script}\n")

    def features(
        self,
        *features: Mapping[str, object],
        claude: Mapping[str, object] | None = None,
        prompts: Mapping[str, object] | None = None,
        **project: object,
    ) -> None:
        """Write the feature list; keywords are settings of the project."""
        document = {
            "project": {"name": "Shop", "repo_path": self.repository.path, **AT_ONCE, **project},
            "claude": {"command": AGENT, **(claude or {})},
            "prompts": dict(prompts or {}),
            "features": list(features),
        }
        with open(self.list, "w", encoding="utf-8") as file:
            json.dump(document, file)

    # -- the command ----------------------------------------------------------------------

    def command(self, *argv: str, cwd: str = "", env: Mapping[str, str] | None = None) -> Done:
        """Run the command to its end, in the workspace."""
        return self.start(*argv, cwd=cwd, env=env).end()

    def run(self, *argv: str, env: Mapping[str, str] | None = None) -> Done:
        """``run --yes``."""
        return self.command("run", "--yes", *argv, env=env)

    def start(
        self,
        *argv: str,
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        under: tuple[str, ...] = (),
        terminal: int = -1,
    ) -> Running:
        """Start the command; ``under`` are words before it, as ``nohup``.

        ``terminal`` is the descriptor of one that all three streams go to.
        """
        if self.agrees and argv[:1] in ASKING:
            say_yes(self.list, os.path.join(self.repository.path, ".git"), self.environ)
        out, err = (f"{self._streams}/{len(self._started)}.{name}" for name in ("out", "err"))
        known = {**self.environ, **(env or {})}
        folder = cwd or self.workspace
        process: Forked | subprocess.Popen[bytes]
        with contextlib.ExitStack() as files, as_at_a_terminal():
            streams = [terminal] * 3
            if terminal < 0:
                modes = {os.devnull: "rb", out: "wb", err: "wb"}
                opened = [files.enter_context(open(path, mode)) for path, mode in modes.items()]
                streams = [file.fileno() for file in opened]
            if under or terminal >= 0 or not may_fork(env or {}):
                process = subprocess.Popen(
                    [*under, sys.executable, os.path.join(ROOT, "orchestrate.py"), *argv],
                    cwd=folder,
                    env=known,
                    stdin=streams[0],
                    stdout=streams[1],
                    stderr=streams[2],
                    start_new_session=True,
                    preexec_fn=_take_terminal if terminal >= 0 else None,
                )
            else:
                process = Forked(argv, folder, known, streams)
        running = Running(process, out, err)
        self._started.append(running)
        return running

    def processes(self) -> list[int]:
        """The pids of all that was started in this playground and lives."""
        found: list[int] = []
        if not HAS_PROC:
            return found
        wanted = f"{ANYBODY}={self.root}".encode()
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
                if wanted in file.read().split(b"\0"):
                    found.append(pid)
        return found

    def faults_of_ours(self) -> list[str]:
        """The tracebacks that a command put into a file, because no user is to see them."""
        names = os.listdir(self._temporary) if os.path.isdir(self._temporary) else []
        paths = (os.path.join(self._temporary, name) for name in names)
        return [_text(path) for path in paths if os.path.isfile(path)]

    # -- what it left -----------------------------------------------------------------------

    @property
    def state(self) -> str:
        """The state folder."""
        common = self.repository.git("rev-parse", "--git-common-dir")
        return os.path.join(self.repository.path, common, "rorchestrator")

    def journal(self, id: str = "") -> list[Json]:
        """The events so far, of one feature or of all."""
        path = os.path.join(self.state, "journal.jsonl")
        if not os.path.exists(path):
            return []
        whole = [line for line in _text(path).splitlines(keepends=True) if line.endswith("\n")]
        events = [json.loads(line) for line in whole]
        for event in events:
            event.pop("sum", None)  # of the line, not of what happened
        return [event for event in events if not id or event.get("feature") == id]

    def kinds(self, id: str) -> list[str]:
        """The kinds of a feature's events of the last run."""
        events = self.journal(id)
        return [event["event"] for event in events if event["run"] == events[-1]["run"]]

    def last(self, id: str, kind: str = "ended") -> Json:
        """The last event of a kind of a feature."""
        return [event for event in self.journal(id) if event["event"] == kind][-1]

    def statuses(self) -> dict[str, str]:
        """How each feature ended the last time."""
        return {e["feature"]: e["status"] for e in self.journal() if e["event"] == "ended"}

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
        folder = os.path.join(self.workspace, "reports")
        paths = [os.path.join(folder, n) for n in os.listdir(folder) if n.startswith(f"{kind}_")]
        return json.loads(_text(max(paths, key=os.path.getmtime)))

    def ref(self, id: str, of: str = "results") -> list[str]:
        """The commits under ``refs/rorchestrator/<of>/<id>/``, oldest run first."""
        pattern = f"refs/rorchestrator/{of}/{id}/"
        listed = self.repository.git("for-each-ref", "--format=%(objectname)", pattern)
        return listed.split()

    def files(self, revision: str) -> set[str]:
        """The files of a commit, less those of the first one."""
        return set(self.repository.files(revision)) - {"README.md"}


class PlaygroundTest(unittest.TestCase):
    """A test in a playground: at its end nothing still runs, and no fault of ours was met."""

    playground: Playground

    def setUp(self) -> None:
        self.use(Playground())

    def use(self, playground: Playground) -> None:
        """Play here from now on; what was there before is closed."""
        if hasattr(self, "playground"):
            self.playground.close()
        self.playground = playground
        self.addCleanup(playground.close)
        self.addCleanup(self._assert_clean, playground)

    def _assert_clean(self, playground: Playground) -> None:
        self.assertEqual(playground.processes(), [], "something was left running")
        self.assertEqual(playground.faults_of_ours(), [])

    def assert_statuses(self, **expected: str) -> None:
        """How each feature ended."""
        self.assertEqual(self.playground.statuses(), expected)


@contextlib.contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a pseudo-terminal: ours, and that of the command."""
    ours, theirs = os.openpty()
    try:
        yield ours, theirs
    finally:
        for descriptor in (ours, theirs):
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        return file.read()


__all__ = [
    "AGENT",
    "HAS_PROC",
    "SIMULATED",
    "Content",
    "Done",
    "Json",
    "Playground",
    "PlaygroundTest",
    "Running",
    "feature",
    "steps",
    "terminal",
    "wait_until",
]
