"""What a run prints and writes: lines for a terminal, JSON reports."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .console import Reporter

__all__ = ["Reporter"]


def __getattr__(name: str) -> object:
    """The reporter is imported when it is asked for: ``plan`` and ``status`` report no events."""
    if name not in __all__:
        raise AttributeError(name)
    from . import console

    return console.Reporter
