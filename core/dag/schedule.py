"""Scheduling: which ready feature starts next, and the predicted time on k slots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heapify, heappop, heappush

from ..model.decision import Decision
from ..model.feature import Feature, Invocation
from ..model.frozen import dataclass, field
from .prediction import TOKENS_PER_SECOND, Prediction, estimator, sum_p90
from .resolver import DAGResolver

Rank = Callable[[str], "tuple[float, int, int]"]


@dataclass(frozen=True)
class Timeline:
    """A predicted schedule, in seconds."""

    makespan_seconds: float
    sequential_seconds: float
    starts: Mapping[str, float]

    @property
    def speedup(self) -> float:
        """Sequential time ÷ makespan; 1 if there is nothing to run."""
        return self.sequential_seconds / self.makespan_seconds if self.makespan_seconds else 1.0


@dataclass(frozen=True)
class Plan:
    """Everything that ``plan`` shows."""

    project: str
    description: str
    features: Mapping[str, Feature]
    waves: tuple[tuple[str, ...], ...]
    branches: Mapping[str, str]
    decisions: Mapping[str, Decision]
    selected: frozenset[str]
    """The features that would run."""
    critical_path: tuple[str, ...]
    max_parallel: int
    timeline: Timeline
    """Of the selected features, or of the whole list if nothing would run."""
    usd_per_million_tokens: float
    commands: tuple[Invocation, ...] = ()
    max_cost_usd: float | None = None
    copied: tuple[str, ...] = ()
    """Patterns of files copied from the main checkout into each worktree."""
    linked: tuple[str, ...] = ()
    setup_cache: tuple[str, ...] = ()
    caught: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Matches in the main checkout for each pattern of ``copied`` and ``linked``."""
    warnings: tuple[str, ...] = ()
    predictions: Mapping[str, Prediction] = field(default_factory=dict)
    """Of every feature."""
    past_error: float | None = None
    """The median error of past predictions of a run's time; ``None`` if there are too few."""

    @property
    def is_measured(self) -> bool:
        """Whether a prediction of a selected feature is more than the list's estimate."""
        return any(self.predictions[id].is_measured for id in self.selected)

    @property
    def predicted_cost_usd(self) -> float:
        """The predicted cost of the selected features: the median."""
        return sum(self.predictions[id].cost_usd for id in self.selected)

    @property
    def predicted_cost_p90_usd(self) -> float:
        """The P90 of the same."""
        chosen = [self.predictions[id] for id in self.selected]
        return sum_p90((each.cost_usd, each.cost_p90_usd) for each in chosen)

    @property
    def predicted_p90_seconds(self) -> float:
        """The P90 of the makespan: only the critical path's spread counts."""
        path = [self.predictions[id] for id in self.critical_path if id in self.selected]
        spread = sum_p90((0.0, each.seconds_p90 - each.seconds) for each in path)
        return self.timeline.makespan_seconds + spread

    @property
    def estimated_tokens(self) -> int:
        """Sum of the list's estimates."""
        return sum(feature.estimated_tokens or 0 for feature in self.features.values())

    @property
    def unestimated(self) -> int:
        """The number of features without an estimate."""
        return sum(feature.estimated_tokens is None for feature in self.features.values())

    def cost_usd(self, tokens: int) -> float:
        """Estimated price of ``tokens`` in USD, at the project's blended rate."""
        return tokens * self.usd_per_million_tokens / 1_000_000


def longest_path_first(dag: DAGResolver, seconds: Mapping[str, float] | None = None) -> Rank:
    """Sort key of ready features: longest remaining path, then priority, then list order.

    ``seconds`` has the predicted time of each feature; by default, the list's estimates decide.
    """
    given = _listed_seconds(dag) if seconds is None else seconds
    remaining = dag.remaining(lambda feature: given[feature.id])
    position = {id: index for index, id in enumerate(dag.features)}

    def rank(id: str) -> tuple[float, int, int]:
        return (-remaining[id], dag.features[id].priority, position[id])

    return rank


def wave_order(dag: DAGResolver) -> Rank:
    """Sort key for sequential runs: by wave, then list order."""
    wave = {id: number for number, ids in enumerate(dag.waves()) for id in ids}
    position = {id: index for index, id in enumerate(dag.features)}
    return lambda id: (wave[id], 0, position[id])


def _listed_seconds(dag: DAGResolver) -> dict[str, float]:
    work = estimator(dag.features)
    return {id: work(feature) / TOKENS_PER_SECOND for id, feature in dag.features.items()}


def predict(dag: DAGResolver, slots: int, seconds: Mapping[str, float] | None = None) -> Timeline:
    """Simulate the scheduler with ``slots`` slots; for ``seconds`` see above."""
    seconds = _listed_seconds(dag) if seconds is None else seconds
    rank = longest_path_first(dag, seconds)
    sorter = dag.sorter()
    ready: list[tuple[tuple[float, int, int], str]] = []
    running: list[tuple[float, int, str]] = []
    starts: dict[str, float] = {}
    now = 0.0
    while sorter.is_active():
        for id in sorter.get_ready():
            heappush(ready, (rank(id), id))
        while ready and len(running) < slots:
            _, id = heappop(ready)
            starts[id] = now
            heappush(running, (now + seconds[id], len(starts), id))
        now, _, ended = heappop(running)
        sorter.done(ended)
    return Timeline(now, sum(seconds[id] for id in dag.features), starts)


def rest_seconds(
    needs: Mapping[str, Sequence[str]],
    seconds: Mapping[str, float],
    slots: int,
    working: Mapping[str, float],
) -> float:
    """Simulate the rest of a run: the time until everything in ``needs`` is over.

    ``needs`` has the features that are not over, each with those of its dependencies that are not
    over either; ``seconds`` their predicted times; ``working`` the rest of each that has a slot.
    """
    rest = {**seconds, **working}
    dependents: dict[str, list[str]] = {id: [] for id in needs}
    for id, ids in needs.items():
        for dependency in ids:
            dependents[dependency].append(id)
    paths = _paths(needs, rest)
    unmet = {id: len(ids) for id, ids in needs.items()}
    ready = [(-paths[id], id) for id in needs if not unmet[id] and id not in working]
    heapify(ready)
    running = sorted((left, id) for id, left in working.items())
    now = 0.0
    while ready or running:
        while ready and len(running) < max(1, slots):
            _, id = heappop(ready)
            heappush(running, (now + rest[id], id))
        now, ended = heappop(running)
        for id in dependents[ended]:
            unmet[id] -= 1
            if not unmet[id]:
                heappush(ready, (-paths[id], id))
    return now


def _paths(needs: Mapping[str, Sequence[str]], seconds: Mapping[str, float]) -> dict[str, float]:
    """For each feature, the time on the longest path from its start to the end."""
    dependents = dict.fromkeys(needs, 0)
    for ids in needs.values():
        for id in ids:
            dependents[id] += 1
    last = [id for id in needs if not dependents[id]]
    paths = {id: seconds[id] for id in needs}
    while last:
        id = last.pop()
        for dependency in needs[id]:
            paths[dependency] = max(paths[dependency], seconds[dependency] + paths[id])
            dependents[dependency] -= 1
            if not dependents[dependency]:
                last.append(dependency)
    return paths
