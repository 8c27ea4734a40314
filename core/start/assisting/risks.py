"""Risky pairs: unordered features that write the same file, or promise the same thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations

from ...model.excerpt import some
from ...model.translate import N_
from .facts import Facts, pairs_in_order
from .finding import Evidence, Finding, Kind, Rule

CROWD = 8
"""A file that more unordered features write needs an owner, not an order."""

SHOWN = 4
"""Names in one sentence."""

TOGETHER = 4
"""Commits that have to change two files together."""

SHARE = 0.5
"""How many of the commits with one of two files have to change both."""

LARGEST_COMMIT = 30
"""Files of a commit: a larger one tells nothing about pairs."""

WIDELY_WRITTEN = 12
"""History tells nothing about files that more features write."""

Pair = tuple[str, str]


class Pairs:
    """Evidence by pair: the feature that would wait, and the one before it."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._position = {id: number for number, id in enumerate(facts.graph.order())}
        self.found: dict[Pair, list[Evidence]] = {}

    def sorted(self, ids: Sequence[str]) -> list[str]:
        """Features in an order that the graph allows."""
        return sorted(ids, key=self._position.__getitem__)

    def add(self, one: str, other: str, evidence: Evidence) -> None:
        """Add evidence that two features get in each other's way if they are unordered."""
        before, after = self.sorted((one, other))
        if self._facts.is_done(after):
            before, after = after, before
        merged = self._facts.knowledge.merged
        if self._facts.is_done(after) or before in merged or after in merged:
            return
        if not self._facts.graph.are_ordered(before, after):
            known = self.found.setdefault((after, before), [])
            if evidence not in known:
                known.append(evidence)


def risky(facts: Facts) -> Iterator[Finding]:
    """Findings about pairs, each with the dependency that would order them."""
    pairs = Pairs(facts)
    yield from _shared_promises(facts, pairs)
    yield from _shared_files(facts, pairs)
    for (one, other), files in facts.knowledge.clashes.items():
        if one in facts.features and other in facts.features:
            text = N_("a run predicted a conflict of their branches in {files}").format(
                files=some(files, SHOWN)
            )
            pairs.add(one, other, Evidence(Rule.BRANCHES, text))
    _changed_together(facts, pairs)
    for (after, before), evidence in pairs.found.items():
        if facts.graph.may_depend(after, before):
            facts.graph.add(after, before)
            yield Finding(Kind.RISKY, after, (before,), tuple(evidence), adds=(before,))


def _shared_promises(facts: Facts, pairs: Pairs) -> Iterator[Finding]:
    """Entries of ``creates`` with more than one owner."""
    shared: dict[tuple[str, ...], list[str]] = {}
    for what, ids in facts.creators.items():
        # Several features may have to keep a command working.
        if len(ids) > 1 and not what.startswith("command:"):
            shared.setdefault(tuple(pairs.sorted(ids)), []).append(what)
    for owners, whats in shared.items():
        names = some(whats, SHOWN)
        text = N_("both have {names} in `creates`; only one feature should").format(names=names)
        if len(owners) > CROWD:
            yield _crowd(facts, owners, names, Rule.OWNER)
            continue
        for before, after in pairs_in_order(owners):
            if not facts.graph.are_ordered(before, after):
                pairs.add(before, after, Evidence(Rule.OWNER, text))
            elif not facts.is_done(after):
                yield Finding(Kind.RISKY, after, (before,), (Evidence(Rule.OWNER, text),))


def _shared_files(facts: Facts, pairs: Pairs) -> Iterator[Finding]:
    writers: dict[str, list[str]] = {}
    how = {id: facts.written(id) for id in facts.features}
    for id, files in how.items():
        for path in files:
            writers.setdefault(path, []).append(id)
    shared: dict[tuple[str, ...], list[str]] = {}
    for path, ids in writers.items():
        if len(ids) > 1 and len(facts.creators.get(path, ())) < 2:
            shared.setdefault(tuple(pairs.sorted(ids)), []).append(path)
    for together, paths in shared.items():
        loose = _unordered(facts, together)
        if len(loose) > CROWD:
            yield _crowd(facts, loose, some(paths, SHOWN), Rule.FILE)
            continue
        for before, after in pairs_in_order(together):
            text, rule = _both(how, before, after, paths)
            pairs.add(before, after, Evidence(rule, text))


def _unordered(facts: Facts, ids: Sequence[str]) -> list[str]:
    """Those that are not ordered with the one before them."""
    loose: list[str] = []
    for before, after in pairs_in_order(ids):
        if not facts.graph.are_ordered(before, after):
            loose += [before] * (not loose) + [after]
    return [id for id in loose if id not in facts.knowledge.merged]


def _crowd(facts: Facts, ids: Sequence[str], names: str, rule: Rule) -> Finding:
    text = N_(
        "{count} features write {names} in no particular order: let one of them own it"
    ).format(count=len(ids), names=names)
    return Finding(Kind.RISKY, ids[-1], tuple(ids[:-1]), (Evidence(rule, text),))


def _both(
    how: dict[str, dict[str, str]], before: str, after: str, paths: Sequence[str]
) -> tuple[str, Rule]:
    names = some(paths, SHOWN)
    known = {how[before][paths[0]], how[after][paths[0]]}
    if known == {N_("its branch changed")}:
        text = N_("past branches of both changed {names}")
        return text.format(names=names), Rule.BRANCHES
    return N_("both write {names}").format(names=names), Rule.FILE


# -- files that change together ---------------------------------------------------------------


def _changed_together(facts: Facts, pairs: Pairs) -> None:
    """Pairs of features whose different files are mostly changed by the same commits."""
    writers: dict[str, list[str]] = {}
    for id in facts.features:
        for path in facts.written(id):
            writers.setdefault(path, []).append(id)
    wanted = {path for path, ids in writers.items() if len(ids) <= WIDELY_WRITTEN}
    for (one, other), count in coupled(facts.knowledge.commits, wanted):
        text = N_("commits mostly change {one} and {other} together ({count} times)").format(
            one=one, other=other, count=count
        )
        for mine in writers[one]:
            for theirs in writers[other]:
                if mine != theirs:
                    pairs.add(mine, theirs, Evidence(Rule.HISTORY, text))


def coupled(commits: Sequence[Collection[str]], wanted: Collection[str]) -> list[tuple[Pair, int]]:
    """Pairs of files that mostly change together, each with the number of such commits."""
    alone: Counter[str] = Counter()
    both: Counter[Pair] = Counter()
    for files in commits:
        if len(files) > LARGEST_COMMIT:
            continue
        mine = sorted({file for file in files if file in wanted})
        alone.update(mine)
        both.update(combinations(mine, 2))
    return [
        ((one, other), count)
        for (one, other), count in both.items()
        if count >= TOGETHER and count >= SHARE * (alone[one] + alone[other] - count)
    ]
