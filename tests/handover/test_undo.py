"""`undo`: what a merge landed goes back, unless something depends on it by now."""

from __future__ import annotations

import os
import shutil
import signal
import unittest
from unittest import mock

from core.git.refs import UNDONE
from core.handover.undo import Undo
from core.landing.undoing import WayBack
from core.model import events
from core.model.decision import Action, Decision
from core.model.errors import UserError
from core.model.strategy import Strategy
from core.process.spawner import run_sync
from tests.support.commands import CommandResult
from tests.support.merges import MergeTest, listed
from tests.support.once import skip_if_run_elsewhere
from tests.support.projects import place_of
from tests.support.workspace import Workspace

setUpModule = skip_if_run_elsewhere

STRATEGIES = ("merge", "squash", "rebase")


class Undos(MergeTest):
    """Two features, one on top of the other, on main."""

    def shop_of_two(self, **project: object) -> Workspace:
        shop = self.open(*listed("a", b="a"), **project)
        shop.finish("a", {"a.txt": "1\n"}, {"a.txt": "2\n"})
        shop.finish("b", start="feature/a")
        return shop

    def landed_shop(self, *words: str) -> Workspace:
        shop = self.shop_of_two()
        self.assertEqual(self.merge(*words).code, 0)
        return shop

    def undo(self, *words: str) -> CommandResult:
        return self.shop.main("undo", *words)

    def assert_refused(self, *reasons: str) -> str:
        """It changes nothing, and says why; the command to type instead."""
        before = self.shop.seen_by_user()
        said = self.undo("--json", "--yes")
        self.assertEqual((said.code, said.json["undone"]), (1, False))
        for reason in reasons:
            self.assertIn(reason, said.json["reason"])
        self.assertEqual(self.shop.seen_by_user(), before)
        revert = said.json["revert"]
        assert isinstance(revert, str)
        return revert

    def merged(self) -> dict[str, str]:
        """What status says of each feature."""
        status = self.shop.main("status", "--json").json
        return {each["id"]: each["merged"] or "" for each in status["features"]}


