"""The part of the fold that is about `retry`: going on with a feature that had ended."""

from __future__ import annotations

from .again import Again
from .events import Event
from .frozen import replace
from .json_values import integer
from .outcome import Work
from .state import FeatureState


def asked_again(feature: FeatureState, event: Event) -> FeatureState:
    """The feature after a ``retry``: with comments, or with more attempts, it goes on."""
    more = integer(event.data, "attempts") if "attempts" in event.data else None
    if not feature.attempts or (more is None and not feature.review.open_comments):
        return feature
    return replace(feature, again=Again(more))


def reopened(feature: FeatureState, event: Event) -> FeatureState:
    """A completed feature on which a retry goes on: it has no result any more."""
    start = str(event.data.get("start_commit", ""))
    older = () if feature.work is None else (feature.work.commit,)
    return replace(
        feature,
        start_commit=start,
        work_start=start,
        work=None,
        older=(*feature.older, *older),
        last_check=None,
        verdicts={},
        is_answered=False,
        merged_into="",
        kept_ref="",
        clashes={},
    )


def with_result(feature: FeatureState, run: str, work: Work) -> FeatureState:
    """A feature of which ``run`` made a result; it may be the same commit as the last one."""
    last, count = feature.published
    older = feature.older[:-1] if feature.older[-1:] == (work.commit,) else feature.older
    published = (run, count + 1 if last == run else 1)
    return replace(feature, work=work, again=None, older=older, published=published)
