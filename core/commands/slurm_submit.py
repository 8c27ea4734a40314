"""``submit`` and ``retry`` with Slurm: shows the plan, asks, submits the jobs."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from ..engines.slurm.environment_file import FILE
from ..engines.slurm.jobs import Waits, on_slurm, sbatch
from ..engines.slurm.preparing import Prepared, SlurmOptions, missing_variables, prepared
from ..engines.slurm.programs import Slurm
from ..engines.slurm.run_on_slurm import (
    RunOnSlurm,
    find_submission,
    in_progress,
    interrupted,
    sweep_ended,
)
from ..engines.slurm.submission import Submission, all_of
from ..engines.slurm.submitting import Submitter, is_root, pending_jobs, resubmitted
from ..journal.lock import Holder
from ..model.errors import ExitCode, UserError
from ..model.excerpt import some
from ..model.frozen import replace
from ..model.terminal_text import clean, one_line
from ..model.translate import _, ngettext
from ..model.words import counted
from ..project.decisions import check_permissions
from ..project.open import OpenProject
from ..project.selection import Selection, check_known
from ..reporter.documents import local_time
from .ask_consent import all_commands, check_can_ask, remember, show_unshown
from .options import Asking, agrees, asking, display_of, opened, same_words


def submit(arguments: argparse.Namespace) -> int:
    """Submit the features of the list; the exit code."""
    project = opened(arguments)
    slurm = _slurm(arguments)
    slurm.check()
    asks = asking(arguments)
    if not arguments.dry_run:
        check_can_ask(asks, project)
    if not arguments.allow_bypass:
        check_permissions(project.config, same_words(arguments.words))
    plan = prepared(project, _options(arguments), os.environ)
    if arguments.dry_run:
        _show_commands(plan, arguments)
        return ExitCode.UP_TO_DATE
    _lock(project, "submit")
    try:
        _check_nothing_in_the_way(project, slurm, plan)
        _tell(arguments, _plan_lines(plan))
        if not _agreed(asks, project, _question(plan)):
            return ExitCode.CANNOT_START
        remember(project, all_commands(project.config))
        plan.make_folders(project.journal.folder)
        done = _submitter(project, slurm, arguments).submit(
            plan.submission, plan.waits, plan.variables
        )
    finally:
        project.lock.release()
    return _submitted(done, [each.id for each in plan.waits], arguments)


def retry(arguments: argparse.Namespace, ids: Sequence[str]) -> int:
    """Submit features of a run again, and their dependents; the exit code."""
    project = opened(arguments)
    slurm = _slurm(arguments)
    slurm.check()
    asks = asking(arguments)
    check_can_ask(asks, project)
    _lock(project, "retry")
    try:
        known = find_submission(project, arguments.run_id or "", arguments.remote or "")
        if not known.settings.folder:
            raise UserError(
                _("run {run} was submitted from another clone").format(run=known.run),
                hint=_("type the command in that clone, or submit the list again from here"),
            )
        check_known("", ids, known.needs)
        run = RunOnSlurm(project, slurm, known)
        waits = resubmitted(known, run.look(), ids)
        _tell(arguments, (_waits_line(each) for each in waits))
        if not _agreed(asks, project, _again(waits, known)):
            return ExitCode.CANNOT_START
        variables = missing_variables(known, os.environ)
        slurm.cancel(pending_jobs(run.jobs, waits))
        active = {id: job.number for id, job in run.jobs.items() if job.is_active}
        known = replace(known, jobs={**known.jobs, **active})
        done = _submitter(project, slurm, arguments).submit(known, waits, variables)
    finally:
        project.lock.release()
    return _submitted(done, [each.id for each in waits], arguments)


def _slurm(arguments: argparse.Namespace) -> Slurm:
    slow = _("sbatch does not answer yet: Slurm may take no more jobs for now (Ctrl-C gives up)")
    return Slurm(os.environ, partial(_tell, arguments, [slow]))


def _options(arguments: argparse.Namespace) -> SlurmOptions:
    return SlurmOptions(
        arguments.remote or "",
        Selection(tuple(arguments.only or ()), arguments.tag),
        arguments.max_parallel,
        tuple(arguments.sbatch_option),
        arguments.prologue or "",
        arguments.folder or "",
        tuple(arguments.env),
        arguments.allow_bypass,
    )


def _lock(project: OpenProject, command: str) -> None:
    project.lock.acquire(Holder(os.getpid(), str(local_time(time.time())), command))


def _check_nothing_in_the_way(project: OpenProject, slurm: Slurm, plan: Prepared) -> None:
    """Raise :class:`UserError` if an earlier submission of these features is not over."""
    known = all_of(project.journal.folder, project.owner)
    jobs = slurm.jobs() if known else []
    left = interrupted(known, jobs)
    if left:
        raise UserError(
            _("the submission of run {run} was interrupted, and left {jobs} behind").format(
                run=left[0].run, jobs=counted(len(left[1]), "job")
            ),
            hint=on_slurm("stop", left[0].run),
        )
    run, ids = in_progress(known, jobs, plan.submission.needs)
    if run:
        raise UserError(
            _("run {run} on Slurm is still in progress: {ids}").format(ids=some(ids), run=run),
            hint=on_slurm("stop", run),
        )
    sweep_ended(known, jobs)


def _agreed(asks: Asking, project: OpenProject, question: str) -> bool:
    """Whether the user wants it; without a yes, that is said."""
    if asks.yes:
        return True
    show_unshown(asks, project)
    if agrees(question):
        return True
    print(_("Nothing was submitted."), file=sys.stderr)
    return False


def _submitter(project: OpenProject, slurm: Slurm, arguments: argparse.Namespace) -> Submitter:
    def say(id: str, job: str) -> None:
        line = _("submitted {id}: job {job}").format(id=id, job=job)
        _tell(arguments, [one_line(line)])

    return Submitter(slurm, project.journal.folder, os.environ, say)


def _tell(arguments: argparse.Namespace, lines: Iterable[str]) -> None:
    """Print lines on stderr, unless ``--quiet``."""
    for line in () if arguments.quiet else lines:
        print(line, file=sys.stderr, flush=True)


def _plan_lines(plan: Prepared) -> Iterator[str]:
    """What will be submitted, and what will not."""
    yield from map(_waits_line, plan.waits)
    if plan.landed:
        yield one_line(_("left out, already landed: {ids}").format(ids=", ".join(plan.landed)))
    names = ", ".join(plan.variables) or _("none")
    yield one_line(_("variables passed in a private file: {names}").format(names=names))


def _waits_line(waits: Waits) -> str:
    needs, after = some(waits.needs), some(waits.after)
    if needs and after:
        line = _("  {id} after {needs} completed and {after} ended")
    elif needs:
        line = _("  {id} after {needs} completed")
    else:
        line = _("  {id} after {after} ended") if after else "  {id}"
    return clean(line.format(id=waits.id, needs=needs, after=after))


def _question(plan: Prepared) -> str:
    return _(
        "Submit {features} from {base} @ {commit} to Slurm, {slots}, pushing to {remote}?"
    ).format(
        features=counted(len(plan.waits), "feature"),
        base=plan.submission.base,
        commit=plan.submission.settings.base_commit[:7],
        slots=ngettext("{count} at once", "at most {count} at once", plan.slots).format(
            count=plan.slots
        ),
        remote=plan.remote,
    )


def _again(waits: Sequence[Waits], known: Submission) -> str:
    return _("Submit {features} of run {run} to Slurm again?").format(
        features=counted(len(waits), "feature"), run=known.run
    )


def _show_commands(plan: Prepared, arguments: argparse.Namespace) -> None:
    """Print the commands of a submission; ``<id>`` stands for the job of a feature."""
    submission = plan.submission
    if plan.variables:
        file = os.path.join(submission.settings.folder, FILE)
        submission = replace(submission, settings=replace(submission.settings, environment=file))
    jobs = {each.id: f"<{each.id}>" for each in plan.waits}
    commands = [
        sbatch(submission.settings, each, jobs, os.environ, held=is_root(each, jobs))
        for each in plan.waits
    ]
    roots = [jobs[each.id] for each in plan.waits if is_root(each, jobs)]
    commands.append(["scontrol", "release", ",".join(roots)])
    if arguments.json:
        document = {**_document(submission), "commands": commands}
        print(json.dumps(document, indent=2))
        return
    _tell(arguments, _plan_lines(plan))
    for command in commands:
        print(clean(shlex.join(command)))


def _document(submission: Submission) -> dict[str, object]:
    settings = submission.settings
    return {
        "engine": "slurm",
        "run_id": submission.run,
        "remote": settings.remote,
        "base_commit": settings.base_commit,
        "folder": settings.folder,
        "features": [
            {"id": id, "depends_on": list(needs), "job": submission.jobs.get(id, "")}
            for id, needs in submission.needs.items()
        ],
    }


def _submitted(submission: Submission, ids: Sequence[str], arguments: argparse.Namespace) -> int:
    """Say which run it is, and what shows how far it is."""
    if display_of(arguments).json:
        print(json.dumps({**_document(submission), "submitted": list(ids)}, indent=2))
        return ExitCode.UP_TO_DATE
    print(
        _("Run {run}: {jobs} submitted to Slurm").format(
            run=submission.run, jobs=counted(len(ids), "job")
        )
    )
    _tell(arguments, [_("rorchestrator status --engine slurm shows their progress")])
    return ExitCode.UP_TO_DATE
