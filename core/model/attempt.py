"""One attempt, and what it cost: reported by its result, settled by a later one, or estimated.

`core/claude/spending.py` reads the reported cost out of the stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .costs import Cost, Paid
from .frozen import dataclass, replace
from .outcome import AttemptOutcome, Usage


@dataclass(frozen=True)
class Attempt:
    """One process of Claude for a feature or for a conflict."""

    run: str
    number: int
    session_id: str
    started_at: float
    log: str = ""
    resumed: bool = False
    was_asked_for: bool = False
    """Whether it got comments of the user, and not a check that failed."""
    ended_at: float | None = None
    outcome: AttemptOutcome | None = None
    about_usd: float | None = None
    """The estimate of an unknown cost."""
    settled_usd: float | None = None
    """A cost that only a later process of the session reported."""

    @property
    def cost(self) -> Cost:
        """What its result reported, else what was settled later, else the estimate."""
        known = self.outcome.cost_usd if self.outcome is not None else None
        usd = self.settled_usd if known is None else known
        if usd is not None:
            return Cost(usd, known=1)
        tokens = sum(self.outcome.tokens.values()) if self.outcome is not None else 0
        has_estimate = self.about_usd is not None
        return Cost(0.0, 0, 1, int(has_estimate), self.about_usd or 0.0, tokens)


def cost_of(attempts: Iterable[Attempt]) -> Cost:
    """The summed cost of the attempts."""
    return sum((attempt.cost for attempt in attempts), Cost())


def usage_of(attempts: Iterable[Attempt]) -> Usage:
    """The summed tokens of the attempts."""
    return sum((a.outcome.usage for a in attempts if a.outcome), Usage())


def priced(attempts: tuple[Attempt, ...], rates: dict[str, Paid]) -> tuple[Attempt, ...]:
    """The attempts with a cost for the last one, which has just ended; ``rates`` learn from it."""
    outcome = attempts[-1].outcome if attempts else None
    if outcome is None:
        return attempts
    for model, paid in outcome.paid.items():
        rates[model] = rates[model] + paid if model in rates else paid
    last = replace(attempts[-1], about_usd=estimate(outcome.tokens, rates))
    return _settled((*attempts[:-1], last))


def _settled(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """The attempts, if the last one reported the cost of its whole session over all processes.

    What no result accounts for was spent by the attempts that were ended before their result.
    """
    last = attempts[-1]
    total = last.outcome.session_cost_usd if last.outcome is not None else None
    if total is None:
        return attempts
    of_session = [a for a in attempts if a.session_id == last.session_id]
    unknown = [a for a in of_session if not a.cost.is_complete]
    if not unknown or last in unknown:
        return attempts
    rest = max(0.0, total - cost_of(of_session).known_usd)
    settled = {a.number: 0.0 for a in unknown}
    settled[unknown[-1].number] = rest
    return tuple(replace(a, settled_usd=settled[a.number]) if a in unknown else a for a in attempts)


def estimate(tokens: Mapping[str, int], rates: Mapping[str, Paid]) -> float | None:
    """The cost in USD of ``tokens`` of each model, at the ``rates`` paid so far.

    ``None`` if the rate of one model is unknown.
    """
    if not tokens or any(model not in rates for model in tokens):
        return None
    return sum(n * rates[model].cost_usd / rates[model].tokens for model, n in tokens.items())
