"""The whole command with the real `claude`, against the stand-in for the Messages API.

Each test runs `python3 orchestrate.py run --yes` as a process of its own, with an emptied
environment, a home in a temporary folder, and nothing but loopback to talk to.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import struct
import subprocess
import termios
import time
import unittest
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests import validation
from tests.support import real_claude, todo_project
from tests.support.answering_claude import proposed
from tests.support.commands import terminal, wait_until
from tests.support.messages_api import (
    FINAL,
    PRICED_MODEL,
    UNAUTHORIZED,
    Answer,
    Fault,
    Hang,
    MessagesApi,
    Request,
    Tool,
    Turn,
    Usage,
    bash,
    overloaded,
    text,
    write,
)
from tests.support.once import once
from tests.support.paths import ROOT
from tests.support.runs import read_until
from tests.support.todo_build import TodoBuild, marker, model
from tests.support.workspace import WorkspaceTest

Json = Any

WHY_NOT = real_claude.reason_to_skip()

GONE_SECONDS = 3.0
"""How long anything may outlive a killed orchestrator."""

SLOW_TEST = """\
import os
import time
from pathlib import Path

started = Path(os.environ["HOME"], "started")
if not started.exists():
    started.write_text("")
    time.sleep(300)
"""
"""Takes for ever, but only the first time: a resumed session asks for it again."""

ONCE_UNAUTHORIZED = replace(UNAUTHORIZED, times=1)
RUN_SLOW_TEST = bash("python3 -m unittest slow")


JUDGE = "Judge the dependencies between the features below"
"""What is in the prompt of `assist` only."""

SPECIFICATION = "Split the specification below"
"""What is in the prompt of `decompose` only."""


def conflict_of(id: str) -> str:
    """What is in the prompt of the conflict of this feature only."""
    return f'Task: resolve the conflict that keeps the feature "{id}" ('


def does(*turns: Turn) -> list[Turn]:
    """These turns, and a last word."""
    return [*turns, text("It is done.")]


def with_real_claude(**more: object) -> dict[str, object]:
    """The list's `claude` object."""
    return {"command": [real_claude.executable()], "model": PRICED_MODEL, **more}


def prompt_of(request: Request) -> str:
    """The user's first message as it reached the API."""
    content = request.body["messages"][0]["content"]
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


