"""Runs the command and kills it with SIGKILL at one of its crash points.

A crash point is a journal write, a command, or a change to a file. Nothing in the command knows
of them: this program wraps, from outside, the functions that every one of them goes through.
It has imported everything once, and forks for each order: a start would cost more than all else.
An order is a line of JSON on standard input with the keys of :class:`Order`; the answers are the
pid and, at its end, the exit code, negative where a signal ended it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

import ctypes  # noqa: F401 – these four only so that no fork has to import them
import random  # noqa: F401
import resource  # noqa: F401
import shutil  # noqa: F401

from core import cli
from core.commands import running
from core.journal import journal
from core.process import spawner, supervisor
from core.worktree import copy_link, tree_copy
from tests.support import imported  # noqa: F401 – as those above

CHANGING = (
    *("worktree", "checkout", "clean", "update-index", "commit", "update-ref", "commit-tree"),
    *("read-tree", "push", "POST", "PATCH"),
)
"""What git or gh does that is half done when it is killed; everything else only reads."""

AT_WORK_SECONDS = 0.06
"""From the start of an agent to a moment at which it has done something."""

STEPS = ("setup", "verify", "teardown")
"""How core marks the list's own commands."""

FIRST = ("old.py", "HEAD")
"""Of all the files of a folder that goes: one of a worktree, and one of what git knows of it."""

UNSTABLE = (
    (re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}"), "RUN"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "*"),
    (re.compile(r"\d{8}_\d{6}(_\d+)?"), "TIME"),
    (re.compile(r"\.\d+(\.tmp)?$"), r"\1"),
    (re.compile(r"\b\d{19}-"), ""),
    (re.compile(r"(?<= tmp/)[a-z0-9_]{8}$"), "*"),
    (re.compile(r"[~-]k?[0-9a-f]{8}(?=[~-]scratch)"), ""),
    (re.compile(r"\b[0-9a-f]{32}(-\d+-\d+)?|\b[0-9a-f]{20}(?=\.)"), "KEY"),
    (re.compile(r"(?<=^rename worktrees/)[^/]+(?=/\.git$)"), "*"),
)
"""What differs between two runs of the same list, also because of who takes over a checkout."""


class Order:
    """A command line, where it runs, and its fault."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.argv: list[str] = given["argv"]
        self.folder = str(given["folder"])
        self.environ: dict[str, str] = given["environ"]
        self.output = str(given["output"])
        """The file that all it prints is added to."""
        self.trace = str(given.get("trace", ""))
        """The file that the names of the points are added to that were reached."""
        self.fault = Fault(given.get("fault", {}))


class Fault:
    """When to die, and who dies as well."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.points = frozenset(given.get("points", ()))
        """The names of points, of which the first that is reached counts."""
        self.number = int(given.get("number", 0))
        """The how many-th point it is, from one."""
        self.delay_seconds = float(given.get("delay_seconds", 0.0))
        """How long after the point."""
        self.after_seconds = float(given.get("after_seconds", 0.0))
        """How long after the start, whatever has been reached then."""
        self.guard = bool(given.get("guard"))
        """Whether the guard goes first."""
        self.commands = bool(given.get("commands"))
        """Whether git goes first, as when the machine crashes."""


