"""Kills at every crash point of an `undo`: typed again, it ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from collections.abc import Mapping

from tests.faults import LONG, skip_unless_wanted
from tests.faults.crash import KILLED, Launcher, killed_at
from tests.support.commands import HAS_PROC
from tests.support.workspace import Workspace, feature

setUpModule = skip_unless_wanted


CHANGES = re.compile(
    r"journal|read-tree|rorchestrator undo|undone/merge-RUN \* : finished|feature/a .*finished"
)
"""The points at which something changes; the others are tried with the longer tests."""


class Place:
    """A copy of a repository in which a merge landed and was cleaned up."""

    def __init__(self, shop: Workspace, launcher: Launcher) -> None:
        self.launcher = launcher
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="ror-undo-"))
        shutil.copytree(shop.root, self.root, dirs_exist_ok=True, symlinks=True)
        self.shop = os.path.join(self.root, os.path.basename(shop.path))
        changed = {name: v.replace(shop.root, self.root) for name, v in shop.environ.items()}
        self.environ = {**changed, "COLUMNS": "200", "ROUND": self.root}

    def type(self, *argv: str, fault: Mapping[str, object] | None = None, trace: str = "") -> int:
        """The exit code of a command, maybe with a fault."""
        output = os.path.join(self.root, "said")
        order = {"argv": argv, "folder": self.shop, "environ": self.environ, "output": output}
        return self.launcher.obey({**order, "fault": fault or {}, "trace": trace})

    def git(self, *words: str) -> str:
        """What git says; it succeeds."""
        done = subprocess.run(
            ["git", *words], cwd=self.shop, env=self.environ, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def landed(self) -> set[str]:
        """The features that have landed, as `status` tells."""
        output = os.path.join(self.root, "said")
        with open(output, "w", encoding="utf-8"):
            pass
        assert self.type("status", "--json") == 0
        with open(output, encoding="utf-8") as file:
            return {each["id"] for each in json.load(file)["features"] if each["merged"]}

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.root)


@unittest.skipUnless(HAS_PROC, "needs /proc")
class KilledUndo(unittest.TestCase):
    shop: Workspace
    launcher: Launcher

    @classmethod
    def setUpClass(cls) -> None:
        cls.shop = Workspace([feature("a"), feature("b", depends_on=["a"])])
        cls.addClassCleanup(cls.shop.close)
        cls.launcher = Launcher()
        cls.addClassCleanup(cls.launcher.close)
        cls.shop.finish("a")
        cls.shop.finish("b", start="feature/a")
        for words in (("merge", "--strategy", "squash"), ("cleanup", "--merged")):
            assert cls.shop.main(*words).code == 0
        (cls.merge,) = {event["run"] for event in cls.shop.events("landing")}
        cls.tip = cls.shop.commit_of("main")
        cls.before = cls.shop.commit_of("main~2")

    merge: str
    tip: str
    before: str

    def place(self) -> Place:
        place = Place(self.shop, self.launcher)
        self.addCleanup(place.close)
        return place

    def points(self) -> list[str]:
        place = self.place()
        trace = os.path.join(place.root, "trace")
        self.assertEqual(place.type("undo", "--yes", trace=trace), 0)
        with open(trace, encoding="utf-8") as file:
            return file.read().splitlines()

    def test_at_every_point_nothing_is_lost_and_the_undo_is_finished(self) -> None:
        points = self.points()
        for part in ("journal undoing", "journal undone", "read-tree", "rorchestrator undo"):
            self.assertIn(part, "\n".join(points))
        for point in points if LONG else filter(CHANGES.search, points):
            with self.subTest(point):
                self.kill_at(point)

    def kill_at(self, point: str) -> None:
        place = self.place()
        self.assertEqual(place.type("undo", "--yes", fault=killed_at(point)), KILLED)
        now = place.git("rev-parse", "main")
        self.assertEqual(place.landed(), {"a", "b"} if now == self.tip else set())
        self.assertIn(now, (self.tip, self.before))
        code = place.type("undo", self.merge, "--yes")
        self.assertIn(code, (0, 1) if now == self.before else (0,))  # 1: it was through
        self.assertEqual(place.git("rev-parse", "main"), self.before)
        self.assertEqual(place.git("status", "--porcelain"), "")
        self.assertEqual(place.landed(), set())
        branches = place.git("for-each-ref", "--format=%(refname:short)", "refs/heads")
        self.assertEqual(branches.split(), ["feature/a", "feature/b", "main"])
        self.assertEqual(
            place.git("rev-parse", f"refs/rorchestrator/undone/{self.merge}"), self.tip
        )
        place.close()
        self._cleanups.pop()


if __name__ == "__main__":
    unittest.main()
