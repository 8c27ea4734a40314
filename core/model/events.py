"""Everything that can happen in a run, as events: one constructor a kind.

The journal holds nothing else. Times are seconds since 1970 in memory, ISO 8601 in JSON.
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

VERSION = 1
"""Of the JSON form; raised when an older reader would misunderstand it."""


TOLD_LINES = 3_000
TOLD_CHARACTERS = 70_000
"""Of any text of an event: somewhat more than Claude's last words may have."""

LATEST = 250_000_000_000.0
"""In the year 9892: later ones can't be shown in every time zone."""


EXACT = frozenset(
    (
        *(
            "action",
            "attempt",
            "base_branch",
            "base_commit",
            "branch",
            "commit",
            "fault",
            "features",
        ),
        *("inputs", "into", "kept_ref", "key", "log", "made", "merged_into", "other", "request"),
        *("session_id", "start_commit", "status", "strategy", "tip", "until", "worktree"),
    )
)
"""What the next run works with, as it is; the rest of an event's data is told to people."""


@dataclass(frozen=True)
class Event:
    """Something that happened at ``at`` (seconds since 1970), in a run, to a feature or none."""

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
) -> Event:
    """A run pinned its base and is about to work on ``features`` of the list ``owner``.

    ``base_option`` is what ``--base`` named.
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
    return Event("run_started", at, run, data=data)


def claimed(at: float, owner: str, features: Sequence[str]) -> Event:
    """The list ``owner`` takes over features of a list that moved, or of no recorded one."""
    return Event("claimed", at, "", data={"list": owner, "features": list(features)})


def replaced(at: float, owner: str, features: Sequence[str]) -> Event:
    """The list ``owner`` starts features under ids of another list, whose work has landed."""
    return Event("replaced", at, "", data={"list": owner, "features": list(features)})


def run_ended(at: float, run: str, *, exit_code: int) -> Event:
    """A run is over, with this exit code."""
    return Event("run_ended", at, run, data={"exit_code": exit_code})


def preparing(
    at: float, run: str, decision: Decision, *, branch: str, worktree: str, name: str
) -> Event:
    """A feature was given a slot; its worktree comes next."""
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
    """A new life of the feature begins: its worktree is about to be made, on a branch that
    starts at ``start_commit``, the run's pinned base with the dependencies' results merged in."""
    data = {
        "start_commit": start_commit,
        "base_commit": base_commit,
        "key": decision.key,
        "inputs": dict(decision.inputs),
    }
    return Event("based", at, run, decision.feature, data)


def attempt_started(
    at: float, run: str, feature: str, *, attempt: int, session_id: str, resumed: bool, log: str
) -> Event:
    """Claude is about to be started; ``log`` is where its output goes."""
    return Event(
        "attempt_started",
        at,
        run,
        feature,
        {"attempt": attempt, "session_id": session_id, "resumed": resumed, "log": log},
    )


def attempt_ended(at: float, run: str, feature: str, outcome: AttemptOutcome) -> Event:
    """Claude is gone, and this is what it left."""
    return Event("attempt_ended", at, run, feature, attempt_data(outcome))


def of_resolution(event: Event) -> Event:
    """An attempt's event as one at a conflict: the feature's own life goes on as it was."""
    kinds = {"attempt_started": "resolution_started", "attempt_ended": "resolution_ended"}
    return replace(event, kind=kinds.get(event.kind, event.kind))


def setting_up(at: float, run: str, feature: str) -> Event:
    """There is a slot for the feature, and its worktree is being set up."""
    return Event("setting_up", at, run, feature)


def ready(at: float, run: str, feature: str, *, made: Sequence[str]) -> Event:
    """The worktree is set up; ``made`` are the ignored files that were in it before the work."""
    return Event("ready", at, run, feature, {"made": list(made)})


def setup_changed(at: float, run: str, *, facts: Mapping[str, str]) -> Event:
    """A setup on the base commit changed what git executes; digests by name, empty if gone.

    The same is accepted of later setups.
    """
    return Event("setup_changed", at, run, data={"facts": dict(facts)})


def checking(at: float, run: str, feature: str) -> Event:
    """What was committed is being checked."""
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
    """A check is over; ``key`` is of the tree that it looked at and of the command.

    Of no feature where the base was checked. ``wrote`` are files that the command ``by`` left in
    a scratch worktree, as far as the journal has not named them yet.
    """
    data: dict[str, Json] = {"key": key, "command": command, "passed": passed, "ending": ending}
    if wrote:
        data.update(by=by, wrote=list(wrote))
    return Event("checked", at, run, feature, data)


def left(at: float, run: str, feature: str, *, paths: Mapping[str, str]) -> Event:
    """What checks left in the feature's worktree as they do in any, and what tells it from a
    changed one: nobody's work."""
    return Event("left", at, run, feature, {"paths": dict(paths)})


