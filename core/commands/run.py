"""``run``: brings the list up to date."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from ..dag import incremental, schedule
from ..dag.resolver import DAGResolver
from ..git import commits
from ..git.door import Git
from ..git.refs import RESULTS
from ..git.tampering import seal
from ..journal.control import Requests
from ..journal.lock import Holder
from ..model import events
from ..model.decision import Action, Decision
from ..model.errors import ExitCode, StateError, UserError
from ..model.events import Event
from ..model.feature import Config
from ..model.fold import apply, fold
from ..model.frozen import replace
from ..model.list_commands import BASE
from ..model.outcome import Fault, Outcome, Status, Work
from ..model.state import FeatureState, RunState
from ..model.terminal_text import clean, one_line
from ..orchestrator.conflict_probe import Foresight
from ..orchestrator.loop import Orchestrator
from ..orchestrator.steering import Steering
from ..process import temporary_folder
from ..process.cancellation import Stop
from ..process.environment import without_git
from ..process.spawner import drive
from ..process.supervisor import Supervisor, check_descriptors, heed
from ..project import lists
from ..project.agreement import (
    all_commands,
    check_agreed,
    commands_of_merge,
    is_terminal,
    not_agreed,
    remember,
    show_unshown,
)
from ..project.warnings import check_supplies
from ..project.workplace import (
    HEADS,
    REPORTS,
    SEEN,
    STASH,
    Workplace,
    add_common_options,
    add_selection_options,
    adopted,
    agrees,
    as_steered,
    check_permissions,
    decide,
    dollars,
    held_now,
    killed_resolutions,
    landing_fault,
    left_out,
    make_plan,
    open_workplace,
    select,
    wanted,
    with_program,
)
from ..reporter.console import PROGRESS_SECONDS, Reporter, say, style_of
from ..reporter.documents import RunReport, feature_document, local_time, write_reports
from ..reporter.plan_text import plan_lines, run_question
from ..reporter.run_text import report_lines
from ..runner.attempt import AttemptRunner
from ..runner.budget import OVER, Budget
from ..runner.checks import Workbench
from ..runner.claude_runner import ClaudeRunner
from ..runner.steps import StepRunner
from ..runner.surroundings import Surroundings
from ..runner.usage_limit import Pause
from .merge import Wanted, land

EXAMPLES = """\
examples:
  rorchestrator run --yes --max-parallel 2
  rorchestrator run --rehearse
  rorchestrator run --yes --only api --fail-fast --json > events.jsonl
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

MAX_WAIT_SECONDS = 6 * 3600.0

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def configure(parser: argparse.ArgumentParser) -> None:
    """Tell argparse of the command's options."""
    parser.description = "Run Claude Code for every feature that is out of date, several at once."
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--sequential", action="store_true", help="run one feature at a time, in topological order"
    )
    parser.add_argument(
        "--fail-fast", action="store_true", help="start nothing more after the first failure"
    )
    parser.add_argument(
        "--merge",
        action="store_true",
        help="when all features are completed, land them on the base branch",
    )
    parser.add_argument(
        "--rehearse",
        action="store_true",
        help="try everything but Claude in a temporary copy of the repository, at no cost",
    )
    parser.add_argument(
        "--resolve", action="store_true", help="with --merge: let Claude resolve conflicts"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print each event when it happens, one JSON object a line; the last is the report",
    )
    add_running_options(parser)
    add_selection_options(parser)
    add_common_options(parser)


def add_running_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command that starts Claude."""
    parser.add_argument(
        "-y", "--yes", action="store_true", help="do not ask; required without a terminal"
    )
    parser.add_argument(
        "--allow-bypass",
        action="store_true",
        help="allow the list to turn off Claude's permission checks",
    )
    parser.add_argument(
        "--max-cost",
        type=dollars,
        metavar="USD",
        help="budget of the run, instead of project.max_cost_usd",
    )
    parser.add_argument(
        "--max-time",
        type=seconds,
        metavar="TIME",
        help="stop the run after this time, such as 90m or 2h; the next run resumes its features",
    )
    parser.add_argument(
        "--max-wait",
        type=seconds,
        default=MAX_WAIT_SECONDS,
        metavar="TIME",
        help="wait at most this long for the reset of a usage limit, such as 90m (default: 6h)",
    )


def seconds(text: str) -> float:
    """A time such as ``90``, ``90s``, ``15m``, ``1.5h`` or ``1d``, in seconds."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
    try:
        value = float(number) * UNITS[unit]
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no time (such as 90s, 15m, 6h)")
    return value


