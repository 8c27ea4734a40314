"""The reports of features, joined into one run as if one machine had run it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from .. import __version__
from ..dag.resolver import cycle
from ..git.channel import Channel
from ..model import events
from ..model.errors import ExitCode, UserError
from ..model.events import Event
from ..model.fold import fold
from ..model.frozen import dataclass, replace
from ..model.json_values import Json
from ..model.outcome import Fault, FeatureOutcome, Status, Work
from ..model.provenance import Provenance
from ..model.translate import N_
from ..reporter.documents import RunReport
from ..views.run_view import RunView, graph, run_view
from .earlier import Earlier, earlier_of
from .feature_report import RUNS, FeatureReport, Listed, report_in, stories

OF_THE_RUN = frozenset({"note", "paused", "window"})
"""Events of a machine's run that belong to the joined run."""

OF_A_FEATURE = frozenset(
    {
        *("preparing", "based", "reopened", "setting_up", "ready", "left", "note", "stray"),
        *("attempt_started", "attempt_ended", "verifying", "committing", "committed", "queued"),
        *("resolution_started", "resolution_ended", "resolved", "checking", "checked", "judged"),
        *("ended", "clash"),
    }
)
"""The events of a feature in a run. Other kinds are about other features or later commands."""

FAULTS = {Status.COMPLETED: Fault.NONE, Status.CANCELLED: Fault.INTERRUPTED}

NOT_REPORTED = N_("not reported")


@dataclass(frozen=True)
class Gathered:
    """What the machines of a run reported, by feature."""

    run_id: str
    reports: Mapping[str, FeatureReport]
    open_claims: Mapping[str, Earlier]
    """Features whose newest attempt has not reported."""
    unpushed: frozenset[str] = frozenset()
    """Features that completed by a file, while the remote does not have that report."""


def read_files(
    paths: Iterable[str], run_id: str = ""
) -> tuple[list[FeatureReport], list[UserError]]:
    """The reports of files, of the run ``run_id`` if one is given, and why others are left out.

    An agent could write into the file of its own feature, which must not hide all others.
    """
    found: list[FeatureReport] = []
    faults: list[UserError] = []
    for path in paths:
        try:
            found.append(_of_run(run_id, report_in(_content(path), os.path.basename(path)), path))
        except UserError as error:
            faults.append(error)
    return found, faults


def _of_run(run_id: str, report: FeatureReport, path: str) -> FeatureReport:
    if run_id in ("", report.run_id):
        return report
    raise UserError(
        N_("{path} is a report of run {run}").format(path=path, run=report.run_id),
        hint=N_("name files that run --report wrote"),
    )


def _content(path: str) -> bytes:
    fault = N_("it is not a regular file")
    try:
        if os.path.isfile(path) or not os.path.exists(path):
            with open(path, "rb") as file:
                return file.read()
    except OSError as error:
        fault = str(error.strerror)
    raise UserError(
        N_("{path} can't be read: {strerror}").format(path=path, strerror=fault),
        hint=N_("name files that run --report wrote"),
    )


async def fetched(channel: Channel, run_id: str) -> dict[str, Earlier]:
    """What the remote has of a run, by feature."""
    prefix = f"{RUNS}{run_id}/"
    there = await channel.look(f"{prefix}*")
    return await earlier_of(channel, run_id, [ref[len(prefix) :] for ref in there])


def gather(
    files: Sequence[FeatureReport], there: Mapping[str, Earlier] | None, run_id: str
) -> Gathered:
    """The newest report of each feature; ``there`` is what the remote has, if it was asked.

    Then a feature completed only if the remote says so: any job can write a file about any
    feature, but only its own was pushed. Raises :class:`UserError` if they are of several runs.
    """
    was_asked, there = there is not None, there or {}
    given = [*files, *(each.report for each in there.values() if each.report is not None)]
    runs = sorted({run_id, *(each.run_id for each in given)} - {""})
    if len(runs) != 1:
        raise UserError(
            N_("these reports belong to several runs: {runs}").format(runs=", ".join(runs))
            if runs
            else N_("there is no report"),
            hint=N_("name the files of one run, or --remote URL and --run-id R"),
        )
    newest: dict[str, FeatureReport] = {}
    for each in sorted(given, key=lambda report: report.attempt):
        newest[each.feature] = each
    done = {id: each.report for id, each in there.items() if each.report and each.has_completed}
    newest.update(done)
    unpushed = {id for id, each in newest.items() if each.is_complete and id not in done}
    claims = {
        id: each
        for id, each in there.items()
        if not each.has_reported and each.claim.attempt > _attempt(newest.get(id))
    }
    return Gathered(runs[0], newest, claims, frozenset(unpushed if was_asked else ()))


def _attempt(report: FeatureReport | None) -> int:
    return report.attempt if report is not None else 0


