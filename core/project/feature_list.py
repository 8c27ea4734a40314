"""Reads and checks the feature list: every fault at once, each with its JSON path."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..dag.resolver import cycle
from ..model import contracts
from ..model.commit_subject import FIELDS, fields_of, subject
from ..model.errors import UserError
from ..model.feature import ClaudeOptions, Command, Config, Feature, Project, Retry
from ..model.frozen import dataclass, replace
from ..model.list_commands import shell_command
from .source_text import decoded, not_json

SEARCHED = (
    "config/feature_list.json",
    "orchestrator/config/feature_list.json",
    ".rorchestrator/config/feature_list.json",
)
"""Looked for in the current folder and in each one above it."""

PROMPT_LIMIT_BYTES = 8 * 1024 * 1024
"""The CLI refuses 10 MiB of standard input; context and rules go on top of a prompt."""

LIST_LIMIT_BYTES = 32 * 1024 * 1024

ALL_PROMPTS_LIMIT_BYTES = 256 * 1024 * 1024

OPTIONS_LIMIT_BYTES = 100_000
"""Of the options that become Claude's command line; Linux refuses a word of 128 KiB."""

PATH_LIMIT = 4096

REF_LIMIT_BYTES = 250
"""Of each part between slashes: git puts ``.lock`` behind it, and file systems end at 255."""

LARGEST = 2**53
"""What a number may be at most: beyond it, neither arithmetic nor JSON is exact."""

CIRCLES_SHOWN = 10
HINTED = 10
"""How many unknown words are looked up among the known ones, which is slow in a long list."""
HINT_LIMIT = 100
"""How long a word may be that is looked up."""

PERMISSION_MODES = (
    "acceptEdits",
    "auto",
    "bypassPermissions",
    "default",
    "dontAsk",
    "manual",
    "plan",
)

TOOLS = (
    "Agent",
    "Bash",
    "BashOutput",
    "Edit",
    "ExitPlanMode",
    "Glob",
    "Grep",
    "KillShell",
    "LS",
    "MultiEdit",
    "NotebookEdit",
    "NotebookRead",
    "Read",
    "Skill",
    "SlashCommand",
    "Task",
    "TaskOutput",
    "TaskStop",
    "TodoWrite",
    "WebFetch",
    "WebSearch",
    "Write",
)
"""Known tools, for the did-you-mean; a name far from all of them may be a newer tool."""

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
ID_LIMIT = 100

LABEL_LIMIT = 500

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_TOOL_RULE = re.compile(r"(\*|[A-Za-z][A-Za-z0-9_-]*)(\((.+)\))?\Z", re.DOTALL)
_UNPASSABLE = re.compile("[\0\ud800-\udfff]")
_REF_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|\Z)|\A[/.-]")

Faults = "list[str]"
Check = Callable[["_Reader", str, object], object]


def find(start: str, owner: Callable[[str], int] | None = None) -> str:
    """The feature list of the folder ``start`` or of the nearest one above it.

    Raises :class:`UserError` where there is none, or where it belongs to somebody who has
    nothing to do with ``start``: anybody can put a list into ``/tmp``.
    """
    start = folder = _absolute(start)
    owner = owner or _owner
    while True:
        for name in SEARCHED:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                if owner(path) not in (0, os.geteuid(), owner(start)):
                    import shlex

                    raise UserError(
                        f"{path} belongs to another user",
                        hint=f"look at it; if it is meant: --config {shlex.quote(path)}",
                    )
                return path
        parent = os.path.dirname(folder)
        if parent == folder:
            raise UserError(
                f"no feature list found from {start} upwards",
                hint="write config/feature_list.json, or name one with --config PATH",
            )
        folder = parent


def find_in(folder: str) -> str:
    """The feature list of a folder that was named. Raises :class:`UserError` where it has none."""
    for name in (*SEARCHED, os.path.basename(SEARCHED[0])):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    raise UserError(
        f"no feature list in {folder}", hint=f"write {os.path.join(folder, SEARCHED[0])}"
    )


def _owner(path: str) -> int:
    return os.stat(path).st_uid


