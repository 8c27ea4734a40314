"""The user's hooks of a commit: which of them can't run, and how each runs as in a plain checkout.

In a linked worktree git hands its own ``GIT_DIR`` and ``GIT_INDEX_FILE`` to hooks, in the main
checkout it does not. A hook whose tests make repositories of their own (``git init``) works there,
and would write into the user's repository here. So git gets a folder of wrappers, which take these
variables and our own settings away and then run the hook.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from ..journal import private_files
from . import checkouts, configuration
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
"""The hooks that ``git commit`` may run; format: githooks(5)."""

UNSET_FOR_HOOKS = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_CONFIG_PARAMETERS", "GIT_OPTIONAL_LOCKS")
"""What a hook does not get in a checkout of the user's: of the worktree, and of our options."""

COMMITTER = ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
"""What we set for a commit, where the user does not: a test's own repository has its own."""

WRAPPER = """\
#!/bin/sh
unset {variables}
{{ echo {name} >> {folder}/ran; echo {name} > {folder}/running; }} 2>/dev/null
{hook} "$@"
code=$?
{{
: > {folder}/running
# Up to 192: a signal ended it, which is no refusal.
[ $code = 0 ] || {{ [ $code -gt 128 ] && [ $code -le 192 ]; }} || echo {name} > {folder}/refused
}} 2>/dev/null
exit $code
"""

FOLDER = "rorchestrator-hooks."
"""What the name of the folder of wrappers begins with, in git's own folder of the worktree."""


class Hooks:
    """The hooks of one worktree's commits, which ``folder`` holds; relative to the worktree or not.

    While :meth:`wrapped`, they say which of them is running, and which refused.
    """

    def __init__(self, worktree: str, folder: str, admin: str, ours: Iterable[str] = ()) -> None:
        self.folder = folder
        self.unset = (*UNSET_FOR_HOOKS, *ours)
        place = os.path.join(worktree, folder)
        self.names = runnable_hooks(place)
        # The usual way to switch hooks off is no mistake.
        self.is_missing = folder != os.devnull and not os.path.isdir(place)
        self._place = os.path.join(admin, FOLDER + os.urandom(4).hex())
        self._kept: dict[str, str] = {}

    @contextmanager
    def wrapped(self) -> Iterator[str]:
        """A folder of wrappers, for git to use as that of the hooks; removed afterwards.

        Empty where there is no hook to run.
        """
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
            # A relative path stays one, as git itself would call it.
            hook=shlex.quote(os.path.join(self.folder, name)),
        )

    @property
    def running(self) -> str:
        """The hook that is running; empty where none is."""
        return self._word("running")

    @property
    def refused(self) -> str:
        """The hook that failed last; empty where none did."""
        return self._word("refused")

    def forget_refusal(self) -> None:
        """Before another try: only a hook that fails then has refused it."""
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self._place, "refused"))

    @property
    def ran(self) -> tuple[str, ...]:
        """Every hook that was started, in order."""
        return tuple(self._word("ran").split())

    def _word(self, name: str) -> str:
        try:
            with open(os.path.join(self._place, name), encoding="utf-8") as file:
                return file.read().strip()
        except OSError:
            return self._kept.get(name, "")


async def hooks_of(git: Git, worktree: str) -> Hooks:
    """The hooks that git would run for a commit in a worktree."""
    folder = await configuration.hooks_folder(git, worktree)
    ours = (name for name in COMMITTER if not git.has_variable(name))
    return Hooks(worktree, folder, await checkouts.admin_dir(git, worktree), ours)


def default_folder(git: Git) -> str:
    """Where hooks are unless ``core.hooksPath`` says otherwise."""
    return os.path.join(git.repository.common_dir, "hooks")


async def inactive(git: Git, commit: str, worktree: str) -> list[str]:
    """Why hooks of a commit that the user has would not run in a worktree of ``commit``."""
    folder = await configuration.hooks_folder(git)
    if folder == os.devnull:
        return []
    if os.path.isabs(folder) or folder.startswith(os.pardir):
        place = os.path.normpath(os.path.join(worktree, folder))
        if not os.path.isdir(place) and place != default_folder(git):
            return [f"no hook runs: core.hooksPath is {folder}, which does not exist"]
        return list(_broken(place))
    modes = await configuration.modes(git, commit, folder)
    if not modes:
        return [
            f"no hook runs in worktrees: core.hooksPath is {folder}, which no commit holds "
            "(unless project.setup, copy or link provides it)"
        ]
    plain = (name for name in NAMES if modes.get(name) == "100644")
    return [f"{folder}/{name} is not executable: git does not run it" for name in plain]


def _broken(folder: str) -> Iterator[str]:
    """Which hooks of a folder git would not run, or could not."""
    for name in NAMES:
        path = os.path.join(folder, name)
        first = _begin(path)
        words = os.fsdecode(first[2:]).split("\n")[0].split() if first.startswith(b"#!") else []
        if os.path.isdir(path):
            yield f"{path} is a folder: git can't run it, and so refuses each commit"
        elif os.path.isfile(path) and not os.access(path, os.X_OK):
            yield f"{path} is not executable: git does not run it"
        elif words and not os.access(words[0], os.X_OK):
            yield f"{path} can't run: {words[0]} does not exist, or is not executable"


def _begin(path: str) -> bytes:
    """The first bytes of a hook; none where there is none, and no waiting at a pipe."""
    try:
        with open(path, "rb", opener=private_files.only_regular) as file:
            return file.read(4096)
    except OSError:
        return b""


def runnable_hooks(folder: str) -> tuple[str, ...]:
    """The hooks of a commit in a folder that git would run."""
    paths = ((name, os.path.join(folder, name)) for name in NAMES)
    return tuple(name for name, path in paths if os.path.isfile(path) and os.access(path, os.X_OK))
