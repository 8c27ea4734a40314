"""A bare copy of a repository for the rehearsal: borrowed objects, stand-ins for remotes.

Each remote is replaced by a local repository with what was fetched from it, so that a push ends
there, whatever setting names the remote.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ..model.frozen import replace
from ..model.translate import N_
from . import configuration
from .ahead import NO_FETCH
from .door import Git
from .output import config_text
from .refs import HEADS

COPIED_REFS = (HEADS, "refs/tags/", "refs/remotes/", "refs/rorchestrator/results/")

NOT_COPIED = re.compile(
    r"(core\.(bare|worktree|repositoryformatversion|fsmonitor)|extensions\..*"
    r"|include\..*|includeif\..*"
    # Settings that name another repository, or a program that contacts one.
    r"|remote\..*\.(url|pushurl|mirror|vcs|proxy.*|uploadpack|receivepack|lfs.*)"
    r"|branch\..*\.(remote|pushremote)|remote\.pushdefault"
    r"|url\..*\.(insteadof|pushinsteadof)|submodule\..*\.url|svn-remote\..*"
    r"|lfs\.(.*\.)?(pushurl|standalonetransferagent))\Z",
    re.DOTALL,
)
"""Settings, in lower case, that a copy does not get, or gets with another value."""

REMOTE = re.compile(r"remote\.(.*)\.[^.]*\Z", re.DOTALL)
REMOTE_URL = re.compile(r"remote\.(.*)\.(?:push)?url\Z", re.DOTALL)
USES_REMOTE = re.compile(r"(?:branch\..*\.(?:remote|pushremote)|remote\.pushdefault)\Z", re.DOTALL)
MODULE_URL = re.compile(r"submodule\.(.*)\.url\Z", re.DOTALL)

SPARSE = re.compile(r"(core\.sparsecheckout(cone)?|index\.sparse)\Z")
"""Settings of ``git sparse-checkout``, which only the main checkout has."""

STAND_INS = "stand-ins"
"""The folder of the stand-ins in the copy. Not ``remotes``, which git reads."""

HERE = "."
"""The name of the repository itself as a remote."""

ESCAPED = "surrogateescape"

Settings = Sequence[tuple[str, str]]


async def replicate(git: Git, folder: str, exclude: Collection[str] = ()) -> Git:
    """A bare copy of a repository in ``folder`` with its settings and its refs.

    ``exclude`` are refs to leave out. The original is only read.
    """
    here = os.path.realpath(folder)
    refs = {r: c for r, c in (await git.refs(*COPIED_REFS)).items() if r not in exclude}
    copy = await _borrowing(git, git.repository.common_dir, here, refs)
    await _Settings(git, copy, here, refs).write()
    return copy


async def _borrowing(git: Git, source: str, folder: str, refs: Mapping[str, str]) -> Git:
    """A bare repository with these refs that borrows the objects of ``source``."""
    await init_bare(git, folder, sha256=any(len(commit) == 64 for commit in refs.values()))
    with open(os.path.join(folder, "objects", "info", "alternates"), "wb") as file:
        file.write(os.fsencode(os.path.join(source, "objects")) + b"\n")
    _copy_files(source, folder, ("shallow",))
    copy = git.at(replace(git.repository, common_dir=folder))
    await create_refs(copy, refs)
    return copy


class _Settings:
    """The settings, hooks and submodules of a copy in the folder ``here``."""

    def __init__(self, git: Git, copy: Git, here: str, refs: Mapping[str, str]) -> None:
        self.git = git
        self.copy = copy
        self.here = here
        self.refs = refs
        self._stand_ins: dict[str, str] = {}
        """By name of the remote, or by URL if it has no name."""

    async def write(self) -> None:
        """Write config, hooks, ``info/`` files, remotes and submodules."""
        common = self.git.repository.common_dir
        own = await self._own(common)
        everywhere = await configuration.effective_settings(self.git)
        hooks = await configuration.hooks_folder(self.git)
        absolute = os.path.isabs(hooks)
        settings = [
            (key, value)
            for key, value in own
            # A setup that installs hooks must not change the original's.
            if not (_is_left_out(key) or (absolute and key == "core.hookspath"))
        ]
        settings += [pair for pair in everywhere if SPARSE.match(pair[0].lower())]
        settings += await self._of_remotes(everywhere)
        settings += await self._of_modules(common, self.here, own)
        _add_settings(self.here, settings)
        _copy_files(common, self.here, ("info/exclude", "info/attributes", "info/sparse-checkout"))
        if absolute and os.path.isdir(hooks):
            _copy_hooks(hooks, os.path.join(self.here, "hooks"))

    async def _of_remotes(self, everywhere: Settings) -> list[tuple[str, str]]:
        """Settings that redirect each remote, by name or by URL, to its stand-in."""
        named = [found[1] for key, _ in everywhere if (found := REMOTE.match(key))]
        settings: list[tuple[str, str]] = []
        for name in dict.fromkeys(named):
            settings += [
                (f"remote.{name}.{key}", await self._stand_in(name)) for key in ("url", "pushurl")
            ]
        for key, value in everywhere:
            if USES_REMOTE.match(key.lower()):
                is_url = value not in named and value != HERE
                settings.append((key, await self._stand_in(value) if is_url else value))
                named_by = value if is_url else ""
            else:
                found = REMOTE_URL.match(key)
                named_by = found[1] if found else ""
            if named_by and value:
                settings += _instead_of(value, await self._stand_in(named_by))
        anywhere = await self._stand_in(HERE)
        # A versioned .lfsconfig may name a server.
        return [*settings, ("lfs.pushurl", f"file://{anywhere}")]

    async def _stand_in(self, remote: str) -> str:
        """The path of a remote's stand-in, with its fetched branches, else our own."""
        if remote not in self._stand_ins:
            number = len(self._stand_ins)
            path = self._stand_ins[remote] = os.path.join(self.here, STAND_INS, f"{number}.git")
            tracked = f"refs/remotes/{remote}/"
            refs = {f"{HEADS}{r[len(tracked) :]}": c for r, c in _below(self.refs, tracked)}
            refs.pop(HEADS + "HEAD", None)
            refs = refs or dict(_below(self.refs, HEADS))
            tags = dict(_below(self.refs, "refs/tags/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            await _borrowing(self.git, self.git.repository.common_dir, path, {**refs, **tags})
        return self._stand_ins[remote]

    async def _of_modules(self, source: str, here: str, own: Settings) -> list[tuple[str, str]]:
        """Copy the clones of submodules, recursively; the settings that redirect their URLs."""
        for name in _modules(os.path.join(source, "modules")):
            clone, target = (os.path.join(each, "modules", name) for each in (source, here))
            refs = await self.git.at(replace(self.git.repository, common_dir=clone)).refs("refs/")
            os.makedirs(os.path.dirname(target), exist_ok=True)
            await _borrowing(self.git, clone, target, refs)
            _copy_files(clone, target, ("HEAD",))
            inner = await self._of_modules(clone, target, await self._own(clone))
            _add_settings(target, [("remote.origin.url", target), *inner])
        settings: list[tuple[str, str]] = []
        for key, value in own:
            found = MODULE_URL.match(key)
            target = os.path.join(here, "modules", found[1]) if found else ""
            if os.path.isdir(target):
                settings += [(key, target), *_instead_of(value, target)]
        return settings

    async def _own(self, common: str) -> list[tuple[str, str]]:
        return [
            (k, v)
            for _, k, v in await configuration.settings(self.git, os.path.join(common, "config"))
        ]


def _add_settings(folder: str, settings: Settings) -> None:
    with open(os.path.join(folder, "config"), "a", encoding="utf-8", errors=ESCAPED) as file:
        file.write(config_text(settings))


def _is_left_out(key: str) -> bool:
    return bool(NOT_COPIED.match(key.lower()) or SPARSE.match(key.lower()))


def _instead_of(url: str, stand_in: str) -> list[tuple[str, str]]:
    return [(f"url.{stand_in}.{key}", url) for key in ("insteadOf", "pushInsteadOf")]


def _below(refs: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    return ((ref, commit) for ref, commit in refs.items() if ref.startswith(prefix))


def _modules(folder: str) -> Iterator[str]:
    """Names of the submodule clones below a folder; a name may contain a slash."""
    for root, folders, files in os.walk(folder):
        if "HEAD" in files and "objects" in folders:
            folders.clear()
            yield os.path.relpath(root, folder)


def _copy_files(source: str, target: str, names: Iterable[str]) -> None:
    """Copy the files that exist."""
    import shutil

    for name in names:
        if os.path.isfile(os.path.join(source, name)):
            os.makedirs(os.path.dirname(os.path.join(target, name)), exist_ok=True)
            shutil.copyfile(os.path.join(source, name), os.path.join(target, name))


def _copy_hooks(source: str, target: str) -> None:
    """Copy a hooks folder: links to files become files, links to folders are left out."""
    import shutil

    for root, _, files in os.walk(source):
        there = os.path.join(target, os.path.relpath(root, source))
        os.makedirs(there, exist_ok=True)
        for name in files:
            if os.path.isfile(os.path.join(root, name)):  # no pipe, no dangling link
                shutil.copy2(os.path.join(root, name), os.path.join(there, name))


async def init_bare(git: Git, path: str, *, sha256: bool = False) -> None:
    """Create an empty bare repository without templates."""
    format = ("--object-format=sha256",) if sha256 else ()
    arguments = ("init", "--quiet", "--bare", "--template=", *format, "--", path)
    plain = git.writable()
    await plain.run(N_("create a repository"), *arguments, at=os.path.dirname(path))


async def create_refs(git: Git, refs: Mapping[str, str]) -> None:
    """Create all refs or none."""
    listed = "".join(f"create {ref} {commit}\n" for ref, commit in refs.items())
    await git.run(N_("create refs"), "update-ref", "--stdin", stdin=os.fsencode(listed))


async def checkout_bytes(git: Git, commit: str, block_bytes: int) -> int:
    """Disk space for the files of a commit, in whole blocks; 0 if unknown.

    In a sparse checkout, only files that the main checkout has count.
    """
    arguments = ("ls-tree", "-r", "-t", "-l", "-z", "--full-tree", commit)
    # A partial clone does not fetch blobs for this.
    finished = await git.try_run(*arguments, env={**git.environ, **NO_FETCH})
    left_out = await _left_out(git)
    entries = (entry.partition(b"\t") for entry in finished.stdout.split(b"\0") if entry)
    sizes = [head.split()[-1] for head, _, path in entries if path not in left_out]
    blocks = (-(-int(size) // block_bytes) if size.isdigit() else 1 for size in sizes)
    return sum(blocks) * block_bytes


async def _left_out(git: Git) -> set[bytes]:
    """The files that the sparse main checkout leaves out."""
    sparse = await git.try_run("config", "--type=bool", "--get", "core.sparseCheckout")
    if git.repository.bare or sparse.text != "true":
        return set()
    listed = await git.try_run("ls-files", "-t", "-z", at=git.repository.top)
    entries = (entry.partition(b" ") for entry in listed.stdout.split(b"\0"))
    return {path for tag, _, path in entries if tag == b"S"}
