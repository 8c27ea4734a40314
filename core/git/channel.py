"""`Channel`: reads from one remote and pushes to it, by its URL, through a repository of ours.

The repository is new, bare, and has no hooks or settings. An agent may have planted both in a clone
in which it worked, so nothing is pushed from a clone: the channel only borrows its objects.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote

from ..model.errors import UserError
from ..model.frozen import dataclass, replace
from ..model.translate import N_
from ..process.spawner import Finished, Spawner
from . import opening
from .door import Git, GitError, Repository
from .output import worktree_entry
from .ref_conflicts import around, in_the_way
from .refs import HEADS
from .remotes import ONLY_THIS
from .replica import init_bare

WITHOUT_FETCH_HEAD = ("--no-tags", "--no-recurse-submodules", "--no-prune", "--quiet")

CHECKED = ("-c", "transfer.fsckObjects=true")
"""git checks every object of a bundle. What the remote has is only read, and old history often has
faults that git tolerates."""

DENIED = ("", "refuse", "true", "yes", "on", "1")
"""The values of ``receive.denyCurrentBranch`` that refuse a push, also the default."""

KNOWN = "refs/known/"
"""The branches of the remote, in the channel."""

LARGEST_BYTES = 64 * 1024 * 1024
"""Larger files of a remote are not read."""

SHA256_DIGITS = 64

SYMBOLIC = "ref: "
"""How a line of git-ls-remote(1) begins that says what a symbolic ref names."""

NO_ATOMIC = "does not support --atomic"

WAITS_SECONDS = (1.0, 4.0)
"""Before the second and the third try of a push to a remote that did not answer."""


@dataclass(frozen=True)
class Update:
    """A ref to push, and where it must be there; an empty ``lease``: it must not exist."""

    ref: str
    commit: str
    lease: str


@dataclass(frozen=True)
class Sent:
    """How a push ended; ``said`` are the words of git and of the server."""

    is_done: bool
    said: str = ""


class Channel:
    """One remote. Raises :class:`UserError` if it can't be reached."""

    def __init__(self, git: Git, url: str, head: str = "", *, is_sha256: bool = False) -> None:
        self.git = git
        self.url = url
        self.head = head
        """The branch that the remote's HEAD names; empty without one."""
        self.is_sha256 = is_sha256
        """Whether its ids have 64 digits."""
        self.aliases: dict[str, str] = {}
        """The symbolic refs that were seen, and what they name: a push to one moves the other."""

    async def renewed(self, folder: str) -> Channel:
        """A channel to the same remote in another new ``folder``; the remote is not asked."""
        git = self.git.at(replace(self.git.repository, top=folder, common_dir=folder))
        await init_bare(git, folder, sha256=self.is_sha256)
        return Channel(git, self.url, self.head, is_sha256=self.is_sha256)

    # -- what is there ------------------------------------------------------------------------

    async def look(self, *patterns: str) -> dict[str, str]:
        """Commits by ref, of the refs with these names; ``*`` at the end stands for anything."""
        told = await self._ask("ls-remote", "--symref", "--", self.url, *patterns)
        pairs = [line.split("\t", 1) for line in told.text.split("\n") if line]
        symbolic = [(named, ref) for named, ref in pairs if named.startswith(SYMBOLIC)]
        self.aliases.update((ref, named[len(SYMBOLIC) :]) for named, ref in symbolic)
        # A pattern also matches at the end of a longer name.
        wanted = [(commit, ref) for commit, ref in pairs if _is_wanted(ref, patterns)]
        return {ref: commit for commit, ref in wanted if not commit.startswith(SYMBOLIC)}

    async def fetch(self, *refspecs: str) -> None:
        """Fetch refs, which are then here under the names of the refspecs."""
        if refspecs:
            given = (*WITHOUT_FETCH_HEAD, "--", self.url, *refspecs)
            await self._ask("fetch", *given)

    async def clone(self, path: str) -> None:
        """A full clone without a checkout.

        Its objects are copied: hard links would let an agent write into another repository.
        """
        options = ("--quiet", "--no-local", "--no-checkout", "--origin", "origin")
        await self._ask("clone", *options, "--", self.url, path, at=os.path.dirname(path))

    async def _ask(self, *arguments: str, at: str = "") -> Finished:
        finished = await self.git.try_run(*arguments, at=at)
        if finished.code == 0:
            return finished
        raise UserError(
            N_("the repository {url} could not be read: {said}").format(
                url=without_credentials(self.url),
                said=without_credentials(GitError("", finished).message.partition(": ")[2]),
            ),
            hint=self._hint(),
        )

    def _hint(self) -> str:
        if re.fullmatch(r"[\w.-]+", self.url):
            return N_("give the URL of the remote: git remote get-url {name}").format(name=self.url)
        return N_("look at the URL and the credentials: git ls-remote URL")

    async def in_the_way(self, ref: str) -> str:
        """The ref because of which the remote can't have ``ref``; empty without one."""
        return in_the_way(ref, await self.look(*around(ref)))

    async def checkout_of(self, branch: str) -> str:
        """Where a remote on this machine has a branch checked out, so that it takes no push of it.

        Empty otherwise; see git-config(1), ``receive.denyCurrentBranch``.
        """
        path = unquote(re.sub(r"\Afile://(localhost)?(?=/)", "", self.url))
        if not os.path.isdir(path):
            return ""
        key = ("config", "receive.denyCurrentBranch")
        listed = await self.git.try_run("worktree", "list", "--porcelain", at=path)
        found = (worktree_entry(block) for block in listed.text.split("\n\n"))
        there = next((each.path for each in found if each.branch == branch), "")
        told = (await self.git.try_run(*key, at=path)).text.lower() if there else ""
        return there if told in DENIED else ""

    def moved_by(self, ref: str) -> str:
        """What a push to an alias would do."""
        return N_("{ref} on the remote is a symbolic ref: a push would move {other}").format(
            ref=ref, other=self.aliases[ref]
        )

    # -- files --------------------------------------------------------------------------------

    async def write(self, files: Mapping[str, bytes], parents: Sequence[str], message: str) -> str:
        """A commit with these files and nothing else."""
        rows = b""
        for name, content in sorted(files.items()):
            made = await self.git.run(
                N_("write an object"), "hash-object", "-w", "--stdin", stdin=content
            )
            rows += f"100644 blob {made.text}\t{name}\n".encode()
        tree = await self.git.run(N_("write an object"), "mktree", stdin=rows)
        return await self.git.commit_tree(tree.text, parents, message)

    async def read(self, commit: str, name: str) -> bytes:
        """A file of a commit; empty if there is none, or if it is too large."""
        object = f"{commit}:{name}"
        size = await self.git.try_run("cat-file", "-s", object)
        if size.code != 0 or int(size.text) > LARGEST_BYTES:
            return b""
        return (await self.git.try_run("cat-file", "blob", object)).stdout

    async def read_all(self, commits: Iterable[str], name: str) -> list[bytes]:
        """A file of each commit, as :meth:`read` has it, with two processes for all."""
        asked = [f"{commit}:{name}" for commit in commits]
        told = os.fsdecode(await self._in_one("--batch-check", asked)).splitlines()
        sizes = [_size(line) for line in told]
        wanted = [object for object, size in zip(asked, sizes) if size]
        content = await self._in_one("--batch", wanted)
        found, at = [], 0
        for size in sizes:
            start = content.index(b"\n", at) + 1 if size else at
            found.append(content[start : start + size])
            at = start + size + 1 if size else at
        return found

    async def _in_one(self, how: str, objects: Sequence[str]) -> bytes:
        """What git-cat-file(1) says of objects, as its "BATCH OUTPUT"."""
        stdin = "".join(f"{object}\n" for object in objects).encode()
        return (await self.git.run(N_("read files"), "cat-file", how, stdin=stdin)).stdout

    async def borrow(self, *folders: str) -> None:
        """Use the objects of other repositories, of which nothing else is read."""
        path = os.path.join(self.git.repository.common_dir, "objects", "info", "alternates")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f"{os.path.join(folder, 'objects')}\n" for folder in folders)

    # -- what goes there ----------------------------------------------------------------------

    async def push(self, updates: Sequence[Update]) -> Sent:
        """Push all refs or none, each only if it is there where its lease says.

        If the remote can't push several refs at once, they are pushed in their order. If one is
        refused, those before it are put back. A push whose answer was lost counts as done if the
        refs are there.
        """
        sent = await self._push(updates, "--atomic")
        if NO_ATOMIC not in sent.said:
            return sent
        done: list[Update] = []
        for update in updates:
            sent = await self._push([update])
            if not sent.is_done:
                break
            done.append(update)
        else:
            return sent
        for each in reversed(done):
            await self._push([Update(each.ref, each.lease, each.commit)])
        return sent

    async def _push(self, updates: Sequence[Update], *options: str) -> Sent:
        leases = [f"--force-with-lease={each.ref}:{each.lease}" for each in updates]
        refs = [f"{each.commit}:{each.ref}" for each in updates]
        arguments = ("push", "--porcelain", *ONLY_THIS, *options, *leases, "--", self.url, *refs)
        finished = await self.git.try_run(*arguments, tries=1)
        for seconds in WAITS_SECONDS:
            if _is_answered(finished) or await self._has(updates):
                break
            await self.git.spawner.pause(seconds)
            finished = await self.git.try_run(*arguments, tries=1)
        is_done = finished.code == 0 or await self._has(updates)
        return Sent(is_done, "" if is_done else _said(finished))

    async def _has(self, updates: Sequence[Update]) -> bool:
        """Whether all refs are there where they should be."""
        try:
            there = await self.look(*(each.ref for each in updates))
        except UserError:
            return False
        return all(there.get(each.ref) == each.commit for each in updates)

    # -- bundles ------------------------------------------------------------------------------

    async def bundle(self, path: str, refs: Mapping[str, str], known: Iterable[str]) -> None:
        """Write refs into a bundle, without the commits that the reader has (``known``)."""
        for ref, commit in refs.items():
            await self.git.run(N_("create refs"), "update-ref", ref, commit)
        less = [f"^{commit}" for commit in known]
        await self.git.run(N_("write the bundle"), "bundle", "create", path, *refs, *less)

    async def refs_in(self, path: str) -> dict[str, str]:
        """Commits by ref, of the refs in a bundle. Raises :class:`UserError` if it is none."""
        told = await self._read_bundle(path, "bundle", "list-heads", path)
        pairs = (line.split(" ", 1) for line in told.text.split("\n") if line)
        return {ref: commit for commit, ref in pairs}

    async def unpack(self, path: str, names: Mapping[str, str]) -> None:
        """Fetch refs of a bundle, by the names that they get here.

        git has checked before that nothing is missing. Before 2.46, it does not check the objects
        of a bundle. So they come here by way of a repository of their own.
        """
        await self._read_bundle(path, "bundle", "verify", path)
        here = self.git.repository.common_dir
        aside = await self.renewed(f"{here}.aside")
        await aside.borrow(here)
        given = [f"+{ref}:{name}" for ref, name in names.items()]
        await aside._read_bundle(path, "fetch", *WITHOUT_FETCH_HEAD, "--", path, *given)
        place = aside.git.repository.common_dir
        given = [f"+{name}:{name}" for name in names.values()]
        await self._read_bundle(
            path, "fetch", *WITHOUT_FETCH_HEAD, "--", place, *given, settings=CHECKED
        )

    async def _read_bundle(
        self, path: str, *arguments: str, settings: Sequence[str] = ()
    ) -> Finished:
        finished = await self.git.try_run(*arguments, settings=settings)
        if finished.code == 0:
            return finished
        raise UserError(
            N_("{path} can't be used: {said}").format(
                path=path, said=GitError("", finished).message.partition(": ")[2]
            ),
            hint=N_("name the file that run --bundle wrote, and the same repository"),
        )


