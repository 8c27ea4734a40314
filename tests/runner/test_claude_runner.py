"""One feature, from its worktree to its commit: real git, real processes, the simulated agent."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
import time
import unittest
from collections.abc import Mapping

from core.claude.command_line import NO_WORKTREE_HOOK
from core.model.decision import Action
from core.model.errors import StateError
from core.model.events import Event
from core.model.frozen import replace
from core.model.outcome import Fault, FeatureOutcome, Status, Usage
from core.runner.ports import FIRST
from tests.support.commands import HAS_PROC, wait_until
from tests.support.once import once
from tests.support.paths import AGENT
from tests.support.repository import Content
from tests.support.runner import (
    AGAIN,
    BY_THE_SHELL,
    FORGETFUL,
    LIMITED,
    Hasty,
    RunnerTest,
    result,
    run_id,
)
from tests.support.workspace import feature


class SuccessTest(RunnerTest):
    def test_a_feature_goes_through_all_its_states_to_a_commit_on_its_branch(self) -> None:
        step = {"write": "a.txt", "content": "1\n2\n"}
        self.workspace.features(feature("a", step, name="The a"))
        outcome = self.run_feature()
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)
        kinds = ["preparing", "based", "attempt_started", "note", "attempt_ended"]
        self.assertEqual(self.kinds(), [*kinds, "verifying", "committing", "ended"])
        assert outcome.work is not None
        self.assertEqual((outcome.work.files_changed, outcome.work.insertions), (1, 2))
        repository = self.workspace
        self.assertEqual(outcome.work.commit, repository.commit_of("feature/a"))
        self.assertEqual(self.workspace.ref("a"), [outcome.work.commit])
        self.assertEqual(self.workspace.added("feature/a"), {"a.txt"})
        said = repository.git("log", "-1", "--format=%B", "feature/a")
        trailers = f"RoRchestrator-Feature: a\nRoRchestrator-Run: {run_id(1)}"
        self.assertEqual(said.strip(), f"feat(a): The a\n\n{trailers}")

    def test_the_outcome_holds_the_values_of_the_result_line(self) -> None:
        self.workspace.features(feature("a", {"cost": 0.5}, {"write": "a.txt"}))
        outcome = self.run_feature()
        self.assertEqual(outcome.status, Status.COMPLETED)
        last = self.last_attempt()
        self.assertEqual((last.cost_usd, last.num_turns), (0.5, 2))
        self.assertEqual((last.result, last.usage), ("Done.", Usage(1000, 100)))
        self.assertEqual(last.session_id, self.state.feature("a").session_id)

    def test_commits_of_claude_are_kept_and_the_rest_is_committed_on_top(self) -> None:
        commit = {"bash": "git add -A && git commit -qm 'by Claude'"}
        does = ({"write": "a.txt"}, commit, {"write": "b.txt"})
        self.workspace.features(feature("a", *does, name="The a"))
        self.assertEqual(self.run_feature().status, Status.COMPLETED)
        log = self.workspace.git("log", "--format=%s", "feature/a").split("\n")
        self.assertEqual(log, ["feat(a): The a", "by Claude", "first"])

    def test_no_commit_is_added_if_claude_committed_everything(self) -> None:
        commit = {"bash": "git add -A && git commit -qm 'by Claude'"}
        self.workspace.features(feature("a", {"write": "a.txt"}, commit))
        self.assertEqual(self.run_feature().status, Status.COMPLETED)
        log = self.workspace.git("log", "--format=%s", "feature/a").split("\n")
        self.assertEqual(log, ["by Claude", "first"])

    def test_secrets_are_left_uncommitted_and_named(self) -> None:
        self.workspace.features(feature("a", {"write": ".env"}, {"write": "a.txt"}))
        outcome = self.run_feature()
        assert outcome.work is not None
        self.assertEqual(outcome.work.held_back, (".env",))
        self.assertEqual(self.workspace.added("feature/a"), {"a.txt"})
        self.assertTrue(os.path.exists(os.path.join(self.workspace.worktree("a"), ".env")))

    def test_the_version_and_the_payer_are_noted_once_per_run(self) -> None:
        self.workspace.features(feature("a"), feature("b"))
        self.run_features("a", "b")
        told = "Claude Code 0.0.0-simulated, authentication: none"
        self.assertEqual(self.notes(), [told])

    def test_a_claude_too_old_for_parallel_runs_is_reported_once_per_run(self) -> None:
        init = '{"type": "system", "subtype": "init", "claude_code_version": "2.1.12"}\n'
        script = f"printf '%s' '{init}'; touch $$.txt; printf '%s' '{result()}'"
        command = {"command": ["/bin/sh", "-c", script]}
        self.workspace.features(feature("a"), feature("b"), claude=command)
        self.run_features("a", "b")
        old = "Claude Code 2.1.12 is old: 2.1.59 or newer is safer for concurrent features"
        self.assertEqual(self.notes(), ["Claude Code 2.1.12, authentication: unknown", old])

    def test_a_claude_of_unknown_version_and_payer_is_noted_as_such(self) -> None:
        init = '{"type": "system", "subtype": "init"}\n'
        script = f"printf '%s' '{init}'; touch a.txt; printf '%s' '{result()}'"
        self.workspace.features(feature("a"), claude={"command": ["/bin/sh", "-c", script]})
        self.assertEqual(self.run_feature().status, Status.COMPLETED)
        self.assertEqual(
            self.notes(), ["Claude Code of an unknown version, authentication: unknown"]
        )


class WhatClaudeGetsTest(RunnerTest):
    def test_the_prompt_has_every_part_in_its_order(self) -> None:
        self.workspace.write({"config/context.md": "We sell fish.\n"}, at=self.workspace.folder)
        self.workspace.features(
            feature("base", creates=["Fish"], name="Fish model"),
            feature(
                "a",
                name="The a",
                depends_on=["base"],
                description="A shop.",
                uses=["Fish"],
                creates=["Shop"],
            ),
            claude={"command": self.record()},
            prompts={"context_file": "config/context.md", "quality_rules": ["tests pass", "typed"]},
        )
        self.assertEqual(self.run_feature().status, Status.COMPLETED)
        expected = """\
