"""``templates``: lists templates of prompts, shows one, and makes a prompt from it."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ..model.errors import ExitCode, UserError
from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from .options import add_common_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..start.template_files import TemplateFile

EXAMPLES = N_("""\
examples:
  rorchestrator templates list
  rorchestrator templates show bug-fix
  rorchestrator templates new search --template feature --set title="Search" \\
      --set goal="A visitor finds a product by its name." --set file=src/search.py \\
      --set test_file=tests/test_search.py --set test_command="pytest tests/test_search.py"
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "List the templates of prompts, show one, or write a new prompt from one. Your own in\n"
        ".rorchestrator/templates/ win over the included ones."
    )
    parser.epilog = _(EXAMPLES)
    action = parser.add_argument(
        "action",
        choices=("list", "show", "new"),
        default="list",
        help=_("what to do (default: list)"),
    )
    name = parser.add_argument(
        "name",
        metavar=_("NAME"),
        help=_("with show: the template; with new: the id of the new feature"),
    )
    # Not nargs="?": that takes nothing if an option stands between the two.
    action.required = name.required = False
    parser.add_argument("--template", metavar=_("NAME"), help=_("with new: the template"))
    parser.add_argument(
        "--set",
        type=_assignment,
        action="append",
        metavar=_("KEY=VALUE"),
        help=_("with new: the value of a variable; once for each"),
    )
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_common_options(parser)


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name.strip() and equals):
        raise argparse.ArgumentTypeError(_("{text!r} is not KEY=VALUE").format(text=text))
    return name.strip(), value


def execute(arguments: argparse.Namespace) -> int:
    """List, show, or write."""
    from ..start.template_files import named, template_files

    workspace, list_file = _workspace(arguments.config or "")
    known = template_files(workspace)
    _check_usage(arguments)
    if arguments.action == "list":
        return _list(known, as_json=arguments.json)
    if arguments.action == "show":
        return _show(named(arguments.name, known), as_json=arguments.json)
    return _new(arguments, named(arguments.template, known), workspace, list_file)


def _check_usage(arguments: argparse.Namespace) -> None:
    """Raise :class:`UserError` for arguments that don't fit the action."""
    action, usage = arguments.action, "rorchestrator templates new ID --template NAME"
    if action == "list" and arguments.name:
        hint = f"rorchestrator templates show {arguments.name}"
        raise UserError(_("templates list takes no name"), hint=hint)
    if action != "new" and (arguments.template or arguments.set):
        raise UserError(
            _("templates {action} takes neither --template nor --set").format(action=action),
            hint=usage,
        )
    if action == "show" and not arguments.name:
        hint = _("rorchestrator templates list shows their names")
        raise UserError(_("templates show needs the name of a template"), hint=hint)
    if action == "new" and not (arguments.name and arguments.template):
        raise UserError(_("templates new needs an id and --template"), hint=usage)


def _workspace(given: str) -> tuple[str, str]:
    """The folder with ``prompts/``, and the feature list; no list is needed."""
    from ..project.feature_list import SEARCHED, workspace_of
    from ..project.list_path import list_path
    from ..start.template_files import repository_around

    try:
        path = os.path.abspath(list_path(given))
    except UserError:
        if given:
            raise
        path = os.path.join(repository_around(os.curdir), SEARCHED[0])
    if given and not os.path.isfile(path):
        raise UserError(
            _("{path} does not exist").format(path=path),
            hint=_("name another list with --config PATH"),
        )
    return workspace_of(path), path


def _list(known: Mapping[str, TemplateFile], *, as_json: bool) -> int:
    from ..start.template_files import read

    rows = []
    for file in known.values():
        try:
            description, fault = read(file).description, ""
        except UserError as error:
            description, fault = "", error.message
        rows.append((file, description, fault))
    if as_json:
        found = [
            {"name": file.name, "description": said, "own": file.is_own, "fault": fault or None}
            for file, said, fault in rows
        ]
        print(json.dumps({"templates": found}, indent=2))
    else:
        width = max((len(one_line(name)) for name in known), default=0)
        for file, said, fault in rows:
            own = _("  (your own)") if file.is_own else ""
            print(f"{one_line(file.name):{width}}  {one_line(said or shown(fault))}{own}")
    return ExitCode.INCOMPLETE if any(fault for *_row, fault in rows) else ExitCode.UP_TO_DATE


def _show(file: TemplateFile, *, as_json: bool) -> int:
    from ..start.template_files import read, text_of_file

    if not as_json:
        print(text_of_file(file.path), end="")
        return ExitCode.UP_TO_DATE
    template = read(file)
    variables = [
        {"name": each.name, "meaning": each.meaning, "default": each.default}
        for each in template.variables
    ]
    document = {
        "name": template.name,
        "description": template.description,
        "own": file.is_own,
        "variables": variables,
        "suggested": template.suggested,
        "body": template.body,
    }
    print(json.dumps(document, indent=2))
    return ExitCode.UP_TO_DATE


def _new(arguments: argparse.Namespace, file: TemplateFile, workspace: str, list_file: str) -> int:
    from ..start.template import filled
    from ..start.template_files import read, write_prompt

    id = arguments.name
    _check_id(id, list_file)
    made = filled(read(file), id, _values(arguments.set or []))
    path = write_prompt(workspace, id, made.prompt)
    if not arguments.quiet:
        said = _("written: {path}; add this to features of {list_file}:").format(
            path=os.path.relpath(path), list_file=list_file
        )
        print(one_line(said), file=sys.stderr, flush=True)
    print(json.dumps(made.entry, indent=2, ensure_ascii=False))
    return ExitCode.UP_TO_DATE


def _check_id(id: str, list_file: str) -> None:
    """Raise :class:`UserError` for an id that the list has already, or that none can have."""
    from ..project.feature_list import load
    from ..project.list_reader import Reader
    from ..project.value_checks import Id

    reader = Reader("")
    Id().check(reader, N_("the id"), id)
    if reader.faults:
        raise UserError(reader.faults[0], hint=_("choose another id"))
    try:
        taken = [feature.id for feature in load(list_file).features]
    except UserError:  # The list may be missing, or wait for this prompt.
        return
    if id.lower() in map(str.lower, taken):
        raise UserError(
            _("the list has a feature {id!r} already").format(id=id), hint=_("choose another id")
        )


def _values(given: list[tuple[str, str]]) -> dict[str, str]:
    """The values of ``--set``. Raises :class:`UserError` for a variable that is set twice."""
    values = dict(given)
    if len(values) < len(given):
        names = [name for name, _ in given]
        twice = ", ".join(name for name in values if names.count(name) > 1)
        raise UserError(
            _("--set gives two values for {twice}").format(twice=twice),
            hint=_("name each variable once"),
        )
    return values
