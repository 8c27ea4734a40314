"""What can land: features on top of each other, conflicts, and what keeps a stack red."""

from __future__ import annotations

import os
import unittest
from collections.abc import Mapping

from core.landing.layers import Candidate, Held, Resolution, Resolved
from core.landing.stack import LOSSY, Conflict
from core.model.feature import Feature
from core.model.frozen import replace
from core.model.strategy import Strategy
from core.process.spawner import run_sync
from core.worktree import dependencies
from tests.support.landings import TEXT, LandingTest, changed
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Content

setUpModule = skip_if_run_elsewhere


class ByEachStrategy(LandingTest):
    """Commits that a strategy makes; the same files with each of them."""

    def test_all_of_them_hold_the_same_in_the_end(self) -> None:
        self.finished("a")
        self.finished("b")
        self.finished("c", needs="a")
        for self.strategy in Strategy:
            with self.subTest(self.strategy):
                stack = self.stack()
                self.assertEqual(stack.held, {})
                files = set(self.repository.files(stack.tip))
                self.assertEqual(files, {"README.md", "text", "a", "b", "c"})

    def test_merge_makes_one_merge_for_each_feature_and_keeps_its_commits(self) -> None:
        self.finished("a", {"a": "1"}, {"a": "2"})
        stack = self.stack()
        self.assertEqual(self.log(stack, "%s"), ["merge a: The a"])
        parents = self.repository.git("log", "-1", "--format=%P", stack.tip).split()
        self.assertEqual(parents, [self.base, self.tip("a")])
        trailers = self.repository.git("log", "-1", "--format=%(trailers)", stack.tip)
        self.assertEqual(
            trailers.split(), ["RoRchestrator-Feature:", "a", "RoRchestrator-Run:", "run1"]
        )

    def test_squash_makes_one_commit_for_each_feature(self) -> None:
        self.strategy = Strategy.SQUASH
        self.finished("a", {"a": "1"}, {"a": "2"})
        self.finished("b", {"b": "1"}, {"b": "2"}, needs="a")
        stack = self.stack()
        self.assertEqual(self.log(stack, "%s"), ["feat(a): The a", "feat(b): The b"])
        self.assertEqual(self.repository.files(stack.commit(1)).keys() & {"a", "b"}, {"a"})

    def test_squash_uses_the_users_template_for_subjects(self) -> None:
        self.strategy, self.worktrees.commit_subject = Strategy.SQUASH, "JIRA-{id} {name}"
        self.finished("a", {"a": "1"})
        self.assertEqual(self.log(self.stack(), "%s"), ["JIRA-a The a"])

    def test_rebase_recreates_each_commit_with_its_author_and_message(self) -> None:
        self.strategy = Strategy.REBASE
        self.finished("a", {"a": "1"}, {"text": changed(1, "a")})
        self.finished("b", {"b": "1"}, {"b": "2"}, needs="a")
        stack = self.stack()
        self.assertEqual(self.log(stack, "%s %an"), [
            "a 1 Author of a", "a 2 Author of a", "b 1 Author of b", "b 2 Author of b",
        ])  # fmt: skip
        self.assertIn("\n\nWhy: é", self.repository.git("log", "-1", "--format=%B", stack.tip))
        dates = ("log", "-1", "--format=%ad")
        self.assertEqual(
            self.repository.git(*dates, stack.tip), self.repository.git(*dates, self.tip("b"))
        )

    def test_a_rebase_leaves_out_what_the_branch_has_already(self) -> None:
        self.strategy = Strategy.REBASE
        self.finished("a", {"text": changed(1, "a")}, {"a": "2"})
        self.base = self.commit({"text": changed(1, "a")}, self.base)
        self.assertEqual(self.log(self.stack(), "%s"), ["a 2"])

    def test_a_rebase_leaves_out_merges_but_never_what_only_a_merge_holds(self) -> None:
        self.strategy = Strategy.REBASE
        for extra, held in (({}, []), ({"only in the merge": "1"}, [LOSSY])):
            with self.subTest(extra):
                self.candidates = []
                side = self.commit({"side": "1"}, self.finished("a", {"a": "1"}), "side")
                one = self.commit({"a": "2"}, self.tip("a"), "own")
                self.repository.git("checkout", "--quiet", "--detach", one)
                self.repository.git("merge", "--quiet", "--no-commit", "--no-ff", side)
                self.repository.write(extra)
                self.repository.git("add", "--all")
                self.repository.git("commit", "--quiet", "-m", "joined")
                joined = self.repository.commit_of("HEAD")
                self.repository.git("checkout", "--quiet", "main")
                self.candidates = [replace(self.candidates[0], tip=joined)]
                stack = self.stack()
                self.assertEqual([why.reason for why in stack.held.values()], held)
                landed = [] if held else ["a 1", "own", "side"]
                self.assertEqual(sorted(self.log(stack, "%s")), landed)

    def test_without_an_identity_commits_are_made_all_the_same(self) -> None:
        self.finished("a")
        with open(self.repository.config, "w", encoding="utf-8") as file:
            file.write("[user]\n\tuseConfigOnly = true\n")
        for self.strategy in Strategy:
            who = self.log(self.stack(), "%an, %cn")
            author = "Author of a" if self.strategy is Strategy.REBASE else "RoRchestrator"
            self.assertEqual(who, [f"{author}, RoRchestrator"])

    def test_a_squash_of_what_the_branch_has_already_makes_no_commit(self) -> None:
        self.strategy = Strategy.SQUASH
        self.finished("a")
        self.finished("twin", {"a": "a"})
        stack = self.stack()
        self.assert_landed(stack, "a", "twin")
        self.assertEqual(len(self.log(stack, "%s")), 1)

    def test_a_feature_that_landed_inside_another_makes_no_commit(self) -> None:
        self.finished("whole", start=self.finished("a"))
        self.candidates = [replace(self.candidates[1], start_commit=self.base), self.candidates[0]]
        stack = self.stack()
        self.assert_landed(stack, "whole", "a")
        self.assertEqual(self.log(stack, "%s"), ["merge whole: The whole"])

    def test_a_feature_whose_start_nobody_knows_is_merged_as_git_does(self) -> None:
        self.finished("a")
        self.candidates = [replace(self.candidates[0], start_commit="")]
        for self.strategy in Strategy:
            self.assertIn("a", self.repository.files(self.stack().tip))


