"""Asks Claude for a proposal, checks it, and sends what is wrong with it back to Claude."""

from __future__ import annotations

import signal
from collections.abc import Callable, Coroutine, Iterable

from ...model.errors import UserError
from ...model.frozen import dataclass, replace
from ...model.outcome import Status
from ...model.translate import _
from ...model.words import counted
from ...project.open import OpenProject
from ..reading_claude import ReadingClaude, Spent, reading_session
from .list import Checked, Draft, check_answer
from .prompt import first_prompt, next_prompt
from .schema import answer_schema
from .target import Target

ROUNDS = 2
"""How often an answer goes back to Claude."""


@dataclass(frozen=True)
class Decomposed:
    """The best answer, if one can be used, and why there is no better one."""

    best: Checked | None = None
    last: Checked | None = None
    """The last answer, also one that can't be used."""
    reason: str = ""
    """Why Claude gave no answer to the last prompt."""
    spent: Spent = Spent()
    session_id: str = ""
    received: signal.Signals | None = None
    """The signal that stopped it."""


@dataclass(frozen=True)
class Request:
    """A specification to split, and the limits."""

    text: str
    most: int
    """How many features there may be."""
    max_cost_usd: float


@dataclass(frozen=True)
class Viewer:
    """Who is told what happens."""

    say: Callable[[str], None]
    watch: Callable[[ReadingClaude], Coroutine[None, None, None]]
    """Shows what Claude does, until it is cancelled."""


async def decompose(
    project: OpenProject,
    target: Target,
    request: Request,
    viewer: Viewer,
    advise: Callable[[Draft], Iterable[str]],
) -> Decomposed:
    """Let Claude split a specification. It is stopped by the first signal, killed by the second.

    ``advise`` says what is wrong with a draft, in addition to loader and linter.
    """

    def check(answer: object) -> Checked:
        return check_answer(target, request.most, answer, advise)

    async with reading_session(
        project,
        answer_schema(request.most, has_checks=target.has_checks),
        name="decompose",
        max_cost_usd=request.max_cost_usd,
        watch=viewer.watch,
        stopping=lambda: viewer.say(_("Stopping Claude ...")),
    ) as (claude, signals):
        try:
            prompt = first_prompt(request.text, request.most, target.config)
            found = await exchange(claude, prompt, check, viewer.say)
        except UserError as error:
            found = Decomposed(reason=error.message)
    return replace(
        found, spent=claude.spent, session_id=claude.session_id, received=signals.received
    )


async def exchange(
    claude: ReadingClaude,
    prompt: str,
    check: Callable[[object], Checked],
    say: Callable[[str], None],
) -> Decomposed:
    """Ask until an answer has neither faults nor findings, at most :data:`ROUNDS` times more."""
    found = Decomposed()
    sent_back = 0
    while True:
        outcome, value = await claude.ask(prompt)
        if outcome.status is not Status.COMPLETED:
            return replace(found, reason=outcome.reason)
        checked = check(value)
        found = Decomposed(_better(found.best, checked), checked)
        points = checked.faults or checked.findings
        if not points or sent_back == ROUNDS:
            return found
        sent_back += 1
        count = counted(len(points), "fault") if checked.faults else counted(len(points), "finding")
        say(_("The answer has {count}: sent back to Claude.").format(count=count))
        prompt = next_prompt(points, are_faults=bool(checked.faults))


def _better(best: Checked | None, new: Checked) -> Checked | None:
    """The answer with fewer findings, else the newer one."""
    if new.draft is None:
        return best
    return new if best is None or len(new.findings) <= len(best.findings) else best
