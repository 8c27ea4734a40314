"""Submits the features of a run: all of its jobs, or none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from graphlib import TopologicalSorter

from ...dag.resolver import DAGResolver
from ...model.errors import UserError
from ...model.frozen import replace
from ...model.translate import N_
from ..lanes import lanes
from . import environment_file
from . import submission as record
from .environment_file import FILE
from .jobs import Waits, job_name, on_slurm, sbatch
from .programs import Job, Slurm
from .progress import FeatureProgress, Phase
from .submission import Submission


def waits_of(
    dag: DAGResolver, max_parallel: int
) -> tuple[list[Waits], tuple[tuple[str, ...], ...]]:
    """What each feature waits for, each one after those that it waits for; and the lanes."""
    found = lanes(dag, max_parallel)
    waits = {
        id: Waits(id, dag.dependencies[id], found.all_before.get(id, ())) for id in dag.order()
    }
    graph = {id: (*each.needs, *each.after) for id, each in waits.items()}
    return [waits[id] for id in TopologicalSorter(graph).static_order()], found.lanes


class Submitter:
    """Submits jobs. ``say`` gets each feature with the id of its job."""

    def __init__(
        self,
        slurm: Slurm,
        state_folder: str,
        environ: Mapping[str, str],
        say: Callable[[str, str], None],
    ) -> None:
        self.slurm = slurm
        self.state_folder = state_folder
        self.environ = environ
        self.say = say

    def submit(
        self, submission: Submission, waits: Sequence[Waits], variables: Mapping[str, str]
    ) -> Submission:
        """Submit features held, then release them all; the submission with their jobs.

        The jobs get the ``variables`` through a file. If anything fails, what was submitted is
        cancelled.
        """
        if variables:
            path = os.path.join(submission.settings.folder, FILE)
            submission = replace(
                submission, settings=replace(submission.settings, environment=path)
            )
        # The record comes first: after a kill, the file with keys must be known to be removed.
        record.save(self.state_folder, replace(submission, is_complete=False))
        new: dict[str, str] = {}
        try:
            if variables:
                environment_file.write(submission.settings.environment, variables)
            self._submit(submission, waits, new)
            self.slurm.release([new[each.id] for each in waits if is_root(each, new)])
        except BaseException as error:
            raise self._given_up(submission, waits, new, error) from None
        cancelled = tuple(id for id in submission.cancelled if id not in new)
        done = replace(
            submission,
            jobs={**submission.jobs, **new},
            cancelled=cancelled,
            is_complete=True,
        )
        record.save(self.state_folder, done)
        return done

    def _submit(self, submission: Submission, waits: Sequence[Waits], new: dict[str, str]) -> None:
        for each in waits:
            jobs = {**submission.jobs, **new}
            held = is_root(each, {other.id: "" for other in waits})
            argv = sbatch(submission.settings, each, jobs, self.environ, held=held)
            new[each.id] = self.slurm.submit(argv)
            self.say(each.id, new[each.id])

    def _given_up(
        self,
        submission: Submission,
        waits: Sequence[Waits],
        new: Mapping[str, str],
        error: BaseException,
    ) -> BaseException:
        """Cancel the new jobs; the error, which says if some are left."""
        with suppress(UserError):
            # What Slurm took is known by its names, even if sbatch was interrupted.
            names = {job_name(submission.run, each.id) for each in waits}
            jobs = self.slurm.jobs()
            self.slurm.cancel(job for job in jobs if job.name in names and job.is_active)
            if submission.jobs:
                record.save(self.state_folder, replace(submission, is_complete=True))
            else:
                environment_file.remove(submission.settings.environment)
                record.forget(self.state_folder, submission)
            return _refused(error, len(new), len(waits))
        if isinstance(error, UserError) and new:
            return UserError(
                N_("{error}; {count} held jobs could not be cancelled").format(
                    error=error.message, count=len(new)
                ),
                hint=on_slurm("stop", submission.run),
            )
        return error


def _refused(error: BaseException, count: int, of: int) -> BaseException:
    """The error of sbatch; after some jobs it is a limit that the next ones met."""
    if not count or count == of or not isinstance(error, UserError):
        return error
    return UserError(
        error.message,
        details=(
            *error.details,
            N_("{count} of {of} jobs were submitted before that, and are cancelled").format(
                count=count, of=of
            ),
        ),
        hint=N_(
            "if it is a limit on the number of jobs, submit parts of the list with --only or --tag"
        ),
    )


def is_root(waits: Waits, new: Mapping[str, str]) -> bool:
    """Whether a feature waits for none of the ``new`` jobs: it starts at once, unless held."""
    return not any(id in new for id in (*waits.needs, *waits.after))


def resubmitted(
    submission: Submission, features: Sequence[FeatureProgress], ids: Iterable[str]
) -> list[Waits]:
    """What the named features and their dependents wait for, if they are submitted again.

    Edges to what has completed are dropped. Raises :class:`UserError` if a feature can't be
    submitted again.
    """
    phases = {feature.id: feature.phase for feature in features}
    named = list(dict.fromkeys(ids))
    again = _with_dependents(submission, named, phases)
    for id in named:
        _check(submission, id, phases, again)
    order = [id for id in submission.needs if id in again]
    return [
        Waits(
            id,
            tuple(d for d in submission.needs[id] if phases[d] is not Phase.COMPLETED),
            tuple(_in_lane(submission, id, phases, again, order)),
        )
        for id in order
    ]


def _with_dependents(
    submission: Submission, named: Iterable[str], phases: Mapping[str, Phase]
) -> set[str]:
    again = set(named)
    for id, needs in submission.needs.items():
        if again.intersection(needs) and phases[id] not in (Phase.COMPLETED, Phase.RUNNING):
            again.add(id)
    return again


def _check(submission: Submission, id: str, phases: Mapping[str, Phase], again: set[str]) -> None:
    if phases[id] is Phase.COMPLETED or phases[id].is_active:
        raise UserError(
            N_("{id} is {status}; nothing to retry").format(id=id, status=phases[id].value),
            hint=on_slurm("status", submission.run),
        )
    missing = [
        other
        for other in _ancestors(submission, id)
        if other not in again and not (phases[other] is Phase.COMPLETED or phases[other].is_active)
    ]
    if missing:
        raise UserError(
            N_("{id} depends on {ids}, which did not complete").format(
                id=id, ids=", ".join(missing)
            ),
            hint=" ".join(("rorchestrator", "retry", *missing, "--engine", "slurm")),
        )


def _ancestors(submission: Submission, id: str) -> list[str]:
    found: set[str] = set()
    for other in reversed(list(submission.needs)):
        if other == id or other in found:
            found.update(submission.needs[other])
    return [other for other in submission.needs if other in found]


def _in_lane(
    submission: Submission,
    id: str,
    phases: Mapping[str, Phase],
    again: set[str],
    order: Sequence[str],
) -> Iterator[str]:
    """The features of its lane that must end first: in progress, or submitted again before it."""
    earlier = set(order[: order.index(id)])
    needed = set(_ancestors(submission, id))
    for other in (other for lane in submission.lanes if id in lane for other in lane):
        goes_on = phases[other].is_active and other not in again
        if other not in needed and (goes_on or other in earlier):
            yield other


def pending_jobs(jobs: Mapping[str, Job], waits: Iterable[Waits]) -> list[Job]:
    """The old jobs of features that are submitted again, which have to be cancelled."""
    return [jobs[each.id] for each in waits if each.id in jobs and jobs[each.id].is_active]
