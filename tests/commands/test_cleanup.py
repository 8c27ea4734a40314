"""``cleanup``: removes worktrees and branches whose work is safe elsewhere, and says why not."""

from __future__ import annotations

import os
import random
import resource
import shlex
import shutil
import subprocess
import unittest
from collections.abc import Iterator, Sequence

from core.git.refs import RESULTS
from core.landing.cleanup import holds_current_folder
from core.model import events
from core.model.decision import Action, Decision
from core.model.outcome import FeatureOutcome, Status
from core.worktree.files import BUILT_BY_TOOLS
from tests.support.commands import LIMIT_SECONDS, CommandResult, standing_in
from tests.support.lives import RUN, attempt
from tests.support.once import once
from tests.support.workspace import Workspace, feature


class OneFeatureEach(unittest.TestCase):
    """One repository for all tests: each test has a finished feature of its own."""

    IDS: Sequence[str] = ()
    INTO = False
    """Whether each has a branch ``into-<id>`` that holds its work."""
    space: Workspace

    @classmethod
    def setUpClass(cls) -> None:
        if cls is OneFeatureEach:
            raise unittest.SkipTest("only what derives from it has tests")
        cls.space = Workspace([feature(id) for id in cls.IDS], project={"max_parallel": 4})
        cls.addClassCleanup(cls.space.close)
        cls.space.finished(*cls.IDS)
        for id in cls.IDS if cls.INTO else ():
            cls.space.branch(f"into-{id}", f"feature/{id}")

    def cleanup(self, *words: str) -> CommandResult:
        return self.space.main("cleanup", *words)

    def clean(self, id: str, *words: str) -> CommandResult:
        return self.cleanup(id, "--into", f"into-{id}", *words)

    def tip(self, id: str) -> str:
        return self.space.commit_of(f"refs/heads/feature/{id}")

    def assert_gone(self, id: str) -> None:
        self.assertEqual(self.tip(id), "")
        self.assertFalse(os.path.exists(self.space.worktree(id)))
        listed = self.space.git("worktree", "list", "--porcelain")
        self.assertNotIn(f"refs/heads/feature/{id}\n", f"{listed}\n")

    def assert_kept(self, said: CommandResult, id: str, *reasons: str) -> None:
        self.assertEqual(said.code, 1)
        for reason in reasons:
            self.assertIn(reason, said.out)
        self.assertIn(f"kept {id} (feature/{id}): ", said.out)
        self.assertNotEqual(self.tip(id), "")

    def removal(self, *words: str) -> dict[str, object]:
        """The one removal that a cleanup tells of in JSON."""
        (removal,) = self.cleanup(*words, "--json").json
        assert isinstance(removal, dict)
        return removal

    def target(self, name: str) -> str:
        """A branch to merge into, with a worktree where that can be done."""
        path = os.path.join(self.space.root, name)
        self.space.git("worktree", "add", "--quiet", "-b", name, path, "main")
        self.addCleanup(self.space.git, "worktree", "remove", "--force", path)
        return path


@once
class WhatIsMerged(OneFeatureEach):
    IDS = ("fast", "joined", "squash", "picked", "cherry", "same-tree", "by-hand", "not", "undone")

    def merged(self, id: str) -> dict[str, object]:
        return self.removal(id, "--into", f"into-{id}")

    def test_a_branch_that_was_fast_forwarded_is_the_same_commit(self) -> None:
        at = self.target("into-fast")
        self.space.git("merge", "--quiet", "--ff-only", "feature/fast", at=at)
        self.assertEqual(self.merged("fast")["merged"], "same commit")
        self.assert_gone("fast")

    def test_a_branch_that_was_merged_is_an_ancestor(self) -> None:
        at = self.target("into-joined")
        self.space.git("merge", "--quiet", "--no-ff", "feature/joined", at=at)
        self.assertEqual(self.merged("joined")["merged"], "ancestor")
        self.assert_gone("joined")

    def test_a_branch_that_was_squashed_is_recognised_even_after_later_changes(self) -> None:
        at = self.target("into-squash")
        more = self.space.worktree("squash")
        self.space.commit({"squash.txt": "1\n", "more.txt": "2\n"}, "a second commit", at=more)
        self.space.git("merge", "--quiet", "--squash", "feature/squash", at=at)
        self.space.commit({}, "all of squash", at=at)
        self.space.commit({"squash.txt": "changed later\n"}, "later", at=at)
        self.assertEqual(self.merged("squash")["merged"], "squashed")
        self.assert_gone("squash")

    def test_a_branch_that_was_rebased_is_recognised_even_after_later_changes(self) -> None:
        at = self.target("into-picked")
        self.space.commit({"other.txt": ""}, "meanwhile", at=at)
        mine = self.space.worktree("picked")
        self.space.commit({"more.txt": "2\n"}, "a second commit", at=mine)
        self.space.git("cherry-pick", "main..feature/picked", at=at)
        self.space.commit({"more.txt": "changed later\n"}, "later", at=at)
        self.assertEqual(self.merged("picked")["merged"], "same changes")
        self.assert_gone("picked")

    def test_a_branch_that_a_merge_would_add_nothing_of_counts_as_merged(self) -> None:
        at = self.target("into-cherry")
        self.space.commit({"before.txt": ""}, "before", at=at)
        self.space.git("cherry-pick", "feature/cherry", at=at)
        self.assertEqual(self.merged("cherry")["merged"], "merge adds nothing")
        self.assert_gone("cherry")

    def test_a_branch_with_the_same_content_is_merged(self) -> None:
        at = self.target("into-same-tree")
        self.space.git("cherry-pick", "feature/same-tree", at=at)
        self.space.git("commit", "--amend", "--quiet", "-m", "another commit, same tree", at=at)
        self.assertEqual(self.merged("same-tree")["merged"], "equal trees")
        self.assert_gone("same-tree")

    def test_a_branch_whose_commits_undo_each_other_has_nothing_to_lose(self) -> None:
        self.target("into-undone")
        self.space.git("revert", "--no-edit", "HEAD", at=self.space.worktree("undone"))
        result = self.tip("undone~1")[:10]
        removal = self.merged("undone")
        # But nothing was merged either: that would be a word about the result.
        self.assertEqual(
            (removal["merged"], removal["safe"]),
            ("", f"empty difference, but its result {result} is not in into-undone"),
        )
        self.assert_gone("undone")
        self.assertEqual(self.space.state().feature("undone").merged_into, "")

    def test_a_branch_that_only_has_the_name_of_one_that_was_merged_is_kept(self) -> None:
        at = self.target("into-by-hand")
        self.space.git("merge", "--quiet", "--no-ff", "feature/by-hand", at=at)
        self.space.commit({"new.txt": ""}, "afterwards", at=self.space.worktree("by-hand"))
        said = self.cleanup("by-hand", "--into", "into-by-hand")
        self.assert_kept(said, "by-hand", "1 commit not in into-by-hand")

    def test_unmerged_work_is_kept_with_the_command_that_would_remove_it(self) -> None:
        said = self.cleanup("not")
        self.assert_kept(said, "not", "1 commit not in main", "next: rorchestrator merge not, or: ")
        self.assertTrue(os.path.exists(self.space.worktree("not")))


