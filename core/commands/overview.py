"""What is shown without a command: all commands in groups, or how to start without a list."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..model.errors import UserError
from ..model.translate import N_, _, shown

DESCRIPTION = N_("""\
Run Claude Code on a list of features, several at once, each in a git worktree of its own,
and get a verified git branch for each.""")

EXAMPLES = N_("""\
The global wrapper also takes: rorchestrator self-update [VERSION]

examples:
  rorchestrator plan                 show what would run, and what it would cost
  rorchestrator run --yes            run it without asking
  rorchestrator cleanup --merged     remove merged worktrees and branches
""")

GROUPS = {
    N_("plan and run"): ("plan", "run"),
    N_("look"): ("status", "watch", "why", "logs", "report", "history", "web", "notify"),
    N_("steer"): ("stop", "pause", "resume", "skip", "retry", "reload", "attach"),
    N_("review and land"): (
        *("review", "prove", "diff", "merge", "undo", "push", "pr", "feedback", "cleanup"),
    ),
    N_("start"): (
        *("init", "doctor", "templates", "lint", "assist", "decompose", "import"),
        *("schema", "completion"),
    ),
    N_("engines"): ("export", "submit"),
}
"""The groups of the commands in ``--help``."""

FIRST_STEPS = N_("https://github.com/RollandMELET/RoRchestrator/blob/main/docs/QUICKSTART.md")
"""A page in the language of the messages."""

ALL_SHOWN = N_("rorchestrator --help shows the commands")


def help_of_all(parser: argparse.ArgumentParser, meanings: Mapping[str, str]) -> str:
    """The help of all commands, as argparse makes it, but for the groups.

    ``meanings`` has what each command does, by its name.
    """
    formatter = parser._get_formatter()
    formatter.add_usage(parser.usage, parser._actions, ())
    formatter.add_text(_(DESCRIPTION))
    for title, names in GROUPS.items():
        formatter.start_section(_(title))
        formatter.add_arguments(_row(name, meanings[name]) for name in names)
        formatter.end_section()
    formatter.start_section(_("options"))
    formatter.add_arguments(parser._optionals._group_actions)
    formatter.end_section()
    formatter.add_text(_(EXAMPLES))
    return formatter.format_help()


def _row(command: str, meaning: str) -> argparse.Action:
    return argparse.Action([], command, metavar=command, help=_(meaning))


def without_list() -> str:
    """What this is and how to start, if no feature list is found; else empty."""
    from ..project.list_path import list_path

    try:
        list_path("")
    except UserError as error:
        lines = (
            f"{_(DESCRIPTION)}\n",
            _("There is nothing to run here: {why}").format(why=shown(error.message)),
            _("  next: {hint}").format(hint=shown(error.hint)),
            "",
            _("First steps: {page}").format(page=_(FIRST_STEPS)),
            _(ALL_SHOWN),
        )
        return "".join(f"{line}\n" for line in lines)
    return ""
