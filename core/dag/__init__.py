"""The dependency graph of features: order, schedule, up-to-date checks."""

from .resolver import DAGResolver

__all__ = ["DAGResolver"]
