"""What a run was started with, and what was expected of it: part of ``run_started``."""

from __future__ import annotations

from collections.abc import Mapping

from .frozen import dataclass, field
from .json_values import Json, amount_of, dollars_of


@dataclass(frozen=True)
class Estimate:
    """The expected duration and cost of a feature."""

    seconds: float
    cost_usd: float


@dataclass(frozen=True)
class Provenance:
    """What a run was started with. Runs of version 1.1.0 and older recorded nothing of it."""

    version: str = ""
    """The version of RoRchestrator."""
    command: str = ""
    """The command line."""
    project: str = ""
    """The name of the project."""
    model: str = ""
    """The model that the list asks for; empty if it leaves the choice to Claude."""
    max_cost_usd: float | None = None
    """The budget."""
    depends_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each feature of the run, its dependencies, also those that did not run."""
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    """By feature."""
    estimated_seconds: float | None = None
    """The expected duration of the run."""
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By feature, if it has some."""

    @property
    def estimated_usd(self) -> float | None:
        """The expected cost of the run; ``None`` if it is unknown."""
        return sum(each.cost_usd for each in self.estimates.values()) if self.estimates else None


def provenance_data(given: Provenance) -> dict[str, Json]:
    """The data of an event."""
    data = {
        **vars(given),
        "depends_on": {id: list(needed) for id, needed in given.depends_on.items()},
        "tags": {id: list(tags) for id, tags in given.tags.items()},
        "estimates": {
            id: [round(each.seconds, 3), round(each.cost_usd, 6)]
            for id, each in given.estimates.items()
        },
    }
    return {name: value for name, value in data.items() if value not in ("", None, {})}


def provenance_of(data: Mapping[str, Json]) -> Provenance:
    """The provenance in the data of an event; what is missing or invalid is left out."""
    return Provenance(
        version=str(data.get("version", "")),
        command=str(data.get("command", "")),
        project=str(data.get("project", "")),
        model=str(data.get("model", "")),
        max_cost_usd=dollars_of(data.get("max_cost_usd")),
        depends_on=_texts(data.get("depends_on")),
        estimates=_estimates(data.get("estimates")),
        estimated_seconds=amount_of(data.get("estimated_seconds")),
        tags=_texts(data.get("tags")),
    )


def _texts(given: Json) -> dict[str, tuple[str, ...]]:
    lists = ((id, texts) for id, texts in _items(given) if isinstance(texts, list))
    return {str(id): tuple(map(str, texts)) for id, texts in lists}


def _estimates(given: Json) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}
    for id, pair in _items(given):
        amounts = [amount_of(each) for each in pair] if isinstance(pair, list) else []
        if len(amounts) == 2 and amounts[0] is not None and amounts[1] is not None:
            found[id] = Estimate(amounts[0], amounts[1])
    return found


def _items(given: Json) -> list[tuple[str, Json]]:
    return list(given.items()) if isinstance(given, dict) else []
