"""The features' worktrees: made from dependencies, committed, kept, removed."""

from __future__ import annotations

import os
import re
import shlex
import zlib
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from itertools import count

from ..git import (
    checkouts,
    commits,
    merged,
    merging,
    staging,
    submodules,
    unreadable_entries,
    worktree_status,
)
from ..git.door import Git, GitError, Unknown
from ..git.hooks import Hooks, hooks_of
from ..git.output import BEING_MADE, Commit, WorktreeEntry, WorktreeStatus
from ..git.submodules import Submodules
from ..journal import private_files
from ..model.commit_subject import DEFAULT as COMMIT_SUBJECT
from ..model.commit_subject import subject
from ..model.errors import UserError, unwritable
from ..model.excerpt import excerpt, some
from ..model.feature import Feature
from ..model.frozen import dataclass, replace
from ..model.outcome import Work
from ..process.temporary_folder import remove_tree
from . import baseline, build_products
from .baseline import Baseline
from .check_artifacts import Print, contents, digest, print_of
from .secret_copies import PutAside

RESULTS = "refs/rorchestrator/results/"
"""``<id>/<run>``: the commit point. Made once, never moved; keeps the objects from gc."""

KEPT = "refs/rorchestrator/kept/"
"""``<id>/<run>``: where a branch stood, with all its uncommitted work, before it went."""

RESOLUTIONS = "refs/rorchestrator/resolutions/"
"""``<id>/<key>``: what Claude made of a conflict, and the checks passed: not paid for twice."""

RUBBISH = "~removing"
"""Put behind the name of a worktree that is being removed; no id holds a tilde."""

SCRATCH = "~scratch"
"""Put behind the name of a worktree that checks run in; a killed run may leave one."""

SCRATCH_NAME = re.compile(r"(?:~k[0-9a-f]{8})?~scratch\Z")
"""The end of a scratch worktree's name; before the repository's key was in it, only the suffix."""

MARK = "made-by-rorchestrator"
"""A file in git's admin folder of each worktree that we made; it goes when the worktree goes."""

MARKS_SINCE = "rorchestrator/marks"
"""A file in the common folder, as old as the first mark. Worktrees older than it have none."""

OWN_FOLDER = "set project.worktrees_path to a folder that only this repository uses"

MERGED = "~merge"
"""What the features are called that are merged together; no feature can be called so."""

_MERGES = count(1)
"""Tells the scratch worktrees apart in which merges are made side by side."""

RESOLVED = "_resolve_"
"""Put before a feature's id for the scratch worktree in which its conflict is resolved."""

SECOND_TRY_SECONDS = 0.5
"""Before a commit is tried once more: a signing program may be busy."""

COMPLAINT_LINES = 20
"""How much of what a hook printed goes into the reason."""

ONLY_COMMITS = "fix it; then `rorchestrator run` only commits: Claude is not paid again"

AGENTS_FOLDER = os.path.join(".claude", "worktrees", "")
"""Where, in the main checkout, Claude Code makes worktrees for subagents; our rules refuse it."""

BY_A_SUBAGENT = re.compile(r"worktree-agent-[0-9a-z]+")
"""The branches of those."""

HUGE_BYTES = 5 * 1024 * 1024

BUILT_BY_TOOLS = frozenset(
    {
        "node_modules",
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".tox",
        ".venv",
        "venv",
        ".gradle",
        ".next",
        ".turbo",
        ".parcel-cache",
        "target",
        "build",
        "dist",
        "coverage",
        "tmp",
        "log",
    }
)
"""Ignored folders that a build makes again: nobody's work."""

REBUILT_SUFFIXES = (".pyc", ".pyo", ".o", ".class", ".log", ".tsbuildinfo", ".egg-info")


@dataclass(frozen=True)
class Worktree:
    """A worktree of ours, as it was when it was made."""

    feature: str
    path: str
    branch: str
    start_commit: str
    gitfile: bytes
    """What its ``.git`` file says; an agent may have replaced it since."""
    is_old: bool = False
    """Whether an earlier run made it, and all that is in it."""
    base_commit: str = ""
    """What the run began with; ``start_commit`` holds the dependencies' results as well."""


@dataclass(frozen=True)
class Conflict:
    """Two dependencies whose results do not merge."""

    one: str
    other: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        where = f": {some(self.files)}" if self.files else ""
        return f"{self.one} and {self.other} do not merge{where}"


@dataclass(frozen=True)
class Kept:
    """What was saved before a branch went: the ref that holds it, empty where nothing was."""

    ref: str = ""
    tip: str = ""
    aside: str = ""
    """The folder that holds what looks secret: no ref does, which a push may take along."""


