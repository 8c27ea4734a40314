"""Lands finished features on a branch: the stack, its checks, the move, and what was held."""

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
from ..model.feature import Feature
from ..model.frozen import replace
from ..model.outcome import AttemptOutcome, Fault, Status
from ..process import temporary_folder
from ..process.cancellation import Cancellation
from ..process.signals import StopSignals
from ..process.spawner import run_sync
from ..process.supervisor import Killed, Supervisor, end_commands_on
from ..project.claude_program import with_program
from ..project.decisions import as_steered
from ..project.landed import killed_resolutions, landing_fault
from ..project.open import OpenProject
from ..runner.attempt import AttemptRunner
from ..runner.budget import Budget
from ..runner.checks import Checks, MakeChecks, make_checks
from ..runner.context import RunContext
from ..runner.failure import Failure
from .candidates import Candidates, OwnCheck
from .report import Ending, LandingState, MergeReport, Wanted
from .resolution import Resolver, foresee, options_for
from .stack import (
    Candidate,
    Clash,
    Layer,
    Resolution,
    Resolve,
    Stack,
    Stacker,
)
from .target_branch import Interrupted, TargetBranch

POLL_SECONDS = 0.2
"""How often is looked whether another terminal asks for something."""


Check = Callable[[str], Awaitable[str]]


NOTHING_MOVED = "nothing was moved"


LATE = "the time of the run (--max-time) is over"


class Stopped(Exception):
    """A signal, another terminal or the clock asked us to end; what came of it."""