Task: bring the feature "a" (The a) to completion.

We sell fish.

A shop.

Build a.

## What is already done, and merged into this folder
- base (Fish model), from branch `feature/base`: Fish

## What this feature uses
- Fish

## What this feature has to create
- Shop

## Before you finish, check each of these
- [ ] tests pass
- [ ] typed

## How you work here
- You run unattended: nobody can answer, so do not ask. Decide, and say in your closing
  message what you decided.
- Work only in this folder. It is a git worktree of its own, already on branch `feature/a`:
  do not switch branches, do not rebase, do not touch other worktrees, do not use `git stash`.
- Finish the whole feature before you stop. What you leave uncommitted is committed for you.
- Your subagents work in this folder too. A worktree of their own (`isolation: "worktree"`) is
  refused: work in it would belong to no feature.
- Commits of your own hold no build products: no `__pycache__`, no tool caches, no
  `node_modules`, no virtual environment, unless the task asks for them.
"""
        (seen,) = self.seen()
        self.assertEqual(seen["prompt"], expected)
        self.assertTrue(stat.S_ISREG(seen["mode"]))
        self.assertEqual(stat.S_IMODE(seen["mode"]), 0o600)
        self.assertEqual(seen["cwd"], self.workspace.worktree("a"))

    def test_the_command_line_is_exact(self) -> None:
        self.workspace.features(
            feature("a", model="opus", allowed_tools=["Read", "Bash(make:*)"]),
            claude={
                "command": [*self.record(), "--leading"],
                "permission_mode": "plan",
                "disallowed_tools": ["WebFetch"],
                "fallback_model": "haiku",
                "max_turns": 7,
                "max_budget_usd": 1.5,
                "append_system_prompt": "Be brief.",
                "extra_args": ["--strict-mcp-config"],
            },
            verify=["true"],
        )
        self.run_feature()
        session = self.state.feature("a").session_id
        (seen,) = self.seen()
        self.assertEqual(
            seen["argv"],
            [
                "--leading",
                "-p",
                "--output-format=stream-json",
                "--verbose",
                "--permission-mode=plan",
                "--allowedTools=Read,Bash(make:*),Bash(true),Bash(true:*)",
                "--disallowedTools=Bash(git stash:*),EnterWorktree,CronCreate,ScheduleWakeup"
                ",Agent(isolation:worktree),Workflow,WebFetch",
                "--model=opus",
                "--fallback-model=haiku",
                "--max-turns=7",
                "--max-budget-usd=1.5",
                "--append-system-prompt=Be brief.",
                f"--session-id={session}",
                "--settings="
                + json.dumps({"hooks": {"WorktreeCreate": [{"hooks": [NO_WORKTREE_HOOK]}]}}),
                "--strict-mcp-config",
            ],
        )

    def test_the_environment_is_the_users_with_ours_on_top(self) -> None:
        inherited = {
            **self.workspace.environ,
            "ANTHROPIC_API_KEY": "k",
            "CLAUDECODE": "1",
            "GIT_DIR": "/elsewhere",
            "GIT_INDEX_FILE": "/elsewhere/index",
            "CLAUDE_CODE_MAX_RETRIES": "9",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "user.name",
            "GIT_CONFIG_VALUE_0": "Bot",
        }
        self.workspace.features(
            feature("a"),
            claude={
                "command": self.record(),
                "env": {"CLAUDE_CODE_DISABLE_AUTO_MEMORY": "0", "OWN": "yes"},
            },
        )
        self.run_feature(environ=inherited)
        (seen,) = self.seen()
        found = {k: v for k, v in seen["environ"].items() if k not in BY_THE_SHELL}
        mark = found.pop("RORCHESTRATOR_MARK")
        self.assertTrue(mark.endswith(f"{run_id(1)}/a/1;"), mark)
        port = int(found.pop("RORCHESTRATOR_PORT"))
        self.assertGreaterEqual(port, FIRST)
        gone = {"CLAUDECODE", "GIT_DIR", "GIT_INDEX_FILE"} | BY_THE_SHELL
        kept = {k: v for k, v in inherited.items() if k not in gone}
        ours = {
            "CLAUDE_CODE_MAX_RETRIES": "3",
            "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "0",
            "OWN": "yes",
            "RORCHESTRATOR_FEATURE": "a",
            "RORCHESTRATOR_BRANCH": "feature/a",
            "RORCHESTRATOR_RUN": run_id(1),
            "RORCHESTRATOR_SLOT": "0",
        }
        self.assertEqual(found, {**kept, **ours})

    def test_a_stop_before_claude_starts_leaves_it_unstarted(self) -> None:
        self.workspace.features(feature("a"), setup=["true"])

        def stop_now(event: Event, stop: asyncio.Event) -> None:
            if event.kind == "ready":
                stop.set()

        self.on_event = stop_now
        outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.INTERRUPTED))
        self.assertEqual(self.attempts(), [])

    def test_the_log_of_claude_is_readable_by_its_owner_only(self) -> None:
        self.workspace.features(feature("a", {"stderr": "careful"}, {"write": "a.txt"}))
        self.run_feature()
        folder = self.workspace.beside("logs", run_id(1))
        found = {name: os.stat(os.path.join(folder, name)) for name in os.listdir(folder)}
        self.assertEqual(set(found), {"a.1.prompt", "a.1.jsonl", "a.1.stderr"})
        self.assertEqual({stat.S_IMODE(info.st_mode) for info in found.values()}, {0o600})
        self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
        with open(os.path.join(folder, "a.1.stderr")) as file:
            self.assertEqual(file.read(), "careful\n")


class FailureTest(RunnerTest):
    def test_an_end_without_a_result_is_a_failure_with_the_end_of_its_complaints(self) -> None:
        self.workspace.features(feature("a", {"stderr": "no idea"}, {"exit": 3}))
        outcome = self.run_feature()
        self.assert_failed(outcome, Fault.TRANSIENT, "Claude ended without a result (exit 3)")
        self.assertIn("no idea", outcome.reason)
        self.assertIsNone(self.last_attempt().cost_usd)
        self.assertEqual(self.last_attempt().session_id, self.state.feature("a").session_id)

    def test_the_end_of_long_error_output_is_quoted(self) -> None:
        long = ({"stderr": "x" * 70_000}, {"stderr": "the end"})
        self.workspace.features(feature("a", *long, {"exit": 3}))
        outcome = self.run_feature()
        self.assertIn("the end", outcome.reason)
        self.assertLess(len(outcome.reason), 17_000)

    def test_no_output_at_all_is_a_failure_also_with_exit_0(self) -> None:
        self.workspace.features(feature("a"), claude={"command": ["/bin/sh", "-c", ":"]})
        self.assert_failed(self.run_feature(), Fault.TRANSIENT, "without a result (exit 0)")
        self.assertEqual(self.notes(), [])

    def test_an_api_error_is_a_failure_although_its_subtype_is_success(self) -> None:
        self.workspace.features(feature("a", {"fail": "Overloaded", "status": 529}))
        self.assert_failed(self.run_feature(), Fault.TRANSIENT, "Overloaded")

    def test_a_success_with_a_bad_exit_code_is_a_failure(self) -> None:
        does = ({"write": "a.txt"}, {"print": result()}, {"exit": 4})
        self.workspace.features(feature("a", *does))
        outcome = self.run_feature()
        self.assert_failed(outcome, Fault.TRANSIENT, "reported success but ended with exit 4")

    def test_an_agent_that_is_killed_from_outside_failed(self) -> None:
        self.workspace.features(feature("a", {"write": "a.txt"}, {"bash": "kill -9 $PPID"}))
        self.assert_failed(self.run_feature(), Fault.TRANSIENT, "signal 9")

    def test_a_success_without_a_change_is_empty(self) -> None:
        self.workspace.features(feature("a", {"say": "Nothing to do."}))
        outcome = self.run_feature()
        self.assertEqual(outcome.status, Status.EMPTY)
        self.assertEqual(outcome.reason, "Claude reported success, but changed nothing")
        self.assertEqual(self.workspace.ref("a"), [])

    def test_a_success_without_a_change_completes_where_that_is_allowed(self) -> None:
        self.workspace.features(feature("a", {"say": "Fine."}, allow_empty=True))
        outcome = self.run_feature()
        self.assertEqual(outcome.status, Status.COMPLETED)
        self.assertEqual(self.workspace.ref("a"), [self.workspace.commit_of("main")])

    def test_an_empty_success_tells_what_was_held_back_and_denied(self) -> None:
        denial = {"tool_name": "Bash", "tool_input": {"command": "curl x"}}
        line = result(permission_denials=[denial, denial])
        self.workspace.features(feature("a", {"write": ".env"}, {"print": line}, {"exit": 0}))
        outcome = self.run_feature()
        self.assertEqual(outcome.status, Status.EMPTY)
        self.assertEqual(
            outcome.reason,
            "Claude reported success, but changed nothing but files that are never committed "
            "unasked: .env; it was denied Bash(curl x)",
        )

    def test_an_agent_that_switched_branches_failed_and_its_work_stays(self) -> None:
        does = ({"write": "a.txt"}, {"bash": "git checkout -qb mine"})
        self.workspace.features(feature("a", *does))
        self.assert_failed(self.run_feature(), Fault.NONE, "switched to mine")
        self.assertTrue(os.path.exists(os.path.join(self.workspace.worktree("a"), "a.txt")))

    def test_an_agent_that_removed_its_worktree_failed(self) -> None:
        path = self.workspace.worktree("a")
        self.workspace.features(feature("a", {"bash": f"rm -rf '{path}'"}))
        self.assert_failed(self.run_feature(), Fault.NONE, "is gone")

    def test_a_hook_that_refuses_the_commit_is_quoted_and_the_work_stays(self) -> None:
        self.workspace.hook("pre-commit", "echo 'line 3 is ugly' >&2; exit 1")
        self.workspace.features(feature("a", {"write": "a.txt"}))
        self.assert_failed(self.run_feature(), Fault.COMMIT, "line 3 is ugly")
        self.assertTrue(os.path.exists(os.path.join(self.workspace.worktree("a"), "a.txt")))

    def test_claude_is_not_paid_again_if_git_has_disappeared(self) -> None:
        self.workspace.features(feature("a"))
        self.on_event = lambda event, stop: (
            event.kind == "verifying"
            and self.runners[-1].worktrees.git.environ.update(PATH="/none")
        )
        self.assert_failed(self.run_feature(), Fault.COMMIT, "git was not found")
        self.on_event = lambda event, stop: None
        self.assertEqual(self.run_feature(action=Action.RESUME).status, Status.COMPLETED)
        self.assertEqual(self.attempts(), [(1, False)])

    def test_a_result_that_stands_there_already_is_not_replaced(self) -> None:
        repository = self.workspace
        repository.git("update-ref", f"refs/rorchestrator/results/a/{run_id(1)}", "main")
        self.workspace.features(feature("a"))
        self.assert_failed(self.run_feature(), Fault.GIT, "already exists with another commit")

    def test_an_obstruction_of_the_worktree_fails_the_feature(self) -> None:
        os.makedirs(self.workspace.worktree("a"))
        self.workspace.write({"x": "x"}, at=self.workspace.worktree("a"))
        self.workspace.features(feature("a"))
        self.assert_failed(self.run_feature(), Fault.GIT, "already exists")
        self.assertEqual(self.workspace.commit_of("feature/a"), "")


@once
class TamperingTest(RunnerTest):
    def test_after_a_tampering_no_worktree_is_made_and_no_agent_started(self) -> None:
        plant = {"bash": "git config filter.x.smudge evil"}
        self.workspace.features(feature("a", {"write": "a.txt"}, plant), feature("b"))
        for outcome in self.run_features("a", "b"):
            self.assert_failed(outcome, Fault.TAMPERED, "filter.x.smudge in .git/config was added")
        self.assertFalse(os.path.exists(self.workspace.worktree("b")))
        self.assertEqual(self.kinds().count("attempt_started"), 1)

    def test_a_failed_attempt_that_tampered_is_reported_as_tampering(self) -> None:
        plant = {"bash": "git config alias.x '!evil'"}
        self.workspace.features(feature("a", plant, {"fail": "Overloaded", "status": 529}))
        self.assert_failed(self.run_feature(), Fault.TAMPERED, "alias.x in .git/config was added")
        last = self.state.feature("a").last_outcome
        assert last is not None
        self.assertEqual(last.fault, Fault.TRANSIENT)


class RoomTest(RunnerTest):
    def test_no_feature_begins_without_enough_disk_space(self) -> None:
        self.limits = {"least_free_bytes": 1 << 62}
        self.workspace.features(feature("a"))
        outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.SPACE))
        self.assertRegex(
            outcome.reason, r"^only \d+ MiB free in /\S+; at least 4398046511104 MiB are"
        )
        self.assertEqual(self.kinds(), ["ended"])

    def test_claude_is_not_started_if_disk_space_ran_out_during_preparation(self) -> None:
        self.workspace.features(feature("a"))

        def fill(event: Event, _: asyncio.Event) -> None:
            if event.kind == "based":
                self.runners[-1].least_free_bytes = 1 << 62

        self.on_event = fill
        outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.SPACE))
        self.assertEqual(self.kinds(), ["preparing", "based", "ended"])


@once
class MoneyTest(RunnerTest):
    """An attempt costs a turn at least: without the money for it none is made."""

    def test_claude_gets_no_failing_check_to_fix_after_the_limit(self) -> None:
        costly = feature("a", {"cost": 0.5}, {"write": "a"}, verify=["false"], max_cost_usd=0.5)
        self.workspace.features(costly)
        outcome = self.run_feature()
        self.assert_failed(outcome, Fault.BUDGET, "budget: no money is left for another attempt")
        self.assertIn("before that: check: `false` ended with exit 1", outcome.reason)
        self.assertEqual(self.attempts(), [(1, False)])

    def test_a_fault_is_not_followed_by_another_try(self) -> None:
        # Nobody knows what an attempt without a result cost: it may be all that it was granted.
        self.cap_usd = 1.0
        for cap in ({}, {"max_cost_usd": 0.5}):
            with self.subTest(cap):
                self.workspace.features(feature("a", {"exit": 3}, **cap), retry=AGAIN)
                self.assert_failed(
                    self.run_feature(), Fault.BUDGET, "Claude ended without a result"
                )
                self.assertEqual(self.attempts(), [(1, False)])

    def test_a_fraction_of_a_cent_starts_nothing(self) -> None:
        self.cap_usd = 0.009
        self.workspace.features(feature("a"))
        outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.BUDGET))
        self.assertEqual(self.attempts(), [])

    def test_a_session_that_is_unknown_cost_nothing(self) -> None:
        claude = {"command": [self.workspace.script("claude", FORGETFUL)]}
        self.workspace.features(
            feature(
                "a",
                {"write": "a"},
                verify=["echo x >> n; test $(wc -l < n) -gt 2"],
                max_cost_usd=0.1,
            ),
            claude=claude,
        )
        self.assertEqual(self.run_feature().status, Status.COMPLETED)
        self.assertEqual(self.attempts(), [(1, False), (2, True), (3, False)])

    def test_turns_that_are_used_up_are_not_made_up_for_with_money(self) -> None:
        self.cap_usd = 5.0
        stopped = {"type": "result", "subtype": "error_max_turns", "total_cost_usd": 0.1}
        self.workspace.features(
            feature("a", {"print": json.dumps(stopped) + "\n"}, {"exit": 1}, max_cost_usd=4)
        )
        self.assert_failed(self.run_feature(), Fault.TURNS, "the maximum number of turns")
        self.assertEqual(self.attempts(), [(1, False)])


class TimeTest(RunnerTest):
    """Once the time of the run is over nothing more is begun."""

    def end_with(self, kind: str) -> None:
        def listen(event: Event, _: asyncio.Event) -> None:
            if event.kind == kind:
                object.__setattr__(self.runners[-1].context, "deadline", 0.0)

        self.on_event = listen

    def test_claude_gets_no_failing_check_to_fix_after_the_limit(self) -> None:
        self.workspace.features(feature("a", verify=["false"]))
        self.end_with("checked")
        self.assert_failed(
            self.run_feature(), Fault.BUDGET, "the time limit of the run (--max-time)"
        )
        self.assertEqual(self.attempts(), [(1, False)])

    def test_a_feature_without_an_attempt_is_cancelled(self) -> None:
        self.workspace.features(feature("a"))
        self.end_with("based")
        outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.BUDGET))
        self.assertIn("the time limit of the run (--max-time)", outcome.reason)
        self.assertEqual(self.attempts(), [])

    def test_a_fault_is_not_followed_by_another_try(self) -> None:
        self.workspace.features(feature("a", {"exit": 3}), retry=AGAIN)
        self.end_with("attempt_ended")
        self.assert_failed(self.run_feature(), Fault.TRANSIENT, "ended without a result")
        self.assertEqual(self.attempts(), [(1, False)])


class LimitTest(RunnerTest):
    def test_a_feature_in_preparation_at_the_usage_limit_waits_before_claude_starts(self) -> None:
        self.workspace.features(feature("a"), setup=["true"])

        def limit(event: Event, _: asyncio.Event) -> None:
            if event.kind == "setting_up":
                self.runners[-1].gate.begin(time.time() + 0.5)

        self.on_event = limit
        self.assertEqual(self.run_feature().status, Status.COMPLETED)
        (started,) = [e.at for e in self.events if e.kind == "attempt_started"]
        self.assertEqual(len(self.pauses), 2)
        self.assertGreaterEqual(started, self.pauses[0])

    def test_a_feature_interrupted_during_the_wait_is_interrupted(self) -> None:
        self.workspace.features(feature("a"), setup=["true"])

        def limit(event: Event, stop: asyncio.Event) -> None:
            if event.kind == "setting_up":
                self.runners[-1].gate.begin(time.time() + 60)
            elif event.kind == "ready":
                stop.set()

        self.on_event = limit
        outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.INTERRUPTED))

    def test_a_usage_limit_longer_than_max_wait_ends_the_waiting_features(self) -> None:
        self.workspace.features(feature("a"), setup=["true"])

        def limit(event: Event, _: asyncio.Event) -> None:
            if event.kind == "setting_up":
                self.runners[-1].gate.begin(time.time() + 1e6)

        self.on_event = limit
        self.assert_failed(self.run_feature(), Fault.LIMIT, "--max-wait")
        self.assertEqual(self.attempts(), [])

    def test_the_others_go_on_also_where_the_one_that_tried_is_stopped_for_a_tampering(
        self,
    ) -> None:
        text = LIMITED.format(python=sys.executable, folder=self.workspace.beside("."))
        claude = {"command": [self.workspace.script("claude", text)]}
        self.workspace.features(feature("a"), claude=claude)
        self.assert_failed(self.run_feature(), Fault.TAMPERED, "alias.x")
        self.assertEqual((self.runners[-1].gate.until, self.pauses[-1]), (0.0, 0.0))


class EndTest(RunnerTest):
    def test_a_feature_that_takes_too_long_is_interrupted_and_still_tells_its_cost(self) -> None:
        self.workspace.features(feature("a", {"cost": 0.3}, {"sleep": 60}, timeout_seconds=4))
        outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.TIMED_OUT, Fault.TIMEOUT))
        self.assertEqual(outcome.reason, "no result within the time limit")
        self.assertEqual(self.last_attempt().cost_usd, 0.3)

    def test_the_time_of_the_project_holds_where_the_feature_has_none(self) -> None:
        self.workspace.features(feature("a", {"sleep": 60}), timeout_seconds=0.5)
        self.assertEqual(self.run_feature().status, Status.TIMED_OUT)

    def test_an_agent_that_ignores_sigint_and_sigterm_is_killed(self) -> None:
        self.supervisor = Hasty
        deaf = {"ignore": ["SIGINT", "SIGTERM"]}
        self.workspace.features(feature("a", deaf, {"sleep": 60}, timeout_seconds=0.5))
        outcome = self.run_feature()
        self.assertEqual(outcome.status, Status.TIMED_OUT)
        self.assertIsNone(self.last_attempt().cost_usd)

    def test_a_stopped_attempt_is_cancelled_and_tells_its_cost(self) -> None:
        began = self.workspace.beside("began")
        self.workspace.features(feature("a", {"write": began}, {"sleep": 60}))
        self.stop_when("began")
        outcome = self.run_feature()
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.INTERRUPTED))
        self.assertEqual(self.last_attempt().cost_usd, 0.05)

    def test_a_run_that_is_stopped_while_it_prepares_does_not_start_claude(self) -> None:
        self.workspace.features(feature("a"))
        outcome = self.run_feature(stop=True)
        self.assertEqual((outcome.status, outcome.fault), (Status.CANCELLED, Fault.INTERRUPTED))
        self.assertNotIn("attempt_started", self.kinds())

    def test_an_agent_that_lingers_after_its_result_is_ended_and_succeeded(self) -> None:
        self.linger_seconds = 0.3
        self.workspace.features(feature("a", {"write": "a.txt"}, {"linger": 60}))
        self.assertEqual(self.run_feature().status, Status.COMPLETED)
        self.assertEqual(self.workspace.processes(), [])

    def test_a_stop_after_the_result_does_not_undo_it(self) -> None:
        began = self.workspace.beside("began")
        does = ({"write": "a.txt"}, {"print": result()}, {"bash": f"touch {began}"}, {"sleep": 60})
        # The bash step tells of itself before it begins: the result must come last.
        script = f"touch a.txt; printf '%s' '{result()}'; sleep 0.3; touch '{began}'; exec sleep 60"
        del does
        self.workspace.features(feature("a"), claude={"command": ["/bin/sh", "-c", script]})
        self.stop_when("began")
        self.assertEqual(self.run_feature().status, Status.COMPLETED)

    @unittest.skipUnless(HAS_PROC, "needs /proc, and setsid as a command")
    def test_nothing_that_an_agent_started_outlives_it(self) -> None:
        ways = (
            "sleep 61 &",
            "setsid sleep 62 &",
            "(setsid sh -c 'sleep 63 & sleep 64' &)",
            "nohup sleep 65 >/dev/null 2>&1 &",
        )
        does = [{"write": "a.txt"}, *({"bash": way} for way in ways)]
        script = 'sleep 60 & exec "$@"'
        self.workspace.features(
            feature("a", *does), claude={"command": ["/bin/sh", "-c", script, "sh", *AGENT]}
        )
        self.assertEqual(self.run_feature().status, Status.COMPLETED)
        self.assertEqual(self.workspace.processes(), [])

    def test_a_cancelled_attempt_leaves_no_process(self) -> None:
        began = self.workspace.beside("began")
        self.workspace.features(feature("a", {"write": began}, {"sleep": 60}))

        async def scene() -> None:
            turn = asyncio.ensure_future(self._turns(["a"], Action.START, {}, False, None, {}))
            while not os.path.exists(began):
                await asyncio.sleep(0.01)
            turn.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await turn

        asyncio.run(asyncio.wait_for(scene(), 30))
        wait_until(lambda: not self.workspace.processes(), "nothing runs")


@once
class StartAgainTest(RunnerTest):
    def interrupted(self, *does: Mapping[str, object]) -> FeatureOutcome:
        """An attempt that is stopped after these steps."""
        began = {"write": self.workspace.beside("began")}
        self.workspace.features(feature("a", *does, began, {"wait": self.workspace.beside("go")}))
        self.stop_when("began")
        outcome = self.run_feature()
        self.assertEqual(outcome.status, Status.CANCELLED)
        self.on_event = lambda event, stop: None
        return outcome

    def forget_sessions(self) -> None:
        for name in os.listdir(self.workspace.sessions):
            os.unlink(os.path.join(self.workspace.sessions, name))

    def test_an_interrupted_session_is_resumed_in_its_worktree(self) -> None:
        self.interrupted({"write": "a.txt"})
        first = self.last_attempt()
        self.workspace.touch("go")
        second = self.run_feature(action=Action.RESUME)
        self.assertEqual(second.status, Status.COMPLETED, second)
        self.assertEqual(self.last_attempt().session_id, first.session_id)
        self.assertEqual(self.attempts(), [(1, False), (2, True)])
        self.assertTrue(self.prompt_of(2).startswith("Continue: this session was interrupted"))
        self.assertEqual(self.workspace.added("feature/a"), {"a.txt"})

    def test_an_unknown_session_starts_over_on_the_kept_worktree(self) -> None:
        self.interrupted({"write": "a.txt"})
        first = self.last_attempt()
        self.forget_sessions()
        self.workspace.features(feature("a", {"write": "b.txt"}))
        second = self.run_feature(action=Action.RESUME)
        self.assertEqual(second.status, Status.COMPLETED, second)
        self.assertNotEqual(self.last_attempt().session_id, first.session_id)
        self.assertEqual(self.attempts(), [(1, False), (2, True), (3, False)])
        self.assertIn("## What is here already", self.prompt_of(3))
        self.assertEqual(self.workspace.added("feature/a"), {"a.txt", "b.txt"})

    def test_an_unknown_session_is_not_followed_by_another_one_in_a_stopped_run(self) -> None:
        self.interrupted({"write": "a.txt"})
        self.forget_sessions()
        self.on_event = lambda event, stop: stop.set() if event.kind == "attempt_ended" else None
        outcome = self.run_feature(action=Action.RESUME)
        self.assert_failed(outcome, Fault.SESSION, "No conversation found")
        self.assertEqual(self.attempts(), [(1, False), (2, True)])

    def test_a_new_session_starts_on_the_kept_worktree_if_none_is_known(self) -> None:
        self.interrupted({"write": "a.txt"})
        self.workspace.features(feature("a", {"write": "b.txt"}))
        known = self.state.feature("a")
        attempts = tuple(replace(attempt, session_id="") for attempt in known.attempts)
        outcome = self.run_feature(action=Action.RESUME, attempts=attempts)
        self.assertEqual(outcome.status, Status.COMPLETED)
        self.assertEqual(self.attempts(), [(1, False), (2, False)])
        self.assertEqual(self.workspace.added("feature/a"), {"a.txt", "b.txt"})

    def test_a_feature_without_worktree_and_branch_starts_over(self) -> None:
        self.interrupted({"write": "a.txt"})
        repository = self.workspace
        repository.git("worktree", "remove", "--force", self.workspace.worktree("a"))
        repository.git("branch", "-D", "feature/a")
        self.workspace.features(feature("a", {"write": "b.txt"}))
        outcome = self.run_feature(action=Action.RESUME)
        self.assertEqual(outcome.status, Status.COMPLETED)
        self.assertEqual(self.attempts(), [(1, False)])
        self.assertEqual(self.workspace.added("feature/a"), {"b.txt"})

    def test_claude_is_not_started_again_if_only_the_commit_is_missing(self) -> None:
        hook = self.workspace.hook("pre-commit", "exit 1")
        self.workspace.features(feature("a", {"write": "a.txt"}))
        self.assertEqual(self.run_feature().fault, Fault.COMMIT)
        os.unlink(hook)
        outcome = self.run_feature(action=Action.RESUME)
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)
        self.assertEqual(self.attempts(), [(1, False)])
        self.assertEqual(self.workspace.added("feature/a"), {"a.txt"})

    def test_a_hook_that_a_signal_kills_loses_nothing_and_the_next_run_completes(self) -> None:
        for name in ("pre-commit", "commit-msg"):
            for number in (9, 15, 11):
                with self.subTest(name, signal=number):
                    hook = self.workspace.hook(name, f"kill -{number} $$")
                    id = f"{name}-{number}"
                    self.workspace.features(feature(id, {"write": "a.txt"}))
                    failed = self.run_feature(id)
                    self.assert_failed(failed, Fault.COMMIT, "commit in ")
                    worktree = self.workspace.worktree(id)
                    self.assertTrue(os.path.exists(os.path.join(worktree, "a.txt")))
                    os.unlink(hook)
                    outcome = self.run_feature(id, action=Action.RESUME)
                    self.assertEqual(outcome.status, Status.COMPLETED, outcome)
                    self.assertEqual(len(self.state.feature(id).attempts), 1)
                    self.assertEqual(self.workspace.added(f"feature/{id}"), {"a.txt"})

    def test_the_old_branch_is_kept_before_a_feature_starts_over(self) -> None:
        commit = {"bash": "git add -A && git commit -qm 'by Claude'"}
        self.interrupted({"write": "a.txt"}, commit, {"write": "b.txt"})
        self.workspace.features(feature("a", {"write": "c.txt"}))
        self.assertEqual(self.run_feature().status, Status.COMPLETED)
        (kept,) = self.workspace.ref("a", "kept")
        self.assertEqual(self.workspace.added(kept), {"a.txt", "b.txt"})
        self.assertEqual(self.workspace.added("feature/a"), {"c.txt"})
        ref = f"refs/rorchestrator/kept/a/{run_id(2)}"
        self.assertIn(f"its earlier work is kept as {ref}", self.notes())

    def test_leftovers_of_a_killed_preparation_are_repaired(self) -> None:
        self.workspace.features(feature("a"))
        self.run_feature(stop=True)
        admin = os.path.join(self.workspace.path, ".git", "worktrees", "a")
        os.unlink(os.path.join(admin, "HEAD"))
        outcome = self.run_feature()
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)

    def test_a_branch_that_is_checked_out_elsewhere_fails_the_feature_with_advice(self) -> None:
        self.workspace.features(feature("a", {"exit": 1}))
        self.run_feature()
        repository = self.workspace
        repository.git("worktree", "remove", "--force", self.workspace.worktree("a"))
        repository.git("worktree", "add", "-q", self.workspace.beside("mine"), "feature/a")
        outcome = self.run_feature()
        self.assert_failed(outcome, Fault.GIT, "feature/a is checked out in")
        self.assertIn("switch away from it", outcome.reason)


@once
class DependencyTest(RunnerTest):
    def setUp(self) -> None:
        super().setUp()
        repository = self.workspace
        self.results = {}
        made: dict[str, dict[str, Content]] = {
            "one": {"x": "1\n"},
            "two": {"y": "2\n"},
            "odd": {"x": "3\n"},
        }
        for name, files in made.items():
            repository.git("checkout", "-q", "-b", name, "main")
            self.results[name] = repository.commit(files)
        repository.git("checkout", "-q", "main")
        needs = {"depends_on": ["one", "two", "odd"]}
        self.workspace.features(
            *(feature(name) for name in ("one", "two", "odd")),
            feature("a", {"write": "a.txt"}, **needs),
        )

    def of(self, *names: str) -> dict[str, str]:
        return {name: self.results[name] for name in names}

    def test_a_feature_starts_from_the_results_of_its_dependencies(self) -> None:
        for number, version in enumerate((None, (2, 25))):
            with self.subTest(git=version):
                self.version = version
                outcome = self.run_feature(results=self.of("one", "two"))
                self.assertEqual(outcome.status, Status.COMPLETED, outcome)
                self.assertEqual(self.workspace.added("feature/a"), {"x", "y", "a.txt"})
                assert outcome.work is not None
                self.assertEqual(outcome.work.files_changed, 1)
                started_at = self.state.feature("a").start_commit
                self.assertEqual(self.workspace.added(started_at), {"x", "y"})
                self.assertEqual(self.kinds().count("based"), (1, 3)[number])

    def test_a_single_dependency_needs_no_merge(self) -> None:
        for version in (None, (2, 25)):
            with self.subTest(git=version):
                self.version = version
                outcome = self.run_feature(results=self.of("one"))
                self.assertEqual(outcome.status, Status.COMPLETED, outcome)
                self.assertEqual(self.state.feature("a").start_commit, self.results["one"])

    def test_dependencies_that_do_not_merge_are_named_with_the_files(self) -> None:
        for version in (None, (2, 25)):
            with self.subTest(git=version):
                self.version = version
                outcome = self.run_feature(results=self.of("one", "odd"))
                self.assertEqual(outcome.status, Status.CONFLICT)
                told, mend, ask = outcome.reason.split("\n")
                self.assertEqual(told, "one and odd conflict in x")
                self.assertRegex(mend, r"run again: cd \S+/odd && git merge feature/one$")
                self.assertEqual(ask, "or let Claude resolve it: rorchestrator run --resolve")
                self.assertNotIn("attempt_started", self.kinds())


class RecordTest(RunnerTest):
    def test_a_commit_that_cannot_be_recorded_is_not_made(self) -> None:
        self.workspace.features(feature("a"))

        def full(event: Event, _: asyncio.Event) -> None:
            if event.kind == "committing":
                raise StateError("the journal can't be written")

        self.on_event = full
        with self.assertRaises(StateError):
            self.run_feature()
        repository = self.workspace
        self.assertEqual(repository.commit_of("feature/a"), repository.commit_of("main"))

    def test_a_prompt_that_cannot_be_written_ends_the_run(self) -> None:
        self.workspace.features(feature("a"))
        self.workspace.touch("logs")
        with self.assertRaisesRegex(StateError, r"a\.1\.prompt can't be written"):
            self.run_feature()

    def test_a_log_that_cannot_be_written_ends_the_run(self) -> None:
        self.workspace.features(feature("a"))
        os.makedirs(self.workspace.beside("logs", run_id(1), "a.1.jsonl"))
        with self.assertRaisesRegex(StateError, r"a\.1\.jsonl can't be written: Is a directory"):
            self.run_feature()


if __name__ == "__main__":
    unittest.main()
