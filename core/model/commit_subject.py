"""The first line of the commits that we make of a feature's work: a template, filled in."""

from __future__ import annotations

import re

from .feature import Feature, Project

DEFAULT = Project("", "").commit_subject

FIELDS = ("id", "name", "description", "tags")

_FIELD = re.compile(r"\{([^{}]*)\}")


def fields_of(template: str) -> list[str]:
    """The names in braces, known or not."""
    return _FIELD.findall(template)


def subject(template: str, feature: Feature) -> str:
    """The subject of a feature's commit, on one line."""
    values = {
        "id": feature.id,
        "name": feature.name,
        "description": feature.description,
        "tags": ", ".join(feature.tags),
    }
    filled = _FIELD.sub(lambda found: values[found[1]], template)
    return " ".join(filled.split())
