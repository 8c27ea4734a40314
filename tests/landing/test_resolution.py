"""``merge --resolve``: a conflict that Claude is given, with real git, real checks, real kills."""

from __future__ import annotations

import io
import json
import os
import signal
import unittest
from collections.abc import Mapping
from typing import Any
from unittest import mock

from core import cli
from core.claude.command_line import allowed_rules
from core.git.output import WorktreeStatus
from core.landing.resolution import ALLOWED_TOOLS, options_for
from core.model.errors import UserError
from core.model.feature import ClaudeOptions, Config, Feature, Project
from core.model.list_commands import shell_command
from core.model.outcome import Status
from tests.support.commands import CommandResult, Terminal, standing_in, streams, wait_until
from tests.support.merges import MergeTest
from tests.support.once import once, skip_if_run_elsewhere
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere

SAY: Mapping[str, object] = {"say": "It was asked for."}
BOTH: Mapping[str, object] = {"bash": "printf 'a\\nb\\n' > same.txt && git add same.txt"}
MARKED: Mapping[str, object] = {"bash": "git add same.txt"}
KILLED: Mapping[str, object] = {
    "bash": "test -e ../../once || { touch ../../once; kill -9 $PPID; }"
}
"""The first time only."""

QUICK = {"attempts": 3, "backoff_seconds": 0.01}
REFS = "refs/rorchestrator/resolutions/"


class ResolutionTest(MergeTest):
    def conflict(
        self, *does: Mapping[str, object], strict: bool = True, **project: object
    ) -> Workspace:
        """Two features that do not merge; what the agent does with that is in the prompt of b."""
        own = {id: {"verify": [f"grep -q {id} same.txt"]} if strict else {} for id in "ab"}
        shop = self.open(
            feature("a", SAY, **own["a"]), feature("b", *(does or (BOTH,)), **own["b"]), **project
        )
        for id in "ab":
            shop.finish(id, {"same.txt": f"{id}\n", f"{id}.txt": id})
        return shop

    def resolve(self, *words: str) -> CommandResult:
        return self.merge("--resolve", "--yes", "--json", *words)

    def ending(self, said: CommandResult, id: str = "b") -> Any:
        return next(each for each in said.json["features"] if each["id"] == id)

    def assert_held(self, said: CommandResult, reason: str, *, attempts: int = 1) -> None:
        """The feature b is held for that, what it cost is told, and the branch holds a only."""
        ending = self.ending(said)
        self.assertEqual((said.code, ending["state"]), (1, "held"), said)
        self.assertIn("b and a conflict in same.txt; ", ending["reason"])
        self.assertIn(reason, ending["reason"])
        made = ending["resolution"]
        self.assertEqual((made["ending"], made["attempts"]), ("failed", attempts))
        self.assertEqual(made["cost_usd"], round(0.05 * attempts, 2))
        self.assertEqual(self.landed(), ["merge a: a"])
        self.assertEqual(self.refs(), [])

    def refs(self) -> list[str]:
        return self.shop.git("for-each-ref", "--format=%(refname)", REFS).split()

    def prompts(self) -> list[str]:
        """What Claude was told, in the order in which it was."""
        found = []
        for event in self.shop.events("resolution_started"):
            with open(str(event["log"])[: -len("jsonl")] + "prompt", encoding="utf-8") as file:
                found.append(file.read())
        return found


class Rules(unittest.TestCase):
    def test_neither_rules_nor_checks_of_the_list_allow_more_than_it_takes(self) -> None:
        claude = ClaudeOptions(allowed_tools_add=("Bash(x)",))
        project = Project("Shop", "/repo", verify=(shell_command("npm test"),))
        config = options_for(Config("l", "w", project, (), claude))
        feature = Feature("a", "a", allowed_tools=ALLOWED_TOOLS)
        found = allowed_rules(config.claude, feature, config.project.verify)
        self.assertEqual(found, ALLOWED_TOOLS)


