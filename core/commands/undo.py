"""``undo``: question and report; takes back what a merge landed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator

from ..git.refs import SEEN
from ..handover.undo import Undo, UndoReport
from ..model.errors import ExitCode, UserError
from ..model.frozen import replace
from ..model.terminal_text import one_line, shell_word
from ..model.translate import N_, _, shown
from ..model.words import counted
from ..process.spawner import run_sync
from ..project.control_requests import journalling
from ..project.open import OpenProject
from ..reporter.style import Style, style_of
from .ask_consent import is_terminal
from .options import add_common_options, agrees, opened, same_words

EXAMPLES = N_("""\
examples:
  rorchestrator undo
  rorchestrator undo --yes --json
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Move a branch back to where the last merge found it, with its checkout. The features "
        "stay\ncompleted, and can land again. If something depends on the merge by now, the "
        "git revert is\nshown instead."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "merge",
        nargs="?",
        metavar="MERGE",
        help=_("the merge, as history shows it (default: the last one)"),
    )
    parser.add_argument("-y", "--yes", action="store_true", help=_("do not ask"))
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Undo a merge; exit 1 if something prevents it."""
    if not (arguments.yes or is_terminal()):
        raise UserError(
            _("undo asks before it moves a branch, and there is no terminal to ask on"),
            hint=f"rorchestrator {same_words(arguments.words)} --yes",
        )
    project = opened(arguments)
    with journalling(project, "undo"):
        # Read again: a run may have moved branches before we got the lock.
        refs = run_sync(project.git.refs(*SEEN))
        return _undo(replace(project.writable(), refs=refs), arguments)


def _undo(project: OpenProject, arguments: argparse.Namespace) -> int:
    command = Undo(project, arguments.merge or "")
    report = run_sync(command.look())
    if report.reason:
        return _refuse(report, arguments)
    if not report.is_undone:
        refused = None if arguments.yes else _ask(report)
        if refused is not None:
            return refused
        report = run_sync(command.undo(report))
    if arguments.json:
        print(json.dumps(report.to_json(), indent=2))
    else:
        style = style_of(sys.stdout, arguments.color)
        base = project.config.project.base_branch
        for line in () if arguments.quiet else _lines(report, base, style):
            print(line)
    return ExitCode.UP_TO_DATE


def _refuse(report: UndoReport, arguments: argparse.Namespace) -> int:
    if arguments.json:
        print(json.dumps(report.to_json(), indent=2))
        return ExitCode.INCOMPLETE
    raise UserError(
        _("{merge} cannot be undone: {reason}").format(
            merge=report.merge, reason=shown(report.reason)
        ),
        hint=report.revert or report.next,
        exit_code=ExitCode.INCOMPLETE,
    )


def _ask(report: UndoReport) -> int | None:
    """Ask on the terminal; the exit code unless the user agrees."""
    question = _("Move {into} back from {before} to {after}, without {features}?").format(
        into=report.into,
        before=report.before[:10],
        after=report.after[:10],
        features=_named(report) or _("its features"),
    )
    code = ExitCode.CANNOT_START
    try:
        if agrees(question):
            return None
    except KeyboardInterrupt:
        print(file=sys.stderr)
        code = ExitCode.INTERRUPTED
    print(_("Nothing was undone."), file=sys.stderr)
    return code


def _named(report: UndoReport) -> str:
    return ", ".join(each.id for each in report.features)


def _lines(report: UndoReport, base: str, style: Style) -> Iterator[str]:
    said = _("{into} moved back from {before} to {after}: {merge} is undone.")
    if report.is_finished:
        said = _("Finished an interrupted undo: {into} moved back from {before} to {after}.")
    yield one_line(
        said.format(
            into=report.into,
            before=report.before[:10],
            after=report.after[:10],
            merge=report.merge,
        )
    )
    if report.features:
        features = counted(len(report.features), "feature")
        said = _("{features} completed and not landed: {names}")
        yield "    " + one_line(said.format(features=features, names=_named(report)))
    for each in report.features:
        if each.is_restored:
            yield "    " + one_line(_("restored the branch {branch}").format(branch=each.branch))
    if report.kept_ref:
        yield "    " + one_line(_("what was undone is kept: {ref}").format(ref=report.kept_ref))
    yield from ("    " + one_line(shown(note)) for note in report.notes)
    arrow, purpose = style.pick("→", "->"), _("lands what is completed")
    target = "" if report.into == base else f" --into {shell_word(report.into)}"
    yield f"{arrow} {one_line(f'rorchestrator merge{target}')}  ({purpose})"