def load(path: str) -> Config:
    """Read and check a feature list, with all the files that it names.

    Raises :class:`UserError` with every fault, one a line.
    """
    path = _absolute(path)
    data = _read_json(path)
    folder = os.path.dirname(path)
    workspace = os.path.dirname(folder) if os.path.basename(folder) == "config" else folder
    reader = _Reader(workspace)
    config = _config(reader, path, data)
    if reader.faults:
        count = len(reader.faults)
        raise UserError(
            f"{path} has {count} fault{'s' if count > 1 else ''}",
            details=tuple(reader.faults),
            hint="docs: README.md, “The feature list”",
        )
    return config


def claude_of(path: str) -> ClaudeOptions:
    """The Claude options of a list that has faults elsewhere.

    Raises :class:`UserError` where the list is no JSON, or they have a fault themselves.
    """
    data = _read_json(path)
    reader = _Reader(os.path.dirname(path))
    given = data.get("claude", {}) if isinstance(data, dict) else {}
    options = _claude(reader, "claude", given)
    if reader.faults:
        raise UserError(f"{path} has faults", details=tuple(reader.faults))
    return options


def _absolute(path: str) -> str:
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        raise UserError(
            "the current folder was deleted", hint="cd into one that is there"
        ) from None


def read(path: str) -> str:
    """The text of a list. Raises ``OSError``, or ``ValueError`` where it is no text file."""
    return decoded(_content(path, LIST_LIMIT_BYTES))


