"""The lines of `plan --what-if`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..dag.schedule import Plan
from ..dag.what_if import Choice, enough
from ..model.words import counted, duration, money
from .plan_text import expected_usd
from .style import Style, table_lines


def what_if_lines(plan: Plan, choices: Sequence[Choice], style: Style) -> Iterator[str]:
    """A row for each number of slots, and the smallest number that is enough."""
    usd = expected_usd(plan)
    cost = "unknown" if usd is None else f"~{money(usd)}"
    rows = [["SLOTS", "TIME", "SPEEDUP", "COST", ""]]
    for choice in choices:
        is_now = choice.slots == plan.max_parallel
        row = [str(choice.slots), duration(choice.seconds), f"{choice.speedup:.2f}x", cost]
        rows.append([*row, "(now)" if is_now else ""])
    heading, *rest = table_lines(rows)
    yield style.paint(heading, "bold")
    yield from rest
    yield ""
    best = enough(choices)
    words = f"{counted(best.slots, 'slot')} {'is' if best.slots == 1 else 'are'} enough"
    yield f"{words}: {duration(best.seconds)} is within 5 % of the best"
    yield f"  {style.pick('→', '->')} rorchestrator run --max-parallel {best.slots}"
