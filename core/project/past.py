"""The past runs of a project: those of its list, also under names that it had before."""

from __future__ import annotations

import os

from ..journal.history import past_runs
from ..model.past_runs import PastRun
from ..model.state import FeatureState, RunState
from .open import OpenProject


def runs_of(project: OpenProject, *, all_lists: bool = False) -> list[PastRun]:
    """The past runs, oldest first; ``all_lists`` includes those of the repository's other lists.

    Raises :class:`UserError` if the journal is damaged.
    """
    runs = past_runs(project.journal.folder, os.environ)
    if all_lists:
        return runs
    ids: dict[str, set[str]] = {}
    for run in runs:
        ids.setdefault(run.owner, set()).update(feature.id for feature in run.features)
    ours = {"", project.owner}
    for owner in ids.keys() - ours:
        features = {id: FeatureState(id, owner=owner) for id in ids[owner]}
        ours |= project.owners(RunState(features))
    return [run for run in runs if run.owner in ours]
