"""Finds and opens a repository; checks that git is installed and new enough."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress

from ..model.errors import UserError
from ..model.excerpt import excerpt
from ..model.translate import N_
from ..process.spawner import Finished, Spawner
from .ahead import VERSION, environment, where_is
from .door import Git, Repository
from .paths import is_there

OLDEST = (2, 25)


async def open_repository(spawner: Spawner, path: str, environ: Mapping[str, str]) -> Git:
    """The repository that contains ``path``.

    Raises :class:`UserError` if there is none, if git is too old, or if git refuses it
    (because another user owns it, for example).
    """
    if not os.path.isdir(path):
        raise UserError(
            N_("the folder {path} does not exist").format(path=path),
            hint=N_("correct project.repo_path"),
        )
    env = environment(environ)
    try:
        told, finished = await spawner.run_each((VERSION, where_is(path)), env=env)
    except UserError:
        raise _not_found() from None
    version = version_in(told)
    if finished.code != 0:
        raise _no_repository(path, environ.get("HOME", ""), finished)
    bare, shallow, common, *cdup = finished.text.split("\n")
    common_dir = os.path.realpath(os.path.join(path, common))
    up = cdup[0] if cdup else ""
    top = common_dir if bare == "true" else os.path.realpath(os.path.join(path, up))
    repository = Repository(top, common_dir, bare == "true", shallow == "true", version)
    return Git(spawner, repository, environ)


def _no_repository(path: str, home: str, finished: Finished) -> UserError:
    """The error for a ``path`` where git fails; git's own message if there is a repository."""
    if _repository_above(path):
        return _refused(N_("git refuses the repository of {path}").format(path=path), finished)
    here = os.path.realpath(path)
    if here in (os.path.realpath(home or os.sep), os.sep):
        # `git init` is not for a home folder.
        hint = N_("cd into the repository, or name it in project.repo_path of a list")
    else:
        hint = f"git init && {first_commit(path)}"
    return UserError(N_("{path} is not in a git repository").format(path=path), hint=hint)


def first_commit(folder: str) -> str:
    """The command that makes the first commit of a folder; git makes no empty one unasked."""
    with suppress(OSError):
        if not set(os.listdir(folder)) - {".git"}:
            return "git commit --allow-empty -m 'Initial commit'"
    return "git add . && git commit -m 'Initial commit'"


def _refused(what: str, finished: Finished) -> UserError:
    """The error for something that git refuses, with git's message."""
    said = tuple(line for line in excerpt(finished.complaint).splitlines() if line.strip())
    return UserError(what, hint=N_("follow git's message, then run this again"), details=said)


def _repository_above(path: str) -> bool:
    """Whether a folder or one of its parents is or contains a git repository."""
    folder = os.path.realpath(path)
    if is_there(folder, ".git") or (is_there(folder, "HEAD") and is_there(folder, "objects")):
        return True
    parent = os.path.dirname(folder)
    return parent != folder and _repository_above(parent)


async def installed_version(spawner: Spawner, environ: Mapping[str, str]) -> tuple[int, int]:
    """The version of git, also outside of a repository. Raises :class:`UserError` as above."""
    try:
        told = await spawner.run(VERSION, env=environment(environ))
    except UserError:
        raise _not_found() from None
    return version_in(told)


def _not_found() -> UserError:
    return UserError(N_("git was not found"), hint=N_("install git 2.25 or newer"))


def version_in(finished: Finished) -> tuple[int, int]:
    """What ``git version`` told. Raises :class:`UserError` if git is too old or did not start."""
    if finished.code != 0:
        raise _refused(N_("git does not start"), finished)
    number = next((word for word in finished.text.split() if word[0].isdecimal()), "")
    major, _, rest = number.partition(".")
    minor = rest.partition(".")[0]
    is_known = major.isdecimal() and minor.isdecimal()
    version = (int(major), int(minor)) if is_known else (0, 0)
    if version < OLDEST:
        raise UserError(
            N_("{git} is too old").format(git=finished.text or N_("this git")),
            hint=N_("install git 2.25 or newer"),
        )
    return version
