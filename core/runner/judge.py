"""`Judge`: gives each check of a feature its verdict, from the result and the start commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..git import commits, staging
from ..git.door import Git
from ..model import events_review
from ..model.check_verdict import CheckVerdict, Scope, Verdict, verdict_of
from ..model.contracts import PROSE, Contract, Kind, contracts, definition
from ..model.excerpt import some
from ..model.feature import Command, Feature
from ..model.frozen import dataclass, replace
from ..model.list_commands import shell_command
from ..model.translate import N_
from ..worktree.worktree import Worktree
from .check_runner import PASSED, CheckRunner, Result
from .failure import Failure
from .start_looks import Before, Start, StartLooks

FLAKY = N_("flaky: {checks} failed, then passed on the same tree")
IN_CLEAN = N_("in a clean checkout, {what}")


@dataclass(frozen=True)
class Check:
    """A command that has to pass: of ``verify``, of ``project.verify``, or a contract."""

    scope: Scope
    name: str
    """As the list spells it."""
    command: Command
    is_contract: bool = False


@dataclass(frozen=True)
class Judgement:
    """What the checks of a commit came to."""

    verdicts: tuple[CheckVerdict, ...] = ()
    failures: tuple[Failure, ...] = ()
    """What is missing or broken, for Claude."""
    halt: Failure | None = None
    """Why there is no verdict: an interruption, or a check that could not be made at all."""
    unseen: tuple[tuple[Check, CheckVerdict], ...] = ()
    """The feature's own checks that pass, and did not run at the start commit yet."""
    passing: tuple[tuple[Check, CheckVerdict], ...] = ()
    """All checks that pass."""

    @property
    def failure(self) -> Failure | None:
        """All failures as one, with the output of the first."""
        if self.halt is not None or len(self.failures) < 2:
            return self.halt or next(iter(self.failures), None)
        all = some([failure.what for failure in self.failures], between="; ")
        return Failure(all, self.failures[0].output)


