"""Where the features of a run are by its journal, and what a changed list needs of git."""

from __future__ import annotations

from core.dag.list_change import Where
from core.model.errors import UserError
from core.model.feature import Config, Project
from core.model.frozen import replace
from core.model.list_outline import outline_of
from core.model.outcome import Status
from core.model.state import FeatureState, Run, RunState, Skip
from core.project.list_reload import Reload, as_the_run_reads, places, reload_of
from core.project.open import OpenProject
from core.project.running_list import RunningList
from core.project.selection import Selection
from tests.support.projects import place_of
from tests.support.workspace import WorkspaceTest, feature

EVERY = Selection()


class ListReloadTest(WorkspaceTest):
    def opened(self, *features: dict[str, object]) -> OpenProject:
        self.workspace.features(*features)
        return place_of(self.workspace)

    def found(
        self,
        before: OpenProject,
        after: OpenProject,
        selection: Selection = EVERY,
        *known: FeatureState,
    ) -> Reload:
        running = RunningList("r1", "", selection, outline_of(before.config, before.mask))
        where = {"auth": Where.WAITING}
        return reload_of(after, RunState({each.id: each for each in known}), running, where)

    def test_the_options_of_the_run_still_select(self) -> None:
        auth = feature("auth", tags=["core"])
        before = self.opened(auth)
        after = self.opened(auth, feature("api", tags=["core"]), feature("docs"))
        found = self.found(before, after, Selection(tag="core"))
        self.assertEqual((found.change.joins, tuple(found.change.left_out)), (("api",), ("docs",)))
        found = self.found(before, after, Selection(only=("gone",)))
        self.assertEqual((found.change.joins, found.selection), ((), None))

    def test_a_new_feature_needs_a_branch_a_folder_and_the_results_below_it(self) -> None:
        auth = feature("auth")
        before = self.opened(auth)
        after = self.opened(auth, feature("api"))
        self.assertEqual(self.found(before, after).change.joins, ("api",))
        self.workspace.git("branch", "feature/api")
        with self.assertRaisesRegex(UserError, "not created by RoRchestrator are in the way"):
            self.found(before, place_of(self.workspace))
        after = self.opened(auth, feature("ui", depends_on=["docs"]), feature("docs"))
        with self.assertRaisesRegex(UserError, "ui needs docs, which has no result yet"):
            self.found(before, after, Selection(only=("ui", "auth"), deps=False))

    def test_what_was_skipped_with_force_is_nobodys_dependency(self) -> None:
        before = self.opened(feature("auth"))
        skipped = FeatureState("docs", skip=Skip.FORCED, status=Status.SKIPPED)
        after = self.opened(feature("auth"), feature("docs"), feature("ui", depends_on=["docs"]))
        found = self.found(before, after, Selection(), skipped)
        self.assertEqual(found.project.dag.features["ui"].depends_on, ())
        self.assertEqual(found.listed[-1].depends_on, ("docs",))
        self.assertEqual(found.change.joins, ("ui",))

    def test_its_digest_is_of_the_list_and_of_what_needs_consent(self) -> None:
        before = self.opened(feature("auth", verify=["true"]))
        same = self.found(before, before)
        self.assertEqual(same.digest, self.found(before, before).digest)
        other = self.opened(feature("auth"))
        self.assertNotEqual(same.digest, self.found(before, other).digest)
        # The same list, but to a run that has one without the command it is another question.
        self.assertNotEqual(same.digest, self.found(other, before).digest)

    def test_the_base_branch_is_the_runs_unless_the_list_names_another(self) -> None:
        config = Config("/l", "/", Project("Shop", "/", base_branch="main"), ())
        outline = outline_of(config, str)
        for named, option, expected in (
            ("", "", "main"),
            ("dev", "", "dev"),
            ("dev", "dev~1", "main"),
        ):
            given = replace(config, project=replace(config.project, base_branch=named))
            read = as_the_run_reads(given, outline, option)
            self.assertEqual(read.project.base_branch, expected)

    def test_where_features_are_by_the_journal(self) -> None:
        r1 = FeatureState("x", run="r1", started_at=1.0)
        cases = {
            "later": (FeatureState("x", run="r0", status=Status.FAILED), Where.WAITING),
            "prepared": (replace(r1, status=Status.PREPARING), Where.WAITING),
            "works": (replace(r1, status=Status.RUNNING, in_slot=True), Where.RUNNING),
            "done": (replace(r1, status=Status.COMPLETED, in_slot=True), Where.DONE),
            "failed": (replace(r1, status=Status.FAILED, in_slot=True), Where.ENDED),
            "conflict": (replace(r1, status=Status.CONFLICT), Where.OUT),
            "blocked": (
                replace(r1, status=Status.BLOCKED, in_slot=True, started_at=None),
                Where.OUT,
            ),
        }
        state = RunState({id: known for id, (known, _) in cases.items()})
        run = Run("r1", 0.0, features=(*cases, "unknown"))
        self.assertEqual(
            places(state, run),
            {**{id: place for id, (_, place) in cases.items()}, "unknown": Where.WAITING},
        )
