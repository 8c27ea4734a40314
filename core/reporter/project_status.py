"""`ProjectStatus`: a project, its features, their checkouts and predicted conflicts, as JSON."""

from __future__ import annotations

from ..model.frozen import dataclass
from ..model.review import Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..journal.lock import Holder
    from ..model.cached_setup import CachedSetup
    from ..model.json_values import Json
    from ..model.outcome import Stray
    from ..model.state import FeatureState, Run
    from ..model.window import Window


@dataclass(frozen=True)
class PredictedConflict:
    """A feature that this one will not merge with."""

    other: str
    files: tuple[str, ...]
    unknown: str = ""
    """Why git cannot tell whether the conflict still exists; empty if it does."""

    def to_json(self) -> dict[str, Json]:
        """An entry of ``clashes``."""
        document: dict[str, Json] = {"with": self.other, "files": list(self.files)}
        return {**document, "unknown": self.unknown} if self.unknown else document


@dataclass(frozen=True)
class Checkout:
    """What git knows of a feature: its branch and its worktree."""

    branch: str = ""
    commit: str = ""
    ahead: int = 0
    """Commits that are not on the base branch."""
    merged: str = ""
    """How the base branch holds the work; empty if it does not."""
    unknown: str = ""
    """Why git cannot tell whether the work is merged, or what has changed."""
    by_hand: str = ""
    """How the user changed the branch after the feature completed."""
    worktree: str = ""
    uncommitted: tuple[str, ...] = ()
    maybe_changed: tuple[tuple[str, str], ...] = ()
    """Files that only a filter could compare, each with the name of that filter."""
    conflicts: tuple[PredictedConflict, ...] = ()
    problem: str = ""
    """Why some of the above is missing."""

    def to_json(self) -> dict[str, Json]:
        """The part of a feature's status that is from git."""
        return {
            "branch": self.branch or None,
            "commit": self.commit or None,
            "ahead": self.ahead,
            "merged": self.merged or None,
            "unknown": self.unknown or None,
            "by_hand": self.by_hand or None,
            "worktree": self.worktree or None,
            "uncommitted": list(self.uncommitted),
            "maybe_changed": [
                {"file": file, "filter": filter} for file, filter in self.maybe_changed
            ],
            "clashes": [conflict.to_json() for conflict in self.conflicts],
            "problem": self.problem or None,
        }


@dataclass(frozen=True)
class FeatureStatus:
    """The status of one feature at a moment."""

    state: FeatureState
    name: str
    in_list: bool
    at: float
    is_active: bool
    """Whether a run is working on it."""
    checkout: Checkout
    out_of_date: str = ""
    """Which input changed since it started, if the run took up a changed list meanwhile."""

    @property
    def id(self) -> str:
        """The feature's id."""
        return self.state.id

    @property
    def status(self) -> str:
        """The status; ``interrupted`` if the run that worked on the feature was killed."""
        was_killed = self.state.status.active and not self.is_active
        return "interrupted" if was_killed else self.state.status.value

    @property
    def answer(self) -> Answer | None:
        """The reviewer's answer to its work as it is; a rejection lasts until it starts over."""
        review, work = self.state.review, self.state.work
        if review.is_rejected:
            return Answer.REJECTED
        tip = self.checkout.commit or (work.commit if work else "")
        return Answer.ACCEPTED if review.is_accepted(tip) else None

    @property
    def duration_seconds(self) -> float | None:
        """How long the feature has taken; ``None`` if its start or its end is unknown."""
        until = self.at if self.is_active else self.state.ended_at
        if self.state.started_at is None or until is None:
            return None
        return round(max(0.0, until - self.state.started_at), 3)

    @property
    def resolution_cost_usd(self) -> float | None:
        """The cost of resolving its conflicts; ``None`` if that is unknown."""
        if not self.state.resolutions:
            return 0.0
        from ..model.attempt import cost_of

        return cost_of(self.state.resolutions).usd

    def to_json(self) -> dict[str, Json]:
        """An entry of ``features``."""
        from .documents import check_document, cost_document, local_time

        state = self.state
        return {
            "id": state.id,
            "name": self.name,
            "in_list": self.in_list,
            "list": state.owner or None,
            "status": self.status,
            "active": self.is_active,
            "out_of_date": self.out_of_date or None,
            "reason": state.reason,
            **cost_document(state.cost),
            "resolution_cost_usd": self.resolution_cost_usd,
            "duration_seconds": self.duration_seconds,
            "started_at": local_time(state.started_at),
            "finished_at": local_time(state.ended_at),
            "attempts": len(state.attempts),
            "session_id": state.session_id or None,
            "fault": state.fault.value if state.status.unsuccessful else None,
            "set_up": state.is_ready,
            "setup_cached": list(state.setup_cached),
            "last_check": check_document(state.last_check),
            "review": {
                "answer": self.answer.value if self.answer else None,
                "open_comments": len(state.review.open_comments),
            },
            "pull_request": None if state.pull_request is None else dict(vars(state.pull_request)),
            **self.checkout.to_json(),
        }