def verifying(at: float, run: str, feature: str) -> Event:
    """The worktree is being looked over before anything is committed."""
    return Event("verifying", at, run, feature)


def committing(at: float, run: str, feature: str) -> Event:
    """What Claude left uncommitted is being committed."""
    return Event("committing", at, run, feature)


def committed(at: float, run: str, feature: str, *, hooks: Sequence[str], seconds: float) -> Event:
    """The commit is over, whether it was made or not; ``hooks`` were started, in this order."""
    data = {"hooks": list(hooks), "seconds": round(seconds, 3)}
    return Event("committed", at, run, feature, data)


def ended(at: float, run: str, feature: str, outcome: FeatureOutcome) -> Event:
    """The feature is over in this run."""
    return Event("ended", at, run, feature, feature_data(outcome))


def paused(at: float, run: str, *, until: float) -> Event:
    """A usage limit was met: nothing is asked before ``until`` (0: it goes on)."""
    return Event("paused", at, run, data={"until": timestamp(until) if until else ""})


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
) -> Event:
    """A user steered from a terminal; ``action`` is the command's name.

    ``request`` is what the run was asked by, empty where there was none; ``done`` tells whether
    it was carried out, ``text`` what came of it, ``hint`` what to type instead. Without
    ``feature`` it is about the whole run. ``owner`` is the feature's list, where no run tells it.
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
    return Event("steered", at, run, feature, data)


def control_action_of(event: Event) -> ControlAction | None:
    """The action of a ``steered`` event; ``None`` for one of a newer version."""
    given = event.data.get("action")
    return next((action for action in ControlAction if action.value == given), None)


def queued(at: float, run: str, feature: str) -> Event:
    """A feature that was over in this run waits for its turn once more."""
    return Event("queued", at, run, feature)


def cleaned(
    at: float, feature: str, *, merged_into: str, kept_ref: str, discarded: bool, detail: str
) -> Event:
    """``cleanup`` removed a feature's worktree and branch; ``kept_ref`` still holds its tip."""
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
    """Two features that go on, or are done, will not merge; without files: they would again."""
    return Event("clash", at, run, feature, {"other": other, "files": listed(files)})


def merge_started(at: float, run: str, *, into: str, owner: str = "") -> Event:
    """Features of a list are about to be stacked and checked; ``run`` marks what that starts."""
    data = {"into": into, "list": owner} if owner else {"into": into}
    return Event("merge_started", at, run, data=data)


def merge_ended(at: float, run: str) -> Event:
    """Nothing that a merge started is left."""
    return Event("merge_ended", at, run)


def landing(
    at: float,
    run: str,
    feature: str,
    *,
    into: str,
    commit: str,
    result: str,
    strategy: str,
    tip: str,
) -> Event:
    """A branch is about to be moved to ``tip``; at ``commit`` it holds the feature's ``result``.

    Whether it was moved is for git to tell.
    """
    data = {"into": into, "commit": commit, "result": result, "strategy": strategy, "tip": tip}
    return Event("landing", at, run, feature, data)


def merged(at: float, run: str, feature: str, *, into: str, commit: str, strategy: str) -> Event:
    """A feature landed on the branch ``into``, which holds it from ``commit`` on."""
    data = {"into": into, "commit": commit, "strategy": strategy}
    return Event("merged", at, run, feature, data)


def resolved(
    at: float, run: str, feature: str, *, files: Sequence[str], commit: str, reason: str
) -> Event:
    """Claude was given a conflict; ``commit`` is what may land, empty where nothing may."""
    data = {"files": listed(files), "commit": commit, "reason": reason}
    return Event("resolved", at, run, feature, data)


def note(at: float, run: str, text: str, feature: str = "") -> Event:
    """Something that the user should know and that changes no state."""
    return Event("note", at, run, feature, {"text": text})


def stray(at: float, run: str, feature: str, found: Stray, text: str) -> Event:
    """A worktree or a branch that no run made came up while the feature ran."""
    return Event("stray", at, run, feature, {**vars(found), "text": text})


def stray_of(event: Event) -> Stray:
    """What :func:`stray` was told of."""
    return Stray(*(str(event.data.get(name, "")) for name in ("worktree", "branch", "commit")))


def timestamp(at: float) -> str:
    """ISO 8601 with milliseconds and zone (UTC)."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds")
