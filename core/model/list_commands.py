"""The commands of a feature list, with their purpose: setup, verify, contracts, notify, …"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .feature import Command, Config, Feature, Invocation, Purpose

BASE = "_base"
"""The name of the base branch among the features. No feature can have this id."""


def config_commands(config: Config) -> list[Invocation]:
    """The commands of the project, then those of each feature, without Claude.

    The purpose is ``setup``, ``verify``, ``teardown`` or ``notify``; for a contract, ``creates``
    or ``uses``.
    """
    project = config.project
    given = (
        (Purpose.SETUP, project.setup),
        (Purpose.VERIFY, project.verify),
        (Purpose.TEARDOWN, project.teardown),
    )
    found = [_invocation(purpose, command) for purpose, all in given for command in all]
    for feature in config.features:
        found += feature_commands(feature)
    return found + notify_commands(config)


def notify_commands(config: Config) -> list[Invocation]:
    """The commands that get notifications."""
    given = (receiver.command for receiver in config.notify)
    return [_invocation(Purpose.NOTIFY, command) for command in given if command is not None]


def feature_commands(feature: Feature) -> Iterable[Invocation]:
    """The commands of one feature, by purpose."""
    given = (
        (Purpose.SETUP, feature.setup),
        (Purpose.VERIFY, feature.verify),
        (Purpose.CREATES, promised_commands(feature.creates)),
        (Purpose.USES, promised_commands(feature.uses)),
    )
    for purpose, commands in given:
        for command in commands:
            yield _invocation(purpose, command, feature.id)


def _invocation(purpose: Purpose, command: Command, *features: str) -> Invocation:
    return Invocation(purpose, command.argv, (command.line,), features)


def promised_commands(entries: Collection[str]) -> list[Command]:
    """The contracts of the kind ``command``, as commands."""
    if not entries:
        return []
    from .contracts import Kind, contracts

    found = [contract for contract in contracts(entries) if contract.kind is Kind.COMMAND]
    return [shell_command(contract.what) for contract in found]


def shell_command(line: str) -> Command:
    """A command from a line for the shell."""
    return Command(("/bin/sh", "-c", line), line)