@once
class Resolved(ResolutionTest):
    def test_a_conflict_is_resolved_checked_for_both_sides_and_lands(self) -> None:
        shop = self.conflict(verify=["test -e a.txt || ! test -e b.txt"])
        before = shop.git("for-each-ref", "refs/heads/feature")
        said = self.resolve()
        self.assertEqual(said.code, 0, said)
        made = self.ending(said)["resolution"]
        self.assertEqual((made["ending"], made["attempts"]), ("resolved", 1))
        self.assertEqual((made["cost_usd"], made["files"]), (0.05, ["same.txt"]))
        self.assertEqual(self.landed(), ["merge a: a", "merge b: b"])
        self.assertEqual(shop.files("main")["same.txt"], b"a\nb\n")
        self.assertEqual(shop.git("for-each-ref", "refs/heads/feature"), before)
        body = shop.git("log", "-1", "--format=%b", "main")
        self.assertIn("Claude resolved the conflict in same.txt.", body)
        trailers = shop.git("log", "-1", "--format=%(trailers:only)", "main")
        self.assertIn(f"RoRchestrator-Session: {made['session_id']}", trailers)
        parents = shop.git("log", "-1", "--format=%P", "main").split()
        self.assertEqual(parents[1], shop.commit_of("feature/b"))
        (journal,) = shop.events("resolved")
        self.assertEqual(journal["commit"], made["commit"])
        checked = {event["command"] for event in shop.events("checked") if event["passed"]}
        self.assertLessEqual({"grep -q a same.txt", "grep -q b same.txt"}, checked)
        # Neither of them was at work: what is known of the features is as it was.
        self.assertEqual(shop.state().feature("b").status, Status.COMPLETED)
        self.assertEqual(len(shop.state().feature("b").attempts), 1)

    def test_claude_gets_the_merge_base_both_sides_and_both_prompts(self) -> None:
        shop = self.conflict()
        base, tip = shop.commit_of("main"), shop.commit_of("feature/b")
        self.resolve()
        (told,) = self.prompts()
        self.assertTrue(told.startswith('Task: resolve the conflict that keeps the feature "b"'))
        self.assertIn(f"The base: {base[:12]}", told)
        self.assertIn("`main` with a; it changed a.txt, same.txt", told)
        self.assertIn(f"{tip[:12]}, `feature/b`; it changed b.txt, same.txt", told)
        self.assertIn("## Files in conflict\n- same.txt", told)
        self.assertIn('The task of "a" (a), which is ours\n\nBuild a.', told)
        self.assertIn('The task of "b" (b), which is theirs\n\nBuild b.', told)

    def test_a_resolution_is_paid_once_shown_by_logs_and_status_and_removed_with_the_feature(
        self,
    ) -> None:
        shop = self.conflict()
        first = self.resolve()
        for words in ((), ("--strategy", "squash")):
            shop.git("reset", "--quiet", "--hard", "main~2")
            dry = self.merge("--resolve", "--dry-run", "--json", *words)
            self.assertEqual(self.states(dry), {"a": "would land", "b": "would land"})
            again = self.merge("--resolve", "--yes", *words)
            self.assertEqual(again.code, 0, again)
            self.assertIn("    reused Claude's earlier resolution of same.txt", again.out)
        self.assertEqual(len(shop.events("resolution_started")), 1)
        session = self.ending(first)["resolution"]["session_id"]
        self.assertIn(session, shop.git("log", "-1", "--format=%b", "main"))
        logs = shop.main("logs", "b", "--resolution")
        self.assertIn("git add same.txt", logs.out)
        self.assertEqual(shop.main("logs", "b", "--resolution", "--attempt", "2").code, 2)
        self.assertEqual(shop.main("logs", "b", "--resolution", "--follow").code, 0)
        status = shop.main("status", "--json").json["features"]
        self.assertEqual([each["resolution_cost_usd"] for each in status], [0.0, 0.05])
        self.assertRegex(shop.main("status").out, r"b +completed +unknown \+ \$0\.05 ")
        self.assertEqual(len(self.refs()), 1)
        self.assertEqual(shop.main("cleanup", "--merged").code, 0)
        self.assertEqual(self.refs(), [])

    def test_with_squash_and_rebase_it_lands_as_one_commit(self) -> None:
        for strategy in ("squash", "rebase"):
            with self.subTest(strategy):
                shop = self.conflict()
                said = self.resolve("--strategy", strategy)
                self.assertEqual(said.code, 0, said)
                self.assertEqual(self.landed()[-1], "feat(b): b")
                self.assertEqual(shop.files("main")["same.txt"], b"a\nb\n")
                self.assertEqual(
                    self.states(self.resolve("--strategy", strategy)),
                    {"a": "already", "b": "already"},
                )

    def test_a_rebase_with_one_conflicting_step_asks_for_no_resolution(self) -> None:
        shop = self.open(feature("a", SAY), feature("b", SAY))
        shop.finish("a", {"same.txt": "both\n"})
        shop.finish("b", {"same.txt": "b\n"}, {"same.txt": "both\n", "b.txt": "b"})
        said = self.resolve("--strategy", "rebase")
        self.assertEqual(said.code, 0, said)
        self.assertEqual(self.landed(), ["feat(a)", "feat(b): b"])
        self.assertEqual(shop.events("resolution_started"), [])

    def test_checks_of_features_that_landed_before_run_too(self) -> None:
        shop = self.conflict(MARKED, verify_attempts=0)
        self.merge("a")
        shop.commit({"later.txt": ""}, "later")
        said = self.resolve()
        self.assertEqual(said.code, 1)
        (told,) = self.prompts()
        self.assertIn('The task of "a" (a), which is ours', told)
        self.assertIn("b and main conflict", self.held(said)["b"])

    def test_a_failing_check_is_given_to_the_same_session_which_fixes_it(self) -> None:
        drop = {"bash": "printf 'b\\nb\\n' > same.txt && git add same.txt"}
        pause: Mapping[str, object] = {"linger": 0}
        shop = self.conflict(drop, pause, BOTH)
        said = self.resolve()
        self.assertEqual(said.code, 0, said)
        made = self.ending(said)["resolution"]
        self.assertEqual((made["attempts"], made["cost_usd"]), (2, 0.1))
        first, second = shop.events("resolution_started")
        self.assertEqual(first["session_id"], second["session_id"])
        self.assertIn("check: `grep -q a same.txt` ended with exit 1", self.prompts()[1])
        self.assertIn("Claude is resolving same.txt for b", said.err)
        self.assertIn("sent back to Claude", said.err)

    def test_two_conflicts_one_after_the_other_and_what_comes_after(self) -> None:
        shop = self.open(
            feature("a", SAY),
            feature("b", BOTH),
            feature("c", {"bash": "printf 'a\\nb\\nc\\n' > same.txt && git add same.txt"}),
            feature("d", SAY, depends_on=["b"]),
        )
        # What the agent is told holds the prompts of both sides, and so the steps of both.
        for id in "abc":
            shop.finish(id, {"same.txt": f"{id}\n"})
        shop.finish("d", start="feature/b")
        said = self.resolve()
        self.assertEqual(said.code, 0, said)
        self.assertEqual(shop.files("main")["same.txt"], b"a\nb\nc\n")
        self.assertEqual(len(shop.events("resolution_started")), 2)

    def test_a_feature_above_it_that_fails_does_not_have_it_paid_for_again(self) -> None:
        shop = self.open(
            feature("a", SAY),
            feature("b", BOTH),
            feature("d", SAY, depends_on=["b"]),
            feature("e", SAY, depends_on=["a"]),
            verify=["! test -e d.txt"],
        )
        for id in "ab":
            shop.finish(id, {"same.txt": f"{id}\n"})
        shop.finish("d", start="feature/b")
        shop.finish("e", start="feature/a")
        said = self.resolve()
        self.assertEqual(self.states(said), {**dict.fromkeys("abe", "landed"), "d": "held"})
        self.assertEqual(self.ending(said)["resolution"]["ending"], "resolved")
        self.assertEqual(len(shop.events("resolution_started")), 1)

    def test_an_old_git_resolves_the_same(self) -> None:
        self.conflict()
        with mock.patch("core.git.door.MERGE_TREE", (99, 0)):
            self.assertEqual(self.resolve().code, 0)


