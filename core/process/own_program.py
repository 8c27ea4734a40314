"""Command lines that run a module of this package as a program of its own."""

from __future__ import annotations

import os
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def own_program(module: str, *arguments: object) -> list[str]:
    """The command line that calls ``main`` of ``module`` with this interpreter.

    ``arguments`` are written as literals. Neither the environment nor the current folder changes
    what is imported.
    """
    given = ", ".join(map(repr, arguments))
    program = f"import sys; sys.path.insert(0, {_ROOT!r}); from {module} import main; main({given})"
    return [sys.executable, "-I", "-S", "-c", program]
