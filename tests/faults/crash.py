"""Kills the orchestrator wherever it can be killed, and looks at what it left.

    python3 -m tests.faults.crash --every             each crash point once
    python3 -m tests.faults.crash --kinds             one of each kind, as CI does
    python3 -m tests.faults.crash --random 300        random kills, also of the recoveries
    python3 -m tests.faults.crash --point NAME        one of them again; --list shows their names

A round is a run of nine features in a folder of its own, whose results land on two branches. It
is killed, looked at, and run again until it is through. Its agents, and the list's own commands,
note outside of the repository what they did, so that a round can ask for every commit, every file
and every check. See :class:`Round` for what has to hold. A folder where it did not is kept.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, fields
from functools import partial
from itertools import count, islice
from typing import Any

from core.process import table
from tests.faults.template import AGENTS, Shop, Template
from tests.support.paths import ROOT

LAUNCHER = os.path.join(ROOT, "tests", "faults", "launcher.py")
LOOKS = 5
"""How often the processes are looked at while one of them is in the middle of its exec."""

GONE_SECONDS = 3.0
"""All processes of a killed run are gone by then."""

LIMIT_SECONDS = 120.0
"""No run of nine small features takes as long: it hangs."""

JOBS = 4
KILLED = -signal.SIGKILL


@dataclass
class Figures:
    """What is counted; the sum of two is that of their rounds."""

    kills: int = 0
    rounds: int = 0
    features: int = 0
    features_lost: int = 0
    features_run_again: int = 0
    commits_made: int = 0
    commits_lost: int = 0
    files_made: int = 0
    files_lost: int = 0
    results_doubled: int = 0
    checks_made: int = 0
    checks_repeated: int = 0
    landed_twice: int = 0
    processes_left: int = 0
    fsck_errors: int = 0
    agent_runs_paid_again: int = 0
    slowest_end_seconds: float = 0.0
    """From a kill until the last process was gone, where the guard lived."""

    def __iadd__(self, other: Figures) -> Figures:
        for each in fields(self):
            one, two = getattr(self, each.name), getattr(other, each.name)
            both = max(one, two) if isinstance(one, float) else one + two
            setattr(self, each.name, both)
        return self

    def table(self) -> str:
        """One line a figure."""
        again = self.agent_runs_paid_again / max(1, self.kills)
        rows = {each.name.replace("_", " "): getattr(self, each.name) for each in fields(self)}
        rows["agent runs paid again"] = f"{self.agent_runs_paid_again} ({again:.2f} a kill)"
        rows["slowest end seconds"] = f"{self.slowest_end_seconds:.2f}"
        return "\n".join(f"  {name:24} {value}" for name, value in rows.items())


Meanwhile = Callable[[int], None]


class Violation(Exception):
    """Something did not hold."""


# -- a folder to run in -------------------------------------------------------------------


class Launcher:
    """A process that runs the command as often as it is told to, one at a time."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, LAUNCHER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._ended = False
        self.served = 0
        """How many orders it obeyed."""

    def obey(self, order: Mapping[str, object], meanwhile: Meanwhile | None = None) -> int:
        """The exit code of the command; negative where a signal ended it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.served += 1
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline())
        hangs = threading.Timer(LIMIT_SECONDS, self._end, (pid,))
        hangs.start()
        try:
            if meanwhile is not None:
                meanwhile(pid)
        finally:
            code = int(self.process.stdout.readline())
            hangs.cancel()
        if self._ended:
            self._ended = False
            raise Violation("a command hangs")
        return code

    def _end(self, pid: int) -> None:
        self._ended = True
        os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """No more orders."""
        self.process.communicate()


class Launchers:
    """One launcher for each that works side by side."""

    def __init__(self, count: int) -> None:
        self._idle: queue.Queue[Launcher] = queue.Queue()
        self._all = [Launcher() for _ in range(count)]
        for each in self._all:
            self._idle.put(each)

    @contextlib.contextmanager
    def one(self) -> Iterator[Launcher]:
        """One that has nothing to do."""
        launcher = self._idle.get()
        try:
            yield launcher
        finally:
            self._idle.put(launcher)

    def close(self) -> None:
        """End them all."""
        for each in self._all:
            each.close()


class Arena:
    """A copy of the template: runs the command in it and tells what is there."""

    def __init__(self, template: Template, launcher: Launcher) -> None:
        self.launcher = launcher
        self.template = template
        self.ids = template.ids
        self._begun = table.snapshot()[launcher.process.pid].started
        self._asked = launcher.served
        self._journal: tuple[tuple[int, int, int], list[dict[str, Any]]] = ((0, 0, 0), [])
        """Which state of the journal was read last, and what it had."""
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="ror-crash-"))
        shutil.copytree(template.root, self.root, dirs_exist_ok=True, symlinks=True)
        self.repository = os.path.join(self.root, "repository")
        self.checkout = os.path.join(self.root, "checkout")
        if template.targets:
            self._link_checkout()
        home = os.path.join(self.root, "home")
        self.environ = {
            **template.repository.environ,
            "HOME": home,
            "XDG_CONFIG_HOME": os.path.join(home, "xdg"),
            "GIT_CONFIG_GLOBAL": os.path.join(home, "gitconfig"),
            "TMPDIR": os.path.join(self.root, "tmp"),
            "RORCHESTRATOR_SIMULATION": os.path.join(self.root, "sessions"),
            "ROUND": self.root,
            **{n: v for n, v in os.environ.items() if n.startswith("PYTHON")},
        }

    def _link_checkout(self) -> None:
        """A worktree knows where it is: tell it that this is another place."""
        admin = os.path.join(self.repository, ".git", "worktrees", "checkout")
        for name, words in (
            (os.path.join(self.checkout, ".git"), f"gitdir: {admin}"),
            (os.path.join(admin, "gitdir"), os.path.join(self.checkout, ".git")),
        ):
            with open(name, "w", encoding="utf-8") as file:
                file.write(f"{words}\n")

    def order(
        self,
        *argv: str,
        environ: Mapping[str, str] | None = None,
        meanwhile: Meanwhile | None = None,
        **more: object,
    ) -> tuple[int, str]:
        """Exit code and output of a command, maybe with a fault.

        ``meanwhile`` gets the pid of the command while it is running.
        """
        output = os.path.join(self.root, "said")
        before = os.path.getsize(output) if os.path.exists(output) else 0
        folder = os.path.join(self.root, "plan")
        known = {**self.environ, "COLUMNS": "200", **(environ or {})}
        given = {"argv": argv, "folder": folder, "environ": known, "output": output, **more}
        code = self.launcher.obey(given, meanwhile)
        with open(output, encoding="utf-8") as file:
            file.seek(before)
            return code, file.read()

    def touch(self, name: str) -> None:
        """Make an empty file, which somebody waits for."""
        with open(os.path.join(self.root, name), "w", encoding="utf-8"):
            pass

    def type(self, words: Sequence[str], fault: Mapping[str, object], trace: str = "") -> int:
        """One of the template's commands; its exit code."""
        return self.order(*words, fault=fault, trace=trace)[0]

    def status(self) -> list[str]:
        """What is wrong with what ``status`` says, or ``status --json``: by turns."""
        self._asked += 1
        listed = self.template.listed(self.root)
        words = ("status", "--json") if self._asked % 2 else ("status",)
        code, said = self.order(*words)
        problems = [f"{' '.join(words)}: exit {code}: {said!r}"] if code else []
        if "--json" in words and not code:
            shown = [feature["id"] for feature in json.loads(said)["features"]]
        else:
            shown = [id for id in listed if f"{id} " in said]
        return problems + ([] if shown == listed else [f"{' '.join(words)} shows {shown}"])

    def git(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        """Exit code and output of git in the user's repository."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.repository,
            env={**self.environ, "GIT_OPTIONAL_LOCKS": "0"},
            input=os.fsencode(stdin),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return done.returncode, os.fsdecode(done.stdout)

    def lines(self, name: str) -> list[str]:
        """The lines of one of the agents' files."""
        with open(os.path.join(self.root, name), encoding="utf-8") as file:
            return file.read().splitlines()

    def refs(self) -> dict[str, str]:
        """Every ref and what it points to."""
        said = self.git("for-each-ref", "--format=%(refname) %(objectname)")[1]
        return dict(line.split(" ", 1) for line in said.splitlines())

    def completed(self) -> set[str]:
        """The features that have a result, as the refs or the journal tell."""
        results = "refs/rorchestrator/results/"
        found = {
            ref[len(results) :].split("/")[0] for ref in self.refs() if ref.startswith(results)
        }
        ends = self.events("ended")
        return found | {e["feature"] for e in ends if e["status"] == "completed"}

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """What the journal knows of these kinds, in whole lines; they say of which feature."""
        return [event for event in self.all_events() if event["event"] in kinds]

    def all_events(self) -> list[dict[str, Any]]:
        """What the journal has in whole lines."""
        path = os.path.join(self.repository, ".git", "rorchestrator", "journal.jsonl")
        if not os.path.exists(path):
            return []
        info = os.stat(path)
        state = (info.st_ino, info.st_size, info.st_mtime_ns)
        if state != self._journal[0]:
            with open(path, "rb") as file:
                whole = [line for line in file if line.endswith(b"\n")]
            self._journal = state, list(map(json.loads, whole))
        return self._journal[1]

    def trees(self) -> dict[str, str]:
        """The tree of each feature's branch, and of each branch that they land on."""
        branches = [*(f"feature/{id}" for id in self.ids), *self.template.targets]
        asked = "".join(f"{branch}^{{tree}}\n" for branch in branches)
        said = self.git("cat-file", "--batch-check=%(objectname)", stdin=asked)[1]
        return dict(zip((*self.ids, *self.template.targets), said.splitlines()))

    def tips(self) -> dict[str, str]:
        """Where the branches are that features land on."""
        refs = self.refs()
        return {branch: refs[f"refs/heads/{branch}"] for branch in self.template.targets}

    def scratch(self) -> list[str]:
        """What checks, merges and removals left beside the worktrees, or git knows of it."""
        admin = os.path.join(self.repository, ".git", "worktrees")
        folders = (os.path.join(self.root, "worktrees"), admin)
        names = [name for f in folders if os.path.isdir(f) for name in os.listdir(f)]
        return [name for name in names if "~" in name or "-scratch" in name]

    def wishes(self) -> list[str]:
        """What other terminals asked of a run, and nobody took."""
        folder = os.path.join(self.repository, ".git", "rorchestrator", "requests")
        return os.listdir(folder) if os.path.isdir(folder) else []

    def seen_by_user(self) -> dict[str, object]:
        """What no run may change: status, HEAD, index, config, and the user's branches."""
        seen: dict[str, object] = {"status": self.git("status", "--porcelain=v2", "--branch")}
        for name in ("HEAD", "index", "config"):
            with open(os.path.join(self.repository, ".git", name), "rb") as file:
                seen[name] = file.read()
        landing = (f"refs/heads/{branch}" for branch in self.template.targets)
        ours = ("refs/heads/feature/", "refs/rorchestrator/", *landing)
        seen["refs"] = {r: c for r, c in self.refs().items() if not r.startswith(ours)}
        return seen

    def living(self) -> list[int]:
        """Every process that was started here, or works here, and is alive."""
        for _ in range(LOOKS):
            processes = [p for p in table.snapshot().values() if not p.zombie]
            # In the middle of its exec nobody shows whose he is: look again.
            if not any(map(self._may_be_ours, processes)):
                break
            time.sleep(0.02)
        return [p.pid for p in processes if self._is_ours(p)]

    def died_at(self) -> str:
        """The point at which the last run died; empty where that was at none."""
        path = os.path.join(self.root, "died")
        if not os.path.exists(path):
            return ""
        point = self.lines("died")[0]
        os.unlink(path)
        return point

    def command_of(self, pid: int) -> str:
        """The command line of a process, and where it works."""
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode().replace("\0", " ")[:80].strip()
            return f"{words} in {table.working_folder(pid)}"
        return "gone"

    def _is_ours(self, process: table.Process) -> bool:
        if table.working_folder(process.pid).startswith(os.path.join(self.root, "worktrees")):
            return True
        return f"\0ROUND={self.root}\0".encode() in table._environment(process.pid)

    def _may_be_ours(self, process: table.Process) -> bool:
        later = int(process.started) >= int(self._begun)
        return later and table.is_changing(process.pid)

    def close(self) -> None:
        """End what is left, and remove everything."""
        for pid in self.living():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.root)


