"""The JSON reports of a run and of its features, and the files with them."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from ..journal import private_files
from ..model import next_steps
from ..model.attempt import Attempt, cost_of, usage_of
from ..model.costs import Cost
from ..model.errors import UserError
from ..model.frozen import dataclass
from ..model.json_values import Json
from ..model.outcome import Status
from ..model.state import Check, FeatureState, Run, RunState
from ..model.translate import _, shown
from .verdict_table import verdict_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.ledger import Ledger


@dataclass(frozen=True)
class RunReport:
    """The result of a run: its JSON report and its last lines are made from it."""

    state: RunState
    run: Run
    project_name: str
    waves: tuple[tuple[str, ...], ...]
    branches: tuple[str, ...]
    """Those branches of its features that exist."""
    up_to_date: tuple[str, ...] | None
    """``None`` if that is not known any more."""
    left: tuple[str, ...] | None = ()
    """Features that were skipped before the run, and their dependents."""
    max_cost_usd: float | None = None
    only_accepted: bool = False
    """Whether only what was accepted lands."""
    is_elsewhere: bool = False
    """Whether its worktrees and logs are on other machines: no command to type would find them."""

    @property
    def features(self) -> list[FeatureState]:
        """The features of the run, in its order."""
        return [self.state.feature(id) for id in self.run.features]

    @property
    def successful(self) -> int:
        """How many features completed."""
        return sum(feature.status is Status.COMPLETED for feature in self.features)

    @property
    def is_all(self) -> bool:
        """Whether the selection of the run left out no feature of its list."""
        run = {*self.run.features, *(self.up_to_date or ()), *(self.left or ())}
        return all(id in run for wave in self.waves for id in wave)

    @property
    def next_steps(self) -> list[tuple[str, str]]:
        """The commands to type after it, and their purposes."""
        if self.is_elsewhere:
            return []
        lands = "--merge" in self.run.provenance.command.split()
        return next_steps.after_run(
            self.features, is_all=self.is_all, lands=lands, only_accepted=self.only_accepted
        )

    @property
    def ended_at(self) -> float:
        """When the run ended; when it started, if its end is unknown."""
        return self.run.started_at if self.run.ended_at is None else self.run.ended_at

    @property
    def wall_ms(self) -> int:
        """How long the run took."""
        return _ms(self.ended_at - self.run.started_at)

    @property
    def total_ms(self) -> int:
        """The durations of all features, summed."""
        return sum(map(_duration_ms, self.features))

    @property
    def speedup(self) -> float:
        """The sum of the durations divided by the duration of the run."""
        return round(self.total_ms / self.wall_ms, 2) if self.wall_ms else 1.0

    @property
    def is_faster(self) -> bool:
        """Whether the speedup is worth a word: one feature, or features in a row, have none."""
        return self.speedup > 1

    @property
    def cost(self) -> Cost:
        """The cost of all attempts of this run."""
        return cost_of(self._attempts)

    @property
    def by_status(self) -> dict[str, int]:
        """How many features have each status, in the order of their features."""
        return dict(Counter(feature.status.value for feature in self.features))

    @property
    def versions(self) -> dict[str, Json]:
        """The versions of RoRchestrator and Claude Code, and the models, as far as known."""
        outcomes = [a.outcome for a in self._attempts if a.outcome is not None]
        return {
            "rorchestrator": self.run.provenance.version or None,
            "claude": _distinct(outcome.claude_version for outcome in outcomes),
            "models": _distinct(outcome.model for outcome in outcomes),
        }

    @property
    def cost_by_model(self) -> dict[str, float]:
        """What each model cost, as far as the results reported it, in USD."""
        return paid_by_model(self._attempts)

    @property
    def _attempts(self) -> list[Attempt]:
        return [a for feature in self.features for a in feature.of_run(self.run.id)]

    @property
    def ledger(self) -> Ledger:
        """What was spent without a result, and what would have saved most."""
        from ..model.ledger import ledger

        return ledger(self.state, self.run)

    def to_json(self) -> dict[str, Json]:
        """The report as ``docs/STATE.md`` describes it."""
        features, provenance = self.features, self.run.provenance
        return {
            "project_name": self.project_name,
            "run": self.run.id,
            "started_at": local_time(self.run.started_at),
            "finished_at": local_time(self.ended_at),
            "base_branch": self.run.base_branch,
            "base_commit": self.run.base_commit,
            "max_parallel": self.run.max_parallel,
            "list": self.run.owner or None,
            "command": provenance.command or None,
            "versions": self.versions,
            "exit_code": self.run.exit_code,
            "total_features": len(features),
            "successful": self.successful,
            "failed": len(features) - self.successful,
            "by_status": self.by_status,
            **cost_document(self.cost, "total_cost_usd"),
            "estimated_cost_usd": _rounded(provenance.estimated_usd),
            "cost_by_model": _each_rounded(self.cost_by_model),
            "max_cost_usd": self.max_cost_usd,
            "usage": vars(usage_of(self._attempts)).copy(),
            "total_duration_ms": self.total_ms,
            "wall_ms": self.wall_ms,
            "estimated_wall_ms": _milliseconds(provenance.estimated_seconds),
            "limit_wait_ms": _ms(self.run.limits.seconds),
            "pause_ms": _ms(self.run.pauses.seconds),
            "speedup": self.speedup,
            "waves": [list(wave) for wave in self.waves],
            "branches_created": list(self.branches),
            "errors": [
                {
                    "feature_id": feature.id,
                    "status": feature.status.value,
                    "error": feature.reason,
                    "fault": feature.fault.value,
                }
                for feature in features
                if feature.status is not Status.COMPLETED
            ],
            "features": [feature.id for feature in features],
            "up_to_date": None if self.up_to_date is None else list(self.up_to_date),
            "left_out": None if self.left is None else list(self.left),
            "waste": [entry.to_json() for entry in self.ledger.entries],
            "advice": [advice.to_json() for advice in self.ledger.advice],
        }


def feature_document(feature: FeatureState) -> dict[str, Json]:
    """The report of one feature."""
    work = feature.work
    attempts, paid = feature.attempts_of(feature.run), feature.of_run(feature.run)
    last = attempts[-1].outcome if attempts else None
    return {
        "feature_id": feature.id,
        "name": feature.name,
        "status": feature.status.value,
        "success": feature.status is Status.COMPLETED,
        "result": last.result if last else "",
        **cost_document(cost_of(paid)),
        "usage": vars(usage_of(paid)).copy(),
        "duration_ms": _duration_ms(feature),
        "num_turns": sum(a.outcome.num_turns for a in attempts if a.outcome),
        "session_id": feature.session_id,
        "started_at": local_time(feature.started_at),
        "finished_at": local_time(feature.ended_at),
        "attempts": [
            {
                "attempt": attempt.number,
                "session_id": attempt.session_id,
                "resumed": attempt.resumed,
                "status": attempt.outcome.status.value if attempt.outcome else None,
                "reason": attempt.outcome.reason if attempt.outcome else "",
                "cost_usd": _rounded(attempt.cost.usd),
                **_estimate(attempt.cost),
                "model": attempt.outcome.model if attempt.outcome else "",
                "started_at": local_time(attempt.started_at),
                "finished_at": local_time(attempt.ended_at),
                "log": attempt.log,
            }
            for attempt in attempts
        ],
        "cost_by_model": _each_rounded(paid_by_model(paid)),
        "branch": feature.branch,
        "start_commit": feature.work_start or None,
        "setup_cached": list(feature.setup_cached),
        "worktree": feature.worktree,
        "commit": work.commit if work else None,
        "files_changed": work.files_changed if work else 0,
        "insertions": work.insertions if work else 0,
        "deletions": work.deletions if work else 0,
        "held_back": list(work.held_back) if work else [],
        "denied_tools": list(last.denied_tools) if last else [],
        "strays": [vars(stray) for stray in feature.strays],
        "error": feature.reason or None,
        "fault": feature.fault.value if feature.status is not Status.COMPLETED else None,
        "last_check": check_document(feature.last_check),
        "verdicts": verdict_document(feature.verdicts.values()),
        "resume_command": next_steps.resume_command(feature) or None,
    }


def cost_document(cost: Cost, name: str = "cost_usd") -> dict[str, Json]:
    """A cost in a report: ``name`` is the key of the known part; an estimate is beside it."""
    return {name: _rounded(cost.usd), "cost_is_complete": cost.is_complete, **_estimate(cost)}


def paid_by_model(attempts: Iterable[Attempt]) -> dict[str, float]:
    """What each model cost, as far as the results reported it, in USD."""
    costs: dict[str, float] = {}
    for attempt in attempts:
        outcome = attempt.outcome
        if outcome is None:
            continue
        shares = {model: paid.cost_usd for model, paid in outcome.paid.items()}
        if not shares and outcome.model and outcome.cost_usd is not None:
            shares = {outcome.model: outcome.cost_usd}
        for model, usd in shares.items():
            costs[model] = costs.get(model, 0.0) + usd
    return costs


def _rounded(usd: float | None) -> float | None:
    return None if usd is None else round(usd, 6)


def _each_rounded(costs: Mapping[str, float]) -> dict[str, float | None]:
    return {name: _rounded(usd) for name, usd in costs.items()}


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, names)))


def _estimate(cost: Cost) -> dict[str, Json]:
    document: dict[str, Json] = {}
    if cost.about_usd is not None:
        document["cost_about_usd"] = _rounded(cost.about_usd)
    if cost.tokens_at_least:
        document["tokens_at_least"] = cost.tokens_at_least
    return document


def check_document(check: Check | None) -> dict[str, Json] | None:
    """The report of the last check of a feature's work."""
    if check is None:
        return None
    return {
        "command": check.command,
        "passed": check.passed,
        "ending": check.ending,
        "at": local_time(check.at),
    }


