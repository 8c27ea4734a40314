"""A conflict that Claude is given, and whether what it made of it may land.

The merge stands half done in a scratch worktree. What Claude leaves there becomes a commit under a
ref of ours once the checks of both sides are green on it; no branch and no other worktree is
touched.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence

from ..claude import prompt
from ..claude.prompt import Side
from ..git import checkouts, commits, history, merging
from ..git.door import GitError
from ..git.refs import RESOLUTIONS
from ..git.tampering import ExecutableFingerprint
from ..model import events
from ..model.costs import total_usd
from ..model.excerpt import excerpt, some
from ..model.feature import Config, Feature
from ..model.frozen import dataclass, replace
from ..model.outcome import AttemptOutcome, Fault, Status
from ..runner.attempt import AttemptRunner, Session, wait_for_repetition
from ..runner.budget import LEAST_USD, OVER, Budget
from ..runner.checks import Checks
from ..runner.context import RunContext
from ..worktree import admin_files, keeping
from ..worktree.manager import WorktreeManager
from ..worktree.names import RESOLVED
from ..worktree.worktree import Worktree
from .stack import SESSION, Candidate, Clash, Resolution, Resolved

ALLOWED_TOOLS = (
    *("Read", "Edit(./**)", "Edit(/**)", "Glob", "Grep", "LS", "TodoWrite"),
    *("Bash(git add:*)", "Bash(git rm:*)"),
    *("Bash(git checkout --ours:*)", "Bash(git checkout --theirs:*)"),
    *("Bash(git status:*)", "Bash(git diff:*)", "Bash(git log:*)", "Bash(git show:*)"),
)
"""Enough to read both sides, to write, and to say that a file is resolved; it runs nothing."""

DISALLOWED_TOOLS = (
    *("Bash(git commit:*)", "Bash(git merge:*)", "Bash(git rebase:*)"),
    *("Bash(git reset:*)", "Bash(git switch:*)", "Bash(git push:*)"),
)
"""What would end the merge, also where the list lets Claude do anything else."""

DETACHED = "(detached)"
"""What git calls the branch of a worktree that is on none."""

INTERRUPTED = "You were interrupted before you were done: look at what is there (`git status`)."

HOPELESS = (Fault.LIMIT, Fault.RATE, Fault.BUDGET, Fault.INTERRUPTED)
"""Beside the fatal ones: faults that the next conflict would meet as well."""


@dataclass(frozen=True)
class Merge:
    """A merge that git can't make: its base, and what it is remembered by."""

    clash: Clash
    base: str
    ref: str
    """The trees of base and both sides make its name: the same conflict is not paid for twice."""
    touched: frozenset[str]
    """The files that either side changed, or that are in conflict."""
    ours: Side
    theirs: Side

    @property
    def feature(self) -> Feature:
        """The one that is to land."""
        return self.clash.candidate.feature


@dataclass(frozen=True)
class Wrong:
    """Why a resolution can't land; a final one is nothing that Claude could mend there."""

    what: str
    output: str = ""
    is_final: bool = False


