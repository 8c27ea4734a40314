"""``run --rehearse``: the whole run but Claude, in a throw-away copy of the repository.

Runner, checks, merge and cleanup are the real ones. Another repository, other worktrees and a
simulated agent are put in place of the user's, and what is red is written down.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from ..claude import simulated, stream
from ..dag.resolver import DAGResolver
from ..git import replica
from ..git.door import Git
from ..git.hooks import Hooks
from ..git.output import WorktreeStatus
from ..git.replica import replicate
from ..journal.journal import Journal
from ..journal.lock import RunLock
from ..landing.target_branch import Target
from ..model import events, list_commands
from ..model.decision import Decision
from ..model.errors import ExitCode, UserError
from ..model.events import Event
from ..model.feature import ClaudeOptions, Command, Config, Feature, Retry
from ..model.frozen import replace
from ..model.outcome import Fault, Status, Work
from ..model.state import FeatureState, RunState
from ..model.terminal_text import one_line
from ..model.words import counted, duration
from ..process.spawner import drive
from ..process.supervisor import check_descriptors
from ..process.temporary_folder import throwaway
from ..project import lists
from ..project.agreement import all_commands, remember, show_unshown
from ..project.feature_list import is_branch_name
from ..project.warnings import check_ways_back
from ..project.workplace import (
    HEADS,
    SEEN,
    Workplace,
    agrees,
    as_steered,
    check_permissions,
    decide,
    select,
    with_program,
)
from ..rehearsal.findings import BASE, LANDING, Finding, Notebook, of_details
from ..reporter.console import style_of
from ..runner.checks import CLEAN, VARIABLES, Red, Workbench
from ..runner.claude_runner import LEAST_FREE_BYTES, MIB, free_bytes
from ..runner.steps import Step, StepRunner
from ..worktree import copy_link
from ..worktree.files import BUILT_BY_TOOLS
from ..worktree.manager import WorktreeManager
from ..worktree.names import MERGED, RUBBISH, scratch_owner
from ..worktree.worktree import Worktree
from .cleanup import Cleanup, Removal
from .merge import Merge, Stopped, Wanted
from .run import SIGNALS, RunCommand
from .status import ask_version

BASE_BRANCH = "rehearsed-base"
"""The base's branch in the copy, where it has no name that a branch may have."""

MEND_SETUP = "mend the setup, or what it needs"
MEND_BASE = "mend it, or set project.verify_base to false: the run would not start"
MEND_CHECK = "it is green on the base: mend what differs in a feature's worktree"
MEND_BROKEN = "mend the command: it can't be run, or takes too long"
MEND_PORTS = "end what listens on the ports from 20000 to 32000"
MEND_COMMIT = "mend your hook, or what it refuses"
MEND_RUN = "mend what it names: the run would end there as well"
MEND_MERGE = "merge them by hand, or let one depend on the other"
MEND_TEARDOWN = "mend project.teardown"
MEND_LEFT = "let what makes or changes it take that back: else cleanup keeps the worktree"

NOT_RUN = (126, 127)
"""The exit codes by which a shell says that there is no such program, or none that it may run."""

PARTS = {"setup": "setup", "verify": "checks", "teardown": "cleanup"}
"""The part that the time of a command belongs to, by what it is for."""


def rehearse(arguments: argparse.Namespace, place: Workplace) -> int:
    """Rehearse what ``run`` would do; exit 1 where it would meet something."""
    with Signals() as signals:
        try:
            return Rehearsal(arguments, place, signals).execute()
        except Heard as heard:
            print("\nStopped: nothing is left of it.", file=sys.stderr)
            return 128 + heard.number


class Heard(Exception):
    """A signal asked us to end."""

    def __init__(self, number: int) -> None:
        self.number = number


class Signals:
    """What signals do where no event loop listens: they raise :class:`Heard`."""

    def __enter__(self) -> Signals:
        self._before = {number: signal.getsignal(number) for number in SIGNALS}
        self.heed()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def heed(self) -> None:
        """Listen; again after each event loop, which takes the handlers with it."""

        def heard(number: int, _: object) -> None:
            raise Heard(number)

        self._handle(heard)

    def ignore(self) -> None:
        """Be deaf, while all is taken away."""
        self._handle(signal.SIG_IGN)

    def _handle(self, handler: Callable[[int, object], None] | signal.Handlers) -> None:
        for number, before in self._before.items():
            # nohup has the hangup ignored, and means it.
            if number != signal.SIGHUP or before != signal.SIG_IGN:
                signal.signal(number, handler)


