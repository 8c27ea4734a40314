"""Features that are built on an older result of a dependency."""

from __future__ import annotations

import unittest

from core.model import events
from core.model.mask import Mask
from core.model.outcome import FeatureOutcome, Status, Work
from core.process.spawner import run_sync
from core.project.built_on import built_on_older
from core.project.open import open_project
from tests.support.commands import standing_in
from tests.support.lives import RUN
from tests.support.workspace import Workspace, WorkspaceTest, feature

AT = 2_000_000_000.0


class BuiltOnTest(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace())
        self.workspace.features(
            feature("auth"),
            feature("api", depends_on=["auth"]),
            feature("docs"),
        )
        self.workspace.finish("auth")
        self.workspace.finish("api", start="feature/auth")
        self.workspace.finish("docs")

    def newer(self, id: str = "auth") -> str:
        """As a retry leaves it."""
        tip = self.workspace.commit({"new": "x"}, at=self.workspace.worktree(id))
        base = self.workspace.commit_of("main")
        self.workspace.record(
            events.reopened(AT, RUN, id, start_commit=base, tip=tip),
            events.ended(AT, RUN, id, FeatureOutcome(Status.COMPLETED, work=Work(tip, 2))),
        )
        return tip

    def older(self, *merged: str) -> dict[str, tuple[str, ...]]:
        with standing_in(self.workspace.path, self.workspace.environ):
            project = open_project("", "", Mask({}))
        return run_sync(built_on_older(project, self.workspace.state(), merged))

    def test_only_a_newer_result_makes_the_one_below_it_old(self) -> None:
        self.assertEqual(self.older(), {})
        tip = self.newer()
        self.assertEqual(self.older(), {"api": ("auth",)})
        self.assertEqual((self.older("auth"), self.older("api")), ({}, {}))
        self.workspace.git("merge", "-q", tip, at=self.workspace.worktree("api"))
        self.assertEqual(self.older(), {})


if __name__ == "__main__":
    unittest.main()
