"""The features as a graph: their order, the predicted time, what is up to date."""

from .resolver import DAGResolver

__all__ = ["DAGResolver"]
