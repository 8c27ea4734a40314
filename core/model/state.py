"""The state of all features and runs, as values."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .costs import Cost
from .frozen import Enum, dataclass, field, replace
from .outcome import Fault, Stage, Status
from .phase import Phase
from .provenance import Provenance
from .review import Review

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .again import Again
    from .attempt import Attempt
    from .check_verdict import CheckVerdict
    from .costs import Paid
    from .handover import PullRequest, Push
    from .outcome import AttemptOutcome, Stray, Work
    from .strategy import Strategy
    from .window import Window


class Skip(Enum):
    """How the user skipped a feature."""

    PLAIN = "plain"
    """Its dependents do not run either."""
    FORCED = "forced"
    """Its dependents run without it."""


PREDICTED_CONFLICTS = 5
"""How many of a feature's conflicts are predicted: a longer list would not help."""


@dataclass(frozen=True)
class Check:
    """How a check of a feature's work ended."""

    command: str
    passed: bool
    ending: str
    at: float


@dataclass(frozen=True)
class Landing:
    """A record that ``merge`` was about to move a branch to ``tip``; git knows whether it did."""

    commit: str
    """The first commit of the branch that contains the feature."""
    result: str
    """What of the feature it holds."""
    strategy: Strategy | None
    """``None`` for one of a newer version."""
    tip: str
    is_over: bool = False
    """Whether the branch was seen there: what is not there later, the user took away."""


@dataclass(frozen=True)
class Move:
    """What one ``merge`` was about to do to a branch; git knows whether it did."""

    merge: str
    """The id of the merge."""
    at: float
    into: str
    tip: str
    moved_from: str = ""
    """The commit of the branch before; empty if an older version made the record."""
    owner: str = ""
    """The feature list."""
    landings: Mapping[str, Landing] = field(default_factory=dict)
    """What it landed, by feature."""
    is_over: bool = False
    """Whether the branch was seen there."""
    undoing_at: float | None = None
    """When its undo was about to move the branch back; git knows whether it did."""
    undone_at: float | None = None


@dataclass(frozen=True)
class FeatureState:
    """The state of a feature since it last started from the beginning (event ``based``)."""

    id: str
    owner: str = ""
    """The feature list that it belongs to; empty if the journal does not record it."""
    name: str = ""
    status: Status = Status.PENDING
    reason: str = ""
    fault: Fault = Fault.NONE
    stage: Stage = Stage.NONE
    """Reason, fault and stage are those of its outcome."""
    why: str = ""
    """Why the last run worked on it: the reason of its decision."""
    run: str = ""
    key: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    branch: str = ""
    worktree: str = ""
    start_commit: str = ""
    """The commit that its branch started from; empty after a cleanup."""
    work_start: str = ""
    """The same commit, kept after a cleanup."""
    base_commit: str = ""
    base_option: str = ""
    """The value of ``--base`` in the run that started it."""
    phase: Phase = Phase.NONE
    phase_at: float = 0.0
    """When its phase began."""
    started_at: float | None = None
    """When it got its slot; before that, when its preparation began."""
    in_slot: bool = False
    """Whether it had a slot in its last run."""
    ended_at: float | None = None
    attempts: tuple[Attempt, ...] = ()
    work: Work | None = None
    again: Again | None = None
    """What ``retry`` asked for, if it is to go on with what is there."""
    older: tuple[str, ...] = ()
    """The results since it started over that a retry replaced, the last one last."""
    published: tuple[str, int] = ("", 0)
    """The last run that gave it a result, and how many results that run gave it."""
    was_set_up: bool = False
    """Whether the setup of its worktree began, so that a teardown is needed."""
    is_ready: bool = False
    """Whether the setup of its worktree succeeded."""
    setup_cached: tuple[str, ...] = ()
    """The folders in its worktree from the setup cache, if its setup was skipped."""
    made: tuple[str, ...] = ()
    """The ignored files in its worktree before Claude began: they are not work."""
    left: Mapping[str, str] = field(default_factory=dict)
    """The files that its checks left in its worktree, each with a digest that proves it."""
    last_check: Check | None = None
    """The first check that failed since the checks of a commit began, else the last one."""
    was_checked: bool = False
    """Whether checks ran after the last attempt and may have left files."""
    merged_into: str = ""
    kept_ref: str = ""
    landings: Mapping[str, Landing] = field(default_factory=dict)
    """The last landing on each branch, by the branch's name."""
    resolutions: tuple[Attempt, ...] = ()
    """The attempts of Claude to resolve conflicts: with its target branch, or between what the
    feature depends on."""
    clashes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Predicted conflicts: the files, by the id of the other feature."""
    skip: Skip | None = None
    is_inherited: bool = False
    """Whether its branch and worktree are left over from another list."""
    is_replaced: bool = False
    """Whether its id, branch and worktree belong to another list now."""
    strays: tuple[Stray, ...] = ()
    """Worktrees and branches that appeared while it ran, but that no run created."""
    earlier: tuple[Attempt, ...] = ()
    """The attempts of its last run from before it started over: they cost money, too."""
    past: Cost = Cost()
    """The cost of all other attempts before it started over, including resolutions."""
    verdicts: Mapping[str, CheckVerdict] = field(default_factory=dict)
    """The last verdict on each of its checks, by scope and check."""
    review: Review = Review()
    is_answered: bool = False
    """Whether its reviewer answered about its current result, or commented on all of it."""
    pushes: Mapping[str, Push] = field(default_factory=dict)
    """The last push of its branch to each remote, by the remote's name."""
    pull_request: PullRequest | None = None

    @property
    def cost(self) -> Cost:
        """The cost of the feature over all runs, without its current ``resolutions``."""
        if not (self.earlier or self.attempts):
            return self.past
        from .attempt import cost_of

        return self.past + cost_of((*self.earlier, *self.attempts))

    @property
    def made_before_work(self) -> tuple[str, ...] | None:
        """The ignored files that are not work; ``None`` for all of them.

        If Claude never started, all are the leftovers of an interrupted setup.
        """
        return self.made if self.attempts or not self.was_set_up else None

    @property
    def session_id(self) -> str:
        """The session of the last attempt; empty without one."""
        return self.attempts[-1].session_id if self.attempts else ""

    @property
    def last_outcome(self) -> AttemptOutcome | None:
        """The outcome of the last attempt; ``None`` without one, or while it is running."""
        return self.attempts[-1].outcome if self.attempts else None

    @property
    def last_result(self) -> str:
        """The commit of its result; during a retry, of the one that it had. Else empty."""
        if self.work is not None:
            return self.work.commit
        return self.older[-1] if self.older else ""

    def result_name(self, run: str) -> str:
        """What follows its id in the ref of its next result in ``run``."""
        last, count = self.published
        return f"{run}.{count + 1}" if last == run else run

    def attempts_of(self, run: str) -> tuple[Attempt, ...]:
        """The attempts in ``run``, also those from before it started over."""
        made = (*self.earlier, *self.attempts)
        return tuple(attempt for attempt in made if attempt.run == run)

    def of_run(self, run: str) -> tuple[Attempt, ...]:
        """All that was paid for the feature in ``run``: also the conflicts resolved for it."""
        made = (attempt for attempt in self.resolutions if attempt.run == run)
        return (*self.attempts_of(run), *made)


