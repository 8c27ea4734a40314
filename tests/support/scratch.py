"""A workspace to try the command in: a real repository, a feature list, a simulated Claude."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from core import cli
from core.commands.agreement import all_commands
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
from tests.support.repository import AT_ONCE, Repository
from tests.support.signals import as_at_a_terminal

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ORCHESTRATE = os.path.join(ROOT, "orchestrate.py")
SIMULATED = os.path.join(ROOT, "core", "claude", "simulated.py")

LIMIT_SECONDS = 60
"""No command of a test takes as long: it hangs."""

RUN = "20260102T143015-abcdef"
"""The run that :func:`attempt` belongs to."""

Json = object


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed on standard output, read as JSON."""
        return json.loads(self.out)


class Terminal(io.TextIOWrapper):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Whether it is one."""
        return True


ASKING = (("merge",), ("cleanup",), ("attach",))
"""The commands that ask about the list's commands; ``run`` asks anyway."""


def say_yes(list_file: str, repository: str, environ: Mapping[str, str]) -> None:
    """Agree to the commands of a list, if it can be read, in a repository's git folder."""
    with suppress(UserError):
        config = load(list_file)
        Consents(os.path.realpath(repository), environ).give(all_commands(config))


def feature(id: str, *steps: Mapping[str, Json], **keys: Json) -> dict[str, Json]:
    """An entry of the list. The simulated agent takes the steps; without any it writes a file."""
    asked = [f"simulate: {json.dumps(step)}" for step in steps or ({"write": f"{id}.txt"},)]
    return {"id": id, "prompt": "\n".join([f"Build {id}.", *asked]), **keys}


def attempt(
    id: str, *, log: str = "", at: float | None = None, worktree: str = "/nowhere"
) -> list[Event]:
    """The events of a feature whose attempt has begun."""
    now = time.time() if at is None else at
    decision = Decision(id, Action.START, "new", "key")
    return [
        events.preparing(now, RUN, decision, branch=f"feature/{id}", worktree=worktree, name=id),
        events.attempt_started(now, RUN, id, attempt=1, session_id="s1", resumed=False, log=log),
    ]


