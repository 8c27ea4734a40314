"""French for some lines of a test."""

from __future__ import annotations

from core.model.translate import use
from core.process.language import catalogue


class French:
    """A context in which users are shown French."""

    def __enter__(self) -> None:
        use(catalogue("fr"))

    def __exit__(self, *_: object) -> None:
        use(None)
