"""The events of the journal: a constructor for each kind. See `docs/EVENTS.md`.

Times are seconds since 1970 in memory and ISO 8601 in JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from .control_action import ControlAction
from .decision import Decision
from .excerpt import listed
from .frozen import dataclass, field, replace
from .json_values import Json
from .outcome import AttemptOutcome, FeatureOutcome, Stray
from .outcome_json import attempt_data, feature_data
from .provenance import Provenance, provenance_data
from .strategy import Strategy
from .window import Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .state import Move

VERSION = 1
"""The version of the JSON format. It changes if older readers would misread a new event."""


TOLD_LINES = 3_000
TOLD_CHARACTERS = 70_000
"""The limits of a text: somewhat above those of Claude's result."""

LATEST = 250_000_000_000.0
"""The latest valid time, in the year 9892: later ones can't be shown in every time zone."""


EXACT = frozenset(
    (
        *(
            "action",
            "attempt",
            "base_branch",
            "base_commit",
            "branch",
            "commit",
            "depends_on",
            "digest",
            "fault",
            "features",
        ),
        *("inputs", "into", "kept_ref", "key", "log", "made", "merged_into", "other", "request"),
        *("session_id", "start_commit", "status", "strategy", "tip", "until", "worktree"),
        *(
            "answer",
            "comment",
            "comments",
            "remote",
            "seen",
            "verdict",
            "branches",
            "moved_from",
            "refs",
        ),
        *("changed", "gone", "joined", "out_of_date"),
    )
)
"""The keys whose values are never masked: the next run needs them. The rest is for people."""


@dataclass(frozen=True)
class Event:
    """An event at ``at`` (seconds since 1970), of a run and a feature if it has one."""

    kind: str
    at: float
    run: str
    feature: str = ""
    data: Mapping[str, Json] = field(default_factory=dict)


def run_started(
    at: float,
    run: str,
    *,
    pid: int,
    base_branch: str,
    base_commit: str,
    features: Sequence[str],
    max_parallel: int,
    base_option: str = "",
    owner: str = "",
    provenance: Provenance | None = None,
) -> Event:
    """A run pinned its base commit and starts with ``features`` of the list ``owner``.

    ``base_option`` is the value of ``--base``.
    """
    data: dict[str, Json] = {
        "pid": pid,
        "base_branch": base_branch,
        "base_commit": base_commit,
        "features": list(features),
        "max_parallel": max_parallel,
    }
    if base_option:
        data["base_option"] = base_option
    if owner:
        data["list"] = owner
    if provenance is not None:
        data.update(provenance_data(provenance))
    return Event("run_started", at, run, data=data)


def claimed(at: float, owner: str, features: Sequence[str]) -> Event:
    """The list ``owner`` takes over features of a list that was moved or not recorded."""
    return Event("claimed", at, "", data={"list": owner, "features": list(features)})


def replaced(at: float, owner: str, features: Sequence[str]) -> Event:
    """The list ``owner`` reuses ids of another list, whose work has landed."""
    return Event("replaced", at, "", data={"list": owner, "features": list(features)})


def run_ended(at: float, run: str, *, exit_code: int) -> Event:
    """A run ended with this exit code."""
    return Event("run_ended", at, run, data={"exit_code": exit_code})


def preparing(
    at: float, run: str, decision: Decision, *, branch: str, worktree: str, name: str
) -> Event:
    """A feature's worktree is about to be created, or reopened."""
    return Event(
        "preparing",
        at,
        run,
        decision.feature,
        {
            "action": decision.action.value,
            "why": decision.reason,
            "name": name,
            "branch": branch,
            "worktree": worktree,
        },
    )


def based(at: float, run: str, decision: Decision, *, start_commit: str, base_commit: str) -> Event:
    """A feature starts from the beginning, on a branch that starts at ``start_commit``.

    That is ``base_commit``, which the run pinned, with the results of the dependencies merged.
    """
    data = {
        "start_commit": start_commit,
        "base_commit": base_commit,
        "key": decision.key,
        "inputs": dict(decision.inputs),
    }
    return Event("based", at, run, decision.feature, data)


def reopened(at: float, run: str, feature: str, *, start_commit: str, tip: str) -> Event:
    """A retry goes on with a completed feature; until it ends, the feature has no result.

    It continues at ``tip``, where its branch is now; its own commits follow ``start_commit``.
    """
    return Event("reopened", at, run, feature, {"start_commit": start_commit, "tip": tip})


def attempt_started(
    at: float, run: str, feature: str, *, attempt: int, session_id: str, resumed: bool, log: str
) -> Event:
    """Claude is about to start; ``log`` is the file of its output."""
    return Event(
        "attempt_started",
        at,
        run,
        feature,
        {"attempt": attempt, "session_id": session_id, "resumed": resumed, "log": log},
    )


