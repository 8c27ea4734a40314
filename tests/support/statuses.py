"""The status of a project: as typed values, and as `status` prints it."""

from __future__ import annotations

from core.journal.lock import Holder
from core.model.mask import Mask
from core.model.state import FeatureState
from core.project.open import open_project
from core.project.status import project_status
from core.reporter.project_status import Checkout, FeatureStatus, ProjectStatus
from tests.support.commands import CommandResult, standing_in
from tests.support.story import AT
from tests.support.workspace import Workspace

FEATURE = FeatureStatus(FeatureState("auth"), "Sign-in", True, AT, False, Checkout())
"""A feature of which nothing is known."""

HOLDER = Holder(7, "2026-01-02T14:30:15+00:00", "run")

PROJECT = ProjectStatus(
    project_name="Shop",
    repository="/shop",
    git_folder="/shop/.git",
    base_branch="main",
    base_commit="ba5e",
    config="/shop/list.json",
    owner="list.json",
    other_lists=(),
    claude="",
    holder=None,
    run=None,
    features=(),
    strays=(),
)
"""A project before its first run."""


def status_of(space: Workspace, *, all_lists: bool = False) -> ProjectStatus:
    """The status of a workspace's project."""
    with standing_in(space.path, space.environ):
        return project_status(open_project("", "", Mask({})), all_lists=all_lists)


def said_of(said: CommandResult) -> tuple[dict[str, object], dict[str, dict[str, object]]]:
    """The JSON document of a status, and its features by id."""
    document = said.json
    assert isinstance(document, dict)
    return document, {entry["id"]: entry for entry in document.pop("features")}


def row_of(said: CommandResult, id: str) -> list[str]:
    """The cells of a feature's row."""
    (row,) = [line for line in said.out.splitlines() if line.startswith(f"{id} ")]
    return [cell.strip() for cell in row.split("  ") if cell.strip()]
