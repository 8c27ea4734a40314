"""Where an imported feature comes from: the value of its key ``x-origin``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from ...model.frozen import dataclass

KEY = "x-origin"


@dataclass(frozen=True)
class Origin:
    """The item of a source, and hashes of what was imported from it."""

    file: str
    """Relative to the workspace; ``-`` is standard input."""
    kind: str
    key: str
    hashes: Mapping[str, str]
    """Of the values of the feature's keys, and of its prompt, as they were imported."""

    def document(self) -> dict[str, object]:
        """The value of ``x-origin``."""
        return {"file": self.file, "kind": self.kind, "key": self.key, "hash": dict(self.hashes)}


def origin_of(feature: object) -> Origin | None:
    """The origin of a feature of the list; ``None`` if it was not imported."""
    value = feature.get(KEY) if isinstance(feature, dict) else None
    if not isinstance(value, dict) or not isinstance(feature, dict):
        return None
    file, kind, key, hashes = (value.get(name) for name in ("file", "kind", "key", "hash"))
    if not all(isinstance(each, str) for each in (file, kind, key, feature.get("id"))):
        return None
    known = hashes if isinstance(hashes, dict) else {}
    return Origin(str(file), str(kind), str(key), {name: str(each) for name, each in known.items()})


def digest(value: object) -> str:
    """A hash of a JSON value; a text has the same one with other line ends."""
    if isinstance(value, str):
        value = value.replace("\r\n", "\n")
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]
