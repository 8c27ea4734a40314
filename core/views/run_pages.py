"""The page and the Markdown report of a run as files, beside its JSON reports."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ..model.events import Event
from ..model.state import RunState
from ..model.translate import _
from ..project.open import OpenProject
from ..reporter.documents import RunReport, write_whole
from .run_view import RunView
from .view import View

LATEST = "latest"
"""The name of the copies of the last run's reports.

They are copies, not links: a link would break where a folder of reports is packed or uploaded.
"""


class RunPages(View):
    """Remembers the events of a run for its page."""

    def __init__(self, project: OpenProject, complain: Callable[[str], None]) -> None:
        self.project = project
        self._complain = complain
        self._events: list[Event] = []

    def on_event(self, state: RunState, event: Event) -> None:
        """Remember an event."""
        self._events.append(event)

    def write(self, report: RunReport, written: Sequence[str]) -> list[str]:
        """Write the page and the Markdown report beside the ``written`` JSON reports; their paths.

        The last run's reports are copied to ``latest.…``. What can't be written is told, and does
        not fail the run.
        """
        paths: list[str] = []
        try:
            from .run_extras import extras_of
            from .run_view import run_view

            extras = extras_of(self.project, report, self._events)
            view = run_view(report, self._events, report.ended_at, extras)
            paths = write_pages(os.path.splitext(written[0])[0], view)
            copy_latest([written[0], *paths])
        except Exception as error:  # a page never fails a run
            self._complain(
                _("the page of the run could not be written: {words}").format(words=_words(error))
            )
        return paths


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"


def write_pages(beginning: str, view: RunView) -> list[str]:
    """Write the page and the Markdown report of a run; their paths.

    ``beginning`` is that of their paths. Raises ``OSError`` if one can't be written.
    """
    from .html_report import html
    from .run_markdown import markdown

    contents = {".html": html(view), ".md": markdown(view)}
    for ending, content in contents.items():
        write_whole(beginning + ending, content)
    return [beginning + ending for ending in contents]


def copy_latest(paths: Sequence[str]) -> None:
    """Copy the reports of the last run to ``latest.…``, each whole. Raises ``OSError``."""
    for path in paths:
        folder, name = os.path.split(path)
        with open(path, encoding="utf-8") as file:
            content = file.read()
        write_whole(os.path.join(folder, LATEST + os.path.splitext(name)[1]), content)