class WorktreeManager:
    """Makes, commits and removes the worktrees of one repository's features.

    ``folder`` is where they go; ``branch_prefix`` comes before each feature's id, and
    ``commit_subject`` is the template of their commits' first line.
    """

    def __init__(
        self, git: Git, folder: str, branch_prefix: str, commit_subject: str = COMMIT_SUBJECT
    ) -> None:
        self.git = git
        self.folder = folder
        self.branch_prefix = branch_prefix
        self.commit_subject = commit_subject
        common = os.fsencode(git.repository.common_dir)
        self.key = f"k{zlib.crc32(common):08x}"  # Claude asks before it writes below ~<digit>
        """In the names of scratch worktrees: repositories may share a folder for worktrees."""
        self._merges: dict[tuple[str, str], tuple[str, list[str]]] = {}
        """What became of merges that were made in a worktree."""

    def using(self, git: Git) -> WorktreeManager:
        """The same worktrees, through another git."""
        return WorktreeManager(git, self.folder, self.branch_prefix, self.commit_subject)

    def path(self, feature: str) -> str:
        """Where the feature's worktree goes."""
        return os.path.join(self.folder, feature)

    def branch(self, feature: str) -> str:
        """The feature's branch."""
        return self.branch_prefix + feature

    def result_ref(self, feature: str, run: str) -> str:
        """The commit point of a feature's result in a run."""
        return f"{RESULTS}{feature}/{run}"

    # -- where a feature starts -----------------------------------------------------------

    async def start_commit(self, base: str, results: Mapping[str, str]) -> str | Conflict:
        """The commit that holds the results (commit by feature id), or why there is none.

        A git that cannot merge without a working tree gets the first result here, and the
        others by :meth:`merge_rest`.
        """
        tips = await self._independent(results)
        if not tips:
            return base
        if not self.git.merges_without_worktree:
            return next(iter(tips.values()))
        (first, merged), *others = tips.items()
        names = [first]
        for name, commit in others:
            tree, files = await self.merge(merged, commit)
            if not tree:
                return Conflict(await self._culprit(names, tips, name), name, tuple(files))
            message = _merge_message(names, name)
            merged = await self.git.commit_tree(tree, (merged, commit), message)
            names.append(name)
        return merged

    async def _independent(self, results: Mapping[str, str]) -> dict[str, str]:
        """The results that no other result contains."""
        commits = dict.fromkeys(results.values())
        tips = set(await self.git.independent(list(commits)) if len(commits) > 1 else commits)
        first: dict[str, str] = {}
        for name, commit in results.items():
            if commit in tips:
                first.setdefault(commit, name)
        return {name: commit for commit, name in first.items()}

    async def _culprit(self, names: Sequence[str], tips: Mapping[str, str], other: str) -> str:
        for name in names:
            tree, _ = await self.merge(tips[name], tips[other])
            if not tree:
                return name
        return " + ".join(names)

    async def merge(self, ours: str, theirs: str) -> tuple[str, list[str]]:
        """The tree of a merge, empty where there is a conflict, and the files in conflict.

        As ``git merge`` makes it where ``ours`` is checked out. Where only programs of the user's
        can tell, they run in a scratch worktree; raises :class:`Unknown` where we only look.
        """
        try:
            return await merging.merged_tree(self.git, ours, theirs)
        except Unknown:
            if self.git.looks:
                raise
        if (ours, theirs) not in self._merges:
            self._merges[ours, theirs] = await self._merge_in_worktree(ours, theirs)
        return self._merges[ours, theirs]

    async def _merge_in_worktree(self, ours: str, theirs: str) -> tuple[str, list[str]]:
        async with self.scratch(f"{MERGED}.{next(_MERGES)}", ours) as worktree:
            files = await merging.merge_into_worktree(self.git, worktree.path, theirs, "a merge")
            head = (await worktree_status.status_of(self.git, worktree.path)).commit
            return ("", files) if files else (await self.git.tree_of(head), [])

    async def merge_rest(self, worktree: Worktree, results: Mapping[str, str]) -> str | Conflict:
        """Merge the remaining results inside the worktree; its new start commit."""
        tips = await self._independent(results)
        names = list(tips)[:1]
        for name, commit in list(tips.items())[1:]:
            message = _merge_message(names, name)
            files = await merging.merge_into_worktree(self.git, worktree.path, commit, message)
            if files:
                return Conflict(" + ".join(names), name, tuple(files))
            names.append(name)
        return (await worktree_status.status_of(self.git, worktree.path)).commit

    # -- making -------------------------------------------------------------------------

    async def create(self, feature: str, start_commit: str) -> Worktree:
        """A new worktree on a new branch at ``start_commit``.

        Raises :class:`UserError` where something stands in the way.
        """
        path, branch = self.path(feature), self.branch(feature)
        self._make_folder()
        await self._add(path, start_commit, new_branch=branch)
        return Worktree(feature, path, branch, start_commit, read_gitfile(path))

    async def _add(
        self, path: str, commit: str, *, new_branch: str = "", instead: str = ""
    ) -> None:
        """A worktree of a branch, or of a new one at a commit; ``instead`` of one that is gone.

        It is locked until it is whole. Only git's own list needs the others to wait: large
        trees are checked out side by side.
        """
        self._check_free(path)
        async with self.git.spawner.exclusive():
            self._clear_rubbish(path)
            if instead:
                await checkouts.remove_worktree(self.git, instead)
            self._note_first_mark()
            await checkouts.add_worktree(self.git, path, commit)
            with open(os.path.join(self.admin_folder(path), MARK), "xb"):
                pass
        try:
            await checkouts.check_out(self.git, path, new_branch)
        except GitError:
            self._undo(path)
            raise
        try:
            await Submodules(self.git).fill(path)
        except GitError:
            self._undo(path)
            if new_branch:
                await self.git.delete_ref(f"refs/heads/{new_branch}", commit)
            raise
        os.unlink(os.path.join(self.admin_folder(path), "locked"))

    def _undo(self, path: str) -> None:
        """Take a worktree away that never became whole; a kill leaves no half of a folder."""
        if self._is_linked(path):
            admin = self.admin_folder(path)
            rubbish = self._clear_rubbish(path)
            os.rename(path, rubbish)
            self._forget(admin)
            remove_tree(rubbish)

    def _clear_rubbish(self, path: str) -> str:
        """Remove what a kill left of an earlier removal; where a worktree goes to be removed."""
        rubbish = path + RUBBISH
        self._check_free(rubbish)
        remove_tree(rubbish)
        _check_gone(rubbish)
        return rubbish

    def _check_free(self, path: str) -> None:
        other = self.other_repository(path)
        if other:
            raise UserError(f"{path} is a worktree of the repository {other}", hint=OWN_FOLDER)

    def _note_first_mark(self) -> None:
        path = os.path.join(self.git.repository.common_dir, MARKS_SINCE)
        try:
            private_files.make_folder(os.path.dirname(path))
            os.close(private_files.open_file(path, os.O_WRONLY))
        except OSError as error:
            raise unwritable(path, error) from None

    async def unpublished(self, path: str, start: str, tip: str, branch: str) -> list[str]:
        """The commands that publish submodules' commits which only their clones in here have."""
        submodules = Submodules(self.git)
        return await submodules.publishing(await submodules.unpublished(path, start, tip), branch)

    @asynccontextmanager
    async def scratch(self, name: str, commit: str) -> AsyncIterator[Worktree]:
        """A worktree of a commit, on no branch, that is gone afterwards with all that is in it."""
        path = self.scratch_path(name)
        self._make_folder()
        await self.clear_scratch([path])
        try:
            await self._add(path, commit)
            yield Worktree(name, path, "", commit, read_gitfile(path))
        finally:
            await self.clear_scratch([path])

    def scratch_path(self, name: str) -> str:
        """Where a scratch worktree goes."""
        return f"{self.path(name)}~{self.key}{SCRATCH}"

    def left_scratch(self) -> list[str]:
        """This repository's scratch worktrees; those of killed runs, before one begins."""
        here = os.path.realpath(self.folder)
        linked = (_linked_folder(admin) for admin in self._all_admin_dirs())
        known = [path for path in linked if os.path.dirname(path) == here]
        there = os.listdir(here) if os.path.isdir(here) else []
        found = {*known, *(os.path.join(here, name.removesuffix(RUBBISH)) for name in there)}
        scratch = (path for path in found if path.endswith(SCRATCH))
        return sorted(path for path in scratch if self._is_our_scratch(path))

    def _is_our_scratch(self, path: str) -> bool:
        """Whether a scratch worktree is this repository's, also what a kill left of one."""
        for place in (path, path + RUBBISH):
            if os.path.lexists(os.path.join(place, ".git")):
                return self._is_linked(place)
        is_keyed = path.endswith(f"~{self.key}{SCRATCH}")
        return is_keyed or path in map(_linked_folder, self._all_admin_dirs())

    async def clear_scratch(self, paths: Iterable[str]) -> None:
        """Take scratch worktrees away, whole or not: the folder, and what git knows of it."""
        for path in map(os.path.realpath, paths):
            # An add that goes on for another feature writes git's list as well.
            async with self.git.spawner.exclusive():
                rubbish = self._clear_rubbish(path)
                if os.path.isdir(path) and self._is_our_scratch(path):
                    os.rename(path, rubbish)
                for admin in self._all_admin_dirs():
                    if _linked_folder(admin) == path or _is_stump(admin, path):
                        self._forget(admin)
            await self.git.spawner.apart(partial(remove_tree, rubbish))

    async def reopen(self, feature: str, start_commit: str) -> Worktree | None:
        """The worktree that an earlier attempt left, made again where only its branch stands.

        ``None`` where neither is there, or where the worktree is on another branch or has lost
        its ``.git`` file.
        """
        branch = self.branch(feature)
        entry = await self.entry(feature)
        if entry is not None and entry.locked in BEING_MADE:
            entry = self._unmade(entry)
        if entry is not None and os.path.isdir(entry.path):
            if entry.branch != branch or not self.leads_here(entry.path):
                return None
            path, is_old = entry.path, True
            self._unlock(feature, path)
        elif await self.git.commit_of(f"refs/heads/{branch}"):
            path, is_old = self.path(feature), False
            self._make_folder()
            await self._add(path, branch, instead=entry.path if entry is not None else "")
        else:
            return None
        return Worktree(feature, path, branch, start_commit, read_gitfile(path), is_old)

    def _unmade(self, entry: WorktreeEntry) -> WorktreeEntry | None:
        """Take away what was being made when we were killed, or was being taken away."""
        if self._is_linked(entry.path):
            self._undo(entry.path)  # entry() found it to be ours
            return None
        if os.path.lexists(entry.path):
            return entry  # what stands there is not ours
        for admin in self._admin_dirs(os.path.realpath(entry.path)):
            self._forget(admin)
        return None

    def _make_folder(self) -> None:
        try:
            os.makedirs(self.folder, exist_ok=True)
            if not os.listdir(self.folder) and _inside_a_repository(self.folder):
                # Else the user's `git add -A` would take the worktrees in.
                ignore = os.path.join(self.folder, ".gitignore")
                with open(private_files.open_file(ignore, os.O_WRONLY | os.O_TRUNC), "wb") as file:
                    file.write(b"*\n")
        except OSError as error:
            raise UserError(
                f"{self.folder} can't hold the worktrees: {error.strerror}",
                hint="mend project.worktrees_path",
            ) from None

    async def entry(self, feature: str) -> WorktreeEntry | None:
        """git's entry for the worktree that we made for a feature, also where it was moved by hand.

        A worktree that the user made, on the feature's branch or in its place, is not ours.
        """
        path = os.path.realpath(self.path(feature))
        linked = (await checkouts.worktrees(self.git))[1:]
        there = [entry for entry in linked if checkouts.real_path(self.git, entry.path) == path]
        there += [entry for entry in linked if entry.branch == self.branch(feature)]
        return next((entry for entry in there if self._was_made_for(entry, path, feature)), None)

    def _was_made_for(self, entry: WorktreeEntry, path: str, feature: str) -> bool:
        """Whether we made a worktree for a feature, or are just making it."""
        admin = self._admin_of(entry.path)
        # git names the admin folder after the worktree's first place, and keeps the name.
        if checkouts.real_path(self.git, entry.path) != path and not _is_named_for(
            os.path.basename(admin), feature
        ):
            return False
        being_made = entry.locked in BEING_MADE and _is_empty(entry.path)
        return being_made or self._is_marked(admin)

    def _admin_of(self, path: str) -> str:
        """The admin folder of a worktree, whether its folder is there or not."""
        admin = self.admin_folder(path)
        real = os.path.realpath(path)
        if self._is_linked(path) and _linked_folder(admin) == real:
            return admin
        return next((each for each in self._all_admin_dirs() if _linked_folder(each) == real), "")

    def _is_marked(self, admin: str) -> bool:
        """Whether we made the worktree of an admin folder, as far as can be told.

        Up to version 1.0 there were no marks: what is older than the first one may be ours.
        """
        first = os.path.join(self.git.repository.common_dir, MARKS_SINCE)
        if os.path.exists(os.path.join(admin, MARK)) or not os.path.exists(first):
            return True
        made = os.path.join(admin, "commondir")
        return os.path.exists(made) and os.stat(made).st_mtime_ns < os.stat(first).st_mtime_ns

    def is_ours(self, path: str) -> bool:
        """Whether a folder is a worktree of this repository that we made, for some feature.

        Or one that a kill left before it was marked, with nothing in it.
        """
        admin = self.admin_folder(path)
        was_begun = not _is_whole(admin, path) and _is_empty(path)
        return self._is_linked(path) and (was_begun or self._is_marked(admin))

    def admin_folder(self, path: str) -> str:
        """Where the ``.git`` file of a worktree points; empty where there is none."""
        return admin_of(path)

    def other_repository(self, path: str) -> str:
        """The repository whose worktree a folder is; empty where it is none, or this one's."""
        admin = self.admin_folder(path)
        if not admin or self._is_linked(path):
            return ""
        common = os.path.dirname(os.path.dirname(admin))
        return os.path.dirname(common) if os.path.basename(common) == ".git" else common

    def was_moved(self, path: str) -> bool:
        """Whether a folder is a worktree of this repository, which was moved since it was made."""
        admin = self.admin_folder(path)
        common = self.git.repository.common_dir
        own = os.path.join(common, "worktrees", os.path.basename(admin))
        return (
            bool(admin)
            and not os.path.exists(admin)
            and _linked_folder(own) == os.path.realpath(path)
        )

    def _is_linked(self, path: str) -> bool:
        """Whether a folder is a worktree of this repository, or only lies where one was."""
        parent = os.path.join(self.git.repository.common_dir, "worktrees")
        return os.path.dirname(self.admin_folder(path)) == parent

    def leads_here(self, path: str) -> bool:
        """Whether git, in a folder, works on this repository and reads its configuration."""
        admin = self.admin_folder(path)
        common = os.fsdecode(_read(os.path.join(admin, "commondir"))).rstrip("\n")
        there = os.path.realpath(os.path.join(admin, common)) if common else ""
        return self._is_linked(path) and there == self.git.repository.common_dir

    async def repair(self, feature: str) -> None:
        """Take away what a killed ``git worktree add`` left of this feature's worktree.

        Only for a feature whose agent never started: all that is there came from git.
        """
        path = os.path.realpath(self.path(feature))
        # An add that goes on for another feature looks like one that was killed.
        async with self.git.spawner.exclusive():
            for admin in self._admin_dirs(path):
                if not _is_whole(admin, path) and self._is_half_of_ours(admin, path):
                    # In this order: a folder without the other one would never be found.
                    remove_tree(path)
                    self._forget(admin)
            with suppress(FileNotFoundError):
                os.unlink(self._branch_lock(feature))

    def _is_half_of_ours(self, admin: str, path: str) -> bool:
        """Whether we began to make the worktree at ``path``, where nothing else stands."""
        return not self.other_repository(path) and (self._is_marked(admin) or _is_empty(path))

    def _admin_dirs(self, path: str) -> list[str]:
        return [
            admin
            for admin in self._all_admin_dirs()
            if _is_named_for(os.path.basename(admin), os.path.basename(path))
            and _linked_folder(admin) in ("", path)
        ]

    def _all_admin_dirs(self) -> list[str]:
        parent = os.path.join(self.git.repository.common_dir, "worktrees")
        return [folder.path for folder in os.scandir(parent)] if os.path.isdir(parent) else []

    def _forget(self, admin: str) -> None:
        """Take away what git knows of a worktree, in one step: ``git fsck`` is clean after a kill.

        What a kill leaves of it goes with the next one.
        """
        rubbish = os.path.dirname(admin) + RUBBISH
        remove_tree(rubbish)
        with suppress(OSError):  # another process takes its own away at the same moment
            os.rename(admin, rubbish)
        remove_tree(rubbish)
        remove_tree(admin)

    # -- what stood there before Claude -----------------------------------------------------

    async def note_baseline(self, worktree: Worktree) -> None:
        """Remember what stands in a worktree in which Claude has not begun: it is nobody's work."""
        status = await self.revealed(worktree.path)
        folder = self.admin_folder(worktree.path)
        try:
            modules = await self._modules(worktree.path, status.changed)
            baseline.save(folder, baseline.taken(worktree.path, status, modules))
        except OSError as error:
            raise UserError(
                f"{folder} can't be written: {error.strerror}",
                hint="free some space or correct the permissions, then run again",
            ) from None

    def baseline(self, path: str) -> Baseline:
        """What stood in a worktree of ours before Claude began, as far as that is known."""
        return baseline.load(self.admin_folder(path))

    async def _modules(self, path: str, files: Iterable[str]) -> dict[str, str]:
        """The commits that submodules, of these files, have checked out."""
        folders = {file: os.path.join(path, file) for file in files}
        there = {file: at for file, at in folders.items() if os.path.lexists(f"{at}/.git")}
        return {file: await self.git.commit_of("HEAD", at=at) for file, at in there.items()}

    async def _old(self, path: str, status: WorktreeStatus) -> set[str]:
        """The uncommitted files that are as they were before Claude began."""
        known = self.baseline(path)
        old = known.unchanged(path, (*status.changed, *status.untracked))
        now = await self._modules(path, set(known.modules).intersection(status.changed))
        return old.union(file for file, commit in now.items() if known.modules[file] == commit)

    async def as_committed(self, path: str) -> None:
        """Undo what a setup did to tracked files of a worktree in which nobody works."""
        status = await self.revealed(path)
        await self._put_back(path, status, status.changed)

    async def _put_back(self, path: str, status: WorktreeStatus, old: Collection[str]) -> None:
        """Undo what the setup did to tracked files: the checks are to see what a commit holds."""
        await staging.unstage(self.git, path, set(old).intersection(status.added))
        tracked = set(old).intersection(status.changed).difference(status.added)
        await staging.put_back(self.git, path, sorted(tracked))

    # -- build products -----------------------------------------------------------------

    async def products(self, path: str, base: str, files: Iterable[str]) -> dict[str, str]:
        """The files of a worktree that are build products, each with the folder or file to name.

        Never below a folder of which the commit ``base`` holds a file.
        """
        found = build_products.among(path, files)
        tracked = await commits.present(
            self.git, base, {root for roots in found.values() for root in roots}
        )
        own = {file: [r for r in roots if r not in tracked] for file, roots in found.items()}
        return {file: roots[0] for file, roots in own.items() if roots}

    async def committed_products(self, worktree: Worktree, commit: str) -> list[str]:
        """The build products that a commit has and the worktree's start had not."""
        start = worktree.start_commit
        (changed,) = await commits.changed_files(self.git, [(start, commit)])
        return sorted(set((await self.products(worktree.path, start, changed)).values()))

    # -- the result -----------------------------------------------------------------------

    async def look(self, worktree: Worktree) -> WorktreeStatus | str:
        """The state that an agent left, or what is wrong with it.

        Raises :class:`GitError` where git fails: that says nothing of the work.
        """
        status = await self.glance(worktree)
        if isinstance(status, str):
            return status
        if status.branch != worktree.branch:
            return (
                f"the worktree was switched to {status.branch}; "
                f"the work belongs on {worktree.branch}"
            )
        if status.unmerged:
            return f"a merge was left half done: {some(status.unmerged)}"
        moved = status.commit != worktree.start_commit
        if moved and not await self.git.is_ancestor(worktree.start_commit, status.commit):
            return f"{worktree.branch} was rewritten: it no longer contains its starting point"
        return status

    async def glance(self, worktree: Worktree) -> WorktreeStatus | str:
        """What git tells of a worktree that an agent had, or why it can't be asked.

        Raises :class:`GitError` where git fails.
        """
        if not os.path.isdir(worktree.path):
            return f"the worktree {worktree.path} is gone"
        if os.path.islink(worktree.path):
            return f"the worktree {worktree.path} was replaced by a link"
        if _gitfile_or_nothing(worktree.path) != worktree.gitfile:
            return f"{worktree.path}/.git was changed: it points to another repository"
        if not self.leads_here(worktree.path):
            return f"{worktree.path} no longer leads to this repository"
        found = unreadable_entries.find(worktree.path)
        if found.pipes:
            return _waits_for(found.pipes)
        self._unlock(worktree.feature, worktree.path)
        return replace(await self.revealed(worktree.path), closed=found.closed)

    async def revealed(self, path: str) -> WorktreeStatus:
        """git's status with ignored files, once no index bit hides a change any more."""
        await worktree_status.reveal(self.git, path, await worktree_status.hidden(self.git, path))
        return await worktree_status.status_of(self.git, path, ignored=True)

    def _unlock(self, feature: str, path: str) -> None:
        """Take away the locks that a killed git left: nobody works in the worktree any more."""
        admin = self.admin_folder(path)
        for lock in (f"{admin}/index.lock", f"{admin}/HEAD.lock", self._branch_lock(feature)):
            with suppress(FileNotFoundError):
                os.unlink(lock)

    def _branch_lock(self, feature: str) -> str:
        heads = os.path.join(self.git.repository.common_dir, "refs", "heads")
        return os.path.join(heads, self.branch(feature) + ".lock")

    async def commit(
        self,
        worktree: Worktree,
        status: WorktreeStatus,
        feature: Feature,
        run: str,
        hooks: Hooks | None = None,
    ) -> Work:
        """Commit what is uncommitted, less what is to be held back; what the branch has now.

        Raises :class:`UserError` where git or one of the user's hooks refuses.
        """
        known = self.baseline(worktree.path)
        old = await self._old(worktree.path, status)
        await self._put_back(worktree.path, status, old)
        status = status.without(old)
        new = (*status.untracked, *status.added)
        built = await self.products(worktree.path, worktree.start_commit, new)
        held = await self._held_back(worktree.path, [file for file in new if file not in built])
        wanted = set(status.uncommitted).difference(held, built)
        await staging.unstage(self.git, worktree.path, {*held, *built}.intersection(status.added))
        held += tuple(sorted(set(built.values())))
        if known.ignored is not None:
            held += self._new_ignored(worktree.path, status, known.ignored)
        held += tuple(f"{module}/" for module in status.submodules)
        held += status.closed
        made = None
        if wanted:
            await self._stage(worktree.path, sorted(wanted))
            hooks = hooks or await hooks_of(self.git, worktree.path)
            message = commit_message(feature, run, self.commit_subject)
            stamps = {file: print_of(worktree.path, file) for file in wanted}
            made = await self._commit_index(worktree.path, message, status.commit, hooks, stamps)
            if hooks.ran:
                await self._check_hooks(worktree, status.commit, made, wanted, hooks)
        tip = made.id if made else status.commit
        if tip == worktree.start_commit:
            return Work(tip, held_back=held)
        if made and made.parents == (worktree.start_commit,):
            stat = made.stat
        else:
            stat = await commits.diffstat(self.git, worktree.start_commit, tip)
        return Work(tip, stat.files, stat.insertions, stat.deletions, held)

    async def _check_hooks(
        self,
        worktree: Worktree,
        old: str,
        made: Commit | None,
        wanted: Collection[str],
        hooks: Hooks,
    ) -> None:
        """Raise :class:`UserError` where hooks took the commit back, or put it elsewhere.

        So, too, where they left out what stands in the worktree: checks would find it there.
        """
        which = f"your hooks ({', '.join(dict.fromkeys(hooks.ran))})"
        tip = made.id if made else old
        if made and tip == old:
            raise UserError(f"{which} took the commit back", hint=ONLY_COMMITS)
        if await self.git.commit_of(f"refs/heads/{worktree.branch}") != tip:
            raise UserError(
                f"{which} moved {worktree.path} away from {worktree.branch}, which does not have "
                f"the commit: it is {tip[:10]}",
                hint=f"in there: git checkout -B {worktree.branch} {tip[:10]}; {ONLY_COMMITS}",
            )
        (committed,) = await commits.changed_files(self.git, [(old, tip)])
        untracked = (await self._work(worktree.path)).untracked
        left = sorted({*wanted, *committed}.intersection(untracked))
        if left:
            raise UserError(
                f"{which} left files out of the commit that stand in the worktree, where the "
                f"checks would find them: {some(left)}",
                hint=ONLY_COMMITS,
            )

    async def _stage(self, path: str, files: Sequence[str]) -> None:
        """Stage files; a filter or an attribute of the user's may refuse one."""
        try:
            await staging.stage(self.git, path, files)
        except GitError as error:
            error.hint = error.hint or ONLY_COMMITS
            raise

    async def _work(self, path: str) -> WorktreeStatus:
        """What stands in a worktree, less what stood there before Claude."""
        status = await worktree_status.status_of(self.git, path)
        return status.without(await self._old(path, status))

    @staticmethod
    def _new_ignored(path: str, status: WorktreeStatus, known: Collection[str]) -> tuple[str, ...]:
        """Ignored paths that were not there before Claude, and that no tool makes again."""
        new = [file for file in status.ignored if file not in known and not built_by_tools(file)]
        built = build_products.among(path, new)
        return tuple(file for file in new if file not in built)

    async def _held_back(self, path: str, files: Sequence[str]) -> tuple[str, ...]:
        held = held_back(path, files)
        huge = [file for file in held if is_only_huge(path, file)]
        pointers = await worktree_status.kept_by_lfs(self.git, path, huge)
        return tuple(file for file in held if file not in pointers)

    async def _commit_index(
        self,
        path: str,
        message: str,
        tip: str,
        hooks: Hooks,
        stamps: Mapping[str, Print | None],
    ) -> Commit | None:
        """The commit of what is staged; ``None`` where nothing differs from ``tip``.

        ``stamps`` tell the files as they were staged: what hooks change without adding it is
        added once, or the checks would look at something else.
        """
        with hooks.wrapped() as folder:
            made = await self._commit_staged(path, message, tip, hooks, folder)
            changed = await self._changed_since(path, stamps) if made and hooks.names else []
            if not changed:
                return made
            await staging.stage(self.git, path, changed)
            stamps = {**stamps, **{file: print_of(path, file) for file in changed}}
            try:
                made = await staging.commit(self.git, path, message, folder, amend=True)
            except GitError as error:
                raise _refusal(error, hooks.refused) from None
            changed = await self._changed_since(path, stamps)
            if changed:
                raise UserError(
                    f"your hooks ({', '.join(dict.fromkeys(hooks.ran))}) change files at each "
                    f"commit without adding them: {some(changed)}",
                    hint=f"let the hook `git add` what it changes; {ONLY_COMMITS}",
                )
            return made

    async def _changed_since(self, path: str, stamps: Mapping[str, Print | None]) -> list[str]:
        """The uncommitted files that were written since; not what git itself sees as changed."""
        await worktree_status.reveal(self.git, path, await worktree_status.hidden(self.git, path))
        status = await self._work(path)
        return [
            file
            for file in status.changed
            if file not in stamps or print_of(path, file) != stamps[file]
        ]

    async def _commit_staged(
        self, path: str, message: str, tip: str, hooks: Hooks, folder: str
    ) -> Commit | None:
        """The commit of what is staged, with the hooks in ``folder``.

        There is a second try where a hook changed files, as formatters do, and where no hook
        refused: then git or a signing program failed.
        """
        tree = await staging.written_tree(self.git, path)
        try:
            return await staging.commit(self.git, path, message, folder)
        except GitError as error:
            status = await self._work(path)
            if not status.changed:
                # Staging can show that nothing differs, as with line ends that git
                # normalises; and a hook may have made the commit itself.
                return None if status.commit == tip else await staging.head_commit(self.git, path)
            await staging.stage(self.git, path, status.changed)
            if hooks.refused and await staging.written_tree(self.git, path) == tree:
                raise _refusal(error, hooks.refused) from None
        hooks.forget_refusal()
        await self.git.spawner.pause(SECOND_TRY_SECONDS)
        try:
            return await staging.commit(self.git, path, message, folder)
        except GitError as error:
            raise _refusal(error, hooks.refused) from None

    async def publish(self, feature: str, run: str, commit: str) -> None:
        """Write the commit point of a result. Raises where another result stands there."""
        ref = self.result_ref(feature, run)
        if not await self.git.create_ref(ref, commit) and await self.git.commit_of(ref) != commit:
            raise UserError(f"{ref} holds another commit already")

    # -- keeping and removing ---------------------------------------------------------------

    async def unsaved(
        self,
        path: str,
        made: Collection[str] | None = (),
        base: str = "",
        left: Mapping[str, str] | None = None,
    ) -> tuple[list[str], list[str]]:
        """Files of a worktree that no commit holds: those that a commit can, and the others.

        Build products are nobody's work where ``base``, else HEAD, tracks none there. ``made``
        are ignored files that were put there before the work, ``None`` where all of them were:
        they count where they are no longer what they were copied from. ``left`` is what checks
        left, with what tells it from a changed one.
        """
        self.check_linked(path)
        barred = unreadable_entries.find(path)
        _check_pipes(path, barred.pipes)
        status = await self._whole_status(path)
        precious = [
            file
            for file in status.ignored
            if not built_by_tools(file)
            and (not (made is None or file in made) or self._was_edited(path, file))
        ]
        work = await self.only_work(path, status, base, left or {})
        files = [*work.uncommitted, *(f for f in precious if not _is_left(path, f, left or {}))]
        # Only where we look: else the filter was asked.
        files += [f"{file} (maybe changed: filter {name})" for file, name in status.uncertain]
        nested = [file for file in files if file.endswith("/") and _holds_repository(path, file)]
        nested += [folder for folder in barred.closed if folder not in nested]
        nested += [f"submodule {name}" for name in status.submodules]
        nested += await self._submodule_work(path)
        return [file for file in files if file not in nested], nested

    def check_pipes(self, path: str) -> None:
        """Raise :class:`UserError` where git would wait; what tools build is passed over."""
        _check_pipes(path, unreadable_entries.find(path, BUILT_BY_TOOLS).pipes)

    async def only_work(
        self, path: str, status: WorktreeStatus, base: str, left: Mapping[str, str]
    ) -> WorktreeStatus:
        """A worktree's status less what is nobody's work, as :meth:`unsaved` has it."""
        old = await self._old(path, status)
        found = await self.products(path, base or status.commit, status.untracked)
        built = {file for file, root in found.items() if _is_rebuilt(path, root)}
        checked = {file for file in status.untracked if _is_left(path, file, left)}
        return status.without({*old, *built, *checked})

    async def _whole_status(self, path: str) -> WorktreeStatus:
        """git's status with what index bits hide; the index itself stays as it is."""
        hidden = await worktree_status.hidden(self.git, path)
        if not hidden:
            return await worktree_status.status_of(self.git, path, ignored=True)
        import shutil  # not for a start

        with _passing(await self._own_index(path)) as index:
            shutil.copyfile(os.path.join(await checkouts.admin_dir(self.git, path), "index"), index)
            await worktree_status.reveal(self.git, path, hidden, index=index)
            return await worktree_status.status_of(self.git, path, ignored=True, index=index)

    def _was_edited(self, path: str, file: str) -> bool:
        """Whether a file of a worktree differs from the one of that name in the main checkout."""
        copy, source = os.path.join(path, file), os.path.join(self.git.repository.top, file)
        if os.path.islink(copy) or not (os.path.isfile(copy) and os.path.isfile(source)):
            return False
        import filecmp

        return not filecmp.cmp(source, copy, shallow=False)

    async def _submodule_work(self, path: str) -> list[str]:
        modules = os.path.join(await checkouts.admin_dir(self.git, path), "modules")
        if not os.path.isdir(modules):
            return []
        found = []
        for root, folders, files in os.walk(modules):
            if "HEAD" in files and "objects" in folders:
                folders[:] = [folder for folder in folders if folder == "modules"]
                name = os.path.relpath(root, modules)
                if await submodules.unpublished_commits(self.git, root, name):
                    found.append(f"submodule {name}")
        return found

    async def keep(
        self,
        feature: str,
        run: str,
        path: str,
        start_commit: str,
        made: Collection[str] | None = (),
        left: Mapping[str, str] | None = None,
    ) -> Kept:
        """Save the branch's tip and all uncommitted work under :data:`KEPT`.

        Raises :class:`UserError` where something in the worktree cannot be committed.
        """
        branch = f"refs/heads/{self.branch(feature)}"
        tip = await self.git.commit_of(branch)
        saved = tip if tip != start_commit else ""
        aside = PutAside(self.git.repository.common_dir, feature, run)
        if path and os.path.isdir(path):
            files = await self._committable(path, made, start_commit, left)
            saved = await self._with_snapshot(feature, path, saved, files, aside)
        elif path:
            saved = await self._with_head(feature, path, saved)
        ref = await self._keep(f"{KEPT}{feature}/{run}", saved) if saved else ""
        return Kept(ref, tip, aside.folder)

    async def _keep(self, ref: str, commit: str) -> str:
        """A ref that holds the commit: ``ref``, or with a number where that holds another."""
        name, number = ref, 1
        while not await self.git.create_ref(name, commit):
            if await self.git.commit_of(name) == commit:
                break
            number += 1
            name = f"{ref}.{number}"
        return name

    async def _committable(
        self,
        path: str,
        made: Collection[str] | None,
        base: str,
        left: Mapping[str, str] | None,
    ) -> list[str]:
        """What :meth:`unsaved` finds. Raises :class:`UserError` where no commit can hold some."""
        files, nested = await self.unsaved(path, made, base, left)
        self.check_open(path, nested)
        if nested:
            raise UserError(
                f"{path} holds what no commit can: {some(nested)}",
                hint="move it elsewhere, or commit and push it there",
            )
        return files

    def check_open(self, path: str, nested: Collection[str]) -> None:
        """Raise :class:`UserError` where some of the ``nested`` can't even be looked into."""
        closed = [name for name in unreadable_entries.find(path).closed if name in nested]
        if closed:
            folders = " ".join(shlex.quote(os.path.join(path, name)) for name in closed)
            raise UserError(
                f"{path} holds folders that can't be looked into: {', '.join(closed)}",
                hint=f"chmod -R u+rwX {folders}, then type this again",
            )

    async def _with_snapshot(
        self, feature: str, path: str, saved: str, files: Sequence[str], aside: PutAside
    ) -> str:
        """One commit of ``saved``, the worktree's HEAD and ``files``, less what is put aside."""
        status = await worktree_status.status_of(self.git, path)
        files = _spread(path, files)
        secret = {file for file in files if is_new_secret(file, status)}
        aside.put(path, secret)
        files = [file for file in files if file not in secret]
        head = status.commit
        if not files and (head == saved or await self._is_published(head)):
            return saved
        others = [saved] if saved and not await self.git.is_ancestor(saved, head) else []
        if not files and not others:
            return head
        status = status.without(secret)
        if status.indexed:
            others.append(await self._indexed(feature, path, status))
        return await self._snapshot(feature, path, (head, *others), files)

    async def _with_head(self, feature: str, path: str, saved: str) -> str:
        """One commit that holds ``saved``, and what only HEAD of a worktree does that is gone."""
        heads = [
            e.commit for e in await checkouts.worktrees(self.git) if e.path == path and not e.branch
        ]
        head = await self.git.commit_of(heads[0]) if heads else ""
        if not head or await self._is_published(head):
            return saved
        if not saved or await self.git.is_ancestor(saved, head):
            return head
        message = f"HEAD of the worktree of {feature}, kept by RoRchestrator"
        return await self.git.commit_tree(await self.git.tree_of(head), (head, saved), message)

    async def _is_published(self, commit: str) -> bool:
        """Whether a branch holds the commit anyway."""
        heads = set((await self.git.refs("refs/heads/")).values())
        return any([await self.git.is_ancestor(commit, head) for head in heads])

    async def _snapshot(
        self, feature: str, path: str, parents: Sequence[str], files: Sequence[str]
    ) -> str:
        tree = await self.tree_of_files(path, files)
        message = f"uncommitted work of {feature}, kept by RoRchestrator"
        return await self.git.commit_tree(tree, parents, message)

    async def tree_of_files(self, path: str, files: Sequence[str]) -> str:
        """The tree of a worktree's HEAD with these files as they stand."""
        with _passing(await self._own_index(path)) as index:
            return await staging.snapshot_tree(self.git, path, _spread(path, files), index)

    async def _indexed(self, feature: str, path: str, status: WorktreeStatus) -> str:
        """A commit of what only the index holds: staged, and then changed once more."""
        with _passing(await self._own_index(path)) as index:
            tree = await staging.index_tree(self.git, path, status.indexed, index)
        message = f"what only the index of {feature} held, kept by RoRchestrator"
        return await self.git.commit_tree(tree, (status.commit,), message)

    async def _own_index(self, path: str) -> str:
        if self.git.looks:
            return self.git.spare_index()
        return os.path.join(
            await checkouts.admin_dir(self.git, path), f"rorchestrator-index.{os.getpid()}"
        )

    async def remove(self, feature: str, path: str, tip: str) -> str:
        """Remove the worktree and its branch, which must still be at ``tip``.

        The caller has saved what is worth it. An empty string, or why the branch stays.
        """
        branch = self.branch(feature)
        async with self.git.spawner.exclusive():
            if path:
                await self._remove_worktree(path)
            used = [e.path for e in await checkouts.worktrees(self.git) if e.branch == branch]
            if used:
                return f"{branch} is checked out in {used[0]}"
            return await self.git.delete_ref(f"refs/heads/{branch}", tip) if tip else ""

    async def _remove_worktree(self, path: str) -> None:
        """Remove it in one step: what a kill leaves is either whole or marked as rubbish.

        Raises :class:`UserError` where it holds what is not ours to remove.
        """
        stuck = unreadable_entries.undeletable(path)
        if stuck:
            raise UserError(
                f"{stuck} belongs to another user, and can't be removed",
                hint=f"sudo rm -r {shlex.quote(stuck)}, then type this again",
            )
        rubbish = self._clear_rubbish(path)
        if self._is_linked(path):
            os.rename(path, rubbish)
        try:
            await checkouts.remove_worktree(self.git, path)
        except GitError:
            if os.path.isdir(rubbish):
                os.rename(rubbish, path)
            raise
        await self.git.spawner.apart(partial(remove_tree, rubbish))
        _check_gone(rubbish)

    async def merged(self, tip: str, target: str) -> str:
        """How ``target`` holds the work of ``tip``; empty where that can't be proved.

        Raises :class:`Unknown` where we only look, and that can't tell.
        """
        if await self.git.is_ancestor(tip, target):
            return "ancestor"
        if await merged.is_empty_diff(self.git, tip, target):
            return "empty difference"
        tree = await self.git.tree_of(target)
        if await self.git.tree_of(tip) == tree:
            return "equal trees"
        if await self.git.merge_base(tip, target) in ("", target):
            return ""  # the target has nothing of its own
        unknown = None
        # The same lines may have changed elsewhere in a file: only where it was copied to, and
        # before anything changed it again, does a merge tell.
        for how, find in (
            ("merge adds nothing", _target),
            ("same changes", merged.equivalent),
            ("squashed", merged.squashed),
        ):
            commit = await find(self.git, tip, target)
            try:
                if commit and await self._adds_nothing(tip, commit):
                    return how
            except Unknown as error:
                unknown = error
        if unknown is not None:
            raise unknown
        return ""

    async def _adds_nothing(self, tip: str, commit: str) -> bool:
        """Whether a merge of ``tip`` into ``commit`` would change nothing there.

        A git that can't merge without a working tree proves it where the files are the same.
        """
        base = await self.git.merge_base(tip, commit)
        if not base:
            return False
        if self.git.merges_without_worktree:
            merged, _ = await self.merge(commit, tip)
            return merged == await self.git.tree_of(commit)
        own, other = await commits.changed_files(self.git, [(base, tip), (commit, tip)])
        return own.isdisjoint(other)

    def as_made(self, feature: str, path: str, branch: str) -> WorktreeManager:
        """For a feature whose worktree and branch were made with another folder or prefix."""
        prefix = branch[: len(branch) - len(feature)]
        return WorktreeManager(self.git, os.path.dirname(path), prefix, self.commit_subject)

    def check_linked(self, path: str) -> None:
        """Raise :class:`UserError` where a folder is no worktree of this repository any more."""
        if not self.leads_here(path):
            what = f"{path} is no worktree of this repository any more"
            if self.was_moved(path):
                top = shlex.quote(self.git.repository.top)
                what = f"{path} leads to where the repository was: git -C {top} worktree repair"
            raise UserError(what)


