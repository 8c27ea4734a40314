"""Scheduling: which ready feature starts next, and the predicted time on k slots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from heapq import heappop, heappush

from ..model.decision import Decision
from ..model.feature import Feature, Invocation
from ..model.frozen import dataclass, field
from .resolver import DAGResolver

TOKENS_PER_SECOND = 150.0
"""Assumed pace: 1800 seconds for 270,000 tokens."""

DEFAULT_ESTIMATE = 30_000.0
"""Tokens of a feature in a list without estimates."""

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
    caught: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Matches in the main checkout for each pattern of ``copied`` and ``linked``."""
    warnings: tuple[str, ...] = ()

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


def estimator(features: Mapping[str, Feature]) -> Callable[[Feature], float]:
    """A function for a feature's work in tokens; without an estimate, the mean of the others."""
    known = [f.estimated_tokens for f in features.values() if f.estimated_tokens is not None]
    fallback = sum(known) / len(known) if known else DEFAULT_ESTIMATE

    def work(feature: Feature) -> float:
        return fallback if feature.estimated_tokens is None else float(feature.estimated_tokens)

    return work


def longest_path_first(dag: DAGResolver) -> Rank:
    """Sort key of ready features: longest remaining path, then priority, then list order."""
    remaining = dag.remaining(estimator(dag.features))
    position = {id: index for index, id in enumerate(dag.features)}

    def rank(id: str) -> tuple[float, int, int]:
        return (-remaining[id], dag.features[id].priority, position[id])

    return rank


def wave_order(dag: DAGResolver) -> Rank:
    """Sort key for sequential runs: by wave, then list order."""
    wave = {id: number for number, ids in enumerate(dag.waves()) for id in ids}
    position = {id: index for index, id in enumerate(dag.features)}
    return lambda id: (wave[id], 0, position[id])


def predict(dag: DAGResolver, slots: int) -> Timeline:
    """Simulate the scheduler with ``slots`` slots, estimated tokens and a constant pace."""
    work = estimator(dag.features)
    rank = longest_path_first(dag)
    seconds = {id: work(feature) / TOKENS_PER_SECOND for id, feature in dag.features.items()}
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
    return Timeline(now, sum(seconds.values()), starts)
