"""Reads the specification of `decompose`, from a file or from standard input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...model.errors import UserError
from ...model.translate import _, shown
from ...model.words import thousands
from ...project.list_reader import PROMPT_LIMIT_BYTES, content_of
from ...project.source_text import decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

STDIN = "-"

LONGEST = 500_000
"""Characters: about as much as Claude can read at once, with room for the repository."""


def read_specification(path: str, stdin: TextIO | None) -> str:
    """The text of a specification; ``-`` is standard input.

    Raises :class:`UserError` if it can't be read, is empty or too long.
    """
    name = _("standard input") if path == STDIN else path
    text = _of_stdin(stdin, name) if path == STDIN else _of_file(path)
    if not text.strip():
        raise UserError(_("{name} is empty").format(name=name), hint=_("write down what to build"))
    if len(text) > LONGEST:
        said = _("{name} is too long ({count} characters, at most {most})")
        raise UserError(
            said.format(name=name, count=thousands(len(text)), most=thousands(LONGEST)),
            hint=_("name a part of it"),
        )
    return text


def _of_file(path: str) -> str:
    with _complaining(path):
        return decoded(content_of(path, PROMPT_LIMIT_BYTES))


def _of_stdin(stdin: TextIO | None, name: str) -> str:
    if stdin is None:
        raise UserError(_("there is no standard input"), hint=_("name a file"))
    with _complaining(name):
        return decoded(stdin.buffer.read(PROMPT_LIMIT_BYTES))


@contextmanager
def _complaining(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        said = _("{path} can't be read: {error}").format(
            path=name, error=shown(error.strerror or str(error))
        )
        raise UserError(said) from None
    except ValueError as error:
        raise UserError(_("{path} is {fault}").format(path=name, fault=error)) from None