def _duration_ms(feature: FeatureState) -> int:
    if feature.started_at is None or feature.ended_at is None or not feature.in_slot:
        return 0
    return _ms(feature.ended_at - feature.started_at)


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else _ms(seconds)


def local_time(at: float | None) -> str | None:
    """ISO 8601 in the local zone, with the offset."""
    if at is None:
        return None
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds")


def write_reports(
    folder: str, document: Mapping[str, Json], results: Sequence[Mapping[str, Json]], at: float
) -> list[str]:
    """Write both reports of a run; their paths.

    Raises :class:`UserError` if they cannot be written.
    """
    try:
        make_report_folder(folder)
        stamp = _unused(folder, stamp_of(at))
        paths = [os.path.join(folder, f"{kind}_{stamp}.json") for kind in ("report", "results")]
        for path, value in zip(paths, (document, list(results))):
            write_whole(path, json.dumps(value, indent=2) + "\n")
    except OSError as error:
        raise UserError(
            _("the reports could not be written to {folder}: {strerror}").format(
                folder=folder, strerror=shown(error.strerror or "")
            ),
            hint=_("branches and results are safe in git; rorchestrator status shows them"),
        ) from None
    return paths


def make_report_folder(folder: str) -> None:
    """Make the folder of reports, which git ignores. Raises ``OSError``."""
    private_files.make_folder(folder, mode=0o777)
    ignore = os.path.join(folder, ".gitignore")
    if not os.path.lexists(ignore):
        write_whole(ignore, "*\n")


