"""`ReadingClaude`: a session of Claude that reads the repository and answers by a JSON Schema."""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from ..claude.stream import transcript_of
from ..journal.private_files import only_regular
from ..model.feature import ClaudeOptions, Config, Feature
from ..model.frozen import dataclass, replace
from ..model.json_values import Json
from ..model.outcome import AttemptOutcome, Fault, Status
from ..model.translate import N_
from ..process.cancellation import Cancellation
from ..process.environment import without_git
from ..process.signals import StopSignals
from ..process.supervisor import Supervisor
from ..process.temporary_folder import temporary_folder
from ..project.claude_program import with_program
from ..project.open import OpenProject
from ..runner.attempt import AttemptRunner, Session
from ..runner.budget import LEAST_USD, OVER
from ..runner.context import RunContext

TOOLS = ("Read", "Grep", "Glob")
"""All tools that Claude gets; in the folder where it starts, they need no rule."""

DENIED = (
    *("Bash", "Edit", "Write", "NotebookEdit", "WebFetch", "WebSearch", "Agent", "Task"),
    *("Skill", "SlashCommand"),
)
"""Tools that write, run or leave the machine: for a Claude that does not know ``--tools``."""

MODE = "dontAsk"
"""The permission mode that refuses what no rule allows, such as reading in other folders."""


@dataclass(frozen=True)
class Spent:
    """What a session cost so far."""

    usd: float = 0.0
    is_complete: bool = True
    """Whether all of it is known."""
    calls: int = 0


def reading_options(options: ClaudeOptions, schema: Json) -> ClaudeOptions:
    """The options of a Claude that only reads: those of the list decide where, and which model."""
    return replace(
        ClaudeOptions(),
        command=options.command,
        env=options.env,
        model=options.model,
        fallback_model=options.fallback_model,
        permission_mode=MODE,
        allowed_tools=(),
        disallowed_tools=DENIED,
        extra_args=(f"--tools={','.join(TOOLS)}", f"--json-schema={json.dumps(schema)}"),
    )


class ReadingClaude:
    """One session, started in the main checkout; its files are in ``folder``.

    All of its calls together may cost ``max_cost_usd``; the last turn may go beyond it.
    """

    def __init__(
        self,
        project: OpenProject,
        supervisor: Supervisor,
        stop: Cancellation,
        schema: Json,
        *,
        folder: str,
        name: str,
        max_cost_usd: float,
    ) -> None:
        self.folder = folder
        self.name = name
        self.max_cost_usd = max_cost_usd
        self.session_id = str(uuid.uuid4())
        self.outcomes: list[AttemptOutcome] = []
        self.number = 0
        """The number of the current or the last call."""
        self._top = project.git.repository.top
        config = _config(with_program(project.config), schema)
        context = RunContext(name, folder, time.time, lambda event: None, stop)
        self._attempts = AttemptRunner(config, supervisor, context)
        self._env = without_git(os.environ)
        self._may_have_cost = 0.0

    @property
    def log(self) -> str:
        """The log of the current or the last call."""
        return os.path.join(self.folder, f"{self.name}.{self.number}.jsonl")

    @property
    def spent(self) -> Spent:
        """What all calls cost so far."""
        costs = [outcome.cost_usd for outcome in self.outcomes]
        return Spent(sum(filter(None, costs)), None not in costs, len(costs))

    @property
    def left_usd(self) -> float:
        """What is left of the limit, if an unknown cost was all that was granted."""
        return self.max_cost_usd - self._may_have_cost

    async def ask(self, prompt: str) -> tuple[AttemptOutcome, object]:
        """The outcome of one call, and the structured output; ``None`` without one."""
        granted = self.left_usd
        if granted < LEAST_USD:
            said = N_("{over}: nothing is left of ${budget:.2f}")
            reason = said.format(over=OVER, budget=self.max_cost_usd)
            return AttemptOutcome(Status.CANCELLED, reason, Fault.BUDGET), None
        self.number += 1
        outcome = await self._attempts.run(
            Feature(self.name, self.name),
            self._top,
            self.number,
            Session(self.session_id, resume=self.number > 1, task=prompt),
            self._env,
            granted,
        )
        self.outcomes.append(outcome)
        self._may_have_cost += granted if outcome.cost_usd is None else outcome.cost_usd
        if outcome.status is not Status.COMPLETED:
            return outcome, None
        return outcome, _structured_output(self.log)


@asynccontextmanager
async def reading_session(
    project: OpenProject,
    schema: Json,
    *,
    name: str,
    max_cost_usd: float,
    watch: Callable[[ReadingClaude], Coroutine[None, None, None]],
    stopping: Callable[[], object] = lambda: None,
) -> AsyncIterator[tuple[ReadingClaude, StopSignals]]:
    """A session with its files in a temporary folder; the first signal stops it, the second kills.

    ``watch`` shows what Claude does, until it is cancelled; ``stopping`` is called at the first
    signal. Raises :class:`UserError` if no folder can be created.
    """
    stop = Cancellation()
    with temporary_folder() as folder:
        async with Supervisor(f"{name}-{uuid.uuid4().hex[:8]}") as supervisor:
            claude = ReadingClaude(
                project,
                supervisor,
                stop,
                schema,
                folder=folder,
                name=name,
                max_cost_usd=max_cost_usd,
            )
            signals = StopSignals(stop, supervisor.kill_all, stopping)
            watching = asyncio.create_task(watch(claude))
            try:
                yield claude, signals
            finally:
                watching.cancel()


def _config(config: Config, schema: Json) -> Config:
    """The list with a Claude that only reads: without checks, which would be commands to allow."""
    project = replace(config.project, verify=(), start_interval_seconds=0.0)
    return replace(config, claude=reading_options(config.claude, schema), project=project)


def _structured_output(path: str) -> object:
    with open(path, "rb", opener=only_regular) as file:
        result = transcript_of(file).result
    return None if result is None else result.get("structured_output")
