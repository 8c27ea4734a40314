"""Claude's answer to `decompose`: its JSON Schema, and a first check of its form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model.frozen import dataclass
from ..model.terminal_text import clean
from ..project.keys import FEATURE
from ..project.list_reader import Json, kind
from ..project.value_checks import FILLED, LABEL_LIMIT, TEXTS

NEEDED = (*("id", "name", "prompt", "depends_on", "creates", "uses", "verify", "estimated_tokens"),)
"""The keys of each proposed feature; ``tags`` may follow."""

MOST_TOKENS = 1_000_000

MEANINGS = {
    "name": "a few words, shown everywhere",
    "prompt": "the whole prompt of its session, in Markdown",
    "depends_on": "ids of the features whose result it needs",
    "creates": "contracts that it makes true: path:…, symbol:…, command:…",
    "uses": "contracts of its dependencies that it builds on, spelled as there",
    "verify": "commands that only its work makes pass",
    "estimated_tokens": "tokens that its session will use",
    "tags": "words to select it by",
}


@dataclass(frozen=True)
class Proposal:
    """What Claude proposes, in its form: no value is checked yet."""

    features: tuple[Mapping[str, object], ...]
    verify: object = ()
    """The checks of the project."""
    questions: tuple[str, ...] = ()
    """What the specification leaves open."""


def answer_schema(most: int, *, has_checks: bool) -> Json:
    """The schema of an answer with at most so many features; checks too where there are none."""
    ours: Json = {
        "id": FEATURE["id"].check.schema(),
        "name": {**FILLED, "maxLength": LABEL_LIMIT},
        "prompt": FILLED,
        "estimated_tokens": {"type": "integer", "minimum": 0, "maximum": MOST_TOKENS},
    }
    listed = {name: TEXTS for name in (*NEEDED, "tags") if name not in ours}
    properties = {
        name: {**schema, **({"description": MEANINGS[name]} if name in MEANINGS else {})}
        for name, schema in {**ours, **listed}.items()
        if isinstance(schema, dict)
    }
    feature = {
        "type": "object",
        "properties": properties,
        "required": list(NEEDED),
        "additionalProperties": False,
    }
    checks = {
        "verify": {
            **TEXTS,
            "description": "commands that pass now and must pass after every feature",
        }
    }
    asked = {**TEXTS, "description": "what the specification leaves open, and what you assumed"}
    return {
        "type": "object",
        "properties": {
            "features": {"type": "array", "items": feature, "minItems": 1, "maxItems": most},
            **({} if has_checks else checks),
            "questions": asked,
        },
        "required": ["features"],
        "additionalProperties": False,
    }


def read_answer(
    answer: object, most: int, *, has_checks: bool
) -> tuple[Proposal | None, list[str]]:
    """A proposal, or the faults in the form of an answer."""
    if not isinstance(answer, dict):
        what = "there is no structured output" if answer is None else f"it is {kind(answer)}"
        return None, [f"expected an object with features: {what}"]
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
            yield f"{name}: unknown key"
    features = answer.get("features")
    if not isinstance(features, list):
        yield f"features: expected a list, not {kind(features)}"
        return
    if not 0 < len(features) <= most:
        yield f"features: has {len(features):,} features; 1 to {most:,} are allowed"
        return
    for index, feature in enumerate(features):
        yield from _feature(f"features[{index}]", feature)


def _feature(path: str, feature: object) -> Iterator[str]:
    if not isinstance(feature, dict):
        yield f"{path}: expected an object, not {kind(feature)}"
        return
    for name in feature:
        if name not in (*NEEDED, "tags"):
            yield f"{path}.{name}: unknown key"
    for name in ("id", "prompt"):
        value = feature.get(name)
        if not isinstance(value, str):
            yield f"{path}.{name}: expected a string, not {kind(value)}"


def _characters(path: str, value: object) -> Iterator[str]:
    """The places of characters that a terminal or an editor does not show as they are."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _characters(f"{path}.{name}" if path else str(name), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _characters(f"{path}[{index}]", item)
    elif isinstance(value, str) and _hides_something(value):
        yield f"{clean(path)}: contains control or format characters"


def _hides_something(text: str) -> bool:
    # The escape character is replaced first: `clean` removes whole sequences.
    return clean(text.replace("\x1b", "\0")).count("\ufffd") > text.count("\ufffd")
