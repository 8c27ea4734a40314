"""A copy of a repository to try things in: it borrows the objects, and nothing in it leads out.

Each remote is replaced by a stand-in beside the copy: a repository that holds what was fetched from
the remote. A push ends there, whatever setting names the remote.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ..model.frozen import replace
from . import configuration
from .door import NO_FETCH, Git
from .output import config_text
from .refs import HEADS

COPIED_REFS = (HEADS, "refs/tags/", "refs/remotes/", "refs/rorchestrator/results/")

NOT_COPIED = re.compile(
    r"(core\.(bare|worktree|repositoryformatversion|fsmonitor)|extensions\..*"
    r"|include\..*|includeif\..*"
    # What names another repository, or a program that talks to one.
    r"|remote\..*\.(url|pushurl|mirror|vcs|proxy.*|uploadpack|receivepack|lfs.*)"
    r"|branch\..*\.(remote|pushremote)|remote\.pushdefault"
    r"|url\..*\.(insteadof|pushinsteadof)|submodule\..*\.url|svn-remote\..*"
    r"|lfs\.(.*\.)?(pushurl|standalonetransferagent))\Z",
    re.DOTALL,
)
"""Settings of a repository, in lower case, that a copy must not have, or has with another value."""

REMOTE = re.compile(r"remote\.(.*)\.[^.]*\Z", re.DOTALL)
REMOTE_URL = re.compile(r"remote\.(.*)\.(?:push)?url\Z", re.DOTALL)
USES_REMOTE = re.compile(r"(?:branch\..*\.(?:remote|pushremote)|remote\.pushdefault)\Z", re.DOTALL)
MODULE_URL = re.compile(r"submodule\.(.*)\.url\Z", re.DOTALL)

SPARSE = re.compile(r"(core\.sparsecheckout(cone)?|index\.sparse)\Z")
"""What ``git sparse-checkout`` sets, for the main checkout alone."""

STAND_INS = "stand-ins"
"""The folder of the copy that holds the stand-ins. Not ``remotes``, which git itself would read."""

HERE = "."
"""The remote that is the repository itself."""

ESCAPED = "surrogateescape"

Settings = Sequence[tuple[str, str]]


async def replicate(git: Git, folder: str, less: Collection[str] = ()) -> Git:
    """A bare copy of a repository in ``folder``, with its settings and its refs.

    ``less`` are refs that it is not to have. The repository is only read; what stands for its main
    checkout stays its own.
    """
    here = os.path.realpath(folder)
    refs = {r: c for r, c in (await git.refs(*COPIED_REFS)).items() if r not in less}
    copy = await _borrowing(git, git.repository.common_dir, here, refs)
    await _Settings(git, copy, here, refs).write()
    return copy


async def _borrowing(git: Git, source: str, folder: str, refs: Mapping[str, str]) -> Git:
    """A bare repository with these refs, and the objects of the repository ``source``."""
    await init_bare(git, folder, sha256=any(len(commit) == 64 for commit in refs.values()))
    with open(os.path.join(folder, "objects", "info", "alternates"), "wb") as file:
        file.write(os.fsencode(os.path.join(source, "objects")) + b"\n")
    _copy_files(source, folder, ("shallow",))
    copy = git.at(replace(git.repository, common_dir=folder))
    await create_refs(copy, refs)
    return copy


class _Settings:
    """What a copy in the folder ``here`` has beside refs and objects."""

    def __init__(self, git: Git, copy: Git, here: str, refs: Mapping[str, str]) -> None:
        self.git = git
        self.copy = copy
        self.here = here
        self.refs = refs
        self._stand_ins: dict[str, str] = {}
        """By the name of the remote, or by its URL where it has none."""

    async def write(self) -> None:
        """Config, hooks, what is ignored, what is checked out; remotes and submodules."""
        common = self.git.repository.common_dir
        own = await self._own(common)
        everywhere = await configuration.effective_settings(self.git)
        hooks = await configuration.hooks_folder(self.git)
        absolute = os.path.isabs(hooks)
        settings = [
            (key, value)
            for key, value in own
            # A setup that installs hooks must not reach those of the original.
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
        """The settings that put a stand-in in the place of each remote, by name or by URL."""
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
        # A versioned .lfsconfig may name a server as well.
        return [*settings, ("lfs.pushurl", f"file://{anywhere}")]

    async def _stand_in(self, remote: str) -> str:
        """The path of the stand-in of a remote; it has what was fetched, else our own branches."""
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
        """Copies of the clones of submodules, and of theirs; their URLs, which lead there."""
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
    """The clones of submodules below a folder, by name, which may hold a slash."""
    for root, folders, files in os.walk(folder):
        if "HEAD" in files and "objects" in folders:
            folders.clear()
            yield os.path.relpath(root, folder)


def _copy_files(source: str, target: str, names: Iterable[str]) -> None:
    """Copy those of the files that are there."""
    import shutil

    for name in names:
        if os.path.isfile(os.path.join(source, name)):
            os.makedirs(os.path.dirname(os.path.join(target, name)), exist_ok=True)
            shutil.copyfile(os.path.join(source, name), os.path.join(target, name))


def _copy_hooks(source: str, target: str) -> None:
    """Copy hooks and what lies beside them; links to files as files, links to folders not."""
    import shutil

    for root, _, files in os.walk(source):
        there = os.path.join(target, os.path.relpath(root, source))
        os.makedirs(there, exist_ok=True)
        for name in files:
            if os.path.isfile(os.path.join(root, name)):  # no pipe, and no link that leads nowhere
                shutil.copy2(os.path.join(root, name), os.path.join(there, name))


async def init_bare(git: Git, path: str, *, sha256: bool = False) -> None:
    """Make an empty bare repository, with no hooks and nothing of a template."""
    format = ("--object-format=sha256",) if sha256 else ()
    arguments = ("init", "--quiet", "--bare", "--template=", *format, "--", path)
    plain = git.writable()
    await plain.run("make a repository", *arguments, at=os.path.dirname(path))


async def create_refs(git: Git, refs: Mapping[str, str]) -> None:
    """Create refs, all or none."""
    listed = "".join(f"create {ref} {commit}\n" for ref, commit in refs.items())
    await git.run("write refs", "update-ref", "--stdin", stdin=os.fsencode(listed))


async def checkout_bytes(git: Git, commit: str, block_bytes: int) -> int:
    """How much disk the files of a commit take, in whole blocks; 0 where that can't be told.

    Of a sparse checkout, only those that the main checkout has.
    """
    arguments = ("ls-tree", "-r", "-t", "-l", "-z", "--full-tree", commit)
    # Where blobs are fetched on demand, they are not fetched for this.
    finished = await git.try_run(*arguments, env={**git.environ, **NO_FETCH})
    left_out = await _left_out(git)
    entries = (entry.partition(b"\t") for entry in finished.stdout.split(b"\0") if entry)
    sizes = [head.split()[-1] for head, _, path in entries if path not in left_out]
    blocks = (-(-int(size) // block_bytes) if size.isdigit() else 1 for size in sizes)
    return sum(blocks) * block_bytes


async def _left_out(git: Git) -> set[bytes]:
    """The files that a sparse checkout leaves out."""
    sparse = await git.try_run("config", "--type=bool", "--get", "core.sparseCheckout")
    if git.repository.bare or sparse.text != "true":
        return set()
    listed = await git.try_run("ls-files", "-t", "-z", at=git.repository.top)
    entries = (entry.partition(b" ") for entry in listed.stdout.split(b"\0"))
    return {path for tag, _, path in entries if tag == b"S"}
