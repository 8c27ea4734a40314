"""``lint``: says what prompts lack."""

from __future__ import annotations

import argparse
import json
import os
import sys

from ..model.errors import ExitCode, UserError
from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from ..model.words import counted, headed
from .options import add_common_options, file_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model.feature import Config
    from ..start.prompt_lint import Finding, Prompt

EXAMPLES = N_("""\
examples:
  rorchestrator lint
  rorchestrator lint prompts/auth.md
  rorchestrator lint --json | python3 -m json.tool
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Say what prompts lack: an acceptance check, a file, exact words, "
        "paths that exist,\ncommands that Claude may run. Exit code 1 if there "
        "is a finding."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "files",
        nargs="*",
        type=file_path,
        metavar=_("FILE"),
        help=_("prompt files (default: all prompts of the list)"),
    )
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Read the prompts, and print the findings."""
    from ..start.list_lint import around_prompts
    from ..start.prompt_lint import findings

    config = _config(arguments.config or "", is_needed=not arguments.files)
    around = around_prompts(config)
    prompts = list(_prompts(config, arguments.files))
    found = [(where, each) for where, prompt in prompts for each in findings(prompt, around)]
    if arguments.json:
        rows = [
            {"prompt": where, "line": each.line or None, "rule": each.rule, "message": each.text}
            for where, each in found
        ]
        print(json.dumps({"prompts": len(prompts), "findings": rows}, indent=2))
    else:
        for where, each in found:
            print(_line(where, each))
        if not arguments.quiet:
            said = counted(len(found), "finding") if found else _("no findings")
            print(
                _("{said} in {prompts}").format(said=said, prompts=counted(len(prompts), "prompt")),
                file=sys.stderr,
            )
    return ExitCode.INCOMPLETE if found else ExitCode.UP_TO_DATE


def _line(where: str, found: Finding) -> str:
    place = f"{where}:{found.line}" if found.line else where
    return one_line(headed(place, shown(found.text)))


def _config(given: str, *, is_needed: bool) -> Config:
    """The feature list; files can be read without one."""
    from ..model.frozen import replace
    from ..project.feature_list import load
    from ..project.keys import EMPTY
    from ..project.list_path import list_path
    from ..start.template_files import repository_around

    try:
        path = list_path(given)
    except UserError:
        if given or is_needed:
            raise
        top = repository_around(os.curdir)
        return replace(EMPTY, workspace=top, project=replace(EMPTY.project, repo_path=top))
    return load(path)


def _prompts(config: Config, files: list[str]) -> Iterator[tuple[str, Prompt]]:
    """The prompts, each with the name of its file or feature."""
    from ..model.feature import Feature
    from ..start.list_lint import prompt_file_of, prompt_of
    from ..start.template_files import text_of_file

    by_file = {
        os.path.realpath(path): feature
        for feature in config.features
        for path in filter(None, [prompt_file_of(config, feature)])
    }
    for path in files:
        unlisted = Feature("", "", prompt_file=path)
        feature = by_file.get(os.path.realpath(path), unlisted)
        yield path, prompt_of(config, feature, text_of_file(path))
    for feature in () if files else config.features:
        path = prompt_file_of(config, feature)
        where = os.path.relpath(path) if path else _("feature {id}").format(id=feature.id)
        yield where, prompt_of(config, feature, feature.prompt)