class AfterItsDependencyLandedAsAnotherCommit(LandingTest):
    """The own work of a feature comes along, and nothing of what it started from."""

    def setUp(self) -> None:
        super().setUp()
        self.finished("a", {"text": changed(1, "a"), "mistake": "a"})
        self.finished("b", {"text": changed(1, "b on a")}, needs="a")
        self.candidates = [replace(self.candidates[1], needs=())]
        self.base = self.commit({"text": changed(1, "a"), "mistake": "a"}, self.base, "squashed a")

    def test_the_same_lines_are_no_conflict(self) -> None:
        for self.strategy in Strategy:
            with self.subTest(self.strategy):
                stack = self.stack()
                self.assertEqual(stack.held, {})
                text = self.repository.files(stack.tip)["text"]
                self.assertEqual(text.decode(), changed(1, "b on a"))

    def test_a_reverted_feature_does_not_land_again(self) -> None:
        self.base = self.commit({"mistake": None}, self.base, "taken back")
        for self.strategy in Strategy:
            with self.subTest(self.strategy):
                self.assertNotIn("mistake", self.repository.files(self.stack().tip))

    def test_a_branch_that_was_brought_up_to_date_by_hand_is_merged_as_git_does(self) -> None:
        # What was brought in, and changed on the branch since, is no change of the feature's.
        (b,) = self.candidates
        mended = changed(9, "x", changed(1, "a"))
        self.base = self.commit({"text": mended}, self.base)
        self.repository.git("checkout", "--quiet", "--detach", b.tip)
        self.repository.git("merge", "--quiet", "-X", "ours", "-m", "update", self.base)
        updated = self.repository.commit_of("HEAD")
        self.repository.git("checkout", "--quiet", "main")
        self.base = self.commit({"text": changed(9, "y", mended)}, self.base)
        self.candidates = [replace(b, tip=updated)]
        for self.strategy in (Strategy.MERGE, Strategy.SQUASH):
            with self.subTest(self.strategy):
                stack = self.stack()
                self.assertEqual(stack.held, {})
                text = self.repository.files(stack.tip)["text"].decode()
                self.assertEqual(text, changed(9, "y", changed(1, "b on a")))


