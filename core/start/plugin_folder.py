"""Where the plugin for Claude Code is: in the installed package, or in a clone."""

from __future__ import annotations

import os

from ..model.errors import UserError
from ..model.translate import _
from ..process.own_program import PACKAGE


def plugin_folder(package: str = PACKAGE) -> str:
    """The folder of the plugin. Raises :class:`UserError` if it is missing."""
    installed = os.path.join(package, "claude_plugin")
    cloned = os.path.join(os.path.dirname(package), "install", "claude-plugin")
    for folder in (installed, cloned):
        if os.path.isdir(folder):
            return folder
    raise UserError(
        _("the plugin for Claude Code is missing: {path}").format(path=cloned),
        hint=_("install RoRchestrator again"),
    )