def joined(gathered: Gathered, only: Sequence[str], now: float) -> RunView:
    """One run made of all reports, with the features of ``only``, else all that have not landed.

    Raises :class:`UserError` if there is none.
    """
    listed = _listed(gathered, only)
    if not listed:
        raise UserError(
            N_("no machine has started a feature of run {run}").format(run=gathered.run_id),
            hint="git ls-remote URL 'refs/rorchestrator/runs/*'",
        )
    story = _story(gathered, listed)
    times = [event.at for event in story] or [now]
    started, ended = min(times), max(times)
    missing = [*_missing(gathered, listed, ended)]
    complete = [id for id, each in gathered.reports.items() if each.is_complete]
    is_complete = set(listed) <= set(complete) - gathered.open_claims.keys() - gathered.unpushed
    code = ExitCode.UP_TO_DATE if is_complete else ExitCode.INCOMPLETE
    whole = [
        _run_started(gathered, listed, started),
        *story,
        *missing,
        events.run_ended(ended, gathered.run_id, exit_code=code),
    ]
    return _view(whole, gathered, listed, ended)


def _run_started(gathered: Gathered, listed: Mapping[str, Listed], at: float) -> Event:
    first = next(iter(gathered.reports.values()), None)
    return events.run_started(
        at,
        gathered.run_id,
        pid=0,
        base_branch=first.base_branch if first else "",
        base_commit=first.base_commit if first else "",
        features=list(listed),
        max_parallel=first.max_parallel if first else 1,
        provenance=Provenance(
            version=__version__,
            project=first.project if first else "",
            depends_on={each.id: each.depends_on for each in listed.values()},
        ),
    )


def _view(
    whole: Sequence[Event], gathered: Gathered, listed: Mapping[str, Listed], ended: float
) -> RunView:
    state = fold(whole)
    assert state.run is not None
    features = {
        id: replace(known, name=known.name or listed[id].name if id in listed else known.name)
        for id, known in state.features.items()
    }
    report = RunReport(
        replace(state, features=features),
        state.run,
        project_name=state.run.provenance.project,
        waves=(),
        branches=tuple(
            each.branch
            for id, each in gathered.reports.items()
            if each.commit and each.is_complete and id not in gathered.unpushed
        ),
        up_to_date=(),
        is_elsewhere=True,
    )
    made = run_view(report, whole, ended)
    waves = tuple(map(tuple, graph(made.features).waves()))
    return replace(made, report=replace(report, waves=waves))


def _listed(gathered: Gathered, only: Sequence[str]) -> dict[str, Listed]:
    """The features of the run by their ids, dependencies first."""
    known: dict[str, Listed] = {}
    for report in gathered.reports.values():
        known.update((each.id, each) for each in report.listed)
    wanted = [*only, *(gathered.reports.keys() | gathered.open_claims.keys())]
    ids = wanted if only else [*known, *wanted]
    order = {id: place for place, id in enumerate(known)}
    chosen = sorted(dict.fromkeys(ids), key=lambda id: (order.get(id, len(order)), id))
    found = {id: known.get(id, Listed(id, id)) for id in chosen}
    needs = {id: [d for d in each.depends_on if d in found] for id, each in found.items()}
    if cycle(needs):  # Reports of different lists.
        return {id: replace(each, depends_on=()) for id, each in found.items()}
    return found


def _story(gathered: Gathered, listed: Mapping[str, Listed]) -> list[Event]:
    """The events of all features, as events of the one run, in the order of their times."""
    needs = {id: each.depends_on for id, each in listed.items()}
    reports = [gathered.reports[id] for id in listed if id in gathered.reports]
    found = [
        replace(event, run=gathered.run_id)
        for id, story in stories(reports, needs).items()
        for event in story
        if _belongs(event, id)
    ]
    return sorted(found, key=lambda event: event.at)


def _belongs(event: Event, id: str) -> bool:
    kinds = OF_A_FEATURE if event.feature == id else OF_THE_RUN
    return event.kind in kinds and event.feature in ("", id)


def _missing(gathered: Gathered, listed: Mapping[str, Listed], at: float) -> Iterable[Event]:
    """The ends of features without a report, and of those whose events end otherwise."""
    lost: set[str] = set()
    for id, each in listed.items():
        report = gathered.reports.get(id)
        claim = gathered.open_claims.get(id)
        below = [d for d in each.depends_on if d in lost]
        is_pushed = id not in gathered.unpushed
        if report is None or claim is not None or not (report.is_complete and is_pushed):
            lost.add(id)
        if claim is not None:
            outcome = _cancelled(
                N_("attempt {number} on {host} has not reported").format(
                    number=claim.claim.attempt, host=claim.claim.host
                )
            )
        elif not is_pushed:
            outcome = _cancelled(N_("it completed on its machine, but was not pushed"))
        elif report is None and below:
            text = N_("not reported; it needs {id}").format(id=below[0])
            outcome = FeatureOutcome(Status.BLOCKED, text)
        elif report is None:
            outcome = _cancelled(NOT_REPORTED)
        elif _end_of(report) != report.status.value:
            work = Work(report.commit) if report.is_complete else None
            fault = FAULTS.get(report.status, Fault.GIT)
            outcome = FeatureOutcome(report.status, report.reason, fault, work)
        else:
            continue
        yield events.ended(at, gathered.run_id, id, outcome)


def _end_of(report: FeatureReport) -> Json:
    """How the feature ended by its events; an earlier attempt may have been the last with any."""
    mine = (
        each for each in report.events if each.kind == "ended" and each.feature == report.feature
    )
    ends = [event.data.get("status") for event in mine]
    return ends[-1] if ends else None


def _cancelled(reason: str) -> FeatureOutcome:
    return FeatureOutcome(Status.CANCELLED, reason, Fault.INTERRUPTED)
