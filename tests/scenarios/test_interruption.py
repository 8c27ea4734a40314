"""Whatever git, a filter or a copy waits for: Ctrl-C, ``stop`` and ``--max-time`` end it soon."""

from __future__ import annotations

import os
import signal
import time
import unittest
import unittest.mock

from core.git import merging
from core.git.opening import open_repository
from core.landing.checkout_backup import CheckoutBackup
from core.landing.target_branch import TargetBranch
from core.model.errors import StateError
from core.process.spawner import Spawner, run_sync
from tests.support.commands import Running, wait_until
from tests.support.workspace import Workspace, WorkspaceTest, feature

SOON_SECONDS = 12.0
"""Far less than anything here hangs; far more than two seconds on a machine at its limits."""


class HangingTest(WorkspaceTest):
    """A repository whose filter for ``*.slow`` hangs as long as the file ``hang`` is there."""

    def setUp(self) -> None:
        super().setUp()
        place = self.workspace
        repository = place
        self.hang, self.hangs = place.beside("hang"), place.beside("hangs")
        program = place.script(
            "filter",
            "#!/bin/sh\n"
            f"if test -e {self.hang}; then echo $$ > {self.hangs}; exec sleep 1000; fi\n"
            "exec cat\n",
        )
        repository.git("config", "filter.slow.smudge", program)
        repository.git("config", "filter.slow.clean", "cat")
        repository.commit(
            {".gitattributes": "*.slow filter=slow\n", "kept": "old\n", "z.slow": "z"}
        )

    def until_it_hangs(self, running: Running) -> None:
        wait_until(lambda: os.path.exists(self.hangs), f"the filter: {running.err}")

    def assert_soon(self, begun: float) -> None:
        self.assertLess(time.monotonic() - begun, SOON_SECONDS)


class Landing(HangingTest):
    """The branch moves in the user's checkout, and a filter hangs there."""

    def setUp(self) -> None:
        super().setUp()
        writes = (
            {"write": "a/new", "content": "new\n"},
            {"write": "kept", "content": "changed\n"},
            {"write": "z.slow", "content": "zz"},
        )
        self.workspace.features(feature("a", *writes))
        self.assertEqual(self.workspace.run().code, 0)
        self.before = self.workspace.seen_by_user()
        self.main = self.workspace.commit_of("main")
        self.workspace.touch("hang")

    def assert_untouched(self) -> None:
        repository = self.workspace
        self.assertEqual(repository.commit_of("main"), self.main)
        self.assertEqual(repository.git("status", "--porcelain"), "")
        self.assertFalse(os.path.exists(os.path.join(repository.path, "a")))
        self.assertEqual(
            [n for n in os.listdir(os.path.join(repository.path, ".git")) if "landing" in n], []
        )

    def test_a_signal_ends_it_and_the_checkout_is_what_it_was(self) -> None:
        running = self.workspace.start("merge")
        self.until_it_hangs(running)
        begun = time.monotonic()
        running.signal(signal.SIGINT)
        done = running.end()
        self.assertEqual((done.code, done.err), (130, "Stopped: nothing was landed.\n"))
        self.assert_soon(begun)
        self.assert_untouched()
        os.unlink(self.hang)
        self.assertEqual(self.workspace.command("merge").code, 0)
        self.assertEqual(self.workspace.files("main")["z.slow"], b"zz")

    def test_another_terminal_ends_it_and_learns_that_it_can_only_be_stopped(self) -> None:
        running = self.workspace.start("merge")
        self.until_it_hangs(running)
        paused = self.workspace.command("pause")
        self.assertEqual(paused.code, 1)
        self.assertIn("a merge can only be stopped\n  next: rorchestrator stop", paused.err)
        begun = time.monotonic()
        stopped = self.workspace.command("stop")
        self.assertEqual((stopped.code, stopped.out), (0, "stopping: nothing is landed\n"))
        self.assertEqual(running.end().code, 1)
        self.assert_soon(begun)
        self.assert_untouched()

    def test_changes_of_the_user_during_a_run_stay_and_are_named(self) -> None:
        running = self.workspace.start("merge")
        self.until_it_hangs(running)
        self.workspace.write({"a/new": "mine\n"})
        running.signal(signal.SIGTERM)
        done = running.end()
        self.assertEqual(done.code, 143)
        self.assertIn("main was not moved; these files in", done.err)
        self.assertIn("left as they are: a/new", done.err)
        repository = self.workspace
        self.assertEqual(repository.git("status", "--porcelain", "-uall"), "?? a/new")
        self.assertEqual(repository.commit_of("main"), self.main)