class BackAgain(Undos):
    def test_each_strategy_goes_back_with_the_checkout_and_lands_again(self) -> None:
        shop = self.shop_of_two()
        before, files = shop.commit_of("main"), sorted(os.listdir(shop.path))
        for strategy in STRATEGIES:
            with self.subTest(strategy):
                self.assertEqual(self.merge("--strategy", strategy).code, 0)
                tip = shop.commit_of("main")
                said = self.undo("--yes", "--json")
                self.assertEqual((said.code, said.err), (0, ""))
                report = said.json
                self.assertTrue(report["undone"])
                self.assertEqual((report["before"], report["after"]), (tip, before))
                self.assertEqual([each["id"] for each in report["features"]], ["a", "b"])
                self.assertEqual(shop.commit_of("main"), before)
                self.assertEqual(sorted(os.listdir(shop.path)), files)
                self.assertEqual(shop.git("status", "--porcelain"), "")
                self.assertEqual(shop.commit_of(UNDONE + report["merge"]), tip)
                self.assertEqual(self.merged(), {"a": "", "b": ""})
        self.assertIn("rorchestrator undo", shop.git("reflog", "main"))
        said = self.merge("--json")
        self.assertEqual(self.states(said), {"a": "landed", "b": "landed"})

    def test_branches_that_cleanup_removed_are_made_again(self) -> None:
        shop = self.shop_of_two()
        for strategy in ("merge", "squash"):
            with self.subTest(strategy):
                self.assertEqual(self.merge("--strategy", strategy).code, 0)
                tips = [shop.commit_of(f"feature/{id}") for id in "ab"]
                self.assertEqual(shop.main("cleanup", "--merged").code, 0)
                said = self.undo("--yes")
                self.assertEqual(said.code, 0, said.err)
                self.assertIn("restored the branch feature/a\n", said.out)
                self.assertEqual([shop.commit_of(f"feature/{id}") for id in "ab"], tips)
                self.assertEqual(self.merged(), {"a": "", "b": ""})
        self.assertEqual(self.states(self.merge("--json")), {"a": "landed", "b": "landed"})

    def test_a_branch_that_was_put_on_a_landing_does_not_bring_back_what_was_undone(self) -> None:
        for words in (("rebase", "--quiet", "main"), ("merge", "--quiet", "--no-edit", "main")):
            with self.subTest(words[0]):
                shop = self.open(*listed("a", "c"))
                shop.finish("a")
                shop.finish("c")
                self.assertEqual(self.merge("a").code, 0)
                shop.git(*words, at=shop.worktree("c"))
                self.assertEqual(self.undo("--yes").code, 0)
                for strategy in STRATEGIES:
                    said = self.merge("c", "--strategy", strategy)
                    self.assertEqual(said.code, 0, said.out)
                    self.assertNotIn("a.txt", shop.files("main"))
                    self.assertIn("c.txt", shop.files("main"))
                    self.assertEqual(self.merged()["a"], "")
                    self.assertEqual(self.undo("--yes").code, 0)
                self.assertEqual(self.states(self.merge("--json")), {"a": "landed", "c": "landed"})

    def test_what_the_user_added_to_a_branch_lands_again_after_a_cleanup(self) -> None:
        shop = self.shop_of_two()
        tip = shop.commit({"more.txt": "more\n"}, "more", at=shop.worktree("b"))
        self.assertEqual(self.merge("--strategy", "squash").code, 0)
        self.assertEqual(shop.main("cleanup", "--merged").code, 0)
        self.assertEqual(self.undo("--yes").code, 0)
        self.assertEqual(shop.commit_of("feature/b"), tip)
        self.assertEqual(self.merge().code, 0)
        self.assertIn("more.txt", shop.files("main"))

    def test_a_branch_that_is_checked_out_nowhere_or_elsewhere_goes_back(self) -> None:
        shop = self.shop_of_two()
        before = shop.commit_of("main")
        shop.branch("develop", "main")
        self.assertEqual(self.merge("--into", "develop").code, 0)
        said = self.undo("--yes")
        self.assertIn("rorchestrator merge --into develop  (lands", said.out)
        self.assertEqual(shop.commit_of("develop"), before)
        elsewhere = shop.beside("elsewhere")
        shop.git("worktree", "add", "--quiet", elsewhere, "develop")
        self.assertEqual(self.merge("--into", "develop").code, 0)
        self.assertTrue(os.path.exists(os.path.join(elsewhere, "a.txt")))
        self.assertEqual(self.undo("--yes", "-q").out, "")
        self.assertFalse(os.path.exists(os.path.join(elsewhere, "a.txt")))
        self.assertEqual(shop.git("status", "--porcelain", at=elsewhere), "")

    def test_submodules_are_left_to_the_user(self) -> None:
        shop = self.shop_of_two()
        commits = [shop.commit_of("main"), shop.commit_of("feature/a")]
        for commit in commits:
            shop.git("update-index", "--add", "--cacheinfo", f"160000,{commit},lib")
            shop.git("commit", "--quiet", "-m", "pin")
        os.makedirs(os.path.join(shop.path, "lib"), exist_ok=True)
        before, tip = shop.commit_of("main~1"), shop.commit_of("main")
        move = {"into": "main", "commit": tip, "result": tip, "tip": tip, "moved_from": before}
        shop.record(events.landing(1e9, "m1", "a", strategy=Strategy.SQUASH, **move))
        said = self.undo("--yes")
        self.assertIn(f"of the checkout: git -C {shop.path} submodule update\n", said.out)
        self.assertEqual(shop.commit_of("main"), before)

    def test_one_merge_after_the_other_is_undone(self) -> None:
        shop = self.shop_of_two()
        tips = [shop.commit_of("main")]
        for words in (("a",), ()):
            self.assertEqual(self.merge(*words).code, 0)
            tips.append(shop.commit_of("main"))
        for tip, features in ((tips[1], ["b"]), (tips[0], ["a"])):
            report = self.undo("--yes", "--json").json
            self.assertEqual([each["id"] for each in report["features"]], features)
            self.assertEqual(shop.commit_of("main"), tip)
        said = self.undo("--yes")
        self.assertEqual(said.code, 2)
        self.assertIn("there is nothing to undo", said.err)
        history = shop.main("history", "--json").json["landings"]
        self.assertEqual([each["features"] for each in history], [["a"], ["b"]])
        self.assertTrue(all(each["undone_at"] for each in history))
        first = history[0]["merge"]
        self.assertIn("it was undone before", self.undo(first, "--yes").err)
        said = self.undo(f"{first}x", "--yes")
        self.assertIn(f"did you mean {first!r}", said.err)

    def test_it_asks_and_does_nothing_without_a_yes(self) -> None:
        shop = self.landed_shop()
        tip = shop.commit_of("main")
        said = self.undo()
        self.assertEqual(said.code, 2)
        self.assertIn("next: rorchestrator undo --yes", said.err)
        said = shop.main("undo", terminal=True, stdin=b"n\n")
        self.assertEqual((said.code, shop.commit_of("main")), (2, tip))
        self.assertIn("without a, b? [y/N] Nothing was undone.", " ".join(said.err.split()))
        with mock.patch("core.commands.undo.agrees", side_effect=KeyboardInterrupt):
            said = shop.main("undo", terminal=True, stdin=b"")
        self.assertEqual((said.code, shop.commit_of("main")), (130, tip))
        with open(os.path.join(shop.state_folder, "journal.jsonl"), "ab") as file:
            file.write(b'{"torn')
        said = shop.main("undo", terminal=True, stdin=b"y\n")
        self.assertIn("cut off 6 bytes", said.err)
        self.assertEqual(said.code, 0)
        self.assertNotEqual(shop.commit_of("main"), tip)


