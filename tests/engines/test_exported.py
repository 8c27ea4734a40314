"""What an engine gets of a list: jobs, what they need, and their names."""

from __future__ import annotations

import os
import shutil
import unittest

from core.dag.resolver import DAGResolver
from core.engines.exported import direct, exported, job_names, jobs_of
from core.model.errors import UserError
from core.model.feature import Feature
from core.model.mask import Mask
from core.project.open import OpenProject, open_project
from core.project.selection import Selection
from tests.support.commands import standing_in
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace, WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere


def graph(**needs: str) -> DAGResolver:
    """Features with their dependencies, separated by blanks."""
    return DAGResolver(Feature(id, id, depends_on=tuple(d.split())) for id, d in needs.items())


class Jobs(unittest.TestCase):
    def test_what_a_dependency_depends_on_is_left_out(self) -> None:
        dag = graph(a="", b="a", c="a b", d="c b a", e="a c")
        self.assertEqual([direct(dag, id) for id in "abcde"], [(), ("a",), ("b",), ("c",), ("c",)])

    def test_each_job_stands_behind_those_that_it_waits_for(self) -> None:
        jobs = jobs_of(graph(d="b c", c="a", b="a", a="", e="", f=""), 1)
        seen: set[str] = set()
        for job in jobs:
            self.assertLessEqual({*job.needs, *filter(None, [job.after])}, seen)
            seen.add(job.id)
        self.assertEqual(len(jobs), 6)
        self.assertEqual({job.after for job in jobs_of(graph(a="", b="a"), 1)}, {""})

    def test_names_are_valid_and_unique_in_any_case(self) -> None:
        ids = ["a.b", "a-b", "A_b", "a-b-2", "1", "a..c"]
        names = job_names(ids)
        self.assertEqual(
            names,
            {
                "a-b": "a-b",
                "a.b": "a-b-3",
                "A_b": "A_b",
                "a-b-2": "a-b-2",
                "1": "1",
                "a..c": "a--c",
            },
        )
        self.assertEqual(names, job_names(ids[::-1]))

    def test_names_of_long_ids_are_cut_and_unique(self) -> None:
        long = "a" * 99
        names = job_names([f"{long}b", f"{long}c", long, long[:94]])
        self.assertEqual(names[long[:94]], long[:94])
        self.assertEqual(len(set(names.values())), 4)
        self.assertLess(max(len(f"push-{name}") for name in names.values()), 100)


class OfAList(WorkspaceTest):
    def setUp(self) -> None:
        self.use(
            Workspace(
                [
                    feature("auth", tags=["x"]),
                    feature("api", depends_on=["auth"]),
                    feature("docs"),
                    feature("end", depends_on=["api", "auth"]),
                ],
                project={"max_cost_usd": 5},
            )
        )

    def project(self) -> OpenProject:
        with standing_in(self.workspace.folder, self.workspace.environ):
            return open_project(self.workspace.list_file, "", Mask({}))

    def test_a_selection_brings_its_dependencies_and_its_words(self) -> None:
        project = self.project()
        found = exported(project, Selection(), None)
        self.assertEqual([job.id for job in found.last], ["docs", "end"])
        self.assertEqual((found.base, found.words, found.landed), ("main", (), ()))
        self.assertEqual((found.list_file, found.max_cost_usd), ("config/feature_list.json", 5.0))
        found = exported(project, Selection(("api",)), 7)
        self.assertEqual([job.id for job in found.jobs], ["auth", "api"])
        self.assertEqual(found.words, ("--only", "api", "--max-parallel", "7"))
        found = exported(project, Selection(tag="x"), None)
        self.assertEqual([job.id for job in found.jobs], ["auth"])
        self.assertEqual((found.words, found.named("auth")), (("--tag", "x"), "auth"))

    def test_the_digest_changes_with_what_the_jobs_follow_from(self) -> None:
        digests = {exported(self.project(), Selection(), None).digest}
        digests.add(exported(self.project(), Selection(), 2).digest)
        digests.add(exported(self.project(), Selection(("api",)), None).digest)
        self.workspace.change([feature("auth"), feature("api")])
        digests.add(exported(self.project(), Selection(), None).digest)
        self.assertEqual(len(digests), 4)
        self.workspace.change([{**feature("auth"), "name": "Other"}, feature("api")])
        self.assertIn(exported(self.project(), Selection(), None).digest, digests)

    def test_what_has_landed_or_is_skipped_gets_no_job(self) -> None:
        before = exported(self.project(), Selection(), None)
        self.workspace.run("--only", "auth")
        self.workspace.main("merge", "--yes", "auth")
        self.workspace.main("skip", "api")
        found = exported(self.project(), Selection(), None)
        self.assertEqual([job.id for job in found.jobs], ["docs"])
        self.assertEqual(found.landed, ("auth",))
        self.assertNotEqual(found.digest, before.digest)
        with self.assertRaisesRegex(UserError, "nothing to export"):
            exported(self.project(), Selection(("auth",)), None)
        shutil.rmtree(self.workspace.state_folder)  # as in any other clone
        there = exported(self.project(), Selection(), None)
        self.assertEqual((there.landed, there.digest), (("auth",), found.digest))

    def test_a_list_outside_of_the_repository_is_refused(self) -> None:
        self.workspace.folder = self.workspace.beside("plan")
        self.workspace.list_file = os.path.join(self.workspace.folder, "list.json")
        os.mkdir(self.workspace.folder)
        self.workspace.features(feature("auth"))
        with self.assertRaisesRegex(UserError, "is not in the repository"):
            exported(self.project(), Selection(), None)


if __name__ == "__main__":
    unittest.main()
