"""``init``: looks at the repository, shows the files of a first feature list, and writes them."""

from __future__ import annotations

import argparse
import os
import sys

from ..git.paths import is_in
from ..model.errors import ExitCode, UserError
from ..model.terminal_text import one_line, shell_word
from ..model.translate import N_, _, ngettext, shown
from .ask_consent import is_terminal
from .options import add_common_options, agrees, asking, display_of, file_path, same_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..start.new_files import Left, NewFile
    from ..start.survey import Survey

LIST = "config/feature_list.json"

EXAMPLES = N_("""\
examples:
  rorchestrator init
  rorchestrator init --yes
  rorchestrator init --dir packages/web
  rorchestrator init --example todo
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Look at the repository and write a first feature list for it: with its setup, its\n"
        "checks, a context for the prompts and one prompt. Each file is shown first, and none\n"
        "that exists is overwritten. A rehearsal then tries all of it without Claude."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument(
        "--dir",
        type=file_path,
        metavar=_("DIR"),
        help=_("the folder for the list (default: the root of the repository)"),
    )
    parser.add_argument(
        "--example",
        metavar=_("NAME"),
        help=_("write one of the included examples instead: todo, rails or react"),
    )
    parser.add_argument(
        "-y",
        "--yes",
        action="store_true",
        help=_("do not ask: write the files, and rehearse; required without a terminal"),
    )
    parser.add_argument(
        "--no-rehearsal", action="store_true", help=_("only write the files: start no command")
    )
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Look, show, ask, write, and rehearse."""
    from ..start.new_files import check_folders, planned, write
    from ..start.survey import survey

    if arguments.config:
        raise UserError(
            _("init writes {file}, and takes no --config").format(file=LIST),
            hint="rorchestrator init --dir DIR",
        )
    example = arguments.example or ""
    folder = arguments.dir or os.curdir
    found = survey(folder, arguments.base or "", os.environ, given=bool(arguments.dir))
    new, left = planned(found.top, _files(found, example))
    patterns, untouched = _ignored(found)
    files = [*patterns, *new]
    check_folders(found.top, files)
    if not arguments.quiet:
        lines = _shown(found, files, [*left, *untouched], example)
        print("\n".join(lines), file=sys.stderr, flush=True)
    if not _agreed(arguments, files):
        print(_("Nothing was written."), file=sys.stderr)
        return ExitCode.CANNOT_START
    for path in write(found.top, files):
        print(one_line(_("written: {path}").format(path=path)), flush=True)
    if example or arguments.no_rehearsal:
        _say(arguments, *_to_rehearse(found))
        return ExitCode.UP_TO_DATE
    return _rehearse(arguments, found, files)


# -- the files ------------------------------------------------------------------------------------


def _files(found: Survey, example: str) -> list[NewFile]:
    """The files to write, the list last: without it, init can be repeated."""
    from ..project.schema import schema_text
    from ..start import first_list as texts
    from ..start.examples import files_of
    from ..start.new_files import NewFile

    folder = os.path.relpath(found.folder, found.top)
    inner = "" if folder == os.curdir else f"{folder}/"
    about = _("the schema with which editors complete and check the list")
    schema = NewFile(f"{inner}config/{texts.SCHEMA}", schema_text(), about)
    if example:
        files = files_of(example, found.base.name)
        return [schema, *(NewFile(inner + file.path, file.text) for file in files)]
    return [
        schema,
        NewFile(f"{inner}prompts/{texts.PROMPT}", texts.prompt_text(found)),
        NewFile(f"{inner}prompts/{texts.CONTEXT}", texts.context_text(found)),
        NewFile(inner + LIST, texts.list_text(found)),
    ]


def _ignored(found: Survey) -> tuple[list[NewFile], list[Left]]:
    """The lines for ``.gitignore``, or why it stays as it is."""
    from ..start.new_files import NewFile, gitignore

    made = gitignore(found.top, found.ignore)
    if made is None:
        return [], []
    return ([made], []) if isinstance(made, NewFile) else ([], [made])


# -- what is shown --------------------------------------------------------------------------------


def _shown(
    found: Survey, files: Sequence[NewFile], left: Sequence[Left], example: str
) -> Iterator[str]:
    """What was found, and each file."""
    if not example:
        yield from _found(found)
    for file in reversed(files):
        yield f"--- {one_line(file.path)} ({_kind(file)})"
        if not file.about:
            yield from (f"{'+ ' if file.appends else ''}{line}" for line in file.text.splitlines())
        yield ""
    for each in left:
        path = one_line(each.path)
        if each.is_plain:
            yield _("--- {path} exists already, and stays as it is").format(path=path)
        else:
            yield _("--- {path} is not a regular file, and stays as it is").format(path=path)


def _kind(file: NewFile) -> str:
    if file.appends:
        return _("these lines are added")
    return _("new: {about}").format(about=file.about) if file.about else _("new file")


def _found(found: Survey) -> Iterator[str]:
    from ..start.first_list import setup_of, verify_of

    where, commit = one_line(found.workspace), found.base.commit[:10]
    yield _("Found in {folder}, {base} @ {commit}:").format(
        folder=where, base=one_line(found.base.name), commit=commit
    )
    rows = {
        _("stack"): [shown(stack.name) for stack in found.choice.stacks],
        _("setup"): setup_of(found),
        _("check"): verify_of(found),
        _("note"): [shown(note) for note in found.notes],
    }
    width = max(map(len, rows))
    for word, lines in rows.items():
        yield from (f"  {word:{width}}  {one_line(line)}" for line in lines)
    yield ""


def _agreed(arguments: argparse.Namespace, files: Sequence[NewFile]) -> bool:
    """Whether the user wants the files. Raises :class:`UserError` where nobody can be asked."""
    if arguments.yes:
        return True
    if not is_terminal():
        raise UserError(
            _("init asks before it writes, and there is no terminal to ask on"),
            hint=f"rorchestrator {same_words(arguments.words)} --yes",
        )
    question = ngettext("Write {count} file?", "Write {count} files?", len(files))
    return agrees(question.format(count=len(files)))


# -- after the files ------------------------------------------------------------------------------


def _rehearse(arguments: argparse.Namespace, found: Survey, files: Sequence[NewFile]) -> int:
    """Rehearse the new list, if the user agrees; the exit code of init."""
    from ..orchestrator.run_options import RunOptions
    from ..project.open import open_project
    from ..rehearsal.rehearsal import RehearsalOptions
    from .rehearsing import rehearse

    project = open_project(os.path.join(found.folder, LIST), "", arguments.mask)
    asked = RehearsalOptions(RunOptions())
    code = rehearse(project, asked, asking(arguments), display_of(arguments))
    if code == ExitCode.INCOMPLETE:
        list_file = _from_here(os.path.join(found.folder, LIST))
        _say(
            arguments,
            _(
                "The files are written, and the rehearsal found what would fail. Mend it in {file} "
                "or in the repository, then:"
            ).format(file=list_file),
            f"  {_command(found, 'run --rehearse')}",
        )
    elif code == ExitCode.CANNOT_START:
        _say(arguments, *_to_rehearse(found))
        return ExitCode.UP_TO_DATE
    elif code == ExitCode.UP_TO_DATE:
        _say(arguments, *_to_run(found, files))
    return code


def _to_rehearse(found: Survey) -> Iterator[str]:
    yield _("Next, try everything but Claude in a temporary copy; this costs nothing:")
    yield f"  {_command(found, 'run --rehearse')}"


def _to_run(found: Survey, files: Sequence[NewFile]) -> Iterator[str]:
    """What to type after a rehearsal without findings."""
    from ..start.survey import ignored_files

    ignored = ignored_files(found.top, [file.path for file in files], os.environ)
    paths = [
        _from_here(_past_links(os.path.join(found.top, file.path)))
        for file in files
        if file.path not in ignored
    ]
    yield _(
        "The rehearsal found nothing to mend. Commit the new files, then run the first feature,\n"
        "or put your own in its place (rorchestrator templates list):"
    )
    commit = (f"git add {' '.join(paths)}", "git commit -m 'Add a feature list'")
    commands = (*(commit if paths else ()), _command(found, "run"))
    yield from (f"  {command}" for command in commands)


def _from_here(path: str) -> str:
    """A path as a word for the shell, relative to the current folder."""
    relative = os.path.relpath(path, os.path.realpath(os.curdir))
    return shell_word(f"./{relative}" if relative.startswith("-") else relative)


def _past_links(path: str) -> str:
    """The path for git, which adds nothing that is behind a link."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def _command(found: Survey, words: str) -> str:
    """A command of ours that finds the new list from the current folder."""
    option = ["--config", _from_here(os.path.join(found.folder, LIST))]
    is_found = is_in(os.path.realpath(os.curdir), found.workspace)
    return " ".join(["rorchestrator", words, *([] if is_found else option)])


def _say(arguments: argparse.Namespace, *lines: str) -> None:
    if not arguments.quiet:
        print("\n".join(lines), file=sys.stderr)
