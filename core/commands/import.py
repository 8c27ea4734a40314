"""``import``: makes features of a plan that another tool wrote."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ..model.errors import ExitCode, UserError
from ..model.frozen import replace
from ..model.terminal_text import one_line
from ..model.translate import N_, _
from ..model.words import counted
from .options import Display, add_common_options, agrees, display_of, file_path, same_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..start.importing.merge import Merge
    from ..start.importing.place import Place

WITHOUT_CHECKS = N_(
    "The new list has neither setup nor checks; rorchestrator init, run before the import, "
    "finds them."
)

EXAMPLES = N_("""\
examples:
  rorchestrator import specs/001-shop/tasks.md
  rorchestrator import .taskmaster/tasks/tasks.json --yes
  gh issue list --json number,title,body,labels | rorchestrator import - --yes
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Make features of a plan that another tool wrote: spec-kit's tasks.md, Task Master's\n"
        "tasks.json, prd.json, GitHub issues as JSON, or a Markdown checklist. A second import\n"
        "changes only what changed in the plan; what you edited stays."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "file", type=file_path, metavar=_("FILE"), help=_("the plan; - reads standard input")
    )
    parser.add_argument("-y", "--yes", action="store_true", help=_("write without asking"))
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Show what the plan changes, ask, and write it."""
    from ..start.importing.merge import merged
    from ..start.importing.place import (
        STDIN,
        new_text,
        origin_file,
        place_of,
        source_text,
        target_of,
        write,
    )
    from ..start.importing.source import recognised

    display = display_of(arguments)
    name = N_("standard input") if arguments.file == STDIN else arguments.file
    source = recognised(name, source_text(arguments.file))
    place = place_of(arguments.config or "")
    file = origin_file(arguments.file, place.workspace)
    made = merged(source, file, target_of(place))
    if place.is_new:
        made = replace(made, notes=(*made.notes, WITHOUT_CHECKS))
    text = "" if made.is_empty else new_text(place, made)
    shown = _Shown(made, source.kind, arguments.file, place, display)
    shown.plan()
    if made.is_empty:
        shown.end([])
        return ExitCode.UP_TO_DATE
    if not (arguments.yes or _agreed(shown, arguments.words)):
        shown.end([])
        print(_("Nothing was written."), file=sys.stderr)
        return ExitCode.CANNOT_START
    shown.end(write(place, text, made.prompts))
    return ExitCode.UP_TO_DATE


def _agreed(shown: _Shown, words: Sequence[str]) -> bool:
    """The answer of the user. Raises :class:`UserError` if there is no terminal to ask on."""
    from .ask_consent import is_terminal

    if not is_terminal():
        shown.end([])
        raise UserError(
            N_("import asks before it writes, and there is no terminal to ask on"),
            hint=N_("read the plan, then: {command}").format(
                command=f"rorchestrator {same_words(words)} --yes"
            ),
        )
    return agrees(shown.question())


class _Shown:
    """An import as the user sees it: as lines, or as one JSON object."""

    def __init__(self, made: Merge, kind: str, file: str, place: Place, display: Display) -> None:
        self.made, self.kind, self.file = made, kind, file
        self.list_file = os.path.relpath(place.file.path)
        self.display = display
        self.prompts = counted(len(made.prompts), "prompt")
        self.is_new = place.is_new

    def plan(self) -> None:
        """Print what would be written."""
        from ..reporter.style import style_of
        from ..start.importing.text import import_lines

        if self.display.json:
            return
        title = _("IMPORT {file} ({kind}) into {list}").format(
            file=_("standard input") if self.file == "-" else self.file,
            kind=self.kind,
            list=self.list_file,
        )
        style = style_of(sys.stdout, self.display.color)
        lines = import_lines(self.made, title, style, verbose=self.display.verbose)
        print("\n".join(list(lines)[-1:] if self.display.quiet else lines), flush=True)

    def question(self) -> str:
        """The question whether to write it."""
        return _("Write {list} and {prompts}?").format(list=self.list_file, prompts=self.prompts)

    def end(self, paths: Sequence[str]) -> None:
        """Print what was written, and what comes next."""
        from ..start.importing.text import document

        if self.display.json:
            written = bool(paths)
            found = document(self.made, self.file, self.kind, self.list_file, written=written)
            print(json.dumps(found, indent=self.display.indent), flush=True)
        elif paths and not self.display.quiet:
            said = _("Written: {list} and {prompts}.").format(
                list=self.list_file, prompts=self.prompts
            )
            print(one_line(said), file=sys.stderr)
            hint = "rorchestrator doctor" if self.is_new else "rorchestrator plan"
            print(_("  next: {hint}").format(hint=hint), file=sys.stderr)
