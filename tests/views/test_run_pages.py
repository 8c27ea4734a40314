"""The page and the Markdown report as files, and their copies."""

from __future__ import annotations

import errno
import glob
import os
import tempfile
import unittest
from unittest import mock

from core.views import run_pages
from core.views.run_pages import copy_latest, write_pages
from tests.support.commands import read_text
from tests.support.html_pages import Page
from tests.support.run_views import STORY, view_of
from tests.support.workspace import Workspace, feature

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Files(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_page_and_markdown_have_the_name_of_the_json_report(self) -> None:
        paths = write_pages(os.path.join(self.folder, "report_1"), view_of(STORY))
        names = [os.path.basename(path) for path in paths]
        self.assertEqual(names, ["report_1.html", "report_1.md"])
        self.assertIn("2 of 4 features completed", Page(read_text(paths[0])).text)
        self.assertIn("## ❌ Shop", read_text(paths[1]))

    def test_latest_is_a_whole_copy_that_replaces_the_one_before(self) -> None:
        for content in ("first", "second"):
            path = os.path.join(self.folder, f"report_{content}.html")
            with open(path, "w") as file:
                file.write(content)
            copy_latest([path])
            latest = os.path.join(self.folder, "latest.html")
            self.assertEqual(read_text(latest), content)
        self.assertFalse(os.path.islink(latest))
        self.assertEqual(len(os.listdir(self.folder)), 3)


class OfARun(unittest.TestCase):
    def test_a_page_that_can_not_be_written_fails_no_run(self) -> None:
        broken = TypeError("unexpected")
        with Workspace([feature("auth")]) as space:
            for error, words in ((FULL, "No space left on device"), (broken, "TypeError: unexp")):
                with mock.patch.object(run_pages, "write_whole", side_effect=error):
                    done = space.main("run", "--yes", "--fresh", "--quiet")
                self.assertEqual(done.code, 0, done)
                said = f"rorchestrator: the page of the run could not be written: {words}"
                self.assertIn(said, done.err)
                self.assertIn("Report: ", done.out)
                self.assertIn(".json", done.out)
            self.assertEqual(glob.glob(os.path.join(space.folder, "reports", "*.html")), [])
            with mock.patch.object(run_pages, "copy_latest", side_effect=FULL):
                done = space.main("run", "--yes", "--fresh", "--quiet")
            self.assertEqual(done.code, 0)
            self.assertIn(".html", done.out)
