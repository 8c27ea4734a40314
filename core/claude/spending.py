"""Cost in USD and tokens of an attempt, from the results in its stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model.costs import SHARE, Paid, total_usd
from ..model.json_values import dollars_of, integer
from ..model.outcome import Usage
from .transcript import (
    Message,
    Transcript,
)


def spent(transcript: Transcript, result: Message) -> tuple[float | None, Usage]:
    """USD and tokens of this process so far.

    A result's totals are cumulative over the process and, since 2.1.330, over earlier processes of
    a resumed session. So shares are summed if the results have them.
    """
    share = result.get(SHARE)
    total = dollars_of(result.get("total_cost_usd"))
    if isinstance(share, dict) and (share or not transcript.unpaid):
        models = [model if isinstance(model, dict) else {} for model in share.values()]
        before = 0.0 if transcript.result is None else transcript.cost_usd
        return (
            total_usd([before, *(dollars_of(model.get("costUSD")) for model in models)]),
            transcript.usage + _of_models(models),
        )
    usage = _usage(result)
    answered = bool(transcript.tokens) or usage != Usage()
    if isinstance(share, dict) or (total == 0 and answered) or _fell(transcript, total):
        return None, usage  # The model answered, but its cost is missing.
    return total, usage


def _fell(transcript: Transcript, total: float | None) -> bool:
    """Whether the total, which should only grow, has decreased now or before."""
    seen = dollars_of((transcript.result or {}).get("total_cost_usd"))
    known = transcript.cost_usd
    return bool(seen) and (known is None or total is None or total < known)


def paid_by(known: Mapping[str, Paid], result: Message) -> Mapping[str, Paid]:
    """Cost and tokens by model after one more result."""
    share = result.get(SHARE)
    models = share if isinstance(share, dict) else result.get("modelUsage")
    paid = {} if share is None else dict(known)
    for name, model in models.items() if isinstance(models, dict) else ():
        cost_usd = dollars_of(model.get("costUSD")) if isinstance(model, dict) else None
        tokens = sum(integer(model, theirs) for theirs in INPUT_OF_MODEL) if cost_usd else 0
        if cost_usd and tokens:
            paid[name] = Paid(cost_usd, tokens) + paid.get(name, Paid(0.0, 0))
    return paid


INPUT_TOKENS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


INPUT_OF_MODEL = ("inputTokens", "cacheCreationInputTokens", "cacheReadInputTokens")


_MODEL_USAGE = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "cache_creation_input_tokens": "cacheCreationInputTokens",
    "cache_read_input_tokens": "cacheReadInputTokens",
}


def _usage(result: Message) -> Usage:
    """Tokens from ``modelUsage``, which includes subagents; else from ``usage``."""
    models = result.get("modelUsage")
    if isinstance(models, dict) and models:
        return _of_models([model for model in models.values() if isinstance(model, dict)])
    usage = result.get("usage")
    return _tokens(usage, {k: k for k in _MODEL_USAGE}) if isinstance(usage, dict) else Usage()


def _of_models(models: Iterable[Message]) -> Usage:
    return sum((_tokens(model, _MODEL_USAGE) for model in models), Usage())


def _tokens(counts: Message, names: Mapping[str, str]) -> Usage:
    return Usage(**{ours: integer(counts, theirs) for ours, theirs in names.items()})
