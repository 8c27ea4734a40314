"""Collects a project's status: what its journal and git know of each feature."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from itertools import islice

from ..git.door import Unknown
from ..git.refs import HEADS
from ..model.errors import UserError
from ..model.excerpt import listed, some
from ..model.feature import Feature
from ..model.frozen import replace
from ..model.outcome import Status
from ..model.state import PREDICTED_CONFLICTS, FeatureState, RunState
from ..model.translate import N_
from ..process.spawner import end_started, run_sync
from ..reporter.project_status import Checkout, FeatureStatus, PredictedConflict, ProjectStatus
from ..worktree.setup_entries import entries_in, store_folder
from .claude_program import claude_version
from .open import OpenProject
from .strays import strays_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..git.answer_cache import AnswerFile
    from ..git.output import WorktreeStatus
    from ..model.window import Window
    from ..worktree.manager import WorktreeManager


def project_status(
    project: OpenProject, list_fault: str = "", *, all_lists: bool = False
) -> ProjectStatus:
    """The status of a project and its features; ``all_lists`` adds those of its other lists."""
    whole = project.whole_state()
    owners = project.owners(whole)
    state, others = whole.of(owners), _of_other_lists(whole, owners)
    answers = _answers(project, whole)
    holder = project.lock.holder()
    shown = others if all_lists else RunState()
    features = run_sync(_features(project, state, shown, is_locked=holder is not None))
    if answers is not None:
        answers.write(project.git.answers)
    settings = project.config.project
    return ProjectStatus(
        project_name=settings.name,
        repository=project.git.repository.top,
        git_folder=project.git.repository.common_dir,
        base_branch=settings.base_branch,
        base_commit=project.base_commit,
        config=project.config.path,
        owner=project.owner,
        other_lists=tuple(sorted({known.owner for known in others.features.values()})),
        claude=claude_version(project.config.claude) or "",
        holder=holder,
        run=state.run,
        features=tuple(features),
        strays=tuple(strays_of(project, whole)),
        windows=_windows(whole),
        list_fault=list_fault,
        setups=tuple(entries_in(store_folder(project.git.repository.common_dir))),
        at=time.time(),
    )


def _windows(state: RunState) -> tuple[Window, ...]:
    """How full the windows of usage limits are; none before the first run."""
    if not state.windows:
        return ()
    from ..model.window import current

    return tuple(current(state.windows, time.time()))


def _answers(project: OpenProject, state: RunState) -> AnswerFile | None:
    """git's cached answers; ``None`` before the first run, which has nothing to ask about."""
    if not state.features:
        return None
    from .decisions import answer_file

    return answer_file(project, state)


def _of_other_lists(whole: RunState, owners: Collection[str]) -> RunState:
    """The features of the repository's other lists that have a branch or a worktree."""
    features = {
        id: known
        for id, known in whole.features.items()
        if (known.worktree or known.branch) and known.owner not in owners
    }
    return RunState(features)


async def _features(
    project: OpenProject, state: RunState, others: RunState, *, is_locked: bool
) -> list[FeatureStatus]:
    in_list, now = project.dag.features, time.time()
    gone = [id for id, known in state.features.items() if id not in in_list and known.worktree]
    own = [state.feature(id) for id in [*in_list, *gone]]
    ahead = StatusesAhead(project, [*own, *others.features.values()])

    async def status_of(
        state: RunState, known: FeatureState, entry: Feature | None = None
    ) -> FeatureStatus:
        found = await _checkout(project, state, known)
        if found.worktree:
            await ahead.begin(1)
        return FeatureStatus(
            known,
            entry.name if entry else known.name,
            entry is not None,
            now,
            known.status.active and is_locked,
            found,
            _out_of_date(state, known),
        )

    try:
        await ahead.begin(os.cpu_count() or 1)
        return [
            *[await status_of(state, known, in_list.get(known.id)) for known in own],
            *[await status_of(others, known) for known in others.features.values()],
        ]
    finally:
        end_started()  # that of a worktree with a fault


async def _begin_status(project: OpenProject, path: str) -> None:
    from ..git import worktree_status
    from ..worktree import admin_files

    admin_files.check_linked(project.worktrees, path)
    await worktree_status.begin(project.git, path)


class StatusesAhead:
    """The statuses of worktrees that git works on before they are asked for, in their order."""

    def __init__(self, project: OpenProject, features: Iterable[FeatureState]) -> None:
        self._project = project
        self._left = iter(features)

    async def begin(self, count: int) -> None:
        """Start the next ones."""
        begun = 0
        for known in self._left:
            with suppress(UserError):  # It is told when the feature's turn comes.
                path = await _worktree(self._project, known)
                if path:
                    await _begin_status(self._project, path)
                    begun += 1
            if begun == count:
                return


