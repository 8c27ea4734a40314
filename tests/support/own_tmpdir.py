"""A test whose temporary folders are in a folder of its own."""

from __future__ import annotations

import os
import tempfile
import unittest
from unittest import mock


class OwnTmpdirTest(unittest.TestCase):
    """``TMPDIR`` is a new folder for each test."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(folder.cleanup)
        self.parent = os.path.realpath(folder.name)
        for patch in (
            mock.patch.object(tempfile, "tempdir", None),
            mock.patch.dict(os.environ, {"TMPDIR": self.parent}),
        ):
            patch.start()
            self.addCleanup(patch.stop)
