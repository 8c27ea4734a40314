"""A world that misbehaves around a run: disk, clock, limits, other runs, the user's own git."""

from __future__ import annotations

import contextlib
import os
import random
import re
import subprocess
import sys
import threading
import unittest

from core.model.errors import UserError
from core.project import feature_list
from tests.faults import LONG, skip_unless_wanted
from tests.support.commands import CommandResult, Running, wait_until
from tests.support.paths import ROOT
from tests.support.workspace import WorkspaceTest, feature

setUpModule = skip_unless_wanted


PATIENCE_SECONDS = 180.0
"""How long a whole run may take on a machine that has other things to do."""

BACKWARDS = """\
import sys, time
sys.path.insert(0, sys.argv.pop(1))
real, calls = time.time, iter(range(10**9))
time.time = lambda: real() - 600 * next(calls)
from core.cli import main
sys.exit(main(sys.argv[1:]))
"""


def can_mount() -> bool:
    """Whether a file system of the test's own can be had: root may, on Linux."""
    asked = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


class WorldTest(WorkspaceTest):
    """Features of whole commands, some of which wait until something has happened."""

    def held(self, id: str, **more: object) -> dict[str, object]:
        """A feature whose agent says ``<id>.began`` and waits for ``go``."""
        path = self.workspace.beside
        began, go = {"write": path(f"{id}.began")}, {"wait": path("go")}
        return feature(id, began, go, {"write": f"{id}.md"}, **more)

    def start(self, *began: str) -> Running:
        """A run whose agents are at work."""
        running = self.workspace.start("run", "--yes")
        for id in began:
            path = self.workspace.beside(f"{id}.began")
            wait_until(lambda path=path: os.path.exists(path), path)  # type: ignore[misc]
        return running

    def go(self, running: Running, code: int = 0) -> CommandResult:
        """Let the agents go on; the end of the run."""
        self.workspace.touch("go")
        running.process.wait(PATIENCE_SECONDS)
        return self.ended(running.end(), code)

    def run_to(self, code: int, *argv: str, under: tuple[str, ...] = ()) -> CommandResult:
        running = self.workspace.start("run", "--yes", *argv, under=under)
        running.process.wait(PATIENCE_SECONDS)
        return self.ended(running.end(), code)

    def ended(self, done: CommandResult, code: int) -> CommandResult:
        self.assertEqual(done.code, code, f"{done.out}\n{done.err}")
        self.assertNotIn("Traceback", done.err)
        return done