@once
class WhatNoCommitHolds(OneFeatureEach):
    IDS = ("changed", "untracked", "secret", "built", "nested", "many", "other-branch", "detached")

    INTO = True

    def write(self, id: str, name: str, content: str = "mine\n") -> None:
        self.space.write({name: content}, at=self.space.worktree(id))

    def test_a_changed_file_keeps_it_though_all_commits_are_merged(self) -> None:
        self.write("changed", "changed.txt")
        self.assert_kept(self.clean("changed"), "changed", "1 uncommitted file: changed.txt")

    def test_an_untracked_file_keeps_it(self) -> None:
        self.write("untracked", "ideas\x1b[1m.txt")
        said = self.clean("untracked")
        self.assert_kept(said, "untracked", "1 uncommitted file: ideas.txt")

    def test_an_ignored_file_that_no_build_makes_keeps_it(self) -> None:
        self.write("secret", ".gitignore", ".env\n*.pyc\n.gitignore\n")
        self.write("secret", ".env", "KEY=1\n")
        self.assert_kept(self.clean("secret"), "secret", ".env")

    def test_build_products_do_not_keep_a_worktree(self) -> None:
        exclude = os.path.join(self.space.path, ".git", "info", "exclude")
        os.makedirs(os.path.dirname(exclude), exist_ok=True)
        with open(exclude, "a") as file:
            file.write("__pycache__/\nnode_modules/\n")
        self.write("built", "__pycache__/x.pyc")
        self.write("built", "node_modules/x/index.js")
        self.assertEqual(self.clean("built").code, 0)
        self.assert_gone("built")

    def test_a_repository_inside_it_is_kept_even_from_discard(self) -> None:
        inside = os.path.join(self.space.worktree("nested"), "clone")
        os.makedirs(inside)
        self.space.git("init", "--quiet", at=inside)
        self.space.commit({"x": ""}, "its own", at=inside)
        for words in ((), ("--discard",)):
            said = self.clean("nested", *words)
            self.assert_kept(
                said, "nested", "what git cannot commit: clone/", "next: commit and push"
            )
            self.assertNotIn("--discard", said.out)
        self.assertTrue(os.path.exists(os.path.join(inside, "x")))

    def test_some_of_many_files_are_named_and_the_others_counted(self) -> None:
        for number in range(13):
            self.write("many", f"file-{number:02}")
        said = self.clean("many")
        self.assert_kept(said, "many", "13 uncommitted files: file-00, ", "file-09 and 3 more")
        removal = self.removal("many", "--into", "into-many")
        self.assertEqual(removal["files"], [f"file-{number:02}" for number in range(13)])

    def test_a_worktree_that_is_on_another_branch_is_kept(self) -> None:
        at = self.space.worktree("other-branch")
        self.space.git("switch", "--quiet", "-c", "mine", at=at)
        said = self.clean("other-branch")
        self.assert_kept(said, "other-branch", "the worktree is on the branch mine")
        self.assertEqual(self.clean("other-branch", "--discard").code, 0)
        self.assert_gone("other-branch")
        self.assertNotEqual(self.space.commit_of("mine"), "")

    def test_commits_that_no_branch_has_are_kept(self) -> None:
        at = self.space.worktree("detached")
        self.space.git("switch", "--quiet", "--detach", at=at)
        self.assertEqual(
            self.removal("detached", "--into", "into-detached", "--dry-run")["kept"], ""
        )
        lost = self.space.commit({"lost.txt": ""}, "on no branch", at=at)
        self.assert_kept(self.clean("detached"), "detached", f"at {lost[:10]}, not on a branch")
        removal = self.removal("detached", "--into", "into-detached", "--discard")
        held = self.space.git("rev-list", str(removal["kept_ref"]))
        self.assertIn(lost, held)
        self.assert_gone("detached")