class Rehearsal(RunCommand):
    """One rehearsal: ``place`` is the user's own at first, which is only read; then the copy."""

    def __init__(self, arguments: argparse.Namespace, place: Workplace, signals: Signals) -> None:
        super().__init__(arguments, place)
        self.signals = signals
        self.notes = Notebook(time.monotonic)
        self.selected: list[str] = []
        self.workbench = partial(Bench, self.notes, place.worktrees.folder)

    def execute(self) -> int:
        """Look at what is there, ask, try everything in a copy, and tell what was met."""
        begun = time.monotonic()
        self.whole = self.place.whole_state()
        self.state = self.place.seen(self.whole)
        self.place = as_steered(self.place, self.state)
        decisions = decide(self.place, self.state, self.arguments)
        self.selected = select(self.arguments, self.place.dag, decisions)
        self._show_plan(decisions, self.selected)
        if not self.selected:
            self._say("There is nothing to rehearse.")
        elif not self._consent():
            self._say("Nothing was started.")
            return ExitCode.CANNOT_START
        code = self._try_all(decisions) if self.selected else ExitCode.UP_TO_DATE
        code = code or (ExitCode.INCOMPLETE if self.notes.findings else ExitCode.UP_TO_DATE)
        self._tell(code, time.monotonic() - begun)
        return code

    def _consent(self) -> bool:
        what = counted(len(self.selected), "feature")
        self._say(
            f"Rehearsing {what}: the commands above are run in a throw-away copy of the "
            "repository,\nbut no Claude. Nothing is paid for."
        )
        if not self.arguments.yes:
            show_unshown(self.arguments, self.place)
            if not agrees(f"Rehearse {what} now?"):
                return False
        remember(self.place, all_commands(self.place.config))
        return True

    def _try_all(self, decisions: Mapping[str, Decision]) -> int:
        """Try everything; an exit code only where that was interrupted."""
        self._look_around(decisions)
        code: int = ExitCode.UP_TO_DATE
        with throwaway() as folder:
            try:
                if self._move_to(folder):
                    code = self._run() or self._land() or self._clean_up()
            finally:
                self.signals.ignore()
        if os.path.exists(folder):
            told = f"{folder} could not be removed: something in it is not yours to remove"
            self._say(one_line(told))
        return code

    # -- in the user's own place, which is only read --------------------------------------

    def _look_around(self, decisions: Mapping[str, Decision]) -> None:
        place, arguments = self.place, self.arguments
        self._check("names", lambda: lists.check(place, self.whole, decisions, self.selected))
        self._check("files", lambda: check_ways_back(place))
        if not arguments.allow_bypass:
            self._check("permissions", lambda: check_permissions(place.config, "run"))
        base = HEADS + place.config.project.base_branch
        if arguments.merge and base in place.refs:
            target = Target(place.git, base[len(HEADS) :], place.refs[base])
            self._check("merge", lambda: drive(target.check()))
        self._check("claude", self._look_at_claude)

    def _check(self, kind: str, check: Callable[[], object]) -> bool:
        """Whether a check has nothing to say; what it says is met."""
        try:
            check()
        except UserError as error:
            for finding in of_details(kind, error.message, error.details, error.hint):
                self.notes.met(finding)
            return False
        return True

    def _look_at_claude(self) -> None:
        options = with_program(self.place.config).claude
        version = ask_version(options) or ""
        old = stream.old_version(version)
        if old or not version[:1].isdigit():
            raise UserError(old or version, hint="install Claude Code (https://claude.ai/code)")

    def _supplied(self, config: Config) -> Config:
        """The list less the patterns that match nothing, each of which would stop every feature."""
        top, less = self.place.git.repository.top, self.place.worktrees.folder

        def leads_somewhere(pattern: str) -> bool:
            return self._check("files", lambda: copy_link.matching(top, [pattern], less=less))

        if self.place.git.repository.bare:
            return config  # Nothing can be supplied at all: each feature says so.
        copy, link = config.project.copy, config.project.link
        copy, link = (tuple(filter(leads_somewhere, patterns)) for patterns in (copy, link))
        return replace(config, project=replace(config.project, copy=copy, link=link))

    # -- the copy ---------------------------------------------------------------------------

    def _move_to(self, folder: str) -> bool:
        """Make a copy of the place in ``folder``; whether there is a base to start from in it."""
        place = self.place
        base = place.config.project.base_branch
        in_the_way = set(_in_the_way(place, self.selected))
        if HEADS + base in in_the_way:
            return False
        self._check_space(folder)
        git = drive(replicate(place.git, os.path.join(folder, "repository.git"), in_the_way))
        if HEADS + base not in place.refs:
            base = base if is_branch_name(base) else BASE_BRANCH
            drive(git.create_ref(HEADS + base, place.base_commit))
        worktrees = TimedWorktrees(
            git,
            os.path.join(folder, "worktrees"),
            place.worktrees.branch_prefix,
            place.worktrees.commit_subject,
            self.notes,
        )
        _copy_tools(place.worktrees.folder, worktrees.folder)
        state_folder = os.path.join(git.repository.common_dir, "rorchestrator")
        carried = list(self._carried())
        self.place = replace(
            place,
            config=_unhurried(self._supplied(place.config), folder, base),
            base_option="",
            git=git,
            worktrees=worktrees,
            journal=Journal(state_folder, place.mask),
            lock=RunLock(state_folder),
            refs=drive(git.refs(*SEEN)),
        )
        self.place.journal.open()
        for event in carried:
            self.place.journal.append(event)
        self.arguments = argparse.Namespace(
            **{**vars(self.arguments), "fresh": None, "fail_fast": False},
        )
        self.arguments.max_cost = self.arguments.max_time = None
        self.budget = self._budget(self.place.config)  # without a cap
        self.state = self.place.state()
        return True

    def _check_space(self, folder: str) -> None:
        """Raise :class:`UserError` where there is no room for all the worktrees."""
        block = os.statvfs(folder).f_frsize
        size = drive(replica.room_for(self.place.git, self.place.base_commit, block))
        needed = size * (len(self.selected) + 2) + LEAST_FREE_BYTES
        where, free = free_bytes(folder)
        if free < needed:
            raise UserError(
                f"a rehearsal needs about {needed / MIB:.0f} MiB, and {free / MIB:.0f} MiB are "
                f"free in {os.path.dirname(where)}",
                hint="set TMPDIR to a folder with more room",
            )

    def _carried(self) -> Iterator[Event]:
        """What the journal tells of the results that the selected features build on."""
        below = set(self.place.dag.ancestors(self.selected)).difference(self.selected)
        done = {id for id in below if self.state.feature(id).work is not None}
        ours = self.place.owners(self.whole)
        for event in self.place.journal.read():
            owner = event.data.get("list") or self.whole.owners.get(event.run, "")
            if event.feature in done and event.kind != "checked" and owner in ours:
                # Where its worktree is, nobody here is to know.
                data = {name: value for name, value in event.data.items() if name != "worktree"}
                yield replace(event, data=data)

    # -- in the copy ------------------------------------------------------------------------

    def _run(self) -> int:
        """Run the features; an exit code only where that was interrupted."""
        decisions = decide(self.place, self.state, self.arguments, run=self.run_id)
        results = self._results(decisions, self.selected)
        check_descriptors(min(self._slots(), len(self.selected)))
        # From here on: what was decided before was decided by the real prompts.
        config = _with_simulated_agent(self.place.config)
        self.place = replace(self.place, config=config, dag=DAGResolver(config.features))
        asyncio.run(self._session(config, decisions, self.selected, results))
        self.signals.heed()
        return 128 + self.signal if self.signal is not None else 0

    def _report(self, state: RunState, decisions: Mapping[str, Decision]) -> None:
        """Write no report, but down what went wrong beside setup and checks."""
        self.state = state
        for id in self.selected:
            known = state.feature(id)
            if known.status not in (Status.COMPLETED, Status.BLOCKED):
                self._note_ending(known)

    def _note_ending(self, known: FeatureState) -> None:
        stopped = self.signal is not None and known.status is Status.CANCELLED
        if stopped or known.fault is Fault.SETUP:
            return  # What is wrong with a setup is met already.
        what, _, rest = known.reason.partition("\n")
        kind, next, output = "run", rest or MEND_RUN, ""
        if known.status is Status.CONFLICT:
            kind, next = "merge", MEND_MERGE
        elif known.fault is Fault.COMMIT:
            kind, next, output = "commit", MEND_COMMIT, rest
        self.notes.met(Finding(kind, what, next, (known.id,), output))

    def _land(self) -> int:
        """Merge what was completed; an exit code only where that was interrupted."""
        completed = [id for id in self.selected if self._is_completed(id)]
        if not completed:
            return 0
        place = replace(self.place, refs=drive(self.place.git.refs(*SEEN)))
        merge = Merge(place, Wanted(tuple(completed), keep_going=True, stale=True))
        merge.workbench = self.workbench
        try:
            with self.notes.timed(LANDING, "merge"):
                report = asyncio.run(merge.land())
        except Stopped:
            assert merge.signal is not None
            return 128 + merge.signal
        except UserError as error:
            self.notes.met(Finding("merge", error.message, error.hint))
            return 0
        finally:
            self.signals.heed()
            times = self.notes.seconds[LANDING]
            times["merge"] -= self.notes.sum(LANDING, less=("merge",))
        for ending in report.features:
            if ending.state == "held" and ending.conflict_with:
                self.notes.met(Finding("merge", ending.reason, MEND_MERGE, (ending.id,)))
        return 0

    def _is_completed(self, id: str) -> bool:
        return self.state.feature(id).status is Status.COMPLETED

    def _clean_up(self) -> int:
        """Clean up what is landed and what failed; what would be kept is met."""
        place = replace(self.place, refs=drive(self.place.git.refs(*SEEN)))
        asked = argparse.Namespace(
            ids=self.selected,
            into=None,
            merged=False,
            discard=False,
            dry_run=False,
            all_lists=False,
        )
        for removal in drive(TimedCleanup(asked, place, self.notes).run()):
            self._note_removal(removal)
        return 0

    def _note_removal(self, removal: Removal) -> None:
        what, _, output = removal.kept.partition("\n")
        if what.startswith("teardown: "):
            found = Finding("cleanup", what, MEND_TEARDOWN, (removal.id,), output)
            self.notes.met(found)
        elif what and removal.merged:
            self.notes.met(Finding("cleanup", what, MEND_LEFT, (removal.id,)))

    # -- at the end -------------------------------------------------------------------------

    def _tell(self, code: int, seconds: float) -> None:
        dag = self.place.dag
        if self.arguments.json:
            document = {
                "event": "rehearsal",
                "project_name": self.place.config.project.name,
                "features": self.selected,
                **self.notes.document(dag),
                "wall_seconds": round(seconds, 3),
                "exit_code": code,
            }
            self._print(json.dumps(document), sys.stdout)
        elif self.selected:
            style = style_of(sys.stdout, self.arguments.color)
            is_whole = code <= ExitCode.INCOMPLETE
            lines = list(self.notes.lines(dag, style, is_whole=is_whole, quiet=self._is_quiet))
            if not self._is_quiet:
                lines.append(f"The rehearsal itself took {duration(seconds)}.")
            self._print("\n".join(lines), sys.stdout)

    @property
    def _is_quiet(self) -> bool:
        return bool(self.arguments.quiet)