@unittest.skipUnless(can_mount(), "mounting a file system takes root, on Linux")
class FullDiskTest(WorldTest):
    """A disk of the test's own, that is full."""

    def mount(self, folder: str, size: str) -> None:
        """Put a small file system there, for the test."""
        os.makedirs(folder, exist_ok=True)
        options = f"size={size},mode=700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)
        self.addCleanup(self.unmount, folder)

    def unmount(self, folder: str) -> None:
        subprocess.run(["umount", "--lazy", folder], check=False, capture_output=True)

    def fill(self, folder: str) -> dict[str, object]:
        """A step that leaves no byte free."""
        return {"bash": f"cat /dev/zero >'{folder}/full'"}

    def test_nothing_starts_on_an_almost_full_disk(self) -> None:
        place = self.workspace
        place.features(feature("a"), feature("b", depends_on=["a"]))
        for folder in (place.state_folder, place.beside("worktrees")):
            with self.subTest(folder):
                self.mount(folder, "2m")
                done = self.run_to(1)
                self.assertIn(f"MiB free in {folder}; at least 64 MiB are needed", done.out)
                self.assertIn("free some space, then run again", done.out)
                self.assertEqual(place.statuses(), {"a": "cancelled", "b": "cancelled"})
                self.assertEqual(place.attempts("a"), [])
                self.unmount(folder)
        self.run_to(0)

    def test_a_state_folder_that_fills_up_ends_the_run_and_loses_nothing(self) -> None:
        place = self.workspace
        self.mount(place.state_folder, "70m")
        place.features(
            feature("a"),
            feature("b", {"write": "b.md"}, self.fill(place.state_folder), depends_on=["a"]),
            feature("c", depends_on=["b"]),
        )
        done = self.run_to(1)
        self.assertRegex(done.err, "can't be written: No space left on device")
        self.assertIn("free some space", done.err)
        result = place.ref("a")
        self.assertEqual(len(result), 1)
        self.assertEqual(place.processes(), [])
        self.ended(place.command("status"), 0)
        place.git("fsck", "--connectivity-only")
        os.unlink(os.path.join(place.state_folder, "full"))
        place.features(feature("a"), feature("b", depends_on=["a"]), feature("c"))
        self.run_to(0)
        self.assert_statuses(a="completed", b="completed", c="completed")
        self.assertEqual(place.ref("a"), result)

    def test_worktrees_that_fill_up_fail_their_feature_and_the_next_is_not_started(self) -> None:
        place = self.workspace
        worktrees = place.beside("worktrees")
        self.mount(worktrees, "70m")
        place.features(
            feature("a", {"write": "a.md"}, self.fill(worktrees)),
            feature("b", estimated_tokens=1),
            max_parallel=1,
        )
        self.run_to(1)
        self.assertEqual(place.statuses()["b"], "cancelled")
        self.assertEqual(place.attempts("b"), [])
        self.assertIn("MiB free in", place.last("b")["reason"])
        os.unlink(os.path.join(worktrees, "full"))
        self.run_to(0)
        self.assertEqual(len(place.attempts("a")), 1)

    def test_a_repository_that_fills_up_fails_the_commit_and_claude_is_not_paid_again(self) -> None:
        place = self.workspace
        objects = os.path.join(place.path, ".git", "objects")
        place.git("gc", "--quiet")
        self.mount(place.beside("small"), "70m")
        subprocess.run(["cp", "-a", f"{objects}/.", place.beside("small")], check=True)
        subprocess.run(["mount", "--bind", place.beside("small"), objects], check=True)
        self.addCleanup(self.unmount, objects)
        place.features(feature("a", {"write": "a.md"}, self.fill(objects)))
        self.run_to(1)
        self.assertEqual(place.statuses(), {"a": "failed"})
        self.assertEqual(place.ref("a"), [])
        os.unlink(os.path.join(objects, "full"))
        self.run_to(0)
        self.assertEqual(len(place.attempts("a")), 1)
        self.assertEqual(place.added("feature/a"), {"a.md"})
        place.git("fsck", "--connectivity-only")

    def test_reports_that_do_not_fit_are_noted_and_change_no_result(self) -> None:
        place = self.workspace
        reports = os.path.join(place.folder, "reports")
        self.mount(reports, "4k")
        place.features(feature("a"))
        done = self.run_to(1)
        self.assertIn("No space left on device", done.err)
        self.assert_statuses(a="completed")
        left = [name for name in os.listdir(reports) if name.endswith(".json")]
        self.assertEqual(left, [], "half a report is none")

    def test_a_read_only_state_folder_is_reported_and_nothing_starts(self) -> None:
        place = self.workspace
        place.features(feature("a"))
        self.mount(place.state_folder, "70m,ro")
        done = self.run_to(2)
        self.assertIn("can't be written: Read-only file system", done.err)
        self.assertEqual(place.commit_of("feature/a"), "")
        self.unmount(place.state_folder)
        self.run_to(0)


class ClockTest(WorldTest):
    def test_a_clock_that_goes_backwards_changes_neither_order_nor_outcome(self) -> None:
        place = self.workspace
        launcher = place.script("backwards.py", BACKWARDS)
        place.features(feature("a"), feature("b", depends_on=["a"]), feature("c", depends_on=["b"]))
        under = ("sh", "-c", f'shift 2; exec "{sys.executable}" {launcher} "{ROOT}" "$@"', "sh")
        done = self.run_to(0, under=under)
        self.assertNotRegex(done.out + done.err, r"(?<!\w)-\d+(\.\d)?(ms|s|m|h)")
        self.assertEqual(place.added("feature/c"), {"a.md", "b.md", "c.md"})
        times = [event["at"] for event in place.journal()]
        self.assertEqual(times, sorted(times, reverse=True), "the clock did go backwards")
        report = place.report()
        self.assertGreaterEqual(min(report["wall_ms"], report["total_duration_ms"]), 0)
        self.assertGreaterEqual(min(r["duration_ms"] for r in place.results().values()), 0)
        self.ended(place.command("status"), 0)
        self.run_to(0, "--json")
        self.assertEqual([len(place.attempts(id)) for id in "abc"], [1, 1, 1])