class Discard(OneFeatureEach):
    IDS = ("auth", "dirty", "twice", "looked-at")

    def test_a_discarded_tip_is_kept_and_the_printed_command_restores_it_with_the_files(
        self,
    ) -> None:
        self.space.write(
            {"notes.txt": "unsaved\n", "auth.txt": None}, at=self.space.worktree("auth")
        )
        tip = self.tip("auth")
        said = self.cleanup("auth", "--discard")
        self.assertEqual(said.code, 0)
        self.assert_gone("auth")
        self.assertIn("discarding 2 uncommitted files: ", said.out)
        self.assertIn("discarding 1 commit not in main", said.out)
        (line,) = [line for line in said.out.splitlines() if "to restore it: " in line]
        command = line.split("to restore it: ")[1]
        subprocess.run(
            ["sh", "-c", command],
            cwd="/",
            env=self.space.environ,
            check=True,
            timeout=LIMIT_SECONDS,
        )
        self.assertEqual(self.space.commit_of("feature/auth~1"), tip)
        files = self.space.files("feature/auth")
        self.assertEqual(files["notes.txt"], b"unsaved\n")
        self.assertNotIn("auth.txt", files)
        self.assertTrue(shlex.split(command)[-1].startswith("refs/rorchestrator/kept/auth/"))

    def test_uncommitted_work_alone_is_kept_as_well(self) -> None:
        self.space.write({"notes.txt": "x"}, at=self.space.worktree("dirty"))
        removal = self.removal("dirty", "--discard")
        self.assertEqual(removal["files"], ["notes.txt"])
        self.assertIn("notes.txt", self.space.files(str(removal["kept_ref"])))

    def test_a_feature_that_was_discarded_is_new_again_and_can_be_discarded_again(self) -> None:
        refs = []
        for _ in range(2):
            refs.append(self.removal("twice", "--discard")["kept_ref"])
            plan = self.space.main("plan", "--json", "--only", "twice").json
            assert isinstance(plan, dict)
            self.assertEqual(plan["features_to_run"], ["twice"])
            self.space.run("--only", "twice")
        self.assertEqual(len(set(refs)), 2)
        for ref in refs:
            self.assertNotEqual(self.space.commit_of(str(ref)), "")

    def test_a_dry_run_says_what_it_would_discard_and_keeps_it(self) -> None:
        said = self.cleanup("looked-at", "--discard", "--dry-run", "--verbose")
        self.assertEqual(said.code, 0)
        self.assertIn(
            "would remove looked-at (feature/looked-at): discarding 1 commit not in main\n"
            f"    worktree {self.space.worktree('looked-at')}\n",
            said.out,
        )
        self.assertNotEqual(self.tip("looked-at"), "")


