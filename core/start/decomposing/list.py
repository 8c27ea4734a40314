"""The feature list that an answer would make: checked by loader and linter before it is written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ...model.errors import UserError
from ...model.feature import Config
from ...model.frozen import dataclass
from ...model.translate import N_
from ...project import feature_list
from .. import list_edit
from ..first_list import CONTEXT
from ..list_edit import ListFile
from ..list_lint import around_prompts, prompt_of
from ..prompt_lint import findings
from ..template_files import SUFFIX
from .answer import Proposal, read_answer
from .target import Target, dumped


@dataclass(frozen=True)
class Draft:
    """A list and its new prompts, which can be written as they are."""

    target: Target
    text: str
    """The whole text of the list."""
    prompts: Mapping[str, str]
    """The texts of the new files in ``prompts/``, by name."""
    config: Config
    """The list as a run would read it."""
    ids: tuple[str, ...]
    """The new features."""
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """A checked answer: a draft with findings, or faults that make it useless."""

    draft: Draft | None
    faults: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


def check_answer(
    target: Target,
    most: int,
    answer: object,
    advise: Callable[[Draft], Iterable[str]] = lambda draft: (),
) -> Checked:
    """What loader, linter and ``advise`` say of the list that an answer would make."""
    proposal, faults = read_answer(answer, most, has_checks=target.has_checks)
    if proposal is None:
        return Checked(None, tuple(faults))
    names = list(_prompt_names(target.workspace, proposal))
    made = ((name, _text_of(each["prompt"])) for name, each in zip(names, proposal.features))
    prompts = {**target.files, **dict(made)}
    entries = [_entry(feature, name) for name, feature in zip(names, proposal.features)]
    try:
        text = _list_text(target, proposal, entries)
        config = feature_list.of_text(target.path, text, prompts)
    except UserError as error:
        said = error.details or (error.message,)
        return Checked(None, tuple(_renumbered(each, len(target.config.features)) for each in said))
    ids = tuple(str(entry["id"]) for entry in entries)
    draft = Draft(target, text, prompts, config, ids, proposal.questions)
    return Checked(draft, findings=(*_lint(draft), *advise(draft)))


def _text_of(prompt: object) -> str:
    return f"{str(prompt).strip()}\n".replace("\r\n", "\n")


def _prompt_names(workspace: str, proposal: Proposal) -> Iterator[str]:
    """A file name for each prompt that neither exists nor is another one's."""
    taken = {CONTEXT}
    for feature in proposal.features:
        id = str(feature["id"])
        names = (f"{id}{n and f'-{n}'}{SUFFIX}" for n in ("", *range(2, 10_000)))
        name = next(each for each in names if _is_free(workspace, each, taken))
        taken.add(name.casefold())
        yield name


def _is_free(workspace: str, name: str, taken: set[str]) -> bool:
    places = (os.path.join(workspace, "prompts", name), os.path.join(workspace, name))
    return name.casefold() not in taken and not any(map(os.path.lexists, places))


ORDER = ("id", "name", "prompt_file", "estimated_tokens", "depends_on", "uses", "creates", "verify")


def _entry(feature: Mapping[str, object], prompt_file: str) -> dict[str, object]:
    """The entry of a feature; empty lists are left out."""
    given = {**feature, "prompt_file": prompt_file}
    names = [*ORDER, *(name for name in feature if name not in (*ORDER, "prompt"))]
    return {name: given[name] for name in names if name in given and given[name] != []}


def _list_text(target: Target, proposal: Proposal, entries: Sequence[Mapping[str, object]]) -> str:
    file = target.file
    if file is None:
        document = json.loads(target.new)
        if proposal.verify:
            document["project"]["verify"] = proposal.verify
        file = ListFile(target.path, b"", dumped(document))
    return list_edit.edited(file, (), entries)


def _renumbered(fault: str, before: int) -> str:
    """A fault with the positions of the answer, which has no existing features."""

    def place(found: re.Match[str]) -> str:
        index = int(found[1])
        return f"features[{index - before}]" if index >= before else N_("a feature of the list")

    return re.sub(r"features\[(\d+)\]", place, fault)


def _lint(draft: Draft) -> Iterator[str]:
    around = around_prompts(draft.config)
    for feature in draft.config.features:
        if feature.id in draft.ids:
            for found in findings(prompt_of(draft.config, feature, feature.prompt), around):
                where = f"{feature.id}:{found.line}" if found.line else feature.id
                yield f"{where}: {found.text}"
