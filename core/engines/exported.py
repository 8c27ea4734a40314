"""A feature list for an engine: a job for each feature, and the jobs that it waits for."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from .. import __version__
from ..dag.feature_inputs import digest
from ..dag.resolver import DAGResolver
from ..git.history import trailers_in
from ..model.decision import NEW, Action, Decision
from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.translate import N_, _
from ..process.spawner import run_sync
from ..project.decisions import decide
from ..project.open import OpenProject
from ..project.selection import Selection, wanted
from .earlier import TRAILER
from .lanes import lanes


def release(version: str) -> str:
    """The end of the address to install from; empty for the newest commit."""
    return "" if "dev" in version else f"@v{version}"


OURS = "git+https://github.com/RollandMELET/RoRchestrator.git"

INSTALL_OURS = f"pipx install {OURS}{release(__version__)}\n"
"""The script with which a fresh machine gets this program."""

INSTALL = "npm install --global @anthropic-ai/claude-code\n" + INSTALL_OURS
"""The same with Claude Code."""

MAX_TIME = "330m"
"""The ``--max-time`` of a feature's job: below the limit of the job."""

LONGEST_NAME = 94
"""A job's name with ``push-`` before it has less than the 100 characters that GitHub allows."""

LIMIT_MINUTES = 350
"""The limit of a feature's job, below the six hours of hosted machines: what is left after
:data:`MAX_TIME` is for the clone, the setup, and for handing over the work."""


@dataclass(frozen=True)
class Job:
    """The job of a feature."""

    id: str
    name: str
    """The id in letters, digits, ``-`` and ``_``, unique in any case of letters; a long one cut."""
    needs: tuple[str, ...] = ()
    """The features that must have completed, without those that these depend on."""
    after: str = ""
    """The feature before it in its lane, which must have ended, whatever its result."""
    lane: int = 0
    """The number of its lane, in which one feature runs at a time; 0 if no lanes are needed."""


@dataclass(frozen=True)
class Exported:
    """A feature list as an engine gets it."""

    list_file: str
    """The path of the list in the repository."""
    base: str
    jobs: tuple[Job, ...]
    """Each one after those that it waits for."""
    landed: tuple[str, ...]
    """Features without a job, because the base has their work."""
    words: tuple[str, ...]
    """The options that make the same selection."""
    digest: str
    """Of everything that decides the jobs; the same in every clone."""
    branch_prefix: str = "feature/"
    max_cost_usd: float | None = None
    """The budget of the list, which applies to each job."""
    allow_bypass: bool = False
    """Whether the list turns off Claude's permission checks, and the user allowed it."""
    skipped: tuple[str, ...] = ()
    """Features without a job, because the user skipped them here."""

    @property
    def bypass(self) -> str:
        """The option of ``run`` and ``export`` that allows it, behind a blank; else empty."""
        return " --allow-bypass" if self.allow_bypass else ""

    @property
    def last(self) -> tuple[Job, ...]:
        """The jobs that no feature depends on: when these have ended, all have."""
        needed = {id for job in self.jobs for id in job.needs}
        return tuple(job for job in self.jobs if job.id not in needed)

    def named(self, id: str) -> str:
        """The name of a feature's job."""
        return next(job.name for job in self.jobs if job.id == id)


def budget_of_each_job(export: Exported) -> list[str]:
    """What the user should know about the budget, as sentences; none without a budget."""
    if export.max_cost_usd is None:
        return []
    said = _("The budget of the list, ${usd:.2f}, applies to each of the {count} jobs.")
    return [said.format(usd=export.max_cost_usd, count=len(export.jobs))]