@once
class Places(OneFeatureEach):
    """What people do with worktrees and branches behind our back."""

    IDS = (
        "deleted",
        "deleted-2",
        "deleted-3",
        "stood-in",
        "inner",
        "moved",
        "locked",
        "locked-why",
        "used",
        "lost",
        "bystander",
        "branchless",
        "prefix",
        "gone",
    )

    INTO = True

    def test_a_worktree_whose_folder_is_gone_was_deleted_or_moved_and_git_can_not_tell(
        self,
    ) -> None:
        id, at = "deleted", self.space.worktree("deleted")
        away = os.path.join(self.space.root, "moved by hand")
        self.space.write({"notes.txt": "mine\n"}, at=at)
        os.rename(at, away)
        reason = f"git's entry for the worktree points to {at}, which no longer exists"
        said = self.clean(id)
        self.assert_kept(said, id, reason)
        self.assertIn(
            "next: if it was moved: git worktree repair <new path>; if it was deleted: "
            "git worktree prune, or: rorchestrator cleanup deleted --discard\n",
            said.out,
        )
        self.space.git("worktree", "repair", away)
        self.assert_kept(self.clean(id), id, "1 uncommitted file: notes.txt")
        os.rename(away, f"{away} again")
        shutil.rmtree(f"{away} again")
        reason = f"git's entry for the worktree points to {away}, which no longer exists"
        self.assert_kept(self.clean(id), id, reason)
        self.space.git("worktree", "prune")
        own = os.path.join(self.space.root, "the user's own")
        self.space.git("worktree", "add", "-q", own, "feature/deleted")
        shutil.rmtree(own)
        said = self.clean(id, "--discard")
        self.assert_kept(
            said, id, f"feature/deleted is checked out in {own}, which no longer exists"
        )
        self.assertIn("if it was deleted: git worktree prune\n", said.out)
        self.space.git("worktree", "prune")
        self.assertEqual(self.clean(id).code, 0)
        self.assert_gone(id)

    def test_discard_removes_a_feature_without_its_folder_and_still_reports_its_merge(
        self,
    ) -> None:
        shutil.rmtree(self.space.worktree("deleted-2"))
        self.assertEqual(self.clean("deleted-2", "--discard").code, 0)
        self.assert_gone("deleted-2")
        known = self.space.state().feature("deleted-2")
        self.assertEqual((known.merged_into, known.status), ("into-deleted-2", Status.COMPLETED))

    def test_a_prune_is_not_proposed_where_more_would_be_lost(self) -> None:
        shutil.rmtree(self.space.worktree("deleted-3"))
        said = self.cleanup("deleted-3")
        self.assert_kept(said, "deleted-3", "1 commit not in main; git's entry")
        self.assertIn("if it was deleted: rorchestrator cleanup deleted-3 --discard", said.out)

    def test_the_worktree_that_somebody_stands_in_is_kept(self) -> None:
        at = self.space.worktree("stood-in")
        inside = os.path.join(at, "src")
        os.mkdir(inside)
        for here in (at, inside):
            for words in ((), ("--discard",)):
                said = self.space.main("cleanup", "stood-in", *words, at=here)
                self.assert_kept(said, "stood-in", f"the current folder is in its worktree {at}")
                self.assertIn(f"next: cd {self.space.path}\n", said.out)
        self.assertTrue(os.path.isdir(inside))

    def test_no_worktree_holds_a_folder_that_is_gone(self) -> None:
        gone = os.path.join(self.space.root, "gone-folder")
        os.mkdir(gone)
        with standing_in(gone, os.environ):
            os.rmdir(gone)
            self.assertFalse(holds_current_folder(gone))

    def test_the_restore_command_works_even_if_the_list_was_in_the_removed_worktree(self) -> None:
        at = self.space.worktree("inner")
        listed = os.path.join(at, "config", "feature_list.json")
        removal = self.removal("inner", "--discard", "--config", listed)
        self.assertFalse(os.path.exists(at))
        done = subprocess.run(
            ["sh", "-c", str(removal["bring_back"])],
            cwd="/",
            env=self.space.environ,
            timeout=LIMIT_SECONDS,
        )
        self.assertEqual(done.returncode, 0)
        self.assertNotEqual(self.tip("inner"), "")

    def test_a_worktree_that_was_moved_is_found(self) -> None:
        away = os.path.join(self.space.root, "else where")
        self.space.git("worktree", "move", self.space.worktree("moved"), away)
        self.space.write({"mine.txt": ""}, at=away)
        self.assert_kept(self.clean("moved"), "moved", "mine.txt")
        os.unlink(os.path.join(away, "mine.txt"))
        said = self.clean("moved", "--verbose")
        self.assertEqual(said.code, 0)
        self.assertIn(f"    worktree {away}\n", said.out)
        self.assertFalse(os.path.exists(away))
        self.assert_gone("moved")

    def test_a_locked_worktree_stays_locked(self) -> None:
        for id, why in (("locked", ""), ("locked-why", "on a stick")):
            at = self.space.worktree(id)
            self.space.git("worktree", "lock", *(["--reason", why] if why else []), at)
            shown = " (on a stick)" if why else "\n"
            for words in ((), ("--discard",)):
                said = self.clean(id, *words)
                self.assert_kept(said, id, f"the worktree is locked{shown}")
                self.assertIn(f"next: git worktree unlock {at}", said.out)
            self.space.git("worktree", "unlock", at)
            self.assertEqual(self.clean(id).code, 0)

    def test_a_branch_that_the_user_has_checked_out_is_kept_with_its_worktree(self) -> None:
        at = self.space.worktree("used")
        self.space.git("switch", "--quiet", "--detach", at=at)
        self.space.git("switch", "--quiet", "feature/used")
        try:
            for words in ((), ("--discard",)):
                said = self.clean("used", *words)
                self.assert_kept(said, "used", f"feature/used is checked out in {self.space.path}")
                self.assertIn("switch --detach", said.out)
                self.assertTrue(os.path.exists(at))
        finally:
            self.space.git("switch", "--quiet", "main")
        self.assertEqual(self.clean("used").code, 0)
        self.assert_gone("used")

    def test_a_worktree_that_lost_its_git_file_is_kept_and_the_others_go_on(self) -> None:
        gitfile = os.path.join(self.space.worktree("lost"), ".git")
        os.rename(gitfile, gitfile + "-away")
        said = self.cleanup("lost", "bystander", "--into", "into-lost", "--discard")
        self.assert_kept(said, "lost")
        self.assertIn("removed bystander", said.out)
        os.rename(gitfile + "-away", gitfile)
        self.assertEqual(self.clean("lost").code, 0)

    def test_a_worktree_whose_branch_is_gone_is_removed(self) -> None:
        at = self.space.worktree("branchless")
        self.space.git("switch", "--quiet", "--detach", at=at)
        self.space.git("branch", "-D", "feature/branchless")
        removal = self.removal("branchless", "--into", "into-branchless")
        # The result is there to look for.
        self.assertEqual(
            (removal["merged"], removal["safe"], removal["removed"]),
            ("same commit", "no branch", True),
        )
        self.assert_gone("branchless")

    def test_a_feature_that_the_user_removed_completely_needs_no_cleanup(self) -> None:
        self.space.git("worktree", "remove", self.space.worktree("gone"))
        self.space.git("branch", "-D", "feature/gone")
        self.assertEqual(self.clean("gone"), CommandResult(0, "Nothing to clean up.\n", ""))

    def test_cleanup_uses_the_recorded_worktree_whatever_the_list_says_now(self) -> None:
        self.space.change(branch_prefix="work/", worktrees_path="../elsewhere")
        try:
            self.assertEqual(self.clean("prefix").code, 0)
        finally:
            self.space.change(branch_prefix="feature/", worktrees_path="../worktrees")
        self.assert_gone("prefix")


