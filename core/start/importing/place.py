"""The files of an import: the source, the list, the prompts; read, and written on yes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress

from ...model.errors import UserError
from ...model.frozen import dataclass
from ...model.translate import N_
from ...project.feature_list import SEARCHED, of_text, workspace_of
from ...project.list_path import list_path
from ...project.list_reader import PROMPT_LIMIT_BYTES, content_of
from ...project.schema import schema_text
from ...project.source_text import decoded
from ...reporter.documents import write_whole
from .. import list_edit
from ..first_list import SCHEMA
from ..list_edit import ListFile
from ..new_files import check_inside, create
from ..template_files import repository_around, text_of_file
from .merge import Merge, Prompt, Target

STDIN = "-"

SOURCE_LIMIT = PROMPT_LIMIT_BYTES


@dataclass(frozen=True)
class Place:
    """The list that is imported into, and its workspace."""

    file: ListFile
    workspace: str
    is_new: bool
    """Whether the list does not exist yet."""


def source_text(path: str) -> str:
    """The text of a source. Raises :class:`UserError` if it can't be read."""
    if path == STDIN:
        return _of_stdin()
    try:
        return decoded(content_of(path, SOURCE_LIMIT))
    except OSError as error:
        raise UserError(
            N_("{path} can't be read: {why}").format(path=path, why=error.strerror)
        ) from None
    except ValueError as error:
        hint = N_("rorchestrator import - reads standard input")
        raise UserError(
            N_("{path} can't be read: it is {why}").format(path=path, why=error), hint=hint
        ) from None


def _of_stdin() -> str:
    content = b"" if sys.stdin is None else sys.stdin.buffer.read(SOURCE_LIMIT + 1)
    try:
        if len(content) > SOURCE_LIMIT:
            raise ValueError(N_("larger than {limit} MiB").format(limit=SOURCE_LIMIT >> 20))
        return decoded(content)
    except ValueError as error:
        raise UserError(N_("standard input can't be read: it is {why}").format(why=error)) from None


def place_of(given: str) -> Place:
    """The list of ``--config``, or the one that is found, or a new one in the repository."""
    path, is_new = _path(given)
    workspace = workspace_of(path)
    if is_new:
        name = os.path.basename(repository_around(workspace))
        return Place(ListFile(path, b"", first_list(name)), workspace, is_new)
    return Place(list_edit.read(path), workspace, is_new)


def _path(given: str) -> tuple[str, bool]:
    try:
        path = os.path.abspath(list_path(given))
    except UserError:
        if given or _is_listed():
            raise
        path = os.path.join(repository_around(os.curdir), SEARCHED[0])
    return path, not os.path.lexists(path)


def _is_listed() -> bool:
    """Whether the repository has a list, although it can't be used."""
    top = repository_around(os.curdir)
    return any(os.path.lexists(os.path.join(top, name)) for name in SEARCHED)


def first_list(name: str) -> str:
    """A list without features."""
    data = {"$schema": f"./{SCHEMA}", "project": {"name": name or "project"}, "features": []}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def target_of(place: Place) -> Target:
    """The list as the merge sees it. Raises :class:`UserError` if it is no list of features."""
    list_edit.edited(place.file)
    data = json.loads(place.file.text)
    project = data.get("project")
    verify = project.get("verify") if isinstance(project, dict) else None

    def prompt(name: str) -> str | None:
        path = prompt_path(place.workspace, name)
        return text_of_file(path) if os.path.lexists(path) else None

    def new_prompt(name: str) -> str | None:
        path = os.path.join(place.workspace, "prompts", name)
        return text_of_file(path) if os.path.lexists(path) else None

    return Target(
        data["features"],
        [each for each in verify if isinstance(each, str)] if isinstance(verify, list) else [],
        prompt,
        new_prompt,
        lambda file: os.path.isfile(os.path.join(place.workspace, file)),
    )


def origin_file(path: str, workspace: str) -> str:
    """The path of a source as ``x-origin`` has it: relative to the workspace, with slashes."""
    if path == STDIN:
        return path
    real, top = os.path.realpath(path), os.path.realpath(workspace)
    return os.path.relpath(real, top).replace(os.sep, "/")


def prompt_path(workspace: str, name: str) -> str:
    """The path of a prompt file, as the loader finds it; a new one is in ``prompts/``."""
    places = [os.path.join(workspace, "prompts", name), os.path.join(workspace, name)]
    return next((path for path in places if os.path.lexists(path)), places[0])


def new_text(place: Place, made: Merge) -> str:
    """The new text of the list. Raises :class:`UserError` if it would have faults."""
    text = list_edit.edited(place.file, made.changes, made.added)
    of_text(place.file.path, text, {prompt.name: prompt.text for prompt in made.prompts})
    return text


def write(place: Place, text: str, prompts: Sequence[Prompt]) -> list[str]:
    """Write the prompts and then the list; the paths.

    Raises :class:`UserError` if a file changed meanwhile or can't be written; then no new file
    is left.
    """
    made: list[str] = []
    try:
        paths = [path for prompt in prompts for path in _write_prompt(place, prompt, made)]
        if place.is_new:
            paths += _write_first(place, text, made)
        else:
            list_edit.write(place.file, text)
            paths.append(place.file.path)
    except BaseException:
        for path in made:
            with suppress(OSError):
                os.unlink(path)
        raise
    return paths


def _write_prompt(place: Place, prompt: Prompt, made: list[str]) -> Iterator[str]:
    path = prompt_path(place.workspace, prompt.name)
    if prompt.old is None:
        path = os.path.join(place.workspace, "prompts", prompt.name)
    check_inside(path, place.workspace)
    if prompt.old is None:
        _create(path, prompt.text, made)
    else:
        _rewrite(path, prompt.text, prompt.old)
    yield path


def _create(path: str, text: str, made: list[str]) -> None:
    """Write a new file, to be removed again if another one can't be written."""
    create(path, text, hint=N_("try again"))
    made.append(path)


def _rewrite(path: str, text: str, old: str) -> None:
    """Write a file again that still has its ``old`` text."""
    real = os.path.realpath(path)
    if text_of_file(real) != old:
        raise UserError(
            N_("{path} changed meanwhile; it was left as it is").format(path=path),
            hint=N_("try again"),
        )
    try:
        write_whole(real, text, like=os.stat(real))
    except OSError as error:
        raise UserError(
            N_("{path} can't be written: {why}").format(path=path, why=error.strerror)
        ) from None


def _write_first(place: Place, text: str, made: list[str]) -> Iterator[str]:
    """Write a new list, and its schema for editors."""
    _create(place.file.path, text, made)
    yield place.file.path
    schema = os.path.join(os.path.dirname(place.file.path), SCHEMA)
    if not os.path.lexists(schema):
        _create(schema, schema_text(), made)
        yield schema
