"""What ``prove`` found: each recorded check beside how it ended now, also as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.check_verdict import CheckVerdict
from ..model.frozen import dataclass
from ..model.json_values import Json


@dataclass(frozen=True)
class ProvedCheck:
    """A recorded check, and how it ended in a clean checkout of the recorded commit."""

    recorded: CheckVerdict
    passes: bool | None
    """``None`` if it could not be run."""
    ending: str
    is_flaky: bool = False
    """Whether it failed, then passed on the same tree: it counts as passed."""

    @property
    def differs(self) -> bool:
        """Whether this is not what the journal says."""
        return self.passes is not self.recorded.verdict.passes

    def to_json(self) -> dict[str, Json]:
        """As ``prove --json`` prints it."""
        return {
            "check": self.recorded.check,
            "scope": self.recorded.scope.value,
            "verdict": self.recorded.verdict.value,
            "recorded": self.recorded.after,
            "passes": self.passes,
            "now": self.ending,
            "flaky": self.is_flaky,
            "differs": self.differs,
        }


@dataclass(frozen=True)
class ProvedFeature:
    """A feature, and the checks of its recorded commit."""

    id: str
    commit: str
    checks: tuple[ProvedCheck, ...] = ()
    fault: str = ""
    """Why nothing can be proved."""
    moved_to: str = ""
    """The tip of its branch, if that is another commit: nothing is said about it."""
    log: str = ""
    """The log of its checks."""

    @property
    def differs(self) -> bool:
        """Whether anything is not what the journal says."""
        return bool(self.fault) or any(check.differs for check in self.checks)

    def to_json(self) -> dict[str, Json]:
        """As ``prove --json`` prints it."""
        return {
            "feature_id": self.id,
            "commit": self.commit,
            "branch_tip": self.moved_to or self.commit,
            "differs": self.differs,
            "fault": self.fault,
            "checks": [check.to_json() for check in self.checks],
        }


@dataclass(frozen=True)
class Proof:
    """The result of one ``prove``."""

    features: Sequence[ProvedFeature]

    @property
    def differs(self) -> bool:
        """Whether anything is not what the journal says."""
        return any(feature.differs for feature in self.features)

    def to_json(self) -> dict[str, Json]:
        """As ``prove --json`` prints it."""
        return {
            "event": "prove",
            "differs": self.differs,
            "features": [feature.to_json() for feature in self.features],
        }
