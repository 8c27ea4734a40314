"""A project from its journal: to steer a run and show its status when the list has faults."""

from __future__ import annotations

import json
import os
from contextlib import suppress

from ..dag.resolver import DAGResolver
from ..git import opening
from ..git.refs import HEADS, SEEN
from ..journal.history import folded
from ..journal.journal import Journal
from ..model.errors import UserError
from ..model.feature import ClaudeOptions, Config, Feature, Project
from ..model.mask import Mask
from ..model.patterns import pattern
from ..model.state import FeatureState, Run, RunState
from ..process.spawner import Spawner, run_sync
from . import feature_list
from .list_path import list_path
from .open import OpenProject, owner_of

_REPO_PATH = pattern(r'"repo_path"\s*:\s*("(?:[^"\\]|\\.)*")')


def recorded(config_path: str, mask: Mask) -> OpenProject | None:
    """The project from the journal; ``None`` without a repository or a run.

    It has the features of the journal; of the list's settings, it has only those of Claude.
    """
    return run_sync(_recorded(config_path, mask))


async def _recorded(config_path: str, mask: Mask) -> OpenProject | None:
    path = ""
    with suppress(UserError, OSError):
        path = os.path.abspath(list_path(config_path))
    try:
        repository = await opening.open_repository(Spawner(), _repository_of(path), os.environ)
    except (UserError, OSError):
        return None
    where = repository.repository
    state_folder = os.path.join(where.common_dir, "rorchestrator")
    journal = Journal(state_folder, mask)
    state = folded(state_folder, os.environ)
    run = state.run
    if run is None:
        return None
    refs = await repository.refs(*SEEN)
    read_only = repository.read_only()
    known = _features_of(state, run, path, where.top)
    folder, prefix = _layout(known, where.top)
    features = _with_dependencies(known, run)
    project = Project(
        os.path.basename(where.top), where.top, base_branch=run.base_branch, branch_prefix=prefix
    )
    claude = ClaudeOptions()
    with suppress(UserError):
        claude = feature_list.claude_of(path)
    mask.learn(claude.env)
    list_file = path or os.path.join(where.top, run.owner)
    return OpenProject(
        config=Config(list_file, where.top, project, features, claude),
        git=read_only,
        worktrees_folder=folder,
        journal=journal,
        dag=DAGResolver(features),
        base_commit=refs.get(HEADS + run.base_branch, run.base_commit),
        refs=refs,
        mask=mask,
    )


def _repository_of(path: str) -> str:
    """The folder to search the repository from: the list's repo_path, else its workspace."""
    if not path:
        return os.curdir
    folder = os.path.dirname(path)
    workspace = os.path.dirname(folder) if os.path.basename(folder) == "config" else folder
    with suppress(OSError, ValueError, UserError):
        # By regex, because the JSON may have faults.
        for said in _REPO_PATH.findall(feature_list.read(path))[:1]:
            workspace = os.path.join(workspace, os.path.expanduser(json.loads(said)))
    while not os.path.isdir(workspace):
        workspace = os.path.dirname(workspace)
    return workspace


def _features_of(state: RunState, run: Run, path: str, top: str) -> list[FeatureState]:
    """The recorded features of a list, those of the last run first."""
    owner = owner_of(path, top) if path else run.owner
    of_run = run.features if run.owner in ("", owner) else ()
    others = [id for id, known in state.features.items() if known.owner in ("", owner)]
    return [state.feature(id) for id in dict.fromkeys((*of_run, *others))]


def _with_dependencies(known: list[FeatureState], run: Run) -> tuple[Feature, ...]:
    """Features with the dependencies that the last run recorded, as far as they are known."""
    ids = {each.id for each in known}
    recorded = run.provenance.depends_on
    return tuple(
        Feature(
            each.id,
            each.name or each.id,
            depends_on=tuple(d for d in recorded.get(each.id, ()) if d in ids),
        )
        for each in known
    )


def _layout(known: list[FeatureState], top: str) -> tuple[str, str]:
    """The folder of worktrees and the prefix of branches, from recorded features."""
    folder, prefix = os.path.join(os.path.dirname(top), "worktrees"), Project("", "").branch_prefix
    for each in known:
        if each.worktree:
            folder = os.path.dirname(each.worktree)
        if each.branch.endswith(each.id):
            prefix = each.branch[: -len(each.id)]
    return folder, prefix
