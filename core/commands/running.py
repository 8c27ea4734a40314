"""The run of ``run`` and ``retry``: shows the plan, asks, prints events, writes the report."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence

from ..dag import schedule
from ..git.refs import HEADS, SEEN
from ..journal.lock import Holder
from ..model.ci_commands import group
from ..model.ci_systems import ci_of
from ..model.decision import Action, Decision
from ..model.errors import ExitCode, UserError
from ..model.frozen import dataclass, replace
from ..model.state import Run
from ..model.terminal_text import one_line
from ..model.translate import _, shown
from ..model.words import counted, headed
from ..orchestrator.one_run import Decided, OneRun, RunResult
from ..orchestrator.run_options import RunOptions
from ..process.signals import Signals
from ..process.spawner import run_sync
from ..process.supervisor import check_descriptors
from ..project.claude_program import with_program
from ..project.decisions import make_plan
from ..project.obstructions import REPORTS
from ..project.open import OpenProject
from ..project.selection import still, wanted
from ..project.warnings import check_supplies
from ..reporter.console import Printable, Reporter, say
from ..reporter.documents import RunReport, feature_document, local_time, write_reports
from ..reporter.plan_text import plan_lines, run_question
from ..reporter.run_text import report_lines
from ..reporter.style import Style, style_of
from ..views.run_pages import RunPages
from ..views.view import Views
from .ask_consent import (
    all_commands,
    check_consent,
    commands_of_merge,
    is_terminal,
    remember,
    show_unshown,
)
from .detaching import go_on_in_background
from .live_run import LiveRun, Streams
from .options import Asking, Display, agrees
from .run_views import ViewOptions, views_of


@dataclass(frozen=True)
class LandAfterwards:
    """Options of ``run --merge``."""

    resolve: bool = False
    """Whether Claude resolves conflicts."""


def run_features(
    project: OpenProject,
    options: RunOptions,
    asking: Asking,
    display: Display,
    landing: LandAfterwards | None = None,
    looking: ViewOptions | None = None,
    *,
    resolve: bool = False,
    elsewhere: Signals | None = None,
) -> int:
    """Run while holding the lock, then land if requested; returns the exit code.

    ``resolve``: Claude resolves conflicts between what a feature depends on. ``elsewhere``: the
    repository is a temporary clone, in which no report is written. What was made is handed in
    afterwards, so these signals are ignored from the end of the run on.
    """
    project.lock.acquire(Holder(os.getpid(), str(local_time(time.time())), "run"))
    try:
        # Read again: a run may have moved branches before we got the lock.
        project = replace(project, refs=run_sync(project.git.refs(*SEEN)))
        looking = looking or ViewOptions()
        options = replace(options, has_reader=is_terminal() and not looking.detach)
        shown = _ShownRun(project, options, asking, display, looking, elsewhere)
        if resolve:
            from ..landing.dependency_resolution import DependencyResolver

            shown.run.resolver = DependencyResolver
        code = shown.execute()
        if code != ExitCode.UP_TO_DATE or landing is None:
            return code
        project = shown.followed(project)
        selection = still(options.selection, project.dag, ())
        named = wanted(selection, project.dag) if selection else ()
        ids = tuple(id for id in project.dag.features if id in named)
        if not ids:
            return code  # All of them are gone from the list by now.
        from ..landing.report import MergeOptions
        from .land import land

        asked = MergeOptions(ids, resolve=landing.resolve, max_cost_usd=shown.run.left_usd)
        check_consent(asking, project, commands_of_merge(project.config, resolve=landing.resolve))
        return land(project, asked, display, deadline=shown.run.deadline)
    finally:
        project.lock.release()


class Printer:
    """Prints on a terminal, respecting ``--quiet``; remembers a failed write."""

    def __init__(self, display: Display) -> None:
        self.display = display
        self.streams = Streams()
        self.lost: OSError | None = None

    def say(self, words: str) -> None:
        """Print a line on stderr, unless ``--quiet``."""
        if not self.display.quiet:
            self.complain(words)

    def complain(self, words: str) -> None:
        """Print a line on stderr."""
        self.print(shown(words), self.streams.err)

    def print(self, words: str, stream: Printable) -> None:
        """Print lines on a stream."""
        say(stream, words + "\n", self.note_loss)

    def say_group(self, title: str, name: str, lines: Sequence[str]) -> None:
        """Print lines on stderr, unless ``--quiet``; a CI system folds them under the title."""
        if not self.display.quiet:
            text = "\n".join(lines) + "\n"
            for part in group(ci_of(os.environ), title, text, name, time.time()):
                say(sys.stderr, part, self.note_loss)

    def note_loss(self, error: OSError) -> None:
        """Report a failed write once, even with ``--quiet``."""
        if self.lost is None:
            self.lost = error
            self.complain(
                _("rorchestrator: could not write: {strerror}").format(
                    strerror=shown(error.strerror or "")
                )
            )


class _ShownRun:
    """One run with its plan, question and report."""

    def __init__(
        self,
        project: OpenProject,
        options: RunOptions,
        asking: Asking,
        display: Display,
        looking: ViewOptions,
        elsewhere: Signals | None,
    ) -> None:
        self.elsewhere = elsewhere
        self.is_elsewhere = elsewhere is not None
        self.project = project
        self.asking = asking
        self.display = display
        self.printer = Printer(display)
        self.style = style_of(sys.stderr, display.color)
        self.detach = looking.detach
        progress = _in_a_file(display) if looking.detach else display
        style = style_of(sys.stderr, progress.color)
        self.live = LiveRun(
            self.printer.streams,
            progress,
            style,
            self.printer.complain,
            mask=project.mask,
            name=project.config.project.name,
            run=lambda: self.run,
            lost=self.printer.note_loss,
        )
        self.reporter = reporter_of(self.printer, style, is_live=self.live.is_live)
        self.run = OneRun(
            project,
            options,
            say=self.printer.say,
            beside=self._beside,
        )
        self.views = Views(
            views_of(looking, self.run, display, self.printer.note_loss), self._complain
        )
        self.pages = RunPages(project, lambda words: self._complain(words, ""))
        self.run.listeners = [
            self.reporter.on_event,
            self.live.attendant.on_event,
            self.pages.on_event,
            self.views.on_event,
        ]
        project.journal.on_append = self.views.on_append

    def followed(self, project: OpenProject) -> OpenProject:
        """The project with the features that the run had in the end, if its list changed."""
        now = self.run.project
        if not self.run.has_new_list:
            return project
        return replace(project, config=now.config, dag=now.dag)

    def execute(self) -> int:
        """Recover, decide, ask, run and report; returns the exit code."""
        repaired = self.project.journal.open()
        if repaired:
            self.printer.say(one_line(shown(repaired)))
        self.run.recover()
        decided = self.run.decide()
        project = self.project = self.pages.project = self.run.project
        plan = show_plan(self.run, decided, self.printer, self.style)
        if not decided.selected:
            for event in decided.story:
                project.journal.append(event)
            self.run.end_killed()
            return self._nothing_to_do(decided)
        results = self.run.results(decided.decisions, decided.selected)
        check_supplies(project)
        config = with_program(project.config)
        check_descriptors(min(self.run.slots, len(decided.selected)))
        refused = self._ask(plan)
        if refused is not None:
            return refused
        remember(project, all_commands(project.config))
        if self.detach:
            tell = go_on_in_background(project, self.run.run_id)
            self.run.listeners = [*self.run.listeners, tell]
        try:
            self.views.at_start()
            if self.elsewhere is not None:
                self.elsewhere.hold()
            result = self.run.run(config, decided, results, self._report)
        finally:
            # The end of the event loop has removed its handlers.
            if self.elsewhere is not None:
                self.elsewhere.ignore()
            self.views.close()
        failed = self.printer.lost or self.views.has_failed
        return result.exit_code or (ExitCode.INCOMPLETE if failed else ExitCode.UP_TO_DATE)

    async def _beside(self) -> None:
        """The live view and the ticks of the other views, while features run."""
        await self.live.watch(self.reporter.tick, self.views.on_tick)

    def _complain(self, message: str, hint: str) -> None:
        """Print what a view could not do, even with ``--quiet``."""
        lines = [headed("rorchestrator", one_line(shown(message)))]
        lines += [_("  next: {hint}").format(hint=one_line(shown(hint)))] if hint else []
        self.printer.complain("\n".join(lines))

    def _ask(self, plan: schedule.Plan) -> int | None:
        """Ask before anything starts; returns the exit code if the answer is no."""
        if self.asking.yes:
            return None
        show_unshown(self.asking, self.project)
        try:
            agreed = agrees(self._question(plan))
        except KeyboardInterrupt:
            self.printer.say(_("\nNothing was started."))
            return ExitCode.INTERRUPTED
        if not agreed:
            self.printer.say(_("Nothing was started."))
            return ExitCode.CANNOT_START
        return None

    def _question(self, plan: schedule.Plan) -> str:
        project, home = self.project, os.path.expanduser("~")
        top = project.git.repository.top
        repository = f"~{top[len(home) :]}" if top.startswith(f"{home}{os.sep}") else top
        base = f"{project.config.project.base_branch} @ {project.base_commit[:7]}"
        return run_question(plan, repository, base)

    def _nothing_to_do(self, decided: Decided) -> int:
        self.run.begin_time()
        if self.display.json:
            report = {
                "event": "report",
                "total_features": 0,
                "up_to_date": _up_to_date(decided.decisions),
                "left_out": decided.left,
            }
            print(json.dumps(report), flush=True)
        self.views.nothing_to_do(self._empty_report(decided))
        incomplete = decided.left or self.views.has_failed
        return ExitCode.INCOMPLETE if incomplete else ExitCode.UP_TO_DATE

    def _empty_report(self, decided: Decided) -> RunReport:
        """The report when nothing ran."""
        now, project = self.run.clock(), self.project
        settings = project.config.project
        run = Run("", now, 0, settings.base_branch, project.base_commit, ended_at=now)
        return RunReport(
            self.run.state,
            run,
            project_name=project.mask(settings.name),
            waves=tuple(map(tuple, project.dag.waves())),
            branches=(),
            up_to_date=tuple(_up_to_date(decided.decisions)),
            left=tuple(decided.left),
            max_cost_usd=self.run.budget.cap_usd,
        )

    def _report(self, result: RunResult) -> None:
        """Write and print the report. Raises :class:`UserError` if it can't be written."""
        report = self._made_report(result)
        document = report.to_json()
        self.pages.project = self.run.project
        folder = os.path.join(self.project.config.workspace, REPORTS)
        unwritten = None
        files: list[str] = []
        pages: list[str] = []
        try:
            if not self.is_elsewhere:
                results = [feature_document(feature) for feature in report.features]
                files = write_reports(folder, document, results, report.ended_at)
                pages = self.pages.write(report, files)
        except UserError as error:
            error.exit_code = ExitCode(result.exit_code or ExitCode.INCOMPLETE)
            unwritten = error
        if self.display.json:
            line = json.dumps({"event": "report", "files": files, "pages": pages, **document})
            self.printer.print(line, sys.stdout)
        else:
            style = style_of(sys.stdout, self.display.color)
            lines = [*report_lines(report, style), *_report_line([*pages, *files])]
            self.printer.print("\n".join(lines), sys.stdout)
        self.views.at_end(report)
        if self.elsewhere is not None:
            self.elsewhere.hold()
        if unwritten is not None:
            raise unwritten

    def _made_report(self, result: RunResult) -> RunReport:
        # With the features that joined, if the list changed.
        run, project, decided = result.state.run, self.run.project, result.decided
        assert run is not None
        gone = tuple(id for id in run.features if id not in project.dag.features)
        listed = (*gone, *project.dag.features)
        branches = {id: project.config.branch_of(id) for id in listed}
        ran = frozenset(run.features)
        return RunReport(
            result.state,
            run,
            project_name=project.mask(project.config.project.name),
            waves=(*((gone,) if gone else ()), *map(tuple, project.dag.waves())),
            branches=tuple(
                project.mask(branch)
                for id, branch in branches.items()
                if id in ran and HEADS + branch in result.heads
            ),
            up_to_date=tuple(_up_to_date(decided.decisions)),
            left=tuple(decided.left),
            max_cost_usd=self.run.budget.cap_usd,
            only_accepted=project.config.project.require_review,
            is_elsewhere=self.is_elsewhere,
        )