@once
class NotResolved(ResolutionTest):
    def test_leftover_conflict_markers_are_reported_to_claude_and_then_held(self) -> None:
        self.conflict(MARKED, verify_attempts=1)
        said = self.resolve()
        self.assert_held(said, "conflict markers are left: same.txt:1, same.txt:", attempts=2)
        self.assertIn("conflict markers are left", self.prompts()[1])

    def test_a_file_that_is_not_marked_as_resolved_is_not(self) -> None:
        self.conflict({"bash": "printf 'a\\nb\\n' > same.txt"}, verify_attempts=0)
        self.assert_held(self.resolve(), "not marked as resolved: same.txt")

    def test_a_resolution_that_breaks_a_check_is_held_with_the_checks_output(self) -> None:
        drop = {"bash": "echo b > same.txt; echo more >> same.txt; git add same.txt"}
        self.conflict(drop, verify_attempts=0)
        self.assert_held(self.resolve(), "check: `grep -q a same.txt` ended with exit 1")

    def test_a_promise_of_either_side_that_is_gone_is_red(self) -> None:
        shop = self.open(
            feature("a", SAY, creates=["path:a.txt", "command:true"]),
            feature("b", {"bash": "git rm -q a.txt"}, BOTH, creates=["some prose"]),
            verify_attempts=0,
        )
        for id in "ab":
            shop.finish(id, {"same.txt": f"{id}\n", f"{id}.txt": id})
        self.assert_held(self.resolve(), "`creates` of a names path:a.txt, but there is no such")

    def test_files_that_neither_side_touched_are_not_to_change(self) -> None:
        self.conflict({"write": "README.md"}, {"write": "new.txt"}, BOTH, verify_attempts=0)
        said = self.resolve()
        self.assert_held(said, "neither side had changed were changed: README.md, new.txt")

    def test_a_merge_committed_or_aborted_by_claude_is_held_without_another_attempt(self) -> None:
        for words in ("git commit -qm mine", "git merge --abort", "git checkout -qfb other"):
            with self.subTest(words):
                self.conflict(BOTH, {"bash": words})
                self.assert_held(self.resolve(), "committed or aborted")

    def test_a_folder_that_leads_elsewhere_is_not_looked_at(self) -> None:
        self.conflict(BOTH, {"bash": "rm .git"})
        self.assert_held(self.resolve(), ".git was changed")

    def test_a_worktree_that_git_can_not_read_is_held_with_what_git_said(self) -> None:
        self.conflict(BOTH, {"bash": 'echo no > "$(git rev-parse --git-dir)/index"'})
        self.assert_held(self.resolve(), "git could not read the index of")

    def test_a_side_that_is_thrown_away_whole_is_no_resolution(self) -> None:
        ours = "git rm -qf b.txt; git checkout -q --ours same.txt; git add same.txt"
        theirs = "git rm -qf a.txt; git checkout -q --theirs same.txt; git add same.txt"
        for words, side in ((ours, "b"), (theirs, "main")):
            with self.subTest(side):
                self.conflict({"bash": words}, strict=False, verify_attempts=0)
                self.assert_held(self.resolve(), f"the resolution drops all changes of {side}")

    def test_a_failed_resolution_is_held_and_none_is_tried_after_a_usage_limit(self) -> None:
        limit = {"fail": "You've hit your session limit", "status": 429}
        shop = self.open(*(feature(id, limit) for id in "abc"))
        for id in "abc":
            shop.finish(id, {"same.txt": f"{id}\n"})
        said = self.resolve()
        self.assertIn("hit your session limit", self.held(said)["b"])
        self.assertIn("no further conflict is sent to Claude", self.held(said)["c"])
        self.assertEqual(len(shop.events("resolution_started")), 1)
        plain = self.merge("--resolve", "--yes")
        self.assertIn("    1 attempt, $0.00: rorchestrator logs b --resolution", plain.out)

    def test_the_budget_is_reserved_and_the_actual_cost_is_counted(self) -> None:
        shop = self.open(*(feature(id, {"cost": 0.5}, MARKED) for id in "abc"), verify_attempts=0)
        for id in "abc":
            shop.finish(id, {"same.txt": f"{id}\n"})
        said = self.resolve("--max-cost", "0.4")
        self.assertIn("budget: nothing is left of $0.40", self.held(said)["c"])
        self.assertEqual(self.ending(said)["resolution"]["cost_usd"], 0.5)
        self.assertEqual(len(shop.events("resolution_started")), 1)

    def test_the_cap_of_a_feature_is_one_for_all_attempts_and_stops_no_other(self) -> None:
        own = {"max_cost_usd": 0.5}
        shop = self.open(*(feature(id, {"cost": 0.5}, MARKED, **own) for id in "abc"))
        for id in "abc":
            shop.finish(id, {"same.txt": f"{id}\n"})
        held = self.held(self.resolve())
        for id in "bc":
            self.assertIn("nothing is left of the feature's max_cost_usd", held[id])
        self.assertEqual(len(shop.events("resolution_started")), 2)

    def test_a_fault_by_chance_is_tried_again_in_its_session(self) -> None:
        shop = self.conflict(KILLED, BOTH, retry=QUICK)
        said = self.merge("--resolve", "--yes")
        self.assertEqual(said.code, 0, said)
        self.assertIn("attempt 2 of 3 in 0 s", said.err)
        begun = shop.events("resolution_started")
        self.assertEqual([each["resumed"] for each in begun], [False, True])
        self.assertIn("You were interrupted", self.prompts()[1])

    def test_a_resolution_whose_session_is_unknown_starts_over(self) -> None:
        shop = self.conflict(KILLED, BOTH, retry=QUICK)
        shop.environ["RORCHESTRATOR_SIMULATION"] = ""
        said = self.merge("--resolve", "--yes")
        self.assertEqual(said.code, 0, said)
        begun = shop.events("resolution_started")
        self.assertEqual([each["resumed"] for each in begun], [False, True, False])
        self.assertTrue(self.prompts()[2].startswith("Task: resolve the conflict"))
        self.assertIn("You were interrupted", self.prompts()[2])

    def test_an_unresolved_conflict_is_held_and_no_other_resolution_is_tried(self) -> None:
        patience = {"fail": "API Error: Request rejected (429)", "status": 429}
        shop = self.open(*(feature(id, *[patience] * 3) for id in "abc"), retry=QUICK)
        for id in "abc":
            shop.finish(id, {"same.txt": f"{id}\n"})
        said = self.resolve()
        self.assertIn("Request rejected", self.held(said)["b"])
        self.assertIn("no further conflict is sent to Claude", self.held(said)["c"])
        self.assertEqual(self.ending(said)["resolution"]["attempts"], 3)

    def test_a_cost_that_nobody_knows_is_not_called_nothing(self) -> None:
        self.conflict({"exit": 3}, retry={"attempts": 1})
        said = self.resolve()
        self.assertIsNone(self.ending(said)["resolution"]["cost_usd"])
        self.assertIn("without a result (exit 3)", self.held(said)["b"])

    def test_a_resolution_that_changes_what_git_executes_stops_the_merge_even_without_a_result(
        self,
    ) -> None:
        hook = {
            "bash": "d=$(git rev-parse --git-common-dir)/hooks; mkdir -p $d; echo x > $d/pre-push"
        }
        self.conflict(BOTH, hook, {"exit": 3}, retry={"attempts": 1})
        said = self.resolve()
        self.assertEqual(said.code, 2)
        self.assertIn("git hooks or settings were changed", said.err)
        self.assertEqual(self.landed(), [])

    def test_a_merge_failure_without_conflicts_is_held_with_the_message_of_git(self) -> None:
        self.conflict().branch("elsewhere", "main")
        nothing = WorktreeStatus("", "")
        with mock.patch("core.git.worktree_status.parse_status", return_value=nothing):
            said = self.resolve("--into", "elsewhere")
        self.assertIn("git could not leave a conflict in", self.held(said)["b"])


