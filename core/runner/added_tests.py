"""`AddedTests`: runs the tests that a feature added, at the commit that the feature started from.

A test that passes there proves nothing about the feature. That is a note and never a failure, so
whatever is uncertain counts as a test that fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..git import commits, staging
from ..git.door import GitError
from ..model.feature import Command
from ..model.frozen import dataclass
from ..model.outcome import Stage
from ..model.testing_tools import ToolCall, belongs_to_tests, tool_call
from ..worktree.manager import WorktreeManager
from ..worktree.worktree import Worktree
from .check_runner import NO_BYTECODE
from .steps import StepRunner

MOST = 20
"""The most test files of a check that are tried: each costs a start of the tool."""


@dataclass(frozen=True)
class AddedTest:
    """A test file that a feature added, and the check that runs it."""

    check: str
    """The command line of the check."""
    call: ToolCall
    file: str


class AddedTests:
    """Runs added tests with the testing tools that the checks start."""

    def __init__(
        self, worktrees: WorktreeManager, steps: StepRunner, *, limit_seconds: float
    ) -> None:
        self.git = worktrees.git
        self.steps = steps
        self.limit_seconds = limit_seconds
        """Of one test file."""

    async def find(self, checks: Iterable[Command], start: str, commit: str) -> list[AddedTest]:
        """The test files that ``commit`` has and ``start`` has not, for each check that has any."""
        calls = [(check.line, tool_call(check)) for check in checks]
        if not any(call for __, call in calls):
            return []
        added = sorted(await commits.added_files(self.git, start, commit))
        found: list[AddedTest] = []
        for line, call in calls:
            files = [file for file in added if call is not None and call.runs(file)]
            found += [AddedTest(line, call, file) for file in files[:MOST] if call is not None]
        return found

    async def proving_nothing(
        self,
        checks: Iterable[Command],
        scratch: Worktree,
        commit: str,
        env: Mapping[str, str],
    ) -> dict[str, tuple[str, ...]]:
        """The added tests that pass at the start commit, by the command line of their check.

        ``scratch`` has the start commit checked out and is set up. The added tests of ``commit``,
        and what was added beside them, are put into it: it is good for nothing else afterwards.
        """
        tests = await self.find(checks, scratch.start_commit, commit)
        if not (tests and await self._put(scratch, commit, tests)):
            return {}
        passed: dict[str, bool] = {}
        found: dict[str, tuple[str, ...]] = {}
        for test in tests:
            line = test.call.command(test.file).line
            if line not in passed:
                passed[line] = await self._passes(test, scratch, env)
            if passed[line]:
                found[test.check] = (*found.get(test.check, ()), test.file)
        return found

    async def _put(self, scratch: Worktree, commit: str, tests: Iterable[AddedTest]) -> bool:
        """Put the added tests into the worktree. Return whether git could."""
        added = await commits.added_files(self.git, scratch.start_commit, commit)
        wanted = {test.file for test in tests}.union(filter(belongs_to_tests, added))
        try:
            await staging.restore(self.git, scratch.path, sorted(wanted), commit)
        except GitError:
            return False
        return True

    async def _passes(self, test: AddedTest, scratch: Worktree, env: Mapping[str, str]) -> bool:
        step = await self.steps.run(
            test.call.command(test.file),
            Stage.CHECK,
            name=scratch.feature,
            folder=scratch.path,
            env=env if "PYTHONPYCACHEPREFIX" in env else {**NO_BYTECODE, **env},
            limit_seconds=self.limit_seconds,
        )
        return step.passed and test.call.tool.passed(step.tail)
