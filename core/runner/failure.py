"""A failed setup, check or teardown: its stage, its cause and the end of its output."""

from __future__ import annotations

from ..git.tampering import Tampered
from ..model.errors import StateError, UserError
from ..model.excerpt import excerpt
from ..model.frozen import dataclass, replace
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
    hint: str = ""
    """The next step, if the check could not be made."""
    passed_before: bool = False
    """Whether this check passed at the commit that the feature started from."""
    first_cause: str = ""
    """The cause before :meth:`within` put words around it."""

    @property
    def what(self) -> str:
        """The cause, with its stage and the next step."""
        cause = f"{self.stage.value}: {self.cause}" if self.stage.value else self.cause
        return f"{cause}\n{self.hint}" if self.hint else cause

    @property
    def reason(self) -> str:
        """The cause and the end of the output, for a report."""
        return excerpt("\n".join([self.what, *self._last_lines]))

    @property
    def printed(self) -> str:
        """The end of the output."""
        return excerpt("\n".join(self._last_lines))

    @property
    def _last_lines(self) -> list[str]:
        return self.output.strip().splitlines()[-REASON_LINES:]

    @property
    def origin(self) -> str:
        """The cause by itself, wherever the failure was met."""
        return self.first_cause or self.cause

    def within(self, sentence: str, **fields: object) -> Failure:
        """The same failure, in a ``sentence`` about ``{what}`` that says where it was met."""
        cause = sentence.format(what=self.what, **fields)
        return replace(self, cause=cause, stage=Stage.NONE, hint="", first_cause=self.origin)


def failed(step: Step) -> Failure:
    """The failure of a command."""
    return Failure(str(step), step.tail, step.interrupted, stage=step.stage, step=step)


def unable(error: UserError) -> Failure:
    """The failure to try something at all. An error that ends the run is raised again."""
    if isinstance(error, (StateError, Tampered)):
        raise error
    if isinstance(error, Killed):
        return Failure(error.message, interrupted=True)
    return Failure(error.message, is_ours=True, hint=error.hint)