@once
class WhatIsPaidFor(ResolutionTest):
    def test_no_resolution_is_paid_for_on_a_failing_stack(self) -> None:
        shop = self.open(
            feature("bad", SAY),
            feature("a", SAY),
            feature("b", BOTH),
            verify=["! test -e bad.txt"],
        )
        shop.finish("bad")
        for id in "ab":
            shop.finish(id, {"same.txt": f"{id}\n"})
        said = self.resolve()
        self.assertEqual(self.states(said), {"bad": "held", "a": "landed", "b": "landed"})
        self.assertEqual(len(shop.events("resolution_started")), 1)

    def test_a_resolved_feature_is_bisected_as_one_and_is_not_paid_for_again(self) -> None:
        shop = self.open(
            feature("a", SAY),
            feature("b", BOTH),
            feature("bad", SAY),
            verify=["! test -e bad.txt"],
        )
        for id in "ab":
            shop.finish(id, {"same.txt": f"{id}\n"})
        shop.finish("bad")
        said = self.resolve()
        self.assertEqual(self.states(said), {"a": "landed", "b": "landed", "bad": "held"})
        self.assertEqual(len(shop.events("resolution_started")), 1)
        self.assertEqual(self.ending(said)["resolution"]["attempts"], 1)

    def test_no_resolution_is_paid_for_on_a_branch_whose_setup_fails(self) -> None:
        shop = self.conflict(verify=["true"], setup=["false"])
        shop.commit({"same.txt": "mine\n"}, "mine")
        said = self.resolve()
        self.assertIn("the checks already fail on main", self.held(said)["a"])
        self.assertEqual(shop.events("resolution_started"), [])

    def test_a_side_that_failed_before_is_not_checked_afterwards(self) -> None:
        shop = self.open(feature("a", SAY, verify=["false"]), feature("b", BOTH, verify=["true"]))
        for id in "ab":
            shop.finish(id, {"same.txt": f"{id}\n"})
        self.assertEqual(self.resolve().code, 0)
        notes = [str(event["text"]) for event in shop.events("note")]
        self.assertTrue(any("the checks of a already fail" in note for note in notes), notes)

    def test_a_known_resolution_whose_checks_now_fail_is_asked_for_again(self) -> None:
        shop = self.conflict()
        self.resolve()
        shop.git("reset", "--quiet", "--hard", "main~2")
        listed: Any = shop.document["features"]
        listed[1]["verify"] = ["grep -q new same.txt"]
        listed[1]["prompt"] += '\nsimulate: {"bash": "echo new >> same.txt; git add same.txt"}'
        shop.write({"config/feature_list.json": json.dumps(shop.document)})
        shop.git("update-index", "--assume-unchanged", "config/feature_list.json")
        said = self.resolve()
        self.assertEqual(said.code, 0, said)
        self.assertEqual(len(shop.events("resolution_started")), 2)
        self.assertEqual(shop.files("main")["same.txt"], b"a\nb\nnew\n")
        self.assertEqual(len(self.refs()), 1)

    def test_a_known_one_that_can_not_be_checked_is_neither_lost_nor_paid_for(self) -> None:
        shop = self.conflict()
        self.resolve()
        shop.git("reset", "--quiet", "--hard", "main~2")
        listed: Any = shop.document["features"]
        listed[1]["verify"] = ["true"]
        shop.write({"config/feature_list.json": json.dumps(shop.document)})
        shop.git("update-index", "--assume-unchanged", "config/feature_list.json")
        no_room = UserError("no room for a worktree")
        with mock.patch("core.runner.checks.Checks._check_landing", side_effect=no_room):
            said = self.resolve()
        self.assertIn("its known resolution could not be checked", self.held(said)["b"])
        self.assertEqual((len(shop.events("resolution_started")), len(self.refs())), (1, 1))

    def test_the_same_conflict_that_failed_is_not_paid_for_twice_in_one_merge(self) -> None:
        shop = self.open(
            feature("a", SAY),
            feature("b", MARKED),
            feature("bad", SAY),
            verify=["! test -e bad.txt"],
            verify_attempts=0,
        )
        for id in "ab":
            shop.finish(id, {"same.txt": f"{id}\n"})
        shop.finish("bad")
        said = self.resolve()
        self.assertEqual(self.states(said), {"a": "landed", "b": "held", "bad": "held"})
        self.assertEqual(len(shop.events("resolution_started")), 1)