class WhatAMergeWouldBringAlong(LandingTest):
    """A parent says that all of its history was merged: none is named of which that is not so."""

    def setUp(self) -> None:
        super().setUp()
        self.dropped = self.commit({"secret": "key"}, self.base, "dropped later")

    def parents(self, commit: str) -> list[str]:
        return self.repository.git("log", "-1", "--format=%P", commit).split()

    def assert_own_commits_only(self, *subjects: str) -> None:
        """They land on the base by each strategy, and nothing that is not on it comes along."""
        for self.strategy in Strategy:
            with self.subTest(self.strategy):
                stack = self.stack()
                self.assertEqual(stack.held, {})
                self.assertNotIn("secret", self.repository.files(stack.tip))
                told = f"{self.base}..{stack.tip}"
                self.assertNotIn("dropped", self.repository.git("log", "--format=%s", told))
                if self.strategy is Strategy.MERGE:
                    self.assertEqual(self.log(stack, "%s"), list(subjects))
                    self.assertEqual([layer.strategy for layer in stack.layers], [Strategy.REBASE])

    def test_a_commit_that_was_amended_away_does_not_come_back(self) -> None:
        self.finished("a", {"a": "1"}, {"a": "2"}, start=self.dropped)
        self.base = self.commit({"instead": ""}, self.base, "amended")
        self.assert_own_commits_only("a 1", "a 2")
        self.with_old_git()
        self.assert_own_commits_only("a 1", "a 2")

    def test_a_feature_can_be_merged_into_an_older_branch(self) -> None:
        self.finished("a", start=self.dropped)
        self.assert_own_commits_only("a 1")
        self.repository.git("checkout", "--quiet", "--detach", self.stack().tip)
        self.repository.git("merge", "--quiet", "-m", "later", self.dropped)
        self.assertLessEqual({"a", "secret"}, self.repository.files("HEAD").keys())

    def test_a_dependency_that_is_not_among_them_stays_out(self) -> None:
        taken_out = self.commit({"secret": "a"}, self.base, "dropped from the list")
        self.finished("b", start=taken_out)
        self.assert_own_commits_only("b 1")

    def test_commits_that_can_not_be_made_again_one_by_one_land_as_one(self) -> None:
        tip = self.finished("a", {"text": changed(3, "x")}, {"text": TEXT}, start=self.dropped)
        self.base = self.commit({"text": changed(3, "main")}, self.base)
        self.candidates = [replace(self.candidates[0], tip=self.commit({"a": ""}, tip))]
        self.strategy = Strategy.MERGE
        stack = self.stack()
        self.assertEqual(self.log(stack, "%s"), ["feat(a): The a"])
        self.assertEqual(self.parents(stack.tip), [self.base])
        self.assertNotIn("secret", self.repository.files(stack.tip))

    def test_a_merge_made_by_hand_lands_as_one_commit_where_the_start_was_dropped(self) -> None:
        tip = self.finished("a", start=self.dropped)
        self.base = self.commit({"instead": "1"}, self.base, "amended")
        self.repository.git("checkout", "--quiet", "--detach", tip)
        self.repository.git("merge", "--quiet", "-m", "update", self.base)
        self.repository.git("rm", "--quiet", "secret")
        self.repository.write({"only in the merge": ""})
        self.repository.git("add", "--all")
        self.repository.git("commit", "--quiet", "--amend", "-m", "update")
        self.candidates = [replace(self.candidates[0], tip=self.repository.commit_of("HEAD"))]
        self.repository.git("checkout", "--quiet", "main")
        stack = self.stack()
        self.assertEqual(self.log(stack, "%s"), ["feat(a): The a"])
        self.assertEqual(self.parents(stack.tip), [self.base])

    def joined(self, one: str, other: str, files: Mapping[str, Content]) -> str:
        self.repository.git("checkout", "--quiet", "--detach", one)
        self.repository.git("merge", "--quiet", "--no-commit", "--no-ff", other)
        self.repository.write(files)
        self.repository.git("add", "--all")
        self.repository.git("commit", "--quiet", "-m", "joined, dropped later")
        self.repository.git("checkout", "--quiet", "main", "--")
        return self.repository.commit_of("HEAD@{1}")

    def test_a_start_that_only_joins_what_is_there_is_merged(self) -> None:
        one, other = self.finished("a"), self.finished("b")
        self.finished("c", start=self.joined(one, other, {}))
        stack = self.stack()
        self.assertEqual(
            self.log(stack, "%s"), ["merge a: The a", "merge b: The b", "merge c: The c"]
        )
        self.assertEqual(self.parents(stack.tip), [stack.commit(2), self.tip("c")])

    def test_a_merge_that_was_amended_does_not_come_back(self) -> None:
        one, other = self.commit({"one": ""}, self.base), self.commit({"other": ""}, self.base)
        self.finished("a", start=self.joined(one, other, {"secret": "key"}))
        self.base = self.joined(one, other, {})
        self.assert_own_commits_only("a 1")

    def test_a_conflict_that_was_resolved_lands_as_one_commit(self) -> None:
        self.finished("a", {"text": changed(3, "a")}, start=self.dropped)
        self.base = self.commit({"text": changed(3, "main")}, self.base)
        both = self.commit({"text": changed(3, "a and main")}, self.base)

        async def resolve(conflict: Conflict) -> Resolution:
            return Resolution(Resolved.RESOLVED, both, files=("text",))

        self.resolve = resolve
        stack = self.stack()
        self.assertEqual((self.log(stack, "%s"), self.parents(stack.tip)), (
            ["feat(a): The a"], [self.base],
        ))  # fmt: skip


