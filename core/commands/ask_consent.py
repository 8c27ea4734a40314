"""Consent: asks the user before the commands of a feature list run for the first time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator

from ..claude import command_line as claude
from ..model.errors import UserError
from ..model.feature import ClaudeOptions, Config, Invocation, Purpose
from ..model.frozen import replace
from ..model.list_commands import config_commands
from ..model.terminal_text import one_line
from ..model.translate import _
from ..project.decisions import check_permissions
from ..project.open import OpenProject
from ..reporter.plan_text import command_lines
from ..reporter.style import style_of
from .options import (
    Asking,
    agrees,
    same_words,
)

PURPOSES_OF_MERGE = (Purpose.SETUP, Purpose.VERIFY, Purpose.TEARDOWN)


def all_commands(config: Config) -> list[Invocation]:
    """The commands of a list; its ``claude`` only if it is not simply the user's own."""
    return [*claude.own_command(config.claude), *config_commands(config)]


def commands_of_merge(config: Config, *, resolve: bool) -> list[Invocation]:
    """The commands that a merge can start: those of the project, with ``--resolve`` all."""
    commands = all_commands(config)
    if resolve:
        return commands
    return [c for c in commands if c.purpose in PURPOSES_OF_MERGE and not c.features]


def commands_of_copy(config: Config, id: str) -> list[Invocation]:
    """The commands that check a feature's commits on another base."""
    purposes = (*PURPOSES_OF_MERGE, Purpose.CREATES)
    commands = (each for each in config_commands(config) if each.purpose in purposes)
    return [each for each in commands if not each.features or id in each.features]


def commands_of_cleanup(config: Config) -> list[Invocation]:
    """The commands that a cleanup can start."""
    return [c for c in config_commands(config) if c.purpose is Purpose.TEARDOWN]


def is_terminal() -> bool:
    """Whether there is a terminal to ask on."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def check_consent(
    asking: Asking,
    project: OpenProject,
    commands: Iterable[Invocation],
    starts: Callable[[], bool] = lambda: True,
) -> None:
    """Ask for consent to commands that are new to this user, if ``starts()`` says that any runs.

    Raises :class:`UserError` if the answer is no, or if there is no terminal.
    """
    commands = list(commands)
    new = project.consents.missing(commands)
    if not new:
        return
    if not asking.yes and starts():
        if not is_terminal():
            raise UserError(
                _("this list has commands that need your consent"),
                details=without_consent(asking, project, new),
                hint=_("read them, then: rorchestrator {asking} --yes").format(
                    asking=same_words(asking.words)
                ),
            )
        _show(asking, new)
        if not agrees(_("Allow these commands in this repository?")):
            raise UserError(
                _("you did not consent to the commands of the list; nothing was changed")
            )
    elif not asking.yes:
        return
    remember(project, commands)


def check_reading(asking: Asking, project: OpenProject, *, allow_bypass: bool) -> None:
    """Raise :class:`UserError` unless the list's own ``claude`` may be started, only to read.

    Of the list, only its program and environment count.
    """
    given = project.config.claude
    used = replace(ClaudeOptions(), command=given.command, env=given.env)
    if not allow_bypass:
        check_permissions(replace(project.config, claude=used), same_words(asking.words))
    check_consent(asking, project, claude.own_command(given))


def check_can_ask(asking: Asking, project: OpenProject) -> None:
    """Raise :class:`UserError` if a run has to ask and there is no terminal."""
    if not (asking.yes or is_terminal()):
        raise UserError(
            _("{command} asks before it starts, and there is no terminal to ask on").format(
                command=asking.words[0]
            ),
            details=without_consent(asking, project),
            hint=f"rorchestrator {same_words(asking.words)} --yes",
        )


def without_consent(
    asking: Asking, project: OpenProject, new: Iterable[Invocation] | None = None
) -> tuple[str, ...]:
    """Lines that show the commands without consent: ``new``, or all those of the list."""
    given = project.consents.missing(all_commands(project.config)) if new is None else new
    return tuple(_lines(asking, given))


def show_unshown(asking: Asking, project: OpenProject) -> None:
    """Show the commands without consent, unless the plan just showed exactly these."""
    commands = all_commands(project.config)
    new = project.consents.missing(commands)
    if new and (asking.quiet or len(new) < len(commands)):
        _show(asking, new)


def _show(asking: Asking, new: Iterable[Invocation]) -> None:
    """Show commands without consent."""
    print(_("Commands of this list that need your consent:"), file=sys.stderr)
    for line in _lines(asking, new):
        print(f"  {line}", file=sys.stderr)


def _lines(asking: Asking, commands: Iterable[Invocation]) -> Iterator[str]:
    style = style_of(sys.stderr, asking.color)
    for command in commands:
        yield from command_lines(command, style)


def remember(project: OpenProject, commands: Iterable[Invocation]) -> None:
    """Remember the consent; if that fails, the next command asks again."""
    why = project.consents.give(commands)
    if why:
        warning = _("Your consent could not be saved; you will be asked again: {why}").format(
            why=why
        )
        print(one_line(warning), file=sys.stderr)