def _read_json(path: str) -> object:
    try:
        text = read(path)
        return json.loads(text, object_pairs_hook=_without_repeats)
    except FileNotFoundError:
        raise UserError(
            f"{path} does not exist", hint="write it, or name another list with --config PATH"
        ) from None
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise not_json(path, error) from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not a feature list: {error}") from None


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; a key that stands twice in it is a mistake that JSON parsers hide."""
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name!r} stands twice in one object")
        found[name] = value
    return found


def _content(path: str, limit: int) -> bytes:
    """The bytes of a file. Raises ``OSError``, or ``ValueError`` where it is not fit to be read."""
    # Not to block on a FIFO: what is opened is looked at before it is read.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise ValueError(_too_large(limit))
    return content


def _too_large(limit: int) -> str:
    if limit in (LIST_LIMIT_BYTES, PROMPT_LIMIT_BYTES):
        return f"larger than {limit >> 20} MiB"
    return f"too much: all files together are larger than {ALL_PROMPTS_LIMIT_BYTES >> 20} MiB"


@dataclass(frozen=True)
class _Key:
    """What is known of a key: how its value is checked, and the field that it fills."""

    check: Check
    field: str = ""


class _Reader:
    """Collects the faults of one list, and reads each prompt file once."""

    def __init__(self, workspace: str, room: int = ALL_PROMPTS_LIMIT_BYTES) -> None:
        self.workspace = workspace
        self.faults: list[str] = []
        self._texts: dict[str, tuple[str | None, str]] = {}
        self._files: dict[str, str] = {}
        self._room = room
        self._hints = HINTED

    def near(self, word: str, known: Sequence[str] | Mapping[str, object]) -> str:
        """:func:`did_you_mean` for the first unknown words."""
        self._hints -= 1
        return did_you_mean(word, known) if self._hints >= 0 else ""

    def fault(self, path: str, text: str) -> None:
        self.faults.append(f"{path}: {text}" if path else text)

    def fields(
        self, path: str, value: object, keys: Mapping[str, _Key], needed: Sequence[str] = ()
    ) -> dict[str, object]:
        """The checked values of an object, by the name of the field that each fills."""
        if not isinstance(value, dict):
            self.fault(path, f"expected an object, not {_kind(value)}")
            return {}
        prefix = f"{path}." if path else ""
        found: dict[str, object] = {}
        for name, item in value.items():
            key = keys.get(name)
            if key is None:
                if not name.startswith(("_", "x-", "$")):
                    self.fault(prefix + name, f"unknown key{self.near(name, keys)}")
                continue
            checked = key.check(self, prefix + name, item)
            if checked is not None:
                found[key.field or name] = checked
        for name in needed:
            if name not in value:
                self.fault(path, f"{name} is missing")
        return found

    def text_file(self, path: str, name: str) -> str | None:
        """The text of a file of the workspace, looked up in ``prompts/`` first."""
        if name not in self._texts:
            self._texts[name] = self._read_text(name)
        text, fault = self._texts[name]
        if fault:
            self.fault(path, f"{name} {fault}")
        return text

    def _read_text(self, name: str) -> tuple[str | None, str]:
        """The text of a file, or what is wrong with it."""
        prompts = os.path.join(self.workspace, "prompts")
        places = (os.path.join(prompts, name), os.path.join(self.workspace, name))
        file = next((place for place in places if os.path.lexists(place)), None)
        if file is None:
            return None, f"is neither in {prompts}{os.sep} nor in the workspace"
        if not _inside(file, self.workspace):
            return None, f"is outside the workspace {self.workspace}"
        try:
            return self._content_of(os.path.realpath(file)), ""
        except OSError as error:
            return None, f"can't be read: {error.strerror}"
        except ValueError as error:
            return None, f"is {error}"

    def _content_of(self, file: str) -> str:
        """The text of a file, which is read once whatever it is called."""
        if file not in self._files:
            content = _content(file, min(PROMPT_LIMIT_BYTES, self._room))
            self._room -= len(content)
            self._files[file] = decoded(content)
        return self._files[file]


def _inside(file: str, folder: str) -> bool:
    real = os.path.realpath(folder)
    return os.path.commonpath([os.path.realpath(file), real]) == real


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    return names.get(type(value), "a list" if isinstance(value, list) else "an object")


def did_you_mean(word: str, known: Sequence[str] | Mapping[str, object]) -> str:
    """`` (did you mean 'x'?)`` where one of ``known`` is near; else nothing."""
    if len(word) > HINT_LIMIT:
        return ""
    import difflib

    near = difflib.get_close_matches(word, list(known), 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


# -- checks of single values --------------------------------------------------------------


def _text(reader: _Reader, path: str, value: object) -> str | None:
    if not isinstance(value, str):
        reader.fault(path, f"expected a string, not {_kind(value)}")
    elif _UNPASSABLE.search(value):
        reader.fault(path, "holds what no program can be given: NUL, or half a surrogate pair")
    else:
        return value
    return None


def _lines(reader: _Reader, path: str, value: object) -> str | None:
    """A text that may be long: a string, or a list of its lines."""
    if not isinstance(value, list):
        return _text(reader, path, value)
    lines = _texts(reader, path, value)
    return None if lines is None else "\n".join(lines)


def _prompt(reader: _Reader, path: str, value: object) -> str | None:
    text = _lines(reader, path, value)
    return _filled(reader, path, text) if text is not None else None


def _filled(reader: _Reader, path: str, value: object) -> str | None:
    text = _text(reader, path, value)
    if text is not None and not text.strip():
        reader.fault(path, "is empty")
        return None
    return text


def _path(reader: _Reader, path: str, value: object) -> str | None:
    text = _filled(reader, path, value)
    if text is not None and len(text) > PATH_LIMIT:
        reader.fault(path, f"is longer than {PATH_LIMIT} characters")
        return None
    return text


def _label(reader: _Reader, path: str, value: object) -> str | None:
    """A text for one line of a terminal and of a commit message."""
    text = _filled(reader, path, value)
    if text is not None and CONTROL.search(text):
        reader.fault(path, "holds a control character or a line end")
        return None
    if text is not None and len(text) > LABEL_LIMIT:
        reader.fault(path, f"is longer than {LABEL_LIMIT} characters")
        return None
    return text


def _texts(reader: _Reader, path: str, value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        reader.fault(path, f"expected a list of strings, not {_kind(value)}")
        return None
    checked = [_text(reader, f"{path}[{index}]", item) for index, item in enumerate(value)]
    return tuple(item for item in checked if item is not None)


def _command(reader: _Reader, path: str, value: object) -> tuple[str, ...] | None:
    words = _texts(reader, path, value)
    if isinstance(value, list) and value[:1] in ([], [""]):
        reader.fault(path, "names no program")
        return None
    if words and os.sep in words[0]:
        # Like every path of a list: never relative to the current folder.
        program = os.path.join(reader.workspace, os.path.expanduser(words[0]))
        return (os.path.normpath(program), *words[1:])
    return words


def _commands(reader: _Reader, path: str, value: object) -> tuple[Command, ...] | None:
    """Commands, each a string for the shell or a list of words."""
    if not isinstance(value, list):
        reader.fault(path, f"expected a list of commands, not {_kind(value)}")
        return None
    checked = [_own_command(reader, f"{path}[{n}]", item) for n, item in enumerate(value)]
    return tuple(command for command in checked if command is not None)


def _own_command(reader: _Reader, path: str, value: object) -> Command | None:
    if isinstance(value, str):
        line = _filled(reader, path, value)
        return shell_command(line) if line else None
    if not isinstance(value, list):
        reader.fault(path, f"expected a string or a list of strings, not {_kind(value)}")
        return None
    words = _texts(reader, path, value)
    if value[:1] in ([], [""]):
        reader.fault(path, "names no program")
        return None
    if not words:
        return None
    import shlex

    return Command(words, shlex.join(words))


def _promises(reader: _Reader, path: str, value: object) -> tuple[str, ...] | None:
    """Free texts, and contracts that can be kept."""
    entries = _texts(reader, path, value)
    for index, entry in enumerate(entries or ()):
        promise = contracts.contract(entry)
        fault = contracts.fault(promise) if promise is not None else ""
        if fault:
            reader.fault(f"{path}[{index}]", f"{entry!r} {fault}")
    return entries


def _globs(reader: _Reader, path: str, value: object) -> tuple[str, ...] | None:
    """Patterns of files of the repository, relative to its top folder."""
    patterns = _texts(reader, path, value)
    for index, pattern in enumerate(patterns or ()):
        parts = pattern.split("/")
        if not pattern or pattern.startswith("/") or ".." in parts or ".git" in parts:
            fault = f"{pattern!r} is no pattern of files inside the repository"
            reader.fault(f"{path}[{index}]", fault)
    return patterns


def _flag(reader: _Reader, path: str, value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    reader.fault(path, f"expected true or false, not {_kind(value)}")
    return None


def _whole(least: int | None) -> Check:
    def check(reader: _Reader, path: str, value: object) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int):
            reader.fault(path, f"expected a whole number, not {_shown(value)}")
        elif abs(value) > LARGEST:
            reader.fault(path, "is too large")
        elif least is not None and value < least:
            reader.fault(path, f"{value} is less than {least}")
        else:
            return value
        return None

    return check


POSITIVE = "a number above 0"
NOT_NEGATIVE = "a number, at least 0"


def _number(expected: str) -> Check:
    zero = expected == NOT_NEGATIVE

    def check(reader: _Reader, path: str, value: object) -> float | None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            reader.fault(path, f"expected {expected}, not {_kind(value)}")
        elif abs(value) > LARGEST:
            reader.fault(path, "is too large")
        elif not (value > 0 or (zero and value == 0)):
            reader.fault(path, f"expected {expected}, not {value}")
        else:
            return float(value)
        return None

    return check


def _shown(value: object) -> str:
    return str(value) if isinstance(value, float) else _kind(value)


def _id(reader: _Reader, path: str, value: object) -> str | None:
    text = _text(reader, path, value)
    if text is None:
        return None
    if not ID.match(text):
        reader.fault(
            path, f"{text!r} may hold letters, digits, . _ - and begins with one of the first two"
        )
    elif len(text) > ID_LIMIT:
        reader.fault(path, f"is longer than {ID_LIMIT} characters")
    elif ".." in text or text.endswith((".", ".lock")):
        reader.fault(path, f"{text!r} can't be the end of a branch name")
    else:
        return text
    return None


def _ref(reader: _Reader, path: str, value: object) -> str | None:
    """The rules of git-check-ref-format(1), for a name or the beginning of one."""
    text = _text(reader, path, value)
    if text and (_REF_FORBIDDEN.search(text) or text == "@" or text.endswith(".")):
        reader.fault(path, f"{text!r} can't be (part of) a branch name")
    elif text and len(text.encode()) > REF_LIMIT_BYTES:
        reader.fault(path, f"is longer than {REF_LIMIT_BYTES} bytes")
    else:
        return text
    return None


def is_branch_name(text: str) -> bool:
    """Whether git lets a branch be called so."""
    return text != "HEAD" and not _REF_FORBIDDEN.search(text)


def _branch(reader: _Reader, path: str, value: object) -> str | None:
    return _ref(reader, path, value) if _filled(reader, path, value) else None


def _mode(reader: _Reader, path: str, value: object) -> str | None:
    text = _text(reader, path, value)
    if text is not None and text not in PERMISSION_MODES:
        known = ", ".join(PERMISSION_MODES)
        hint = reader.near(text, PERMISSION_MODES) or f" (one of {known})"
        reader.fault(path, f"unknown mode {text!r}{hint}")
        return None
    return text


def tool_rule_fault(rule: str, near: Callable[..., str] = did_you_mean) -> str:
    """What is wrong with a tool rule, which the CLI would ignore without a word."""
    found = _TOOL_RULE.match(rule.strip())
    if not found or rule.count("(") != rule.count(")"):
        return f"malformed tool rule {rule!r} (expected Tool or Tool(what it may do))"
    name = found[1]
    if name.startswith("mcp__") or name in TOOLS:
        return ""
    exact = [tool for tool in TOOLS if tool.lower() == name.lower()]
    hint = f" (did you mean {exact[0]!r}?)" if exact else near(name, TOOLS)
    return f"unknown tool {name!r}{hint}" if hint or name[0].islower() else ""


def _rules(reader: _Reader, path: str, value: object) -> tuple[str, ...] | None:
    rules = _texts(reader, path, value)
    for index, rule in enumerate(rules or ()):
        fault = tool_rule_fault(rule, reader.near)
        if fault:
            reader.fault(f"{path}[{index}]", fault)
    return rules


_OURS = (
    "-p",
    "--print",
    "--output-format",
    "--verbose",
    "--session-id",
    "--resume",
    "-r",
    "--continue",
    "-c",
    "--fork-session",
    "--no-session-persistence",
)


def _extra_args(reader: _Reader, path: str, value: object) -> tuple[str, ...] | None:
    words = _texts(reader, path, value)
    for index, word in enumerate(words or ()):
        if word.split("=", 1)[0] in _OURS:
            reader.fault(f"{path}[{index}]", f"{word} is set by RoRchestrator itself")
    return words


def _variables(reader: _Reader, path: str, value: object) -> dict[str, str] | None:
    if not isinstance(value, dict):
        reader.fault(path, f"expected an object of strings, not {_kind(value)}")
        return None
    checked: dict[str, str] = {}
    for name, item in value.items():
        text = _text(reader, f"{path}.{name}", item)
        if not name or "=" in name or _UNPASSABLE.search(name):
            reader.fault(f"{path}.{name}", "can't be an environment variable")
        elif text is not None:
            checked[name] = text
    return checked


def _subject(reader: _Reader, path: str, value: object) -> str | None:
    template = _label(reader, path, value)
    unknown = [name for name in fields_of(template or "") if name not in FIELDS]
    for name in unknown:
        near = reader.near(name, FIELDS) or f" (one of {', '.join(FIELDS)})"
        reader.fault(path, f"unknown field {name!r}{near}")
    return None if unknown else template


def _context_file(reader: _Reader, path: str, value: object) -> str | None:
    name = _path(reader, path, value)
    return reader.text_file(path, name) if name else None


# -- the objects of the list ----------------------------------------------------------------

_RETRY = {
    "attempts": _Key(_whole(1)),
    "backoff_seconds": _Key(_number(NOT_NEGATIVE)),
    "max_backoff_seconds": _Key(_number(NOT_NEGATIVE)),
}


def _retry(reader: _Reader, path: str, value: object) -> Retry:
    return Retry(**reader.fields(path, value, _RETRY))  # type: ignore[arg-type]


_PROJECT = {
    "name": _Key(_label),
    "description": _Key(_lines),
    "repo_path": _Key(_path),
    "base_branch": _Key(_branch),
    "max_parallel": _Key(_whole(1)),
    "timeout_seconds": _Key(_number(POSITIVE)),
    "worktrees_path": _Key(_path),
    "branch_prefix": _Key(_ref),
    "commit_subject": _Key(_subject),
    "commit_timeout_seconds": _Key(_number(POSITIVE)),
    "usd_per_million_tokens": _Key(_number(NOT_NEGATIVE)),
    "max_cost_usd": _Key(_number(POSITIVE)),
    "stall_seconds": _Key(_number(POSITIVE)),
    "start_interval_seconds": _Key(_number(NOT_NEGATIVE)),
    "limit_grace_seconds": _Key(_number(NOT_NEGATIVE)),
    "retry": _Key(_retry),
    "setup": _Key(_commands),
    "setup_timeout_seconds": _Key(_number(POSITIVE)),
    "teardown": _Key(_commands),
    "copy": _Key(_globs),
    "link": _Key(_globs),
    "verify": _Key(_commands),
    "verify_timeout_seconds": _Key(_number(POSITIVE)),
    "verify_attempts": _Key(_whole(0)),
    "verify_clean": _Key(_flag),
    "verify_base": _Key(_flag),
}

_PROMPTS = {
    "context_file": _Key(_context_file, "context"),
    "quality_rules": _Key(_texts),
}

_CLAUDE = {
    "command": _Key(_command),
    "permission_mode": _Key(_mode),
    "allowed_tools": _Key(_rules),
    "disallowed_tools": _Key(_rules),
    "model": _Key(_filled),
    "fallback_model": _Key(_filled),
    "max_turns": _Key(_whole(1)),
    "max_budget_usd": _Key(_number(POSITIVE)),
    "append_system_prompt": _Key(_lines),
    "extra_args": _Key(_extra_args),
    "env": _Key(_variables),
}

_FEATURE = {
    "id": _Key(_id),
    "name": _Key(_label),
    "description": _Key(_lines),
    "tags": _Key(_texts),
    "creates": _Key(_promises),
    "uses": _Key(_promises),
    "depends_on": _Key(_texts),
    "prompt_file": _Key(_path),
    "prompt": _Key(_prompt),
    "estimated_tokens": _Key(_whole(0)),
    "priority": _Key(_whole(None)),
    "timeout_seconds": _Key(_number(POSITIVE)),
    "model": _Key(_filled),
    "allowed_tools": _Key(_rules),
    "allow_empty": _Key(_flag),
    "max_cost_usd": _Key(_number(POSITIVE)),
    "setup": _Key(_commands),
    "verify": _Key(_commands),
}


def _config(reader: _Reader, path: str, data: object) -> Config:
    fields = reader.fields("", data, _TOP, needed=("project", "features"))
    prompts = fields.pop("prompts", {})
    assert isinstance(prompts, dict)
    fields.update(prompts, path=path, workspace=reader.workspace)
    config = replace(_EMPTY, **fields)  # type: ignore[arg-type]
    _check_lengths(reader, config)
    _check_branches(reader, config)
    _check_subjects(reader, config)
    return config


def _check_lengths(reader: _Reader, config: Config) -> None:
    for feature in config.features:
        if len(config.context) + len(feature.prompt) > PROMPT_LIMIT_BYTES:
            limit = f"{PROMPT_LIMIT_BYTES >> 20} MiB"
            reader.fault(f"features {feature.id}", f"context and prompt are longer than {limit}")
        if len(" ".join(_options(config.claude, feature)).encode()) > OPTIONS_LIMIT_BYTES:
            reader.fault(f"features {feature.id}", "Claude's options are too long together")


def _options(claude: ClaudeOptions, feature: Feature) -> Iterator[str]:
    """What becomes words of Claude's command line, and its environment."""
    yield from claude.command
    yield from claude.extra_args
    yield from claude.allowed_tools
    yield from claude.disallowed_tools
    yield from feature.allowed_tools or ()
    yield from (claude.model, claude.fallback_model, feature.model, claude.append_system_prompt)
    for name, value in claude.env.items():
        yield name + value


