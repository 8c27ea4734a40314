"""A template of a prompt: its front matter, its variables, and the prompt made from it."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator, Mapping

from ..model.did_you_mean import did_you_mean
from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.terminal_text import shell_word
from ..model.translate import N_
from ..model.words import counted
from ..project.keys import FEATURE
from ..project.list_reader import Key, Reader, kind
from ..project.source_text import not_json
from ..project.value_checks import LABEL, Check, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..project.list_reader import Json

FENCE = "---"

SUGGESTED = ("name", "creates", "uses", "verify", "estimated_tokens", "tags")
"""The keys of a feature that a template may suggest."""

ALWAYS_GIVEN = ("id",)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class Variable:
    """A variable of a template; it is needed if it has no default."""

    name: str
    meaning: str
    default: str | None = None


@dataclass(frozen=True)
class Template:
    """A template; ``suggested`` are keys of the feature, whose texts may have variables too."""

    name: str
    description: str
    variables: tuple[Variable, ...]
    suggested: Mapping[str, object]
    body: str


class _Variables(Check):
    """The object of variables: a meaning each, or an object of meaning and default."""

    def check(self, reader: Reader, path: str, value: object) -> tuple[Variable, ...] | None:
        if not isinstance(value, dict):
            reader.fault(path, N_("expected an object, not {kind}").format(kind=kind(value)))
            return None
        for name in value:
            if not _NAME.match(name) or name in ALWAYS_GIVEN:
                reader.fault(f"{path}.{name}", N_("is not a free name of letters, digits and _"))
        found = [_variable(reader, f"{path}.{name}", name, each) for name, each in value.items()]
        return tuple(each for each in found if each is not None)

    def schema(self) -> Json:
        return {"type": "object"}


def _variable(reader: Reader, path: str, name: str, value: object) -> Variable | None:
    fields = {"meaning": value} if isinstance(value, str) else value
    found = reader.fields(
        path, fields, {"meaning": Key(LABEL, needed=True), "default": Key(Text())}
    )
    if "meaning" not in found:
        return None
    default = found.get("default")
    return Variable(name, str(found["meaning"]), None if default is None else str(default))


KEYS: Mapping[str, Key] = {
    "description": Key(LABEL, needed=True),
    "variables": Key(_Variables(), needed=True),
    **{name: FEATURE[name] for name in SUGGESTED},
}
"""The keys of the front matter."""


def parsed(name: str, path: str, text: str) -> Template:
    """The template in the text of the file ``path``.

    Raises :class:`UserError` with all faults of its front matter and of its variables.
    """
    front, body = _divided(path, text)
    try:
        data = json.loads(front)
    except json.JSONDecodeError as error:
        raise not_json(N_("the front matter of {path}").format(path=path), error) from None
    reader = Reader("")
    fields = reader.fields("", data, KEYS)
    variables = fields.get("variables", ())
    assert isinstance(variables, tuple)
    suggested = {key: data[key] for key in SUGGESTED if key in fields}
    if "variables" in fields:
        known = [*ALWAYS_GIVEN, *(variable.name for variable in variables)]
        for where, each in [(N_("the text"), body), *_texts("", suggested)]:
            for fault in _placeholder_faults(each, known):
                reader.fault(where, fault)
    if reader.faults:
        raise UserError(
            N_("{path} has {faults}").format(
                path=path, faults=counted(len(reader.faults), "fault")
            ),
            details=tuple(reader.faults),
            hint=N_("docs/commands/templates.md shows what a template contains"),
        )
    return Template(name, str(fields["description"]), variables, suggested, body)


def _divided(path: str, text: str) -> tuple[str, str]:
    """The front matter, with the line numbers of the file, and the rest."""
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() == FENCE:
        for number, line in enumerate(lines[1:], 1):
            if line.rstrip() == FENCE:
                front = "\n".join(["", *lines[1:number]])
                return front, "\n".join(lines[number + 1 :]).lstrip("\n")
    raise UserError(
        N_("{path} has no front matter").format(path=path),
        hint=N_("it begins with a line {fence}, a JSON object, and another line {fence}").format(
            fence=FENCE
        ),
    )


def _texts(where: str, value: object) -> Iterator[tuple[str, str]]:
    """The texts in a JSON value, each with its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts(f"{where}[{index}]", each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(name, each)


def _placeholder_faults(text: str, known: list[str]) -> Iterator[str]:
    for found in string.Template.pattern.finditer(text):
        name = found["named"] or found["braced"]
        if found["invalid"] is not None:
            line = text.count("\n", 0, found.start()) + 1
            yield N_("a $ in line {line} begins no variable: write $$ for a dollar sign").format(
                line=line
            )
        elif name and name not in known:
            yield N_("${name} is not in variables{did_you_mean}").format(
                name=name, did_you_mean=did_you_mean(name, known)
            )


@dataclass(frozen=True)
class Made:
    """What a template made: the prompt, and the feature's entry for the list."""

    prompt: str
    entry: Mapping[str, object]


def filled(template: Template, id: str, given: Mapping[str, str]) -> Made:
    """The prompt of feature ``id``, and its entry, with the ``given`` values of the variables.

    Raises :class:`UserError` with all missing and all unknown variables.
    """
    known = [variable.name for variable in template.variables]
    missing = [
        variable
        for variable in template.variables
        if variable.default is None and not given.get(variable.name, "").strip()
    ]
    faults = [
        N_("missing: {variable} ({meaning})").format(
            variable=variable.name, meaning=variable.meaning
        )
        for variable in missing
    ]
    faults += [
        N_("unknown: {name}{did_you_mean}").format(
            name=name, did_you_mean=did_you_mean(name, known)
        )
        for name in given
        if name not in known
    ]
    if faults:
        kept = [
            f"--set {shell_word(f'{name}={text}')}" for name, text in given.items() if text.strip()
        ]
        wanted = [f"--set {variable.name}=…" for variable in missing]
        command = ["rorchestrator templates new", id, "--template", template.name, *kept, *wanted]
        is_short = all(text.isprintable() for text in given.values())
        shown = N_("rorchestrator templates show {template} shows its variables").format(
            template=template.name
        )
        raise UserError(
            N_("template {template!r} needs other variables").format(template=template.name),
            details=tuple(faults),
            hint=" ".join(command) if len(wanted) == len(faults) and is_short else shown,
        )
    defaults = {each.name: each.default or "" for each in template.variables}
    values = {**defaults, **given, "id": id}
    suggested = {key: _substituted(each, values) for key, each in template.suggested.items()}
    entry = {"id": id, "prompt_file": f"{id}.md", **suggested}
    return Made(
        _without_gaps(string.Template(template.body).substitute(values)),
        {key: each for key, each in entry.items() if each not in ("", [])},
    )


def _substituted(value: object, values: Mapping[str, str]) -> object:
    """A JSON value with its variables replaced; texts that become empty are left out."""
    if isinstance(value, str):
        return string.Template(value).substitute(values).strip()
    if isinstance(value, list):
        return [made for each in value for made in [_substituted(each, values)] if made]
    return value


def _without_gaps(text: str) -> str:
    """A text without the empty lines that empty variables leave."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
