"""What ``run`` would do with each feature, and why: bringing a list up to date, as a build does."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from . import claude, prompt
from .dag import DAGResolver
from .frozen import dataclass, field, replace
from .model import Action, Config, Decision, Feature, Status
from .state import FeatureState, RunState

ASKED = "asked for anew"
GONE = "its result is gone"

NEEDED = "dependency "
"""What the input's name begins with that is the key of a feature which is needed."""

MADE = "made anew"
"""The input that tells a second result from a first one of the same inputs."""


@dataclass(frozen=True)
class Facts:
    """What git and the user say, beside the journal."""

    reachable: Collection[str] = ()
    """Features whose result can still be reached."""
    merged: Mapping[str, str] = field(default_factory=dict)
    """Features whose work is in the base already, and how that was proved."""
    fresh: Collection[str] = ()
    """Features that are to run anew, whatever their state."""
    run: str = "next"
    """What marks a result that is made anew from the same inputs."""


def decide(
    config: Config,
    dag: DAGResolver,
    state: RunState,
    branches: Mapping[str, str],
    facts: Facts,
    *,
    hashed: bool = True,
) -> dict[str, Decision]:
    """One decision a feature, in topological order.

    Without ``hashed`` the keys are left out: where nothing ever ran, nothing compares them.
    """
    keys: dict[str, str] = {}
    decisions: dict[str, Decision] = {}
    for id in dag.order():
        feature, known = dag.features[id], state.feature(id)
        inputs = _inputs(config, feature, dag, branches, keys) if hashed else {}
        if MADE in known.inputs:
            inputs[MADE] = known.inputs[MADE]
        action, reason = _judge(known, inputs, facts)
        left = [d for d in feature.depends_on if d in decisions and _is_left(decisions[d])]
        if left and action is not Action.SKIP and not known.skip:
            action, reason = Action.LEAVE, f"needs {left[0]}, which does not run"
        if action is Action.START and known.work is not None and reason in (ASKED, GONE):
            # The same inputs, but another result: who built on the old one is out of date.
            inputs[MADE] = facts.run
        key = keys[id] = digest(inputs) if hashed else ""
        decisions[id] = Decision(id, action, reason, key, inputs)
    return decisions


def _is_left(decision: Decision) -> bool:
    return decision.action is Action.LEAVE


def without(features: Iterable[Feature], skipped: Collection[str]) -> list[Feature]:
    """The features, none of which needs one that is ``skipped``."""
    return [
        replace(feature, depends_on=tuple(d for d in feature.depends_on if d not in skipped))
        for feature in features
    ]


def again(decision: Decision, known: FeatureState) -> Decision:
    """The decision for another go at a feature in the same run, from the same inputs."""
    if known.key == decision.key and known.attempts and _ended_from_outside(known):
        return replace(decision, action=Action.RESUME, reason=_resume_reason(known))
    return replace(decision, action=Action.START, reason=_why_again(known))


def rebuilt(
    decisions: Mapping[str, Decision],
    config: Config,
    dag: DAGResolver,
    branches: Mapping[str, str],
    changed: Collection[str],
) -> dict[str, Decision]:
    """The decisions once the ``changed`` features, and what builds on them, need what ``dag`` says.

    Whatever earlier attempts left was built on something else: it starts over.
    """
    built = dict(decisions)
    for id in dag.order():
        feature, made = dag.features[id], built[id]
        keys = {needed: built[needed].key for needed in dag.dependencies[id]}
        inputs = _needing(feature, made.inputs, keys)
        if id in changed:
            text = prompt.assemble(config, feature, _named(config), branches, for_key=True)
            inputs["prompt"] = digest(text)
        key = digest(inputs)
        if key != made.key:
            again = replace(made, key=key, inputs=inputs)
            if made.action is Action.RESUME:
                again = replace(again, action=Action.START, reason="what it needs changed")
            built[id] = again
    return built


def _named(config: Config) -> dict[str, Feature]:
    return {feature.id: feature for feature in config.features}


