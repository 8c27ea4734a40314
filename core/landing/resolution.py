"""Conflicts resolved by Claude (`merge --resolve`): the tools it may use, the checks of its result.

Claude works in a scratch worktree with the unfinished merge. Its resolution becomes a commit under
a ref of RoRchestrator once the checks of both sides pass; no branch and no other worktree changes.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence

from ..claude import prompt
from ..claude.prompt import Side
from ..git import checkouts, commits, history, merging
from ..git.door import Git, GitError
from ..git.output import DETACHED
from ..git.refs import RESOLUTIONS
from ..git.tampering import ExecutableFingerprint
from ..model import events
from ..model.costs import total_usd
from ..model.excerpt import excerpt, some
from ..model.feature import Config, Feature
from ..model.frozen import dataclass, replace
from ..model.outcome import AttemptOutcome, Fault, Status
from ..model.translate import N_
from ..runner.attempt import AttemptRunner, Session, wait_for_repetition
from ..runner.budget import LEAST_USD, OVER, Budget
from ..runner.checks import Checks
from ..runner.context import RunContext
from ..worktree import admin_files, keeping
from ..worktree.manager import WorktreeManager
from ..worktree.names import RESOLVED
from ..worktree.worktree import Worktree
from .layers import SESSION, Candidate, Resolution, Resolved
from .stack import Conflict

ALLOWED_TOOLS = (
    *("Read", "Edit(./**)", "Edit(/**)", "Glob", "Grep", "LS", "TodoWrite"),
    *("Bash(git add:*)", "Bash(git rm:*)"),
    *("Bash(git checkout --ours:*)", "Bash(git checkout --theirs:*)"),
    *("Bash(git status:*)", "Bash(git diff:*)", "Bash(git log:*)", "Bash(git show:*)"),
)
"""Enough to read both sides, to edit files and to mark them resolved; runs no other program."""

DISALLOWED_TOOLS = (
    *("Bash(git commit:*)", "Bash(git merge:*)", "Bash(git rebase:*)"),
    *("Bash(git reset:*)", "Bash(git switch:*)", "Bash(git push:*)"),
)
"""Commands that would end the merge; denied even if the list allows everything."""

INTERRUPTED = "You were interrupted before you finished: look at what is there (`git status`)."

HOPELESS = (Fault.LIMIT, Fault.RATE, Fault.BUDGET, Fault.INTERRUPTED)
"""Faults that would also stop the next conflict, in addition to the fatal ones."""


@dataclass(frozen=True)
class Merge:
    """A merge with a conflict: its base, its sides and the ref of its resolution."""

    conflict: Conflict
    base: str
    ref: str
    """Named by the trees of base and both sides, so that a conflict is paid for only once."""
    mirrored: str
    """The end of the ref of the same merge with its sides swapped."""
    touched: frozenset[str]
    """The files changed by either side, and those in conflict."""
    ours: Side
    theirs: Side

    @property
    def feature(self) -> Feature:
        """The feature to land."""
        return self.conflict.candidate.feature


@dataclass(frozen=True)
class Rejection:
    """Why a resolution can't land; Claude can't fix a final one."""

    what: str
    output: str = ""
    is_final: bool = False


class Resolver:
    """Sends conflicts with the branch ``into`` to Claude, one after the other.

    ``present`` are the features already on the branch; ``numbers`` counts earlier attempts for a
    feature's conflicts. ``attempts`` must be made with :func:`options_for`, and its events must
    go through :func:`core.model.events.of_resolution`.

    In a run, the conflict is one between dependencies of the feature ``needed_by``: it is recorded
    for this feature and paid from its reservation, with 1/``share`` of the rest of the budget.
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
        needed_by: Feature | None = None,
        share: int = 1,
    ) -> None:
        self.needed_by = needed_by
        self.share = share
        self.stop = context.stop.of(needed_by.id) if needed_by else context.stop
        self.fault = Fault.NONE
        """Of the last attempt."""
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
        """By feature; an unknown cost counts as the amount granted."""
        self._made: dict[str, Resolution] = {}
        """By ref of the merge, because the same stack may be tried several times."""
        self._refused = ""
        """Why no further conflict is sent to Claude."""

    async def resolve(self, conflict: Conflict) -> Resolution:
        """The known resolution of a conflict, else a new one by Claude.

        Raises :class:`~core.git.tampering.Tampered` if Claude or a check changed what git executes.
        """
        merge = await _merge(self.worktrees, self.into, conflict)
        if merge.ref not in self._made:
            self._made[merge.ref] = await self._make(merge)
        return self._made[merge.ref]

    @property
    def spent_usd(self) -> float:
        """What it cost so far; an unknown cost counts as the amount granted."""
        return sum(self._spent_usd.values())

    async def _make(self, merge: Merge) -> Resolution:
        sides = await self._sides(merge)
        checked = await self._passing_before(merge, sides)
        return await self._known(merge, checked) or await self._new(merge, sides, checked)

    async def _known(self, merge: Merge, checked: Sequence[Feature]) -> Resolution | None:
        """The resolution of an earlier command, if its checks still pass."""
        ref, commit = await _recorded(self.git, merge)
        if not commit:
            return None
        failure = await self.checks.check_sides(commit, self.into, checked)
        if failure is None:
            return await _known(self.worktrees, merge, commit)
        if failure.interrupted or failure.is_ours:
            reason = N_("its known resolution could not be checked: {what}").format(
                what=failure.what
            )
            return Resolution(Resolved.NOT_ASKED, reason=reason, files=merge.conflict.files)
        self._note(
            merge, N_("the checks fail on its known resolution: {what}").format(what=failure.what)
        )
        await self.git.delete_ref(ref, commit)
        return None

    async def _sides(self, merge: Merge) -> list[Feature]:
        """The features on both sides of the conflict; the one to land comes last."""
        conflict = merge.conflict
        asked = [each for each in (*conflict.below, *self.present) if each.start_commit]
        changed = await commits.changed_files(
            self.git, [(each.start_commit, each.tip) for each in asked]
        )
        met = [c.feature for c, files in zip(asked, changed) if files.intersection(conflict.files)]
        return [*met, merge.feature]

    async def _new(
        self, merge: Merge, sides: Sequence[Feature], checked: Sequence[Feature]
    ) -> Resolution:
        """Send it to Claude and record the result."""
        refused = N_("interrupted") if self.stop.is_set() else self._refused
        if refused:
            return Resolution(Resolved.NOT_ASKED, reason=refused, files=merge.conflict.files)
        self.say(
            N_("Claude is resolving {files} for {id}").format(
                files=some(merge.conflict.files), id=self._payer(merge).id
            )
        )
        try:
            commit, reason = await self._resolve(merge, sides, checked)
        except GitError as error:
            commit, reason = "", error.message
        files = merge.conflict.files
        self.context.record(
            events.resolved,
            self._payer(merge).id,
            files=files,
            commit=commit,
            reason=reason,
        )
        outcomes = self._outcomes.get(self._payer(merge).id, [])
        return Resolution(
            ending=Resolved.RESOLVED if commit else Resolved.FAILED,
            commit=commit,
            reason=N_("Claude could not resolve it: {reason}").format(reason=reason)
            if reason
            else "",
            files=files,
            attempts=len(outcomes),
            cost_usd=total_usd(outcome.cost_usd for outcome in outcomes),
            session_id=outcomes[-1].session_id if outcomes else "",
        )

    def _payer(self, merge: Merge) -> Feature:
        """The feature that the conflict is resolved for."""
        return self.needed_by or merge.feature

    async def _passing_before(self, merge: Merge, sides: Sequence[Feature]) -> list[Feature]:
        """The features whose checks must pass on the merge: the one to land, and passing others."""
        checked: list[Feature] = []
        for side in sides[:-1]:
            failure = await self.checks.check_sides(merge.conflict.onto, self.into, [side])
            if failure is None:
                checked.append(side)
            elif not failure.interrupted:
                self._note(
                    merge,
                    N_(
                        "the checks of {id} already fail and are not repeated on the merge: {what}"
                    ).format(id=side.id, what=failure.what),
                )
        return [*checked, merge.feature]

    # -- Claude ---------------------------------------------------------------------------------

    async def _resolve(
        self, merge: Merge, sides: Sequence[Feature], checked: Sequence[Feature]
    ) -> tuple[str, str]:
        """The commit that can land, or why there is none."""
        conflict, git = merge.conflict, self.git
        async with self.worktrees.scratch(
            RESOLVED + self._payer(merge).id, conflict.ours
        ) as worktree:
            await merging.begin_merge(git, worktree.path, conflict.candidate.tip)
            admin = admin_files.admin_folder(self.worktrees, worktree.path)
            await self.fingerprint.watch(git, os.path.join(admin, "config.worktree"))
            task = self._task(merge, sides)
            session = Session(str(uuid.uuid4()), task=task)
            sent_back = 0
            while True:
                outcome = await self._attempts(merge, worktree, session, task)
                if outcome.status is not Status.COMPLETED:
                    return "", outcome.reason
                commit, rejection = await self._commit_of(merge, worktree, outcome.session_id)
                rejection = rejection or await self._check(commit, checked)
                if rejection is None:
                    await git.create_ref(merge.ref, commit)
                    return commit, ""
                if rejection.is_final or sent_back == self.config.project.verify_attempts:
                    return "", excerpt("\n".join((rejection.what, *_end(rejection.output))))
                sent_back += 1
                self.say(N_("{what}: sent back to Claude").format(what=rejection.what))
                words = prompt.unresolved(merge.feature, rejection.what, rejection.output)
                session = Session(outcome.session_id, resume=True, feedback=words)

    def _task(self, merge: Merge, sides: Sequence[Feature]) -> str:
        return prompt.resolve(
            self.config,
            merge.feature,
            sides[:-1],
            self.into,
            base=merge.base,
            ours=merge.ours,
            theirs=merge.theirs,
            files=merge.conflict.files,
            needed_by=self.needed_by,
        )

    async def _attempts(
        self, merge: Merge, worktree: Worktree, session: Session, task: str
    ) -> AttemptOutcome:
        """Attempts until one ends with a result or a fault that another attempt won't fix."""
        retry = self.config.project.retry
        feedback = session.feedback or prompt.unresolved(merge.feature, INTERRUPTED, "")
        repetition = 0
        while True:
            repetition += 1
            outcome = await self._attempt(merge, worktree, session)
            if outcome.fault is Fault.SESSION and session.resume:
                session = Session(str(uuid.uuid4()), task=f"{task}\n\n{feedback}")
                outcome = await self._attempt(merge, worktree, session)
            if outcome.fault not in (Fault.TRANSIENT, Fault.RATE):
                break
            if not await wait_for_repetition(
                *(retry, repetition, outcome, self.stop, self.say), self._seconds_left()
            ):
                break
            session = Session(session.id, resume=True, feedback=feedback)
        self.fault = outcome.fault
        if outcome.fault.fatal or outcome.fault in HOPELESS:
            self._refused = N_("no further conflict is sent to Claude: {reason}").format(
                reason=outcome.reason
            )
        return outcome

    async def _attempt(self, merge: Merge, worktree: Worktree, session: Session) -> AttemptOutcome:
        payer = self._payer(merge)
        id = payer.id
        if self.budget.cap_usd is not None and self.budget.is_spent(id):
            self._refused = N_("{over}: nothing is left of {usd}").format(
                over=OVER, usd=f"${self.budget.cap_usd:.2f}"
            )
            return AttemptOutcome(Status.CANCELLED, self._refused, Fault.BUDGET)
        own_left_usd = self._own_left_usd(payer)
        if own_left_usd is not None and own_left_usd < LEAST_USD:
            why = N_("{over}: nothing is left of the feature's max_cost_usd").format(over=OVER)
            return AttemptOutcome(Status.CANCELLED, why, Fault.ALLOWANCE)
        granted = self.budget.grant(id, self.share, own_left_usd)
        self.numbers[id] = self.numbers.get(id, 0) + 1
        outcome = await self.attempts.run(
            replace(payer, allowed_tools=ALLOWED_TOOLS, verify=()),
            worktree.path,
            self.numbers[id],
            session,
            self.checks.preparation.environment(id, *self.checks.slot),
            granted,
        )
        cost_usd = (granted or 0.0) if outcome.cost_usd is None else outcome.cost_usd
        self._spent_usd[id] = self._spent_usd.get(id, 0.0) + cost_usd
        self.budget.spend(id, outcome.cost_usd)
        if self.needed_by is None:
            self.budget.release(id)
        self._outcomes.setdefault(id, []).append(outcome)
        # Before any git command that could execute it.
        await self.fingerprint.check(self.git)
        return outcome

    def _seconds_left(self) -> float:
        return self.context.deadline - time.monotonic()

    def _own_left_usd(self, feature: Feature) -> float | None:
        """What is left of the feature's own budget for its conflicts; ``None`` if it has none."""
        cap = feature.max_cost_usd
        return None if cap is None else cap - self._spent_usd.get(feature.id, 0.0)

    # -- its resolution -------------------------------------------------------------------------

    async def _commit_of(
        self, merge: Merge, worktree: Worktree, session_id: str
    ) -> tuple[str, Rejection | None]:
        """A commit of the resolution in the worktree, and why it is rejected."""
        conflict, git = merge.conflict, self.git
        try:
            status = await self.worktrees.read_status(worktree)
        except GitError as error:
            status = error.message
        if isinstance(status, str):
            return "", Rejection(status, is_final=True)
        is_there = (status.commit, status.branch) == (worktree.start_commit, DETACHED)
        if not is_there or await checkouts.operation_in_progress(git, worktree.path) != "a merge":
            what = N_("the merge was committed or aborted instead of resolved")
            return "", Rejection(what, is_final=True)
        if status.unmerged:
            return "", Rejection(
                N_("not marked as resolved: {unmerged}").format(unmerged=some(status.unmerged))
            )
        tree = await keeping.tree_of_files(self.worktrees, worktree.path, status.uncommitted)
        message = resolution_message(conflict.files, merge.feature.id, session_id)
        commit = await git.commit_tree(tree, (conflict.onto, conflict.candidate.tip), message)
        return commit, await self._rejection(merge, commit, tree)

    async def _rejection(self, merge: Merge, commit: str, tree: str) -> Rejection | None:
        """Why it can't land regardless of the checks."""
        git, sides = self.git, (merge.conflict.ours, merge.conflict.candidate.tip)
        markers = await merging.markers_left(git, commit, sides)
        if markers:
            return Rejection(
                N_("conflict markers are left: {markers}").format(markers=some(markers))
            )
        (changed,) = await commits.changed_files(git, [(merge.conflict.ours, commit)])
        foreign = sorted(changed - merge.touched)
        if foreign:
            return Rejection(
                N_("files that neither side had changed were changed: {foreign}").format(
                    foreign=some(foreign)
                )
            )
        for name, side in zip((self.into, merge.feature.id), reversed(sides)):
            if tree == await git.tree_of(side):
                return Rejection(N_("the resolution drops all changes of {name}").format(name=name))
        return None

    async def _check(self, commit: str, checked: Sequence[Feature]) -> Rejection | None:
        failure = await self.checks.check_sides(commit, self.into, checked)
        await self.fingerprint.check(self.git)
        if failure is None:
            return None
        return Rejection(failure.what, failure.output, failure.interrupted or failure.is_ours)

    def _note(self, merge: Merge, text: str) -> None:
        self.context.note(text, merge.feature.id)


