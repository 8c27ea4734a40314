"""Why a feature is not running, or will run again, and the command that changes that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from ..model.attempt import cost_of
from ..model.decision import NEW, Action, Decision
from ..model.excerpt import some
from ..model.frozen import dataclass
from ..model.json_values import Json
from ..model.moments import minute_of
from ..model.next_steps import next_commands
from ..model.outcome import Fault, Status
from ..model.phase import Phase
from ..model.state import FeatureState, Run, RunState
from ..model.words import duration, money
from ..project.changed_inputs import ChangedInput

STATUS = "rorchestrator status"


class Standing(Enum):
    """Where a feature stands."""

    RUNNING = "running"
    WAITING = "waiting"
    """A run will get to it."""
    DUE = "due"
    """The next run starts or resumes it."""
    LEFT_OUT = "left_out"
    """No run starts it: it is skipped, or a dependency is."""
    UP_TO_DATE = "up_to_date"
    UNKNOWN = "unknown"
    """The feature list cannot be used, so its inputs are unknown."""


class Cause(Enum):
    """What a feature waits for, or why it runs."""

    NONE = "none"
    DEPENDENCY = "dependency"
    SLOT = "slot"
    BUDGET = "budget"
    LIMIT = "limit"
    PAUSE = "pause"
    SKIP = "skip"
    SELECTION = "selection"
    """The current run does not include it."""
    PREPARATION = "preparation"
    NEW = "new"
    CHANGED = "changed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    GONE = "gone"
    """Its result does not exist any more."""


@dataclass(frozen=True)
class Situation:
    """What there is to know about the features of a list at a moment."""

    state: RunState
    now: float
    depends_on: Mapping[str, tuple[str, ...]]
    """The features of the list, each with its dependencies."""
    decisions: Mapping[str, Decision]
    """What the next run would do; empty if the list cannot be used."""
    changed: Callable[[str], tuple[ChangedInput, ...]]
    """The changed inputs of a feature. They are asked for only if they matter."""
    run: Run | None = None
    """The run in progress."""
    max_cost_usd: float | None = None
    """The budget that the list gives a run."""


@dataclass(frozen=True)
class Why:
    """Why one feature is not running, or will run again."""

    feature: str
    standing: Standing
    cause: Cause
    reason: str
    """A part of a sentence, whose subject is the feature."""
    waits_for: tuple[str, ...] = ()
    """The features that have to complete, or to free a slot, first."""
    changed: tuple[ChangedInput, ...] = ()
    commands: tuple[str, ...] = ()
    """The commands to type: the first one is the most likely."""

    def to_json(self) -> dict[str, Json]:
        """An entry of ``why --json``."""
        return {
            "feature": self.feature,
            "standing": self.standing.value,
            "cause": self.cause.value,
            "reason": self.reason,
            "waits_for": list(self.waits_for),
            "changed": [
                {"input": each.input, "names": list(each.names), "diff": list(each.diff)}
                for each in self.changed
            ],
            "commands": list(self.commands),
        }


def why(id: str, situation: Situation) -> Why:
    """Why a feature of the list is not running, or will run again."""
    run, known = situation.run, situation.state.feature(id)
    if run is None:
        return _between_runs(id, known, situation)
    if id in run.features and known.run == run.id and not known.status.active:
        return _over(id, known, situation)
    if id not in run.features:
        found = _between_runs(id, known, situation)
        if found.standing is not Standing.DUE:
            return found
        reason = f"is not part of the current run; the next one starts it ({found.reason})"
        after = (f"rorchestrator run --only {id}",)
        return Why(id, Standing.WAITING, Cause.SELECTION, reason, commands=after)
    if known.run == run.id and _is_at_work(known, run):
        return _running(id, known, situation)
    return _waiting(id, known, run, situation)


def _is_at_work(known: FeatureState, run: Run) -> bool:
    is_held = known.phase is Phase.BETWEEN and (run.is_paused or run.paused_until)
    return (
        known.status.active and not is_held and (known.in_slot or known.phase is not Phase.WORKTREE)
    )


_DOING = {
    Phase.SETUP: "its setup runs",
    Phase.CLAUDE: "Claude works",
    Phase.BETWEEN: "between two steps",
    Phase.INSPECTION: "its worktree is inspected",
    Phase.COMMIT: "its work is committed",
    Phase.CHECKS: "its checks run",
}


def _running(id: str, known: FeatureState, situation: Situation) -> Why:
    doing = _DOING.get(known.phase, "it begins")
    reason = f"is running: {doing} ({duration(situation.now - known.phase_at)})"
    kind = {Phase.SETUP: " --setup", Phase.CHECKS: " --checks"}.get(known.phase, "")
    commands = (f"rorchestrator logs {id}{kind} --follow", f"rorchestrator stop {id}")
    return Why(id, Standing.RUNNING, Cause.NONE, reason, commands=commands)


def _cap(run: Run, situation: Situation) -> float | None:
    """The budget that the run was started with; that of the list if it recorded nothing."""
    recorded = run.provenance
    return recorded.max_cost_usd if recorded.version else situation.max_cost_usd


def _waiting(id: str, known: FeatureState, run: Run, situation: Situation) -> Why:
    """A feature that the current run has not come to."""

    def waits(cause: Cause, reason: str, waits_for: tuple[str, ...] = (), *commands: str) -> Why:
        return Why(id, Standing.WAITING, cause, f"waits {reason}", waits_for, commands=commands)

    state = situation.state
    needed = [d for d in situation.depends_on.get(id, ()) if _is_unfinished(d, run, state)]
    if needed:
        return waits(Cause.DEPENDENCY, *_needs(needed, run, state))
    if run.is_paused:
        return waits(Cause.PAUSE, "because you paused the run", (), "rorchestrator resume")
    if run.paused_until:
        reset = f"for the reset of a usage limit: {minute_of(run.paused_until)}"
        return waits(Cause.LIMIT, reset, (), STATUS)
    working = tuple(f for f in run.features if _works(state.feature(f), run))
    if len(working) >= run.max_parallel:
        used = f"for a slot: {len(working)} of {run.max_parallel} in use ({some(working)})"
        return waits(Cause.SLOT, used, working, f"rorchestrator logs {working[0]} --follow")
    if known.run != run.id or not working:
        return waits(Cause.PREPARATION, "until its worktree is ready", (), STATUS)
    cap = _cap(run, situation)
    if cap is None:
        return waits(Cause.SLOT, "for its worktree or a slot", working, STATUS)
    spent = cost_of(a for f in run.features for a in state.feature(f).of_run(run.id)).known_usd
    of_cap = f"{money(spent)} of {money(cap)} is spent"
    held = f"for its worktree or for money: {of_cap}, more is reserved by {some(working)}"
    return waits(Cause.BUDGET, held, working, "rorchestrator run --max-cost USD")


def _needs(needed: list[str], run: Run, state: RunState) -> tuple[str, tuple[str, ...], str]:
    """How a feature waits for its dependencies, their ids, and what to type."""
    words = some([f"{d} ({_phrase(state.feature(d), run)})" for d in needed])
    of_run = [d for d in needed if state.feature(d).run == run.id]
    active = [d for d in of_run if state.feature(d).status.active]
    look = f"logs {active[0]} --follow" if active else f"why {needed[0]}"
    return f"for {words}", tuple(needed), f"rorchestrator {look}"


def _works(known: FeatureState, run: Run) -> bool:
    return known.run == run.id and known.status.active and known.in_slot


def _is_unfinished(id: str, run: Run, state: RunState) -> bool:
    """Whether a dependency is part of the run and has no result yet."""
    known = state.feature(id)
    return id in run.features and not (known.run == run.id and known.status is Status.COMPLETED)


def _phrase(known: FeatureState, run: Run) -> str:
    return known.status.words if known.run == run.id else "waiting"


def _over(id: str, known: FeatureState, situation: Situation) -> Why:
    """A feature that ended in the current run."""
    if known.status is Status.COMPLETED:
        return Why(id, Standing.UP_TO_DATE, Cause.NONE, "completed in this run")
    return _without_result(id, known, situation, again=f"rorchestrator retry {id}")


def _between_runs(id: str, known: FeatureState, situation: Situation) -> Why:
    decision = situation.decisions.get(id)
    if decision is None:
        return _unknown(id, known)
    if decision.action is Action.SKIP:
        reason = (
            f"is {decision.reason}" if not decision.merged else f"is up to date: {decision.reason}"
        )
        again = (f"rorchestrator run --fresh={id} --only {id}",)
        return Why(id, Standing.UP_TO_DATE, Cause.NONE, reason, commands=again)
    if decision.action is Action.LEAVE:
        return _left_out(id, known, decision, situation)
    changed = situation.changed(id)
    if changed:
        return _changed(id, changed, situation)
    run = f"rorchestrator run --only {id}"
    if known.status.unsuccessful:
        return _without_result(id, known, situation, again=run)
    if known.status.active:
        reason = f"was interrupted ({known.status.words}): the next run {_resumes(decision)} it"
        logs = (f"rorchestrator logs {id}",) if known.attempts else ()
        return Why(id, Standing.DUE, Cause.INTERRUPTED, reason, commands=(run, *logs))
    if decision.reason == NEW:
        needed = _due_dependencies(id, situation)
        after = f"; {some(needed)} runs first" if needed else ""
        return Why(id, Standing.DUE, Cause.NEW, f"has never run{after}", needed, commands=(run,))
    reason = f"runs again: {decision.reason}"
    return Why(id, Standing.DUE, Cause.GONE, reason, commands=(run,))


def _resumes(decision: Decision) -> str:
    return "resumes" if decision.action is Action.RESUME else "starts"


def _due_dependencies(id: str, situation: Situation) -> tuple[str, ...]:
    decisions = situation.decisions
    due = (Action.START, Action.RESUME)
    return tuple(d for d in situation.depends_on.get(id, ()) if decisions[d].action in due)


def _unknown(id: str, known: FeatureState) -> Why:
    """A feature whose list cannot be used: only what the journal knows of it."""
    said = f": {known.reason}" if known.reason else ""
    reason = f"is recorded as {known.status.words}{said}"
    return Why(id, Standing.UNKNOWN, Cause.NONE, reason, commands=("rorchestrator plan",))


def _left_out(id: str, known: FeatureState, decision: Decision, situation: Situation) -> Why:
    if known.skip:
        return Why(
            id,
            Standing.LEFT_OUT,
            Cause.SKIP,
            f"is {decision.reason}",
            commands=(f"rorchestrator retry {id}",),
        )
    decisions = situation.decisions
    needed = tuple(
        d for d in situation.depends_on.get(id, ()) if decisions[d].action is Action.LEAVE
    )
    roots = tuple(dict.fromkeys(root for d in needed for root in _skipped(d, situation)))
    reason = f"is left out: it {decision.reason}"
    if roots != needed:
        reason += f", because {some(roots)} is skipped"
    commands = (f"rorchestrator retry {roots[0]}", f"rorchestrator skip {roots[0]} --force")
    return Why(id, Standing.LEFT_OUT, Cause.DEPENDENCY, reason, needed, commands=commands)


def _skipped(id: str, situation: Situation) -> tuple[str, ...]:
    """The skipped features because of which this one is left out; itself if it is one."""
    if situation.state.feature(id).skip:
        return (id,)
    decisions = situation.decisions
    left = (d for d in situation.depends_on.get(id, ()) if decisions[d].action is Action.LEAVE)
    return tuple(root for d in left for root in _skipped(d, situation))


def _changed(id: str, changed: tuple[ChangedInput, ...], situation: Situation) -> Why:
    own = [each for each in changed if not each.dependency]
    others = tuple(each.dependency for each in changed if each.dependency)
    parts = [_named(each) for each in own]
    parts += [_dependency(other, situation) for other in others]
    reason = f"runs again: {'; '.join(parts)}"
    waits_for = tuple(d for d in others if d in _due_dependencies(id, situation))
    commands = [f"rorchestrator run --only {id}"]
    if situation.state.feature(id).work is not None:
        commands.append(f"rorchestrator merge {id} --stale")
    return Why(id, Standing.DUE, Cause.CHANGED, reason, waits_for, changed, tuple(commands))


def _named(each: ChangedInput) -> str:
    names = f" ({', '.join(each.names)})" if each.names else ""
    return f"{each.input} changed{names}"


def _dependency(id: str, situation: Situation) -> str:
    decision = situation.decisions.get(id)
    if decision is None:
        return f"it no longer depends on {id}"
    if decision.action in (Action.START, Action.RESUME):
        return f"its dependency {id} runs again ({decision.reason})"
    return f"its dependency {id} has another result"


_CAUSES = {
    Fault.BUDGET: Cause.BUDGET,
    Fault.ALLOWANCE: Cause.BUDGET,
    Fault.LIMIT: Cause.LIMIT,
    Fault.INTERRUPTED: Cause.INTERRUPTED,
}


def _without_result(id: str, known: FeatureState, situation: Situation, *, again: str) -> Why:
    """A feature that ended without a result, and was not changed since."""
    said = f"{known.status.words}: {known.reason}" if known.reason else known.status.words
    standing = Standing.DUE
    if known.status is Status.BLOCKED:
        needed = _due_dependencies(id, situation) if situation.decisions else ()
        first = tuple(f"rorchestrator why {d}" for d in needed[:1])
        return Why(id, standing, Cause.DEPENDENCY, f"was {said}", needed, commands=(*first, again))
    if known.status is Status.SKIPPED:
        return Why(id, Standing.LEFT_OUT, Cause.SKIP, f"is {known.reason}", commands=(again,))
    cause = _CAUSES.get(known.fault, Cause.FAILED)
    if known.status is Status.CANCELLED and cause is Cause.FAILED:
        cause = Cause.INTERRUPTED
    if cause is Cause.BUDGET:
        again = f"{again} --max-cost USD"
    was = "was " if known.status in (Status.CANCELLED, Status.BLOCKED) else ""
    logs = (command for command in next_commands(known) if command.startswith("rorchestrator logs"))
    return Why(id, standing, cause, f"{was}{said}", commands=(again, *logs))
