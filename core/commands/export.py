"""``export``: writes a feature list as the pipeline of an engine that runs it on many machines."""

from __future__ import annotations

import argparse
import os
import sys

from ..model.errors import ExitCode, UserError
from ..model.frozen import replace
from ..model.terminal_text import one_line
from ..model.translate import N_, _
from .options import (
    add_bypass_option,
    add_choice_options,
    add_common_options,
    add_slots_option,
    file_path,
    opened,
    same_words,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from ..engines.exported import Exported

ENGINES = ("github-actions", "gitlab-ci")

EXAMPLES = N_("""\
examples:
  rorchestrator export github-actions
  rorchestrator export gitlab-ci --out -
  rorchestrator export github-actions --check
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Write the feature list as the pipeline of an engine that runs it on many machines: a job\n"
        "for each feature, which waits for those of its dependencies."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument("engine", choices=ENGINES, help=_("the engine"))
    parser.add_argument(
        "--out",
        type=file_path,
        metavar=_("FILE"),
        help=_("the file (default: where the engine looks for it); - is stdout"),
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help=_("write nothing; exit 1 if the file no longer matches the list"),
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help=_("replace a file that export did not write, or that was changed since"),
    )
    group = parser.add_argument_group(_("selection"))
    add_choice_options(group)
    add_slots_option(group)
    add_bypass_option(parser)
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Write the file, or check it."""
    from ..engines.exported import exported
    from ..project.decisions import check_permissions
    from ..project.selection import Selection

    _check_options(arguments)
    project = opened(arguments)
    selection = Selection(tuple(arguments.only or ()), arguments.tag)
    if not arguments.allow_bypass:
        check_permissions(project.config, f"export {arguments.engine}")
    export = exported(project, selection, arguments.max_parallel)
    export = replace(export, allow_bypass=arguments.allow_bypass)
    engine = _module(arguments.engine)
    top = project.git.repository.top
    path = arguments.out or os.path.relpath(os.path.join(top, engine.FILE))
    if arguments.check:
        return _check(path, export, arguments)
    from ..engines.export_file import check_overwriting, signed
    from ..project.output_path import check_output_path
    from ..views.output_file import STDOUT, OutputFile

    check_output_path(project, "--out", path)
    place = os.path.relpath(path, top) if arguments.out not in (None, STDOUT) else engine.FILE
    out = "" if place == engine.FILE else place
    text = signed(arguments.engine, export, engine.body(export), out)
    if path != STDOUT and not arguments.force:
        check_overwriting(path, "rorchestrator " + same_words(arguments.words))
    if path == STDOUT:
        # Not by print(), which completes the commands in messages.
        sys.stdout.buffer.write(text.encode())
    else:
        OutputFile("--out", path).write(text)
    if not arguments.quiet:
        _tell(export, engine, path)
    return ExitCode.UP_TO_DATE


def _check_options(arguments: argparse.Namespace) -> None:
    """Raise :class:`UserError` if standard output is to be checked."""
    from ..views.output_file import STDOUT

    if arguments.check and arguments.out == STDOUT:
        raise UserError(
            _("--check reads a file, and --out - is standard output"),
            hint=_("leave out one of them"),
        )


def _module(engine: str) -> ModuleType:
    """The module of an engine: it has ``FILE``, ``body`` and ``next_steps``."""
    from ..engines import github_actions, gitlab_ci

    return {"github-actions": github_actions, "gitlab-ci": gitlab_ci}[engine]


def _check(path: str, export: Exported, arguments: argparse.Namespace) -> int:
    from ..engines.export_file import is_current

    # Any shorter form of the option would be ambiguous.
    again = same_words([word for word in arguments.words if not word.startswith("--ch")])
    again = f"rorchestrator {again}"
    if is_current(path, export, again):
        if not arguments.quiet:
            print(one_line(_("{path} matches the list").format(path=path)))
        return ExitCode.UP_TO_DATE
    said = _("{path} no longer matches the list; export it again: {command}").format(
        path=path, command=again
    )
    print(one_line(said), file=sys.stderr)
    return ExitCode.INCOMPLETE


def _tell(export: Exported, engine: ModuleType, path: str) -> None:
    """Say on stderr what was left out, and what to do now."""
    lines = []
    if export.landed:
        lines.append(_("left out, already landed: {ids}").format(ids=", ".join(export.landed)))
    if export.skipped:
        lines.append(_("left out, skipped: {ids}").format(ids=", ".join(export.skipped)))
    if path != "-":
        lines.append(_("written: {path}").format(path=path))
    lines += engine.next_steps(export, path)
    print("\n".join(map(one_line, lines)), file=sys.stderr)
