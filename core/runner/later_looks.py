"""`LaterLooks`: the look of completed features at their start commit, outside of the slots."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from ..git.tampering import Tampered
from ..model import events_review
from ..model.check_verdict import CheckVerdict, verdict_of
from ..model.errors import UserError
from ..model.feature import Feature
from ..model.frozen import dataclass, replace
from ..model.testing_tools import tool_call
from ..model.translate import N_
from ..worktree.names import START
from ..worktree.worktree import Worktree
from .added_tests import AddedTests
from .context import RunContext
from .failure import unable
from .judge import Check, Judgement
from .preparation import Preparation
from .start_looks import Before, Start, StartLooks

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class _Later:
    """The checks of a completed feature that passed, and have not run at its start commit."""

    feature: Feature
    start: Start
    unseen: Sequence[tuple[Check, CheckVerdict]]
    testing: Sequence[tuple[Check, CheckVerdict]]
    """The checks that passed and start a testing tool."""
    commit: str
    """What passed them."""


class LaterLooks:
    """Looks at start commits, one at a time, while other features run.

    What a kill, a stop or the end of the run leaves out stays *not looked at*.
    """

    def __init__(self, looks: StartLooks, preparation: Preparation, context: RunContext) -> None:
        self.looks = looks
        self.preparation = preparation
        self.context = context
        limit_seconds = preparation.config.project.verify_timeout_seconds
        self.added = AddedTests(
            preparation.worktrees, preparation.steps, limit_seconds=limit_seconds
        )
        self._waiting: dict[str, _Later] = {}
        """By feature, the one that is being looked at included."""
        self._more: asyncio.Event | None = None

    def add(self, feature: Feature, worktree: Worktree, judged: Judgement) -> None:
        """Queue a look at the own checks of a completed feature, and at the tests that it added."""
        testing = [each for each in judged.passing if tool_call(each[0].command) is not None]
        if judged.unseen or testing:
            start = Start(worktree.start_commit, worktree.base_commit or worktree.start_commit)
            commit = judged.passing[0][1].commit
            later = _Later(feature, start, judged.unseen, testing, commit)
            self._waiting[feature.id] = later
            if self._more is not None:
                self._more.set()

    def forget(self, id: str) -> None:
        """A feature runs again: what it came to before does not count."""
        self._waiting.pop(id, None)

    @property
    def waiting(self) -> list[str]:
        """The features whose look is not over."""
        return [*self._waiting]

    @asynccontextmanager
    async def beside(self, slots: int) -> AsyncIterator[None]:
        """Look while the features of a run with ``slots`` slots run; end what is left at the end.

        Raises :class:`StateError` if a verdict can't be recorded.
        """
        # Made here: up to Python 3.9 it belongs to the event loop of its creation.
        self._more = asyncio.Event()
        task = asyncio.create_task(self._work(self._more, slots))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled():
            task.result()

    async def wait(self, seconds: float) -> None:
        """Wait until all looks are over, for a while."""
        deadline = time.monotonic() + seconds
        while self._waiting and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)

    async def finish(self, seconds: float) -> None:
        """Wait until all looks are over. After a while, end the last one and begin no other."""
        await self.wait(seconds)
        for number, id in enumerate(self.waiting):
            if number:
                self.forget(id)
            else:
                self.context.stop.of(START + id).set()
        await self.wait(math.inf)

    async def _work(self, more: asyncio.Event, slots: int) -> None:
        try:
            while True:
                await more.wait()
                more.clear()
                while self._waiting:
                    id, later = next(iter(self._waiting.items()))
                    await self._look(later, slots)
                    if self._waiting.get(id) is later:
                        del self._waiting[id]
        finally:
            self._waiting.clear()  # Nobody is to wait for what is over.

    async def _look(self, later: _Later, slots: int) -> None:
        feature = later.feature
        if self.preparation.steps.is_to_end(feature.id):
            return
        vain: dict[str, tuple[str, ...]] = {}
        commands = [check.command for check, _ in later.unseen]
        try:
            then = partial(self._try_tests, later, vain) if await self._has_tests(later) else None
            if not commands and then is None:
                return
            env = self.preparation.environment(feature.id, slots, slots)  # behind all others
            seen = await self.looks.look(feature, later.start, commands, env, then)
        except Tampered as error:
            self._note(feature, error.message)
            return
        failure = next(filter(None, (before.failure for before in seen.values())), None)
        if failure is not None and not failure.interrupted:
            self._note(feature, failure.what)
        for check, verdict in dict((*later.testing, *later.unseen)).items():
            before = seen.get(check.command, Before())
            made = replace(verdict, proves_nothing=vain.get(check.command.line, ()))
            if before.passed is not None:
                kind = verdict_of(check.scope, before=before.passed, after=True)
                made = replace(made, verdict=kind, before=before.ending)
            if made != verdict and self._waiting.get(feature.id) is later:
                self.context.record(events_review.judged, feature.id, verdict=made)

    # -- the tests that a feature added -----------------------------------------------------

    async def _has_tests(self, later: _Later) -> bool:
        """Whether the feature added tests that its checks run."""
        try:
            commands = [check.command for check, _ in later.testing]
            return bool(await self.added.find(commands, later.start.commit, later.commit))
        except UserError as error:
            unable(error)  # What ends the run is raised again; the rest costs a note.
            return False

    async def _try_tests(
        self,
        later: _Later,
        vain: dict[str, tuple[str, ...]],
        worktree: Worktree,
        env: Mapping[str, str],
    ) -> None:
        """Run the added tests without the change; those that pass get into ``vain``."""
        try:
            commands = [check.command for check, _ in later.testing]
            vain.update(await self.added.proving_nothing(commands, worktree, later.commit, env))
        except UserError as error:
            unable(error)

    def _note(self, feature: Feature, why: str) -> None:
        text = N_("its checks did not run at its start commit: {why}").format(why=why)
        self.context.note(text, feature.id)
