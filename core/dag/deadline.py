"""What will be done by a deadline: a set of features, and with what confidence.

The scheduler is simulated many times with times and costs as scattered as past runs were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..model.frozen import dataclass
from .prediction import Prediction
from .resolver import DAGResolver
from .schedule import predict

SAMPLES = 100
WORK = 50_000
"""The features of all samples together: a long list gets fewer samples, but at least ten."""

CONFIDENCE = 0.8
"""The set is as large as this confidence allows."""

GUESSED = 1.5
"""The P90 ÷ the median of a feature that was never measured, or only once."""

P90_SIGMAS = 1.2816
"""The P90 of the normal distribution, in standard deviations."""

LEAST_SHARE = 0.1
"""No sample is below this share of the median."""


@dataclass(frozen=True)
class Reachable:
    """A dependency-closed set of features, and the confidence that all of it is done in time."""

    features: tuple[str, ...]
    confidence: float
    seconds_p90: float
    cost_p90_usd: float
    guessed: int
    """How many of its features have a guessed spread."""


def reachable(
    dag: DAGResolver,
    predictions: Mapping[str, Prediction],
    slots: int,
    seconds: float,
    max_cost_usd: float | None = None,
) -> Reachable:
    """The largest set that a run is confident to complete within ``seconds`` and its budget.

    Features are taken in the order in which they are predicted to end, so that each comes after
    its dependencies. If not even one fits, it is the first one, with its confidence.
    """
    expected = {id: each.seconds for id, each in predictions.items()}
    starts = predict(dag, slots, expected).starts
    # A feature without work ends together with its dependency.
    position = {id: at for at, id in enumerate(dag.order())}
    order = sorted(dag.features, key=lambda id: (starts[id] + expected[id], position[id]))
    least, most = 1, len(order)
    found = _tried(dag, predictions, slots, order[:1], seconds, max_cost_usd)
    while least < most and found.confidence >= CONFIDENCE:
        middle = (least + most + 1) // 2
        tried = _tried(dag, predictions, slots, order[:middle], seconds, max_cost_usd)
        if tried.confidence >= CONFIDENCE:
            found, least = tried, middle
        else:
            most = middle - 1
    return found


def _tried(
    dag: DAGResolver,
    predictions: Mapping[str, Prediction],
    slots: int,
    ids: Sequence[str],
    seconds: float,
    max_cost_usd: float | None,
) -> Reachable:
    """How a run of only these features ends."""
    from ..model.past_runs import quantile

    part = DAGResolver(dag.features[id] for id in ids)
    draws = _draws()
    times: list[float] = []
    costs: list[float] = []
    kept = 0
    count = max(10, min(SAMPLES, WORK // len(ids)))
    for _ in range(count):
        drawn = {id: _sample(predictions[id], next(draws)) for id in ids}
        span = predict(part, slots, {id: taken for id, (taken, _) in drawn.items()})
        cost = sum(usd for _, usd in drawn.values())
        times.append(span.makespan_seconds)
        costs.append(cost)
        kept += times[-1] <= seconds and (max_cost_usd is None or cost <= max_cost_usd)
    guessed = sum(not _is_known(predictions[id]) for id in ids)
    p90 = quantile(times, 0.9), quantile(costs, 0.9)
    return Reachable(tuple(ids), kept / count, *p90, guessed)


def _is_known(given: Prediction) -> bool:
    return given.is_measured and given.count > 1


def _sample(given: Prediction, sigmas: float) -> tuple[float, float]:
    """A time and a cost, this many standard deviations from their medians.

    A feature that takes long also costs much, so both lie on the same side.
    """
    sample: list[float] = []
    for median, p90 in (
        (given.seconds, given.seconds_p90),
        (given.cost_usd, given.cost_p90_usd),
    ):
        spread = (p90 if _is_known(given) else GUESSED * median) - median
        sample.append(max(LEAST_SHARE * median, median + sigmas * spread / P90_SIGMAS))
    return sample[0], sample[1]


def _draws() -> Iterator[float]:
    """Numbers of the standard normal distribution; the same ones each time.

    A linear congruential generator (Park and Miller 1988) and the sum of twelve of its numbers.
    """
    state = 20_240_229

    def uniform() -> float:
        nonlocal state
        state = state * 48_271 % 2_147_483_647
        return state / 2_147_483_647

    while True:
        yield sum(uniform() for _ in range(12)) - 6.0
