"""Files that commits leave out: *.pem, *.key, .env, id_rsa, huge files, build folders."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..git.output import WorktreeStatus
from . import build_products

HUGE_BYTES = 5 * 1024 * 1024


BUILT_BY_TOOLS = frozenset(
    {
        "node_modules",
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".tox",
        ".venv",
        "venv",
        ".gradle",
        ".next",
        ".turbo",
        ".parcel-cache",
        "target",
        "build",
        "dist",
        "coverage",
        "tmp",
        "log",
    }
)
"""Ignored folders that a build creates again, so not work."""


REBUILT_SUFFIXES = (".pyc", ".pyo", ".o", ".class", ".log", ".tsbuildinfo", ".egg-info")


def left_uncommitted(path: str, untracked: Iterable[str]) -> tuple[str, ...]:
    """The new files that a commit leaves out: secrets, huge files, repositories."""
    return tuple(file for file in untracked if _is_suspect(path, file))


def _is_suspect(path: str, file: str) -> bool:
    name = os.path.basename(file)
    if file.endswith("/") or _looks_secret(name) or is_only_huge(path, file):
        return True
    return name == "node_modules" and os.path.islink(os.path.join(path, file))


def is_only_huge(path: str, file: str) -> bool:
    """Whether a file is left out only because of its size."""
    if file.endswith("/") or _looks_secret(os.path.basename(file)):
        return False
    try:
        return os.lstat(os.path.join(path, file)).st_size > HUGE_BYTES
    except OSError:
        return False


def is_new_secret(file: str, status: WorktreeStatus) -> bool:
    """Whether a file looks secret and is not tracked yet."""
    is_tracked = file in status.changed and file not in status.added
    return _looks_secret(os.path.basename(file)) and not is_tracked


def _looks_secret(name: str) -> bool:
    if name == ".env" or name.startswith(".env."):
        return not name.endswith((".example", ".sample", ".template", ".dist"))
    keys = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519")
    return name in keys or name.endswith((".pem", ".key", ".p12", ".pfx", ".keystore"))


def built_by_tools(file: str) -> bool:
    """Whether a build creates an ignored file again."""
    parts = file.rstrip("/").split("/")
    return bool(BUILT_BY_TOOLS.intersection(parts)) or parts[-1].endswith(REBUILT_SUFFIXES)


def is_rebuilt(path: str, root: str) -> bool:
    """Whether a build product is safe to remove: an agent may have tagged a folder of sources."""
    whole = os.path.join(path, root)
    return not root.endswith("/") or built_by_tools(root) or build_products.is_known(whole)
