"""``cleanup --prune``: shows what it would remove, asks, and removes it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator

from ..git.refs import SEEN
from ..landing.prune import OLDER_THAN_SECONDS, OldRef, Prune, PruneReport
from ..model.cached_setup import CachedSetup
from ..model.errors import ExitCode, UserError
from ..model.frozen import replace
from ..model.terminal_text import one_line
from ..model.translate import N_, _, ngettext, shown
from ..model.words import counted, duration, size
from ..process.spawner import run_sync
from ..project.control_requests import journalling
from ..project.open import OpenProject
from ..reporter.style import table_lines
from .ask_consent import is_terminal
from .options import agrees, opened, same_words

DAY_SECONDS = 86_400.0


def execute(arguments: argparse.Namespace) -> int:
    """Prune; exit 1 if a ref could not be removed."""
    if not (arguments.yes or arguments.dry_run or is_terminal()):
        raise UserError(
            _("cleanup --prune asks before it removes refs, and there is no terminal to ask on"),
            hint=_("rorchestrator {command} --yes, or --dry-run to see them").format(
                command=same_words(arguments.words)
            ),
        )
    project = opened(arguments)
    if arguments.dry_run:
        report = run_sync(_prune(project, arguments).find())
        _show(report, arguments)
        return ExitCode.UP_TO_DATE
    with journalling(project, "cleanup"):
        refs = run_sync(project.git.refs(*SEEN))
        return _ask_and_remove(replace(project.writable(), refs=refs), arguments)


def _prune(project: OpenProject, arguments: argparse.Namespace) -> Prune:
    age = arguments.older_than
    return Prune(project, OLDER_THAN_SECONDS if age is None else age)


def _ask_and_remove(project: OpenProject, arguments: argparse.Namespace) -> int:
    prune = _prune(project, arguments)
    report = run_sync(prune.find())
    if not (report.is_empty or arguments.yes):
        _show(report, arguments, sys.stderr.write)
        try:
            agreed = agrees(_("Remove {refs}?").format(refs=_counted(report)))
        except KeyboardInterrupt:
            print(file=sys.stderr)
            return ExitCode.INTERRUPTED
        if not agreed:
            print(_("Nothing was removed."), file=sys.stderr)
            return ExitCode.CANNOT_START
    report = run_sync(prune.remove(report))
    _show(report, arguments)
    failed = any(each.failure for each in report.refs)
    return ExitCode.INCOMPLETE if failed else ExitCode.UP_TO_DATE


def _show(
    report: PruneReport, arguments: argparse.Namespace, write: Callable[[str], object] | None = None
) -> None:
    """Print the report; the question writes it elsewhere, and not as JSON."""
    if arguments.json and write is None:
        print(json.dumps(report.to_json(time.time()), indent=2))
        return
    out = sys.stdout.write if write is None else write
    for line in _lines(report, arguments, asks=write is not None):
        out(f"{line}\n")


def _lines(report: PruneReport, arguments: argparse.Namespace, *, asks: bool) -> Iterator[str]:
    for each in report.refs:
        if each.failure:
            yield one_line(_("kept {name}: {kept}").format(name=each.ref, kept=shown(each.failure)))
    if arguments.quiet and not asks:
        return
    if report.is_empty:
        yield _("Nothing to prune.")
    elif not report.is_pruned:
        setups = (_setup_row(each) for each in report.setups)
        yield from table_lines([_HEADING, *map(_row, report.refs), *setups])
    else:
        yield from (one_line(_restoring(each)) for each in report.refs if arguments.verbose)
        yield _("Removed {refs}.").format(refs=_counted(report))
    if report.refs and report.bytes is not None:
        yield _(
            "git gc frees up to {size}, once its reflogs and its grace period allow it."
        ).format(size=size(report.bytes))
    if report.needed:
        yield _("Kept {refs} of that age: work that has not landed, or that undo needs.").format(
            refs=counted(report.needed, "ref")
        )


_HEADING = [N_("AGE"), N_("SIZE"), N_("WHAT"), N_("REF")]


def _row(each: OldRef) -> list[str]:
    taken = "?" if each.bytes is None else size(each.bytes)
    return [_age(time.time() - each.at), taken, _(each.kind), one_line(each.ref)]


def _setup_row(each: CachedSetup) -> list[str]:
    age = _age(time.time() - each.used_at)
    return [age, size(each.bytes), _("setup cache"), one_line(", ".join(each.folders))]


def _counted(report: PruneReport) -> str:
    """How many refs and setups are, or were, removed."""
    refs = sum(not each.failure for each in report.refs)
    setups = sum(each.key not in report.in_use for each in report.setups)
    said = [counted(refs, "ref")] if refs or not setups else []
    text = ngettext("{count} cached setup", "{count} cached setups", setups)
    said += [text.format(count=setups)] if setups else []
    return ", ".join(said)


def _age(seconds: float) -> str:
    days = int(seconds // DAY_SECONDS)
    return counted(days, "day") if days > 1 else duration(max(0.0, seconds))


def _restoring(each: OldRef) -> str:
    return _("to restore it, until git gc: git update-ref {ref} {commit}").format(
        ref=each.ref, commit=each.commit
    )