def resolution_message(files: Sequence[str], id: str, session_id: str) -> str:
    """The message of the commit of a resolution, which is found by its trailers."""
    subject = f"Claude's resolution of {some(files)}"
    return f"{subject}\n\nRoRchestrator-Feature: {id}\n{SESSION}: {session_id}\n"


def options_for(config: Config) -> Config:
    """The list with the tools that Claude may use for a conflict: it may not end the merge.

    Nothing is allowed by the list's own rules and checks.
    """
    denied = (*config.claude.disallowed_tools, *DISALLOWED_TOOLS)
    claude = replace(config.claude, allowed_tools_add=(), disallowed_tools=denied)
    return replace(config, claude=claude, project=replace(config.project, verify=()))


async def preview(worktrees: WorktreeManager, into: str, conflict: Conflict) -> Resolution:
    """The known resolution of a conflict, or that Claude would be called; starts nothing."""
    merge = await _merge(worktrees, into, conflict)
    _, commit = await _recorded(worktrees.git, merge)
    if commit:
        return await _known(worktrees, merge, commit)
    return Resolution(Resolved.WOULD_ASK, reason=N_("Claude would be called"), files=conflict.files)


async def _recorded(git: Git, merge: Merge) -> tuple[str, str]:
    """The ref and the commit of the resolution of a merge, whichever side came first."""
    refs = await git.refs(RESOLUTIONS)
    keys = {merge.ref.rsplit("/", 1)[1], merge.mirrored}
    return next(((ref, c) for ref, c in refs.items() if ref.rsplit("/", 1)[1] in keys), ("", ""))