@contextmanager
def _passing(path: str) -> Iterator[str]:
    """A file that is not there before nor after."""
    try:
        yield path
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)


async def _target(git: Git, tip: str, target: str) -> str:
    return target


def commit_message(feature: Feature, run: str, template: str) -> str:
    """Of the commit that holds what Claude left uncommitted."""
    return (
        f"{subject(template, feature)}\n\n"
        f"RoRchestrator-Feature: {feature.id}\nRoRchestrator-Run: {run}\n"
    )


def _refusal(error: GitError, hook: str) -> UserError:
    """Who refused a commit, and what to do; ``hook`` is empty where git itself did."""
    said = excerpt("\n".join(error.complaint.splitlines()[-COMPLAINT_LINES:]))
    if hook:
        subject = "project.commit_subject sets the subject; " if "msg" in hook else ""
        return UserError(
            f"your {hook} hook refused the commit: {said}", hint=f"{subject}{ONLY_COMMITS}"
        )
    if "failed to write commit object" in error.complaint:
        error.hint = f"git signs commits here (commit.gpgsign) and could not: {ONLY_COMMITS}"
    else:
        error.hint = ONLY_COMMITS
    return error


def _merge_message(names: Sequence[str], other: str) -> str:
    return f"merge {', '.join(names)} and {other}\n\nThe base of a feature that needs them all."


