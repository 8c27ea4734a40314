"""A `merge` that is stopped or killed."""

from __future__ import annotations

import os
import shutil
import signal

from tests.support.commands import CommandResult, wait_until
from tests.support.merges import MergeTest, listed
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace

setUpModule = skip_if_run_elsewhere


class Kills(MergeTest):
    """SIGKILL at every step of a landing; typed again, it ends as if nothing had happened."""

    GIT = """\
#!/bin/sh
# Stands before git: kills who called it, before or after the command that moves the branch.
case " $* " in
*" {command} "*) {before} "{git}" "$@"; code=$?; {after} exit $code ;;
esac
exec "{git}" "$@"
"""
    KILL = "kill -9 $PPID;"

    def shop_of_two(self, **project: object) -> Workspace:
        shop = self.open(*listed("a", b="a"), **project)
        shop.finish("a")
        shop.finish("b", start="feature/a")
        return shop

    def killed(self, command: str, *words: str, before: str = "", after: str = "") -> None:
        """Merge with a git that kills us at ``command``."""
        said = self.merge_with_git(command, *words, before=before, after=after)
        self.assertEqual(said.code, -signal.SIGKILL)

    def merge_with_git(
        self, command: str, *words: str, before: str = "", after: str = ""
    ) -> CommandResult:
        """Merge with a git that does something more at ``command``."""
        shop = self.shop
        folder = os.path.join(shop.root, "bin")
        os.makedirs(folder, exist_ok=True)
        real = shutil.which("git")
        script = self.GIT.format(git=real, command=command, before=before, after=after)
        with open(os.path.join(folder, "git"), "w", encoding="utf-8") as file:
            file.write(script)
        os.chmod(file.name, 0o755)
        path = f"{folder}{os.pathsep}{shop.environ['PATH']}"
        return shop.command("merge", *words, env={"PATH": path})

    def assert_lands(self, *, already: bool = False) -> None:
        """A second time it lands, or has landed: one merge for each feature, and clean."""
        said = self.merge("--json")
        self.assertEqual(said.code, 0, said.err)
        state = "already" if already else "landed"
        self.assertEqual(self.states(said), {"a": state, "b": state})
        self.assertEqual(self.landed(), ["merge a: a", "merge b: b"])
        self.assertEqual(self.shop.git("status", "--porcelain"), "")
        self.assertEqual(self.shop.main("cleanup", "--merged").code, 0)

    def test_a_merge_killed_during_a_check_lands_when_repeated(self) -> None:
        shop = self.shop_of_two()
        words = "touch ../begun; while test ! -e ../go; do sleep 0.01; done"
        shop.change(verify=[words])
        shop.git("update-index", "--assume-unchanged", "config/feature_list.json")
        before = shop.seen_by_user()
        running = shop.start("merge")
        wait_until(lambda: os.path.exists(os.path.join(shop.worktrees, "begun")), "the check")
        running.kill()
        self.assert_untouched(before)
        with open(os.path.join(shop.worktrees, "go"), "w"):
            pass
        self.assert_lands()

    def test_a_merge_killed_during_a_check_lands_if_the_check_was_removed_from_the_list(
        self,
    ) -> None:
        shop = self.shop_of_two()
        shop.change(verify=["touch ../begun; sleep 60"])
        shop.git("update-index", "--assume-unchanged", "config/feature_list.json")
        running = shop.start("merge")
        wait_until(lambda: os.path.exists(os.path.join(shop.worktrees, "begun")), "the check")
        running.kill()
        shop.change(verify=[])
        self.assert_lands()

    def test_before_the_checked_out_branch_moves(self) -> None:
        self.shop_of_two()
        before = self.shop.seen_by_user()
        self.killed("read-tree", before=f"{self.KILL} exit 1;")
        self.assert_untouched(before)
        self.assertEqual(len(self.shop.events("landing")), 2)
        self.assert_lands()

    def test_git_finishes_the_move_if_the_merge_is_killed(self) -> None:
        self.shop_of_two()
        # The guard must know the command before its caller is killed.
        self.killed("update-ref", before=f"sleep 1; {self.KILL} sleep 2;")
        wait_until(lambda: self.landed() == ["merge a: a", "merge b: b"], "git")
        self.assert_lands(already=True)

    def test_a_signal_while_the_branch_moves_comes_too_late_and_a_second_one_does_not(self) -> None:
        self.shop_of_two()
        before = self.shop.seen_by_user()
        twice = "kill -INT $PPID; sleep 1; kill -INT $PPID; sleep 60;"
        said = self.merge_with_git("update-ref", before=twice)
        self.assertEqual((said.code, said.err), (130, "Stopped: nothing was landed.\n"))
        self.assertEqual(self.shop.seen_by_user()[:2], before[:2])
        said = self.merge_with_git("update-ref", before="kill -INT $PPID; sleep 0.3;")
        self.assertEqual((said.code, said.err), (0, ""))
        self.assert_lands(already=True)

    def test_after_it_moved(self) -> None:
        self.shop_of_two()
        self.killed("update-ref", after=self.KILL)
        self.assertEqual(self.shop.events("merged"), [])
        self.assert_lands(already=True)

    def test_before_a_branch_moves_that_is_checked_out_nowhere(self) -> None:
        self.shop_of_two().git("checkout", "--quiet", "-b", "elsewhere")
        self.killed("update-ref", before=f"{self.KILL} exit 1;")
        self.assertEqual(self.landed(), [])
        self.assert_lands()

    def test_after_a_branch_moved_that_is_checked_out_nowhere(self) -> None:
        self.shop_of_two().git("checkout", "--quiet", "-b", "elsewhere")
        self.killed("update-ref", after=self.KILL)
        self.assert_lands(already=True)

    def test_after_a_squash_the_journal_knows_though_it_was_killed(self) -> None:
        shop = self.open(*listed("a", b="a"))
        shop.finish("a", {"a.txt": "1"}, {"a.txt": "2"})
        shop.finish("b", {"a.txt": "b"}, {"b.txt": "b"}, start="feature/a")
        self.killed("update-ref", "--strategy", "squash", after=self.KILL)
        said = self.merge("--json", "-v")
        self.assertEqual(self.states(said), {"a": "already", "b": "already"})
        self.assertEqual({each["merged"] for each in said.json["features"]}, {"squashed"})
        self.assertEqual(self.landed(), ["feat(a): a", "feat(b): b"])

    def test_between_the_files_and_the_branch_the_move_is_finished(self) -> None:
        shop = self.shop_of_two()
        self.killed("update-ref", before=f"{self.KILL} exit 1;")
        self.assertNotEqual(shop.git("status", "--porcelain"), "")
        self.assertEqual(self.landed(), [])
        said = self.merge("--json")
        self.assertIn("finished an interrupted move", said.err)
        self.assertEqual(said.code, 0)
        self.assert_lands(already=True)

    def test_a_feature_reverted_after_a_kill_or_a_landing_stays_out(self) -> None:
        shop = self.shop_of_two()
        old = shop.commit_of("main")
        for kill in (True, False):
            with self.subTest(kill=kill):
                if kill:
                    self.killed("update-ref", after=self.KILL)
                else:
                    self.assertEqual(self.merge().code, 0)
                shop.git("reset", "--quiet", "--soft", old)
                if not kill:  # As where git keeps no log of a branch.
                    shop.git("reflog", "expire", "--expire=now", "--all")
                said = self.merge()
                self.assertEqual((said.code, shop.commit_of("main")), (2, old))
                self.assertIn("uncommitted files: a.txt, b.txt", said.err)
                shop.git("reset", "--quiet", "--hard")