def attempt_ended(at: float, run: str, feature: str, outcome: AttemptOutcome) -> Event:
    """Claude ended."""
    return Event("attempt_ended", at, run, feature, attempt_data(outcome))


def of_resolution(event: Event) -> Event:
    """The event of an attempt as that of a resolution, which leaves the feature's state alone."""
    kinds = {"attempt_started": "resolution_started", "attempt_ended": "resolution_ended"}
    return replace(event, kind=kinds.get(event.kind, event.kind))


def setting_up(at: float, run: str, feature: str) -> Event:
    """The feature has a slot, and the setup of its worktree begins."""
    return Event("setting_up", at, run, feature)


def ready(
    at: float, run: str, feature: str, *, made: Sequence[str], cached: Sequence[str] = ()
) -> Event:
    """The setup is over; ``made`` are the ignored files in the worktree before Claude starts.

    ``cached`` are the folders that are copies from the setup cache, if the setup was skipped.
    """
    data: dict[str, Json] = {"made": list(made)}
    if cached:
        data["cached"] = list(cached)
    return Event("ready", at, run, feature, data)


def setup_stored(
    at: float, run: str, *, key: str, digest: str, folders: Sequence[str], size: int
) -> Event:
    """What a setup on the base commit made is in the setup cache; ``digest`` proves the entry."""
    data = {"key": key, "digest": digest, "folders": list(folders), "bytes": size}
    return Event("setup_stored", at, run, data=data)


def setup_changed(at: float, run: str, *, facts: Mapping[str, str]) -> Event:
    """A setup on the base commit changed what git executes: digests by name, empty if removed.

    Later setups may make the same change.
    """
    return Event("setup_changed", at, run, data={"facts": dict(facts)})


def checking(at: float, run: str, feature: str) -> Event:
    """The checks of the commit begin."""
    return Event("checking", at, run, feature)


def checked(
    at: float,
    run: str,
    feature: str,
    *,
    key: str,
    command: str,
    passed: bool,
    ending: str,
    by: str = "",
    wrote: Sequence[str] = (),
) -> Event:
    """A check ended; ``key`` is made of the tree, the command, and what was copied.

    A check of the base branch or of a start commit has no feature. ``wrote`` are the files that
    the command ``by`` left in a scratch worktree, without those that the journal names already.
    """
    data: dict[str, Json] = {"key": key, "command": command, "passed": passed, "ending": ending}
    if wrote:
        data.update(by=by, wrote=list(wrote))
    return Event("checked", at, run, feature, data)


def left(at: float, run: str, feature: str, *, paths: Mapping[str, str]) -> Event:
    """Files that checks left in the feature's worktree, as they do in any, with their digests.

    They are not work.
    """
    return Event("left", at, run, feature, {"paths": dict(paths)})


def verifying(at: float, run: str, feature: str) -> Event:
    """The worktree is inspected before the commit."""
    return Event("verifying", at, run, feature)


def committing(at: float, run: str, feature: str) -> Event:
    """What Claude left uncommitted is being committed."""
    return Event("committing", at, run, feature)


def committed(at: float, run: str, feature: str, *, hooks: Sequence[str], seconds: float) -> Event:
    """The commit ended, with or without success; ``hooks`` ran in this order."""
    data = {"hooks": list(hooks), "seconds": round(seconds, 3)}
    return Event("committed", at, run, feature, data)


def ended(at: float, run: str, feature: str, outcome: FeatureOutcome) -> Event:
    """The feature is over in this run."""
    return Event("ended", at, run, feature, feature_data(outcome))


def paused(at: float, run: str, *, until: float) -> Event:
    """A usage limit was reached: no attempt starts before ``until``; 0 if it was lifted."""
    return Event("paused", at, run, data={"until": timestamp(until) if until else ""})


def unreviewed(at: float, run: str, *, count: int, limit: int) -> Event:
    """So many completed features wait for a review that nothing new starts; 0 if it does again.

    With a limit of 0, nothing is left that could start.
    """
    return Event("unreviewed", at, run, data={"count": count, "limit": limit})


def window(at: float, run: str, *, seen: Window) -> Event:
    """How full the window of a usage limit is; 1 is full."""
    data: dict[str, Json] = {"window": seen.type, "utilization": seen.utilization}
    if seen.resets_at is not None:
        data["resets_at"] = timestamp(seen.resets_at)
    return Event("window", at, run, data=data)