class Asking(ResolutionTest):
    def test_a_dry_run_says_which_conflicts_claude_would_be_given_and_spends_nothing(self) -> None:
        shop = self.open(*(feature(id, SAY) for id in "abc"))
        for id in "abc":
            shop.finish(id, {"same.txt": f"{id}\n"})
        said = self.merge("--resolve", "--dry-run")
        self.assertEqual(said.code, 1)
        for id in "bc":
            words = f"held {id} (feature/{id}): {id} and a conflict in same.txt; Claude would be"
            self.assertIn(words, said.out)
        self.assertEqual((shop.events("ended")[0]["feature"], self.landed()), ("a", []))
        self.assertEqual(shop.events("resolution_started"), [])

    def test_without_a_terminal_it_needs_yes(self) -> None:
        self.conflict()
        said = self.merge("--resolve")
        self.assertEqual((said.code, said.out), (2, ""))
        self.assertIn("rorchestrator merge --resolve --yes", said.err)

    def ask(self, answer: io.TextIOBase) -> CommandResult:
        """``merge --resolve`` on a terminal, where somebody answers."""
        shop = self.shop
        shop.agree("merge")
        with standing_in(shop.path, shop.environ):
            out, err = (Terminal(io.BytesIO(), encoding="utf-8") for _ in range(2))
            with streams(out, err, answer):
                code = cli.main(["merge", "--resolve"])
        texts = []
        for stream in (out, err):
            stream.flush()
            stream.seek(0)
            texts.append(stream.read())
        return CommandResult(code, *texts)

    def test_on_a_terminal_it_asks_where_there_is_a_conflict(self) -> None:
        self.conflict()
        for words in (b"n\n", b"\xff\n", b""):
            said = self.ask(Terminal(io.BytesIO(words), encoding="utf-8"))
            self.assertEqual(said.code, 2)
            self.assertIn("b: b and a conflict in same.txt; Claude would be called", said.err)
            self.assertIn("Let Claude resolve 1 conflict now? [y/N] Nothing was landed.", said.err)
        self.assertEqual(self.landed(), [])
        said = self.ask(Terminal(io.BytesIO(b"y\n"), encoding="utf-8"))
        self.assertEqual(said.code, 0, said)
        self.assertIn("Claude resolved same.txt", said.out)
        self.assertNotIn("[y/N]", self.ask(Terminal(io.BytesIO(b""), encoding="utf-8")).err)

    def test_ctrl_c_at_the_question_lands_nothing(self) -> None:
        self.conflict()

        class Interrupts(Terminal):
            def readline(self, size: int = -1) -> str:  # type: ignore[override]
                raise KeyboardInterrupt

        said = self.ask(Interrupts(io.BytesIO(), encoding="utf-8"))
        self.assertEqual((said.code, self.landed()), (130, []))

    def test_a_list_that_bypasses_permissions_needs_consent_first(self) -> None:
        self.conflict()
        self.shop.document["claude"]["permission_mode"] = "bypassPermissions"
        text = json.dumps(self.shop.document)
        self.shop.commit({"config/feature_list.json": text}, "the list")
        said = self.resolve()
        self.assertEqual(said.code, 2)
        self.assertIn("rorchestrator merge --resolve --yes --json --allow-bypass", said.err)
        self.assertEqual(self.resolve("--allow-bypass").code, 0)

    def test_a_claude_that_is_not_there_is_said_before_anything_is_done(self) -> None:
        self.conflict()
        self.shop.document["claude"]["command"] = ["/nowhere/claude"]
        text = json.dumps(self.shop.document)
        self.shop.commit({"config/feature_list.json": text}, "the list")
        said = self.resolve()
        self.assertEqual((said.code, self.landed()), (2, ["the list"]))
        self.assertIn("/nowhere/claude does not exist", said.err)

    def test_logs_of_a_resolution_that_never_was(self) -> None:
        self.conflict()
        said = self.shop.main("logs", "b", "--resolution")
        self.assertEqual(said.code, 2)
        self.assertIn("Claude has not been given a conflict of b yet", said.err)


