"""Prove: runs recorded checks in clean checkouts of the recorded commits.

It believes git, and compares with the journal. Nothing is written into the journal.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence

from ..git import commits
from ..model.errors import UserError
from ..model.events import Event
from ..model.frozen import replace
from ..model.outcome import Status
from ..model.state import FeatureState, RunState
from ..model.translate import N_
from ..model.words import headed
from ..process import temporary_folder
from ..process.cancellation import Cancellation
from ..process.signals import StopSignals
from ..process.supervisor import Killed, Supervisor, end_commands_on
from ..project.open import OpenProject
from ..runner.check_runner import PASSED
from ..runner.checks import Checks, make_checks
from ..runner.context import RunContext
from ..runner.failure import Failure, unable
from ..runner.judge import holds
from ..runner.preparation import VARIABLES
from ..runner.setup_cache import without_cache
from ..worktree.names import CLEAN, feature_of
from ..worktree.worktree import Worktree
from .proof import Proof, ProvedCheck, ProvedFeature
from .recorded_checks import RecordedCheck, feature_now, recorded_checks


class Stopped(Exception):
    """A signal stopped it."""


def provable(state: RunState, ids: Sequence[str]) -> list[str]:
    """The features to prove: ``ids``, or all that are completed and have not landed."""
    if ids:
        return list(dict.fromkeys(ids))
    found = (known for known in state.features.values() if known.status is Status.COMPLETED)
    return [known.id for known in found if not _has_landed(known)]


def _has_landed(known: FeatureState) -> bool:
    return bool(known.merged_into) or any(each.is_over for each in known.landings.values())


class Prove:
    """One ``prove`` of the features ``ids``. It needs the lock, and a project that is writable."""

    def __init__(
        self,
        project: OpenProject,
        state: RunState,
        ids: Sequence[str],
        *,
        say: Callable[[str], None] = lambda words: None,
    ) -> None:
        self.project = project
        self.state = state
        self.ids = ids
        self.say = say
        self.run_id = f"prove-{time.strftime('%Y%m%dT%H%M%S')}-{os.urandom(3).hex()}"
        self.log_folder = os.path.join(project.journal.folder, "logs", self.run_id)
        self.stop: Cancellation
        self.signals: StopSignals
        """Both are made in the event loop that they belong to."""

    async def prove(self) -> Proof:
        """Prove one feature after the other. Raises :class:`Stopped`."""
        async with Supervisor(self.run_id) as supervisor:
            self.stop = Cancellation()
            self.signals = StopSignals(self.stop, kill=supervisor.kill_all)
            end_commands_on(self.stop)
            try:
                return await self._prove(supervisor)
            except Killed:
                raise Stopped from None
            finally:
                self.signals.ignore()

    async def _prove(self, supervisor: Supervisor) -> Proof:
        git = self.project.git.using(supervisor)
        worktrees = self.project.worktrees.using(git)
        await worktrees.clear_scratch(worktrees.left_scratch())
        temporary_folder.clear()
        context = RunContext(self.run_id, self.log_folder, time.time, self._hear, self.stop)
        found: list[ProvedFeature] = []
        for id in self.ids:
            # The checks of an earlier feature are not believed, so none has passed before.
            checks = make_checks(
                without_cache(self.project.config),
                worktrees,
                supervisor,
                context,
                RunState(wrote=self.state.wrote),
            )
            known = self.state.feature(id)
            found.append(await self._feature(checks, known))
            if self.stop.is_set():
                raise Stopped
        return Proof(found)

    def _hear(self, event: Event) -> None:
        """Tell notes, such as that of a teardown that failed; nothing is recorded."""
        if event.kind == "note":
            self.say(str(event.data.get("text", "")))

    async def _feature(self, checks: Checks, known: FeatureState) -> ProvedFeature:
        commit = known.work.commit if known.work is not None else ""
        tip = self.project.tip(known.id)
        made = ProvedFeature(known.id, commit, moved_to="" if tip in ("", commit) else tip)
        recorded = recorded_checks(known, self.project.config, self.project.mask)
        fault = await self._fault(checks, known, commit, recorded)
        if fault or not recorded:
            return replace(made, fault=fault)
        ended = await self._checks(checks, known, commit, recorded)
        return replace(made, checks=tuple(ended), log=self._log(known.id))

    async def _fault(
        self, checks: Checks, known: FeatureState, commit: str, recorded: Sequence[RecordedCheck]
    ) -> str:
        """Why there is nothing to compare."""
        if not commit:
            return N_("it has no result")
        if not await commits.existing(checks.worktrees.git, [commit]):
            return N_("the repository does not have its commit {commit}").format(commit=commit[:10])
        if not recorded and known.last_check is not None:
            return N_("the version that checked it recorded no verdicts")
        return ""

    async def _checks(
        self, checks: Checks, known: FeatureState, commit: str, recorded: Sequence[RecordedCheck]
    ) -> list[ProvedCheck]:
        """The checks of one feature: those of its files, then commands in a clean checkout."""
        ended = {each: await self._holds(checks, each, commit) for each in recorded}
        commands = [each for each in recorded if each.command is not None]
        if commands:
            try:
                ended.update(await self._commands(checks, known, commit, commands))
            except UserError as error:
                failure = unable(error)
                self._check_stop(failure)
                ended.update({each: _not_run(each, failure.what) for each in commands})
        return [ended[each] for each in recorded]

    async def _holds(self, checks: Checks, recorded: RecordedCheck, commit: str) -> ProvedCheck:
        """A contract about files; a command is not run yet."""
        if recorded.contract is None:
            return _not_run(recorded, N_("its command is masked in the journal"))
        failure = await holds(checks.worktrees.git, recorded.contract, commit)
        ending = PASSED if failure is None else failure.cause
        return ProvedCheck(recorded.verdict, failure is None, ending)

    async def _commands(
        self, checks: Checks, known: FeatureState, commit: str, recorded: Sequence[RecordedCheck]
    ) -> dict[RecordedCheck, ProvedCheck]:
        preparation = checks.preparation
        feature = feature_now(known.id, known, self.project.config)
        async with preparation.scratch(CLEAN + known.id, commit) as scratch:
            worktree = replace(scratch, base_commit=known.base_commit)
            env = preparation.environment(known.id, 0, 1)
            env[f"{VARIABLES}FEATURE"] = worktree.feature
            failure = await preparation.make_scratch_ready(feature, worktree, env)
            if failure is not None:
                self._check_stop(failure)
                return {each: _not_run(each, failure.what) for each in recorded}
            return {
                each: await self._command(checks, worktree, commit, env, each) for each in recorded
            }

    async def _command(
        self,
        checks: Checks,
        worktree: Worktree,
        commit: str,
        env: Mapping[str, str],
        recorded: RecordedCheck,
    ) -> ProvedCheck:
        """Run a check; if it is to pass and fails, once more."""
        assert recorded.command is not None
        verdict = recorded.verdict
        self.say(headed(feature_of(worktree.feature), verdict.check))
        (result,) = await checks.runner.results(
            *(worktree.feature, [recorded.command], worktree, commit, env),
            clean=True,
            repeats=verdict.verdict.passes,
        )
        if result.failure is not None:
            self._check_stop(result.failure)
        return ProvedCheck(verdict, result.failure is None, result.ending, result.is_flaky)

    def _check_stop(self, failure: Failure) -> None:
        if failure.interrupted or self.stop.is_set():
            raise Stopped

    def _log(self, id: str) -> str:
        path = os.path.join(self.log_folder, f"{CLEAN}{id}.verify.log")
        return path if os.path.exists(path) else ""


def _not_run(recorded: RecordedCheck, why: str) -> ProvedCheck:
    return ProvedCheck(recorded.verdict, None, why)
