"""What other machines pushed is fetched; what a report only claims is not believed."""

from __future__ import annotations

import os
import shutil
import unittest
from collections.abc import Callable

from core.engines.feature_report import encoded, report_ref
from core.engines.fetch_run import Source, fetch_run
from core.git.channel import Update, open_channel
from core.model.errors import UserError
from core.model.mask import Mask
from core.model.outcome import Status
from core.process.spawner import run_sync
from core.project.open import OpenProject, open_project
from tests.support.elsewhere import RUN_ID, ElsewhereTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Json, feature

setUpModule = skip_if_run_elsewhere


class FetchRunTest(ElsewhereTest):
    def project(self) -> OpenProject:
        return open_project(self.space.list_file, "", Mask({}))

    def fetch(self, run_id: str = RUN_ID) -> list[str]:
        project = self.project().writable()
        fetched = fetch_run(project, Source("origin", self.space.url), run_id, "pr")
        self.gone = fetched.gone
        return list(fetched.ids)

    def forge(self, id: str, change: Callable[[Json], None]) -> None:
        """Change the report of a feature, as its agent could have done before it was pushed."""
        space, report, ref = self.space, self.space.pushed_report(id), report_ref(RUN_ID, id)
        change(report)
        place = os.path.join(space.root, "forged.git")
        channel = run_sync(open_channel(place, space.url, space.environ))
        run_sync(channel.fetch(f"+{ref}:{ref}"))
        commit = run_sync(channel.git.commit_of(ref))
        files = {
            "claim.json": run_sync(channel.read(commit, "claim.json")),
            "report.json": encoded(report),
        }
        forged = run_sync(channel.write(files, [f"{commit}^"], "x"))
        self.assertTrue(run_sync(channel.push([Update(ref, forged, commit)])).is_done)
        shutil.rmtree(place)

    def test_what_landed_and_lost_its_branch_is_fetched_with_the_base(self) -> None:
        space = self.use(feature("auth"), feature("api"))
        for id in ("auth", "api"):
            self.assert_code(space.run_there(id), 0)
        space.there("update-ref", "refs/heads/main", "refs/heads/feature/auth")
        for id in ("auth", "api"):
            space.there("update-ref", "-d", f"refs/heads/feature/{id}")
        self.assertEqual(self.fetch(), ["auth"])

    def test_a_completed_attempt_follows_a_failed_one_whose_clock_was_ahead(self) -> None:
        space = self.use(feature("auth"))
        self.assert_code(space.run_there("auth"), 0)

        def failed_before(report: Json) -> None:
            failed = [{**each, "at": "2099-01-01T00:00:00.000+00:00"} for each in report["events"]]
            end = next(each for each in failed if each["event"] == "ended")
            end.update(status="failed", reason="the check failed")
            report["events"] = failed + report["events"]

        self.forge("auth", failed_before)
        self.assertEqual(self.fetch(), ["auth"])
        self.assertIs(self.project().state().features["auth"].status, Status.COMPLETED)

    def test_the_next_run_takes_the_place_of_the_one_before(self) -> None:
        space = self.use(feature("auth"))
        for run in ("r1", "r2"):
            self.assert_code(space.run_there("auth", run_id=run), 0)
            self.assertEqual((self.fetch(run), self.gone), (["auth"], ()))
            self.assertEqual(space.commit_of("feature/auth"), space.tip_there("auth"))
            self.assertIn("up to date auth", space.main("push", "--dry-run").out)
        space.git("update-ref", "-d", "refs/rorchestrator/results/auth/r1")
        space.git("reflog", "expire", "--expire=all", "--all")
        space.git("gc", "--quiet", "--prune=now")
        self.assertEqual((self.fetch("r1"), self.gone), ([], ("auth",)))
        said = space.main("pr", "--run-id", "r1")
        self.assertIn("not fetched, because origin no longer has the commits: auth\n", said.err)
        self.assertIn("fetched: nothing new\n", said.err)

    def test_a_branch_with_other_work_is_never_taken_for_the_result(self) -> None:
        space = self.use(feature("auth"), feature("api", depends_on=["auth"]))
        for id in ("auth", "api"):
            self.assert_code(space.run_there(id), 0)
        space.git("switch", "--quiet", "-c", "feature/api")
        mine = space.branch("feature/auth", space.commit({"mine": "1"}, "mine"))
        space.git("reset", "--quiet", "--hard", "main")
        with self.assertRaises(UserError) as caught:
            self.fetch()
        self.assertIn("in the way of the results of run r1", caught.exception.message)
        self.assertEqual(
            caught.exception.details,
            (
                "feature auth: feature/auth has commits that the run does not have",
                f"feature api: feature/api is checked out in {space.path}",
            ),
        )
        self.assertEqual(space.statuses(), {})
        self.assertEqual(space.commit_of("feature/auth"), mine)
        space.git("switch", "--quiet", "main")
        space.git("branch", "-M", "feature/auth", "mine")
        self.assertEqual(self.fetch(), ["auth", "api"])
        self.assertEqual(space.commit_of("feature/api"), space.tip_there("api"))

    def test_commits_on_top_of_a_result_stay(self) -> None:
        space = self.use(feature("auth"))
        self.assert_code(space.run_there("auth"), 0)
        space.git("fetch", "--quiet", "origin", "feature/auth")
        space.git("switch", "--quiet", "-c", "feature/auth", "FETCH_HEAD")
        more = space.commit({"more": "1"}, "more")
        self.assertEqual(self.fetch(), ["auth"])
        self.assertEqual(space.commit_of("feature/auth"), more)

    def test_an_agent_that_wrote_its_report_moves_no_branch_and_hides_no_work(self) -> None:
        space = self.use(feature("auth"), feature("api", depends_on=["auth"]), feature("web"))
        for id in ("auth", "api", "web"):
            self.assert_code(space.run_there(id), 0)

        def lie(report: Json) -> None:
            for each in report["events"]:
                lies = {"branch": "deploy", "start_commit": report["commit"]}
                each.update({name: lies[name] for name in lies.keys() & each.keys()})
                each.update({"base_commit": "1" * 40} if "base_commit" in each else {})
            report.update(start_commit=report["commit"], base_commit="1" * 40)

        self.forge("auth", lie)
        self.forge("web", lambda report: report.update(branch="deploy"))
        self.assertEqual(self.fetch(), ["auth", "api"])
        base, known = space.commit_of("main"), self.project().state().features
        self.assertEqual([known["auth"].start_commit, known["auth"].base_commit], [base, base])
        self.assertEqual(known["api"].start_commit, space.tip_there("auth"))
        self.assertEqual(known["auth"].branch, "feature/auth")
        self.assertEqual(space.git("branch", "--list", "deploy"), "")


if __name__ == "__main__":
    unittest.main()