class AtTheEndOfARun(ResolutionTest):
    def test_run_lands_what_claude_resolved_within_what_is_left_of_its_budget(self) -> None:
        # The prompts of both features are in that of the conflict, and so are their steps.
        only = "grep -q '<<<' same.txt || test -e both || echo {id} > same.txt"
        both = "grep -q '<<<' same.txt && printf 'a\\nb\\n' > same.txt && git add same.txt; true"
        self.open(
            feature("a", {"bash": only.format(id="a")}, estimated_tokens=1000),
            feature("b", {"bash": only.format(id="b")}, {"bash": both}, estimated_tokens=1000),
        )
        words = ("run", "--yes", "--merge", "--resolve", "--json")
        poor = self.shop.command(*words, "--max-cost", "0.1")
        self.assertEqual(poor.code, 1, poor)
        last = json.loads(poor.out.splitlines()[-1])
        self.assertIn("budget: nothing is left of $0.00", last["features"][1]["reason"])
        rich = self.shop.command(*words)
        self.assertEqual(rich.code, 0, rich)
        self.assertEqual(self.landed(), ["merge a: a", "merge b: b"])


class Kills(ResolutionTest):
    def begun(self) -> tuple[Workspace, str]:
        """A conflict at which the agent takes its time, until there is a file ``go``."""
        shop = self.open(feature("a", SAY), feature("b", SAY))
        begun, go = (os.path.join(shop.root, name) for name in ("begun", "go"))
        waits = feature("b", {"bash": f"touch {begun}"}, {"wait": go}, BOTH)
        shop.change([feature("a", SAY), waits])
        shop.commit({}, "the list")
        for id in "ab":
            shop.finish(id, {"same.txt": f"{id}\n"})
        return shop, begun

    def test_a_signal_ends_claude_and_nothing_is_landed(self) -> None:
        shop, begun = self.begun()
        before = shop.seen_by_user()
        running = shop.start("merge", "--resolve", "--yes")
        wait_until(lambda: os.path.exists(begun), "the agent")
        running.signal(signal.SIGTERM)
        done = running.end()
        self.assertEqual(done.code, 143)
        self.assertIn("Stopped: nothing was landed.", done.err)
        self.assertEqual((shop.processes(), sorted(os.listdir(shop.worktrees))), ([], ["a", "b"]))
        self.assert_untouched(before)
        (ended,) = shop.events("resolution_ended")
        self.assertEqual(ended["fault"], "interrupted")

    def test_a_signal_while_it_waits_for_the_next_attempt_ends_it(self) -> None:
        self.conflict({"exit": 3}, retry={"attempts": 3, "backoff_seconds": 60})

        def interrupted(*_: float) -> float:
            os.kill(os.getpid(), signal.SIGINT)
            return 60.0

        with mock.patch("core.runner.attempt.random.uniform", side_effect=interrupted):
            said = self.merge("--resolve", "--yes")
        self.assertEqual(said.code, 130, said)
        self.assertEqual(len(self.shop.events("resolution_started")), 1)
        self.assertEqual(self.landed(), [])

    def test_a_signal_before_claude_is_asked_asks_nobody(self) -> None:
        ends = ["kill -TERM $PPID; sleep 60"]
        shop = self.open(feature("a", SAY, verify=ends), feature("b", BOTH))
        for id in "ab":
            shop.finish(id, {"same.txt": f"{id}\n"})
        self.assertEqual(self.resolve(), CommandResult(143, "", "Stopped: nothing was landed.\n"))
        self.assertEqual((shop.events("resolution_started"), shop.events("note")), ([], []))

    def test_killed_in_the_middle_nothing_runs_on_and_typed_again_it_lands(self) -> None:
        shop, begun = self.begun()
        before = shop.seen_by_user()
        running = shop.start("merge", "--resolve", "--yes")
        wait_until(lambda: os.path.exists(begun), "the agent")
        running.kill()
        wait_until(lambda: not shop.processes(), "the end of all that it started")
        self.assert_untouched(before)
        with open(os.path.join(shop.root, "go"), "w"):
            pass
        said = self.resolve()
        self.assertEqual(said.code, 0, said)
        self.assertEqual(self.landed()[1:], ["merge a: a", "merge b: b"])
        first, second = shop.events("resolution_ended")
        self.assertEqual((first["status"], second["status"]), ("cancelled", "completed"))
        self.assertEqual([e["attempt"] for e in shop.events("resolution_started")], [1, 2])


if __name__ == "__main__":
    unittest.main()
