"""Files that a user asked a run to write: checked before it starts, written whole at its end."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from ..model.errors import UserError
from ..model.translate import _, shown
from ..reporter.documents import write_whole

STDOUT = "-"
"""Given as a file, it stands for standard output."""


def print_or_write(option: str, path: str, content: str) -> None:
    """Write the file of ``option``, or print it. Raises :class:`UserError`."""
    if path == STDOUT:
        print(content, end="")
    else:
        OutputFile(option, path).write(content)


class OutputFile:
    """A file of the option ``option``. Its missing folders are created.

    Raises :class:`UserError` if it can't be written.
    """

    def __init__(self, option: str, path: str) -> None:
        self.option = option
        self.path = path
        # The file that a link leads to is replaced, not the link.
        self._place = os.path.realpath(path)
        probe = f"{self._place}.{os.getpid()}.tmp"
        try:
            if os.path.exists(self._place) and not stat.S_ISREG(os.stat(self._place).st_mode):
                raise UserError(
                    _("{option} {path}: it is not a regular file").format(option=option, path=path),
                    hint=self._hint,
                )
            os.makedirs(os.path.dirname(self._place), exist_ok=True)
            with open(probe, "x"):
                pass
        except OSError as error:
            raise self._refusal(error) from None
        finally:
            with suppress(OSError):
                os.unlink(probe)

    def write(self, content: str) -> None:
        """Write it whole or not at all. Raises :class:`UserError`."""
        try:
            write_whole(self._place, content)
        except OSError as error:
            raise self._refusal(error) from None

    @property
    def _hint(self) -> str:
        return _("give {option} the path of a file in a folder that you can write to").format(
            option=self.option
        )

    def _refusal(self, error: OSError) -> UserError:
        return UserError(
            _("{option} {path} can't be written: {strerror}").format(
                option=self.option, path=self.path, strerror=shown(error.strerror or "")
            ),
            hint=self._hint,
        )
