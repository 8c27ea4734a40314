"""Agents that misbehave, through the whole command: what they do, and how their feature ends."""

from __future__ import annotations

import os
import sys
import termios
import time
import unittest
from collections.abc import Mapping
from datetime import datetime

from tests.bench.flood import LIMIT_MIB, flooded
from tests.bench.measure import scratch
from tests.faults import LONG, hostile_git, skip_unless_wanted
from tests.support.commands import HAS_PROC, CommandResult, terminal
from tests.support.paths import AGENT
from tests.support.workspace import Workspace, WorkspaceTest, feature

setUpModule = skip_unless_wanted


PATIENCE_SECONDS = 180.0
"""How long a whole run may take on a machine that has other things to do."""

WORK = {"write": "a.md"}

DAEMON = """\
import os, sys, time
sys.stdout.flush()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir("/")
        open(sys.argv[1], "w").close()
        time.sleep(600)
    os._exit(0)
os.wait()
"""


class AgentTest(WorkspaceTest):
    """Runs ``a``, which misbehaves, beside ``b``, which does not and always completes."""

    def misbehave(
        self, *does: Mapping[str, object], code: int = 0, **more: object
    ) -> CommandResult:
        self.workspace.features(feature("a", *does, **more), feature("b"))
        seen = self.workspace.seen_by_user()
        done = self.again(code)
        self.assertEqual(self.workspace.statuses()["b"], "completed")
        self.assertIn("b.md", self.workspace.added("feature/b"))
        self.assertEqual(self.workspace.seen_by_user(), seen)
        return done

    def again(self, code: int = 0) -> CommandResult:
        running = self.workspace.start("run", "--yes")
        running.process.wait(PATIENCE_SECONDS)
        done = running.end()
        self.assertEqual(done.code, code, f"{done.out}\n{done.err}")
        self.assertNotIn("Traceback", done.err)
        self.assertEqual(self.workspace.processes(), [], "it was left running")
        return done

    def assert_ended(self, status: str, reason: str = "") -> None:
        """How ``a`` ended; what did not complete has no result."""
        ended = self.workspace.last("a")
        self.assertEqual(ended["status"], status, ended)
        self.assertIn(reason, ended["reason"])
        self.assertEqual(bool(self.workspace.ref("a")), status == "completed")

    def bash(self, script: str) -> dict[str, object]:
        """A step that runs a shell script; ``REPO`` is the user's checkout, ``GIT`` its git."""
        place = self.workspace
        head = f"REPO='{place.path}'; GIT='{place.path}/.git'; "
        return {"bash": head + script}

    def python(self, script: str) -> dict[str, object]:
        """A step that runs a Python script."""
        path = self.workspace.script("step.py", script)
        return {"bash": f"'{sys.executable}' '{path}'"}


class ProcessesTest(AgentTest):
    """Processes that do not want to end."""

    @unittest.skipUnless(HAS_PROC, "needs /proc, and setsid as a command")
    def test_whatever_it_leaves_behind_is_ended_with_it(self) -> None:
        daemon = self.workspace.script("daemon.py", DAEMON)
        here = self.workspace.beside("daemon.here")
        ways = (
            "sleep 601 &",
            "setsid sleep 602 &",
            "(setsid sh -c 'sleep 603 & sleep 604' &)",
            f"'{sys.executable}' '{daemon}' '{here}'",
            "(trap '' TERM INT HUP; sleep 605 & sleep 606) &",
            "env -i sleep 607 &",
            "(cd / && exec env -i setsid sleep 608) &",
        )
        # One more, started by the agent's own shell: it holds the agent's streams open.
        holder = 'sleep 609 & exec "$@"'
        self.workspace.features(
            feature("a", WORK, *({"bash": way} for way in ways), {"wait": here}),
            claude={"command": ["/bin/sh", "-c", holder, "sh", *AGENT]},
        )
        self.again()
        self.assert_ended("completed")

    @unittest.skipUnless(LONG, "takes ten seconds: set RORCHESTRATOR_TEST_FAULTS=1")
    def test_an_agent_that_ignores_sigterm_is_killed_at_its_time_limit(self) -> None:
        deaf = {"ignore": ["SIGINT", "SIGTERM", "SIGHUP"]}
        self.misbehave(WORK, deaf, {"sleep": 600}, code=1, timeout_seconds=1)
        self.assert_ended("timed_out", "no result within the time limit")
        self.assertIsNone(self.workspace.last("a", "attempt_ended")["cost_usd"])


