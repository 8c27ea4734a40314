"""A failed setup, check or teardown: its stage, its cause and the end of its output."""

from __future__ import annotations

from ..git.tampering import Tampered
from ..model.errors import StateError, UserError
from ..model.excerpt import excerpt
from ..model.frozen import dataclass
from ..model.outcome import Stage
from ..process.supervisor import Killed

REASON_LINES = 20
"""How much of what a command printed goes into the report; Claude is told more."""


@dataclass(frozen=True)
class Failure:
    """A failed setup, check or teardown: the command and its output, or why it was not tried."""

    cause: str
    output: str = ""
    interrupted: bool = False
    is_ours: bool = False
    """Whether the feature's work is not to blame: nobody could look at it."""
    stage: Stage = Stage.NONE

    @property
    def what(self) -> str:
        """The cause, with its stage."""
        return f"{self.stage.value}: {self.cause}" if self.stage.value else self.cause

    @property
    def reason(self) -> str:
        """For the report: what it was, and the end of its output."""
        last = self.output.strip().splitlines()[-REASON_LINES:]
        return excerpt("\n".join([self.what, *last]))


def unable(error: UserError) -> Failure:
    """That something could not be tried. What ends the run is raised again."""
    if isinstance(error, (StateError, Tampered)):
        raise error
    if isinstance(error, Killed):
        return Failure(error.message, interrupted=True)
    return Failure("\n".join(filter(None, (error.message, error.hint))), is_ours=True)
