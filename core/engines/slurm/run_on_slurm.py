"""`RunOnSlurm`: a run that was submitted: its progress, its end, and what it leaves."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from ...journal.private_files import only_regular
from ...model.errors import UserError
from ...model.frozen import replace
from ...model.translate import N_
from ...process.spawner import run_sync
from ...project.open import OpenProject
from ...project.remote import find_remote
from . import environment_file
from . import submission as record
from .jobs import Settings, feature_of
from .programs import Job, Slurm
from .progress import FeatureProgress, Phase, Reported, chosen_jobs, is_over, progress
from .reports import reports_of
from .submission import Submission

GRACE_SECONDS = 60.0
"""The time that a job has to stop Claude and push the work, until Slurm cancels it."""

SETTLE_SECONDS = 60.0
"""How long :meth:`RunOnSlurm.stop` waits after that."""

POLL_SECONDS = 0.5

SUBMITTING = ("submit", "retry")
"""The commands that submit jobs while they hold the lock."""

SHOWN_BYTES = 2_000
SHOWN_LINES = 3
"""What is shown of the output of a job that failed."""


def find_submission(project: OpenProject, run: str, remote: str) -> Submission:
    """The submission of ``run``; the last one if ``run`` is empty.

    A submission of another clone has no record here: its jobs are found by their names, its
    reports on the ``remote``. Raises :class:`UserError` if there is none.
    """
    folder = project.journal.folder
    if run:
        return record.load(folder, run) or _elsewhere(project, run, remote)
    found = record.all_of(folder, project.owner)
    if not found:
        raise UserError(
            N_("no feature of this list was submitted to Slurm from this repository"),
            hint=N_("rorchestrator submit --engine slurm, or name a run: --run-id R"),
        )
    return found[-1]


def _elsewhere(project: OpenProject, run: str, remote: str) -> Submission:
    """A submission without its record; its features are those of the list."""
    found = run_sync(find_remote(project.writable(), remote))
    url = found.urls.push
    settings = Settings(run, url, project.base_commit, project.owner, folder="")
    prefix = project.config.project.branch_prefix
    needs = {id: project.dag.dependencies[id] for id in project.dag.order()}
    return Submission(settings, project.owner, found.base, prefix, "", needs, is_complete=True)


class RunOnSlurm:
    """A submission, and what Slurm and the remote say of it."""

    def __init__(self, project: OpenProject, slurm: Slurm, submission: Submission) -> None:
        self.project = project.writable()
        self.slurm = slurm
        self.submission = submission
        self.is_recorded = bool(submission.settings.folder)
        self.jobs: dict[str, Job] = {}
        self.features: tuple[FeatureProgress, ...] = ()
        self.remote_error: UserError | None = None
        """Why the remote could not be read at the last look."""
        self.is_interrupted = False
        """Whether a kill ended the submission before all jobs were in."""

    @property
    def is_over(self) -> bool:
        """Whether no job was in progress at the last look."""
        return is_over(self.features)

    def look(self) -> Sequence[FeatureProgress]:
        """Ask Slurm, then the remote: a report that is pushed meanwhile is not missed."""
        seen = self.look_if_possible()
        if self.remote_error is not None:
            raise self.remote_error
        return seen

    def look_if_possible(self) -> Sequence[FeatureProgress]:
        """The same; only at Slurm if the remote can't be read: see :attr:`remote_error`."""
        jobs = self.slurm.jobs()
        self.remote_error = None
        try:
            reports = reports_of(self.submission.settings.remote, self.submission.run, os.environ)
        except UserError as error:
            self.remote_error = error
            return self._see(jobs, None)
        return self._see(jobs, reports)

    def look_at_jobs(self) -> Sequence[FeatureProgress]:
        """Ask Slurm alone: jobs can be stopped while the remote does not answer."""
        return self._see(self.slurm.jobs(), None)

    def _see(
        self, jobs: Sequence[Job], reports: Mapping[str, Reported] | None
    ) -> Sequence[FeatureProgress]:
        if not self.is_recorded:
            self._keep_what_is_known(jobs, reports or {})
        goes_on = not self.submission.is_complete and self._is_submitting()
        self.is_interrupted = not (self.submission.is_complete or goes_on)
        self.jobs = chosen_jobs(self.submission, jobs)
        self.features = progress(self.submission, jobs, reports, goes_on=goes_on)
        return self.features

    def _is_submitting(self) -> bool:
        holder = self.project.lock.holder()
        return holder is not None and holder.command in SUBMITTING

    def _keep_what_is_known(self, jobs: Iterable[Job], reports: Mapping[str, Reported]) -> None:
        """Without a record, only what has a job or a report belongs to the run."""
        known = {feature_of(job.name, self.submission.run) for job in jobs} | reports.keys()
        needs = {
            id: tuple(other for other in needed if other in known)
            for id, needed in self.submission.needs.items()
            if id in known
        }
        if not needs:
            raise self.remote_error or UserError(
                N_("neither Slurm nor {remote} knows a run {run}").format(
                    remote=self.submission.settings.remote, run=self.submission.run
                ),
                hint=N_("rorchestrator status --engine slurm shows the last one"),
            )
        self.submission = replace(self.submission, needs=needs)

    def stop(self, ids: Sequence[str], tell: Callable[[int], None]) -> Sequence[FeatureProgress]:
        """End the jobs of features, of all without ids, and wait until they have ended.

        ``tell`` gets the number of jobs that are awaited. Returns the features that were stopped.
        """
        active = self._active(ids)
        stopped = [id for id in self.submission.needs if id in active]
        self.slurm.ask_to_end(active.values())
        if active:
            tell(len(active))
        if not self._have_ended(stopped, GRACE_SECONDS):
            self.slurm.cancel(self._active(stopped).values())
            self._have_ended(stopped, SETTLE_SECONDS)
        if stopped and self.is_recorded:
            self._note_cancelled(stopped)
        found = {feature.id: feature for feature in self.look_if_possible()}
        return [found[id] for id in stopped]

    def _note_cancelled(self, ids: Sequence[str]) -> None:
        """Note what was stopped, for the time when Slurm forgets it.

        Nothing is noted if a ``retry`` holds the lock for longer than :data:`SETTLE_SECONDS`.
        """
        deadline = time.monotonic() + SETTLE_SECONDS
        while not self._noted(ids) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def _noted(self, ids: Sequence[str]) -> bool:
        """Write the record, unless a command that submits jobs is about to."""
        folder = self.project.journal.folder
        with self.project.lock.kept_free() as is_free:
            if not is_free and self._is_submitting():
                return False
            # Another command can have written it while this one waited.
            now = record.load(folder, self.submission.run) or self.submission
            cancelled = tuple(dict.fromkeys((*now.cancelled, *ids)))
            self.submission = replace(now, cancelled=cancelled)
            record.save(folder, self.submission)
        return True

    def _have_ended(self, ids: Sequence[str], seconds: float) -> bool:
        """Wait until jobs have ended, at most ``seconds``; whether they have."""
        deadline = time.monotonic() + seconds
        while ids:
            self.jobs = chosen_jobs(self.submission, self.slurm.jobs())
            if not self._active(ids):
                break
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _active(self, ids: Sequence[str]) -> dict[str, Job]:
        return {
            id: job for id, job in self.jobs.items() if job.is_active and (not ids or id in ids)
        }

    def sweep(self) -> bool:
        """Remove the file with keys if no job is in progress; whether there was one.

        A ``retry`` that began since the look needs it.
        """
        path = self.submission.settings.environment
        if not (path and self.is_over and os.path.exists(path)):
            return False
        with self.project.lock.kept_free() as is_free:
            now = record.load(self.project.journal.folder, self.submission.run)
            return is_free and now == self.submission and environment_file.remove(path)

    def output_of(self, feature: FeatureProgress) -> str:
        """The file with the output of a feature's job; empty without one."""
        folder = self.submission.settings.folder
        path = os.path.join(folder, f"{feature.id}.{feature.job}.out")
        return path if folder and feature.job and os.path.exists(path) else ""

    def last_lines(self, path: str) -> list[str]:
        """The last lines of an output, masked."""
        with open(path, "rb", opener=only_regular) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - SHOWN_BYTES))
            text = self.project.mask(file.read().decode("utf-8", "replace"))
        return text.strip().split("\n")[-SHOWN_LINES:]

    def to_json(self) -> dict[str, object]:
        """The run as JSON."""
        costs = [feature.cost_usd for feature in self.features if feature.cost_usd is not None]
        counts = {phase.value: 0 for phase in Phase}
        for feature in self.features:
            counts[feature.phase.value] += 1
        return {
            "engine": "slurm",
            "run_id": self.submission.run,
            "submitted_at": self.submission.submitted_at,
            "base_commit": self.submission.settings.base_commit,
            "remote": self.submission.settings.remote,
            "remote_error": self.remote_error.message if self.remote_error else "",
            "is_over": self.is_over,
            "is_complete": self.submission.is_complete,
            "counts": counts,
            "cost_usd": round(sum(costs), 6) if costs else None,
            "features": [
                {**feature.to_json(), "output": self.output_of(feature)}
                for feature in self.features
            ],
        }


def interrupted(
    submissions: Iterable[Submission], jobs: Iterable[Job]
) -> tuple[Submission, list[Job]] | None:
    """A submission that a kill interrupted, with the jobs that it left, some of them held."""
    active = [job for job in jobs if job.is_active]
    for submission in submissions:
        found = [job for job in active if feature_of(job.name, submission.run)]
        if any(job.is_held for job in found) and not submission.is_complete:
            return submission, found
    return None


def sweep_ended(submissions: Iterable[Submission], jobs: Iterable[Job]) -> None:
    """Remove the files with keys of runs that ended since somebody looked at them."""
    names = [job.name for job in jobs if job.is_active]
    for submission in submissions:
        if not any(feature_of(name, submission.run) for name in names):
            environment_file.remove(submission.settings.environment)


def in_progress(
    submissions: Sequence[Submission], jobs: Iterable[Job], ids: Iterable[str]
) -> tuple[str, list[str]]:
    """A run with active jobs for some of these features, and those features."""
    wanted = set(ids)
    names = [job.name for job in jobs if job.is_active]
    for submission in reversed(submissions):
        features = [feature_of(name, submission.run) for name in names]
        found = [id for id in submission.needs if id in wanted and id in features]
        if found:
            return submission.run, found
    return "", []
