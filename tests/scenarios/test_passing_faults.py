"""Faults that pass: what Claude was paid for is never thrown away for one of them."""

from __future__ import annotations

import os
import signal
import unittest
from unittest import mock

from core.runner import feature_run
from tests.support.commands import wait_until
from tests.support.once import skip_if_run_elsewhere
from tests.support.paths import AGENT
from tests.support.workspace import WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere

FAILING_GIT = """\
#!/bin/sh
# Fails as often as the file FAILS/<name> has lines.
case " $* " in
  *" status "*) name=status ;;
  *" worktree list "*) name=list ;;
  *" update-ref refs/rorchestrator/results/"*) name=update-ref ;;
  *) name=none ;;
esac
if [ -s "FAILS/$name" ]; then
  sed -i 1d "FAILS/$name"
  echo "fatal: Out of memory, malloc failed" >&2
  exit 128
fi
exec REAL "$@"
"""


class GitTest(WorkspaceTest):
    def setUp(self) -> None:
        super().setUp()
        self.fails = self.workspace.beside("fails")
        os.mkdir(self.fails)
        os.mkdir(self.workspace.beside("bin"))
        real = next(
            path
            for folder in os.environ["PATH"].split(os.pathsep)
            if os.access(path := os.path.join(folder, "git"), os.X_OK)
        )
        script = FAILING_GIT.replace("FAILS", self.fails).replace("REAL", real)
        self.workspace.script(os.path.join("bin", "git"), script)
        bin = self.workspace.beside("bin")
        self.env = {"PATH": f"{bin}{os.pathsep}{self.workspace.environ['PATH']}"}

    def failing(self, name: str, times: int) -> dict[str, object]:
        """A step of Claude's after which git fails."""
        return {"write": os.path.join(self.fails, name), "content": "x\n" * times}

    def fail(self, name: str, times: int) -> None:
        with open(os.path.join(self.fails, name), "w", encoding="utf-8") as file:
            file.write("x\n" * times)

    def runs(self, code: int) -> None:
        done = self.workspace.run(env=self.env)
        self.assertEqual(done.code, code, done.out + done.err)

    def test_a_git_that_fails_once_fails_no_feature(self) -> None:
        names = ("status", "update-ref")
        self.workspace.features(
            *(feature(name, self.failing(name, 1), {"write": f"{name}.txt"}) for name in names),
            max_parallel=1,
        )
        self.runs(0)
        self.assertEqual([os.path.getsize(os.path.join(self.fails, n)) for n in names], [0, 0])

    def test_later_runs_pay_nothing_while_git_keeps_failing(self) -> None:
        self.workspace.features(feature("a", {"write": "a.txt"}, self.failing("update-ref", 99)))
        self.runs(1)
        for name in ("status", "list"):
            self.fail(name, 99)
            self.runs(1)
            self.fail(name, 0)
        self.fail("list", 1)
        self.fail("update-ref", 0)
        self.runs(0)
        self.assertEqual(len(self.workspace.attempts("a")), 1)
        self.assertEqual(self.workspace.added("feature/a"), {"a.txt"})


class ProgramTest(WorkspaceTest):
    def test_a_claude_that_is_missing_for_a_moment_is_waited_for(self) -> None:
        claude = self.workspace.script("claude", f'#!/bin/sh\nexec {" ".join(AGENT)} "$@"\n')
        self.workspace.features(
            feature("a", {"bash": f"mv {claude} {claude}.old"}, {"write": "a.txt"}),
            feature("b", {"write": "b.txt"}),
            claude={"command": [claude]},
            max_parallel=1,
        )
        with mock.patch.object(feature_run, "START_WAITS_SECONDS", (0.5,) * 20):
            running = self.workspace.start("run", "--yes")

            def waits() -> bool:
                return any("trying again" in e.get("text", "") for e in self.workspace.journal())

            wait_until(waits, "the run waits for the program")
            os.rename(f"{claude}.old", claude)
            self.assertEqual(running.end().code, 0, running.err)
        self.assert_statuses(a="completed", b="completed")

    def test_a_run_that_is_stopped_meanwhile_ends(self) -> None:
        claude = self.workspace.script("claude", "#!/no/such/interpreter\n")
        self.workspace.features(feature("a"), claude={"command": [claude]})
        with mock.patch.object(feature_run, "START_WAITS_SECONDS", (60.0,)):
            running = self.workspace.start("run", "--yes")
            wait_until(lambda: "trying again in 60 s" in running.err, "the run waits")
            running.signal(signal.SIGTERM)
            self.assertEqual(running.end().code, 143)
        self.assert_statuses(a="cancelled")


class SessionTest(WorkspaceTest):
    REFUSING = """\
#!/bin/sh
# Refuses to resume; a new session on kept work does not meet the fault of the first one.
case "$*" in
  *--resume*)
    echo '{"type":"system","subtype":"init"}'
    echo '{"type":"result","subtype":"success","is_error":true,"api_error_status":400,'\
'"num_turns":1,"result":"API Error: 400 tool_use without tool_result","total_cost_usd":0}'
    exit 1 ;;
esac
if [ -f a.txt ]; then grep -v '"fail"' | AGENT "$@"; else exec AGENT "$@"; fi
"""

    def test_a_session_that_the_api_always_refuses_is_replaced_and_its_work_is_kept(self) -> None:
        script = self.REFUSING.replace("AGENT", " ".join(AGENT))
        refused = {"fail": "API Error: 400 tool_use without tool_result", "status": 400}
        self.workspace.features(
            feature("a", {"write": "a.txt"}, refused, {"write": "b.txt"}),
            claude={"command": [self.workspace.script("claude", script)]},
        )
        self.assertEqual(self.workspace.run().code, 1)
        done = self.workspace.run()
        self.assertEqual(done.code, 0, done.out + done.err)
        attempts = self.workspace.attempts("a")
        self.assertEqual(
            [(n, resumed) for n, _, resumed in attempts], [(1, False), (2, True), (3, False)]
        )
        self.assertEqual(self.workspace.added("feature/a"), {"a.txt", "b.txt"})
        self.assertEqual(self.workspace.ref("a", "kept"), [])


if __name__ == "__main__":
    unittest.main()
