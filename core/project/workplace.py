"""What every command opens first: feature list, repository, state folder."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping

from ..claude import command_line
from ..claude.permission_bypass import bypasses
from ..dag import incremental, schedule
from ..dag.resolver import DAGResolver
from ..git import checkouts, merged, opening
from ..git.answer_cache import AnswerFile
from ..git.door import Git, Repository, Unknown
from ..git.refs import KEPT, RESULTS
from ..journal.journal import Journal
from ..journal.lock import RunLock
from ..model.decision import Action, Decision
from ..model.errors import UserError
from ..model.feature import Config, Invocation
from ..model.fold import fold
from ..model.frozen import dataclass, replace
from ..model.list_commands import config_commands
from ..model.mask import Mask
from ..model.outcome import Stray
from ..model.state import FORCED, Attempt, FeatureState, RunState
from ..model.terminal_text import one_line
from ..process.spawner import Spawner, drive, which
from ..worktree import admin_files
from ..worktree.branch_content import Holding, Origin, holding
from ..worktree.manager import OWN_FOLDER, WorktreeManager
from ..worktree.names import AGENTS_FOLDER, BY_A_SUBAGENT
from . import base_branch as bases
from . import feature_list
from .consent import Consents
from .list_path import list_path
from .warnings import caught, cautions

HEADS = bases.HEADS
STASH = "refs/stash"
SEEN = (HEADS, "refs/rorchestrator/", STASH)
"""The refs that a run looks at."""

SHOWN_STRAYS = 10

WORKTREES = "RORCHESTRATOR_WORKTREES"
"""The variable that names a folder where lists may put worktrees, wherever the repository is."""

REPORTS = "reports"
"""The folder of the reports, in the workspace."""

LANDED = {"squash": "squashed", "rebase": "rebased"}
"""What is said of a feature that landed without its own commits, by the strategy."""


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
    mask: Mask
    """Of the secrets in the environment and in ``claude.env``."""
    consents: Consents
    """What the user said yes to in this repository."""
    base_option: str = ""
    """What ``--base`` named, which no configured branch is."""

    def acting(self) -> Workplace:
        """The same, where git may do as the user's settings say: no longer only looked at."""
        git = self.git.acting()
        return replace(self, git=git, worktrees=self.worktrees.using(git))

    @property
    def owner(self) -> str:
        """The list as the journal names it: relative to the repository, absolute outside of it."""
        path, top = os.path.realpath(self.config.path), self.git.repository.top
        return os.path.relpath(path, top) if _is_in(path, top) else path

    def whole_state(self) -> RunState:
        """What the journal tells, of every list of the repository."""
        return fold(self.journal.read())

    def state(self) -> RunState:
        """What the journal tells of this list's features."""
        return self.seen(self.whole_state())

    def seen(self, state: RunState) -> RunState:
        """A state without the features of other lists."""
        return state.of(self.owners(state))

    def owners(self, state: RunState) -> set[str]:
        """The records that stand for this list: its own, none, and what it was called before."""
        ids: dict[str, set[str]] = {}
        for id, known in state.features.items():
            ids.setdefault(known.owner, set()).add(id)
        others = [o for o in ids.keys() - {"", self.owner} if self.dag.features.keys() & ids[o]]
        there = _list_folders(self, state) if others else []
        moved = {o for o in others if not any(_is_file(folder, o) for folder in there)}
        return {"", self.owner, *moved}

    def tip(self, id: str) -> str:
        """Where the feature's branch is; empty where it does not exist."""
        return self.refs.get(HEADS + self.worktrees.branch(id), "")


def _list_folders(place: Workplace, state: RunState) -> list[str]:
    """Where a list of the repository may be: its checkouts, less the features' worktrees."""
    made = {os.path.realpath(known.worktree) for known in state.features.values()}
    made.add(os.path.realpath(place.worktrees.folder))
    listed = [os.path.realpath(entry.path) for entry in drive(checkouts.worktrees(place.git))]
    ours = (path for path in listed if made.isdisjoint((path, os.path.dirname(path))))
    return [place.git.repository.top, *ours]


