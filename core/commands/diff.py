"""``diff``: a feature's own work, as ``git diff`` shows it, with the user's pager and settings."""

from __future__ import annotations

import argparse
import os
import signal
import stat
import sys
from contextlib import suppress

from ..model.ci_systems import obeys_lines
from ..model.errors import ExitCode
from ..model.excerpt import some
from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from ..model.words import counted, headed
from ..process.spawner import run_sync
from ..project.selection import check_known
from .options import add_common_options, opened_or_recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from ..project.open import OpenProject
    from ..project.own_work import OwnWork

EXAMPLES = N_("""\
examples:
  rorchestrator diff auth
  rorchestrator diff auth --stat
  rorchestrator diff auth > auth.patch
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Show what a feature itself changed, since the commit that it started "
        "from: the work of\nits dependencies is not shown. Until it is "
        "completed, its uncommitted work is shown, too."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument("id", metavar="ID", help=_("the feature"))
    parser.add_argument(
        "--stat", action="store_true", help=_("show only the files and the numbers of lines")
    )
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Let git show the work."""
    from ..git import patches
    from ..project.own_work import own_work

    id: str = arguments.id
    project, _fault = opened_or_recorded(arguments)
    state = project.state()
    check_known("", [id], {**project.dag.features, **state.features})
    work = run_sync(own_work(project, state, id))
    if work is None or _is_empty(project, work):
        return _noted([_("{id} has no work yet").format(id=id)])
    programs = run_sync(patches.programs_of_repository(project.git))
    if not arguments.quiet:
        _noted(_notes(id, work, programs))
    listed = ["--stat"] if arguments.stat else []
    if obeys_lines(os.environ) and not _is_file(sys.stdout):
        # git would write to standard output itself, also lines that the CI system obeys.
        sys.stdout.buffer.write(
            run_sync(patches.plain_diff(project.git, work.before, work.after, *listed))
        )
        return ExitCode.UP_TO_DATE
    options = [*listed, *_colour(arguments.color)]
    diff = patches.show(project.git, work.before, work.after, *options, without=programs)
    code = run_sync(diff)
    # The user left the pager, or the reader of the pipe is gone.
    return ExitCode.UP_TO_DATE if code == -signal.SIGPIPE else code


def _is_empty(project: OpenProject, work: OwnWork) -> bool:
    before, after = (run_sync(project.git.tree_of(each)) for each in (work.before, work.after))
    return before == after


def _notes(id: str, work: OwnWork, programs: Sequence[str]) -> list[str]:
    """What to know about the diff, in lines."""
    lines = [headed(id, shown(note)) for note in work.notes]
    if work.uncommitted:
        files = counted(len(work.uncommitted), "uncommitted file")
        lines.append(
            _("{id}: with {files} of its worktree; it is not completed").format(id=id, files=files)
        )
    if programs:
        named = some(programs)
        lines.append(
            _("not used, because this repository's own git settings name it: {named}").format(
                named=named
            )
        )
    return lines


def _noted(lines: Sequence[str]) -> int:
    for line in lines:
        print(one_line(line), file=sys.stderr, flush=True)
    return ExitCode.UP_TO_DATE


def _is_file(stream: TextIO) -> bool:
    """Whether a stream leads to a file, and not to whoever reads our output."""
    with suppress(OSError, ValueError):
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    return False


def _colour(choice: str) -> list[str]:
    """The colours of ``--color``; by default those of git's settings, but none with NO_COLOR."""
    if choice != "auto":
        return [f"--color={choice}"]
    return ["--no-color"] if os.environ.get("NO_COLOR") else []
