"""`SetupCache`: skips a setup if copies of cached folders can be used (`project.setup_cache`)."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from ..git import commits, worktree_status
from ..model import events
from ..model.excerpt import some
from ..model.feature import Command, Config, Project
from ..model.frozen import dataclass, replace
from ..model.translate import N_
from ..worktree import admin_files, setup_effects, supply_digest
from ..worktree.copy_link import matches_of
from ..worktree.files import built_by_tools
from ..worktree.manager import WorktreeManager
from ..worktree.names import RUBBISH
from ..worktree.relocatable import NotStored
from ..worktree.setup_store import GIB, Changed, SetupStore, Stored, ignores_itself
from ..worktree.worktree import Worktree
from .context import RunContext
from .failure import Failure
from .setup_key import inputs_of, key_of

Run = Callable[[Sequence[Command]], Awaitable["Failure | None"]]
"""Runs commands in the worktree, up to the first one that fails."""

OURS = "RORCHESTRATOR_"

CONFIG = "config.worktree"
"""Settings of one worktree, which no copy of its folders has."""


@dataclass(frozen=True)
class SetUp:
    """How a setup ended."""

    failure: Failure | None = None
    cached: tuple[str, ...] = ()
    """The folders that were copied, if it was skipped."""


@dataclass(frozen=True)
class _Task:
    """One setup, with what it depends on."""

    worktree: Worktree
    commands: tuple[Command, ...]
    key: str
    blobs: Mapping[str, str]
    head: str
    run: Run
    stopped: Callable[[], bool]


def without_cache(config: Config) -> Config:
    """The list without its setup cache: every setup runs, and nothing is stored."""
    return replace(config, project=replace(config.project, setup_cache=()))


class SetupCache:
    """The setups of one run. ``known`` are the digests of entries in the store, by key."""

    def __init__(
        self,
        worktrees: WorktreeManager,
        project: Project,
        context: RunContext,
        known: Mapping[str, str],
    ) -> None:
        self.worktrees = worktrees
        self.project = project
        self.context = context
        self.store = SetupStore(worktrees.git.repository.common_dir)
        self.digests = dict(known)
        self._blobs: dict[str, Mapping[str, str]] = {}
        """Of the last commit only: most features start from the same one."""
        self._turns: dict[str, asyncio.Lock] = {}
        self._refused: set[str] = set()
        """Keys of setups that can't be stored, or that fail: they don't wait for each other."""
        self._told: set[str] = set()

    def clear(self) -> None:
        """Remove what killed runs left half written."""
        self.store.clear()

    async def set_up(
        self,
        worktree: Worktree,
        commands: Sequence[Command],
        env: Mapping[str, str],
        run: Run,
        stopped: Callable[[], bool],
    ) -> SetUp:
        """Run a setup, or copy its folders and run only the commands that every worktree needs.

        Of several setups that would make the same, the first one runs and the others wait for it.
        """
        task = await self._task(worktree, commands, env, run, stopped)
        if task is None:
            return SetUp(await run(commands))
        cached = await self._take(task)
        if not cached and self._may_store(task):
            async with self._turns.setdefault(task.key, asyncio.Lock()):
                cached = await self._take(task)
                if not cached and self._may_store(task):
                    return await self._run_and_store(task)
        if not cached:
            return SetUp(await run(commands))
        return SetUp(await run([each for each in commands if self._is_own(each)]), cached)

    def _is_own(self, command: Command) -> bool:
        """Whether a command names a variable that is different in each worktree."""
        port = self.project.port_variable
        named = port and re.search(rf"\b{re.escape(port)}\b", command.line)
        return OURS in command.line or bool(named)

    async def _task(
        self,
        worktree: Worktree,
        commands: Sequence[Command],
        env: Mapping[str, str],
        run: Run,
        stopped: Callable[[], bool],
    ) -> _Task | None:
        """What the setup depends on; ``None`` if nothing is to be cached."""
        if worktree.is_old or not self.project.setup_cache:
            return None  # An agent may have worked in an old one.
        if all(map(self._is_own, commands)):
            return None
        git = self.worktrees.git
        head = await git.commit_of("HEAD", at=worktree.path)
        if head not in self._blobs:
            self._blobs = {head: await commits.blobs_of(git, head)}
        inputs = inputs_of(self.project, commands, self._blobs[head])
        if not inputs:
            self._tell(N_("no tracked file is an input of the setup: name some in setup_inputs"))
            return None
        supplied = supply_digest.load(admin_files.admin_folder(self.worktrees, worktree.path))
        key = key_of(self.project, commands, inputs, supplied, env)
        return _Task(worktree, tuple(commands), key, self._blobs[head], head, run, stopped)

    # -- a copy -----------------------------------------------------------------------------

    async def _take(self, task: _Task) -> tuple[str, ...]:
        """The folders that were copied into the worktree; none without a good entry."""
        path, entry = task.worktree.path, self.store.entry(task.key)
        digest = self.digests.pop(task.key, "") if entry is None else self.digests.get(task.key)
        if not digest or entry is None or not await self._is_free(task, entry.folders):
            return ()

        def take() -> tuple[str, ...]:
            return self.store.take(task.key, digest, path, path + RUBBISH, task.stopped)

        try:
            return await self.worktrees.git.spawner.in_thread(take)
        except Changed:
            self._tell(N_("an entry was changed on disk and is not used any more"))
        except OSError as error:
            if not task.stopped():
                self._tell(N_("no copy could be made: {why}").format(why=error.strerror or error))
            return ()
        self.digests.pop(task.key, None)
        return ()

    async def _is_free(self, task: _Task, folders: Sequence[str]) -> bool:
        """Whether git ignores the folders in this worktree, and they do not exist yet."""
        path = task.worktree.path
        if any(os.path.lexists(os.path.join(path, name)) for name in folders):
            return False
        below = tuple(f"{name}/" for name in folders)
        if any(file.startswith(below) for file in task.blobs):
            return False
        ignored = await worktree_status.ignored_of(self.worktrees.git, path, below)
        stored = os.path.join(self.store.folder, task.key)
        return all(
            name in ignored or ignores_itself(os.path.join(stored, str(number)))
            for number, name in enumerate(below)
        )

    # -- a new entry ------------------------------------------------------------------------

    def _may_store(self, task: _Task) -> bool:
        """Whether what the setup makes may be stored: of the base commit, and nothing else."""
        if task.head != task.worktree.base_commit:
            return False
        is_settled = task.key in self._refused or task.key in self.digests
        return not (is_settled or self._folders(task.worktree.path))

    def _folders(self, path: str) -> list[str]:
        patterns = self.project.setup_cache
        found = {each for pattern in patterns for each in matches_of(path, pattern)}
        names = sorted(os.path.relpath(each, path) for each in found)
        return [name for name in names if not name.startswith(tuple(f"{n}/" for n in names))]

    async def _run_and_store(self, task: _Task) -> SetUp:
        git, path = self.worktrees.git, task.worktree.path
        before = await setup_effects.look(git, path, task.blobs)
        failure = await task.run(task.commands)
        if failure is not None:
            if not failure.interrupted:
                self._refused.add(task.key)
            return SetUp(failure)
        after = await setup_effects.look(git, path, task.blobs)
        try:
            folders = self._folders(path)
            ignored = set(after.ignored - before.ignored)
            self._check(task, folders, ignored, after.changed_since(before))
            await self._store(task, folders)
        except NotStored as error:
            self._refuse(task, error.message)
        except OSError as error:
            if not task.stopped():
                self._refuse(task, error.strerror or str(error))
        return SetUp()

    def _check(
        self, task: _Task, folders: Sequence[str], ignored: set[str], changed: set[str]
    ) -> None:
        """Raise :class:`NotStored` if copies of the folders would not be all that setup made."""
        below = {f"{name}/" for name in folders}
        if not below:
            raise NotStored(
                N_("setup made none of the folders: {patterns}").format(
                    patterns=some(self.project.setup_cache)
                )
            )
        open_to_git = {
            name
            for name in below.difference(ignored)
            if not ignores_itself(os.path.join(task.worktree.path, name))
        }
        if open_to_git:
            raise NotStored(
                N_("git does not ignore {folders} at the base commit").format(
                    folders=some(sorted(open_to_git))
                )
            )
        made = (each for each in ignored if not each.startswith(tuple(below)))
        others = sorted({*changed, *(each for each in made if not built_by_tools(each))})
        if others:
            raise NotStored(
                N_("setup also makes {files}, which a copy would lack").format(files=some(others))
            )
        admin = admin_files.admin_folder(self.worktrees, task.worktree.path)
        if os.path.exists(os.path.join(admin, CONFIG)):
            raise NotStored(N_("setup changes the git settings of its worktree only"))

    async def _store(self, task: _Task, folders: Sequence[str]) -> None:
        limit = self.project.setup_cache_max_gib * GIB

        def put() -> Stored | None:
            self.store.remove(task.key)  # There may be one that nothing proves.
            stored = self.store.put(
                task.key, task.worktree.path, folders, limit_bytes=limit, stopped=task.stopped
            )
            self.store.trim(limit, keep=[task.key])
            return stored

        stored = await self.worktrees.git.spawner.in_thread(put)
        if stored is not None:
            self.digests[task.key] = stored.digest
            entry = stored.entry
            self.context.record(
                events.setup_stored,
                key=task.key,
                digest=stored.digest,
                folders=entry.folders,
                size=entry.bytes,
            )

    def _refuse(self, task: _Task, why: str) -> None:
        self._refused.add(task.key)
        self._tell(why)

    def _tell(self, why: str) -> None:
        """Say once why setups are not skipped."""
        if why not in self._told:
            self._told.add(why)
            self.context.note(N_("setup cache: {why}").format(why=why))
