"""The timeline of a run as SVG: a row for each feature, and how many had a slot.

Positions across are percentages, so the picture is as wide as the page and its text keeps its size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..model.frozen import dataclass
from ..model.outcome import Status
from ..model.phase import Phase
from ..model.translate import N_, _
from ..model.words import counted, duration, figure, headed
from .html_text import text
from .run_view import FeatureView, RunView, Span

ROW = 22
"""The height of a row; the style sheet gives the labels the same."""

BAR = 12
AXIS = 20
CHART = 64

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Seconds between two marks of the axis."""

MOST_TICKS = 6

WORDS = {
    Phase.WORKTREE: N_("worktree, or waiting for a slot"),
    Phase.SETUP: N_("setup"),
    Phase.CLAUDE: "Claude",
    Phase.BETWEEN: N_("waiting for the next attempt"),
    Phase.INSPECTION: N_("inspection"),
    Phase.COMMIT: N_("commit"),
    Phase.CHECKS: N_("checks"),
}


@dataclass(frozen=True)
class Scale:
    """From times to percentages of the width."""

    start: float
    seconds: float

    def at(self, moment: float) -> float:
        """Where a time is."""
        share = (moment - self.start) / self.seconds if self.seconds > 0 else 0.0
        return 100 * min(1.0, max(0.0, share))

    def across(self, span: Span) -> str:
        """The attributes of a span."""
        begin = self.at(span.start)
        return f'x="{begin:.3f}%" width="{self.at(span.end) - begin:.3f}%"'

    def ticks(self) -> Iterator[float]:
        """The times that the axis marks."""
        fitting = (step for step in STEPS if self.seconds / step <= MOST_TICKS)
        step = next(fitting, self.seconds / MOST_TICKS)
        number = 0
        while number * step <= self.seconds:
            yield self.start + number * step
            number += 1


def scale_of(view: RunView) -> Scale:
    """The scale of a run."""
    return Scale(view.run.started_at, view.seconds)


def in_order(view: RunView) -> list[FeatureView]:
    """The features that did something, by the time at which they began."""
    begun = [feature for feature in view.features if feature.spans]
    return sorted(begun, key=lambda feature: (feature.spans[0].start, _slot_at(feature)))


def _slot_at(feature: FeatureView) -> float:
    return feature.in_slot[0].start if feature.in_slot else float("inf")


def timeline_svg(view: RunView, features: Sequence[FeatureView]) -> str:
    """A row of bars for each of the features, with the waits of the run behind them."""
    scale = scale_of(view)
    height = len(features) * ROW
    bars = "".join(
        "".join(_bars(feature, scale, number * ROW)) for number, feature in enumerate(features)
    )
    title = _("Timeline of {features}").format(features=counted(len(features), "feature"))
    return (
        f'<svg class="timeline" width="100%" height="{height + AXIS}" role="img" '
        f'aria-label="{title}">'
        + "".join(_grid(scale, height))
        + "".join(_waits(view, scale, height))
        + bars
        + "</svg>"
    )


def _grid(scale: Scale, height: int) -> Iterator[str]:
    for tick in scale.ticks():
        at = scale.at(tick)
        anchor = "start" if at < 2 else "end" if at > 97 else "middle"
        yield f'<line class="grid" x1="{at:.3f}%" x2="{at:.3f}%" y1="0" y2="{height}"/>'
        yield (
            f'<text class="tick" x="{at:.3f}%" y="{height + 15}" text-anchor="{anchor}">'
            f"{_elapsed(tick - scale.start)}</text>"
        )


def _elapsed(seconds: float) -> str:
    """``0``, ``30s``, ``10m``, ``1h30m``."""
    said = duration(seconds) if seconds % 1 or seconds >= 10 else figure(f"{seconds:.0f}s")
    return (
        re.sub(r"(?:(?<=[mh])|(?<=min)\u00a0|(?<=h)\u00a0)00(?:\u00a0?(?:min|[ms]))?\Z", "", said)
        if seconds
        else "0"
    )


def _waits(view: RunView, scale: Scale, height: int) -> Iterator[str]:
    for name, words, spans in (
        ("limit", _("usage limit"), view.limits),
        ("pause", _("paused"), view.pauses),
    ):
        for span in spans:
            said = _("{what}: {amounts}").format(what=words, amounts=duration(span.seconds))
            yield (
                f'<rect class="{name}" {scale.across(span)} y="0" height="{height}">'
                f"<title>{said}</title></rect>"
            )


def _bars(feature: FeatureView, scale: Scale, top: int) -> Iterator[str]:
    """The bars of a feature: those of attempts that failed look different."""
    outcomes = {
        attempt.number: attempt.outcome.status
        for attempt in feature.attempts
        if attempt.outcome is not None
    }
    if feature.is_critical:
        whole = Span(feature.in_slot[0].start, feature.in_slot[-1].end)
        yield f'<rect class="path" {scale.across(whole)} y="{top + ROW - 3}" height="2"/>'
    for span in feature.spans:
        if not span.seconds:
            continue
        kind, words = span.phase.value, _(WORDS[span.phase])
        if span.phase is Phase.CLAUDE:
            words = _("attempt {number}").format(number=span.attempt)
            if outcomes.get(span.attempt, Status.COMPLETED) is not Status.COMPLETED:
                kind, words = "claude lost", f"{words} ({_(outcomes[span.attempt].words)})"
        thin = span.phase in (Phase.WORKTREE, Phase.BETWEEN)
        tall = 3 if thin else BAR
        said = text(headed(feature.id, f"{words}, {duration(span.seconds)}"))
        yield (
            f'<rect class="{kind}" {scale.across(span)} y="{top + (ROW - tall) / 2:g}" '
            f'height="{tall}"><title>{said}</title></rect>'
        )


def concurrency_svg(view: RunView) -> str:
    """How many features had a slot over time, with a line at the number of slots."""
    scale, steps = scale_of(view), view.concurrency
    most = max([view.run.max_parallel, *(number for _at, number in steps)])
    unit = (CHART - 4) / max(1, most)
    ends = [at for at, _number in steps[1:]] + [view.now]
    bars = "".join(
        f'<rect class="busy" {scale.across(Span(at, end))} y="{CHART - number * unit:.2f}" '
        f'height="{number * unit:.2f}"><title>{_at_once(number, end - at)}</title></rect>'
        for (at, number), end in zip(steps, ends)
        if number
    )
    top = CHART - view.run.max_parallel * unit
    return (
        f'<svg class="timeline" width="100%" height="{CHART}" role="img" '
        f'aria-label="{_("Features with a slot, over time")}">{bars}'
        f'<line class="slots" x1="0" x2="100%" y1="{top:.2f}" y2="{top:.2f}"/></svg>'
    )


def _at_once(number: int, seconds: float) -> str:
    return _("{number} at once, {time}").format(number=number, time=duration(seconds))