class Conflicts(LandingTest):
    def setUp(self) -> None:
        super().setUp()
        self.finished("a", {"text": changed(3, "a"), "é": "a"})
        self.finished("b")
        self.finished("other", {"text": changed(3, "other"), "é": "other"})
        self.finished("c")
        self.finished("after", needs="other")

    def test_the_one_with_dependents_lands_and_the_held_one_names_it_and_the_files(self) -> None:
        for self.strategy in Strategy:
            with self.subTest(self.strategy):
                stack = self.stack()
                self.assert_landed(stack, "b", "other", "c", "after")
                held = stack.held["a"]
                self.assertEqual((held.conflict_with, held.files), ("other", ("text", "é")))
                self.assertEqual(held.reason, "a and other conflict in text, é")

    def test_of_two_alone_the_first_lands_and_dependents_of_the_other_are_held(self) -> None:
        self.finished("on-a", needs="a")
        self.finished("more-on-a", needs="a")
        stack = self.stack()
        self.assert_landed(stack, "a", "b", "c", "on-a", "more-on-a")
        self.assertEqual(stack.held["other"].reason, "other and a conflict in text, é")
        self.assertEqual(stack.held["after"].reason, "it depends on other, also held")

    def test_a_conflict_with_the_branch_itself_names_the_branch(self) -> None:
        self.base = self.commit({"text": changed(3, "main")}, self.base)
        stack = self.stack()
        self.assertEqual(stack.held["a"].conflict_with, "main")
        self.assert_landed(stack, "b", "c")

    def test_an_old_git_finds_the_same_in_a_scratch_worktree_that_is_gone_then(self) -> None:
        self.with_old_git()
        for self.strategy in Strategy:
            with self.subTest(self.strategy):
                stack = self.stack()
                self.assert_landed(stack, "b", "other", "c", "after")
                self.assertEqual(stack.held["a"].files, ("text", "é"))
        self.assertEqual(os.listdir(self.worktrees.folder), [])

    def test_what_was_left_out_lands_if_the_other_one_fails_its_checks(self) -> None:
        self.red = [frozenset({"after"}), frozenset({"c"})]
        stack = self.stack()
        self.assert_landed(stack, "a", "b")
        self.assertEqual(stack.held["other"].conflict_with, "a")

    def test_a_feature_that_git_cannot_merge_is_held_with_the_message_of_git(self) -> None:
        empty = self.repository.git("mktree", stdin=b"")
        stranger = self.repository.git("commit-tree", "-m", "unrelated", empty)
        self.candidates = [Candidate(Feature("stranger", ""), "run1", stranger, "")]
        self.assertIn("unrelated histories", self.stack().held["stranger"].reason)

    def test_features_held_before_stay_held_with_all_dependents(self) -> None:
        stack = self.stack(held={"other": Held("it failed")})
        self.assert_landed(stack, "a", "b", "c")
        self.assertEqual(stack.held["other"], Held("it failed"))
        self.assertEqual(stack.held["after"].reason, "it depends on other, also held")