def prompt_of_last(request: Request) -> str:
    """The last that the user, or a tool, said."""
    content = request.body["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content)


@unittest.skipIf(WHY_NOT, WHY_NOT)
class RealClaudeTest(WorkspaceTest):
    def plays(
        self, conflicts: Mapping[str, list[Turn]] | None = None, **scripts: list[Turn]
    ) -> MessagesApi:
        """A stand-in that plays each feature its script, and the only one the command knows.

        ``conflicts`` are what it plays where a feature does not merge.
        """
        met = {conflict_of(id): script for id, script in (conflicts or {}).items()}
        api = MessagesApi({**met, **{marker(id): script for id, script in scripts.items()}})
        api.__enter__()
        self.addCleanup(api.__exit__)
        home = Path(self.workspace.home)
        self.workspace.environ.update(real_claude.environment(home, api.url))
        return api

    def plays_script(self, *turns: Turn, asked: str = SPECIFICATION) -> MessagesApi:
        """A stand-in for `decompose` or `assist`, and a `claude` on the path."""
        api = MessagesApi({asked: turns})
        api.__enter__()
        self.addCleanup(api.__exit__)
        env = real_claude.environment(Path(self.workspace.home), api.url)
        program = os.path.join(self.workspace.root, "bin", "claude")
        os.mkdir(os.path.dirname(program))
        os.symlink(str(real_claude.executable()), program)
        path = f"{os.path.dirname(program)}{os.pathsep}{env['PATH']}"
        model = {"ANTHROPIC_MODEL": PRICED_MODEL}
        self.workspace.environ.update({**env, **model, "PATH": path})
        return api

    def lists(
        self,
        *features: str | Mapping[str, object],
        claude: Mapping[str, object] | None = None,
        **project: Json,
    ) -> None:
        """Write the feature list; a feature of which nothing else matters is just an id."""
        full = [
            {"id": each, "prompt": f"Build {each}."} if isinstance(each, str) else each
            for each in features
        ]
        self.workspace.features(*full, claude=with_real_claude(**(claude or {})), **project)

    def runs(self, code: int, *options: str) -> str:
        """Run the command, which has to end with this code; what it said."""
        done = self.workspace.command("run", "--yes", *options)
        self.assertEqual(done.code, code, done.err + done.out)
        return done.out

    def assert_paid(self, result: Json, charges: Sequence[Any]) -> None:
        """A report, of a feature or of the run, says what the API charged."""
        usage = sum((charge.usage for charge in charges), Usage())
        self.assertGreater(usage.output_tokens, 0)
        self.assertEqual(result["usage"], asdict(usage))
        cost = result["total_cost_usd"] if "total_cost_usd" in result else result["cost_usd"]
        self.assertAlmostEqual(cost, usage.cost_usd(), places=9)
        self.assertTrue(result["cost_is_complete"])

    def assert_resumed(self, api: MessagesApi, id: str) -> None:
        """The second attempt went on in the session of the first one."""
        (_, session, _), second = self.workspace.attempts(id)
        self.assertEqual(second, (2, session, True))
        calls = api.calls(marker(id))
        self.assertEqual({call.session for call in calls}, {session})
        self.assertGreater(calls[-1].position, 0, "the session had forgotten what it did")


class Checks(RealClaudeTest):
    def test_the_session_that_did_the_work_gets_the_failing_check_and_fixes_it(self) -> None:
        first, second = does(write("a.txt", "a\n")), does(write("b.txt", "b\n"))
        api = self.plays(a=[*first, *second], b=does(write("c.txt", "c\n")))
        check = "echo looking for b; test -f b.txt || exit 3"
        self.lists(
            {"id": "a", "prompt": "Build a.", "verify": [check], "creates": ["path:b.txt"]},
            {"id": "b", "prompt": "Build b.", "depends_on": ["a"], "uses": ["path:b.txt"]},
            setup=["echo $RORCHESTRATOR_FEATURE > ../setup.$RORCHESTRATOR_FEATURE"],
            verify=["test -f README.md"],
        )
        self.runs(0)
        self.assert_statuses(a="completed", b="completed")
        self.assert_resumed(api, "a")
        told = [prompt_of_last(call) for call in api.calls(marker("a"))]
        self.assertEqual(sum("`creates` names path:b.txt" in text for text in told), 1, told)
        self.assertEqual(self.workspace.added("feature/a"), {"a.txt", "b.txt"})
        for id in "ab":
            self.assertTrue(os.path.exists(self.workspace.beside("worktrees", f"setup.{id}")))

    @once
    def test_a_check_that_never_passes_costs_as_many_fixes_as_the_list_allows(self) -> None:
        api = self.plays(a=[*does(write("a.txt", "a\n")), *does(), *does()])
        self.lists("a", "b", verify=["echo still red; test ! -f a.txt"], verify_attempts=1)
        out = self.runs(1, "--only", "a")
        self.assertIn("still red", out)
        result = self.workspace.results()["a"]
        self.assertEqual((result["fault"], len(result["attempts"])), ("check", 2))
        self.assertEqual(self.workspace.added("feature/a"), {"a.txt"})
        said = [prompt_of_last(call) for call in api.calls(marker("a"))]
        self.assertIn("The end of its output:\n\n```\nstill red\n```", said[-1])


@once
class Comments(RealClaudeTest):
    def test_what_the_user_says_goes_into_the_session_of_a_completed_feature(self) -> None:
        api = self.plays(a=[*does(write("a.txt", "a\n")), *does(write("b.txt", "b\n"))])
        self.lists("a")
        self.runs(0)
        done = self.workspace.command("retry", "a", "--yes", "-m", 'Add `b.txt`,\n\nnot "c".')
        self.assertEqual(done.code, 0, done.err + done.out)
        self.assert_resumed(api, "a")
        told = [prompt_of_last(call) for call in api.calls(marker("a"))]
        said = [text for text in told if '> Add `b.txt`,\n>\n> not "c".' in text]
        self.assertEqual(len(said), 1, told)
        self.assertEqual(self.workspace.added("feature/a"), {"a.txt", "b.txt"})
        self.assertEqual(len(self.workspace.ref("a")), 2)


@once
class Conflicts(RealClaudeTest):
    def test_a_conflict_is_resolved_in_a_scratch_worktree_lands_and_is_paid_for_once(self) -> None:
        stopped = bash("git merge --abort")  # which is not allowed
        mends = [Answer(tools=(Tool("Read", {"file_path": "both.txt"}),)), stopped]
        mends += [write("both.txt", "a\nc\n"), bash("git add both.txt")]
        told = [write("both.txt", "a\nb\n"), bash("git add both.txt")]
        api = self.plays(
            {"b": [*does(*mends), *does(*told)]},
            **{id: does(write("both.txt", f"{id}\n")) for id in "ab"},
        )
        self.lists(
            *(
                {"id": id, "prompt": f"Let both.txt name {id}.", "verify": [f"grep {id} both.txt"]}
                for id in "ab"
            )
        )
        self.runs(0)
        dry = self.workspace.command("merge", "--resolve", "--dry-run")
        self.assertIn("Claude would be called", dry.out)
        done = self.workspace.command("merge", "--resolve", "--yes", "--json")
        self.assertEqual(done.code, 0, done.err + done.out)
        a, b = json.loads(done.out)["features"]
        self.assertEqual((a["resolution"], b["resolution"]["ending"]), (None, "resolved"))
        self.assertEqual(b["resolution"]["attempts"], 2)
        paid = api.billed(script=conflict_of("b")).usage.cost_usd()
        self.assertAlmostEqual(b["resolution"]["cost_usd"], paid, places=9)
        calls = api.calls(conflict_of("b"))
        self.assertEqual({call.session for call in calls}, {b["resolution"]["session_id"]})
        self.assertIn("Let both.txt name a.", prompt_of(calls[0]))
        self.assertIn("Let both.txt name b.", prompt_of(calls[0]))
        self.assertIn("ended with exit 1", prompt_of_last(calls[5]))
        shop = self.workspace
        self.assertEqual(shop.files("main")["both.txt"], b"a\nb\n")
        ended = [e for e in self.workspace.journal("b") if e["event"] == "resolution_ended"]
        self.assertEqual(ended[0]["denied_tools"], ["Bash(git merge --abort)"])
        shop.git("reset", "--quiet", "--hard", "main~2")
        again = self.workspace.command("merge", "--resolve", "--yes")
        self.assertEqual(again.code, 0, again.err)
        self.assertEqual(len(api.calls(conflict_of("b"))), len(calls))


class WhatIsTriedAgain(RealClaudeTest):
    """What Claude Code gives up on, and the run does not."""

    IMPATIENT: Mapping[str, Json] = MappingProxyType({"env": {"CLAUDE_CODE_MAX_RETRIES": "0"}})
    """Without Claude Code's own tries."""

    def assert_went_on(self, api: MessagesApi, **faults: str) -> None:
        """The first attempt of each feature ended by this fault, and the second one was resumed."""
        ends = [e for e in self.workspace.journal() if e["event"] == "attempt_ended"]
        for id, fault in faults.items():
            with self.subTest(id):
                found = [e["fault"] for e in ends if e["feature"] == id]
                self.assertEqual(found, [fault, "none"])
                self.assert_resumed(api, id)
                self.assertEqual(self.workspace.added(f"feature/{id}"), {"a.txt", "b.txt"})

    def test_a_busy_api_and_a_lost_connection_are_asked_again(self) -> None:
        faults = {
            "busy": overloaded(times=1),
            "limited": Fault(429, "rate_limit_error", "Too many", times=1),
            "broken": Fault(500, "api_error", "Internal server error", times=1),
            "lost": Hang(seconds=0, times=1),
        }
        api = self.plays(
            **{
                id: does(write("a.txt", "a\n"), fault, write("b.txt", "b\n"))
                for id, fault in faults.items()
            }
        )
        retry = {"attempts": 2, "backoff_seconds": 0.01}
        self.lists(*faults, claude=self.IMPATIENT, retry=retry, max_parallel=2)
        self.runs(0)
        transient = dict.fromkeys(("busy", "broken", "lost"), "transient")
        self.assert_went_on(api, limited="rate", **transient)

    def test_a_usage_limit_is_waited_for_and_uses_up_no_attempt(self) -> None:
        resets_at = int(time.time()) + 6
        told = {"status": "rejected", "reset": str(resets_at), "representative-claim": "five_hour"}
        headers = {f"anthropic-ratelimit-unified-{name}": value for name, value in told.items()}
        limit = Fault(429, "rate_limit_error", "Limited.", {**headers, **FINAL}, times=1)
        api = self.plays(it=does(write("a.txt", "a\n"), limit, write("b.txt", "b\n")))
        # Only who is signed in with a subscription has such a limit.
        del self.workspace.environ["ANTHROPIC_API_KEY"]
        self.workspace.environ["CLAUDE_CODE_OAUTH_TOKEN"] = "sk-ant-dummy-not-a-token"
        self.lists("it", limit_grace_seconds=0, retry={"attempts": 1})
        self.runs(0)
        self.assert_went_on(api, it="limit")
        paused = [e for e in self.workspace.journal() if e["event"] == "paused"]
        self.assertEqual(len(paused), 2, "begun, and over")
        started = [e["at"] for e in self.workspace.journal() if e["event"] == "attempt_started"]
        self.assertGreaterEqual(datetime.fromisoformat(started[1]).timestamp(), resets_at)

    def test_a_silence_is_ended_and_the_session_resumed_once(self) -> None:
        api = self.plays(it=does(write("a.txt", "a\n"), Hang(times=1), write("b.txt", "b\n")))
        self.lists("it", stall_seconds=10)  # a start takes its time where much else goes on
        self.runs(0)
        self.assert_went_on(api, it="stall")

    def test_claude_is_given_the_budget_of_a_feature_and_stops_there(self) -> None:
        files = [write(f"{name}.txt", "x\n") for name in "abc"]
        api = self.plays(it=does(*files))
        cap = 1.5 * files[0].usage.cost_usd()
        self.lists({"id": "it", "prompt": "Build it.", "max_cost_usd": cap})
        self.runs(1)
        self.assertEqual(len(api.charges), 2, "one turn may go beyond it, and no further one")
        result = self.workspace.results()["it"]
        self.assertEqual((result["status"], result["fault"]), ("failed", "budget"))
        self.assert_paid(result, api.charges)


class WhatIsLanded(RealClaudeTest):
    def test_a_feature_was_set_up_got_its_variables_and_landed_after_the_checks(self) -> None:
        show = bash("printenv RORCHESTRATOR_FEATURE RORCHESTRATOR_BRANCH SET_BY_THE_LIST")
        api = self.plays(a=does(show, write("a.txt", "a\n")), b=does(write("b.txt", "b\n")))
        self.workspace.commit({".gitignore": "made\n"})
        self.lists(
            "a",
            {"id": "b", "prompt": "Build b.", "depends_on": ["a"]},
            setup=["echo $RORCHESTRATOR_FEATURE > made"],
            verify=["test ! -e b.txt || test -e a.txt"],
            claude={
                "allowed_tools": ["Edit(./**)", "Edit(/**)", "Bash(printenv:*)"],
                "env": {"SET_BY_THE_LIST": "yes"},
            },
        )
        said = self.runs(0, "--merge")
        seen = json.dumps([call.body["messages"] for call in api.calls(marker("a"))])
        self.assertIn("a\\nfeature/a\\nyes", seen)
        self.assertIn("landed b (feature/b)", said)
        repository = self.workspace
        self.assertEqual(repository.git("status", "--porcelain"), "")
        for name in ("a.txt", "b.txt"):
            self.assertTrue(os.path.exists(os.path.join(repository.path, name)))
        self.assertEqual(Path(self.workspace.worktree("a"), "made").read_text(), "a\n")


class WhatAFeatureMeets(RealClaudeTest):
    def test_a_tool_that_is_not_allowed_is_named_and_the_work_decides(self) -> None:
        install = bash("npm install left-pad")
        stash = bash("git stash")  # which no list can allow
        self.plays(worked=does(write("a.txt", "a\n"), install, stash), idle=does(install, stash))
        rules = ["Read", "Edit(./**)", "Bash(git stash:*)"]
        self.lists("worked", "idle", claude={"allowed_tools": rules})
        said = self.runs(1)
        self.assert_statuses(worked="completed", idle="empty")
        results = self.workspace.results()
        for id in ("worked", "idle"):
            denied = ["Bash(npm install left-pad)", "Bash(git stash)"]
            self.assertEqual(results[id]["denied_tools"], denied)
        reason = "it was denied Bash(git stash), Bash(npm install left-pad)"
        self.assertIn(reason, results["idle"]["error"])
        self.assertIn(reason, said)
        self.assertEqual(self.workspace.added("feature/worked"), {"a.txt"})

    def test_a_server_of_the_repository_starts_only_where_the_list_names_it(self) -> None:
        canary = self.workspace.beside("canary")
        server = {"command": "/bin/sh", "args": ["-c", f"touch '{canary}'"]}
        content = json.dumps({"mcpServers": {"planted": server}})
        self.workspace.commit({".mcp.json": content})
        self.plays(a=does(write("a.txt", "a\n")), b=does(write("b.txt", "b\n")))
        self.lists("a")
        self.runs(0)
        self.assertFalse(os.path.exists(canary))
        self.lists("b", claude={"extra_args": ["--mcp-config=.mcp.json"]})
        self.runs(0)
        self.assertTrue(os.path.exists(canary))

    def test_an_authentication_error_stops_the_run_until_it_is_fixed(self) -> None:
        first = does(ONCE_UNAUTHORIZED, write("a.txt", "a\n"))
        api = self.plays(first=first, later=does(write("b.txt", "b\n")))
        self.lists("first", "later", max_parallel=1)
        said = self.runs(2)
        self.assert_statuses(first="failed", later="cancelled")
        self.assertIn("API key", said)
        self.assertEqual(api.calls(marker("later")), [])
        self.runs(0)
        (_, session, _), second = self.workspace.attempts("first")
        self.assertEqual(second, (2, session, True))

    def test_a_new_session_continues_the_kept_work_if_the_old_one_is_gone(self) -> None:
        api = self.plays(it=does(write("a.txt", "a\n"), ONCE_UNAUTHORIZED, write("b.txt", "b\n")))
        self.lists("it")
        self.runs(2)
        shutil.rmtree(Path(self.workspace.home, ".claude", "projects"))
        self.runs(0)
        first, resumed, fresh = self.workspace.attempts("it")
        self.assertEqual(resumed, (2, first[1], True))
        self.assertEqual((fresh[0], fresh[2]), (3, False))
        self.assertNotEqual(fresh[1], first[1])
        self.assertIn("An earlier attempt", prompt_of(api.calls(marker("it"))[-1]))
        self.assertEqual(self.workspace.added("feature/it"), {"a.txt", "b.txt"})

    def test_an_overloaded_api_that_recovers_costs_nothing_but_time(self) -> None:
        api = self.plays(it=does(overloaded(times=2), write("a.txt", "a\n")))
        self.lists("it")
        self.runs(0)
        self.assertEqual(len(api.calls(marker("it"))), 4)
        self.assertEqual(len(self.workspace.attempts("it")), 1)
        self.assert_paid(self.workspace.results()["it"], api.charges)

    def test_an_api_that_hangs_runs_into_the_time_limit_and_the_next_run_resumes(self) -> None:
        api = self.plays(it=does(write("a.txt", "a\n"), Hang(times=1), write("b.txt", "b\n")))
        self.lists({"id": "it", "prompt": "Build it.", "timeout_seconds": 8})
        self.runs(1)
        self.assert_statuses(it="timed_out")
        self.assertEqual(self.workspace.processes(), [])
        cost = self.workspace.results()["it"]["cost_usd"]
        self.assertNotEqual(cost, 0)
        if cost is not None:  # 2.1.330 tells it even then, 2.1.197 does not
            self.assertAlmostEqual(cost, api.billed().usage.cost_usd(), places=9)
        charged = len(api.charges)
        self.runs(0)
        self.assert_resumed(api, "it")
        self.assertEqual(self.workspace.added("feature/it"), {"a.txt", "b.txt"})
        self.assert_paid(self.workspace.results()["it"], api.charges[charged:])

    def test_a_prompt_of_a_megabyte_unicode_and_four_at_once(self) -> None:
        words = "Grüße, 日本語, 🚀, \u2028 and \x85 – " * 30_000
        self.assertGreater(len(words.encode()), 1_000_000)
        path, content = "größe/日本語 🚀.txt", "naïve – \u2028 \x85 ✓\n"
        other = {f"f{n}": does(write(f"{n}.txt", "x\n")) for n in range(3)}
        api = self.plays(long=[write(path, content), text("Fertig: größer ✓")], **other)
        prompt = f"Build it. {words} This is the end."
        self.lists({"id": "long", "name": "Größe 🚀", "prompt": prompt}, *other, max_parallel=4)
        self.runs(0)
        self.assertIn(prompt.strip(), prompt_of(api.calls(marker("long"))[0]))
        self.assertEqual(self.workspace.results()["long"]["result"], "Fertig: größer ✓")
        written = Path(self.workspace.worktree("long"), path)
        self.assertEqual(written.read_text("utf-8"), content)
        self.assertEqual(self.workspace.git("status", "--short", at=str(written.parent)), "")
        results = self.workspace.results().values()
        last_start = max(result["started_at"] for result in results)
        self.assertLess(last_start, min(result["finished_at"] for result in results))
        self.assert_paid(self.workspace.report(), api.charges)


class WhatEndsARun(RealClaudeTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace.commit({"slow.py": SLOW_TEST}, "a slow test")
        self.started = Path(self.workspace.home, "started")

    def test_ctrl_c_ends_every_claude_and_the_next_run_resumes_their_sessions(self) -> None:
        waits = does(write("a.txt", "a\n"), Hang(times=1), write("b.txt", "b\n"))
        works = does(write("c.txt", "c\n"), RUN_SLOW_TEST, write("d.txt", "d\n"))
        api = self.plays(waits=waits, works=works, later=does(write("e.txt", "e\n")))
        later = {"id": "later", "prompt": "Build it.", "depends_on": ["waits"]}
        self.lists("waits", "works", later)
        running = self.workspace.start("run", "--yes")
        wait_until(self.started.exists, "a test that runs")
        wait_until(lambda: len(api.calls(marker("waits"))) == 2, "a call that hangs")
        os.killpg(running.pid, signal.SIGINT)
        done = running.end()
        self.assertEqual(done.code, 130, done.err)
        self.assertEqual(self.workspace.processes(), [])
        self.assert_statuses(waits="cancelled", works="cancelled", later="cancelled")
        charged = len(api.charges)
        cut = self.workspace.results()["waits"]
        if cut["cost_usd"] is None:  # else Claude printed its result on SIGINT
            self.assertGreater(cut["tokens_at_least"], 0)
        self.runs(0)
        self.assert_settled("waits", api.billed(script=marker("waits")).usage.cost_usd())
        self.assert_resumed(api, "waits")
        self.assert_resumed(api, "works")
        self.assertLessEqual({"a.txt", "b.txt", "e.txt"}, self.workspace.added("feature/later"))
        self.assertLessEqual({"c.txt", "d.txt"}, self.workspace.added("feature/works"))
        self.assert_paid(self.workspace.report(), api.charges[charged:])

    def assert_settled(self, id: str, paid_usd: float) -> None:
        """Where the CLI carries totals over, what was cut short is known after its resumption."""
        said = self.workspace.command("status", "--json").out
        (known,) = (each for each in json.loads(said)["features"] if each["id"] == id)
        if known["cost_is_complete"]:
            self.assertAlmostEqual(known["cost_usd"], paid_usd, places=9)
        else:
            self.assertNotIn("330", str(real_claude.executable()))
            self.assertLess(known["cost_usd"], paid_usd)

    def test_a_killed_orchestrator_leaves_nothing_and_the_next_run_resumes_the_session(
        self,
    ) -> None:
        api = self.plays(it=does(write("a.txt", "a\n"), RUN_SLOW_TEST, write("b.txt", "b\n")))
        self.lists("it")
        running = self.workspace.start("run", "--yes")
        wait_until(self.started.exists, "a test that runs")
        self.assertGreaterEqual(len(self.workspace.processes()), 3)
        killed_at = time.monotonic()
        running.kill()
        wait_until(lambda: not self.workspace.processes(), "the end of all processes")
        self.assertLess(time.monotonic() - killed_at, GONE_SECONDS)
        charged = len(api.charges)
        self.runs(0)
        self.assert_resumed(api, "it")
        self.assertLessEqual({"a.txt", "b.txt"}, self.workspace.added("feature/it"))
        self.assert_paid(self.workspace.results()["it"], api.charges[charged:])


class WhatTheDefaultToolsAllow(RealClaudeTest):
    def test_claude_reads_and_writes_nothing_outside_the_worktree_in_any_mode(self) -> None:
        elsewhere = self.workspace.beside("elsewhere")
        os.mkdir(elsewhere)
        Path(elsewhere, "old.txt").write_text("old\n", "utf-8")
        shop = self.workspace.path
        denied = (
            *(write(f"{folder}/new.txt", "x\n") for folder in (elsewhere, shop)),
            Answer(tools=(Tool("Read", {"file_path": f"{elsewhere}/old.txt"}),)),
            Answer(tools=(edit(f"{elsewhere}/old.txt", "old", "new"),)),
            bash(f"echo x > {elsewhere}/new.txt"),
            bash("git stash"),
            bash("curl http://127.0.0.1:1/"),
            Answer(tools=(Tool("WebFetch", {"url": "http://127.0.0.1:1/", "prompt": "x"}),)),
            Answer(tools=(Tool("EnterWorktree", {"name": "other"}),)),
        )
        allowed = (
            Answer(tools=(Tool("Read", {"file_path": "README.md"}),)),
            Answer(tools=(edit("README.md", "hello", "changed"),)),
            bash("git status && git diff && git log"),
            bash("python3 -m unittest discover"),
            write(".github/workflows/new.yml", "x\n"),
            bash("git add -A && git commit -m mine"),
            write("folder/new.txt", "x\n"),
            bash("cd folder"),
            write("new.txt", "x\n"),
        )
        for mode in ("acceptEdits", "default", "dontAsk"):
            with self.subTest(mode=mode):
                self.plays(it=does(*denied, *allowed))
                self.lists("it", claude={"permission_mode": mode})
                before = self.workspace.seen_by_user()
                self.runs(0, "--fresh")
                files = self.workspace.files("feature/it")
                self.assertEqual(files["README.md"], b"changed\n")
                self.assertLessEqual(
                    {".github/workflows/new.yml", "folder/new.txt", "new.txt"}, files.keys()
                )
                self.assertEqual(os.listdir(elsewhere), ["old.txt"])
                self.assertEqual(Path(elsewhere, "old.txt").read_text("utf-8"), "old\n")
                self.assertEqual(self.workspace.seen_by_user(), before)
                self.assertEqual(self.workspace.git("stash", "list"), "")
                commits = self.workspace.git("log", "--format=%s", "feature/it")
                self.assertEqual(commits.split("\n"), ["feat(it): it", "mine", "first"])
                named = self.workspace.results()["it"]["denied_tools"]
                self.assertLessEqual({"Write", "Edit", "Bash(git stash)", "WebFetch"}, set(named))
                self.assertNotIn("Bash(python3 -m unittest discover)", named)


class Subagents(RealClaudeTest):
    """They work in the feature's folder, or not at all."""

    def agent(self, **more: str) -> Answer:
        plain = {"description": "Help", "prompt": "SUBAGENT", "subagent_type": "general-purpose"}
        return Answer(tools=(Tool("Agent", {**plain, **more}),))

    def results_of_tools(self, api: MessagesApi, script: str) -> list[str]:
        """What Claude was told of each tool that it called."""
        last = api.calls(script)[-1].body["messages"]
        blocks = [b for m in last if isinstance(m["content"], list) for b in m["content"]]
        return [str(b["content"]) for b in blocks if b["type"] == "tool_result"]

    def plays_agents(self, *calls: Answer) -> MessagesApi:
        helps = does(write("sub.txt", "x\n"))
        api = MessagesApi({"SUBAGENT": helps, marker("it"): does(write("a.txt", "a\n"), *calls)})
        api.__enter__()
        self.addCleanup(api.__exit__)
        home = Path(self.workspace.home)
        self.workspace.environ.update(real_claude.environment(home, api.url))
        return api

    def runs_beside_the_checkout(self, *options: str) -> None:
        """Run, and see that the user's checkout has neither a worktree nor a branch more."""
        shop = self.workspace
        before = shop.seen_by_user()
        self.runs(0, "--fresh", *options)
        self.assertEqual(shop.seen_by_user(), before)
        branches = shop.git("for-each-ref", "--format=%(refname:short)", "refs/heads")
        self.assertEqual(branches.split(), ["feature/it", "main"])
        self.assertEqual(len(shop.git("worktree", "list").splitlines()), 2)
        self.assertFalse(os.path.exists(os.path.join(shop.path, ".claude", "worktrees")))

    def test_none_gets_a_worktree_by_its_call_its_definition_or_a_script(self) -> None:
        isolated = "---\nname: alone\ndescription: Alone\nisolation: worktree\n---\nYou help.\n"
        self.workspace.commit({".claude/agents/alone.md": isolated})
        script = "export const meta={name:'x',description:'y'}\nawait agent('SUBAGENT')"
        workflow = Answer(tools=(Tool("Workflow", {"script": script}),))
        asked, alone = self.agent(isolation="worktree"), self.agent(subagent_type="alone")
        api = self.plays_agents(asked, alone, workflow, self.agent())
        self.lists("it", claude={"allowed_tools": ["Edit(./**)", "Agent", "Workflow"]})
        self.runs_beside_the_checkout()
        _, by_call, by_definition, by_script, helped = self.results_of_tools(api, marker("it"))
        self.assertIn("Agent with isolation:worktree has been denied", by_call)
        self.assertIn("Not in this run: work in the folder that you are in.", by_definition)
        self.assertIn("No such tool available: Workflow", by_script)
        self.assertIn("It is done.", helped)
        self.assertLessEqual({"a.txt", "sub.txt"}, self.workspace.added("feature/it"))
        self.assertIn("isolation", prompt_of(api.calls(marker("it"))[0]))
        # The same beside settings of the list's own, of which the CLI takes the last only.
        given = json.dumps({"env": {"SET": "yes"}, "hooks": {"WorktreeCreate": []}})
        api = self.plays_agents(alone, bash("printenv SET"))
        options = {"extra_args": ["--settings", given], "allowed_tools": ["Bash(printenv:*)"]}
        self.lists("it", claude=options)
        self.runs_beside_the_checkout()
        _, by_definition, shown = self.results_of_tools(api, marker("it"))
        self.assertIn("Not in this run", by_definition)
        self.assertTrue(shown.startswith("yes"), shown)
        # Settings in a file have no place for the hook.
        settings = Path(self.workspace.beside("settings.json"))
        settings.write_text("{}", "utf-8")
        api = self.plays_agents(alone, self.agent())
        self.lists("it", claude={"extra_args": [f"--settings={settings}"]})
        self.runs_beside_the_checkout("--allow-bypass")
        for told in self.results_of_tools(api, marker("it"))[1:]:
            self.assertIn("No such tool available: Agent", told)
        # What nothing of ours refuses, where the repository switches hooks off, is found.
        off = {".claude/settings.json": '{"disableAllHooks": true}'}
        self.workspace.commit(off)
        self.plays_agents(alone)
        self.lists("it")
        self.runs(0, "--fresh")
        (stray,) = self.workspace.results()["it"]["strays"]
        self.assertTrue(os.path.exists(os.path.join(stray["worktree"], "sub.txt")))
        said = f"it: the worktree {stray['worktree']} (branch worktree-agent-"
        self.assertIn(said, self.workspace.command("status").out)


def edit(path: str, old: str, new: str) -> Tool:
    return Tool("Edit", {"file_path": path, "old_string": old, "new_string": new})


class Attached(RealClaudeTest):
    def settle(self, folder: str) -> None:
        """As after the questions that the CLI asks on a terminal the first time."""
        path = Path(self.workspace.home, ".claude.json")
        known = json.loads(path.read_text("utf-8")) if path.exists() else {}
        key = self.workspace.environ["ANTHROPIC_API_KEY"]
        known.update(
            hasCompletedOnboarding=True,
            theme="dark",
            customApiKeyResponses={"approved": [key[-20:]], "rejected": []},
        )
        project = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
        known.setdefault("projects", {})[folder] = project
        path.write_text(json.dumps(known), "utf-8")

    def test_attach_continues_the_session_on_a_terminal(self) -> None:
        self.plays(a=[write("a.txt", "a\n"), text("Finished."), text("Understood.")])
        self.lists("a")
        self.runs(0)
        self.settle(os.path.realpath(self.workspace.worktree("a")))
        with terminal() as (ours, theirs):
            # The whole prompt has room, however long our instructions are.
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 80, 120, 0, 0))
            running = self.workspace.start("attach", "a", terminal=theirs, env={"TERM": "xterm"})
            os.close(theirs)
            shown = read_until(ours, "Finished.")
            self.assertIn("Build a.", shown)
            os.write(ours, b"Continue")
            read_until(ours, "Continue")
            os.write(ours, b"\r")
            read_until(ours, "Understood.")
            os.write(ours, b"/exit\r")
            said = read_until(ours, "")
            self.assertEqual(running.end().code, 0)
        self.assertIn(self.workspace.results()["a"]["session_id"], said)
        told = [
            event["action"] for event in self.workspace.journal() if event["event"] == "steered"
        ]
        self.assertEqual(told, ["attach"])