@once
class WhatIsNoMerge(OneFeatureEach):
    """The result is looked for, and not only the branch; and never in what goes as well."""

    IDS = ("absent", "reset", "amended", "failed", "a", "b", "c")

    def assert_not_merged(self, id: str) -> None:
        self.assertEqual(self.space.state().feature(id).merged_into, "")
        line = next(f for f in self.space.main("plan", "--json").json["features"] if f["id"] == id)
        self.assertNotIn("merged", str(line))

    def test_a_branch_and_a_worktree_that_were_deleted_by_hand(self) -> None:
        shutil.rmtree(self.space.worktree("absent"))
        self.space.git("update-ref", "-d", "refs/heads/feature/absent")
        self.assertEqual(self.cleanup("--merged"), CommandResult(0, "Nothing to clean up.\n", ""))
        removal = self.removal("absent")
        self.assertEqual((removal["merged"], removal["safe"]), ("", "no branch"))
        self.assertIn("which no longer exists", str(removal["kept"]))
        self.assertEqual(self.cleanup("absent", "--discard").code, 0)
        self.assert_gone("absent")
        self.assert_not_merged("absent")

    def test_a_branch_that_was_set_back_to_its_start(self) -> None:
        self.space.git("reset", "--quiet", "--hard", "HEAD~1", at=self.space.worktree("reset"))
        self.assertEqual(self.cleanup("--merged"), CommandResult(0, "Nothing to clean up.\n", ""))
        said = self.cleanup("reset")
        self.assertEqual(
            said, CommandResult(0, "removed reset (feature/reset): no commits of its own\n", "")
        )
        self.assert_not_merged("reset")
        self.assertIs(self.space.state().feature("reset").status, Status.COMPLETED)

    def test_a_branch_that_holds_other_work_which_was_merged(self) -> None:
        at, into = self.space.worktree("amended"), self.target("into-amended")
        result = self.tip("amended")
        self.space.git("reset", "--quiet", "--hard", "HEAD~1", at=at)
        self.space.commit({"instead.txt": ""}, "something else", at=at)
        self.space.git("merge", "--quiet", "feature/amended", at=into)
        self.assertEqual(self.cleanup("--merged", "--into", "into-amended").code, 0)
        self.assertNotEqual(self.tip("amended"), "")
        removal = self.removal("amended", "--into", "into-amended")
        self.assertEqual(
            (removal["merged"], removal["safe"]),
            ("", f"same commit, but its result {result[:10]} is not in into-amended"),
        )
        self.assert_gone("amended")
        self.assert_not_merged("amended")

    def test_a_failed_feature_has_no_result_to_look_for(self) -> None:
        failed = FeatureOutcome(Status.FAILED, "no")
        (prepared, begun) = attempt("failed", worktree=self.space.worktree("failed"))
        start = self.space.commit_of("main")
        decision = Decision("failed", Action.START, "new", "key")
        based = events.based(1.0, RUN, decision, start_commit=start, base_commit=start)
        self.space.record(prepared, based, begun, events.ended(begun.at, RUN, "failed", failed))
        self.space.branch("into-failed", "feature/failed")
        self.assertEqual(self.cleanup("--merged", "--into", "into-failed").code, 0)
        removal = self.removal("failed", "--into", "into-failed")
        self.assertEqual((removal["merged"], removal["safe"]), ("", "same commit"))
        self.assert_gone("failed")
        self.assert_not_merged("failed")

    def test_a_feature_s_own_branch_is_never_merged_into_itself(self) -> None:
        self.space.git("branch", "--force", "feature/a", "feature/c", fails=True)
        for id in ("a", "b"):
            at = self.space.worktree("c")
            self.space.git("merge", "--quiet", "--no-edit", f"feature/{id}", at=at)
        reason = "feature/c is the branch merges are checked against"
        for into in ("feature/c", "heads/feature/c", "refs/heads/feature/c"):
            for words in (("c",), ("c", "--discard")):
                said = self.cleanup(*words, "--into", into)
                self.assert_kept(said, "c", reason)
            merged = self.cleanup("--merged", "--dry-run", "--into", into).out
            self.assertEqual(merged.count("would remove"), 2)
            self.assertNotIn("feature/c", merged)
        # By another name it goes in the same call, and proves nothing.
        said = self.cleanup("--all", "--dry-run", "--into", self.tip("c"))
        self.assertEqual((said.code, said.out.count("would remove a")), (1, 0))
        self.assertIn("proves nothing: only branches to be removed contain it", said.out)
        # Where it does not go, it does.
        said = self.cleanup("a", "--dry-run", "--into", self.tip("c"))
        self.assertEqual(said.out, "would remove a (feature/a): merged (ancestor)\n")

    def test_the_base_branch_is_never_removed(self) -> None:
        self.space.change(base_branch="feature/b")
        try:
            for words in (("b",), ("b", "--discard"), ("b", "--into", "feature/c")):
                self.assert_kept(self.cleanup(*words), "b", "feature/b is the base branch")
            self.assertEqual(self.cleanup("--merged").out, "Nothing to clean up.\n")
        finally:
            self.space.change(base_branch="main")


