"""Paths out of a worktree into the main checkout: editable installs, workspace links, symlinks.

With an editable install in a copied virtualenv, or a workspace link in a linked ``node_modules``,
checks import the user's files and pass whatever the worktree contains.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping

from ..model.frozen import dataclass
from ..model.patterns import pattern
from ..model.translate import N_
from ..process.environment import SEARCH_PATHS, VIRTUAL_ENVIRONMENTS

MOST_ENTRIES = 20_000
"""Inspected among all copied and linked files, because ``plan`` must stay fast."""

MOST_BYTES = 1024 * 1024
"""Read of one file."""

SITES = frozenset({"site-packages", "dist-packages"})
"""Python's folders of installed packages, which are not inspected themselves."""

COMPOSER = tuple(f"autoload_{name}.php" for name in ("psr4", "namespaces", "classmap", "files"))
"""Composer's lists of the project's own files, relative to its real folder."""

_IMPORTED = pattern(r"\bimport\s+([A-Za-z_][\w.]*)")
_PATH = pattern(r"""["'](/[^"'\n]*)["']""")
_BUILT_FROM = pattern(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(/.*)$", re.MULTILINE)
"""The source folder that a CMake build folder compiles."""

_EDITABLE = pattern(r'"editable"\s*:\s*true')
_URL = pattern(r'"url"\s*:\s*"file://([^"]*)"')


@dataclass(frozen=True)
class EscapingPath:
    """A file or a link, and the path in the main checkout that it leads to."""

    source: str
    target: str

    def __str__(self) -> str:
        return N_("{source} leads to {target}").format(source=self.source, target=self.target)


class Checkout:
    """The main checkout at ``top``, a ``worktree`` of it, and the files ``supplied`` to it."""

    def __init__(self, top: str, worktree: str, supplied: Collection[str]) -> None:
        self.top = os.path.realpath(top)
        self.worktree = os.path.realpath(worktree)
        self.supplied = [os.path.join(self.top, name) for name in supplied]
        self._left = MOST_ENTRIES

    def of_copied(self, name: str) -> Iterator[EscapingPath]:
        """Escaping paths of a copied file, whose relative links stay in the worktree."""
        yield from self._walk(name, is_linked=False)

    def of_linked(self, name: str) -> Iterator[EscapingPath]:
        """Escaping paths of a linked file, whose links lead where they lead in the checkout."""
        yield from self._of_link(os.path.join(self.top, name), is_linked=True)
        yield from self._walk(name, is_linked=True)

    def of_environment(self, environ: Mapping[str, str]) -> Iterator[EscapingPath]:
        """Escaping paths in the environment of checks: search paths and the active virtualenv."""
        for name in SEARCH_PATHS:
            for entry in environ.get(name, "").split(os.pathsep):
                yield from self._way(name, entry)
        for name in VIRTUAL_ENVIRONMENTS:
            for site in _sites(environ.get(name, "")):
                yield from self._of_site(site)

    def _walk(self, name: str, *, is_linked: bool) -> Iterator[EscapingPath]:
        """Escaping paths below a folder, the nearest first; packages are only checked for links."""
        pending = deque([os.path.join(self.top, name)])
        while pending:
            folder = pending.popleft()
            kind = _kind(folder)
            if kind == "site":
                yield from self._of_site(folder)
            for entry in self._entries(folder):
                if entry.is_symlink():
                    yield from self._of_link(entry.path, is_linked=is_linked)
                elif entry.name == "CMakeCache.txt":
                    for source in _BUILT_FROM.findall(_text(entry.path)):
                        yield from self._way(entry.path, source)
                elif _is_inspected(kind, entry):
                    if is_linked and entry.name == "composer":
                        yield from self._of_composer(entry.path)
                    pending.append(entry.path)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                found = [entry for entry, _ in zip(entries, range(self._left))]
        except OSError:  # a file or an unreadable folder
            return []
        self._left -= len(found)
        return found

    def _of_link(self, path: str, *, is_linked: bool) -> Iterator[EscapingPath]:
        """The target of a link in the checkout, or of its copy in the worktree."""
        target = os.path.realpath(path)
        if not is_linked and os.path.islink(path):
            copy = os.path.join(self.worktree, os.path.relpath(path, self.top))
            target = os.path.realpath(os.path.join(os.path.dirname(copy), os.readlink(path)))
        if target != path:
            yield from self._way(path, target)

    def _of_site(self, site: str) -> Iterator[EscapingPath]:
        """Editable installs among Python's packages."""
        found = False
        names = sorted(entry.name for entry in self._entries(site))
        for name in names:
            for target in _targets(os.path.join(site, name)):
                for way in self._way(os.path.join(site, name), target):
                    found = True
                    yield way
        for name in () if found else names:
            # A loader may compute its path; this file names the source of the install.
            file = os.path.join(site, name, "direct_url.json")
            text = _text(file) if name.endswith(".dist-info") else ""
            if _EDITABLE.search(text):
                for url in _URL.findall(text):
                    yield from self._way(file, _unquoted(url))

    def _of_composer(self, folder: str) -> Iterator[EscapingPath]:
        """Composer's list of the project's files, which a link resolves in the main checkout."""
        for name in COMPOSER:
            file = os.path.join(folder, name)
            if "$baseDir . '/" in _text(file):
                yield from self._way(file, os.path.join(folder, os.pardir, os.pardir))
                return

    def _way(self, source: str, target: str) -> Iterator[EscapingPath]:
        """The path from a file to ``target``, if that is in the checkout and not supplied."""
        real = os.path.realpath(target) if os.path.isabs(target) else ""
        mine = (self.worktree, *self.supplied)
        if real and _is_in(real, self.top) and not any(_is_in(real, each) for each in mine):
            yield EscapingPath(self._named(source), self._named(real))

    def _named(self, path: str) -> str:
        return os.path.relpath(path, self.top) if _is_in(path, self.top) else path


def find_escaping_paths(
    top: str, worktree: str, copied: Iterable[str], linked: Iterable[str]
) -> list[EscapingPath]:
    """All escaping paths of files that a worktree gets from the main checkout."""
    copied, linked = list(copied), list(linked)
    checkout = Checkout(top, worktree, [*copied, *linked])
    found = [way for name in copied for way in checkout.of_copied(name)]
    found += [way for name in linked if name not in copied for way in checkout.of_linked(name)]
    return list(dict.fromkeys(found))


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))


