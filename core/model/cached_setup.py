"""An entry of the setup cache, as it describes itself."""

from __future__ import annotations

from .frozen import dataclass
from .json_values import Json


@dataclass(frozen=True)
class CachedSetup:
    """What one setup made. Only the digest in the journal proves it."""

    key: str
    folders: tuple[str, ...]
    bytes: int
    files: int
    used_at: float
    """When it was stored, or last copied."""

    def to_json(self, now: float) -> dict[str, Json]:
        """As ``status --json`` and ``cleanup --prune --json`` print it."""
        return {
            "key": self.key,
            "folders": list(self.folders),
            "bytes": self.bytes,
            "files": self.files,
            "age_seconds": round(max(0.0, now - self.used_at)),
        }
