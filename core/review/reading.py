"""`Reading`: what a review shows of each completed feature that has not landed, in its order."""

from __future__ import annotations

from collections.abc import Mapping

from ..git.patches import FileDiff
from ..model.frozen import dataclass, field, replace
from ..model.json_values import Json
from ..model.mask import Mask
from ..model.review import Answer, Comment
from ..model.state import FeatureState
from ..reporter.documents import cost_document
from ..reporter.verdict_table import verdict_document
from .evidence import Evidence, attention
from .seen import Sight


@dataclass(frozen=True)
class FileReading:
    """A file of a feature's own work."""

    whole: FileDiff
    """All that the feature changed in it."""
    sight: Sight
    news: FileDiff | None = None
    """What of it is new to the reviewer; ``None`` for nothing."""
    is_named: bool = True
    """Whether the prompt or a contract names it."""
    others: tuple[str, ...] = ()
    """The other features that change it."""

    @property
    def path(self) -> str:
        """Its name now."""
        return self.whole.path

    @property
    def attention(self) -> int:
        """How much of the reviewer's attention it deserves, compared with others."""
        lines = (self.whole.insertions or 0) + (self.whole.deletions or 0)
        return 1000 * (3 * (not self.is_named) + 2 * bool(self.others)) + min(lines, 999)


@dataclass(frozen=True)
class FeatureReading:
    """A completed feature, as a reviewer gets to see it."""

    known: FeatureState
    name: str
    depends_on: tuple[str, ...]
    tip: str
    """The commit that is read: what an answer is about."""
    start: str = ""
    """The commit before its own work; empty if that is unknown."""
    since: str = ""
    """The commit from which what is new differs; ``start`` if all of it is new."""
    files: tuple[FileReading, ...] = ()
    taken_back: tuple[str, ...] = ()
    """Files that were seen changed and that it no longer changes."""
    sightings: Mapping[str, str] = field(default_factory=dict)
    """What to record once all of it was seen."""
    evidence: tuple[Evidence, ...] = ()
    failed_first: Mapping[str, int] = field(default_factory=dict)
    """How often checks failed before they passed."""
    denied: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What to know about the work: the branch was rewritten, git cannot tell whether it landed."""
    fault: str = ""
    """Why its work cannot be shown."""

    @property
    def id(self) -> str:
        """The feature's id."""
        return self.known.id

    @property
    def answer(self) -> Answer | None:
        """The answer to what is read; a rejection lasts until the feature starts over."""
        given = self.known.review
        return given.answer if given.is_rejected or given.commit == self.tip else None

    @property
    def comments(self) -> tuple[Comment, ...]:
        """The comments that Claude did not get yet."""
        return self.known.review.open_comments

    @property
    def insertions(self) -> int:
        """Added lines in all its files."""
        return sum(file.whole.insertions or 0 for file in self.files)

    @property
    def deletions(self) -> int:
        """Removed lines in all its files."""
        return sum(file.whole.deletions or 0 for file in self.files)

    @property
    def unseen(self) -> tuple[FileReading, ...]:
        """The files in which something is new."""
        return tuple(file for file in self.files if file.sight is not Sight.SEEN)

    @property
    def seen(self) -> tuple[FileReading, ...]:
        """The files that were seen as they are."""
        return tuple(file for file in self.files if file.sight is Sight.SEEN)

    @property
    def has_news(self) -> bool:
        """Whether it has anything that the reviewer has not seen."""
        return bool(self.unseen or self.taken_back)

    @property
    def waits(self) -> bool:
        """Whether it waits for the reviewer: it has no answer, and not just comments to all of it.

        While a retry goes on with it, it waits for Claude.
        """
        if self.known.again is not None or self.answer is not None:
            return False
        return self.has_news or not self.comments

    @property
    def attention(self) -> int:
        """How much of the reviewer's attention it deserves, compared with others."""
        return attention(self.evidence)

    @property
    def said(self) -> str:
        """What Claude said at the end."""
        outcome = self.known.last_outcome
        return outcome.result if outcome else ""

    @property
    def attempts(self) -> int:
        """How many attempts it took, also those from before it started over."""
        return len(self.known.earlier) + len(self.known.attempts)