class Decomposed(RealClaudeTest):
    def test_a_specification_becomes_a_list_by_a_claude_that_only_reads(self) -> None:
        def output(*features: Json, **more: Json) -> Answer:
            return Answer(tools=(Tool("StructuredOutput", {"features": [*features], **more}),))

        def uses(name: str, **given: str) -> Answer:
            return Answer(tools=(Tool(name, given),))

        secret = self.workspace.beside("secret.txt")
        Path(secret).write_text("do not read", "utf-8")
        first, second = proposed("auth"), proposed("api", depends_on=["auth"])
        api = self.plays_script(
            uses("Read", file_path="README.md"),
            uses("Read", file_path=secret),
            uses("Grep", pattern="read", path=self.workspace.root),
            write("x.txt", "x"),
            bash("touch y.txt"),
            output(*[proposed(f"f{number}") for number in range(500)]),
            output({**first, "depends_on": ["api"]}, second),
            output(first, second, verify=["python3 -m unittest"]),
        )
        shop = self.workspace
        shop.write({"SPEC.md": "Build a shop.\n"})
        command = ["decompose", "SPEC.md", "--yes", "--json", "--max-cost", "1"]
        done = shop.command(*command, at=shop.path)
        self.assertEqual(done.code, 0, done.err + done.out)
        self.assertEqual([each["id"] for each in done.json["features"]], ["auth", "api"])
        self.assertEqual((done.json["calls"], done.json["findings"]), (2, []))
        self.assertAlmostEqual(done.json["cost_usd"], api.billed().usage.cost_usd(), places=9)
        changed = shop.git("status", "--porcelain").split("\n")
        self.assertEqual(changed, ["?? SPEC.md", "?? config/", "?? prompts/"])
        last = api.calls(SPECIFICATION)[-1]
        self.assertEqual(len({call.session for call in api.calls(SPECIFICATION)}), 1)
        self.assertNotIn("do not read", json.dumps(last.body["messages"]))
        self.assertIn("dependency cycle: auth", prompt_of_last(last))
        offered = {tool["name"] for tool in last.body["tools"]}
        self.assertTrue({"Bash", "Write", "Edit", "WebFetch", "Agent"}.isdisjoint(offered), offered)


