"""`CheckRunner`: runs check commands on a commit. It knows what passed and what files they left."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping

from ..git import staging, worktree_status
from ..git.output import WorktreeStatus
from ..model import events
from ..model.excerpt import some
from ..model.feature import Command, Config
from ..model.frozen import replace
from ..model.list_commands import BASE
from ..model.outcome import Stage
from ..model.translate import N_
from ..worktree import build_products, inspection
from ..worktree.check_artifacts import CheckArtifacts
from ..worktree.files import built_by_tools
from ..worktree.manager import WorktreeManager
from ..worktree.worktree import Worktree
from .context import RunContext
from .failure import Failure, failed
from .steps import Step, StepRunner

NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""For checks, unless the user sets another one: Python would rewrite caches, even tracked ones."""


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
        self._artifacts: dict[str, CheckArtifacts] = {}
        self._wrote = {by: set(files) for by, files in wrote.items()}

    async def have_passed(
        self, commands: Iterable[Command], commit: str, *, clean: bool = False
    ) -> bool:
        """Whether all of these checks passed before on the tree of a commit."""
        tree = await self.worktrees.git.tree_of(commit)
        return all(check_key(tree, command, clean=clean) in self.passed for command in commands)

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
        """Run checks in a worktree that has ``commit`` checked out, up to the first that fails.

        A check that passed before on the same tree is not repeated.
        """
        tree = await self.worktrees.git.tree_of(commit)
        todo = [(check_key(tree, each, clean=clean), each) for each in commands]
        todo = [(key, command) for key, command in todo if key not in self.passed]
        if not todo:
            return None
        before = await inspection.full_status(self.worktrees, worktree.path)
        left = self.artifacts(worktree)
        theirs = {*before.untracked, *before.ignored}.difference(left.files, left.paths)
        for key, command in todo:
            step = await self.steps.run(
                command,
                Stage.CHECK,
                name=feature,
                folder=worktree.path,
                env=env if "PYTHONPYCACHEPREFIX" in env else {**NO_BYTECODE, **env},
                limit_seconds=self.config.project.verify_timeout_seconds,
            )
            failure = None if step.passed else failed(step)
            status = await self._after_check(worktree, before)
            left.record(set(status.untracked).difference(theirs))
            wrote = self._written(left, command, status, theirs)
            changed = await self._changed(worktree, before, status)
            moved = (status.commit, status.branch) != (commit, before.branch)
            if failure is None and (changed or moved):
                what = some(changed) or N_("the branch")
                why = N_("`{command}` changed {what}: it did not check the commit").format(
                    command=command.line, what=what
                )
                failure = Failure(why, stage=Stage.CHECK)
            if not (failure and failure.interrupted):
                self._record(feature, key, command, failure, step, wrote if clean else ())
            if failure is not None:
                return failure
            self.passed.add(key)
        return None

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

    def _record(
        self,
        feature: str,
        key: str,
        command: Command,
        failure: Failure | None,
        step: Step,
        wrote: Collection[str],
    ) -> None:
        by = command_key(command)
        known = self._wrote.setdefault(by, set())
        new = sorted(set(wrote).difference(known))
        known.update(new)
        self.context.record(
            events.checked,
            "" if feature == BASE else feature,
            key=key,
            command=command.line,
            passed=failure is None,
            ending=step.ending if failure is None or not step.passed else failure.what,
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


def check_key(tree: str, command: Command, *, clean: bool = False) -> str:
    """The key of a check's result: its tree and its command."""
    words = json.dumps([tree, command.argv, command.line, *(["clean"] if clean else [])])
    return hashlib.sha256(words.encode()).hexdigest()[:20]
