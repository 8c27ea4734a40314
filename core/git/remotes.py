"""Remotes: their URLs, which one a branch uses, what they have, and pushes with a lease."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..model.frozen import dataclass
from ..model.translate import N_
from ..process.spawner import Finished
from .door import Git
from .ref_conflicts import around, in_the_way
from .refs import HEADS

WITHOUT_FETCH_HEAD = (2, 29)
"""The first git that can fetch without writing ``FETCH_HEAD``."""

ONLY_OBJECTS = (
    *("--quiet", "--no-tags", "--no-recurse-submodules", "--no-prune", "--refmap="),
    "--no-show-forced-updates",
)
"""A fetch with these changes no ref: not even a remote-tracking branch."""

ONLY_THIS = ("--no-follow-tags", "--recurse-submodules=no")
"""A push with these sends only the refs that it names, whatever the user's settings are."""

OF_A_URL = (".url", ".pushurl")


@dataclass(frozen=True)
class RemoteUrls:
    """Where a remote fetches from and pushes to, after ``insteadOf``; and as it is written."""

    fetch: str
    push: str
    written: str
    also: tuple[str, ...] = ()
    """The other URLs that a push goes to; nobody asks what they have."""


@dataclass(frozen=True)
class Pushed:
    """How the push of one branch ended; ``said`` are the words of the server or of a hook."""

    is_done: bool
    said: str = ""


def names_in(settings: Mapping[str, str]) -> tuple[str, ...]:
    """The remotes among git's settings, in their order."""
    found = (
        key[len("remote.") : -len(end)]
        for key in settings
        for end in OF_A_URL
        if key.startswith("remote.") and key.endswith(end)
    )
    return tuple(dict.fromkeys(found))


def default_of(settings: Mapping[str, str], branch: str) -> str:
    """The remote that a plain ``git push`` of a branch would use; empty if none is named.

    See git-config(1), ``remote.pushDefault`` and ``branch.<name>.pushRemote``.
    """
    named = (f"branch.{branch}.pushremote", "remote.pushdefault", f"branch.{branch}.remote")
    return next((settings[key] for key in named if settings.get(key, ".") != "."), "")


async def urls_of(git: Git, remote: str, settings: Mapping[str, str]) -> RemoteUrls:
    """The URLs of a remote. Raises :class:`GitError` if there is no such remote."""
    asked = N_("read the URL of a remote")
    fetch = await git.run(asked, "remote", "get-url", "--", remote)
    pushed = await git.run(asked, "remote", "get-url", "--push", "--all", "--", remote)
    written = settings.get(f"remote.{remote}.pushurl") or settings.get(f"remote.{remote}.url", "")
    push, *also = pushed.text.split("\n")
    return RemoteUrls(fetch.text, push, written, tuple(also))


async def branches_on(git: Git, where: str, branches: Iterable[str]) -> dict[str, str]:
    """The commits of those branches that a remote (name or URL) has, by name.

    It is asked from the main checkout, which a URL such as ``../shop.git`` is relative to.
    """
    wanted = [HEADS + branch for branch in branches]
    arguments = ("ls-remote", "--heads", "--", where, *wanted)
    told = await git.run(N_("ask the remote"), *arguments, at=git.repository.top)
    pairs = (line.split("\t", 1) for line in told.text.split("\n") if line)
    # A pattern also matches at the end of a longer name.
    return {ref[len(HEADS) :]: commit for commit, ref in pairs if ref in wanted}


async def heads_on(git: Git, where: str) -> list[str]:
    """The full names of all branches of a remote."""
    told = await git.run(
        N_("ask the remote"), "ls-remote", "--heads", "--", where, at=git.repository.top
    )
    return [line.partition("\t")[2] for line in told.text.split("\n") if line]


async def in_the_way_on(git: Git, where: str, branch: str) -> str:
    """The ref because of which a remote can't have a branch; empty without one."""
    ref = HEADS + branch
    told = await git.try_run("ls-remote", "--", where, *around(ref), at=git.repository.top)
    return in_the_way(ref, (line.partition("\t")[2] for line in told.text.split("\n")))


async def fetch_commits(git: Git, where: str, branches: Sequence[str]) -> None:
    """Fetch the objects of branches of a remote. No ref changes."""
    head = () if git.repository.version < WITHOUT_FETCH_HEAD else ("--no-write-fetch-head",)
    wanted = [HEADS + branch for branch in branches]
    arguments = ("fetch", *ONLY_OBJECTS, *head, "--", where, *wanted)
    await git.run(N_("fetch"), *arguments, at=git.repository.top)


async def push(git: Git, remote: str, branch: str, commit: str, lease: str | None) -> Pushed:
    """Push a commit to a branch, if that is still at ``lease``; empty: if it does not exist.

    Without a lease, the branch is only created or fast-forwarded.

    It runs as the user's own ``git push`` in the main checkout does, hooks included.
    """
    ref = HEADS + branch
    forced = () if lease is None else (f"--force-with-lease={ref}:{lease}",)
    arguments = ("push", "--porcelain", *ONLY_THIS, *forced)
    finished = await git.try_run(
        *(*arguments, "--", remote, f"{commit}:{ref}"),
        at=git.repository.top,
        hooks=True,
        guarded=True,
        tries=1,
    )
    return Pushed(finished.code == 0, "" if finished.code == 0 else _said(finished, ref))


def _said(finished: Finished, ref: str) -> str:
    """Why a push failed: the line of the ref, and what hooks and server said.

    Format: git-push(1), "OUTPUT".
    """
    lines = finished.text.split("\n")
    of_ref = [line.split("\t") for line in lines if line.startswith("!") and f":{ref}\t" in line]
    words = [fields[-1] for fields in of_ref]
    errors = finished.stderr.decode("utf-8", "replace").split("\n")
    told = [line.removeprefix("remote:").strip() for line in errors]
    needless = ("error: failed to push some refs", "hint:", "To ")
    words += [line for line in told if line and not line.startswith(needless)]
    return "\n".join(words) or N_("exit {code}").format(code=finished.code)
