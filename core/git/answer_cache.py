"""Cache of git's answers about commit ids, in `~/.cache`: they never change.

Only read-only commands (`plan`, `status`) use it; `merge` and `cleanup` ask git. The file is
private to the user and can be deleted at any time.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..journal.history import DerivedFile


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
        self._file = DerivedFile(repository, "", environ, settings)

    @property
    def path(self) -> str:
        """The file; empty without a home folder."""
        return self._file.path

    def read(self) -> Answers:
        """The answers of earlier commands; none if the file is unusable."""
        known = self._file.read()
        return Answers(known if isinstance(known, dict) else {})

    def write(self, answers: Answers) -> None:
        """Write the answers, if there are new ones."""
        if answers.have_changed:
            self._file.write(answers.used)
