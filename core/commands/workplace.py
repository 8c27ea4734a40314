"""What every command opens first: feature list, repository, state folder."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping

from .. import config as feature_list
from .. import git, incremental, schedule
from ..dag import DAGResolver
from ..errors import UserError
from ..frozen import dataclass
from ..git import Git
from ..journal import Journal, RunLock
from ..model import Config, Decision
from ..process.spawner import Spawner, drive
from ..state import FeatureState, RunState, fold
from ..worktree import RESULTS, WorktreeManager

HEADS = "refs/heads/"


@dataclass(frozen=True)
class Workplace:
    """A feature list with its repository; nothing in it was changed by opening it."""

    config: Config
    git: Git
    worktrees: WorktreeManager
    journal: Journal
    lock: RunLock
    dag: DAGResolver
    base_commit: str
    refs: Mapping[str, str]
    """Commit by full name of all branches and of all that is ours."""

    @property
    def branches(self) -> dict[str, str]:
        """The branch of each feature of the list."""
        return {f.id: self.worktrees.branch(f.id) for f in self.config.features}

    def state(self) -> RunState:
        """What the journal tells."""
        return fold(self.journal.read())

    def tip(self, id: str) -> str:
        """Where the feature's branch is; empty where it does not exist."""
        return self.refs.get(HEADS + self.worktrees.branch(id), "")


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command."""
    group = parser.add_argument_group("everywhere")
    group.add_argument(
        "--config", metavar="PATH", help="the feature list (else it is searched for)"
    )
    group.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours and bold"
    )
    volume = group.add_mutually_exclusive_group()
    volume.add_argument("-v", "--verbose", action="store_true", help="tell more")
    volume.add_argument("-q", "--quiet", action="store_true", help="tell only what matters")


def ids(text: str) -> list[str]:
    """``ID[,ID…]`` of an option."""
    found = [id.strip() for id in text.split(",") if id.strip()]
    if not found:
        # An empty variable of a script must not mean every feature.
        raise argparse.ArgumentTypeError("it names no feature")
    return found


def open_workplace(arguments: argparse.Namespace) -> Workplace:
    """Open and check everything that ``run`` needs, reading only.

    Raises :class:`UserError` for what is missing or in the way.
    """
    path = arguments.config or feature_list.find(os.getcwd())
    config = feature_list.load(path)
    return drive(_open(config))


async def _open(config: Config) -> Workplace:
    project = config.project
    repository = await git.open_repository(Spawner(), project.repo_path, os.environ)
    where = repository.repository
    folder = os.path.normpath(os.path.join(where.top, os.path.expanduser(project.worktrees_path)))
    refs = await repository.refs(HEADS, "refs/rorchestrator/")
    base = refs.get(HEADS + project.base_branch) or await repository.commit_of(project.base_branch)
    if not base:
        raise _no_base(project.base_branch, refs)
    state_folder = os.path.join(where.common_dir, "rorchestrator")
    return Workplace(
        config=config,
        git=repository,
        worktrees=WorktreeManager(repository, folder, project.branch_prefix),
        journal=Journal(state_folder),
        lock=RunLock(state_folder),
        dag=DAGResolver(config.features),
        base_commit=base,
        refs=refs,
    )


def _no_base(name: str, refs: Mapping[str, str]) -> UserError:
    branches = [ref[len(HEADS) :] for ref in refs if ref.startswith(HEADS)]
    if not branches:
        return UserError(
            "the repository has no commit yet, so there is nothing to start from",
            hint="git add . && git commit -m 'Initial commit'",
        )
    near = feature_list.did_you_mean(name, branches)
    return UserError(
        f"the base branch {name!r} does not exist{near}", hint="mend project.base_branch"
    )


def check_names(place: Workplace, state: RunState) -> None:
    """Raise :class:`UserError` for every branch or folder that is not ours and in the way."""
    faults = [*_branch_faults(place, state), *_folder_faults(place, state)]
    if faults:
        raise UserError(
            "something that RoRchestrator did not make is in the way",
            details=tuple(faults),
            hint="rename or remove it, or change project.branch_prefix or project.worktrees_path",
        )


def _branch_faults(place: Workplace, state: RunState) -> Iterable[str]:
    heads = {ref[len(HEADS) :] for ref in place.refs if ref.startswith(HEADS)}
    folders = {head[:at] for head in heads for at, c in enumerate(head) if c == "/"}
    prefix = place.config.project.branch_prefix
    parents = {prefix[:at] for at, c in enumerate(prefix) if c == "/"}
    for parent in sorted(parents & heads):
        yield f"the branch {parent!r} leaves no room for {prefix}<id>"
    for id, branch in place.branches.items():
        if branch in heads and not made_by_us(state.feature(id), branch):
            yield f"features {id}: the branch {branch!r} exists already"
        elif branch in folders:
            yield f"features {id}: branches below {branch!r} leave no room for it"


def made_by_us(known: FeatureState, branch: str) -> bool:
    """Whether a run made the branch, and nobody cleaned it up since."""
    return known.branch == branch and bool(known.start_commit)


def _folder_faults(place: Workplace, state: RunState) -> Iterable[str]:
    try:
        present = set(os.listdir(place.worktrees.folder))
    except FileNotFoundError:
        return
    except OSError as error:
        yield f"{place.worktrees.folder}: {error.strerror}"
        return
    for id, branch in place.branches.items():
        if id in present and not made_by_us(state.feature(id), branch):
            yield f"features {id}: {place.worktrees.path(id)} exists already"


def decide(place: Workplace, state: RunState, *, fresh: bool, hashed: bool) -> dict[str, Decision]:
    """What to do with each feature of the list, and why."""
    facts = incremental.Facts(
        reachable=_reachable(place, state), merged=drive(_merged(place, state)), fresh=fresh
    )
    return incremental.decide(place.config, place.dag, state, place.branches, facts, hashed=hashed)


def _reachable(place: Workplace, state: RunState) -> set[str]:
    results = {
        (ref[len(RESULTS) :].split("/", 1)[0], commit)
        for ref, commit in place.refs.items()
        if ref.startswith(RESULTS)
    }
    return {id for id, f in state.features.items() if f.work and (id, f.work.commit) in results}


async def _merged(place: Workplace, state: RunState) -> dict[str, str]:
    """How the base holds the work of each feature that it holds."""
    merged: dict[str, str] = {}
    for feature in place.config.features:
        known = state.feature(feature.id)
        if known.work is None:
            continue
        how = await merged_how(place, known, place.base_commit, place.config.project.base_branch)
        if how:
            merged[feature.id] = how
    return merged


async def merged_how(place: Workplace, known: FeatureState, target: str, name: str) -> str:
    """How the branch ``name``, at ``target``, holds a feature's work; empty where it does not."""
    if known.merged_into == name:
        return "cleaned up"
    assert known.work is not None
    if target == known.base_commit or not known.work.files_changed:
        return ""  # The target did not move since the feature started from it.
    return await place.worktrees.merged(await newest(place, known, known.work.commit), target)


