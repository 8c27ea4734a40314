"""Whether a feature may land or be pushed: what its review says, and whether one is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model.decision import Decision
from ..model.feature import Config
from ..model.state import FeatureState, RunState
from ..model.translate import N_
from ..model.unreviewed import unreviewed


def is_required(config: Config, accepted: bool) -> bool:
    """Whether only accepted work may land or be pushed, by the list or by ``--accepted``."""
    return accepted or config.project.require_review


def why_held(known: FeatureState, tip: str, *, only_accepted: bool) -> str:
    """Why the review of a completed feature holds it back, with its branch at ``tip``; or ""."""
    if known.review.is_rejected:
        return N_("it was rejected: rorchestrator run starts it over")
    if known.again is not None:
        return N_("its retry has not ended: rorchestrator run goes on with it")
    if not only_accepted or known.review.is_accepted(tip):
        return ""
    if known.review.answer is None:
        return N_("it was not accepted: rorchestrator review {id}").format(id=known.id)
    return N_("it changed since it was accepted: rorchestrator review {id}").format(id=known.id)


def why_nothing_new(
    config: Config, state: RunState, decisions: Mapping[str, Decision], selected: Iterable[str]
) -> list[str]:
    """That some of the ``selected`` features would not start before a review, for the plan."""
    limit = config.project.max_unreviewed
    landed = [id for id, decision in decisions.items() if decision.merged]
    count = 0 if limit is None else len(unreviewed(state, decisions, landed))
    if limit is None or count < limit or all(state.feature(id).attempts for id in selected):
        return []
    return [
        N_(
            "completed features that wait for your review: {count} (project.max_unreviewed is "
            "{limit}); nothing new starts before you answer: rorchestrator review"
        ).format(count=count, limit=limit)
    ]