class Resolver:
    """Gives conflicts on the way to the branch ``into`` to Claude, one after the other.

    ``present`` are features that the branch holds already; ``numbers`` how often Claude was
    started for a feature's conflicts before. ``attempts`` has to be made with
    :func:`options_for`, and to emit to :func:`core.model.feature.events.of_resolution`.
    """

    def __init__(
        self,
        config: Config,
        worktrees: WorktreeManager,
        attempts: AttemptRunner,
        checks: Checks,
        budget: Budget,
        fingerprint: ExecutableFingerprint,
        context: RunContext,
        *,
        into: str,
        present: Sequence[Candidate],
        numbers: Mapping[str, int],
        say: Callable[[str], None],
    ) -> None:
        self.config = config
        self.worktrees = worktrees
        self.git = worktrees.git
        self.attempts = attempts
        self.checks = checks
        self.budget = budget
        self.fingerprint = fingerprint
        self.into = into
        self.present = present
        self.numbers = dict(numbers)
        self.context = context
        self.say = say
        self._outcomes: dict[str, list[AttemptOutcome]] = {}
        self._spent_usd: dict[str, float] = {}
        """By feature; where a cost is unknown, what was granted."""
        self._made: dict[str, Resolution] = {}
        """By the name of the merge's ref: a stack may be made more than once."""
        self._refused = ""
        """Why no further conflict is given to Claude."""

    async def resolve(self, clash: Clash) -> Resolution:
        """What is known of a conflict, else what Claude makes of it.

        Raises :class:`Tampered` where an agent, or a check, changed what git executes.
        """
        merge = await _merge(self.worktrees, self.into, clash)
        if merge.ref not in self._made:
            self._made[merge.ref] = await self._make(merge)
        return self._made[merge.ref]

    async def _make(self, merge: Merge) -> Resolution:
        sides = await self._sides(merge)
        checked = await self._green_before(merge, sides)
        return await self._known(merge, checked) or await self._ask(merge, sides, checked)

    async def _known(self, merge: Merge, checked: Sequence[Feature]) -> Resolution | None:
        """What was made of it before, unless it is red by now."""
        commit = await self.git.commit_of(merge.ref)
        if not commit:
            return None
        red = await self.checks.check_sides(commit, self.into, checked)
        if red is None:
            return await _known(self.worktrees, merge, commit)
        if red.interrupted or red.is_ours:
            reason = f"its known resolution could not be checked: {red.what}"
            return Resolution(Resolved.NOT_ASKED, reason=reason, files=merge.clash.files)
        self._note(merge, f"the checks fail on its known resolution: {red.what}")
        await self.git.delete_ref(merge.ref, commit)
        return None

    async def _sides(self, merge: Merge) -> list[Feature]:
        """The features that meet in the conflict; those of ours as far as they are green there."""
        clash = merge.clash
        asked = [each for each in (*clash.below, *self.present) if each.start_commit]
        changed = await commits.changed_files(
            self.git, [(each.start_commit, each.tip) for each in asked]
        )
        met = [c.feature for c, files in zip(asked, changed) if files.intersection(clash.files)]
        return [*met, merge.feature]

    async def _ask(
        self, merge: Merge, sides: Sequence[Feature], checked: Sequence[Feature]
    ) -> Resolution:
        """Give it to Claude, and tell the journal what came of it."""
        refused = "interrupted" if self.context.stop.is_set() else self._refused
        if refused:
            return Resolution(Resolved.NOT_ASKED, reason=refused, files=merge.clash.files)
        self.say(f"Claude resolves {some(merge.clash.files)} for {merge.feature.id}")
        try:
            commit, reason = await self._resolve(merge, sides, checked)
        except GitError as error:
            commit, reason = "", error.message
        files = merge.clash.files
        self.context.record(
            events.resolved,
            merge.feature.id,
            files=files,
            commit=commit,
            reason=reason,
        )
        outcomes = self._outcomes.get(merge.feature.id, [])
        return Resolution(
            ending=Resolved.RESOLVED if commit else Resolved.FAILED,
            commit=commit,
            reason=f"Claude could not resolve it: {reason}" if reason else "",
            files=files,
            attempts=len(outcomes),
            cost_usd=total_usd(outcome.cost_usd for outcome in outcomes),
            session_id=outcomes[-1].session_id if outcomes else "",
        )

    async def _green_before(self, merge: Merge, sides: Sequence[Feature]) -> list[Feature]:
        """Those whose checks have to be green afterwards: of ours, those that were before."""
        checked: list[Feature] = []
        for side in sides[:-1]:
            red = await self.checks.check_sides(merge.clash.onto, self.into, [side])
            if red is None:
                checked.append(side)
            elif not red.interrupted:
                text = f"{side.id} already fails its checks, which are not repeated on the merge"
                self._note(merge, f"{text}: {red.what}")
        return [*checked, merge.feature]

    # -- Claude at work ---------------------------------------------------------------------

    async def _resolve(
        self, merge: Merge, sides: Sequence[Feature], checked: Sequence[Feature]
    ) -> tuple[str, str]:
        """The commit that may land, or why there is none."""
        clash, git = merge.clash, self.git
        async with self.worktrees.scratch(RESOLVED + merge.feature.id, clash.ours) as worktree:
            await merging.begin_merge(git, worktree.path, clash.candidate.tip)
            admin = admin_files.admin_folder(self.worktrees, worktree.path)
            await self.fingerprint.watch(git, os.path.join(admin, "config.worktree"))
            task = self._task(merge, sides)
            session = Session(str(uuid.uuid4()), task=task)
            told = 0
            while True:
                outcome = await self._attempts(merge, worktree, session, task)
                if outcome.status is not Status.COMPLETED:
                    return "", outcome.reason
                commit, wrong = await self._look(merge, worktree, outcome.session_id)
                wrong = wrong or await self._check(commit, checked)
                if wrong is None:
                    await git.create_ref(merge.ref, commit)
                    return commit, ""
                if wrong.is_final or told == self.config.project.verify_attempts:
                    return "", excerpt("\n".join((wrong.what, *_end(wrong.output))))
                told += 1
                self.say(f"{wrong.what}: sent back to Claude")
                words = prompt.unresolved(merge.feature, wrong.what, wrong.output)
                session = Session(outcome.session_id, resume=True, told=words)

    def _task(self, merge: Merge, sides: Sequence[Feature]) -> str:
        return prompt.resolve(
            self.config,
            merge.feature,
            sides[:-1],
            self.into,
            base=merge.base,
            ours=merge.ours,
            theirs=merge.theirs,
            files=merge.clash.files,
        )

    async def _attempts(
        self, merge: Merge, worktree: Worktree, session: Session, task: str
    ) -> AttemptOutcome:
        """Attempts until one ends by its own result, or by a fault that another won't mend."""
        retry = self.config.project.retry
        told = session.told or prompt.unresolved(merge.feature, INTERRUPTED, "")
        repetition = 0
        while True:
            repetition += 1
            outcome = await self._attempt(merge, worktree, session)
            if outcome.fault is Fault.SESSION and session.resume:
                session = Session(str(uuid.uuid4()), task=f"{task}\n\n{told}")
                outcome = await self._attempt(merge, worktree, session)
            if outcome.fault not in (Fault.TRANSIENT, Fault.RATE):
                break
            stop = self.context.stop
            if not await wait_for_repetition(retry, repetition, outcome, stop, self.say):
                break
            session = Session(session.id, resume=True, told=told)
        if outcome.fault.fatal or outcome.fault in HOPELESS:
            self._refused = f"Claude is not asked after that: {outcome.reason}"
        return outcome

    async def _attempt(self, merge: Merge, worktree: Worktree, session: Session) -> AttemptOutcome:
        id = merge.feature.id
        if self.budget.cap_usd is not None and self.budget.left_usd < LEAST_USD:
            self._refused = f"{OVER}: nothing is left of ${self.budget.cap_usd:.2f}"
            return AttemptOutcome(Status.CANCELLED, self._refused, Fault.BUDGET)
        own_left_usd = self._own_left_usd(merge.feature)
        if own_left_usd is not None and own_left_usd < LEAST_USD:
            why = f"{OVER}: nothing is left of the feature's max_cost_usd"
            return AttemptOutcome(Status.CANCELLED, why, Fault.ALLOWANCE)
        granted = self.budget.grant(id, 1, own_left_usd)
        self.numbers[id] = self.numbers.get(id, 0) + 1
        outcome = await self.attempts.run(
            replace(merge.feature, allowed_tools=ALLOWED_TOOLS),
            worktree.path,
            self.numbers[id],
            session,
            self.checks.preparation.environment(id, 0, 1),
            granted,
        )
        cost_usd = (granted or 0.0) if outcome.cost_usd is None else outcome.cost_usd
        self._spent_usd[id] = self._spent_usd.get(id, 0.0) + cost_usd
        self.budget.spend(id, outcome.cost_usd)
        self.budget.release(id)
        self._outcomes.setdefault(id, []).append(outcome)
        # Before any git command that would execute it.
        await self.fingerprint.check(self.git)
        return outcome

    def _own_left_usd(self, feature: Feature) -> float | None:
        """What the feature's own cap leaves for its conflicts; ``None`` where it has none."""
        cap = feature.max_cost_usd
        return None if cap is None else cap - self._spent_usd.get(feature.id, 0.0)

    # -- what it left -----------------------------------------------------------------------

    async def _look(
        self, merge: Merge, worktree: Worktree, session_id: str
    ) -> tuple[str, Wrong | None]:
        """The commit of what Claude left, and what is wrong with it."""
        clash, git = merge.clash, self.git
        try:
            status = await self.worktrees.read_status(worktree)
        except GitError as error:
            status = error.message
        if isinstance(status, str):
            return "", Wrong(status, is_final=True)
        is_there = (status.commit, status.branch) == (worktree.start_commit, DETACHED)
        if not is_there or await checkouts.operation_in_progress(git, worktree.path) != "a merge":
            what = "the merge was committed, aborted or left, and not resolved"
            return "", Wrong(what, is_final=True)
        if status.unmerged:
            return "", Wrong(f"not marked as resolved: {some(status.unmerged)}")
        tree = await keeping.tree_of_files(self.worktrees, worktree.path, status.uncommitted)
        message = (
            f"what Claude made of {some(clash.files)}\n\n"
            f"RoRchestrator-Feature: {merge.feature.id}\n{SESSION}: {session_id}\n"
        )
        commit = await git.commit_tree(tree, (clash.onto, clash.candidate.tip), message)
        return commit, await self._refuse(merge, commit, tree)

    async def _refuse(self, merge: Merge, commit: str, tree: str) -> Wrong | None:
        """What forbids to land it whatever the checks say."""
        git, sides = self.git, (merge.clash.ours, merge.clash.candidate.tip)
        markers = await merging.markers_left(git, commit, sides)
        if markers:
            return Wrong(f"conflict markers are left: {some(markers)}")
        (changed,) = await commits.changed_files(git, [(merge.clash.ours, commit)])
        foreign = sorted(changed - merge.touched)
        if foreign:
            return Wrong(f"files that neither side touched were changed: {some(foreign)}")
        for name, side in zip((self.into, merge.feature.id), reversed(sides)):
            if tree == await git.tree_of(side):
                return Wrong(f"nothing is left of the side of {name}")
        return None

    async def _check(self, commit: str, checked: Sequence[Feature]) -> Wrong | None:
        red = await self.checks.check_sides(commit, self.into, checked)
        await self.fingerprint.check(self.git)
        if red is None:
            return None
        return Wrong(red.what, red.output, red.interrupted or red.is_ours)

    def _note(self, merge: Merge, text: str) -> None:
        self.context.note(text, merge.feature.id)


