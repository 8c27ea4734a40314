"""`SetupGuard`: what a setup changed in the repository outside of its worktree.

Setups install hooks (husky sets ``core.hooksPath``), make worktrees sparse or reset branches. A
change on the base commit, before the first agent, is accepted as the user's own; so is the same
change of a later setup. Any other change ends the feature before Claude is started.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from ..git.refs import HEADS
from ..git.tampering import (
    EXECUTES,
    OF_WORKTREE,
    ExecutableFingerprint,
    Tampered,
    changes,
    shared_settings,
)
from ..model import events
from ..model.excerpt import some
from ..model.translate import N_
from ..worktree import admin_files
from ..worktree.manager import WorktreeManager
from ..worktree.worktree import Worktree
from .context import RunContext


class SetupGuard:
    """Compares the repository before and after each command of each setup of a run."""

    def __init__(
        self,
        worktrees: WorktreeManager,
        fingerprint: ExecutableFingerprint,
        context: RunContext,
    ) -> None:
        self.worktrees = worktrees
        self.git = worktrees.git
        self.fingerprint = fingerprint
        self.context = context
        self._is_open = True
        """Whether no agent was started yet. Until then, only setups can have changed anything."""
        self._running = 0
        self._heads: dict[str, str] = {}
        self._settings: Mapping[str, str] = {}
        self._told: set[str] = set()

    def close(self) -> None:
        """Accept no more changes: an agent is about to be started."""
        self._is_open = False
        self._follow()

    def _follow(self) -> None:
        self.fingerprint.is_suspended = self._is_open and self._running > 0

    @asynccontextmanager
    async def watching(self, worktree: Worktree) -> AsyncIterator[None]:
        """Watch a setup in a worktree. Raises :class:`Tampered` for an earlier change."""
        await self.fingerprint.check(self.git)
        await self.fingerprint.watch(self.git, self._own_config(worktree))
        self._heads[worktree.path] = await self._head(worktree)
        self._settings = await shared_settings(self.git)
        self._running += 1
        self._follow()
        try:
            yield
        finally:
            self._running -= 1
            self._follow()

    async def look(self, worktree: Worktree, line: str) -> str:
        """The fault of a setup command that moved HEAD or switched the branch, or "".

        Raises :class:`Tampered` if it changed what git executes, except on the base commit.
        """
        moved = await self._moved(worktree)
        await self._judge(worktree, line)
        await self._name_settings(line)
        return moved

    async def _moved(self, worktree: Worktree) -> str:
        before, commit = self._heads[worktree.path], await self._head(worktree)
        branch = await self.git.symbolic_ref("HEAD", at=worktree.path)
        expected = HEADS + worktree.branch if worktree.branch else ""
        if branch != expected:
            return N_("switched the worktree from {before} to {after}").format(
                before=_short(expected), after=_short(branch)
            )
        return (
            ""
            if commit == before
            else N_("moved HEAD from {before} to {commit}").format(
                before=before[:12], commit=commit[:12]
            )
        )

    async def _head(self, worktree: Worktree) -> str:
        return await self.git.commit_of("HEAD", at=worktree.path)

    async def _judge(self, worktree: Worktree, line: str) -> None:
        """Accept a change of what git executes, or end the feature."""
        changed = await self.fingerprint.differing(self.git)
        own = self._own_config(worktree)
        facts = {name.replace(own, OF_WORKTREE): digest for name, digest in changed.items()}
        if not changed:
            return
        is_base = worktree.start_commit == worktree.base_commit
        known = self.fingerprint.reference
        if any(known.get(name) != digest for name, digest in facts.items()):
            names = some(sorted(name.replace(self.fingerprint.top + os.sep, "") for name in facts))
            if not (is_base and self._is_open):
                raise self._tampered(worktree, line, names)
            self.fingerprint.reference.update(facts)
            self.context.record(events.setup_changed, facts=facts)
            self._note(
                N_("setup: `{line}` changed {names}; the same is accepted of later setups").format(
                    line=line, names=names
                )
            )
        await self.fingerprint.accept(self.git, changed)

    def _tampered(self, worktree: Worktree, line: str, names: str) -> Tampered:
        self.fingerprint.suspect = N_(" while the setup of {feature} ran (`{line}`)").format(
            feature=worktree.feature, line=line
        )
        return Tampered(
            N_("setup: while `{line}` ran, {names} changed, which git executes").format(
                line=line, names=names
            ),
            hint=N_(
                "It was that command, or a feature that was running. Claude was not started. "
                "What a setup changes is accepted on the base commit, before any feature starts. "
                "Look at it, then run again: a new run accepts what it finds"
            ),
        )

    async def _name_settings(self, line: str) -> None:
        """Note other changed settings once. The user may have changed them."""
        after = await shared_settings(self.git)
        others = [
            {key: value for key, value in settings.items() if not EXECUTES.match(key)}
            for settings in (self._settings, after)
        ]
        changed = some(changes(*others), between="; ")
        self._settings = after
        if changed and self._is_open:
            self._note(
                N_("the repository's settings changed in setup `{line}`: {changed}").format(
                    line=line, changed=changed
                )
            )

    def _note(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self.context.note(text)

    def _own_config(self, worktree: Worktree) -> str:
        return os.path.join(admin_files.admin_folder(self.worktrees, worktree.path), OF_WORKTREE)


def _short(ref: str) -> str:
    return ref[len(HEADS) :] if ref else N_("no branch")
