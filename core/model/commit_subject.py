"""The subject line of our commits, from the template `commit_subject` of the list."""

from __future__ import annotations

from .feature import Feature, Project

DEFAULT = Project("", "").commit_subject

FIELDS = ("id", "name", "description", "tags")


def fields_of(template: str) -> list[str]:
    """The names in braces, valid or not."""
    rests = (rest.partition("}") for rest in template.split("{")[1:])
    return [name for name, end, _ in rests if end]


def subject(template: str, feature: Feature) -> str:
    """The subject of a feature's commit, on one line."""
    values = {
        "id": feature.id,
        "name": feature.name,
        "description": feature.description,
        "tags": ", ".join(feature.tags),
    }
    filled, *rests = template.split("{")
    for rest in rests:
        name, end, after = rest.partition("}")
        filled += values[name] + after if end else "{" + rest
    return " ".join(filled.split())
