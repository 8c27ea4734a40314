"""Kills at every point at which an answer of `review` is recorded: typed again, it is there."""

from __future__ import annotations

import os
import shutil
import tempfile
import unittest
from collections.abc import Mapping

from core.journal.journal import Journal
from core.model.fold import fold
from core.model.review import Answer, Review
from tests.faults import skip_unless_wanted
from tests.faults.crash import KILLED, Launcher, killed_at
from tests.support.commands import HAS_PROC
from tests.support.workspace import Workspace, feature

setUpModule = skip_unless_wanted

REJECT = ("review", "auth", "--reject", "--comment", "auth.txt:1 Why?")


class Place:
    """A copy of a repository with a completed feature."""

    def __init__(self, shop: Workspace, launcher: Launcher) -> None:
        self.launcher = launcher
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="ror-review-"))
        shutil.copytree(shop.root, self.root, dirs_exist_ok=True, symlinks=True)
        self.shop = os.path.join(self.root, os.path.basename(shop.path))
        changed = {name: v.replace(shop.root, self.root) for name, v in shop.environ.items()}
        self.environ = {**changed, "COLUMNS": "200", "ROUND": self.root}

    def type(self, *argv: str, fault: Mapping[str, object] | None = None, trace: str = "") -> int:
        """The exit code of a command, maybe with a fault."""
        output = os.path.join(self.root, "said")
        order = {"argv": argv, "folder": self.shop, "environ": self.environ, "output": output}
        return self.launcher.obey({**order, "fault": fault or {}, "trace": trace})

    @property
    def review(self) -> Review:
        """What is recorded."""
        journal = Journal(os.path.join(self.shop, ".git", "rorchestrator"))
        return fold(journal.read()).feature("auth").review

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.root)


@unittest.skipUnless(HAS_PROC, "needs /proc")
class KilledReview(unittest.TestCase):
    def test_at_every_point_an_answer_is_whole_or_not_there(self) -> None:
        shop, launcher = Workspace([feature("auth")]), Launcher()
        self.addCleanup(shop.close)
        self.addCleanup(launcher.close)
        shop.finish("auth")
        whole = Place(shop, launcher)
        self.addCleanup(whole.close)
        trace = os.path.join(whole.root, "trace")
        self.assertEqual(whole.type(*REJECT, trace=trace), 0)
        with open(trace, encoding="utf-8") as file:
            points = [point for point in file.read().splitlines() if "journal" in point]
        for kind in ("commented", "reviewed", "seen"):
            self.assertIn(f"journal {kind} auth", "\n".join(points))
        for point in points:
            with self.subTest(point):
                place = Place(shop, launcher)
                self.addCleanup(place.close)
                self.assertEqual(place.type(*REJECT, fault=killed_at(point)), KILLED)
                before = place.review
                # Nobody's word counts before it is said, and nothing is seen unanswered.
                self.assertTrue(before.comments or not before.answer)
                self.assertTrue(before.answer or not before.seen)
                self.assertEqual(place.type(*REJECT), 0)
                after = place.review
                self.assertEqual(after.answer, Answer.REJECTED)
                self.assertEqual(after.seen, whole.review.seen)
                self.assertEqual({each.text for each in after.comments}, {"Why?"})


if __name__ == "__main__":
    unittest.main()