def options_for(config: Config) -> Config:
    """The list as Claude is started with it for a conflict: it may not end the merge itself."""
    denied = (*config.claude.disallowed_tools, *DISALLOWED_TOOLS)
    return replace(config, claude=replace(config.claude, disallowed_tools=denied))


async def foresee(worktrees: WorktreeManager, into: str, clash: Clash) -> Resolution:
    """What is known of a conflict, or that Claude would be given it; nothing is started."""
    merge = await _merge(worktrees, into, clash)
    commit = await worktrees.git.commit_of(merge.ref)
    if commit:
        return await _known(worktrees, merge, commit)
    return Resolution(Resolved.WOULD_ASK, reason="Claude would be given it", files=clash.files)


async def _known(worktrees: WorktreeManager, merge: Merge, commit: str) -> Resolution:
    session_id = await history.trailer(worktrees.git, commit, SESSION)
    return Resolution(Resolved.KNOWN, commit, files=merge.clash.files, session_id=session_id)


async def _merge(worktrees: WorktreeManager, into: str, clash: Clash) -> Merge:
    git, tip = worktrees.git, clash.candidate.tip
    base = await git.merge_base(clash.ours, tip)
    trees = [await git.tree_of(commit) for commit in (base, clash.ours, tip)]
    key = hashlib.sha256(" ".join(trees).encode()).hexdigest()[:20]
    ours, theirs = await commits.changed_files(git, [(base, clash.ours), (base, tip)])
    with_them = [candidate.id for candidate in clash.below]
    name = f"`{into}`" + (f" with {', '.join(with_them)}" if with_them else "")
    return Merge(
        clash,
        base,
        f"{RESOLUTIONS}{clash.candidate.id}/{key}",
        ours.union(theirs, clash.files),
        _side(clash.onto, name, ours),
        _side(tip, f"`{worktrees.branch(clash.candidate.id)}`", theirs),
    )


def _side(commit: str, name: str, files: Collection[str]) -> Side:
    return Side(commit, name, tuple(sorted(files)))


def _end(output: str) -> list[str]:
    return output.strip().splitlines()[-20:]