# -- a round ------------------------------------------------------------------------------


class Round:
    """The template's commands, killed and repeated until each is through.

    After each kill: nothing is alive after three seconds; ``status`` works; the repository is
    sound; what agents made can be reached; the user's own things are untouched; a branch to land
    on is where it was, or holds all that is to land and never moves again, and the checkout of it
    is clean, or stands at all that is to land. After each command that is through: no scratch
    worktree is left. At the end: all exited with 0, no feature ran again that had a result, or only
    had to be checked; no check was repeated that was green; each feature has one result and landed
    once, and the trees are those of commands that nobody disturbed.
    """

    def __init__(self, arena: Arena, trees: Mapping[str, str]) -> None:
        self.arena = arena
        self.ids = arena.ids
        self.commands = arena.template.commands
        self.trees = trees
        self.figures = Figures(rounds=1, features=len(self.ids))
        self.problems: list[str] = []
        self._user = self.arena.seen_by_user()
        self._begun = self.arena.tips()
        self._landed: dict[str, str] = {}
        """Where the branches went that features land on."""
        self._unguarded = False
        """Whether a guard was killed as well: then the next run ends what is left."""
        self._broken = False
        """Whether a git was killed as well: then the next run mends the repository."""
        self.point = ""
        """At which point the last run died."""
        self._finished: dict[str, int] = {}
        """How often the agent of each feature was started that need not be started again."""
        self._green: dict[str, int] = {}
        """How often each check was made that is known to be green, by its key."""

    def go(self, faults: Iterable[Mapping[str, object]]) -> None:
        """The whole round: a command is through when it did not meet the next fault."""
        left = iter(faults)
        try:
            for number, words in enumerate(self.commands):
                typed = words
                while self.kill(typed, self._next(left, number)):
                    kinds = {event["event"] for event in self.arena.all_events()}
                    typed = self.arena.template.after_a_kill(words, kinds)
            self.look()
        except Violation as violation:
            self.problems.append(str(violation))

    def _next(self, faults: Iterator[Mapping[str, object]], number: int) -> Mapping[str, object]:
        """The next fault of the how many-th command; none where there are no more."""
        return next((each for each in faults if each.get("command", number) == number), {})

    def go_through(self, points: Iterable[str]) -> list[str]:
        """A round with a kill at each of the points, one a run; those that never came."""
        left = list(points)

        def faults() -> Iterator[Mapping[str, object]]:
            while left:
                yield killed_at(*left)
                if self.point in left:
                    left.remove(self.point)

        self.go(faults())
        return left

    def kill(
        self, words: Sequence[str], fault: Mapping[str, object] | None = None, trace: str = ""
    ) -> bool:
        """Type a command; whether it met the fault. One that did not meet it is through."""
        fault = fault or {}
        code = self.arena.type(words, fault, trace)
        if code != KILLED:
            ends = {e["feature"]: e for e in self.arena.events("ended")}
            failed = [(i, e["status"], e["reason"]) for i, e in ends.items() if e.get("reason")]
            self._check(code == 0, f"{words[0]} ended with {code}: {failed}")
            self._unguarded = self._broken = False
            left = self.arena.scratch()
            self._check(not left, f"{words[0]} left scratch worktrees: {left}")
            return False
        self.figures.kills += 1
        point = self.point = self.arena.died_at()
        self._unguarded |= bool(fault.get("guard")) or "guard" in point
        self._broken |= bool(fault.get("commands")) or point.endswith("killed")
        self.look_at_what_is_left()
        return True

    def look_at_what_is_left(self) -> None:
        """What has to hold before the next run."""
        if not self._unguarded:
            self._nothing_lives()
            self._reachable()
        if not self._unguarded and not self._broken:
            self._sound()
            self._checkout_is_clean()
        self.problems += self.arena.status()
        self._unchanged_for_the_user()
        self._targets_hold()
        self._remember()

    def finish(self) -> None:
        """Run to the end, and compare."""
        self.go(())

    def look(self) -> None:
        """What has to hold after the last command."""
        self._nothing_lives()
        self._sound()
        self._reachable()
        self._checkout_is_clean()
        self.problems += self.arena.status()
        self._unchanged_for_the_user()
        self._targets_hold()
        self._count_again()
        self._count_checks()
        self._one_result_each()
        self._landed_once()
        trees = self.arena.trees()
        lost = [name for name in trees if trees[name] != self.trees[name]] if self.trees else []
        self.figures.features_lost += len(set(lost).intersection(self.ids))
        self._check(not lost, f"other trees than in an undisturbed run: {lost}")
        wishes = self.arena.wishes()
        self._check(not wishes, f"wishes that nobody answered: {wishes}")
        faults = os.listdir(os.path.join(self.arena.root, "tmp"))
        self._check(not faults, f"faults of its own: {faults}")

    def _check(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.problems.append(
                f"{otherwise} (killed at: {self.point})" if self.point else otherwise
            )

    def _nothing_lives(self) -> None:
        began = time.monotonic()
        while left := self.arena.living():
            if time.monotonic() > began + GONE_SECONDS:
                self.figures.processes_left += len(left)
                said = [f"{pid} ({self.arena.command_of(pid)})" for pid in left]
                self._check(False, f"alive after {GONE_SECONDS} s: {', '.join(said)}")
                return
            time.sleep(0.02)
        spent = time.monotonic() - began
        self.figures.slowest_end_seconds = max(self.figures.slowest_end_seconds, spent)

    def _sound(self) -> None:
        for words in (("fsck", "--no-dangling", "--no-progress"), ("fetch", "-q", ".")):
            code, said = self.arena.git(*words)
            self.figures.fsck_errors += words[0] == "fsck" and (code != 0 or bool(said))
            self._check(code == 0 and not said, f"git {words[0]}: exit {code}: {said}")
        for words in (("worktree", "list"), ("log", "--all", "--oneline")):
            code, said = self.arena.git(*words)
            self._check(code == 0, f"git {words[0]}: exit {code}: {said}")

    def _reachable(self) -> None:
        """Every commit from a ref; every file from a ref, or as it stands in a worktree."""
        objects = self.arena.git("rev-list", "--objects", "--glob=refs/*")[1].splitlines()
        reached = {line.split(" ", 1)[0] for line in objects}
        commits = {line.split()[2] for line in self._notes("commit")}
        files = {tuple(line.split()[1:]) for line in self._notes("file")}
        self.figures.commits_made = len(commits)
        self.figures.files_made = len(files)
        lost = commits - reached
        self.figures.commits_lost += len(lost)
        self._check(not lost, f"commits that no ref holds: {sorted(lost)}")
        gone = [f for f in files if blob(f[2]) not in reached and not self._stands(*f)]
        self.figures.files_lost += len(gone)
        self._check(not gone, f"files that are nowhere: {gone}")

    def _notes(self, kind: str) -> list[str]:
        return [line for line in self.arena.lines("notes") if line.startswith(f"{kind} ")]

    def _stands(self, id: str, name: str, content: str) -> bool:
        path = os.path.join(self.arena.root, "worktrees", id, name)
        if not os.path.exists(path):
            return False
        with open(path, encoding="utf-8") as file:
            return file.read() == f"{content}\n"

    def _unchanged_for_the_user(self) -> None:
        now = self.arena.seen_by_user()
        changed = [name for name, value in now.items() if value != self._user[name]]
        self._check(not changed, f"the user's {', '.join(changed)} changed")

    def _targets_hold(self) -> None:
        """A branch to land on moves once, to what is there when nobody disturbs it."""
        if not self.trees:
            return
        trees = self.arena.trees()
        for branch, tip in self.arena.tips().items():
            if branch in self._landed or tip != self._begun[branch]:
                first = self._landed.setdefault(branch, tip)
                self._check(tip == first, f"{branch} moved again, from {first} to {tip}")
                whole = trees[branch] == self.trees[branch]
                self._check(whole, f"{branch} went to {tip}, which is not what is to land")

    def _checkout_is_clean(self) -> None:
        if self.arena.template.targets:
            words = ("-C", self.arena.checkout, "status", "--porcelain", "--ignored")
            code, said = self.arena.git(*words)
            staged_only = all(line[1:2] == " " for line in said.splitlines())
            clean = code == 0 and (not said or (staged_only and self._is_half_moved()))
            self._check(clean, f"the checkout: exit {code}: {said}")

    def _is_half_moved(self) -> bool:
        """Whether all but the branch has moved: the next command finishes that."""
        at = ("-C", self.arena.checkout)
        unstaged, _ = self.arena.git(*at, "diff", "--quiet")
        return unstaged == 0 and self.arena.git(*at, "write-tree")[1].strip() in self.trees.values()

    def _landed_once(self) -> None:
        for branch, begun in self._begun.items():
            format = "--format=%(trailers:key=RoRchestrator-Feature,valueonly,separator=%x20)"
            said = self.arena.git("log", "--first-parent", format, f"{begun}..{branch}")[1]
            found = Counter(said.split())
            self.figures.landed_twice += sum(n - 1 for n in found.values() if n > 1)
            self._check(sorted(found.elements()) == sorted(self.ids), f"{branch} has {found}")

    def _remember(self) -> None:
        """What nobody has to pay for, or to wait for, again."""
        starts = Counter(self.arena.lines("starts"))
        retried = self.arena.template.retried
        for id in (self.arena.completed() | self._worked()).difference(retried):
            self._finished.setdefault(id, starts[id])
        made = self._checks()
        for event in self.arena.events("checked"):
            if event["passed"]:
                self._green.setdefault(event["key"], made[event["key"]])

    def _worked(self) -> set[str]:
        """The features whose agents succeeded, less those that may have to mend something."""
        last = {e["feature"]: e for e in self.arena.events("attempt_started", "attempt_ended")}
        done = {id for id, event in last.items() if event.get("status") == "completed"}
        return done.difference(self.arena.template.mended)

    def _checks(self) -> Counter[str]:
        return Counter(map(self.arena.template.key, self.arena.lines("checks")))

    def _count_checks(self) -> None:
        made = self._checks()
        self.figures.checks_made += sum(made.values())
        again = {key: made[key] - before for key, before in self._green.items()}
        self.figures.checks_repeated += sum(again.values())
        self._check(not any(again.values()), f"checks that were green already: {again}")

    def _count_again(self) -> None:
        starts = Counter(self.arena.lines("starts"))
        known = self.arena.template.starts
        self.figures.agent_runs_paid_again += sum(
            max(0, starts[id] - known.get(id, 1)) for id in self.ids
        )
        again = [id for id, before in self._finished.items() if starts[id] != before]
        self.figures.features_run_again += len(again)
        self._check(not again, f"ran again though they had a result: {again}")

    def _one_result_each(self) -> None:
        refs = [
            r.split("/")[3]
            for r in self.arena.refs()
            if r.startswith("refs/rorchestrator/results/")
        ]
        found = Counter(refs)
        self.figures.results_doubled += sum(n - 1 for n in found.values() if n > 1)
        expected = sorted((*self.ids, *self.arena.template.retried))
        self._check(sorted(refs) == expected, f"results: {dict(found)}")

    def close(self) -> None:
        """Remove the folder, unless something did not hold."""
        if not self.problems:
            self.arena.close()


def blob(content: str) -> str:
    """git's name for a file of one line."""
    data = f"{content}\n".encode()
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data)).hexdigest()


