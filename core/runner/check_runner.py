"""`CheckRunner`: runs check commands on a commit. It knows what passed and what files they left."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from ..git import staging, worktree_status
from ..git.output import WorktreeStatus
from ..model import events
from ..model.excerpt import some
from ..model.feature import Command, Config
from ..model.frozen import dataclass, replace
from ..model.list_commands import BASE
from ..model.outcome import Stage
from ..model.translate import N_
from ..worktree import admin_files, build_products, inspection, supply_digest
from ..worktree.check_artifacts import CheckArtifacts
from ..worktree.files import built_by_tools
from ..worktree.manager import WorktreeManager
from ..worktree.names import START
from ..worktree.worktree import Worktree
from .context import RunContext
from .failure import Failure, failed
from .steps import StepRunner

NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""For checks, unless the user sets another one: Python would rewrite caches, even tracked ones."""


PASSED = N_("passed")
"""How a check ended that was not run because it is known to pass."""


@dataclass(frozen=True)
class Result:
    """How a check ended on a commit: the second time if it failed and was repeated."""

    command: Command
    ending: str
    failure: Failure | None = None
    is_flaky: bool = False
    """Whether it failed, then passed on the same tree."""
    changed: tuple[str, ...] = ()
    """The tracked files that it changed: the worktree no longer has the commit."""
    has_moved: bool = False
    """Whether it moved or switched the branch."""

    @property
    def is_interrupted(self) -> bool:
        """Whether it was ended before it could pass or fail."""
        return self.failure is not None and self.failure.interrupted

    @property
    def can_repeat(self) -> bool:
        """Whether it failed, and the worktree still has the commit that it failed on."""
        disturbed = self.is_interrupted or self.has_moved or bool(self.changed)
        return self.failure is not None and not disturbed


@dataclass(frozen=True)
class _Place:
    """A worktree that has a commit checked out, before the first check."""

    name: str
    worktree: Worktree
    commit: str
    env: Mapping[str, str]
    is_clean: bool
    before: WorktreeStatus
    left: CheckArtifacts
    theirs: frozenset[str]
    """Files that no check left."""


