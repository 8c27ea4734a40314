"""What one machine tells the others: a claim when a feature begins, its report at the end.

Both are files of a commit at ``refs/rorchestrator/runs/<run>/<feature>``. A commit's first parent
is what was there before, so that the history of the ref is that of the attempts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..model import event_json
from ..model.errors import UserError
from ..model.events import Event
from ..model.frozen import dataclass, field, replace
from ..model.json_values import Json, integer, strings
from ..model.outcome import Status
from ..model.translate import N_

RUNS = "refs/rorchestrator/runs/"
"""``<run>/<feature>``: the claim or the report of a feature in a run on many machines."""

CLAIM = "claim.json"
REPORT = "report.json"

FORMAT = 1

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Listed:
    """A feature of the list: what a joined report needs to know of it."""

    id: str
    name: str
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claim:
    """An attempt at a feature that a machine started."""

    attempt: int
    host: str = ""
    pid: int = 0
    at: str = ""

    def to_json(self) -> dict[str, Json]:
        """As ``claim.json`` has it."""
        return {"format": FORMAT, **vars(self)}


@dataclass(frozen=True)
class FeatureReport:
    """How an attempt at a feature ended, on one machine."""

    run_id: str
    feature: str
    attempt: int
    status: Status
    reason: str = ""
    branch: str = ""
    commit: str = ""
    """The tip to push to the branch: the result, or work that was kept; empty if there is none."""
    start_commit: str = ""
    base_branch: str = ""
    base_commit: str = ""
    key: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """The inputs of the feature, as every decision has them."""
    branch_lease: str = ""
    """The commit of the branch on the remote before; empty if there was none."""
    report_lease: str = ""
    """The commit of the report's ref before."""
    listed: tuple[Listed, ...] = ()
    """The features of the list that have not landed."""
    project: str = ""
    max_parallel: int = 1
    events: tuple[Event, ...] = ()
    """The events of all attempts in this run, in order."""
    document: Mapping[str, Json] = field(default_factory=dict)
    """The report as ``report --json`` prints it."""

    @property
    def is_complete(self) -> bool:
        """Whether the feature completed."""
        return self.status is Status.COMPLETED

    @property
    def last_number(self) -> int:
        """The number of its last attempt of Claude."""
        numbers = [integer(event.data, "attempt") for event in self.events]
        return max([1, *numbers])

    def story(self, since: float) -> Iterator[Event]:
        """The events, with times that never go back; ``since`` is the earliest."""
        late, last = 0.0, since
        for event in self.events:
            late = max(late, last - event.at)
            last = event.at + late
            yield replace(event, at=last) if late else event

    def to_json(self) -> dict[str, Json]:
        """As ``report.json`` has it."""
        return {
            "format": FORMAT,
            "run_id": self.run_id,
            "feature": self.feature,
            "attempt": self.attempt,
            "status": self.status.value,
            "completed": self.is_complete,
            "reason": self.reason,
            "branch": self.branch,
            "commit": self.commit or None,
            "start_commit": self.start_commit or None,
            "base_branch": self.base_branch,
            "base_commit": self.base_commit or None,
            "key": self.key,
            "inputs": dict(self.inputs),
            "branch_lease": self.branch_lease or None,
            "report_lease": self.report_lease or None,
            "project": self.project,
            "max_parallel": self.max_parallel,
            "list": [
                {"id": each.id, "name": each.name, "depends_on": list(each.depends_on)}
                for each in self.listed
            ],
            "report": dict(self.document),
            "events": [event_json.to_json(event) for event in self.events],
        }


def stories(
    reports: Iterable[FeatureReport], needs: Mapping[str, Sequence[str]]
) -> dict[str, list[Event]]:
    """The events of each feature, with times that fit together: the clocks of machines differ.

    An attempt begins after the earlier ones, and a feature after those that it ``needs``, whose
    reports come before its own.
    """
    found: dict[str, list[Event]] = {}
    for report in reports:
        ends = [found[id][-1].at for id in needs.get(report.feature, ()) if found.get(id)]
        found[report.feature] = list(report.story(max(ends, default=0.0)))
    return found


def report_ref(run_id: str, feature: str) -> str:
    """The ref of a feature's claim and report."""
    return f"{RUNS}{run_id}/{feature}"


def encoded(document: Mapping[str, Json]) -> bytes:
    """A document as a file."""
    return f"{json.dumps(document, indent=1)}\n".encode()


def claim_in(content: bytes) -> Claim:
    """The claim in a file; attempt 0 if there is none."""
    document = _object(content)
    return Claim(
        integer(document, "attempt"),
        str(document.get("host", "")),
        integer(document, "pid"),
        str(document.get("at", "")),
    )


def report_in(content: bytes, name: str) -> FeatureReport:
    """The report in a file called ``name``. Raises :class:`UserError` if it is not one."""
    document = _object(content)
    try:
        return _report(document)
    except (ValueError, RecursionError) as error:
        raise UserError(
            N_("{name} is not a report of run --report: {error}").format(name=name, error=error),
            hint=N_("name files that run --report wrote"),
        ) from None


def _object(content: bytes) -> dict[str, Json]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _report(document: Mapping[str, Json]) -> FeatureReport:
    if document.get("format") != FORMAT:
        raise ValueError(N_("its format is unknown"))
    status = Status(_text(document, "status"))
    if status.active or status is Status.PENDING:
        raise ValueError(N_("{status} is not an outcome").format(status=status.value))
    inputs = document.get("inputs")
    report = document.get("report")
    return FeatureReport(
        run_id=_text(document, "run_id"),
        feature=_text(document, "feature"),
        attempt=integer(document, "attempt"),
        status=status,
        reason=_text(document, "reason"),
        branch=_text(document, "branch"),
        commit=_commit(document, "commit"),
        start_commit=_commit(document, "start_commit"),
        base_branch=_text(document, "base_branch"),
        base_commit=_commit(document, "base_commit"),
        key=_text(document, "key"),
        inputs=_texts(inputs if isinstance(inputs, dict) else {}),
        branch_lease=_commit(document, "branch_lease"),
        report_lease=_commit(document, "report_lease"),
        project=_text(document, "project"),
        max_parallel=max(1, integer(document, "max_parallel")),
        listed=tuple(map(_listed, _list(document, "list"))),
        document=report if isinstance(report, dict) else {},
        events=tuple(map(event_json.from_json, _list(document, "events"))),
    )


def _listed(value: Json) -> Listed:
    if not isinstance(value, dict):
        raise ValueError(N_("{name!r} is not a list of objects").format(name="list"))
    return Listed(_text(value, "id"), _text(value, "name"), strings(value, "depends_on"))


def _text(document: Mapping[str, Json], name: str) -> str:
    value = document.get(name, "")
    if not isinstance(value, str) or not (name == "reason" or value.isprintable()):
        raise ValueError(N_("{name!r} is not a text").format(name=name))
    return value


def _texts(values: Mapping[str, Json]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def _commit(document: Mapping[str, Json], name: str) -> str:
    value = document.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError(N_("{name!r} is not a commit").format(name=name))
    return value


def _list(document: Mapping[str, Json], name: str) -> Sequence[Json]:
    value = document.get(name, [])
    if not isinstance(value, list):
        raise ValueError(N_("{name!r} is not a list of objects").format(name=name))
    return value
