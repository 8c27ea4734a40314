"""``decompose``: lets Claude split a specification into features, and writes list and prompts."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ..model.errors import ExitCode, UserError
from ..model.terminal_text import one_line, shell_word
from ..model.translate import N_, _, shown
from ..model.words import counted, money
from .options import add_common_options, agrees, asking, display_of, dollars, file_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..project.open import OpenProject
    from ..reporter.style import Style
    from ..start.decompose_list import Draft, Target
    from ..start.decomposer import Decomposed, Request

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
        "prompts. Claude reads the repository and can write nothing. The result is checked, shown "
        "as a plan and as a diff, and written if you agree. This costs money."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "spec",
        nargs="?",
        type=file_path,
        metavar="SPEC",
        help=_("the file of the specification; - is standard input"),
    )
    parser.add_argument(
        "--talk",
        action="store_true",
        help=_("open Claude instead, which asks you, writes the list and looks at its plan"),
    )
    parser.add_argument(
        "--max-features",
        type=_whole,
        metavar="N",
        help=_("propose at most so many features (default: {count})").format(count=MOST_FEATURES),
    )
    parser.add_argument(
        "--max-cost",
        type=dollars,
        metavar="USD",
        help=_("budget of all calls of Claude together (default: {usd})").format(
            usd=f"{MAX_COST_USD:g}"
        ),
    )
    parser.add_argument(
        "--add", action="store_true", help=_("add the features to the existing list")
    )
    parser.add_argument(
        "-y", "--yes", action="store_true", help=_("do not ask; required without a terminal")
    )
    parser.add_argument(
        "--allow-bypass",
        action="store_true",
        help=_("allow the list to turn off Claude's permission checks"),
    )
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
    from ..start.decompose_spec import read_specification
    from ..start.decompose_write import check_places
    from ..start.decomposer import Request

    text = read_specification(arguments.spec, sys.stdin)
    target = _target(arguments)
    check_places(target)
    project = open_config(target.config, arguments.base or "", arguments.mask)
    with_program(project.config)
    request = Request(
        text,
        arguments.max_features or MOST_FEATURES,
        arguments.max_cost or MAX_COST_USD,
    )
    _check_agreed(arguments, project, request)
    found = _decomposed(arguments, project, target, request)
    return _settled(arguments, project, found)


def _target(arguments: argparse.Namespace) -> Target:
    """The list that the features go into."""
    from ..project.feature_list import SEARCHED
    from ..project.list_path import list_path
    from ..start.decompose_list import existing_target, new_target, surveyed_target
    from ..start.survey import survey
    from ..start.template_files import repository_around

    top, spec = repository_around(os.curdir), shell_word(arguments.spec)
    try:
        path = list_path(arguments.config or "")
    except UserError:
        path = os.path.join(top, SEARCHED[0])
        if arguments.config or os.path.lexists(path):
            raise
    if not os.path.lexists(path):
        if arguments.add:
            raise UserError(
                _("{path} does not exist, so nothing can be added to it").format(path=path),
                hint=_("rorchestrator decompose {spec} makes a new list").format(spec=spec),
            )
        if not path.endswith(".json"):
            raise UserError(
                _("{path} does not exist").format(path=path),
                hint=_("name a list that ends in .json"),
            )
        if arguments.config:
            return new_target(path, top)
        found = survey(os.curdir, arguments.base or "", os.environ, given=False)
        return surveyed_target(os.path.join(found.top, SEARCHED[0]), found)
    if not arguments.add:
        raise UserError(
            _("{path} exists already").format(path=path),
            hint=_(
                "rorchestrator decompose {spec} --add adds the features to it, or name a new list: "
                "--config PATH"
            ).format(spec=spec),
        )
    return existing_target(path)


def _check_agreed(arguments: argparse.Namespace, project: OpenProject, request: Request) -> None:
    """Raise :class:`UserError` unless the user agrees to the commands and to the cost."""
    from ..claude import command_line
    from ..model.feature import ClaudeOptions
    from ..model.frozen import replace
    from ..project.decisions import check_permissions
    from .ask_consent import check_consent, is_terminal

    given, spec = project.config.claude, shell_word(arguments.spec)
    used = replace(ClaudeOptions(), command=given.command, env=given.env)
    if not arguments.allow_bypass:
        check_permissions(replace(project.config, claude=used), " ".join(("decompose", spec)))
    check_consent(asking(arguments), project, command_line.own_command(given))
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
            hint=f"rorchestrator decompose {spec} --yes",
        )
    question = _("Let Claude split {name} into at most {features}: at most {usd}?")
    if not agrees(question.format(name=name, features=features, usd=usd)):
        raise UserError(_("nothing was started, and nothing was spent"))


def _decomposed(
    arguments: argparse.Namespace, project: OpenProject, target: Target, request: Request
) -> Decomposed:
    import asyncio

    from ..reporter.console import style_of
    from ..start.decompose_plan import advice
    from ..start.decomposer import Viewer, decompose
    from .decomposing import Progress

    def advise(draft: Draft) -> Iterator[str]:
        return advice(draft, arguments.base or "", arguments.mask)

    style = style_of(sys.stderr, arguments.color)
    progress = Progress(display_of(arguments), style, arguments.mask)
    viewer = Viewer(progress.say, progress.watch)
    return asyncio.run(decompose(project, target, request, viewer, advise))


def _settled(arguments: argparse.Namespace, project: OpenProject, found: Decomposed) -> int:
    """Show what was found, ask, and write it; the exit code."""
    from ..reporter.console import style_of
    from ..start.decompose_text import spent_words

    best = found.best
    draft = best.draft if best is not None and found.received is None else None
    style = style_of(sys.stdout, arguments.color)
    if draft is not None and not arguments.json:
        _show(arguments, project, found, style)
    if not arguments.json or found.received is not None:
        print(spent_words(found.spent), file=sys.stderr, flush=True)
    if found.received is not None:
        print(_("Stopped, and nothing was written."), file=sys.stderr)
        return 128 + found.received
    written: list[str] = []
    if draft is not None and (arguments.yes or agrees(_question(draft))):
        from ..start.decompose_write import write_draft

        written = write_draft(draft)
    if arguments.json:
        print(json.dumps(_document(found, written), indent=2))
    else:
        _tell(arguments, project, found, written)
    return _exit_code(found, written)


def _exit_code(found: Decomposed, written: list[str]) -> int:
    if written:
        return ExitCode.UP_TO_DATE
    return ExitCode.INCOMPLETE if found.best is None else ExitCode.CANNOT_START


def _show(
    arguments: argparse.Namespace, project: OpenProject, found: Decomposed, style: Style
) -> None:
    """Show the plan, the diff, and what is still wrong."""
    from ..reporter.plan_text import plan_lines
    from ..start.decompose_plan import draft_plan
    from ..start.decompose_text import diff_lines, finding_lines

    assert found.best is not None and found.best.draft is not None
    draft = found.best.draft
    plan = draft_plan(draft, arguments.base or "", arguments.mask)
    lines = [
        *plan_lines(plan, style, verbose=arguments.verbose, quiet=arguments.quiet),
        "",
        *diff_lines(draft, style, project.git.repository.top),
        "",
        *finding_lines(found.best, style),
    ]
    print("\n".join(lines).rstrip("\n"), flush=True)


def _question(draft: Draft) -> str:
    where = os.path.relpath(draft.target.path)
    prompts = counted(len(draft.prompts), "prompt file")
    if draft.target.file is None:
        return _("Write {path} and {prompts}?").format(path=where, prompts=prompts)
    features = counted(len(draft.ids), "feature")
    question = _("Add {features} to {path}, and write {prompts}?")
    return question.format(features=features, path=where, prompts=prompts)


def _tell(
    arguments: argparse.Namespace, project: OpenProject, found: Decomposed, written: list[str]
) -> None:
    """Say what was written, or why nothing was."""
    from ..reporter.console import style_of
    from ..start.decompose_text import finding_lines

    if found.best is None:
        last = found.last
        style = style_of(sys.stderr, arguments.color)
        lines = list(finding_lines(last, style)) if last is not None else []
        raise UserError(
            shown(found.reason) or _("Claude's answer can't be used"),
            details=tuple(line.strip() for line in lines),
            hint=_continue(project, found),
            exit_code=ExitCode.INCOMPLETE,
        )
    if found.reason:
        said = _("Not improved further: {reason}").format(reason=shown(found.reason))
        print(one_line(said), file=sys.stderr)
    if not written:
        print(_("Nothing was written."), file=sys.stderr)
        print(f"  {_continue(project, found)}", file=sys.stderr)
        return
    if not arguments.quiet:
        names = ", ".join(map(os.path.relpath, written))
        print(one_line(_("Written: {names}").format(names=names)), file=sys.stderr)
        print(_("  next: rorchestrator plan, or rorchestrator run --rehearse"), file=sys.stderr)


def _continue(project: OpenProject, found: Decomposed) -> str:
    """How to go on by hand with what was paid for."""
    if not found.spent.calls:
        return _("correct that, then try again")
    top = shell_word(project.git.repository.top)
    words = map(shell_word, (*project.config.claude.command, "--resume", found.session_id))
    command = f"cd {top} && {' '.join(words)}"
    return _("to go on by hand: {command}").format(command=command)


def _document(found: Decomposed, written: list[str]) -> dict[str, object]:
    best, draft = found.best, found.best.draft if found.best is not None else None
    shown = best or found.last
    features = [f for f in draft.config.features if f.id in draft.ids] if draft else []
    return {
        "list": draft.target.path if draft else None,
        "written": written,
        "features": [
            {
                "id": each.id,
                "name": each.name,
                "prompt_file": each.prompt_file,
                "prompt": each.prompt,
                "depends_on": list(each.depends_on),
                "creates": list(each.creates),
                "uses": list(each.uses),
                "verify": [check.line for check in each.verify],
                "estimated_tokens": each.estimated_tokens,
            }
            for each in features
        ],
        "questions": list(draft.questions) if draft else [],
        "faults": list(shown.faults) if shown else [],
        "findings": list(shown.findings) if shown else [],
        "reason": found.reason,
        "cost_usd": found.spent.usd,
        "cost_is_complete": found.spent.is_complete,
        "calls": found.spent.calls,
        "session_id": found.session_id,
    }