def _in_the_way(place: Workplace, selected: Sequence[str]) -> Iterator[str]:
    """The branches that leave no room for those of the features, or stand where they go."""
    wanted = {HEADS + place.config.branch_of(id) for id in selected}
    parents = {branch[:at] for branch in wanted for at, c in enumerate(branch) if c == "/"}
    for ref in place.refs:
        below = any(ref[:at] in wanted for at, c in enumerate(ref) if c == "/")
        if ref in wanted or ref in parents or below:
            yield ref


def _copy_tools(folder: str, target: str) -> None:
    """Copy what tools put beside the worktrees for all of them, as ``node_modules``."""
    there = os.listdir(folder) if os.path.isdir(folder) else []
    os.mkdir(target)
    try:
        for name in sorted(BUILT_BY_TOOLS.intersection(there)):
            apart = target + RUBBISH
            copy_link.copy(folder, name, target, copy_link.going_on, apart=apart, contained=True)
    except OSError as error:
        raise UserError(f"{folder} could not be copied: {error}") from None


def _unhurried(config: Config, workspace: str, base: str) -> Config:
    """The list without what only makes sense of a real Claude: costs, waits, repetitions."""
    project = replace(
        config.project,
        base_branch=base,
        max_cost_usd=None,
        start_interval_seconds=0.0,
        retry=Retry(attempts=1),
    )
    return replace(config, workspace=workspace, project=project)


