"""A run of the past, or the one in progress, as its journal tells it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from ..git.refs import HEADS
from ..journal.runs import events_of, runs_of
from ..model.errors import UserError
from ..model.events import Event
from ..model.excerpt import some
from ..model.fold import fold
from ..model.frozen import dataclass, replace
from ..model.json_values import Json, strings
from ..model.outcome import Fault, Status
from ..model.past_runs import last_alive
from ..model.state import FeatureState, Run, RunState
from ..model.translate import N_, _, shown
from ..project.obstructions import REPORTS
from ..project.open import OpenProject
from ..reporter.documents import RunReport, written_report
from .run_view import graph, run_view

LATEST = "latest"

LISTED = 5
"""How many runs an error lists."""


@dataclass(frozen=True)
class RecordedRun:
    """A run with what its view is made of."""

    report: RunReport
    events: tuple[Event, ...]
    now: float
    """The time until which it is shown."""
    is_latest: bool
    """Whether no later run has begun."""
    written: str
    """The path of its JSON report; empty if that is not there."""


def recorded_run(project: OpenProject, asked: str) -> RecordedRun:
    """A run by its id, the beginning of its id, or ``latest``, which is the list's last run.

    Raises :class:`UserError` if there is none, or several.
    """
    runs = runs_of(project.journal.path)
    begun = _chosen(project, runs, asked)
    events = events_of(project.journal.path, begun)
    state = fold(events)
    run = state.run
    assert run is not None
    is_latest = begun.run == runs[-1].run
    now = run.started_at if run.ended_at is None else run.ended_at
    if run.ended_at is None:
        holder = project.lock.holder() if is_latest else None
        if holder is not None and holder.is_run:
            now = time.time()
        else:
            state, run, now = as_killed(state, run, events)
    if is_latest:
        state = _with_landings(state, project.whole_state())
    of_run = tuple(event for event in events if event.run == run.id)
    folder = os.path.join(project.config.workspace, REPORTS)
    path, document = written_report(folder, run.id, now)
    report = _with_written(_report(project, state, run), document)
    return RecordedRun(report, of_run, now, is_latest, path)


def _chosen(project: OpenProject, runs: Sequence[Event], asked: str) -> Event:
    if not runs:
        raise UserError(_("no run has started in this repository yet"), hint="rorchestrator run")
    if asked == LATEST:
        owners = ("", project.owner)
        ours = [event for event in runs if event.data.get("list", "") in owners]
        return (ours or runs)[-1]
    same = [event for event in runs if event.run == asked]
    found = same or [event for event in runs if event.run.startswith(asked)]
    if len(found) == 1:
        return found[0]
    what = (
        _("{asked!r} could be several runs").format(asked=asked)
        if found
        else _("there is no run {asked!r}").format(asked=asked)
    )
    listed = [event.run for event in reversed(found or runs)]
    raise UserError(
        what, hint=_("name one of these: {listed}").format(listed=shown(some(listed, LISTED)))
    )


def as_killed(state: RunState, run: Run, events: Sequence[Event]) -> tuple[RunState, Run, float]:
    """A run that was killed as if it had ended when it was last alive: state, run, that time."""
    at = last_alive(run.id, events)
    ended = replace(run, ended_at=at)
    return _without_active(replace(state, run=ended), run.id, at), ended, at


def _with_landings(state: RunState, later: RunState) -> RunState:
    """The state with what landed after the run."""
    features = {
        id: replace(known, landings=now.landings, merged_into=now.merged_into)
        for id, known in state.features.items()
        for now in (later.feature(id),)
    }
    return replace(state, features=features)


def _without_active(state: RunState, run: str, at: float) -> RunState:
    """The state after the end of a killed run: nothing is going on, nothing ended later."""
    features = {id: _ended(known, run, at) for id, known in state.features.items()}
    return replace(state, features=features)


def _ended(known: FeatureState, run: str, at: float) -> FeatureState:
    if known.run == run and known.ended_at is not None:
        return replace(known, ended_at=min(known.ended_at, at))
    if not known.status.active:
        return known
    return replace(
        known, status=Status.CANCELLED, reason=N_("the run was killed"), fault=Fault.INTERRUPTED
    )


def _report(project: OpenProject, state: RunState, run: Run) -> RunReport:
    told = run.provenance
    report = RunReport(
        state,
        run,
        project_name=told.project or project.mask(project.config.project.name),
        waves=(),
        branches=tuple(
            known.branch
            for known in map(state.feature, run.features)
            if known.branch and HEADS + known.branch in project.refs
        ),
        up_to_date=None,
        left=None,
        max_cost_usd=told.max_cost_usd,
        only_accepted=project.config.project.require_review,
    )
    waves = graph(run_view(report, (), run.started_at).features).waves()
    return replace(report, waves=tuple(map(tuple, waves)))


def _with_written(report: RunReport, document: Mapping[str, Json]) -> RunReport:
    """The report with what only the written one tells: the rest of the list."""
    if not document:
        return report
    waves = document.get("waves")
    return replace(
        report,
        waves=tuple(tuple(map(str, wave)) for wave in waves if isinstance(wave, list))
        if isinstance(waves, list)
        else report.waves,
        up_to_date=strings(document, "up_to_date"),
        left=strings(document, "left_out"),
    )
