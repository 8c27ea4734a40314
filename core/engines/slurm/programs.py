"""Slurm's own programs: sbatch, squeue, scancel and scontrol, as of Slurm 20.11 and later."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ...model.errors import UserError
from ...model.excerpt import excerpt
from ...model.frozen import dataclass
from ...model.translate import N_
from ...process.environment import without_git
from ...process.spawner import Finished, Spawner, run_sync, which
from .jobs import PREFIX

PROGRAMS = ("sbatch", "squeue", "scancel", "scontrol")

CHANGING = ("SQUEUE_", "SCANCEL_")
"""Prefixes of variables that would change what squeue prints, or let scancel ask."""

UNWANTED = (
    *("SBATCH_WAIT", "SBATCH_ARRAY_INX", "SBATCH_ERROR", "SBATCH_DEBUG"),
    *("SBATCH_CLUSTERS", "SLURM_CLUSTERS"),
)
"""Variables with options that a submission can't have."""

FIELDS = "%i|%j|%T|%r|%N"
"""Id, name, state, reason and node; squeue(1), ``--format``."""

AT_ONCE = 500
"""The ids on one command line."""

WAITING = frozenset(
    {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"}
)
AT_WORK = frozenset(
    {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"}
)
"""squeue(1), "JOB STATE CODES"; all others have ended."""

HELD = "JobHeldUser"

PARSABLE = re.compile(r"^(\d+)(?:;\S*)?\s*\Z", re.MULTILINE)
"""With ``--parsable``: the id, and the cluster if there are several; a site's words can precede."""

SLOW_SECONDS = 10.0


@dataclass(frozen=True)
class Job:
    """A job as squeue shows it."""

    number: str
    name: str
    state: str
    reason: str = ""
    node: str = ""

    @property
    def is_waiting(self) -> bool:
        """Whether it has not started yet."""
        return self.state in WAITING

    @property
    def is_active(self) -> bool:
        """Whether it has not ended yet."""
        return self.is_waiting or self.state in AT_WORK

    @property
    def is_held(self) -> bool:
        """Whether it waits for its release."""
        return self.is_waiting and self.reason == HELD


class Slurm:
    """The programs of one cluster, for this user's jobs."""

    def __init__(
        self, environ: Mapping[str, str], tell_slow: Callable[[], None] = lambda: None
    ) -> None:
        self.spawner = Spawner()
        self.tell_slow = tell_slow
        """Called if sbatch needs long, as it does while the controller takes no more jobs."""
        kept = {n: v for n, v in without_git(environ).items() if n not in UNWANTED}
        self.environ = {n: v for n, v in kept.items() if not n.startswith(CHANGING)}

    def check(self) -> None:
        """Raise :class:`UserError` if one of the programs is not installed."""
        for program in PROGRAMS:
            if not which(program, self.environ):
                raise UserError(
                    N_("{program} was not found: this machine submits no jobs to Slurm").format(
                        program=program
                    ),
                    hint=N_("type it on a login node of the cluster, or correct PATH"),
                )

    def submit(self, argv: Sequence[str]) -> str:
        """Submit a job; its id. Raises :class:`UserError`."""
        with _telling(self.tell_slow):
            told = self._run(argv).text
        found = PARSABLE.search(told)
        if not found:
            raise UserError(
                N_("sbatch said no id of a job, but {said}").format(said=excerpt(told) or "–"),
                hint=N_("type sbatch --parsable --wrap true, and look what your site adds to it"),
            )
        return found[1]

    def jobs(self) -> list[Job]:
        """The jobs of this program that Slurm knows, also those that have just ended."""
        user = f"--user={os.geteuid()}"
        told = self._run(("squeue", "--noheader", "--states=all", user, f"--format={FIELDS}"))
        return list(_jobs(told.text))

    def release(self, numbers: Sequence[str]) -> None:
        """Release held jobs."""
        for some in _portions(numbers):
            self._run(("scontrol", "release", ",".join(some)))

    def ask_to_end(self, jobs: Iterable[Job]) -> None:
        """Cancel jobs that wait, and send SIGTERM to the command of each of the others.

        A plain scancel would signal Claude at the same time, whose end then looks like a failure.
        """
        found = list(jobs)
        # First those that wait: none may start because another ended.
        self.cancel(job for job in found if job.is_waiting)
        self._scancel([job for job in found if not job.is_waiting], "--batch", "--signal=TERM")

    def cancel(self, jobs: Iterable[Job]) -> None:
        """Cancel jobs: Slurm ends all of their processes, first with SIGTERM."""
        self._scancel(list(jobs))

    def _scancel(self, jobs: Sequence[Job], *options: str) -> None:
        for some in _portions([job.number for job in jobs]):
            self._run(("scancel", *options, *some))

    def _run(self, argv: Sequence[str]) -> Finished:
        finished = run_sync(self.spawner.run(argv, env=self.environ))
        if finished.code:
            said = excerpt(finished.complaint)
            raise UserError(
                N_("{program} failed: {said}").format(
                    program=argv[0], said=said or N_("exit {code}").format(code=finished.code)
                ),
                hint=N_("sinfo shows whether Slurm answers, and its partitions"),
            )
        return finished


@contextmanager
def _telling(tell: Callable[[], None]) -> Iterator[None]:
    timer = threading.Timer(SLOW_SECONDS, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _jobs(text: str) -> Iterator[Job]:
    for line in text.split("\n"):
        fields = line.split("|")
        if len(fields) == 5 and fields[1].startswith(PREFIX):
            number, name, state, reason, node = fields
            yield Job(number, name, state, "" if reason == "None" else reason, node)


def _portions(numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(numbers), AT_ONCE):
        yield numbers[start : start + AT_ONCE]