def _kind(folder: str) -> str:
    name, parent = os.path.basename(folder), os.path.basename(os.path.dirname(folder))
    if name in SITES:
        return "site"
    if name == "node_modules":
        return "packages"
    return "scope" if parent == "node_modules" else "folder"


def _is_inspected(kind: str, entry: os.DirEntry[str]) -> bool:
    if not entry.is_dir(follow_symlinks=False):
        return False
    return kind == "folder" or (kind == "packages" and entry.name.startswith("@"))


def _sites(prefix: str) -> list[str]:
    """The package folders of a virtualenv."""
    library = os.path.join(prefix, "lib")
    versions = os.listdir(library) if prefix and os.path.isdir(library) else []
    pythons = sorted(name for name in versions if name.startswith("python"))
    return [os.path.join(library, name, "site-packages") for name in pythons]


def _targets(path: str) -> Iterator[str]:
    """The absolute folders that a ``.pth`` or ``.egg-link`` file adds to Python's path."""
    if path.endswith(".egg-link"):
        yield from _text(path).split("\n")[:1]
    if not path.endswith(".pth"):
        return
    for line in _text(path).splitlines():
        if line.startswith(("import ", "import\t")):
            for name in _IMPORTED.findall(line):
                yield from _PATH.findall(_text(f"{os.path.dirname(path)}/{name}.py"))
        else:
            yield line.rstrip()


def _text(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.fsdecode(os.read(descriptor, MOST_BYTES))
    except OSError:  # a folder
        return ""
    finally:
        os.close(descriptor)


def _unquoted(url: str) -> str:
    from urllib.parse import unquote

    return unquote(url)
