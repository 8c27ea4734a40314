"""Whether a feature may leave: what its review says, and whether a review is needed."""

from __future__ import annotations

from ..model.feature import Config
from ..model.state import FeatureState
from ..model.translate import N_


def is_required(config: Config, accepted: bool) -> bool:
    """Whether only accepted work may leave, because of the list or of ``--accepted``."""
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