def stamp_of(at: float) -> str:
    """The part of the names of reports that tells when their run ended."""
    return datetime.fromtimestamp(at).strftime("%Y%m%d_%H%M%S")


def written_report(folder: str, run: str, ended_at: float) -> tuple[str, dict[str, Json]]:
    """The path and the content of the JSON report of a run; both empty if there is none."""
    import glob

    begin = os.path.join(glob.escape(folder), f"report_{stamp_of(ended_at)}")
    for path in sorted(glob.glob(f"{begin}*.json")):
        with suppress(OSError, ValueError, RecursionError):
            with open(path, encoding="utf-8", opener=private_files.only_regular) as file:
                document = json.load(file)
            if isinstance(document, dict) and document.get("run") == run:
                return path, document
    return "", {}


def _unused(folder: str, stamp: str) -> str:
    """``stamp``, with a number if a report of the same second exists."""
    unused, number = stamp, 2
    while os.path.exists(os.path.join(folder, f"report_{unused}.json")):
        unused, number = f"{stamp}_{number}", number + 1
    return unused


def write_whole(path: str, content: str | bytes, *, like: os.stat_result | None = None) -> None:
    """Write a file atomically: whole or not at all; with the mode and owner of the file ``like``.

    The owner is kept where the system permits it.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        descriptor = private_files.open_file(temporary, os.O_WRONLY | os.O_TRUNC, 0o666)
        with open(descriptor, "wb") as file:
            if like is not None:
                with suppress(PermissionError):
                    os.fchown(descriptor, like.st_uid, like.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
            file.write(content if isinstance(content, bytes) else content.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise
