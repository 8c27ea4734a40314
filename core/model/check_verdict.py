"""The verdict on a check of a feature: what it proves about the feature's work."""

from __future__ import annotations

from collections.abc import Mapping

from .frozen import Enum, dataclass
from .json_values import Json, strings
from .translate import N_


class Verdict(Enum):
    """What the results of a check at the start commit and at the feature's commit say."""

    FLAKY = N_("flaky")
    """It failed, then passed on the same tree: it counts as passed."""
    MISSING = N_("missing")
    """The feature's own check or contract fails."""
    BROKEN = N_("broken")
    """It passed at the start commit, and fails twice now."""
    NOT_YOURS = N_("not yours")
    """A check of the project that failed at the start commit, too."""
    PROVED = N_("proved")
    """It failed at the start commit, and passes now."""
    KEPT = N_("kept")
    """It passed at the start commit, and passes now."""
    NOT_LOOKED_AT = N_("not looked at")
    """It passes now; there was no time for the start commit."""

    @property
    def passes(self) -> bool:
        """Whether the check passes at the feature's commit."""
        return self not in (Verdict.MISSING, Verdict.BROKEN, Verdict.NOT_YOURS)

    @property
    def is_sent_back(self) -> bool:
        """Whether Claude is told of it, which costs an attempt; else the check counts as passed."""
        return self in (Verdict.MISSING, Verdict.BROKEN)


class Scope(Enum):
    """Whose check it is."""

    OWN = "own"
    """Of the feature: ``verify`` and ``creates``."""
    PROJECT = "project"
    """Of all features: ``project.verify``."""


@dataclass(frozen=True)
class CheckVerdict:
    """The verdict on one check at one commit."""

    check: str
    """The command line, or a contract as the list spells it (``path:src/api.py``)."""
    scope: Scope
    verdict: Verdict
    commit: str = ""
    before: str = ""
    """How it ended at the start commit; empty if it did not run there."""
    after: str = ""
    """How it ended at ``commit``."""
    proves_nothing: tuple[str, ...] = ()
    """Tests that the feature added, and that pass without its change."""


def verdict_of(
    scope: Scope, *, before: bool | None, after: bool, repeated: bool = False
) -> Verdict:
    """The verdict on a check that passed or failed ``before``, at the start commit, and ``after``.

    ``before`` is ``None`` if it did not run there: only a failure that was seen excuses another
    one. ``repeated`` is the second result on the same tree, if the first one was a failure.
    """
    if not after and repeated:
        return Verdict.FLAKY
    if not after and scope is Scope.OWN:
        return Verdict.MISSING
    if not after:
        return Verdict.NOT_YOURS if before is False else Verdict.BROKEN
    if before is None:
        return Verdict.NOT_LOOKED_AT
    return Verdict.KEPT if before else Verdict.PROVED


def verdict_data(made: CheckVerdict) -> dict[str, Json]:
    """The data of ``judged``."""
    data: dict[str, Json] = {
        "check": made.check,
        "scope": made.scope.value,
        "verdict": made.verdict.value,
        "commit": made.commit,
        "before": made.before,
        "after": made.after,
    }
    if made.proves_nothing:
        data["proves_nothing"] = list(made.proves_nothing)
    return data


def verdict_of_data(data: Mapping[str, Json]) -> CheckVerdict | None:
    """The verdict that :func:`verdict_data` was made of; ``None`` for one of a newer version."""
    try:
        scope, verdict = Scope(data.get("scope")), Verdict(data.get("verdict"))
    except ValueError:
        return None
    commit, before, after = (str(data.get(name, "")) for name in ("commit", "before", "after"))
    check, proves_nothing = str(data.get("check", "")), strings(data, "proves_nothing")
    return CheckVerdict(check, scope, verdict, commit, before, after, proves_nothing)
