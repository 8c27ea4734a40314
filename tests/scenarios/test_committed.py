"""After the commit a worktree holds what the commit holds, and nothing hides a difference."""

from __future__ import annotations

import os
from collections.abc import Mapping

from core.model.decision import Action
from core.model.outcome import Fault, FeatureOutcome, Status
from core.worktree.files import HUGE_BYTES
from tests.support.once import skip_if_run_elsewhere
from tests.support.runner import RunnerTest
from tests.support.workspace import Json, WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere

FILES = {"a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n", "far/d.txt": "d\n"}
FORMATS = "for f in *.txt; do tr a-z A-Z < $f > .new; cat .new > $f; done; rm .new"


class CommittedTest(RunnerTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace.commit(dict(FILES))

    def finish(self, *does: Mapping[str, object], **project: Json) -> FeatureOutcome:
        self.workspace.features(feature("a", *does, name="The a"), **project)
        outcome = self.run_feature()
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)
        return outcome

    def files(self) -> dict[str, str]:
        found = self.workspace.files("feature/a")
        return {name: content.decode() for name, content in found.items() if name in FILES}

    def status(self) -> str:
        """As git sees the worktree."""
        at = self.workspace.worktree("a")
        return self.workspace.git("status", "--porcelain", at=at)


class Bits(CommittedTest):
    def test_edits_that_an_index_bit_hides_are_part_of_the_work(self) -> None:
        hides = (
            "git update-index --skip-worktree a.txt c.txt;"
            "git update-index --assume-unchanged b.txt; echo A > a.txt; echo B > b.txt; rm c.txt"
        )
        self.finish({"bash": hides}, verify=["test A = $(cat a.txt)"], verify_base=False)
        self.assertEqual(self.files(), {"a.txt": "A\n", "b.txt": "B\n", "far/d.txt": "d\n"})
        listed = self.workspace.git("ls-files", "-v", at=self.workspace.worktree("a"))
        self.assertEqual({line[0] for line in listed.split("\n")}, {"H"})

    def test_so_are_those_that_a_setting_hides(self) -> None:
        self.workspace.git("config", "core.ignoreStat", "true")
        self.finish({"bash": "echo A > a.txt"})
        self.assertEqual(self.files(), {**FILES, "a.txt": "A\n"})

    def test_files_hidden_by_the_setup_are_restored(self) -> None:
        setup = "git update-index --skip-worktree a.txt; echo local > a.txt"
        self.finish({"bash": "echo B > b.txt"}, setup=[setup], verify=["test a = $(cat a.txt)"])
        self.assertEqual(self.files(), {**FILES, "b.txt": "B\n"})

    def test_a_check_hides_nothing_that_it_changes(self) -> None:
        check = "git update-index --assume-unchanged a.txt; echo A > a.txt"
        self.workspace.features(feature("a", verify=[check]), verify_attempts=0)
        self.assert_failed(self.run_feature(), Fault.CHECK, f"`{check}` changed a.txt")

    def test_files_outside_a_sparse_checkout_do_not_count_as_deleted(self) -> None:
        sparse = ("sparse-checkout", "set", "--no-cone", "/*", "!/far/")
        self.workspace.git(*sparse)
        edit = "git update-index --assume-unchanged a.txt; echo A > a.txt"
        self.finish({"bash": f"test ! -e far && {{ {edit}; }}"})
        self.assertEqual(self.files(), {**FILES, "a.txt": "A\n"})


class Refused(CommittedTest):
    def test_a_refusal_by_a_filter_gives_the_next_step_and_is_paid_once(self) -> None:
        git = self.workspace.git
        git("config", "filter.x.clean", "false")
        git("config", "filter.x.required", "true")
        self.workspace.commit({".gitattributes": "*.dat filter=x\n"})
        self.workspace.features(feature("a", {"write": "a.dat"}))
        said = "clean filter 'x' failed\nfix this; `rorchestrator run` then only commits"
        self.assert_failed(self.run_feature(), Fault.COMMIT, said)
        git("config", "filter.x.clean", "cat")
        self.assertEqual(self.run_feature("a", Action.RESUME).status, Status.COMPLETED)
        self.assertEqual(len(self.attempts()), 1)