def _is_file(folder: str, name: str) -> bool:
    return os.path.isfile(os.path.join(folder, name))


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command."""
    group = parser.add_argument_group("options of every command")
    group.add_argument(
        "--config",
        type=_path,
        metavar="PATH",
        help="the feature list, or its folder (default: searched for upwards)",
    )
    group.add_argument(
        "--base",
        type=_given,
        metavar="REF",
        help="start from this branch, tag or commit, instead of project.base_branch",
    )
    group.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="whether the output has colours (default: auto)",
    )
    volume = group.add_mutually_exclusive_group()
    volume.add_argument("-v", "--verbose", action="store_true", help="print more details")
    volume.add_argument("-q", "--quiet", action="store_true", help="print only results and errors")


def _path(text: str) -> str:
    if not text:
        # An empty variable of a script must not mean whatever list is found.
        raise argparse.ArgumentTypeError("it names no file")
    return text


def _given(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("it names no branch or commit")
    return text


def dollars(text: str) -> float:
    """``--max-cost USD``."""
    try:
        value = float(text.lstrip("$"))
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no amount above 0")
    return value


ALL = ["*"]
"""What ``--fresh`` without ids means: no feature is called so."""


def ids(text: str) -> list[str]:
    """``ID[,ID…]`` of an option."""
    found = [id.strip() for id in text.split(",") if id.strip()]
    if not found:
        # An empty variable of a script must not mean every feature.
        raise argparse.ArgumentTypeError("it names no feature")
    return found


def open_workplace(arguments: argparse.Namespace) -> Workplace:
    """Open and check everything that ``run`` needs, reading only.

    Its git looks, and starts nothing of the user's: :meth:`Workplace.acting` lets it.
    Raises :class:`UserError` for what is missing or in the way.
    """
    config = feature_list.load(list_path(arguments.config or ""))
    mask: Mask = arguments.mask
    mask.learn(config.claude.env)
    for command in commands(config):
        mask.learn_named(" ".join(command.brief))
    return drive(_open(config, mask, arguments.base or ""))


async def _open(config: Config, mask: Mask, option: str) -> Workplace:
    project = config.project
    repository = await opening.open_repository(Spawner(), project.repo_path, os.environ)
    where = repository.repository
    folder = os.path.normpath(os.path.join(where.top, os.path.expanduser(project.worktrees_path)))
    refs = await repository.refs(*SEEN)
    state_folder = os.path.join(where.common_dir, "rorchestrator")
    journal = Journal(state_folder, mask)

    def is_ours(branch: str) -> bool:
        made = {known.branch for known in fold(journal.read()).features.values()}
        return branch in made or branch in {project.branch_prefix + f.id for f in config.features}

    base = await bases.find(
        repository, branch_name(option or project.base_branch, refs), refs, is_ours
    )
    looking = repository.looking()
    return Workplace(
        config=replace(config, project=replace(project, base_branch=base.name)),
        git=looking,
        worktrees=WorktreeManager(looking, folder, project.branch_prefix, project.commit_subject),
        journal=journal,
        lock=RunLock(state_folder),
        dag=DAGResolver(config.features),
        base_commit=base.commit,
        refs=refs,
        mask=mask,
        base_option=option,
        consents=Consents(where.common_dir, os.environ),
    )


def answer_file(place: Workplace, state: RunState) -> AnswerFile | None:
    """Have git's answers of earlier commands used in this one, which only looks; where they are.

    ``None`` where ids do not mean the same for ever.
    """
    settings = drive(place.git.circumstances())
    if not settings:
        return None
    file = AnswerFile(place.git.repository.common_dir, settings, os.environ)
    place.git.answers = file.read()
    results = {known.work.commit for known in state.features.values() if known.work}
    drive(merged.learn(place.git, results, place.base_commit))
    return file


def landing_fault(place: Workplace) -> str:
    """Why nothing lands on the base unless a branch is named; empty where it may."""
    base = place.config.project.base_branch
    if place.base_option:
        return f"features start from {base} (--base)"
    return "" if HEADS + base in place.refs else f"the base {base} is no local branch"


def as_steered(place: Workplace, state: RunState) -> Workplace:
    """The list as the user's skips leave it: who needs what was skipped for good, needs it not."""
    forced = {id for id, known in state.features.items() if known.skip == FORCED}
    if not forced.intersection(place.dag.features):
        return place
    features = tuple(incremental.without(place.config.features, forced))
    return replace(
        place, config=replace(place.config, features=features), dag=DAGResolver(features)
    )


