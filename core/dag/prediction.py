"""Predictions of time and cost: from what was measured, else from the list's estimates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..model.feature import Feature
from ..model.frozen import Enum, dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.past_runs import PastRun

TOKENS_PER_SECOND = 150.0
"""Assumed pace: 1800 seconds for 270,000 tokens."""

DEFAULT_ESTIMATE = 30_000.0
"""Tokens of a feature in a list without estimates."""

RECENT = 20
"""How many measurements count, the latest ones."""

KNOWN_WELL = 5
"""A P90 needs at least this many measurements."""


class Source(Enum):
    """What a prediction is made from, the best one first."""

    FEATURE = "feature"
    """The feature itself."""
    TAGS = "tags"
    """Features with the same tags."""
    ALL = "all"
    """All features; in proportion to the estimated tokens, if the list has them."""
    TOKENS = "tokens"
    """The list's estimate, an assumed pace and the list's price."""


@dataclass(frozen=True)
class Prediction:
    """The predicted time and cost of a feature: the median (P50) and the P90."""

    seconds: float
    seconds_p90: float
    cost_usd: float
    cost_p90_usd: float
    source: Source = Source.TOKENS
    count: int = 0
    """From how many measurements."""

    @property
    def is_measured(self) -> bool:
        """Whether it is more than the list's estimate."""
        return self.source is not Source.TOKENS

    @property
    def is_known_well(self) -> bool:
        """Whether the same feature or tags were measured often."""
        return self.source in (Source.FEATURE, Source.TAGS) and self.count >= KNOWN_WELL


@dataclass(frozen=True)
class Measured:
    """What a feature took until it completed, with the runs before that it did not complete in."""

    id: str
    tags: frozenset[str]
    seconds: float
    cost_usd: float


def measured(runs: Iterable[PastRun]) -> list[Measured]:
    """The measurements of past runs, oldest first."""
    found: list[Measured] = []
    before: dict[str, tuple[float, float]] = {}
    for run in runs:
        for feature in run.features:
            if not feature.attempts or feature.cost_usd is None:
                continue
            seconds, usd = before.pop(feature.id, (0.0, 0.0))
            seconds, usd = seconds + feature.seconds, usd + feature.cost_usd
            if feature.is_completed:
                found.append(Measured(feature.id, frozenset(feature.tags), seconds, usd))
            else:
                before[feature.id] = (seconds, usd)
    return found


def estimator(features: Mapping[str, Feature]) -> Callable[[Feature], float]:
    """A function for a feature's work in tokens; without an estimate, the mean of the others."""
    known = [f.estimated_tokens for f in features.values() if f.estimated_tokens is not None]
    fallback = sum(known) / len(known) if known else DEFAULT_ESTIMATE

    def work(feature: Feature) -> float:
        return fallback if feature.estimated_tokens is None else float(feature.estimated_tokens)

    return work


def predictions(
    features: Mapping[str, Feature], known: Sequence[Measured], usd_per_million_tokens: float
) -> dict[str, Prediction]:
    """The prediction for each feature of a list."""
    work = estimator(features)
    learned = _Learned(features, known) if known else None
    found: dict[str, Prediction] = {}
    for id, feature in features.items():
        made = learned.prediction(feature) if learned is not None else None
        if made is None:
            seconds = work(feature) / TOKENS_PER_SECOND
            usd = work(feature) * usd_per_million_tokens / 1_000_000
            made = Prediction(seconds, seconds, usd, usd)
        found[id] = made
    return found


class _Learned:
    """Measurements by feature, by tags, and of all."""

    def __init__(self, features: Mapping[str, Feature], known: Sequence[Measured]) -> None:
        self._by_id: dict[str, list[Measured]] = {}
        self._by_tags: dict[frozenset[str], list[Measured]] = {}
        for each in known:
            self._by_id.setdefault(each.id, []).append(each)
            # As the list says today; else as it was.
            now = frozenset(features[each.id].tags) if each.id in features else each.tags
            self._by_tags.setdefault(now, []).append(each)
        self._all = _made(Source.ALL, known)
        self._per_token = _per_token(features, known)

    def prediction(self, feature: Feature) -> Prediction:
        own, tags = self._by_id.get(feature.id), frozenset(feature.tags)
        if own:
            return _made(Source.FEATURE, own)
        if tags in self._by_tags and tags:
            return _made(Source.TAGS, self._by_tags[tags])
        rate, tokens = self._per_token, feature.estimated_tokens
        if rate is None or not tokens:
            return self._all
        return Prediction(
            rate.seconds * tokens,
            rate.seconds_p90 * tokens,
            rate.cost_usd * tokens,
            rate.cost_p90_usd * tokens,
            Source.ALL,
            rate.count,
        )


def _per_token(features: Mapping[str, Feature], known: Sequence[Measured]) -> Prediction | None:
    """Time and cost for each estimated token; ``None`` if nothing estimated was measured."""
    rates: list[Measured] = []
    for each in known:
        tokens = features[each.id].estimated_tokens if each.id in features else None
        if tokens:
            rates.append(Measured("", each.tags, each.seconds / tokens, each.cost_usd / tokens))
    return _made(Source.ALL, rates) if rates else None


def _made(source: Source, known: Sequence[Measured]) -> Prediction:
    from ..model.past_runs import quantile

    latest = known[-RECENT:]
    seconds = [each.seconds for each in latest]
    costs = [each.cost_usd for each in latest]
    return Prediction(
        quantile(seconds, 0.5),
        quantile(seconds, 0.9),
        quantile(costs, 0.5),
        quantile(costs, 0.9),
        source,
        len(latest),
    )


def sum_p90(given: Iterable[tuple[float, float]]) -> float:
    """The P90 of a sum of independent amounts, each with its median and its P90.

    Their spreads add up like those of normal distributions: in squares.
    """
    pairs = list(given)
    spread = sum((p90 - median) ** 2 for median, p90 in pairs) ** 0.5
    return sum(median for median, _ in pairs) + float(spread)