class Points:
    """Counts and names the points, and dies at the one that is asked for."""

    def __init__(self, fault: Fault, command: str) -> None:
        self.fault = fault
        self.prefix = "" if command == "run" else f"{command}: "
        """Before the names of other commands than ``run``."""
        self.names: list[str] = []
        self._seen: Counter[str] = Counter()
        self._commands: dict[int, str] = {}
        """What is running, by the descriptor of its output."""

    def named(self, label: str) -> str:
        """A name for something that may happen more than once."""
        self._seen[label] += 1
        number = self._seen[label]
        return self.prefix + (f"{label} ({number})" if number > 1 else label)

    def wanted(self, name: str) -> bool:
        """Note that a point was reached; whether the end is now."""
        self.names.append(name)
        now = name in self.fault.points or len(self.names) == self.fault.number
        if now:
            with open(os.path.join(os.environ["ROUND"], "died"), "w", encoding="utf-8") as file:
                file.write(name)
        return now

    def reached(self, name: str) -> None:
        """A point: go on, or die."""
        if self.wanted(name):
            self.die_soon(self.fault.delay_seconds)

    def die_soon(self, seconds: float) -> None:
        """Die, or go on for so long."""
        if seconds:
            threading.Thread(target=self._die_after, args=(seconds,), daemon=True).start()
        else:
            self.die()

    def _die_after(self, seconds: float) -> None:
        time.sleep(seconds)
        self.die()

    def die(self) -> NoReturn:
        """Nothing of ours runs after this."""
        for pid, words in _children():
            if self.fault.guard if b"process.guard" in words else self._is_git(words):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")

    def _is_git(self, words: bytes) -> bool:
        if b"\0read-tree\0" in words:
            return False  # it works in a checkout of the user's, and comes to its end there
        return self.fault.commands and words.startswith((b"git\0", b"/bin/sh\0-c\0cd -- "))

    # -- the functions that everything goes through ---------------------------------------

    def wrap_journal(self) -> None:
        """Each event: half a line, then a whole one."""
        write = journal._write_through

        def write_through(file: int, line: bytes) -> None:
            event = json.loads(line)
            words = ("journal", event["event"], event.get("feature", ""))
            name = self.named(" ".join(filter(None, words)))
            if self.wanted(f"{name}: torn"):
                os.write(file, line[: len(line) // 2])
                self.die()
            write(file, line)
            self.reached(f"{name}: whole")

        journal._write_through = write_through

    def wrap_commands(self) -> None:
        """Each command: just begun, killed in the middle, finished."""
        start, finish = spawner.spawn, spawner.Scratch.finished

        def spawn(argv: Sequence[str], env: Mapping[str, str], actions: Any) -> int:
            name = self.named(_label(argv, env))
            pid = start(argv, env, actions)
            self._commands.update({a[1]: name for a in actions if a[2:] == (1,)})
            self._while_it_runs(name, pid)
            return pid

        def finished(scratch: spawner.Scratch, code: int) -> spawner.Finished:
            name = self._commands[scratch.output]
            if not self._only_reads(name):
                self.reached(f"{name}: finished")
            return finish(scratch, code)

        spawner.spawn = supervisor.spawn = spawn
        spawner.Scratch.finished = finished  # type: ignore[method-assign]

    def _only_reads(self, name: str) -> bool:
        """Whether it changed nothing, and another one like it has its point already."""
        return name.endswith(")") and name[len(self.prefix) :].split()[1] not in CHANGING

    def _while_it_runs(self, name: str, pid: int) -> None:
        words = name[len(self.prefix) :].split()
        if words[0] in ("agent", *STEPS):
            self.reached(f"{name}: begun")
            modes = ["at work", "at work, guard killed too"]
            if words[0] in STEPS:
                which = _chance(name, 2)
                modes = modes[which : which + 1]
            for mode in modes:
                if self.wanted(f"{name}: {mode}"):
                    self.fault.guard = "guard" in mode
                    time.sleep(AT_WORK_SECONDS)
                    self.die()
        elif words[1:2] and words[1] in CHANGING:
            self.reached(f"{name}: begun")
            if not _is_for_the_user(words) and self.wanted(f"{name}: killed"):
                # At another moment for each command, but at the same one each time.
                time.sleep(_chance(name, 50) / 10_000)
                os.killpg(pid, signal.SIGKILL)
                self.die()

    def wrap_files(self) -> None:
        """Each file that goes, or gets another name."""
        for word in ("unlink", "rename", "replace"):
            setattr(os, word, self._wrapped(word, getattr(os, word)))
        clone = copy_link.clone

        def copied(source: str, target: str, *more: Any) -> None:
            clone(source, target, *more)
            self.reached(self.named(_stable(f"copy {_short(target)}")))

        copy_link.clone = copied
        copy = tree_copy.FileCopier.copy

        def copied_too(copier: tree_copy.FileCopier, source: str, target: str) -> os.stat_result:
            info = copy(copier, source, target)
            self.reached(self.named(_stable(f"copy {_short(target)}")))
            return info

        tree_copy.FileCopier.copy = copied_too  # type: ignore[method-assign]

    def _wrapped(self, word: str, change: Callable[..., None]) -> Callable[..., None]:
        def changed(path: Any, *arguments: Any, **keywords: Any) -> None:
            change(path, *arguments, **keywords)
            if keywords.get("dir_fd") is not None and path not in FIRST:
                return  # one file of a whole folder that goes
            self.reached(self.named(_stable(f"{word} {_short(os.fsdecode(path))}")))

        return changed


def _is_for_the_user(words: Sequence[str]) -> bool:
    """Whether git changes the user's checkout or branch: a lock that it leaves there is theirs."""
    return words[1] == "read-tree" or words[1:3] == ["update-ref", "rorchestrator"]


def _children() -> list[tuple[int, bytes]]:
    """Our children and their command lines."""
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        pids = [int(pid) for pid in file.read().split()]
    found = []
    for pid in pids:
        with suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            found.append((pid, file.read()))
    return found


def _chance(name: str, among: int) -> int:
    """Another number for each name, but the same one each time."""
    return zlib.crc32(name.encode()) % among


def _label(argv: Sequence[str], env: Mapping[str, str]) -> str:
    """What a command is called in the name of a point."""
    words = list(argv)
    if words[1:3] == ["-c", supervisor.REGISTER]:
        words = [os.path.basename(words[4]), *words[5:]]
    if words[:2] == ["gh", "api"]:
        return f"gh {words[words.index('--method') + 1]} {words[-1]}"
    if words[0] != "git":
        _, feature, kind = ("//" + env.get(supervisor.MARK, "")).rsplit("/", 2)
        kind = kind.rstrip(";")
        return f"{kind if kind in STEPS else 'agent'} {feature}" if feature else "guard"
    at = words[2] if words[1:2] == ["-C"] else ""
    kept = _without_options(words[3 if at else 1 :])
    folder, name = os.path.split(at)
    # Who takes over the checkout of another one, and has it cleaned, is chance.
    place = os.path.basename(folder) == "worktrees" and kept[0] != "clean"
    return _stable(" ".join(["git", *kept]) + (f" in {name}" if place else ""))


def _without_options(words: list[str]) -> list[str]:
    while words[:1] == ["-c"]:
        words = words[2:]
    return [_short(word).split("\n", 1)[0] for word in words if not word.startswith("-")]


def _short(path: str) -> str:
    root = os.environ["ROUND"]
    return os.path.relpath(path, root) if path.startswith(root + os.sep) else path


def _stable(text: str) -> str:
    for pattern, instead in UNSTABLE:
        text = pattern.sub(instead, text)
    return text


def obey(order: Order) -> int:
    """Run the command of an order, with its fault; the exit code."""
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environ)
    points = Points(order.fault, order.argv[0])
    points.wrap_journal()
    points.wrap_commands()
    points.wrap_files()
    if os.environ.get("HOLD") == "report":
        hold_report(os.environ["ROUND"])
    if order.fault.after_seconds:
        points.die_soon(order.fault.after_seconds)
    code = cli.main(order.argv)
    if order.trace:
        with open(order.trace, "a", encoding="utf-8") as file:
            file.writelines(f"{name}\n" for name in points.names)
    return code


def fork(order: Order) -> int:
    """A process of its own that obeys; its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        output = os.open(order.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for target, source in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
            os.dup2(source, target)
        code = obey(order)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def hold_report(folder: str) -> None:
    """Have the report wait, with a file ``held`` in the folder, for a file ``go``."""
    write = running.write_reports

    def write_reports(*given: Any) -> list[str]:
        with open(os.path.join(folder, "held"), "w", encoding="utf-8"):
            pass
        while not os.path.exists(os.path.join(folder, "go")):
            time.sleep(0.02)
        return write(*given)

    running.write_reports = write_reports


def main() -> None:
    """Take orders until there are no more."""
    # Commands get signals as at a terminal, even if `nohup` or a shell's `&` started the tests.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for line in sys.stdin:
        pid = fork(Order(json.loads(line)))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
