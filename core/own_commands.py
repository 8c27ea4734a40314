"""Every command that a feature list brings along, by what it is for."""

from __future__ import annotations

from collections.abc import Iterable

from .contracts import Kind, contracts
from .frozen import dataclass
from .model import Command, Config, Feature

BASE = "_base"
"""What the base is called among the features, none of which can be called so."""


@dataclass(frozen=True)
class OwnCommand:
    """A command of the list, and where it stands there."""

    kind: str
    """``setup``, ``verify``, ``teardown``; ``creates`` and ``uses`` where it is a contract."""
    feature: str
    """Empty where it is the whole project's."""
    line: str


def config_commands(config: Config) -> list[OwnCommand]:
    """The commands in the order of the list: the project's first, then each feature's."""
    project = config.project
    given = (("setup", project.setup), ("verify", project.verify), ("teardown", project.teardown))
    found = [OwnCommand(kind, "", command.line) for kind, all in given for command in all]
    for feature in config.features:
        found += _feature_commands(feature)
    return found


def _feature_commands(feature: Feature) -> Iterable[OwnCommand]:
    for kind, commands in (("setup", feature.setup), ("verify", feature.verify)):
        for command in commands:
            yield OwnCommand(kind, feature.id, command.line)
    for kind, entries in (("creates", feature.creates), ("uses", feature.uses)):
        for command in promised_commands(entries):
            yield OwnCommand(kind, feature.id, command.line)


def promised_commands(entries: Iterable[str]) -> list[Command]:
    """Those of the contracts that are commands."""
    found = [contract for contract in contracts(entries) if contract.kind is Kind.COMMAND]
    return [shell_command(contract.what) for contract in found]


def shell_command(line: str) -> Command:
    """A command that stands in the list as a line for the shell."""
    return Command(("/bin/sh", "-c", line), line)
