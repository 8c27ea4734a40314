"""Needless dependencies: those that follow from others, and those without any evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...dag.prediction import TOKENS_PER_SECOND, estimator
from ...dag.resolver import DAGResolver
from ...dag.schedule import predict
from ...model.english import duration
from ...model.feature import Feature
from ...model.frozen import replace
from ...model.translate import N_
from .facts import Facts
from .finding import Evidence, Finding, Kind, Rule
from .needs import Need
from .risks import coupled

TRIED = 60
"""Dependencies without evidence for which a shorter run is simulated."""

TELLING = 300
"""Characters of a prompt whose silence about a dependency means something."""

STEM = 4
"""Letters of a word that are compared, so that "authentication" meets "auth"."""

_CODE = re.compile(r"`[^`\n]*`|\S*/\S*")
"""What is no prose: code and paths, whose folders would name everything."""

LEAST_SHARE = 0.01
"""A run that becomes shorter by less is not worth a finding."""

MANIFESTS = frozenset(
    (
        *("package.json", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Gemfile"),
        *("go.mod", "Cargo.toml", "pom.xml", "build.gradle", "build.gradle.kts", "composer.json"),
        *("Makefile", "CMakeLists.txt", "mix.exs", "Package.swift", "tsconfig.json", "Dockerfile"),
    )
)
"""Files with which a project begins: what makes one may be needed by everything."""


class Reasons:
    """Why a feature may need another one, beside being ordered."""

    def __init__(self, facts: Facts, needs: list[Need]) -> None:
        self._facts = facts
        self._asked = {(need.feature, maker) for need in needs for maker in need.makers}
        self._written = {id: set(facts.written(id)) for id in facts.features}
        self._coupled = self._of_history()
        self._stems: dict[str, frozenset[str]] = {}

    def _of_history(self) -> dict[str, set[str]]:
        wanted = set().union(*self._written.values()) if self._written else set()
        found: dict[str, set[str]] = {}
        for (one, other), _ in coupled(self._facts.knowledge.commits, wanted):
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
        return found

    def for_itself(self, id: str, other: str) -> bool:
        """Whether contracts or prompts say that ``id`` needs ``other``."""
        return (id, other) in self._asked or self._names(id, other)

    def for_any(self, id: str, other: str) -> bool:
        """Whether anything at all speaks for the dependency."""
        return self.for_itself(id, other) or self._speaks_of(id, other) or self._share(id, other)

    def would_tell(self, id: str, other: str) -> bool:
        """Whether a need would show: ``id`` says what it uses, and ``other`` what it makes."""
        facts = self._facts
        makes = self._written[other] or facts.said[other].makes or facts.creates[other]
        says = facts.uses[id] or len(_text(facts.features[id])) >= TELLING
        return bool(makes and says and self._is_known(id))

    def _is_known(self, id: str) -> bool:
        facts = self._facts
        return bool(self._written[id] or facts.said[id].makes or facts.creates[id])

    def _names(self, id: str, other: str) -> bool:
        """Whether a prompt names the other feature, by its id or name."""
        needed = self._facts.features[other]
        names = [re.escape(name) for name in (needed.id, needed.name) if len(name) > 1]
        shape = rf"(?<![\w-])(?:{'|'.join(names)})(?![\w-])"
        return bool(names and re.search(shape, _text(self._facts.features[id]), re.IGNORECASE))

    def _speaks_of(self, id: str, other: str) -> bool:
        """Whether a prompt has a word of the other feature's id or name."""
        needed = self._facts.features[other]
        return bool(_stems(f"{needed.id} {needed.name}") & self._stems_of(id))

    def _stems_of(self, id: str) -> frozenset[str]:
        if id not in self._stems:
            self._stems[id] = _stems(_CODE.sub(" ", _text(self._facts.features[id])))
        return self._stems[id]

    def _share(self, id: str, other: str) -> bool:
        mine, theirs = self._written[id], self._written[other]
        if mine & theirs or any(path.split("/")[-1] in MANIFESTS for path in theirs):
            return True
        if self._new_folders(mine) & self._new_folders(theirs):
            return True
        return any(self._coupled.get(path, set()) & theirs for path in mine)

    def _new_folders(self, paths: set[str]) -> set[str]:
        """The folders of paths that the base does not have."""
        known = self._facts.knowledge
        if not known.has_base:
            return set()
        folders = {path.rpartition("/")[0] for path in paths}
        return {folder for folder in folders if folder and folder not in known.paths}


