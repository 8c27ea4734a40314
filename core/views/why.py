"""Why a feature is not running, or will run again, and the command that changes that."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..dag.incremental import REVIEWED
from ..model.attempt import cost_of
from ..model.decision import NEW, Action, Decision
from ..model.excerpt import some
from ..model.frozen import Enum, dataclass
from ..model.json_values import Json
from ..model.moments import minute_of
from ..model.next_steps import next_commands
from ..model.outcome import Fault, Status
from ..model.phase import Phase
from ..model.state import FeatureState, Run, RunState
from ..model.translate import N_, _, shown
from ..model.words import counted, duration, money
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
    REVIEW = "review"
    """Too much waits for a review; or its own review is why it runs again."""
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
        reason = _("is not part of the current run; the next one starts it ({reason})").format(
            reason=shown(found.reason)
        )
        after: tuple[str, ...] = (f"rorchestrator run --only {id}",)
        words = run.provenance.command.split()
        if not any(word.startswith(("--only", "--tag")) for word in words):
            after = ("rorchestrator reload", *after)  # It is new in the list.
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
    Phase.SETUP: N_("its setup runs"),
    Phase.CLAUDE: N_("Claude works"),
    Phase.BETWEEN: N_("between two steps"),
    Phase.INSPECTION: N_("its worktree is inspected"),
    Phase.COMMIT: N_("its work is committed"),
    Phase.CHECKS: N_("its checks run"),
}


def _running(id: str, known: FeatureState, situation: Situation) -> Why:
    doing = _(_DOING.get(known.phase, N_("it begins")))
    reason = _("is running: {doing} ({time})").format(
        doing=doing, time=duration(situation.now - known.phase_at)
    )
    if known.setup_cached:
        reason = _("{reason}; its setup was skipped").format(reason=reason)
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
        return Why(id, Standing.WAITING, cause, reason, waits_for, commands=commands)

    state = situation.state
    needed = [d for d in situation.depends_on.get(id, ()) if _is_unfinished(d, run, state)]
    if needed:
        return waits(Cause.DEPENDENCY, *_needs(needed, run, state))
    if run.is_paused:
        return waits(Cause.PAUSE, _("waits because you paused the run"), (), "rorchestrator resume")
    if run.unreviewed and not known.attempts:
        many = _("waits for your review of {features}: project.max_unreviewed is set")
        many = many.format(features=counted(run.unreviewed, "feature"))
        return waits(Cause.REVIEW, many, (), "rorchestrator review")
    if run.paused_until:
        reset = _("waits for the reset of a usage limit: {time}").format(
            time=minute_of(run.paused_until)
        )
        return waits(Cause.LIMIT, reset, (), STATUS)
    working = tuple(f for f in run.features if _works(state.feature(f), run))
    if len(working) >= run.max_parallel:
        used = _("waits for a slot: {count} of {max_parallel} in use ({working})").format(
            count=len(working), max_parallel=run.max_parallel, working=shown(some(working))
        )
        return waits(Cause.SLOT, used, working, f"rorchestrator logs {working[0]} --follow")
    if known.run != run.id or not working:
        return waits(Cause.PREPARATION, _("waits until its worktree is ready"), (), STATUS)
    cap = _cap(run, situation)
    if cap is None:
        return waits(Cause.SLOT, _("waits for its worktree or a slot"), working, STATUS)
    spent = cost_of(a for f in run.features for a in state.feature(f).of_run(run.id)).known_usd
    held = _(
        "waits for its worktree or for money: {cost} of {budget} is spent, "
        "more is reserved by {working}"
    ).format(cost=money(spent), budget=money(cap), working=shown(some(working)))
    return waits(Cause.BUDGET, held, working, "rorchestrator run --max-cost USD")


def _needs(needed: list[str], run: Run, state: RunState) -> tuple[str, tuple[str, ...], str]:
    """How a feature waits for its dependencies, their ids, and what to type."""
    words = shown(some([f"{d} ({_phrase(state.feature(d), run)})" for d in needed]))
    of_run = [d for d in needed if state.feature(d).run == run.id]
    active = [d for d in of_run if state.feature(d).status.active]
    look = f"logs {active[0]} --follow" if active else f"why {needed[0]}"
    return _("waits for {words}").format(words=words), tuple(needed), f"rorchestrator {look}"


def _works(known: FeatureState, run: Run) -> bool:
    return known.run == run.id and known.status.active and known.in_slot


def _is_unfinished(id: str, run: Run, state: RunState) -> bool:
    """Whether a dependency is part of the run and has no result yet."""
    known = state.feature(id)
    return id in run.features and not (known.run == run.id and known.status is Status.COMPLETED)


def _phrase(known: FeatureState, run: Run) -> str:
    return _(known.status.words) if known.run == run.id else _("waiting")


def _over(id: str, known: FeatureState, situation: Situation) -> Why:
    """A feature that ended in the current run."""
    if known.status is Status.COMPLETED:
        return Why(id, Standing.UP_TO_DATE, Cause.NONE, _("completed in this run"))
    return _without_result(id, known, situation, again=f"rorchestrator retry {id}")


def _between_runs(id: str, known: FeatureState, situation: Situation) -> Why:
    decision = situation.decisions.get(id)
    if decision is None:
        return _unknown(id, known)
    if decision.action is Action.SKIP:
        reason = (
            _("is {reason}").format(reason=shown(decision.reason))
            if not decision.merged
            else _("is up to date: {reason}").format(reason=shown(decision.reason))
        )
        again = (f"rorchestrator run --fresh={id} --only {id}",)
        return Why(id, Standing.UP_TO_DATE, Cause.NONE, reason, commands=again)
    if decision.action is Action.LEAVE:
        return _left_out(id, known, decision, situation)
    is_reviewed = decision.reason in REVIEWED
    changed = () if is_reviewed else situation.changed(id)
    if changed:
        return _changed(id, changed, situation)
    run = f"rorchestrator run --only {id}"
    if known.status.unsuccessful:
        return _without_result(id, known, situation, again=run)
    if known.status.active:
        said = _("was interrupted ({status}): the next run starts it")
        if decision.action is Action.RESUME:
            said = _("was interrupted ({status}): the next run resumes it")
        reason = said.format(status=_(known.status.words))
        logs = (f"rorchestrator logs {id}",) if known.attempts else ()
        return Why(id, Standing.DUE, Cause.INTERRUPTED, reason, commands=(run, *logs))
    if decision.reason == NEW:
        needed = _due_dependencies(id, situation)
        after = _("; {needed} runs first").format(needed=shown(some(needed))) if needed else ""
        return Why(
            id,
            Standing.DUE,
            Cause.NEW,
            _("has never run{after}").format(after=after),
            needed,
            commands=(run,),
        )
    reason = _("runs again: {reason}").format(reason=shown(decision.reason))
    cause = Cause.REVIEW if is_reviewed else Cause.GONE
    return Why(id, Standing.DUE, cause, reason, commands=(run,))


def _due_dependencies(id: str, situation: Situation) -> tuple[str, ...]:
    decisions = situation.decisions
    due = (Action.START, Action.RESUME)
    return tuple(d for d in situation.depends_on.get(id, ()) if decisions[d].action in due)


def _unknown(id: str, known: FeatureState) -> Why:
    """A feature whose list cannot be used: only what the journal knows of it."""
    said = f": {shown(known.reason)}" if known.reason else ""
    reason = _("is recorded as {status}{said}").format(status=_(known.status.words), said=said)
    return Why(id, Standing.UNKNOWN, Cause.NONE, reason, commands=("rorchestrator plan",))


def _left_out(id: str, known: FeatureState, decision: Decision, situation: Situation) -> Why:
    if known.skip:
        return Why(
            id,
            Standing.LEFT_OUT,
            Cause.SKIP,
            _("is {reason}").format(reason=shown(decision.reason)),
            commands=(f"rorchestrator retry {id}",),
        )
    decisions = situation.decisions
    needed = tuple(
        d for d in situation.depends_on.get(id, ()) if decisions[d].action is Action.LEAVE
    )
    roots = tuple(dict.fromkeys(root for d in needed for root in _skipped(d, situation)))
    reason = _("is left out: it {reason}").format(reason=shown(decision.reason))
    if roots != needed:
        reason += _(", because {roots} is skipped").format(roots=shown(some(roots)))
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
    reason = _("runs again: {parts}").format(parts=_("; ").join(parts))
    waits_for = tuple(d for d in others if d in _due_dependencies(id, situation))
    commands = [f"rorchestrator run --only {id}"]
    if situation.state.feature(id).work is not None:
        commands.append(f"rorchestrator merge {id} --stale")
    return Why(id, Standing.DUE, Cause.CHANGED, reason, waits_for, changed, tuple(commands))


def _named(each: ChangedInput) -> str:
    names = f" ({', '.join(each.names)})" if each.names else ""
    return _("{input} changed{names}").format(input=_(each.input), names=names)


def _dependency(id: str, situation: Situation) -> str:
    decision = situation.decisions.get(id)
    if decision is None:
        return _("it no longer depends on {id}").format(id=id)
    if decision.action in (Action.START, Action.RESUME):
        return _("its dependency {id} runs again ({reason})").format(
            id=id, reason=shown(decision.reason)
        )
    return _("its dependency {id} has another result").format(id=id)


_CAUSES = {
    Fault.BUDGET: Cause.BUDGET,
    Fault.ALLOWANCE: Cause.BUDGET,
    Fault.LIMIT: Cause.LIMIT,
    Fault.INTERRUPTED: Cause.INTERRUPTED,
}


def _without_result(id: str, known: FeatureState, situation: Situation, *, again: str) -> Why:
    """A feature that ended without a result, and was not changed since."""
    said = _(known.status.words)
    if known.reason:
        said = _("{what}: {why}").format(what=said, why=shown(known.reason))
    standing = Standing.DUE
    if known.status is Status.BLOCKED:
        needed = _due_dependencies(id, situation) if situation.decisions else ()
        first = tuple(f"rorchestrator why {d}" for d in needed[:1])
        return Why(
            id,
            standing,
            Cause.DEPENDENCY,
            _("was {said}").format(said=said),
            needed,
            commands=(*first, again),
        )
    if known.status is Status.SKIPPED:
        return Why(
            id,
            Standing.LEFT_OUT,
            Cause.SKIP,
            _("is {reason}").format(reason=shown(known.reason)),
            commands=(again,),
        )
    cause = _CAUSES.get(known.fault, Cause.FAILED)
    if known.status is Status.CANCELLED and cause is Cause.FAILED:
        cause = Cause.INTERRUPTED
    if cause is Cause.BUDGET:
        again = f"{again} --max-cost USD"
    was = _("was ") if known.status in (Status.CANCELLED, Status.BLOCKED) else ""
    logs = (command for command in next_commands(known) if command.startswith("rorchestrator logs"))
    return Why(id, standing, cause, f"{was}{said}", commands=(again, *logs))
