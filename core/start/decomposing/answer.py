"""Claude's answer to `decompose`: a first check of its form. The faults are read by Claude, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...model.frozen import dataclass
from ...model.terminal_text import clean
from ...model.translate import N_
from ...project.list_reader import kind
from .plain_check import does_more
from .schema import NEEDED

UNKNOWN = N_("{path}: unknown key")


@dataclass(frozen=True)
class Proposal:
    """What Claude proposes. Its form is checked, its values are not."""

    features: tuple[Mapping[str, object], ...]
    verify: object = ()
    """The checks of the project."""
    questions: tuple[str, ...] = ()
    """What the specification leaves open."""


def read_answer(
    answer: object, most: int, *, has_checks: bool
) -> tuple[Proposal | None, list[str]]:
    """A proposal, or the faults in the form of an answer."""
    if not isinstance(answer, dict):
        if answer is None:
            return None, [N_("there is no structured output")]
        return None, [N_("expected an object with features, not {kind}").format(kind=kind(answer))]
    faults = [*_keys(answer, most, has_checks=has_checks), *_characters("", answer)]
    if faults:
        return None, faults
    questions = answer.get("questions")
    asked = questions if isinstance(questions, list) else []
    return Proposal(
        tuple(answer["features"]),
        answer.get("verify", ()),
        tuple(each for each in asked if isinstance(each, str)),
    ), []


def _keys(answer: Mapping[str, object], most: int, *, has_checks: bool) -> Iterator[str]:
    known = ("features", "questions") if has_checks else ("features", "questions", "verify")
    for name in answer:
        if name not in known:
            yield UNKNOWN.format(path=name)
    yield from _checks("verify", answer.get("verify"))
    features = answer.get("features")
    if not isinstance(features, list):
        yield N_("{path}: expected a list, not {kind}").format(path="features", kind=kind(features))
        return
    if not 0 < len(features) <= most:
        said = N_("the answer has {count:,} features; 1 to {most:,} are allowed")
        yield said.format(count=len(features), most=most)
        return
    for index, feature in enumerate(features):
        yield from _feature(f"features[{index}]", feature)


def _feature(path: str, feature: object) -> Iterator[str]:
    if not isinstance(feature, dict):
        yield N_("{path}: expected an object, not {kind}").format(path=path, kind=kind(feature))
        return
    for name in feature:
        if name not in (*NEEDED, "tags"):
            yield UNKNOWN.format(path=f"{path}.{name}")
    yield from _checks(f"{path}.verify", feature.get("verify"))
    for name in ("id", "prompt"):
        value = feature.get(name)
        if not isinstance(value, str):
            said = N_("{path}: expected a string, not {kind}")
            yield said.format(path=f"{path}.{name}", kind=kind(value))


def _checks(path: str, commands: object) -> Iterator[str]:
    """The checks that nobody should run; the loader says what is wrong in their form."""
    for index, line in enumerate(commands if isinstance(commands, list) else ()):
        if isinstance(line, str) and does_more(line):
            said = N_("{path}: {command} does more than check")
            yield said.format(path=f"{path}[{index}]", command=line)


def _characters(path: str, value: object) -> Iterator[str]:
    """The places of characters that a terminal or an editor does not show as they are."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _characters(f"{path}.{name}" if path else str(name), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _characters(f"{path}[{index}]", item)
    elif isinstance(value, str) and _hides_something(value):
        yield N_("{path}: contains control or format characters").format(path=clean(path))


def _hides_something(text: str) -> bool:
    # The escape character is replaced first: `clean` removes whole sequences.
    return clean(text.replace("\x1b", "\0")).count("\ufffd") > text.count("\ufffd")
