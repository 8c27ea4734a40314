"""``retry``: runs a feature again, in the current run or in a run of its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress

from ..model.errors import UserError
from ..model.json_values import LARGEST
from ..model.translate import N_, _
from .engine_options import add_submitted_options, check_engine
from .options import add_common_options, add_progress_option, add_running_options
from .retrying import retry_feature, retry_features

LONGEST = 50_000
"""The characters of a message: more is a document, which belongs into a file."""

EXAMPLES = N_("""\
examples:
  rorchestrator retry auth -m 'Use argon2, not bcrypt.'
  rorchestrator retry auth --attempts 5
  rorchestrator retry auth api --engine slurm
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Run a feature again that did not complete, was stopped or was skipped. With comments, a\n"
        "message or more attempts, it goes on with its session and its work, even if it is\n"
        "completed. A run in progress queues it, and takes no option of a run. Without a run,\n"
        "this is run --only ID."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "ids",
        nargs="+",
        metavar="ID",
        help=_("the feature; if there are several, each starts over"),
    )
    parser.add_argument(
        "-m",
        "--message",
        metavar=_("TEXT"),
        help=_("give its session this message; - is stdin"),
    )
    parser.add_argument(
        "--attempts",
        type=_attempts,
        metavar="N",
        help=_("send a failing check back up to N times, instead of project.verify_attempts"),
    )
    parser.add_argument(
        "--json", action="store_true", help=_("print the reply, or the events of the run, as JSON")
    )
    add_submitted_options(parser)
    add_progress_option(parser)
    add_running_options(parser)
    add_common_options(parser)


def _message(given: str | None) -> str:
    """The message; ``-`` reads it. Raises :class:`UserError` if it says nothing."""
    text = given or ""
    if text == "-":
        text = ""
        with suppress(UnicodeDecodeError):
            text = sys.stdin.read()
    if given is not None and not text.strip():
        # An empty shell variable must not pay for a session that has nothing to do.
        raise UserError(_("the message is empty"), hint=_("say what to change after -m"))
    if len(text) > LONGEST:
        raise UserError(
            _("the message has {count:,} characters, and {longest:,} are allowed").format(
                count=len(text), longest=LONGEST
            ),
            hint=_("put it into a file of the repository, and name that file in the message"),
        )
    return text.strip()


def _attempts(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= LARGEST:
        raise argparse.ArgumentTypeError(
            _("{text!r} is not a number of attempts (1, 2, ...)").format(text=text)
        )
    return number


def execute(arguments: argparse.Namespace) -> int:
    """Ask the current run; without one, start a run."""
    message = _message(arguments.message)
    ids: list[str] = arguments.ids
    goes_on = bool(message) or arguments.attempts is not None
    if arguments.engine:
        return _on_engine(arguments, ids, goes_on=goes_on)
    check_engine(arguments)
    if len(ids) == 1:
        return retry_feature(arguments, ids[0], message, arguments.attempts)
    if goes_on:
        raise UserError(
            _("--message and --attempts apply to one feature"),
            hint=_("run retry once for each feature"),
        )
    return retry_features(arguments, ids)


def _on_engine(arguments: argparse.Namespace, ids: Sequence[str], *, goes_on: bool) -> int:
    """Submit the features again."""
    from .slurm_submit import retry

    if goes_on:
        raise UserError(
            _("a session does not follow its feature to another machine"),
            hint=_("leave out the message and --attempts; the feature starts over"),
        )
    return retry(arguments, ids)
