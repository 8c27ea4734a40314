"""Kills at every crash point of a `pr`: typed again, it ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from collections.abc import Mapping
from typing import Any

from core.process import table
from tests.faults import LONG, skip_unless_wanted
from tests.faults.crash import KILLED, Launcher, killed_at
from tests.support.commands import HAS_PROC, read_text, wait_until
from tests.support.forges import TestForge
from tests.support.workspace import Workspace, feature

setUpModule = skip_unless_wanted

CHANGES = re.compile(r"/feature/c: (killed|finished)|POST .*3.: finished|update-ref .*: finished")
"""The points at which something changes; the others are tried with the longer tests."""


class Place:
    """A copy of a repository and of its forge."""

    def __init__(self, shop: Workspace, launcher: Launcher) -> None:
        self.launcher = launcher
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="ror-pr-"))
        shutil.copytree(shop.root, self.root, dirs_exist_ok=True, symlinks=True)
        self.shop = os.path.join(self.root, os.path.basename(shop.path))
        for path in (os.path.join(self.shop, ".git", "config"), self.path("origin.json")):
            text = read_text(path).replace(shop.root, self.root)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        changed = {name: v.replace(shop.root, self.root) for name, v in shop.environ.items()}
        self.environ = {**changed, "COLUMNS": "200", "ROUND": self.root}

    def path(self, name: str) -> str:
        return os.path.join(self.root, name)

    def type(self, *argv: str, fault: Mapping[str, object] | None = None, trace: str = "") -> int:
        """The exit code of a command, maybe with a fault."""
        order = {"argv": argv, "folder": self.shop, "environ": self.environ}
        output = self.path("said")
        return self.launcher.obey({**order, "output": output, "fault": fault or {}, "trace": trace})

    def pulls(self) -> list[Any]:
        return json.loads(read_text(self.path("origin.json")))["repositories"]["acme/shop"]["pulls"]

    def ends(self) -> tuple[object, ...]:
        """What the remote and the forge have, and what the journal knows of it."""
        words = ("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads")
        done = subprocess.run(
            ["git", "-C", self.path("origin.git"), *words], env=self.environ, capture_output=True
        )
        lines = read_text(os.path.join(self.shop, ".git", "rorchestrator", "journal.jsonl"))
        events = [json.loads(line) for line in lines.splitlines()]
        names = ("event", "feature", "commit", "number", "base", "state")
        known = {
            tuple(event.get(name) for name in names)
            for event in events
            if event["event"] in ("pushed", "pull_request")
        }
        return done.stdout, self.pulls(), known

    def processes(self) -> list[int]:
        """What still runs of a command that was killed."""
        mark = f"\0ROUND={self.root}\0".encode()
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [pid for pid in pids if mark in table._environment(pid)]

    def close(self) -> None:
        shutil.rmtree(self.root)


@unittest.skipUnless(HAS_PROC, "needs /proc")
class KilledPullRequests(unittest.TestCase):
    shop: Workspace
    launcher: Launcher

    @classmethod
    def setUpClass(cls) -> None:
        found = [feature("a"), feature("b"), feature("c", depends_on=["a", "b"])]
        cls.shop = Workspace(found)
        cls.addClassCleanup(cls.shop.close)
        cls.launcher = Launcher()
        cls.addClassCleanup(cls.launcher.close)
        TestForge(cls.shop)
        for id in ("a", "b"):
            cls.shop.finish(id)
        tree = cls.shop.git("merge-tree", "--write-tree", "feature/a", "feature/b")
        sides = ("-p", "feature/a", "-p", "feature/b")
        cls.shop.finish("c", start=cls.shop.git("commit-tree", *sides, "-m", "both", tree))
        for id in ("a", "b", "c"):  # else the copies would share them
            cls.shop.git("worktree", "remove", "--force", cls.shop.worktree(id))

    def place(self) -> Place:
        return Place(self.shop, self.launcher)

    def test_at_every_point_the_same_is_pushed_opened_and_recorded_at_last(self) -> None:
        place = self.place()
        self.addCleanup(place.close)
        trace = place.path("trace")
        self.assertEqual(place.type("pr", trace=trace), 0, read_text(place.path("said")))
        points = read_text(trace).splitlines()
        expected = place.ends()
        self.assertEqual(len(place.pulls()), 3)
        for point in points if LONG else filter(CHANGES.search, points):
            with self.subTest(point):
                self.kill_at(point, expected)

    def kill_at(self, point: str, expected: tuple[object, ...]) -> None:
        place = self.place()
        self.assertEqual(place.type("pr", fault=killed_at(point)), KILLED)
        wait_until(lambda: not place.processes(), "what it started has ended")
        self.assertEqual(place.type("pr"), 0, read_text(place.path("said")))
        self.assertEqual(place.ends(), expected)
        place.close()


if __name__ == "__main__":
    unittest.main()