def _check_branches(reader: _Reader, config: Config) -> None:
    """Prefix and id are good each by itself; HEAD, or ``x.loc`` and ``k``, are not together."""
    for feature in config.features:
        branch = config.project.branch_prefix + feature.id
        if not is_branch_name(branch):
            reader.fault(f"features {feature.id}", f"{branch!r} can't be a branch (branch_prefix)")
        elif len(branch.split("/")[-1].encode()) > REF_LIMIT_BYTES:
            reader.fault(f"features {feature.id}", f"{branch!r} is too long for a branch")


def _check_subjects(reader: _Reader, config: Config) -> None:
    for feature in config.features:
        if not subject(config.project.commit_subject, feature):
            reader.fault(f"features {feature.id}", "project.commit_subject gives an empty subject")


def _project(reader: _Reader, path: str, value: object) -> Project:
    fields = reader.fields(path, value, _PROJECT, needed=("name",))
    repo_path = os.path.expanduser(str(fields.get("repo_path", ".")))
    fields["repo_path"] = os.path.normpath(os.path.join(reader.workspace, repo_path))
    return replace(_EMPTY.project, **fields)  # type: ignore[arg-type]


def _prompts(reader: _Reader, path: str, value: object) -> dict[str, object]:
    return reader.fields(path, value, _PROMPTS)


