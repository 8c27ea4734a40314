"""The lines of `plan --by`."""

from __future__ import annotations

from collections.abc import Iterator

from ..dag.deadline import CONFIDENCE, Reachable
from ..dag.schedule import Plan
from ..model.moments import minute
from ..model.translate import _
from ..model.words import counted, duration, headed, money, percent
from .style import Style


def deadline_lines(
    plan: Plan, found: Reachable, at: float, seconds: float, style: Style
) -> Iterator[str]:
    """What will be done by a moment (seconds since 1970), which is so many seconds away."""
    cap = plan.max_cost_usd
    of_cap = "" if cap is None else _(", at most {cost}").format(cost=money(cap))
    head = _("By {moment} (in {time}) on {slots}").format(
        moment=minute(at), time=duration(seconds), slots=counted(plan.max_parallel, "slot")
    )
    yield style.paint(_("{heading}:").format(heading=f"{head}{of_cap}"), "bold")
    sure = percent(found.confidence)
    if found.confidence < CONFIDENCE:
        yield _("Not even {feature} is likely to be done: {percent}").format(
            feature=found.features[0], percent=sure
        )
        return
    count = _("{count} of {features}").format(
        count=len(found.features), features=counted(len(plan.selected), "feature")
    )
    yield _("{count}, with a confidence of {percent}: {features}").format(
        count=count, percent=sure, features=", ".join(found.features)
    )
    yield headed("P90", f"{duration(found.seconds_p90)}, {money(found.cost_p90_usd)}")
    if found.guessed:
        yield _("The spread of {features} is a guess, for lack of past runs").format(
            features=counted(found.guessed, "feature")
        )
    if len(found.features) < len(plan.selected):
        money_too = "" if cap is None else f" --max-cost {cap:g}"
        only = f"--only {','.join(found.features)} --max-parallel {plan.max_parallel}"
        yield f"  {style.pick('→', '->')} rorchestrator run {only}{money_too}"
