"""The progress of a run on Slurm, from squeue and the reports on the remote.

Slurm forgets jobs that ended, so the report of a feature says how it ended. A job in progress
counts more than a report, which may be that of an earlier job. Where the remote can't be read, the
state of a job has to do: a job succeeds only if its feature completed and its work was pushed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...model.frozen import Enum, dataclass
from ...model.outcome import Status
from ...model.translate import N_
from .jobs import feature_of
from .programs import Job
from .submission import Submission


class Phase(Enum):
    """Where a feature is."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    """Slurm does not know its job any more, and there is no report."""
    UNKNOWN = "unknown"
    """Slurm does not know its job any more, and the remote can't be read."""

    @property
    def is_active(self) -> bool:
        """Whether its job is in progress."""
        return self in (Phase.PENDING, Phase.RUNNING)


@dataclass(frozen=True)
class Reported:
    """What the report of a feature says; ``status`` is empty while its attempt is in progress."""

    status: str
    reason: str = ""
    commit: str = ""
    cost_usd: float | None = None
    machine: str = ""


@dataclass(frozen=True)
class FeatureProgress:
    """One feature of a run."""

    id: str
    phase: Phase
    why: str = ""
    job: str = ""
    node: str = ""
    commit: str = ""
    cost_usd: float | None = None
    has_report: bool = False

    def to_json(self) -> dict[str, object]:
        """The feature as JSON."""
        return {
            "id": self.id,
            "phase": self.phase.value,
            "why": self.why,
            "job": self.job,
            "node": self.node,
            "commit": self.commit,
            "cost_usd": self.cost_usd,
        }


ENDED = {
    "BOOT_FAIL": N_("its node did not boot"),
    "DEADLINE": N_("Slurm's deadline for the job has passed"),
    "NODE_FAIL": N_("its node failed"),
    "OUT_OF_MEMORY": N_("its job needed more memory than it may use"),
    "PREEMPTED": N_("its job was preempted"),
    "TIMEOUT": N_("its job reached the time limit of Slurm"),
}
"""Why a job ended without a report, by its state."""

NEVER = "DependencyNeverSatisfied"
NO_LAUNCH = "JobLaunchFailure"

UNFINISHED = (Phase.FAILED, Phase.CANCELLED, Phase.LOST)
"""Where a feature ended that can be submitted again."""


def chosen_jobs(submission: Submission, jobs: Iterable[Job]) -> dict[str, Job]:
    """The job of each feature: the one in progress, else the recorded one, else the last."""
    found: dict[str, list[Job]] = {}
    for job in jobs:
        id = feature_of(job.name, submission.run)
        if id in submission.needs:
            found.setdefault(id, []).append(job)

    def weight(id: str, job: Job) -> tuple[bool, bool, int]:
        number = int(job.number) if job.number.isdigit() else 0
        return job.is_active, job.number == submission.jobs.get(id), number

    return {id: max(some, key=lambda job: weight(id, job)) for id, some in found.items()}


def progress(
    submission: Submission,
    jobs: Iterable[Job],
    reports: Mapping[str, Reported] | None,
    *,
    goes_on: bool = False,
) -> tuple[FeatureProgress, ...]:
    """Where each feature is, in the order of the jobs.

    ``reports`` is ``None`` if none can be read. While the submission itself ``goes_on``, jobs are
    still to come.
    """
    chosen = chosen_jobs(submission, jobs)
    found: dict[str, FeatureProgress] = {}
    for id in submission.needs:
        report = Reported("") if reports is None else reports.get(id, Reported(""))
        known = None if reports is None else report
        phase, why = _phase(submission, id, chosen.get(id), known, found)
        if goes_on and id not in chosen and not report.status:
            phase, why = Phase.PENDING, N_("it is not submitted yet")
        job = chosen[id].number if id in chosen else submission.jobs.get(id, "")
        node = chosen[id].node if id in chosen and phase is Phase.RUNNING else ""
        found[id] = FeatureProgress(
            *(id, phase, why, job, node or report.machine, report.commit, report.cost_usd),
            has_report=bool(report.status),
        )
    return tuple(found.values())


def _phase(
    submission: Submission,
    id: str,
    job: Job | None,
    report: Reported | None,
    others: Mapping[str, FeatureProgress],
) -> tuple[Phase, str]:
    if job is not None and job.is_waiting:
        return Phase.PENDING, _waits_for(submission, id, job, others)
    if job is not None and job.is_active:
        return Phase.RUNNING, ""
    if report and report.status == Status.COMPLETED.value:
        return Phase.COMPLETED, ""
    if job is not None and job.reason == NEVER:
        return Phase.CANCELLED, _blocked_by(submission, id, others)
    if report and report.status:
        is_cancelled = report.status == Status.CANCELLED.value
        return Phase.CANCELLED if is_cancelled else Phase.FAILED, report.reason or report.status
    if id in submission.cancelled or (job is not None and job.state == "CANCELLED"):
        return Phase.CANCELLED, N_("its job was cancelled")
    if report is None:
        return _by_job_alone(job)
    if job is None:
        return _without_job(submission, id, report, others)
    return Phase.FAILED, _end_of(job, N_("its job ended without a report"))


def _by_job_alone(job: Job | None) -> tuple[Phase, str]:
    if job is None:
        return Phase.UNKNOWN, N_("Slurm does not know its job any more")
    if job.state == "COMPLETED":
        return Phase.COMPLETED, ""
    return Phase.FAILED, _end_of(job, N_("its job failed"))


def _end_of(job: Job, otherwise: str) -> str:
    if job.reason == NO_LAUNCH:
        return N_(
            "its node could not start it: does the node see the folder of the run (--folder)?"
        )
    return ENDED.get(job.state, otherwise)


def _without_job(
    submission: Submission, id: str, report: Reported, others: Mapping[str, FeatureProgress]
) -> tuple[Phase, str]:
    """Slurm forgets a job that ended: what is known of a feature that left no report."""
    if not report.machine:  # It has claimed nothing.
        if any(others[other].phase in UNFINISHED for other in submission.needs[id]):
            return Phase.CANCELLED, _blocked_by(submission, id, others)
        if not submission.is_complete:
            return Phase.CANCELLED, N_("its submission was interrupted")
    return Phase.LOST, N_("Slurm does not know its job any more, and there is no report")


def _waits_for(
    submission: Submission, id: str, job: Job, others: Mapping[str, FeatureProgress]
) -> str:
    if job.reason == NEVER:
        return N_("Slurm is about to cancel it: a dependency did not complete")
    if job.is_held:
        return N_("held: it was not released")
    unfinished = [
        other
        for other in submission.needs[id]
        if other not in others or others[other].phase is not Phase.COMPLETED
    ]
    if unfinished:
        return N_("waits for {ids}").format(ids=", ".join(unfinished))
    if job.reason == "Dependency":
        return N_("waits for a slot (max_parallel)")
    if not job.reason:
        return N_("waits for Slurm")
    return N_("waits for Slurm ({reason})").format(reason=job.reason)


def _blocked_by(submission: Submission, id: str, others: Mapping[str, FeatureProgress]) -> str:
    ended = {id for id, each in others.items() if not each.phase.is_active}
    failed = [
        other
        for other in submission.needs[id]
        if other in ended and others[other].phase is not Phase.COMPLETED
    ]
    return N_("did not start: {ids} did not complete").format(ids=", ".join(failed) or "?")


def is_over(features: Sequence[FeatureProgress]) -> bool:
    """Whether no job is in progress."""
    return not any(feature.phase.is_active for feature in features)
