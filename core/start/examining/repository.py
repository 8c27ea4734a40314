"""`doctor` on the repository: base, submodules, LFS, hooks, worktrees, leftovers, disk, state."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator, Mapping

from ...git import checkouts, configuration, hooks, idle_hooks, replica, submodules
from ...git.door import Git
from ...git.output import WorktreeEntry
from ...git.refs import HEADS
from ...journal.history import folded
from ...journal.lock import RunLock
from ...model.english import counted
from ...model.excerpt import some
from ...model.moments import minute
from ...model.state import RunState
from ...model.translate import N_, _
from ...model.window import Window, current
from ...model.words import size
from ...process.spawner import run_sync, which
from ...project.obstructions import check_writable
from ...worktree.admin_files import admin_of
from ...worktree.names import (
    AGENTS_FOLDER,
    BY_A_SUBAGENT,
    MARK,
    RUBBISH,
    SCRATCH_NAME,
    feature_of,
)
from .diagnosis import Line, fault, ok, warning

NEARLY_FULL = 0.9
"""The share of a usage limit from which a run is likely to have to wait."""


def repository_lines(git: Git, settings: Mapping[str, str]) -> Iterator[Line]:
    """What the repository is, and who its commits are by."""
    where = git.repository
    kind = " (bare)" if where.bare else ""
    if where.shallow:
        unshallow = f"git -C {shlex.quote(where.top)} fetch --unshallow"
        yield warning(
            "repository", N_("{top} is shallow: merges may fail").format(top=where.top), unshallow
        )
    else:
        yield ok("repository", where.top + kind)
    lacking = [
        word
        for word in ("name", "email")
        if not (settings.get(f"user.{word}") or git.has_variable(f"GIT_AUTHOR_{word.upper()}"))
    ]
    if lacking:
        keys = N_(" and ").join(f"user.{word}" for word in lacking)
        said = N_("{keys} not set: commits may be by RoRchestrator instead of you").format(
            keys=keys
        )
        yield warning("identity", said, f"git config --global user.{lacking[0]} '...'")
    else:
        yield ok("identity", N_("user.name and user.email are set"))


def settings_of(git: Git) -> dict[str, str]:
    """git's settings, by key; of several values the last one."""
    return dict(run_sync(configuration.effective_settings(git)))


def remote_urls(settings: Mapping[str, str]) -> list[str]:
    """The URLs of all remotes."""
    return [v for k, v in settings.items() if k.startswith("remote.") and k.endswith("url")]


def content_lines(git: Git, settings: Mapping[str, str], env: Mapping[str, str]) -> Iterator[Line]:
    """Submodules and Git LFS in the main checkout."""
    top = git.repository.top
    has_modules = os.path.exists(os.path.join(top, ".gitmodules"))
    paths = [*run_sync(submodules.module_paths(git, top)).values()] if has_modules else []
    absent = [path for path in paths if not os.path.lexists(os.path.join(top, path, ".git"))]
    if absent:
        fetch = f"git -C {shlex.quote(top)} submodule update --init --recursive"
        yield warning(
            "submodules",
            N_("not checked out, so not in worktrees: {absent}").format(absent=some(absent)),
            fetch,
        )
    else:
        yield ok(
            "submodules",
            N_("{count}, checked out").format(count=len(paths)) if paths else N_("none"),
        )
    attributes = ""
    if os.path.isfile(os.path.join(top, ".gitattributes")):
        with open(os.path.join(top, ".gitattributes"), encoding="utf-8", errors="replace") as file:
            attributes = file.read()
    if "filter=lfs" not in attributes:
        yield ok("lfs", N_("not used"))
    elif which("git-lfs", env) and "filter.lfs.process" in settings:
        yield ok("lfs", N_("set up"))
    else:
        said = N_(".gitattributes uses Git LFS, which is not set up: worktrees get pointers only")
        yield fault("lfs", said, N_("install Git LFS, then: git lfs install"))


def hook_lines(git: Git, commit: str, worktree: str) -> Iterator[Line]:
    """The hooks that commits run, and those that cannot."""
    idle = run_sync(idle_hooks.inactive(git, commit, worktree))
    for said in idle:
        yield warning("hooks", said, "git config core.hooksPath, and chmod +x the hook")
    if not idle:
        folder = run_sync(configuration.hooks_folder(git))
        names = hooks.runnable_hooks(os.path.join(git.repository.top, folder))
        yield ok("hooks", ", ".join(names) or N_("none"))


def state_of(git: Git) -> RunState:
    """The recorded state. Raises :class:`UserError` if the journal is damaged."""
    return folded(state_folder(git), git.environ)


def state_folder(git: Git) -> str:
    """Where the journal is."""
    return os.path.join(git.repository.common_dir, "rorchestrator")


def state_lines(git: Git, state: RunState) -> Iterator[Line]:
    """The state folder; a :class:`UserError` if it cannot be written to."""
    folder = state_folder(git)
    check_writable(folder)
    known = counted(len(state.features), "recorded feature")
    holder = RunLock(folder).holder()
    working = (
        N_("; {command} is in progress (pid {pid})").format(command=holder.command, pid=holder.pid)
        if holder
        else ""
    )
    yield ok("state", f"{folder}: {known}{working}")


