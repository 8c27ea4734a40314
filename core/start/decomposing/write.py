"""Writes the list and prompts of a draft: whole or not at all, and over no other file."""

from __future__ import annotations

import os
from contextlib import suppress

from ...model.translate import N_
from .. import list_edit
from ..new_files import check_inside, check_writable, create
from ..template_files import SUFFIX, write_prompt
from .list import Draft
from .target import Target


def check_places(target: Target) -> None:
    """Raise :class:`UserError` if the files could not be written: before anything is paid for."""
    prompts = os.path.join(target.workspace, "prompts")
    check_inside(prompts, target.workspace)
    if target.file is None:
        check_inside(os.path.dirname(target.path), target.workspace)
    for folder in (prompts, os.path.dirname(target.path)):
        check_writable(folder, N_("correct its permissions"))


def write_draft(draft: Draft) -> list[str]:
    """Write the prompts, then the list; the paths, the list first.

    Raises :class:`UserError` if a file is there meanwhile or can't be written; then nothing is.
    """
    check_places(draft.target)  # Claude may have been at work there.
    written: list[str] = []
    try:
        for name, text in draft.prompts.items():
            written.append(write_prompt(draft.target.workspace, name[: -len(SUFFIX)], text))
        if draft.target.file is not None:
            list_edit.write(draft.target.file, draft.text)
        else:
            hint = N_("name another list with --config PATH")
            create(draft.target.path, draft.text, hint=hint)
    except BaseException:
        for path in written:
            with suppress(OSError):
                os.unlink(path)
        raise
    return [draft.target.path, *written]