class Merge:
    """One ``merge``."""

    def __init__(
        self,
        project: OpenProject,
        wanted: Wanted,
        *,
        say: Callable[[str], None] = lambda words: None,
        deadline: float = float("inf"),
        checks: MakeChecks = make_checks,
    ) -> None:
        self.whole = project.whole_state()
        self.state = project.seen(self.whole)
        self.project = as_steered(project, self.state)
        self._emit = Recorder(project.journal, self.whole).emit
        self.wanted = wanted
        self.say = say
        self.clock = time.time
        self.run_id = f"merge-{time.strftime('%Y%m%dT%H%M%S')}-{os.urandom(3).hex()}"
        self.deadline = deadline
        self.stop: Cancellation
        self.signals: StopSignals
        self.context: RunContext
        """All three are made in the event loop that they belong to."""
        self.is_over = False
        """Whether the branch has moved, so that it is too late to stop."""
        self.endings: dict[str, Ending] = {}
        self.present: list[Candidate] = []
        """What the branch has already, as far as it is known what that is."""
        self.resolutions: dict[str, Resolution] = {}
        self.own_check: OwnCheck = _not_checked
        self.make_checks = checks
        fault = "" if wanted.into else landing_fault(project)
        if fault:
            raise UserError(
                f"merge needs the branch to land on: {fault}",
                hint="rorchestrator merge --into BRANCH",
            )
        name = branch_name(wanted.into or project.config.project.base_branch, project.refs)
        if HEADS + name not in project.refs:
            local = [ref.removeprefix(HEADS) for ref in project.refs if ref.startswith(HEADS)]
            raise UserError(
                f"there is no local branch {name!r} to land on{did_you_mean(name, local)}",
                hint=f"git branch NAME {shlex.quote(name)}, then --into NAME"
                if run_sync(project.git.commit_of(name))
                else f"git branch {shlex.quote(name)}, or correct --into",
            )
        self.target = TargetBranch(project.git, name, project.refs[HEADS + name])

    async def look(self) -> MergeReport:
        """What would land; conflicts are found, checks are not run."""
        resolve = self._foresee if self.wanted.resolve else None
        return self._report(await self._stack(_unchecked, resolve), LandingState.WOULD_LAND)

    async def _foresee(self, clash: Clash) -> Resolution:
        return self._noted(clash, await foresee(self.project.worktrees, self.target.name, clash))

    def _noted(self, clash: Clash, resolution: Resolution) -> Resolution:
        self.resolutions[clash.candidate.id] = resolution
        return resolution

    async def land(self) -> MergeReport:
        """Make the stack, check it, move the branch."""
        if self.wanted.resolve:
            self.project = replace(self.project, config=with_program(self.project.config))
        try:
            async with Supervisor(self.run_id) as supervisor:
                return await self._until_stopped(supervisor)
        finally:
            self._emit(events.merge_ended(self.clock(), self.run_id))

    async def _until_stopped(self, supervisor: Supervisor) -> MergeReport:
        """Land, unless somebody stops that. Raises :class:`Stopped`."""
        # Made here: up to Python 3.9 it belongs to the event loop that sees it made.
        self.stop = Cancellation()
        self.context = RunContext(
            self.run_id, self._log_folder, self.clock, self._emit, self.stop, self.deadline
        )
        self.signals = StopSignals(self.stop, kill=supervisor.kill_all)
        end_commands_on(self.stop)
        wishes = asyncio.create_task(self._watch_wishes())
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
            wishes.cancel()
            await asyncio.gather(wishes, return_exceptions=True)
            self._answer_wishes()

    def _end(self) -> None:
        """From now on it is too late to stop."""
        self.is_over = True
        self.signals.ignore()

    def _is_late(self) -> bool:
        return time.monotonic() >= self.deadline

    async def _watch_wishes(self) -> None:
        while True:
            self._answer_wishes()
            await asyncio.sleep(POLL_SECONDS)

    def _answer_wishes(self) -> None:
        """Answer what other terminals ask of this landing: it can only be stopped, as a whole."""
        for request in Requests(self.project.journal.folder).take(self.run_id):
            done = request.action is ControlAction.STOP and not request.feature and not self.is_over
            going_on = "stopping: nothing lands" if done else "features are being landed"
            text = "the landing is over" if self.is_over else going_on
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
        self.project = replace(self.project, git=git, worktrees=self.project.worktrees.using(git))
        self.target.git = git
        await self._settle_killed(supervisor)
        await self.project.worktrees.clear_scratch(self.project.worktrees.left_scratch())
        temporary_folder.clear()
        self._emit(self._started())
        if await self.target.settle(self._tips()):
            self.say(f"{self.target.name}: finished the move that was cut short")
        project = self.project
        checks = self.make_checks(
            project.config, project.worktrees, supervisor, self.context, self.state
        )
        resolve = None
        if self.wanted.resolve:
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
        """Where the branch was to go when a ``merge`` was killed."""
        landings = [known.landings.get(self.target.name) for known in self.whole.features.values()]
        begun = (landing for landing in landings if landing and not landing.is_over)
        return list(dict.fromkeys(landing.tip for landing in begun))

    # -- what is to land --------------------------------------------------------------------

    async def _stack(self, check: Check, resolve: Resolve | None) -> Stack:
        finder = Candidates(
            self.project, self.wanted, self.state, self.target, self.present, self.own_check
        )
        self.endings = finder.endings
        candidates, held = await finder.find()
        if candidates:  # refused now, because checks can take long
            await self.target.check(await finder.touched(candidates))
        stacker = Stacker(
            self.project.worktrees,
            self.target.name,
            self.target.commit,
            candidates,
            strategy=self.wanted.strategy,
            # Where Claude is only foreseen, what comes after it is to be seen as well.
            keep_going=self.wanted.keep_going or resolve == self._foresee,
            check=check,
            resolve=resolve,
        )
        return await stacker.green(held)

    # -- whether it may ---------------------------------------------------------------------

    @property
    def _log_folder(self) -> str:
        return os.path.join(self.project.journal.folder, "logs", self.run_id)

    def _checker(self, checks: Checks) -> Check:
        async def check(commit: str) -> str:
            if not await checks.have_passed(commit):
                self.say(f"checking {commit[:10]} before it becomes {self.target.name}")
            return self._reason(await checks.check_merged(commit, self.target.name))

        return check

    def _own_checker(self, checks: Checks) -> OwnCheck:
        async def check(feature: Feature, commit: str) -> str:
            self.say(f"checking {commit[:10]}, which {feature.id} is now")
            return self._reason(await checks.check_sides(commit, self.target.name, [feature]))

        return check

    def _reason(self, red: Failure | None) -> str:
        """The reason of a failed check, or "". Raises :class:`Stopped` if it was interrupted."""
        if self.stop.is_set() or (red is not None and red.interrupted):
            raise Stopped
        return red.reason if red else ""

    # -- where it does not merge ------------------------------------------------------------

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
            Budget(self.wanted.max_cost_usd, {}),
            await take_fingerprint(self.project.git),
            self.context,
            into=self.target.name,
            present=self.present,
            numbers={id: len(feature.resolutions) for id, feature in known},
            say=self.say,
        )

        async def resolve(clash: Clash) -> Resolution:
            resolution = await resolver.resolve(clash)
            if stop.is_set():
                raise Stopped
            return self._noted(clash, resolution)

        return resolve

    async def _settle_killed(self, supervisor: Supervisor) -> None:
        """End, and put on record, what a killed ``merge`` left."""
        if self.state.merge:
            await supervisor.end_run(self.state.merge)
            self._emit(events.merge_ended(self.clock(), self.state.merge))
        killed = AttemptOutcome(Status.CANCELLED, "the merge was killed", Fault.INTERRUPTED)
        for id, attempt in killed_resolutions(self.whole):
            await supervisor.end_run(attempt.run)
            event = events.attempt_ended(self.clock(), attempt.run, id, killed)
            self._emit(events.of_resolution(event))

    # -- the landing ------------------------------------------------------------------------

    async def _move(self, stack: Stack) -> None:
        """Move the branch. The journal says it before, so that a kill in between loses nothing."""
        await self._check_branches(stack)
        for layer in stack.layers:
            self._record_landing(layer, stack.tip)
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
        """Raise where the branch of a feature is no longer what was looked at and checked."""
        refs = await self.project.git.refs(HEADS)
        for layer in stack.layers:
            branch = self.endings[layer.candidate.id].branch
            if refs.get(HEADS + branch) != self.project.refs.get(HEADS + branch):
                raise UserError(
                    f"{branch} moved in the meantime; nothing was landed",
                    hint="type it again: it starts from what the branch holds now",
                    exit_code=ExitCode.INCOMPLETE,
                )

    def _record_landing(self, layer: Layer, tip: str) -> None:
        self.context.record(
            events.landing,
            layer.candidate.id,
            into=self.target.name,
            commit=layer.commit,
            result=layer.candidate.tip,
            strategy=layer.strategy,
            tip=tip,
        )

    def _report(self, stack: Stack, landed: LandingState) -> MergeReport:
        into = self.target.name
        for layer in stack.layers:
            ending = self.endings[layer.candidate.id]
            ending.state, ending.commit = landed, layer.commit
            if layer.strategy != self.wanted.strategy:
                start = layer.candidate.start_commit[:10]
                ending.reason = f"only its own commits: {start}, where it began, is not on {into}"
        for id, held in stack.held.items():
            ending = self.endings[id]
            ending.state = LandingState.UNKNOWN if held.is_unknown else LandingState.HELD
            ending.reason = held.reason
            ending.conflict_with, ending.files = held.conflict_with, held.files
        for id, resolution in self.resolutions.items():
            self.endings[id].resolution = resolution
        return MergeReport(
            into,
            self.wanted.strategy,
            stack.base,
            stack.tip,
            tuple(self.endings.values()),
        )


async def _unchecked(commit: str) -> str:
    return ""


async def _not_checked(feature: Feature, commit: str) -> str:
    return ""
