"""The lines of `plan --by`."""

from __future__ import annotations

from collections.abc import Iterator

from ..dag.deadline import CONFIDENCE, Reachable
from ..dag.schedule import Plan
from ..model.moments import minute
from ..model.words import counted, duration, money
from .style import Style


def deadline_lines(
    plan: Plan, found: Reachable, at: float, seconds: float, style: Style
) -> Iterator[str]:
    """What will be done by a moment (seconds since 1970), which is so many seconds away."""
    cap = plan.max_cost_usd
    of_cap = "" if cap is None else f", at most {money(cap)}"
    head = f"By {minute(at)} (in {duration(seconds)}) on {counted(plan.max_parallel, 'slot')}"
    yield style.paint(f"{head}{of_cap}:", "bold")
    percent = f"{100 * found.confidence:.0f} %"
    if found.confidence < CONFIDENCE:
        yield f"Not even {found.features[0]} is likely to be done: {percent}"
        return
    count = f"{len(found.features)} of {counted(len(plan.selected), 'feature')}"
    yield f"{count}, with a confidence of {percent}: {', '.join(found.features)}"
    yield f"P90: {duration(found.seconds_p90)}, {money(found.cost_p90_usd)}"
    if found.guessed:
        yield f"The spread of {counted(found.guessed, 'feature')} is a guess, for lack of past runs"
    if len(found.features) < len(plan.selected):
        money_too = "" if cap is None else f" --max-cost {cap:g}"
        only = f"--only {','.join(found.features)} --max-parallel {plan.max_parallel}"
        yield f"  {style.pick('→', '->')} rorchestrator run {only}{money_too}"
