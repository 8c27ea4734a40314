"""Four features, of which two run at the same time."""

from __future__ import annotations

from tests.support.workspace import Workspace, feature

DIAMOND = ("model", "storage", "search", "app")
"""Their ids; each writes ``<id>.py``."""


def diamond(space: Workspace) -> tuple[dict[str, object], ...]:
    """The features: ``app`` needs ``storage`` and ``search``, which need ``model``.

    ``storage`` and ``search`` wait for each other: one after the other they would wait for ever.
    """
    storage, search = (space.beside(f"{id}.here") for id in ("storage", "search"))
    return (
        feature("model", {"write": "model.py", "content": "1\n2\n"}, {"cost": 0.25}),
        feature(
            "storage",
            {"write": storage},
            {"wait": search},
            {"write": "storage.py"},
            depends_on=["model"],
            tags=["disk"],
        ),
        feature(
            "search",
            {"write": search},
            {"wait": storage},
            {"write": "search.py"},
            depends_on=["model"],
        ),
        feature("app", {"write": "app.py"}, depends_on=["storage", "search"]),
    )
