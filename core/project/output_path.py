"""Refuses to write a file over what a run reads: the list, its prompts, git's own folder."""

from __future__ import annotations

import os

from ..git.paths import is_in
from ..model.errors import UserError
from ..model.translate import N_
from .open import OpenProject


def check_output_path(project: OpenProject, option: str, path: str) -> None:
    """Raise :class:`UserError` if ``option`` would write over something that must be kept.

    No path and ``-``, which is standard output, are fine.
    """
    fault = _fault(project, path) if path not in ("", "-") else ""
    if fault:
        raise UserError(
            f"{option} {path} {fault}",
            hint=N_("give {option} the path of a file of its own").format(option=option),
        )


def _fault(project: OpenProject, path: str) -> str:
    real = os.path.realpath(path)
    if ".git" in real.split(os.sep) or is_in(real, project.git.repository.common_dir):
        return N_("is inside git's own folder")
    if _is_same(real, project.config.path):
        return N_("would replace the feature list")
    if any(_is_same(real, file) for file in project.config.files):
        return N_("would replace a file that the feature list reads")
    return ""


def _is_same(path: str, other: str) -> bool:
    """Whether two paths lead to one file, also by a hard link or by another spelling."""
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False
