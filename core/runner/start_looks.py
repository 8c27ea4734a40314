"""`StartLooks`: runs checks of a feature at the commit that it started from."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from ..model.errors import UserError
from ..model.feature import Command, Feature
from ..model.frozen import dataclass, replace
from ..worktree.names import START
from ..worktree.worktree import Worktree
from .check_runner import CheckRunner, Result, check_key
from .failure import Failure, unable
from .preparation import VARIABLES, Preparation


@dataclass(frozen=True)
class Start:
    """Where a feature started: its start commit, and the base commit in it."""

    commit: str
    base_commit: str


@dataclass(frozen=True)
class Before:
    """How a check ended at the start commit."""

    passed: bool | None = None
    """``None`` if it did not run there."""
    ending: str = ""
    failure: Failure | None = None
    """Why it did not run."""

    @property
    def halts(self) -> bool:
        """Whether it did not run because of an interruption, or a fault that is not the list's."""
        return self.failure is not None and (self.failure.interrupted or self.failure.is_ours)


InScratch = Callable[[Worktree, Mapping[str, str]], Awaitable[None]]
"""Does something in a worktree that is ready, with its variables."""


class StartLooks:
    """Looks at start commits, in scratch worktrees. What one feature learned serves all of them."""

    def __init__(self, preparation: Preparation, runner: CheckRunner) -> None:
        self.preparation = preparation
        self.runner = runner
        self.told: set[tuple[str, str]] = set()
        """What was said of features: not again for each commit that is judged."""
        self._turns: dict[str, asyncio.Lock] = {}

    async def look(
        self,
        feature: Feature,
        start: Start,
        commands: Sequence[Command],
        env: Mapping[str, str],
        then: InScratch | None = None,
    ) -> dict[Command, Before]:
        """How each of the commands ended at the start commit; some of them may have run before.

        ``env`` are the variables of the feature's worktree. ``then`` is done in the worktree of
        the start commit afterwards.
        """
        git = self.runner.worktrees.git
        try:
            tree = await git.tree_of(start.commit)
            # A feature has one scratch worktree; two that start from one tree look once.
            async with self._turn(feature.id), self._turn(f"/{tree}"):
                supplied = await self.preparation.supplies.digest()
                found = {each: self._seen(tree, each, supplied) for each in commands}
                todo = [each for each, before in found.items() if before.passed is None]
                return {**found, **await self._run(feature, start, todo, env, then)}
        except UserError as error:
            return dict.fromkeys(commands, Before(failure=unable(error)))

    async def known(self, start: Start, commands: Sequence[Command]) -> dict[Command, Before]:
        """What is known about the start commit without a look.

        Also from a worktree with uncommitted files, as that of a dependency.
        """
        tree = await self.runner.worktrees.git.tree_of(start.commit)
        try:
            with_copies = await self.preparation.supplies.digest()
        except UserError:
            return {}  # What was to be copied is gone: nobody needs it any more.
        found = {each: self._seen(tree, each, with_copies) for each in commands}
        for each, before in found.items():
            unclean = check_key(tree, each, supplied=with_copies)
            if before.passed is None and unclean in self.runner.passed:
                found[each] = Before(True, self.runner.ending(unclean))
        return found

    def _seen(self, tree: str, command: Command, supplied: str) -> Before:
        """What an earlier look saw: one of this run, if the check failed."""
        key = check_key(tree, command, clean=True, supplied=supplied)
        passed = True if key in self.runner.passed else None
        if passed is None and key in self.runner.endings:
            passed = False
        return Before(passed, "" if passed is None else self.runner.ending(key))

    async def _run(
        self,
        feature: Feature,
        start: Start,
        commands: Sequence[Command],
        env: Mapping[str, str],
        then: InScratch | None,
    ) -> dict[Command, Before]:
        if not commands and then is None:
            return {}
        name = START + feature.id
        there = {**env, f"{VARIABLES}FEATURE": name}
        async with self.preparation.scratch(name, start.commit) as scratch:
            worktree = replace(scratch, base_commit=start.base_commit)
            named = replace(feature, id=name)  # for its own logs
            try:
                failure = await self.preparation.make_scratch_ready(named, worktree, there)
                if failure is not None:
                    return dict.fromkeys(commands, Before(failure=failure))
                results = await self.runner.results(
                    *(name, commands, worktree, start.commit, there),
                    clean=True,
                    is_fresh=not self.preparation.is_needed(feature),
                )
                if then is not None and not any(result.has_moved for result in results):
                    await then(worktree, there)
            finally:
                self.preparation.context.stop.forget(name)  # The teardown is to run.
        return {**dict.fromkeys(commands, Before()), **{r.command: _before(r) for r in results}}

    def _turn(self, name: str) -> asyncio.Lock:
        """The lock of a feature, or of a tree: `/` and its id."""
        # Made here: up to Python 3.9 it belongs to the event loop of its creation.
        return self._turns.setdefault(name, asyncio.Lock())


def _before(result: Result) -> Before:
    if result.is_interrupted:
        return Before(failure=result.failure)
    return Before(result.failure is None, result.ending)
