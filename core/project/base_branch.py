"""The base branch: the one named by the list or `--base`, else the repository's default."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..git.door import Git
from ..git.opening import first_commit
from ..git.refs import HEADS
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.frozen import dataclass
from ..model.translate import N_

REMOTES = "refs/remotes/"
REMOTE_HEAD = "refs/remotes/origin/HEAD"


@dataclass(frozen=True)
class Base:
    """The base of all features: its name, and the commit that it resolved to."""

    name: str
    commit: str


async def find(
    git: Git, name: str, refs: Mapping[str, str], is_ours: Callable[[str], bool]
) -> Base:
    """The base called ``name``; without a name, the repository's default.

    ``is_ours`` tells whether a branch is a feature's. Raises :class:`UserError` if the base
    does not exist.
    """
    found = await (_named(git, name, refs) if name else _default(git, refs, is_ours))
    if not found.commit:
        raise await _missing(git, found.name, refs, is_ours)
    return found


async def _named(git: Git, name: str, refs: Mapping[str, str]) -> Base:
    return Base(name, refs.get(HEADS + name) or await git.commit_of(name, at=_checkout(git)))


async def _default(git: Git, refs: Mapping[str, str], is_ours: Callable[[str], bool]) -> Base:
    main = await _named(git, "main", refs)
    if main.commit:
        return main
    head = (await git.symbolic_ref(REMOTE_HEAD)).removeprefix(REMOTES)
    local = head.partition("/")[2]
    for name in (local, "master"):
        if HEADS + name in refs:
            return await _named(git, name, refs)
    remote = await _named(git, head, refs)
    # origin/HEAD may name a branch that was renamed and pruned.
    return remote if head and remote.commit else await _checked_out(git, refs, is_ours)


async def _checked_out(git: Git, refs: Mapping[str, str], is_ours: Callable[[str], bool]) -> Base:
    here = _checkout(git)
    branch = (await git.symbolic_ref("HEAD", at=here)).removeprefix(HEADS)
    if not branch:
        return await _named(git, "HEAD", refs)
    return Base("", "") if is_ours(branch) else await _named(git, branch, refs)


def _checkout(git: Git) -> str:
    """The folder whose HEAD is the user's; the checkout may be a linked worktree."""
    return "" if git.repository.bare else git.repository.top


async def _missing(
    git: Git, name: str, refs: Mapping[str, str], is_ours: Callable[[str], bool]
) -> UserError:
    branches = [ref.removeprefix(HEADS) for ref in refs if ref.startswith(HEADS)]
    remote = [ref.removeprefix(REMOTES) for ref in await git.refs(REMOTES) if ref != REMOTE_HEAD]
    if not (branches or remote or await git.commit_of("HEAD", at=_checkout(git))):
        return UserError(
            N_("the repository has no commit yet"),
            hint=first_commit(git.repository.top),
        )
    from ..model.did_you_mean import did_you_mean

    known = [*(branch for branch in branches if not is_ours(branch)), *remote]
    what = N_("the base branch {name!r} does not exist{did_you_mean}").format(
        name=name, did_you_mean=did_you_mean(name, known)
    )
    if not name:
        what = N_(
            "no base branch: there is no main or master, and a feature's branch is checked out"
        )
    return UserError(
        what,
        hint=N_("set project.base_branch, or --base REF{listed}").format(listed=_listed(known)),
    )


def _listed(names: list[str]) -> str:
    if not names:
        return N_(" (HEAD is the commit of the checkout)")
    return N_(" (existing: {names})").format(names=some(names))
