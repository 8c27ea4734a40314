"""Cache of git's answers about commit ids, in `~/.cache`: they never change.

Only read-only commands (`plan`, `status`) use it; `merge` and `cleanup` ask git. The file is
private to the user and can be deleted at any time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

FORM = 1
"""Version of the file format. A file of another version is ignored."""

LARGEST_BYTES = 8 * 1024 * 1024


class Answers:
    """Answers by question and ids. Answers that this command did not use are dropped."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        self._known = known or {}
        self._used: dict[str, str] = {}

    def get(self, question: str, *ids: str) -> str | None:
        """The cached answer, or ``None``."""
        key = " ".join((question, *ids))
        answer = self._used.get(key)
        if answer is None:
            answer = self._known.get(key)
            if answer is not None:
                self._used[key] = answer
        return answer

    def put(self, answer: str, question: str, *ids: str) -> str:
        """Store an answer and return it."""
        self._used[" ".join((question, *ids))] = answer
        return answer

    @property
    def used(self) -> dict[str, str]:
        """The answers that this command used."""
        return dict(self._used)

    @property
    def have_changed(self) -> bool:
        """Whether the used answers differ from the loaded ones."""
        return self._used != self._known


class AnswerFile:
    """The cache file of one repository.

    ``settings`` is a hash of everything except ids that the answers depend on.
    """

    def __init__(self, repository: str, settings: str, environ: Mapping[str, str]) -> None:
        import hashlib

        folder = cache_folder(environ)
        name = hashlib.sha256(os.fsencode(repository)).hexdigest()[:20]
        self.path = os.path.join(folder, f"{name}.json") if folder else ""
        self.settings = settings

    def read(self) -> Answers:
        """The answers of earlier commands; none if the file is unusable."""
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(file, "rb") as stream:
                if os.fstat(file).st_uid != os.geteuid():
                    return Answers()
                value = json.loads(stream.read(LARGEST_BYTES))
            answers = value["answers"]
            if value["form"] != FORM or value["settings"] != self.settings:
                return Answers()
            if value["sum"] != checksum(answers):
                return Answers()
            return Answers(answers)
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return Answers()

    def write(self, answers: Answers) -> None:
        """Write the answers. A failed write only costs the next command some time."""
        if not (self.path and answers.have_changed):
            return
        used = answers.used
        value = {"form": FORM, "settings": self.settings, "sum": checksum(used), "answers": used}
        content = json.dumps(value).encode()
        if len(content) > LARGEST_BYTES:
            return
        temporary = f"{self.path}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(file, "wb") as stream:
                stream.write(content)
            os.replace(temporary, self.path)
        except OSError:
            pass


def checksum(answers: object) -> int:
    """A checksum that detects a damaged file."""
    import zlib

    return zlib.crc32(json.dumps(answers).encode())


def cache_folder(environ: Mapping[str, str]) -> str:
    """Our folder in ``XDG_CACHE_HOME``; empty without a home folder."""
    given = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(given):
        home = environ.get("HOME", "")
        if not os.path.isabs(home):
            return ""
        given = os.path.join(home, ".cache")
    return os.path.join(given, "rorchestrator")
