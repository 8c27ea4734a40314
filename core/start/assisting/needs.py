"""Missing dependencies: what a feature uses or its prompt names, and another one makes."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.excerpt import some
from ...model.frozen import dataclass
from ...model.translate import N_
from .close_matches import Words
from .facts import Entry, Facts
from .finding import Evidence, Finding, Kind, Rule
from .prompts import is_distinctive, path_in

MOST_NAMES = 400
"""Names that are looked up in the code of the base."""


@dataclass(frozen=True)
class Need:
    """A feature needs something that others make; ``makers`` is empty if nobody does."""

    feature: str
    what: str
    makers: tuple[str, ...]
    evidence: Evidence
    is_certain: bool = False


def needs(facts: Facts) -> list[Need]:
    """What the features need and the base does not have; the certain needs come first."""
    found = [*_used(facts), *_named(facts)]
    return sorted(found, key=lambda need: not need.is_certain)


def names_in_question(facts: Facts) -> list[str]:
    """The names of code on which findings depend: those that the base may define, or not."""
    asked = [need.what for need in needs(facts) if not path_in(need.what)]
    return [name for name in dict.fromkeys(asked) if _is_one_word(name)][:MOST_NAMES]


def _is_one_word(name: str) -> bool:
    return not any(character.isspace() for character in name)


def missing(facts: Facts, given: list[Need]) -> Iterator[Finding]:
    """A finding for each dependency that the needs ask for, and for needs that can't be met."""
    asked: dict[tuple[str, str], list[Need]] = {}
    for need in given:
        if facts.is_done(need.feature):
            continue
        if not need.makers or (need.evidence.rule is Rule.CLOSE and _is_met(facts, need)):
            yield Finding(Kind.RISKY, need.feature, need.makers, (need.evidence,))
        elif not _is_met(facts, need):
            maker = next((m for m in need.makers if facts.graph.may_depend(need.feature, m)), "")
            if maker:
                asked.setdefault((need.feature, maker), []).append(need)
            elif need.is_certain:
                yield _circular(need)
    for (id, maker), reasons in asked.items():
        if facts.graph.may_depend(id, maker):
            facts.graph.add(id, maker)
            yield Finding(
                Kind.MISSING,
                id,
                (maker,),
                tuple(dict.fromkeys(need.evidence for need in reasons)),
                adds=(maker,),
                is_safe=any(need.is_certain and len(need.makers) == 1 for need in reasons),
            )
        elif not facts.graph.depends(id, maker):
            yield from (_circular(need) for need in reasons if need.is_certain)


def _is_met(facts: Facts, need: Need) -> bool:
    return any(facts.graph.depends(need.feature, id) for id in need.makers)


def _circular(need: Need) -> Finding:
    text = N_("{maker} can't come first: it waits for {feature}").format(
        maker=some(need.makers), feature=need.feature
    )
    evidence = (need.evidence, Evidence(need.evidence.rule, text))
    return Finding(Kind.RISKY, need.feature, need.makers, evidence)


# -- uses against creates ---------------------------------------------------------------------


def _used(facts: Facts) -> Iterator[Need]:
    words = Words(facts.creators)
    for id, entries in facts.uses.items():
        own = {each.what for each in facts.creates[id]}
        for used in entries:
            if used.what in own or facts.is_on_base(used.what):
                continue
            makers = [each for each in facts.owners(used.what) if each != id]
            if makers:
                yield Need(id, used.what, tuple(makers), _uses(used, makers), is_certain=True)
            elif not used.is_command:
                yield from _nearly_used(facts, id, used, words)


def _uses(used: Entry, makers: list[str]) -> Evidence:
    if len(makers) == 1:
        text = N_("`uses` names {entry}, which {maker} creates")
    else:
        text = N_("`uses` names {entry}, which several features create: {makers}")
    return Evidence(Rule.USES, text.format(entry=used.text, maker=makers[0], makers=some(makers)))


def _nearly_used(facts: Facts, id: str, used: Entry, words: Words) -> Iterator[Need]:
    """What an entry may mean that no ``creates`` has."""
    planned = [each for each in facts.makers.get(used.what, ()) if each != id]
    if planned:
        text = N_("`uses` names {entry}, which {maker} is asked to create").format(
            entry=used.text, maker=planned[0]
        )
        yield Need(id, used.what, tuple(planned), Evidence(Rule.PROMPT, text))
        return
    for close in words.close_to(used.what):
        makers = tuple(each for each in facts.owners(close) if each != id)
        if makers and used.is_path == bool(path_in(close)):
            text = N_(
                "`uses` names {entry}, which nothing creates; {maker} creates {close}"
            ).format(entry=used.text, maker=makers[0], close=close)
            if used.is_verified or not any(facts.graph.depends(id, each) for each in makers):
                yield Need(id, used.what, makers, Evidence(Rule.CLOSE, text))
            return
    is_lost = used.is_verified and facts.knowledge.has_base and not facts.listed.direct[id]
    if is_lost and used.what not in facts.makers:
        text = N_("`uses` names {entry}, which neither the base has nor a feature creates").format(
            entry=used.text
        )
        yield Need(id, used.what, (), Evidence(Rule.NOBODY, text))


# -- what prompts name ------------------------------------------------------------------------


def _named(facts: Facts) -> Iterator[Need]:
    for id, said in facts.said.items():
        own = {each.what for each in facts.creates[id]}
        for what, line in {**said.uses, **said.writes}.items():
            makers = facts.owners_of_made(what) if what not in own else []
            if not makers or id in makers or facts.is_on_base(what):
                continue
            is_created = bool(facts.owners(what))
            if len(makers) > 1 or not (is_created or path_in(what) or is_distinctive(what)):
                continue
            text = _words_of(facts, id, what, line, makers[0], is_created=is_created)
            yield Need(id, what, tuple(makers), Evidence(Rule.PROMPT, text))


def _words_of(facts: Facts, id: str, what: str, line: int, maker: str, *, is_created: bool) -> str:
    of_prompt = line <= facts.features[id].prompt.count("\n") + 1
    if of_prompt and is_created:
        text = N_("line {line} of its prompt names {name}, which {maker} creates")
    elif of_prompt:
        text = N_("line {line} of its prompt names {name}, which {maker} is asked to create")
    elif is_created:
        text = N_("its description names {name}, which {maker} creates")
    else:
        text = N_("its description names {name}, which {maker} is asked to create")
    return text.format(line=line, name=what, maker=maker)
