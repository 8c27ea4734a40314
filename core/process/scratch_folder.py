"""Temporary folders that are made on first use, and removed with their owner or the command."""

from __future__ import annotations

import os

from ..model.errors import UserError
from ..model.translate import N_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import ExitStack

_in_use: dict[str, ExitStack] = {}
"""By path, what removes each folder in use."""


class ScratchFolder:
    """A temporary folder, created on first use.

    It is removed with this object, or by :func:`remove_scratch_folders`.
    """

    def __init__(self) -> None:
        self._path = ""

    def folder(self, name: str) -> str:
        """A subfolder with this name."""
        path = os.path.join(self._path or self._make(), name)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, name: str, content: bytes) -> str:
        """Write a file in it, whole at each moment; its path.

        Raises :class:`UserError` if that fails.
        """
        try:
            path = os.path.join(self.folder(os.path.dirname(name)), os.path.basename(name))
            with open(f"{path}.new", "wb") as file:
                file.write(content)
            os.replace(f"{path}.new", path)  # A git that runs already may be about to read it.
        except OSError as error:
            raise UserError(
                N_("{name} could not be written in {path}: {strerror}").format(
                    name=name, path=self._path, strerror=error.strerror
                ),
                hint=N_("set TMPDIR to another folder"),
            ) from None
        return path

    def existing(self, name: str) -> str:
        """The subfolder with this name; empty if it was not created yet."""
        path = os.path.join(self._path, name)
        return path if self._path and os.path.isdir(path) else ""

    def _make(self) -> str:
        # Few commands need one.
        import weakref
        from contextlib import ExitStack

        from .temporary_folder import temporary_folder

        stack = ExitStack()
        self._path = stack.enter_context(temporary_folder())
        _in_use[self._path] = stack
        weakref.finalize(self, _remove_scratch_folder, self._path)
        return self._path


def _remove_scratch_folder(path: str) -> None:
    stack = _in_use.pop(path, None)
    if stack is not None:
        stack.close()


def remove_scratch_folders() -> None:
    """Remove all scratch folders at the end of a command."""
    for path in list(_in_use):
        _remove_scratch_folder(path)
