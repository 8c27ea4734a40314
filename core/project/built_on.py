"""Which features are built on an older result of a dependency than the one that it has now."""

from __future__ import annotations

from collections.abc import Collection

from ..git.refs import HEADS
from ..model.state import FeatureState, RunState
from .open import OpenProject


async def built_on_older(
    project: OpenProject, state: RunState, merged: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """By feature: the dependencies that a retry gave a result which the feature does not hold.

    Neither the ``merged`` features nor their dependents are looked at for them: they are built on
    the base by now. Without such a retry, git is not asked.
    """
    others = [id for id in project.dag.features if id not in merged]
    found = {id: await older_below(project, state, id, merged) for id in others}
    return {id: older for id, older in found.items() if older}


async def older_below(
    project: OpenProject, state: RunState, id: str, merged: Collection[str] = ()
) -> tuple[str, ...]:
    """The dependencies of one feature, as :func:`built_on_older` has them."""
    known, feature = state.feature(id), project.dag.features.get(id)
    if known.work is None or feature is None:
        return ()
    retried = [d for d in feature.depends_on if d not in merged and _is_newer(state, d)]
    older = [d for d in retried if not await _holds(project, known, state.feature(d))]
    return tuple(older)


def _is_newer(state: RunState, id: str) -> bool:
    known = state.feature(id)
    return bool(known.older) and known.work is not None


async def _holds(project: OpenProject, known: FeatureState, needed: FeatureState) -> bool:
    """Whether a feature holds the result of a dependency, or what the user made of its branch."""
    own, git = _tip(project, known), project.git
    return await git.is_ancestor(needed.last_result, own) or await git.is_ancestor(
        _tip(project, needed), own
    )


def _tip(project: OpenProject, known: FeatureState) -> str:
    """The tip of a feature's branch; without one, its result."""
    return project.refs.get(HEADS + known.branch, "") or known.last_result
