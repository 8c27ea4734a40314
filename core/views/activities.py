"""`Activities`: what Claude does for each active feature, from the logs of their attempts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..model.phase import Phase
from ..model.state import FeatureState, RunState
from .activity import Activity, ActivityLog


class Activities:
    """The logs of the attempts that run now. ``mask`` removes secrets."""

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        self._mask = mask
        self._logs: dict[str, ActivityLog] = {}

    def read(self, state: RunState) -> Mapping[str, Activity]:
        """The activity of each feature that Claude works on, by id."""
        logs = {f.id: self._log(f) for f in active_features(state) if f.phase is Phase.CLAUDE}
        self._logs = logs
        return {id: log.read() for id, log in logs.items()}

    def _log(self, feature: FeatureState) -> ActivityLog:
        path = feature.attempts[-1].log if feature.attempts else ""
        known = self._logs.get(feature.id)
        return known if known and known.path == path else ActivityLog(path, self._mask)


def active_features(state: RunState) -> list[FeatureState]:
    """The features that the last run works on, in the order of its list."""
    run = state.run
    if run is None:
        return []
    features = (state.features.get(id) for id in run.features)
    return [f for f in features if f is not None and f.run == run.id and f.status.active]
