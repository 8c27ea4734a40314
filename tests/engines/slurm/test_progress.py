"""Where a feature is, by its job and its report."""

from __future__ import annotations

import unittest

from core.engines.slurm.jobs import Settings
from core.engines.slurm.programs import Job
from core.engines.slurm.progress import (
    ENDED,
    FeatureProgress,
    Phase,
    Reported,
    is_over,
    progress,
)
from core.engines.slurm.submission import Submission
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

NEEDS: dict[str, tuple[str, ...]] = {"a": (), "b": ("a",), "c": ("a",)}
SUBMISSION = Submission(
    *(Settings("R", "u", "c", "l", "/f"), "l", "main", "feature/", "now"),
    needs=NEEDS,
    jobs={"a": "7", "b": "8", "c": "9"},
    is_complete=True,
)
DONE = Reported("completed", commit="c0ffee", cost_usd=0.5)


def job(id: str, state: str, reason: str = "", *, number: str = "", run: str = "R") -> Job:
    return Job(number or SUBMISSION.jobs.get(id, "1"), f"ror-{run}-{id}", state, reason, "n1")


class ProgressTest(unittest.TestCase):
    def found(self, *jobs: Job, **reports: Reported) -> dict[str, FeatureProgress]:
        return {each.id: each for each in progress(SUBMISSION, jobs, reports)}

    def phase(self, *jobs: Job, **reports: Reported) -> Phase:
        return self.found(*jobs, **reports)["a"].phase

    def test_a_job_that_goes_on_counts_more_than_a_report(self) -> None:
        failed = Reported("failed", "no")
        self.assertIs(self.phase(job("a", "PENDING"), a=failed), Phase.PENDING)
        self.assertIs(self.phase(job("a", "RUNNING"), a=failed), Phase.RUNNING)
        self.assertIs(self.phase(job("a", "COMPLETING"), a=DONE), Phase.RUNNING)

    def test_a_report_tells_how_a_feature_ended_also_when_slurm_forgot_its_job(self) -> None:
        for jobs in ([], [job("a", "COMPLETED")], [job("a", "CANCELLED")]):
            self.assertIs(self.phase(*jobs, a=DONE), Phase.COMPLETED)
        told = self.found(a=Reported("timed_out", "no result after 60 s"))["a"]
        self.assertEqual((told.phase, told.why), (Phase.FAILED, "no result after 60 s"))
        self.assertEqual(self.found(a=Reported("empty"))["a"].why, "empty")
        self.assertIs(self.phase(a=Reported("cancelled", "stopped")), Phase.CANCELLED)

    def test_without_a_report_the_state_of_the_job_says_why(self) -> None:
        for state, why in ENDED.items():
            told = self.found(job("a", state))["a"]
            self.assertEqual((told.phase, told.why), (Phase.FAILED, why))
        self.assertEqual(self.found(job("a", "FAILED"))["a"].why, "its job ended without a report")
        self.assertIs(self.phase(job("a", "CANCELLED")), Phase.CANCELLED)
        told = self.found(job("a", "FAILED", "JobLaunchFailure"))["a"]
        self.assertIn("does the node see the folder", told.why)

    def test_a_feature_without_job_and_report_is_lost_also_if_it_was_claimed(self) -> None:
        self.assertIs(self.phase(), Phase.LOST)
        told = self.found(a=Reported("", machine="node7"))["a"]
        self.assertEqual((told.phase, told.node), (Phase.LOST, "node7"))

    def test_a_dependent_of_a_failure_was_cancelled_by_slurm(self) -> None:
        never = job("b", "CANCELLED", "DependencyNeverSatisfied")
        told = self.found(job("a", "FAILED"), never, a=Reported("failed", "no"))["b"]
        self.assertEqual(told.why, "did not start: a did not complete")
        self.assertIs(told.phase, Phase.CANCELLED)
        # Another one was retried meanwhile.
        self.assertIn("?", self.found(job("a", "COMPLETED"), never, a=DONE)["b"].why)

    def test_why_a_job_waits(self) -> None:
        def why(state: str, reason: str, **reports: Reported) -> str:
            return self.found(job("a", "RUNNING"), job("b", state, reason), **reports)["b"].why

        self.assertEqual(why("PENDING", "Dependency"), "waits for a")
        self.assertIn("held", why("PENDING", "JobHeldUser"))
        self.assertIn("about to cancel", why("PENDING", "DependencyNeverSatisfied"))
        done = (job("b", "PENDING", "Dependency"), job("a", "COMPLETED"))
        self.assertEqual(self.found(*done, a=DONE)["b"].why, "waits for a slot (max_parallel)")
        for reason, why_ in (("Resources", "waits for Slurm (Resources)"), ("", "waits for Slurm")):
            told = self.found(job("a", "COMPLETED"), job("b", "REQUEUED", reason), a=DONE)["b"]
            self.assertEqual(told.why, why_)

    def test_of_several_jobs_of_a_feature_the_one_that_goes_on_counts(self) -> None:
        old, new = job("a", "FAILED", number="7"), job("a", "PENDING", number="5")
        self.assertEqual(self.found(old, new)["a"].job, "5")
        # Else the recorded one, because a restarted controller uses ids again.
        self.assertEqual(self.found(job("a", "FAILED", number="90"), old)["a"].job, "7")
        others = [job("a", "FAILED", number="90"), job("a", "TIMEOUT", number="91")]
        self.assertEqual(self.found(*others)["a"].job, "91")
        self.assertEqual(self.found(job("a", "FAILED", number="5_x"))["a"].job, "5_x")

    def test_jobs_of_other_runs_and_of_unknown_features_do_not_count(self) -> None:
        self.assertIs(self.phase(job("a", "RUNNING", run="S"), job("z", "RUNNING")), Phase.LOST)

    def test_a_run_is_over_when_no_job_is_in_progress(self) -> None:
        self.assertTrue(is_over(progress(SUBMISSION, [], {})))
        self.assertFalse(is_over(progress(SUBMISSION, [job("c", "PENDING")], {})))

    def test_a_feature_runs_on_a_node_and_costs_what_its_report_says(self) -> None:
        found = self.found(job("a", "COMPLETED"), job("b", "RUNNING"), a=DONE)
        self.assertEqual((found["b"].node, found["a"].node), ("n1", ""))
        self.assertEqual(found["a"].to_json()["cost_usd"], 0.5)
