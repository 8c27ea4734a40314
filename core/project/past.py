"""The past runs of a project: those of its list, also under names that it had before."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..dag.prediction import Prediction, measured, predictions
from ..journal.history import past_runs
from ..model.frozen import dataclass
from ..model.state import FeatureState, RunState
from .open import OpenProject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.past_runs import PastRun

FEW = 3
"""The error of fewer past predictions means nothing."""


@dataclass(frozen=True)
class Forecast:
    """What is expected of each feature of a list, from its past runs."""

    predictions: Mapping[str, Prediction]
    past_error: float | None = None
    """The median error of past predictions of a run's time; ``None`` if there are too few."""
    runs: int = 0
    """How many past runs it was learned from."""

    @property
    def seconds(self) -> dict[str, float]:
        """The predicted time of each feature."""
        return {id: each.seconds for id, each in self.predictions.items()}


def forecast_of(project: OpenProject) -> Forecast:
    """The forecast for a list. Raises :class:`UserError` if the journal is damaged."""
    rate = project.config.project.usd_per_million_tokens
    features = project.dag.features
    if not os.path.exists(project.journal.path):
        return Forecast(predictions(features, (), rate))
    from ..model.past_runs import accuracies

    runs = runs_of(project)
    time_of_run = accuracies(runs)[0]
    error = time_of_run.error if time_of_run.count >= FEW else None
    known = measured(runs)
    count = sum(run.completed > 0 for run in runs)
    return Forecast(predictions(features, known, rate), error, count)


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
