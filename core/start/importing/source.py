"""Recognises the format of a plan from elsewhere by its content, and reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from ...model.errors import UserError
from ...model.translate import N_
from ...project.source_text import not_json
from . import (
    checklist,
    issues,
    prd,
    spec_kit,
    task_master,
)
from .items import Source, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

EXPECTED = (
    N_("spec-kit's tasks.md (- [ ] T001 …)"),
    N_("a Markdown checklist (- [ ] …)"),
    N_("Task Master's tasks.json"),
    N_("prd.json with userStories"),
    N_("issues as gh issue list --json number,title,body,labels prints them"),
)

_OF_JSON: tuple[Callable[[object], Source | None], ...] = (
    task_master.read,
    prd.read,
    issues.read,
)
_OF_TEXT: tuple[Callable[[str], Source | None], ...] = (
    spec_kit.read,
    checklist.read,
)


def recognised(name: str, text: str) -> Source:
    """The plan in a text. Raises :class:`UserError` if it is in none of the known formats."""
    start = text.lstrip()[:1]
    failed = UserError(
        N_("{file} has no plan that import can read").format(file=name), details=EXPECTED
    )
    empty = UserError(N_("{file} is empty").format(file=name), details=EXPECTED)
    if not start:
        raise empty
    if start in "[{":
        try:
            data = parsed(text)
            return _read(_OF_JSON, data) or _fail(failed if data else empty)
        except json.JSONDecodeError as error:
            failed = not_json(name, error)
            if start == "{":
                raise failed from None
        except ValueError as error:
            raise UserError(
                N_("{file} can't be read: {why}").format(file=name, why=error)
            ) from None
    return _read(_OF_TEXT, text) or _fail(failed)


def _read(readers: Sequence[Callable[[Any], Source | None]], value: object) -> Source | None:
    return next((found for found in (read(value) for read in readers) if found), None)


def _fail(error: UserError) -> NoReturn:
    raise error
