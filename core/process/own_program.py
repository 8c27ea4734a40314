"""Where this package is, and command lines that run one of its modules as a program."""

from __future__ import annotations

import os
import sys

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder ``core/``, or that of the installed package."""

ROOT = os.path.dirname(PACKAGE)
"""What imports find the package in: a clone, a version of the wrapper, or site-packages."""


def own_program(module: str, *arguments: object) -> list[str]:
    """The command line that calls ``main`` of ``module`` with this interpreter.

    ``arguments`` are written as literals. Neither the environment nor the current folder changes
    what is imported.
    """
    given = ", ".join(map(repr, arguments))
    program = f"import sys; sys.path.insert(0, {ROOT!r}); from {module} import main; main({given})"
    return [sys.executable, "-I", "-S", "-c", program]