def _out_of_date(state: RunState, known: FeatureState) -> str:
    """What changed in the list since a feature began that still runs."""
    run = state.run
    if run is None or known.run != run.id or not known.status.active:
        return ""
    return run.out_of_date.get(known.id, "")


async def _checkout(project: OpenProject, state: RunState, known: FeatureState) -> Checkout:
    """What git knows of a feature; a fault in it does not affect other features."""
    # The list may name another prefix and another folder by now; the journal knows the real ones.
    branch = known.branch or project.config.branch_of(known.id)
    tip = project.refs.get(HEADS + branch, "")
    found = Checkout(branch if tip else "", tip)
    try:
        if tip:
            from ..git import history

            ahead = await history.count_commits(project.git, tip, project.base_commit)
            found = replace(found, ahead=ahead)
        found = replace(found, worktree=await _worktree(project, known))
        if found.worktree:
            status = await _worktree_status(project, known, found.worktree)
            uncommitted, uncertain = status.uncommitted, status.uncertain
            found = replace(found, uncommitted=uncommitted, maybe_changed=uncertain)
        found = replace(found, merged=await _merged(project, known))
        if not found.merged:
            said = await _by_hand(project, known), await _older(project, state, known)
            found = replace(found, by_hand="; ".join(filter(None, said)))
            found = replace(found, conflicts=await _conflicts(project, state, known, tip))
    except Unknown as error:
        return replace(found, unknown=error.message)
    except UserError as error:
        return replace(found, problem=error.message)
    return found


async def _worktree(project: OpenProject, known: FeatureState) -> str:
    """Where a feature's worktree is; empty if git knows none."""
    if not known.worktree:
        return ""
    entry = await _made(project, known).entry(known.id)
    if entry is None:
        return ""
    if not os.path.isdir(entry.path):
        raise UserError(
            N_("the worktree {path} is gone: moved or deleted by hand").format(path=entry.path)
        )
    return entry.path


async def _worktree_status(project: OpenProject, known: FeatureState, path: str) -> WorktreeStatus:
    from ..git import worktree_status
    from ..worktree import admin_files, keeping

    worktrees = _made(project, known)
    admin_files.check_linked(worktrees, path)
    keeping.check_pipes(worktrees, path)
    found = await worktree_status.status_of(project.git, path)
    return await keeping.only_work(worktrees, path, found, known.start_commit, known.left)


def _made(project: OpenProject, known: FeatureState) -> WorktreeManager:
    return project.worktrees.with_recorded_names(known.id, known.worktree, known.branch)


async def _merged(project: OpenProject, known: FeatureState) -> str:
    """How the base branch holds a completed feature's work; empty if it does not."""
    if known.status is not Status.COMPLETED or known.work is None:
        return ""
    from .landed import how_merged_into

    return await how_merged_into(
        project, known, project.base_commit, project.config.project.base_branch
    )


async def _by_hand(project: OpenProject, known: FeatureState) -> str:
    """How the user changed a completed feature's branch after its run; empty if not at all."""
    if known.status is not Status.COMPLETED or known.work is None:
        return ""
    from .landed import content_now

    held = await content_now(project, known, project.base_commit)
    return "; ".join(filter(None, (held.words, held.hint)))


async def _older(project: OpenProject, state: RunState, known: FeatureState) -> str:
    """Of which dependencies there is a newer result than the one it is built on; or ""."""
    if known.work is None:
        return ""
    from .built_on import older_below

    found = await older_below(project, state, known.id)
    older = [id for id in found if not await _merged(project, state.feature(id))]
    return N_("built on an older {ids}").format(ids=some(older)) if older else ""


async def _conflicts(
    project: OpenProject, state: RunState, known: FeatureState, tip: str
) -> tuple[PredictedConflict, ...]:
    """Those of a feature's predicted conflicts that still exist."""
    found = []
    for other, files in islice(known.clashes.items(), PREDICTED_CONFLICTS):
        try:
            now = await _conflicting_files(project, state.feature(other), tip, files)
        except Unknown as error:
            found.append(PredictedConflict(other, tuple(listed(files)), error.message))
        else:
            found += [PredictedConflict(other, tuple(listed(now)))] if now else []
    return tuple(found)


async def _conflicting_files(
    project: OpenProject, other: FeatureState, tip: str, files: Sequence[str]
) -> Sequence[str]:
    """The files in which ``tip`` conflicts with another feature; empty if they merge."""
    landed = await _merged(project, other)
    theirs = project.base_commit if landed else project.refs.get(HEADS + other.branch, "")
    if not (tip and theirs):
        return ()
    from ..git import merging

    tree, now = await merging.merged_tree(project.git, theirs, tip)
    return () if tree else now or files
