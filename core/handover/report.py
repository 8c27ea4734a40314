"""What `push` and `pr` did, feature by feature, also as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..model.frozen import Enum
from ..model.handover import PullRequest
from ..model.json_values import Json
from ..model.translate import N_


@dataclass(frozen=True)
class HandoverOptions:
    """What to hand over, and how."""

    ids: tuple[str, ...] = ()
    remote: str = ""
    """Empty for that of a plain ``git push`` of the base branch."""
    accepted: bool = False
    dry_run: bool = False
    pull_requests: bool = False
    draft: bool = False
    sync: bool = False
    """Whether only pull requests that exist are brought up to date."""


class Handed(Enum):
    """How a feature was handed over."""

    PUSHED = N_("pushed")
    WOULD_PUSH = N_("would push")
    THERE = N_("up to date")
    """The remote has it already."""
    LANDED = N_("landed")
    """The remote's base branch has its work."""
    LEFT = N_("left out")
    """``--sync``: it has no pull request."""
    HELD = N_("held")


@dataclass
class Ending:
    """Report on one feature."""

    id: str
    branch: str
    state: Handed = Handed.HELD
    commit: str = ""
    """What the branch is at on the remote."""
    base: str = ""
    """The branch that it is built on."""
    reason: str = ""
    """Why it is held, or how it landed."""
    notes: list[str] = field(default_factory=list)
    request: PullRequest | None = None
    did: str = ""
    """What became of its pull request: ``opened``, ``would_update``; or empty."""

    def to_json(self) -> dict[str, Json]:
        """As ``--json`` prints it."""
        request = None if self.request is None else dict(vars(self.request))
        return {
            "id": self.id,
            "branch": self.branch,
            "state": self.state.value,
            "commit": self.commit,
            "base": self.base,
            "reason": self.reason,
            "notes": list(self.notes),
            "pull_request": request,
            "pull_request_was": self.did,
        }


@dataclass(frozen=True)
class HandoverReport:
    """The report of one command."""

    remote: str
    forge: str
    """``github`` or ``gitlab``; empty for ``push``."""
    base: str
    endings: tuple[Ending, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is held."""
        return all(ending.state is not Handed.HELD for ending in self.endings)

    def to_json(self) -> dict[str, Json]:
        """As ``--json`` prints it."""
        return {
            "remote": self.remote,
            "forge": self.forge,
            "base": self.base,
            "features": [ending.to_json() for ending in self.endings],
        }
