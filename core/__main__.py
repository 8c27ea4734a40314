"""``python -m rorchestrator``: the command, from the installed package."""

from __future__ import annotations

from .cli import entry_point

entry_point()
