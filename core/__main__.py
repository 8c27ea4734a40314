"""``python -m rorchestrator``: the command, from the installed package."""

from __future__ import annotations

from .cli import entry_point

if __name__ == "__main__":
    entry_point()
