"""The baseline: uncommitted files of a worktree before Claude starts, which are not its work."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping

from ..git.output import WorktreeStatus
from ..journal import private_files
from ..model.frozen import dataclass, field
from .check_artifacts import stamp_of

FILE = "rorchestrator-baseline"
"""In the git folder of the worktree: removed with it, and available after a kill."""

ABSENT = "absent"


@dataclass(frozen=True)
class Baseline:
    """Uncommitted files by path, each with a fingerprint."""

    changed: Mapping[str, str] = field(default_factory=dict)
    """Tracked files by content, because another run of the setup writes the same content."""
    untracked: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] | None = None
    """``None`` if unknown."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """Commits of submodules that the setup moved."""

    def unchanged(self, path: str, files: Iterable[str]) -> set[str]:
        """The files in ``path`` that are unchanged since the baseline."""
        return {file for file in files if self._is_unchanged(path, file)}

    def _is_unchanged(self, path: str, file: str) -> bool:
        if file in self.changed:
            return content_of(path, file) == self.changed[file] != ""
        return file in self.untracked and _stamp(path, file) == self.untracked[file]


def take(path: str, status: WorktreeStatus, modules: Mapping[str, str]) -> Baseline:
    """The baseline of a worktree before Claude starts."""
    # git cannot restore new files, even staged ones.
    tracked = set(status.changed).difference(status.added)
    new = [*status.added, *status.untracked]
    return Baseline(
        {file: content_of(path, file) for file in tracked},
        {file: stamp for file in new if (stamp := _stamp(path, file))},
        frozenset(status.ignored),
        modules,
    )


def save(folder: str, baseline: Baseline) -> None:
    """Write the baseline into the git folder of the worktree. Raises ``OSError``."""
    document = {
        "changed": dict(baseline.changed),
        "untracked": dict(baseline.untracked),
        "ignored": sorted(baseline.ignored or ()),
        "modules": dict(baseline.modules),
    }
    path = os.path.join(folder, FILE)
    descriptor = private_files.open_file(f"{path}.new", os.O_WRONLY | os.O_TRUNC)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)


def load(folder: str) -> Baseline:
    """The baseline of a worktree; empty if there is none."""
    try:
        with open(os.path.join(folder, FILE), encoding="utf-8", opener=_non_blocking) as file:
            known = json.load(file)
        return Baseline(
            dict(known["changed"]),
            dict(known["untracked"]),
            frozenset(known["ignored"]),
            dict(known.get("modules", {})),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Baseline()


def _non_blocking(path: str, flags: int) -> int:
    """Open a file without blocking if an agent replaced it with a FIFO."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def content_of(path: str, file: str) -> str:
    """A fingerprint of a file's content, type and mode."""
    import hashlib  # slow to import

    whole = os.path.join(path, file)
    try:
        mode = os.lstat(whole).st_mode
        if stat.S_ISLNK(mode):
            return f"link to {os.readlink(whole)}"
        if not stat.S_ISREG(mode):
            return ""
        with open(whole, "rb") as opened:
            digest = hashlib.sha256()
            while block := opened.read(1 << 20):
                digest.update(block)
    except FileNotFoundError:
        return ABSENT
    except OSError:
        return ""
    return f"{digest.hexdigest()} {mode & stat.S_IXUSR:o}"


def _stamp(path: str, file: str) -> str:
    found = stamp_of(path, file)
    return " ".join(map(str, found)) if found else ""
