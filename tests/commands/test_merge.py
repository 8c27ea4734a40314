"""``merge``: the whole command, with real git, real checks, and kills in the middle."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import unittest
from collections.abc import Mapping
from unittest import mock

from core.landing.stack import Held as HeldBack
from core.landing.stack import Stack, Stacker
from core.model import events
from core.model.decision import Action, Decision
from core.model.outcome import FeatureOutcome, Status
from tests.support.commands import CommandResult, wait_until
from tests.support.lives import RUN, attempt
from tests.support.merges import MergeTest, listed
from tests.support.once import once
from tests.support.repository import Content
from tests.support.workspace import Workspace, feature


class Landing(MergeTest):
    def setUp(self) -> None:
        shop = self.open(*listed("a", "b", c="a"))
        shop.finish("b")
        shop.finish("a")
        shop.finish("c", start="feature/a")

    def test_all_that_is_completed_lands_in_topological_order(self) -> None:
        said = self.merge()
        self.assertEqual((said.code, said.err), (0, ""))
        self.assertEqual(self.landed(), ["merge a: a", "merge b: b", "merge c: c"])
        old, new = self.shop.commit_of("main~3"), self.shop.commit_of("main")
        self.assertIn(f"main moved from {old[:10]} to {new[:10]}, with 3 features.", said.out)
        self.assertIn(f"landed c (feature/c): {new[:10]}", said.out)
        self.assertEqual(self.shop.git("status", "--porcelain"), "")
        self.assertTrue(os.path.exists(os.path.join(self.shop.path, "c.txt")))

    def test_the_next_command_cleans_up_where_it_landed(self) -> None:
        self.shop.git("branch", "develop")
        what = "  (removes merged worktrees and branches)\n"
        into = self.merge("b", "--into", "develop").out
        self.assertTrue(
            into.endswith(f"→ rorchestrator cleanup --merged --into develop{what}"), into
        )
        said = self.merge().out
        self.assertTrue(said.endswith(f"→ rorchestrator cleanup --merged{what}"), said)
        self.assertNotIn("cleanup", self.merge().out)

    def test_a_second_time_there_is_nothing_to_do(self) -> None:
        self.merge()
        tip = self.shop.commit_of("main")
        again = self.merge("-v")
        self.assertEqual(again.code, 0)
        self.assertIn("already on main a (feature/a): ancestor", again.out)
        self.assertIn("Nothing to land on main.", again.out)
        self.assertEqual(self.merge("--quiet"), CommandResult(0, "", ""))
        self.assertEqual(self.shop.commit_of("main"), tip)

    def test_selected_features_land_with_all_their_dependencies(self) -> None:
        said = self.merge("c", "--json")
        self.assertEqual(self.states(said), {"a": "landed", "c": "landed"})
        self.assertEqual(self.landed(), ["merge a: a", "merge c: c"])
        self.assertEqual(said.json["after"], self.shop.commit_of("main"))
        self.assertEqual(said.json["before"], self.shop.commit_of("main~2"))

    def test_an_unknown_feature_is_said_before_anything_is_done(self) -> None:
        said = self.merge("aa")
        self.assertEqual(said.code, 2)
        self.assertIn("unknown feature 'aa' (did you mean 'a'?)", said.err)

    def test_another_branch_moves_and_the_users_checkout_is_not_touched(self) -> None:
        self.shop.branch("develop", "main")
        self.shop.write({"config/feature_list.json": json.dumps(self.shop.document) + "\n"})
        before = self.shop.seen_by_user()
        said = self.merge("--into", "heads/develop", "--json")
        self.assertEqual((said.code, said.json["into"]), (0, "develop"))
        self.assertEqual(set(self.states(said).values()), {"landed"})
        self.assertIn("c.txt", self.shop.files("develop"))
        self.assertEqual(self.landed(), [])
        self.assert_untouched(before)

    def test_a_branch_that_does_not_exist_is_not_made(self) -> None:
        said = self.merge("--into", "nowhere")
        self.assertEqual(said.code, 2)
        self.assertIn("there is no local branch 'nowhere' to land on", said.err)

    def test_a_dry_run_says_what_would_land_and_moves_nothing(self) -> None:
        before, journal = self.shop.seen_by_user(), self.shop.events("landing")
        refs = self.shop.git("for-each-ref")
        with self.shop.at_work():
            said = self.merge("--dry-run")
        self.assertEqual(said.code, 0)
        self.assertIn("would land c (feature/c): ", said.out)
        self.assertIn("main would move from ", said.out)
        self.assert_untouched(before)
        self.assertEqual(self.shop.git("for-each-ref"), refs)
        self.assertEqual((journal, self.shop.events("landing")), ([], []))

    def test_a_merge_does_not_wait_for_a_run_in_progress(self) -> None:
        with self.shop.at_work():
            said = self.merge()
        self.assertEqual(said.code, 2)
        self.assertIn("rorchestrator run is running", said.err)

    def test_work_that_was_added_by_hand_on_top_of_a_result_lands_with_it(self) -> None:
        self.shop.commit({"by-hand.txt": "x"}, "by hand", at=self.shop.worktree("b"))
        self.merge("b")
        self.assertIn("by-hand.txt", self.shop.files("main"))

    def test_a_torn_journal_is_repaired_and_reported(self) -> None:
        with open(os.path.join(self.shop.state_folder, "journal.jsonl"), "a") as file:
            file.write('{"v":1,"ev')
        said = self.merge()
        self.assertEqual(said.code, 0)
        self.assertIn("cut off 10 bytes", said.err)

    def test_an_old_git_lands_the_same(self) -> None:
        with mock.patch("core.git.door.MERGE_TREE", (99, 0)):
            looked = self.merge("--json", "--dry-run")
            said = self.merge("--json", "--strategy", "rebase")
        self.assertEqual(self.states(looked), dict.fromkeys("abc", "unknown"))
        self.assertEqual(said.code, 0, said.err)
        self.assertEqual(self.landed(), ["feat(a)", "feat(b)", "feat(c)"])


@once
class WhatIsSeenAfterwards(MergeTest):
    """`status`, `plan`, `cleanup` and `merge` know what landed, whatever the strategy."""

    STRATEGIES: Mapping[str, tuple[str, ...]] = {
        "merge": ("ancestor",),
        "squash": ("squashed",),
        "rebase": ("rebased",),
    }

    def make(self) -> Workspace:
        shop = self.open(*listed("a", b="a"))
        shop.commit({"text": "1\n2\n3\n"}, "text")
        shop.finish("a", {"text": "a\n2\n3\n"}, {"a.txt": "1"}, {"a.txt": "2"})
        shop.finish("b", {"text": "b on a\n2\n3\n"}, {"b.txt": "1"}, start="feature/a")
        return shop

    def test_every_command_knows_that_they_are_merged_even_after_later_changes(self) -> None:
        for strategy, how in self.STRATEGIES.items():
            with self.subTest(strategy):
                shop = self.make()
                self.assertEqual(self.merge("--strategy", strategy).code, 0)
                shop.commit({"text": "later\n"}, "later")
                status = shop.main("status", "--json").json
                merged = [each["merged"] for each in status["features"]]
                self.assertEqual(merged, [*how, *how])
                plan = shop.main("plan", "--json").json
                said = [(each["action"], each["reason"]) for each in plan["features"]]
                actions = {(action, reason.partition(";")[0]) for action, reason in said}
                self.assertEqual(actions, {("skip", f"merged ({how[0]})")})
                again = self.merge("--json")
                self.assertEqual(self.states(again), {"a": "already", "b": "already"})
                self.assertEqual(shop.main("cleanup", "--merged").code, 0)
                heads = shop.git("for-each-ref", "--format=%(refname:short)", "refs/heads/")
                self.assertEqual(heads, "main")
                cleaned = self.merge("--json")
                self.assertEqual(self.states(cleaned), {"a": "already", "b": "already"})

    def test_every_command_sees_a_feature_that_landed_without_its_history(self) -> None:
        shop = self.open(*listed("a"))
        base = shop.commit_of("main")
        shop.commit({"secret.txt": "key"}, "with a secret")
        shop.finish("a", {"a.txt": "1"}, {"a.txt": "2"})
        shop.git("reset", "--quiet", "--hard", base)
        shop.commit({"instead.txt": ""}, "without it")
        said = self.merge()
        self.assertEqual(said.code, 0, said)
        self.assertIn("\n    only its own commits: ", said.out)
        self.assertEqual(self.landed(), ["without it", "feat(a)", "feat(a)"])
        self.assertNotIn("with a secret", shop.git("log", "--format=%s", "main"))
        shop.commit({"a.txt": "later"}, "later")
        self.assertEqual(shop.main("status", "--json").json["features"][0]["merged"], "rebased")
        self.assertEqual(self.states(self.merge("--json")), {"a": "already"})
        self.assertIn(
            "removed a (feature/a): merged (rebased", shop.main("cleanup", "--merged").out
        )

    def test_a_dependency_removed_from_the_list_does_not_count_as_merged(self) -> None:
        shop = self.open(*listed("a", b="a"))
        shop.finish("a")
        shop.finish("b", start="feature/a")
        shop.change(listed("b"))
        shop.commit({}, "without a")
        self.assertEqual(self.merge("b", "--json").json["features"][0]["state"], "landed")
        self.assertEqual(self.landed(), ["without a", "feat(b)"])
        shop.change(listed("a", "new"))
        shop.commit({}, "with a again")
        self.assertIn("b (feature/b)", shop.main("cleanup", "--merged").out)
        self.assertTrue(os.path.isdir(shop.worktree("a")))
        reasons = {f["id"]: f["reason"] for f in shop.main("plan", "--json").json["features"]}
        self.assertNotIn("merged", reasons["a"])
        self.assertEqual(self.states(self.merge("a", "--json")), {"a": "landed"})
        self.assertIn("a.txt", shop.files("main"))

    def test_merging_into_an_older_branch_adds_only_the_feature(self) -> None:
        shop = self.open(*listed("a"))
        shop.branch("release", "main")
        shop.commit({"unreleased.txt": ""}, "unreleased")
        shop.finish("a")
        self.assertEqual(self.merge("--into", "release").code, 0)
        self.assertEqual(set(shop.files("release")) & {"a.txt", "unreleased.txt"}, {"a.txt"})
        shop.git("checkout", "--quiet", "release")
        shop.git("merge", "--quiet", "-m", "all of main", "main")
        self.assertIn("unreleased.txt", shop.files("release"))

    def test_commits_added_after_the_landing_are_not_landed(self) -> None:
        shop = self.make()
        self.merge("--strategy", "squash")
        shop.commit({"more.txt": ""}, "more", at=shop.worktree("b"))
        kept = shop.main("cleanup", "b")
        self.assertEqual(kept.code, 1)
        again = self.merge("--json", "--strategy", "squash")
        self.assertEqual(self.states(again), {"a": "already", "b": "landed"})
        self.assertIn("more.txt", shop.files("main"))

    def test_a_branch_that_was_set_back_holds_them_no_more(self) -> None:
        shop = self.make()
        before = shop.commit_of("main")
        self.merge("--strategy", "squash")
        shop.git("reset", "--quiet", "--hard", before)
        status = shop.main("status", "--json").json
        self.assertEqual([each["merged"] for each in status["features"]], [None, None])
        self.assertEqual(shop.main("cleanup", "a").code, 1)
        self.assertEqual(self.states(self.merge("--json")), {"a": "landed", "b": "landed"})

    def test_a_feature_reverted_after_landing_does_not_land_again(self) -> None:
        by_hand = ("merge", "--quiet", "--squash", "feature/a")
        for strategy in (*self.STRATEGIES, "by hand"):
            with self.subTest(strategy):
                shop = self.open(*listed("a"))
                shop.commit({"text": "1\n"}, "text")
                shop.finish("a", {"text": "a\n"})
                shop.commit({"other.txt": ""}, "meanwhile")
                if strategy == "by hand":
                    shop.git(*by_hand)
                    shop.git("commit", "--quiet", "-m", "all of a")
                else:
                    self.assertEqual(self.merge("--strategy", strategy).code, 0)
                mainline = ("-m", "1") if strategy == "merge" else ()
                shop.git("revert", "--no-edit", *mainline, "HEAD")
                self.assertEqual(self.states(self.merge("--json")), {"a": "already"})
                self.assertEqual(shop.files("main")["text"], b"1\n")
                if strategy == "merge":  # as git says
                    self.assertIn("up to date", shop.git("merge", "feature/a"))
                self.assertIn("removed a (feature/a): ", shop.main("cleanup", "--merged").out)

    def test_the_same_lines_in_another_place_are_landed_and_not_taken_for_it(self) -> None:
        shop = self.open(*listed("a"))
        lines = [line for n in range(9) for line in ("if ready:", "start()", "wait()", "stop()")]

        def polling(*blocks: int) -> str:
            return "\n".join("poll()" if n // 4 in blocks and n % 4 == 2 else line
                             for n, line in enumerate(lines))  # fmt: skip

        shop.commit({"text": polling()}, "nine like blocks")
        shop.finish("a", {"text": polling(6)})
        shop.commit({"text": polling(2)}, "the same line in the third")
        self.assertEqual(shop.main("cleanup", "--merged").out, "Nothing to clean up.\n")
        self.assertIsNone(shop.main("status", "--json").json["features"][0]["merged"])
        self.assertEqual(self.states(self.merge("--json")), {"a": "landed"})
        self.assertEqual(shop.files("main")["text"].decode(), polling(2, 6))

    def test_each_branch_has_a_landing_of_its_own(self) -> None:
        shop = self.make()
        shop.branch("develop", "main")
        self.merge("--strategy", "squash", "--into", "develop")
        self.assertEqual(self.states(self.merge("--json", "--strategy", "squash")), {
            "a": "landed", "b": "landed",
        })  # fmt: skip
        into = [event["into"] for event in shop.events("merged")]
        self.assertEqual(into, ["develop", "develop", "main", "main"])

    def test_a_feature_that_changed_nothing_is_there_already(self) -> None:
        shop = self.open(*listed("a"))
        shop.finish("a", {})
        self.assertEqual(self.states(self.merge("--json")), {"a": "already"})
        self.assertEqual(self.landed(), [])


@once
class Held(MergeTest):
    def test_an_incomplete_feature_is_held_with_its_dependents(self) -> None:
        shop = self.open(*listed("a", "failed", b="failed"))
        shop.finish("a")
        shop.finish("failed")
        shop.finish("b", start="feature/failed")
        prepared, begun = attempt("failed", worktree=shop.worktree("failed"))
        outcome = FeatureOutcome(Status.TIMED_OUT, "too slow")
        base = shop.commit_of("main")
        decision = Decision("failed", Action.START, "new", "key")
        based = events.based(prepared.at, RUN, decision, start_commit=base, base_commit=base)
        shop.record(prepared, based, begun, events.ended(begun.at, RUN, "failed", outcome))
        said = self.merge("--json")
        self.assertEqual(said.code, 1)
        self.assertEqual(
            self.held(said),
            {
                "failed": "its status is timed out, not completed",
                "b": "it depends on failed, also held",
            },
        )
        self.assertEqual(self.landed(), ["merge a: a"])

    def test_a_feature_that_never_ran_is_held_if_requested_and_omitted_otherwise(self) -> None:
        shop = self.open(*listed("a", "b"))
        shop.finish("a")
        self.assertEqual(self.merge("b").code, 1)
        self.assertEqual(self.states(self.merge("--json")), {"a": "landed"})

    def test_an_out_of_date_feature_is_held_unless_requested_as_is(self) -> None:
        shop = self.open(*listed("a", b="a"), feature("c"))
        shop.run()
        changed = feature("a", {"write": "other.txt"})
        shop.change([changed, feature("b", depends_on=["a"]), feature("c")])
        shop.commit({}, "another prompt")
        plan = shop.main("plan", "--json").json
        why = {f["id"]: f["reason"] for f in plan["features"] if f["action"] == "start"}
        self.assertEqual(why, {"a": "prompt changed", "b": "dependency a changed"})
        for words in (("--dry-run",), ()):
            said = self.merge("--json", *words)
            self.assertEqual(said.code, 1)
            held = self.held(said)
            self.assertEqual(held.keys(), {"a", "b"})
            self.assertIn("it is out of date (prompt changed): rorchestrator run", held["a"])
            self.assertIn("(dependency a changed)", held["b"])
        self.assertEqual(self.landed(), ["another prompt", "merge c: c"])
        said = self.merge("b", "--stale", "--json")
        self.assertEqual(self.states(said), {"a": "landed", "b": "landed"})
        self.assertEqual(self.states(self.merge("--json")), dict.fromkeys("abc", "already"))

    def test_a_result_that_is_gone_is_held(self) -> None:
        shop = self.open(*listed("a"))
        shop.finish("a")
        shop.git("worktree", "remove", "--force", shop.worktree("a"))
        for ref in ("refs/heads/feature/a", f"refs/rorchestrator/results/a/{RUN}"):
            shop.git("update-ref", "-d", ref)
        shop.git("reflog", "expire", "--expire=now", "--all")
        shop.git("prune", "--expire=now")
        self.assertIn("no longer exists", self.held(self.merge("--json"))["a"])

    def test_a_conflict_is_never_landed_and_names_both_and_the_files(self) -> None:
        shop = self.open(*listed("a", "b", "c"))
        for id in ("a", "b"):
            shop.finish(id, {"same.txt": id})
        shop.finish("c")
        before = shop.commit_of("main")
        dry = self.merge("--json", "--dry-run")
        self.assertEqual((dry.code, shop.commit_of("main")), (1, before))
        said = self.merge()
        self.assertEqual(said.code, 1)
        self.assertIn("held b (feature/b): b and a conflict in same.txt", said.out)
        self.assertEqual(self.landed(), ["merge a: a", "merge c: c"])
        more = self.merge("--json", "--keep-going")
        b = next(each for each in more.json["features"] if each["id"] == "b")
        self.assertEqual((b["conflict_with"], b["files"]), ("main", ["same.txt"]))
        self.assertEqual(self.landed(), ["merge a: a", "merge c: c"])

    def test_a_feature_without_dependents_gives_way_and_a_preview_says_the_same(self) -> None:
        shop = self.open(*listed("alone", "root", "other", one="root", two="root", three="other"))
        shop.finish("alone", {"same.txt": "alone"})
        shop.finish("root", {"same.txt": "root"})
        for id, start in (("one", "root"), ("two", "root"), ("other", ""), ("three", "other")):
            shop.finish(id, start=f"feature/{start}" if start else "main")
        dry, said = self.merge("--json", "--dry-run"), self.merge("--json")
        self.assertEqual(self.held(said), {"alone": "alone and root conflict in same.txt"})
        self.assertEqual(self.held(dry), self.held(said))
        self.assertEqual(len(self.landed()), 5)

    def test_a_conflict_that_was_resolved_by_hand_on_the_features_branch_lands(self) -> None:
        for strategy in ("merge", "squash"):
            with self.subTest(strategy):
                shop = self.open(*listed("a", "b"))
                for id in ("a", "b"):
                    shop.finish(id, {"same.txt": id})
                self.assertEqual(self.merge("--strategy", strategy).code, 1)
                path = shop.worktree("b")
                shop.git("merge", "--quiet", "main", at=path, fails=True)
                shop.commit({"same.txt": "a and b"}, "main is in b", at=path)
                self.assertEqual(self.merge("--strategy", strategy).code, 0)
                self.assertEqual(shop.files("main")["same.txt"], b"a and b")

    def test_a_checkout_with_uncommitted_changes_is_refused_before_any_check(self) -> None:
        shop = self.open(*listed("a"), verify=["touch ../checked"])
        shop.finish("a", {"README.md": "its own\n"})
        shop.write({"README.md": "mine\n"})
        before = shop.seen_by_user()
        for words in ((), ("--dry-run",)):
            said = self.merge(*words)
            self.assertEqual((said.code, said.out), (2, ""))
            self.assertIn("uncommitted files: README.md", said.err)
        self.assert_untouched(before)
        self.assertFalse(os.path.exists(os.path.join(shop.worktrees, "checked")))

    def test_changed_files_that_no_feature_touches_are_in_nobodys_way(self) -> None:
        shop = self.open(*listed("a", "b"))
        shop.commit({"staged.txt": "", "kept.txt": ""}, "more")
        for id in ("a", "b"):
            shop.finish(id)
        shop.write({"README.md": "mine\n", "staged.txt": "mine\n", "kept.txt": None})
        shop.git("add", "staged.txt")
        before = shop.git("status", "--porcelain")
        self.assertEqual(self.merge("--dry-run").code, 0)
        said = self.merge()
        self.assertEqual(said.code, 0, said)
        self.assertEqual(shop.git("status", "--porcelain"), before)
        self.assertTrue({"a.txt", "b.txt"} <= shop.files("main").keys())
        self.assertTrue(os.path.exists(os.path.join(shop.path, "b.txt")))

    def test_a_checkout_that_became_dirty_during_the_check_is_refused_as_well(self) -> None:
        shop = self.open(*listed("a"))
        shop.change(verify=[f"echo mine >> {shop.path}/README.md"])
        shop.commit({}, "the list")
        shop.finish("a", {"README.md": "its own\n"})
        said = self.merge()
        self.assertEqual(said.code, 1)
        self.assertIn("uncommitted files: README.md", said.err)
        self.assertEqual(self.landed(), ["the list"])

    def test_a_branch_that_moved_during_the_check_is_refused_and_then_landed_on(self) -> None:
        shop = self.open(*listed("a"))
        commit = (
            "test -e ../moved || { touch ../moved; git -C $SHOP commit -qm mine --allow-empty; }"
        )
        shop.change(verify=[commit.replace("$SHOP", shop.path)])
        shop.commit({}, "the list")
        shop.finish("a")
        said = self.merge()
        self.assertEqual(said.code, 1)
        self.assertIn("main moved in the meantime; nothing was landed", said.err)
        self.assertEqual(self.landed(), ["the list", "mine"])
        self.assertEqual(self.merge().code, 0)
        self.assertEqual(self.landed(), ["the list", "mine", "merge a: a"])


@once
class ByHand(MergeTest):
    """The user changes the branch of a completed feature: what it holds now counts."""

    def amend(self, id: str, files: Mapping[str, Content]) -> str:
        at = self.shop.worktree(id)
        self.shop.write(files, at=at)
        self.shop.git("add", "--all", at=at)
        self.shop.git("commit", "--quiet", "--amend", "-m", "amended", at=at)
        return self.shop.commit_of("HEAD", at=at)

    def status(self, id: str) -> dict[str, object]:
        features = self.shop.main("status", "--json").json["features"]
        found: dict[str, object] = next(each for each in features if each["id"] == id)
        return found

    def test_an_amended_commit_lands_instead_of_the_old_one(self) -> None:
        for strategy in ("merge", "squash", "rebase"):
            with self.subTest(strategy):
                shop = self.open(*listed("a", b="a"))
                old = shop.finish("a", {"a.txt": "with a key"})
                shop.finish("b", start="feature/a")
                tip = self.amend("a", {"a.txt": "without"})
                words = "feature/a was rewritten since its run"
                self.assertIn(words, str(self.status("a")["by_hand"]))
                self.assertIn(f"a: {words}", shop.main("status").out)
                self.assertIsNone(self.status("b")["by_hand"])
                said = self.merge("--strategy", strategy)
                self.assertEqual(said.code, 0, said)
                self.assertIn(f"    {words}", said.out)
                self.assertEqual(shop.files("main")["a.txt"], b"without")
                self.assertIn("b.txt", shop.files("main"))
                self.assertNotIn(old, shop.git("rev-list", "main").split())
                if strategy != "rebase":  # which may make the same commit in the same second
                    self.assertEqual(tip in shop.git("rev-list", "main"), strategy == "merge")
                again = self.merge("--json")
                self.assertEqual(self.states(again), {"a": "already", "b": "already"})
                self.assertIsNone(self.status("a")["by_hand"])
                self.assertEqual(shop.main("cleanup", "--merged").out.count("removed"), 2)

    def test_a_dependent_that_was_rebased_on_top_lands_as_a_merge_of_its_own(self) -> None:
        shop = self.open(*listed("a", b="a"))
        shop.finish("a")
        shop.finish("b", start="feature/a")
        old, tip = shop.commit_of("feature/a"), self.amend("a", {"more.txt": ""})
        shop.git("rebase", "--quiet", "--onto", tip, old, at=shop.worktree("b"))
        self.assertEqual(self.merge().code, 0)
        self.assertEqual(self.landed(), ["merge a: a", "merge b: b"])
        self.assertEqual(shop.commit_of("main^2~1"), tip)

    def test_a_feature_broken_by_the_user_is_held_with_the_reason_and_its_dependents(self) -> None:
        shop = self.open(feature("a", verify=["! grep bad a.txt"]), *listed(b="a"))
        shop.finish("a")
        shop.finish("b", start="feature/a")
        self.amend("a", {"a.txt": "bad"})
        self.assertEqual(self.states(self.merge("--json", "--dry-run"))["a"], "would land")
        said = self.merge("--json")
        self.assertEqual(said.code, 1)
        held = self.held(said)
        self.assertIn("its current commits count, and its checks fail now: check: ", held["a"])
        self.assertEqual(held["b"], "it depends on a, also held")
        self.assertEqual(self.landed(), [])
        self.amend("a", {"a.txt": "good"})
        self.assertEqual(set(self.states(self.merge("--json")).values()), {"landed"})

    def test_a_signal_during_that_check_ends_it(self) -> None:
        shop = self.open(feature("a", verify=["touch ../begun; sleep 60"]))
        shop.finish("a")
        self.amend("a", {"a.txt": "b"})
        begun = os.path.join(shop.worktrees, "begun")
        running = shop.start("merge")
        wait_until(lambda: os.path.exists(begun), "the check")
        running.signal(signal.SIGINT)
        done = running.end()
        self.assertEqual(done.code, 130)
        self.assertIn("checking ", done.err)
        self.assertIn("Stopped: nothing was landed.", done.err)

    def test_a_feature_whose_result_was_removed_is_held_with_the_command_to_restore_it(
        self,
    ) -> None:
        shop = self.open(*listed("deleted", "emptied", "replaced"))
        results = {id: shop.finish(id) for id in ("deleted", "emptied", "replaced")}
        shop.git("worktree", "remove", "--force", shop.worktree("deleted"))
        shop.git("branch", "--quiet", "-D", "feature/deleted")
        shop.git("reset", "--quiet", "--hard", "HEAD~1", at=shop.worktree("emptied"))
        shop.git("reset", "--quiet", "--hard", "HEAD~1", at=shop.worktree("replaced"))
        shop.commit({"else.txt": ""}, "something else", at=shop.worktree("replaced"))
        said = self.merge("--json")
        self.assertEqual((said.code, self.landed()), (1, []))
        for id, words in (
            ("deleted", "was deleted; its run created"),
            ("emptied", "was reset and has no commits of its own; its run created"),
            ("replaced", "has other work than its run created"),
        ):
            self.assertIn(f"feature/{id} {words}", self.held(said)[id])
            self.assertIn(results[id][:10], self.held(said)[id])
            self.assertIn(words, str(self.status(id)["by_hand"]))
        shop.git("branch", "feature/deleted", results["deleted"])
        self.assertEqual(self.states(self.merge("deleted", "--json")), {"deleted": "landed"})

    def test_dependents_begin_from_the_current_branch_and_never_from_a_deleted_one(
        self,
    ) -> None:
        shop = self.open(*listed("a"))
        shop.run()
        tip = self.amend("a", {"a.md": "amended"})
        shop.change(listed("a", b="a"))
        shop.run()
        self.assertEqual(shop.state().feature("b").start_commit, tip)
        self.assertEqual(shop.files("feature/b")["a.md"], b"amended")
        shop.git("worktree", "remove", "--force", shop.worktree("a"))
        shop.git("branch", "--quiet", "-D", "feature/a")
        shop.change(listed("a", b="a", c="a"))
        said = shop.command("run", "--yes", "--only", "c")
        self.assertEqual(said.code, 2)
        self.assertIn("c needs a, but feature/a was deleted; its run created", said.err)
        self.assertIn("to restore it: git branch feature/a", said.err)

    def test_dependents_in_the_same_run_begin_from_the_current_branch(self) -> None:
        shop = self.open(*listed("a"))
        path, gone = shop.worktree("a"), shop.worktree("gone")
        amend = f"echo amended > {path}/a.md && git -C {path} commit --quiet -a --amend -m x"
        delete = f"git worktree remove --force {gone} && git branch -q -D feature/gone"
        shop.change([
            feature("a"),
            feature("gone"),
            feature("late", verify=[f"{amend} && {delete}"]),
            feature("b", depends_on=["late", "a"]),
            feature("c", depends_on=["late", "gone"]),
        ])  # fmt: skip
        said = shop.run("--sequential")
        self.assertEqual(said.code, 1, said)
        self.assertEqual(shop.files("feature/b")["a.md"], b"amended\n")
        self.assertIn(
            "it needs gone, but feature/gone was deleted", shop.state().feature("c").reason
        )

    def test_a_branch_that_was_deleted_after_it_landed_is_no_matter(self) -> None:
        shop = self.open(*listed("a"))
        shop.finish("a")
        self.assertEqual(self.merge().code, 0)
        shop.git("worktree", "remove", "--force", shop.worktree("a"))
        shop.git("branch", "--quiet", "-D", "feature/a")
        self.assertEqual(self.states(self.merge("--json")), {"a": "already"})
        self.assertIsNone(self.status("a")["by_hand"])

    def test_a_branch_that_was_cleaned_up_because_another_has_it_can_still_land(self) -> None:
        shop = self.open(*listed("a"))
        shop.finish("a")
        shop.branch("develop", "main")
        self.assertEqual(self.merge("--into", "develop").code, 0)
        self.assertEqual(shop.main("cleanup", "--merged", "--into", "develop").code, 0)
        self.assertEqual(self.states(self.merge("--json")), {"a": "landed"})

    def test_a_branch_amended_and_merged_by_hand_is_merged(self) -> None:
        shop = self.open(*listed("a"))
        shop.finish("a")
        self.amend("a", {"more.txt": ""})
        shop.commit({}, "meanwhile")
        shop.git("merge", "--quiet", "-m", "by hand", "feature/a")
        self.assertEqual(self.status("a")["merged"], "ancestor")
        self.assertEqual(self.states(self.merge("--json")), {"a": "already"})
        self.assertIn(
            "removed a (feature/a): merged (ancestor)", shop.main("cleanup", "--merged").out
        )
        self.assertEqual(self.states(self.merge("--json")), {"a": "already"})

    def test_a_feature_with_a_rebase_in_progress_is_held(self) -> None:
        shop = self.open(*listed("a"))
        shop.finish("a", {"same.txt": "a"})
        shop.commit({"same.txt": "main"}, "in the way")
        shop.git("rebase", "main", at=shop.worktree("a"), fails=True)
        self.assertIn("a rebase of its branch is in progress", self.held(self.merge("--json"))["a"])

    def test_a_branch_that_moves_during_the_check_is_not_landed_as_it_was(self) -> None:
        shop = self.open(*listed("a"))
        at = shop.worktree("a")
        amend = f"git -C {at} commit --quiet --allow-empty -m more"
        shop.change(verify=[f"test -e ../moved || {{ touch ../moved; {amend}; }}"])
        shop.commit({}, "the list")
        shop.finish("a")
        said = self.merge()
        self.assertEqual(said.code, 1)
        self.assertIn("feature/a moved in the meantime; nothing was landed", said.err)
        self.assertEqual(self.landed(), ["the list"])
        self.assertEqual(self.merge().code, 0)


class Checks(MergeTest):
    def five(self, **project: object) -> Workspace:
        shop = self.open(*listed("a", "b", "bad", "e"), *listed(**{"on-bad": "bad"}), **project)
        for id in ("a", "b", "bad", "e"):
            shop.finish(id)
        shop.finish("on-bad", start="feature/bad")
        return shop

    @once
    def test_the_largest_passing_part_of_a_failing_stack_lands_and_the_rest_is_held_with_a_reason(
        self,
    ) -> None:
        self.five(verify=["if test -e bad.txt; then echo it is bad; exit 7; fi"])
        said = self.merge()
        self.assertEqual(said.code, 1)
        self.assertEqual(self.landed(), ["merge a: a", "merge b: b", "merge e: e"])
        self.assertIn("held bad (feature/bad): the checks fail with it: check: `if", said.out)
        self.assertIn("\n    it is bad\n", said.out)
        self.assertIn("held on-bad (feature/on-bad): it depends on bad, also held", said.out)
        self.assertIn("before main moves to it", said.err)

    @once
    def test_the_whole_stack_is_checked_once_and_never_again(self) -> None:
        shop = self.five(verify=["echo $RORCHESTRATOR_BRANCH >> ../checks"])
        self.assertEqual(self.merge("--dry-run").code, 0)
        self.assertFalse(os.path.exists(os.path.join(shop.worktrees, "checks")))
        self.assertEqual(self.merge().code, 0)
        shop.git("reset", "--quiet", "--hard", "HEAD~5")
        self.assertEqual(self.merge().code, 0)
        with open(os.path.join(shop.worktrees, "checks"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "main\n")

    @once
    def test_a_scratch_worktree_is_supplied_and_set_up_for_the_check(self) -> None:
        shop = self.open(
            *listed("a"),
            copy=["settings"],
            setup=["cat settings > made"],
            verify=['test "$(cat made)" = "of mine" && test -e a.txt'],
        )
        shop.commit({".gitignore": "settings\nmade\n"}, "ignored")
        shop.write({"settings": "of mine"})
        shop.finish("a")
        said = self.merge()
        self.assertEqual(said.code, 0, said)

    @once
    def test_a_check_that_fails_on_the_branch_alone_holds_nothing_back_and_is_named(self) -> None:
        self.five(verify=["false", "! test -e bad.txt", "true"])
        said = self.merge("--json")
        self.assertEqual(set(self.held(said)), {"bad", "on-bad"})
        self.assertIn("`! test -e bad.txt` ended with exit 1", self.held(said)["bad"])
        self.assertEqual(said.json["failing_alone"], ["false"])
        self.assertEqual(self.landed(), ["merge a: a", "merge b: b", "merge e: e"])

    @once
    def test_the_check_that_fails_on_the_branch_alone_is_named_at_the_end(self) -> None:
        self.five(verify=["false"])
        said = self.merge()
        self.assertIn("not yours: `false` fails on main without them", said.out)
        self.assertEqual(len(self.landed()), 5)

    @once
    def test_nothing_lands_if_a_file_to_copy_is_gone(self) -> None:
        self.five(verify=["true"], copy=["settings"])
        said = self.merge("--json")
        self.assertIn("settings matches nothing in", self.held(said)["a"])
        self.assertEqual(self.landed(), [])

    @once
    def test_nothing_lands_on_a_branch_whose_setup_fails(self) -> None:
        self.five(verify=["true"], setup=["false"])
        said = self.merge("--json")
        self.assertEqual(set(self.states(said).values()), {"held"})
        self.assertIn("the checks already fail on main: setup: ", self.held(said)["a"])
        self.assertEqual(self.landed(), [])

    def test_a_signal_ends_the_check_and_nothing_is_moved(self) -> None:
        shop = self.open(*listed("a"), verify=["touch ../begun; sleep 60"])
        shop.finish("a")
        before = shop.seen_by_user()
        for number in (signal.SIGINT, signal.SIGTERM):
            begun = os.path.join(shop.worktrees, "begun")
            running = shop.start("merge")
            wait_until(lambda: os.path.exists(begun), "the check")  # noqa: B023
            running.signal(number)
            done = running.end()
            self.assertEqual(done.code, 128 + number)
            self.assertIn("Stopped: nothing was landed.", done.err)
            os.unlink(begun)
        self.assert_untouched(before)
        self.assertEqual(shop.events("landing"), [])

    def test_a_signal_ends_the_look_at_the_branch_alone_and_nothing_is_moved(self) -> None:
        shop = self.open(*listed("a"), verify=["! test -e a.txt && touch ../begun && sleep 60"])
        shop.finish("a")
        running = shop.start("merge")
        wait_until(lambda: os.path.exists(os.path.join(shop.worktrees, "begun")), "the look")
        running.signal(signal.SIGINT)
        done = running.end()
        self.assertEqual(done.code, 128 + signal.SIGINT)
        self.assertIn("Stopped: nothing was landed.", done.err)
        self.assertEqual(shop.events("landing"), [])
        self.assertEqual(set(os.listdir(shop.worktrees)), {"a", "begun"})

    def test_a_second_signal_does_not_ask(self) -> None:
        words = "trap '' TERM; touch ../begun; while :; do sleep 0.1; done"
        shop = self.open(*listed("a"), verify=[words])
        shop.finish("a")
        begun = os.path.join(shop.worktrees, "begun")
        running = shop.start("merge")
        wait_until(lambda: os.path.exists(begun), "the check")
        running.signal(signal.SIGINT)
        running.signal(signal.SIGTERM)
        self.assertIn(running.end().code, (130, 143))

    def test_a_signal_before_the_branch_moves_stops_a_merge_without_checks_too(self) -> None:
        shop = self.open(*listed("a"))
        shop.finish("a")
        stacked = Stacker.passing

        async def passing(self: Stacker, held: Mapping[str, HeldBack]) -> Stack:
            stack = await stacked(self, held)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.1)
            return stack

        with mock.patch.object(Stacker, "passing", passing):
            said = self.merge()
        self.assertEqual(said, CommandResult(143, "", "Stopped: nothing was landed.\n"))
        self.assertEqual(self.landed(), [])

    def test_quiet_shows_no_checks(self) -> None:
        self.five(verify=["true"])
        self.assertEqual(self.merge("--quiet"), CommandResult(0, "", ""))

    def test_nothing_is_landed_if_the_journal_cannot_be_written(self) -> None:
        self.five()
        full = OSError(errno.ENOSPC, "No space left on device")
        with mock.patch("core.journal.journal._write_through", side_effect=full):
            said = self.merge()
        self.assertEqual(said.code, 1)
        self.assertIn("can't be written: No space left on device", said.err)
        self.assertEqual(self.landed(), [])

    def test_with_nohup_a_hangup_ends_nothing(self) -> None:
        shop = self.open(
            *listed("a"), verify=["touch ../begun; while test ! -e ../go; do sleep 0.01; done"]
        )
        shop.finish("a")
        begun = os.path.join(shop.worktrees, "begun")
        running = shop.start("merge", under=("nohup",))
        wait_until(lambda: os.path.exists(begun), "the check")
        running.signal(signal.SIGHUP)
        with open(os.path.join(shop.worktrees, "go"), "w"):
            pass
        self.assertEqual(running.end().code, 0)
        self.assertEqual(self.landed(), ["merge a: a"])


class AtTheEndOfARun(MergeTest):
    def test_run_lands_what_it_completed(self) -> None:
        self.open(*listed("a", b="a"))
        said = self.shop.command("run", "--yes", "--merge")
        self.assertEqual(said.code, 0, said.err)
        self.assertIn("landed b (feature/b): ", said.out)
        self.assertEqual(self.landed(), ["merge a: a", "merge b: b"])

    def test_a_run_with_nothing_to_do_lands_features_completed_before(self) -> None:
        self.open(*listed("a", "b")).finished("a")
        self.shop.run()
        said = self.shop.command("run", "--yes", "--merge", "--only", "a", "--json")
        self.assertEqual(said.code, 0, said.err)
        last = json.loads(said.out.splitlines()[-1])
        self.assertEqual(last["event"], "merge")
        self.assertEqual([each["id"] for each in last["features"]], ["a"])
        self.assertEqual(self.landed(), ["merge a: a"])

    def test_a_run_with_a_failed_feature_lands_nothing(self) -> None:
        self.open(feature("a"), feature("b", {"fail": "no", "status": 400}))
        self.assertEqual(self.shop.command("run", "--yes", "--merge").code, 1)
        self.assertEqual(self.landed(), [])


if __name__ == "__main__":
    unittest.main()
