"""What is beside the journal: the ends of checks' outputs, and each feature's own diff."""

from __future__ import annotations

import unittest
from unittest import mock

from core.git.door import Git
from core.model.errors import UserError
from core.model.mask import Mask
from core.project.open import OpenProject, open_project
from core.views import run_extras
from core.views.recorded_run import RecordedRun, recorded_run
from core.views.run_extras import extras_of
from core.views.run_view import Extras
from tests.support.commands import standing_in
from tests.support.workspace import Workspace, feature

SECRET = "s3cr3t-value-of-a-test"


class Diffs(unittest.TestCase):
    """A run in which one feature completes, its dependent as well, and one fails."""

    space: Workspace
    project: OpenProject
    found: RecordedRun

    @classmethod
    def setUpClass(cls) -> None:
        checks = ["printf %0999d 0", "test ! -e bad.txt"]
        cls.space = Workspace(
            [
                feature("auth", {"write": "auth.py", "content": "1\n2\n"}),
                feature("api", {"write": "api.py", "content": SECRET}, depends_on=["auth"]),
                feature("bad", {"write": "bad.txt", "content": "x\n"}),
                feature("app", depends_on=["bad"]),
            ],
            project={"verify": checks, "verify_attempts": 1},
            claude={"env": {"API_TOKEN": SECRET}},
        )
        cls.addClassCleanup(cls.space.close)
        cls.space.run()
        with standing_in(cls.space.path, cls.space.environ):
            cls.project = open_project("", "", Mask({"API_TOKEN": SECRET}))
        cls.found = recorded_run(cls.project, "latest")

    def extras(self, *, is_latest: bool = True) -> Extras:
        return extras_of(self.project, self.found.report, self.found.events, is_latest=is_latest)

    def test_each_diff_begins_where_the_feature_began(self) -> None:
        diffs = self.extras().diffs
        self.assertEqual([file.path for file in diffs["auth"].files], ["auth.py"])
        # Not the work of its dependency.
        self.assertEqual([file.path for file in diffs["api"].files], ["api.py"])
        self.assertEqual(diffs["auth"].files[0].insertions, 2)
        self.assertIn("[masked API_TOKEN]", diffs["api"].files[0].patch)

    def test_a_feature_that_did_not_complete_has_its_work_so_far(self) -> None:
        [file] = self.extras().diffs["bad"].files
        self.assertEqual((file.path, file.insertions), ("bad.txt", 1))
        self.assertNotIn("app", self.extras().diffs)

    def test_only_the_latest_run_still_has_unfinished_work(self) -> None:
        self.assertEqual(set(self.extras(is_latest=False).diffs), {"auth", "api"})

    def test_without_refs_there_is_only_completed_work(self) -> None:
        with mock.patch.object(Git, "refs", side_effect=UserError("no")):
            self.assertEqual(set(self.extras().diffs), {"auth", "api"})

    def test_a_diff_of_many_files_tells_how_many_more_there_are(self) -> None:
        with mock.patch.object(run_extras, "FILES", 0):
            self.assertEqual(self.extras().diffs["auth"].more, 1)

    def test_checks_have_their_lines_and_features_their_names(self) -> None:
        extras = self.extras()
        long, _ = extras.checks["auth"]
        self.assertIn("0" * run_extras.LINE_CHARACTERS, long)
        self.assertEqual(extras.names["app"], "app")
