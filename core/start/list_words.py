"""The ids and tags of a feature list that may have faults, for the completion of a shell."""

from __future__ import annotations

import json

from ..model.errors import UserError
from ..model.terminal_text import one_line
from ..project.feature_list import read
from ..project.list_path import list_path


def ids_and_tags(given: str) -> tuple[dict[str, str], dict[str, str]]:
    """The ids of a list with the names of the features, and its tags; nothing without a list.

    ``given`` is the path of the list, or empty if it is to be searched for. Raises nothing.
    """
    try:
        data = json.loads(read(list_path(given)))
    except (UserError, OSError, ValueError, RecursionError):
        return {}, {}
    features = data.get("features") if isinstance(data, dict) else None
    ids: dict[str, str] = {}
    tags: dict[str, str] = {}
    for feature in features if isinstance(features, list) else ():
        if not isinstance(feature, dict):
            continue
        id, name, own = (feature.get(key) for key in ("id", "name", "tags"))
        if isinstance(id, str):
            ids[id] = one_line(name) if isinstance(name, str) else ""
        for tag in own if isinstance(own, list) else ():
            if isinstance(tag, str):
                tags[tag] = ""
    return ids, tags