def _with_simulated_agent(config: Config) -> Config:
    """The list with an agent that makes one small file for each feature, and promises nothing."""
    command = (sys.executable, "-I", "-S", os.path.abspath(simulated.__file__))
    return replace(
        config,
        claude=ClaudeOptions(command=command, env={simulated.FOLDER: ""}),
        context="",
        quality_rules=(),
        features=tuple(map(_with_simulated_prompt, config.features)),
    )


def _with_simulated_prompt(feature: Feature) -> Feature:
    file = f".rehearsal/{feature.id}.txt"
    steps: Sequence[Mapping[str, object]] = (
        {"write": file, "content": f"The rehearsal of {feature.id}.\n"},
        # Also where the repository ignores such a file.
        {"bash": f"git add --force -- {file}"},
        {"cost": 0},
    )
    prompt = "\n".join(f"{simulated.DIRECTIVE} {json.dumps(step)}" for step in steps)
    plain = replace(feature, description="", creates=(), uses=(), max_cost_usd=None)
    return replace(plain, prompt=prompt)


def row_of(name: str) -> str:
    """The row that the time of a worktree belongs to, by the worktree's name."""
    name = scratch_owner(name).removeprefix(CLEAN)
    if name.partition(".")[0] == MERGED:
        return LANDING
    return BASE if name == list_commands.BASE else name