@once
class GeneratedStates(OneFeatureEach):
    """Whatever state a worktree is in: no byte goes that is nowhere else."""

    SEED = 7
    IDS = tuple(f"g{number:02}" for number in range(25))

    CONTENTS = (
        "changed",
        "staged",
        "staged_then_changed",
        "staged_then_deleted",
        "untracked",
        "deep",
        "ignored",
        "ignored_folder",
        "built",
        "nested",
    )
    COMMITS = ("none", "more", "detached", "other_branch", "reset")
    MERGES = ("not", "not", "joined", "squash", "picked", "conflict")
    PLACES = ("stay", "stay", "stay", "moved", "deleted", "locked", "removed", "branchless")

    def setUp(self) -> None:
        self.random = random.Random(self.SEED)
        self.written: dict[bytes, str] = {}
        """What was written, and where; less what a build makes again and the user deletes."""
        self.drawn: dict[str, list[str]] = {}
        exclude = os.path.join(".git", "info", "exclude")
        self.space.write({exclude: "*.secret\nnode_modules/\nbuild/\n"})

    def test_no_byte_is_removed_that_no_ref_reaches(self) -> None:
        for id in self.IDS:
            self.generate(id)
        every = {*self.CONTENTS, *self.COMMITS, *self.MERGES, *self.PLACES}
        self.assertEqual({kind for kinds in self.drawn.values() for kind in kinds}, every)
        self.assertEqual(self.lost(), [])
        for words, least in (((), 3), (("--discard",), 12)):
            said = self.cleanup("--all", *words)
            self.assertGreaterEqual(said.out.count("removed g"), least, said)
            self.assertEqual(self.lost(), [], said.out + said.err)
        self.assertIn("kept g", said.out)  # What is locked, and what no commit can hold.

    # -- states -----------------------------------------------------------------------------

    def generate(self, id: str) -> None:
        """Bring a feature's branch and worktree into a state drawn at random."""
        draw = self.random
        contents = draw.sample(self.CONTENTS, draw.choice((0, 0, 1, 2, 4)))
        commits, merge, place = map(draw.choice, (self.COMMITS, self.MERGES, self.PLACES))
        self.drawn[id] = [commits, merge, *contents, place]
        self.written[f"{id}\n".encode()] = f"{id}/result"
        self.put(id, f"{id}.txt", commit=True)
        for kind in (f"commits_{commits}", f"merge_{merge}", *contents, f"place_{place}"):
            getattr(self, kind)(id)

    def put(self, id: str, name: str, *, commit: bool = False, stage: bool = False) -> bytes:
        """A file of the worktree with content that is nowhere else."""
        content = f"{id} {self.random.getrandbits(64):x}\n".encode()
        at = self.space.worktree(id)
        self.space.write({name: content}, at=at)
        self.written[content] = f"{id}/{name}"
        if commit or stage:
            self.space.git("add", "--force", name, at=at)
        if commit:
            self.space.git("commit", "--quiet", "-m", f"{name} of {id}", at=at)
        return content

    def changed(self, id: str) -> None:
        self.put(id, "README.md")

    def staged(self, id: str) -> None:
        self.put(id, "staged.txt", stage=True)

    def staged_then_changed(self, id: str) -> None:
        self.put(id, "twice.txt", stage=True)
        self.put(id, "twice.txt")

    def staged_then_deleted(self, id: str) -> None:
        self.put(id, "gone.txt", stage=True)
        os.unlink(os.path.join(self.space.worktree(id), "gone.txt"))

    def untracked(self, id: str) -> None:
        self.put(id, "notes.txt")

    def deep(self, id: str) -> None:
        self.put(id, "a/b c/é\n/notes.txt")

    def ignored(self, id: str) -> None:
        self.put(id, "key.secret")

    def ignored_folder(self, id: str) -> None:
        self.space.write({"private/.gitignore": "*\n"}, at=self.space.worktree(id))
        self.put(id, "private/mine.txt")

    def built(self, id: str) -> None:
        for folder in ("node_modules", "build"):
            self.assertIn(folder, BUILT_BY_TOOLS)
            del self.written[self.put(id, f"{folder}/made.js")]

    def nested(self, id: str) -> None:
        self.put(id, "clone/mine.txt")
        self.space.git("init", "--quiet", "clone", at=self.space.worktree(id))

    def commits_none(self, id: str) -> None:
        pass

    def commits_more(self, id: str) -> None:
        self.put(id, f"{id}-more.txt", commit=True)

    def commits_detached(self, id: str) -> None:
        self.space.git("switch", "--quiet", "--detach", at=self.space.worktree(id))
        self.put(id, f"{id}-on-no-branch.txt", commit=True)

    def commits_other_branch(self, id: str) -> None:
        self.space.git("switch", "--quiet", "-c", f"mine-{id}", at=self.space.worktree(id))
        self.put(id, f"{id}-mine.txt", commit=True)

    def commits_reset(self, id: str) -> None:
        """Its result has a ref of its own; what came after it is still in the worktree."""
        self.put(id, f"{id}-undone.txt", commit=True)
        self.space.git("reset", "--quiet", "HEAD~2", at=self.space.worktree(id))

    def merge_not(self, id: str) -> None:
        pass

    def merge_joined(self, id: str) -> None:
        self.space.git("merge", "--quiet", "--no-ff", f"feature/{id}")

    def merge_squash(self, id: str) -> None:
        self.space.git("merge", "--quiet", "--squash", f"feature/{id}")
        self.space.git("commit", "--quiet", "--allow-empty", "-m", f"all of {id}")

    def merge_picked(self, id: str) -> None:
        """Only its first commit: the later ones are nowhere else."""
        self.space.git("cherry-pick", f"{RESULTS}{id}/{RUN}")

    def merge_conflict(self, id: str) -> None:
        """The user has begun a merge in the worktree, and not finished it."""
        at = self.space.worktree(id)
        self.space.commit({f"{id}.txt": f"{id}, but of main\n"}, "in the way")
        self.space.git("merge", "--quiet", "main", at=at, fails=True)

    def place_stay(self, id: str) -> None:
        pass

    def place_moved(self, id: str) -> None:
        away = os.path.join(self.space.root, f"moved-{id}")
        os.rename(self.space.worktree(id), away)
        if self.random.random() < 0.5:
            self.space.git("worktree", "repair", away)
        self.forget()

    def place_deleted(self, id: str) -> None:
        shutil.rmtree(self.space.worktree(id))
        self.forget()

    def place_locked(self, id: str) -> None:
        self.space.git("worktree", "lock", self.space.worktree(id))

    def place_removed(self, id: str) -> None:
        self.space.git("worktree", "remove", "--force", self.space.worktree(id))
        self.forget()

    def place_branchless(self, id: str) -> None:
        """The worktree is all that still holds its commits."""
        at = self.space.worktree(id)
        self.space.git("update-ref", "--no-deref", "HEAD", "HEAD^0", at=at)
        self.space.git("branch", "--quiet", "-D", f"feature/{id}")

    def forget(self) -> None:
        """What the user's own step took away is the user's to lose."""
        there = self.there()
        self.written = {each: at for each, at in self.written.items() if each in there}

    # -- what is there ----------------------------------------------------------------------

    def lost(self) -> list[str]:
        """What was written and is nowhere any more: where it was, in which state."""
        there = self.there()
        gone = [at for content, at in self.written.items() if content not in there]
        return [f"{at}: {self.drawn[at.split('/')[0]]}" for at in gone]

    def there(self) -> set[bytes]:
        """Of what was written: what a file, an index, or a commit of some ref holds."""
        held = os.fsencode(self.space.git("cat-file", "--batch", stdin=self.objects()) + "\n")
        return {each for each in self.written if each in held}.union(self.files())

    def objects(self) -> bytes:
        """Of every ref, and of HEAD and index of every worktree."""
        listed = self.space.git("worktree", "list", "--porcelain").splitlines()
        heads = [line[len("HEAD ") :] for line in listed if line.startswith("HEAD ")]
        refs = self.space.git("for-each-ref", "--format=%(objectname)").splitlines()
        revisions = "\n".join(heads + refs).encode()
        found = self.space.git(
            "rev-list", "--objects", "--no-object-names", "--stdin", stdin=revisions
        )
        folders = [line[len("worktree ") :] for line in listed if line.startswith("worktree ")]
        staged = [self.space.git("ls-files", "-s", at=at) for at in folders if os.path.isdir(at)]
        indexed = [line.split()[1] for line in "\n".join(staged).splitlines()]
        return "\n".join([found, *indexed, ""]).encode()

    def files(self) -> Iterator[bytes]:
        """Every content that is in a file, less git's own."""
        for root, folders, files in os.walk(self.space.root):
            folders[:] = [folder for folder in folders if folder != ".git"]
            for name in files:
                with open(os.path.join(root, name), "rb") as file:
                    yield file.read()


