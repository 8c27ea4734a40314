"""The events of review and handover: a constructor for each kind. See `docs/EVENTS.md`.

They are recorded by commands, so most have no run; ``owner`` is the feature's list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .check_verdict import CheckVerdict, verdict_data
from .events import Event
from .handover import PullRequest, Push
from .json_values import Json
from .review import Answer, Comment, comment_data

BY_COMMANDS = frozenset(("reviewed", "seen", "commented", "pushed", "pull_request"))
"""The kinds that a command may ask a run to record."""


def judged(at: float, run: str, feature: str, *, verdict: CheckVerdict) -> Event:
    """A check of the feature has its verdict."""
    return Event("judged", at, run, feature, verdict_data(verdict))


def reviewed(at: float, feature: str, *, answer: Answer, commit: str, owner: str = "") -> Event:
    """A reviewer accepted or rejected the feature's work as it is at ``commit``."""
    return _of_list("reviewed", at, feature, {"answer": answer.value, "commit": commit}, owner)


def seen(at: float, feature: str, *, files: Mapping[str, str], owner: str = "") -> Event:
    """A reviewer saw changes; ``files`` has the digest of each file's own diff, by path."""
    return _of_list("seen", at, feature, {"seen": dict(files)}, owner)


def commented(at: float, feature: str, *, comment: Comment, owner: str = "") -> Event:
    """A reviewer commented on the feature's work."""
    return _of_list("commented", at, feature, comment_data(comment), owner)


def comments_sent(at: float, run: str, feature: str, *, comments: Sequence[str]) -> Event:
    """Claude got the comments with these ids."""
    return Event("comments_sent", at, run, feature, {"comments": list(comments)})


def pushed(at: float, feature: str, *, push: Push, owner: str = "") -> Event:
    """The feature's branch was pushed."""
    return _of_list("pushed", at, feature, dict(vars(push)), owner)


def pull_request(at: float, feature: str, *, request: PullRequest, owner: str = "") -> Event:
    """The feature's pull request was opened or changed."""
    return _of_list("pull_request", at, feature, dict(vars(request)), owner)


def _of_list(kind: str, at: float, feature: str, data: dict[str, Json], owner: str) -> Event:
    return Event(kind, at, "", feature, {**data, "list": owner} if owner else data)
