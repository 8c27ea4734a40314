"""What a run prints and writes: lines for a terminal, JSON reports."""

from .console import Reporter

__all__ = ["Reporter"]