class CheckRunner:
    """Runs the checks of one run, each on a commit that a worktree has checked out.

    ``passed`` has the :func:`check_key` of each check that is known to pass; it grows. ``wrote``
    has the files that a command, by its :func:`command_key`, left in scratch worktrees before.
    """

    def __init__(
        self,
        config: Config,
        worktrees: WorktreeManager,
        steps: StepRunner,
        context: RunContext,
        *,
        passed: set[str],
        wrote: Mapping[str, Collection[str]],
    ) -> None:
        self.config = config
        self.worktrees = worktrees
        self.steps = steps
        self.context = context
        self.passed = passed
        self.endings: dict[str, str] = {}
        """How checks of this run ended, by key: the last time."""
        self._artifacts: dict[str, CheckArtifacts] = {}
        self._wrote = {by: set(files) for by, files in wrote.items()}

    async def have_passed(
        self,
        commands: Iterable[Command],
        commit: str,
        *,
        clean: bool = False,
        supplied: str = "",
    ) -> bool:
        """Whether all of these checks passed before on the tree of a commit.

        ``supplied`` is the digest of what `copy` would bring for them.
        """
        tree = await self.worktrees.git.tree_of(commit)
        keys = (check_key(tree, each, clean=clean, supplied=supplied) for each in commands)
        return all(key in self.passed for key in keys)

    async def run(
        self,
        feature: str,
        commands: Iterable[Command],
        worktree: Worktree,
        commit: str,
        env: Mapping[str, str],
        *,
        clean: bool = False,
    ) -> Failure | None:
        """The first failure of checks in a worktree that has ``commit`` checked out."""
        found = await self.results(
            feature, list(commands), worktree, commit, env, clean=clean, stops=True
        )
        return found[-1].failure if found else None

    async def results(
        self,
        feature: str,
        commands: Sequence[Command],
        worktree: Worktree,
        commit: str,
        env: Mapping[str, str],
        *,
        clean: bool = False,
        repeats: bool = False,
        stops: bool = False,
        is_fresh: bool = False,
    ) -> list[Result]:
        """Run checks in a worktree that has ``commit`` checked out.

        A check that passed before on the same tree is not run again; with ``repeats``, one that
        fails is. The last one is the first that is interrupted, or that leaves another tree or
        branch in a worktree that is not a ``clean`` one; with ``stops``, the first that fails.
        ``is_fresh``: no command ran in the worktree since its checkout.
        """
        git = self.worktrees.git
        tree, supplied = await git.tree_of(commit), self.supplied(worktree)
        keys = [check_key(tree, each, clean=clean, supplied=supplied) for each in commands]
        place, found, failing = None, list[Result](), dict[str, Result]()
        for key, command in zip(keys, commands):
            known = Result(command, self.ending(key)) if key in self.passed else failing.get(key)
            if known is not None:
                found.append(known)
                continue
            if place is None:
                before = await inspection.status_before(self.worktrees, worktree, is_fresh=is_fresh)
                place = self._place(feature, worktree, commit, env, before, is_clean=clean)
            result = await self._try(place, key, command)
            if repeats and result.can_repeat:
                again = await self._try(place, key, command)
                result = replace(again, is_flaky=again.failure is None)
            if clean and result.changed and not result.has_moved:
                await staging.restore(git, worktree.path, result.changed)
                result = replace(result, changed=())
            found.append(result)
            if result.failure is not None:
                failing[key] = result  # The list may name it twice.
                if stops or not result.can_repeat:
                    break
        return found

    def ending(self, key: str) -> str:
        """How a check ended whose result is known."""
        return self.endings.get(key, PASSED)

    def supplied(self, worktree: Worktree) -> str:
        """The digest of what `copy` brought into a worktree."""
        return supply_digest.load(admin_files.admin_folder(self.worktrees, worktree.path))

    def _place(
        self,
        name: str,
        worktree: Worktree,
        commit: str,
        env: Mapping[str, str],
        before: WorktreeStatus,
        *,
        is_clean: bool,
    ) -> _Place:
        left = self.artifacts(worktree)
        theirs = {*before.untracked, *before.ignored}.difference(left.files, left.paths)
        env = env if "PYTHONPYCACHEPREFIX" in env else {**NO_BYTECODE, **env}
        return _Place(name, worktree, commit, env, is_clean, before, left, frozenset(theirs))

    async def _try(self, place: _Place, key: str, command: Command) -> Result:
        """Run a check once, and record how it ended."""
        worktree, before = place.worktree, place.before
        step = await self.steps.run(
            command,
            Stage.CHECK,
            name=place.name,
            folder=worktree.path,
            env=place.env,
            limit_seconds=self.config.project.verify_timeout_seconds,
        )
        status = await self._after_check(worktree, before)
        place.left.record(set(status.untracked).difference(place.theirs))
        wrote = self._written(place.left, command, status, place.theirs)
        changed = await self._changed(worktree, before, status)
        moved = (status.commit, status.branch) != (place.commit, before.branch)
        failure = None if step.passed else failed(step)
        if failure is None and (changed or moved):
            what = some(changed) or N_("the branch")
            why = N_("`{command}` changed {what}: it did not check the commit").format(
                command=command.line, what=what
            )
            failure = Failure(why, stage=Stage.CHECK)
        ending = step.ending if failure is None or not step.passed else failure.what
        result = Result(command, ending, failure, changed=tuple(changed), has_moved=moved)
        if not result.is_interrupted:
            self._record(place, key, result, wrote if place.is_clean else ())
        return result

    async def _after_check(self, worktree: Worktree, before: WorktreeStatus) -> WorktreeStatus:
        """The status after a check. New files that it staged are unstaged: they are no work."""
        status = await inspection.full_status(self.worktrees, worktree.path)
        staged = set(status.added).difference(before.added)
        if not staged:
            return status
        await staging.unstage(self.worktrees.git, worktree.path, staged)
        return await worktree_status.status_of(self.worktrees.git, worktree.path, ignored=True)

    async def _changed(
        self, worktree: Worktree, before: WorktreeStatus, after: WorktreeStatus
    ) -> list[str]:
        """The tracked files that a check changed. Build products are restored and do not count."""
        changed = set(after.changed).difference(before.changed)
        base = worktree.base_commit or worktree.start_commit
        tracked = changed.difference(after.added)
        built = await inspection.products(self.worktrees, worktree.path, base, tracked)
        await staging.restore(self.worktrees.git, worktree.path, sorted(built))
        return sorted(changed.difference(built))

    def _written(
        self,
        left: CheckArtifacts,
        command: Command,
        status: WorktreeStatus,
        theirs: Collection[str],
    ) -> set[str]:
        """The files that a check wrote, without build products."""
        untracked = set(status.untracked).difference(theirs)
        untracked.difference_update(build_products.among(left.folder, untracked))
        ignored = (path for path in status.ignored if not built_by_tools(path))
        return left.written(command_key(command), [*untracked, *set(ignored).difference(theirs)])

    def _record(self, place: _Place, key: str, result: Result, wrote: Collection[str]) -> None:
        self.endings[key] = result.ending
        if result.failure is None:
            self.passed.add(key)
        by = command_key(result.command)
        known = self._wrote.setdefault(by, set())
        new = sorted(set(wrote).difference(known))
        known.update(new)
        self.context.record(
            events.checked,
            "" if is_of_no_feature(place.name) else place.name,
            key=key,
            command=result.command.line,
            passed=result.failure is None,
            ending=result.ending,
            by=by,
            wrote=new,
        )

    # -- what checks leave ----------------------------------------------------------------

    def artifacts(self, worktree: Worktree) -> CheckArtifacts:
        """The files that checks of this run left in a worktree."""
        return self._artifacts.setdefault(worktree.path, CheckArtifacts(worktree.path))

    def without_artifacts(
        self, worktree: Worktree, status: WorktreeStatus, *, was_checked: bool
    ) -> WorktreeStatus:
        """A status without the files that checks left.

        With ``was_checked``, checks of an earlier run began when all work was committed.
        """
        left = self.artifacts(worktree)
        if was_checked:
            left.ignore(status.untracked)
        ignored = () if was_checked else (f for f in status.ignored if f not in left.paths)
        return replace(status, ignored=tuple(ignored)).without(set(left.files))

    async def settle(self, feature: str, worktree: Worktree) -> None:
        """Remove the build products that checks left, and report the other files they left."""
        left = self.artifacts(worktree)
        paths = left.proved(self._wrote)
        built = await inspection.products(
            self.worktrees, worktree.path, worktree.start_commit, left.files
        )
        left.remove(built)
        others = sorted(set(left.files).difference(built))
        if others:
            text = N_("files that the checks left, and that are in no commit: {others}").format(
                others=some(others)
            )
            self.context.note(text, feature)
        if paths:
            self.context.record(events.left, feature, paths=paths)


def command_key(command: Command) -> str:
    """The name of a command in the journal; it hides the secrets in its words."""
    return hashlib.sha256(json.dumps([command.argv, command.line]).encode()).hexdigest()[:20]


def is_of_no_feature(name: str) -> bool:
    """Whether checks under this name look at the base, or at the start commit of a feature."""
    return name == BASE or name.startswith(START)


def check_key(tree: str, command: Command, *, clean: bool = False, supplied: str = "") -> str:
    """The key of a check's result: its tree, its command, and the digest of what was copied."""
    more = [*(["clean"] if clean else []), *([f"copy={supplied}"] if supplied else [])]
    words = json.dumps([tree, command.argv, command.line, *more])
    return hashlib.sha256(words.encode()).hexdigest()[:20]