class WhatIsAskedFor(unittest.TestCase):
    def test_merged_takes_what_is_merged_and_says_nothing_of_the_rest(self) -> None:
        features = [
            feature("auth"),
            feature("api", depends_on=["auth"]),
            feature("other"),
            feature("broken", {"exit": 3}),
        ]
        with Workspace(features) as space:
            space.run()
            nothing = space.main("cleanup", "--merged")
            self.assertEqual(nothing, CommandResult(0, "Nothing to clean up.\n", ""))
            self.assertEqual(space.main("cleanup", "--merged", "-q"), CommandResult(0, "", ""))
            # A second one of its own, so that none has the same commit.
            space.git("merge", "--quiet", "--no-ff", "feature/api")
            said = space.main("cleanup", "--merged")
            self.assertEqual(said.code, 0)
            self.assertEqual(
                set(said.out.splitlines()),
                {
                    "removed auth (feature/auth): merged (ancestor)",
                    "removed api (feature/api): merged (ancestor)",
                },
            )
            self.assertEqual(space.main("cleanup", "--merged").out, "Nothing to clean up.\n")
            heads = space.git("for-each-ref", "--format=%(refname:short)", "refs/heads/")
            self.assertEqual(heads.split(), ["feature/broken", "feature/other", "main"])
            self.assertIn("merged (cleaned up)", space.main("plan").out)
            # What failed and changed nothing has nothing to lose; --all takes it.
            said = space.main("cleanup", "--all", terminal=True)
            self.assertEqual(said.code, 1)
            self.assertIn("\x1b[33mkept other (feature/other): 1 commit not in main", said.out)
            self.assertIn("\x1b[32mremoved broken (feature/broken): no commits of its", said.out)
            self.assertEqual(space.main("cleanup", "other", "-q", "--discard").out.count("\n"), 1)

    def test_merged_keeps_what_is_merged_but_holds_more(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            space.git("merge", "--quiet", "feature/auth")
            space.write({"more.txt": ""}, at=space.worktree("auth"))
            said = space.main("cleanup", "--merged")
            self.assertEqual(said.code, 1)
            self.assertIn("kept auth (feature/auth): 1 uncommitted file: more.txt", said.out)

    def test_nothing_is_kept_if_nothing_would_be_lost(self) -> None:
        with Workspace([feature("auth", {"exit": 3})]) as space:
            space.run()
            space.git("switch", "--quiet", "-c", "mine", at=space.worktree("auth"))
            space.commit({"mine.txt": ""}, at=space.worktree("auth"))
            said = space.main("cleanup", "auth", "--discard")
            self.assertEqual(said.code, 0)
            self.assertNotIn("to restore it", said.out)
            self.assertEqual(space.git("for-each-ref", "refs/rorchestrator"), "")
            self.assertIn("mine.txt", space.files("mine"))

    def test_only_what_a_run_made_is_touched(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            space.run("--only", "auth")
            for branch in ("feature/api", "feature/mine", "mine"):
                space.branch(branch)
            space.git("worktree", "add", "--quiet", space.worktree("mine"), "mine")
            said = space.main("cleanup", "--all", "--discard")
            self.assertEqual(said.code, 0)
            heads = space.git("for-each-ref", "--format=%(refname:short)", "refs/heads/")
            self.assertEqual(heads.split(), ["feature/api", "feature/mine", "main", "mine"])
            self.assertTrue(os.path.exists(space.worktree("mine")))
            self.assertEqual(space.main("cleanup", "api").out, "Nothing to clean up.\n")
            # A branch of that name that the user makes afterwards is the user's.
            space.branch("feature/auth")
            self.assertEqual(
                space.main("cleanup", "auth", "--discard").out, "Nothing to clean up.\n"
            )
            self.assertNotEqual(space.commit_of("feature/auth"), "")

    def test_a_dry_run_changes_nothing(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            space.run()
            space.git("merge", "--quiet", "feature/auth")

            os.unlink(os.path.join(space.state_folder, "lock"))

            def everything() -> tuple[str, str, list[str], int, set[str]]:
                return (
                    space.git("for-each-ref"),
                    space.git("worktree", "list", "--porcelain"),
                    sorted(os.listdir(space.state_folder)),
                    os.path.getsize(os.path.join(space.state_folder, "journal.jsonl")),
                    {os.path.join(root, f) for root, _, fs in os.walk(space.worktrees) for f in fs},
                )

            before = everything()
            said = space.main("cleanup", "--all", "--dry-run")
            self.assertEqual(said.code, 1)
            self.assertIn("would remove auth (feature/auth): merged (same commit)", said.out)
            self.assertIn("kept api", said.out)
            self.assertEqual(space.main("cleanup", "--all", "--discard", "--dry-run").code, 0)
            self.assertEqual(everything(), before)

    def test_json_tells_all_of_it(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            space.run()
            space.git("merge", "--quiet", "feature/auth")
            said = space.main("cleanup", "--all", "--json").json
            assert isinstance(said, list)
            done = {removal["id"]: removal for removal in said}
            self.assertEqual(
                done["api"],
                {
                    "id": "api",
                    "branch": "feature/api",
                    "worktree": space.worktree("api"),
                    "removed": False,
                    "merged": "",
                    "safe": "",
                    "lost": ["1 commit not in main"],
                    "files": [],
                    "kept": "1 commit not in main",
                    "next": "rorchestrator merge api, or: rorchestrator cleanup api --discard",
                    "kept_ref": "",
                    "bring_back": "",
                    "aside": "",
                },
            )
            self.assertEqual((done["auth"]["removed"], done["auth"]["kept"]), (True, ""))

    def test_ids_that_nobody_knows_are_all_named_and_nothing_is_touched(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            said = space.main("cleanup", "auth", "atuh", "nope", "--discard")
            self.assertEqual((said.code, said.out), (2, ""))
            self.assertIn(
                "unknown feature 'atuh' (did you mean 'auth'?), unknown feature 'nope'", said.err
            )
            self.assertNotEqual(space.commit_of("feature/auth"), "")
            twice = space.main("cleanup", "auth", "auth", "--discard")
            self.assertEqual((twice.code, twice.out.count("removed auth")), (0, 1))

    def test_cleanup_needs_exactly_one_kind_of_selection(self) -> None:
        with Workspace([feature("auth")]) as space:
            for words in ((), ("--all", "--merged"), ("auth", "--all")):
                said = space.main("cleanup", *words)
                self.assertEqual((said.code, said.out), (2, ""))
                self.assertIn("cleanup needs exactly one of: ids, --merged, --all", said.err)

    def test_a_target_that_is_not_there_is_refused(self) -> None:
        with Workspace([feature("auth")]) as space:
            said = space.main("cleanup", "--all", "--into", "nowhere")
            self.assertEqual((said.code, said.out), (2, ""))
            self.assertIn("the branch 'nowhere' does not exist", said.err)

    def test_another_target_can_be_given_by_any_name(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            space.git("tag", "v1", "feature/auth")
            said = space.main("cleanup", "--merged", "--into", "v1")
            self.assertEqual((said.code, space.commit_of("feature/auth")), (0, ""))

    def test_cleanup_is_refused_during_a_run(self) -> None:
        with Workspace([feature("auth")]) as space, space.at_work(*attempt("auth")):
            said = space.main("cleanup", "--all")
            self.assertEqual((said.code, said.out), (2, ""))
            self.assertIn("rorchestrator run is running in this repository", said.err)
            self.assertIn(f"pid {os.getpid()}, since 2026-01-02T14:30:15", said.err)

    def test_a_dry_run_looks_beside_a_run_and_leaves_alone_what_that_is_at(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            space.finished("auth", "api")
            space.git("merge", "--quiet", "feature/auth")
            (prepared, begun) = attempt("api", worktree=space.worktree("api"))
            with space.at_work(prepared, begun):
                said = space.main("cleanup", "--all", "--dry-run")
            self.assertEqual(
                said,
                CommandResult(
                    1,
                    "would remove auth (feature/auth): merged (same commit)\n"
                    "kept api (feature/api): rorchestrator run is using it "
                    f"(pid {os.getpid()})\n    next: wait until it has finished\n",
                    "",
                ),
            )

    def test_a_torn_line_of_the_journal_is_cut_off_and_reported(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            with open(os.path.join(space.state_folder, "journal.jsonl"), "a") as file:
                file.write('{"v": 1, "ev')
            said = space.main("cleanup", "auth", "--discard")
            self.assertEqual(said.code, 0)
            self.assertIn("cut off 12 bytes", said.err)

    def test_a_branch_that_moves_meanwhile_is_kept(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            space.git("merge", "--quiet", "feature/auth")
            moved = space.git("commit-tree", "-p", "feature/auth", "-m", "late", "main^{tree}")
            # A git that moves the branch as the worktree goes: after our look at it, and before
            # it is deleted.
            script = f"""\
#!/bin/sh
{shutil.which("git")} "$@" || exit
case "$*" in *"worktree remove"*)
    {shutil.which("git")} -C {space.path} update-ref refs/heads/feature/auth {moved}
esac
"""
            folder = os.path.join(space.root, "bin")
            space.write({"git": script}, at=folder)
            os.chmod(os.path.join(folder, "git"), 0o755)
            env = {"PATH": f"{folder}{os.pathsep}{space.environ['PATH']}"}
            said = space.main("cleanup", "auth", env=env)
            self.assertEqual(said.code, 1, said)
            self.assertIn("kept auth (feature/auth): feature/auth moved in the meantime", said.out)
            self.assertEqual(space.commit_of("feature/auth"), moved)

    def test_cleanup_stops_if_it_cannot_be_recorded(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            space.run()
            size = os.path.getsize(os.path.join(space.state_folder, "journal.jsonl"))
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
            try:
                said = space.main("cleanup", "api", "auth", "--discard")
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            self.assertEqual((said.code, said.out), (2, ""))
            self.assertIn("journal.jsonl can't be written: File too large", said.err)
            self.assertEqual(space.commit_of("feature/api"), "")
            self.assertNotEqual(space.commit_of("feature/auth"), "")


if __name__ == "__main__":
    unittest.main()
