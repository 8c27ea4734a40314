"""The JSON Schema of a feature list, made from the loader's checks."""

from __future__ import annotations

from .keys import TOP, Section
from .list_reader import Json

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Json:
    """The schema. A list that it accepts may have faults that no schema can express."""
    top = Section(TOP, lambda reader, fields: fields).schema()
    return {"$schema": DRAFT, "title": "RoRchestrator feature list", **top}
