"""A failed setup, check or teardown: its stage, its cause and the end of its output."""

from __future__ import annotations

from ..git.tampering import Tampered
from ..model.errors import StateError, UserError
from ..model.excerpt import excerpt
from ..model.frozen import dataclass
from ..model.outcome import Stage
from ..process.supervisor import Killed
from .steps import Step

REASON_LINES = 20
"""The lines of output in a report. Claude gets more."""


@dataclass(frozen=True)
class Failure:
    """Why a worktree could not be made ready, checked or torn down."""

    cause: str
    output: str = ""
    interrupted: bool = False
    is_ours: bool = False
    """Whether the check could not be made at all, so the work is not to blame."""
    stage: Stage = Stage.NONE
    step: Step | None = None
    """The command that failed, if one did."""

    @property
    def what(self) -> str:
        """The cause, with its stage."""
        return f"{self.stage.value}: {self.cause}" if self.stage.value else self.cause

    @property
    def reason(self) -> str:
        """The cause and the end of the output, for a report."""
        last = self.output.strip().splitlines()[-REASON_LINES:]
        return excerpt("\n".join([self.what, *last]))


def failed(step: Step) -> Failure:
    """The failure of a command."""
    return Failure(str(step), step.tail, step.interrupted, stage=step.stage, step=step)


def unable(error: UserError) -> Failure:
    """The failure to try something at all. An error that ends the run is raised again."""
    if isinstance(error, (StateError, Tampered)):
        raise error
    if isinstance(error, Killed):
        return Failure(error.message, interrupted=True)
    return Failure("\n".join(filter(None, (error.message, error.hint))), is_ours=True)
