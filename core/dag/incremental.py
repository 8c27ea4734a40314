"""Decides which features are up to date and why others run: "new", "prompt changed", …"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..model.decision import NEW, Action, Decision
from ..model.excerpt import some
from ..model.feature import Config, Feature
from ..model.frozen import dataclass, field, replace
from ..model.outcome import Status
from ..model.state import FeatureState, RunState
from ..model.translate import N_
from .feature_inputs import DEPENDENCY, FORM, digest, inputs_of_1_0
from .feature_inputs import inputs as inputs_of
from .resolver import DAGResolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..claude.prompt import PromptWriter

ASKED = N_("requested again")
COMMENTS = N_("comments")
MORE_ATTEMPTS = N_("more attempts")
REJECTED = N_("rejected")
REVIEWED = (COMMENTS, MORE_ATTEMPTS, REJECTED)
"""The reasons of a feature that has a result, and runs again because its user looked at it."""
GONE = N_("its result is gone")

MADE = N_("made anew")
"""The input that distinguishes a second result from the first with the same inputs."""


@dataclass(frozen=True)
class Facts:
    """Facts from git and from the user's options, besides the journal."""

    reachable: Collection[str] = ()
    """Features whose result commit still exists."""
    merged: Mapping[str, str] = field(default_factory=dict)
    """Features whose work is in the base, with the proof."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Features whose work may be in the base, with the reason for the doubt."""
    older: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By feature: the dependencies that have a newer result than the one that it is built on."""
    fresh: Collection[str] = ()
    """Features to run again from the start, whatever their state."""
    run: str = "next"
    """The mark of a new result from the same inputs."""


def decide(
    config: Config,
    dag: DAGResolver,
    state: RunState,
    facts: Facts,
    *,
    hashed: bool = True,
    made: Mapping[str, Decision] | None = None,
) -> dict[str, Decision]:
    """One decision per feature, in topological order.

    If not ``hashed``, keys are left out: before the first run, nothing compares them. Those in
    ``made`` stay: a run has begun these features.
    """
    prompts = _prompts(config) if hashed else None
    first = hashed and _has_1_0(state)
    keys: dict[str, str] = {}
    first_keys: dict[str, str] = {}
    decisions: dict[str, Decision] = {}
    for id in dag.order():
        if made and id in made:
            decisions[id], keys[id], first_keys[id] = made[id], made[id].key, made[id].key
            continue
        feature, known = dag.features[id], state.feature(id)
        inputs = inputs_of(prompts, feature, keys) if prompts else {}
        earlier = inputs_of_1_0(config, feature, dag.features, first_keys) if first else {}
        forms = (inputs, earlier)
        if MADE in known.inputs:
            _mark(forms, known.inputs[MADE])
        action, reason = _judge(known, earlier if _is_1_0(known) else inputs, facts)
        said = facts.unknown.get(id, "")
        left = [d for d in feature.depends_on if d in decisions and _is_left(decisions[d])]
        if left and action is not Action.SKIP and not known.skip:
            action = Action.LEAVE
            reason = N_("needs {id}, which does not run").format(id=left[0])
        if action is Action.START and known.work is not None and reason in (ASKED, GONE, REJECTED):
            # Same inputs, but a new result: dependents of the old one are out of date.
            _mark(forms, facts.run)
        key = keys[id] = digest(inputs) if hashed else ""
        first_keys[id] = digest(earlier) if first else ""
        reason = f"{reason} ({said})" if said else reason
        merged = facts.merged.get(id, "") if action is Action.SKIP else ""
        decisions[id] = Decision(id, action, reason, key, inputs, merged)
    return decisions


def _prompts(config: Config) -> PromptWriter:
    from ..claude.prompt import PromptWriter

    return PromptWriter(config)


def out_of_date(config: Config, dag: DAGResolver, state: RunState) -> dict[str, str]:
    """The features whose result has other inputs than the list now, and which input changed."""
    done = {id: known for id, known in state.features.items() if known.work and known.inputs}
    decisions = decide(config, dag, state, Facts(reachable=done))
    made = ((id, decisions[id]) for id in dag.order() if id in done)
    return {id: decision.reason for id, decision in made if decision.action is Action.START}


def _has_1_0(state: RunState) -> bool:
    return any(map(_is_1_0, state.features.values()))


def _is_1_0(known: FeatureState) -> bool:
    """Whether version 1.0 hashed the inputs."""
    return bool(known.key) and FORM not in known.inputs


def _mark(forms: Iterable[dict[str, str]], run: str) -> None:
    for inputs in forms:
        inputs[MADE] = run


def _is_left(decision: Decision) -> bool:
    return decision.action is Action.LEAVE


def without(features: Iterable[Feature], skipped: Collection[str]) -> list[Feature]:
    """The features without their dependencies on ``skipped`` ones."""
    return [
        replace(feature, depends_on=tuple(d for d in feature.depends_on if d not in skipped))
        for feature in features
    ]


def nothing_said(id: str) -> str:
    """What to type to have a completed feature run again."""
    return N_(
        'say what to change: rorchestrator retry {id} -m "…"; to start over: '
        "rorchestrator run --only {id} --fresh"
    ).format(id=id)


def retry_decision(decision: Decision, known: FeatureState, mark: str = "again") -> Decision:
    """The decision for a retry of a feature in the same run, with the same inputs.

    The ``mark`` distinguishes a new result from a rejected one.
    """
    if known.work is not None and known.review.is_rejected:
        inputs = {**decision.inputs, MADE: mark}
        key = digest(inputs)
        return Decision(decision.feature, Action.START, REJECTED, key, inputs)
    if known.key == decision.key and known.again is not None:
        return replace(decision, action=Action.RESUME, reason=_again_reason(known))
    if known.key == decision.key and known.attempts and _ended_from_outside(known):
        return replace(decision, action=Action.RESUME, reason=_resume_reason(known))
    return replace(decision, action=Action.START, reason=_why_again(known))


def rekeyed(decisions: Mapping[str, Decision], dag: DAGResolver) -> dict[str, Decision]:
    """The decisions after the dependencies changed to those of ``dag``.

    An interrupted feature with changed dependencies starts over.
    """
    built = dict(decisions)
    for id in dag.order():
        made = built[id]
        keys = {needed: built[needed].key for needed in dag.dependencies[id]}
        inputs = _needing(dag.features[id], made.inputs, keys)
        key = digest(inputs)
        if key != made.key:
            changed = replace(made, key=key, inputs=inputs)
            if made.action is Action.RESUME:
                changed = replace(changed, action=Action.START, reason=N_("a dependency changed"))
            built[id] = changed
    return built


def _needing(
    feature: Feature, inputs: Mapping[str, str], keys: Mapping[str, str]
) -> dict[str, str]:
    """The inputs with the keys of exactly the feature's dependencies."""
    needed = {DEPENDENCY + id for id in feature.depends_on}
    rest = {n: value for n, value in inputs.items() if n in needed or not n.startswith(DEPENDENCY)}
    return {**rest, **{DEPENDENCY + id: key for id, key in keys.items()}}


