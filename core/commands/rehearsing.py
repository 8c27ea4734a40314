"""``run --rehearse``: shows the plan, asks, and prints the findings of a rehearsal."""

from __future__ import annotations

import json
import sys

from ..model.errors import ExitCode
from ..model.terminal_text import one_line
from ..model.translate import _
from ..model.words import counted, duration
from ..orchestrator.one_run import Decided, OneRun
from ..process.signals import SignalReceived, Signals
from ..project.open import OpenProject
from ..rehearsal.rehearsal import Rehearsal, RehearsalOptions, Rehearsed
from ..reporter.style import style_of
from .ask_consent import all_commands, remember, show_unshown
from .live_run import LiveRun
from .options import Asking, Display, agrees
from .running import Printer, reporter_of, show_plan


def rehearse(
    project: OpenProject,
    options: RehearsalOptions,
    asking: Asking,
    display: Display,
    *,
    then: str = "",
) -> int:
    """Rehearse what ``run`` would do; exit code 1 if there are findings.

    ``then`` is the command to type if there are none.
    """
    printer = Printer(display)
    with Signals() as handlers:
        try:
            style = style_of(sys.stderr, display.color)
            live = LiveRun(
                printer.streams,
                display,
                style,
                printer.complain,
                mask=project.mask,
                name=project.config.project.name,
            )
            reporter = reporter_of(printer, style, is_live=live.is_live)
            rehearsal = Rehearsal(
                project,
                options,
                handlers,
                printer.say,
                listeners=[reporter.on_event, live.attendant.on_event],
                beside=lambda: live.watch(reporter.tick),
            )
            return _rehearse(rehearsal, asking, printer, then)
        except SignalReceived as heard:
            handlers.ignore()
            print(_("\nStopped, and the temporary copy is removed."), file=sys.stderr)
            return 128 + heard.number


def _rehearse(rehearsal: Rehearsal, asking: Asking, printer: Printer, then: str) -> int:
    run = OneRun(rehearsal.project, rehearsal.options.run)
    decided = Decided(rehearsal.decisions, rehearsal.selected, (), ())
    show_plan(run, decided, printer, style_of(sys.stderr, printer.display.color))
    if not rehearsal.selected:
        printer.say(_("Nothing to rehearse."))
    elif not _agreed(rehearsal, asking, printer):
        printer.say(_("Nothing was started."))
        return ExitCode.CANNOT_START
    found = rehearsal.try_all()
    _show(found, printer, then)
    return found.exit_code


def _agreed(rehearsal: Rehearsal, asking: Asking, printer: Printer) -> bool:
    what = counted(len(rehearsal.selected), "feature")
    printer.say(
        _(
            "Rehearsing {what}: the commands above run in a temporary copy of the "
            "repository,\nwithout Claude. Nothing is paid for."
        ).format(what=what)
    )
    if not asking.yes:
        show_unshown(asking, rehearsal.project)
        if not agrees(_("Rehearse {what} now?").format(what=what)):
            return False
    remember(rehearsal.project, all_commands(rehearsal.project.config))
    return True


def _show(found: Rehearsed, printer: Printer, then: str) -> None:
    quiet = printer.display.quiet
    if printer.display.json:
        printer.print(json.dumps(found.to_json()), sys.stdout)
    elif found.selected:
        style = style_of(sys.stdout, printer.display.color)
        notes = found.notes
        lines = list(notes.lines(found.dag, style, is_whole=found.is_whole, quiet=quiet))
        if not quiet:
            lines.append(
                _("The rehearsal itself took {time}.").format(time=duration(found.seconds))
            )
            if then and found.exit_code == ExitCode.UP_TO_DATE:
                lines.append(f"{style.pick('→', '->')} {one_line(then)}")
        printer.print("\n".join(lines), sys.stdout)
