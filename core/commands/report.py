"""``report``: the report of a run, as a page, as Markdown, as JSON, or as a trace."""

from __future__ import annotations

import argparse
import os

from ..model.errors import ExitCode, UserError
from ..model.translate import N_, _, shown
from ..views.output_file import STDOUT, print_or_write
from .options import (
    add_common_options,
    add_run_id_option,
    file_path,
    ids,
    opened_or_recorded,
    repository_url,
)
from .report_forms import open_page, print_report, write_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..project.open import OpenProject
    from ..views.recorded_run import RecordedRun
    from ..views.run_view import RunView

EXAMPLES = N_("""\
examples:
  rorchestrator report --open
  rorchestrator report --markdown | gh pr comment --body-file -
  rorchestrator report --merge reports/*.json --markdown
""")

SO_FAR = "so_far"
"""The name of the page of a run in progress."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _("Show the report of a run, and write its page.")
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "run",
        nargs="?",
        default="latest",
        metavar=_("RUN"),
        help=_("the id of a run, the beginning of its id, or latest (default: latest)"),
    )
    parser.add_argument(
        "--html",
        type=file_path,
        metavar=_("FILE"),
        help=_("write the page to this file; - is stdout"),
    )
    group = parser.add_argument_group(_("a run on many machines"))
    group.add_argument(
        "--merge",
        nargs="*",
        type=file_path,
        metavar=_("FILE"),
        help=_("join the reports in these files, or those on --remote, into one run"),
    )
    group.add_argument(
        "--remote", type=repository_url, metavar="URL", help=_("the repository with the reports")
    )
    add_run_id_option(group)
    group.add_argument(
        "--only",
        type=ids,
        metavar="ID[,ID...]",
        help=_("the features of the run (default: those of the list that have not landed)"),
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--markdown", action="store_true", help=_("print it for a pull request or a chat")
    )
    form.add_argument("--json", action="store_true", help=_("print one JSON object"))
    parser.add_argument(
        "--trace", type=file_path, metavar=_("FILE"), help=_("write a trace for ui.perfetto.dev")
    )
    parser.add_argument("--open", action="store_true", help=_("open the page in the browser"))
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Write the page of a run unless something else is asked for, and print the report."""
    from ..project.output_path import check_output_path
    from ..views.recorded_run import recorded_run

    _check_stdout(arguments)
    if arguments.merge is not None:
        from .merge_reports import merge_reports

        return merge_reports(arguments)
    _check_merge(arguments)
    project, _fault = opened_or_recorded(arguments)
    check_output_path(project, "--html", arguments.html or "")
    check_output_path(project, "--trace", arguments.trace or "")
    found = recorded_run(project, arguments.run)
    asked = arguments.html or arguments.open
    has_page = bool(asked) or not (arguments.markdown or arguments.json or arguments.trace)
    view = _view(project, found, has_extras=has_page)
    page = _write_page(project, found, view, arguments.html or "") if has_page else ""
    write_trace(arguments, view)
    print_report(arguments, view, page)
    if arguments.open:
        open_page(page)
    return ExitCode.UP_TO_DATE


def _check_stdout(arguments: argparse.Namespace) -> None:
    """Raise :class:`UserError` if standard output is asked for twice, or to be opened."""
    if arguments.open and arguments.html == STDOUT:
        raise UserError(
            _("--open opens a file, and --html - writes none"), hint=_("leave out --html")
        )
    given = [f"--{name}" for name in ("html", "trace") if getattr(arguments, name) == STDOUT]
    given += [f"--{name}" for name in ("markdown", "json") if getattr(arguments, name)]
    if len(given) > 1:
        raise UserError(
            _("{both} both print to standard output").format(both=_(" and ").join(given)),
            hint=_("leave out one of them"),
        )


def _check_merge(arguments: argparse.Namespace) -> None:
    """Raise :class:`UserError` for options that only mean something with ``--merge``."""
    given = [name for name in ("remote", "run_id", "only") if getattr(arguments, name)]
    if given:
        raise UserError(
            _("--{name} needs --merge").format(name=given[0].replace("_", "-")),
            hint="rorchestrator report --merge --remote URL --run-id R",
        )


def _view(project: OpenProject, found: RecordedRun, *, has_extras: bool) -> RunView:
    from ..views.run_extras import extras_of
    from ..views.run_view import NO_EXTRAS, run_view

    extras = NO_EXTRAS
    if has_extras:
        extras = extras_of(project, found.report, found.events, is_latest=found.is_latest)
    return run_view(found.report, found.events, found.now, extras)


def _write_page(project: OpenProject, found: RecordedRun, view: RunView, file: str) -> str:
    """Write the page to a file, or beside the JSON reports of the run; its path."""
    from ..project.obstructions import REPORTS
    from ..reporter.documents import make_report_folder, stamp_of
    from ..views.html_report import html
    from ..views.run_pages import copy_latest, write_pages

    if file:
        print_or_write("--html", file, html(view))
        return os.path.abspath(file)
    folder = os.path.join(project.config.workspace, REPORTS)
    beginning = os.path.splitext(found.written)[0]
    if not beginning:
        name = f"report_{stamp_of(view.now)}" if view.is_over else SO_FAR
        beginning = os.path.join(folder, name)
    try:
        make_report_folder(folder)
        pages = write_pages(beginning, view)
        if view.is_over and found.is_latest:
            copy_latest([*filter(None, [found.written]), *pages])
    except OSError as error:
        raise UserError(
            _("the page could not be written to {folder}: {strerror}").format(
                folder=folder, strerror=shown(error.strerror or "")
            ),
            hint="rorchestrator report --html FILE",
        ) from None
    return pages[0]