def with_current_keys(
    decisions: Mapping[str, Decision], dag: DAGResolver, state: RunState, selected: Collection[str]
) -> dict[str, Decision]:
    """The decisions with the keys of the results that the ``selected`` features build on.

    A feature that builds on an out-of-date result of an unselected dependency is out of date too.
    """
    built, chosen = dict(decisions), frozenset(selected)
    for id in dag.order():
        if id not in chosen:
            continue
        inputs = dict(decisions[id].inputs)
        for needed in dag.features[id].depends_on:
            if needed in chosen:
                inputs[DEPENDENCY + needed] = built[needed].key
            elif decisions[needed].action is not Action.SKIP:
                inputs[DEPENDENCY + needed] = state.feature(needed).key
        built[id] = replace(decisions[id], key=digest(inputs), inputs=inputs)
    return built


def _judge(
    known: FeatureState,
    inputs: Mapping[str, str],
    facts: Facts,
) -> tuple[Action, str]:
    if known.skip and known.id not in facts.merged:
        return Action.LEAVE, known.reason or "skipped"
    if known.id in facts.fresh:
        return Action.START, ASKED
    if known.id in facts.merged:
        return Action.SKIP, _merged_reason(known, inputs, facts.merged[known.id])
    if not known.key:
        return Action.START, NEW if known.started_at is None else _why_again(known)
    if known.work is not None and known.review.is_rejected:
        return Action.START, REJECTED
    changed = changed_input(known, inputs)
    if known.again is not None and not changed:
        return Action.RESUME, _again_reason(known)
    if not changed and known.work is not None:
        # It completed once, even if a later run blocked or cancelled it.
        if known.id not in facts.reachable:
            return Action.START, GONE
        return Action.SKIP, _up_to_date(facts.older.get(known.id, ()))
    if changed:
        return Action.START, changed
    if known.attempts and _ended_from_outside(known):
        return Action.RESUME, _resume_reason(known)
    return Action.START, _why_again(known)


