"""Build products: __pycache__, node_modules, virtualenvs, *.pyc, folders with CACHEDIR.TAG.

Names like build, dist, target, out, log, tmp or coverage do not count: sources use them too.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

FOLDERS = frozenset(
    {
        "__pycache__",
        "node_modules",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".pytype",
        ".hypothesis",
        ".tox",
        ".nox",
        ".gradle",
        ".parcel-cache",
        ".turbo",
        ".sass-cache",
        ".ipynb_checkpoints",
    }
)
NAMES = frozenset({".eslintcache", ".stylelintcache"})
SUFFIXES = (".pyc", ".pyo", ".tsbuildinfo")

VENVS = frozenset({"venv", ".venv"})

TAG = "CACHEDIR.TAG"
SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
"""The beginning of the file; format: https://bford.info/cachedir/"""


def among(path: str, files: Iterable[str]) -> dict[str, list[str]]:
    """The files below ``path`` that may be build products, each with its roots.

    A root is a folder with a trailing slash, or the file itself; the outermost comes first.
    """
    known: dict[str, bool] = {}
    found = {file: list(_roots(path, file, known)) for file in files}
    return {file: roots for file, roots in found.items() if roots}


def _roots(path: str, file: str, known: dict[str, bool]) -> Iterator[str]:
    *folders, name = file.split("/")
    for depth in range(1, len(folders) + 1):
        folder = "/".join(folders[:depth])
        if folder not in known:
            known[folder] = _is_product(os.path.join(path, folder))
        if known[folder]:
            yield f"{folder}/"
    if name in NAMES or name.endswith(SUFFIXES):
        yield file


def _is_product(folder: str) -> bool:
    return is_known(folder) or _is_tagged(os.path.join(folder, TAG))


def is_known(folder: str) -> bool:
    """Whether a folder's name is only used by tools. A tag is weaker: anybody can write one."""
    name = os.path.basename(folder.rstrip("/"))
    if name in FOLDERS:
        return True
    return name in VENVS and os.path.isfile(os.path.join(folder, "pyvenv.cfg"))


def _is_tagged(tag: str) -> bool:
    try:
        if not stat.S_ISREG(os.lstat(tag).st_mode):
            return False
        with open(tag, "rb") as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except OSError:
        return False
