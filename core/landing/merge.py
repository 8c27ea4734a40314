"""Merge: lands completed features on a branch, from the stack and its checks to the move."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections.abc import Awaitable, Callable

from ..git.refs import HEADS, branch_name
from ..git.tampering import take_fingerprint
from ..journal.control import Requests
from ..journal.recorder import Recorder
from ..model import events
from ..model.control_action import ControlAction
from ..model.did_you_mean import did_you_mean
from ..model.errors import ExitCode, UserError
from ..model.events import Event
from ..model.excerpt import some
from ..model.feature import Feature
from ..model.frozen import replace
from ..model.phase import MERGE
from ..model.translate import N_
from ..process import temporary_folder
from ..process.cancellation import Cancellation
from ..process.signals import StopSignals
from ..process.spawner import run_sync
from ..process.supervisor import Killed, Supervisor, end_commands_on
from ..project.claude_program import with_program
from ..project.decisions import apply_skips
from ..project.landed import ends_of_killed, killed_resolutions, landing_fault
from ..project.open import OpenProject
from ..runner.attempt import AttemptRunner
from ..runner.budget import Budget
from ..runner.checks import Checks, MakeChecks, make_checks
from ..runner.context import RunContext
from ..runner.failure import Failure
from . import undoing
from .candidates import Candidates, OwnCheck
from .layers import Candidate, Layer, Resolution, Stack
from .report import Ending, LandingState, MergeOptions, MergeReport
from .resolution import Resolver, options_for, preview
from .stack import Conflict, Resolve, Stacker
from .target_branch import Interrupted, TargetBranch

POLL_SECONDS = 0.2
"""Interval of looking for control requests."""

Check = Callable[[str], Awaitable[str]]

NOTHING_MOVED = N_("nothing was landed")

LATE = N_("the time limit of the run (--max-time) was reached")


class Stopped(Exception):
    """The merge was stopped by a signal, a request or the time limit; says what was landed."""


class Merge:
    """One ``merge``."""

    def __init__(
        self,
        project: OpenProject,
        options: MergeOptions,
        *,
        say: Callable[[str], None] = lambda words: None,
        deadline: float = float("inf"),
        checks: MakeChecks = make_checks,
    ) -> None:
        self.whole = project.whole_state()
        self.state = project.seen(self.whole)
        self.project = apply_skips(project, self.state)
        self._emit = Recorder(project.journal, self.whole).emit
        self.options = options
        self.say = say
        self.clock = time.time
        self.run_id = f"{MERGE}{time.strftime('%Y%m%dT%H%M%S')}-{os.urandom(3).hex()}"
        self.deadline = deadline
        self.stop: Cancellation
        self.signals: StopSignals
        self.context: RunContext
        """All three are made in the event loop that they belong to."""
        self.is_over = False
        """Whether it is too late to stop, because the branch has moved."""
        self.endings: dict[str, Ending] = {}
        self.present: list[Candidate] = []
        """Features that are already on the branch, if their start commit is known."""
        self.resolutions: dict[str, Resolution] = {}
        self.older: dict[str, tuple[str, ...]] = {}
        """By feature that could land: the dependencies of which it is built on an older result."""
        self.own_check: OwnCheck = _not_checked
        self.checks: Checks | None = None
        """Once features are checked."""
        self.make_checks = checks
        fault = "" if options.into else landing_fault(project)
        if fault:
            raise UserError(
                N_("merge has no branch to land on: {fault}").format(fault=fault),
                hint="rorchestrator merge --into BRANCH",
            )
        name = branch_name(options.into or project.config.project.base_branch, project.refs)
        if HEADS + name not in project.refs:
            local = [ref.removeprefix(HEADS) for ref in project.refs if ref.startswith(HEADS)]
            raise UserError(
                N_("there is no local branch {name!r} to land on{guess}").format(
                    name=name, guess=did_you_mean(name, local)
                ),
                hint=N_("git branch NAME {name}, then --into NAME").format(name=shlex.quote(name))
                if run_sync(project.git.commit_of(name))
                else N_("git branch {name}, or correct --into").format(name=shlex.quote(name)),
            )
        self.target = TargetBranch(project.git, name, project.refs[HEADS + name])

    async def preview(self) -> MergeReport:
        """What would land; finds conflicts, but runs no checks."""
        resolve = self._preview if self.options.resolve else None
        return self._report(await self._stack(_unchecked, resolve), LandingState.WOULD_LAND)

    async def _preview(self, conflict: Conflict) -> Resolution:
        return self._noted(
            conflict, await preview(self.project.worktrees, self.target.name, conflict)
        )

    def _noted(self, conflict: Conflict, resolution: Resolution) -> Resolution:
        self.resolutions[conflict.candidate.id] = resolution
        return resolution

    async def land(self) -> MergeReport:
        """Stack the features, check them, move the branch."""
        if self.options.resolve:
            self.project = replace(self.project, config=with_program(self.project.config))
        try:
            async with Supervisor(self.run_id) as supervisor:
                return await self._until_stopped(supervisor)
        finally:
            self._emit(events.merge_ended(self.clock(), self.run_id))

    async def _until_stopped(self, supervisor: Supervisor) -> MergeReport:
        """Land, unless stopped. Raises :class:`Stopped`."""
        # Made here: up to Python 3.9 it belongs to the event loop of its creation.
        self.stop = Cancellation()
        self.context = RunContext(
            self.run_id, self._log_folder, self.clock, self._emit, self.stop, self.deadline
        )
        self.signals = StopSignals(self.stop, kill=supervisor.kill_all)
        end_commands_on(self.stop)
        requests = asyncio.create_task(self._watch_requests())
        if self.deadline < float("inf"):
            seconds = max(0.0, self.deadline - time.monotonic())
            asyncio.get_running_loop().call_later(seconds, self.stop.set)
        try:
            return await self._land(supervisor)
        except (Killed, Stopped, Interrupted) as error:
            kept = error.message if isinstance(error, Interrupted) else NOTHING_MOVED
            raise Stopped(f"{LATE}, {kept}" if self._is_late() else kept) from None
        finally:
            self._end()
            requests.cancel()
            await asyncio.gather(requests, return_exceptions=True)
            self._answer_requests()

    def _end(self) -> None:
        """Ignore signals and requests from now on: it is too late to stop."""
        self.is_over = True
        self.signals.ignore()

    def _is_late(self) -> bool:
        return time.monotonic() >= self.deadline

    async def _watch_requests(self) -> None:
        while True:
            self._answer_requests()
            await asyncio.sleep(POLL_SECONDS)

    def _answer_requests(self) -> None:
        """Reply to control requests: a merge can only be stopped, as a whole."""
        for request in Requests(self.project.journal.folder).take(self.run_id):
            done = request.action is ControlAction.STOP and not request.feature and not self.is_over
            text = N_("the merge is over") if self.is_over else N_("a merge can only be stopped")
            text = N_("stopping: nothing is landed") if done else text
            self.context.record(
                events.steered,
                "",
                action=request.action,
                request=request.id,
                done=done,
                text=text,
                hint="" if done or self.is_over else "rorchestrator stop",
            )
            if done:
                self.stop.set()

    async def _land(self, supervisor: Supervisor) -> MergeReport:
        stop = self.stop
        git = self.project.git.using(supervisor)
        self.project = self.project.using(git)
        self.target.git = git
        await self._end_killed(supervisor)
        await self.project.worktrees.clear_scratch(self.project.worktrees.left_scratch())
        temporary_folder.clear()
        self._emit(self._started())
        for event in await undoing.settled(self.target, self.whole, self.clock):
            self._emit(event)
        if await self.target.finish_move(self._tips()):
            self.say(N_("{name}: finished an interrupted move").format(name=self.target.name))
        project = self.project
        checks = self.checks = self.make_checks(
            project.config, project.worktrees, supervisor, self.context, self.state
        )
        resolve = None
        if self.options.resolve:
            resolve = await self._resolver(supervisor, stop, checks)
        self.own_check = self._own_checker(checks)
        stack = await self._stack(self._checker(checks), resolve)
        if stop.is_set():
            raise Stopped
        await self._move(stack)
        for words in await self.target.submodules_behind(stack.base, stack.tip):
            self.say(words)
        return self._report(stack, LandingState.LANDED)

    def _started(self) -> Event:
        into, owner = self.target.name, self.project.owner
        return events.merge_started(self.clock(), self.run_id, into=into, owner=owner)

    def _tips(self) -> list[str]:
        """The commits that killed merges were moving the branch to."""
        landings = [known.landings.get(self.target.name) for known in self.whole.features.values()]
        begun = (landing for landing in landings if landing and not landing.is_over)
        return list(dict.fromkeys(landing.tip for landing in begun))

    # -- the stack ------------------------------------------------------------------------------

    async def _stack(self, check: Check, resolve: Resolve | None) -> Stack:
        finder = Candidates(
            self.project, self.options, self.state, self.target, self.present, self.own_check
        )
        self.endings = finder.endings
        candidates, held = await finder.find()
        self.older = {
            each.id: finder.older[each.id] for each in candidates if each.id in finder.older
        }
        if candidates:  # before the checks, which can take long
            await self.target.check(await finder.touched(candidates))
        stacker = Stacker(
            self.project.worktrees,
            self.target.name,
            self.target.commit,
            candidates,
            strategy=self.options.strategy,
            check=check,
            resolve=resolve,
        )
        stack = await stacker.passing(held)
        for layer in stack.layers:
            if layer.commit in stacker.reused:
                self.resolutions[layer.candidate.id] = stacker.reused[layer.commit]
        return stack

    # -- checks ---------------------------------------------------------------------------------

    @property
    def _log_folder(self) -> str:
        return os.path.join(self.project.journal.folder, "logs", self.run_id)

    def _checker(self, checks: Checks) -> Check:
        async def check(commit: str) -> str:
            if not await checks.have_passed(commit):
                self.say(
                    N_("checking {commit} before {name} moves to it").format(
                        commit=commit[:10], name=self.target.name
                    )
                )
            return self._reason(await checks.check_merged(commit, self.target.name))

        return check

    def _own_checker(self, checks: Checks) -> OwnCheck:
        async def check(feature: Feature, commit: str) -> str:
            self.say(
                N_("checking {commit}, the current commit of {id}").format(
                    commit=commit[:10], id=feature.id
                )
            )
            return self._reason(await checks.check_sides(commit, self.target.name, [feature]))

        return check

    def _reason(self, failure: Failure | None) -> str:
        """The reason of a failed check, or "". Raises :class:`Stopped` if it was interrupted."""
        if self.stop.is_set() or (failure is not None and failure.interrupted):
            raise Stopped
        return failure.reason if failure else ""

    # -- conflicts ------------------------------------------------------------------------------

    async def _resolver(
        self, supervisor: Supervisor, stop: Cancellation, checks: Checks
    ) -> Resolve:
        config = self.project.config
        of_resolution = replace(
            self.context, emit=lambda event: self._emit(events.of_resolution(event))
        )
        attempts = AttemptRunner(options_for(config), supervisor, of_resolution)
        known = self.state.features.items()
        resolver = Resolver(
            config,
            self.project.worktrees,
            attempts,
            checks,
            Budget(self.options.max_cost_usd, {}),
            await take_fingerprint(self.project.git),
            self.context,
            into=self.target.name,
            present=self.present,
            numbers={id: len(feature.resolutions) for id, feature in known},
            say=self.say,
        )

        async def resolve(conflict: Conflict) -> Resolution:
            resolution = await resolver.resolve(conflict)
            if stop.is_set():
                raise Stopped
            return self._noted(conflict, resolution)

        return resolve

    async def _end_killed(self, supervisor: Supervisor) -> None:
        """End and record what a killed ``merge`` left behind."""
        if self.state.merge:
            await supervisor.end_run(self.state.merge)
            self._emit(events.merge_ended(self.clock(), self.state.merge))
        for _, attempt in killed_resolutions(self.whole):
            await supervisor.end_run(attempt.run)
        for event in ends_of_killed(self.whole, self.clock()):
            self._emit(event)

    # -- the landing ------------------------------------------------------------------------

    async def _move(self, stack: Stack) -> None:
        """Move the branch. Recorded before, so that a kill in between loses nothing."""
        await self._check_branches(stack)
        for layer in stack.layers:
            self._record_landing(layer, stack)
        if stack.tip != stack.base:
            await self.target.move(stack.tip)
        self._end()
        for layer in stack.layers:
            self.context.record(
                events.merged,
                layer.candidate.id,
                into=self.target.name,
                commit=layer.commit,
                strategy=layer.strategy,
            )

    async def _check_branches(self, stack: Stack) -> None:
        """Raise if a feature's branch has moved since it was checked."""
        refs = await self.project.git.refs(HEADS)
        for layer in stack.layers:
            branch = self.endings[layer.candidate.id].branch
            if refs.get(HEADS + branch) != self.project.refs.get(HEADS + branch):
                raise UserError(
                    N_("{name} moved in the meantime; nothing was landed").format(name=branch),
                    hint=N_("try again; the merge starts from the branch's current commit"),
                    exit_code=ExitCode.INCOMPLETE,
                )

    def _record_landing(self, layer: Layer, stack: Stack) -> None:
        self.context.record(
            events.landing,
            layer.candidate.id,
            into=self.target.name,
            commit=layer.commit,
            result=layer.candidate.tip,
            strategy=layer.strategy,
            tip=stack.tip,
            moved_from=stack.base,
        )

    def _report(self, stack: Stack, landed: LandingState) -> MergeReport:
        into = self.target.name
        for layer in stack.layers:
            ending = self.endings[layer.candidate.id]
            ending.state, ending.commit = landed, layer.commit
            if layer.strategy != self.options.strategy:
                start = layer.candidate.start_commit[:10]
                ending.reason = N_(
                    "only its own commits: its start commit {start} is not on {into}"
                ).format(start=start, into=into)
        for id, held in stack.held.items():
            ending = self.endings[id]
            ending.state = LandingState.UNKNOWN if held.is_unknown else LandingState.HELD
            ending.reason = held.reason
            if self._met_a_newer_one(id, stack):
                ending.reason = self._built_on_older(id, held.reason)
            ending.conflict_with, ending.files = held.conflict_with, held.files
        for id, resolution in self.resolutions.items():
            self.endings[id].resolution = resolution
        return MergeReport(
            into,
            self.options.strategy,
            stack.base,
            stack.tip,
            tuple(self.endings.values()),
            tuple(self.checks.failing_alone) if self.checks is not None else (),
        )

    def _met_a_newer_one(self, id: str, stack: Stack) -> bool:
        """Whether a feature is held though all that it depends on is there, some of it newer."""
        needs = self.project.dag.features[id].depends_on
        is_alone = not stack.held[id].is_unknown and stack.held.keys().isdisjoint(needs)
        return id in self.older and is_alone

    def _built_on_older(self, id: str, reason: str) -> str:
        """Why a feature is held that is built on an older result of a dependency."""
        first, *rest = reason.splitlines()
        text = N_("{why}; it is built on an older {ids}: rorchestrator run --fresh={id}").format(
            why=first, ids=some(self.older[id]), id=id
        )
        return "\n".join((text, *rest))


async def _unchecked(commit: str) -> str:
    return ""


async def _not_checked(feature: Feature, commit: str) -> str:
    return ""