class TimedWorktrees(WorktreeManager):
    """Worktrees as ever; how long they take is written down."""

    def __init__(
        self, git: Git, folder: str, branch_prefix: str, commit_subject: str, notes: Notebook
    ) -> None:
        super().__init__(git, folder, branch_prefix, commit_subject)
        self.notes = notes

    def using(self, git: Git) -> TimedWorktrees:
        """The same worktrees, through another git."""
        return TimedWorktrees(git, self.folder, self.branch_prefix, self.commit_subject, self.notes)

    async def _add(
        self, path: str, commit: str, *, new_branch: str = "", instead: str = ""
    ) -> None:
        with self.notes.timed(row_of(os.path.basename(path)), "worktree"):
            await super()._add(path, commit, new_branch=new_branch, instead=instead)

    async def look(self, worktree: Worktree) -> WorktreeStatus | str:
        """The state that an agent left, or what is wrong with it."""
        with self.notes.timed(worktree.feature, "commit"):
            return await super().look(worktree)

    async def commit(
        self,
        worktree: Worktree,
        status: WorktreeStatus,
        feature: Feature,
        run: str,
        hooks: Hooks | None = None,
    ) -> Work:
        """Commit what is uncommitted."""
        with self.notes.timed(feature.id, "commit"):
            return await super().commit(worktree, status, feature, run, hooks)


class TimedCleanup(Cleanup):
    """A cleanup as ever; how long it takes is written down."""

    def __init__(self, asked: argparse.Namespace, place: Workplace, notes: Notebook) -> None:
        super().__init__(asked, place)
        self.notes = notes

    async def _clean(self, known: FeatureState) -> Removal | None:
        with self.notes.timed(known.id, "cleanup"):
            return await super()._clean(known)


