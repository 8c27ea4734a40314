"""What `decompose` does with an answer: shows it, asks, writes it, and says what was spent."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ..dag.resolver import DAGResolver
from ..model.errors import ExitCode, UserError
from ..model.terminal_text import one_line, shell_word
from ..model.translate import _, shown
from ..model.words import counted
from ..project.open import OpenProject
from ..reporter.plan_text import plan_lines
from ..reporter.style import style_of
from ..start.decomposing.decomposer import Decomposed
from ..start.decomposing.list import Draft
from ..start.decomposing.plan import draft_plan
from ..start.decomposing.text import diff_lines, finding_lines, spent_words
from ..start.decomposing.write import write_draft
from .options import agrees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


def settle(arguments: argparse.Namespace, project: OpenProject, found: Decomposed) -> int:
    """Show what was found, ask, and write it; the exit code."""
    if found.received is not None:
        print(spent_words(found.spent), file=sys.stderr)
        print(_("Stopped, and nothing was written."), file=sys.stderr)
        return 128 + found.received
    draft = found.best.draft if found.best is not None else None
    is_seen = not (arguments.json and (arguments.yes or draft is None))
    if is_seen:
        # With --json, only what is needed to answer the question.
        stream = sys.stderr if arguments.json else sys.stdout
        _show(arguments, project, found, stream)
        print(spent_words(found.spent), file=sys.stderr, flush=True)
    written: list[str] = []
    if draft is not None and (arguments.yes or _agrees(project, found, draft)):
        written = _write(project, found, draft)
    if arguments.json:
        print(json.dumps(_document(found, written), indent=2))
    else:
        _tell(arguments, project, found, written)
    if written:
        return ExitCode.UP_TO_DATE
    return ExitCode.INCOMPLETE if draft is None else ExitCode.CANNOT_START


def _agrees(project: OpenProject, found: Decomposed, draft: Draft) -> bool:
    try:
        return agrees(_question(draft))
    except KeyboardInterrupt:
        print(f"\n{_continue(project, found)}", file=sys.stderr)
        raise


def _write(project: OpenProject, found: Decomposed, draft: Draft) -> list[str]:
    try:
        return write_draft(draft)
    except UserError as error:
        details = (*error.details, *filter(None, [error.hint]))
        raise UserError(error.message, _continue(project, found), details=details) from None


def _show(
    arguments: argparse.Namespace, project: OpenProject, found: Decomposed, stream: TextIO
) -> None:
    """Show the plan, the diff, and what is still wrong."""
    if found.best is None or found.best.draft is None:
        return
    style, draft = style_of(stream, arguments.color), found.best.draft
    plan = draft_plan(draft, arguments.base or "", arguments.mask)
    lines = [
        *plan_lines(plan, style, verbose=arguments.verbose, quiet=arguments.quiet),
        "",
        *diff_lines(draft, style, project.git.repository.top),
        "",
        *finding_lines(found.best, style),
    ]
    print("\n".join(lines).rstrip("\n"), file=stream, flush=True)


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
    """How to continue by hand with what was paid for."""
    if not found.spent.calls:
        return _("correct that, then try again")
    top = shell_word(project.git.repository.top)
    words = map(shell_word, (*project.config.claude.command, "--resume", found.session_id))
    command = f"cd {top} && {' '.join(words)}"
    return _("to continue by hand: {command}").format(command=command)


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
        "waves": DAGResolver(draft.config.features).waves() if draft else [],
        "questions": list(draft.questions) if draft else [],
        "faults": list(shown.faults) if shown else [],
        "findings": list(shown.findings) if shown else [],
        "reason": found.reason,
        "cost_usd": found.spent.usd,
        "cost_is_complete": found.spent.is_complete,
        "calls": found.spent.calls,
        "session_id": found.session_id,
    }
