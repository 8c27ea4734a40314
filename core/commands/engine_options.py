"""The options with which commands act on a run that was submitted to an engine."""

from __future__ import annotations

import argparse

from ..model.errors import UserError
from ..model.translate import _
from .options import add_remote_option, add_run_id_option

SLURM = "slurm"
ENGINES = (SLURM,)


def add_engine_option(group: argparse._ActionsContainer, *, required: bool = False) -> None:
    """The engine."""
    group.add_argument(
        "--engine", choices=ENGINES, required=required, help=_("the engine that runs the features")
    )


def add_submitted_options(parser: argparse.ArgumentParser) -> None:
    """The engine, and which of its runs."""
    group = parser.add_argument_group(_("a run on many machines"))
    add_engine_option(group)
    add_run_id_option(group)
    add_remote_option(group)


def check_engine(arguments: argparse.Namespace) -> None:
    """Raise :class:`UserError` for an option that only a run on many machines has."""
    given = {"--run-id": arguments.run_id, "--remote": arguments.remote}
    for option, value in given.items():
        if value:
            raise UserError(
                _("{option} is for a run on many machines").format(option=option),
                hint=_("add --engine {engine}").format(engine=SLURM),
            )
