"""Decisions: which features a run starts, resumes or leaves, and why; the plan of a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from ..dag import incremental, schedule
from ..dag.resolver import DAGResolver
from ..git.door import Unknown
from ..git.refs import RESULTS
from ..model.decision import Decision
from ..model.errors import UserError
from ..model.feature import Config
from ..model.frozen import replace
from ..model.state import RunState, Skip
from ..model.translate import N_
from ..process.spawner import run_sync
from .open import OpenProject, commands
from .past import Forecast, forecast_of
from .selection import Selection, fresh
from .warnings import cautions, matched_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..git.answer_cache import AnswerFile


def answer_file(project: OpenProject, state: RunState) -> AnswerFile | None:
    """Load git's cached answers of earlier commands; the file to write them to.

    ``None`` if commit ids are not immutable here.
    """
    from ..git import merged
    from ..git.answer_cache import AnswerFile

    settings = run_sync(project.git.settings_fingerprint())
    if not settings:
        return None
    file = AnswerFile(project.git.repository.common_dir, settings, os.environ)
    project.git.answers = file.read()
    results = {known.work.commit for known in state.features.values() if known.work}
    run_sync(merged.prefetch(project.git, results, project.base_commit))
    return file


def apply_skips(project: OpenProject, state: RunState) -> OpenProject:
    """The project without the dependencies that the user skipped with ``--force``."""
    forced = {id for id, known in state.features.items() if known.skip is Skip.FORCED}
    if not forced.intersection(project.dag.features):
        return project
    features = tuple(incremental.without(project.config.features, forced))
    return replace(
        project, config=replace(project.config, features=features), dag=DAGResolver(features)
    )


def check_permissions(config: Config, command: str) -> None:
    """Raise :class:`UserError` if the list turns off Claude's permission checks."""
    from ..claude.permission_bypass import bypasses

    places = bypasses(config.claude)
    if places:
        raise UserError(
            N_("the list turns off or replaces Claude's permission checks"),
            details=places,
            hint=N_(
                "remove that from the list, or allow it: rorchestrator {command} --allow-bypass"
            ).format(command=command),
        )


def decide(
    project: OpenProject,
    state: RunState,
    selection: Selection,
    *,
    hashed: bool = True,
    run: str = "next",
    merged: Mapping[str, str] | None = None,
    made: Mapping[str, Decision] | None = None,
) -> dict[str, Decision]:
    """The decision for each feature of the list, with its reason.

    ``merged`` is how features were merged, as far as that is known; empty for those that were not.
    ``made`` are the decisions about features that a run has begun: they stay.
    """
    unknown: dict[str, str] = {}
    merged = run_sync(_merged(project, state, unknown, merged or {}))
    facts = incremental.Facts(
        reachable=_reachable(project, state),
        merged=merged,
        unknown=unknown,
        older=run_sync(_older(project, state, merged)),
        fresh=fresh(selection, project.dag),
        run=run,
    )
    return incremental.decide(project.config, project.dag, state, facts, hashed=hashed, made=made)


async def _older(
    project: OpenProject, state: RunState, merged: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """By feature: the dependencies with a newer result than the one that it is built on."""
    if all(known.work is None for known in state.features.values()):
        return {}
    from .built_on import built_on_older

    return await built_on_older(project, state, merged)


def _reachable(project: OpenProject, state: RunState) -> set[str]:
    results = {
        (ref[len(RESULTS) :].split("/", 1)[0], commit)
        for ref, commit in project.refs.items()
        if ref.startswith(RESULTS)
    }
    return {id for id, f in state.features.items() if f.work and (id, f.work.commit) in results}


async def _merged(
    project: OpenProject, state: RunState, unknown: dict[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """How features were merged into the base, by id; fills ``unknown`` with reasons."""
    merged: dict[str, str] = {}
    base = project.config.project.base_branch
    built = [known for id, known in state.features.items() if known.work is not None]
    if not built:
        return merged
    from .landed import how_merged_into

    for feature in project.config.features:
        known = state.feature(feature.id)
        if known.work is None:
            continue
        if feature.id in given:
            merged.update({feature.id: given[feature.id]} if given[feature.id] else {})
            continue
        try:
            how = await how_merged_into(project, known, project.base_commit, base)
        except Unknown as error:
            unknown[feature.id] = N_(
                "whether it is merged into {base} is unknown: {message}"
            ).format(base=base, message=error.message)
            continue
        if how:
            merged[feature.id] = how
    return merged


def make_plan(
    project: OpenProject,
    decisions: Mapping[str, Decision],
    slots: int,
    selected: Iterable[str],
    forecast: Forecast | None = None,
    state: RunState | None = None,
) -> schedule.Plan:
    """The plan of the list if the ``selected`` features run, with the given ``forecast``."""
    dag = project.dag
    forecast = forecast or forecast_of(project)
    seconds = forecast.seconds
    chosen = frozenset(selected)
    settings = project.config.project
    waits = _waits(project, state or RunState(), decisions, chosen)
    return schedule.Plan(
        project=settings.name,
        description=settings.description,
        features=dag.features,
        waves=tuple(map(tuple, dag.waves())),
        branches={id: project.config.branch_of(id) for id in dag.features},
        decisions=decisions,
        selected=chosen,
        critical_path=tuple(dag.critical_path(lambda feature: seconds[feature.id])),
        max_parallel=slots,
        timeline=schedule.predict(_part(dag, chosen), slots, seconds),
        usd_per_million_tokens=settings.usd_per_million_tokens,
        commands=commands(project.config),
        max_cost_usd=settings.max_cost_usd,
        copied=settings.copy,
        linked=settings.link,
        setup_cache=settings.setup_cache,
        caught=matched_files(project) if chosen else {},
        warnings=tuple(each.said for each in cautions(project)) + waits if chosen else (),
        predictions=forecast.predictions,
        past_error=forecast.past_error,
    )


def _waits(
    project: OpenProject, state: RunState, decisions: Mapping[str, Decision], chosen: Iterable[str]
) -> tuple[str, ...]:
    """That nothing new starts before a review."""
    if project.config.project.max_unreviewed is None:
        return ()
    from .reviewed import why_nothing_new

    return tuple(why_nothing_new(project.config, state, decisions, chosen))


def _part(dag: DAGResolver, ids: frozenset[str]) -> DAGResolver:
    """The graph of the chosen features; of all if none is chosen."""
    if not ids or len(ids) == len(dag.features):
        return dag
    return DAGResolver(feature for id, feature in dag.features.items() if id in ids)
