"""The results that features build on."""

from __future__ import annotations

from core.model.decision import Action, Decision
from core.model.errors import UserError
from core.model.outcome import Work
from core.model.review import Answer, Review
from core.model.state import FeatureState, RunState
from core.project.results import results_below
from tests.support.projects import place_of
from tests.support.workspace import WorkspaceTest, feature


class ResultsTest(WorkspaceTest):
    def test_they_are_those_of_dependencies_that_do_not_run(self) -> None:
        self.workspace.features(
            feature("auth"), feature("db"), feature("api", depends_on=["auth", "db"])
        )
        project = place_of(self.workspace)
        base = project.base_commit
        made = {id: Decision(id, Action.SKIP, "up to date") for id in ("db", "api")}
        decisions = {**made, "auth": Decision("auth", Action.SKIP, "merged", merged="merge")}
        state = RunState()
        found = results_below(project, state, decisions, ["api"], ["api", "db"])
        self.assertEqual(found, {"auth": base})
        with self.assertRaises(UserError) as caught:
            results_below(project, state, decisions, ["api"], ["api"])
        self.assertEqual(caught.exception.message, "api needs db, which has no result yet")
        gone = RunState({"db": FeatureState("db", branch="feature/db", work=Work("0" * 40))})
        with self.assertRaises(UserError) as caught:
            results_below(project, gone, decisions, ["api"], ["api"])
        self.assertIn("api needs db, but ", caught.exception.message)
        no = Review(Answer.REJECTED, "c0ffee")
        rejected = RunState({"db": FeatureState("db", work=Work("0" * 40), review=no)})
        with self.assertRaises(UserError) as caught:
            results_below(project, rejected, decisions, ["api"], ["api"])
        self.assertEqual(caught.exception.message, "api needs db, which was rejected")
        head = self.workspace.git("rev-parse", "HEAD")
        self.workspace.git("branch", "feature/db")
        there = RunState({"db": FeatureState("db", branch="feature/db", work=Work(head))})
        project = place_of(self.workspace)
        found = results_below(project, there, decisions, ["api"], ["api", "auth"])
        self.assertEqual(found, {"db": head})
