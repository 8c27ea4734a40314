"""The views of a run, made from its options."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, redirect_stdout

from ..model.ci_systems import Ci, ci_of
from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.translate import _
from ..orchestrator.one_run import OneRun
from ..project.output_path import check_output_path
from ..reporter.console import say
from ..reporter.style import style_of
from ..views.output_file import STDOUT
from ..views.view import View
from .options import Display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


@dataclass(frozen=True)
class ViewOptions:
    """The options of ``run`` that choose views; a path is empty if it is not given."""

    events: str = ""
    """The file of the events; ``-`` for standard output."""
    stdout: TextIO | None = None
    """Standard output, if all of it is for the events."""
    junit: str = ""
    """The file of the JUnit report."""
    summary: str = ""
    """The file of the Markdown summary."""
    detach: bool = False
    """Whether the run goes on in the background, where nobody looks at it directly."""
    web: tuple[str, ...] | None = None
    """Further arguments of the command ``web``, if the run has a page."""


def add_view_options(parser: argparse.ArgumentParser) -> None:
    """The options of a run that write files for other programs."""
    parser.add_argument(
        "--junit",
        type=_file,
        metavar=_("FILE"),
        help=_("write the result as JUnit XML, a case a feature, for a CI system"),
    )
    parser.add_argument(
        "--summary",
        type=_file,
        metavar=_("FILE"),
        help=_("write a summary with the graph as Markdown; on GitHub the job gets one anyway"),
    )
    parser.add_argument(
        "--events",
        type=_file,
        metavar=_("FILE"),
        help=_("write each event when it happens, one JSON object a line; - is standard output"),
    )
    parser.add_argument(
        "--web",
        action="store_true",
        help=_("show the run in the browser until it ends, as web does"),
    )


def _file(text: str) -> str:
    if not text:
        # An empty shell variable is a mistake.
        raise argparse.ArgumentTypeError(_("it must name a file"))
    return text


def view_options(arguments: argparse.Namespace) -> ViewOptions:
    """The typed options. Raises :class:`UserError` if they exclude each other."""
    given = [name for name in ("junit", "summary", "events", "web") if getattr(arguments, name)]
    if given and arguments.rehearse:
        raise UserError(
            _("--{given} is about a run, and a rehearsal is none").format(given=given[0]),
            hint=_("rorchestrator run --rehearse --json prints the findings as JSON"),
        )
    if arguments.events == STDOUT and arguments.json:
        raise UserError(
            _("--events - and --json both print to standard output"),
            hint=_("leave out one of them, or give --events a file"),
        )
    if arguments.detach:
        _check_detach(arguments)
    stdout = sys.stdout if arguments.events == STDOUT else None
    return ViewOptions(
        events=arguments.events or "",
        stdout=stdout,
        junit=arguments.junit or "",
        summary=arguments.summary or "",
        detach=arguments.detach,
        web=_words_of_web(arguments) if arguments.web else None,
    )


def _check_detach(arguments: argparse.Namespace) -> None:
    """Raise :class:`UserError` if an option needs a run that is looked at."""
    if arguments.rehearse:
        raise UserError(
            _("--detach is about a run, and a rehearsal is none"),
            hint=_("rorchestrator run --rehearse shows its findings when it ends"),
        )
    if arguments.json or arguments.events == STDOUT:
        given = "--json" if arguments.json else "--events -"
        raise UserError(
            _("{given} prints to standard output, and a detached run has none").format(given=given),
            hint="rorchestrator run --detach --events FILE",
        )


def _words_of_web(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The arguments with which ``web`` shows the same project."""
    given = (("--config", arguments.config), ("--base", arguments.base), ("--lang", arguments.lang))
    return tuple(f"{name}={value}" for name, value in given if value)


def text_elsewhere(options: ViewOptions) -> AbstractContextManager[object]:
    """Print on standard error what would be on standard output, if that is for the events."""
    return nullcontext() if options.stdout is None else redirect_stdout(sys.stderr)


def views_of(
    options: ViewOptions, run: OneRun, display: Display, lost: Callable[[OSError], None]
) -> list[View]:
    """The views of a run; ``lost`` is told if standard output can't be written.

    Raises :class:`UserError` if a path in ``options`` is unusable.
    """
    views: list[View] = []
    mask = run.project.mask
    for name in ("events", "junit", "summary"):
        check_output_path(run.project, f"--{name}", getattr(options, name))
    if options.events:
        from ..views.event_lines import EventFile, EventLines

        out = options.stdout
        write = EventFile(options.events) if out is None else _Lines(out, lost)
        views.append(EventLines(write, mask))
    if not (display.quiet or sys.stderr.isatty()):
        from ..views.activities import Activities
        from ..views.heartbeat import Heartbeat

        read, style = Activities(mask).read, style_of(sys.stderr, display.color)
        views.append(Heartbeat(run.say, style, read, run.clock, run.budget.cap_usd))
    if options.web is not None:
        from ..views.web.beside import WebBeside

        views.append(WebBeside(run.run_id, run.companions, options.web, _print, run.say))
    return [*views, *_about_the_end(options, run, lost), *_notifier(run)]


def _about_the_end(
    options: ViewOptions, run: OneRun, lost: Callable[[OSError], None]
) -> list[View]:
    """The views that show how the run went: files, and lines for the CI system."""
    step, ci = os.environ.get("GITHUB_STEP_SUMMARY", ""), ci_of(os.environ)
    if not (options.junit or options.summary or step or ci is not Ci.NONE):
        return []
    from ..views.ci_log import CiLog, Places
    from ..views.ci_summary import StepSummary, summary
    from ..views.junit import junit
    from ..views.output_file import OutputFile
    from ..views.run_files import Collected, RunFile

    project = run.project
    logs = os.path.join(project.journal.folder, "logs", run.run_id)
    names = {id: feature.name for id, feature in project.dag.features.items()}
    collected = Collected(logs, project.mask, names)
    views: list[View] = [collected]
    if options.junit:
        write = OutputFile("--junit", options.junit).write
        views.append(RunFile(write, junit, collected.view))
    is_step = bool(step) and os.path.realpath(options.summary) == os.path.realpath(step)
    if options.summary and not is_step:
        write = OutputFile("--summary", options.summary).write
        views.append(RunFile(write, summary, collected.view))
    if step:
        views.append(StepSummary(step, collected.view, is_optional=not is_step))
    if ci is not Ci.NONE:
        places = Places(project.config.path, project.owner)
        views.append(CiLog(ci, collected.view, places, lambda text: say(sys.stderr, text, lost)))
    return views


def _print(words: str) -> None:
    """Print a result on stderr, even with ``--quiet``."""
    print(words, file=sys.stderr, flush=True)


class _Lines:
    """Writes lines to a stream until its reader is gone."""

    def __init__(self, stream: TextIO, lost: Callable[[OSError], None]) -> None:
        self._stream: TextIO | None = stream
        self._lost = lost

    def __call__(self, line: str) -> None:
        """Write a line."""
        if self._stream is not None and not say(self._stream, line, self._lost):
            self._stream = None


def _notifier(run: OneRun) -> list[View]:
    """The last view: at the end of a run it waits for the last notifications."""
    config = run.project.config
    if not config.notify:
        return []
    from ..views.notice import Notices
    from ..views.notify import Notifier

    notices = Notices(config.project.name, run.project.mask)
    return [Notifier(config.notify, notices, run.say, config.workspace)]
