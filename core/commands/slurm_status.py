"""``status`` and ``stop`` with Slurm: shows how far a submitted run is, or cancels it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence

from ..engines.slurm.jobs import on_slurm
from ..engines.slurm.programs import Slurm
from ..engines.slurm.progress import UNFINISHED, FeatureProgress, Phase
from ..engines.slurm.run_on_slurm import RunOnSlurm, find_submission
from ..model.costs import total_usd
from ..model.errors import ExitCode, UserError
from ..model.terminal_text import one_line, shell_word
from ..model.translate import N_, _, shown
from ..model.words import counted, money
from ..project.selection import check_known
from ..reporter.style import Style, style_of, table_lines
from .options import Display, display_of, opened

COLUMNS = (N_("FEATURE"), N_("STATUS"), N_("JOB"), N_("NODE"), N_("COST"))

WORDS = {
    Phase.PENDING: N_("pending"),
    Phase.RUNNING: N_("running"),
    Phase.COMPLETED: N_("completed"),
    Phase.FAILED: N_("failed"),
    Phase.CANCELLED: N_("cancelled"),
    Phase.LOST: N_("lost"),
    Phase.UNKNOWN: N_("unknown"),
}

COLOURS = {
    Phase.PENDING: "dim",
    Phase.RUNNING: "cyan",
    Phase.COMPLETED: "green",
    Phase.FAILED: "red",
    Phase.CANCELLED: "yellow",
    Phase.LOST: "red",
    Phase.UNKNOWN: "yellow",
}


def status(arguments: argparse.Namespace) -> int:
    """Print how far a run is; as far as Slurm knows if the remote can't be read."""
    run = _opened(arguments)
    run.look_if_possible()
    swept = run.sweep()
    display = display_of(arguments)
    if display.json:
        print(json.dumps(run.to_json(), indent=display.indent))
    else:
        style = style_of(sys.stdout, display.color)
        print("\n".join(_lines(run, style, quiet=display.quiet)))
    if swept and not (display.quiet or display.json):
        print(_swept(), file=sys.stderr)
    if run.remote_error is not None:
        raise _without_remote(run, run.remote_error)
    return ExitCode.UP_TO_DATE


def _without_remote(run: RunOnSlurm, error: UserError) -> UserError:
    """The error of a look at Slurm alone."""
    return UserError(
        error.message,
        details=(_("so only Slurm was asked: reports, branches and costs are unknown"),),
        hint=_("once git ls-remote {url} works: {again}").format(
            url=shell_word(run.submission.settings.remote),
            again=on_slurm("status", run.submission.run),
        ),
        exit_code=ExitCode.INCOMPLETE,
    )


def stop(arguments: argparse.Namespace, id: str) -> int:
    """Cancel the jobs of a run, or of one feature; wait until they have ended."""
    run = _opened(arguments)
    if id:
        check_known("", [id], run.submission.needs)
    run.look_at_jobs() if run.is_recorded else run.look_if_possible()

    def tell(count: int) -> None:
        if not arguments.quiet:
            said = _("waiting for the end of {jobs}").format(jobs=counted(count, "job"))
            print(said, file=sys.stderr, flush=True)

    stopped = run.stop([id] if id else [], tell)
    left = [feature.id for feature in stopped if feature.phase.is_active]
    swept = run.sweep()
    display = display_of(arguments)
    _print_stopped(run, stopped, display)
    if swept and not display.quiet:
        print(_swept(), file=sys.stderr)
    if left:
        raise UserError(
            _("{jobs} still in progress: {ids}").format(
                jobs=counted(len(left), "job"), ids=", ".join(left)
            ),
            hint=on_slurm("status", run.submission.run),
            exit_code=ExitCode.INCOMPLETE,
        )
    if not stopped and not display.json:
        raise UserError(
            _("no job of run {run} is in progress: nothing to stop").format(run=run.submission.run),
            hint=on_slurm("status", run.submission.run),
        )
    return ExitCode.UP_TO_DATE