class OthersTest(WorldTest):
    """Other runs, and the user at work in the repository."""

    def test_exactly_one_of_simultaneous_runs_starts(self) -> None:
        self.workspace.features(self.held("a"))
        for number in range(20 if LONG else 3):
            with self.subTest(number):
                argv = ("run", "--yes", "--fresh")
                runs = [self.workspace.start(*argv) for _ in range(2)]
                wait_until(
                    lambda runs=runs: sum(r.process.poll() is not None for r in runs) == 1,  # type: ignore[misc]
                    "one of two is refused",
                )
                (winner,) = (r for r in runs if r.process.poll() is None)
                for run in runs:
                    if run is not winner:
                        done = self.ended(run.end(), 2)
                        self.assertIn(f"running in this repository (pid {winner.pid}, ", done.err)
                        self.assertIn("rorchestrator stop", done.err)
                self.go(winner)
                os.unlink(self.workspace.beside("go"))

    def test_the_users_own_commits_and_gc_do_no_harm(self) -> None:
        place, own = self.workspace, self.workspace
        own.git("config", "gc.auto", "50")
        commit = {"bash": "date +%N >>log; git add log; git commit -qm log"}
        count = 24 if LONG else 6
        listed = []
        for number in range(count):
            id = f"f{number}"
            work = [commit] * 5 + [{"write": f"{id}.md"}, {"bash": f"rm -f log; echo >>{id}.md"}]
            needs = [f"f{number - 3}", f"f{number - 2}"] if number % 3 == 2 else []
            needs = [need for need in needs if need != "f-1"]
            listed.append(feature(id, *work, depends_on=needs))
        place.features(*listed, max_parallel=4)
        over = threading.Event()
        commits: list[str] = []
        faults: list[AssertionError] = []

        def user() -> None:
            while not over.is_set():
                number = len(commits)
                try:
                    commits.append(own.commit({f"user{number % 7}": str(number)}, "user"))
                except AssertionError as fault:
                    faults.append(fault)
                    return
                # It may fail: it can meet a worktree or a ref that another git is just making.
                with contextlib.suppress(AssertionError):
                    own.git("gc", "--quiet")

        thread = threading.Thread(target=user)
        thread.start()
        try:
            running = place.start("run", "--yes")
            running.process.wait(PATIENCE_SECONDS)
        finally:
            over.set()
            thread.join()
        self.ended(running.end(), 0)
        self.assertEqual(faults, [])
        self.assertGreater(len(commits), 2)
        self.assertEqual(own.git("rev-list", "--count", "main"), str(len(commits) + 1))
        own.git("gc", "--quiet", "--prune=now")
        own.git("fsck", "--connectivity-only")
        for number in range(count):
            self.assertIn(f"f{number}.md", place.added(f"feature/f{number}"))

    def test_gc_that_prunes_everything_takes_nothing_of_a_waiting_run(self) -> None:
        place, own = self.workspace, self.workspace
        listed = [feature("a"), feature("b"), self.held("c", depends_on=["a", "b"])]
        place.features(*listed)
        running = self.start("c")
        own.commit({"mine": "x"}, "mine")
        own.git("-c", "gc.worktreePruneExpire=now", "gc", "--quiet", "--prune=now")
        own.git("worktree", "prune", "--expire=now")
        self.go(running)
        self.assertEqual(place.added("feature/c"), {"a.md", "b.md", "c.md"})
        own.git("fsck", "--connectivity-only")
        self.assertEqual(own.commit_of("main^{/mine}"), own.commit_of("main"))

    def test_a_base_branch_that_moves_is_the_pinned_one_until_the_next_run(self) -> None:
        place, own = self.workspace, self.workspace
        pinned = own.commit_of("main")
        place.features(self.held("a"), feature("b", depends_on=["a"]), max_parallel=1)
        running = self.start("a")
        own.commit({"mine": "x"}, "mine")
        place.features(self.held("a"), feature("b", depends_on=["a"]), feature("c"), max_parallel=1)
        self.go(running)
        self.assertEqual(place.added("feature/b"), {"a.md", "b.md"})
        self.assertEqual(own.git("merge-base", "feature/b", "main"), pinned)
        self.run_to(0)
        self.assertEqual(own.commit_of("feature/c~1"), own.commit_of("main"))
        self.assertEqual([len(place.attempts(id)) for id in "abc"], [1, 1, 1])

    def test_a_base_branch_that_is_deleted_ends_no_run_and_starts_no_other(self) -> None:
        place, own = self.workspace, self.workspace
        place.features(self.held("a"), feature("b", depends_on=["a"]), base_branch="main")
        running = self.start("a")
        own.git("checkout", "-q", "--detach")
        own.git("branch", "-D", "main")
        self.go(running)
        self.assert_statuses(a="completed", b="completed")
        done = self.run_to(2)
        self.assertIn("the base branch 'main' does not exist", done.err)
        own.git("branch", "main")
        self.run_to(0)

    def test_a_list_that_is_broken_meanwhile_concerns_the_next_run(self) -> None:
        place = self.workspace
        place.features(self.held("a"), feature("b", depends_on=["a"]))
        with open(place.list_file, encoding="utf-8") as file:
            good = file.read()
        running = self.start("a")
        with open(place.list_file, "w", encoding="utf-8") as file:
            file.write(good[: len(good) // 2])
        self.go(running)
        self.assert_statuses(a="completed", b="completed")
        self.run_to(2)
        with open(place.list_file, "w", encoding="utf-8") as file:
            file.write(good)
        self.run_to(0)
        self.assertEqual([len(place.attempts(id)) for id in "ab"], [1, 1])


class RepositoryTest(WorldTest):
    """What a repository may be like."""

    def test_files_outside_a_sparse_checkout_stay_in_the_result(self) -> None:
        place, own = self.workspace, self.workspace
        own.commit({"in/x": "1", "out/y": "1"})
        own.git("sparse-checkout", "set", "in")
        seen = own.seen_by_user()
        place.features(feature("a", {"write": "in/a.md"}), feature("b", depends_on=["a"]))
        self.run_to(0)
        self.assertEqual(place.added("feature/b"), {"in/x", "out/y", "in/a.md", "b.md"})
        self.assertEqual(own.seen_by_user(), seen)

    def test_every_id_that_a_list_may_have_makes_a_branch(self) -> None:
        seed = int(os.environ.get("RORCHESTRATOR_TEST_SEED", "3"))
        chance = random.Random(seed)
        pieces = ["a", "B", "7", ".", "-", "_", "..", ".lock", "@", "@{", "é", "e\u0301", "ß", "~"]
        pieces += ["x", "y", "Z", "0", "q", "HEAD", "refs", "x" * 60, "/", "\\", "\n", " ", "\x7f"]
        pieces += list("abcdefghijklmnopqrstuvwxyz_-.") * 2
        made = {
            "".join(chance.choices(pieces, k=chance.randint(1, 6)))
            for _ in range(10_000 if LONG else 2_000)
        }
        ids = sorted({id.casefold(): id for id in made}.values())
        place = self.workspace
        place.features(*(feature(id) for id in ids))
        with self.assertRaises(UserError) as caught:
            feature_list.load(place.list_file)
        faults = [re.match(r"features\[(\d+)\]\.id", line) for line in caught.exception.details]
        bad = {int(found[1]) for found in faults if found}
        good = [id for number, id in enumerate(ids) if number not in bad]
        self.assertGreater(len(good), 400, f"seed {seed}")
        base = place.commit_of("main")
        wanted = "".join(f"create refs/heads/feature/{id} {base}\n" for id in good)
        place.git("update-ref", "--stdin", stdin=wanted.encode())
        heads = place.git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/heads")
        self.assertEqual(set(heads.split("\n")) - {""}, set(good), f"seed {seed}")


class LimitsTest(WorldTest):
    """Many at once, and few descriptors."""

    def at_once(self, count: int) -> None:
        """Features that all have to be at work before the first may end."""
        path = self.workspace.beside
        here = "[ $(ls '{}' | wc -l) -ge {} ]".format(path("here"), count)
        os.makedirs(path("here"))
        listed = [
            feature(
                f"f{number}",
                {"write": path("here", f"f{number}")},
                {"bash": f"until {here}; do sleep 0.1; done"},
                {"write": f"f{number}.md"},
            )
            for number in range(count)
        ]
        self.workspace.features(*listed, max_parallel=count)

    def with_limit(self, number: int) -> tuple[str, ...]:
        return ("bash", "-c", f'ulimit -n {number} && exec "$@"', "bash")

    @unittest.skipUnless(LONG, "takes ten seconds: set RORCHESTRATOR_TEST_FAULTS=1")
    def test_64_features_on_64_slots_all_complete(self) -> None:
        self.at_once(64)
        self.run_to(0)
        self.assertEqual(set(self.workspace.statuses().values()), {"completed"})
        self.workspace.git("fsck", "--connectivity-only")

    def test_256_open_files_are_enough_for_32_slots(self) -> None:
        self.at_once(32 if LONG else 12)
        self.run_to(0, under=self.with_limit(256 if LONG else 104))

    def test_too_few_open_files_are_said_before_anything_is_started(self) -> None:
        place = self.workspace
        place.features(*(feature(f"f{number}") for number in range(8)), max_parallel=32)
        done = self.run_to(2, under=self.with_limit(64))
        self.assertIn("8 slots may need 80 open files, but the limit is 64", done.err)
        fewer = re.search(r"--max-parallel (\d+)", done.err)
        self.assertIsNotNone(fewer, done.err)
        self.assertEqual(place.journal(), [])
        assert fewer is not None
        self.run_to(0, "--max-parallel", fewer[1], under=self.with_limit(64))
        self.assertEqual(set(place.statuses().values()), {"completed"})


if __name__ == "__main__":
    unittest.main()