def _claude(reader: _Reader, path: str, value: object) -> ClaudeOptions:
    return ClaudeOptions(**reader.fields(path, value, _CLAUDE))  # type: ignore[arg-type]


def _features(reader: _Reader, path: str, value: object) -> tuple[Feature, ...] | None:
    if not isinstance(value, list):
        reader.fault(path, f"expected a list, not {_kind(value)}")
        return None
    if not value:
        reader.fault(path, "holds no feature")
    features = [
        feature
        for index, item in enumerate(value)
        for feature in _feature(reader, f"{path}[{index}]", item)
    ]
    _check_dependencies(reader, value, _positions(reader, value))
    return tuple(features)


def _feature(reader: _Reader, path: str, value: object) -> Iterator[Feature]:
    fields = reader.fields(path, value, _FEATURE, needed=("id",))
    given = value if isinstance(value, dict) else {}
    if ("prompt" in given) == ("prompt_file" in given) and isinstance(value, dict):
        wanted = "exactly one of prompt and prompt_file is needed"
        reader.fault(path, wanted)
    if "prompt_file" in fields:
        text = reader.text_file(f"{path}.prompt_file", str(fields["prompt_file"]))
        if text is not None and not text.strip():
            reader.fault(f"{path}.prompt_file", f"{fields['prompt_file']} is empty")
        fields["prompt"] = text or ""
    if "id" in fields:
        fields.setdefault("name", fields["id"])
        yield Feature(**fields)  # type: ignore[arg-type]