def _needing(
    feature: Feature, inputs: Mapping[str, str], keys: Mapping[str, str]
) -> dict[str, str]:
    """The inputs with the keys of what the feature needs, and of nothing else."""
    needed = {NEEDED + id for id in feature.depends_on}
    rest = {n: value for n, value in inputs.items() if n in needed or not n.startswith(NEEDED)}
    return {**rest, **{NEEDED + id: key for id, key in keys.items()}}


def as_built(
    decisions: Mapping[str, Decision], dag: DAGResolver, state: RunState, selected: Collection[str]
) -> dict[str, Decision]:
    """The decisions with the keys of what the ``selected`` features will really build on.

    Without their dependencies, features build on results that are out of date, and so are they.
    """
    built = dict(decisions)
    for id in dag.order():
        if id not in selected:
            continue
        inputs = dict(decisions[id].inputs)
        for needed in dag.features[id].depends_on:
            if needed in selected:
                inputs[NEEDED + needed] = built[needed].key
            elif decisions[needed].action is not Action.SKIP:
                inputs[NEEDED + needed] = state.feature(needed).key
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
        return Action.SKIP, f"merged ({facts.merged[known.id]})"
    if not known.key:
        return Action.START, "new" if known.started_at is None else _why_again(known)
    changed = _changed(known, inputs)
    if not changed and known.work is not None:
        # Its last life was completed, whatever blocked or cancelled a later run of it.
        if known.id not in facts.reachable:
            return Action.START, GONE
        return Action.SKIP, "up to date"
    if changed:
        return Action.START, changed
    if known.attempts and _ended_from_outside(known):
        return Action.RESUME, _resume_reason(known)
    return Action.START, _why_again(known)


def _why_again(known: FeatureState) -> str:
    outside = known.status.active or known.fault.resumable
    return "interrupted" if outside else "failed before"


def _ended_from_outside(known: FeatureState) -> bool:
    last = known.last_outcome
    if last is None or last.fault.resumable or known.fault.resumable:
        return True
    # Killed after Claude's success and before the commit point.
    return known.status.active and last.status is Status.COMPLETED


def _resume_reason(known: FeatureState) -> str:
    if known.status.active or known.status is Status.CANCELLED:
        return "interrupted"
    return "timed out before" if known.status is Status.TIMED_OUT else "failed before"


def _changed(known: FeatureState, inputs: Mapping[str, str]) -> str:
    """Which of the inputs differs from the last time, in the words of the plan."""
    others = sorted({*known.inputs, *inputs} - {"prompt", "options"})
    for name in ("prompt", "options", *others):
        if known.inputs.get(name) != inputs.get(name):
            return f"{name} changed"
    return ""


def _inputs(
    config: Config,
    feature: Feature,
    dag: DAGResolver,
    branches: Mapping[str, str],
    keys: Mapping[str, str],
) -> dict[str, str]:
    """The hashes of what goes into a feature's result, by name."""
    text = prompt.assemble(config, feature, dag.features, branches, for_key=True)
    hashes = {
        "prompt": digest(text),
        "options": digest(list(claude.shaping_options(config.claude, feature))),
    }
    checks = (*config.project.verify, *feature.verify)
    if checks:
        hashes["checks"] = digest([word for command in checks for word in ("", *command.argv)])
    # Keys, not commit ids: a fix made by hand on a branch invalidates nothing.
    hashes.update((NEEDED + id, keys[id]) for id in sorted(feature.depends_on))
    return hashes


def digest(value: str | Sequence[str] | Mapping[str, str]) -> str:
    """A short, stable hash (the first 80 bits of SHA-256 over canonical JSON)."""
    import hashlib

    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def selection(
    dag: DAGResolver, decisions: Mapping[str, Decision], wanted: Collection[str], *, deps: bool
) -> list[str]:
    """The features to run: those ``wanted``, with whatever they need that isn't up to date."""
    due = (Action.START, Action.RESUME)
    return [id for id in chosen(dag, wanted, deps=deps) if decisions[id].action in due]


def chosen(dag: DAGResolver, wanted: Collection[str], *, deps: bool) -> list[str]:
    """Those ``wanted``, with whatever they need."""
    return dag.ancestors(wanted) if deps else [id for id in dag.features if id in wanted]
