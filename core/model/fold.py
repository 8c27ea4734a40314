"""The fold of the journal: computes the state of all features and runs from the events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from . import fold_review
from .attempt import Attempt, cost_of, priced
from .control_action import ControlAction
from .costs import Cost, Paid
from .event_values import conflict_of, reply_of, reset_of, window_of
from .events import Event, stray_of
from .events_reload import after_reload
from .fold_again import asked_again, reopened, with_result
from .fold_moves import follow
from .frozen import replace
from .json_values import integer, strings
from .outcome import Fault, Stage, Status
from .outcome_json import attempt_outcome, feature_outcome
from .phase import phase_begun_by
from .provenance import provenance_of
from .state import Check, FeatureState, Landing, Run, RunState, Skip
from .strategy import Strategy
from .translate import N_

STORED = 64
"""How many entries of the setup cache are remembered: more than a store holds."""


def apply(state: RunState, event: Event) -> RunState:
    """The state after ``event``. An event of an unknown kind changes nothing."""
    return fold([event], state)


def fold(events: Iterable[Event], state: RunState | None = None) -> RunState:
    """The state after all ``events``, as if each was applied in turn."""
    start = state or RunState()
    features = dict(start.features)
    owners, replaced = dict(start.owners), dict(start.replaced)
    run, merge = start.run, start.merge
    passed: list[str] = []
    windows = start.windows
    moves = dict(start.moves)
    rates, setups, wrote = dict(start.rates), dict(start.setups), dict(start.wrote)
    stored = dict(start.stored)
    for event in events:
        owner = str(event.data.get("list", ""))
        if owner and event.run:
            owners[event.run] = owner
        elif event.kind == "claimed":
            _claim(features, event)
        elif event.kind == "replaced":
            _replace(features, replaced, event)
        if event.kind == "checked" and event.data.get("passed") is True:
            passed.append(str(event.data.get("key", "")))
        if event.kind == "setup_changed":
            setups.update(_texts(event.data.get("facts")))
        if event.kind == "setup_stored":
            stored = _stored(stored, event)
        if event.kind == "checked" and "by" in event.data:
            by = str(event.data["by"])
            wrote[by] = wrote.get(by, frozenset()).union(strings(event.data, "wrote"))
        if event.kind == "window":
            seen = window_of(event)
            windows = windows if seen is None else {**windows, seen.type: seen}
        run = _next_run(run, event)
        if event.kind == "merge_started":
            merge = event.run
        elif event.kind == "merge_ended" and event.run == merge:
            merge = ""
        change = _FEATURE_CHANGES.get(event.kind)
        if change is not None and event.feature:
            known = features.get(event.feature) or FeatureState(event.feature)
            changed = change(known, event)
            if event.kind == "based" and run is not None and run.id == event.run:
                changed = replace(changed, base_option=run.base_option)
            if event.kind in ("attempt_ended", "resolution_ended"):
                changed = _priced(changed, event.kind, rates)
            if run is not None and run.id == event.run:
                owner = run.owner
            if owner and owner != changed.owner:
                changed = replace(changed, owner=owner)
            phase = phase_begun_by(event)
            if phase is not None:
                changed = replace(changed, phase=phase, phase_at=event.at)
            features[event.feature] = changed
        follow(moves, features, event, owner=owners.get(event.run, ""))
    green = start.passed.union(passed) if passed else start.passed
    return RunState(
        *(features, run, green, merge, rates, owners, replaced, setups, wrote, moves, windows),
        stored,
    )


def _claim(features: dict[str, FeatureState], event: Event) -> None:
    for id in strings(event.data, "features"):
        known = features.get(id) or FeatureState(id)
        features[id] = replace(known, owner=str(event.data.get("list", "")))


def _replace(
    features: dict[str, FeatureState],
    replaced: dict[tuple[str, str], FeatureState],
    event: Event,
) -> None:
    """Set aside the state of another list; keep its branch and worktree, to remove them."""
    owner = str(event.data.get("list", ""))
    for id in strings(event.data, "features"):
        known = features.get(id) or FeatureState(id)
        replaced[known.owner, id] = known
        replaced.pop((owner, id), None)
        features[id] = FeatureState(
            id,
            owner=owner,
            branch=known.branch,
            worktree=known.worktree,
            start_commit=known.start_commit,
            base_commit=known.base_commit,
            is_inherited=True,
            made=known.made,
            left=known.left,
        )


def _texts(value: object) -> dict[str, str]:
    found = value.items() if isinstance(value, dict) else ()
    return {str(name): str(text) for name, text in found}


def _priced(feature: FeatureState, kind: str, rates: dict[str, Paid]) -> FeatureState:
    """The feature with the cost of the attempt that ended; ``rates`` learn from it."""
    name = "attempts" if kind == "attempt_ended" else "resolutions"
    attempts = feature.attempts if kind == "attempt_ended" else feature.resolutions
    return replace(feature, **{name: priced(attempts, rates)})  # type: ignore[arg-type]


def _next_run(run: Run | None, event: Event) -> Run | None:
    data = event.data
    if event.kind == "run_started":
        return Run(
            id=event.run,
            started_at=event.at,
            pid=integer(data, "pid"),
            base_branch=str(data.get("base_branch", "")),
            base_commit=str(data.get("base_commit", "")),
            base_option=str(data.get("base_option", "")),
            features=strings(data, "features"),
            max_parallel=integer(data, "max_parallel"),
            owner=str(data.get("list", "")),
            provenance=provenance_of(data),
        )
    if event.kind == "reloaded" and run is not None and run.id == event.run:
        return after_reload(run, event)
    if event.kind == "paused" and run is not None:
        until = reset_of(event)
        limits = run.limits.at(event.at, waits=bool(until))
        return replace(run, paused_until=until, limits=limits)
    if event.kind == "unreviewed" and run is not None:
        return replace(run, unreviewed=integer(data, "count"))
    if event.kind == "steered" and run is not None and run.id == event.run:
        reply = reply_of(event)
        action = reply.action if reply.is_done else None
        is_paused = action is ControlAction.PAUSE or (
            run.is_paused and action is not ControlAction.RESUME
        )
        pauses = run.pauses.at(event.at, waits=is_paused)
        return replace(run, is_paused=is_paused, pauses=pauses)
    if event.kind == "run_ended" and run is not None and run.id == event.run:
        return replace(
            run,
            ended_at=event.at,
            exit_code=integer(data, "exit_code"),
            unreviewed=0,
            limits=run.limits.at(event.at, waits=False),
            pauses=run.pauses.at(event.at, waits=False),
        )
    return run


def _preparing(feature: FeatureState, event: Event) -> FeatureState:
    # What is left of earlier work stays until `based`: removing it can fail.
    data = event.data
    return replace(
        feature,
        name=str(data.get("name", "")),
        status=Status.PREPARING,
        reason="",
        fault=Fault.NONE,
        stage=Stage.NONE,
        why=str(data.get("why", "")),
        run=event.run,
        branch=str(data.get("branch", "")),
        worktree=str(data.get("worktree", "")),
        started_at=event.at,
        in_slot=False,
        ended_at=None,
        skip=None,
    )


def _based(feature: FeatureState, event: Event) -> FeatureState:
    inputs = event.data.get("inputs")
    return replace(
        feature,
        start_commit=str(event.data.get("start_commit", "")),
        work_start=str(event.data.get("start_commit", "")),
        base_commit=str(event.data.get("base_commit", "")),
        key=str(event.data.get("key", "")),
        inputs=inputs if isinstance(inputs, dict) else {},
        is_inherited=False,
        attempts=(),
        earlier=feature.attempts_of(event.run),
        past=feature.past + _past(feature, event.run),
        work=None,
        again=None,
        older=(),
        was_set_up=False,
        is_ready=False,
        setup_cached=(),
        made=(),
        left={},
        last_check=None,
        was_checked=False,
        merged_into="",
        kept_ref="",
        landings={},
        resolutions=tuple(a for a in feature.resolutions if a.run == event.run),
        clashes={},
        verdicts={},
        review=fold_review.started_over(feature.review),
        is_answered=False,
    )


def _past(feature: FeatureState, run: str) -> Cost:
    """The cost before ``run`` of a feature that starts over in it."""
    made = (*feature.earlier, *feature.attempts, *feature.resolutions)
    return cost_of(attempt for attempt in made if attempt.run != run)


def _stored(known: Mapping[str, str], event: Event) -> dict[str, str]:
    """The digests of entries with a new one, which is the last; old ones are gone from disk."""
    key, digest = str(event.data.get("key", "")), str(event.data.get("digest", ""))
    kept = [(name, each) for name, each in known.items() if name != key]
    return dict([*kept, (key, digest)][-STORED:])


def _setting_up(feature: FeatureState, event: Event) -> FeatureState:
    return replace(_in_slot(feature, event), was_set_up=True, is_ready=False)


def _in_slot(feature: FeatureState, event: Event) -> FeatureState:
    # It may have been prepared long before its slot was free.
    return feature if feature.in_slot else replace(feature, in_slot=True, started_at=event.at)


def _attempt_started(feature: FeatureState, event: Event) -> FeatureState:
    begun = _in_slot(feature, event)
    asked = feature.again is not None and bool(feature.review.open_comments)
    attempts = (*feature.attempts, replace(_attempt_of(event), was_asked_for=asked))
    return replace(begun, status=Status.RUNNING, attempts=attempts, was_checked=False)


def _attempt_of(event: Event) -> Attempt:
    return Attempt(
        run=event.run,
        number=integer(event.data, "attempt"),
        session_id=str(event.data.get("session_id", "")),
        started_at=event.at,
        log=str(event.data.get("log", "")),
        resumed=event.data.get("resumed") is True,
    )


def _attempt_ended(feature: FeatureState, event: Event) -> FeatureState:
    return replace(feature, attempts=_last_ended(feature.attempts, event))


def _last_ended(attempts: tuple[Attempt, ...], event: Event) -> tuple[Attempt, ...]:
    if not attempts:
        return attempts
    last = replace(attempts[-1], ended_at=event.at, outcome=attempt_outcome(event.data))
    return (*attempts[:-1], last)


def _resolution_started(feature: FeatureState, event: Event) -> FeatureState:
    # In a run it takes the feature's own slot, in a merge there is none.
    is_its_run = feature.run == event.run and feature.status is Status.PREPARING
    begun = _in_slot(feature, event) if is_its_run else feature
    return replace(begun, resolutions=(*feature.resolutions, _attempt_of(event)))


def _resolution_ended(feature: FeatureState, event: Event) -> FeatureState:
    return replace(feature, resolutions=_last_ended(feature.resolutions, event))


def _ready(feature: FeatureState, event: Event) -> FeatureState:
    made, cached = strings(event.data, "made"), strings(event.data, "cached")
    return replace(feature, is_ready=True, made=made, setup_cached=cached)


def _verifying(feature: FeatureState, event: Event) -> FeatureState:
    return replace(feature, status=Status.VERIFYING)


def _checking(feature: FeatureState, event: Event) -> FeatureState:
    return replace(_verifying(feature, event), was_checked=True, last_check=None)


def _checked(feature: FeatureState, event: Event) -> FeatureState:
    data = event.data
    check = Check(
        str(data.get("command", "")),
        data.get("passed") is True,
        str(data.get("ending", "")),
        event.at,
    )
    last = feature.last_check
    if last is not None and not last.passed and last.command != check.command:
        return feature  # A failing check is what a reader wants to know of.
    return replace(feature, last_check=check)


def _left(feature: FeatureState, event: Event) -> FeatureState:
    paths = event.data.get("paths")
    known = paths if isinstance(paths, dict) else {}
    return replace(feature, left={**feature.left, **{str(k): str(v) for k, v in known.items()}})


def _committing(feature: FeatureState, event: Event) -> FeatureState:
    return replace(feature, status=Status.COMMITTING)


def _ended(feature: FeatureState, event: Event) -> FeatureState:
    outcome = feature_outcome(event.data)
    if feature.run != event.run:
        # Blocked or cancelled before it got a slot: what earlier runs left is unchanged.
        return replace(
            feature,
            run=event.run,
            status=outcome.status,
            reason=outcome.reason,
            started_at=None,
            ended_at=event.at,
        )
    if outcome.work is not None:
        feature = with_result(feature, event.run, outcome.work)
    return replace(
        feature,
        status=outcome.status,
        reason=outcome.reason,
        fault=outcome.fault,
        stage=outcome.stage,
        ended_at=event.at,
    )


def _cleaned(feature: FeatureState, event: Event) -> FeatureState:
    # From now on, a branch of that name belongs to the user.
    gone = replace(
        feature,
        again=None,
        worktree="",
        branch="",
        start_commit="",
        merged_into=str(event.data.get("merged_into", "")),
        kept_ref=str(event.data.get("kept_ref", "")),
    )
    if event.data.get("discarded") is True:
        status = Status.SKIPPED if feature.skip else Status.PENDING
        return replace(
            gone, status=status, key="", reason=N_("discarded"), work=None, started_at=None
        )
    return gone


def _landing(feature: FeatureState, event: Event) -> FeatureState:
    data = event.data
    landing = Landing(
        commit=str(data.get("commit", "")),
        result=str(data.get("result", "")),
        strategy=next((s for s in Strategy if s.value == data.get("strategy")), None),
        tip=str(data.get("tip", "")),
    )
    return replace(feature, landings={**feature.landings, str(data.get("into", "")): landing})


def _merged(feature: FeatureState, event: Event) -> FeatureState:
    into = str(event.data.get("into", ""))
    landing = feature.landings.get(into)
    if landing is None:
        return feature
    return replace(feature, landings={**feature.landings, into: replace(landing, is_over=True)})


def _clash(feature: FeatureState, event: Event) -> FeatureState:
    other, files = conflict_of(event)
    rest = {id: held for id, held in feature.clashes.items() if id != other}
    return replace(feature, clashes={**rest, other: files} if files else rest)


def _steered(feature: FeatureState, event: Event) -> FeatureState:
    reply = reply_of(event)
    if reply.is_done and reply.action is ControlAction.SKIP:
        return _skipped(feature, event, forced=reply.is_forced)
    if reply.is_done and reply.action is ControlAction.RETRY:
        feature = asked_again(feature, event)
        if feature.skip:
            return replace(feature, skip=None, status=Status.PENDING, reason="")
    return feature


PLAIN_SKIP = N_("skipped, and its dependents do not run")
FORCED_SKIP = N_("skipped, and its dependents run without it")


def _skipped(feature: FeatureState, event: Event, *, forced: bool) -> FeatureState:
    run = event.run or feature.run
    return replace(
        feature,
        skip=Skip.FORCED if forced else Skip.PLAIN,
        status=Status.SKIPPED,
        reason=FORCED_SKIP if forced else PLAIN_SKIP,
        run=run,
        started_at=feature.started_at if run == feature.run else None,
        ended_at=event.at,
    )


def _stray(feature: FeatureState, event: Event) -> FeatureState:
    return replace(feature, strays=(*feature.strays, stray_of(event)))


def _queued(feature: FeatureState, event: Event) -> FeatureState:
    # Until its turn comes, it is in no run. What it left is unchanged.
    return replace(feature, status=Status.PENDING, reason="", run="", ended_at=None)


_FEATURE_CHANGES = {
    "preparing": _preparing,
    "setting_up": _setting_up,
    "ready": _ready,
    "based": _based,
    "reopened": reopened,
    "attempt_started": _attempt_started,
    "attempt_ended": _attempt_ended,
    "resolution_started": _resolution_started,
    "resolution_ended": _resolution_ended,
    "verifying": _verifying,
    "checking": _checking,
    "checked": _checked,
    "left": _left,
    "committing": _committing,
    "ended": _ended,
    "cleaned": _cleaned,
    "landing": _landing,
    "merged": _merged,
    "clash": _clash,
    "steered": _steered,
    "stray": _stray,
    "queued": _queued,
    **fold_review.CHANGES,
}
