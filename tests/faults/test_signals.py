"""Signals in every phase of a feature: once, and twice. A terminal that closes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
import unittest
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from tests.faults import skip_unless_wanted
from tests.faults.crash import Arena, Laboratory, Round
from tests.faults.template import WORK, Template
from tests.support.commands import HAS_PROC, Running, terminal, wait_until
from tests.support.workspace import WorkspaceTest, feature

setUpModule = skip_unless_wanted


CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}

HELD = "pages"
"""The feature that is held in a phase; another one needs it."""

ENDS = {
    # How it ends where git and the hooks may finish after the first signal, and where a second
    # one kills them.
    "worktree": ("cancelled", "cancelled"),
    "agent": ("cancelled", "cancelled"),
    "verify": ("completed", "cancelled"),
    "commit": ("completed", "cancelled"),
    "branches": ("completed", "completed"),
    # Its end is in the journal already: there is nothing left to stop.
    "report": ("completed", "completed"),
}

HOLD = f"""\
# git also looks at the worktree before Claude works in it.
[ "$1" != verify ] || grep -q {HELD} docs/guide.md || exit 0
if [ "$HOLD" = "$1" ] && [ "${{2:-${{PWD##*/}}}}" = {HELD} ]; then
  touch "$ROUND/held"
  while [ ! -e "$ROUND/go" ]; do sleep 0.02; done
fi
"""
"""Waits in the phase that ``HOLD`` names; each phase has a place that calls it."""

GIT = f"""\
#!/bin/sh
case $* in *" refs/heads/ refs/stash") sh "$ROUND/hold" branches {HELD} ;; esac
exec {shutil.which("git")} "$@"
"""
"""What asks for branches and stash is the run's last look, once its features are over."""


MORE_WORK = f"""\
if [ "${{PWD##*/}}" = {HELD} ]; then
  sh "$ROUND/hold" agent
  echo pages >docs/guide.md
fi
"""


class Holding(Template):
    """A template in which each phase can be held: by an agent, a hook, filters, and a git."""

    def __init__(self) -> None:
        super().__init__("quick", {HELD: [], "views": [HELD]})
        self.write("hold", HOLD)
        self.write("work", MORE_WORK + WORK)
        self.program("bin/git", GIT)
        self.program("repository/.git/hooks/pre-commit", '#!/bin/sh\nsh "$ROUND/hold" commit\n')
        os.makedirs(os.path.join(self.root, "repository/.git/info"), exist_ok=True)
        self.write("repository/.git/info/attributes", "docs/guide.md filter=held\n")
        # A look at the worktree cleans what has another date, but the same size.
        for kind, phase in (("smudge", "worktree"), ("clean", "verify")):
            self.repository.git("config", f"filter.held.{kind}", f'sh "$ROUND/hold" {phase}; cat')

    def program(self, name: str, text: str) -> None:
        """Write an executable file."""
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.write(name, text)
        os.chmod(path, 0o755)


@dataclass(frozen=True)
class Case:
    """Which signal, when, and how often."""

    phase: str
    number: signal.Signals
    twice: bool

    def __str__(self) -> str:
        return f"{self.number.name} {'twice' if self.twice else 'once'}, {self.phase}"

    @property
    def code(self) -> int:
        """The exit code of the run."""
        return 0 if self.phase == "report" else CODES[self.number]

    @property
    def status(self) -> str:
        """How the held feature ends."""
        return ENDS[self.phase][self.twice]


def cases() -> Iterator[Case]:
    """All of them."""
    for phase in ENDS:
        for number in CODES:
            for twice in (False, True):
                yield Case(phase, number, twice)