@dataclass(frozen=True)
class Wait:
    """Waiting time: the ``seconds`` of earlier waits, and when the current wait began."""

    seconds: float = 0.0
    since: float | None = None

    def at(self, moment: float, *, waits: bool) -> Wait:
        """The waiting time, if the run ``waits`` or stops waiting at that moment."""
        if waits == (self.since is not None):
            return self
        if self.since is None:
            return Wait(self.seconds, moment)
        return Wait(self.seconds + max(0.0, moment - self.since))


@dataclass(frozen=True)
class Run:
    """One ``run`` command."""

    id: str
    started_at: float
    pid: int = 0
    base_branch: str = ""
    base_commit: str = ""
    features: tuple[str, ...] = ()
    max_parallel: int = 1
    ended_at: float | None = None
    exit_code: int | None = None
    paused_until: str = ""
    """The expected reset of a usage limit (ISO 8601); empty if there is none to wait for."""
    is_paused: bool = False
    """Whether the user paused it."""
    unreviewed: int = 0
    """How many completed features wait for a review, if nothing new starts because of that."""
    limits: Wait = Wait()
    """The waiting time for usage limits."""
    pauses: Wait = Wait()
    """The time for which the user paused it."""
    base_option: str = ""
    """The value of ``--base``."""
    owner: str = ""
    """The feature list of the run."""
    provenance: Provenance = Provenance()
    out_of_date: Mapping[str, str] = field(default_factory=dict)
    """Features that began before the list changed, each with the input that changed."""


@dataclass(frozen=True)
class RunState:
    """The state of all features that ever ran in a repository, and of the last run."""

    features: Mapping[str, FeatureState] = field(default_factory=dict)
    run: Run | None = None
    passed: frozenset[str] = frozenset()
    """The keys of the checks that passed: one key for a tree and a command."""
    merge: str = ""
    """The id of a merge that is running or was killed: processes of it may be left."""
    rates: Mapping[str, Paid] = field(default_factory=dict)
    """What each model cost so far, as the results reported it."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """The feature list of each run and merge, by its id."""
    replaced: Mapping[tuple[str, str], FeatureState] = field(default_factory=dict)
    """By list and id: the state of a feature before another list reused its id."""
    setups: Mapping[str, str] = field(default_factory=dict)
    """The accepted changes that setups make to what git executes: digests by name."""
    wrote: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By command: the files that it left in scratch worktrees."""
    moves: Mapping[str, Move] = field(default_factory=dict)
    """What each merge landed, by its id, the oldest first."""
    windows: Mapping[str, Window] = field(default_factory=dict)
    """How full the windows of usage limits were the last time, by type."""
    stored: Mapping[str, str] = field(default_factory=dict)
    """The digests of the last entries of the setup cache, by key."""

    def feature(self, id: str) -> FeatureState:
        """The state of a feature; a blank one if it never ran."""
        return self.features.get(id) or FeatureState(id)

    def of(self, owners: Collection[str]) -> RunState:
        """The state with only the features of some feature lists."""
        features = {id: known for id, known in self.features.items() if known.owner in owners}
        for (owner, id), known in self.replaced.items():
            if owner in owners and id not in features:
                features[id] = _beside(known, self.feature(id))
        return replace(self, features=features)


def _beside(known: FeatureState, other: FeatureState) -> FeatureState:
    """A feature without the branch and worktree that belong to another list now."""
    if known.branch not in ("", other.branch) and known.worktree != other.worktree:
        return known
    return replace(known, branch="", worktree="", start_commit="", is_replaced=True)
