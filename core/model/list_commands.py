"""Every command that a feature list brings along, by what it is for."""

from __future__ import annotations

from collections.abc import Iterable

from .contracts import Kind, contracts
from .feature import Command, Config, Feature, Invocation

BASE = "_base"
"""What the base is called among the features, none of which can be called so."""


def config_commands(config: Config) -> list[Invocation]:
    """What it would run beside Claude: the project's commands first, then each feature's.

    Their purpose is ``setup``, ``verify`` or ``teardown``; ``creates`` or ``uses`` where it is a
    contract.
    """
    project = config.project
    given = (("setup", project.setup), ("verify", project.verify), ("teardown", project.teardown))
    found = [_invocation(purpose, command) for purpose, all in given for command in all]
    for feature in config.features:
        found += _feature_commands(feature)
    return found


def _feature_commands(feature: Feature) -> Iterable[Invocation]:
    given = (
        ("setup", feature.setup),
        ("verify", feature.verify),
        ("creates", promised_commands(feature.creates)),
        ("uses", promised_commands(feature.uses)),
    )
    for purpose, commands in given:
        for command in commands:
            yield _invocation(purpose, command, feature.id)


def _invocation(purpose: str, command: Command, *features: str) -> Invocation:
    return Invocation(purpose, command.argv, (command.line,), features)


def promised_commands(entries: Iterable[str]) -> list[Command]:
    """Those of the contracts that are commands."""
    found = [contract for contract in contracts(entries) if contract.kind is Kind.COMMAND]
    return [shell_command(contract.what) for contract in found]


def shell_command(line: str) -> Command:
    """A command that stands in the list as a line for the shell."""
    return Command(("/bin/sh", "-c", line), line)
