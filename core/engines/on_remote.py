"""What other machines will find on the remote: the base commit, with the list as it is here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from ..git.commits import content_of
from ..git.paths import is_in
from ..git.ref_conflicts import each_in_the_way, prevented_by
from ..git.refs import HEADS
from ..git.remotes import heads_on
from ..model.errors import UserError
from ..model.excerpt import some
from ..model.terminal_text import shell_word
from ..model.translate import N_
from ..process.spawner import run_sync
from ..project.open import OpenProject
from ..project.remote import Remote, find_remote

LIKE_A_HOST = re.compile(r"[^/]+:")
"""The beginning of a git location that is not a path: ``host:path``, ``https://…``."""


def remote_with_base(project: OpenProject, name: str) -> Remote:
    """The remote that other machines clone from.

    Raises :class:`UserError` unless it has the base commit, with the list as it is here.
    """
    return run_sync(_remote_with_base(project.writable(), name))


async def _remote_with_base(project: OpenProject, name: str) -> Remote:
    remote = await find_remote(project, name)
    await remote.look([])
    remote.check_base(project)
    commit = project.base_commit
    if not await project.git.is_ancestor(commit, remote.base_commit):
        push = f"git push {shell_word(remote.name)} {shell_word(remote.base)}"
        is_ours = project.config.project.base_branch == remote.base
        raise UserError(
            N_(
                "{base} on {remote} does not have the commit {commit}, which features start from"
            ).format(base=remote.base, remote=remote.name, commit=commit[:10]),
            hint=push if is_ours else f"git fetch {shell_word(remote.name)}",
        )
    await _check_list(project)
    return remote


def check_branches(project: OpenProject, remote: Remote, ids: Iterable[str]) -> None:
    """Raise :class:`UserError` if the remote can't have the branch of a feature."""
    heads = run_sync(heads_on(project.git.writable(), remote.where))
    branches = [HEADS + project.config.branch_of(id) for id in ids]
    found = each_in_the_way(branches, heads)
    if found:
        raise UserError(
            N_("branches on {remote} are in the way").format(remote=remote.name),
            details=tuple(prevented_by(ref, other) for ref, other in found.items()),
            hint=N_("rename or delete them there, or change project.branch_prefix"),
        )


async def _check_list(project: OpenProject) -> None:
    """Raise :class:`UserError` unless the base commit has the list and its prompts as they are."""
    top = project.git.repository.top
    changed = []
    for file in (project.config.path, *project.config.files):
        path = os.path.realpath(file)
        name = os.path.relpath(path, top)
        if not is_in(path, top) or not await _is_committed(project, path, name):
            changed.append(name)
    if changed:
        raise UserError(
            N_(
                "other machines would read another list: the base commit lacks your version "
                "of {files}"
            ).format(files=some(changed)),
            hint=N_("commit and push them on {base}").format(
                base=project.config.project.base_branch
            ),
        )


async def _is_committed(project: OpenProject, path: str, name: str) -> bool:
    found = await content_of(project.git, project.base_commit, name)
    with open(path, "rb") as file:
        # The working tree may have other line ends than the commit.
        return found is not None and _plain(file.read()) == _plain(found)


def _plain(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


def url_for_others(project: OpenProject, remote: Remote) -> str:
    """The URL of a remote for other machines. Raises :class:`UserError` if it has a secret."""
    url = remote.urls.push
    if project.mask(url) != url:
        raise UserError(
            N_(
                "the URL of {remote} has a password or a token, and a job's command line is no "
                "secret"
            ).format(remote=remote.name),
            hint=N_("use SSH, or a credential helper of git on the nodes"),
        )
    return url if LIKE_A_HOST.match(url) else os.path.join(project.git.repository.top, url)