def _check_pipes(path: str, pipes: Sequence[str]) -> None:
    if pipes:
        raise UserError(f"{path}: {_waits_for(pipes)}", hint="remove it")


def _waits_for(pipes: Sequence[str]) -> str:
    return f"{some(pipes)} is a pipe, at which git would wait for ever"


def admin_of(path: str) -> str:
    """Where the ``.git`` file of a worktree points; empty where there is none."""
    words = _gitfile_or_nothing(path)
    if not words.startswith(b"gitdir: "):
        return ""
    target = os.fsdecode(words).rstrip("\n")[len("gitdir: ") :]
    return os.path.realpath(os.path.join(path, target))


def _check_gone(rubbish: str) -> None:
    """Raise :class:`UserError` where a folder that was to go is still there."""
    if os.path.lexists(rubbish):
        raise UserError(
            f"{rubbish} could not be removed: something in it is not yours to remove",
            hint=f"sudo rm -r {shlex.quote(rubbish)}, then type this again",
        )


def read_gitfile(path: str) -> bytes:
    """What the ``.git`` file of a worktree says. Raises ``OSError`` where there is none."""
    return _read_at_once(os.path.join(path, ".git"))


def _read_at_once(path: str) -> bytes:
    """The begin of a file. Of a pipe that an agent put in its place: nothing, and no waiting."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def _gitfile_or_nothing(path: str) -> bytes:
    try:
        return read_gitfile(path)
    except OSError:
        return b""


def held_back(path: str, untracked: Iterable[str]) -> tuple[str, ...]:
    """Which new files are not to be committed unasked: secrets, huge files, repositories."""
    return tuple(file for file in untracked if _is_suspect(path, file))


def _is_suspect(path: str, file: str) -> bool:
    name = os.path.basename(file)
    if file.endswith("/") or _looks_secret(name) or is_only_huge(path, file):
        return True
    return name == "node_modules" and os.path.islink(os.path.join(path, file))


def is_only_huge(path: str, file: str) -> bool:
    """Whether nothing but its size speaks against a file."""
    if file.endswith("/") or _looks_secret(os.path.basename(file)):
        return False
    try:
        return os.lstat(os.path.join(path, file)).st_size > HUGE_BYTES
    except OSError:
        return False


def is_new_secret(file: str, status: WorktreeStatus) -> bool:
    """Whether a commit would be the first to hold a file that looks secret."""
    is_tracked = file in status.changed and file not in status.added
    return _looks_secret(os.path.basename(file)) and not is_tracked


def _looks_secret(name: str) -> bool:
    if name == ".env" or name.startswith(".env."):
        return not name.endswith((".example", ".sample", ".template", ".dist"))
    keys = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519")
    return name in keys or name.endswith((".pem", ".key", ".p12", ".pfx", ".keystore"))


def built_by_tools(file: str) -> bool:
    """Whether an ignored file is what a build makes again."""
    parts = file.rstrip("/").split("/")
    return bool(BUILT_BY_TOOLS.intersection(parts)) or parts[-1].endswith(REBUILT_SUFFIXES)


def _is_rebuilt(path: str, root: str) -> bool:
    """Whether a build product can be removed: an agent may have put a tag beside its sources."""
    whole = os.path.join(path, root)
    return not root.endswith("/") or built_by_tools(root) or build_products.is_known(whole)


def _is_left(path: str, file: str, left: Mapping[str, str]) -> bool:
    """Whether a file, or a folder, is as the checks left it."""
    return file in left and digest(contents(path, file)) == left[file]


def _holds_repository(path: str, folder: str) -> bool:
    return any(
        ".git" in folders + files for _, folders, files in os.walk(os.path.join(path, folder))
    )


def _spread(path: str, files: Iterable[str]) -> list[str]:
    """Folders replaced by the files and links in them."""
    spread: list[str] = []
    for file in files:
        if not file.endswith("/"):
            spread.append(file)
            continue
        for root, folders, names in os.walk(os.path.join(path, file)):
            found = (os.path.join(root, name) for name in folders + names)
            spread.extend(os.path.relpath(each, path) for each in found if _is_committable(each))
    return spread


def _is_committable(path: str) -> bool:
    return os.path.islink(path) or os.path.isfile(path)


def _inside_a_repository(folder: str) -> bool:
    parent = os.path.dirname(os.path.realpath(folder))
    return os.path.exists(os.path.join(parent, ".git")) or (
        parent != os.path.dirname(parent) and _inside_a_repository(parent)
    )


def _is_whole(admin: str, path: str) -> bool:
    """Whether git finished making a worktree: both halves point at each other."""
    has_all = all(_read(os.path.join(admin, name)) for name in ("HEAD", "commondir", "gitdir"))
    linked = bool(_read(os.path.join(path, ".git")))
    checked_out = os.path.isfile(os.path.join(admin, "index"))
    # A worktree is locked while it is made.
    begun = _read(os.path.join(admin, "locked")).decode("utf-8", "replace").strip() in BEING_MADE
    return has_all and linked and checked_out and not begun


def _is_empty(path: str) -> bool:
    """Whether a folder has no file yet but git's own, or is not there."""
    return not os.path.isdir(path) or set(os.listdir(path)) <= {".git"}


def scratch_owner(path: str) -> str:
    """What a scratch worktree is for, by its path."""
    return SCRATCH_NAME.sub("", os.path.basename(path))


def _is_named_for(admin: str, feature: str) -> bool:
    """Whether git would call an admin folder so; where the name is taken it adds a number."""
    return re.fullmatch(re.escape(feature) + "[0-9]*", admin) is not None


def _is_stump(admin: str, path: str) -> bool:
    """Whether git was killed before it had written which worktree an admin folder is for."""
    named = os.path.basename(path).replace("~", "-")  # as git spells it there
    return not _linked_folder(admin) and _is_named_for(os.path.basename(admin), named)


def _linked_folder(admin: str) -> str:
    """The worktree that an admin folder belongs to; empty where it doesn't say."""
    gitfile = os.fsdecode(_read(os.path.join(admin, "gitdir")).strip())
    return os.path.dirname(os.path.realpath(os.path.join(admin, gitfile))) if gitfile else ""


def _read(path: str) -> bytes:
    try:
        return _read_at_once(path)
    except OSError:
        return b""
