"""Checks of single values in a feature list: text, numbers, commands, branch names, tool rules."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from ..model.branch_name import REF_FORBIDDEN, REF_LIMIT_BYTES
from ..model.commit_subject import FIELDS, fields_of
from ..model.feature import Command
from ..model.json_values import LARGEST
from ..model.list_commands import shell_command
from ..model.patterns import pattern
from ..model.translate import N_
from .list_reader import Json, Reader, kind

PATH_LIMIT = 4096

LABEL_LIMIT = 500

ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
ID_LIMIT = 100

CONTROL = pattern("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

PERMISSION_MODES = (
    *("acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "manual", "plan"),
)

TOOLS = (
    *("Agent", "Bash", "BashOutput", "Edit", "ExitPlanMode", "Glob", "Grep", "KillShell", "LS"),
    *("MultiEdit", "NotebookEdit", "NotebookRead", "Read", "Skill", "SlashCommand", "Task"),
    *("TaskOutput", "TaskStop", "TodoWrite", "WebFetch", "WebSearch", "Write"),
)
"""Known tools, for did-you-mean; other names may be newer tools."""

SET_BY_US = (
    *("-p", "--print", "--output-format", "--verbose", "--session-id", "--resume", "-r"),
    *("--continue", "-c", "--fork-session", "--no-session-persistence"),
)
"""Options of Claude that a list may not set."""

_TOOL_RULE = pattern(r"(\*|[A-Za-z][A-Za-z0-9_-]*)(\((.+)\))?\Z", re.DOTALL)
_UNPASSABLE = pattern("[\0\ud800-\udfff]")

TEXT: Json = {"type": "string"}
FILLED: Json = {"type": "string", "pattern": r"\S"}
TEXTS: Json = {"type": "array", "items": TEXT}


class Check(ABC):
    """A check of one value, with its JSON Schema."""

    words = "text"
    """The type, as named in the documentation."""

    @abstractmethod
    def check(self, reader: Reader, path: str, value: object) -> object:
        """The checked value; ``None`` with a fault in the ``reader``."""

    @abstractmethod
    def schema(self) -> Json:
        """The JSON Schema of valid values, as far as a schema can express them."""


class Text(Check):
    """A string that can be passed to a program."""

    def __init__(self, *, filled: bool = False, limit: int = 0, one_line: bool = False) -> None:
        self.filled = filled
        self.limit = limit
        self.one_line = one_line

    def check(self, reader: Reader, path: str, value: object) -> str | None:
        text = text_of(reader, path, value)
        if text is None:
            return None
        if self.filled and not text.strip():
            reader.fault(path, N_("is empty"))
        elif self.one_line and not text.isprintable() and CONTROL.search(text):
            reader.fault(path, N_("contains a control character or a line break"))
        elif self.limit and len(text) > self.limit:
            reader.fault(path, N_("is longer than {limit} characters").format(limit=self.limit))
        else:
            return text
        return None

    def schema(self) -> Json:
        limit: Json = {"maxLength": self.limit} if self.limit else {}
        return {**(FILLED if self.filled else TEXT), **limit}


def _is_passable(text: str) -> bool:
    # Printable text, and that is most of it, needs no pattern.
    return text.replace("\n", "").isprintable() or not _UNPASSABLE.search(text)


def text_of(reader: Reader, path: str, value: object) -> str | None:
    """A string without NUL or half a surrogate pair."""
    if not isinstance(value, str):
        reader.fault(path, N_("expected a string, not {kind}").format(kind=kind(value)))
    elif not _is_passable(value):
        reader.fault(path, N_("contains NUL or half a surrogate pair, which no program accepts"))
    else:
        return value
    return None


def texts_of(reader: Reader, path: str, value: object) -> tuple[str, ...] | None:
    """A list of strings."""
    if not isinstance(value, list):
        reader.fault(path, N_("expected a list of strings, not {kind}").format(kind=kind(value)))
        return None
    checked = [text_of(reader, f"{path}[{index}]", item) for index, item in enumerate(value)]
    return tuple(item for item in checked if item is not None)


PATH = Text(filled=True, limit=PATH_LIMIT)
PATH.words = "path"

LABEL = Text(filled=True, limit=LABEL_LIMIT, one_line=True)
"""A text that fits on one line of a terminal or a commit message."""


class Lines(Check):
    """A long text: a string, or a list of lines."""

    words = "text or list of lines"

    def __init__(self, *, filled: bool = False) -> None:
        self.filled = filled

    def check(self, reader: Reader, path: str, value: object) -> str | None:
        if isinstance(value, list):
            lines = texts_of(reader, path, value)
            text = None if lines is None else "\n".join(lines)
        else:
            text = text_of(reader, path, value)
        if text is not None and self.filled and not text.strip():
            reader.fault(path, N_("is empty"))
            return None
        return text

    def schema(self) -> Json:
        some: Json = {"minItems": 1} if self.filled else {}
        return {"anyOf": [FILLED if self.filled else TEXT, {**TEXTS, **some}]}


class Texts(Check):
    """A list of strings; ``fault`` returns the fault of one of them."""

    words = "list of text"

    def __init__(self, fault: Callable[[Reader, str], str] | None = None, words: str = "") -> None:
        self.fault = fault
        self.words = words or self.words

    def check(self, reader: Reader, path: str, value: object) -> tuple[str, ...] | None:
        texts = texts_of(reader, path, value)
        for index, text in enumerate(texts or ()):
            fault = self.fault(reader, text) if self.fault is not None else ""
            if fault:
                reader.fault(f"{path}[{index}]", fault)
        return texts

    def schema(self) -> Json:
        return TEXTS


def _promise_fault(reader: Reader, entry: str) -> str:
    from ..model import contracts

    promise = contracts.contract(entry)
    fault = contracts.fault(promise) if promise is not None else ""
    return f"{entry!r} {fault}" if fault else ""


def pattern_fault(reader: Reader, pattern: str) -> str:
    """The fault of a pattern of files in the repository; empty if it has none."""
    parts = pattern.split("/")
    if not pattern or pattern.startswith("/") or ".." in parts or ".git" in parts:
        return N_("{pattern!r} is not a pattern of files inside the repository").format(
            pattern=pattern
        )
    return ""


def _argument_fault(reader: Reader, word: str) -> str:
    return (
        N_("{word} is set by RoRchestrator itself").format(word=word)
        if word.split("=", 1)[0] in SET_BY_US
        else ""
    )


def tool_rule_fault(rule: str, near: Callable[..., str]) -> str:
    """The fault of a tool rule, which the CLI would ignore silently."""
    found = _TOOL_RULE.match(rule.strip())
    if not found or rule.count("(") != rule.count(")"):
        return N_("malformed tool rule {rule!r} (expected Tool or Tool(what it may do))").format(
            rule=rule
        )
    name = found[1]
    if name.startswith("mcp__") or name in TOOLS:
        return ""
    exact = [tool for tool in TOOLS if tool.lower() == name.lower()]
    hint = N_(" (did you mean {exact!r}?)").format(exact=exact[0]) if exact else near(name, TOOLS)
    return (
        N_("unknown tool {name!r}{hint}").format(name=name, hint=hint)
        if hint or name[0].islower()
        else ""
    )


CONTRACTS = Texts(_promise_fault)
"""Free text and contracts."""

GLOBS = Texts(pattern_fault, "list of patterns")
"""Patterns of files in the repository, relative to its top folder."""

RULES = Texts(lambda reader, rule: tool_rule_fault(rule, reader.near), "list of rules")

ARGUMENTS = Texts(_argument_fault)


class Argv(Check):
    """A program and its arguments."""

    words = "list of text"

    def check(self, reader: Reader, path: str, value: object) -> tuple[str, ...] | None:
        words = texts_of(reader, path, value)
        if _names_no_program(reader, path, value):
            return None
        if words and os.sep in words[0]:
            # Relative to the workspace, like every path of a list.
            program = os.path.join(reader.workspace, os.path.expanduser(words[0]))
            return (os.path.normpath(program), *words[1:])
        return words

    def schema(self) -> Json:
        return {**TEXTS, "minItems": 1}


def _names_no_program(reader: Reader, path: str, value: object) -> bool:
    if isinstance(value, list) and value[:1] in ([], [""]):
        reader.fault(path, N_("names no program"))
        return True
    return False


class Commands(Check):
    """Commands, each a string for the shell or a list of words."""

    words = "list of commands"

    def check(self, reader: Reader, path: str, value: object) -> tuple[Command, ...] | None:
        if not isinstance(value, list):
            reader.fault(
                path, N_("expected a list of commands, not {kind}").format(kind=kind(value))
            )
            return None
        checked = [self._one(reader, f"{path}[{n}]", item) for n, item in enumerate(value)]
        return tuple(command for command in checked if command is not None)

    def _one(self, reader: Reader, path: str, value: object) -> Command | None:
        if isinstance(value, str):
            line = Text(filled=True).check(reader, path, value)
            return shell_command(line) if line else None
        if not isinstance(value, list):
            reader.fault(
                path,
                N_("expected a string or a list of strings, not {kind}").format(kind=kind(value)),
            )
            return None
        words = texts_of(reader, path, value)
        if _names_no_program(reader, path, value) or not words:
            return None
        import shlex

        return Command(words, shlex.join(words))

    def schema(self) -> Json:
        return {"type": "array", "items": {"anyOf": [FILLED, {**TEXTS, "minItems": 1}]}}


class Flag(Check):
    """True or false."""

    words = "true or false"

    def check(self, reader: Reader, path: str, value: object) -> bool | None:
        if isinstance(value, bool):
            return value
        reader.fault(path, N_("expected true or false, not {kind}").format(kind=kind(value)))
        return None

    def schema(self) -> Json:
        return {"type": "boolean"}


class Whole(Check):
    """A whole number."""

    words = "whole number"

    def __init__(self, least: int | None = None) -> None:
        self.least = least

    def check(self, reader: Reader, path: str, value: object) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int):
            shown = str(value) if isinstance(value, float) else kind(value)
            reader.fault(path, N_("expected a whole number, not {shown}").format(shown=shown))
        elif abs(value) > LARGEST:
            reader.fault(path, N_("is too large"))
        elif self.least is not None and value < self.least:
            reader.fault(
                path, N_("{value} is less than {least}").format(value=value, least=self.least)
            )
        else:
            return value
        return None

    def schema(self) -> Json:
        least = -LARGEST if self.least is None else self.least
        return {"type": "integer", "minimum": least, "maximum": LARGEST}


class Number(Check):
    """A number above 0, or at least 0."""

    words = "number"

    def __init__(self, *, zero: bool = False) -> None:
        self.zero = zero

    def check(self, reader: Reader, path: str, value: object) -> float | None:
        expected = N_("a number, at least 0") if self.zero else N_("a number above 0")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            reader.fault(
                path,
                N_("expected {expected}, not {kind}").format(expected=expected, kind=kind(value)),
            )
        elif abs(value) > LARGEST:
            reader.fault(path, N_("is too large"))
        elif not (value > 0 or (self.zero and value == 0)):
            reader.fault(
                path, N_("expected {expected}, not {value}").format(expected=expected, value=value)
            )
        else:
            return float(value)
        return None

    def schema(self) -> Json:
        least = "minimum" if self.zero else "exclusiveMinimum"
        return {"type": "number", least: 0, "maximum": LARGEST}


class Share(Check):
    """A share: a fraction up to 1, or per cent up to 100."""

    words = "number up to 1, or per cent"

    def check(self, reader: Reader, path: str, value: object) -> float | None:
        number = Number().check(reader, path, value)
        if number is not None and number > 100:
            reader.fault(path, N_("{value} is more than 100 per cent").format(value=value))
            return None
        return number if number is None or number <= 1 else number / 100

    def schema(self) -> Json:
        return {"type": "number", "exclusiveMinimum": 0, "maximum": 100}


class Id(Check):
    """The id of a feature, which is also the end of a branch name and of a path."""

    words = "letters, digits, `.` `_` `-`"

    def check(self, reader: Reader, path: str, value: object) -> str | None:
        text = text_of(reader, path, value)
        if text is None:
            return None
        if not (text[:1].isalnum() and ID_CHARACTERS.issuperset(text)):
            reader.fault(
                path,
                N_(
                    "{text!r} must begin with a letter or digit; then . _ - are allowed as well"
                ).format(text=text),
            )
        elif len(text) > ID_LIMIT:
            reader.fault(path, N_("is longer than {limit} characters").format(limit=ID_LIMIT))
        elif ".." in text or text.endswith((".", ".lock")):
            reader.fault(
                path, N_("{text!r} is not valid at the end of a branch name").format(text=text)
            )
        else:
            return text
        return None

    def schema(self) -> Json:
        return {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$", "maxLength": ID_LIMIT}


class Ref(Check):
    """A branch name or a prefix of one, by the rules of git-check-ref-format(1)."""

    def __init__(self, *, filled: bool = False) -> None:
        self.filled = filled

    def check(self, reader: Reader, path: str, value: object) -> str | None:
        text = Text(filled=self.filled).check(reader, path, value)
        if text and (REF_FORBIDDEN.search(text) or text == "@" or text.endswith(".")):
            reader.fault(path, N_("{text!r} is not valid in a branch name").format(text=text))
        elif text and len(text.encode()) > REF_LIMIT_BYTES:
            reader.fault(
                path,
                N_("is longer than {limit} bytes").format(limit=REF_LIMIT_BYTES),
            )
        else:
            return text
        return None

    def schema(self) -> Json:
        return {**(FILLED if self.filled else TEXT), "maxLength": REF_LIMIT_BYTES}


class OneOf(Check):
    """One of several words."""

    def __init__(self, what: str, choices: Sequence[str]) -> None:
        self.what = what
        self.choices = choices

    def check(self, reader: Reader, path: str, value: object) -> str | None:
        text = text_of(reader, path, value)
        if text is not None and text not in self.choices:
            known = ", ".join(self.choices)
            hint = reader.near(text, self.choices) or N_(" (one of {known})").format(known=known)
            reader.fault(
                path,
                N_("unknown {what} {text!r}{hint}").format(what=self.what, text=text, hint=hint),
            )
            return None
        return text

    def schema(self) -> Json:
        return {"enum": list(self.choices)}


class Variables(Check):
    """Environment variables."""

    words = "object of text"

    def check(self, reader: Reader, path: str, value: object) -> dict[str, str] | None:
        if not isinstance(value, dict):
            reader.fault(
                path, N_("expected an object of strings, not {kind}").format(kind=kind(value))
            )
            return None
        checked: dict[str, str] = {}
        for name, item in value.items():
            text = text_of(reader, f"{path}.{name}", item)
            if not name or "=" in name or not _is_passable(name):
                reader.fault(f"{path}.{name}", N_("is not a valid name of an environment variable"))
            elif text is not None:
                checked[name] = text
        return checked

    def schema(self) -> Json:
        return {
            "type": "object",
            "additionalProperties": TEXT,
            "propertyNames": {"pattern": "^[^=]+$"},
        }


class Subject(Check):
    """A template for the first line of a commit."""

    def check(self, reader: Reader, path: str, value: object) -> str | None:
        template = LABEL.check(reader, path, value)
        unknown = [name for name in fields_of(template or "") if name not in FIELDS]
        for name in unknown:
            near = reader.near(name, FIELDS) or N_(" (one of {fields})").format(
                fields=", ".join(FIELDS)
            )
            reader.fault(path, N_("unknown field {name!r}{near}").format(name=name, near=near))
        return None if unknown else template

    def schema(self) -> Json:
        return LABEL.schema()


class ContextFile(Check):
    """A file of the workspace; the value is its text."""

    words = "file"

    def check(self, reader: Reader, path: str, value: object) -> str | None:
        name = PATH.check(reader, path, value)
        return reader.text_file(path, name) if name else None

    def schema(self) -> Json:
        return PATH.schema()