class Refused(Undos):
    def test_what_was_built_upon_is_reverted_by_hand_instead(self) -> None:
        shop = self.shop_of_two()
        begun = shop.commit_of("main")
        for strategy, commits in {"merge": 2, "squash": 2, "rebase": 3}.items():
            with self.subTest(strategy):
                shop.git("reset", "--quiet", "--hard", begun)
                self.assertEqual(self.merge("--strategy", strategy).code, 0)
                shop.commit({"mine.txt": "mine\n"}, "mine")
                revert = self.assert_refused("main has moved since")
                self.assertIn("-m 1" if strategy == "merge" else "..", revert)
                count = int(shop.git("rev-list", "--count", "HEAD"))
                self.shell(revert, shop)
                self.assertEqual(int(shop.git("rev-list", "--count", "HEAD")), count + commits)
                self.assertNotIn("a.txt", shop.files("main"))
                self.assertIn("mine.txt", shop.files("main"))

    def shell(self, command: str, shop: Workspace) -> None:
        """Type it in the checkout."""
        for each in command.split(" && "):
            program, *words = each.split()
            self.assertEqual(program, "git")
            shop.git(*words)

    def test_the_reverts_of_merges_and_single_commits_are_told_apart(self) -> None:
        shop = self.open(*listed("a", "b"))
        shop.branch("old", "main")
        shop.commit({"new.txt": "new\n"}, "on main")
        shop.finish("a")
        shop.finish("b")
        self.assertEqual(self.merge("--into", "old").code, 0)
        shop.commit({"mine.txt": "mine\n"}, "mine", at=self.checkout("old"))
        revert = self.assert_refused()
        self.assertTrue(revert.startswith(f"cd {shop.beside('old')} && git revert"), revert)
        shop.git("worktree", "remove", shop.beside("old"))
        self.assertTrue(self.assert_refused().startswith("git switch old && git revert"))

    def checkout(self, branch: str) -> str:
        path = self.shop.beside(branch)
        self.shop.git("worktree", "add", "--quiet", path, branch)
        return path

    def test_what_was_pushed_stays(self) -> None:
        shop = self.landed_shop()
        shop.git("init", "--quiet", "--bare", shop.beside("origin"))
        shop.git("remote", "add", "origin", shop.beside("origin"))
        shop.git("push", "--quiet", "origin", "feature/b")
        shop.git("fetch", "--quiet", "origin")
        self.assertEqual(self.undo("--yes").code, 0)  # a feature's own branch is no landing
        self.assertEqual(self.merge().code, 0)
        shop.git("push", "--quiet", "origin", "main:release")
        revert = self.assert_refused("it was pushed: origin/release contains it")
        self.assertIn("git revert --no-edit -m 1 ", revert)

    def test_a_pushed_branch_that_was_landed_by_a_fast_forward_is_a_pushed_landing(self) -> None:
        shop = self.shop_of_two()
        before, tip = shop.commit_of("main"), shop.commit_of("feature/b")
        shop.git("merge", "--quiet", "--ff-only", "feature/b")
        move = {"into": "main", "commit": tip, "strategy": Strategy.REBASE}
        for id in "ab":
            landed = {**move, "result": shop.commit_of(f"feature/{id}"), "tip": tip}
            shop.record(events.landing(1e9, "m1", id, moved_from=before, **landed))  # type: ignore[arg-type]
        shop.git("update-ref", "refs/remotes/origin/feature/b", tip)
        revert = self.assert_refused("it was pushed: origin/feature/b contains it")
        self.assertEqual(revert, f"git revert --no-edit {before[:12]}..{tip[:12]}")

    def test_a_checkout_that_is_not_clean_stays(self) -> None:
        shop = self.landed_shop()
        shop.write({"README.md": "changed\n"})
        self.assertEqual(self.assert_refused("has uncommitted files: README.md"), "")
        said = self.undo("--yes")
        self.assertIn(f"next: git -C {shop.path} stash, then undo again", said.err)
        shop.git("stash")
        self.assertEqual(self.undo("--yes").code, 0)

    def test_an_untracked_file_that_comes_back_is_not_overwritten(self) -> None:
        shop = self.open(*listed("a"))
        shop.commit({"old.txt": "old\n"}, "old")
        shop.finish("a")
        shop.git("rm", "--quiet", "old.txt", at=shop.worktree("a"))
        shop.git("commit", "--quiet", "-m", "remove", at=shop.worktree("a"))
        self.assertEqual(self.merge().code, 0)
        shop.write({"old.txt": "mine\n"})
        before = shop.seen_by_user()
        said = self.undo("--yes")
        self.assertEqual((said.code, shop.seen_by_user()), (1, before))
        self.assertIn("move them elsewhere, then undo again", said.err)
        os.unlink(os.path.join(shop.path, "old.txt"))
        self.assertEqual(self.undo("--yes").code, 0)
        self.assertIn("old.txt", shop.files("main"))

    def test_a_run_in_progress_comes_first(self) -> None:
        shop = self.landed_shop()
        tip = shop.commit_of("main")
        with shop.at_work():
            said = self.undo("--yes")
        self.assertEqual((said.code, shop.commit_of("main")), (2, tip))
        self.assertIn("rorchestrator run", said.err)

    def test_a_result_that_is_gone_can_land_no_more(self) -> None:
        shop = self.landed_shop()
        ref = shop.git("for-each-ref", "--format=%(refname)", "refs/rorchestrator/results/b")
        shop.git("update-ref", "-d", ref)
        self.assertIn("-m 1", self.assert_refused("the result of b no longer exists"))

    def test_what_was_taken_away_needs_no_undo(self) -> None:
        shop = self.landed_shop()
        shop.git("reset", "--quiet", "--hard", "main~2")
        self.assertEqual(self.assert_refused("main no longer contains what it landed"), "")
        shop.git("switch", "--quiet", "-c", "other")
        shop.git("branch", "-D", "main")
        shop.change(base_branch="other")
        said = self.undo("--yes")
        self.assertIn("main no longer contains what it landed", said.err)
        self.assertIn("next: git branch\n", said.err)

    def test_a_journal_of_an_older_version_allows_only_a_revert(self) -> None:
        shop = self.shop_of_two()
        begun = shop.commit_of("main")
        for strategy, revert in {"rebase": "", "merge": "-m 1", "squash": ".."}.items():
            with self.subTest(strategy):
                shop.git("reset", "--quiet", "--hard", begun)
                self.assertEqual(self.merge("--strategy", strategy).code, 0)
                self.forget(shop, '"moved_from":"[0-9a-f]*"', '"moved_from":""')
                said = self.assert_refused("an older version did not record where main was")
                self.assertIn(revert, said)
                self.assertEqual(bool(said), bool(revert))
        self.forget(shop, '"moved_from":""', f'"moved_from":"{shop.commit_of("feature/b")}"')
        self.assert_refused("where main was before, is no ancestor of it")

    def forget(self, shop: Workspace, old: str, new: str) -> None:
        """Change the journal, as an older version would have written it."""
        import re

        path = os.path.join(shop.state_folder, "journal.jsonl")
        with open(path, encoding="utf-8") as file:
            text = re.sub(r',"sum":"[0-9a-f]*"', "", file.read())
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(old, new, text))

    def test_whoever_moves_the_branch_meanwhile_wins(self) -> None:
        shop = self.landed_shop()
        project = place_of(shop).writable()
        project.journal.open()
        self.addCleanup(project.journal.close)
        undo = Undo(project)
        report = run_sync(undo.look())
        mine = shop.commit({"mine.txt": "mine\n"}, "mine")
        with self.assertRaisesRegex(UserError, "main moved in the meantime; nothing was undone"):
            run_sync(undo.undo(report))
        self.assertEqual(shop.commit_of("main"), mine)
        self.assertEqual(self.merged(), {"a": "ancestor", "b": "ancestor"})
        self.assertEqual(shop.git("status", "--porcelain"), "")

    def test_whoever_switches_the_checkout_meanwhile_keeps_it(self) -> None:
        shop = self.landed_shop()
        shop.git("switch", "--quiet", "-c", "other")
        back = WayBack(place_of(shop).git, "main", shop.commit_of("main"))
        with self.assertRaisesRegex(UserError, "switched away from main .* nothing was undone"):
            run_sync(back._check_head(shop.path))

    def test_a_feature_that_started_over_is_left_alone(self) -> None:
        shop = self.landed_shop()
        decision = Decision("b", Action.START, "fresh", "key")
        start = shop.commit_of("main")
        shop.record(events.based(1e9, "r2", decision, start_commit=start, base_commit=start))
        report = self.undo("--yes", "--json").json
        self.assertEqual([each["id"] for each in report["features"]], ["a"])


