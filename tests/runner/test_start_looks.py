"""Looks at start commits: once for all that start there, and again if what was copied changed."""

from __future__ import annotations

import os
from unittest import mock

from core.model.check_verdict import Verdict
from core.worktree import supply_digest
from tests.support.checks import ChecksTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class StartLooksTest(ChecksTest):
    def seen(self) -> list[str]:
        path = self.workspace.beside("seen")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()

    def verdict(self, id: str, check: str) -> Verdict:
        return self.state.feature(id).verdicts[f"project {check}"].verdict

    def test_features_that_start_from_one_tree_look_once(self) -> None:
        red = f"case $PWD in *_start_*) echo >> {self.workspace.beside('seen')};; esac; false"
        self.workspace.features(feature("a"), feature("b"), verify=[red])
        self.run_together("a", "b")
        self.assertEqual(len(self.seen()), 1)
        for id in "ab":
            self.assertEqual(self.verdict(id, red), Verdict.NOT_YOURS)

    def test_a_failure_is_looked_at_again_by_the_next_run(self) -> None:
        red = f"case $PWD in *_start_*) echo >> {self.workspace.beside('seen')};; esac; false"
        self.lists(project={"verify": [red]})
        self.completes()
        self.completes()
        self.assertEqual(len(self.seen()), 2)

    def test_a_check_is_kept_that_passed_in_the_worktree_of_a_dependency(self) -> None:
        self.workspace.features(feature("a"), feature("b", depends_on=["a"]), verify=["true"])
        self.run_feature("a")
        result = self.workspace.commit_of("feature/a")
        self.run_feature("b", results={"a": result})
        self.assertEqual(self.verdict("a", "true"), Verdict.NOT_LOOKED_AT)
        self.assertEqual(self.verdict("b", "true"), Verdict.KEPT)

    def test_a_changed_copied_file_repeats_the_check(self) -> None:
        self.ignore(".env")
        look = f"cat .env >> {self.workspace.beside('seen')}"
        self.lists({"write": "a.txt"}, project={"copy": [".env"], "verify": [look]})
        for content, expected in (("1\n", 1), ("1\n", 1), ("2\n", 2)):
            self.supply(".env", content)
            self.completes()
            self.assertEqual(len(self.seen()), expected)

    def test_a_copied_file_that_cannot_be_read_is_named(self) -> None:
        self.ignore(".env")
        self.supply(".env")
        self.lists(project={"copy": [".env"]})
        unreadable = mock.patch.object(supply_digest, "digest_of", side_effect=OSError("no luck"))
        with unreadable:
            outcome = self.run_feature()
        self.assertEqual(outcome.reason, "files of project.copy could not be read: no luck")

    def test_a_copied_file_that_is_gone_costs_no_work_that_passes(self) -> None:
        self.ignore(".env")
        self.supply(".env")
        gone = f"rm -f {os.path.join(self.workspace.path, '.env')}"
        self.lists(project={"copy": [".env"]}, verify=[gone])
        self.completes()
        self.assertEqual(self.state.feature("a").verdicts[f"own {gone}"].before, "")

    def test_a_copied_file_that_is_gone_is_a_fault_of_the_list(self) -> None:
        self.ignore(".env")
        self.supply(".env")
        gone = f"rm -f {os.path.join(self.workspace.path, '.env')}; false"
        self.lists(project={"copy": [".env"], "verify": [gone]})
        outcome = self.run_feature()
        self.assertIn(".env matches nothing in", outcome.reason)
