"""The JSON Schema of a feature list, made from the loader's checks."""

from __future__ import annotations

import re

from .keys import TOP, Section
from .list_reader import Json

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def schema() -> Json:
    """The schema. A list that it accepts may have faults that no schema can express."""
    top = Section(TOP, lambda reader, fields: fields).schema()
    properties = top["properties"]
    assert isinstance(properties, dict)
    named = {"type": "string", "description": "where this schema is, for editors"}
    top["properties"] = {"$schema": named, **properties}
    made = _plain({"$schema": DRAFT, "title": "RoRchestrator feature list", **top})
    assert isinstance(made, dict)
    return made


def schema_text() -> str:
    """The schema as a file for editors."""
    import json

    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _plain(value: object) -> object:
    """The same, with descriptions as plain text: links of the documentation lead nowhere here."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {name: _plain(item) for name, item in value.items()}
    meaning = made.get("description")
    if isinstance(meaning, str):
        made["description"] = _LINK.sub(r"\1", meaning).replace("`", "")
    return made
