"""The checks that were recorded for a feature, and the commands that run them now.

The journal has their command lines, with secrets masked. A command that the list still has is the
list's, with its secrets; another one runs as it was recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model.check_verdict import CheckVerdict
from ..model.contracts import Contract, Kind, contract
from ..model.feature import Command, Config, Feature, Invocation, Purpose
from ..model.frozen import dataclass
from ..model.list_commands import config_commands, promised_commands, shell_command
from ..model.mask import Mask
from ..model.state import FeatureState

MASKED = "[masked"


@dataclass(frozen=True)
class RecordedCheck:
    """A recorded check: either a command or a contract about files."""

    verdict: CheckVerdict
    command: Command | None = None
    """``None`` if its secrets are nowhere any more, or for a contract about files."""
    contract: Contract | None = None


def recorded_checks(known: FeatureState, config: Config, mask: Mask) -> list[RecordedCheck]:
    """The checks that were recorded for the result of a feature."""
    if known.work is None:
        return []
    listed = _listed(known.id, config, mask)
    commits = ("", known.work.commit)
    return [
        _recorded(verdict, listed)
        for verdict in known.verdicts.values()
        if verdict.commit in commits
    ]


def _recorded(verdict: CheckVerdict, listed: Mapping[str, Command]) -> RecordedCheck:
    promise = contract(verdict.check)
    if promise is not None and promise.kind is not Kind.COMMAND:
        return RecordedCheck(verdict, contract=promise)
    line = promise.what if promise is not None else verdict.check
    command = listed.get(line)
    if command is None and MASKED not in line:
        command = shell_command(line)
    return RecordedCheck(verdict, command)


def _listed(id: str, config: Config, mask: Mask) -> dict[str, Command]:
    """The commands that the list has now for a feature, by their masked lines."""
    features = (feature for feature in config.features if feature.id == id)
    own = [c for each in features for c in (*each.verify, *promised_commands(each.creates))]
    return {mask(command.line): command for command in (*own, *config.project.verify)}


def commands_of(config: Config, checks: Mapping[str, Iterable[RecordedCheck]]) -> list[Invocation]:
    """What proving these checks, by feature, can start: they need consent."""
    started = {id: [each.command for each in all if each.command] for id, all in checks.items()}
    ids = {id for id, commands in started.items() if commands}
    around = (Purpose.SETUP, Purpose.TEARDOWN)
    listed = (each for each in config_commands(config) if ids and each.purpose in around)
    return [
        *(each for each in listed if not each.features or ids.intersection(each.features)),
        *(
            Invocation(Purpose.VERIFY, command.argv, (command.line,), (id,))
            for id, commands in started.items()
            for command in commands
        ),
    ]


def feature_now(id: str, known: FeatureState, config: Config) -> Feature:
    """The feature of the list; one without setup if the list has it no more."""
    found = (feature for feature in config.features if feature.id == id)
    return next(found, Feature(id, known.name or id))
