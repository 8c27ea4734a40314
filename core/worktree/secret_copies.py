"""Copies of .env and other secret files from removed worktrees, in our folder and in no ref."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..journal import private_files
from ..model.errors import UserError
from ..model.translate import N_

FOLDER = os.path.join("rorchestrator", "aside")
"""In the common git folder: ``<feature>/<run>/<path in the worktree>``."""


class SecretCopies:
    """The secret copies of one worktree; ``folder`` is empty until there is one."""

    def __init__(self, common: str, feature: str, run: str) -> None:
        self._place = os.path.join(common, FOLDER, feature, run)
        self.folder = ""

    def put(self, worktree: str, files: Iterable[str]) -> None:
        """Copy files with mode 0600. Raises :class:`UserError` if that fails."""
        for file in sorted(files):
            try:
                self._copy(os.path.join(worktree, file), file)
            except OSError as error:
                raise UserError(
                    N_(
                        "{file} in {worktree} looks like a secret and could not be copied: "
                        "{strerror}"
                    ).format(file=file, worktree=worktree, strerror=error.strerror),
                    hint=N_("move it elsewhere"),
                ) from None

    def _copy(self, source: str, file: str) -> None:
        import shutil  # takes as long as a tenth of the start of plan and status

        if not self.folder:
            private_files.make_folder(os.path.dirname(self._place), 3)
            self.folder = self._new_folder()
        target = os.path.join(self.folder, file)
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        shutil.copyfile(source, target, follow_symlinks=False)
        if not os.path.islink(target):
            os.chmod(target, 0o600)

    def _new_folder(self) -> str:
        """A new folder, numbered if the name exists: a worktree may be kept twice in a second."""
        name, number = self._place, 1
        while os.path.lexists(name):
            number += 1
            name = f"{self._place}.{number}"
        os.mkdir(name, 0o700)
        return name
