"""The reviewer's answers to a feature: an acceptance, a rejection, a comment; as events."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence

from ..git import commits
from ..model import events_review
from ..model.errors import ExitCode, UserError
from ..model.events import Event
from ..model.frozen import dataclass
from ..model.json_values import Json
from ..model.outcome import Status
from ..model.review import Answer, Comment, Review, own_comment
from ..model.state import RunState
from ..model.translate import N_
from ..process.spawner import run_sync
from ..project.control_requests import check_sender, record
from ..project.open import OpenProject
from ..project.own_work import own_work
from .reading import FeatureReading

FILES_AT_ONCE = 5_000
"""The digests in one event."""


@dataclass(frozen=True)
class Given:
    """What a reviewer said of a feature."""

    answer: Answer | None = None
    comment: Comment | None = None
    saw_all: bool = False
    """Whether all that is new was shown before."""


def comment_of(text: str, paths: Sequence[str], known: Review) -> Comment:
    """A comment, with ``path:line`` in front if it names one of ``paths``.

    ``known`` is the review so far. Raises :class:`UserError` for an empty one.
    """
    text = text.strip()
    path, line, rest = "", 0, text
    for found in _PLACE.finditer(text):
        if text[: found.start()] in paths:
            path, line, rest = (
                text[: found.start()],
                int(found[1]),
                text[found.end() :].lstrip(":").strip(),
            )
    if not rest:
        raise UserError(
            N_("the comment is empty"), hint=N_("say what Claude should do, in a sentence")
        )
    return own_comment(known, rest, path, line)


_PLACE = re.compile(r":(\d{1,9})(?=[:\s]|\Z)")


def tip_now(project: OpenProject, state: RunState, id: str) -> str:
    """The commit that an answer would be about now; empty if the feature is not completed."""
    known = state.feature(id)
    if known.status is not Status.COMPLETED or known.work is None:
        return ""
    try:
        work = run_sync(own_work(project, state, id))
    except UserError:
        return known.work.commit
    return work.after if work else known.work.commit


def has_moved(feature: FeatureReading, tip: str) -> UserError:
    """The error of an answer to a commit that the feature no longer has."""
    if tip:
        return moved_from(feature, feature.tip, tip)
    return _refused(
        feature, N_("{id} is no longer completed; nothing was recorded").format(id=feature.id)
    )


def moved_from(feature: FeatureReading, old: str, new: str = "") -> UserError:
    """The same, where ``old`` was read and the feature has another commit now."""
    words = N_("{id} has changed since it was read ({old} is now {new}); nothing was recorded")
    named = {"id": feature.id, "old": old[:10], "new": (new or feature.tip)[:10]}
    return _refused(feature, words.format(**named))


def _refused(feature: FeatureReading, why: str) -> UserError:
    hint = f"rorchestrator review {feature.id}"
    return UserError(why, hint=hint, exit_code=ExitCode.INCOMPLETE)


def give(project: OpenProject, state: RunState, feature: FeatureReading, given: Given) -> None:
    """Record an answer, and what the reviewer has seen by it.

    ``project`` and ``state`` are those of now. Raises :class:`UserError` if the feature has moved
    since it was read: an acceptance is of a commit.
    """
    if given.answer:
        why = N_("this process was started by the run, and may not accept or reject its work")
        check_sender(state, why, of=feature.id)
    tip = tip_now(project, state, feature.id)
    if tip != feature.tip:
        raise has_moved(feature, tip)
    # The answer first: who is killed in between is shown too much, and loses no word.
    record(project, "review", _answers(project, feature, given))
    seen = _seen_by(feature, given, state.feature(feature.id).review.seen)
    for made in _seen_events(project, feature.id, seen):
        record(project, "review", made)


def _answers(project: OpenProject, feature: FeatureReading, given: Given) -> list[Event]:
    now, owner, made = time.time(), project.owner, []
    if given.comment:
        comment = events_review.commented(now, feature.id, comment=given.comment, owner=owner)
        made.append(comment)
    if given.answer:
        made.append(
            events_review.reviewed(
                now, feature.id, answer=given.answer, commit=feature.tip, owner=owner
            )
        )
    return made


def _seen_by(feature: FeatureReading, given: Given, known: Mapping[str, str]) -> dict[str, str]:
    """What is new in what was seen: all of it, but by a comment on a file only that file."""
    is_about_file = given.comment and given.comment.path and not (given.answer or given.saw_all)
    wanted = {given.comment.path} if given.comment and is_about_file else feature.sightings.keys()
    return {
        name: text
        for name, text in feature.sightings.items()
        if name in wanted and known.get(name) != text
    }


def _seen_events(project: OpenProject, id: str, seen: Mapping[str, str]) -> Iterator[list[Event]]:
    listed = list(seen.items())
    for start in range(0, len(listed), FILES_AT_ONCE):
        files = dict(listed[start : start + FILES_AT_ONCE])
        yield [events_review.seen(time.time(), id, files=files, owner=project.owner)]


def answer_document(feature: FeatureReading, given: Given) -> dict[str, Json]:
    """What ``review ID --accept --json`` prints of a feature."""
    comment = given.comment
    return {
        "id": feature.id,
        "commit": feature.tip,
        "answer": given.answer.value if given.answer else None,
        "comment": {
            "id": comment.id,
            "text": comment.text,
            "path": comment.path or None,
            "line": comment.line or None,
        }
        if comment
        else None,
    }


def paths_of(project: OpenProject, feature: FeatureReading) -> Sequence[str]:
    """The files that a comment can be about: those of its commit, and those that it removed."""
    try:
        files = run_sync(commits.files_of(project.git, feature.tip))
    except UserError:
        files = set()
    return [*files, *(file.path for file in feature.files)]