@dataclass
class Verdict:
    """How a round went."""

    name: str
    figures: Figures
    problems: Sequence[str] = ()
    folder: str = ""
    repeat: str = ""

    @property
    def missed(self) -> bool:
        """Whether a point that was asked for never came."""
        return not self.figures.kills and self.repeat.startswith("--point")


class Laboratory:
    """Makes rounds, several at once, and tells of them."""

    def __init__(
        self,
        agent: str = "quick",
        jobs: int = JOBS,
        say: Callable[[str], None] = print,
        template: Template | None = None,
        clean: bool = False,
    ) -> None:
        self.template = template or Shop(agent, clean=clean)
        self.launchers = Launchers(jobs)
        self.jobs = jobs
        self.say = say
        self.trees: dict[str, str] = {}
        self.points: list[str] = []
        self.counts: list[int] = []
        """How many of the points each command has."""
        self.left: list[str] = []
        """Points that a round with several kills went round."""
        self._undisturbed()

    def __enter__(self) -> Laboratory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the template; folders of broken rounds stay."""
        self.launchers.close()
        self.template.close()

    def _undisturbed(self) -> None:
        """Count the points of a run that nobody disturbs, and remember what it makes."""
        with self.launchers.one() as launcher:
            first = Round(Arena(self.template, launcher), {})
            for words in self.template.commands:
                first.kill(words, trace=os.path.join(first.arena.root, "trace"))
                self.counts.append(len(first.arena.lines("trace")) - sum(self.counts))
            first.look()
            if first.problems:
                raise Violation(f"the undisturbed run: {first.problems}")
            self.trees = first.arena.trees()
            self.points = sorted(first.arena.lines("trace"))
            first.close()

    def at(self, point: str) -> Verdict:
        """A round that is killed at one point, and then finishes."""
        for points in ([point], self._of_any_feature(point), self._of_any_feature(point)):
            verdict = self.through(points, f"--point '{point}'", name=point, alone=True)
            if verdict.figures.kills or verdict.problems:
                return verdict
        return verdict

    def _of_any_feature(self, point: str) -> list[str]:
        """The same point of each feature: which one takes over the checked base is chance."""
        named = _named(self.template.ids)
        return sorted({named.sub(id, point) for id in self.template.ids})

    def through(
        self, points: Sequence[str], repeat: str, *, name: str = "", alone: bool = False
    ) -> Verdict:
        """A round that is killed at each of the points; those that never came have their own."""
        with self.launchers.one() as launcher:
            each = Round(Arena(self.template, launcher), self.trees)
            left = each.go_through(points)
            each.close()
        if not each.problems and not alone:
            self.left += left
        return Verdict(name or repeat, each.figures, each.problems, each.arena.root, repeat)

    def randomly(self, seed: int, number: int) -> Verdict:
        """A round with some kills, each of another kind and at another time."""
        chance = random.Random(f"{seed}/{number}")
        faults = [self._any_fault(chance) for _ in range(1 + int(chance.expovariate(0.5)))]
        faults.sort(key=lambda fault: int(str(fault["command"])))
        clean = " --clean" if getattr(self.template, "clean", False) else ""
        return self.round(f"round {number}", faults, f"--seed {seed} --round {number}{clean}")

    def _any_fault(self, chance: random.Random) -> dict[str, object]:
        command = chance.choices(range(len(self.counts)), self.counts)[0]
        fault: dict[str, object] = {
            "command": command,
            "guard": chance.random() < 0.15,
            "commands": chance.random() < 0.15,
        }
        if chance.random() < 0.4:
            longest = 1.5 * self.counts[command] / max(self.counts)
            return {**fault, "after_seconds": chance.uniform(0.05, longest)}
        soon = chance.choice((0.0, chance.uniform(0.0, 0.03)))
        number = chance.randint(1, self.counts[command])
        return {**fault, "number": number, "delay_seconds": soon}

    def round(self, name: str, faults: Iterable[Mapping[str, object]], repeat: str) -> Verdict:
        """A round with these faults, one after the other; ``repeat`` says how to get it again."""
        with self.launchers.one() as launcher:
            each = Round(Arena(self.template, launcher), self.trees)
            each.go(faults)
            each.close()
        return Verdict(name, each.figures, each.problems, each.arena.root, repeat)

    def kinds(self) -> list[str]:
        """One point of each kind: of the steps of nine features they differ in names only.

        The first of a kind in a run rather than the second, which a killed one may not come to.
        """
        found: dict[str, str] = {}
        for point in sorted(self.points, key=lambda point: (" (" in point, point)):
            found.setdefault(self._kind(point), point)
        return sorted(found.values())

    def _kind(self, point: str) -> str:
        same = _named((*self.template.ids, "_base")).sub("ID", point)
        return re.sub(r" \(\d+\)| in ID", "", same)

    def kill_at(self, points: Iterable[str]) -> Report:
        """A round for each point."""
        return self.each(partial(self.at, point) for point in points)

    def each(self, rounds: Iterable[Callable[[], Verdict]], enough: int = 0) -> Report:
        """Make rounds side by side until all are made, or ``enough`` kills were survived."""
        report = Report()
        with ThreadPoolExecutor(self.jobs) as pool:
            waiting = iter(rounds)
            running = {pool.submit(make) for make in islice(waiting, self.jobs)}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    self._tell(report, each.result())
                if not enough or report.figures.kills < enough:
                    running |= {pool.submit(make) for make in islice(waiting, len(done))}
        return report

    def _tell(self, report: Report, verdict: Verdict) -> None:
        report.add(verdict)
        for problem in verdict.problems:
            self.say(f"BROKEN {verdict.name}: {problem}")
        if verdict.problems:
            self.say(f"  again: python3 -m tests.faults.crash {verdict.repeat}")
            self.say(f"  its folder: {verdict.folder}")
        elif verdict.missed:
            self.say(f"not reached: {verdict.name}")
        if report.figures.rounds % 25 == 0:
            self.say(f"{report.figures.rounds} rounds, {report.figures.kills} kills")


def _named(ids: Iterable[str]) -> re.Pattern[str]:
    """Finds features in the names of points, also their start commits."""
    return re.compile(rf"(?:\b|(?<=_start_))({'|'.join(map(re.escape, ids))})\b")


def killed_at(*points: str) -> dict[str, object]:
    """The fault that kills at the first of the points that is reached."""
    return {"points": points}


@dataclass
class Report:
    """All rounds so far."""

    figures: Figures = field(default_factory=Figures)
    broken: list[Verdict] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def __iadd__(self, other: Report) -> Report:
        self.figures += other.figures
        self.broken += other.broken
        self.missed += other.missed
        return self

    def add(self, verdict: Verdict) -> None:
        """Count one more."""
        self.figures += verdict.figures
        if verdict.problems:
            self.broken.append(verdict)
        elif verdict.missed:
            self.missed.append(verdict.name)


KILLS_A_ROUND = 24


def every(laboratory: Laboratory, points: Sequence[str], again: str, part: int = 0) -> Report:
    """Kill at each of the points once, some a round; ``part`` is the number of one round of them.

    A kill changes what the next run does: the points that it does not come to any more come in
    other rounds, and those that are left then have a round of their own.
    """
    rounds = -(-len(points) // KILLS_A_ROUND)
    report = laboratory.each(
        partial(laboratory.through, points[n::rounds], f"{again} --part {n + 1}")
        for n in ([part - 1] if part else range(rounds))
    )
    left, laboratory.left = sorted(laboratory.left), []
    report += laboratory.each(
        partial(laboratory.through, left[n :: laboratory.jobs], again)
        for n in range(laboratory.jobs)
    )
    report += laboratory.kill_at(sorted(laboratory.left))
    return report


def at_random(laboratory: Laboratory, kills: int, seed: int) -> Report:
    """Kill at random until that often."""
    rounds = (partial(laboratory.randomly, seed, number) for number in count())
    return laboratory.each(rounds, enough=kills)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tests.faults.crash", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--every", action="store_true", help="each point once")
    what.add_argument("--kinds", action="store_true", help="one point of each kind")
    what.add_argument("--random", type=int, metavar="N", help="at least N random kills")
    what.add_argument("--round", type=int, metavar="K", help="one round of --random again")
    parser.add_argument("--part", type=int, default=0, metavar="K", help="a round of --every")
    what.add_argument("--point", metavar="NAME", help="one point")
    what.add_argument("--list", action="store_true", help="the names of all points")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of --random, --round")
    parser.add_argument("--agent", choices=AGENTS, default="quick", help="who works")
    parser.add_argument("--clean", action="store_true", help="check in clean checkouts as well")
    parser.add_argument("--jobs", type=int, default=JOBS, metavar="J", help="rounds side by side")
    return parser


def _chosen(laboratory: Laboratory, arguments: argparse.Namespace) -> Report:
    if arguments.every:
        return every(laboratory, laboratory.points, "--every", arguments.part)
    if arguments.kinds:
        return every(laboratory, laboratory.kinds(), "--kinds", arguments.part)
    if arguments.random:
        return at_random(laboratory, arguments.random, arguments.seed)
    if arguments.point:
        return laboratory.kill_at([arguments.point])
    return laboratory.each([partial(laboratory.randomly, arguments.seed, arguments.round)])


def main() -> int:
    """The exit code: 1 where something did not hold, or nothing was killed."""
    arguments = _parser().parse_args()
    began = time.monotonic()
    with Laboratory(
        arguments.agent, arguments.jobs, say=partial(print, flush=True), clean=arguments.clean
    ) as laboratory:
        print(f"{len(laboratory.points)} crash points in a run that nobody disturbs", flush=True)
        if arguments.list:
            print("\n".join(laboratory.points))
            return 0
        report = _chosen(laboratory, arguments)
    print(report.figures.table())
    print(f"  {'seconds':24} {time.monotonic() - began:.0f}")
    good = report.figures.kills > 0 and not report.broken and not report.missed
    counts = f"{len(report.broken)} rounds broken, {len(report.missed)} points not reached"
    print(
        f"{'crash: all held' if good else 'crash: FAILED'} ({report.figures.kills} kills, {counts})"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
