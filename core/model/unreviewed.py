"""Which completed features wait for a review."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .outcome import Status
from .state import FeatureState, RunState
from .translate import N_

BACKLOG = N_("as many completed features as project.max_unreviewed allows wait for a review")
"""Why a feature did not start."""


def unreviewed(state: RunState, ids: Iterable[str], landed: Collection[str] = ()) -> list[str]:
    """The features of ``ids`` with a result that nobody answered and that has not landed.

    A comment on all of a result is an answer, too: it waits for Claude. ``review`` counts so, too.

    ``landed`` are features in the base. One that landed on any branch has been looked at, too.
    """
    known = (state.feature(id) for id in ids if id not in landed)
    return [each.id for each in known if _waits(each)]


def _waits(known: FeatureState) -> bool:
    if known.status is not Status.COMPLETED or known.work is None or known.again is not None:
        return False
    landings = known.landings.values()
    has_landed = known.merged_into or any(
        each.is_over and each.result not in known.older for each in landings
    )
    return not (known.is_answered or has_landed)
