"""``assist``: finds missing, needless and risky dependencies, and corrects the list."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ..model.errors import ExitCode, UserError
from ..model.terminal_text import one_line
from ..model.translate import N_, _
from .options import (
    Asking,
    add_bypass_option,
    add_common_options,
    asking,
    display_of,
    dollars,
    same_words,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from ..model.feature import Feature
    from ..project.open import OpenProject
    from ..reporter.style import Style
    from ..start.assisting.finding import Knowledge
    from ..start.assisting.second_opinion import SecondOpinion
    from ..start.assisting.text import Opinions, Result
    from ..start.list_edit import ListFile
    from .assisting import Decided

EXAMPLES = N_("""\
examples:
  rorchestrator assist
  rorchestrator assist --check
  rorchestrator assist --yes --patch | git apply
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Find missing, needless and risky dependencies, each with its evidence. At a terminal,\n"
        "accept or skip each one, or have it explained; only depends_on changes in the list."
    )
    parser.epilog = _(EXAMPLES)
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--check", action="store_true", help=_("change nothing; exit code 1 if there is a finding")
    )
    action.add_argument(
        "-y", "--yes", action="store_true", help=_("accept what is safe without asking")
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=_("print one JSON object"))
    form.add_argument(
        "--patch",
        action="store_true",
        help=_("print what is accepted as a patch for git apply, and write nothing"),
    )
    group = parser.add_argument_group(_("Claude's opinion"))
    group.add_argument(
        "--claude",
        action="store_true",
        help=_("also ask Claude, which can read but not write; this costs money"),
    )
    group.add_argument(
        "--max-cost",
        type=dollars,
        metavar="USD",
        help=_("with --claude: what its opinion may cost (default: 0.5)"),
    )
    add_bypass_option(group)
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Find, ask, and write."""
    from ..model.frozen import replace
    from ..project.list_path import list_path
    from ..project.open import open_project
    from ..start import list_edit
    from ..start.assisting.assistant import changes
    from ..start.assisting.evidence import gather
    from ..start.assisting.text import Result

    _check_usage(arguments)
    # Read before it is opened: if it changes in between, the edit is refused.
    file = list_edit.read(os.path.abspath(list_path(arguments.config or "")))
    project = open_project(file.path, arguments.base or "", arguments.mask)
    gathered = gather(project, project.seen(project.whole_state()))
    result = Result(file.path, (), is_running=_is_running(project), unknown=gathered.unknown)
    features, knowledge = project.config.features, gathered.knowledge
    if arguments.claude:
        said = _opinion(arguments, project, knowledge)
        if said.received is not None:
            print(_("Stopped, and nothing was written."), file=sys.stderr)
            return 128 + said.received
        knowledge = replace(knowledge, opinions=said.heard.opinions)
        result = replace(result, opinions=_told(said))
    decided = _decided(arguments, features, knowledge, result)
    result = replace(
        result,
        findings=decided.left,
        accepted=decided.accepted,
        changes=changes(features, decided.features),
    )
    return _settled(arguments, file, result, was_asked=decided.was_asked)


def _is_running(project: OpenProject) -> bool:
    holder = project.lock.holder()
    return holder is not None and holder.is_run


def _check_usage(arguments: argparse.Namespace) -> None:
    if arguments.patch and arguments.check:
        raise UserError(
            _("assist takes --check or --patch, not both"),
            hint="rorchestrator assist --yes --patch",
        )
    if arguments.max_cost and not arguments.claude:
        raise UserError(
            _("assist --max-cost limits what --claude costs"), hint="rorchestrator assist --claude"
        )
    if arguments.patch and not arguments.yes and not _is_terminal():
        raise UserError(
            _("assist --patch asks which findings to accept, and there is no terminal to ask on"),
            hint=f"rorchestrator {same_words(arguments.words)} --yes",
        )


def _opinion(
    arguments: argparse.Namespace, project: OpenProject, knowledge: Knowledge
) -> SecondOpinion:
    """Claude's opinion on what was found, once the user consented to the list's own Claude."""
    import asyncio

    from ..project.claude_program import with_program
    from ..start.assisting.assistant import findings
    from ..start.assisting.second_opinion import MAX_COST_USD, second_opinion
    from .ask_consent import check_reading
    from .decomposing import Progress

    check_reading(_asking(arguments), project, allow_bypass=arguments.allow_bypass)
    with_program(project.config)
    found = findings(project.config.features, knowledge)
    limit = arguments.max_cost or MAX_COST_USD
    progress = Progress(display_of(arguments), _style(arguments, sys.stderr), arguments.mask)
    return asyncio.run(second_opinion(project, found, limit, progress.watch))


def _asking(arguments: argparse.Namespace) -> Asking:
    """How consent is asked for: a hint adds ``--yes``, which ``--check`` excludes."""
    from ..model.frozen import replace

    given = asking(arguments)
    return replace(given, words=tuple(word for word in given.words if word != "--check"))


def _told(said: SecondOpinion) -> Opinions:
    from ..start.assisting.text import Opinions

    cost = said.spent.usd if said.spent.is_complete else None
    return Opinions(len(said.heard.opinions), said.heard.dropped, cost, said.heard.fault)


def _is_terminal() -> bool:
    from .ask_consent import is_terminal

    return is_terminal()


def _decided(
    arguments: argparse.Namespace,
    features: Sequence[Feature],
    knowledge: Knowledge,
    result: Result,
) -> Decided:
    """What is accepted, by ``--yes`` or by the user."""
    from ..start.assisting.assistant import accept_safe, findings
    from .assisting import Decided, ask_each

    if arguments.yes:
        after, accepted = accept_safe(features, knowledge)
        return Decided(after, accepted, findings(after, knowledge))
    found = findings(features, knowledge)
    if found and not (arguments.check or arguments.json) and _is_terminal():
        _tell(arguments, _notes(result))
        return ask_each(features, knowledge, _style(arguments, sys.stderr))
    return Decided(features, (), found)


def _settled(
    arguments: argparse.Namespace, file: ListFile, result: Result, *, was_asked: bool
) -> int:
    """Write or print the result; the exit code."""
    from ..model.frozen import replace
    from ..start import list_edit
    from ..start.assisting.change import changed_text, patch_of
    from ..start.assisting.text import document

    text = changed_text(file, result.changes) if result.changes else file.text
    if arguments.patch:
        sys.stdout.flush()
        sys.stdout.buffer.write(patch_of(file, text))
    elif result.changes:
        list_edit.write(file, text)
        result = replace(result, is_written=True)
    if arguments.json:
        print(json.dumps(document(result), indent=2))
    else:
        _show(arguments, result, was_asked=was_asked)
    has_failed = (arguments.check and result.findings) or (
        result.opinions is not None and result.opinions.fault
    )
    return ExitCode.INCOMPLETE if has_failed else ExitCode.UP_TO_DATE


def _style(arguments: argparse.Namespace, stream: TextIO) -> Style:
    from ..reporter.style import style_of

    return style_of(stream, arguments.color)


def _notes(result: Result) -> list[str]:
    from ..start.assisting.text import notes

    return list(notes(result))


def _tell(arguments: argparse.Namespace, lines: Iterable[str]) -> None:
    for line in () if arguments.quiet else lines:
        print(one_line(line), file=sys.stderr, flush=True)


def _show(arguments: argparse.Namespace, result: Result, *, was_asked: bool) -> None:
    """Print findings on standard output; what was done, and what to know, on standard error."""
    from ..start.assisting.text import done_words, finding_lines, summary

    if not (was_asked or arguments.patch):
        style = _style(arguments, sys.stdout)
        for finding in result.findings:
            print("\n".join(finding_lines(finding, style)))
        sys.stdout.flush()
    if not was_asked:
        _tell(arguments, _notes(result))
    if result.accepted or was_asked:
        _tell(arguments, done_words(result))
    if not was_asked:
        _tell(arguments, [summary(result.findings)])
