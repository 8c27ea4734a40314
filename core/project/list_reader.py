"""Reader of a feature list: collects faults with their JSON paths, reads prompt files."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence

from ..model.translate import N_
from .source_text import decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .value_checks import Check

    Json = dict[str, object]
else:
    Json = dict

PROMPT_LIMIT_BYTES = 8 * 1024 * 1024
"""The CLI refuses 10 MiB of standard input; context and rules are added to the prompt."""

LIST_LIMIT_BYTES = 32 * 1024 * 1024

ALL_PROMPTS_LIMIT_BYTES = 256 * 1024 * 1024

HINTED = 10
"""Limit of did-you-mean searches, which are slow in a long list."""


def content_of(path: str, limit: int) -> bytes:
    """The bytes of a file. Raises ``OSError``, or ``ValueError`` if it is too large or special."""
    # O_NONBLOCK: a FIFO would block before we can check its type.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(N_("not a regular file"))
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise ValueError(_too_large(limit))
    return content


def _too_large(limit: int) -> str:
    if limit in (LIST_LIMIT_BYTES, PROMPT_LIMIT_BYTES):
        return N_("larger than {limit} MiB").format(limit=limit >> 20)
    return N_("too much: all prompt files together exceed {limit} MiB").format(
        limit=ALL_PROMPTS_LIMIT_BYTES >> 20
    )


class Key:
    """A key of the list: the check of its value, its meaning, and the field that it fills."""

    def __init__(
        self, check: Check, meaning: str = "", *, field: str = "", needed: bool = False
    ) -> None:
        self.check = check
        self.meaning = meaning
        """One line for the documentation, in Markdown."""
        self.field = field
        self.needed = needed

    def schema(self) -> Json:
        """The JSON Schema of the key's value, with its meaning."""
        return {**self.check.schema(), "description": self.meaning}


class Reader:
    """Collects the faults of one list; reads each prompt file once, but not the known ``texts``."""

    def __init__(
        self,
        workspace: str,
        texts: Mapping[str, str] | None = None,
        room: int = ALL_PROMPTS_LIMIT_BYTES,
    ) -> None:
        self.workspace = workspace
        self.faults: list[str] = []
        self._texts: dict[str, tuple[str | None, str]] = {
            name: (text, "") for name, text in (texts or {}).items()
        }
        self._files: dict[str, str] = {}
        self._room = room
        self._hints = HINTED

    @property
    def files(self) -> tuple[str, ...]:
        """The real paths of the files that were read."""
        return tuple(self._files)

    def near(self, word: str, known: Sequence[str] | Mapping[str, object]) -> str:
        """``did_you_mean`` for the first unknown words."""
        self._hints -= 1
        if self._hints < 0:
            return ""
        from ..model.did_you_mean import did_you_mean

        return did_you_mean(word, known)

    def fault(self, path: str, text: str) -> None:
        self.faults.append(f"{path}: {text}" if path else text)

    def fields(self, path: str, value: object, keys: Mapping[str, Key]) -> dict[str, object]:
        """The checked values of an object, by field name."""
        if not isinstance(value, dict):
            self.fault(path, N_("expected an object, not {kind}").format(kind=kind(value)))
            return {}
        prefix = f"{path}." if path else ""
        found: dict[str, object] = {}
        for name, item in value.items():
            key = keys.get(name)
            if key is None:
                if not name.startswith(("_", "x-", "$")):
                    self.fault(
                        prefix + name, N_("unknown key{near}").format(near=self.near(name, keys))
                    )
                continue
            checked = key.check.check(self, prefix + name, item)
            if checked is not None:
                found[key.field or name] = checked
        for name, key in keys.items():
            if key.needed and name not in value:
                self.fault(path, N_("{name} is missing").format(name=name))
        return found

    def text_file(self, path: str, name: str) -> str | None:
        """The text of a file of the workspace, searched in ``prompts/`` first."""
        if name not in self._texts:
            self._texts[name] = self._read_text(name)
        text, fault = self._texts[name]
        if fault:
            self.fault(path, fault)
        return text

    def _read_text(self, name: str) -> tuple[str | None, str]:
        """The text of a file, or its fault."""
        prompts = os.path.join(self.workspace, "prompts")
        places = (os.path.join(prompts, name), os.path.join(self.workspace, name))
        file = next((place for place in places if os.path.lexists(place)), None)
        if file is None:
            return None, N_("{name} is neither in {prompts} nor in the workspace").format(
                name=name, prompts=os.path.join(prompts, "")
            )
        if not _inside(file, self.workspace):
            return None, N_("{name} is outside the workspace {workspace}").format(
                name=name, workspace=self.workspace
            )
        try:
            return self._content_of(os.path.realpath(file)), ""
        except OSError as error:
            return None, N_("{path} can't be read: {strerror}").format(
                path=name, strerror=error.strerror
            )
        except ValueError as error:
            return None, N_("{path} is {error}").format(path=name, error=error)

    def _content_of(self, file: str) -> str:
        """The text of a file; cached, because several names may lead to it."""
        if file not in self._files:
            content = content_of(file, min(PROMPT_LIMIT_BYTES, self._room))
            self._room -= len(content)
            self._files[file] = decoded(content)
        return self._files[file]


def _inside(file: str, folder: str) -> bool:
    real = os.path.realpath(folder)
    return os.path.commonpath([os.path.realpath(file), real]) == real


def kind(value: object) -> str:
    if value is None:
        return "null"
    names = {
        bool: N_("a boolean"),
        int: N_("a number"),
        float: N_("a number"),
        str: N_("a string"),
    }
    return names.get(type(value), N_("a list") if isinstance(value, list) else N_("an object"))
