"""Options of the command line: their parsers, and the typed values made of them."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence

from ..model.branch_name import is_branch_name
from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.terminal_text import one_line, shell_word
from ..model.translate import N_, _
from ..process.language import LANGUAGES, OPTION
from ..project.open import OpenProject, open_project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..orchestrator.run_options import RunOptions
    from ..project.selection import Selection

RUN_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
"""The id of a run on many machines is part of the names of refs, which are files."""


@dataclass(frozen=True)
class Asking:
    """How a command asks the user."""

    yes: bool
    """Do not ask: the answer is yes."""
    quiet: bool
    color: str
    words: tuple[str, ...]
    """The words of the command line, for hints."""


def asking(arguments: argparse.Namespace) -> Asking:
    """How this command asks."""
    return Asking(arguments.yes, arguments.quiet, arguments.color, tuple(arguments.words))


def same_words(words: Sequence[str]) -> str:
    """The words of the command line for a hint that adds an option: it asks for the same."""
    return " ".join(map(shell_word, words))


@dataclass(frozen=True)
class Display:
    """How a command shows its result."""

    color: str = "auto"
    quiet: bool = False
    verbose: bool = False
    json: bool = False
    indent: int | None = 2
    """Of the JSON; ``None`` for one line: ``run --json`` prints JSON lines."""
    progress: str = "auto"
    """How a run shows its progress: ``auto``, ``live`` or ``plain``."""


def display_of(arguments: argparse.Namespace) -> Display:
    """How this command shows its result."""
    indent = None if arguments.command == "run" else 2
    progress = vars(arguments).get("progress", "auto")
    quiet = arguments.quiet or progress == "quiet"
    json = vars(arguments).get("json", False)
    return Display(arguments.color, quiet, arguments.verbose, json, indent, progress)


def opened(arguments: argparse.Namespace) -> OpenProject:
    """The project of ``--config`` and ``--base``."""
    return open_project(arguments.config or "", arguments.base or "", arguments.mask)


NO_LIST = N_("The feature list cannot be used ({fault}); using the recorded state instead.")


def opened_or_recorded(arguments: argparse.Namespace) -> tuple[OpenProject, str]:
    """The project; if its list or base has faults, what its journal knows of it, and the faults.

    Raises the :class:`UserError` of the list if no run is recorded.
    """
    try:
        return opened(arguments), ""
    except UserError as error:
        from ..project.recorded import recorded

        project = recorded(arguments.config or "", arguments.mask)
        if project is None:
            raise
        return project, "; ".join((error.message, *error.details))


def selection_of(arguments: argparse.Namespace) -> Selection:
    """The selection of ``--only``, ``--tag``, ``--no-deps`` and ``--fresh``."""
    from ..project.selection import Selection

    return Selection(
        tuple(arguments.only or ()),
        arguments.tag,
        not arguments.no_deps,
        None if arguments.fresh is None else tuple(arguments.fresh),
    )


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command."""
    group = parser.add_argument_group(_("options of every command"))
    group.add_argument(
        "--config",
        type=file_path,
        metavar=_("PATH"),
        help=_("the feature list, or its folder (default: searched for upwards)"),
    )
    group.add_argument(
        "--base",
        type=_given,
        metavar="REF",
        help=_("start from this branch, tag or commit, instead of project.base_branch"),
    )
    group.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help=_("whether the output has colours (default: auto)"),
    )
    group.add_argument(
        OPTION, choices=LANGUAGES, help=_("the language (default: that of the environment)")
    )
    volume = group.add_mutually_exclusive_group()
    volume.add_argument("-v", "--verbose", action="store_true", help=_("print more details"))
    volume.add_argument(
        "-q", "--quiet", action="store_true", help=_("print only results and errors")
    )


def file_path(text: str) -> str:
    """The path of a file."""
    if not text:
        # An empty shell variable must not select just any file.
        raise argparse.ArgumentTypeError(_("it must name a file"))
    return text