@dataclass(frozen=True)
class ProjectStatus:
    """The status of a project: its list and repository, the current and the last run, features."""

    project_name: str
    repository: str
    git_folder: str
    base_branch: str
    base_commit: str
    config: str
    """The path of the feature list."""
    owner: str
    """The list as the journal names it."""
    other_lists: tuple[str, ...]
    """Other lists of the repository that have branches or worktrees."""
    claude: str
    """What Claude answered about its version; empty if it was not found."""
    holder: Holder | None
    """The process that holds the lock."""
    run: Run | None
    """The last run."""
    features: tuple[FeatureStatus, ...]
    strays: tuple[tuple[str, Stray], ...]
    """Branches and worktrees of no feature, each with the id of the feature that left it."""
    windows: tuple[Window, ...] = ()
    """How full the windows of usage limits are, the fullest first."""
    list_fault: str = ""
    """Why the list cannot be used; what the journal knows is shown then."""
    setups: tuple[CachedSetup, ...] = ()
    """The entries of the setup cache."""
    at: float = 0.0

    @property
    def is_paused(self) -> bool:
        """Whether the user paused the current run."""
        return self._current is not None and self._current.is_paused

    @property
    def unreviewed(self) -> int:
        """For how many features to be reviewed the current run waits with what is new."""
        return 0 if self._current is None else self._current.unreviewed

    @property
    def _current(self) -> Run | None:
        run, holder = self.run, self.holder
        is_current = holder is not None and run is not None and run.pid == holder.pid
        return run if is_current else None

    def to_json(self) -> dict[str, Json]:
        """What ``status --json`` prints."""
        from .documents import local_time

        return {
            "project_name": self.project_name,
            "repository": self.repository,
            "base_branch": self.base_branch,
            "base_commit": self.base_commit,
            "config": self.config,
            "list": self.owner,
            "other_lists": list(self.other_lists),
            "claude": self.claude or None,
            "running": vars(self.holder).copy() if self.holder is not None else None,
            "paused": self.is_paused,
            "unreviewed": self.unreviewed,
            "last_run": _run_document(self.run) if self.run is not None else None,
            "features": [feature.to_json() for feature in self.features],
            "windows": [
                {
                    "type": window.type,
                    "utilization": window.utilization,
                    "resets_at": local_time(window.resets_at),
                }
                for window in self.windows
            ],
            "list_fault": self.list_fault or None,
            "setup_cache": [each.to_json(self.at) for each in self.setups],
            "strays": [{"feature": id or None, **vars(stray)} for id, stray in self.strays],
        }


def _run_document(run: Run) -> dict[str, Json]:
    from .documents import local_time

    return {
        "run": run.id,
        "list": run.owner or None,
        "started_at": local_time(run.started_at),
        "finished_at": local_time(run.ended_at),
        "exit_code": run.exit_code,
        "paused_until": run.paused_until or None,
    }
