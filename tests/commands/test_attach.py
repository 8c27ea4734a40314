"""`attach`: a session in its worktree."""

from __future__ import annotations

import io
import os
import signal
import time
import unittest

from core import cli
from core.journal.lock import RunLock
from core.model import events
from core.model.errors import UserError
from core.model.outcome import FeatureOutcome, Status
from core.process.spawner import exec_program
from tests.support.commands import CommandResult, Terminal, standing_in, streams, terminal
from tests.support.lives import RUN, attempt
from tests.support.runs import read_until
from tests.support.steered_runs import Run, started
from tests.support.workspace import Workspace, feature


class AttachTest(unittest.TestCase):
    def setUp(self) -> None:
        self.space = Workspace([feature("auth"), feature("api")])
        self.addCleanup(self.space.close)
        self.script = os.path.join(self.space.root, "claude")

    def has_session(self, id: str = "auth") -> str:
        """As an attempt leaves it, that failed."""
        worktree = self.space.worktree(id)
        os.makedirs(worktree)
        ended = events.ended(time.time(), RUN, id, FeatureOutcome(Status.FAILED, "it did not work"))
        self.space.record(*attempt(id, worktree=worktree), ended)
        return worktree

    def claude(self, text: str) -> None:
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.script, 0o755)
        options = {"command": [self.script], "model": "opus", "max_turns": 3}
        self.space.document["claude"] = options
        self.space.change()

    def attach(self, *words: str) -> CommandResult:
        """Type it on a terminal, in this process."""
        self.space.agree("attach")
        with standing_in(self.space.path, self.space.environ):
            out, err = io.StringIO(), io.StringIO()
            with streams(out, err, Terminal(io.BytesIO())):  # type: ignore[arg-type]
                code = cli.main(("attach", *words))
        return CommandResult(code, out.getvalue(), err.getvalue())

    def attached(self) -> list[str]:
        from core.journal.journal import Journal

        told = [e for e in Journal(self.space.state_folder).read() if e.kind == "steered"]
        return [str(e.data["text"]) for e in told if e.data["action"] == "attach"]

    def test_the_session_is_opened_in_its_worktree_with_the_rules_of_the_list(self) -> None:
        worktree = self.has_session()
        self.claude(
            '#!/bin/sh\npwd\nprintf "%s\\n" "$@"\necho "$CLAUDE_CODE_MAX_RETRIES$CLAUDECODE"\n'
        )
        printed = self.space.main("attach", "auth", "--print").out
        self.assertTrue(printed.startswith(f"cd {worktree} && {self.script} "), printed)
        self.assertEqual(self.attached(), [])
        with terminal() as (ours, theirs):
            done = self._on_terminal(theirs, {"CLAUDECODE": "1"})
            said = read_until(ours, "\r\n3\r\n").split()
        self.assertEqual(done, 0)
        self.assertEqual(said[0], worktree)
        self.assertIn("--resume=s1", said)
        self.assertIn("--model=opus", said)
        self.assertFalse([word for word in said if word == "-p" or "max-turns" in word])
        self.assertEqual(said[-1], "3")
        self.assertEqual(self.attached(), ["auth: its session was opened"])
        self.assertIsNone(RunLock(self.space.state_folder).holder())

    def _on_terminal(self, theirs: int, env: dict[str, str]) -> int:
        import subprocess

        return subprocess.run(
            self.space.argv("attach", "auth"),
            cwd=self.space.path,
            env={**self.space.environ, **env},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            timeout=60,
            check=False,
        ).returncode

    def test_attach_without_a_session_gives_the_next_step(self) -> None:
        for said, words in (
            (self.attach("auth"), "auth has no session yet"),
            (
                self.has_session() and self.space.main("attach", "auth"),
                "a session needs a terminal\n  next: rorch",
            ),
        ):
            self.assertEqual(said.code, 2)
            self.assertIn(words, said.err)
        os.rmdir(self.space.worktree("auth"))
        self.assertIn("the worktree of auth no longer exists", self.attach("auth").err)
        self.assertEqual(self.attached(), [])

    def test_a_claude_that_does_not_start_is_reported(self) -> None:
        self.has_session()
        self.claude("\x00 is no program")
        before = signal.getsignal(signal.SIGPIPE)
        said = self.attach("auth")
        self.assertIn("could not be started: Exec format error", said.err)
        self.assertIs(signal.getsignal(signal.SIGPIPE), before)
        with self.assertRaises(UserError):
            exec_program([self.script], {}, self.space.path + "/nowhere")

    def test_a_list_that_bypasses_permissions_needs_the_users_word(self) -> None:
        self.has_session()
        self.claude("#!/bin/sh\n")
        self.space.document["claude"] = {
            "command": [self.script],
            "permission_mode": "bypassPermissions",
        }
        self.space.change()
        refused = self.space.main("attach", "auth", "--print")
        self.assertEqual(refused.code, 2)
        self.assertIn("rorchestrator attach auth --print --allow-bypass", refused.err)
        self.assertEqual(self.space.main("attach", "auth", "--print", "--allow-bypass").code, 0)

    def test_while_a_run_is_on_it_is_asked(self) -> None:
        self.has_session()
        self.claude("\x00")
        for done, words in ((True, "Exec format error"), (False, "attach of True\n  next: try")):
            run = Run(self.space, done=done)
            with self.space.at_work(started("r1", os.getpid())):
                run.start()
                said = self.attach("auth")
                run.over.set()
                run.join()
            self.assertIn(words, said.err)
        begun = attempt("auth", worktree=self.space.worktree("auth"))
        with self.space.at_work(started("r1", os.getpid()), *begun):
            said = self.attach("auth")
        self.assertEqual(said.code, 1)
        self.assertIn("auth is running\n  next: rorchestrator stop auth", said.err)
