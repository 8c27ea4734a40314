"""One run in named steps: recover, decide, run the features, settle. It has no terminal."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from .. import __version__
from ..dag import incremental
from ..dag.resolver import DAGResolver
from ..git import commits
from ..git.door import Git
from ..git.refs import HEADS, RESULTS, STASH
from ..journal.control import Requests
from ..journal.recorder import Recorder
from ..model import events
from ..model.decision import Decision
from ..model.english import duration
from ..model.errors import ExitCode, StateError, UserError
from ..model.events import Event
from ..model.excerpt import some
from ..model.feature import Config
from ..model.fold import apply, fold
from ..model.frozen import dataclass, replace
from ..model.list_commands import BASE
from ..model.list_outline import outline_of
from ..model.outcome import Fault, FeatureOutcome, Stage, Status, Work
from ..model.provenance import Provenance
from ..model.state import FeatureState, RunState
from ..model.terminal_text import clean
from ..model.translate import N_
from ..process import temporary_folder
from ..process.awake import kept_awake
from ..process.cancellation import Cancellation
from ..process.signals import StopSignals
from ..process.spawner import run_sync
from ..process.supervisor import Killed, Supervisor, end_commands_on
from ..project import lists
from ..project.decisions import apply_skips, decide
from ..project.landed import ends_of_killed, killed_resolutions
from ..project.obstructions import reclaim_restored
from ..project.open import OpenProject
from ..project.past import forecast_of
from ..project.results import results_below
from ..project.retrying import retried
from ..project.running_list import RunningList
from ..project.selection import left_out, select
from ..runner.budget import OVER, Budget
from ..runner.checks import MakeChecks, make_checks
from ..runner.claude_runner import ClaudeRunner
from ..runner.context import RunContext
from ..runner.later_looks import LaterLooks
from ..runner.surroundings import Surroundings
from ..worktree.names import SPARE
from . import parts
from .backlog import Backlog
from .conflict_probe import ConflictProbe
from .list_watch import ListWatch
from .loop import Orchestrator
from .reloading import Followers, Reloading, Standpoint
from .run_options import RunOptions
from .steering import Steering

UNSAID_SECONDS = 1.0
LOOKS_SHARE = 0.1
LEAST_LOOKS_SECONDS = 30.0
MOST_LOOKS_SECONDS = 600.0
"""After the last feature, looks at start commits get a tenth of the time that the run took so far,
within these limits."""

STOPPING = N_("\nStopping, waiting for Claude to exit. Press Ctrl-C again to kill it.")


async def _nothing() -> None:
    """The default for ``beside``."""


@dataclass(frozen=True)
class Decided:
    """What a run would do: the result of :meth:`OneRun.decide`."""

    decisions: Mapping[str, Decision]
    selected: Sequence[str]
    left: Sequence[str]
    """Selected features that do not run because of a skip."""
    story: Sequence[Event]
    """Events to record before the first feature starts."""


@dataclass(frozen=True)
class RunResult:
    """The result of a run."""

    state: RunState
    exit_code: int
    heads: Mapping[str, str]
    """The branches after the last feature ended."""
    decided: Decided
    """What was decided about each feature, with the changes of the list that the run took up."""


class OneRun:
    """One run of a project, under its lock and with its journal open.

    ``listeners`` get each recorded event, ``say`` a line for the user. ``beside`` runs while
    features run, and is cancelled at the end.
    """

    def __init__(
        self,
        project: OpenProject,
        options: RunOptions,
        *,
        listeners: Sequence[Callable[[RunState, Event], None]] = (),
        say: Callable[[str], None] = lambda words: None,
        beside: Callable[[], Coroutine[object, object, None]] = _nothing,
        checks: MakeChecks = make_checks,
        resolver: parts.MakeResolver | None = None,
    ) -> None:
        self.resolver = resolver
        self.project = project
        self.outline = outline_of(project.config, project.mask)
        """Of the list that the run follows, with the features that were skipped."""
        self.options = options
        self.listeners = listeners
        self.say = say
        self.beside = beside
        self.make_checks = checks
        self.clock = time.time
        self.run_id = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.urandom(3).hex()}"
        self.state = RunState()
        self.deadline = float("inf")
        """By the monotonic clock."""
        self.forecast = forecast_of(project)
        self.budget = self._budget()
        self.companions: set[int] = set()
        """The pids of processes that were started for the run and go on until its report."""
        self._killed_runs: set[str] = set()
        self.signals: StopSignals
        self.supervisor: Supervisor | None = None
        """Once features run."""
        self.stop: Cancellation | None = None
        """Set when the run is asked to end; once features run."""
        self.has_new_list = False
        """Whether it took up a changed list."""
        self._has_failing_base = False
        self._heads: Mapping[str, str] = {}

    @property
    def slots(self) -> int:
        """How many features may run at once."""
        if self.options.sequential:
            return 1
        return self.options.max_parallel or self.project.config.project.max_parallel

    @property
    def left_usd(self) -> float | None:
        """What is left of the run's budget; ``None`` without one."""
        return None if self.budget.cap_usd is None else max(0.0, self.budget.left_usd)

    # -- before ---------------------------------------------------------------------------

    def recover(self) -> None:
        """End the features of a killed run: refs are the truth, the journal is the intent."""
        self.state = self.project.whole_state()
        last = self.state.run
        if last is not None and last.ended_at is None:
            # Also if an earlier recovery, which was killed, ended all of its features.
            self._killed_runs.add(last.id)
        self._killed_runs.update(attempt.run for _, attempt in killed_resolutions(self.state))
        self._killed_runs.update(filter(None, (self.state.merge,)))
        for known in self.state.features.values():
            if not known.status.active:
                continue
            self._killed_runs.add(known.run)
            name = known.result_name(known.run)
            commit = self.project.refs.get(f"{RESULTS}{known.id}/{name}")
            outcome = (
                run_sync(self._finished(known, commit))
                if commit
                else FeatureOutcome(Status.CANCELLED, N_("the run was killed"), Fault.INTERRUPTED)
            )
            self._record(events.ended(self.clock(), known.run, known.id, outcome))

    async def _finished(self, known: FeatureState, commit: str) -> FeatureOutcome:
        stat = await commits.diffstat(self.project.git, known.start_commit, commit)
        work = Work(commit, stat.files, stat.insertions, stat.deletions)
        return FeatureOutcome(Status.COMPLETED, work=work)

    def decide(self) -> Decided:
        """Decide about each feature. Raises :class:`UserError` if something is in the way."""
        again = self._retry()
        whole = fold(again, self.state)
        self.state = self.project.seen(whole)
        project = self.project = apply_skips(self.project, self.state)
        selection = self.options.selection
        decisions = decide(project, self.state, selection, run=self.run_id)
        selected = select(selection, project.dag, decisions)
        more = lists.check(project, whole, decisions, selected)
        self.state = reclaim_restored(project, project.seen(fold(more, whole)))
        left = left_out(selection, project.dag, decisions)
        return Decided(decisions, selected, left, [*again, *more])

    def _retry(self) -> list[Event]:
        """The events of the retry of features."""
        id, known = self.options.retried, self.state.feature
        if not id:
            return []
        made = retried(self.project, known(id), self.options.message, self.options.more_attempts)
        too = self.options.retried_too
        made += [event for other in too for event in retried(self.project, known(other))]
        return [*lists.takeovers(self.project, self.state, [id, *too]), *made]

    def results(self, decisions: Mapping[str, Decision], selected: Sequence[str]) -> dict[str, str]:
        """The commits of the dependencies that do not run.

        Raises :class:`UserError` if ``--no-deps`` excludes one without a result.
        """
        return results_below(self.project, self.state, decisions, selected, selected)

    def end_killed(self) -> None:
        """End what a killed run left behind, where no feature is left to run."""
        if self._killed_runs:
            asyncio.run(self._end_killed_alone())
        else:
            temporary_folder.clear()  # a run may be killed once it has recorded its end

    async def _end_killed_alone(self) -> None:
        async with Supervisor(self.run_id, self.companions) as supervisor:
            await self._end_killed(supervisor)
            worktrees = self.project.worktrees.using(self.project.git.using(supervisor))
            # What else it left needs a teardown: a command, which nobody agrees to here.
            await worktrees.clear_scratch([worktrees.scratch_path(SPARE)])

    # -- the run itself -------------------------------------------------------------------

    def run(
        self,
        config: Config,
        decided: Decided,
        results: Mapping[str, str],
        report: Callable[[RunResult], None] = lambda result: None,
    ) -> RunResult:
        """Run the selected features of ``config``, after the user's consent to its commands.

        ``report`` is called while signals are still ignored: a late one must not prevent the
        report.
        """
        for event in decided.story:
            self.project.journal.append(event)
        selected = decided.selected
        decisions = incremental.with_current_keys(
            decided.decisions, self.project.dag, self.state, selected
        )
        self.begin_time()
        try:
            return asyncio.run(
                self._session(config, replace(decided, decisions=decisions), results, report)
            )
        except StateError as error:
            error.exit_code = ExitCode.INCOMPLETE
            raise
        except Killed as error:
            heard = self.signals.received  # the second one
            error.exit_code = ExitCode(128 + heard) if heard else error.exit_code
            raise
        except FileNotFoundError as error:
            raise StateError(
                N_("{filename} was deleted during the run").format(filename=error.filename),
                hint=N_("run again: completed features stay completed"),
                exit_code=ExitCode.INCOMPLETE,
            ) from None

    def begin_time(self) -> None:
        """Start the time of ``--max-time``; it excludes the wait for the user's answer."""
        if self.options.max_time_seconds is not None:
            self.deadline = time.monotonic() + self.options.max_time_seconds

    async def _session(
        self,
        config: Config,
        decided: Decided,
        results: Mapping[str, str],
        report: Callable[[RunResult], None],
    ) -> RunResult:
        # The user has agreed: git may use the user's hooks, filters and drivers.
        project = self.project = self.project.writable()
        stop = self.stop = Cancellation()
        async with Supervisor(self.run_id, self.companions) as supervisor:
            self.supervisor = supervisor
            end_commands_on(stop)
            self.signals = StopSignals(
                stop, kill=supervisor.kill_all, stopping=lambda: self.say(STOPPING)
            )
            await self._end_killed(supervisor)
            orchestrator = self._orchestrator(decided, results, stop)
            runner = self._runner(config, supervisor, orchestrator)
            requests = Requests(project.journal.folder)
            requests.clear()
            orchestrator.recorder.emit(self._started(decided.selected))
            steering = Steering(orchestrator, requests, config.features, stop)
            probe = self._conflict_probe(supervisor, orchestrator, decided.decisions)
            followers = Followers(orchestrator, steering, runner, self.budget, probe)
            reloading = self._reloading(decided, followers)
            self._limit_time(orchestrator, supervisor)
            async with self._watched(steering, probe, stop), self._awake(supervisor):
                await self._run_features(supervisor, orchestrator, runner)
            steering.look()  # Requests from now on learn that it is too late.
        self.signals.ignore()
        decided = self._follow(decided, reloading.now)
        code = self._exit_code(orchestrator.state, decided)
        orchestrator.context.record(events.run_ended, exit_code=code)
        result = RunResult(orchestrator.state, code, self._heads, decided)
        report(result)
        return result

    async def _end_killed(self, supervisor: Supervisor) -> None:
        """End what a killed run or merge left: processes, if its guard was killed, and folders."""
        for run in self._killed_runs:
            await supervisor.end_run(run)
        if self.state.merge:
            self._record(events.merge_ended(self.clock(), self.state.merge))
        for event in ends_of_killed(self.state, self.clock()):
            self._record(event)
        temporary_folder.clear()

    def _orchestrator(
        self, decided: Decided, results: Mapping[str, str], stop: Cancellation
    ) -> Orchestrator:
        project = self.project
        dag = DAGResolver(project.dag.features[id] for id in decided.selected)
        rank = parts.rank_of(self.forecast.seconds, sequential=self.options.sequential)(dag)
        recorder = Recorder(project.journal, self.state, self.listeners)
        logs = os.path.join(project.journal.folder, "logs", self.run_id)
        return Orchestrator(
            dag,
            rank,
            self.slots,
            recorder,
            RunContext(self.run_id, logs, self.clock, recorder.emit, stop, self.deadline),
            base_commit=project.base_commit,
            decisions=decided.decisions,
            results=results,
            fail_fast=self.options.fail_fast,
            backlog=self._backlog(decided.decisions),
        )

    def _reloading(self, decided: Decided, followers: Followers) -> Reloading:
        """Let control requests, or a change of its files, change the list of the run."""
        config = self.project.config
        now = Standpoint(
            self.project,
            RunningList(self.run_id, config.path, self.options.selection, self.outline),
            self.forecast,
            decided.decisions,
            tuple(decided.selected),
            tuple(decided.left),
        )
        reloading = Reloading(now, followers, sequential=self.options.sequential)
        followers.steering.reload = reloading.decide
        reloading.remember()
        if config.project.reload:
            watch = ListWatch(reloading)
            followers.steering.look_at_list = watch.look
            followers.orchestrator.at_free_slot = watch.at_free_slot
        return reloading

    def _follow(self, decided: Decided, now: Standpoint) -> Decided:
        """What was decided in the end, after the changes of the list."""
        self.project, self.forecast = now.project, now.forecast
        self.has_new_list = now.running.outline is not self.outline
        return replace(decided, decisions=now.decisions, selected=now.selected, left=now.left)

    def _backlog(self, decisions: Mapping[str, Decision]) -> Backlog:
        project, options = self.project, self.options
        landed = [id for id, decision in decisions.items() if decision.merged]
        has_reader = options.has_reader or options.max_time_seconds is not None
        limit = project.config.project.max_unreviewed
        return Backlog(limit, tuple(project.dag.features), landed, has_reader)

    @asynccontextmanager
    async def _watched(
        self, steering: Steering, probe: ConflictProbe, stop: Cancellation
    ) -> AsyncIterator[None]:
        """Control requests, the conflict probe and the display, until the features have ended.

        Raises :class:`StateError` if the reply to a control request can't be recorded.
        """
        steered = asyncio.create_task(_watch(steering, stop))
        tasks = [steered, *map(asyncio.create_task, (probe.watch(), self.beside()))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not steered.cancelled():
            steered.result()

    def _awake(self, supervisor: Supervisor) -> AbstractAsyncContextManager[None]:
        is_wanted = self.project.config.project.keep_awake
        return kept_awake(supervisor, os.environ, self.say, is_wanted=is_wanted)

    async def _run_features(
        self, supervisor: Supervisor, orchestrator: Orchestrator, runner: ClaudeRunner
    ) -> None:
        git = self.project.git.using(supervisor)
        around = parts.surroundings(self.project, runner, supervisor, orchestrator)
        await git.pin_identity()
        await runner.preparation.clear()
        async with runner.worktrees.reusing():
            await self._run_checked(runner, orchestrator, around)
        await self._look_at_heads(git, orchestrator.context)

    async def _run_checked(
        self, runner: ClaudeRunner, orchestrator: Orchestrator, around: Surroundings
    ) -> None:
        """Check the base, run the features, and look at the start commits of some."""
        await self._check_base(runner, orchestrator)
        runner.seen = asyncio.ensure_future(around.begin())
        later, began = runner.tools.checks.later, time.monotonic()
        async with around.beside():
            try:
                async with later.beside(self.slots):
                    await orchestrator.run(
                        lambda job, turn: around.during(job.feature.id, runner.run(job, turn))
                    )
                    await self._finish(later, time.monotonic() - began)
            finally:
                await runner.seen
            await around.end()

    async def _finish(self, later: LaterLooks, seconds: float) -> None:
        """Give the looks at start commits some more time, after features that ran so long."""
        limit = min(max(LEAST_LOOKS_SECONDS, seconds * LOOKS_SHARE), MOST_LOOKS_SECONDS)
        await later.wait(UNSAID_SECONDS)
        if later.waiting and self.signals.received is None:
            words = N_("running the checks of {ids} at their start commits, for at most {time}")
            self.say(words.format(ids=some(later.waiting), time=duration(limit)))
        await later.finish(limit)

    def _runner(
        self, config: Config, supervisor: Supervisor, orchestrator: Orchestrator
    ) -> ClaudeRunner:
        return parts.claude_runner(
            self.project,
            config,
            supervisor,
            orchestrator,
            self.budget,
            self.state,
            max_wait_seconds=self.options.max_wait_seconds,
            checks=self.make_checks,
            resolver=self.resolver,
        )

    def _conflict_probe(
        self,
        supervisor: Supervisor,
        orchestrator: Orchestrator,
        decisions: Mapping[str, Decision],
    ) -> ConflictProbe:
        return ConflictProbe(
            self.project.git.using(supervisor),
            [id for id, made in decisions.items() if not made.merged],
            orchestrator.context,
            state=lambda: orchestrator.state,
        )

    def _limit_time(self, orchestrator: Orchestrator, supervisor: Supervisor) -> None:
        """At the end of ``--max-time``, start nothing more and end the running git commands."""
        if self.deadline < float("inf"):
            reason = f"{OVER}: " + N_("the time limit of the run (--max-time) was reached")
            loop, left = asyncio.get_running_loop(), self.deadline - time.monotonic()
            loop.call_later(left, orchestrator.slots.close, reason)
            loop.call_later(left, supervisor.end_commands)

    async def _check_base(self, runner: ClaudeRunner, orchestrator: Orchestrator) -> None:
        """Start nothing if the checks fail on the base: they would fail for every feature."""
        failure = await runner.tools.checks.check_base(self.project.base_commit)
        if failure is None or failure.interrupted:
            return
        self._has_failing_base = True
        name = self.project.config.project.base_branch
        if failure.is_ours:
            why = N_("{name} could not be checked: {what}").format(
                name=name, what=clean(failure.what)
            )
            self.say(why)
            orchestrator.slots.close(why)
            return
        self.say(
            N_("the checks already fail on {name}: {failure}").format(
                name=name, failure=clean(failure.reason)
            )
        )
        kind = "setup" if failure.stage is Stage.SETUP else "checks"
        self.say(N_("All of it: rorchestrator logs {base} --{kind}").format(base=BASE, kind=kind))
        why = N_("the checks already fail on {name}: {failure}")
        why = why.format(name=name, failure=failure.what)
        orchestrator.slots.close(f"{why}; " + N_("fix it, or set project.verify_base to false"))

    def _budget(self) -> Budget:
        cap = self.options.max_cost_usd or self.project.config.project.max_cost_usd
        return Budget(cap, parts.budget_estimates(self.project, self.forecast, cap))

    def _started(self, selected: Sequence[str]) -> Event:
        return events.run_started(
            self.clock(),
            self.run_id,
            pid=os.getpid(),
            base_branch=self.project.config.project.base_branch,
            base_commit=self.project.base_commit,
            features=selected,
            max_parallel=self.slots,
            base_option=self.project.base_option,
            owner=self.project.owner,
            provenance=self._provenance(selected),
        )

    def _provenance(self, selected: Sequence[str]) -> Provenance:
        """What the run starts with, and what is expected of it."""
        project = self.project
        dag = DAGResolver(project.dag.features[id] for id in selected)
        return replace(
            parts.expectations(dag, self.forecast, self.slots, selected),
            version=__version__,
            command=self.options.command,
            project=project.config.project.name,
            model=project.config.claude.model,
            max_cost_usd=self.budget.cap_usd,
        )

    def _record(self, event: Event) -> None:
        self.state = apply(self.state, self.project.journal.append(event))

    # -- after ----------------------------------------------------------------------------

    async def _look_at_heads(self, git: Git, context: RunContext) -> None:
        """Read the branches; note if the base branch or the stash changed."""
        name = self.project.config.project.base_branch
        try:
            self._heads = await git.refs(HEADS, STASH)
        except UserError as error:
            context.note(N_("the branches are unknown: {error}").format(error=error))
            return
        now, pinned = self._heads.get(HEADS + name, ""), self.project.base_commit
        if HEADS + name in self.project.refs and now != pinned:
            text = N_("{name} was deleted during the run, which started from {commit}")
            if now:
                text = N_("{name} moved to {now} during the run, which started from {commit}")
            context.note(text.format(name=name, now=now[:12], commit=pinned[:12]))
        if self._heads.get(STASH) != self.project.refs.get(STASH):
            text = N_(
                "the stash, which all worktrees share, changed during the run: see git stash list"
            )
            context.note(text)

    def _exit_code(self, state: RunState, decided: Decided) -> int:
        if self.signals.received is not None:
            return 128 + self.signals.received
        if self._has_failing_base:
            return ExitCode.CANNOT_START
        features = [state.feature(id) for id in decided.selected]
        completed = [feature.status is Status.COMPLETED for feature in features]
        if all(completed):
            return ExitCode.INCOMPLETE if decided.left else ExitCode.UP_TO_DATE
        faults = [
            attempt.outcome.fault
            for feature in features
            for attempt in feature.of_run(self.run_id)
            if attempt.outcome is not None
        ]
        if faults and all(fault.fatal for fault in faults) and not any(completed):
            return ExitCode.CANNOT_START
        return ExitCode.INCOMPLETE


async def _watch(steering: Steering, stop: Cancellation) -> None:
    """Carry out control requests; stop the run if one can't be recorded."""
    try:
        await steering.watch()
    except StateError:
        stop.set()
        raise
