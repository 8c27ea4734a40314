"""``diff``: a feature's own work, as ``git diff`` shows it, with the user's pager and settings."""

from __future__ import annotations

import argparse

from ..model.errors import ExitCode
from ..model.translate import N_, _, shown
from ..model.words import counted, headed
from ..process.spawner import run_sync
from ..project.selection import check_known
from .options import add_common_options, opened_or_recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    from .diffing import note, programs_line, show_diff

    id: str = arguments.id
    project, _fault = opened_or_recorded(arguments)
    state = project.state()
    check_known("", [id], {**project.dag.features, **state.features})
    work = run_sync(own_work(project, state, id))
    if work is None or _is_empty(project, work):
        note([_("{id} has no work yet").format(id=id)])
        return ExitCode.UP_TO_DATE
    programs = run_sync(patches.programs_of_repository(project.git))
    if not arguments.quiet:
        note([*_notes(id, work), programs_line(programs)])
    listed = ["--stat"] if arguments.stat else []
    return show_diff(
        project.git, work.before, work.after, arguments.color, *listed, without=programs
    )


def _is_empty(project: OpenProject, work: OwnWork) -> bool:
    before, after = (run_sync(project.git.tree_of(each)) for each in (work.before, work.after))
    return before == after


def _notes(id: str, work: OwnWork) -> list[str]:
    """What to know about the work, in lines."""
    lines = [headed(id, shown(note)) for note in work.notes]
    if work.uncommitted:
        files = counted(len(work.uncommitted), "uncommitted file")
        lines.append(
            _("{id}: with {files} of its worktree; it is not completed").format(id=id, files=files)
        )
    return lines
