"""A worktree, a conflict of dependencies and kept work, as values."""

from __future__ import annotations

from ..model.excerpt import some
from ..model.frozen import dataclass


@dataclass(frozen=True)
class Worktree:
    """A worktree of ours, as it was when it was made."""

    feature: str
    path: str
    branch: str
    start_commit: str
    gitfile: bytes
    """What its ``.git`` file says; an agent may have replaced it since."""
    is_old: bool = False
    """Whether an earlier run made it, and all that is in it."""
    base_commit: str = ""
    """What the run began with; ``start_commit`` holds the dependencies' results as well."""


@dataclass(frozen=True)
class Conflict:
    """Two dependencies whose results do not merge."""

    one: str
    other: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        where = f" in {some(self.files)}" if self.files else ""
        return f"{self.one} and {self.other} conflict{where}"


@dataclass(frozen=True)
class Kept:
    """What was saved before a branch went: the ref that holds it, empty where nothing was."""

    ref: str = ""
    tip: str = ""
    aside: str = ""
    """The folder that holds what looks secret: no ref does, which a push may take along."""
