"""The lines of a run: one for each event, and the report at its end.

Text from outside (names, prompts, output of Claude or git) goes through
:func:`~core.model.terminal_text.clean`, so that its control characters do not reach the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from ..model.attempt import cost_of
from ..model.check_verdict import CheckVerdict
from ..model.control_action import ControlAction
from ..model.decision import NEW
from ..model.event_values import conflict_of, reply_of, reset_of, text_of
from ..model.events import Event
from ..model.excerpt import some
from ..model.json_values import integer
from ..model.moments import clock
from ..model.next_steps import next_commands
from ..model.outcome import Status, Work
from ..model.state import FeatureState, RunState
from ..model.terminal_text import clean, one_line
from ..model.translate import N_, _, ngettext, shown
from ..model.words import counted, decimal, duration, headed, money, waits_for_review
from .cost_text import spent
from .documents import RunReport
from .style import GLYPHS, Style, shorten
from .verdict_table import run_verdict_lines, verdict_counts

STEPS_BETWEEN = {
    "preparing": N_("preparing"),
    "setting_up": N_("setting up"),
    "verifying": N_("verifying"),
    "committing": N_("committing"),
    "checking": N_("checking"),
}
"""The kinds of events between the start and the end of a feature, in words."""


def event_line(state: RunState, event: Event, style: Style, *, verbose: bool = False) -> str:
    """The line of an event, and more lines for a failure; empty if users need not see it.

    ``verbose`` adds the steps between start and end.
    """
    said = _said(state, event, style)
    if not said and verbose and event.kind in STEPS_BETWEEN:
        said = f"{style.pick('·', '[..]')} {headed(event.feature, _(STEPS_BETWEEN[event.kind]))}"
    if not said:
        return ""
    when = clock(event.at, state.run.started_at if state.run is not None else event.at)
    return f"{style.paint(f'[{when}]', 'dim')} {said}"


def _said(state: RunState, event: Event, style: Style) -> str:
    if event.kind in ("note", "stray"):
        note = one_line(shown(text_of(event)))
        said = headed(event.feature, note) if event.feature else note
        return f"{style.pick('💬', '[note]')} {said}"
    if event.kind == "paused":
        return _paused(reset_of(event), event.at, style)
    if event.kind == "unreviewed":
        return _unreviewed(event, style)
    if event.kind == "clash":
        return _clash(event, style)
    if event.kind == "steered":
        return _steered(event, style)
    if event.kind == "reloaded":
        return _reloaded(event, style)
    if event.kind in ("reviewed", "commented"):
        return _answered(event, style)
    if event.kind not in ("attempt_started", "ended"):
        return ""
    feature = state.feature(event.feature)
    name = style.paint(event.feature, "bold")
    if event.kind == "attempt_started":
        is_resumed = bool(feature.attempts) and feature.attempts[-1].resumed
        how = _("resumed") if is_resumed else _("started")
        more = f" ({shown(feature.why)})" if feature.why != NEW else ""
        return f"{style.pick('🚀', '[start]')} {headed(name, f'{how}{more}')}"
    glyph, ascii, colour = GLYPHS[feature.status]
    words = style.paint(_(feature.status.words), colour)
    return f"{style.pick(glyph, ascii)} {headed(name, f'{words}{_ending(feature, style)}')}"


_STEERED: Mapping[ControlAction | None, tuple[str, str]] = {
    ControlAction.PAUSE: ("⏸", "[pause]"),
    ControlAction.RESUME: ("▶", "[go]"),
    ControlAction.STOP: ("⏹", "[stop]"),
    ControlAction.SKIP: ("⏭", "[skip]"),
    ControlAction.RETRY: ("🔁", "[retry]"),
    ControlAction.RELOAD: ("📝", "[list]"),
}


def _steered(event: Event, style: Style) -> str:
    """What a control request changed; a refusal is printed by the command that asked."""
    reply = reply_of(event)
    if not reply.is_done or reply.action is ControlAction.RECORD:
        return ""  # What was recorded says itself what it is.
    glyph, ascii = _STEERED.get(reply.action, ("💬", "[note]"))
    words = one_line(shown(reply.text))
    return f"{style.pick(glyph, ascii)} {style.paint(words, 'yellow')}"


def _reloaded(event: Event, style: Style) -> str:
    """What the run took up by itself; what it was asked to is in the reply."""
    if event.data.get("automatic") is not True:
        return ""
    words = one_line(headed(_("the list changed"), shown(text_of(event))))
    return f"{style.pick('📝', '[list]')} {style.paint(words, 'yellow')}"


def _answered(event: Event, style: Style) -> str:
    """What a reviewer said of a feature during the run."""
    words = N_("a comment for Claude") if event.kind == "commented" else event.data.get("answer")
    said = headed(style.paint(event.feature, "bold"), _(str(words)))
    return f"{style.pick('💬', '[note]')} {said}"


def _clash(event: Event, style: Style) -> str:
    other, files = conflict_of(event)
    both = _("{feature} and {other}").format(feature=event.feature, other=one_line(other))
    if not files:
        return _("{sign} {both} will merge again").format(
            sign=style.pick("⚡", "[merge]"), both=both
        )
    said = style.paint(_("will not merge"), "yellow")
    named = headed(f"{both} {said}", one_line(", ".join(files)))
    return f"{style.pick('⚡', '[clash]')} {named}"


def _paused(until: str, now: float, style: Style) -> str:
    if not until:
        return _("{sign} the usage limit is reset: continuing").format(sign=style.pick("▶", "[go]"))
    words = _("usage limit: waiting until {time}").format(time=_clock(until, now))
    return style.paint(f"{style.pick('⏸', '[pause]')} {words}", "yellow")


def _unreviewed(event: Event, style: Style) -> str:
    count = integer(event.data, "count")
    if not count and not integer(event.data, "limit"):
        return ""
    if not count:
        return _("{sign} reviewed: continuing").format(sign=style.pick("▶", "[go]"))
    words = _("{waits}, so nothing new starts").format(waits=waits_for_review(count))
    return style.paint(f"{style.pick('✋', '[review]')} {words}", "yellow")


def _clock(at: str, now: float) -> str:
    """A time in the local zone; with its date if it is not today."""
    return clock(datetime.fromisoformat(at).timestamp(), now)


FAILURES = (Status.FAILED, Status.TIMED_OUT, Status.EMPTY, Status.CONFLICT)
"""The statuses whose whole reason is shown at once: the failed command, then its last lines."""


def _ending(feature: FeatureState, style: Style) -> str:
    parts: list[str] = []
    dot = style.pick(" · ", " | ")
    attempts = feature.of_run(feature.run)
    if feature.started_at is not None and feature.ended_at is not None and attempts:
        parts.append(duration(feature.ended_at - feature.started_at))
        parts.append(_cost(feature, style))
    if feature.status is Status.COMPLETED and feature.work is not None:
        parts.append(_changes(feature.work, style))
    reason = "" if feature.status is Status.COMPLETED else clean(shown(feature.reason)).rstrip()
    room, below = max(40, style.width - 40), ""
    if feature.status in FAILURES and (len(reason) > room or "\n" in reason):
        below = "".join(f"\n    {line}" for line in reason.splitlines())
    elif reason:
        parts.append(shorten(one_line(reason), room, style))
    return "".join(dot + part for part in parts) + below


def _cost(feature: FeatureState, style: Style) -> str:
    cost = cost_of(feature.of_run(feature.run))
    return spent(cost.usd, cost.about_usd, style, complete=cost.is_complete)


def _changes(work: Work, style: Style) -> str:
    minus = style.pick("−", "-")
    changes = f"{counted(work.files_changed, 'file')} +{work.insertions} {minus}{work.deletions}"
    if work.held_back:
        changes += _(" (left uncommitted: {held_back})").format(
            held_back=one_line(shown(some(work.held_back)))
        )
    return changes


def report_lines(report: RunReport, style: Style, *, all_checks: bool = False) -> Iterator[str]:
    """The result of a run, its problems, and the next commands.

    Without ``all_checks``, those that are proved or kept are only counted.
    """
    features, run = report.features, report.run
    is_whole = report.successful == len(features)
    mark = style.pick("✅", "[ok]") if is_whole else style.pick("❌", "[incomplete]")
    yield ""
    summary = ngettext(
        "{mark} {successful}/{count} features completed in {time}",
        "{mark} {successful}/{count} features completed in {time}",
        len(features),
    ).format(
        mark=mark,
        successful=report.successful,
        count=len(features),
        time=duration(report.wall_ms / 1000),
    )
    yield style.paint(summary, "bold")
    yield _("Sum of durations: {time}").format(time=duration(report.total_ms / 1000))
    if run.limits.seconds:
        yield _("Waited for usage limits: {time}").format(time=duration(run.limits.seconds))
    if run.pauses.seconds:
        yield _("Paused by you: {time}").format(time=duration(run.pauses.seconds))
    if report.is_faster:
        yield _("Speedup: {speedup}x").format(speedup=decimal(str(report.speedup)))
    yield _("Total cost: {total_cost}").format(total_cost=_total_cost(report, style))
    yield _("By status: {by_status}").format(by_status=_by_status(features))
    if report.branches:
        yield _("Branches: {branches}").format(branches=one_line(", ".join(report.branches)))
    yield from _verdicts(features, style, is_whole=all_checks)
    for feature in features:
        if feature.status is not Status.COMPLETED:
            yield from _problem(feature, style, is_elsewhere=report.is_elsewhere)
    waste = waste_lines(report)
    if waste:
        yield from ("", _("Spent without a result:"), *(f"    {line}" for line in waste))
    steps = report.next_steps
    if steps:
        yield ""
    for command, purpose in steps:
        yield f"{style.pick('→', '->')} {one_line(command)}  ({_(purpose)})"


def _verdicts(features: Iterable[FeatureState], style: Style, *, is_whole: bool) -> Iterator[str]:
    given = judged(features)
    counts = verdict_counts(each for __, verdicts in given for each in verdicts)
    if counts:
        yield _("Checks: {counts}").format(counts=counts)
    table = list(run_verdict_lines(given, style, is_whole=is_whole))
    yield from ("", *table) if table else ()


def judged(features: Iterable[FeatureState]) -> list[tuple[str, Iterable[CheckVerdict]]]:
    """The verdicts of features that did something in their last run, by their ids."""
    return [(each.id, each.verdicts.values()) for each in features if each.started_at is not None]


LEAST_SECONDS = 60.0
LEAST_SHARE = 0.01
"""What took less of the time and of the cost is only in the JSON report."""


def waste_lines(report: RunReport) -> list[str]:
    """What was spent without a result, and what would have saved most; empty if it is little."""
    found = report.ledger
    least = LEAST_SHARE * max(1.0, report.cost.known_usd)
    told = [e for e in found.entries if (e.cost_usd or 0) >= least or e.seconds >= LEAST_SECONDS]
    lines = [
        headed(shown(entry.words), _amounts(entry.cost_usd or 0.0, entry.seconds)) for entry in told
    ]
    for advice in found.advice if told else ():
        saved = _amounts(advice.cost_usd, advice.seconds)
        lines.append(
            _("to save about {saved}: {advice}").format(
                saved=saved, advice=one_line(shown(advice.text))
            )
        )
    return lines


def _amounts(usd: float, seconds: float) -> str:
    parts = [money(usd)] if usd else []
    return ", ".join([*parts, duration(seconds)] if seconds or not usd else parts)


def _total_cost(report: RunReport, style: Style) -> str:
    cost, cap = report.cost, report.max_cost_usd
    of_cap = "" if cap is None else _(" of {cost}").format(cost=money(cap))
    why = "" if cost.is_complete else _(" (some attempts ended without reporting their cost)")
    return spent(cost.usd, cost.about_usd, style, complete=cost.is_complete) + of_cap + why


def _by_status(features: Iterable[FeatureState]) -> str:
    counts: dict[str, int] = {}
    for feature in features:
        name = _(feature.status.words)
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(
        _("{count} {status}").format(count=count, status=name) for name, count in counts.items()
    )


def _problem(feature: FeatureState, style: Style, *, is_elsewhere: bool) -> Iterator[str]:
    glyph, ascii, colour = GLYPHS.get(feature.status, ("•", "*", "yellow"))
    status = _(feature.status.words)
    named = style.paint(headed(one_line(feature.id), status), colour)
    head = f"{style.pick(glyph, ascii)} {named}"
    if feature.started_at is None:
        # It never got a slot, so there is nothing to inspect.
        why = (
            f"{style.pick(' · ', ' | ')}{one_line(shown(feature.reason))}" if feature.reason else ""
        )
        yield head + why
        return
    yield ""
    yield head
    for line in clean(shown(feature.reason)).splitlines():
        yield f"    {line}"
    for command in () if is_elsewhere else next_commands(feature):
        yield f"    {style.pick('→', '->')} {one_line(command)}"
