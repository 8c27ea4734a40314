"""The accepted findings, written into the list: nothing but the bytes of its ``depends_on``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ...model.errors import UserError
from ...model.translate import N_
from ...project.feature_list import of_text
from .. import list_edit
from ..list_edit import Change, ListFile
from ..list_patch import patch
from ..template_files import repository_around


def changed_text(file: ListFile, changes: Mapping[str, Sequence[str]]) -> str:
    """The text of a list with new dependencies, as valid as before.

    Raises :class:`UserError` if the list would have a fault.
    """
    edits = [Change(id, {"depends_on": list(needed)}) for id, needed in changes.items()]
    text = list_edit.edited(file, edits)
    of_text(file.path, text, {})
    return text


def patch_of(file: ListFile, text: str) -> bytes:
    """The change as a patch, relative to the repository of the list.

    Raises :class:`UserError` if git takes the list for a binary file.
    """
    if b"\0" in file.content:
        raise UserError(
            N_("{path} is not UTF-8, so git takes it for a binary file").format(path=file.path),
            hint=N_("save it as UTF-8, or leave out --patch"),
        )
    path = os.path.realpath(file.path)
    top = os.path.realpath(repository_around(os.path.dirname(path)))
    return patch(os.path.relpath(path, top), file.content, list_edit.encoded(file.content, text))
