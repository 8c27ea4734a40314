"""``report --merge``: the reports of the machines of a run, shown as the report of one run."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

from ..engines.merged_report import fetched, gather, joined, read_files
from ..git.channel import absolute, credentials_in, open_channel
from ..model.errors import ExitCode, UserError
from ..model.terminal_text import one_line
from ..model.translate import _, shown
from ..model.words import headed
from ..process.spawner import run_sync
from ..process.temporary_folder import temporary_folder
from ..reporter.run_text import report_lines
from ..reporter.style import style_of
from ..views.output_file import STDOUT, print_or_write
from .options import display_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..engines.earlier import Earlier
    from ..views.run_view import RunView


def merge_reports(arguments: argparse.Namespace) -> int:
    """Print the joined report; exit 1 if it is incomplete."""
    there = _fetched(arguments)
    files, faults = read_files(arguments.merge, arguments.run_id or "")
    if faults and not (files or there):
        raise faults[0]
    found = gather(files, there, arguments.run_id or "")
    view = joined(found, tuple(arguments.only or ()), time.time())
    if arguments.html:
        from ..views.html_report import html

        print_or_write("--html", arguments.html, html(view))
    if arguments.trace:
        from ..views.trace import trace

        print_or_write("--trace", arguments.trace, trace(view))
    _print(arguments, view)
    for fault in faults:
        print(headed("rorchestrator", one_line(shown(fault.message))), file=sys.stderr)
    if arguments.open:
        from ..process.browser import open_in_browser

        open_in_browser(os.path.abspath(arguments.html), os.environ, sys.platform)
    return view.run.exit_code or (ExitCode.INCOMPLETE if faults else ExitCode.UP_TO_DATE)


def _fetched(arguments: argparse.Namespace) -> dict[str, Earlier] | None:
    """What the remote has of the run; ``None`` if it is not asked.

    Raises :class:`UserError` if options are missing.
    """
    if bool(arguments.remote) != bool(arguments.run_id) and not arguments.merge:
        raise UserError(
            _("report --merge needs files, or --remote URL and --run-id R"),
            hint="rorchestrator report --merge --remote URL --run-id R",
        )
    if arguments.open and arguments.html in (None, STDOUT):
        raise UserError(
            _("with --merge, --open opens the page that --html FILE writes"),
            hint=_("add --html FILE"),
        )
    if not arguments.remote:
        return None
    if not arguments.run_id:
        raise UserError(
            _("--remote needs --run-id R: a remote has the reports of many runs"),
            hint="git ls-remote URL 'refs/rorchestrator/runs/*'",
        )
    arguments.mask.learn(credentials_in(arguments.remote), all_secret=True)
    with temporary_folder() as folder:
        place = os.path.join(folder, "channel.git")
        channel = run_sync(open_channel(place, absolute(arguments.remote), os.environ))
        return run_sync(fetched(channel, arguments.run_id))


def _print(arguments: argparse.Namespace, view: RunView) -> None:
    if arguments.markdown:
        from ..views.run_markdown import markdown

        print(markdown(view), end="")
    elif arguments.json:
        from ..views.html_report import document

        print(json.dumps(document(view), indent=2))
    elif STDOUT not in (arguments.html, arguments.trace):
        style = style_of(sys.stdout, display_of(arguments).color)
        print("\n".join(report_lines(view.report, style, all_checks=True)))
        if arguments.html:
            print(headed(_("Report"), arguments.html))
