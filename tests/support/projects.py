"""A project, opened as every command does."""

from __future__ import annotations

from core.model.mask import Mask
from core.project.open import OpenProject, open_project
from tests.support.commands import standing_in
from tests.support.workspace import Workspace


def place_of(space: Workspace) -> OpenProject:
    """The project of a workspace, opened as every command does."""
    with standing_in(space.folder, space.environ):
        return open_project("", "", Mask({}))
