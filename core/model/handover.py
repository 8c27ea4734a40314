"""What was handed over: pushed branches and pull requests."""

from __future__ import annotations

from collections.abc import Mapping

from .frozen import dataclass
from .json_values import Json, integer
from .translate import N_

STATES = (N_("open"), N_("merged"), N_("closed"))
"""The states of a pull request."""


@dataclass(frozen=True)
class Push:
    """A branch that was pushed to a remote, and its commit there."""

    remote: str
    branch: str
    commit: str


@dataclass(frozen=True)
class PullRequest:
    """A pull request, or a merge request of GitLab."""

    forge: str
    """``github`` or ``gitlab``."""
    number: int
    url: str
    base: str = ""
    """The branch that it is to be merged into."""
    state: str = ""
    """As the forge told it last: ``open``, ``merged`` or ``closed``."""


def push_of_data(data: Mapping[str, Json]) -> Push:
    """The push of a ``pushed`` event."""
    return Push(*(str(data.get(name, "")) for name in ("remote", "branch", "commit")))


def pull_request_of_data(data: Mapping[str, Json]) -> PullRequest:
    """The pull request of a ``pull_request`` event."""
    return PullRequest(
        forge=str(data.get("forge", "")),
        number=integer(data, "number"),
        url=str(data.get("url", "")),
        base=str(data.get("base", "")),
        state=str(data.get("state", "")),
    )