class OutputTest(AgentTest):
    """What an agent can print."""

    def test_64_MiB_on_either_stream_cost_no_memory(self) -> None:
        for kind in ("stdout of line", "stderr of line", "stdout of short"):
            with self.subTest(kind), scratch() as (folder, env):
                flood = flooded(kind, 64, folder, env)
                self.assertEqual(flood.code, 0, flood.said)
                self.assertLess(flood.peak_mib, LIMIT_MIB / 2)

    def test_a_line_of_70_MiB_is_passed_over_and_the_result_behind_it_counts(self) -> None:
        with scratch() as (folder, env):
            flood = flooded("one line", 70, folder, env)
        self.assertEqual(flood.code, 0, flood.said)

    def test_binary_escapes_and_half_characters_reach_no_terminal(self) -> None:
        noise = "\x1b]0;owned\x07\x1b[31m\x9b2J\u202egpj\r\0"
        says = {"say": noise}, {"stderr": noise}, {"print": noise + "\n"}
        raw = "head -c 100000 /dev/urandom; printf '\\377\\376\\303\\n'; exec \"$@\""
        self.workspace.features(
            feature("a", *says, {"exit": 1}),
            feature("b", WORK, *says),
            claude={"command": ["/bin/sh", "-c", raw, "sh", *AGENT]},
        )
        done = self.again(1)
        self.assertEqual(self.workspace.statuses(), {"a": "failed", "b": "completed"})
        logs = [self.workspace.command("logs", id) for id in "ab"]
        shown = "".join(said.out + said.err for said in (done, *logs))
        self.assertIn("owned", shown)
        steering = [c for c in shown if (c < " " and c != "\n") or "\x7f" <= c < "\xa0"]
        self.assertEqual((steering, "\u202e" in shown), ([], False))

    def test_an_end_without_a_result_is_no_success_whatever_was_done(self) -> None:
        self.misbehave(WORK, {"exit": 0}, code=1)
        self.assert_ended("failed", "ended without a result (exit 0)")

    def test_the_last_of_two_results_decides(self) -> None:
        line = '{"type": "result", "subtype": "%s", "is_error": %s, "num_turns": 1}\n'
        good, bad = line % ("success", "false"), line % ("error_max_turns", "true")
        self.misbehave(WORK, {"print": good + bad}, {"exit": 0}, code=1)
        self.assert_ended("failed", "turns is reached")
        self.workspace.features(feature("a", WORK, {"print": bad + good}, {"exit": 0}))
        self.again()
        self.assert_ended("completed")

    @unittest.skipUnless(LONG, "takes ten seconds: set RORCHESTRATOR_TEST_FAULTS=1")
    def test_an_agent_that_never_exits_after_its_result_has_completed(self) -> None:
        self.misbehave(WORK, {"ignore": ["SIGINT"]}, {"linger": 600})
        self.assert_ended("completed")