class Judge:
    """Judges one commit of a feature, in its worktree."""

    def __init__(
        self,
        runner: CheckRunner,
        looks: StartLooks,
        feature: Feature,
        worktree: Worktree,
        commit: str,
        env: Mapping[str, str],
    ) -> None:
        self.runner = runner
        self.looks = looks
        self.feature = feature
        self.worktree = worktree
        self.commit = commit
        self.env = env
        self.start = Start(worktree.start_commit, worktree.base_commit or worktree.start_commit)
        self.failures: list[Failure] = []
        """Of what has no command: contracts that are not kept, and a setup."""
        self._contracts: list[CheckVerdict] = []
        self._results: dict[Check, Result] = {}
        self._before: dict[Command, Before] = {}

    @property
    def has_failed(self) -> bool:
        """Whether something is missing or broken, so far."""
        return bool(self.failures) or any(map(self._is_sent_back, self._results))

    @property
    def passing(self) -> list[Command]:
        """The commands that passed, so far."""
        return [check.command for check, end in self._results.items() if end.failure is None]

    async def look_for_contracts(self) -> None:
        """Look for the paths and symbols that the feature promises."""
        git = self.runner.worktrees.git
        for contract in contracts(self.feature.creates):
            if contract.kind is Kind.COMMAND:
                continue
            failure = await holds(git, contract, self.commit)
            before = await holds(git, contract, self.start.commit)
            verdict = verdict_of(Scope.OWN, before=before is None, after=failure is None)
            name, endings = str(contract), [_kept(before), _kept(failure)]
            self._contracts.append(
                CheckVerdict(name, Scope.OWN, verdict, self.commit, endings[0], endings[1])
            )
            if failure is not None:
                self.failures.append(_promised(failure, name))

    async def run(self, checks: Sequence[Check]) -> Failure | None:
        """Run checks in the feature's worktree; why there is no verdict, if there is none.

        After a check that leaves another tree, the others would not check the commit: unless it
        did the same at the start commit, they have no result.
        """
        left = list(checks)
        while left:
            commands = [check.command for check in left]
            found = await self.runner.results(
                *(self.feature.id, commands, self.worktree, self.commit, self.env), repeats=True
            )
            self._results.update(zip(left, found))
            last, result = left[len(found) - 1], found[-1]
            left = left[len(found) :]
            if result.is_interrupted:
                return result.failure
            if result.has_moved:
                self._before[last.command] = Before()  # Nothing excuses that.
                break
            if result.changed:
                halt = await self._look([last])
                if halt is not None or self._is_sent_back(last):
                    return halt
                # Restored, because nobody will commit it.
                await staging.restore(self.runner.worktrees.git, self.worktree.path, result.changed)
        return await self._look(self._results)

    async def take(self, results: Iterable[Result]) -> Failure | None:
        """Take the results from a clean checkout, in which passing checks ran again."""
        clean = {result.command: result for result in results}
        for check, first in list(self._results.items()):
            again = clean.get(check.command)
            if again is None or first.failure is not None:
                continue
            if again.is_interrupted:
                return again.failure
            if again.failure is not None:
                failure = again.failure.within(IN_CLEAN)
                self._results[check] = replace(again, failure=failure)
            elif again.is_flaky:
                self._results[check] = again
        return await self._look(self._results)

    async def _look(self, checks: Iterable[Check]) -> Failure | None:
        """See how failing checks of the project end at the start commit; why there is no look."""
        failing = [
            check.command
            for check in checks
            if check.scope is Scope.PROJECT
            and self._results[check].failure is not None
            and check.command not in self._before
        ]
        if not failing:
            return None
        seen = await self.looks.look(self.feature, self.start, failing, self.env)
        self._before.update(seen)
        return next((before.failure for before in seen.values() if before.halts), None)

    async def judgement(self) -> Judgement:
        """The verdicts, which are recorded."""
        known = await self.looks.known(self.start, self.passing)
        self._before = {**known, **self._before}
        made = {check: self._verdict(check) for check in self._results}
        verdicts = (*self._contracts, *made.values())
        for verdict in verdicts:
            self.runner.context.record(events_review.judged, self.feature.id, verdict=verdict)
        self._note(verdicts)
        return Judgement(
            verdicts,
            (*self.failures, *map(self._failure, filter(self._is_sent_back, made))),
            unseen=tuple(
                (check, verdict)
                for check, verdict in made.items()
                if verdict.verdict is Verdict.NOT_LOOKED_AT and check.scope is Scope.OWN
            ),
            passing=tuple(each for each in made.items() if each[1].verdict.passes),
        )

    def _verdict(self, check: Check) -> CheckVerdict:
        result, before = self._results[check], self._before.get(check.command, Before())
        verdict = verdict_of(
            check.scope,
            before=before.passed,
            after=result.failure is None and not result.is_flaky,
            repeated=result.is_flaky,
        )
        return CheckVerdict(
            check.name, check.scope, verdict, self.commit, before.ending, result.ending
        )

    def _is_sent_back(self, check: Check) -> bool:
        return self._verdict(check).verdict.is_sent_back

    def _failure(self, check: Check) -> Failure:
        failure = self._results[check].failure
        assert failure is not None
        passed = self._before.get(check.command, Before()).passed is True
        failure = replace(failure, passed_before=passed)
        return _promised(failure, check.name) if check.is_contract else failure

    def _note(self, verdicts: Sequence[CheckVerdict]) -> None:
        """Say what counts as passed, and did not simply pass."""
        sentences = {
            Verdict.FLAKY: FLAKY,
            Verdict.NOT_YOURS: N_("not yours: {checks} failed at the start commit, too"),
        }
        missing = {each.check for each in verdicts if each.verdict is Verdict.MISSING}
        for kind, sentence in sentences.items():
            found = dict.fromkeys(each.check for each in verdicts if each.verdict is kind)
            checks = [f"`{check}`" for check in found if check not in missing]
            text, id = sentence.format(checks=some(checks)), self.feature.id
            if checks and (id, text) not in self.looks.told:
                self.looks.told.add((id, text))
                self.runner.context.note(text, id)


def _kept(failure: Failure | None) -> str:
    return PASSED if failure is None else failure.cause


def _promised(failure: Failure, contract: str) -> Failure:
    return failure.within(N_("`creates` names {contract}, but {what}"), contract=contract)


def checks_of(feature: Feature, project: Sequence[Command]) -> list[Check]:
    """The commands that have to pass, in the order in which they run."""
    promised = [each for each in contracts(feature.creates) if each.kind is Kind.COMMAND]
    return [
        *(Check(Scope.OWN, str(c), shell_command(c.what), is_contract=True) for c in promised),
        *(Check(Scope.PROJECT, each.line, each) for each in project),
        *(Check(Scope.OWN, each.line, each) for each in feature.verify),
    ]


async def holds(git: Git, contract: Contract, commit: str) -> Failure | None:
    """The failure of a ``path:`` or ``symbol:`` contract on a commit."""
    if contract.kind is Kind.PATH:
        found = await commits.has_path(git, commit, contract.what)
        return None if found else Failure(N_("there is no such path"))
    found = await commits.has_line(git, commit, definition(contract.what), exclude=PROSE)
    return None if found else Failure(N_("no line of code defines it"))
