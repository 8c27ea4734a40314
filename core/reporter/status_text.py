"""The lines of ``status``: heading, table of the features, details below it, strays."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator

from ..model.excerpt import some
from ..model.outcome import Status, Stray
from ..model.terminal_text import clean, one_line
from ..model.words import counted, duration, money
from .project_status import Checkout, FeatureStatus, PredictedConflict, ProjectStatus
from .run_text import spent
from .style import Style, table_lines

COLUMNS = ("FEATURE", "STATUS", "COST", "TIME", "AHEAD", "MERGED", "BRANCH", "WORKTREE")

STRAYS_SHOWN = 10


def status_lines(
    status: ProjectStatus, style: Style, *, quiet: bool = False, verbose: bool = False
) -> Iterator[str]:
    """The status of a project; ``quiet`` omits the heading, ``verbose`` adds sessions, checks."""
    if not quiet:
        yield from _heading(status, style)
    rows = [_row(feature, style, status.owner) for feature in status.features]
    heading, *rest = table_lines([COLUMNS, *rows])
    yield style.paint(heading, "bold")
    yield from rest
    for feature in status.features:
        yield from _details(feature, verbose=verbose)
    if status.strays:
        yield ""
        yield from map(one_line, stray_lines(status.strays, status.git_folder))


def stray_lines(strays: Iterable[tuple[str, Stray]], git_folder: str) -> Iterator[str]:
    """Branches and worktrees of no feature, and the commands that remove them."""
    where = shlex.quote(git_folder)
    for number, (id, stray) in enumerate(strays):
        if number == STRAYS_SHOWN:
            yield "… and more: git worktree list; git branch --list 'worktree-agent-*'"
            return
        words = [f"worktree remove {shlex.quote(stray.worktree)}"] if stray.worktree else []
        words += [f"branch -d {shlex.quote(stray.branch)}"] if stray.branch else []
        whose = f"{id}: " if id else ""
        commands = " && ".join(f"git -C {where} {word}" for word in words)
        yield f"{whose}{stray} belongs to no feature and is left alone. To remove it: {commands}"


def _heading(status: ProjectStatus, style: Style) -> Iterator[str]:
    base = f"{status.base_branch} ({status.base_commit[:10]})"
    claude = status.claude or "not found: install it, or set claude.command in the list"
    yield style.paint(one_line(status.project_name), "bold")
    yield one_line(f"Repository: {status.repository}, base {base}")
    yield one_line(f"Claude: {claude}")
    yield one_line(f"In progress: {_progress(status)}")
    if status.other_lists:
        others = ", ".join(status.other_lists)
        yield one_line(f"Other lists: {others} (--all-lists shows their features)")
    yield ""


def _progress(status: ProjectStatus) -> str:
    """Which command is in progress, and what it waits for."""
    holder, run = status.holder, status.run
    if holder is None:
        return "nothing"
    words = f"{holder.command}, pid {holder.pid}, since {holder.started_at}"
    if run is not None and run.owner not in ("", status.owner):
        words += f", of {run.owner}"
    if run is not None and run.paused_until and run.ended_at is None:
        words += f", waiting for a usage limit until {run.paused_until}"
    if status.is_paused:
        words += "; paused (to continue: rorchestrator resume)"
    return words


def _row(feature: FeatureStatus, style: Style, owner: str) -> list[str]:
    state, checkout = feature.state, feature.checkout
    other = "" if feature.in_list else state.owner
    seconds = feature.duration_seconds
    cells = (
        f"{feature.id} ({other})" if other not in ("", owner) else feature.id,
        feature.status.replace("_", " "),
        _cost(feature, style) + _resolution_cost(feature),
        "-" if seconds is None else duration(seconds),
        str(checkout.ahead),
        _merged(feature),
        checkout.branch or "-",
        _worktree(checkout),
    )
    return list(map(one_line, cells))


def _cost(feature: FeatureStatus, style: Style) -> str:
    cost, has_attempts = feature.state.cost, bool(feature.state.attempts)
    if not (has_attempts or cost.usd):
        return "-"
    if feature.is_active and cost.usd is None:
        return "-"  # The cost of an attempt is known once it ends.
    if cost.usd is None and cost.about_usd is None:
        return "unknown"
    return spent(cost.usd, cost.about_usd, style, complete=cost.is_complete or feature.is_active)


def _resolution_cost(feature: FeatureStatus) -> str:
    """The cost of resolving its conflicts, which is not part of the feature's own."""
    usd = feature.resolution_cost_usd
    return f" + {money(usd)}" if usd else ""


def _merged(feature: FeatureStatus) -> str:
    checkout = feature.checkout
    if checkout.merged:
        return checkout.merged
    if feature.state.status is not Status.COMPLETED:
        return "-"
    return "unknown" if checkout.unknown or checkout.problem else "no"


def _worktree(checkout: Checkout) -> str:
    words, maybe = _shorter(checkout.worktree or "-"), checkout.maybe_changed
    if checkout.uncommitted:
        words += f" ({counted(len(checkout.uncommitted), 'uncommitted file')})"
    if maybe:
        filters = ", ".join(f"filter {name}" for name in dict.fromkeys(name for _, name in maybe))
        words += f" ({counted(len(maybe), 'file')} maybe changed ({filters}))"
    return f"{words} (problem: see below)" if checkout.problem else words


def _shorter(path: str) -> str:
    """The path, or its form relative to the current folder if that is shorter."""
    relative = os.path.relpath(path) if os.path.isabs(path) else path
    return min(path, relative, key=len)


def _details(feature: FeatureStatus, *, verbose: bool) -> Iterator[str]:
    state, checkout = feature.state, feature.checkout
    unknown = f"merged: {checkout.unknown}" if checkout.unknown else ""
    conflicts = map(_conflict, checkout.conflicts)
    texts = (state.reason, checkout.by_hand, checkout.problem, unknown, *conflicts)
    for text in filter(None, texts):
        first, *rest = clean(text).splitlines() or [""]  # control characters only
        yield ""
        yield f"{feature.id}: {first}"
        for line in rest:
            yield f"    {line}"
    if verbose and state.session_id:
        yield f"    {feature.id}: session {one_line(state.session_id)}"
    if verbose and state.last_check is not None:
        check = one_line(f"{state.last_check.command}: {state.last_check.ending}")
        yield f"    {feature.id}: last check {check}"


def _conflict(conflict: PredictedConflict) -> str:
    other, files = conflict.other, some(conflict.files)
    if conflict.unknown:
        return f"may not merge with {other}: {files} ({conflict.unknown})"
    return f"will not merge with {other}: {files}"