def execute(arguments: argparse.Namespace, *, retried: str = "") -> int:
    """Run what is not up to date; the exit code says how that went.

    A feature that is ``retried`` is not skipped any more, once it is agreed to run it.
    """
    if arguments.resolve and not arguments.merge:
        raise UserError(
            "--resolve is about what --merge lands", hint="rorchestrator run --merge --resolve"
        )
    place = open_workplace(arguments)
    fault = landing_fault(place) if arguments.merge else ""
    if fault:
        raise UserError(
            f"run --merge lands on the base branch, but {fault}",
            hint="rorchestrator run, then rorchestrator merge --into BRANCH",
        )
    if not (arguments.yes or is_terminal()):
        raise UserError(
            "run asks before it starts, and there is no terminal to ask on",
            details=not_agreed(arguments, place),
            hint=f"rorchestrator run{' --rehearse' if arguments.rehearse else ''} --yes",
        )
    if arguments.rehearse:
        from .rehearsal import rehearse

        return rehearse(arguments, place)
    if not arguments.allow_bypass:
        check_permissions(place.config, "run")
    place.lock.acquire(Holder(os.getpid(), str(local_time(time.time())), "run"))
    try:
        # A run that ended between our first look and the lock may have moved some.
        place = replace(place, refs=drive(place.git.refs(*SEEN)))
        command = RunCommand(arguments, place, retried)
        code = command.execute()
        if code == ExitCode.UP_TO_DATE and arguments.merge:
            named = wanted(arguments, place.dag)
            ids = tuple(id for id in place.dag.features if id in named)
            asked = Wanted(ids, resolve=arguments.resolve, max_cost_usd=command.left_usd)
            check_agreed(
                arguments, place, commands_of_merge(place.config, resolve=arguments.resolve)
            )
            return land(place, asked, arguments, deadline=command.deadline)
        return code
    finally:
        place.lock.release()