def _print_stopped(run: RunOnSlurm, stopped: Sequence[FeatureProgress], display: Display) -> None:
    if display.json:
        names = [feature.id for feature in stopped]
        print(json.dumps({**run.to_json(), "stopped": names}, indent=display.indent))
        return
    style = style_of(sys.stdout, display.color)
    for feature in stopped:
        print(_ending(feature, style))


def _opened(arguments: argparse.Namespace) -> RunOnSlurm:
    slurm = Slurm(os.environ)
    slurm.check()
    project = opened(arguments)
    found = find_submission(project, arguments.run_id or "", arguments.remote or "")
    return RunOnSlurm(project, slurm, found)


def _lines(run: RunOnSlurm, style: Style, *, quiet: bool) -> Iterator[str]:
    """The table of the features, the reasons, and what to do."""
    features = run.features
    submission = run.submission
    if not quiet:
        head = _("Run {run} on Slurm, from {base} @ {commit}").format(
            run=submission.run,
            base=submission.base,
            commit=submission.settings.base_commit[:7],
        )
        yield style.paint(one_line(head), "bold")
    rows = [COLUMNS, *(_row(feature) for feature in features)]

    def paint(row: int, column: int, cell: str) -> str:
        colour = COLOURS[features[row - 1].phase] if row and column == 1 else ""
        return style.paint(cell, colour) if colour else cell

    heading, *rest = table_lines(rows, paint)
    yield style.paint(heading, "bold")
    for feature, line in zip(features, rest):
        yield line
        if feature.why:
            yield f"    {one_line(shown(feature.why))}"
        output = run.output_of(feature)
        if feature.phase in (Phase.FAILED, Phase.LOST) and output:
            yield f"    {one_line(_('output: {path}').format(path=output))}"
            lines = [] if feature.has_report else run.last_lines(output)
            yield from (f"    | {one_line(line)}" for line in lines)
    if not quiet:
        yield _total(run)
        yield from _advice(run)


def _row(feature: FeatureProgress) -> tuple[str, ...]:
    cost = "" if feature.cost_usd is None else money(feature.cost_usd)
    return feature.id, _(WORDS[feature.phase]), feature.job, one_line(feature.node), cost


def _total(run: RunOnSlurm) -> str:
    done = sum(feature.phase is Phase.COMPLETED for feature in run.features)
    costs = [each.cost_usd for each in run.features if each.cost_usd is not None]
    said = _("{done} of {count} completed, {cost} so far")
    if run.remote_error is not None:
        said = _("{done} of {count} completed, by the state of their jobs")
    return said.format(done=done, count=len(run.features), cost=money(total_usd(costs) or 0.0))


def _advice(run: RunOnSlurm) -> Iterator[str]:
    if run.is_interrupted and any(job.is_held for job in run.jobs.values()):
        yield _(
            "The submission was interrupted; rorchestrator stop --engine slurm --run-id {run} "
            "cancels its jobs."
        ).format(run=run.submission.run)
    again = [feature.id for feature in run.features if feature.phase in UNFINISHED]
    if run.is_over and again and run.remote_error is None:
        first = [id for id in again if not set(run.submission.needs[id]) & set(again)]
        yield _("rorchestrator retry {ids} --engine slurm submits them again.").format(
            ids=" ".join(first)
        )


def _ending(feature: FeatureProgress, style: Style) -> str:
    """What became of a feature that was stopped, and of its work."""
    line = _("{id}: {status}").format(id=feature.id, status=_(WORDS[feature.phase]))
    if feature.commit:
        line = _("{id}: {status}; its work so far is on the remote ({commit})").format(
            id=feature.id, status=_(WORDS[feature.phase]), commit=feature.commit[:10]
        )
    return style.paint(one_line(line), COLOURS[feature.phase])


def _swept() -> str:
    return _("All jobs have ended; the file with the variables of the jobs was removed.")