def _given(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError(_("it must name a branch or commit"))
    return text


def dollars(text: str) -> float:
    """``--max-cost USD``."""
    try:
        value = float(text.lstrip("$"))
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(_("{text!r} is not an amount above 0").format(text=text))
    return value


def ids(text: str) -> list[str]:
    """``ID[,ID…]`` of an option."""
    found = [id.strip() for id in text.split(",") if id.strip()]
    if not found:
        # An empty shell variable must not select every feature.
        raise argparse.ArgumentTypeError(_("it must name a feature"))
    return found


YES = ("y", "yes", "o", "oui")
"""Answers that agree, in every language."""


def agrees(question: str) -> bool:
    """Whether the user answers yes."""
    asked = _("{question} [y/N]").format(question=one_line(question))
    if sys.stderr.isatty():
        from ..reporter.style import style_of, wrapped

        width = style_of(sys.stderr).width - 1  # the blank that follows
        asked = "\n".join(wrapped(asked, width))
    print(f"{asked} ", end="", file=sys.stderr, flush=True)
    try:
        return sys.stdin.readline().strip().lower() in YES
    except UnicodeDecodeError:
        return False


def add_selection_options(parser: argparse.ArgumentParser) -> None:
    """The options that select features, and the number of slots."""
    from ..project.selection import ALL

    group = parser.add_argument_group(_("selection"))
    add_choice_options(group)
    group.add_argument(
        "--no-deps", action="store_true", help=_("with --only or --tag: no dependencies")
    )
    group.add_argument(
        "--fresh",
        type=ids,
        nargs="?",
        const=ALL,
        metavar="ID[,ID...]",
        help=_("run these features (default: all selected) again, even if up to date or merged"),
    )
    add_slots_option(group)


def add_choice_options(group: argparse._ActionsContainer) -> None:
    """The options that select features with their dependencies."""
    group.add_argument(
        "--only",
        type=ids,
        metavar="ID[,ID...]",
        help=_("these features, and dependencies that are out of date"),
    )
    group.add_argument(
        "--tag",
        metavar="T",
        help=_("features with this tag, and dependencies that are out of date"),
    )


def add_slots_option(group: argparse._ActionsContainer) -> None:
    """The number of slots."""
    group.add_argument(
        "--max-parallel",
        type=_slots,
        metavar="N",
        help=_("number of slots, instead of project.max_parallel"),
    )


def _slots(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(
            _("{text!r} is not a number of slots (1, 2, ...)").format(text=text)
        )
    return number


UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def add_bypass_option(group: argparse._ActionsContainer) -> None:
    """The option without which a list may not turn off Claude's permission checks."""
    group.add_argument(
        "--allow-bypass",
        action="store_true",
        help=_("allow the list to turn off Claude's permission checks"),
    )


def add_running_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command that starts Claude."""
    parser.add_argument(
        "-y", "--yes", action="store_true", help=_("do not ask; required without a terminal")
    )
    add_bypass_option(parser)
    parser.add_argument(
        "--max-cost",
        type=dollars,
        metavar="USD",
        help=_("budget of the run, instead of project.max_cost_usd"),
    )
    parser.add_argument(
        "--max-time",
        type=seconds,
        metavar=_("TIME"),
        help=_(
            "stop the run after this time, such as 90m or 2h; the next run resumes its features"
        ),
    )
    from ..orchestrator.run_options import MAX_WAIT_SECONDS

    parser.add_argument(
        "--max-wait",
        type=seconds,
        default=MAX_WAIT_SECONDS,
        metavar=_("TIME"),
        help=_("wait at most this long for the reset of a usage limit, such as 90m (default: 6h)"),
    )


def seconds(text: str) -> float:
    """A time such as ``90``, ``90s``, ``15m``, ``1.5h`` or ``1d``, in seconds."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
    try:
        value = float(number) * UNITS[unit]
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(
            _("{text!r} is not a time (such as 90s, 15m, 6h)").format(text=text)
        )
    return value


def add_remote_option(parser: argparse._ActionsContainer) -> None:
    """The remote of the commands that hand features over."""
    parser.add_argument(
        "--remote",
        metavar=_("NAME"),
        help=_("the remote (default: that of a plain git push of the base branch)"),
    )


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """The options of a run of one feature on any machine."""
    group = parser.add_argument_group(_("one feature on any machine"))
    group.add_argument(
        "--remote",
        type=repository_url,
        metavar="URL",
        help=_("run the feature of --only in a clone of this repository, and push its result"),
    )
    add_run_id_option(group)
    group.add_argument(
        "--report", type=file_path, metavar=_("FILE"), help=_("write the report of the feature")
    )
    group.add_argument(
        "--bundle",
        type=file_path,
        metavar=_("FILE"),
        help=_("push nothing: write branch and report to this file, for push --bundle"),
    )


def add_run_id_option(group: argparse._ActionsContainer, help: str = "") -> None:
    """The id of a run on many machines."""
    meaning = help or _("the id of a run on many machines")
    group.add_argument("--run-id", type=_run_id, metavar="R", help=meaning)


def repository_url(text: str) -> str:
    """The URL or the path of a repository, as the type of an option."""
    if not text or text.startswith("-"):
        raise argparse.ArgumentTypeError(_("expected the URL or the path of a repository"))
    return text


def _run_id(text: str) -> str:
    if not re.fullmatch(RUN_ID, text) or not is_branch_name(text):
        raise argparse.ArgumentTypeError(
            _("{text!r} is not the id of a run: letters, digits, '-', '_' and '.'").format(
                text=text
            )
        )
    return text


def add_progress_option(parser: argparse.ArgumentParser) -> None:
    """How a run shows its progress."""
    parser.add_argument(
        "--progress",
        choices=("auto", "live", "plain", "quiet"),
        default="auto",
        help=_("redraw what runs (live), or print lines only (default: live on a terminal)"),
    )


def until(text: str) -> float:
    """A time of the day such as ``18:00``, the next one; or a time such as ``3h``; in seconds."""
    from datetime import datetime, timedelta

    try:
        clock = datetime.strptime(text, "%H:%M")
    except ValueError:
        try:
            return seconds(text)
        except argparse.ArgumentTypeError:
            raise argparse.ArgumentTypeError(
                _("{text!r} is not a time (such as 18:00, or 3h from now)").format(text=text)
            ) from None
    now = datetime.now()
    then = now.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
    return ((then if then > now else then + timedelta(days=1)) - now).total_seconds()


def run_options(
    arguments: argparse.Namespace, selection: Selection, retried: str = ""
) -> RunOptions:
    """The options of a run; ``retry`` has fewer than ``run``."""
    from ..orchestrator.run_options import RunOptions

    given = vars(arguments)
    return RunOptions(
        selection,
        given.get("max_parallel"),
        given.get("sequential", False),
        given.get("fail_fast", False),
        arguments.max_cost,
        arguments.max_time,
        arguments.max_wait,
        retried,
        more_attempts=given.get("attempts"),
        command=" ".join(map(shell_word, ("rorchestrator", *arguments.words))),
    )