def _in_a_file(display: Display) -> Display:
    """How a detached run shows its events: as lines, without colours unless they are asked for."""
    color = "never" if display.color == "auto" else display.color
    return replace(display, color=color, progress="plain")


def reporter_of(printer: Printer, style: Style, *, is_live: bool) -> Reporter:
    """The reporter that prints the events of a run."""
    display, streams = printer.display, printer.streams
    return Reporter(
        streams.err,
        style,
        quiet=display.quiet,
        verbose=display.verbose,
        is_live=is_live,
        json_stream=streams.out if display.json else None,
        clock=time.time,
        lost=printer.note_loss,
    )


def show_plan(run: OneRun, decided: Decided, printer: Printer, style: Style) -> schedule.Plan:
    """Print the plan of a run."""
    selected, forecast, state = decided.selected, run.forecast, run.state
    plan = make_plan(run.project, decided.decisions, run.slots, selected, forecast, state)
    plan = replace(plan, max_cost_usd=run.budget.cap_usd)
    lines = [*plan_lines(plan, style, verbose=printer.display.verbose), ""]
    printer.say_group(
        _("Plan: {features} to run").format(features=counted(len(decided.selected), "feature")),
        "plan",
        lines,
    )
    return plan


def _report_line(files: Sequence[str]) -> list[str]:
    return [one_line(_("Report: {path}").format(path=path)) for path in files[:1]]


def _up_to_date(decisions: Mapping[str, Decision]) -> list[str]:
    return [id for id, decision in decisions.items() if decision.action is Action.SKIP]
