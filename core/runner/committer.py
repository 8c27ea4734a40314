"""`Committer`: commits with the user's hooks, one at a time and with a time limit.

Two hooks that use the stash, like lint-staged, would disturb each other; and a hook, a signing
program or a filter may hang.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine

from ..git.hooks import Hooks, hooks_of
from ..git.idle_hooks import default_folder
from ..git.output import WorktreeStatus
from ..git.tampering import ExecutableFingerprint, changes, shared_settings
from ..model import events
from ..model.errors import UserError
from ..model.feature import Feature
from ..model.outcome import Work
from ..model.translate import N_
from ..process.supervisor import Killed
from ..worktree import admin_files
from ..worktree.committing import ONLY_COMMITS
from ..worktree.manager import WorktreeManager
from ..worktree.worktree import Worktree
from .context import RunContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

POLL_SECONDS = 0.2

GRACE_SECONDS = 1.5
"""For a commit that is stopped: most end within it, so the finished work is saved."""

NOTE_SECONDS = 10.0
"""The time after which a note says what a commit is waiting for."""


class TimedOut(UserError):
    """The commit was ended at its time limit."""


class Committer:
    """Commits the features of one run; to be created inside the event loop.

    ``is_to_end`` tells whether a feature, or the run, was stopped or is out of time.
    """

    def __init__(
        self,
        worktrees: WorktreeManager,
        fingerprint: ExecutableFingerprint,
        context: RunContext,
        *,
        limit_seconds: float,
        is_to_end: Callable[[str], bool],
    ) -> None:
        self.worktrees = worktrees
        self.fingerprint = fingerprint
        self.context = context
        self.limit_seconds = limit_seconds
        self.is_to_end = is_to_end
        self.note_seconds = NOTE_SECONDS
        self.grace_seconds = GRACE_SECONDS
        self._turn = asyncio.Lock()
        self._is_told = False

    async def inspect(self, worktree: Worktree) -> WorktreeStatus | str:
        """The status of the worktree, or its fault; git may run a filter for it."""
        bounded = Bounded(self, worktree.feature)
        bounded.begin()
        return await bounded.run(self.worktrees.inspect(worktree))

    async def commit(self, worktree: Worktree, status: WorktreeStatus, feature: Feature) -> Work:
        """Commit the work in a worktree, and return what its branch has now.

        Raises :class:`UserError` if a hook or git refuses or the time is up, :class:`Killed` if
        the feature was stopped, and :class:`Tampered` if what git executes was changed. Other
        changes of the repository's settings are noted.
        """
        git = self.worktrees.git
        before = await shared_settings(git)
        try:
            return await self._commit(worktree, status, feature)
        finally:
            await self.fingerprint.check(
                git, N_(" while the commit of {id} and its hooks ran").format(id=feature.id)
            )
            changed = changes(before, await shared_settings(git))
            if changed:
                text = N_(
                    "the repository's settings changed while the commit and its hooks ran: {all}"
                ).format(all="; ".join(changed))
                self.context.note(text, feature.id)

    async def _commit(self, worktree: Worktree, status: WorktreeStatus, feature: Feature) -> Work:
        hooks = await self._hooks(worktree)
        bounded = Bounded(self, feature.id, hooks)
        try:
            return await bounded.run(self._in_turn(worktree, status, feature, bounded))
        except TimedOut:
            after = await self.inspect(worktree)
            if isinstance(after, str) or after.changed or after.commit == status.commit:
                raise
            # The commit was made. Only a hook after it, such as post-commit, hung.
            self.context.note(
                N_("{what} was stopped after {seconds:.0f} s").format(
                    what=bounded.what, seconds=bounded.seconds
                ),
                feature.id,
            )
            return await self.worktrees.commit(worktree, after, feature, self.context.run_id, hooks)
        finally:
            if hooks.ran:
                bounded.note_end(hooks)

    async def _hooks(self, worktree: Worktree) -> Hooks:
        """The hooks of a worktree. Note once if the user has some, but the worktree has none."""
        git = self.worktrees.git
        admin = admin_files.admin_folder(self.worktrees, worktree.path)
        hooks = await hooks_of(git, worktree.path, admin)
        if hooks.is_missing and hooks.folder != default_folder(git) and not self._is_told:
            self._is_told = True
            what = N_(
                "no hook runs: core.hooksPath is {folder}, which the worktree does not have"
            ).format(folder=hooks.folder)
            self.context.note(what, worktree.feature)
        return hooks

    async def _in_turn(
        self, worktree: Worktree, status: WorktreeStatus, feature: Feature, bounded: Bounded
    ) -> Work:
        async with self._turn:
            bounded.begin()
            return await self.worktrees.commit(
                worktree, status, feature, self.context.run_id, bounded.hooks
            )


class Bounded:
    """A git command with a time limit, which is ended with all its processes.

    The time begins with :meth:`begin`.
    """

    def __init__(self, committer: Committer, feature: str, hooks: Hooks | None = None) -> None:
        self.committer = committer
        self.feature = feature
        self.hooks = hooks
        self.what = "git"
        """What was running at the last look."""
        self._begun = self._stopped = float("inf")
        self._is_noted = False

    def begin(self) -> None:
        """Start the time."""
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """The time since :meth:`begin`; 0 before it."""
        return max(0.0, time.monotonic() - self._begun)

    async def run(self, coroutine: Coroutine[object, object, T]) -> T:
        """Await the result. Raises :class:`TimedOut`, or :class:`Killed` after a stop."""
        task = asyncio.ensure_future(coroutine)
        try:
            while not (await asyncio.wait({task}, timeout=POLL_SECONDS))[0]:
                self._look()
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    def _look(self) -> None:
        hook = self.hooks.running if self.hooks is not None else ""
        self.what = (
            N_("your {hook} hook").format(hook=hook)
            if hook
            else N_("git (a filter or a signing program)")
        )
        committer, limit = self.committer, self.committer.limit_seconds
        if committer.is_to_end(self.feature):
            self._stopped = min(self._stopped, time.monotonic())
        if time.monotonic() - self._stopped >= committer.grace_seconds:
            raise Killed(N_("the commit was interrupted"))
        if self.seconds >= limit:
            raise TimedOut(
                N_(
                    "{what} did not end within {limit:.0f} s (project.commit_timeout_seconds)"
                ).format(what=self.what, limit=limit),
                hint=ONLY_COMMITS,
            )
        if self.seconds >= committer.note_seconds and not self._is_noted:
            self._is_noted = True
            text = N_("{what} has been running for {seconds:.0f} s; {limit:.0f} s at most").format(
                what=self.what, seconds=self.seconds, limit=limit
            )
            committer.context.note(text, self.feature)

    def note_end(self, hooks: Hooks) -> None:
        """Journal the end of the commit and the hooks that ran."""
        self.committer.context.record(
            events.committed, self.feature, hooks=hooks.ran, seconds=self.seconds
        )
