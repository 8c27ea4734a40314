"""The lines of `plan --what-if`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..dag.schedule import Plan
from ..dag.what_if import Choice, enough
from ..model.translate import N_, _, ngettext
from ..model.words import decimal, duration, money
from .plan_text import expected_usd
from .style import Style, table_lines


def what_if_lines(plan: Plan, choices: Sequence[Choice], style: Style) -> Iterator[str]:
    """A row for each number of slots, and the smallest number that is enough."""
    usd = expected_usd(plan)
    cost = _("unknown") if usd is None else f"~{money(usd)}"
    rows = [[N_("SLOTS"), N_("TIME"), N_("SPEEDUP"), N_("COST"), ""]]
    for choice in choices:
        is_now = choice.slots == plan.max_parallel
        row = [
            str(choice.slots),
            duration(choice.seconds),
            _("{factor}x").format(factor=decimal(f"{choice.speedup:.2f}")),
            cost,
        ]
        rows.append([*row, _("(now)") if is_now else ""])
    heading, *rest = table_lines(rows)
    yield style.paint(heading, "bold")
    yield from rest
    yield ""
    best = enough(choices)
    words = ngettext(
        "{count} slot is enough: {time} is within 5 % of the best",
        "{count} slots are enough: {time} is within 5 % of the best",
        best.slots,
    )
    yield words.format(count=best.slots, time=duration(best.seconds))
    yield f"  {style.pick('→', '->')} rorchestrator run --max-parallel {best.slots}"
