"""`DependencyResolver` (`run --resolve`): conflicts between what a feature depends on.

They are resolved as those of a landing are, but in the slot and within the budget of the feature
that waits for them, so that a usage limit, a pause or a stop is met as by its other attempts.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping

from ..claude import reset_time
from ..dag.resolver import DAGResolver
from ..git import history
from ..model import events
from ..model.excerpt import some
from ..model.feature import Feature
from ..model.frozen import replace
from ..model.outcome import AttemptOutcome, Fault, Status
from ..model.state import RunState
from ..model.translate import N_
from ..process.cancellation import first_of
from ..runner.attempt import AttemptRunner, Session
from ..runner.claude_runner import Answer
from ..runner.context import RunContext
from ..runner.feature_run import Tools
from ..runner.job import Job
from ..runner.slots import Turn
from ..worktree.dependencies import Meeting
from .layers import Candidate, Resolution, Resolved
from .resolution import Resolver, options_for, resolution_message
from .stack import Conflict

LOGS = "resolutions"
"""The folder of the logs, beside those of the features' own attempts."""


RESOLVED = N_("Claude resolved {files}")

REUSED = N_("reused Claude's earlier resolution of {files}")

WHAT_IT_DID = N_("what Claude did: rorchestrator logs {id} --resolution")


class DependencyResolver:
    """Resolves the conflicts of one run, one after the other; each conflict is paid for once."""

    def __init__(self, tools: Tools, state: Callable[[], RunState]) -> None:
        self.tools = tools
        self.state = state
        self._failed: dict[tuple[str, str], tuple[Answer, set[str]]] = {}
        """By the trees of both sides: why Claude could not resolve it, and who knows that."""
        self._is_busy = False
        self._free = asyncio.Event()

    async def __call__(self, job: Job, turn: Turn, meeting: Meeting) -> Answer:
        """The commit with both sides, or why there is none.

        Raises :class:`~core.git.tampering.Tampered` if Claude or a check changed what git executes.
        """
        stop = self.tools.context.stop.of(job.feature.id)
        while self._is_busy and not stop.is_set():
            self._free.clear()
            await first_of(self._free, stop)
        if stop.is_set():
            return Answer(reason=N_("interrupted"), fault=Fault.INTERRUPTED)
        self._is_busy = True
        try:
            return await self._answer(job, turn, meeting)
        finally:
            self._is_busy = False
            self._free.set()

    async def _answer(self, job: Job, turn: Turn, meeting: Meeting) -> Answer:
        git = self.tools.worktrees.git
        key = (await git.tree_of(meeting.ours), await git.tree_of(meeting.theirs))
        known, askers = self._failed.get(key, (None, set[str]()))
        if known is not None and job.feature.id not in askers:
            askers.add(job.feature.id)
            return known  # One that knows it asks again because the user retries it.
        spent_usd = 0.0
        while True:
            answer = await self._try(job, turn, meeting)
            spent_usd += answer.cost_usd
            if answer.fault is not Fault.LIMIT:
                break  # After a usage limit, the next attempt waits for the reset.
        if not answer.commit and answer.fault is Fault.NONE:
            self._failed[key] = replace(answer, cost_usd=0.0), {job.feature.id}
        return replace(answer, cost_usd=spent_usd)

    async def _try(self, job: Job, turn: Turn, meeting: Meeting) -> Answer:
        tools, feature = self.tools, job.feature
        resolver = Resolver(
            tools.config,
            tools.worktrees,
            self._attempts(turn),
            tools.checks.in_slot(turn.number, turn.slot_count),
            tools.budget,
            tools.fingerprint,
            tools.context,
            into=tools.config.project.base_branch,
            present=(),
            numbers={feature.id: len(self.state().feature(feature.id).resolutions)},
            say=lambda words: tools.context.note(words, feature.id),
            needed_by=feature,
            share=turn.slot_count,
        )
        made = await resolver.resolve(self._conflict(job, meeting))
        if not made.commit:
            reason = made.reason
            if made.attempts:
                reason += "\n" + WHAT_IT_DID.format(id=feature.id)
            return Answer("", reason, resolver.fault, resolver.spent_usd)
        words = REUSED if made.ending is Resolved.KNOWN else RESOLVED
        tools.context.note(words.format(files=some(made.files)), feature.id)
        return Answer(await self._joined(meeting, made), cost_usd=resolver.spent_usd)

    async def _joined(self, meeting: Meeting, made: Resolution) -> str:
        """A commit of the resolution on both sides; an earlier one may have had others."""
        git, sides = self.tools.worktrees.git, (meeting.ours, meeting.theirs)
        *_, (_, parents) = await history.own_commits(git, made.commit, sides)
        if parents == sides:
            return made.commit
        message = resolution_message(meeting.files, meeting.other, made.session_id)
        return await git.commit_tree(await git.tree_of(made.commit), sides, message)

    def _attempts(self, turn: Turn) -> AttemptRunner:
        tools = self.tools
        context = replace(
            tools.context,
            emit=lambda event: tools.context.emit(events.of_resolution(event)),
            log_folder=os.path.join(tools.context.log_folder, LOGS),
        )
        return _InSlot(tools, context, turn)

    def _conflict(self, job: Job, meeting: Meeting) -> Conflict:
        """The conflict as a landing has it: the other feature is about to land on the rest."""
        ids = DAGResolver(self._listed().values()).ancestors(meeting.below)
        known = {id: self.state().feature(id).work for id in ids}
        below = tuple(
            self._candidate(id, job.results.get(id, work.commit))
            for id, work in known.items()
            if work
        )
        other = self._candidate(meeting.other, meeting.theirs)
        return Conflict(other, meeting.ours, meeting.ours, below, meeting.files)

    def _candidate(self, id: str, tip: str) -> Candidate:
        known, feature = self.state().feature(id), self._listed()[id]
        return Candidate(feature, known.run, tip, known.work_start, feature.depends_on)

    def _listed(self) -> dict[str, Feature]:
        """The features of the list as it is now."""
        return {each.id: each for each in self.tools.attempts.prompts.config.features}


class _InSlot(AttemptRunner):
    """Attempts in a slot of the run: they wait for the end of a pause and of a usage limit."""

    def __init__(self, tools: Tools, context: RunContext, turn: Turn) -> None:
        super().__init__(
            options_for(tools.config),
            tools.attempts.supervisor,
            context,
            answered=tools.attempts.answered,
            windows=tools.attempts.windows,
        )
        self._introduced = True  # The run's own attempts tell which Claude it is.
        self.tools = tools
        self.turn = turn

    async def run(
        self,
        feature: Feature,
        folder: str,
        number: int,
        session: Session,
        env: Mapping[str, str],
        max_cost_usd: float | None = None,
    ) -> AttemptOutcome:
        """As an attempt of the feature itself, which has the slot."""
        gate, stop = self.tools.gate, self.context.stop.of(feature.id)
        refused = await self.turn.until_resumed(stop) or await gate.wait(stop)
        if refused:
            fault = Fault.INTERRUPTED if stop.is_set() else Fault.BUDGET
            return AttemptOutcome(Status.CANCELLED, refused, fault)
        self.tools.guard.close()
        outcome = await super().run(feature, folder, number, session, env, max_cost_usd)
        if outcome.fault is Fault.LIMIT:
            gate.begin(
                outcome.resets_at or reset_time.resets_at(outcome.reason, self.context.clock())
            )
        else:
            gate.lift()
        return outcome