def left_out(
    arguments: argparse.Namespace, dag: DAGResolver, decisions: Mapping[str, Decision]
) -> list[str]:
    """Of the features that were chosen, those that do not run because of a skip."""
    chosen = incremental.chosen(dag, wanted(arguments, dag), deps=not arguments.no_deps)
    return [id for id in chosen if decisions[id].action is Action.LEAVE]


def check_permissions(config: Config, command: str) -> None:
    """Raise :class:`UserError` where the list, and not who runs it, lets Claude do anything."""
    places = bypasses(config.claude)
    if places:
        raise UserError(
            "the list turns off Claude's permission checks, or replaces what they rest on",
            details=places,
            hint="take that out of the list, or agree to it: "
            f"rorchestrator {command} --allow-bypass",
        )


def agrees(question: str) -> bool:
    """Whether who sits at the terminal says yes."""
    print(f"{one_line(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    try:
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    except UnicodeDecodeError:
        return False


def with_program(config: Config) -> Config:
    """The list with Claude's program as a path, found once and before anything is started."""
    name, *rest = config.claude.command
    path = which(name, {**os.environ, **config.claude.env})
    if not path and os.path.isfile(name) and os.sep in name:
        import shlex

        raise UserError(f"{name} is not executable", hint=f"chmod +x {shlex.quote(name)}")
    if not path and os.sep in name:
        what = "is no program" if os.path.exists(name) else "does not exist"
        raise UserError(f"{name} {what}", hint="mend claude.command in the list")
    if not path:
        raise UserError(
            f"{name} was not found on PATH",
            hint="install Claude Code (https://claude.ai/code), or set claude.command in the list",
        )
    return replace(config, claude=replace(config.claude, command=(os.path.abspath(path), *rest)))


def killed_resolutions(state: RunState) -> list[tuple[str, Attempt]]:
    """The features at whose conflicts Claude was when a ``merge`` was killed."""
    met = ((id, known.resolutions[-1:]) for id, known in state.features.items())
    return [(id, attempt) for id, last in met for attempt in last if attempt.outcome is None]


def check_names(place: Workplace, state: RunState, decisions: Mapping[str, Decision]) -> None:
    """Raise :class:`UserError` for every branch or folder that is in the way.

    What would not run needs no room: a finished feature's branch may be the user's by now.
    """
    due = {
        id: place.config.branch_of(id)
        for id in place.dag.features
        if id in decisions and decisions[id].action in (Action.START, Action.RESUME)
    }
    if not due:
        return
    check_place(place.git.repository, place.worktrees.folder, os.environ.get(WORKTREES, ""))
    check_room(place.worktrees.folder)
    check_reports(place.config.workspace)
    _check_neighbours(place, due)
    foreign = [*_branch_faults(place, state, due)]
    earlier: dict[str, str] = {}
    for id, branch in due.items():
        known, path = state.feature(id), place.worktrees.path(id)
        if not os.path.lexists(path):
            continue
        is_ours = admin_files.is_ours(place.worktrees, path) or not admin_files.admin_folder(
            place.worktrees, path
        )
        made_there = is_ours and made_by_us(known, known.branch) and _same(known.worktree, path)
        if made_by_us(known, branch) and (made_there or admin_files.is_ours(place.worktrees, path)):
            continue
        if made_there:
            earlier[id] = (
                f"features {id}: {path} holds the worktree that an earlier run made for it "
                f"on the branch {known.branch!r}"
            )
        else:
            foreign.append(f"features {id}: {path} {_whose(path, place)}")
    if foreign:
        raise UserError(
            "something that RoRchestrator did not make is in the way",
            details=(*foreign, *earlier.values()),
            hint="rename or remove it, or change project.branch_prefix or project.worktrees_path",
        )
    if earlier:
        prefix = _prefix_of(state.feature(next(iter(earlier))))
        raise UserError(
            "project.branch_prefix was changed, and worktrees of the old one are in the way",
            details=tuple(earlier.values()),
            hint=f"rorchestrator cleanup {' '.join(earlier)}"
            f", or set project.branch_prefix back to {prefix!r}",
        )


def _check_neighbours(place: Workplace, due: Iterable[str]) -> None:
    """Raise :class:`UserError` where another repository has worktrees where ours would go."""
    paths = {id: place.worktrees.path(id) for id in due}
    moved = [path for path in paths.values() if admin_files.was_moved(place.worktrees, path)]
    if moved:
        import shlex

        raise UserError(
            "the repository was moved, and its worktrees lead to where it was",
            details=tuple(moved),
            hint=f"git -C {shlex.quote(place.git.repository.top)} worktree repair",
        )
    others = {id: admin_files.other_repository(place.worktrees, path) for id, path in paths.items()}
    taken = {id: other for id, other in others.items() if other}
    if taken:
        raise UserError(
            "another repository keeps its worktrees in the same folder, under the same names",
            details=tuple(
                f"features {id}: {paths[id]} is a worktree of the repository {other}"
                for id, other in taken.items()
            ),
            hint=OWN_FOLDER,
        )


def check_place(repository: Repository, folder: str, allowed: str = "") -> None:
    """Raise :class:`UserError` where a list, which may come with a clone, puts files elsewhere.

    Worktrees belong beside the repository or in a folder in it, or in the user's own folder
    ``allowed``; what is beside it and hidden (``~/.config``) is no place for them.
    """
    real, top = os.path.realpath(folder), os.path.realpath(repository.top)
    parent = os.path.dirname(top)
    if allowed and _is_in(real, os.path.realpath(os.path.expanduser(allowed))):
        return
    if _is_in(top, real):
        fault = "it holds the repository"
    elif _is_in(real, repository.common_dir):
        fault = "it is git's own folder"
    elif _is_in(os.path.normpath(folder), repository.top) and real != _unlinked(folder, repository):
        fault = f"a link in the repository leads it to {real}"
    elif not _is_in(real, parent):
        fault = f"it is not in {parent}"
    elif not _is_in(real, top) and f"{os.sep}." in os.sep + os.path.relpath(real, parent):
        fault = "it is a hidden folder outside the repository"
    else:
        return
    import shlex

    raise UserError(
        f"{folder} is no place for worktrees: {fault}",
        hint=f"mend project.worktrees_path, or allow it: export {WORKTREES}={shlex.quote(real)}",
    )


def _unlinked(folder: str, repository: Repository) -> str:
    """Where a folder of the repository is, if no link in there leads it elsewhere."""
    inner = os.path.relpath(folder, repository.top)
    return os.path.normpath(os.path.join(os.path.realpath(repository.top), inner))


def check_reports(workspace: str) -> None:
    """Raise :class:`UserError` where the reports of a run would be written through a link."""
    import shlex

    folder = os.path.join(workspace, REPORTS)
    if os.path.islink(folder):
        raise UserError(
            f"{folder} is a link, and reports are not written through one",
            hint=f"rm {shlex.quote(folder)}",
        )


def _is_in(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def check_room(folder: str, access: Callable[[str, int], bool] = os.access) -> None:
    """Raise :class:`UserError` where worktrees can't be made in ``folder``, or it made."""
    place = folder
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        fault = f"{place}: Not a directory"
    elif not access(place, os.W_OK | os.X_OK):
        fault = f"{place} can't be written to"
    else:
        return
    raise UserError(
        f"{folder} can't hold the worktrees", details=(fault,), hint="mend project.worktrees_path"
    )


def _branch_faults(place: Workplace, state: RunState, due: Mapping[str, str]) -> Iterable[str]:
    heads = {ref[len(HEADS) :] for ref in place.refs if ref.startswith(HEADS)}
    folders = {head[:at] for head in heads for at, c in enumerate(head) if c == "/"}
    prefix = place.config.project.branch_prefix
    parents = {prefix[:at] for at, c in enumerate(prefix) if c == "/"}
    for parent in sorted(parents & heads):
        yield f"the branch {parent!r} leaves no room for {prefix}<id>"
    for id, branch in due.items():
        if branch in heads and not made_by_us(state.feature(id), branch):
            if not brought_back(place, id):
                yield f"features {id}: the branch {branch!r} exists already{_holds(place, id)}"
        elif branch in folders:
            yield f"features {id}: branches below {branch!r} leave no room for it"


def made_by_us(known: FeatureState, branch: str) -> bool:
    """Whether a run made the branch, and nobody cleaned it up since."""
    return known.branch == branch and bool(known.start_commit)


def brought_back(place: Workplace, id: str) -> str:
    """The ref of ours at which the feature's branch stands exactly; empty where there is none."""
    tip, ours = place.tip(id), (f"{KEPT}{id}/", f"{RESULTS}{id}/")
    refs = (ref for ref, commit in place.refs.items() if commit == tip and ref.startswith(ours))
    return next(refs, "")


def _holds(place: Workplace, id: str) -> str:
    """What to say of a branch of the user's that goes on from work of ours."""
    tip, ours = place.tip(id), (f"{KEPT}{id}/", f"{RESULTS}{id}/")
    for ref, commit in place.refs.items():
        if ref.startswith(ours) and drive(place.git.is_ancestor(commit, tip)):
            return f"; it holds {ref}, and commits on top: merge or rename it"
    return ""


def adopted(place: Workplace, state: RunState) -> RunState:
    """The state in which a branch that was brought back, as cleanup tells how to, is ours again.

    A run that needs its name keeps it under a ref first, as any branch of ours.
    """
    features = dict(state.features)
    for id in place.dag.features:
        branch, known = place.config.branch_of(id), state.feature(id)
        if not made_by_us(known, branch) and place.tip(id) and brought_back(place, id):
            start = known.base_commit or place.base_commit
            features[id] = replace(known, branch=branch, start_commit=start)
    return replace(state, features=features)


def _same(path: str, other: str) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)


def _prefix_of(known: FeatureState) -> str:
    return known.branch[: len(known.branch) - len(known.id)]


def _whose(path: str, place: Workplace) -> str:
    """What a folder is that no run of ours made."""
    return (
        "is a worktree of yours"
        if admin_files.admin_folder(place.worktrees, path)
        else "exists already"
    )


def decide(
    place: Workplace,
    state: RunState,
    arguments: argparse.Namespace,
    *,
    hashed: bool = True,
    run: str = "next",
) -> dict[str, Decision]:
    """What to do with each feature of the list, and why."""
    unknown: dict[str, str] = {}
    facts = incremental.Facts(
        reachable=_reachable(place, state),
        merged=drive(_merged(place, state, unknown)),
        unknown=unknown,
        fresh=_fresh(arguments, place.dag),
        run=run,
    )
    return incremental.decide(place.config, place.dag, state, facts, hashed=hashed)


def _fresh(arguments: argparse.Namespace, dag: DAGResolver) -> set[str]:
    """The features that ``--fresh`` names; all that are selected where it names none."""
    if arguments.fresh is None:
        return set()
    named = wanted(arguments, dag)
    if arguments.fresh == ALL:
        return named
    check_known("--fresh: ", arguments.fresh, dag.features)
    others = set(arguments.fresh) - named
    if others:
        raise UserError(
            f"--fresh: {', '.join(sorted(others))} is not among the selected features",
            hint="name it in --only as well",
        )
    return set(arguments.fresh)


def _reachable(place: Workplace, state: RunState) -> set[str]:
    results = {
        (ref[len(RESULTS) :].split("/", 1)[0], commit)
        for ref, commit in place.refs.items()
        if ref.startswith(RESULTS)
    }
    return {id for id, f in state.features.items() if f.work and (id, f.work.commit) in results}


async def _merged(place: Workplace, state: RunState, unknown: dict[str, str]) -> dict[str, str]:
    """How the base holds the work of each feature that it holds; why that is ``unknown``."""
    merged: dict[str, str] = {}
    base = place.config.project.base_branch
    for feature in place.config.features:
        known = state.feature(feature.id)
        if known.work is None:
            continue
        try:
            how = await merged_how(place, known, place.base_commit, base)
        except Unknown as error:
            unknown[feature.id] = f"whether {base} holds it: {error.message}"
            continue
        if how:
            merged[feature.id] = how
    return merged


async def merged_how(place: Workplace, known: FeatureState, target: str, name: str) -> str:
    """How the branch ``name``, at ``target``, holds a feature's work; empty where it does not.

    Raises :class:`~core.git.Unknown` where only a program of the user's could tell.
    """
    if known.merged_into == name:
        return "cleaned up"
    assert known.work is not None
    if target == known.base_commit or not known.work.files_changed:
        return ""  # The target did not move since the feature started from it.
    # What the user took away is not there because what is left is: the result is looked for.
    tip = (await held_now(place, known, target)).tip or known.work.commit
    how = await landed(place.git, known, tip, target, name)
    return how or await place.worktrees.merged(tip, target)


async def landed(git: Git, known: FeatureState, commit: str, target: str, name: str) -> str:
    """How ``merge`` put a commit of a feature on the branch ``name``, at ``target``; else empty.

    The journal says where it is, git whether it is there. A real merge needs no such proof.
    """
    landing = known.landings.get(name)
    if landing is None or landing.strategy not in LANDED:
        return ""
    there = await git.is_ancestor(landing.commit, target)
    held = there and await git.is_ancestor(commit, landing.result)
    return LANDED[landing.strategy] if held else ""


async def held_now(place: Workplace, known: FeatureState, target: str) -> Holding:
    """What counts of a feature with a result, as its branch holds it now.

    Once it was cleaned up because it is on another branch, that is the result.
    """
    assert known.work is not None
    if known.is_replaced:
        return Holding(known.work.commit)
    # The branch as it was called then: the prefix may have changed since.
    branch = known.branch or place.worktrees.branch(known.id)
    tip, result = place.refs.get(HEADS + branch, ""), known.work.commit
    if not (tip or known.branch) and known.merged_into:
        return Holding(result)
    return await holding(place.git, Origin(branch, known.work_start), tip, result, target)


def strays_of(place: Workplace, state: RunState) -> list[tuple[str, Stray]]:
    """What runs saw come up beside their features and is still there, by feature.

    Of no feature are branches of subagents that no run saw: a killed one did not look.
    """
    told = [(id, stray) for id, known in state.features.items() for stray in known.strays]
    there = [(id, stray) for id, stray in told if _is_there(place, stray)]
    known = {stray.branch for _, stray in there}
    for ref, commit in place.refs.items():
        branch = ref[len(HEADS) :] if ref.startswith(HEADS) else ""
        if BY_A_SUBAGENT.fullmatch(branch) and branch not in known:
            folder = AGENTS_FOLDER + branch[len("worktree-") :]
            path = os.path.join(place.git.repository.top, folder)
            there.append(("", Stray(path if os.path.isdir(path) else "", branch, commit)))
    return there


def _is_there(place: Workplace, stray: Stray) -> bool:
    has_branch = bool(stray.branch) and HEADS + stray.branch in place.refs
    return has_branch or (bool(stray.worktree) and os.path.isdir(stray.worktree))


def stray_lines(strays: Iterable[tuple[str, Stray]], git: Git) -> Iterable[str]:
    """What to say of them, and how the user takes them away once he has looked."""
    import shlex

    where = shlex.quote(git.repository.common_dir)
    for number, (id, stray) in enumerate(strays):
        if number == SHOWN_STRAYS:
            yield "… and more: git worktree list; git branch --list 'worktree-agent-*'"
            return
        words = [f"worktree remove {shlex.quote(stray.worktree)}"] if stray.worktree else []
        words += [f"branch -d {shlex.quote(stray.branch)}"] if stray.branch else []
        whose = f"{id}: " if id else ""
        commands = " && ".join(f"git -C {where} {word}" for word in words)
        yield f"{whose}{stray} is in no feature, and stays. When you have looked: {commands}"


def branch_name(spelled: str, refs: Mapping[str, str]) -> str:
    """The branch that ``spelled`` names, also by ``heads/…``; else ``spelled`` itself."""
    names = (spelled, spelled.removeprefix("heads/"), spelled.removeprefix(HEADS))
    return next((name for name in names if HEADS + name in refs), spelled)


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
    named = wanted(arguments, dag)
    return incremental.selection(dag, decisions, named, deps=not arguments.no_deps)


def wanted(arguments: argparse.Namespace, dag: DAGResolver) -> set[str]:
    """The features that ``--only`` and ``--tag`` name; all where there is neither."""
    named = set(dag.features)
    if arguments.only:
        check_known("--only: ", arguments.only, dag.features)
        named &= set(arguments.only)
    if arguments.tag is not None:
        tags = {tag for feature in dag.features.values() for tag in feature.tags}
        if arguments.tag not in tags:
            near = feature_list.did_you_mean(arguments.tag, tuple(tags))
            raise UserError(
                f"--tag: no feature has the tag {arguments.tag!r}{near}",
                hint="rorchestrator plan --verbose shows the tags",
            )
        named &= {id for id, feature in dag.features.items() if arguments.tag in feature.tags}
        if not named:
            raise UserError(
                f"none of --only has the tag {arguments.tag!r}",
                hint="rorchestrator plan --verbose shows the tags",
            )
    return named


def add_selection_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which features are meant, and on how many slots."""
    group = parser.add_argument_group("selection")
    group.add_argument(
        "--only",
        type=ids,
        metavar="ID[,ID...]",
        help="these features, and dependencies that are out of date",
    )
    group.add_argument(
        "--tag", metavar="T", help="features with this tag, and dependencies that are out of date"
    )
    group.add_argument(
        "--no-deps", action="store_true", help="with --only or --tag: no dependencies"
    )
    group.add_argument(
        "--fresh",
        type=ids,
        nargs="?",
        const=ALL,
        metavar="ID[,ID...]",
        help="run these features (default: all selected) again, even if up to date or merged",
    )
    group.add_argument(
        "--max-parallel",
        type=_slots,
        metavar="N",
        help="number of slots, instead of project.max_parallel",
    )


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
        branches={id: place.config.branch_of(id) for id in dag.features},
        decisions=decisions,
        selected=chosen,
        critical_path=tuple(dag.critical_path(work)),
        max_parallel=slots,
        timeline=schedule.predict(_part(dag, chosen), slots),
        usd_per_million_tokens=project.usd_per_million_tokens,
        commands=commands(place.config),
        max_cost_usd=project.max_cost_usd,
        copied=project.copy,
        linked=project.link,
        caught=caught(place) if chosen else {},
        warnings=cautions(place) if chosen else (),
    )


def commands(config: Config) -> tuple[Invocation, ...]:
    """Every command that the list would run: whatever a list may name has its place here."""
    return (*command_line.commands(config.claude, config.features), *config_commands(config))


def _part(dag: DAGResolver, ids: frozenset[str]) -> DAGResolver:
    """The graph of some of its features; of all where there are none."""
    if not ids or len(ids) == len(dag.features):
        return dag
    return DAGResolver(feature for id, feature in dag.features.items() if id in ids)