class Workspace(Repository):
    """A repository with a feature list of its own in ``config/``, committed on ``main``."""

    def __init__(
        self,
        features: Sequence[Mapping[str, Json]] = (),
        *,
        name: str = "shop",
        project: Mapping[str, Json] | None = None,
        **keys: Json,
    ):
        super().__init__(name)
        self.environ.update(
            LANG="C.UTF-8",
            RORCHESTRATOR_SIMULATION=os.path.join(self.root, "sessions"),
            TMPDIR=os.path.join(self.root, "tmp"),
            # What a tool that measures the tests hands down to every Python, and where those
            # find what was compiled before.
            **{n: v for n, v in os.environ.items() if n.startswith(("COVERAGE", "PYTHONPYCACHE"))},
        )
        os.mkdir(self.environ["RORCHESTRATOR_SIMULATION"])
        os.mkdir(self.environ["TMPDIR"])
        self.agrees = True
        """Whether the user has said yes to the list's commands before."""
        self.worktrees = os.path.join(self.root, "worktrees")
        self.state_folder = os.path.join(self.path, ".git", "rorchestrator")
        self.document: dict[str, Json] = {
            "project": {"name": "Shop", **AT_ONCE, **(project or {})},
            "claude": {"command": [sys.executable, SIMULATED]},
            "features": list(features),
            **keys,
        }
        self.commit({"config/feature_list.json": json.dumps(self.document)}, "the list")

    def __enter__(self) -> Workspace:
        return self

    @property
    def list_file(self) -> str:
        """Where the feature list is."""
        return os.path.join(self.path, "config", "feature_list.json")

    def change(self, features: Sequence[Mapping[str, Json]] = (), **project: Json) -> None:
        """Write the list anew: with other features where there are any, and project keys."""
        known = self.document["project"]
        assert isinstance(known, dict)
        self.document["project"] = {**known, **project}
        self.document["features"] = list(features) or self.document["features"]
        self.write({"config/feature_list.json": json.dumps(self.document)})

    def worktree(self, id: str) -> str:
        """Where a feature's worktree is."""
        return os.path.join(self.worktrees, id)

    # -- what runs leave --------------------------------------------------------------------

    def state(self) -> RunState:
        """What the journal tells."""
        return fold(Journal(self.state_folder).read())

    def record(self, *story: Event) -> None:
        """Write events into the journal."""
        journal = Journal(self.state_folder)
        journal.open()
        for event in story:
            journal.append(event)
        journal.close()

    def finished(self, *ids: str) -> None:
        """As a run leaves features that completed: each with a worktree and one commit.

        For tests that need many of them; what a real run leaves is tested with real ones.
        """
        base, folder = self.commit_of("main"), self.worktrees
        git = run_sync(open_repository(Spawner(), self.path, self.environ))
        manager = WorktreeManager(git, folder, "feature/")
        for id in ids:
            made = run_sync(manager.create(id, base))
            commit = self.commit({f"{id}.txt": f"{id}\n"}, f"feat({id})", at=made.path)
            run_sync(manager.publish(id, RUN, commit))
            done = AttemptOutcome(Status.COMPLETED, cost_usd=0.05)
            outcome = FeatureOutcome(Status.COMPLETED, work=Work(commit, 1, 1))
            prepared, begun = attempt(id, worktree=made.path)
            self.record(
                prepared,
                events.based(
                    prepared.at,
                    RUN,
                    Decision(id, Action.START, "new", "key"),
                    start_commit=base,
                    base_commit=base,
                ),
                begun,
                events.attempt_ended(begun.at, RUN, id, done),
                events.ended(begun.at, RUN, id, outcome),
            )

    @contextmanager
    def at_work(self, *story: Event) -> Iterator[None]:
        """As if a run that this process does was at work, and these its last events."""
        lock = RunLock(self.state_folder)
        lock.acquire(Holder(os.getpid(), "2026-01-02T14:30:15+00:00", "run"))
        try:
            self.record(*story)
            yield
        finally:
            lock.release()

    # -- the command ----------------------------------------------------------------------

    def agree(self, *words: str) -> None:
        """Say yes to the list's commands, as a user has who knows his own list."""
        if self.agrees and words[:1] in ASKING:
            say_yes(self.list_file, os.path.join(self.path, ".git"), self.environ)

    def command(self, *words: str, env: Mapping[str, str] | None = None, at: str = "") -> Said:
        """Run the command as a process of its own."""
        self.agree(*words)
        done = subprocess.run(
            self.argv(*words),
            cwd=at or self.path,
            env={**self.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT_SECONDS,
        )
        encoding = (env or {}).get("PYTHONIOENCODING", "utf-8")
        out, err = (said.decode(encoding) for said in (done.stdout, done.stderr))
        return Said(done.returncode, out, err)

    def argv(self, *words: str) -> list[str]:
        """The command line that runs the command."""
        return [sys.executable, ORCHESTRATE, *words]

    def run(self, *words: str) -> Said:
        """``run --yes``, which has to work, though not every feature has to complete."""
        said = self.command("run", "--yes", *words)
        assert said.code in (0, 1), said
        return said

    @contextmanager
    def start(self, *words: str, nohup: bool = False) -> Iterator[subprocess.Popen[bytes]]:
        """Run the command beside the test, which is to wait for it; it is gone at the end."""
        self.agree(*words)
        with as_at_a_terminal():
            child = subprocess.Popen(
                [*(["nohup"] if nohup else []), *self.argv(*words)],
                cwd=self.path,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        with child:
            try:
                yield child
            finally:
                child.kill()

    def main(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        at: str = "",
        terminal: bool = False,
        encoding: str = "utf-8",
    ) -> Said:
        """Run the command in this process, with streams, folder and environment of its own."""
        self.agree(*words)
        kind = Terminal if terminal else io.TextIOWrapper
        with standing_in(at or self.path, {**self.environ, **(env or {})}):
            out, err = (
                kind(io.BytesIO(), encoding=encoding, errors="backslashreplace") for _ in range(2)
            )
            with streams(out, err):
                code = cli.main(words)
        return Said(code, _text(out), _text(err))


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode(stream.encoding)


@contextmanager
def standing_in(folder: str, environ: Mapping[str, str]) -> Iterator[None]:
    """Be in another folder, with another environment."""
    here, before = os.getcwd(), dict(os.environ)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    tempfile.tempdir = None  # else it is that of the environment before
    try:
        yield
    finally:
        tempfile.tempdir = None
        os.environ.clear()
        os.environ.update(before)
        os.chdir(here)


@contextmanager
def streams(
    out: io.TextIOBase | None, err: io.TextIOBase | None, given: io.TextIOBase | None = None
) -> Iterator[None]:
    """Print to these, and read what is ``given``."""
    before = sys.stdin, sys.stdout, sys.stderr
    nothing = io.StringIO()
    sys.stdin, sys.stdout, sys.stderr = given or nothing, out, err
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
