"""`Rehearsal`: the whole run with a simulated Claude, in a temporary copy of the repository.

Runner, checks, merge and cleanup are the real ones. Repository, worktrees and agent are replaced,
and failures become findings.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from functools import partial

from ..claude import simulated, stream
from ..dag.resolver import DAGResolver
from ..git import replica
from ..git.refs import HEADS, SEEN
from ..git.replica import replicate
from ..journal.journal import Journal
from ..landing.cleanup import CleanupOptions, Removal
from ..landing.merge import Merge, Stopped
from ..landing.report import LandingState, MergeOptions
from ..landing.target_branch import TargetBranch
from ..model.branch_name import is_branch_name
from ..model.errors import ExitCode, UserError
from ..model.events import Event
from ..model.feature import ClaudeOptions, Config, Feature, Retry
from ..model.frozen import dataclass, replace
from ..model.outcome import Fault, Status
from ..model.state import FeatureState, RunState
from ..model.terminal_text import one_line
from ..model.translate import N_
from ..orchestrator.one_run import Decided, OneRun
from ..orchestrator.run_options import RunOptions
from ..process.signals import Signals
from ..process.spawner import run_sync
from ..process.supervisor import check_descriptors
from ..process.temporary_folder import temporary_folder
from ..project import lists
from ..project.claude_program import query_version, with_program
from ..project.decisions import apply_skips, check_permissions, decide
from ..project.open import OpenProject
from ..project.selection import select
from ..project.warnings import check_escaping_paths
from ..runner.claude_runner import LEAST_FREE_BYTES, MIB, free_bytes
from ..worktree import copy_link
from ..worktree.files import BUILT_BY_TOOLS
from ..worktree.names import RUBBISH
from .findings import LANDING, Finding, FindingKind, Notebook, of_details
from .rehearsed_checks import (
    FIX_COMMIT,
    FIX_LEFT,
    FIX_MERGE,
    FIX_RUN,
    FIX_TEARDOWN,
    rehearsed_checks,
)
from .timed import TimedCleanup, TimedWorktrees

BASE_BRANCH = "rehearsed-base"
"""The base branch in the copy, if the base has no valid branch name."""


@dataclass(frozen=True)
class RehearsalOptions:
    """The options of ``run --rehearse``."""

    run: RunOptions
    merge: bool = False
    allow_bypass: bool = False


@dataclass(frozen=True)
class Rehearsed:
    """The findings of a rehearsal, and its exit code."""

    project_name: str
    selected: Sequence[str]
    dag: DAGResolver
    notes: Notebook
    exit_code: int
    seconds: float

    @property
    def is_whole(self) -> bool:
        """Whether nothing interrupted it."""
        return self.exit_code <= ExitCode.INCOMPLETE

    def to_json(self) -> dict[str, object]:
        """As ``run --rehearse --json`` prints it."""
        return {
            "event": "rehearsal",
            "project_name": self.project_name,
            "features": list(self.selected),
            **self.notes.document(self.dag),
            "wall_seconds": round(self.seconds, 3),
            "exit_code": self.exit_code,
        }


class Rehearsal:
    """One rehearsal. ``project`` is the user's, which is only read, and later the copy."""

    def __init__(
        self,
        project: OpenProject,
        options: RehearsalOptions,
        handlers: Signals,
        say: Callable[[str], None],
        listeners: Sequence[Callable[[RunState, Event], None]],
        beside: Callable[[], Coroutine[object, object, None]],
    ) -> None:
        self.project = project
        self.options = options
        self.handlers = handlers
        self.say = say
        self.listeners = listeners
        self.beside = beside
        self.signal: int | None = None
        self.notes = Notebook(time.monotonic)
        self.make_checks = partial(rehearsed_checks, self.notes, project.worktrees.folder)
        self.whole = project.whole_state()
        self.state = project.seen(self.whole)
        self.project = apply_skips(project, self.state)
        selection = options.run.selection
        self.decisions = decide(self.project, self.state, selection)
        self.selected = select(selection, self.project.dag, self.decisions)

    def try_all(self) -> Rehearsed:
        """Try everything in a copy. The project itself is only read."""
        begun = time.monotonic()
        code = self._try_all() if self.selected else ExitCode.UP_TO_DATE
        code = code or (ExitCode.INCOMPLETE if self.notes.findings else ExitCode.UP_TO_DATE)
        name, seconds = self.project.config.project.name, time.monotonic() - begun
        return Rehearsed(name, self.selected, self.project.dag, self.notes, code, seconds)

    def _try_all(self) -> int:
        """Try everything. Return an exit code only if it was interrupted."""
        self.check_project()
        code: int = ExitCode.UP_TO_DATE
        with temporary_folder() as folder:
            try:
                if self._move_to(folder):
                    code = self._run() or self._land() or self._clean_up()
            finally:
                self.handlers.ignore()
        if os.path.exists(folder):
            text = N_(
                "{path} could not be removed: you have no permission to remove some of its files"
            )
            self.say(one_line(text.format(path=folder)))
        return code

    # -- in the user's project, which is only read ------------------------------------------

    def check_project(self) -> None:
        """Check names, files, permissions, the target branch and Claude. Faults are findings."""
        project = self.project
        self._check(
            FindingKind.NAMES,
            lambda: lists.check(project, self.whole, self.decisions, self.selected),
        )
        self._check(FindingKind.FILES, lambda: check_escaping_paths(project))
        if not self.options.allow_bypass:
            self._check(FindingKind.PERMISSIONS, lambda: check_permissions(project.config, "run"))
        base = HEADS + project.config.project.base_branch
        if self.options.merge and base in project.refs:
            target = TargetBranch(project.git, base[len(HEADS) :], project.refs[base])
            self._check(FindingKind.MERGE, lambda: run_sync(target.check()))
        self._check(FindingKind.CLAUDE, self._look_at_claude)

    def _check(self, kind: FindingKind, check: Callable[[], object]) -> bool:
        """Whether a check passes. Its faults become findings."""
        try:
            check()
        except UserError as error:
            for finding in of_details(kind, error.message, error.details, error.hint):
                self.notes.met(finding)
            return False
        return True

    def _look_at_claude(self) -> None:
        options = with_program(self.project.config).claude
        version = query_version(options) or ""
        old = stream.old_version(version)
        if old or not version[:1].isdigit():
            raise UserError(old or version, hint=N_("install Claude Code (https://claude.ai/code)"))

    def _supplied(self, config: Config) -> Config:
        """The list without patterns that match nothing: each would end every feature."""
        top, less = self.project.git.repository.top, self.project.worktrees.folder

        def leads_somewhere(pattern: str) -> bool:
            return self._check(
                FindingKind.FILES, lambda: copy_link.matching(top, [pattern], exclude=less)
            )

        if self.project.git.repository.bare:
            return config  # Every feature reports it.
        copy, link = config.project.copy, config.project.link
        copy, link = (tuple(filter(leads_somewhere, patterns)) for patterns in (copy, link))
        return replace(config, project=replace(config.project, copy=copy, link=link))

    # -- the copy ---------------------------------------------------------------------------

    def _move_to(self, folder: str) -> bool:
        """Copy the project into ``folder``; whether the copy has a base commit."""
        project = self.project
        base = project.config.project.base_branch
        in_the_way = set(_in_the_way(project, self.selected))
        if HEADS + base in in_the_way:
            return False
        self._check_space(folder)
        git = run_sync(replicate(project.git, os.path.join(folder, "repository.git"), in_the_way))
        if HEADS + base not in project.refs:
            base = base if is_branch_name(base) else BASE_BRANCH
            run_sync(git.create_ref(HEADS + base, project.base_commit))
        worktrees = TimedWorktrees(
            git,
            os.path.join(folder, "worktrees"),
            project.worktrees.branch_prefix,
            project.worktrees.commit_subject,
            self.notes,
        )
        _copy_tools(project.worktrees.folder, worktrees.folder)
        state_folder = os.path.join(git.repository.common_dir, "rorchestrator")
        carried = list(self._carried())
        self.project = replace(
            project,
            config=_unhurried(self._supplied(project.config), folder, base),
            base_option="",
            git=git,
            worktrees_folder=worktrees.folder,
            managers={git: worktrees},
            journal=Journal(state_folder, project.mask),
            locks=[],
            refs=run_sync(git.refs(*SEEN)),
        )
        self.project.journal.open()
        for event in carried:
            self.project.journal.append(event)
        self.state = self.project.state()
        return True

    def _check_space(self, folder: str) -> None:
        """Raise :class:`UserError` if there is no room for all worktrees."""
        block = os.statvfs(folder).f_frsize
        size = run_sync(replica.checkout_bytes(self.project.git, self.project.base_commit, block))
        needed = size * (len(self.selected) + 2) + LEAST_FREE_BYTES
        where, free = free_bytes(folder)
        if free < needed:
            raise UserError(
                N_(
                    "a rehearsal needs about {needed:.0f} MiB, and {free:.0f} MiB are free in "
                    "{where}"
                ).format(needed=needed / MIB, free=free / MIB, where=os.path.dirname(where)),
                hint=N_("set TMPDIR to a folder with more room"),
            )

    def _carried(self) -> Iterator[Event]:
        """The events of the results that the selected features build on."""
        below = set(self.project.dag.ancestors(self.selected)).difference(self.selected)
        done = {id for id in below if self.state.feature(id).work is not None}
        ours = self.project.owners(self.whole)
        for event in self.project.journal.read():
            owner = event.data.get("list") or self.whole.owners.get(event.run, "")
            if event.feature in done and event.kind != "checked" and owner in ours:
                # The copy must not know the user's worktree.
                data = {name: value for name, value in event.data.items() if name != "worktree"}
                yield replace(event, data=data)

    # -- in the copy ------------------------------------------------------------------------

    def _run(self) -> int:
        """Run the features. Return an exit code only if it was interrupted."""
        run = OneRun(
            self.project,
            self._run_options(),
            listeners=self.listeners,
            say=self.say,
            beside=self.beside,
            checks=self.make_checks,
        )
        run.state = self.state
        decisions = decide(self.project, self.state, run.options.selection, run=run.run_id)
        results = run.results(decisions, self.selected)
        check_descriptors(min(run.slots, len(self.selected)))
        # Only now: the decisions above need the real prompts.
        config = _with_simulated_agent(self.project.config)
        config = replace(config, project=replace(config.project, reload=False))
        self.project = run.project = replace(
            self.project, config=config, dag=DAGResolver(config.features)
        )
        try:
            ended = run.run(config, Decided(decisions, self.selected, (), ()), results)
        finally:
            self.handlers.install()
        self.project, self.signal = run.project, run.signals.received
        self._note_endings(ended.state)
        return 128 + self.signal if self.signal is not None else 0

    def _run_options(self) -> RunOptions:
        """The user's options without those that only a real Claude needs."""
        run = self.options.run
        selection = replace(run.selection, fresh=None)
        return RunOptions(selection, run.max_parallel, sequential=run.sequential)

    def _note_endings(self, state: RunState) -> None:
        """Note failures other than those of setup and checks."""
        self.state = state
        for id in self.selected:
            known = state.feature(id)
            if known.status not in (Status.COMPLETED, Status.BLOCKED):
                self._note_ending(known)

    def _note_ending(self, known: FeatureState) -> None:
        stopped = self.signal is not None and known.status is Status.CANCELLED
        if stopped or known.fault is Fault.SETUP:
            return  # A failed setup is a finding already.
        what, _, rest = known.reason.partition("\n")
        kind, next, output = FindingKind.RUN, rest or FIX_RUN, ""
        if known.status is Status.CONFLICT:
            kind, next = FindingKind.MERGE, FIX_MERGE
        elif known.fault is Fault.COMMIT:
            kind, next, output = FindingKind.COMMIT, FIX_COMMIT, rest
        self.notes.met(Finding(kind, what, next, (known.id,), output))

    def _land(self) -> int:
        """Merge the completed features. Return an exit code only if it was interrupted."""
        completed = [id for id in self.selected if self._is_completed(id)]
        if not completed:
            return 0
        project = replace(self.project, refs=run_sync(self.project.git.refs(*SEEN)))
        options = MergeOptions(tuple(completed), stale=True)
        merge = Merge(project, options, checks=self.make_checks)
        try:
            with self.notes.timed(LANDING, "merge"):
                report = asyncio.run(merge.land())
        except Stopped:
            assert merge.signals.received is not None
            return 128 + merge.signals.received
        except UserError as error:
            self.notes.met(Finding(FindingKind.MERGE, error.message, error.hint))
            return 0
        finally:
            self.handlers.install()
            times = self.notes.seconds[LANDING]
            times["merge"] -= self.notes.sum(LANDING, less=("merge",))
        for ending in report.features:
            if ending.state is LandingState.HELD and ending.conflict_with:
                self.notes.met(Finding(FindingKind.MERGE, ending.reason, FIX_MERGE, (ending.id,)))
        return 0

    def _is_completed(self, id: str) -> bool:
        return self.state.feature(id).status is Status.COMPLETED

    def _clean_up(self) -> int:
        """Clean up all features. What cleanup would keep becomes a finding."""
        project = replace(self.project, refs=run_sync(self.project.git.refs(*SEEN)))
        options = CleanupOptions(tuple(self.selected))
        for removal in run_sync(TimedCleanup(options, project, self.notes).run()):
            self._note_removal(removal)
        return 0

    def _note_removal(self, removal: Removal) -> None:
        what, _, output = removal.kept.partition("\n")
        if removal.failed_teardown:
            found = Finding(FindingKind.CLEANUP, what, FIX_TEARDOWN, (removal.id,), output)
            self.notes.met(found)
        elif what and removal.merged:
            self.notes.met(Finding(FindingKind.CLEANUP, what, FIX_LEFT, (removal.id,)))


