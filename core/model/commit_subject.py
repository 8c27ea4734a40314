"""The subject line of our commits, from the template `commit_subject` of the list."""

from __future__ import annotations

from .feature import Feature, Project
from .patterns import pattern

DEFAULT = Project("", "").commit_subject

FIELDS = ("id", "name", "description", "tags")

_FIELD = pattern(r"\{([^{}]*)\}")


def fields_of(template: str) -> list[str]:
    """The names in braces, valid or not."""
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
