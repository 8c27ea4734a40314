"""The forms in which ``report`` and ``report --merge`` hand out the report of a run."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ..model.errors import UserError
from ..model.terminal_text import one_line
from ..model.translate import _
from ..model.words import headed
from ..reporter.style import style_of
from ..views.output_file import STDOUT, print_or_write
from .options import display_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..views.run_view import RunView


def write_trace(arguments: argparse.Namespace, view: RunView) -> None:
    """Write the trace if it is asked for."""
    if arguments.trace:
        from ..views.trace import trace

        print_or_write("--trace", arguments.trace, trace(view))


def print_report(arguments: argparse.Namespace, view: RunView, page: str) -> None:
    """Print the report in the form that was asked for, unless a file goes to standard output.

    ``page`` is where its page is; empty if there is none.
    """
    if arguments.markdown:
        from ..views.run_markdown import markdown

        print(markdown(view), end="")
    elif arguments.json:
        from ..views.html_report import document

        print(json.dumps(document(view), indent=2))
    elif STDOUT not in (arguments.html, arguments.trace):
        _print_for_people(arguments, view, page)


def _print_for_people(arguments: argparse.Namespace, view: RunView, page: str) -> None:
    """Print the report as ``run`` does at its end, and where its files are."""
    from ..reporter.run_text import report_lines

    style = style_of(sys.stdout, display_of(arguments).color)
    print("\n".join(report_lines(view.report, style, all_checks=True)))
    for name, path in ((_("Report"), page), (_("Trace"), arguments.trace)):
        if path:
            print(headed(name, one_line(path)))


def open_page(page: str) -> None:
    """Open the page in a browser. Raises :class:`UserError` if there is none."""
    from ..process.browser import open_in_browser

    if not open_in_browser(page, os.environ, sys.platform):
        raise UserError(
            _("no browser could be opened"),
            hint=_("open {page} in a browser").format(page=page),
        )
