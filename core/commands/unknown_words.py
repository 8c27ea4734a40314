"""The errors for words that are no command, or that a command does not take."""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Collection

from ..model.errors import UserError
from ..model.translate import _
from .overview import ALL_SHOWN

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def no_command(word: str, commands: Collection[str]) -> UserError:
    """The error for a word that is none of the ``commands``; empty if there is no word."""
    if not word:
        return UserError(_("a command is missing"), hint=ALL_SHOWN)
    if word == "self-update":
        return no_self_update(PACKAGE)
    near = difflib.get_close_matches(word.lower(), commands, 1, 0.5)
    said = _("unknown command {word!r}")
    if near:
        said = _("unknown command {word!r} (did you mean {near!r}?)")
    return UserError(said.format(word=word, near="".join(near)), hint=ALL_SHOWN)


def no_self_update(package: str) -> UserError:
    """The error of self-update without the wrapper: how to update this ``package`` instead."""
    clone = os.path.dirname(package)
    if os.path.exists(os.path.join(clone, "orchestrate.py")):
        where = shlex.quote(clone)
        return UserError(
            _("{clone} is a clone").format(clone=clone),
            hint=_("update it: git -C {where} pull").format(where=where),
        )
    return UserError(
        _("self-update needs the wrapper; this is an installed package"),
        hint=_("pipx upgrade rorchestrator, or pip install --upgrade"),
    )


def not_taken(command: str, word: str, usage: str) -> UserError:
    """The error for an argument or an option that a command does not take, by its ``usage``."""
    if not command:
        return UserError(_("unknown option {word!r}").format(word=word), hint=ALL_SHOWN)
    options = set(re.findall(r"--[a-z-]+", usage))
    if word.startswith("-"):
        return _no_option(command, word, options)
    hint = _("rorchestrator {command} --help shows its arguments")
    if "--only" in options:
        hint = _(
            "rorchestrator {command} --help shows its arguments, "
            "or: rorchestrator {command} --only {word}"
        )
    said = _("{command} does not take the argument {word!r}")
    return UserError(
        said.format(command=command, word=word), hint=hint.format(command=command, word=word)
    )


def _no_option(command: str, word: str, options: Collection[str]) -> UserError:
    near = difflib.get_close_matches(word.partition("=")[0], options, 1, 0.7)
    said = _("{command} has no option {word!r}")
    if near:
        said = _("{command} has no option {word!r} (did you mean {near!r}?)")
    return UserError(
        said.format(command=command, word=word, near="".join(near)),
        hint=_("rorchestrator {command} --help shows its options").format(command=command),
    )
