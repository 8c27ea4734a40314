"""A runner with everything around it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

from core.git.door import Git, Repository
from core.git.opening import open_repository
from core.git.tampering import take_fingerprint
from core.model import events
from core.model.decision import Action, Decision
from core.model.events import Event
from core.model.fold import apply
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status
from core.model.state import RunState
from core.process.cancellation import Cancellation
from core.process.environment import without_git
from core.process.supervisor import PATIENT, Child, Ladder, Supervisor
from core.project import feature_list
from core.runner.attempt import LOG_BYTES, AttemptRunner
from core.runner.budget import Budget
from core.runner.checks import make_checks
from core.runner.claude_runner import LEAST_FREE_BYTES, ClaudeRunner
from core.runner.context import RunContext
from core.runner.job import Job
from core.runner.slots import Slots
from core.runner.usage_limit import UsageLimitGate
from core.worktree.manager import WorktreeManager
from tests.support.paths import SIMULATED
from tests.support.workspace import WorkspaceTest

RECORDER = f"""\
#!{sys.executable}
import json, os, sys
me = os.path.abspath(__file__)
seen = {{"argv": sys.argv[1:], "environ": dict(os.environ), "cwd": os.getcwd()}}
seen["prompt"] = sys.stdin.read()
seen["mode"] = os.fstat(0).st_mode
with open(me + ".seen", "a") as file:
    file.write(json.dumps(seen) + "\\n")
