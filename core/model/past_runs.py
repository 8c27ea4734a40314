"""Past runs as short values: when, which features, how long, at what cost; sums of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from .attempt import cost_of, usage_of
from .events import Event
from .frozen import dataclass
from .json_values import Json
from .outcome import Status
from .provenance import Estimate, Provenance
from .state import FeatureState, RunState
from .translate import N_


@dataclass(frozen=True)
class PastFeature:
    """A feature in one run."""

    id: str
    status: str
    seconds: float = 0.0
    """From its slot to its end; 0 if it had none."""
    cost_usd: float | None = 0.0
    """With estimates where attempts did not report their cost; ``None`` if it is unknown."""
    tokens: int = 0
    """All tokens that its attempts reported."""
    attempts: int = 0
    tags: tuple[str, ...] = ()
    estimate: Estimate | None = None
    """What was expected of it."""

    @property
    def is_completed(self) -> bool:
        """Whether it completed."""
        return self.status == Status.COMPLETED.value


@dataclass(frozen=True)
class PastRun:
    """One run."""

    id: str
    started_at: float
    seconds: float
    """Until its end, or until its last event if it was killed or is still running."""
    exit_code: int | None
    """``None`` if it was killed or is still running."""
    owner: str
    """Its feature list; empty if the journal does not record it."""
    slots: int
    features: tuple[PastFeature, ...]
    estimated_seconds: float | None = None

    @property
    def completed(self) -> int:
        """How many of its features completed."""
        return sum(feature.is_completed for feature in self.features)

    @property
    def cost_usd(self) -> float | None:
        """What it cost; ``None`` if the cost of a feature is unknown."""
        costs = [feature.cost_usd for feature in self.features]
        return None if None in costs else round(sum(filter(None, costs), 0.0), 6)

    @property
    def speedup(self) -> float:
        """The sum of the durations of its features ÷ its own."""
        total = sum(feature.seconds for feature in self.features)
        return round(total / self.seconds, 2) if self.seconds else 1.0

    @property
    def estimated_usd(self) -> float | None:
        """The expected cost; ``None`` if nothing was recorded."""
        known = [feature.estimate for feature in self.features if feature.estimate is not None]
        return round(sum(each.cost_usd for each in known), 6) if known else None


def last_alive(run: str, events: Iterable[Event]) -> float:
    """When a run without an end was last alive; 0 if it has no events.

    The next run ends the features of a killed one, maybe days later: these events are its last.
    """
    found = [(event.kind, event.at) for event in events if event.run == run]
    while len(found) > 1 and found[-1][0] == "ended":
        found.pop()
    return found[-1][1] if found else 0.0


def past_run(state: RunState, last_at: float) -> PastRun:
    """The last run of a state; without an end, it was last alive at ``last_at``."""
    run = state.run
    assert run is not None
    given = run.provenance
    ended_at = last_at if run.ended_at is None else run.ended_at
    features = (_past_feature(state.feature(id), run.id, ended_at, given) for id in run.features)
    return PastRun(
        run.id,
        run.started_at,
        round(max(0.0, ended_at - run.started_at), 3),
        run.exit_code,
        run.owner,
        run.max_parallel,
        tuple(features),
        given.estimated_seconds,
    )


def _past_feature(
    known: FeatureState, run: str, run_ended_at: float, given: Provenance
) -> PastFeature:
    tags, estimate = given.tags.get(known.id, ()), given.estimates.get(known.id)
    if known.run != run:
        return PastFeature(known.id, Status.PENDING.value, tags=tags, estimate=estimate)
    seconds = 0.0
    if known.in_slot and known.started_at is not None and known.ended_at is not None:
        ended_at = min(known.ended_at, run_ended_at)
        seconds = round(max(0.0, ended_at - known.started_at), 3)
    attempts = known.of_run(run)
    cost = cost_of(attempts)
    usd = cost.known_usd if cost.is_complete else cost.about_usd
    return PastFeature(
        known.id,
        known.status.value,
        seconds,
        None if usd is None else round(usd, 6),
        sum(vars(usage_of(attempts)).values()),
        len(attempts),
        tags,
        estimate,
    )


def to_json(run: PastRun) -> list[Json]:
    """A run as a list, for a file that holds thousands."""
    features: list[Json] = [
        [
            *(f.id, f.status, f.seconds, f.cost_usd, f.tokens, f.attempts, list(f.tags)),
            f.estimate and [f.estimate.seconds, f.estimate.cost_usd],
        ]
        for f in run.features
    ]
    head = (run.id, run.started_at, run.seconds, run.exit_code, run.owner, run.slots)
    return [*head, features, run.estimated_seconds]


def from_json(given: Sequence[Json]) -> PastRun:
    """The run that :func:`to_json` made a list of."""
    id, at, seconds, code, owner, slots, features, estimated = given
    read = tuple(
        PastFeature(*head, tuple(tags), Estimate(*estimate) if estimate else None)  # type: ignore[call-arg]
        for *head, tags, estimate in features  # type: ignore[attr-defined]
    )
    return PastRun(id, at, seconds, code, owner, slots, read, estimated)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Total:
    """Sums and medians over some features of some runs."""

    name: str
    runs: int
    """How often the features ran."""
    completed: int
    median_seconds: float | None
    """Of what completed; ``None`` if nothing did."""
    median_usd: float | None
    cost_usd: float
    """The sum of the known costs."""
    unknown: int
    """How many costs are unknown."""

    def to_json(self) -> dict[str, Json]:
        """What ``history --json`` prints."""
        return vars(self).copy()


def total(name: str, features: Iterable[PastFeature]) -> Total:
    """The sums and medians of some features."""
    ran = [feature for feature in features if feature.attempts]
    done = [feature for feature in ran if feature.is_completed]
    known = [feature.cost_usd for feature in ran if feature.cost_usd is not None]
    return Total(
        name,
        len(ran),
        len(done),
        median([feature.seconds for feature in done]),
        median([feature.cost_usd for feature in done if feature.cost_usd is not None]),
        round(sum(known), 6),
        len(ran) - len(known),
    )


def totals(
    runs: Iterable[PastRun], names: Callable[[PastRun, PastFeature], Iterable[str]]
) -> list[Total]:
    """The totals by name; ``names`` has the names of a feature in a run."""
    groups: dict[str, list[PastFeature]] = {}
    for run in runs:
        for feature in run.features:
            for name in names(run, feature):
                groups.setdefault(name, []).append(feature)
    found = (total(name, features) for name, features in groups.items())
    return [each for each in found if each.runs]


@dataclass(frozen=True)
class Accuracy:
    """How far estimates were off: the median of |estimate − actual| ÷ actual."""

    of: str
    error: float | None
    """0.25 is 25 %; ``None`` without a past estimate."""
    count: int

    def to_json(self) -> dict[str, Json]:
        """What ``history --json`` prints."""
        return vars(self).copy()


def accuracies(runs: Sequence[PastRun]) -> list[Accuracy]:
    """The accuracy of estimates of time and cost, of whole runs and of completed features."""
    whole = [run for run in runs if run.features and run.completed == len(run.features)]
    done = [f for run in runs for f in run.features if f.is_completed and f.estimate is not None]
    estimates = [(f, f.estimate) for f in done if f.estimate is not None]
    pairs: dict[str, list[tuple[float | None, float | None]]] = {
        N_("time of a run"): [(run.estimated_seconds, run.seconds) for run in whole],
        N_("cost of a run"): [(run.estimated_usd, run.cost_usd) for run in whole],
        N_("time of a feature"): [(each.seconds, f.seconds) for f, each in estimates],
        N_("cost of a feature"): [(each.cost_usd, f.cost_usd) for f, each in estimates],
    }
    return [_accuracy(of, given) for of, given in pairs.items()]


def _accuracy(of: str, pairs: Iterable[tuple[float | None, float | None]]) -> Accuracy:
    errors = [abs(guess - real) / real for guess, real in pairs if guess is not None and real]
    return Accuracy(of, median(errors), len(errors))


def median(values: Sequence[float]) -> float | None:
    """The middle value; ``None`` without values."""
    return quantile(values, 0.5) if values else None


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the ``values`` are, interpolated. There is at least one.

    As numpy and spreadsheets do it by default (Hyndman and Fan 1996, definition 7).
    """
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def document(runs: Sequence[PastRun]) -> list[Mapping[str, Json]]:
    """Runs as ``history --json`` prints them; times are seconds since 1970."""
    return [
        {
            "run": run.id,
            "started_at": run.started_at,
            "seconds": run.seconds,
            "exit_code": run.exit_code,
            "list": run.owner or None,
            "max_parallel": run.slots,
            "completed": run.completed,
            "total": len(run.features),
            "cost_usd": run.cost_usd,
            "speedup": run.speedup,
            "estimated_seconds": run.estimated_seconds,
            "estimated_usd": run.estimated_usd,
            "features": [_feature_document(feature) for feature in run.features],
        }
        for run in runs
    ]


def _feature_document(feature: PastFeature) -> dict[str, Json]:
    estimate = feature.estimate
    return {
        **vars(feature),
        "tags": list(feature.tags),
        "estimate": None if estimate is None else vars(estimate).copy(),
    }