def _is_wanted(ref: str, patterns: Iterable[str]) -> bool:
    return any(
        ref.startswith(pattern[:-1]) if pattern.endswith("*") else ref == pattern
        for pattern in patterns
    )


def _size(line: str) -> int:
    """The size of a file, from its line of git-cat-file(1); 0 without one that is read."""
    _, kind, *size = line.split(" ")
    return int(size[0]) if kind == "blob" and int(size[0]) <= LARGEST_BYTES else 0


def _is_answered(finished: Finished) -> bool:
    """Whether the remote took or refused a push, so that another try would end in the same way."""
    refused = any(line.startswith("!\t") for line in finished.text.split("\n"))
    return finished.code == 0 or refused or NO_ATOMIC in finished.complaint


def _said(finished: Finished) -> str:
    """Why a push failed: the lines of the refs, and what the server said."""
    lines = [line.split("\t") for line in finished.text.split("\n") if line.startswith("!")]
    words = [f"{fields[1].partition(':')[2]} {fields[-1]}" for fields in lines]
    told = finished.stderr.decode("utf-8", "replace").split("\n")
    needless = ("error: failed to push some refs", "hint:", "To ")
    words += [
        line.removeprefix("remote:").strip() for line in told if not line.startswith(needless)
    ]
    return without_credentials("\n".join(filter(None, words))) or N_("exit {code}").format(
        code=finished.code
    )