class Bench(Workbench):
    """Prepares and checks as ever, but a red check holds nobody up.

    What would be linked is copied: who writes to a link, writes to the user's own files.
    """

    def __init__(
        self,
        notes: Notebook,
        apart: str,
        config: Config,
        worktrees: WorktreeManager,
        steps: StepRunner,
        *,
        run: str,
        log_folder: str,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        environ: Mapping[str, str],
        passed: set[str],
        wrote: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        super().__init__(
            config,
            worktrees,
            steps,
            run=run,
            log_folder=log_folder,
            emit=emit,
            clock=clock,
            environ=environ,
            passed=passed,
            wrote=wrote,
        )
        self.notes = notes
        self.apart = apart
        self._last: dict[str, Step] = {}

    def environment(self, feature: str, slot: int, slots: int) -> dict[str, str]:
        """The environment of everything that works for a feature."""
        env = super().environment(feature, slot, slots)
        if f"{VARIABLES}PORT" not in env:
            what = f"no ports are free: {VARIABLES}PORT would not be set"
            self.notes.met(Finding("ports", what, MEND_PORTS, (row_of(feature),)))
        return env

    async def make_ready(
        self, feature: Feature, worktree: Worktree, env: Mapping[str, str], *, told: bool = True
    ) -> Red | None:
        """Copy and set up; what failed is met, and ends the feature, as it would."""
        red = await super().make_ready(feature, worktree, env, told=told)
        if red is not None and not red.interrupted:
            what, _, hint = red.what.partition("\n")
            is_setup = what.startswith("setup: ")
            kind, next = ("setup", MEND_SETUP) if is_setup else ("files", hint)
            self._met(kind, what, next, worktree.feature, red)
        return red

    def _met(
        self, kind: str, what: str, next: str, name: str, red: Red, *, expected: bool = False
    ) -> None:
        what = what.removeprefix("setup: ").removeprefix("check: ")
        found = Finding(kind, what, next, (row_of(name),), replace(red, what="").reason.strip("\n"))
        self.notes.met(found, expected=expected)

    async def _supply(self, worktree: Worktree, stopped: Callable[[], bool]) -> None:
        if self.config.project.copy or self.config.project.link:
            with self.notes.timed(row_of(worktree.feature), "copy"):
                await super()._supply(worktree, stopped)

    def _bring(
        self,
        path: str,
        copied: Iterable[str],
        linked: Iterable[str],
        stopped: Callable[[], bool],
        *,
        contained: bool = True,
    ) -> None:
        super()._bring(path, [*copied, *linked], (), stopped, contained=contained)

    async def check_base(self, base_commit: str) -> Red | None:
        """The project's checks on the base; where they are red, the run would not start."""
        red = await super().check_base(base_commit)
        return self._written_down(red, list_commands.BASE, "base", MEND_BASE)

    async def check_merged(self, commit: str, branch: str) -> Red | None:
        """The project's checks on all features together."""
        red = await super().check_merged(commit, branch)
        return self._written_down(red, MERGED, "checks", MEND_CHECK)

    async def check(
        self, feature: Feature, worktree: Worktree, work: Work, env: Mapping[str, str]
    ) -> Red | None:
        """Every check, on what an agent left that did not do the work."""
        of_project = self.config.project.verify
        commands = (*of_project, *feature.verify)
        if commands:
            self.emit(events.checking(self.clock(), self.run_id, feature.id))
        all_green = True
        for number, command in enumerate(commands):
            red = await self._run_checks(feature.id, [command], worktree, work.commit, env)
            all_green = all_green and red is None
            own = number >= len(of_project)
            if self._written_down(red, feature.id, "checks", MEND_CHECK, own=own):
                return red
        if commands and all_green and self.config.project.verify_clean:
            red = await self._check_clean(feature, commands, worktree, work.commit, env)
            if self._written_down(red, feature.id, "checks", MEND_CHECK):
                return red
        await self._settle(feature, worktree)
        return None

    def _written_down(
        self, red: Red | None, name: str, kind: str, next: str, *, own: bool = False
    ) -> Red | None:
        """Nothing, once it is written down; a look that was interrupted."""
        if red is None or red.interrupted:
            return red
        if not self.notes.explains(red.what):
            step = self._last.get(name)
            is_broken = step is not None and (step.timed_out or step.code in NOT_RUN)
            # Without Claude's work, these are red by their nature.
            expected = (own or not self.config.project.verify_base) and not is_broken
            next = MEND_BROKEN if is_broken else next
            self._met(kind, red.what, next, name, red, expected=expected)
        return None

    async def _step(
        self,
        name: str,
        command: Command,
        folder: str,
        env: Mapping[str, str],
        limit_seconds: float,
        kind: str,
    ) -> Step:
        with self.notes.timed(row_of(name), PARTS[kind]):
            step = await super()._step(name, command, folder, env, limit_seconds, kind)
        self._last[name] = step
        return step