os.lseek(0, 0, os.SEEK_SET)
os.execv(sys.executable, [sys.executable, {SIMULATED!r}, *sys.argv[1:]])
"""


BY_THE_SHELL = {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE", "LINES", "COLUMNS"}
"""Variables that /bin/sh or Python itself adds."""


def run_id(number: int) -> str:
    """Of this process only: a run ends whatever carries its mark."""
    return f"run{number}-{os.getpid()}"


class Hasty(Supervisor):
    """Gives each signal a fraction of its time."""

    async def end(self, child: Child, ladder: Ladder = PATIENT) -> None:
        await super().end(child, [(number, 0.3) for number, _ in ladder])


class RunnerTest(WorkspaceTest):
    """Runs features one by one in this process, as the orchestrator would."""

    def setUp(self) -> None:
        super().setUp()
        self.state = RunState()
        self.events: list[Event] = []
        self.on_event: Callable[[Event, asyncio.Event], object] = lambda event, stop: None
        """Gets each event, and the wish to stop."""
        self.linger_seconds = 10.0
        self.limits: dict[str, int] = {}
        self.runners: list[ClaudeRunner] = []
        self.supervisor: type[Supervisor] = Supervisor
        self.version: tuple[int, int] | None = None
        self.runs = 0
        self.pauses: list[float] = []
        self.cap_usd: float | None = None
        self.deadline = float("inf")
        self.look_seconds = 0.0
        """How long checks of completed features may run at their start commits at the end."""

    def run_feature(
        self,
        id: str = "a",
        action: Action = Action.START,
        *,
        results: Mapping[str, str] | None = None,
        stop: bool = False,
        environ: Mapping[str, str] | None = None,
        **more: Any,
    ) -> FeatureOutcome:
        """One feature's turn, in a run of its own."""

        async def turn() -> FeatureOutcome:
            return (await self._turns([id], action, results or {}, stop, environ, more))[0]

        return asyncio.run(asyncio.wait_for(turn(), 30))

    def run_features(self, *ids: str) -> list[FeatureOutcome]:
        """One after the other, in one run."""

        async def turns() -> list[FeatureOutcome]:
            return await self._turns(list(ids), Action.START, {}, False, None, {})

        return asyncio.run(asyncio.wait_for(turns(), 30))

    def run_together(self, *ids: str) -> list[FeatureOutcome]:
        """All at once, in one run."""

        async def turns() -> list[FeatureOutcome]:
            return await self._turns(list(ids), Action.START, {}, False, None, {}, slots=len(ids))

        return asyncio.run(asyncio.wait_for(turns(), 30))

    async def _turns(
        self,
        ids: list[str],
        action: Action,
        results: Mapping[str, str],
        stopped: bool,
        environ: Mapping[str, str] | None,
        more: Mapping[str, Any],
        slots: int = 1,
    ) -> list[FeatureOutcome]:
        self.runs += 1
        run = run_id(self.runs)
        config = feature_list.load(self.workspace.list_file)
        features = {feature.id: feature for feature in config.features}
        stop = Cancellation()
        if stopped:
            stop.set()

        def emit(event: Event) -> None:
            self.state = apply(self.state, event)
            self.events.append(event)
            self.on_event(event, stop)

        async with self.supervisor(run) as supervisor:
            git = await self._git(supervisor)
            folder, subject = self.workspace.beside("worktrees"), config.project.commit_subject
            worktrees = WorktreeManager(git, folder, "feature/", subject)
            logs = self.workspace.beside("logs", run)
            context = RunContext(run, logs, time.time, emit, stop, self.deadline)
            attempts = AttemptRunner(
                config,
                supervisor,
                context,
                linger_seconds=self.linger_seconds,
                log_bytes=self.limits.get("log_bytes", LOG_BYTES),
            )
            environ = without_git(self.workspace.environ if environ is None else environ)
            checks = make_checks(config, worktrees, supervisor, context, self.state, environ)
            places = Slots(slots)
            if stop.is_set():
                places.close("interrupted")
            runner = ClaudeRunner(
                config,
                worktrees,
                attempts,
                checks,
                UsageLimitGate(
                    places,
                    stop,
                    time.time,
                    self.pauses.append,
                    grace_seconds=0.0,
                    max_wait_seconds=3600.0,
                ),
                Budget(self.cap_usd, dict.fromkeys(features, 0.0)),
                await take_fingerprint(git, self.state.setups),
                context,
                least_free_bytes=self.limits.get("least_free_bytes", LEAST_FREE_BYTES),
            )
            self.runners.append(runner)

            async def one(id: str) -> FeatureOutcome:
                known = replace(self.state.feature(id), **more)
                decision = Decision(id, action, "new", "key")
                base = self.workspace.commit_of("main")
                job = Job(features[id], decision, known, base, results)
                turn = places.turn((0.0, 0, 0))
                outcome = await runner.run(job, turn)
                turn.end()
                emit(events.ended(time.time(), run, id, outcome))
                return outcome

            async with AsyncExitStack() as stack:
                if self.look_seconds:
                    await stack.enter_async_context(checks.later.beside(slots))
                if slots > 1:
                    outcomes = list(await asyncio.gather(*map(one, ids)))
                else:
                    outcomes = [await one(id) for id in ids]
                if self.look_seconds:
                    await checks.later.finish(self.look_seconds)
            return outcomes

    async def _git(self, supervisor: Supervisor) -> Git:
        place = self.workspace
        git = await open_repository(supervisor, place.path, place.environ)
        if self.version is None:
            return git
        real = git.repository
        older = Repository(real.top, real.common_dir, real.bare, real.shallow, self.version)
        return Git(supervisor, older, place.environ)

    def stop_when(self, exists: str) -> None:
        """Set the wish to stop as soon as a file is there."""

        def listen(event: Event, stop: Cancellation) -> None:
            if event.kind == "attempt_started":
                self._watcher = asyncio.get_running_loop().create_task(watch(stop))

        async def watch(stop: Cancellation) -> None:
            while not os.path.exists(self.workspace.beside(exists)):
                await asyncio.sleep(0.01)
            stop.set()

        self.on_event = listen

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def notes(self) -> list[str]:
        return [str(event.data["text"]) for event in self.events if event.kind == "note"]

    def attempts(self) -> list[tuple[int, bool]]:
        """Number of each attempt, and whether it was a resumed session."""
        found = self.state.feature("a").attempts
        return [(attempt.number, attempt.resumed) for attempt in found]

    def last_attempt(self, id: str = "a") -> AttemptOutcome:
        found = self.state.feature(id).last_outcome
        assert found is not None
        return found

    def prompt_of(self, attempt: int) -> str:
        with open(self.workspace.beside("logs", run_id(self.runs), f"a.{attempt}.prompt")) as file:
            return file.read()

    def record(self) -> list[str]:
        """A command that keeps what it was called with, then simulates."""
        return [self.workspace.script("claude", RECORDER)]

    def seen(self) -> list[dict[str, Any]]:
        with open(self.workspace.beside("claude.seen")) as file:
            return [json.loads(line) for line in file]

    def assert_failed(self, outcome: FeatureOutcome, fault: Fault, reason: str) -> None:
        self.assertEqual((outcome.status, outcome.fault), (Status.FAILED, fault), outcome)
        self.assertIn(reason, outcome.reason)


def result(**more: object) -> str:
    """A raw result line."""
    line = {"type": "result", "subtype": "success", "is_error": False, "num_turns": 1}
    return json.dumps({**line, "result": "Done.", "total_cost_usd": 0.1, **more}) + "\n"


LIMITED = """\
#!{python}
import json, os, sys, time
folder = {folder!r}
print(json.dumps({{"type": "system", "subtype": "init"}}))
result = {{"type": "result", "subtype": "success", "num_turns": 1, "total_cost_usd": 0}}
if os.path.exists(os.path.join(folder, "limited")):
    os.system("git config alias.x '!evil'")
    print(json.dumps({{**result, "is_error": False, "result": "x"}}))
else:
    open(os.path.join(folder, "limited"), "w").close()
    limit = {{"status": "rejected", "resetsAt": time.time() + 0.3}}
    print(json.dumps({{"type": "rate_limit_event", "rate_limit_info": limit}}))
    print(json.dumps({{**result, "is_error": True, "result": "You've hit your limit"}}))
"""


FORGETFUL = f"""\
#!/bin/sh
case "$*" in *--resume=*) echo 'No conversation found' >&2; exit 1;; esac
exec '{sys.executable}' '{SIMULATED}' "$@"
"""


AGAIN = {"attempts": 3, "backoff_seconds": 0.01}