async def open_channel(
    folder: str, url: str, environ: Mapping[str, str], spawner: Spawner | None = None
) -> Channel:
    """A channel to ``url`` whose repository is the new ``folder``."""
    spawner = spawner or Spawner()
    version = await opening.installed_version(spawner, environ)
    git = Git(spawner, Repository(folder, folder, True, False, version), environ)
    channel, parent = Channel(git, url), os.path.dirname(folder)
    told = await channel._ask("ls-remote", "--symref", "--", url, "HEAD", at=parent)
    head, is_sha256 = _head_in(told.text.split("\n"))
    await init_bare(git, folder, sha256=is_sha256)
    return Channel(git, url, head, is_sha256=is_sha256)


def _head_in(lines: Sequence[str]) -> tuple[str, bool]:
    """The branch of HEAD, and whether ids have 64 digits; see git-ls-remote(1), ``--symref``."""
    named = [line[len(SYMBOLIC) :].split("\t")[0] for line in lines if line.startswith(SYMBOLIC)]
    is_sha256 = any(line.find("\t") == SHA256_DIGITS for line in lines)
    return "".join(named[:1]).removeprefix(HEADS), is_sha256


async def check_out(git: Git, branch: str, commit: str) -> None:
    """Check a branch out in a new clone; without one, the commit alone.

    It is the user's own clone so far: filters such as Git LFS run as in any other.
    """
    where = ("-B", branch) if branch else ("--detach",)
    await git.run(
        N_("check out the base commit"),
        *("checkout", "--quiet", *where, commit, "--"),
        at=git.repository.top,
        hooks=True,
        guarded=True,
    )


async def forget_credentials(git: Git, url: str) -> None:
    """Take user and password out of the URL that a clone remembers."""
    plain = without_credentials(url)
    if plain != url:
        await git.run(N_("read its settings"), "config", "remote.origin.url", plain)


def without_credentials(url: str) -> str:
    """A URL, or a text with URLs, without user and password.

    Of SSH, the user is part of the address.
    """
    return re.sub(r"\b(https?://)[^/\s]*@", r"\1", url, flags=re.IGNORECASE)


def credentials_in(url: str) -> dict[str, str]:
    """User and password of a URL, as variables with telling names."""
    found = re.match(r"https?://([^/:]*)(?::([^/]*))?@", url, re.IGNORECASE)
    given = dict(zip(("REMOTE_TOKEN", "REMOTE_PASSWORD"), found.groups())) if found else {}
    return {name: unquote(value) for name, value in given.items() if value}


def absolute(url: str) -> str:
    """The URL of a repository; the path of one on this machine as an absolute path."""
    return os.path.abspath(url) if os.path.isdir(url) else url
