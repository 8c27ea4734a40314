"""Landing and its report, for ``merge`` and ``run --merge``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator

from ..git.refs import SEEN
from ..landing.layers import Resolution, Resolved
from ..landing.merge import Merge, Stopped
from ..landing.report import Ending, LandingState, MergeOptions, MergeReport
from ..model.errors import ExitCode, StateError
from ..model.excerpt import some
from ..model.frozen import replace
from ..model.terminal_text import clean, one_line, shell_word
from ..model.translate import _, shown
from ..model.words import counted, headed, money
from ..process.spawner import run_sync
from ..project.open import OpenProject
from ..reporter.style import Style, style_of
from .options import Display


def land(
    project: OpenProject, options: MergeOptions, display: Display, *, deadline: float = float("inf")
) -> int:
    """Land features, holding the lock, with the journal open; returns the exit code.

    At the ``deadline``, by the monotonic clock, it stops.
    """
    # Read again: a run may have moved branches before we got the lock.
    refs = run_sync(project.git.refs(*SEEN))
    project = replace(project.writable(), refs=refs)
    merge = Merge(project, options, say=ProgressPrinter(display), deadline=deadline)
    try:
        report = asyncio.run(merge.land())
    except Stopped as stopped:
        print(
            one_line(_("Stopped: {stopped}.").format(stopped=shown(str(stopped)))), file=sys.stderr
        )
        received = merge.signals.received
        return ExitCode.INCOMPLETE if received is None else 128 + received
    except StateError as error:
        error.exit_code = ExitCode.INCOMPLETE
        raise
    return show(report, display, into=options.into)


def preview(project: OpenProject, options: MergeOptions, display: Display) -> int:
    """Print what would land; returns the exit code."""
    merge, say = Merge(project, options), ProgressPrinter(display)
    report = run_sync(merge.preview())
    if merge.target.uncertain:
        say(
            _("possibly changed in the checkout: {uncertain}").format(
                uncertain=some(merge.target.uncertain)
            )
        )
    return show(report, display)


class ProgressPrinter:
    """Prints progress on stderr, unless ``--quiet``."""

    def __init__(self, display: Display) -> None:
        self._quiet = display.quiet

    def __call__(self, words: str) -> None:
        if not self._quiet:
            print(one_line(shown(words)), file=sys.stderr, flush=True)


def show(report: MergeReport, display: Display, *, into: str = "") -> int:
    """Print the report of a ``merge``, requested ``into`` a branch; returns the exit code."""
    if display.json:
        print(json.dumps(report.to_json(), indent=display.indent), flush=True)
    else:
        style = style_of(sys.stdout, display.color)
        for line in (*_lines(report, display, style), *_next(report, display, style, into)):
            print(line)
    return ExitCode.UP_TO_DATE if report.is_complete else ExitCode.INCOMPLETE


def _lines(report: MergeReport, display: Display, style: Style) -> Iterator[str]:
    for ending in report.features:
        yield from _feature_lines(ending, report.into, display, style)
        if ending.resolution is not None and not display.quiet:
            yield from _resolution_lines(ending, ending.resolution)
    if not display.quiet:
        for check in report.failing_alone:
            yield one_line(
                _(
                    "not yours: `{check}` fails on {into} without them, so it held nothing back"
                ).format(check=check, into=report.into)
            )
        yield one_line(_summary(report))


def _next(report: MergeReport, display: Display, style: Style, into: str) -> Iterator[str]:
    """The command to type after a landing."""
    landed = any(ending.state is LandingState.LANDED for ending in report.features)
    if landed and not display.quiet:
        target = f" --into {shell_word(into)}" if into else ""
        purpose = _("removes merged worktrees and branches")
        arrow = style.pick("→", "->")
        yield f"{arrow} {one_line(f'rorchestrator cleanup --merged{target}')}  ({purpose})"


def _feature_lines(ending: Ending, into: str, display: Display, style: Style) -> Iterator[str]:
    name = one_line(f"{ending.id} ({ending.branch})")
    if ending.state in (LandingState.HELD, LandingState.UNKNOWN):
        first, *rest = clean(shown(ending.reason)).splitlines()
        yield style.paint(headed(f"{_(ending.state.value)} {name}", first), "yellow")
        yield from (f"    {line}" for line in rest)
    elif ending.state is not LandingState.ALREADY and not display.quiet:
        yield style.paint(headed(f"{_(ending.state.value)} {name}", ending.commit[:10]), "green")
        for note in filter(None, (ending.by_hand, ending.reason)):
            yield f"    {one_line(shown(note))}"
    elif display.verbose:
        yield _("already on {into} {name}: {merged}").format(
            into=into, name=name, merged=shown(ending.merged)
        )


def _resolution_lines(ending: Ending, made: Resolution) -> Iterator[str]:
    if made.commit and made.ending is Resolved.KNOWN:
        files = some(made.files)
        yield "    " + one_line(
            _("reused Claude's earlier resolution of {files}").format(files=files)
        )
    elif made.commit:
        yield "    " + one_line(_("Claude resolved {files}").format(files=some(made.files)))
    if made.attempts:
        cost = f"{counted(made.attempts, 'attempt')}, {money(made.cost_usd)}"
        yield _("    {cost}: rorchestrator logs {id} --resolution").format(cost=cost, id=ending.id)


def _summary(report: MergeReport) -> str:
    moved = (LandingState.LANDED, LandingState.WOULD_LAND)
    states = [ending.state for ending in report.features if ending.state in moved]
    features = counted(len(states), "feature")
    before, after = report.before[:10], report.after[:10]
    if not states:
        return _("Nothing to land on {into}.").format(into=report.into)
    if LandingState.WOULD_LAND in states:
        return _("{into} would move from {before} to {after}, with {features}.").format(
            into=report.into, before=before, after=after, features=features
        )
    return _("{into} moved from {before} to {after}, with {features}.").format(
        into=report.into, before=before, after=after, features=features
    )
