"""`Remote`: the remote that branches are handed to, and what it has of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from ..git import configuration, remotes
from ..git.door import Git
from ..git.refs import HEADS
from ..git.remotes import RemoteUrls
from ..model.did_you_mean import did_you_mean
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.translate import N_
from .open import OpenProject

ORIGIN = "origin"


class Remote:
    """One remote, its base branch and its other branches as they are now."""

    def __init__(self, git: Git, name: str, urls: RemoteUrls, base: str) -> None:
        self.git = git
        self.name = name
        self.urls = urls
        self.base = base
        """The base branch, as the remote calls it."""
        self.branches: dict[str, str] = {}
        """Commits by branch, of those that were asked for."""

    @property
    def where(self) -> str:
        """What git asks: the URL, if it does not push where it fetches from."""
        return self.name if self.urls.push == self.urls.fetch else self.urls.push

    @property
    def base_commit(self) -> str:
        """The commit of the base branch."""
        return self.branches[self.base]

    async def look(self, branches: Iterable[str]) -> None:
        """Learn the commits of the base and of these branches, and fetch what is unknown."""
        self.branches = await remotes.branches_on(self.git, self.where, [self.base, *branches])
        lacking = [b for b, commit in self.branches.items() if not await self.git.commit_of(commit)]
        if lacking:
            await remotes.fetch_commits(self.git, self.where, lacking)

    def check_base(self, project: OpenProject) -> None:
        """Raise :class:`UserError` if the remote does not have the base branch."""
        if self.base in self.branches:
            return
        is_local = HEADS + self.base in project.refs
        push = f"git push {shlex.quote(self.name)} {shlex.quote(self.base)}"
        raise UserError(
            N_("the remote {remote} has no branch {base}, which the features start from").format(
                remote=self.name, base=self.base
            ),
            hint=push if is_local else N_("name another one: --base BRANCH"),
        )


async def find_remote(project: OpenProject, asked: str) -> Remote:
    """The remote that is ``asked`` for; else that of a plain push of the base branch.

    Raises :class:`UserError` if there is none.
    """
    git = project.git
    settings = await configuration.values(git)
    names = remotes.names_in(settings)
    base = project.config.project.base_branch
    tracked = next(
        (n for n in names if base.startswith(f"{n}/") and HEADS + base not in project.refs), ""
    )
    name = asked or remotes.default_of(settings, base) or tracked or _usual(names)
    if name not in names:
        raise _missing(name, names)
    urls = await remotes.urls_of(git, name, settings)
    branch = base.removeprefix(f"{tracked}/") if tracked else base
    return Remote(git, name, urls, branch)


def _usual(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ORIGIN


def _missing(name: str, names: tuple[str, ...]) -> UserError:
    if not names:
        return UserError(
            N_("this repository has no remote to push to"), hint="git remote add origin URL"
        )
    return UserError(
        N_("there is no remote {name!r}{guess}").format(name=name, guess=did_you_mean(name, names)),
        hint=N_("--remote NAME names one of: {names}").format(names=some(names)),
    )