class Attributes(LandingTest):
    """Both sides of a merge keep what `.gitattributes` says; that all of it is as git does, is
    for tests.scenarios.test_attributes."""

    DRIVER = "cat %A %B >%A.new; mv %A.new %A; pwd >{told}"

    def with_attributes(self, text: str) -> None:
        self.base = self.commit({".gitattributes": text}, self.base)
        self.finished("a", {"text": changed(3, "a")}, start=self.base)
        self.finished("b", {"text": changed(3, "b")}, start=self.base)

    def with_driver(self) -> str:
        """A driver of the user's; where it tells in which folder it was started."""
        self.with_attributes("text merge=mine\n")
        told = os.path.join(self.repository.root, "told")
        self.repository.git("config", "merge.mine.driver", self.DRIVER.format(told=told))
        return told

    def test_a_union_merge_keeps_the_additions_of_both_sides(self) -> None:
        self.with_attributes("text merge=union\n")
        for self.strategy in Strategy:
            with self.subTest(self.strategy):
                stack = self.stack()
                self.assert_landed(stack, "a", "b")
                self.assertIn(b"line 2\na\nb\nline 4", self.repository.files(stack.tip)["text"])

    def test_dependencies_are_joined_by_union_as_well(self) -> None:
        self.with_attributes("text merge=union\n")
        start = run_sync(
            dependencies.start_commit(
                self.worktrees, self.base, {"a": self.tip("a"), "b": self.tip("b")}
            )
        )
        assert isinstance(start, str)
        self.assertIn(b"a\nb\n", self.repository.files(start)["text"])

    def test_a_lock_file_is_not_merged_by_text(self) -> None:
        self.base = self.commit({".gitattributes": "text -merge\n"}, self.base)
        self.finished("a", {"text": changed(1, "a")}, start=self.base)
        self.finished("b", {"text": changed(9, "b")}, start=self.base)
        held = self.stack().held["b"]
        self.assertEqual((held.conflict_with, held.files), ("a", ("text",)))

    def test_a_driver_of_the_users_runs_in_a_checkout_that_is_gone_then(self) -> None:
        told = self.with_driver()
        for self.strategy in Strategy:
            with self.subTest(self.strategy):
                stack = self.stack()
                self.assert_landed(stack, "a", "b")
                self.assertIn(b"\na\n", self.repository.files(stack.tip)["text"])
                with open(told, encoding="utf-8") as file:
                    self.assertIn(os.path.basename(self.worktrees.folder), file.read())
                os.unlink(told)
        self.assertEqual(os.listdir(self.worktrees.folder), [])

    def test_a_dry_run_starts_no_merge_driver_and_later_features_are_unknown(self) -> None:
        told = self.with_driver()
        self.finished("c")
        self.worktrees = self.worktrees.using(self.worktrees.git.read_only())
        for self.strategy in Strategy:
            with self.subTest(self.strategy):
                stack = self.stack()
                self.assert_landed(stack, "a")
                self.assertTrue(stack.held["b"].is_unknown and stack.held["c"].is_unknown)
                self.assertIn("a merge driver decides", stack.held["b"].reason)
                self.assertEqual(stack.held["c"].reason, "unknown because b is unknown")
        self.assertFalse(os.path.exists(told))

    def test_a_look_names_the_other_side_of_a_conflict_as_far_as_it_can_tell(self) -> None:
        self.with_driver()
        self.candidates.pop()
        self.finished("b", {"text": changed(3, "z"), "file": "b"}, needs="a")
        self.finished("z", {"text": changed(3, "z"), "file": "z"}, start=self.base)
        self.worktrees = self.worktrees.using(self.worktrees.git.read_only())
        self.assertEqual(self.stack().held["z"].conflict_with, "b")


