"""Options, steps and report that `push` and `pr` share."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator

from ..handover.copy_checks import Stopped
from ..handover.handover import Handover
from ..handover.report import Ending, Handed, HandoverOptions, HandoverReport
from ..model.errors import ExitCode
from ..model.feature import Feature
from ..model.terminal_text import clean, one_line
from ..model.translate import N_, _, shown
from ..model.words import headed
from ..process.spawner import run_sync
from ..reporter.style import Style, style_of
from .ask_consent import check_consent, commands_of_copy
from .options import Display, add_common_options, add_remote_option, asking, display_of, opened

OPENED, UPDATED = "opened", "updated"

DID = {
    OPENED: N_("opened {url}"),
    UPDATED: N_("updated {url}"),
    "would_open": N_("would open a pull request"),
    "would_update": N_("would update {url}"),
    "": N_("up to date: {url}"),
}

COLOURS = {Handed.HELD: "yellow", Handed.PUSHED: "green", Handed.WOULD_PUSH: "green"}


def configure(parser: argparse.ArgumentParser, dry_run: str) -> None:
    """Declare the options that both commands have; ``dry_run`` is the help of that one."""
    parser.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help=_("the features, with their dependencies (default: all that are completed)"),
    )
    add_remote_option(parser)
    parser.add_argument(
        "--accepted",
        action="store_true",
        help=_("only what you accepted, as project.require_review does"),
    )
    parser.add_argument(
        "-y", "--yes", action="store_true", help=_("consent to the list's commands without asking")
    )
    parser.add_argument("--dry-run", action="store_true", help=dry_run)
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_common_options(parser)


def hand_over(arguments: argparse.Namespace, options: HandoverOptions) -> int:
    """Hand over the features; exit 1 if one is held."""
    project = opened(arguments)
    display = display_of(arguments)
    style = style_of(sys.stdout, display.color)

    def say(ending: Ending) -> None:
        if not display.json:
            for line in _lines(ending, options, display, style):
                print(line, flush=True)

    def consent(feature: Feature) -> None:
        check_consent(asking(arguments), project, commands_of_copy(project.config, feature.id))

    handover = Handover(project, options, say=say, consent=consent)
    try:
        report = run_sync(handover.run())
    except Stopped as stopped:
        print(_("Stopped. What was pushed stays pushed."), file=sys.stderr)
        return ExitCode.INCOMPLETE if stopped.received is None else 128 + stopped.received
    if display.json:
        print(json.dumps(report.to_json(), indent=display.indent))
    elif not display.quiet and not any(
        _is_shown(each, options, display) for each in report.endings
    ):
        print(_nothing(report))
    return ExitCode.UP_TO_DATE if report.is_complete else ExitCode.INCOMPLETE


def options_of(arguments: argparse.Namespace) -> HandoverOptions:
    """The options that both commands have."""
    return HandoverOptions(
        tuple(arguments.ids), arguments.remote or "", arguments.accepted, arguments.dry_run
    )


def _nothing(report: HandoverReport) -> str:
    return _("Nothing to hand over to {remote}.").format(remote=one_line(report.remote))


def _is_shown(ending: Ending, options: HandoverOptions, display: Display) -> bool:
    if ending.state is Handed.HELD:
        return True
    is_quiet = ending.state in (Handed.LANDED, Handed.LEFT) and ending.id not in options.ids
    return not display.quiet and (display.verbose or not is_quiet)


def _lines(
    ending: Ending, options: HandoverOptions, display: Display, style: Style
) -> Iterator[str]:
    """What became of a feature: its branch, its pull request, and what to know."""
    if not _is_shown(ending, options, display):
        return
    first, *rest = clean(shown(ending.reason)).splitlines() or [""]
    what = first or _where(ending)
    said = headed(one_line(f"{_(ending.state.value)} {ending.id} ({ending.branch})"), what)
    yield style.paint(said, COLOURS.get(ending.state, "dim"))
    yield from (f"    {line}" for line in rest)
    if ending.state is not Handed.HELD:
        if options.pull_requests and (ending.request or ending.did):
            url = ending.request.url if ending.request else ""
            yield "    " + one_line(_(DID[ending.did]).format(url=url))
        yield from (f"    {one_line(shown(note))}" for note in ending.notes)


def _where(ending: Ending) -> str:
    """The commit and its base, in words."""
    if not ending.base:
        return ending.commit[:10]
    on = _("{commit} on {base}").format(commit=ending.commit[:10], base=ending.base)
    return one_line(on)