def exported(project: OpenProject, selection: Selection, max_parallel: int | None) -> Exported:
    """The selected features and their dependencies, without what has landed or is skipped.

    Raises :class:`UserError` if nothing is left, or if the list is not in the repository.
    """
    config, dag = project.config, project.dag
    slots = max_parallel or config.project.max_parallel
    chosen = dag.ancestors(id for id in dag.order() if id in wanted(selection, dag))
    state = project.state()
    decisions = decide(project, state, selection, hashed=bool(state.features))
    in_base = run_sync(trailers_in(project.git, [project.base_commit], TRAILER))
    landed = tuple(id for id in chosen if _has_landed(decisions[id], in_base))
    skipped = tuple(id for id in chosen if decisions[id].action is Action.LEAVE)
    left = [id for id in chosen if id not in skipped and id not in landed]
    if not left:
        raise UserError(
            N_("nothing to export: every feature has landed or is skipped"),
            hint=N_("rorchestrator status shows each feature"),
        )
    words = _words(selection, max_parallel)
    follows_from = [
        *(project.owner, config.project.branch_prefix, slots, words),
        {id: dag.features[id].depends_on for id in chosen},
        [id for id in chosen if id in in_base],
    ]
    return Exported(
        _in_repository(project.owner),
        config.project.base_branch,
        jobs_of(DAGResolver(dag.features[id] for id in left), slots),
        landed,
        words,
        digest(follows_from)[:16],
        config.project.branch_prefix,
        config.project.max_cost_usd,
        skipped=tuple(id for id in skipped if id not in landed),
    )


def _has_landed(decision: Decision, in_base: Collection[str]) -> bool:
    """Whether the base has a feature, by the journal; by commits if the journal has no entry."""
    return bool(decision.merged) or (decision.reason == NEW and decision.feature in in_base)


def jobs_of(dag: DAGResolver, max_parallel: int) -> tuple[Job, ...]:
    """The jobs of all features of a graph."""
    found = lanes(dag, max_parallel)
    lane = {id: number for number, ids in enumerate(found.lanes, 1) for id in ids}
    names = job_names(dag.features)
    jobs = {
        id: Job(id, names[id], direct(dag, id), found.before.get(id, ""), lane.get(id, 0))
        for id in dag.order()
    }
    waits = {id: (*job.needs, *filter(None, [job.after])) for id, job in jobs.items()}
    return tuple(jobs[id] for id in _sorted(waits))


def _sorted(waits: Mapping[str, Sequence[str]]) -> list[str]:
    from graphlib import TopologicalSorter

    return list(TopologicalSorter(waits).static_order())


def direct(dag: DAGResolver, id: str) -> tuple[str, ...]:
    """The dependencies of a feature without those that another of them depends on."""
    given = dag.dependencies[id]
    others = {known for each in given for known in dag.ancestors([each]) if known != each}
    return tuple(dict.fromkeys(each for each in given if each not in others))


def job_names(ids: Collection[str]) -> dict[str, str]:
    """For each id a name of letters, digits, ``-`` and ``_``; unique in any case of letters.

    No name is longer than :data:`LONGEST_NAME`.
    """
    names: dict[str, str] = {}
    taken = set()
    for id in sorted(ids, key=lambda id: (not _is_name(id), id)):
        plain = re.sub(r"[^A-Za-z0-9_-]", "-", id)
        name, number = plain[:LONGEST_NAME], 1
        while name.lower() in taken:
            number += 1
            end = f"-{number}"
            name = plain[: LONGEST_NAME - len(end)] + end
        taken.add(name.lower())
        names[id] = name
    return names


def _is_name(id: str) -> bool:
    """Whether an id stays as it is: such an id has the first choice."""
    return len(id) <= LONGEST_NAME and re.fullmatch(r"[A-Za-z0-9_-]+", id) is not None


def _words(selection: Selection, max_parallel: int | None) -> tuple[str, ...]:
    only = ("--only", ",".join(selection.only)) if selection.only else ()
    tag = () if selection.tag is None else ("--tag", selection.tag)
    return (*only, *tag, *(("--max-parallel", str(max_parallel)) if max_parallel else ()))


def _in_repository(owner: str) -> str:
    if owner.startswith("/"):
        raise UserError(
            N_("{list} is not in the repository, where other machines look for it").format(
                list=owner
            ),
            hint=N_("move the list into the repository and commit it"),
        )
    return owner
