"""``report --merge``: the reports of the machines of a run, shown as the report of one run."""

from __future__ import annotations

import argparse
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
from ..views.output_file import STDOUT, print_or_write
from .report_forms import open_page, print_report, write_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..engines.earlier import Earlier


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
    write_trace(arguments, view)
    print_report(arguments, view, arguments.html or "")
    for fault in faults:
        print(headed("rorchestrator", one_line(shown(fault.message))), file=sys.stderr)
    if arguments.open:
        open_page(os.path.abspath(arguments.html))
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
