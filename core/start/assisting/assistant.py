"""The dependency assistant: what is missing, needless or risky in a list, and a list without it.

Pure: what is known beside the list is :class:`~core.start.assisting.finding.Knowledge`, which
`core/start/assisting/evidence.py` gathers.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...model.feature import Feature
from ...model.frozen import replace
from .facts import Facts
from .finding import Evidence, Finding, Kind, Knowledge, Opinion, Rule
from .graph import Graph
from .needless import needless
from .needs import missing, names_in_question, needs
from .risks import risky

ROUNDS = 5
"""How often safe findings are accepted one after the other: each may make others."""

IMPORTANCE = (Kind.MISSING, Kind.RISKY, Kind.NEEDLESS)


def findings(
    features: Sequence[Feature], knowledge: Knowledge | None = None
) -> tuple[Finding, ...]:
    """What is wrong with the dependencies of a valid list; the most important comes first.

    No proposed dependency makes a cycle, also if several are accepted with :func:`accept`.
    """
    facts = Facts(features, knowledge or Knowledge())
    needed = needs(facts)
    found = [*missing(facts, needed), *risky(facts), *needless(facts, needed)]
    found = [_with_care(facts, finding) for finding in _with_opinions(facts, found)]
    position = {id: number for number, id in enumerate(facts.features)}
    return tuple(sorted(found, key=lambda f: (IMPORTANCE.index(f.kind), position[f.feature])))


def _with_care(facts: Facts, finding: Finding) -> Finding:
    """A finding that is not safe if accepting it would make unfinished work start over."""
    if finding.feature not in facts.knowledge.begun or not finding.is_a_change:
        return finding
    return replace(finding, is_safe=False, restarts=True)


def names_to_look_up(features: Sequence[Feature], knowledge: Knowledge) -> list[str]:
    """The names of code for ``Knowledge.defined``: findings depend on whether the base has them."""
    return names_in_question(Facts(features, knowledge))


def accept(features: Sequence[Feature], finding: Finding) -> tuple[Feature, ...] | None:
    """The features with a finding's change; ``None`` if it does not fit any more.

    It does not if other changes have made it a cycle, or needless.
    """
    graph = Graph({feature.id: feature.depends_on for feature in features})
    id = finding.feature
    without = graph.changed(id, removes=finding.removes) if finding.removes else graph
    adds = [each for each in finding.adds if not without.depends(id, each)]
    if not finding.is_a_change or any(without.depends(each, id) for each in adds):
        return None
    is_implied = any(each.rule is Rule.IMPLIED for each in finding.evidence)
    if is_implied and not all(without.depends(id, each) for each in finding.removes):
        return None
    by_id = {feature.id: feature for feature in features}
    kept = [each for each in by_id[id].depends_on if each not in finding.removes]
    if (*kept, *adds) == by_id[id].depends_on:
        return None
    by_id[id] = replace(by_id[id], depends_on=(*kept, *adds))
    return tuple(by_id.values())


def accept_safe(
    features: Sequence[Feature], knowledge: Knowledge | None = None
) -> tuple[tuple[Feature, ...], tuple[Finding, ...]]:
    """The features with every safe finding accepted, and these findings."""
    accepted: list[Finding] = []
    now = tuple(features)
    for _ in range(ROUNDS):
        before = now
        for finding in findings(now, knowledge):
            changed = accept(now, finding) if finding.is_safe else None
            if changed is not None:
                now = changed
                accepted.append(finding)
        if now == before:
            break
    return now, tuple(accepted)


def changes(before: Sequence[Feature], after: Sequence[Feature]) -> dict[str, tuple[str, ...]]:
    """The new ``depends_on`` of each feature that has another one."""
    old = {feature.id: feature.depends_on for feature in before}
    return {each.id: each.depends_on for each in after if old[each.id] != each.depends_on}


# -- Claude's opinion -------------------------------------------------------------------------


def _with_opinions(facts: Facts, found: list[Finding]) -> list[Finding]:
    """The findings with Claude's opinion, and those that only Claude has."""
    left = list(facts.knowledge.opinions)
    joined = []
    for finding in found:
        for opinion in tuple(left):
            if _is_about(finding, opinion):
                left.remove(opinion)
                finding = _joined(facts, finding, opinion)
        joined.append(finding)
    own = (_of_opinion(facts, each) for each in left)
    return [*joined, *(each for each in own if each is not None)]


def _is_about(finding: Finding, opinion: Opinion) -> bool:
    """Whether both are about the same two features, to be ordered or not."""
    if (finding.kind is Kind.NEEDLESS) != (opinion.kind is Kind.NEEDLESS):
        return False
    pair = {finding.feature, *finding.others}
    is_same = pair == {opinion.feature, opinion.other}
    return is_same and (opinion.kind is not Kind.NEEDLESS or opinion.feature == finding.feature)


def _joined(facts: Facts, finding: Finding, opinion: Opinion) -> Finding:
    """A finding with an opinion, which knows better which of two features comes first."""
    evidence = (*finding.evidence, Evidence(Rule.CLAUDE, opinion.reason))
    is_guess = finding.kind is Kind.RISKY and finding.adds and not facts.is_done(opinion.feature)
    if not is_guess or opinion.feature == finding.feature:
        return replace(finding, evidence=evidence)
    first = (opinion.other,)
    return replace(finding, feature=opinion.feature, others=first, adds=first, evidence=evidence)


def _of_opinion(facts: Facts, opinion: Opinion) -> Finding | None:
    """A finding that only Claude has; ``None`` if the list does not allow it."""
    kind, id, other = opinion.kind, opinion.feature, opinion.other
    evidence = (Evidence(Rule.CLAUDE, opinion.reason),)
    if facts.is_done(id):
        return None
    if kind is Kind.NEEDLESS:
        is_there = other in facts.listed.direct[id]
        return Finding(kind, id, (other,), evidence, removes=(other,)) if is_there else None
    if not facts.graph.may_depend(id, other):
        return None
    facts.graph.add(id, other)
    return Finding(kind, id, (other,), evidence, adds=(other,))
