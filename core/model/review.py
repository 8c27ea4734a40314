"""The review of a feature: the reviewer's answer and comments, and what was seen."""

from __future__ import annotations

from collections.abc import Mapping

from .frozen import Enum, dataclass, field
from .json_values import Json, integer


class Answer(Enum):
    """The answer of a review."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Comment:
    """A comment on a feature's work, for its session."""

    id: str
    text: str
    path: str = ""
    line: int = 0
    """A line of ``path``, from 1 on; 0 for none."""
    author: str = ""
    source: str = ""
    """What identifies a comment of a forge, so that it is applied once; empty for your own."""
    is_sent: bool = False
    """Whether Claude got it."""


@dataclass(frozen=True)
class Review:
    """What a reviewer said of a feature, and what they saw of it."""

    answer: Answer | None = None
    commit: str = ""
    """The tip that was answered."""
    comments: tuple[Comment, ...] = ()
    seen: Mapping[str, str] = field(default_factory=dict)
    """By path: the digest of the file's own diff, context included."""

    @property
    def open_comments(self) -> tuple[Comment, ...]:
        """The comments that Claude did not get yet."""
        return tuple(comment for comment in self.comments if not comment.is_sent)

    @property
    def is_rejected(self) -> bool:
        """Whether the feature has to start over."""
        return self.answer is Answer.REJECTED

    def is_accepted(self, tip: str) -> bool:
        """Whether the work was accepted as it is at ``tip``."""
        return self.answer is Answer.ACCEPTED and self.commit == tip


def own_comment(known: Review, text: str, path: str = "", line: int = 0) -> Comment:
    """A comment of the user's on a feature with this review.

    Said again before Claude got it, it is the same one: a command that was killed is typed again.
    """
    import json
    from hashlib import sha256

    sent = sum(each.is_sent for each in known.comments)
    said = json.dumps([text, path, line, sent])
    return Comment(sha256(said.encode()).hexdigest()[:12], text, path, line)


def comment_data(comment: Comment) -> dict[str, Json]:
    """The data of ``commented``."""
    data: dict[str, Json] = {"comment": comment.id, "text": comment.text}
    rest = {
        "path": comment.path,
        "line": comment.line,
        "author": comment.author,
        "source": comment.source,
    }
    return {**data, **{name: value for name, value in rest.items() if value}}


def comment_of_data(data: Mapping[str, Json]) -> Comment:
    """The comment that :func:`comment_data` was made of."""
    return Comment(
        id=str(data.get("comment", "")),
        text=str(data.get("text", "")),
        path=str(data.get("path", "")),
        line=integer(data, "line"),
        author=str(data.get("author", "")),
        source=str(data.get("source", "")),
    )