def worktree_lines(
    git: Git, state: RunState, ids: Collection[str], refs: Mapping[str, str]
) -> Iterator[Line]:
    """Stale worktrees, and what runs and other agents left."""
    listed = run_sync(checkouts.worktrees(git))
    stale = [entry.path for entry in listed if entry.prunable]
    if stale:
        prune = f"git -C {shlex.quote(git.repository.top)} worktree prune"
        yield warning(
            "worktrees", N_("their folders are gone: {stale}").format(stale=some(stale)), prune
        )
    ours = [entry for entry in listed if _is_ours(entry)]
    is_busy = RunLock(state_folder(git)).holder() is not None
    left = [] if is_busy else [entry.path for entry in ours if _is_temporary(entry)]
    if left:
        said = N_("left by a killed run; the next one removes them: {left}").format(left=some(left))
        yield warning("worktrees", said, "rorchestrator run")
    known = {*ids, *state.features}
    lost = [each.path for each in ours if not _is_temporary(each) and _id_of(each) not in known]
    if lost:
        remove = f"git worktree remove {shlex.quote(lost[0])}"
        yield warning(
            "worktrees", N_("of no feature any more: {lost}").format(lost=some(lost)), remove
        )
    if not (stale or left or lost):
        yield ok(
            "worktrees",
            N_("{worktrees} of features").format(worktrees=counted(len(ours), "worktree")),
        )
    yield _of_agents(git.repository.top, state, refs)


def _is_ours(entry: WorktreeEntry) -> bool:
    admin = admin_of(entry.path)
    return bool(admin) and os.path.exists(os.path.join(admin, MARK))


def _is_temporary(entry: WorktreeEntry) -> bool:
    return entry.path.endswith(RUBBISH) or SCRATCH_NAME.search(entry.path) is not None


def _id_of(entry: WorktreeEntry) -> str:
    return feature_of(os.path.basename(entry.path))


def _of_agents(top: str, state: RunState, refs: Mapping[str, str]) -> Line:
    """Worktrees and branches that agents made beside ours."""
    folder = os.path.join(top, AGENTS_FOLDER)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    paths = [folder + name for name in names]
    strays = [stray for known in state.features.values() for stray in known.strays]
    paths += [s.worktree for s in strays if os.path.isdir(s.worktree) and s.worktree not in paths]
    made = {stray.branch for stray in strays}
    branches = [ref.removeprefix(HEADS) for ref in refs if ref.startswith(HEADS)]
    branches = [name for name in branches if name in made or BY_A_SUBAGENT.fullmatch(name)]
    if not (paths or branches):
        return ok("leftovers", N_("none of other agents"))
    found = some([*paths, *branches])
    one = f"worktree remove {shlex.quote(paths[0])}" if paths else f"branch -d {branches[0]}"
    command = f"git -C {shlex.quote(top)} {one}"
    return warning(
        "leftovers",
        N_("worktrees and branches of other agents: {found}").format(found=found),
        command,
    )


# -- disk and usage limit -------------------------------------------------------------------------


def disk_line(git: Git, commit: str, slots: int, worktrees: str) -> Line:
    """The room for the files of all slots."""
    folder = worktrees
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    disk = os.statvfs(folder)
    each = run_sync(replica.checkout_bytes(git, commit, disk.f_frsize))
    return room_line(each, slots, disk.f_bavail * disk.f_frsize, folder)


def room_line(each: int, slots: int, free: int, folder: str) -> Line:
    """The line about disk space for worktrees of ``each`` bytes, without what setup installs."""
    said = _("{slots} of {size} each, without what setup installs; {free} free in {folder}").format(
        slots=counted(slots, "slot"), size=size(each), free=size(free), folder=folder
    )
    if free < each * slots:
        return fault("disk", said, N_("free some space, or lower project.max_parallel"))
    if free < 2 * each * slots:
        return warning("disk", said, N_("free some space, or lower project.max_parallel"))
    return ok("disk", said)


def window_line(windows: Mapping[str, Window], now: float, hold_at: float | None) -> Line:
    """How full the fullest window of the usage limit was when Claude last told it."""
    known = current(windows, now)
    if not known:
        return ok("usage limit", N_("nothing recorded: Claude reports it during a run"))
    fullest = known[0]
    reset = (
        ""
        if fullest.resets_at is None
        else N_(", reset {time}").format(time=minute(fullest.resets_at))
    )
    said = N_("{fullest}{reset} (recorded {time})").format(
        fullest=fullest, reset=reset, time=minute(fullest.seen_at)
    )
    if fullest.utilization >= (NEARLY_FULL if hold_at is None else hold_at):
        return warning(
            "usage limit",
            N_("{said}: a run will wait").format(said=said),
            N_("start it after the reset"),
        )
    return ok("usage limit", said)