class Killed(Undos):
    """SIGKILL in the middle; `tests.faults.test_undo` kills at every other step, too."""

    GIT = """\
#!/bin/sh
case " $* " in
*" {command} "*) {before} "{git}" "$@"; code=$?; {after} exit $code ;;
esac
exec "{git}" "$@"
"""
    KILL = "kill -9 $PPID;"

    def killed(self, command: str, *, before: str = "", after: str = "") -> None:
        """Undo with a git that kills us at ``command``."""
        shop = self.shop
        folder = shop.beside("bin")
        os.makedirs(folder, exist_ok=True)
        script = self.GIT.format(
            git=shutil.which("git"), command=command, before=before, after=after
        )
        shop.script(os.path.join(folder, "git"), script)
        path = f"{folder}{os.pathsep}{shop.environ['PATH']}"
        said = shop.command("undo", "--yes", env={"PATH": path})
        self.assertEqual(said.code, -signal.SIGKILL, said.err)

    def assert_back(self, commit: str, *, says: str) -> None:
        """Typed again it is undone, and nothing before it."""
        shop = self.shop
        said = self.undo("--yes")
        self.assertEqual(said.code, 0, said.err)
        self.assertIn(says, said.out)
        self.assertEqual(shop.commit_of("main"), commit)
        self.assertEqual(shop.git("status", "--porcelain"), "")
        self.assertEqual(len(shop.events("undone")), 1)
        self.assertEqual(self.merged()["b"], "")
        self.assertEqual(self.merge().code, 0)

    def shop_of_two_merges(self) -> str:
        shop = self.shop_of_two()
        self.assertEqual(self.merge("a").code, 0)
        commit = shop.commit_of("main")
        self.assertEqual(self.merge().code, 0)
        return commit

    def test_between_the_files_and_the_branch(self) -> None:
        commit = self.shop_of_two_merges()
        self.killed("-m rorchestrator undo", before=f"{self.KILL} exit 1;")
        self.assertNotEqual(self.shop.git("status", "--porcelain"), "")
        self.assert_back(commit, says="Finished an interrupted undo")

    def test_a_merge_finishes_it_too_and_lands_again(self) -> None:
        for where in ("before", "after"):
            with self.subTest(where):
                self.shop_of_two_merges()
                if where == "before":
                    self.killed("-m rorchestrator undo", before=f"{self.KILL} exit 1;")
                else:
                    self.killed("-m rorchestrator undo", after=self.KILL)
                said = self.merge("--json")
                self.assertEqual(self.states(said), {"a": "already", "b": "landed"})
                self.assertEqual(len(self.shop.events("undone")), 1)

    def test_a_revert_by_hand_after_it_is_the_users_own(self) -> None:
        self.shop_of_two_merges()
        shop = self.shop
        tip = shop.commit_of("main")
        self.killed("read-tree", before=f"{self.KILL} exit 1;")
        shop.git("revert", "--no-commit", "-m", "1", "main")
        said = self.merge()
        self.assertEqual(shop.commit_of("main"), tip)
        self.assertEqual(shop.events("undone"), [])
        said = self.undo("--yes")
        self.assertIn("a revert is in progress", said.err)


if __name__ == "__main__":
    unittest.main()
