"""The changes of a feature's state by the events of review and handover."""

from __future__ import annotations

from .check_verdict import Scope, Verdict, verdict_of_data
from .events import Event
from .frozen import replace
from .handover import pull_request_of_data, push_of_data
from .json_values import strings
from .outcome import Status
from .review import Answer, Review, comment_of_data
from .state import Check, FeatureState


def _judged(feature: FeatureState, event: Event) -> FeatureState:
    made = verdict_of_data(event.data)
    if made is None:
        return feature
    key, last = f"{made.scope.value} {made.check}", feature.last_check
    if made.verdict.is_sent_back and last is not None:
        other = feature.verdicts.get(f"{Scope.PROJECT.value} {last.command}")
        if other is not None and other.verdict is Verdict.NOT_YOURS:
            # It is not the one that keeps the feature from completing.
            last = Check(made.check, passed=False, ending=made.after, at=event.at)
    # All checks of a commit are judged: one that only another commit had was taken off the list.
    same = {name: v for name, v in feature.verdicts.items() if v.commit == made.commit}
    return replace(feature, verdicts={**same, key: made}, last_check=last)


def _reviewed(feature: FeatureState, event: Event) -> FeatureState:
    given = event.data.get("answer")
    answer = next((each for each in Answer if each.value == given), None)
    commit = str(event.data.get("commit", ""))
    review = replace(feature.review, answer=answer, commit=commit)
    return replace(feature, review=review, is_answered=answer is not None)


def _seen(feature: FeatureState, event: Event) -> FeatureState:
    files = event.data.get("seen")
    known = files.items() if isinstance(files, dict) else ()
    seen = {**feature.review.seen, **{str(path): str(digest) for path, digest in known}}
    return replace(feature, review=replace(feature.review, seen=seen))


def _commented(feature: FeatureState, event: Event) -> FeatureState:
    comment = comment_of_data(event.data)
    if any(each.id == comment.id for each in feature.review.comments):
        return feature  # The command asked twice: the first reply was lost.
    review = replace(feature.review, comments=(*feature.review.comments, comment))
    # A comment on one file may leave others unread, and one from a forge is somebody else's.
    is_read = feature.status is Status.COMPLETED and not (comment.path or comment.source)
    return replace(feature, review=review, is_answered=feature.is_answered or is_read)


def _comments_sent(feature: FeatureState, event: Event) -> FeatureState:
    sent = frozenset(strings(event.data, "comments"))
    comments = tuple(
        replace(each, is_sent=True) if each.id in sent else each for each in feature.review.comments
    )
    return replace(feature, review=replace(feature.review, comments=comments))


def _pushed(feature: FeatureState, event: Event) -> FeatureState:
    push = push_of_data(event.data)
    return replace(feature, pushes={**feature.pushes, push.remote: push})


def _pull_request(feature: FeatureState, event: Event) -> FeatureState:
    return replace(feature, pull_request=pull_request_of_data(event.data))


def started_over(review: Review) -> Review:
    """The review of a feature that starts over: the answer was for work that is gone."""
    return replace(review, answer=None, commit="")


CHANGES = {
    "judged": _judged,
    "reviewed": _reviewed,
    "seen": _seen,
    "commented": _commented,
    "comments_sent": _comments_sent,
    "pushed": _pushed,
    "pull_request": _pull_request,
}
"""How each kind of event changes the state of its feature."""