async def newest(place: Workplace, known: FeatureState, result: str) -> str:
    """A feature's result, or what was committed by hand on top of it."""
    tip = place.tip(known.id)
    if tip and tip != result and await place.git.is_ancestor(result, tip):
        return tip
    return result


def check_known(where: str, names: Iterable[str], known: Mapping[str, object]) -> None:
    """Raise :class:`UserError` for each of ``names`` that is no feature."""
    unknown = [
        f"unknown feature {name!r}{feature_list.did_you_mean(name, known)}"
        for name in names
        if name not in known
    ]
    if unknown:
        raise UserError(where + ", ".join(unknown), hint="rorchestrator status lists them all")


def select(
    arguments: argparse.Namespace, dag: DAGResolver, decisions: Mapping[str, Decision]
) -> list[str]:
    """The features that ``--only``, ``--tag`` and ``--no-deps`` leave to run."""
    wanted = set(dag.features)
    if arguments.only:
        check_known("--only: ", arguments.only, dag.features)
        wanted &= set(arguments.only)
    if arguments.tag is not None:
        tags = {tag for feature in dag.features.values() for tag in feature.tags}
        if arguments.tag not in tags:
            near = feature_list.did_you_mean(arguments.tag, tuple(tags))
            raise UserError(
                f"--tag: no feature has the tag {arguments.tag!r}{near}",
                hint="rorchestrator plan --verbose shows the tags",
            )
        wanted &= {id for id, feature in dag.features.items() if arguments.tag in feature.tags}
        if not wanted:
            raise UserError(
                f"none of --only has the tag {arguments.tag!r}",
                hint="rorchestrator plan --verbose shows the tags",
            )
    return incremental.selection(dag, decisions, wanted, deps=not arguments.no_deps)


def add_selection_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which features are meant, and on how many slots."""
    group = parser.add_argument_group("which features")
    group.add_argument("--only", type=ids, metavar="ID[,ID...]", help="these, and what they need")
    group.add_argument("--tag", metavar="T", help="those with this tag, and what they need")
    group.add_argument("--no-deps", action="store_true", help="without what they need")
    group.add_argument("--fresh", action="store_true", help="all anew, also what is up to date")
    group.add_argument("--max-parallel", type=_slots, metavar="N", help="how many at once")


def _slots(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of slots (1, 2, ...)")
    return number


def make_plan(
    place: Workplace,
    decisions: Mapping[str, Decision],
    slots: int,
    selected: Iterable[str],
) -> schedule.Plan:
    """The plan of the whole list, in which ``selected`` would run."""
    dag = place.dag
    work = schedule.estimator(dag.features)
    chosen = frozenset(selected)
    project = place.config.project
    return schedule.Plan(
        project=project.name,
        description=project.description,
        features=dag.features,
        waves=tuple(map(tuple, dag.waves())),
        branches=place.branches,
        decisions=decisions,
        selected=chosen,
        critical_path=tuple(dag.critical_path(work)),
        max_parallel=slots,
        timeline=schedule.predict(_part(dag, chosen), slots),
        usd_per_million_tokens=project.usd_per_million_tokens,
    )


def _part(dag: DAGResolver, ids: frozenset[str]) -> DAGResolver:
    """The graph of some of its features; of all where there are none."""
    if not ids or len(ids) == len(dag.features):
        return dag
    return DAGResolver(feature for id, feature in dag.features.items() if id in ids)
