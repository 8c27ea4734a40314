"""A workflow of GitHub Actions that runs the features of a list, each in jobs of its own."""

from __future__ import annotations

from .exported import Exported
from .yaml_text import yaml_text

FILE = ".github/workflows/features.yml"


def body(export: Exported) -> str:
    """The workflow."""
    return yaml_text({"name": "features", "jobs": {job.name: job.id for job in export.jobs}})


def next_steps(export: Exported, file: str) -> list[str]:
    """What the user does now."""
    return []