class Signalled:
    """A run that gets a case's signals, and the run after it."""

    def __init__(self, case: Case, each: Round) -> None:
        self.case = case
        self.round = each
        self.arena = each.arena

    def problems(self) -> list[str]:
        """What did not hold."""
        path = f"{os.path.join(self.arena.root, 'bin')}:{self.arena.environ['PATH']}"
        held = {"HOLD": self.case.phase, "PATH": path}
        code, said = self.arena.order("run", "--yes", environ=held, meanwhile=self.signal)
        left = self._living()
        found = [f"exit {code}: {said}"] if code != self.case.code else []
        found += [f"left running: {left}"] if left else []
        found += self._journal()
        self.round.look_at_what_is_left()
        self.round.finish()
        return found + self.round.problems

    def _living(self) -> list[int]:
        """Who outlived the run. One that was killed has a pid for a moment longer."""
        found = self.arena.living()
        if found:
            time.sleep(0.1)
        return [pid for pid in found if pid in self.arena.living()]

    def signal(self, pid: int) -> None:
        """Signal the run once its feature is held, and let it go on."""
        self.wait_for("held")
        os.kill(pid, self.case.number)
        if self.case.phase != "report":
            wait_until(lambda: "Stopping" in self.said(), "the signal is heard")
        if self.case.twice:
            os.kill(pid, self.case.number)
        if self.case.phase == "report" or not (self.case.twice or self.case.phase == "agent"):
            self.arena.touch("go")

    def wait_for(self, name: str) -> None:
        path = os.path.join(self.arena.root, name)
        wait_until(lambda: os.path.exists(path), f"{name} is there")

    def said(self) -> str:
        with open(os.path.join(self.arena.root, "said"), encoding="utf-8") as file:
            return file.read()

    def _journal(self) -> list[str]:
        """What is wrong with the journal; every line of it has to be whole."""
        path = os.path.join(self.arena.repository, ".git/rorchestrator/journal.jsonl")
        with open(path, "rb") as file:
            lines = file.readlines()
        events = [json.loads(line) for line in lines if line.endswith(b"\n")]
        found = [] if len(events) == len(lines) else ["the journal is torn"]
        last = events[-1]
        if (last["event"], last.get("exit_code")) != ("run_ended", self.case.code):
            found.append(f"the journal ends with {last}")
        ends = [e["status"] for e in events if e["event"] == "ended" and e["feature"] == HELD]
        return found + ([] if ends == [self.case.status] else [f"{HELD} ended as {ends}"])


@unittest.skipUnless(HAS_PROC, "needs /proc")
class SignalTest(unittest.TestCase):
    def test_any_signal_in_any_phase_ends_everything_and_the_next_run_finishes(self) -> None:
        with Laboratory(template=Holding()) as laboratory:

            def check(case: Case) -> list[str]:
                with laboratory.launchers.one() as launcher:
                    each = Round(Arena(laboratory.template, launcher), laboratory.trees)
                    try:
                        return Signalled(case, each).problems()
                    finally:
                        each.arena.close()

            with ThreadPoolExecutor(laboratory.jobs) as pool:
                for case, problems in zip(cases(), pool.map(check, cases())):
                    with self.subTest(str(case)):
                        self.assertEqual(problems, [])


class StormTest(WorkspaceTest):
    def test_interrupts_at_every_moment_of_a_start_leave_nothing_running(self) -> None:
        features = [feature(f"f{n}", {"sleep": 0.1}, {"write": "x"}) for n in range(8)]
        self.workspace.features(*features, max_parallel=8)
        for pause in (0.0, 0.0005, 0.002, 0.004, 0.008):
            with self.subTest(seconds_between=pause):
                # A start of its own: what an interrupt meets in Python's counts as well.
                running = self.workspace.start("run", "--yes", "--fresh", under=("env",))
                wait_until(partial(self.has_begun, running), "the run has begun")
                for _ in range(40):
                    with contextlib.suppress(ProcessLookupError):
                        running.signal(signal.SIGINT)
                    time.sleep(pause)
                # The signal itself ends it before Python has begun, and when Python is done.
                self.assertIn(running.end().code, (130, -signal.SIGINT))
                self.assertEqual(self.workspace.processes(), [])
        done = self.workspace.run()
        self.assertEqual(done.code, 0, done.out)
        self.assertEqual(set(self.workspace.statuses().values()), {"completed"})

    def has_begun(self, running: Running) -> bool:
        """Whether it started its first feature, and will start seven more."""
        runs = {e["run"] for e in self.workspace.journal() if e["event"] == "preparing"}
        seen = len(runs) > len(self.runs)
        self.runs |= runs
        return seen

    def setUp(self) -> None:
        super().setUp()
        self.runs: set[str] = set()


class TerminalTest(WorkspaceTest):
    def test_a_commit_finishes_although_the_terminal_closes(self) -> None:
        path = self.workspace.beside
        gate = f"touch '{path('held')}'; while [ ! -e '{path('go')}' ]; do sleep 0.02; done"
        self.workspace.hook("pre-commit", gate)
        self.workspace.features(feature("a"), feature("b", depends_on=["a"]))
        with terminal() as (ours, theirs):
            running = self.workspace.start("run", "--yes", terminal=theirs)
            os.close(theirs)
            wait_until(lambda: os.path.exists(path("held")), "the commit has begun")
            os.close(ours)
            self.workspace.touch("go")
            self.assertEqual(running.end().code, 129)
        self.assertEqual(self.workspace.processes(), [])
        self.assert_statuses(a="completed", b="cancelled")
        self.assertEqual(self.workspace.run().code, 0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)
        self.assert_statuses(a="completed", b="completed")


if __name__ == "__main__":
    unittest.main()
