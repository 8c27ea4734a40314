"""``push``: pushes the branches of completed features."""

from __future__ import annotations

import argparse
import json
import sys

from ..engines.bundle import PushedBundle, push_bundle
from ..git.channel import absolute, credentials_in
from ..model.errors import ExitCode, UserError
from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from ..model.words import headed
from ..process.spawner import run_sync
from ..process.temporary_folder import temporary_folder
from . import handing_over
from .options import add_run_id_option, file_path

EXAMPLES = N_("""\
examples:
  rorchestrator push
  rorchestrator push --dry-run
  rorchestrator push auth --bundle auth.bundle --remote URL --run-id nightly-7
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Push the branches of completed features, each based on the branch of its dependency or "
        "on the\nbase branch. What somebody else pushed is never overwritten."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "--bundle",
        type=file_path,
        metavar=_("FILE"),
        help=_("push the bundle that run --bundle wrote to the repository of --remote URL"),
    )
    parser.add_argument(
        "--branch",
        metavar=_("NAME"),
        help=_("with --bundle: refuse a bundle with any other branch"),
    )
    add_run_id_option(parser)
    handing_over.configure(parser, _("show what would be pushed; push nothing"))


def execute(arguments: argparse.Namespace) -> int:
    """Push; exit 1 if a feature is held."""
    if arguments.bundle:
        return _push_bundle(arguments)
    for name, given in (("run-id", arguments.run_id), ("branch", arguments.branch)):
        if not given:
            continue
        raise UserError(
            _("--{name} needs --bundle FILE").format(name=name),
            hint="rorchestrator push ID --bundle FILE --remote URL --run-id R",
        )
    return handing_over.hand_over(arguments, handing_over.options_of(arguments))


def _push_bundle(arguments: argparse.Namespace) -> int:
    """Push what another machine wrote; exit 1 if it is refused."""
    if not arguments.remote or len(arguments.ids) > 1 or arguments.dry_run or arguments.accepted:
        raise UserError(
            _("push --bundle takes --remote URL, at most one feature, and --run-id R"),
            hint="rorchestrator push ID --bundle FILE --remote URL --run-id R",
        )
    url = absolute(arguments.remote)
    arguments.mask.learn(credentials_in(url), all_secret=True)
    with temporary_folder() as folder:
        made = push_bundle(
            *(folder, arguments.bundle, url),
            feature="".join(arguments.ids),
            run_id=arguments.run_id or "",
            branch=arguments.branch or "",
        )
        pushed = run_sync(made)
    _say(arguments, pushed)
    return ExitCode.UP_TO_DATE if pushed.is_done else ExitCode.INCOMPLETE


def _say(arguments: argparse.Namespace, pushed: PushedBundle) -> None:
    report = pushed.report
    if arguments.json:
        known = ("run_id", "feature", "attempt", "status", "branch", "commit")
        document = {name: report.to_json()[name] for name in known}
        print(json.dumps({**document, "pushed": pushed.is_done, "reason": pushed.said}, indent=2))
    elif not pushed.is_done:
        what = _("nothing was pushed: {said}").format(said=shown(pushed.said))
        print(headed("rorchestrator", what), file=sys.stderr)
    elif not arguments.quiet:
        where = f"{report.branch} {report.commit[:10]}" if report.commit else _("no work")
        print(one_line(f"{report.feature} ({_(report.status.words)}): {where}"))
