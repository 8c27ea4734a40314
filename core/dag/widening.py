"""`Widening`: what a changed list would allow that the list of the run does not.

Whoever can write the list could gain it: a command, a tool, another model, a wider limit, or fewer
checks. So it needs the user's consent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..model.costs import dollars
from ..model.feature import Feature, Invocation, Purpose
from ..model.frozen import dataclass
from ..model.list_commands import feature_commands
from ..model.list_outline import Outline, by_digest, checks_of, digest_of
from ..model.translate import N_

OURS = "rorchestrator reload"
"""The first word of what is consented to if it is no command. No program has this name."""


@dataclass(frozen=True)
class Widening:
    """Something that a feature may do only with the user's consent."""

    feature: str
    text: str
    """One line for people."""
    command: Invocation
    """What the consent is remembered for: the command itself, or words that stand for the rest."""


def widenings(
    old: Outline, features: Mapping[str, Feature], ids: Iterable[str]
) -> tuple[Widening, ...]:
    """What the features ``ids`` of a changed list may do that they could not do in ``old``."""
    return tuple(each for id in ids for each in _of_feature(old, features[id]))


def _of_feature(old: Outline, feature: Feature) -> Iterator[Widening]:
    before = old.feature(feature.id)
    known = frozenset(old.commands)
    for command in feature_commands(feature):
        if digest_of(command.argv) not in known:
            text = N_("{id}: a new command under {key}: {command}").format(
                id=feature.id, key=command.purpose.value, command=" ".join(command.brief)
            )
            yield Widening(feature.id, text, command)
    yield from _tools(old, before, feature)
    yield from _model(old, feature)
    yield from _limits(old, before, feature)
    yield from _checks(old, before, feature)


def _tools(old: Outline, before: Feature | None, feature: Feature) -> Iterator[Widening]:
    own = feature.allowed_tools
    given = old.allowed_tools if own is None else by_digest(own)
    had = before.allowed_tools if before is not None else None
    known = frozenset((*(old.allowed_tools if had is None else had), *old.allowed_tools_add))
    for digest, rule in given.items():
        if digest not in known:
            text = N_("{id}: Claude may use {rule} without asking")
            yield _other(feature, text.format(id=feature.id, rule=rule), "allowed_tools", rule)


def _model(old: Outline, feature: Feature) -> Iterator[Widening]:
    models = {old.model, *(each.model or old.model for each in old.features)}
    if (feature.model or old.model) not in models:
        text = N_("{id}: another model, {model}").format(id=feature.id, model=feature.model)
        yield _other(feature, text, "model", feature.model)


def _limits(old: Outline, before: Feature | None, feature: Feature) -> Iterator[Widening]:
    usual = old.timeout_seconds
    had = (before.timeout_seconds if before is not None else None) or usual
    now = feature.timeout_seconds or usual
    if now > had:
        text = N_("{id}: a time limit of {now:g} s instead of {had:g} s").format(
            id=feature.id, now=now, had=had
        )
        yield _other(feature, text, "timeout_seconds", f"{now:g}")
    cap, now_cap = before.max_cost_usd if before is not None else None, feature.max_cost_usd
    if cap is not None and (now_cap is None or now_cap > cap):
        text = N_("{id}: no budget of its own instead of {had}")
        if now_cap is not None:
            text = N_("{id}: a budget of {now} instead of {had}")
        said = text.format(id=feature.id, now=dollars(now_cap or 0.0), had=dollars(cap))
        yield _other(feature, said, "max_cost_usd", f"{now_cap}")


def _checks(old: Outline, before: Feature | None, feature: Feature) -> Iterator[Widening]:
    if feature.allow_empty and not (before is not None and before.allow_empty):
        text = N_("{id}: it may be completed without a change").format(id=feature.id)
        yield _other(feature, text, "allow_empty", "true")
    kept = checks_of(feature)
    for digest, check in old.checks.get(feature.id, {}).items():
        if digest not in kept:
            text = N_("{id}: no longer checked by {check}").format(id=feature.id, check=check)
            yield _other(feature, text, "verify", check)


def _other(feature: Feature, text: str, key: str, value: str) -> Widening:
    words = (OURS, feature.id, key, value)
    return Widening(feature.id, text, Invocation(Purpose.CLAUDE, words, words, (feature.id,)))