def _text(feature: Feature) -> str:
    return f"{feature.prompt}\n{feature.description}"


def _stems(text: str) -> frozenset[str]:
    """The beginnings of the longer words of a text."""
    words = re.findall(rf"[^\W\d_]{{{STEM},}}", text.lower())
    return frozenset(word[:STEM] for word in words)


def needless(facts: Facts, needs: list[Need]) -> Iterator[Finding]:
    """Findings about dependencies of the list that could go."""
    reasons = Reasons(facts, needs)
    gone: set[tuple[str, str]] = set()
    for id in facts.features:
        for other, by in facts.listed.implied(id).items():
            if not facts.is_done(id):
                gone.add((id, other))
                if not reasons.for_itself(id, other):
                    yield _implied(id, other, by)
    yield from _without_reason(facts, reasons, gone)


def _implied(id: str, other: str, by: str) -> Finding:
    text = N_(
        "{by} already depends on {other}: the order and the content of {feature} stay the same"
    ).format(by=by, other=other, feature=id)
    evidence = (Evidence(Rule.IMPLIED, text),)
    return Finding(Kind.NEEDLESS, id, (other,), evidence, removes=(other,), is_safe=True)


# -- chains that could be parallel ------------------------------------------------------------


def _without_reason(
    facts: Facts, reasons: Reasons, gone: set[tuple[str, str]]
) -> Iterator[Finding]:
    now = _Simulation(facts)
    tried = 0
    for id, other in now.tight_edges():
        if (id, other) in gone or facts.is_done(id) or reasons.for_any(id, other):
            continue
        if not reasons.would_tell(id, other):
            continue
        tried += 1
        if tried > TRIED:
            return
        inherited = _still_needed(facts, reasons, id, other)
        saves = now.seconds - now.without(id, other, inherited)
        if saves > LEAST_SHARE * now.seconds:
            yield _parallel(id, other, inherited, saves)


def _still_needed(facts: Facts, reasons: Reasons, id: str, other: str) -> tuple[str, ...]:
    """What a feature got by the dependency that it needs for another reason."""
    without = facts.listed.changed(id, removes=(other,))
    lost = [each for each in facts.listed.dependencies(other) if not without.depends(id, each)]
    needed = [each for each in lost if reasons.for_any(id, each)]
    return tuple(
        each for each in needed if not any(facts.listed.depends(one, each) for one in needed)
    )


def _parallel(id: str, other: str, inherited: tuple[str, ...], saves: float) -> Finding:
    text = N_(
        "nothing in contracts, prompts, past branches or commits shows that {feature} needs "
        "{other}; side by side, the run is predicted to be {time} shorter"
    ).format(feature=id, other=other, time=duration(saves))
    evidence = (Evidence(Rule.PARALLEL, text),)
    return Finding(
        Kind.NEEDLESS,
        id,
        (other,),
        evidence,
        adds=inherited,
        removes=(other,),
        saves_seconds=saves,
    )


class _Simulation:
    """The predicted time of a run of the whole list, and of one with a dependency less."""

    def __init__(self, facts: Facts) -> None:
        self._features = facts.features
        self._seconds = facts.knowledge.seconds or _listed_seconds(facts.features)
        self._slots = max(1, facts.knowledge.slots)
        self._graph = facts.listed
        made = predict(DAGResolver(facts.features.values()), self._slots, self._seconds)
        self.seconds = made.makespan_seconds
        self._starts = made.starts

    def tight_edges(self) -> list[tuple[str, str]]:
        """The dependencies that a feature waits for last; only without these it starts earlier."""
        found = []
        for id, needed in self._graph.direct.items():
            ends = {other: self._starts[other] + self._seconds[other] for other in needed}
            latest = max(ends.values(), default=0.0)
            found += [(id, other) for other, end in ends.items() if end == latest]
        return found

    def without(self, id: str, other: str, instead: tuple[str, ...]) -> float:
        """The time without one dependency, and with others instead."""
        feature = self._features[id]
        kept = [each for each in feature.depends_on if each != other]
        changed = replace(feature, depends_on=(*kept, *instead))
        features: list[Feature] = [
            changed if each.id == id else each for each in self._features.values()
        ]
        return predict(DAGResolver(features), self._slots, self._seconds).makespan_seconds


def _listed_seconds(features: dict[str, Feature]) -> dict[str, float]:
    work = estimator(features)
    return {id: work(feature) / TOKENS_PER_SECOND for id, feature in features.items()}
