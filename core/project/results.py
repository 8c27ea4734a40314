"""The results that features build on, of dependencies that do not run themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..model.decision import Decision
from ..model.errors import UserError
from ..model.state import RunState
from ..model.translate import N_
from ..process.spawner import run_sync
from .landed import content_now
from .open import OpenProject


def results_below(
    project: OpenProject,
    state: RunState,
    decisions: Mapping[str, Decision],
    ids: Iterable[str],
    running: Collection[str],
) -> dict[str, str]:
    """The commits of the dependencies of ``ids`` that are not among the ``running`` features.

    Raises :class:`UserError` if one has no result, as with ``--no-deps``.
    """
    results: dict[str, str] = {}
    chosen = frozenset(running)
    for id in ids:
        for dependency in project.dag.features[id].depends_on:
            if dependency not in chosen:
                results[dependency] = _result(project, state, decisions, id, dependency)
    return results


def _result(
    project: OpenProject,
    state: RunState,
    decisions: Mapping[str, Decision],
    id: str,
    dependency: str,
) -> str:
    known = state.feature(dependency)
    if decisions[dependency].merged:
        return project.base_commit  # which contains its work
    if known.review.is_rejected:
        raise UserError(
            N_("{id} needs {dependency}, which was rejected").format(id=id, dependency=dependency),
            hint=N_("rorchestrator run --only {id} runs both").format(id=id),
        )
    if known.work is None:
        raise UserError(
            N_("{id} needs {dependency}, which has no result yet").format(
                id=id, dependency=dependency
            ),
            hint=N_("rorchestrator run --only {id} runs both").format(id=id),
        )
    held = run_sync(content_now(project, known, project.base_commit))
    if not held.tip:
        raise UserError(
            N_("{id} needs {dependency}, but {why}").format(
                id=id, dependency=dependency, why=held.words
            ),
            hint=held.hint,
        )
    return held.tip
