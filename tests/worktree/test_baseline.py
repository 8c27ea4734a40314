"""The baseline: files of the checkout or the setup are not Claude's work."""

from __future__ import annotations

import json
import os

from core.git.output import WorktreeStatus
from core.model.decision import Action
from core.model.outcome import Fault, FeatureOutcome, Status
from core.worktree import baseline
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository
from tests.support.runner import RunnerTest
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere

CRLF = {".gitattributes": "*.txt text\n", "a.txt": b"one\r\n", "b.txt": b"two\r\n"}
SETUP = (
    "echo rewritten > lock; rm gone; echo made > made.cfg; echo staged > staged; git add staged; "
    "chmod +x tool; ln -sf elsewhere link; echo secret > ignored"
)
TRACKED = {"lock": "lock\n", "gone": "gone\n", "tool": "tool\n", ".gitignore": "ignored*\n"}


class BaselineTest(RunnerTest):
    def finish(self, *does: dict[str, object], **project: object) -> FeatureOutcome:
        self.workspace.features(feature("a", *does), **project)
        return self.run_feature()

    def commit(self, files: dict[str, str | bytes]) -> None:
        """Commit contents as they are, whatever the attributes say."""
        repository = self.workspace
        repository.write(files)
        for name in files:
            blob = repository.git("hash-object", "-w", "--no-filters", name)
            repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
        repository.git("commit", "--quiet", "-m", "as it is")

    def status(self) -> str:
        return self.workspace.git("status", "--porcelain", "-z", at=self.workspace.worktree("a"))


class DirtyFromTheStart(BaselineTest):
    def setUp(self) -> None:
        super().setUp()
        self.commit(dict(CRLF))

    def test_a_question_is_no_work(self) -> None:
        outcome = self.finish({"say": "Which file do you mean?"})
        self.assertIn("b.txt", self.status())  # as git sees it
        self.assertEqual((outcome.status, outcome.work), (Status.EMPTY, None), outcome)

    def test_only_changes_of_claude_are_committed(self) -> None:
        outcome = self.finish({"bash": "printf 'three\\r\\n' >> a.txt"}, verify=["true"])
        assert outcome.work is not None
        self.assertEqual(outcome.work.files_changed, 1)
        files = self.workspace.files("feature/a")
        self.assertEqual((files["a.txt"], files["b.txt"]), (b"one\nthree\n", b"two\r\n"))


class WhatTheSetupDid(BaselineTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace.commit(dict(TRACKED))

    def test_changes_of_the_setup_are_no_work_of_claudes(self) -> None:
        outcome = self.finish({"say": "Which file do you mean?"}, setup=[SETUP])
        self.assertEqual(outcome.status, Status.EMPTY, outcome)

    def test_changes_of_the_setup_are_not_committed_and_restored_before_the_checks(self) -> None:
        check = "test lock = $(cat lock) && test -f gone && ! test -x tool && test -f made.cfg"
        outcome = self.finish(
            {"bash": "test rewritten = $(cat lock) && echo a > a.txt"},
            setup=[SETUP],
            verify=[check],
        )
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)
        self.assertEqual(self.workspace.added("feature/a"), {*TRACKED, "a.txt"})
        self.assertEqual(self.status(), "?? link\0?? made.cfg\0?? staged\0")

    def test_every_other_checkout_that_checks_look_at_is_put_back_as_well(self) -> None:
        check = "test lock = $(cat lock) && test -f gone && ! test -x tool && test -f made.cfg"
        hide = "git update-index --skip-worktree lock"
        list_ = {"setup": [SETUP, hide], "verify": [check], "verify_clean": True}
        self.workspace.features(feature("a"), **list_)
        done = self.workspace.run("--merge")
        self.assertEqual(done.code, 0, done)
        looked = [e.get("feature", "") for e in self.workspace.journal() if e["event"] == "checked"]
        self.assertEqual(looked, ["", "a", "a"])

    def test_changes_of_claude_on_top_of_the_baseline_are_work(self) -> None:
        does = {"bash": "echo more >> lock; echo more >> made.cfg; git add -A"}
        outcome = self.finish(does, setup=[SETUP])
        self.assertEqual(outcome.status, Status.COMPLETED, outcome)
        files = self.workspace.files("feature/a")
        self.assertEqual(files["lock"], b"rewritten\nmore\n")
        self.assertEqual(files["made.cfg"], b"made\nmore\n")
        self.assertEqual((files["gone"], "staged" in files), (b"gone\n", False))

    def test_a_resumed_feature_still_knows_it(self) -> None:
        self.workspace.features(
            feature("a", {"write": "a.txt"}, {"exit": 1}, {"say": "Done."}), setup=[SETUP]
        )
        self.assertEqual(self.run_feature().status, Status.FAILED)
        self.assertEqual(self.run_feature("a", Action.RESUME).status, Status.COMPLETED)
        self.assertEqual(self.workspace.added("feature/a"), {*TRACKED, "a.txt"})

    def test_claude_is_not_started_if_the_baseline_cannot_be_written(self) -> None:
        setup = "mkdir $(git rev-parse --git-dir)/rorchestrator-baseline.new"
        outcome = self.finish(setup=[setup])
        self.assert_failed(outcome, Fault.GIT, "can't be written: Is a directory")
        self.assertEqual(self.attempts(), [])


class TheFile(BaselineTest):
    def test_an_unreadable_file_is_no_baseline(self) -> None:
        with Repository() as place:
            path = os.path.join(place.path, baseline.FILE)
            self.assertIsNone(baseline.load(place.path).ignored)
            for text in ("", "[]", "{}", '{"changed": 1, "untracked": {}, "ignored": []}'):
                place.write({baseline.FILE: text})
                self.assertIsNone(baseline.load(place.path).ignored, text)
            os.unlink(path)
            os.mkfifo(path)
            self.assertIsNone(baseline.load(place.path).ignored)

    def test_a_baseline_is_read_as_it_was_written(self) -> None:
        with Repository() as place:
            place.write({"a\udcff": "a", "b": "b"})
            status = WorktreeStatus("main", "", ("a\udcff", "gone"), ("b", "repository/"), ("c",))
            known = baseline.take(place.path, status, {"lib": "c0ffee"})
            baseline.save(place.path, known)
            self.assertEqual(baseline.load(place.path), known)
            asked = ("a\udcff", "b", "gone", "new")
            self.assertEqual(known.unchanged(place.path, asked), {"a\udcff", "b", "gone"})
            json.dumps(sorted(known.untracked))
            place.write({"a\udcff": "x", "b": "xx", "gone": "x"})
            self.assertEqual(known.unchanged(place.path, asked), set())

    def test_content_is_compared_by_kind_mode_and_bytes(self) -> None:
        with Repository() as place:
            place.write({"a": "a", "b": "a", "c/d": "d"})
            os.symlink("a", os.path.join(place.path, "link"))
            os.chmod(os.path.join(place.path, "b"), 0o755)
            found = [baseline.content_of(place.path, name) for name in ("a", "b", "link", "gone")]
            self.assertEqual(len(set(found)), 4)
            self.assertEqual([baseline.content_of(place.path, n) for n in ("c", "a/x")], ["", ""])