class Resolutions(LandingTest):
    """A conflict for which somebody may have an answer; who that is, is not the stack's matter."""

    def setUp(self) -> None:
        super().setUp()
        self.finished("a", {"text": changed(3, "a")})
        self.finished("b", {"text": changed(3, "b")})
        self.finished("on-b", {"text": changed(9, "more", changed(3, "b"))}, needs="b")
        self.finished("c")
        self.finished("on-a", needs="a")
        self.conflicts: list[Conflict] = []
        both = self.commit({"text": changed(3, "a and b")}, self.base)
        self.answer = Resolution(Resolved.RESOLVED, both, files=("text",), session_id="5e55")

    async def resolve(self, conflict: Conflict) -> Resolution:
        self.conflicts.append(conflict)
        return self.answer

    def test_a_resolution_lands_with_each_strategy_above_all_that_need_none(self) -> None:
        for self.strategy in Strategy:
            with self.subTest(self.strategy):
                stack = self.stack()
                self.assert_landed(stack, "a", "c", "on-a", "b", "on-b")
                text = self.repository.files(stack.commit(4))["text"]
                self.assertEqual(text.decode(), changed(3, "a and b"))
                parents = self.repository.git("log", "-1", "--format=%P", stack.commit(4)).split()
                self.assertEqual(parents[0], stack.commit(3))
                self.assertEqual(
                    parents[1:], [self.tip("b")] if self.strategy is Strategy.MERGE else []
                )
                body = self.repository.git("log", "-1", "--format=%b", stack.commit(4))
                self.assertIn("Claude resolved the conflict in text.\n\nRoRchestrator-Fe", body)
                self.assertIn("RoRchestrator-Session: 5e55", body)

    def test_an_unresolved_conflict_is_held_with_all_dependents(self) -> None:
        self.answer = Resolution(Resolved.FAILED, reason="nobody could")
        stack = self.stack()
        self.assert_landed(stack, "a", "c", "on-a")
        self.assertEqual(stack.held["b"].reason, "b and a conflict in text; nobody could")
        self.assertEqual(stack.held["on-b"].reason, "it depends on b, also held")

    def test_a_conflict_with_what_landed_names_the_branch_and_nothing_built_on_that(self) -> None:
        self.answer = Resolution(Resolved.FAILED, reason="nobody could")
        self.base, landed = self.tip("a"), self.candidates.pop(0)
        self.assertEqual(landed.id, "a")
        self.candidates.sort(key=lambda candidate: candidate.id, reverse=True)
        stack = self.stack()
        self.assertEqual(stack.held["b"].reason, "b and main conflict in text; nobody could")

    def test_the_branch_is_the_other_side_where_the_dependency_has_no_part_in_it(self) -> None:
        self.answer = Resolution(Resolved.FAILED, reason="nobody could")
        self.candidates = []
        self.finished("free")
        self.finished("on-free", {"text": changed(3, "mine")}, needs="free")
        self.base = self.commit({"text": changed(3, "theirs")}, self.base)
        stack = self.stack()
        self.assertEqual(
            stack.held["on-free"].reason, "on-free and main conflict in text; nobody could"
        )

    def test_no_resolution_is_asked_for_on_a_failing_stack(self) -> None:
        self.finished("bad")
        self.candidates.insert(0, self.candidates.pop())
        self.red = [frozenset({"bad"})]
        self.assert_landed(self.stack(), "a", "c", "on-a", "b", "on-b")
        self.assertEqual([conflict.candidate.id for conflict in self.conflicts[:1]], ["b"])
        self.assertTrue(
            all("bad" not in [b.id for b in conflict.below] for conflict in self.conflicts)
        )

    def test_a_resolution_is_used_again_if_the_checks_fail_above_it(self) -> None:
        self.finished("zz")
        self.red = [frozenset({"zz", "text", "c"})]
        self.assert_landed(self.stack(), "a", "c", "on-a", "b", "on-b")
        self.assertEqual({conflict.candidate.id for conflict in self.conflicts}, {"b"})

    def test_an_answer_that_git_does_not_have_is_none(self) -> None:
        self.answer = replace(self.answer, commit="0" * 40)
        self.assertIn("git could not read the commit", self.stack().held["b"].reason)