class RunCommand:
    """One ``run``, under the lock."""

    def __init__(self, arguments: argparse.Namespace, place: Workplace, retried: str = "") -> None:
        self.arguments = arguments
        self.place = place
        self.retried = retried
        self.clock = time.time
        self.style = style_of(sys.stderr, arguments.color)
        stamp = time.strftime("%Y%m%dT%H%M%S")
        self.run_id = f"{stamp}-{os.urandom(3).hex()}"
        self.state = RunState()
        self.killed_runs: set[str] = set()
        self.signal: signal.Signals | None = None
        self.over = False
        self.is_base_red = False
        self.left: Sequence[str] = ()
        """The chosen features that do not run because of a skip."""
        self.deadline = float("inf")
        """By the monotonic clock."""
        self.lost: OSError | None = None
        self.budget = self._budget(place.config)
        self.heads: Mapping[str, str] = {}
        """The branches that there were when the last feature was over."""
        self.workbench: Callable[..., Workbench] = Workbench

    def execute(self) -> int:
        """Recover, plan, ask, run."""
        place = self.place
        repaired = place.journal.open()
        if repaired:
            self._say(one_line(repaired))
        self.state = place.whole_state()
        self._recover()
        again = self._retry()
        whole = fold(again, self.state)
        self.state = place.seen(whole)
        place = self.place = as_steered(place, self.state)
        decisions = decide(place, self.state, self.arguments, run=self.run_id)
        selected = select(self.arguments, place.dag, decisions)
        more = lists.check(place, whole, decisions, selected)
        self.state = adopted(place, place.seen(fold(more, whole)))
        story = [*again, *more]
        self.left = left_out(self.arguments, place.dag, decisions)
        plan = self._show_plan(decisions, selected)
        if not selected:
            self._append(story)
            return self._nothing_to_do(decisions)
        results = self._results(decisions, selected)
        decisions = incremental.as_built(decisions, place.dag, self.state, selected)
        check_supplies(place)
        config = with_program(place.config)
        check_descriptors(min(self._slots(), len(selected)))
        if not self.arguments.yes:
            show_unshown(self.arguments, place)
            try:
                agreed = agrees(self._question(plan))
            except KeyboardInterrupt:
                self._say("\nNothing was started.")
                return ExitCode.INTERRUPTED
            if not agreed:
                self._say("Nothing was started.")
                return ExitCode.CANNOT_START
        remember(place, all_commands(place.config))
        self._append(story)
        self._begin_time()
        try:
            code = asyncio.run(self._session(config, decisions, selected, results))
            return code or (ExitCode.INCOMPLETE if self.lost else ExitCode.UP_TO_DATE)
        except StateError as error:
            error.exit_code = ExitCode.INCOMPLETE
            raise
        except FileNotFoundError as error:
            raise StateError(
                f"{error.filename} was deleted while the run went on",
                hint="run again: what is done stays done",
                exit_code=ExitCode.INCOMPLETE,
            ) from None

    def _begin_time(self) -> None:
        """From now on the time of ``--max-time`` passes: not while the user is asked."""
        if self.arguments.max_time is not None:
            self.deadline = time.monotonic() + self.arguments.max_time

    def _nothing_to_do(self, decisions: Mapping[str, Decision]) -> int:
        self._begin_time()
        if self.arguments.json:
            report = {"event": "report", "total_features": 0, "up_to_date": _up_to_date(decisions)}
            report["left_out"] = self.left
            print(json.dumps(report), flush=True)
        return ExitCode.INCOMPLETE if self.left else ExitCode.UP_TO_DATE

    @property
    def left_usd(self) -> float | None:
        """What is left of what the run may cost; ``None`` where nothing bounds it."""
        return None if self.budget.cap_usd is None else max(0.0, self.budget.left_usd)

    def _say(self, words: str) -> None:
        if not self.arguments.quiet:
            self._print(words, sys.stderr)

    def _print(self, words: str, stream: TextIO) -> None:
        say(stream, words + "\n", self._lost)

    def _lost(self, error: OSError) -> None:
        """Told once, also to who wants quiet: a part of the answer is missing."""
        if self.lost is None:
            self.lost = error
            self._print(f"rorchestrator: could not write: {error.strerror}", sys.stderr)

    # -- before -------------------------------------------------------------------------

    def _recover(self) -> None:
        """Settle what a killed run left open: refs are the truth, the journal the intent."""
        last = self.state.run
        if last is not None and last.ended_at is None:
            # Also where a recovery that was killed had settled all its features before.
            self.killed_runs.add(last.id)
        self.killed_runs.update(attempt.run for _, attempt in killed_resolutions(self.state))
        self.killed_runs.update(filter(None, (self.state.merge,)))
        for known in self.state.features.values():
            if not known.status.active:
                continue
            self.killed_runs.add(known.run)
            commit = self.place.refs.get(f"{RESULTS}{known.id}/{known.run}")
            outcome = (
                drive(self._finished(known, commit))
                if commit
                else Outcome(Status.CANCELLED, "the run was killed", Fault.INTERRUPTED)
            )
            self._record(events.ended(self.clock(), known.run, known.id, outcome))

    async def _end_killed(self, supervisor: Supervisor) -> None:
        """End what a killed run or merge left, if its guard was killed as well."""
        for run in self.killed_runs:
            await supervisor.end_run(run)
        if self.state.merge:
            self._record(events.merge_ended(self.clock(), self.state.merge))

    def _retry(self) -> list[Event]:
        """What the journal is to say of what is retried: it is not skipped any more."""
        if not self.retried:
            return []
        taken = lists.takeovers(self.place, self.state, [self.retried])
        text = f"{self.retried} is run again"
        event = events.steered(
            self.clock(),
            *("", self.retried),
            action="retry",
            request="",
            done=True,
            text=text,
            owner=self.place.owner,
        )
        return [*taken, event]

    def _append(self, story: Sequence[Event]) -> None:
        for event in story:
            self.place.journal.append(event)

    async def _finished(self, known: FeatureState, commit: str) -> Outcome:
        stat = await commits.diffstat(self.place.git, known.start_commit, commit)
        work = Work(commit, stat.files, stat.insertions, stat.deletions)
        return Outcome(Status.COMPLETED, work=work)

    def _record(self, event: Event) -> None:
        self.state = apply(self.state, self.place.journal.append(event))

    def _question(self, plan: schedule.Plan) -> str:
        place, home = self.place, os.path.expanduser("~")
        top = place.git.repository.top
        repository = f"~{top[len(home) :]}" if top.startswith(f"{home}{os.sep}") else top
        base = f"{place.config.project.base_branch} @ {place.base_commit[:7]}"
        return run_question(plan, repository, base)

    def _show_plan(
        self, decisions: Mapping[str, Decision], selected: Sequence[str]
    ) -> schedule.Plan:
        plan = make_plan(self.place, decisions, self._slots(), selected)
        plan = replace(plan, max_cost_usd=self.budget.cap_usd)
        lines = plan_lines(plan, self.style, verbose=self.arguments.verbose)
        self._say("\n".join(lines) + "\n")
        return plan

    def _slots(self) -> int:
        if self.arguments.sequential:
            return 1
        return self.arguments.max_parallel or self.place.config.project.max_parallel

    def _results(
        self, decisions: Mapping[str, Decision], selected: Sequence[str]
    ) -> dict[str, str]:
        """The commits of the dependencies that do not run themselves.

        Raises :class:`UserError` where ``--no-deps`` leaves out what has no result yet.
        """
        results: dict[str, str] = {}
        for id in selected:
            for dependency in self.place.dag.features[id].depends_on:
                known = self.state.feature(dependency)
                if dependency in selected:
                    continue
                if decisions[dependency].reason.startswith("merged"):
                    results[dependency] = self.place.base_commit  # which holds its work
                    continue
                if known.work is None:
                    raise UserError(
                        f"{id} needs {dependency}, which has no result yet",
                        hint=f"rorchestrator run --only {id} runs both",
                    )
                held = drive(held_now(self.place, known, self.place.base_commit))
                if not held.tip:
                    raise UserError(f"{id} needs {dependency}, but {held.words}", hint=held.hint)
                results[dependency] = held.tip
        return results

    # -- the run itself -----------------------------------------------------------------

    async def _session(
        self,
        config: Config,
        decisions: Mapping[str, Decision],
        selected: Sequence[str],
        results: Mapping[str, str],
    ) -> int:
        # What follows was agreed to: git does as the user's settings say.
        arguments, place = self.arguments, self.place.acting()
        self.place = place
        stop = Stop()
        reporter = self._reporter()
        async with Supervisor(self.run_id) as supervisor:
            heed(stop)
            self._listen(stop, supervisor)
            await self._end_killed(supervisor)
            dag = DAGResolver(place.dag.features[id] for id in selected)
            rank = schedule.wave_order if arguments.sequential else schedule.longest_path_first
            orchestrator = Orchestrator(
                dag,
                rank(dag),
                self._slots(),
                run=self.run_id,
                base_commit=place.base_commit,
                decisions=decisions,
                results=results,
                state=self.state,
                journal=place.journal,
                listeners=[reporter.on_event],
                clock=self.clock,
                stop=stop,
                fail_fast=arguments.fail_fast,
            )
            runner = self._runner(config, supervisor, orchestrator, stop)
            requests = Requests(place.journal.folder)
            requests.clear()
            orchestrator.emit(self._started(selected))
            steering = Steering(orchestrator, requests, config.features, stop)
            steered = asyncio.create_task(_watch(steering, stop))
            ticker = asyncio.create_task(_tick(reporter))
            foresight = self._foresight(supervisor, orchestrator, decisions)
            watcher = asyncio.create_task(foresight.watch())
            self._limit_time(orchestrator, supervisor)
            around = self._surroundings(runner, supervisor, orchestrator)
            try:
                await place.git.using(supervisor).pin_identity()
                await runner.workbench.clear()
                temporary_folder.clear()
                await self._check_base(runner, orchestrator)
                await around.begin()
                await orchestrator.run(
                    lambda job, turn: around.during(job.feature.id, runner.run(job, turn))
                )
                await around.end()
                await self._look_at_heads(place.git.using(supervisor), orchestrator.emit)
            finally:
                watcher.cancel()
                steered.cancel()
                await asyncio.gather(watcher, steered, return_exceptions=True)
                ticker.cancel()
                reporter.finish()
            if not steered.cancelled():
                steered.result()  # Somebody's wish could not be recorded.
            steering.look()  # Whoever asks now learns that it is too late.
        self.over = True
        code = self._exit_code(orchestrator.state, selected)
        orchestrator.emit(events.run_ended(self.clock(), self.run_id, exit_code=code))
        self._report(orchestrator.state, decisions)
        return code

    def _surroundings(
        self, runner: ClaudeRunner, supervisor: Supervisor, orchestrator: Orchestrator
    ) -> Surroundings:
        return Surroundings(
            self.place.git.using(supervisor),
            runner.seal,
            folder=self.place.worktrees.folder,
            run=self.run_id,
            state=lambda: orchestrator.state,
            emit=orchestrator.emit,
            clock=self.clock,
        )

    def _foresight(
        self,
        supervisor: Supervisor,
        orchestrator: Orchestrator,
        decisions: Mapping[str, Decision],
    ) -> Foresight:
        features = [id for id, made in decisions.items() if not made.reason.startswith("merged")]
        return Foresight(
            self.place.git.using(supervisor),
            features,
            run=self.run_id,
            state=lambda: orchestrator.state,
            emit=orchestrator.emit,
            clock=self.clock,
        )

    def _limit_time(self, orchestrator: Orchestrator, supervisor: Supervisor) -> None:
        """Start nothing once the time of the whole run is over, and end what git still does."""
        if self.arguments.max_time is not None:
            reason = f"{OVER}: the time of the run (--max-time) is over"
            loop = asyncio.get_running_loop()
            loop.call_later(self.arguments.max_time, orchestrator.slots.close, reason)
            loop.call_later(self.arguments.max_time, supervisor.hurry)

    async def _check_base(self, runner: ClaudeRunner, orchestrator: Orchestrator) -> None:
        """Start nothing where the base itself is red: every feature would be."""
        red = await runner.workbench.check_base(self.place.base_commit)
        if red is not None and not red.interrupted:
            self.is_base_red = True
            name = self.place.config.project.base_branch
            if red.is_ours:
                why = f"{name} could not be checked: {clean(red.what)}"
                self._say(why)
                orchestrator.slots.close(why)
                return
            self._say(f"{name} is red already: {clean(red.reason)}")
            kind = "setup" if red.what.startswith("setup") else "checks"
            self._say(f"All of it: rorchestrator logs {BASE} --{kind}")
            advice = "mend it, or set project.verify_base to false"
            orchestrator.slots.close(f"{name} is red already: {red.what}; {advice}")

    def _runner(
        self,
        config: Config,
        supervisor: Supervisor,
        orchestrator: Orchestrator,
        stop: Stop,
    ) -> ClaudeRunner:
        place = self.place
        worktrees = place.worktrees.using(place.git.using(supervisor))
        log_folder = os.path.join(place.journal.folder, "logs", self.run_id)
        pause = Pause(
            orchestrator.slots,
            stop,
            self.clock,
            lambda until: orchestrator.emit(events.paused(self.clock(), self.run_id, until=until)),
            grace_seconds=config.project.limit_grace_seconds,
            max_wait_seconds=self.arguments.max_wait,
            deadline=self.deadline,
        )
        attempts = AttemptRunner(
            config,
            supervisor,
            run=self.run_id,
            log_folder=log_folder,
            emit=orchestrator.emit,
            clock=self.clock,
            stop=stop,
            answered=pause.lift,
            deadline=self.deadline,
        )
        workbench = self.workbench(
            config,
            worktrees,
            StepRunner(supervisor, stop, self.deadline),
            run=self.run_id,
            log_folder=log_folder,
            emit=orchestrator.emit,
            clock=self.clock,
            environ=without_git(os.environ),
            passed=set(self.state.passed),
            wrote=self.state.wrote,
        )
        return ClaudeRunner(
            config,
            worktrees,
            attempts,
            workbench,
            pause,
            self.budget,
            drive(seal(place.git, self.state.setups)),
            run=self.run_id,
            emit=orchestrator.emit,
            clock=self.clock,
            stop=stop,
        )

    def _budget(self, config: Config) -> Budget:
        features = self.place.dag.features
        work, rate = schedule.estimator(features), config.project.usd_per_million_tokens
        estimates = {id: work(f) * rate / 1_000_000 for id, f in features.items()}
        return Budget(self.arguments.max_cost or config.project.max_cost_usd, estimates)

    def _reporter(self) -> Reporter:
        plain = os.environ.get("TERM") == "dumb" or not sys.stderr.isatty()
        return Reporter(
            sys.stderr,
            self.style,
            quiet=self.arguments.quiet,
            verbose=self.arguments.verbose,
            json_stream=sys.stdout if self.arguments.json else None,
            progress=not plain,
            clock=self.clock,
            lost=self._lost,
        )

    def _started(self, selected: Sequence[str]) -> Event:
        return events.run_started(
            self.clock(),
            self.run_id,
            pid=os.getpid(),
            base_branch=self.place.config.project.base_branch,
            base_commit=self.place.base_commit,
            features=selected,
            max_parallel=self._slots(),
            base_option=self.place.base_option,
            owner=self.place.owner,
        )

    def _listen(self, stop: Stop, supervisor: Supervisor) -> None:
        """The first signal asks everything to end, a second one does not ask."""

        def heard(number: signal.Signals) -> None:
            if self.over:
                return  # There is nothing left to stop.
            if stop.is_set():
                supervisor.kill_all()
                return
            self.signal = number
            stop.set()
            self._say("\nStopping: waiting for Claude to end. Once more to kill it.")

        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            # nohup has the hangup ignored, and means it.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, heard, number)

    async def _look_at_heads(self, git: Git, emit: Callable[[Event], None]) -> None:
        """See which branches there are now, and say where the base branch is not what it was."""
        name = self.place.config.project.base_branch
        try:
            self.heads = await git.refs(HEADS, STASH)
        except UserError as error:
            emit(events.note(self.clock(), self.run_id, f"the branches are unknown: {error}"))
            return
        now, pinned = self.heads.get(HEADS + name, ""), self.place.base_commit
        if HEADS + name in self.place.refs and now != pinned:
            what = f"moved to {now[:12]}" if now else "was deleted"
            text = f"{name} {what} while the run went on, which started from {pinned[:12]}"
            emit(events.note(self.clock(), self.run_id, text))
        if self.heads.get(STASH) != self.place.refs.get(STASH):
            text = "the stash, which all worktrees share, changed meanwhile: see git stash list"
            emit(events.note(self.clock(), self.run_id, text))

    def _exit_code(self, state: RunState, selected: Sequence[str]) -> int:
        if self.signal is not None:
            return 128 + self.signal
        if self.is_base_red:
            return ExitCode.CANNOT_START
        features = [state.feature(id) for id in selected]
        completed = [feature.status is Status.COMPLETED for feature in features]
        if all(completed):
            return ExitCode.INCOMPLETE if self.left else ExitCode.UP_TO_DATE
        faults = [
            attempt.outcome.fault
            for feature in features
            for attempt in feature.of_run(self.run_id)
            if attempt.outcome is not None
        ]
        if faults and all(fault.fatal for fault in faults) and not any(completed):
            return ExitCode.CANNOT_START
        return ExitCode.INCOMPLETE

    # -- after --------------------------------------------------------------------------

    def _report(self, state: RunState, decisions: Mapping[str, Decision]) -> None:
        run = state.run
        assert run is not None and run.ended_at is not None
        report = RunReport(
            state,
            run,
            project_name=self.place.mask(self.place.config.project.name),
            waves=tuple(map(tuple, self.place.dag.waves())),
            branches=tuple(
                self.place.mask(branch)
                for id in self.place.dag.features
                for branch in [self.place.config.branch_of(id)]
                if id in run.features and HEADS + branch in self.heads
            ),
            up_to_date=tuple(_up_to_date(decisions)),
            left=tuple(self.left),
            max_cost_usd=self.budget.cap_usd,
        )
        document = report.to_json()
        results = [feature_document(feature) for feature in report.features]
        folder = os.path.join(self.place.config.workspace, REPORTS)
        unwritten = None
        files: list[str] = []
        try:
            files = write_reports(folder, document, results, run.ended_at)
        except UserError as error:
            error.exit_code = ExitCode(run.exit_code or ExitCode.INCOMPLETE)
            unwritten = error
        if self.arguments.json:
            self._print(json.dumps({"event": "report", "files": files, **document}), sys.stdout)
        else:
            style = style_of(sys.stdout, self.arguments.color)
            lines = [*report_lines(report, style), *_report_line(files)]
            self._print("\n".join(lines), sys.stdout)
        if unwritten is not None:
            raise unwritten


def _report_line(files: Sequence[str]) -> list[str]:
    return [one_line(f"Report: {path}") for path in files[:1]]


def _up_to_date(decisions: Mapping[str, Decision]) -> list[str]:
    return [id for id, decision in decisions.items() if decision.action is Action.SKIP]


async def _watch(steering: Steering, stop: Stop) -> None:
    """Carry out what users wish; where that can't be recorded, everything ends."""
    try:
        await steering.watch()
    except StateError:
        stop.set()
        raise


async def _tick(reporter: Reporter) -> None:
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        reporter.tick()
