"""Values: a worktree, a conflict between dependencies, kept work."""

from __future__ import annotations

from ..model.excerpt import some
from ..model.frozen import dataclass
from ..model.outcome import Fault
from ..model.translate import N_


@dataclass(frozen=True)
class Worktree:
    """A worktree of ours at its creation."""

    feature: str
    path: str
    branch: str
    start_commit: str
    gitfile: bytes
    """The content of its ``.git`` file, which an agent may replace."""
    is_old: bool = False
    """Whether an earlier run created it."""
    is_checked_out: bool = False
    """Whether git has just written all of its files."""
    base_commit: str = ""
    """The run's base commit; ``start_commit`` also contains the dependencies' results."""


@dataclass(frozen=True)
class Conflict:
    """Two dependencies with conflicting results."""

    one: str
    other: str
    files: tuple[str, ...]
    reason: str = ""
    """Why Claude did not resolve it, if Claude was to."""
    fault: Fault = Fault.NONE
    """The fault of the attempt to resolve it."""

    def __str__(self) -> str:
        text = N_("{one} and {other} conflict")
        if self.files:
            text = N_("{one} and {other} conflict in {files}")
        return text.format(one=self.one, other=self.other, files=some(self.files))


@dataclass(frozen=True)
class Kept:
    """Work saved before a branch was removed; ``ref`` is empty if there was none."""

    ref: str = ""
    tip: str = ""
    aside: str = ""
    """The folder with secret copies, which are in no ref because refs may be pushed."""