class Hooks(CommittedTest):
    def test_files_formatted_but_not_staged_by_a_hook_are_committed(self) -> None:
        self.workspace.hook("pre-commit", FORMATS)
        check = "git diff --quiet HEAD && test NEW = $(cat a.txt) && test B = $(cat b.txt)"
        self.finish({"bash": "echo new > a.txt"}, verify=[check], verify_base=False)
        expected = {name: text.upper() if "/" not in name else text for name, text in FILES.items()}
        self.assertEqual(self.files(), {**expected, "a.txt": "NEW\n"})
        log = self.workspace.git("log", "--format=%s", "main..feature/a")
        self.assertEqual(log, "feat(a): The a")
        self.assertEqual(self.status(), "")

    def test_a_hook_that_changes_files_each_time_is_named_and_only_the_commit_is_missing(
        self,
    ) -> None:
        hook = self.workspace.hook("post-commit", "date +%s%N > b.txt")
        self.workspace.features(feature("a"))
        outcome = self.run_feature()
        said = "your hooks (post-commit) change files at every commit without staging them: b.txt"
        self.assert_failed(outcome, Fault.COMMIT, said)
        os.unlink(hook)
        self.assertEqual(self.run_feature("a", Action.RESUME).status, Status.COMPLETED)
        self.assertEqual(self.attempts(), [(1, False)])
        self.assertEqual(self.status(), "")

    def test_a_hook_that_refuses_its_own_change_is_quoted(self) -> None:
        self.workspace.hook("pre-commit", f"test ! -e once || exit 3; : > once; {FORMATS}")
        self.workspace.features(feature("a"))
        self.assert_failed(self.run_feature(), Fault.COMMIT, "your pre-commit hook refused")


class Large(CommittedTest):
    def test_a_large_file_is_committed_only_where_git_lfs_keeps_it(self) -> None:
        repository = self.workspace
        repository.commit({".gitattributes": "*.bin filter=lfs\n"})
        grow = {"bash": f"truncate -s {HUGE_BYTES + 1} big.bin big.dat; echo a >> a.txt"}
        held = self.finish(grow).work
        assert held is not None
        self.assertEqual(sorted(held.held_back), ["big.bin", "big.dat"])
        repository.git("config", "filter.lfs.clean", "cat > /dev/null; echo pointer")
        self.workspace.features(feature("b", grow))
        work = self.run_feature("b").work
        assert work is not None
        self.assertEqual(work.held_back, ("big.dat",))
        self.assertEqual(repository.files("feature/b")["big.bin"], b"pointer\n")


class Kept(WorkspaceTest):
    def test_cleanup_sees_an_edit_that_an_index_bit_hides_and_leaves_the_bit(self) -> None:
        repository = self.workspace
        repository.commit(dict(FILES))
        self.workspace.features(feature("a"))
        self.assertEqual(self.workspace.run("--merge").code, 0)
        at = self.workspace.worktree("a")
        repository.git("update-index", "--skip-worktree", "a.txt", at=at)
        repository.write({"a.txt": "mine\n"}, at=at)
        for options in (("--dry-run",), ()):
            done = self.workspace.command("cleanup", "--merged", *options)
            self.assertIn("1 uncommitted file: a.txt", done.out + done.err)
        self.assertIn("S a.txt", repository.git("ls-files", "-v", at=at))
        done = self.workspace.command("cleanup", "a", "--discard")
        self.assertEqual(done.code, 0, done)
        (kept,) = self.workspace.ref("a", "kept")
        self.assertEqual(repository.content(f"{kept}:a.txt"), b"mine\n")
