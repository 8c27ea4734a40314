"""Asks Claude for its opinion on the dependencies of a list: it reads, and writes nothing."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Callable, Coroutine, Sequence

from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.outcome import Status
from ..process.cancellation import Cancellation
from ..process.signals import StopSignals
from ..process.supervisor import Supervisor
from ..process.temporary_folder import temporary_folder
from ..project.open import OpenProject
from .assistant_finding import Finding
from .assistant_opinion import SCHEMA, Heard, heard, question
from .reading_claude import ReadingClaude, Spent

MAX_COST_USD = 0.5
"""What an opinion may cost, if the user says nothing else."""


@dataclass(frozen=True)
class SecondOpinion:
    """What Claude said, what it cost, and the signal that stopped it."""

    heard: Heard
    spent: Spent = Spent()
    received: signal.Signals | None = None


async def second_opinion(
    project: OpenProject,
    found: Sequence[Finding],
    max_cost_usd: float,
    watch: Callable[[ReadingClaude], Coroutine[None, None, None]],
) -> SecondOpinion:
    """Ask Claude once. The first signal stops it, the second one kills it.

    ``watch`` shows what Claude does, until it is cancelled.
    """
    stop = Cancellation()
    features = project.config.features
    with temporary_folder() as folder:
        async with Supervisor(f"assist-{uuid.uuid4().hex[:8]}") as supervisor:
            claude = ReadingClaude(
                project,
                supervisor,
                stop,
                SCHEMA,
                folder=folder,
                name="assist",
                max_cost_usd=max_cost_usd,
            )
            signals = StopSignals(stop, supervisor.kill_all)
            watching = asyncio.create_task(watch(claude))
            try:
                outcome, answer = await claude.ask(question(features, found))
            except UserError as error:
                return SecondOpinion(Heard(fault=error.message), claude.spent, signals.received)
            finally:
                watching.cancel()
    if outcome.status is not Status.COMPLETED:
        return SecondOpinion(Heard(fault=outcome.reason), claude.spent, signals.received)
    return SecondOpinion(heard(answer, features), claude.spent, signals.received)
