"""``schema``: prints the JSON Schema of a feature list, for editors."""

from __future__ import annotations

import argparse

from ..model.errors import ExitCode
from ..model.translate import N_, _
from .options import add_common_options

EXAMPLES = N_("""\
examples:
  rorchestrator schema
  rorchestrator schema > config/feature_list.schema.json
""")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.description = _(
        "Print the JSON Schema (2020-12) of a feature list. With it, editors "
        'complete and check a\nlist that names it: "$schema": '
        '"./feature_list.schema.json".'
    )
    parser.epilog = _(EXAMPLES)
    add_common_options(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Print the schema."""
    from ..project.schema import schema_text

    print(schema_text(), end="")
    return ExitCode.UP_TO_DATE