async def _known(worktrees: WorktreeManager, merge: Merge, commit: str) -> Resolution:
    session_id = await history.trailer(worktrees.git, commit, SESSION)
    return Resolution(Resolved.KNOWN, commit, files=merge.conflict.files, session_id=session_id)


async def _merge(worktrees: WorktreeManager, into: str, conflict: Conflict) -> Merge:
    git, tip = worktrees.git, conflict.candidate.tip
    base = await git.merge_base(conflict.ours, tip)
    common, one, other = [await git.tree_of(commit) for commit in (base, conflict.ours, tip)]
    ours, theirs = await commits.changed_files(git, [(base, conflict.ours), (base, tip)])
    with_them = [candidate.id for candidate in conflict.below]
    name = f"`{into}`" + (f" with {', '.join(with_them)}" if with_them else "")
    return Merge(
        conflict,
        base,
        f"{RESOLUTIONS}{conflict.candidate.id}/{_key(common, one, other)}",
        _key(common, other, one),
        ours.union(theirs, conflict.files),
        _side(conflict.onto, name, ours),
        _side(tip, f"`{worktrees.branch(conflict.candidate.id)}`", theirs),
    )


def _key(*trees: str) -> str:
    return hashlib.sha256(" ".join(trees).encode()).hexdigest()[:20]


def _side(commit: str, name: str, files: Collection[str]) -> Side:
    return Side(commit, name, tuple(sorted(files)))


def _end(output: str) -> list[str]:
    return output.strip().splitlines()[-20:]
