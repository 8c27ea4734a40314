"""The JSON Schema that Claude's answer to `decompose` must have; its texts are for Claude."""

from __future__ import annotations

from ...project.keys import FEATURE
from ...project.list_reader import Json
from ...project.value_checks import FILLED, LABEL_LIMIT, TEXTS

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


def answer_schema(most: int, *, has_checks: bool) -> Json:
    """The schema of an answer with at most ``most`` features; with checks if the list has none."""
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
