"""The facts that the rules of the assistant share: who creates and writes what, in what order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import translate

from ...model.contracts import Kind, contract
from ...model.feature import Feature
from ...model.frozen import dataclass
from ...model.translate import N_
from .finding import Knowledge
from .graph import Graph
from .prompts import Said, is_distinctive, path_in, said_by


@dataclass(frozen=True)
class Entry:
    """An entry of ``creates`` or ``uses``: what it names, and whether a run verifies it."""

    text: str
    what: str
    is_path: bool
    is_verified: bool
    is_command: bool = False


def entry(text: str) -> Entry:
    """An entry of the list; free text may be a path or a name, too."""
    known = contract(text)
    if known is None:
        path = path_in(text)
        return Entry(text, path or text.strip(), bool(path), is_verified=False)
    if known.kind is Kind.COMMAND:
        return Entry(text, text, is_path=False, is_verified=True, is_command=True)
    what = known.what.removeprefix("./")
    return Entry(text, what, known.kind is Kind.PATH, is_verified=True)


class Facts:
    """A list and what is known of it. ``graph`` has the proposed dependencies as well."""

    def __init__(self, features: Sequence[Feature], knowledge: Knowledge) -> None:
        self.features = {feature.id: feature for feature in features}
        self.knowledge = knowledge
        self.listed = Graph({feature.id: feature.depends_on for feature in features})
        """As the list is."""
        self.graph = Graph(self.listed.direct)
        """With the dependencies proposed so far."""
        self.said = {id: _said(feature) for id, feature in self.features.items()}
        self.creates = {id: tuple(map(entry, f.creates)) for id, f in self.features.items()}
        self.uses = {id: tuple(map(entry, f.uses)) for id, f in self.features.items()}
        self.creators: dict[str, list[str]] = {}
        """By what is created: the features whose ``creates`` has it, in list order."""
        for id, entries in self.creates.items():
            for what in dict.fromkeys(each.what for each in entries):
                self.creators.setdefault(what, []).append(id)
        self._patterns = [
            (re.compile(translate(what)), ids) for what, ids in self.creators.items() if "*" in what
        ]
        self.makers = self._makers()
        """By path or name that the base does not have: the features that are going to make it."""

    def _makers(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for id, said in self.said.items():
            created = [each.what for each in self.creates[id] if each.is_path or _is_name(each)]
            for what in dict.fromkeys((*created, *said.writes, *said.makes)):
                if not self.is_on_base(what):
                    found.setdefault(what, []).append(id)
        return found

    def owners(self, what: str) -> list[str]:
        """The features whose ``creates`` has an entry, or a folder or pattern around it."""
        found = self.creators.get(what) or self.creators.get(f"{what}/")
        if found or not path_in(what):
            return found or []
        for folder in folders_around(what):
            around = self.creators.get(folder) or self.creators.get(f"{folder}/")
            if around:
                return around
        return [id for pattern, ids in self._patterns if pattern.match(what) for id in ids]

    def owners_of_made(self, what: str) -> list[str]:
        """The features that make something: by ``creates`` if one has it, else by their prompts."""
        return self.owners(what) or self.makers.get(what, [])

    def is_on_base(self, what: str) -> bool:
        """Whether the base has a path, or its code defines a name."""
        known = self.knowledge
        return what.rstrip("/") in known.paths or what in known.defined

    def is_done(self, id: str) -> bool:
        """Whether a change of a feature's dependencies would make completed work run again."""
        return id in self.knowledge.done

    def written(self, id: str) -> dict[str, str]:
        """The files that a feature writes, each with how that is known."""
        found = dict.fromkeys(self.said[id].writes, N_("its prompt writes"))
        found.update((each.what, N_("it creates")) for each in self.creates[id] if _is_file(each))
        found.update(
            (path, N_("its branch changed")) for path in self.knowledge.touched.get(id, ())
        )
        return found


def _said(feature: Feature) -> Said:
    # The prompt first, so that its lines keep their numbers.
    return said_by("\n\n".join((feature.prompt, feature.description)).rstrip())


def _is_file(each: Entry) -> bool:
    return each.is_path and not each.what.endswith("/") and "*" not in each.what


def _is_name(each: Entry) -> bool:
    if each.is_path or each.is_command:
        return False
    return each.is_verified or is_distinctive(each.what)


def folders_around(path: str) -> Iterator[str]:
    """The folders around a path, the innermost first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def pairs_in_order(ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each with the next one: if these pairs are ordered, all are."""
    return zip(ids, ids[1:])