class GitTest(AgentTest):
    """What an agent can do with git."""

    def test_a_feature_whose_agent_deletes_its_worktree_fails_and_can_run_again(self) -> None:
        for way in ("rm -rf '{}'", "git -C $REPO worktree remove --force '{}'"):
            with self.subTest(way):
                path = self.workspace.worktree("a")
                self.misbehave(WORK, self.bash(way.format(path)), code=1)
                self.assert_ended("failed", f"the worktree {path} is gone")
                self.workspace.features(feature("a"), feature("b"))
                self.again()
                self.assert_ended("completed")
                self.use(Workspace(apart=True))

    def test_another_branch_a_new_history_and_a_half_done_merge_are_no_success(self) -> None:
        commit = "git add . && git commit -qm mine && "
        ways = {
            commit + "git checkout -qb other": "was switched to other",
            commit + "git checkout -q --detach": "was switched to (detached)",
            commit + "git checkout -q --orphan z && git commit -qm z && git branch -qM feature/a": (
                "was rewritten: it no longer contains its starting point"
            ),
            commit
            + "git checkout -qb o HEAD~1 && echo o >a.md && git add . && git commit -qm o"
            + " && git checkout -q feature/a && git merge -q o": "a merge is unfinished: a.md",
        }
        for way, reason in ways.items():
            with self.subTest(way):
                self.misbehave(WORK, self.bash(way), code=1)
                self.assert_ended("failed", reason)
                tips = self.workspace.git("log", "--all", "--reflog", "--format=%s")
                self.assertIn("mine", tips.split("\n"))
                self.use(Workspace(apart=True))

    def test_commits_on_the_base_branch_are_reported_and_are_no_result(self) -> None:
        user = 'cd "$REPO" && echo x >mine && git add mine && git commit -qm mine'
        ref = (
            "echo x >mine && git add mine && git commit -qm mine"
            " && git update-ref refs/heads/main HEAD && git reset -q --hard HEAD~1"
        )
        for way in (user, ref):
            with self.subTest(way):
                self.workspace.features(feature("a", self.bash(way)), feature("b"))
                pinned = self.workspace.commit_of("main")
                done = self.again(1)
                self.assert_ended("empty", "changed nothing")
                self.assertRegex(done.err, r"main moved to \w+ during the run, which started from")
                self.assertEqual(self.workspace.commit_of("feature/b~1"), pinned)
                self.use(Workspace(apart=True))

    def test_locks_of_a_git_that_was_killed_do_not_stand_in_the_way(self) -> None:
        own = "$(git rev-parse --absolute-git-dir)"
        locks = [f"{own}/index.lock", f"{own}/HEAD.lock", "$GIT/refs/heads/feature/a.lock"]
        started = time.monotonic()
        self.misbehave(WORK, *(self.bash(f"touch {lock}") for lock in locks))
        self.assert_ended("completed")
        self.assertLess(time.monotonic() - started, 20)

    def test_a_forged_result_is_ignored(self) -> None:
        forge = (
            'RUN=$(sed -n \'s/.*"run":"\\([^"]*\\)".*/\\1/p\' $GIT/rorchestrator/journal.jsonl'
            " | tail -n 1); git update-ref refs/rorchestrator/results/a/$RUN main"
        )
        self.workspace.features(feature("a", WORK, self.bash(forge)), feature("b"))
        self.again(1)
        ended = self.workspace.last("a")
        self.assertEqual(ended["status"], "failed")
        self.assertIn("already exists with another commit", ended["reason"])

    def test_repositories_in_its_worktree_are_held_back_and_named(self) -> None:
        inner = "git init -q {0} && touch {0}/x && cd {0} && git add . && git commit -qm x"
        done = self.misbehave(
            WORK, self.bash(inner.format("one")), self.bash("git init -q two; touch two/x")
        )
        self.assert_ended("completed")
        self.assertEqual(self.workspace.last("a")["held_back"], ["one/", "two/"])
        self.assertIn("left uncommitted: one/, two/", done.err)
        self.assertEqual(self.workspace.added("feature/a"), {"a.md"})

    def test_a_result_that_another_agent_spoiled_is_not_completed(self) -> None:
        self.workspace.features(
            feature("a", WORK, self.bash("rm -rf $GIT/objects/??")), feature("b", depends_on=["a"])
        )
        self.again(1)
        self.assertEqual(self.workspace.statuses(), {"a": "failed", "b": "blocked"})

    @unittest.skipUnless(LONG, "takes half a minute: set RORCHESTRATOR_TEST_FAULTS=1")
    def test_agents_that_use_git_without_a_pause_fail_no_feature(self) -> None:
        self.assertEqual(hostile_git.adds(200, 32).faults, ())
        self.assertEqual(hostile_git.agents(2).faults, ())


