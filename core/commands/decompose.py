"""``decompose``: lets Claude split a specification into features, and writes list and prompts."""

from __future__ import annotations

import argparse
import os
import sys

from ..model.errors import UserError
from ..model.terminal_text import one_line
from ..model.translate import N_, _
from ..model.words import counted, money
from .options import (
    add_bypass_option,
    add_common_options,
    agrees,
    asking,
    display_of,
    dollars,
    file_path,
    same_words,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..project.open import OpenProject
    from ..start.decomposing.decomposer import Decomposed, Request
    from ..start.decomposing.list import Draft
    from ..start.decomposing.target import Target

MOST_FEATURES = 20
MAX_COST_USD = 2.0

EXAMPLES = N_("""\
examples:
  rorchestrator decompose SPEC.md
  rorchestrator decompose SPEC.md --add --max-features 5 --max-cost 1
  rorchestrator decompose --talk
  gh issue view 12 | rorchestrator decompose - --yes
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Let Claude split a specification into features with dependencies, contracts, checks and "
        "prompts. Claude can read the repository but not write. The result is checked, shown "
        "as a plan and as a diff, and written if you agree. This costs money."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "spec",
        nargs="?",
        type=file_path,
        metavar=_("SPEC"),
        help=_("the file of the specification; - is standard input"),
    )
    parser.add_argument(
        "--talk",
        action="store_true",
        help=_("open Claude instead, which asks questions, writes the list and checks its plan"),
    )
    parser.add_argument(
        "--max-features",
        type=_whole,
        metavar="N",
        help=_("propose at most N features (default: {count})").format(count=MOST_FEATURES),
    )
    parser.add_argument(
        "--max-cost",
        type=dollars,
        metavar="USD",
        help=_("budget for all calls to Claude together (default: {usd})").format(
            usd=f"{MAX_COST_USD:g}"
        ),
    )
    parser.add_argument(
        "--add", action="store_true", help=_("add the features to the existing list")
    )
    parser.add_argument(
        "-y", "--yes", action="store_true", help=_("do not ask; required without a terminal")
    )
    add_bypass_option(parser)
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_common_options(parser)


def _whole(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) < 5 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(
            _("{text!r} is not a number of features (1, 2, ...)").format(text=text)
        )
    return number


def execute(arguments: argparse.Namespace) -> int:
    """Propose, show, ask and write."""
    if arguments.talk:
        from .talking import talk

        return talk(arguments)
    if not arguments.spec:
        raise UserError(
            _("decompose needs a specification"),
            hint=_("rorchestrator decompose SPEC.md, - for standard input, or --talk"),
        )
    from ..project.claude_program import with_program
    from ..project.open import open_config
    from ..start.decomposing.target import target_of
    from ..start.decomposing.write import check_places
    from .decomposed import settle

    request = _request(arguments)
    target = target_of(
        arguments.config or "", arguments.spec, arguments.base or "", adds=arguments.add
    )
    check_places(target)
    project = open_config(target.config, arguments.base or "", arguments.mask)
    with_program(project.config)
    project.whole_state()  # raises if the journal is damaged
    _check_agreed(arguments, project, request)
    found = _decomposed(arguments, project, target, request)
    return settle(arguments, project, found)


def _request(arguments: argparse.Namespace) -> Request:
    """The specification and the limits. Raises :class:`UserError` if no call could be paid for."""
    from ..runner.budget import LEAST_USD
    from ..start.decomposing.decomposer import Request
    from ..start.decomposing.spec import read_specification

    usd = arguments.max_cost or MAX_COST_USD
    if usd < LEAST_USD:
        said = _("--max-cost {usd} is less than a call costs")
        raise UserError(said.format(usd=f"{usd:g}"), hint=f"--max-cost {MAX_COST_USD:g}")
    text = read_specification(arguments.spec, sys.stdin)
    return Request(text, arguments.max_features or MOST_FEATURES, usd)


def _check_agreed(arguments: argparse.Namespace, project: OpenProject, request: Request) -> None:
    """Raise :class:`UserError` unless the user agrees to the commands and to the cost."""
    from .ask_consent import check_reading, is_terminal

    check_reading(asking(arguments), project, allow_bypass=arguments.allow_bypass)
    name = _("standard input") if arguments.spec == "-" else os.path.basename(arguments.spec)
    features, usd = counted(request.most, "feature"), money(request.max_cost_usd)
    if arguments.yes:
        if not arguments.quiet:
            said = _("Claude splits {name} into at most {features}: at most {usd}.")
            said = said.format(name=name, features=features, usd=usd)
            print(one_line(said), file=sys.stderr, flush=True)
        return
    if not is_terminal():
        raise UserError(
            _("decompose asks before it spends money, and there is no terminal to ask on"),
            hint=f"rorchestrator {same_words(arguments.words)} --yes",
        )
    question = _("Let Claude split {name} into at most {features}: at most {usd}?")
    if not agrees(question.format(name=name, features=features, usd=usd)):
        raise UserError(_("nothing was started, and nothing was spent"))


def _decomposed(
    arguments: argparse.Namespace, project: OpenProject, target: Target, request: Request
) -> Decomposed:
    """Let Claude split the specification, and show what it does meanwhile."""
    import asyncio

    from ..reporter.style import style_of
    from ..start.decomposing.decomposer import Viewer, decompose
    from ..start.decomposing.plan import advice
    from .decomposing import Progress

    def advise(draft: Draft) -> Iterator[str]:
        return advice(draft, arguments.base or "", arguments.mask)

    style = style_of(sys.stderr, arguments.color)
    progress = Progress(display_of(arguments), style, arguments.mask)
    viewer = Viewer(progress.say, progress.watch)
    return asyncio.run(decompose(project, target, request, viewer, advise))
