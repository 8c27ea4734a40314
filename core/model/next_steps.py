"""The commands to type about a feature that did not complete: logs, retry, its session."""

from __future__ import annotations

from .outcome import Fault, Stage
from .state import FeatureState


def next_commands(feature: FeatureState) -> list[str]:
    """The commands to type next if a feature did not complete."""
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


def resume_command(feature: FeatureState) -> str:
    """The command that opens the feature's session in its worktree; empty without one."""
    if not (feature.session_id and feature.worktree):
        return ""
    import shlex

    return f"cd {shlex.quote(feature.worktree)} && claude --resume {feature.session_id}"