def steered(
    at: float,
    run: str,
    feature: str,
    *,
    action: ControlAction,
    request: str,
    done: bool,
    text: str,
    hint: str = "",
    force: bool = False,
    owner: str = "",
    attempts: int | None = None,
) -> Event:
    """A control request was carried out (``done``) or refused.

    ``request`` is its id, empty if a command acted without a run. ``text`` says what happened,
    ``hint`` what to type instead. Without ``feature`` it is for the whole run. ``owner`` is the
    feature's list if there is no run to tell it. ``attempts`` is what ``retry`` asked for.
    """
    data: dict[str, Json] = {
        "action": action.value,
        "request": request,
        "done": done,
        "force": force,
        "text": text,
    }
    if hint:
        data["hint"] = hint
    if owner:
        data["list"] = owner
    if attempts is not None:
        data["attempts"] = attempts
    return Event("steered", at, run, feature, data)


def control_action_of(event: Event) -> ControlAction | None:
    """The action of a ``steered`` event; ``None`` for one of a newer version."""
    given = event.data.get("action")
    return next((action for action in ControlAction if action.value == given), None)


def queued(at: float, run: str, feature: str) -> Event:
    """A feature that had ended in this run is queued again, or one whose list entry changed."""
    return Event("queued", at, run, feature)


def cleaned(
    at: float, feature: str, *, merged_into: str, kept_ref: str, discarded: bool, detail: str
) -> Event:
    """``cleanup`` removed a feature's worktree and branch; ``kept_ref`` keeps the tip."""
    return Event(
        "cleaned",
        at,
        "",
        feature,
        {
            "merged_into": merged_into,
            "kept_ref": kept_ref,
            "discarded": discarded,
            "detail": detail,
        },
    )


def clash(at: float, run: str, feature: str, *, other: str, files: Sequence[str]) -> Event:
    """Two features have a predicted conflict in ``files``; without files, it is gone."""
    return Event("clash", at, run, feature, {"other": other, "files": listed(files)})


def merge_started(at: float, run: str, *, into: str, owner: str = "") -> Event:
    """``merge`` starts; its processes carry the mark ``run``."""
    data = {"into": into, "list": owner} if owner else {"into": into}
    return Event("merge_started", at, run, data=data)


def merge_ended(at: float, run: str) -> Event:
    """A merge ended, and so did all of its processes."""
    return Event("merge_ended", at, run)


def landing(
    at: float,
    run: str,
    feature: str,
    *,
    into: str,
    commit: str,
    result: str,
    strategy: Strategy,
    tip: str,
    moved_from: str = "",
) -> Event:
    """A branch is about to move from ``moved_from`` to ``tip``.

    From ``commit`` on it contains ``result``. git knows whether it did move.
    """
    data = {
        "into": into,
        "commit": commit,
        "result": result,
        "strategy": strategy.value,
        "tip": tip,
        "moved_from": moved_from,
    }
    return Event("landing", at, run, feature, data)


def merged(
    at: float, run: str, feature: str, *, into: str, commit: str, strategy: Strategy
) -> Event:
    """A feature landed on the branch ``into``, which contains it from ``commit`` on."""
    data = {"into": into, "commit": commit, "strategy": strategy.value}
    return Event("merged", at, run, feature, data)


def undoing(at: float, move: Move, *, kept_ref: str, branches: Mapping[str, str]) -> Event:
    """A branch is about to go back to where a merge found it; git knows whether it did.

    ``kept_ref`` keeps what is undone; ``branches`` of features are made again, by id.
    """
    data: dict[str, Json] = {**_way_back(move), "kept_ref": kept_ref, "branches": dict(branches)}
    return Event("undoing", at, move.merge, data=data)


def undone(at: float, move: Move) -> Event:
    """The branch is back: what the merge landed on it has not landed any more."""
    return Event("undone", at, move.merge, data=_way_back(move))


def pruned(at: float, refs: Mapping[str, str]) -> Event:
    """``cleanup --prune`` is about to remove refs; until git gc, their commits bring them back."""
    return Event("pruned", at, "", data={"refs": dict(refs)})


def _way_back(move: Move) -> dict[str, Json]:
    return {"into": move.into, "tip": move.tip, "moved_from": move.moved_from}


def resolved(
    at: float, run: str, feature: str, *, files: Sequence[str], commit: str, reason: str
) -> Event:
    """Claude resolved a conflict as ``commit``; empty if it could not."""
    data = {"files": listed(files), "commit": commit, "reason": reason}
    return Event("resolved", at, run, feature, data)


def note(at: float, run: str, text: str, feature: str = "") -> Event:
    """Information for the user; it changes no state."""
    return Event("note", at, run, feature, {"text": text})


def stray(at: float, run: str, feature: str, found: Stray, text: str) -> Event:
    """A worktree or branch that no run created appeared while the feature ran."""
    return Event("stray", at, run, feature, {**vars(found), "text": text})


def stray_of(event: Event) -> Stray:
    """The worktree or branch of a ``stray`` event."""
    return Stray(*(str(event.data.get(name, "")) for name in ("worktree", "branch", "commit")))


def timestamp(at: float) -> str:
    """ISO 8601 with milliseconds and zone (UTC)."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds")
