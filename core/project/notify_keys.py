"""The key ``notify`` of a feature list: who gets notifications, and about what."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..model.feature import NEEDS_YOU, Command, Occasion, Receiver, ReceiverType
from ..model.translate import N_
from .list_reader import Json, Key, Reader, kind
from .value_checks import Argv, Check, OneOf, Text, Texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NEEDS_YOU_WORD = "needs_you"
"""Stands for all occasions of :data:`~core.model.feature.NEEDS_YOU`."""

OCCASIONS = (NEEDS_YOU_WORD, *(occasion.value for occasion in Occasion))

HINT = N_("put it into an environment variable, and name that in url_env")

NEEDED = {
    ReceiverType.SLACK: ("url_env",),
    ReceiverType.DISCORD: ("url_env",),
    ReceiverType.WEBHOOK: ("url_env",),
    ReceiverType.COMMAND: ("command",),
    ReceiverType.DESKTOP: (),
}
"""The keys that a type needs."""

ALLOWED = {**NEEDED, ReceiverType.WEBHOOK: ("url_env", "secret_env")}
"""The keys that a type may have, beside ``type`` and ``on``."""


class VariableName(Check):
    """The name of an environment variable, for values that don't belong into a list."""

    words = "name of a variable"
    pattern = "^[A-Za-z_][A-Za-z0-9_]*$"

    def check(self, reader: Reader, path: str, value: object) -> str | None:
        name = Text(filled=True).check(reader, path, value)
        if name is None:
            return None
        if re.fullmatch(self.pattern.strip("^$"), name):
            return name
        fault = N_("is not a valid name of an environment variable")
        # Not its value, which may be a secret.
        reader.fault(
            path, N_("a URL is a secret: {hint}").format(hint=HINT) if "://" in name else fault
        )
        return None

    def schema(self) -> Json:
        return {"type": "string", "pattern": self.pattern}


def _occasion_fault(reader: Reader, word: str) -> str:
    if word in OCCASIONS:
        return ""
    near = reader.near(word, OCCASIONS) or N_(" (one of {occasions})").format(
        occasions=", ".join(OCCASIONS)
    )
    return N_("unknown occasion {word!r}{near}").format(word=word, near=near)


class Occasions(Texts):
    """What notifications are about."""

    def __init__(self) -> None:
        super().__init__(_occasion_fault, "list of occasions")

    def schema(self) -> Json:
        return {"type": "array", "items": {"enum": list(OCCASIONS)}}


NOTIFY: Mapping[str, Key] = {
    "type": Key(
        OneOf("type", [type.value for type in ReceiverType]),
        "`slack`, `discord`, `webhook`, `command` or `desktop`",
        needed=True,
    ),
    "url_env": Key(
        VariableName(),
        "for `slack`, `discord` and `webhook`: the environment variable with the URL",
    ),
    "secret_env": Key(
        VariableName(),
        (
            "for `webhook`: the environment variable with the key of the "
            "[signature](NOTIFICATIONS.md#the-signature)"
        ),
    ),
    "command": Key(
        Argv(),
        (
            "for `command`: a program and its arguments; it gets the notification "
            "as JSON on standard input"
        ),
    ),
    "on": Key(
        Occasions(),
        ('the [occasions](NOTIFICATIONS.md#occasions), by default `["needs_you", "finished"]`'),
    ),
}


class Receivers(Check):
    """The entries of ``notify``."""

    words = "list of objects"

    def check(self, reader: Reader, path: str, value: object) -> tuple[Receiver, ...] | None:
        if not isinstance(value, list):
            reader.fault(
                path, N_("expected a list of objects, not {kind}").format(kind=kind(value))
            )
            return None
        found = (_receiver(reader, f"{path}[{n}]", item) for n, item in enumerate(value))
        return tuple(receiver for receiver in found if receiver is not None)

    def schema(self) -> Json:
        one: Json = {
            "type": "object",
            "properties": {name: key.schema() for name, key in NOTIFY.items()},
            "required": ["type"],
            "patternProperties": {r"^(_|x-|\$)": {}},
            "additionalProperties": False,
        }
        return {"type": "array", "items": one}


def _receiver(reader: Reader, path: str, value: object) -> Receiver | None:
    before = len(reader.faults)
    if isinstance(value, dict) and "url" in value:
        reader.fault(f"{path}.url", N_("a URL is a secret: {hint}").format(hint=HINT))
        value = {name: item for name, item in value.items() if name != "url"}
    fields: dict[str, Any] = reader.fields(path, value, NOTIFY)
    if len(reader.faults) > before:
        return None
    type = fields["type"] = ReceiverType(fields["type"])
    for name in NEEDED[type]:
        if name not in fields:
            reader.fault(
                path, N_("the type {type} needs {name}").format(type=type.value, name=name)
            )
    for name in fields.keys() - {"type", "on", *ALLOWED[type]}:
        reader.fault(
            f"{path}.{name}", N_("the type {type} has no such key").format(type=type.value)
        )
    if "command" in fields:
        import shlex

        fields["command"] = Command(fields["command"], shlex.join(fields["command"]))
    if "on" in fields:
        fields["on"] = _occasions(fields["on"])
    return Receiver(**fields)


def _occasions(words: tuple[str, ...]) -> tuple[Occasion, ...]:
    """The occasions in their order, each of them once."""
    named = {occasion.value for occasion in NEEDS_YOU} if NEEDS_YOU_WORD in words else set()
    return tuple(occasion for occasion in Occasion if occasion.value in named.union(words))
