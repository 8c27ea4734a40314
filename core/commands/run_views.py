"""The views of a run, made from its options."""

from __future__ import annotations

from ..model.frozen import dataclass
from ..orchestrator.one_run import OneRun
from ..views.view import View
from .options import Display


@dataclass(frozen=True)
class ViewOptions:
    """The options of ``run`` that choose views; a path is empty if it is not given."""

    events: str = ""
    """The file of the events; ``-`` for standard output."""


def views_of(options: ViewOptions, run: OneRun, display: Display) -> list[View]:
    """The views of a run. Raises :class:`UserError` if a path in ``options`` is unusable."""
    return []
