"""The commands to type next: about a feature that did not complete, and after a run."""

from __future__ import annotations

from collections.abc import Sequence

from .outcome import Fault, Stage, Status
from .state import FeatureState
from .translate import N_
from .unreviewed import BACKLOG

NAMED = 8
"""How many features a command names at most."""


def next_commands(feature: FeatureState) -> list[str]:
    """The commands to type next if a feature did not complete: look, then try again."""
    commands = _to_look(feature)
    ended = feature.status.unsuccessful and feature.status not in (Status.CANCELLED, Status.BLOCKED)
    return [*commands, f"rorchestrator retry {feature.id}"] if ended else commands


def _to_look(feature: FeatureState) -> list[str]:
    if feature.fault is Fault.SETUP:
        # A failed copy, or a missing thing that `uses` names, leaves no log.
        has_log = feature.stage is Stage.SETUP
        return [f"rorchestrator logs {feature.id} --setup"] if has_log else []
    if not feature.attempts:
        return []
    commands = [f"rorchestrator logs {feature.id}"]
    if feature.fault is Fault.CHECK and feature.last_check is not None:
        commands = [f"rorchestrator logs {feature.id} --checks"]
    resume = resume_command(feature)
    if resume and feature.fault not in (Fault.USAGE, Fault.PROGRAM):
        commands.append(resume)
    return commands


def after_run(
    features: Sequence[FeatureState],
    *,
    is_all: bool,
    lands: bool = False,
    only_accepted: bool = False,
) -> list[tuple[str, str]]:
    """The commands to type after a run of these features, each with its purpose.

    ``is_all``: whether they are all features of their list that are not up to date. ``lands``:
    whether the run lands them itself if all completed. ``only_accepted``: whether only what was
    accepted lands.
    """
    completed = [feature.id for feature in features if feature.status is Status.COMPLETED]
    steps = []
    if completed and lands_all(features, lands=lands, only_accepted=only_accepted):
        steps.append((f"rorchestrator diff {completed[0]}", N_("what a feature changed")))
    elif completed:
        steps.append((REVIEW, N_("what the features changed, for your answer")))
        named = "" if is_all or len(completed) > NAMED else f" {' '.join(completed)}"
        purpose = N_("lands what you accepted") if only_accepted else N_("lands what is completed")
        steps.append((f"rorchestrator merge{named}", purpose))
    elif any(map(was_held_by_backlog, features)):
        steps.append((REVIEW, N_("what waits for you, so that new features start")))
    if any(feature.status is Status.CANCELLED for feature in features):
        steps.append(("rorchestrator run", N_("continues where this run stopped")))
    return steps


REVIEW = "rorchestrator review"


def was_held_by_backlog(feature: FeatureState) -> bool:
    """Whether a feature did not start because others wait for a review."""
    return feature.status is Status.CANCELLED and feature.reason == BACKLOG


def lands_all(
    features: Sequence[FeatureState], *, lands: bool, only_accepted: bool = False
) -> bool:
    """Whether all features landed, or the run ``lands`` them: then there is nothing to review."""
    may_land = all(
        each.status is Status.COMPLETED and (not only_accepted or _is_accepted(each))
        for each in features
    )
    return all(map(_has_landed, features)) or (lands and may_land)


def _is_accepted(feature: FeatureState) -> bool:
    return feature.work is not None and feature.review.is_accepted(feature.work.commit)


def _has_landed(feature: FeatureState) -> bool:
    """Whether the journal tells that ``merge`` landed a feature since its run."""
    return bool(feature.merged_into) or any(each.is_over for each in feature.landings.values())


def resume_command(feature: FeatureState) -> str:
    """The command that opens the feature's session in its worktree; empty without one."""
    if not (feature.session_id and feature.worktree):
        return ""
    import shlex

    return f"cd {shlex.quote(feature.worktree)} && claude --resume {feature.session_id}"
