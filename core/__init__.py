"""RoRchestrator: a feature list in, verified git branches out."""

__version__ = "1.1.0.dev"