def _in_the_way(project: OpenProject, selected: Sequence[str]) -> Iterator[str]:
    """The branches that have the names of the features' branches, or block them."""
    wanted = {HEADS + project.config.branch_of(id) for id in selected}
    parents = {branch[:at] for branch in wanted for at, c in enumerate(branch) if c == "/"}
    for ref in project.refs:
        below = any(ref[:at] in wanted for at, c in enumerate(ref) if c == "/")
        if ref in wanted or ref in parents or below:
            yield ref


def _copy_tools(folder: str, target: str) -> None:
    """Copy shared folders of tools beside the worktrees, such as ``node_modules``."""
    there = os.listdir(folder) if os.path.isdir(folder) else []
    os.mkdir(target)
    try:
        for name in sorted(BUILT_BY_TOOLS.intersection(there)):
            staging = target + RUBBISH
            copy_link.copy(
                folder, name, target, copy_link.never_stopped, staging=staging, contained=True
            )
    except OSError as error:
        raise UserError(
            N_("{folder} could not be copied: {error}").format(folder=folder, error=error)
        ) from None


def _unhurried(config: Config, workspace: str, base: str) -> Config:
    """The list without what only a real Claude needs: costs, waits, repetitions."""
    project = replace(
        config.project,
        base_branch=base,
        max_cost_usd=None,
        start_interval_seconds=0.0,
        retry=Retry(attempts=1),
    )
    return replace(config, workspace=workspace, project=project)


def _with_simulated_agent(config: Config) -> Config:
    """The list with an agent that writes one small file for each feature, without contracts."""
    command = (sys.executable, "-I", "-S", os.path.abspath(simulated.__file__))
    return replace(
        config,
        project=replace(
            config.project, keep_awake=False, require_review=False, max_unreviewed=None
        ),
        claude=ClaudeOptions(command=command, env={simulated.FOLDER: ""}),
        context="",
        quality_rules=(),
        features=tuple(map(_with_simulated_prompt, config.features)),
    )


def _with_simulated_prompt(feature: Feature) -> Feature:
    file = f".rehearsal/{feature.id}.txt"
    steps: Sequence[Mapping[str, object]] = (
        {"write": file, "content": f"The rehearsal of {feature.id}.\n"},
        # Also if the repository ignores the file.
        {"bash": f"git add --force -- {file}"},
        {"cost": 0},
    )
    prompt = "\n".join(f"{simulated.DIRECTIVE} {json.dumps(step)}" for step in steps)
    plain = replace(feature, description="", creates=(), uses=(), max_cost_usd=None)
    return replace(plain, prompt=prompt)
