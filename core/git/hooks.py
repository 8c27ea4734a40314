"""The user's git hooks of a commit (pre-commit, commit-msg): wrapped, and reported if inactive.

git sets ``GIT_DIR`` and ``GIT_INDEX_FILE`` for hooks in a linked worktree, but not in the main
checkout. A hook whose tests run ``git init`` would then write into the user's repository. So git
gets wrapper scripts that unset these variables and our own settings before they run the hook.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from ..journal import private_files
from ..model.translate import N_
from . import configuration
from .door import Git

NAMES = (
    "pre-commit",
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "post-index-change",
    "reference-transaction",
)
"""The hooks that ``git commit`` may run; see githooks(5)."""

UNSET_FOR_HOOKS = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_CONFIG_PARAMETERS", "GIT_OPTIONAL_LOCKS")
"""Variables of git's worktrees and of our options, which hooks do not see in a plain checkout."""

COMMITTER = ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
"""Variables that we set unless the user does. A repository of a hook's tests has its own."""

WRAPPER = """\
#!/bin/sh
unset {variables}
{{ echo {name} >> {folder}/ran; echo {name} > {folder}/running; }} 2>/dev/null
{hook} "$@"
code=$?
{{
: > {folder}/running
# 129 to 192: ended by a signal, which is not a refusal.
[ $code = 0 ] || {{ [ $code -gt 128 ] && [ $code -le 192 ]; }} || echo {name} > {folder}/refused
}} 2>/dev/null
exit $code
"""

FOLDER = "rorchestrator-hooks."
"""Prefix of the wrapper folder in the git folder of the worktree."""


class Hooks:
    """The commit hooks of one worktree, in ``folder`` (absolute, or relative to the worktree).

    While :meth:`wrapped`, it knows which hook is running and which one failed.
    """

    def __init__(self, worktree: str, folder: str, admin: str, ours: Iterable[str] = ()) -> None:
        self.folder = folder
        self.unset = (*UNSET_FOR_HOOKS, *ours)
        place = os.path.join(worktree, folder)
        self.names = runnable_hooks(place)
        # /dev/null is the usual way to turn hooks off.
        self.is_missing = folder != os.devnull and not os.path.isdir(place)
        self._place = os.path.join(admin, FOLDER + os.urandom(4).hex())
        self._kept: dict[str, str] = {}

    @contextmanager
    def wrapped(self) -> Iterator[str]:
        """A temporary hooks folder with wrappers; empty if there are no hooks."""
        if not self.names:
            yield ""
            return
        os.mkdir(self._place, 0o700)
        try:
            for name in self.names:
                path = os.path.join(self._place, name)
                with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                    file.write(self._wrapper(name))
                os.chmod(path, 0o700)
            yield self._place
        finally:
            import shutil

            self._kept = {name: self._word(name) for name in ("ran", "refused")}
            shutil.rmtree(self._place, ignore_errors=True)

    def _wrapper(self, name: str) -> str:
        return WRAPPER.format(
            name=name,
            variables=" ".join(self.unset),
            folder=shlex.quote(self._place),
            # git would call it by the same relative path.
            hook=shlex.quote(os.path.join(self.folder, name)),
        )

    @property
    def running(self) -> str:
        """The running hook; else empty."""
        return self._word("running")

    @property
    def refused(self) -> str:
        """The last hook that failed; else empty."""
        return self._word("refused")

    def forget_refusal(self) -> None:
        """Forget earlier failures before a retry."""
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self._place, "refused"))

    @property
    def ran(self) -> tuple[str, ...]:
        """The hooks that were started, in order."""
        return tuple(self._word("ran").split())

    def _word(self, name: str) -> str:
        try:
            with open(os.path.join(self._place, name), encoding="utf-8") as file:
                return file.read().strip()
        except OSError:
            return self._kept.get(name, "")


async def hooks_of(git: Git, worktree: str, admin: str) -> Hooks:
    """The commit hooks of a worktree, whose git folder is ``admin``."""
    folder = await configuration.hooks_folder(git, worktree)
    ours = (name for name in COMMITTER if not git.has_variable(name))
    return Hooks(worktree, folder, admin, ours)


def default_folder(git: Git) -> str:
    """The hooks folder without ``core.hooksPath``."""
    return os.path.join(git.repository.common_dir, "hooks")


IDLE = N_("{path} is not executable: git does not run it")


async def inactive(git: Git, commit: str, worktree: str, folder: str = "") -> list[str]:
    """Why the user's commit hooks would not run in a worktree of ``commit``.

    ``folder`` is the hooks folder, if the caller knows it.
    """
    folder = folder or await configuration.hooks_folder(git)
    if folder == os.devnull:
        return []
    if os.path.isabs(folder) or folder.startswith(os.pardir):
        place = os.path.normpath(os.path.join(worktree, folder))
        if not os.path.isdir(place) and place != default_folder(git):
            missing = N_("no hook runs: core.hooksPath is {folder}, which does not exist")
            return [missing.format(folder=folder)]
        return list(_broken(place))
    modes = await configuration.modes(git, commit, folder)
    if not modes:
        return [
            N_(
                "no hook runs in worktrees: core.hooksPath is {folder}, which no commit holds "
                "(unless project.setup, copy or link provides it)"
            ).format(folder=folder)
        ]
    plain = (name for name in NAMES if modes.get(name) == "100644")
    return [IDLE.format(path=f"{folder}/{name}") for name in plain]


def _broken(folder: str) -> Iterator[str]:
    """The hooks of a folder that git ignores or cannot run."""
    for name in NAMES:
        path = os.path.join(folder, name)
        first = _beginning(path)
        words = os.fsdecode(first[2:]).split("\n")[0].split() if first.startswith(b"#!") else []
        if os.path.isdir(path):
            refused = N_("{path} is a folder: git cannot run it and refuses every commit")
            yield refused.format(path=path)
        elif os.path.isfile(path) and not os.access(path, os.X_OK):
            yield IDLE.format(path=path)
        elif words and not os.access(words[0], os.X_OK):
            broken = N_("{path} cannot run: {program} does not exist or is not executable")
            yield broken.format(path=path, program=words[0])


def _beginning(path: str) -> bytes:
    """The first bytes of a hook; empty for anything but a regular file."""
    try:
        with open(path, "rb", opener=private_files.only_regular) as file:
            return file.read(4096)
    except OSError:
        return b""


def runnable_hooks(folder: str) -> tuple[str, ...]:
    """The commit hooks in a folder that git would run."""
    paths = ((name, os.path.join(folder, name)) for name in NAMES)
    return tuple(name for name, path in paths if os.path.isfile(path) and os.access(path, os.X_OK))