class RedStacks(LandingTest):
    """The check of these tests is red where certain files meet."""

    def five(self) -> None:
        for id in ("a", "b", "bad"):
            self.finished(id)
        self.finished("on-bad", needs="bad")
        self.finished("e")

    def test_a_passing_stack_is_checked_once(self) -> None:
        self.five()
        stack = self.stack()
        self.assert_landed(stack, "a", "b", "bad", "on-bad", "e")
        self.assertEqual(self.checks, [stack.tip])

    def test_the_culprit_is_left_out_with_its_dependents_and_the_others_land(self) -> None:
        self.five()
        self.red = [frozenset({"bad"})]
        stack = self.stack()
        self.assert_landed(stack, "a", "b", "e")
        self.assertEqual(
            stack.held,
            {
                "bad": Held("the checks fail with it: ['bad'] fail"),
                "on-bad": Held("it depends on bad, also held"),
            },
        )
        # The tip, the branch, half of it, the step before and after; and what lands.
        self.assertLessEqual(len(self.checks), 6)

    def test_every_place_of_the_culprit_is_found(self) -> None:
        ids = ["a", "b", "c", "d", "e", "f", "g"]
        for id in ids:
            self.finished(id)
        for bad in ids:
            with self.subTest(bad):
                self.red = [frozenset({bad})]
                stack = self.stack()
                self.assertEqual(list(stack.held), [bad])
                self.assert_landed(stack, *(id for id in ids if id != bad))

    def test_several_culprits_are_found(self) -> None:
        self.five()
        self.red = [frozenset({"b"}), frozenset({"bad"}), frozenset({"e"})]
        stack = self.stack()
        self.assert_landed(stack, "a")
        self.assertEqual(set(stack.held), {"b", "bad", "on-bad", "e"})

    def test_one_of_two_features_that_fail_only_together_lands(self) -> None:
        self.five()
        self.red = [frozenset({"a", "bad"})]
        self.assert_landed(self.stack(), "a", "b", "e")

    def test_a_failing_feature_lands_together_with_the_later_one_that_fixes_it(self) -> None:
        for id in ("broken", "mends", "bad"):
            self.finished(id)
        seen = self.check

        async def check(commit: str) -> str:
            files = self.repository.files(commit)
            broken = "broken" in files and "mends" not in files
            return "broken" if broken else await seen(commit)

        self.check = check  # type: ignore[method-assign]
        self.red = [frozenset({"bad"})]
        self.assert_landed(self.stack(), "broken", "mends")

    def test_nothing_lands_on_a_branch_whose_own_checks_fail(self) -> None:
        self.five()
        self.red = [frozenset({"text"})]
        stack = self.stack()
        self.assertEqual((stack.tip, stack.layers), (self.base, ()))
        for id in ("a", "b", "bad", "on-bad", "e"):
            self.assertEqual(
                stack.held[id].reason, "the checks already fail on main: ['text'] fail"
            )

    def test_an_empty_stack_is_not_checked(self) -> None:
        self.assertEqual(self.stack(held={"a": Held("it failed")}).tip, self.base)
        self.assertEqual(self.checks, [])


if __name__ == "__main__":
    unittest.main()
