"""``cleanup``: options and report; removes worktrees and branches of features."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator

from ..landing.cleanup import Cleanup, CleanupOptions, Removal
from ..model.errors import ExitCode, UserError
from ..model.frozen import replace
from ..model.terminal_text import one_line
from ..model.translate import N_, _, shown
from ..model.words import headed
from ..process.spawner import run_sync
from ..project.control_requests import journalling
from ..project.open import OpenProject
from ..project.strays import strays_of
from ..reporter.status_text import stray_lines
from ..reporter.style import Style, style_of
from . import pruning
from .ask_consent import check_consent, commands_of_cleanup
from .options import add_common_options, asking, opened, seconds

EXAMPLES = N_("""\
examples:
  rorchestrator cleanup --merged
  rorchestrator cleanup auth --discard
  rorchestrator cleanup --prune --older-than 60d --dry-run
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Remove worktrees and branches that a run made. Work that exists "
        "nowhere else is kept,\nunless --discard is given; even then its tip "
        "stays under refs/rorchestrator/kept/."
    )
    parser.epilog = _(EXAMPLES)
    parser.add_argument("ids", nargs="*", metavar="ID", help=_("the features to clean up"))
    parser.add_argument(
        "--merged", action="store_true", help=_("all features that are merged into the base branch")
    )
    parser.add_argument("--all", action="store_true", help=_("all features of the list"))
    parser.add_argument(
        "--all-lists",
        action="store_true",
        help=_("include the features of the repository's other lists"),
    )
    parser.add_argument(
        "--into", metavar=_("BRANCH"), help=_("look for merged work in this branch")
    )
    parser.add_argument(
        "--discard", action="store_true", help=_("also remove work that exists nowhere else")
    )
    parser.add_argument(
        "--prune",
        action="store_true",
        help=_("remove old refs of results and kept work that nothing needs; asks before"),
    )
    parser.add_argument(
        "--older-than",
        type=seconds,
        metavar=_("TIME"),
        help=_("with --prune: only refs of at least this age, such as 2d (default: 30d)"),
    )
    parser.add_argument(
        "--dry-run", action="store_true", help=_("show what would be removed, and remove nothing")
    )
    parser.add_argument(
        "-y",
        "--yes",
        action="store_true",
        help=_("do not ask: consent to the list's teardown, and prune"),
    )
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Clean up; exit 1 if a requested feature was kept."""
    if sum((bool(arguments.ids), arguments.merged, arguments.all, arguments.prune)) != 1:
        raise UserError(
            _("cleanup needs exactly one of: ids, --merged, --all, --prune"),
            hint="rorchestrator cleanup --merged",
        )
    if arguments.prune:
        return pruning.execute(arguments)
    if arguments.older_than is not None:
        raise UserError(_("--older-than is only for --prune"), hint="rorchestrator cleanup --prune")
    project = opened(arguments)
    options = CleanupOptions(
        tuple(arguments.ids),
        arguments.into or "",
        arguments.merged,
        arguments.discard,
        arguments.dry_run,
        arguments.all_lists,
    )
    if not options.dry_run:
        commands = commands_of_cleanup(project.config)
        check_consent(
            asking(arguments), project, commands, lambda: _would_tear_down(options, project)
        )
    # A preview writes nothing: it needs no lock, and a run may be in progress.
    done = _preview(options, project) if options.dry_run else _clean_up(options, project)
    if arguments.json:
        print(json.dumps([removal.to_json() for removal in done], indent=2))
    else:
        _show(done, arguments, style_of(sys.stdout, arguments.color))
    if not arguments.quiet:
        git_folder = project.git.repository.common_dir
        for line in stray_lines(strays_of(project, project.state()), git_folder):
            print(one_line(line), file=sys.stderr if arguments.json else sys.stdout)
    return ExitCode.INCOMPLETE if any(removal.kept for removal in done) else ExitCode.UP_TO_DATE


def _preview(options: CleanupOptions, project: OpenProject) -> list[Removal]:
    return run_sync(Cleanup(options, project).run())


def _would_tear_down(options: CleanupOptions, project: OpenProject) -> bool:
    """Whether any worktree would be removed."""
    removals = _preview(replace(options, dry_run=True), project)
    return any(not each.kept and os.path.isdir(each.worktree) for each in removals)


def _clean_up(options: CleanupOptions, project: OpenProject) -> list[Removal]:
    with journalling(project, "cleanup"):
        return run_sync(Cleanup(options, project.writable()).run())


def _show(done: list[Removal], arguments: argparse.Namespace, style: Style) -> None:
    if not done and not arguments.quiet:
        print(_("Nothing to clean up."))
    for line in _lines(done, arguments, style):
        print(line)


def _lines(done: list[Removal], arguments: argparse.Namespace, style: Style) -> Iterator[str]:
    for removal in done:
        name = one_line(f"{removal.id} ({removal.branch})")
        if removal.kept:
            yield style.paint(
                one_line(_("kept {name}: {kept}").format(name=name, kept=shown(removal.kept))),
                "yellow",
            )
            if removal.next:
                yield _("    next: {next}").format(next=one_line(shown(removal.next)))
        elif not arguments.quiet:
            verb = _("removed") if removal.removed else _("would remove")
            merged = _("merged ({how})").format(how=shown(removal.merged)) if removal.merged else ""
            why = [
                merged,
                shown(removal.safe),
                *(_("discarding {loss}").format(loss=shown(loss)) for loss in removal.lost),
            ]
            said = _("; ").join(filter(None, why))
            yield style.paint(one_line(headed(f"{verb} {name}", said)), "green")
            if arguments.verbose and removal.worktree:
                yield _("    worktree {worktree}").format(worktree=one_line(removal.worktree))
        if removal.aside:
            yield _("    put aside because it looks secret: {aside}").format(
                aside=one_line(removal.aside)
            )
        if removal.bring_back:
            yield _("    to restore it: {bring_back}").format(
                bring_back=one_line(removal.bring_back)
            )