class Assisted(RealClaudeTest):
    def test_an_opinion_comes_from_a_claude_that_only_reads(self) -> None:
        good = {"kind": "missing", "feature": "api", "other": "auth", "reason": "It signs in."}
        bad = {**good, "other": "gone"}
        opinions = {"opinions": [good, bad]}
        api = self.plays_script(
            write("x.txt", "x"),
            Answer(tools=(Tool("StructuredOutput", {"opinions": "many"}),)),
            Answer(tools=(Tool("StructuredOutput", opinions),)),
            asked=JUDGE,
        )
        shop = self.workspace
        shop.features(*({"id": id, "prompt": f"Build {id}."} for id in ("auth", "api")))
        del shop.document["claude"]["command"]
        shop.change()
        before = shop.git("status", "--porcelain")
        said = shop.command("assist", "--claude", "--check", "--json")
        self.assertEqual(said.code, 1, said)
        (found,) = said.json["findings"]
        self.assertEqual((found["add"], found["safe"]), (["auth"], False))
        self.assertEqual(found["evidence"], [{"rule": "claude", "text": "It signs in."}])
        self.assertEqual((said.json["claude"]["opinions"], said.json["claude"]["dropped"]), (1, 1))
        usd = api.billed().usage.cost_usd()
        self.assertAlmostEqual(said.json["claude"]["cost_usd"], usd, places=9)
        self.assertEqual(shop.git("status", "--porcelain"), before)


