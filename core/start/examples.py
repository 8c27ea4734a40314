"""The included examples: their lists and prompts, in a package or in a clone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from ..model.did_you_mean import did_you_mean
from ..model.errors import UserError
from ..model.translate import N_
from ..process.own_program import PACKAGE
from .new_files import NewFile
from .template_files import shipped_folder

EXAMPLES = {
    "todo": "test-project.json",
    "rails": "feature_list.example.json",
    "react": "react.example.json",
}
"""The name of each example, and the file of its list."""

LIST = "config/feature_list.json"

BASE = "main"
"""The base branch of the examples."""


def files_of(name: str, base: str = BASE, package: str = PACKAGE) -> list[NewFile]:
    """The list of an example, whose features start from ``base``, and the prompts that it names.

    Raises :class:`UserError` for an unknown name, or if the examples are not there.
    """
    if name not in EXAMPLES:
        known = ", ".join(EXAMPLES)
        raise UserError(
            N_("unknown example {name!r}{did_you_mean}").format(
                name=name, did_you_mean=did_you_mean(name, EXAMPLES)
            ),
            hint=N_("one of: {known}").format(known=known),
        )
    prompts = os.path.dirname(shipped_folder(package))
    text = _text(os.path.join(os.path.dirname(prompts), "config", EXAMPLES[name]))
    text = text.replace(f'"base_branch": "{BASE}"', f'"base_branch": {json.dumps(base)}')
    files = [
        NewFile(f"prompts/{each}", _text(os.path.join(prompts, each))) for each in _named(text)
    ]
    return [*files, NewFile(LIST, text)]


def _named(text: str) -> Iterator[str]:
    """The prompt files of a list, in its order."""
    document = json.loads(text)
    context = document.get("prompts", {}).get("context_file")
    if context:
        yield context
    for feature in document["features"]:
        yield feature["prompt_file"]


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise UserError(
            N_("{path} can't be read: {strerror}").format(path=path, strerror=error.strerror),
            hint=N_("install RoRchestrator again"),
        ) from None