def _positions(reader: _Reader, value: Sequence[object]) -> dict[str, int]:
    """Where each id stands; one that stands twice, whatever the case, is a fault."""
    positions: dict[str, int] = {}
    folded: dict[str, int] = {}
    for index, item in enumerate(value):
        id = item.get("id") if isinstance(item, dict) else None
        if not isinstance(id, str):
            continue
        # Folders and refs collide where the file system ignores case.
        first = folded.setdefault(id.casefold(), index)
        if first != index:
            reader.fault(f"features[{index}].id", f"{id!r} stands in features[{first}] already")
        positions.setdefault(id, index)
    return positions


def _check_dependencies(
    reader: _Reader, value: Sequence[object], positions: Mapping[str, int]
) -> None:
    graph: dict[str, list[str]] = {id: [] for id in positions}
    hints: dict[str, str] = {}
    for index, item in enumerate(value):
        own = item.get("id") if isinstance(item, dict) else None
        needed = item.get("depends_on") if isinstance(item, dict) else None
        seen: set[str] = set()
        for number, name in enumerate(needed if isinstance(needed, list) else ()):
            path = f"features[{index}].depends_on[{number}]"
            if not isinstance(name, str):
                continue
            if name not in positions:
                if name not in hints:
                    hints[name] = did_you_mean(name, positions) if len(hints) < HINTED else ""
                reader.fault(path, f"unknown feature {name!r}{hints[name]}")
            elif name == own:
                reader.fault(path, f"{name!r} can't depend on itself")
            elif name in seen:
                reader.fault(path, f"{name!r} stands here twice")
            elif isinstance(own, str):
                graph[own].append(name)
            seen.add(name)
    _check_circles(reader, graph, positions)


def _check_circles(
    reader: _Reader, graph: dict[str, list[str]], positions: Mapping[str, int]
) -> None:
    for _ in range(CIRCLES_SHOWN):
        found = cycle(graph)
        if not found:
            break
        place = f"features[{positions[found[0]]}].depends_on"
        reader.fault(place, f"circle: {' needs '.join(found)}")
        graph.update((id, []) for id in found)


_TOP = {
    "project": _Key(_project),
    "prompts": _Key(_prompts),
    "claude": _Key(_claude),
    "features": _Key(_features),
}
_BLANK = Feature("", "")
_EMPTY = Config("", "", Project("", ""), ())
