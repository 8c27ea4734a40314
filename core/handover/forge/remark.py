"""`Remark`: what a reviewer or a check says about a pull request, and whether it counts.

Anybody may comment on a public repository, and what they write is read by an agent that may run
commands. So a remark counts unasked only if its author may write to the repository anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ...model.excerpt import excerpt
from ...model.frozen import Enum, dataclass
from ...model.terminal_text import clean, one_line
from ...model.translate import N_

LINES = 400
"""Of a remark; longer ones lose their middle."""

LOG_LINES = 60
"""Of the end of a failed check's log, as of a check of ours."""


NAME_CHARACTERS = 200
"""Of the name of a check, which its author chose."""


class Kind(Enum):
    """Where a remark was made."""

    THREAD = "thread"
    """On a line or a file of the changes."""
    REVIEW = "review"
    """The text of a review as a whole."""
    COMMENT = "comment"
    """In the conversation below the pull request."""
    CHECK = "check"
    """A check of the forge that failed."""


@dataclass(frozen=True)
class Remark:
    """A remark of one person, or a failed check."""

    id: str
    """As in its URL; unique in a pull request."""
    kind: Kind
    text: str
    author: str = ""
    may_write: bool = False
    """Whether the author may write to the repository; a check of the repository's own may."""
    path: str = ""
    line: int = 0
    url: str = ""
    asks_for_changes: bool = False


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Readers(Protocol):
        """The reviewers of a repository's pull requests. Methods raise :class:`ForgeError`."""

        async def remarks(self, number: int, commit: str) -> list[Remark]:
            """What is open: not what was resolved, is outdated, hidden or not published.

            ``commit`` is that of the branch: the checks of no other one count.
            """


def text_of(words: object) -> str:
    """The text of a remark within its limits, with no control characters."""
    return excerpt(clean(words).strip(), lines=LINES) if isinstance(words, str) else ""


def failure_of(name: str, how: str, log: str) -> str:
    """The text of a failed check; ``log`` may be empty."""
    said = N_("The check {name} of the pull request ended with: {how}.").format(
        name=one_line(name)[:NAME_CHARACTERS], how=one_line(how)[:NAME_CHARACTERS]
    )
    end = "\n".join(clean(log).strip().splitlines()[-LOG_LINES:])
    if not end:
        return said
    return "\n\n".join((said, N_("The end of its log:"), excerpt(end, lines=LOG_LINES)))


def entries(value: object, *keys: str) -> Iterator[Mapping[str, object]]:
    """The objects of a list below ``keys``; none if the answer has another shape."""
    found = inside(value, *keys)
    listed: Iterable[object] = found if isinstance(found, list) else ()
    yield from (each for each in listed if isinstance(each, dict))


def inside(value: object, *keys: str) -> object:
    """What is below ``keys``; ``None`` if the answer has another shape."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
