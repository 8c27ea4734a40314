"""``notify``: shows who gets notifications; with ``--test``, sends one to each."""

from __future__ import annotations

import argparse
import json
import os

from ..model.errors import ExitCode, UserError
from ..model.feature import Receiver
from ..model.list_commands import notify_commands
from ..model.translate import N_, _, shown
from ..model.words import headed
from ..project.open import OpenProject
from .ask_consent import check_consent
from .options import add_common_options, asking, opened

EXAMPLES = N_("""\
examples:
  rorchestrator notify
  rorchestrator notify --test
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _("Show who gets notifications about runs, and about what.")
    parser.epilog = _(EXAMPLES)
    parser.add_argument("--test", action="store_true", help=_("send a test to each receiver"))
    parser.add_argument(
        "-y", "--yes", action="store_true", help=_("consent to the list's commands without asking")
    )
    parser.add_argument(
        "--json", action="store_true", help=_("print the result as one JSON object")
    )
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Show the receivers, or try them; exit code 1 if one has a fault."""
    from ..views.delivery import receiver_fault

    project = opened(arguments)
    receivers = project.config.notify
    if not receivers:
        raise UserError(
            _("{path} has no notify: nobody gets notifications").format(path=project.config.path),
            hint=_("docs/NOTIFICATIONS.md shows what to add"),
        )
    faults = [receiver_fault(receiver, os.environ) for receiver in receivers]
    if arguments.test:
        check_consent(asking(arguments), project, notify_commands(project.config))
        faults = [_tried(project, receiver) for receiver in receivers]
    if arguments.json:
        rows = [_row(*both) for both in zip(receivers, faults)]
        print(json.dumps({"tested": arguments.test, "receivers": rows}, indent=2))
    else:
        for number, (receiver, fault) in enumerate(zip(receivers, faults)):
            said = _("the test was delivered") if arguments.test else _("ready")
            print(headed(f"notify[{number}] {_name(receiver)}", shown(fault) or said))
            if not arguments.test:
                print(
                    _("  on {on}").format(on=", ".join(occasion.value for occasion in receiver.on))
                )
    return ExitCode.INCOMPLETE if any(faults) else ExitCode.UP_TO_DATE


def _tried(project: OpenProject, receiver: Receiver) -> str:
    """Send a test; the fault, or nothing."""
    from ..views.delivery import send
    from ..views.notice import Notices

    notice = Notices(project.config.project.name, project.mask).test()
    return send(receiver, notice, os.environ, project.config.workspace).fault


def _name(receiver: Receiver) -> str:
    if receiver.command is not None:
        return f"{receiver.type.value} ({receiver.command.line})"
    return f"{receiver.type.value} ({receiver.url_env})" if receiver.url_env else _("desktop")


def _row(receiver: Receiver, fault: str) -> dict[str, object]:
    return {
        "type": receiver.type.value,
        "url_env": receiver.url_env or None,
        "secret_env": receiver.secret_env or None,
        "command": list(receiver.command.argv) if receiver.command else None,
        "on": [occasion.value for occasion in receiver.on],
        "fault": fault or None,
    }