class FilesTest(AgentTest):
    """What an agent can leave in its worktree."""

    def test_odd_files_and_links_are_committed_or_passed_over(self) -> None:
        odd = [
            "new\nline",
            "-dash",
            "--help",
            "esc\x1b[31m",
            os.fsdecode(b"latin-\xe9"),
            '"quote',
            ":(glob)*",
            " ",
        ]
        script = (
            "import os, socket\n"
            f"for name in {odd!r}: open(name, 'w').write('x')\n"
            "os.mkfifo('pipe'); os.mkfifo('.gitmodules')\n"
            "socket.socket(socket.AF_UNIX).bind('socket')\n"
            "os.symlink('/', 'all'); os.symlink('loop', 'loop'); os.symlink('..', 'up')\n"
            "os.symlink('/dev/zero', 'zero')\n"
        )
        self.misbehave(WORK, self.python(script))
        self.assert_ended("completed")
        kept = self.workspace.added("feature/a")
        self.assertEqual(kept, {"a.md", "all", "loop", "up", "zero", *odd})
        self.assertEqual(self.workspace.content("feature/a:all"), b"/")

    def test_a_folder_that_became_a_link_to_the_root_is_committed_as_one(self) -> None:
        self.workspace.commit({"d/e": "x"})
        self.misbehave(WORK, self.bash("rm -rf d && ln -s / d"))
        self.assert_ended("completed")
        self.assertEqual(self.workspace.content("feature/a:d"), b"/")

    def test_pipes_in_the_place_of_gits_own_files_are_named_and_stop_nobody(self) -> None:
        ways = {
            "mkfifo .gitignore": "git would block on a pipe: .gitignore",
            "mkdir s && mkfifo s/.gitattributes": "git would block on a pipe: s/.gitattributes",
            "rm .git && mkfifo .git": ".git was changed",
            "rm README.md && mkfifo README.md": "README.md: unsupported file type",
        }
        for way, reason in ways.items():
            with self.subTest(way):
                self.misbehave(WORK, self.bash(way), code=1)
                self.assert_ended("failed", reason)
                self.again(1)
                self.use(Workspace(apart=True))

    def test_no_terminal_of_the_user_is_within_reach(self) -> None:
        tamper = "stty raw -echo </dev/tty || stty raw -echo || stty raw -echo <&2"
        self.workspace.features(feature("a", WORK, {"bash": f"if {tamper}; then touch raw; fi"}))
        with terminal() as (_, theirs):
            before = termios.tcgetattr(theirs)
            running = self.workspace.start("run", "--yes", "--quiet", terminal=theirs)
            self.assertEqual(running.process.wait(PATIENCE_SECONDS), 0)
            self.assertEqual(termios.tcgetattr(theirs), before)
        self.assertEqual(self.workspace.added("feature/a"), {"a.md"})

    def test_a_worktree_that_became_a_link_is_not_followed(self) -> None:
        path = self.workspace.worktree("a")
        away = self.bash(f"mv '{path}' '{path}.away' && ln -s / '{path}'")
        self.misbehave(WORK, away, code=1)
        self.assert_ended("failed", "was replaced by a link")

    @unittest.skipUnless(os.geteuid(), "root reads everything")
    def test_unreadable_files_are_reported(self) -> None:
        self.misbehave(WORK, self.bash("mkdir no && touch no/x && chmod 000 no"))
        self.assertEqual(self.workspace.last("a")["held_back"], ["no/"])
        self.use(Workspace(apart=True))
        self.misbehave(WORK, self.bash("chmod 000 a.md"), code=1)
        self.assert_ended("failed", "Permission denied")

    @unittest.skipUnless(LONG, "takes twenty seconds: set RORCHESTRATOR_TEST_FAULTS=1")
    def test_50000_new_files_are_committed_in_bounded_time(self) -> None:
        script = (
            "import os\nos.mkdir('many')\n"
            "for i in range(50000): open(f'many/{i}', 'w').write(str(i))\n"
        )
        self.workspace.features(feature("a", self.python(script), WORK))
        self.again()
        began, over = (
            datetime.fromisoformat(self.workspace.last("a", kind)["at"])
            for kind in ("verifying", "ended")
        )
        self.assertLess((over - began).total_seconds(), 60)
        self.assertEqual(self.workspace.last("a")["files_changed"], 50001)


if __name__ == "__main__":
    unittest.main()