@dataclass(frozen=True)
class Reading:
    """The features to review."""

    project_name: str
    base_branch: str
    base_commit: str
    features: tuple[FeatureReading, ...]
    """In the order in which to read them: dependencies first, then what deserves attention."""
    hardest: str = ""
    """The feature that deserves the most attention; empty unless one stands out."""

    @property
    def waiting(self) -> tuple[FeatureReading, ...]:
        """The features that wait for the reviewer."""
        return tuple(feature for feature in self.features if feature.waits)


def masked(reading: Reading, mask: Mask) -> Reading:
    """The reading without secrets in names and patches; the journal masked the rest."""
    features = tuple(_masked_feature(feature, mask) for feature in reading.features)
    return replace(reading, features=features, project_name=mask(reading.project_name))


def _masked_feature(feature: FeatureReading, mask: Mask) -> FeatureReading:
    files = tuple(
        replace(file, whole=_masked(file.whole, mask), news=file.news and _masked(file.news, mask))
        for file in feature.files
    )
    return replace(feature, name=mask(feature.name), files=files)


def _masked(file: FileDiff, mask: Mask) -> FileDiff:
    return replace(file, path=mask(file.path), old_path=mask(file.old_path), patch=mask(file.patch))


def document(reading: Reading) -> dict[str, Json]:
    """What ``review --json`` prints."""
    return {
        "project_name": reading.project_name,
        "base_branch": reading.base_branch,
        "base_commit": reading.base_commit,
        "read_first": reading.hardest or None,
        "waiting": [feature.id for feature in reading.waiting],
        "features": [_feature(feature) for feature in reading.features],
    }


def _feature(feature: FeatureReading) -> dict[str, Json]:
    known, work = feature.known, feature.known.work
    return {
        "id": feature.id,
        "name": feature.name,
        "depends_on": list(feature.depends_on),
        "branch": known.branch or None,
        "commit": feature.tip,
        "start_commit": feature.start or None,
        "answer": feature.answer.value if feature.answer else None,
        "waits": feature.waits,
        "comments": [_comment(comment) for comment in known.review.comments],
        "attention": feature.attention,
        "evidence": [
            {"kind": each.kind.value, "text": each.text, "weight": each.weight}
            for each in feature.evidence
        ],
        "insertions": feature.insertions,
        "deletions": feature.deletions,
        "files": [_file(file) for file in feature.files],
        "taken_back": list(feature.taken_back),
        "attempts": feature.attempts,
        **cost_document(known.cost),
        "failed_first": [
            {"check": check, "times": times} for check, times in feature.failed_first.items()
        ],
        "held_back": list(work.held_back) if work else [],
        "denied_tools": list(feature.denied),
        "verdicts": verdict_document(known.verdicts.values()),
        "said": feature.said,
        "notes": list(feature.notes),
        "fault": feature.fault or None,
    }


def _comment(comment: Comment) -> dict[str, Json]:
    return {
        "id": comment.id,
        "text": comment.text,
        "path": comment.path or None,
        "line": comment.line or None,
        "author": comment.author or None,
        "source": comment.source or None,
        "sent": comment.is_sent,
    }


def _file(file: FileReading) -> dict[str, Json]:
    whole, news = file.whole, file.news
    return {
        "path": whole.path,
        "old_path": whole.old_path or None,
        "insertions": whole.insertions,
        "deletions": whole.deletions,
        "sight": file.sight.value,
        "named": file.is_named,
        "others": list(file.others),
        "new": {
            "insertions": news.insertions,
            "deletions": news.deletions,
            "patch": news.patch,
            "cut": news.is_cut,
        }
        if news
        else None,
    }
