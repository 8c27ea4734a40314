"""Check artifacts: attributed to their command, reported, removed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from core.model.outcome import Status
from core.worktree.check_artifacts import MOST_FILES, CheckArtifacts
from tests.support.checks import PAUSE
from tests.support.commands import wait_until
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.runner import RunnerTest
from tests.support.workspace import Json, WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere

IGNORED = {".gitignore": "*.log\nreport/\ndata/\n"}


class Appeared(RunnerTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace.commit(dict(IGNORED))

    def here(self, *parts: str) -> str:
        return os.path.join(self.workspace.worktree("a"), *parts)

    def test_only_build_products_are_removed_and_what_else_appears_is_named(self) -> None:
        check = "mkdir -p __pycache__; echo > __pycache__/a.pyc; echo > notes.txt; echo > x.log"
        self.workspace.features(feature("a"), verify=[check], verify_base=False)
        self.assertEqual(self.run_feature().status, Status.COMPLETED)
        self.assertEqual(
            [os.path.exists(self.here(name)) for name in ("__pycache__", "notes.txt", "x.log")],
            [False, True, True],
        )
        self.assertEqual(self.workspace.added("feature/a"), {".gitignore", "a.md"})
        note = "files that the checks left, and that are in no commit: notes.txt"
        self.assertEqual([text for text in self.notes() if "checks left" in text], [note])

    def test_files_staged_by_a_check_are_not_committed(self) -> None:
        check = "echo > made.txt; git add --all; test -f b.txt"
        does = ({"write": "a.txt"}, PAUSE, {"write": "b.txt"})
        self.workspace.features(feature("a", *does, verify=[check]))
        self.assertEqual(self.run_feature().status, Status.COMPLETED)
        files = {".gitignore", "a.txt", "b.txt"}
        self.assertEqual(self.workspace.added("feature/a"), files)
        self.assertIn("in no commit: made.txt", "\n".join(self.notes()))

    def test_a_new_file_in_an_ignored_path_is_named(self) -> None:
        does = {"bash": "mkdir data report; echo > data/seed.json; echo > a.txt; echo > run.log"}
        setup = "mkdir report; echo > report/old"
        self.workspace.features(feature("a", does), setup=[setup])
        work = self.run_feature().work
        assert work is not None
        # By their names, logs are what builds make again.
        self.assertEqual(work.held_back, ("data/",))

    def test_files_made_by_the_checks_are_not_reported(self) -> None:
        check = "mkdir -p data; echo > data/made; test -f b.txt"
        does = ({"write": "a.txt"}, PAUSE, {"write": "b.txt"})
        self.workspace.features(feature("a", *does), verify=[check], verify_base=False)
        outcome = self.run_feature()
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)
        assert outcome.work is not None
        self.assertEqual(outcome.work.held_back, ())


class Landed(WorkspaceTest):
    CHECK = "mkdir -p report; date +%N > report/a.html; echo > junit.xml"

    def finish(self, *options: str, **project: Json) -> None:
        self.workspace.commit(dict(IGNORED))
        self.workspace.features(feature("a"), **{"verify": [self.CHECK], **project})
        done = self.workspace.run("--merge", *options)
        self.assertEqual(done.code, 0, done)

    def cleanup(self, *options: str) -> tuple[int, str]:
        done = self.workspace.command("cleanup", "--merged", *options)
        return done.code, done.out + done.err

    def test_files_that_the_check_also_left_on_the_base_keep_no_worktree(self) -> None:
        self.finish()
        self.assertEqual(self.cleanup("--dry-run")[0], 0)
        code, said = self.cleanup()
        self.assertEqual((code, os.listdir(self.workspace.beside("worktrees"))), (0, []), said)

    def test_artifacts_of_a_check_in_a_clean_checkout_are_known_in_later_runs(self) -> None:
        self.finish(verify_base=False, verify_clean=True)
        self.workspace.features(feature("a"), feature("b"), verify=[self.CHECK], verify_base=False)
        self.assertEqual(self.workspace.run("--merge").code, 0)
        wrote = [e["wrote"] for e in self.workspace.journal() if "wrote" in e]
        self.assertEqual(wrote, [["junit.xml", "report/a.html"]])
        code, said = self.cleanup()
        self.assertEqual((code, os.listdir(self.workspace.beside("worktrees"))), (0, []), said)

    def test_artifacts_changed_or_added_to_by_the_user_keep_the_worktree(self) -> None:
        self.finish()
        self.workspace.write(
            {"junit.xml": "mine", "report/mine": ""}, at=self.workspace.worktree("a")
        )
        code, said = self.cleanup()
        self.assertEqual(code, 1)
        self.assertIn("2 uncommitted files: junit.xml, report/", said)

    def test_artifacts_of_the_worktrees_check_alone_keep_it(self) -> None:
        on, go = self.workspace.beside("on"), self.workspace.beside("go")
        wait = (
            f"test $RORCHESTRATOR_FEATURE != a || {{ touch {on}; until test -e {go}; do :; done; }}"
        )
        self.workspace.commit(dict(IGNORED))
        self.workspace.features(feature("a"), verify=[f"{self.CHECK}; {wait}"])
        running = self.workspace.start("run", "--yes", "--merge")
        wait_until(lambda: os.path.exists(on), "the check runs")
        mine = {"report/mine": "mine", "notes.txt": "mine"}
        self.workspace.write(mine, at=self.workspace.worktree("a"))
        self.workspace.touch("go")
        done = running.end()
        self.assertEqual(done.code, 0, done)
        self.assertIn("in no commit: junit.xml, notes.txt", done.err + done.out)
        code, said = self.cleanup()
        self.assertEqual(code, 1)
        self.assertIn("2 uncommitted files: notes.txt, report/", said)

    def test_without_a_look_where_no_user_works_everything_does(self) -> None:
        self.finish(verify_base=False)
        self.assertIn("2 uncommitted files: junit.xml, report/", self.cleanup()[1])


class Proofs(WorkspaceTest):
    def left(self, place: Repository) -> CheckArtifacts:
        place.write({"a": "a", "d/b": "b", "d/c": "c"})
        os.symlink("../a", os.path.join(place.path, "d", "link"))
        os.symlink("../d", os.path.join(place.path, "d", "folder"))
        return CheckArtifacts(place.path)

    def assert_proved(
        self, left: CheckArtifacts, known: Mapping[str, Sequence[str]], *paths: str
    ) -> None:
        self.assertEqual(list(left.proved(known)), list(paths))

    def test_each_file_of_a_folder_has_to_be_known_of_each_command_that_wrote_it(self) -> None:
        with Repository() as place:
            left = self.left(place)
            files = {"d/b", "d/c", "d/link", "d/folder"}
            self.assertEqual(left.written("one", ["d/", "a"]), {"a", *files})
            self.assert_proved(left, {})
            self.assert_proved(left, {"one": ["a"]}, "a")
            self.assert_proved(left, {"one": sorted(files)}, "d/")
            place.write({"a": "aa"})
            self.assert_proved(left, {"one": ["a"]})
            self.assertEqual(left.written("two", []), {"a"})
            self.assert_proved(left, {"one": ["a"]})
            self.assert_proved(left, {"one": ["a"], "two": ["a"]}, "a")

    def test_a_deleted_commit_or_one_with_too_many_files_proves_nothing(self) -> None:
        with Repository() as place:
            left = self.left(place)
            many = [f"many/{number}" for number in range(MOST_FILES + 1)]
            place.write(dict.fromkeys(many, ""))
            left.written("one", ["a", "many/"])
            os.unlink(os.path.join(place.path, "a"))
            self.assert_proved(left, {"one": ["a", *many]})
