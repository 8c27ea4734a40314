"""Where proposed features go: into an existing list, or into a new one as `init` begins it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from ...model.errors import UserError
from ...model.feature import Config
from ...model.frozen import dataclass, field, replace
from ...model.terminal_text import shell_word
from ...model.translate import _
from ...project import feature_list
from ...project.feature_list import SEARCHED
from ...project.keys import EMPTY
from ...project.list_path import list_path
from .. import list_edit
from ..first_list import CONTEXT, PROMPT, context_text, list_text, prompt_text
from ..list_edit import ListFile
from ..survey import Survey, survey
from ..template_files import repository_around


@dataclass(frozen=True)
class Target:
    """Where proposed features go: into an existing list, or into a new one."""

    path: str
    """The path of the list, absolute."""
    config: Config
    """The existing list; without features if it is a new one."""
    file: ListFile | None = None
    """The existing list as it was read."""
    new: str = ""
    """The text of a new list, without features."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Texts of new files in ``prompts/`` beside the prompts, by name."""

    @property
    def workspace(self) -> str:
        """The folder with ``prompts/``."""
        return self.config.workspace

    @property
    def has_checks(self) -> bool:
        """Whether the checks of the project stay as they are."""
        return self.file is not None or bool(self.config.project.verify)


def target_of(given: str, spec: str, base: str, *, adds: bool) -> Target:
    """The target for a specification: the list of ``--config`` or the nearest one, or a new one.

    Raises :class:`UserError` for a list that exists unless the command ``adds`` to it.
    """
    spec = shell_word(spec)
    path = _place(given)
    if not os.path.lexists(path):
        if adds:
            raise UserError(
                _("{path} does not exist, so nothing can be added to it").format(path=path),
                hint=_("rorchestrator decompose {spec} makes a new list").format(spec=spec),
            )
        return _new(path, given, base)
    if adds:
        return existing_target(path)
    raise UserError(
        _("{path} exists already").format(path=path),
        hint=_(
            "rorchestrator decompose {spec} --add adds the features to it, or name a new list: "
            "--config PATH"
        ).format(spec=spec),
    )


def _place(given: str) -> str:
    """The path of the list, which may not exist."""
    try:
        return list_path(given)
    except UserError:
        path = os.path.join(repository_around(os.curdir), SEARCHED[0])
        if given or os.path.lexists(path):
            raise
        return path


def _new(path: str, given: str, base: str) -> Target:
    if not path.endswith(".json"):
        raise UserError(
            _("{path} does not exist").format(path=path), hint=_("name a list that ends in .json")
        )
    if given:
        return new_target(path, repository_around(os.curdir))
    found = survey(os.curdir, base, os.environ, given=False)
    return surveyed_target(os.path.join(found.top, SEARCHED[0]), found)


def existing_target(path: str) -> Target:
    """The target in an existing list. Raises :class:`UserError` if it has faults."""
    path = os.path.abspath(path)
    file = list_edit.read(path)
    return Target(path, feature_list.of_text(path, file.text, {}), file)


def surveyed_target(path: str, found: Survey) -> Target:
    """The target in a new list as `init` would write it, but for its example."""
    document = json.loads(list_text(found))
    for name in ("$schema", "_comment"):
        del document[name]
    document["features"] = []
    place = os.path.join(found.workspace, "prompts", CONTEXT)
    files = {} if os.path.lexists(place) else {CONTEXT: context_text(found)}
    example = {**files, PROMPT: prompt_text(found)}
    config = feature_list.of_text(path, list_text(found), example)
    return Target(path, replace(config, features=()), new=dumped(document), files=files)


def dumped(document: Mapping[str, object]) -> str:
    """The text of a new list."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def new_target(path: str, repository: str) -> Target:
    """The target in a new list at ``path`` for a repository of which nothing is known."""
    path = os.path.abspath(path)
    workspace = feature_list.workspace_of(path)
    name = os.path.basename(repository) or "project"
    inside = os.path.relpath(repository, workspace)
    project = {"name": name, "repo_path": inside}
    return Target(
        path,
        replace(
            EMPTY,
            path=path,
            workspace=workspace,
            project=replace(EMPTY.project, name=name, repo_path=repository),
        ),
        new=dumped({"project": project, "features": []}),
    )
