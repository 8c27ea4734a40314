"""The files of templates: the included ones, the user's own, and the prompts made from them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from ..model.did_you_mean import did_you_mean
from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.translate import N_
from ..process.own_program import PACKAGE
from ..project.list_reader import PROMPT_LIMIT_BYTES, content_of
from ..project.source_text import decoded
from .new_files import check_inside, create
from .template import Template, parsed

OWN = os.path.join(".rorchestrator", "templates")
"""The folder with templates of the user's own, in the repository."""

SUFFIX = ".md"


@dataclass(frozen=True)
class TemplateFile:
    """The file of a template."""

    name: str
    path: str
    is_own: bool
    """Whether it is the user's own."""


def shipped_folder(package: str = PACKAGE) -> str:
    """The folder of the included templates: in a package, or in a clone."""
    installed = os.path.join(package, "examples", "prompts", "templates")
    if os.path.isdir(installed):
        return installed
    return os.path.join(os.path.dirname(package), "prompts", "templates")


def repository_around(folder: str) -> str:
    """The innermost repository around a folder; the folder itself if there is none."""
    start = folder = os.path.abspath(folder)
    while not os.path.lexists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return start
        folder = parent
    return folder


def template_files(workspace: str) -> Mapping[str, TemplateFile]:
    """The templates by name; one of the user's own wins over an included one."""
    own = os.path.join(repository_around(workspace), OWN)
    found = {file.name: file for file in _files(shipped_folder(), is_own=False)}
    found.update((file.name, file) for file in _files(own, is_own=True))
    return dict(sorted(found.items()))


def _files(folder: str, *, is_own: bool) -> Iterator[TemplateFile]:
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name.endswith(SUFFIX) and not name.startswith((".", "_")):
            path = os.path.join(folder, name)
            yield TemplateFile(name[: -len(SUFFIX)], path, is_own)


def text_of_file(path: str) -> str:
    """The text of a template or prompt. Raises :class:`UserError` if it can't be read."""
    try:
        return decoded(content_of(path, PROMPT_LIMIT_BYTES))
    except OSError as error:
        raise UserError(
            N_("{path} can't be read: {strerror}").format(path=path, strerror=error.strerror)
        ) from None
    except ValueError as error:
        raise UserError(N_("{path} is {error}").format(path=path, error=error)) from None


def read(file: TemplateFile) -> Template:
    """A template. Raises :class:`UserError` if it can't be read or has faults."""
    return parsed(file.name, file.path, text_of_file(file.path))


def named(name: str, known: Mapping[str, TemplateFile]) -> TemplateFile:
    """The file of a template. Raises :class:`UserError` if there is none of this name."""
    if name not in known:
        raise UserError(
            N_("unknown template {name!r}{did_you_mean}").format(
                name=name, did_you_mean=did_you_mean(name, known)
            ),
            hint="rorchestrator templates list",
        )
    return known[name]


def write_prompt(workspace: str, id: str, text: str) -> str:
    """Write a new prompt and return its path.

    Raises :class:`UserError` if there is such a file already, or if it can't be written.
    """
    folder = os.path.join(workspace, "prompts")
    path = os.path.join(folder, id + SUFFIX)
    check_inside(folder, workspace)
    create(path, text, hint=N_("choose another id, or remove the file"))
    return path
