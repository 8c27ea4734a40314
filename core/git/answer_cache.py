"""What git said of commit ids: it stays true, so that `plan` and `status` keep it in a file.

The file is the user's alone, holds nothing that git would not say again, and may be removed at any
time. Only commands that look use it: what lands or is removed is asked of git.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

FORM = 1
"""Of the file; another one is not read."""

LARGEST_BYTES = 8 * 1024 * 1024


class Answers:
    """Answers by question and ids; those that nobody asks for any more are dropped."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        self._known = known or {}
        self._used: dict[str, str] = {}

    def get(self, question: str, *ids: str) -> str | None:
        """What is known; ``None`` where it was not asked yet."""
        key = " ".join((question, *ids))
        answer = self._used.get(key)
        if answer is None:
            answer = self._known.get(key)
            if answer is not None:
                self._used[key] = answer
        return answer

    def put(self, answer: str, question: str, *ids: str) -> str:
        """Keep an answer, and give it back."""
        self._used[" ".join((question, *ids))] = answer
        return answer

    @property
    def used(self) -> dict[str, str]:
        """All that was asked for."""
        return dict(self._used)

    @property
    def have_changed(self) -> bool:
        """Whether they are other ones than were known at first."""
        return self._used != self._known


class AnswerFile:
    """The file for one repository; ``settings`` are all that its answers depend on beside ids."""

    def __init__(self, repository: str, settings: str, environ: Mapping[str, str]) -> None:
        import hashlib

        folder = cache_folder(environ)
        name = hashlib.sha256(os.fsencode(repository)).hexdigest()[:20]
        self.path = os.path.join(folder, f"{name}.json") if folder else ""
        self.settings = settings

    def read(self) -> Answers:
        """The answers of earlier commands; none where they can't be used."""
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
        """Keep the answers. What can't be written is asked again."""
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
    """What tells them from damaged ones."""
    import zlib

    return zlib.crc32(json.dumps(answers).encode())


def cache_folder(environ: Mapping[str, str]) -> str:
    """The folder of this program in ``XDG_CACHE_HOME``; empty where there is no home."""
    given = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(given):
        home = environ.get("HOME", "")
        if not os.path.isabs(home):
            return ""
        given = os.path.join(home, ".cache")
    return os.path.join(given, "rorchestrator")
