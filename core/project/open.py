"""`OpenProject`: opens and checks a feature list, its repository and its state folder."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..dag.resolver import DAGResolver
from ..git import opening
from ..git.door import Git
from ..git.paths import is_in
from ..git.refs import HEADS, SEEN, branch_name
from ..journal.history import folded
from ..journal.journal import Journal
from ..model.feature import Config, Invocation
from ..model.frozen import dataclass, field, replace
from ..model.list_commands import config_commands
from ..model.mask import Mask
from ..model.state import RunState
from ..process.spawner import Spawner, run_sync
from . import base_branch as bases
from . import feature_list
from .list_path import list_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..journal.lock import RunLock
    from ..worktree.manager import WorktreeManager
    from .consent import Consents


@dataclass(frozen=True)
class OpenProject:
    """A feature list with its repository. Opening it changes nothing."""

    config: Config
    git: Git
    worktrees_folder: str
    """The folder with the worktrees of the features."""
    journal: Journal
    dag: DAGResolver
    base_commit: str
    refs: Mapping[str, str]
    """Commits of all branches and of RoRchestrator's refs, by full name."""
    mask: Mask
    """Of the secrets in the environment and in ``claude.env``."""
    base_option: str = ""
    """The value of ``--base``."""
    managers: dict[Git, WorktreeManager] = field(default_factory=dict)
    """The managers of the worktrees, by their git; made when needed."""
    locks: list[RunLock] = field(default_factory=list)
    consented: list[Consents] = field(default_factory=list)

    @property
    def worktrees(self) -> WorktreeManager:
        """The manager of the worktrees; a plan of features that never ran needs none."""
        known = self.managers.get(self.git)
        if known is None:
            from ..worktree.manager import WorktreeManager

            settings = self.config.project
            known = self.managers[self.git] = WorktreeManager(
                *(self.git, self.worktrees_folder, settings.branch_prefix, settings.commit_subject)
            )
        return known

    @property
    def lock(self) -> RunLock:
        """The lock of the repository; a plan needs none."""
        if not self.locks:
            from ..journal.lock import RunLock

            self.locks.append(RunLock(self.journal.folder))
        return self.locks[0]

    @property
    def consents(self) -> Consents:
        """The user's consents in this repository; who only looks needs none."""
        if not self.consented:
            from .consent import Consents

            common = self.git.repository.common_dir
            self.consented.append(Consents(common, os.environ))
        return self.consented[0]

    def writable(self) -> OpenProject:
        """The same project with a git that may change it and run the user's programs."""
        return self.using(self.git.writable())

    def using(self, git: Git) -> OpenProject:
        """The same project, and the same kind of manager of the worktrees, with another git."""
        if self.git in self.managers:
            self.managers.setdefault(git, self.managers[self.git].using(git))
        return replace(self, git=git)

    @property
    def owner(self) -> str:
        """The name of the list in the journal."""
        return owner_of(self.config.path, self.git.repository.top)

    def whole_state(self) -> RunState:
        """The state of all lists of the repository, from the journal and its checkpoint."""
        return folded(self.journal.folder, os.environ)

    def state(self) -> RunState:
        """The state of this list's features, from the journal."""
        return self.seen(self.whole_state())

    def seen(self, state: RunState) -> RunState:
        """A state without the features of other lists."""
        return state.of(self.owners(state))

    def owners(self, state: RunState) -> set[str]:
        """Recorded owners that mean this list: its name, none, and names it was moved from."""
        ids: dict[str, set[str]] = {}
        for id, known in state.features.items():
            ids.setdefault(known.owner, set()).add(id)
        others = [o for o in ids.keys() - {"", self.owner} if self.dag.features.keys() & ids[o]]
        there = _list_folders(self, state) if others else []
        moved = {o for o in others if not any(_is_file(folder, o) for folder in there)}
        return {"", self.owner, *moved}

    def tip(self, id: str) -> str:
        """The tip of the feature's branch; empty if it does not exist."""
        return self.refs.get(HEADS + self.config.branch_of(id), "")


def owner_of(path: str, top: str) -> str:
    """The name of a list in the journal: relative to the repository, absolute outside of it."""
    path = os.path.realpath(path)
    return os.path.relpath(path, top) if is_in(path, top) else path


def _list_folders(project: OpenProject, state: RunState) -> list[str]:
    """The checkouts of the repository that may contain lists: all but features' worktrees."""
    from ..git import checkouts

    made = {os.path.realpath(known.worktree) for known in state.features.values()}
    made.add(os.path.realpath(project.worktrees_folder))
    listed = [os.path.realpath(entry.path) for entry in run_sync(checkouts.worktrees(project.git))]
    ours = (path for path in listed if made.isdisjoint((path, os.path.dirname(path))))
    return [project.git.repository.top, *ours]


def _is_file(folder: str, name: str) -> bool:
    return os.path.isfile(os.path.join(folder, name))


def open_project(config_path: str, base: str, mask: Mask) -> OpenProject:
    """Open and check everything that ``run`` needs; changes nothing.

    An empty ``config_path`` means that the list is searched; ``base`` replaces the list's base
    branch. The project's git only looks: :meth:`OpenProject.writable` lets it act. Raises
    :class:`UserError` if something is missing or in the way.
    """
    return open_config(feature_list.load(list_path(config_path)), base, mask)


def open_config(config: Config, base: str, mask: Mask) -> OpenProject:
    """The same for a list that was read, or that is not written yet."""
    mask.learn(config.claude.env)
    named = {name: os.environ.get(name, "") for name in config.notify_variables}
    mask.learn(named, all_secret=True)
    for command in commands(config):
        mask.learn_named(" ".join(command.brief))
    return run_sync(_open(config, mask, base))


async def _open(config: Config, mask: Mask, option: str) -> OpenProject:
    project = config.project
    repository = await opening.open_repository(Spawner(), project.repo_path, os.environ)
    where = repository.repository
    folder = os.path.normpath(os.path.join(where.top, os.path.expanduser(project.worktrees_path)))
    refs = await repository.refs(*SEEN)
    state_folder = os.path.join(where.common_dir, "rorchestrator")
    journal = Journal(state_folder, mask)

    def is_ours(branch: str) -> bool:
        made = {known.branch for known in folded(journal.folder, os.environ).features.values()}
        return branch in made or branch in {project.branch_prefix + f.id for f in config.features}

    base = await bases.find(
        repository, branch_name(option or project.base_branch, refs), refs, is_ours
    )
    read_only = repository.read_only()
    return OpenProject(
        config=replace(config, project=replace(project, base_branch=base.name)),
        git=read_only,
        worktrees_folder=folder,
        journal=journal,
        dag=DAGResolver(config.features),
        base_commit=base.commit,
        refs=refs,
        mask=mask,
        base_option=option,
    )


def commands(config: Config) -> tuple[Invocation, ...]:
    """All commands that the list can run."""
    from ..claude import command_line

    of_claude = command_line.commands(config.claude, config.features, config.project.verify)
    return (*of_claude, *config_commands(config))
