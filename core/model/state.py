"""The state of all features and runs, as values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum

from .attempt import Attempt, cost_of
from .costs import Cost, Paid
from .frozen import dataclass, field, replace
from .outcome import AttemptOutcome, Fault, Stage, Status, Stray, Work


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
    """That ``merge`` was about to move a branch to ``tip``; git knows whether it was moved."""

    commit: str
    """The first commit of the branch that holds the feature."""
    result: str
    """What of the feature it holds."""
    strategy: str
    tip: str
    is_over: bool = False
    """Whether the branch was seen there: what is not there later, the user took away."""


@dataclass(frozen=True)
class FeatureState:
    """What is known of a feature: its last life, from ``preparing`` on, over all its attempts."""

    id: str
    owner: str = ""
    """The list that it is a feature of; empty where the journal does not tell."""
    name: str = ""
    status: Status = Status.PENDING
    reason: str = ""
    fault: Fault = Fault.NONE
    stage: Stage = Stage.NONE
    why: str = ""
    run: str = ""
    key: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    branch: str = ""
    worktree: str = ""
    start_commit: str = ""
    work_start: str = ""
    """The same, and still known once it was cleaned up."""
    base_commit: str = ""
    base_option: str = ""
    """What ``--base`` named in the run that started it."""
    started_at: float | None = None
    """When it came into a slot; until then, when it began to get ready."""
    in_slot: bool = False
    """Whether its last run had a slot for it."""
    ended_at: float | None = None
    attempts: tuple[Attempt, ...] = ()
    work: Work | None = None
    was_set_up: bool = False
    """Whether its worktree's setup was begun: there is something to tear down."""
    is_ready: bool = False
    """Whether its worktree's setup went well."""
    made: tuple[str, ...] = ()
    """The ignored files that its worktree held before the work: nobody's work."""
    left: Mapping[str, str] = field(default_factory=dict)
    """What its checks left in its worktree, with what tells it from a changed one."""
    last_check: Check | None = None
    was_checked: bool = False
    """Whether checks were begun on what its last attempt made: there may be what they left."""
    merged_into: str = ""
    kept_ref: str = ""
    landings: Mapping[str, Landing] = field(default_factory=dict)
    """The last one on each branch, by its name."""
    resolutions: tuple[Attempt, ...] = ()
    """Each start of Claude for a conflict that the feature met when it was to land."""
    clashes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The files in which it will not merge with another feature, by that one's id."""
    skip: Skip | None = None
    is_inherited: bool = False
    """Whether its branch and worktree are what another list left, where Claude may have worked."""
    is_replaced: bool = False
    """Whether another list has its id, and so its branch and worktree, by now."""
    strays: tuple[Stray, ...] = ()
    """Worktrees and branches that no run made, and that came up while it ran, over all lives."""
    earlier: tuple[Attempt, ...] = ()
    """The attempts of earlier lives in the run of the last one: they were paid for as well."""
    past: Cost = Cost()
    """What all other attempts of earlier lives cost, resolutions of conflicts included."""

    @property
    def cost(self) -> Cost:
        """What the feature cost over all runs, without the resolutions of its last life."""
        return self.past + cost_of((*self.earlier, *self.attempts))

    @property
    def made_before_work(self) -> tuple[str, ...] | None:
        """The ignored files that are nobody's work; ``None`` for all of them.

        Where Claude never began, a setup that did not come to its end left them.
        """
        return self.made if self.attempts or not self.was_set_up else None

    @property
    def session_id(self) -> str:
        """Claude's session of the last attempt."""
        return self.attempts[-1].session_id if self.attempts else ""

    @property
    def last_outcome(self) -> AttemptOutcome | None:
        """How the last attempt ended; ``None`` while it goes on, or where there was none."""
        return self.attempts[-1].outcome if self.attempts else None

    def of_run(self, run: str) -> tuple[Attempt, ...]:
        """The attempts that were made in ``run``, over all lives that it had there."""
        made = (*self.earlier, *self.attempts)
        return tuple(attempt for attempt in made if attempt.run == run)


@dataclass(frozen=True)
class Wait:
    """Time in which nothing was started: ``seconds`` that are over, and since when it is again."""

    seconds: float = 0.0
    since: float | None = None

    def at(self, moment: float, *, waits: bool) -> Wait:
        """Once it is known whether it waits from that moment on."""
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
    """When a usage limit is thought to be lifted (ISO 8601); empty while work goes on."""
    is_paused: bool = False
    """Whether the user paused it."""
    limits: Wait = Wait()
    """For usage limits to be lifted."""
    pauses: Wait = Wait()
    """For the user, who paused it."""
    base_option: str = ""
    """What ``--base`` named."""
    owner: str = ""
    """The list that it ran."""


@dataclass(frozen=True)
class RunState:
    """All features ever run in a repository, and the last run."""

    features: Mapping[str, FeatureState] = field(default_factory=dict)
    run: Run | None = None
    passed: frozenset[str] = frozenset()
    """The checks that were green, by tree and command."""
    merge: str = ""
    """The mark of a merge that is running or was killed: what it started may be left."""
    rates: Mapping[str, Paid] = field(default_factory=dict)
    """What each model cost so far, by what the results reported."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """The list of each run and each merge, by their ids."""
    replaced: Mapping[tuple[str, str], FeatureState] = field(default_factory=dict)
    """By list and id: what was known of a feature when another list started one of that id."""
    setups: Mapping[str, str] = field(default_factory=dict)
    """What setups may change of what git executes: digests by name."""
    wrote: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The files that commands left in scratch worktrees, where no user works."""

    def feature(self, id: str) -> FeatureState:
        """What is known of a feature; a blank state for one that never ran."""
        return self.features.get(id) or FeatureState(id)

    def of(self, owners: Collection[str]) -> RunState:
        """What there is to know of the features of some lists, and of no other's."""
        features = {id: known for id, known in self.features.items() if known.owner in owners}
        for (owner, id), known in self.replaced.items():
            if owner in owners and id not in features:
                features[id] = _beside(known, self.feature(id))
        return replace(self, features=features)


def _beside(known: FeatureState, other: FeatureState) -> FeatureState:
    """A feature, less what is that of another list by now."""
    if known.branch not in ("", other.branch) and known.worktree != other.worktree:
        return known
    return replace(known, branch="", worktree="", start_commit="", is_replaced=True)
