"""Writes the list and prompts of a draft: whole or not at all, and over no other file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ...model.errors import UserError
from ...model.translate import N_, _, shown
from .. import list_edit
from ..new_files import check_inside, check_writable
from ..template_files import SUFFIX, write_prompt
from .list import Draft
from .target import Target


def check_places(target: Target) -> None:
    """Raise :class:`UserError` if the files could not be written: before anything is paid for."""
    prompts = os.path.join(target.workspace, "prompts")
    check_inside(prompts, target.workspace)
    for folder in (prompts, os.path.dirname(target.path)):
        check_writable(folder, N_("correct its permissions"))


def write_draft(draft: Draft) -> list[str]:
    """Write the prompts, then the list; the paths, the list first.

    Raises :class:`UserError` if a file is there meanwhile or can't be written; then nothing is.
    """
    written: list[str] = []
    try:
        for name, text in draft.prompts.items():
            written.append(write_prompt(draft.target.workspace, name[: -len(SUFFIX)], text))
        if draft.target.file is not None:
            list_edit.write(draft.target.file, draft.text)
        else:
            _create(draft.target.path, draft.text)
    except BaseException:
        for path in written:
            with suppress(OSError):
                os.unlink(path)
        raise
    return [draft.target.path, *written]


def _create(path: str, text: str) -> None:
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, exist_ok=True)
        with open(path, "x", encoding="utf-8", newline="\n") as file, _removed_if_unfinished(path):
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        said = _("{path} exists already").format(path=path)
        if error.filename != path:
            said = _("{path} is not a folder").format(path=folder)
        raise UserError(said, hint=_("name another list with --config PATH")) from None
    except OSError as error:
        said = _("{path} can't be written: {error}").format(
            path=path, error=shown(error.strerror or "")
        )
        raise UserError(said) from None


@contextmanager
def _removed_if_unfinished(path: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        os.unlink(path)
        raise
