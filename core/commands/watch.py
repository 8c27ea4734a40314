"""``watch``: the run in progress from another terminal, or the end of the last one."""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import suppress

from ..journal.follow import Follower
from ..model.errors import ExitCode, UserError
from ..model.events import Event
from ..model.frozen import replace
from ..model.moments import minute
from ..model.state import Run, RunState
from ..model.terminal_text import one_line
from ..model.translate import N_, _
from .options import add_common_options, add_progress_option, display_of, opened_or_recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.control_action import ControlAction
    from ..process.supervisor import Supervisor
    from ..project.open import OpenProject
    from ..reporter.console import Reporter
    from ..views.live import Facts
    from .live_run import LiveRun
    from .options import Display

EXAMPLES = N_("""\
examples:
  rorchestrator watch
  rorchestrator watch --exit-status && rorchestrator merge
  rorchestrator watch | tee watch.txt
""")

POLL_SECONDS = 0.25

SUSPENDED = N_("Suspended. The run goes on. fg continues here.")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Show the run in progress, as its own terminal does, until it ends. "
        "Without one, show how\nthe last run ended. Closing it changes nothing."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "--exit-status", action="store_true", help=_("end with the exit code of the run")
    )
    add_progress_option(parser)
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Follow a run to its end; the exit code."""
    project, _ = opened_or_recorded(arguments)
    display = display_of(arguments)
    if not sys.stdout.isatty():
        display = replace(display, progress="plain")  # the lines are for its reader
    code = _Watch(project, display).execute()
    return code if arguments.exit_status else ExitCode.UP_TO_DATE


class _Watch:
    """Follows the journal of a run that another process makes."""

    def __init__(self, project: OpenProject, display: Display) -> None:
        self.project, self.display = project, display
        self.follower = Follower(project.journal.path)
        self.past: list[Event] = []
        """The events of the run from before this command."""
        self.learned_runs = 0
        self.supervisor: Supervisor | None = None

    def execute(self) -> int:
        """Wait for a run that is about to start, and show the last one; its exit code."""
        self.past = self.follower.catch_up()
        self._await_start()
        run = self.follower.state.run
        if run is None:
            raise UserError(
                _("no run has started in this repository yet"), hint="rorchestrator run"
            )
        if self._is_alive(run):
            import asyncio

            return asyncio.run(self._show())
        return self._end(self.follower.state, run)

    def _await_start(self) -> None:
        """Wait as long as a run holds the lock that has not started: it may ask its user."""
        pid = self._starting()
        if pid:
            self._say(_("The run of pid {pid} has not started yet: waiting.").format(pid=pid))
        while pid:
            time.sleep(POLL_SECONDS)
            self.past += self.follower.catch_up()
            pid = self._starting()

    def _starting(self) -> int:
        """The pid of a run that has not started; 0 without one."""
        holder, run = self.project.lock.holder(), self.follower.state.run
        if holder is None or not holder.is_run or (run is not None and run.pid == holder.pid):
            return 0
        return holder.pid

    def _say(self, words: str) -> None:
        if not self.display.quiet:
            print(one_line(words), file=sys.stderr, flush=True)

    def _is_alive(self, run: Run) -> bool:
        holder = self.project.lock.holder()
        return run.ended_at is None and holder is not None and holder.pid == run.pid

    async def _show(self) -> int:
        """Show the run until it ends."""
        from ..reporter.console import Reporter
        from ..reporter.style import style_of
        from .live_run import LiveRun, Streams

        streams = Streams()
        style = style_of(sys.stderr, self.display.color)
        live = LiveRun(
            streams,
            self.display,
            style,
            lambda words: print(words, file=sys.stderr),
            mask=self.project.mask,
            name=self.project.config.project.name,
            ask=self._ask,
            facts=self._facts,
            supervisor=lambda: self.supervisor,
            suspended=_(SUSPENDED),
        )
        reporter = Reporter(
            streams.err if live.is_live else sys.stdout,
            style if live.is_live else style_of(sys.stdout, self.display.color),
            quiet=self.display.quiet,
            verbose=self.display.verbose,
            is_live=live.is_live,
            clock=time.time,
        )
        self._catch_up(reporter, live)
        if not live.is_live:
            return await self._shown(reporter, live)
        from ..process.supervisor import Supervisor

        # It has no children but the guard, which restores the terminal after a SIGKILL.
        async with Supervisor(f"watch-{os.getpid()}") as self.supervisor:
            return await self._shown(reporter, live)

    async def _shown(self, reporter: Reporter, live: LiveRun) -> int:
        import asyncio

        watching = asyncio.create_task(live.watch(reporter.tick))
        try:
            run, state = await self._follow(reporter, live)
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        return self._end(state, run)

    def _facts(self) -> Facts:
        from ..views.live import Facts

        run = self.follower.state.run
        cap = run.provenance.max_cost_usd if run is not None else None
        return Facts(
            cap_usd=cap,
            learned_runs=self.learned_runs,
            complete=getattr(sys.stderr, "completed", str),
        )

    def _ask(self, action: ControlAction) -> None:
        """Ask the run to pause or to resume."""
        from ..journal.control import Requests

        run = self.follower.state.run
        assert run is not None
        Requests(self.project.journal.folder).leave(run.id, action)

    def _learned_runs(self, current: str) -> int:
        """From how many runs before the current one its estimates were learned."""
        from ..project.past import runs_of

        return sum(run.completed > 0 and run.id != current for run in runs_of(self.project))

    def _catch_up(self, reporter: Reporter, live: LiveRun) -> None:
        """Show what happened in the run before this command."""
        from ..model.fold import apply, fold

        run = self.follower.state.run
        assert run is not None
        begun = max(
            (at for at, event in enumerate(self.past) if event.kind == "run_started"), default=0
        )
        if live.is_live:
            self.learned_runs = self._learned_runs(run.id)
        state = fold(self.past[:begun])
        self._say(
            _("Run {run}, pid {pid}, since {time}").format(
                run=run.id, pid=run.pid, time=minute(run.started_at)
            )
        )
        for event in self.past[begun:]:
            state = apply(state, event)
            reporter.on_event(state, event)
            live.attendant.on_event(state, event)

    async def _follow(self, reporter: Reporter, live: LiveRun) -> tuple[Run, RunState]:
        """Show each event until the run is over; the run and the state at its end."""
        import asyncio

        run = self.follower.state.run
        assert run is not None
        while True:
            is_alive = self._is_alive(run)
            for event in self.follower.new_events():
                if event.kind == "run_started":
                    self._say(
                        _("Run {run} was killed; run {run2} has started").format(
                            run=run.id, run2=event.run
                        )
                    )
                state = self.follower.state
                reporter.on_event(state, event)
                live.attendant.on_event(state, event)
                assert state.run is not None
                run, is_alive = state.run, True
                if event.kind == "run_ended" and event.run == run.id:
                    return run, state
            if self.follower.restarts:
                raise UserError(
                    _("the journal was replaced while it was followed"), hint="rorchestrator status"
                )
            if reporter.stream is None:
                raise BrokenPipeError  # Nobody reads what this command prints.
            if not is_alive:
                return run, self.follower.state
            await asyncio.sleep(POLL_SECONDS)

    def _end(self, state: RunState, run: Run) -> int:
        """Print how a run ended; its exit code, 1 if it was killed."""
        from ..reporter.documents import RunReport
        from ..reporter.run_text import report_lines
        from ..reporter.style import style_of

        if run.ended_at is None:
            self._say(
                _("Run {run} was killed. To continue it: rorchestrator run").format(run=run.id)
            )
            return ExitCode.INCOMPLETE
        self._say(
            _("Run {run} ended {time}, exit code {exit_code}").format(
                run=run.id, time=minute(run.ended_at), exit_code=run.exit_code
            )
        )
        report = RunReport(
            state,
            run,
            project_name=self.project.config.project.name,
            waves=tuple(map(tuple, self.project.dag.waves())),
            branches=(),
            up_to_date=None,
            max_cost_usd=run.provenance.max_cost_usd,
            only_accepted=self.project.config.project.require_review,
        )
        style = style_of(sys.stdout, self.display.color)
        print("\n".join(report_lines(report, style)).strip("\n"))
        print(
            _("{sign} rorchestrator report {run} --open  (its page)").format(
                sign=style.pick("→", "->"), run=run.id
            )
        )
        self.follower.catch_up()
        later = self.follower.state.run
        if later is not None and later.id != run.id:
            self._say(_("Run {id} has started since: rorchestrator watch").format(id=later.id))
        return run.exit_code or ExitCode.UP_TO_DATE
