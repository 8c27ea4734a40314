"""``decompose --talk``: opens Claude with the skill of the plugin, which plans with the user."""

from __future__ import annotations

import argparse
import os

from ..claude import command_line
from ..model.errors import UserError
from ..model.feature import ClaudeOptions
from ..model.frozen import replace
from ..model.translate import _
from ..process.environment import without_git
from ..process.spawner import exec_program
from ..project.claude_program import with_program
from ..project.decisions import check_permissions
from ..project.keys import EMPTY
from ..project.list_path import list_path
from ..start.decomposing.talk import talk_words, typed_command
from ..start.plugin_folder import plugin_folder
from ..start.template_files import repository_around
from .ask_consent import check_consent, is_terminal
from .options import asking, opened_or_recorded, same_words

NOT_WITH_TALK = ("max_features", "max_cost", "add", "json")


def talk(arguments: argparse.Namespace) -> int:
    """Replace this process by Claude."""
    _check_usage(arguments)
    top, options = _claude(arguments)
    if not arguments.allow_bypass:
        check_permissions(replace(EMPTY, claude=options), same_words(arguments.words))
    options = with_program(replace(EMPTY, claude=options)).claude
    spec = os.path.abspath(arguments.spec) if arguments.spec else ""
    if spec and not os.path.isfile(spec):
        raise UserError(
            _("{path} does not exist").format(path=spec), hint=_("name a file, or none")
        )
    list_file = os.path.abspath(arguments.config) if arguments.config else ""
    typed = typed_command(os.environ)
    words = talk_words(options, plugin_folder(), typed, spec, list_file)
    env = {**without_git(os.environ), **options.env}
    env.pop("CLAUDECODE", None)
    exec_program(words, env, top)


def _check_usage(arguments: argparse.Namespace) -> None:
    """Raise :class:`UserError` for options that a conversation has no use for."""
    for name in NOT_WITH_TALK:
        if getattr(arguments, name):
            option = f"--{name.replace('_', '-')}"
            raise UserError(
                _("--talk takes no {option}").format(option=option),
                hint=_("tell Claude instead"),
            )
    if arguments.spec == "-":
        raise UserError(_("--talk reads no standard input"), hint=_("name a file, or none"))
    if not is_terminal():
        raise UserError(
            _("--talk needs a terminal"),
            hint=_("rorchestrator decompose SPEC.md --yes needs none"),
        )


def _claude(arguments: argparse.Namespace) -> tuple[str, ClaudeOptions]:
    """Where Claude starts, and its options: those of the list, if there is one."""
    try:
        list_path(arguments.config or "")
    except UserError:
        if arguments.config:
            raise
        return repository_around(os.curdir), ClaudeOptions()
    project, _fault = opened_or_recorded(arguments)
    given = project.config.claude
    check_consent(asking(arguments), project, command_line.own_command(given))
    used = replace(ClaudeOptions(), command=given.command, env=given.env, model=given.model)
    return project.git.repository.top, used
