"""Asks Claude for its opinion on the dependencies of a list: it reads, and writes nothing."""

from __future__ import annotations

import signal
from collections.abc import Callable, Coroutine, Sequence

from ...model.errors import UserError
from ...model.frozen import dataclass
from ...model.outcome import Status
from ...project.open import OpenProject
from ..reading_claude import ReadingClaude, Spent, reading_session
from .finding import Finding
from .opinion import SCHEMA, Heard, heard, question

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
    features = project.config.features
    async with reading_session(
        project, SCHEMA, name="assist", max_cost_usd=max_cost_usd, watch=watch
    ) as (claude, signals):
        try:
            outcome, answer = await claude.ask(question(features, found))
        except UserError as error:
            return SecondOpinion(Heard(fault=error.message), claude.spent, signals.received)
    if outcome.status is not Status.COMPLETED:
        return SecondOpinion(Heard(fault=outcome.reason), claude.spent, signals.received)
    return SecondOpinion(heard(answer, features), claude.spent, signals.received)
