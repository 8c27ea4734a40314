"""The JSON Schema of events, held against events. Needs jsonschema, a development tool."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from tests.support.paths import ROOT

try:
    import jsonschema
except ImportError:
    jsonschema = None  # type: ignore[assignment]

HAS_JSONSCHEMA = jsonschema is not None
PATH = os.path.join(ROOT, "docs", "events.schema.json")


def event_schema() -> dict[str, Any]:
    """The schema of the documents."""
    with open(PATH, encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


def faults_of(event: Mapping[str, object]) -> list[str]:
    """What the schema has against an event, also that it does not know its kind or a key."""
    schema = event_schema()
    kind = schema["$defs"].get(event.get("event"), {"properties": {}})
    unknown = sorted(set(event) - {*schema["properties"], *kind["properties"]})
    named = [] if "required" in kind else [f"{event.get('event')} is unknown"]
    made = jsonschema.Draft202012Validator(schema).iter_errors(event)
    return [*named, *(f"{key} is unknown" for key in unknown), *(error.message for error in made)]
