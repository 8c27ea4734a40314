"""Consent: which commands of feature lists the user allowed, as hashes in a file of the user's.

Consent is for one command in one repository. The file is outside of every repository, so a clone
or an archive can't bring consent along.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping

from ..journal.private_files import only_regular
from ..model.feature import Invocation
from ..model.translate import N_

FILE = "consents"
"""In the state folder: one SHA-256 a line."""

LARGEST_BYTES = 16 * 1024 * 1024
"""Limit of what is read: a quarter of a million commands."""


class Consents:
    """The user's consents for one repository; ``repository`` is its git folder."""

    def __init__(self, repository: str, environ: Mapping[str, str]) -> None:
        self.repository = repository
        self.folder = state_folder(environ)
        self._given: set[str] = set()
        """Given in this process, even if they could not be written."""

    @property
    def path(self) -> str:
        """The file; empty if the user has no home folder."""
        return os.path.join(self.folder, FILE) if self.folder else ""

    def missing(self, commands: Iterable[Invocation]) -> list[Invocation]:
        """The commands without consent, each of them once."""
        known = self._given | _read(self.path)
        asked = {self._hash(command): command for command in commands}
        return [command for key, command in asked.items() if key not in known]

    def give(self, commands: Iterable[Invocation]) -> str:
        """Remember consent to all of them; returns why it could not be saved, or nothing."""
        keys = [self._hash(command) for command in self.missing(commands)]
        if not keys:
            return ""
        self._given.update(keys)
        if not self.path:
            return N_("there is no home folder (HOME)")
        try:
            _append(self.path, keys)
        except OSError as error:
            return f"{self.path}: {error.strerror}"
        return ""

    def _hash(self, command: Invocation) -> str:
        """A hash of the command; its purpose and its features don't matter."""
        import hashlib

        words = [self.repository, list(command.argv), sorted(command.env.items())]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()


def state_folder(environ: Mapping[str, str]) -> str:
    """The program's folder in ``XDG_STATE_HOME``; empty without a home folder."""
    given = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(given):  # a relative one is ignored, by the specification
        home = environ.get("HOME") or _home_of_user()
        if not os.path.isabs(home):
            return ""
        given = os.path.join(home, ".local", "state")
    return os.path.join(given, "rorchestrator")


def _home_of_user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return ""


def _read(path: str) -> set[str]:
    """The hashes in the file; none if another user could have written it."""
    try:
        file = only_regular(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return set()
    with open(file, "rb") as stream:
        info = os.fstat(file)
        if info.st_uid != os.geteuid() or info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return set()
        return set(stream.read(LARGEST_BYTES).decode("ascii", "replace").split())


def _append(path: str, keys: Iterable[str]) -> None:
    """Append lines in one write, so that processes don't interleave."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    os.chmod(folder, 0o700)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = os.open(path, flags, 0o600)
    try:
        os.fchmod(file, 0o600)
        os.write(file, "".join(f"{key}\n" for key in keys).encode())
    finally:
        os.close(file)
