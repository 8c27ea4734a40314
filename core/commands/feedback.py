"""``feedback``: shows what the forge says about features, and gives it to their sessions."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping

from ..handover.feedback import (
    FeatureFeedback,
    Feedback,
    FeedbackReport,
    Heard,
    chosen,
    commented,
)
from ..handover.forge.forge import State
from ..handover.forge.remark import Kind
from ..handover.report import HandoverOptions
from ..model.errors import ExitCode
from ..model.terminal_text import clean, one_line, shell_word
from ..model.translate import N_, _, shown
from ..model.words import counted, headed
from ..process.spawner import run_sync
from ..project import control_requests
from ..project.control_requests import record
from ..project.open import OpenProject
from ..reporter.style import Style, style_of
from .ask_consent import check_can_ask
from .handing_over import hand_over
from .options import (
    add_common_options,
    add_progress_option,
    add_remote_option,
    add_running_options,
    asking,
    ids,
    opened,
)
from .retrying import retry_features

EXAMPLES = N_("""\
examples:
  rorchestrator feedback
  rorchestrator feedback auth --apply --yes
  rorchestrator feedback auth --comment-id r1807432
""")

KINDS: Mapping[Kind, str] = {
    Kind.THREAD: N_("on the changes"),
    Kind.REVIEW: N_("review"),
    Kind.COMMENT: N_("comment"),
    Kind.CHECK: N_("failed check"),
}

STATES: Mapping[State, str] = {
    State.OPEN: N_("open"),
    State.MERGED: N_("merged"),
    State.CLOSED: N_("closed"),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Show open threads, reviews, comments and failed checks of the features' pull requests. "
        "With\n--apply, the failed checks and the comments of people with write access go to the "
        "features'\nsessions; then the branches are pushed again."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help=_("the features (default: all that have a pull request)"),
    )
    parser.add_argument(
        "--apply",
        action="store_true",
        help=_("give them to Claude, except comments of people without write access"),
    )
    parser.add_argument(
        "--comment-id",
        type=ids,
        action="append",
        metavar="ID[,ID...]",
        help=_("give these comments to Claude too, whoever wrote them"),
    )
    add_remote_option(parser)
    parser.add_argument(
        "--json", action="store_true", help=_("print one JSON object, and the events of the run")
    )
    add_progress_option(parser)
    add_running_options(parser)
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Show the feedback, or apply it; exit 1 if a feature did not get its own, or complete."""
    project = opened(arguments)
    report = run_sync(Feedback(project, arguments.ids, arguments.remote or "").look())
    named = [name for listed in arguments.comment_id or () for name in listed]
    asks = arguments.apply or bool(named)
    given = chosen(report, apply=arguments.apply, named=named)
    _show(report, given, arguments, asks=asks)
    is_held = asks and any(each.theirs for each in report.features)
    code = _apply(project, given, arguments) if given else ExitCode.UP_TO_DATE
    return code or (ExitCode.INCOMPLETE if is_held else ExitCode.UP_TO_DATE)


def _apply(
    project: OpenProject, given: Mapping[str, tuple[Heard, ...]], arguments: argparse.Namespace
) -> int:
    is_running = bool(control_requests.running(project, project.state()))
    if not is_running:
        check_can_ask(asking(arguments), project)
    made = [event for id, heard in given.items() for event in commented(project, id, heard)]
    record(project, "feedback", made)
    code = retry_features(arguments, list(given))
    if is_running or code != ExitCode.UP_TO_DATE:
        _say_push(given, arguments)
        return code
    options = HandoverOptions(tuple(given), arguments.remote or "", pull_requests=True, sync=True)
    return hand_over(arguments, options)


def _say_push(given: Mapping[str, tuple[Heard, ...]], arguments: argparse.Namespace) -> None:
    if not arguments.quiet:
        names = " ".join(map(shell_word, given))
        hint = _("to push them again once they are completed: rorchestrator pr {ids}")
        print(one_line(hint.format(ids=names)), file=sys.stderr)


def _show(
    report: FeedbackReport,
    given: Mapping[str, tuple[Heard, ...]],
    arguments: argparse.Namespace,
    *,
    asks: bool,
) -> None:
    if arguments.json:
        document = report.to_json()
        applied = {id: [each.remark.id for each in heard] for id, heard in given.items()}
        indent = None if asks else 2
        print(json.dumps({**document, "applies": applied}, indent=indent), flush=True)
        return
    if arguments.quiet and asks:
        return
    style = style_of(sys.stdout, arguments.color)
    for feature in report.features:
        for line in _lines(feature, given.get(feature.id, ()), style, asks=asks):
            print(line)
    _show_next(report, given, style, asks=asks)


def _lines(
    feature: FeatureFeedback, given: tuple[Heard, ...], style: Style, *, asks: bool
) -> Iterator[str]:
    head = one_line(f"{feature.id} {feature.sign}")
    said = _("{head}: {state}, {url}").format(
        head=head, state=_(STATES[feature.state]), url=one_line(feature.url)
    )
    yield style.paint(said, "bold")
    if feature.theirs:
        words = _("somebody pushed {commit} to it; before anything is applied: {command}")
        yield "    " + one_line(
            words.format(commit=feature.theirs[:10], command=feature.how_to_take)
        )
    if not feature.heard and feature.state is State.OPEN:
        yield "    " + _("no open comments or failed checks")
    for heard in feature.heard:
        yield from _remark_lines(heard, style, is_given=heard in given)
    if feature.left_out:
        yield "    " + _("and {count} more").format(count=feature.left_out)


def _remark_lines(heard: Heard, style: Style, *, is_given: bool) -> Iterator[str]:
    remark = heard.remark
    line = f":{remark.line}" if remark.line else ""
    place = f"{remark.path}{line}" if remark.path else _(KINDS[remark.kind])
    notes = [
        _("requests changes") if remark.asks_for_changes else "",
        _("applied before") if heard.was_applied else "",
        _("applied now") if is_given else "",
        "" if remark.may_write else _("no write access"),
    ]
    words = ", ".join(filter(None, (place, remark.author, *notes)))
    head = one_line(headed(remark.id, words))
    yield style.paint(f"  {head}", "dim" if heard.was_applied else "cyan")
    yield from (f"    {each}".rstrip() for each in clean(shown(remark.text)).splitlines())


def _show_next(
    report: FeedbackReport,
    given: Mapping[str, tuple[Heard, ...]],
    style: Style,
    *,
    asks: bool,
) -> None:
    """What applies, or the command that applies what counts."""
    if asks:
        count = sum(map(len, given.values()))
        said = _("{comments} for {features}.") if count else _("Nothing new to apply.")
        comments, features = counted(count, "comment"), counted(len(given), "feature")
        print(said.format(comments=comments, features=features), flush=True)
        return
    new = chosen(report, apply=True, named=())
    if new:
        arrow, names = style.pick("→", "->"), " ".join(map(shell_word, new))
        purpose = _("gives it to Claude and pushes again")
        print(f"{arrow} {one_line(f'rorchestrator feedback {names} --apply')}  ({purpose})")