def _up_to_date(older: Collection[str]) -> str:
    if not older:
        return N_("up to date")
    return N_("up to date, built on an older {ids}").format(ids=some(older))


def _again_reason(known: FeatureState) -> str:
    if known.review.open_comments:
        return COMMENTS
    more = known.again is not None and known.again.attempts is not None
    return MORE_ATTEMPTS if more and not known.status.active else _resume_reason(known)


def _merged_reason(known: FeatureState, inputs: Mapping[str, str], how: str) -> str:
    """The reason for merged work, with a note if the feature's inputs changed since."""
    changed = changed_input(known, inputs) if known.key and inputs else ""
    own = changed and not changed.startswith(DEPENDENCY)
    reason = N_("merged ({how})").format(how=how)
    since = N_("{changed} since, --fresh={id} runs it").format(changed=changed, id=known.id)
    return f"{reason}; {since}" if own else reason


def _why_again(known: FeatureState) -> str:
    if known.status is Status.PENDING and not known.attempts:
        return NEW  # It was in preparation when the list changed.
    outside = known.status.active or known.fault.resumable
    return N_("interrupted") if outside else N_("failed before")


def _ended_from_outside(known: FeatureState) -> bool:
    last = known.last_outcome
    if last is None or last.fault.resumable or known.fault.resumable:
        return True
    # Killed after Claude's success and before the commit point.
    return known.status.active and last.status is Status.COMPLETED


def _resume_reason(known: FeatureState) -> str:
    if known.status.active or known.status is Status.CANCELLED:
        return N_("interrupted")
    return N_("timed out before") if known.status is Status.TIMED_OUT else N_("failed before")


CHANGED = {
    "prompt": N_("prompt changed"),
    "options": N_("options changed"),
    MADE: N_("made anew changed"),
}


def changed_input(known: FeatureState, inputs: Mapping[str, str]) -> str:
    """The first changed input, in words for the plan; empty if none changed."""
    others = sorted({*known.inputs, *inputs} - {FORM, "prompt", "options"})
    for name in ("prompt", "options", *others):
        if known.inputs.get(name) != inputs.get(name):
            text = CHANGED.get(name, N_("{entry} changed"))
            if name.startswith(DEPENDENCY):
                text = N_("dependency {entry} changed")
            return text.format(entry=name.removeprefix(DEPENDENCY))
    return ""


def selection(
    dag: DAGResolver, decisions: Mapping[str, Decision], wanted: Collection[str], *, deps: bool
) -> list[str]:
    """The features to run: ``wanted`` and, with ``deps``, their dependencies, if out of date."""
    due = (Action.START, Action.RESUME)
    return [id for id in chosen(dag, wanted, deps=deps) if decisions[id].action in due]


def chosen(dag: DAGResolver, wanted: Collection[str], *, deps: bool) -> list[str]:
    """The ``wanted`` features and, with ``deps``, everything they depend on."""
    return dag.ancestors(wanted) if deps else [id for id in dag.features if id in wanted]
