"""The file with the list of the run in progress."""

from __future__ import annotations

import json
import os
import stat
import tempfile
import unittest

from core.model.feature import Command, Config, Feature, Project
from core.model.list_outline import outline_of
from core.project.running_list import FILE, RunningList, read, write
from core.project.selection import ALL, Selection

AUTH = Feature(
    "auth",
    "Sign-in \ud800 é",
    verify=(Command(("make", "a b"), "make 'a b'"),),
    tags=("core",),
    allowed_tools=(),
    max_cost_usd=1.5,
)
OUTLINE = outline_of(Config("/l", "/", Project("Shop", "/", setup=AUTH.verify), (AUTH,)), str)
LIST = RunningList("r1", "/shop/config/feature_list.json", Selection(("auth",), "t"), OUTLINE)


class RunningListTest(unittest.TestCase):
    def setUp(self) -> None:
        found = tempfile.TemporaryDirectory(prefix="ror-")
        self.addCleanup(found.cleanup)
        self.folder = found.name
        self.path = os.path.join(self.folder, FILE)

    def test_it_is_read_as_it_was_written_by_this_user_only(self) -> None:
        for fresh in (None, ALL, ("auth",)):
            given = RunningList("r1", LIST.path, Selection(deps=False, fresh=fresh), OUTLINE)
            write(self.folder, given)
            self.assertEqual(read(self.folder, "r1"), given)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        self.assertEqual(os.listdir(self.folder), [FILE])

    def test_that_of_another_run_and_a_damaged_one_are_none(self) -> None:
        self.assertEqual(read(self.folder, "r1"), None)
        write(self.folder, LIST)
        self.assertEqual(read(self.folder, "r2"), None)
        with open(self.path, encoding="utf-8") as file:
            whole = json.load(file)
        for damaged in (
            "{",
            "[]",
            '"x"',
            json.dumps({**whole, "outline": 1}),
            json.dumps({**whole, "outline": {**whole["outline"], "features": 1}}),
            json.dumps({**whole, "outline": {**whole["outline"], "features": [{"id": 1}]}}),
            json.dumps({**whole, "outline": {**whole["outline"], "newer": 1}}),
            json.dumps({name: value for name, value in whole.items() if name != "selection"}),
        ):
            with self.subTest(damaged[:40]):
                with open(self.path, "w", encoding="utf-8") as file:
                    file.write(damaged)
                self.assertEqual(read(self.folder, "r1"), None)

    def test_what_a_killed_run_left_half_written_is_no_obstacle(self) -> None:
        with open(f"{self.path}.tmp", "w", encoding="utf-8") as file:
            file.write("{")
        write(self.folder, LIST)
        self.assertEqual(read(self.folder, "r1"), LIST)
