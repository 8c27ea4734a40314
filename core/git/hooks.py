"""The user's git hooks of a commit (pre-commit, commit-msg), wrapped.

git sets ``GIT_DIR`` and ``GIT_INDEX_FILE`` for hooks in a linked worktree, but not in the main
checkout. A hook whose tests run ``git init`` would then write into the user's repository. So git
gets wrapper scripts that unset these variables and our own settings before they run the hook.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from . import configuration
from .door import Git
from .idle_hooks import NAMES

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


def runnable_hooks(folder: str) -> tuple[str, ...]:
    """The commit hooks in a folder that git would run."""
    paths = ((name, os.path.join(folder, name)) for name in NAMES)
    return tuple(name for name, path in paths if os.path.isfile(path) and os.access(path, os.X_OK))