class ThePlugin(RealClaudeTest):
    def claude(self, *words: str) -> str:
        """What the real CLI says to these arguments, and to a prompt on its standard input."""
        done = subprocess.run(
            [str(real_claude.executable()), *words],
            cwd=self.workspace.path,
            env=self.workspace.environ,
            input="Hello",
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_it_is_valid_and_brings_its_skill_and_commands(self) -> None:
        api = MessagesApi({"Hello": [text("Hello.")]})
        api.__enter__()
        self.addCleanup(api.__exit__)
        home = Path(self.workspace.home)
        self.workspace.environ.update(real_claude.environment(home, api.url))
        folder = Path(ROOT, "install", "claude-plugin")
        self.claude("plugin", "validate", "--strict", str(folder))
        stream = self.claude(
            "-p", "--output-format=stream-json", "--verbose", f"--plugin-dir={folder}"
        )
        events = [json.loads(line) for line in stream.splitlines()]
        (init,) = (event for event in events if event.get("subtype") == "init")
        self.assertIn("rorchestrator", [plugin["name"] for plugin in init["plugins"]])
        self.assertIn("rorchestrator:rorchestrator", init["skills"])
        commands = {f"rorchestrator:{path.stem}" for path in folder.glob("commands/*.md")}
        self.assertEqual(len(commands), 3)
        self.assertLessEqual(commands, set(init["slash_commands"]))

    def test_it_is_installed_from_the_repository(self) -> None:
        home = Path(self.workspace.home)
        self.workspace.environ.update(real_claude.environment(home, "http://127.0.0.1:9"))
        self.claude("plugin", "marketplace", "add", str(ROOT))
        self.claude("plugin", "install", "rorchestrator@rorchestrator")
        self.assertIn("rorchestrator@rorchestrator", self.claude("plugin", "list"))


@once
class TheTodoProject(RealClaudeTest):
    """docs/QUICKSTART.md, command by command; the model runs the tests as the prompts ask."""

    def setUp(self) -> None:
        super().setUp()
        self.api = model()
        self.api.__enter__()
        self.addCleanup(self.api.__exit__)
        self.build = TodoBuild(self.workspace, self.api)

    def test_every_command_of_the_quickstart_works_and_docs_validation_shows_the_outcome(
        self,
    ) -> None:
        typed = self.build.play("begin", "plan", "rehearsal", "run")
        self.assertEqual(typed["rehearsal"].calls, 0)
        self.assert_built(typed["run"].said)
        typed.update(self.build.play("logs", "look", "use", "merge"))
        self.assertIn(todo_project.TESTS, typed["logs"].said)
        self.assertEqual(typed["use"].said.splitlines()[1], "[ ] 1  Buy milk")
        self.assertIn("Everything is up to date", typed["merge"].said)
        lines = list(validation.figures(self.build, typed))
        self.assertEqual(lines[-3], "Left: 0 worktrees, 0 branches beside main, 0 processes")
        self.assertEqual(validation.lasting(lines), validation.lasting(validation.sample()))

    def assert_built(self, said: str) -> None:
        features = todo_project.FEATURES
        results = {each["feature_id"]: each for each in self.build.report("results")}
        statuses = {id: result["status"] for id, result in results.items()}
        self.assertEqual(statuses, dict.fromkeys(features, "completed"), said)
        caches = ["src/__pycache__/", "tests/__pycache__/"]
        expected = set(self.build.git("ls-tree", "-r", "--name-only", "main"))
        self.assertIn("config/feature_list.json", expected)
        for feature in features:
            with self.subTest(feature):
                expected |= set(todo_project.FILES[feature])
                listed = self.build.git("ls-tree", "-r", "--name-only", f"feature/{feature}")
                files = {file for file in listed if not file.endswith(".pyc")}
                self.assertEqual(files, expected)
                # Only what Claude committed itself is there.
                all_of_it = todo_project.COMMITS.get(feature) == "-A"
                self.assertEqual(len(files) < len(listed), all_of_it, listed)
                self.assertEqual(results[feature]["held_back"], [] if all_of_it else caches)
                prompt = Path(self.build.path, f"prompts/test-project/{feature}.md")
                self.assertIn(
                    prompt.read_text("utf-8").strip(), prompt_of(self.api.calls(marker(feature))[0])
                )
        self.assertIn("Claude itself committed build products: src/__pycache__/, tests/", said)
        self.assertEqual(
            self.build.git("log", "--format=%s", "--reverse", "feature/cli-interface"),
            [
                "Initial commit",
                "Feature list",
                "feat(task-model): build it",
                "feat(task-storage): Task storage",
                "feat(cli-interface): build it",
            ],
        )


if __name__ == "__main__":
    unittest.main()