class TheRun(HangingTest):
    """A run, at each thing that it may wait for."""

    def test_a_checkout_that_hangs_is_ended(self) -> None:
        self.workspace.features(feature("a"))
        self.workspace.touch("hang")
        running = self.workspace.start("run", "--yes")
        self.until_it_hangs(running)
        begun = time.monotonic()
        running.signal(signal.SIGINT)
        self.assertEqual(running.end().code, 130)
        self.assert_soon(begun)
        self.assert_statuses(a="cancelled")
        os.unlink(self.hang)
        self.assertEqual(self.workspace.run().code, 0)

    def test_so_it_is_when_one_feature_is_stopped_or_the_time_is_over(self) -> None:
        self.workspace.features(feature("a"))
        self.workspace.touch("hang")
        for words in (("--max-time=1",), ()):
            with self.subTest(words):
                running = self.workspace.start("run", "--yes", *words)
                self.until_it_hangs(running)
                begun = time.monotonic()
                if not words:
                    self.assertEqual(self.workspace.command("stop").code, 0)
                self.assertEqual(running.end().code, 1)
                self.assert_soon(begun)
                os.unlink(self.hangs)
                self.assert_statuses(a="cancelled")

    def test_a_run_that_lands_can_only_be_stopped(self) -> None:
        hangs = f"case $RORCHESTRATOR_FEATURE in a) ;; *) touch {self.hangs}; sleep 300; esac"
        self.workspace.features(feature("a"), verify=[hangs], verify_base=False)
        running = self.workspace.start("run", "--yes", "--merge")
        self.until_it_hangs(running)
        skipped = self.workspace.command("skip", "a")
        self.assertEqual(skipped.code, 2)
        self.assertIn("is landing its features; it can only be stopped", skipped.err)
        self.assertEqual(self.workspace.command("stop").code, 0)
        self.assertEqual(running.end().code, 1)

    def test_the_time_of_a_run_holds_for_its_landing(self) -> None:
        hangs = f"case $RORCHESTRATOR_FEATURE in a) ;; *) touch {self.hangs}; sleep 300; esac"
        self.workspace.features(feature("a"), verify=[hangs], verify_base=False)
        self.assertEqual(self.workspace.run().code, 0)
        begun = time.monotonic()
        done = self.workspace.run("--merge", "--max-time=4")
        self.assertEqual(done.code, 1, done)
        self.assertIn(
            "Stopped: the time limit of the run (--max-time) was reached, nothing was landed.",
            done.err,
        )
        self.assertTrue(os.path.exists(self.hangs))
        self.assert_soon(begun)


class Looking(WorkspaceTest):
    """A command without a run."""

    def test_a_git_that_hangs_ends_with_the_command(self) -> None:
        place = self.workspace
        place.features(feature("a"))
        hangs = place.beside("hangs")
        os.mkdir(place.beside("bin"))
        place.script("bin/git", f"#!/bin/sh\ntouch {hangs}\nexec sleep 1000\n")
        env = {"PATH": f"{place.beside('bin')}:{place.environ['PATH']}"}
        for words in (("plan",), ("status",), ("cleanup", "--all"), ("merge", "--dry-run")):
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(words, number=number):
                    running = place.start(*words, env=env)
                    wait_until(lambda: os.path.exists(hangs), "git")
                    running.signal(number)
                    done = running.end()
                    self.assertEqual(done.code, 128 + number, done)
                    wait_until(lambda: not place.processes(), "the end of git")
                    os.unlink(hangs)


class Kept(unittest.TestCase):
    def setUp(self) -> None:
        place = Workspace(apart=True)
        self.addCleanup(place.close)
        self.repository = place
        self.store = place.beside("store")

    def test_files_are_put_back_unless_somebody_else_changed_them(self) -> None:
        top = self.repository.path
        self.repository.write({"git": "old", "mine": "old", "gone": "old", "same": "old"})
        os.symlink("old", os.path.join(top, "link"))
        names = ("git", "mine", "gone", "same", "link", "new/git", "new/mine", "never", ".git")
        with CheckoutBackup(top, self.store, names) as backup:
            self.repository.write({"gone": None, "link": None})
            for name in ("git", "mine", "new/git", "new/mine"):
                self.repository.write({f"{name}.tmp": "new"})
                os.replace(os.path.join(top, f"{name}.tmp"), os.path.join(top, name))
            self.assertEqual(backup.restore({"git", "new/git"}), ["mine", "new/mine"])
        self.assertFalse(os.path.exists(self.store))
        found = {}
        for name in ("git", "mine", "gone", "same", "new/mine"):
            with open(os.path.join(top, name), encoding="utf-8") as file:
                found[name] = file.read()
        expected = {"git": "old", "mine": "new", "gone": "old", "same": "old", "new/mine": "new"}
        self.assertEqual(found, expected)
        self.assertEqual(os.readlink(os.path.join(top, "link")), "old")
        self.assertEqual(os.listdir(os.path.join(top, "new")), ["mine"])

    def test_a_link_in_the_place_of_its_folder_is_named_and_leads_nowhere(self) -> None:
        theirs = os.path.join(self.repository.root, "theirs")
        os.mkdir(theirs)
        os.symlink(theirs, self.store)
        with self.assertRaisesRegex(StateError, "it is a symbolic link"):
            CheckoutBackup(self.repository.path, self.store, ["README.md"]).__enter__()
        self.assertEqual(os.listdir(theirs), [])

    def test_a_file_is_compared_with_the_commit_by_its_content(self) -> None:
        path = self.repository.path
        files = {"same": "1", "changed": "1", "gone": "1", "odd\nname": "1"}
        for name in ("link", "other"):
            os.symlink("somewhere", os.path.join(path, name))
        commit = self.repository.commit(files)
        self.repository.write({"changed": "2", "gone": None, "new": "1", "other": None})
        os.symlink("elsewhere", os.path.join(path, "other"))
        git = run_sync(open_repository(Spawner(), path, self.repository.environ))
        names = [*files, "link", "other", "new"]
        self.assertEqual(run_sync(merging.equal_files(git, path, commit, names)), {"same", "link"})
        target = TargetBranch(git, "main", commit)
        self.assertEqual(run_sync(target._written(path, "1" * 40, names)), set())

    def test_so_it_is_where_there_are_no_hard_links(self) -> None:
        self.repository.write({"git": "old"})
        with unittest.mock.patch("os.link", side_effect=OSError):
            backup = CheckoutBackup(self.repository.path, self.store, ["git"]).__enter__()
        self.assertEqual(backup.changed, [])
        os.unlink(os.path.join(self.repository.path, "git"))
        self.assertEqual(backup.restore(()), [])
        with open(os.path.join(self.repository.path, "git"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "old")


if __name__ == "__main__":
    unittest.main()
