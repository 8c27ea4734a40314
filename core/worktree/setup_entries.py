"""What the setup cache has, as its entries say themselves."""

from __future__ import annotations

import json
import os
from contextlib import suppress

from ..journal import private_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.cached_setup import CachedSetup

FOLDER = os.path.join("rorchestrator", "setup-cache")

ABOUT = "about.json"
ABOUT_BYTES = 1024 * 1024


def store_folder(common_dir: str) -> str:
    """The folder of the setup cache of a repository."""
    return os.path.join(common_dir, FOLDER)


def entries_in(folder: str) -> list[CachedSetup]:
    """All entries, the one used last first."""
    names: list[str] = []
    with suppress(OSError):
        names = [name for name in os.listdir(folder) if not name.startswith(".")]
    found = [entry for entry in (entry_in(folder, name) for name in names) if entry is not None]
    return sorted(found, key=lambda entry: (-entry.used_at, entry.key))


def entry_in(folder: str, key: str) -> CachedSetup | None:
    """One entry; ``None`` if there is none, or it can't be read."""
    from ..model.cached_setup import CachedSetup

    path = os.path.join(folder, key)
    try:
        used_at = os.lstat(path).st_mtime
        with open(os.path.join(path, ABOUT), "rb", opener=private_files.only_regular) as file:
            told = json.loads(file.read(ABOUT_BYTES))
        folders = tuple(map(str, told["folders"]))
        return CachedSetup(key, folders, int(told["bytes"]), int(told["files"]), used_at)
    except (OSError, ValueError, LookupError, TypeError, RecursionError, OverflowError):
        return None
