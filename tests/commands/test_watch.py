"""``watch``: a run from another terminal, from a pipe, and a run that is over."""

from __future__ import annotations

import errno
import io
import os
import signal
import termios
import time
import unittest
from collections.abc import Sequence

from core import cli
from core.model import events
from core.model.events import Event
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status
from core.views import terminal_codes as codes
from tests.support.commands import Running, standing_in, streams, terminal, wait_until
from tests.support.lives import RUN, attempt
from tests.support.runs import read_until
from tests.support.workspace import Workspace, feature

KNOWN = {"TERM": "xterm-256color"}
FAILED = FeatureOutcome(Status.FAILED, "no luck")


def begun(run: str = RUN) -> Event:
    return events.run_started(
        time.time(),
        run,
        pid=os.getpid(),
        base_branch="main",
        base_commit="ba5e",
        features=["auth", "api"],
        max_parallel=1,
    )


def ended() -> Sequence[Event]:
    return (
        events.attempt_ended(time.time(), RUN, "auth", AttemptOutcome(Status.FAILED, "no luck")),
        events.ended(time.time(), RUN, "auth", FAILED),
        events.run_ended(time.time(), RUN, exit_code=1),
    )


class WatchTest(unittest.TestCase):
    def setUp(self) -> None:
        self.space = Workspace([feature("auth"), feature("api")])
        self.addCleanup(self.space.close)

    def says(self, running: Running, words: str) -> None:
        wait_until(lambda: words in running.out + running.err, words)


class AfterARun(WatchTest):
    def test_its_end_is_shown_at_once_and_its_exit_code_on_request(self) -> None:
        self.space.record(begun(), *attempt("auth"), *ended())
        said = self.space.main("watch", "--config", "config")
        self.assertEqual(said.code, 0)
        self.assertRegex(said.err, rf"^Run {RUN} ended \d{{4}}-.*, exit code 1\n$")
        self.assertTrue(said.out.startswith("❌ 0/2 features completed in "), said.out)
        self.assertIn("❌ auth: failed\n    no luck\n", said.out)
        self.assertIn("→ rorchestrator retry --config config auth\n", said.out)
        page = f"→ rorchestrator report --config config {RUN} --open  (its page)\n"
        self.assertTrue(said.out.endswith(page), said.out)
        said = self.space.main("watch", "--exit-status", "-q")
        self.assertEqual((said.code, said.err), (1, ""))

    def test_a_killed_run_is_told_and_is_no_success(self) -> None:
        self.space.record(begun(), *attempt("auth"))
        said = self.space.main("watch", "--exit-status")
        self.assertEqual((said.code, said.out), (1, ""))
        self.assertEqual(said.err, f"Run {RUN} was killed. To continue it: rorchestrator run\n")

    def test_without_a_run_there_is_nothing_to_watch(self) -> None:
        said = self.space.main("watch")
        self.assertEqual(said.code, 2)
        self.assertIn("no run has started in this repository yet", said.err)


class WhileARunIsInProgress(WatchTest):
    def test_a_pipe_gets_the_lines_of_the_run_from_its_start_to_its_end(self) -> None:
        with self.space.at_work(begun(), *attempt("auth")):
            running = self.space.start("watch", "--exit-status")
            self.says(running, "🚀 auth: started")
            self.space.record(*ended())
            said = running.end()
        self.assertEqual(said.code, 1)
        lines = said.out.splitlines()
        self.assertRegex(lines[0], r"^\[[-0-9: ]+\] 🚀 auth: started$")
        self.assertIn("❌ auth: failed", lines[1])
        self.assertTrue(lines[2].startswith("❌ 0/2 features completed"))
        self.assertIn(f"Run {RUN}, pid {os.getpid()}, since ", said.err)

    def test_a_run_that_is_about_to_start_is_waited_for(self) -> None:
        with self.space.at_work():
            running = self.space.start("watch", "--exit-status")
            self.says(running, f"The run of pid {os.getpid()} has not started yet: waiting.\n")
            self.space.record(begun())
            self.says(running, f"Run {RUN}, pid ")
        self.says(running, f"Run {RUN} was killed.")
        self.assertEqual(running.end().code, 1)

    def test_a_run_that_took_the_place_of_a_killed_one_is_followed(self) -> None:
        with self.space.at_work(begun(), *attempt("auth")):
            running = self.space.start("watch")
            self.says(running, "🚀 auth: started")
            over = events.run_ended(time.time(), "r2", exit_code=0)
            self.space.record(begun("r2"), over, begun("r3"))
            said = running.end()
        self.assertIn(f"Run {RUN} was killed; run r2 has started\n", said.err)
        self.assertIn("Run r2 ended ", said.err)
        self.assertIn("Run r3 has started since: rorchestrator watch\n", said.err)

    def test_a_journal_that_is_replaced_is_an_error(self) -> None:
        with self.space.at_work(begun(), *attempt("auth")):
            running = self.space.start("watch")
            self.says(running, "🚀 auth: started")
            os.unlink(os.path.join(self.space.state_folder, "journal.jsonl"))
            said = running.end()
        self.assertEqual(said.code, 2)
        self.assertIn("the journal was replaced while it was followed", said.err)

    def test_it_ends_when_nobody_reads_it(self) -> None:
        class Closed(io.TextIOWrapper):
            def write(self, words: str) -> int:
                raise BrokenPipeError(errno.EPIPE, "Broken pipe")

        out, err = Closed(io.BytesIO()), io.StringIO()
        place = standing_in(self.space.path, self.space.environ)
        with self.space.at_work(begun(), *attempt("auth")), place, streams(out, err):
            self.assertEqual(cli.main(["watch", "--exit-status"]), 0)
        self.assertNotIn("killed", err.getvalue())

    def test_a_terminal_gets_the_live_view(self) -> None:
        with self.space.at_work(begun(), *attempt("auth")), terminal() as (ours, theirs):
            running = self.space.start("watch", terminal=theirs, env=KNOWN)
            before = termios.tcgetattr(theirs)
            shown = read_until(ours, "0/2 done")
            running.signal(signal.SIGUSR1)
            shown += read_until(ours, "(claude ")
            os.write(ours, b"s")
            shown += read_until(ours, "(claude ")
            os.write(ours, b"p")
            requests = os.path.join(self.space.state_folder, "requests")
            wait_until(lambda: os.path.isdir(requests) and os.listdir(requests), "a request")
            self.space.record(*ended())
            shown += read_until(ours, "features completed")
            self.assertEqual(running.end().code, 0, shown)
            self.assertEqual(termios.tcgetattr(theirs), before)
        self.assertIn("auth\x1b[0m  starts ", shown)

    def test_a_killed_watch_leaves_the_terminal_as_it_was(self) -> None:
        with self.space.at_work(begun(), *attempt("auth")), terminal() as (ours, theirs):
            before = termios.tcgetattr(theirs)
            running = self.space.start("watch", terminal=theirs, env=KNOWN)
            read_until(ours, "0/2 done")
            wait_until(lambda: termios.tcgetattr(theirs) != before, "it takes the keys")
            running.signal(signal.SIGKILL)
            shown = read_until(ours, codes.POP_TITLE)
            wait_until(lambda: termios.tcgetattr(theirs) == before, "they are given back")
            self.assertIn(codes.NO_PROGRESS, shown)
