"""Why a feature stands where it stands in a review: the evidence, and the order made of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from ..dag.resolver import DAGResolver
from ..model.check_verdict import CheckVerdict, Verdict
from ..model.excerpt import some
from ..model.frozen import Enum, dataclass
from ..model.translate import N_

LARGE = ((1000, 3), (400, 2), (200, 1))
"""Changed lines, and how much they weigh: reviewers find little in more than 400 lines at once."""

NAMED = 5
"""How many files a piece of evidence names."""


class Kind(Enum):
    """What a piece of evidence is about."""

    UNNAMED = "unnamed_files"
    LEFT = "left_uncommitted"
    UNCHECKED = "unchecked"
    PROVES_NOTHING = "proves_nothing"
    DENIED = "denied_tools"
    DEPENDENTS = "dependents"
    SHARED = "shared_files"
    UNPROVED = "unproved"
    FAILED_FIRST = "failed_first"
    FLAKY = "flaky"
    CONFLICT = "predicted_conflict"
    SIZE = "size"
    ATTEMPTS = "attempts"


TOLD = (Verdict.FLAKY, Verdict.NOT_YOURS)
"""The verdicts that say themselves that a check failed."""


@dataclass(frozen=True)
class Evidence:
    """A reason to look at a feature more closely."""

    kind: Kind
    text: str
    weight: int
    """Among the reasons of a feature, and of all features, the heavier ones come first."""


@dataclass(frozen=True)
class Facts:
    """What is known of a feature."""

    dependents: Sequence[str] = ()
    """The features that are built on it and not landed, directly or not."""
    lines: int = 0
    unnamed: Sequence[str] = ()
    shared: Mapping[str, Sequence[str]] | None = None
    """By file: the other features that change it."""
    has_checks: bool = True
    verdicts: Collection[CheckVerdict] = ()
    left: Sequence[str] = ()
    denied: Sequence[str] = ()
    failed_first: Mapping[str, int] | None = None
    """By check: how often it failed before it passed."""
    attempts: int = 1
    conflicts: Sequence[str] = ()


def evidence_of(facts: Facts) -> tuple[Evidence, ...]:
    """The evidence, the heaviest first."""
    found = [*_of_files(facts), *_of_checks(facts), *_of_history(facts)]
    return tuple(sorted(found, key=lambda each: -each.weight))


def _of_files(facts: Facts) -> Iterable[Evidence]:
    if facts.unnamed:
        said = N_("files named neither in its prompt nor in creates: {files}")
        yield Evidence(Kind.UNNAMED, said.format(files=some(facts.unnamed, NAMED)), 3)
    if facts.shared:
        each = [f"{path} ({', '.join(ids)})" for path, ids in facts.shared.items()]
        said = N_("files that other features change, too: {files}")
        yield Evidence(Kind.SHARED, said.format(files=some(each, NAMED)), 2)
    if facts.left:
        said = N_("left uncommitted: {files}")
        yield Evidence(Kind.LEFT, said.format(files=some(facts.left, NAMED)), 3)
    weight = next((weight for least, weight in LARGE if facts.lines >= least), 0)
    if weight:
        said = N_("large: {count:,} changed lines")
        yield Evidence(Kind.SIZE, said.format(count=facts.lines), weight)


def _of_checks(facts: Facts) -> Iterable[Evidence]:
    by_verdict: dict[Verdict, list[str]] = {}
    for made in facts.verdicts:
        by_verdict.setdefault(made.verdict, []).append(made.check)
    idle = [test for made in facts.verdicts for test in made.proves_nothing]
    if not (facts.has_checks or facts.verdicts):
        yield Evidence(Kind.UNCHECKED, N_("no check and no contract covers it"), 3)
    if idle:
        said = N_("tests that pass without its change: {tests}")
        yield Evidence(Kind.PROVES_NOTHING, said.format(tests=some(idle, NAMED)), 3)
    if by_verdict and not (by_verdict.keys() & {Verdict.PROVED, Verdict.NOT_LOOKED_AT}):
        said = N_("no check proves it: none of them failed before its change")
        yield Evidence(Kind.UNPROVED, said, 2)
    if by_verdict.get(Verdict.FLAKY):
        said = N_("flaky: {checks}")
        yield Evidence(Kind.FLAKY, said.format(checks=some(by_verdict[Verdict.FLAKY], NAMED)), 2)


def _of_history(facts: Facts) -> Iterable[Evidence]:
    if facts.dependents:
        said = N_("features that depend on it: {ids}")
        weight = min(3, len(facts.dependents))
        yield Evidence(Kind.DEPENDENTS, said.format(ids=some(facts.dependents)), weight)
    if facts.denied:
        said = N_("denied to Claude: {tools}")
        yield Evidence(Kind.DENIED, said.format(tools=some(facts.denied, NAMED)), 2)
    told = {each.check for each in facts.verdicts if each.verdict in TOLD}
    failed = {c: n for c, n in (facts.failed_first or {}).items() if c not in told}
    if failed:
        each = [f"{check} ({count}×)" for check, count in failed.items()]
        said = N_("failed before they passed: {checks}")
        yield Evidence(Kind.FAILED_FIRST, said.format(checks=some(each, NAMED)), 2)
    if facts.conflicts:
        said = N_("a predicted conflict with {ids}")
        yield Evidence(Kind.CONFLICT, said.format(ids=some(facts.conflicts)), 2)
    if facts.attempts > 1:
        said = N_("needed {count} attempts")
        yield Evidence(Kind.ATTEMPTS, said.format(count=facts.attempts), 1)


def attention(evidence: Iterable[Evidence]) -> int:
    """How much of the reviewer's attention a feature deserves, compared with others."""
    return sum(each.weight for each in evidence)


def in_order(dag: DAGResolver, weights: Mapping[str, int]) -> list[str]:
    """The features in ``weights`` with dependencies first; where there is a choice, the heaviest.

    A dependency counts also through features that are not among them.
    """
    needed = {id: set(dag.ancestors([id])) & weights.keys() - {id} for id in weights}
    listed = [id for id in dag.features if id in weights]
    order: list[str] = []
    while listed:
        ready = [id for id in listed if needed[id].issubset(order)]
        chosen = max(ready, key=lambda id: weights[id])  # The first one of equal weight.
        listed.remove(chosen)
        order.append(chosen)
    return order


def hardest(order: Sequence[str], weight: Callable[[str], int]) -> str:
    """The feature that deserves the most attention; empty unless one stands out."""
    ranked = sorted(order, key=lambda id: -weight(id))
    if len(ranked) < 2 or weight(ranked[0]) == weight(ranked[1]):
        return ""
    return ranked[0]
