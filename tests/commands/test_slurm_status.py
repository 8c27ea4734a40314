"""`status` and `stop` of a run on Slurm, which stand-ins play."""

from __future__ import annotations

import json
import os
from typing import Any
from unittest import mock

from core.engines.slurm import run_on_slurm, submission
from core.journal.lock import Holder, RunLock
from core.model.frozen import replace
from tests.support.commands import read_text
from tests.support.forges import put_program
from tests.support.on_slurm import SlurmTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere

KEY = {"ANTHROPIC_API_KEY": "sk-ant-api03-0123456789abcdefghij"}


class StatusTest(SlurmTest):
    def test_each_feature_with_its_job_its_node_its_cost_and_the_reason(self) -> None:
        self.open()
        run = self.submitted()
        self.ended(run, "a")
        self.tell(run, "b")
        self.slurm.set("b", state="RUNNING", reason="None", node="node7")
        told = self.on("status")
        self.assertEqual(told.code, 0, told)
        self.assertIn(f"Run {run} on Slurm, from main @", told.out)
        rows = {line.split()[0]: line.split()[1:] for line in told.out.splitlines()[2:]}
        self.assertEqual(rows["a"], ["completed", "11", "$0.25"])
        self.assertEqual(rows["b"], ["running", "12", "node7"])
        self.assertIn("    waits for b\n", told.out)
        self.assertIn("1 of 3 completed, $0.25 so far", told.out)
        self.assertNotIn("so far", self.on("status", "--quiet").out)

    def test_the_end_is_told_with_the_next_step_and_the_file_with_the_key_removed(self) -> None:
        self.open()
        run = self.submit("--json", env=KEY).json["run_id"]
        path = os.path.join(self.folder(run), "environment")
        self.ended(run, "a")
        self.slurm.set("b", state="RUNNING")
        self.assertFalse(self.status()["is_over"])
        self.assertTrue(os.path.exists(path))
        self.tell(run, "b", "failed", reason="the check `make` failed")
        self.slurm.set("b", state="FAILED")
        self.slurm.set("c", state="CANCELLED", reason="DependencyNeverSatisfied")
        output = os.path.join(self.folder(run), "b.12.out")
        with open(output, "w", encoding="utf-8"):
            pass
        told = self.on("status", "--color", "always")
        self.assertIn("the check `make` failed", told.out)
        self.assertIn(f"output: {output}", told.out)
        self.assertNotIn("    | ", told.out)  # The report says why.
        self.assertIn("rorchestrator retry b --engine slurm submits them again.", told.out)
        self.assertIn("the file with the variables of the jobs was removed", told.err)
        self.assertFalse(os.path.exists(path))
        said = self.status()
        self.assertEqual(said["counts"]["failed"], 1)
        self.assertEqual(said["cost_usd"], 0.5)
        self.assertTrue(said["is_over"])

    def test_what_slurm_forgot_is_told_by_its_report_and_is_lost_without_one(self) -> None:
        self.open()
        run = self.submitted()
        self.ended(run, "a")
        self.slurm.forget("a", "b", "c")
        self.assertEqual(self.phases(), {"a": "completed", "b": "lost", "c": "cancelled"})
        self.assertEqual(self.why("c"), "did not start: b did not complete")
        self.assertIn("Slurm does not know its job any more", self.why("b"))

    def test_without_a_report_the_last_lines_of_the_output_say_why(self) -> None:
        self.open(feature("a"))
        run = self.submitted()
        self.slurm.set("a", state="FAILED")
        with open(os.path.join(self.folder(run), "a.11.out"), "w", encoding="utf-8") as file:
            file.write("1\n2\n3\nexec: rorchestrator: not found\x1b[2J\nsk-ant-api03-abcdefghijk\n")
        told = self.on("status").out
        self.assertIn("    | exec: rorchestrator: not found\n    | [masked Anthropic key]\n", told)
        self.assertNotIn("| 2\n", told)

    def test_another_clone_knows_a_run_by_its_id(self) -> None:
        self.open()
        run = self.submitted("--only", "b")
        self.ended(run, "a")
        os.rename(
            os.path.join(self.shop.state_folder, "engines"),
            os.path.join(self.shop.state_folder, "away"),
        )
        told = self.on("status", "--run-id", run, "--remote", "origin", "--json")
        found = {each["id"]: each["phase"] for each in told.json["features"]}
        self.assertEqual(found, {"a": "completed", "b": "pending"})
        self.assertEqual(told.json["submitted_at"], "")
        told = self.on("status", "--run-id", "other")
        self.assertEqual(told.code, 2)
        self.assertIn("knows a run other", told.err)
        self.assertIn("no feature of this list was submitted", self.on("status").err)

    def test_a_damaged_record_is_like_none(self) -> None:
        self.open(feature("a"))
        run = self.submitted()
        record = f"{self.folder(run)}.json"
        good = read_text(record)
        moment = json.loads(good)["submitted_at"]
        for damaged in ("{}", "[]", good.replace(moment, "yesterday")):
            with open(record, "w", encoding="utf-8") as file:
                file.write(damaged)
            self.assertIn("no feature of this list was submitted", self.on("status").err)

    def test_the_last_run_is_the_last_one_also_where_the_clock_went_back_for_winter(self) -> None:
        self.open(feature("a"))
        first = self.submitted()
        self.slurm.know(jobs=[])
        runs = (first, self.submitted())
        moments = ("2026-10-25T02:50:00.000+02:00", "2026-10-25T02:10:00.000+01:00")
        for run, moment, name in zip(runs, moments, ("20261025T025000-1", "20261025T021000-2")):
            path = f"{self.folder(run)}.json"
            record = json.loads(read_text(path).replace(run, name))
            with open(f"{self.folder(name)}.json", "w", encoding="utf-8") as file:
                json.dump({**record, "submitted_at": moment}, file)
            os.unlink(path)
        self.assertEqual(self.status()["run_id"], "20261025T021000-2")

    def test_a_report_of_another_format_counts_as_none(self) -> None:
        self.open(feature("a"))
        run = self.submitted()
        self.tell(run, "a", "completed", format=99)
        self.slurm.set("a", state="RUNNING")
        self.assertEqual(self.phases(), {"a": "running"})

    def test_the_options_of_engines_need_an_engine(self) -> None:
        self.open(feature("a"))
        for command in (("status",), ("stop",), ("retry", "a")):
            told = self.shop.main(*command, "--run-id", "R")
            self.assertEqual(told.code, 2)
            self.assertIn("--run-id is for a run on many machines", told.err)
            self.assertIn("add --engine slurm", told.err)

    def test_without_an_engine_several_features_are_retried_in_one_run(self) -> None:
        self.open()
        told = self.shop.main("retry", "a", "b", "-m", "again")
        self.assertIn("--message and --attempts apply to one feature", told.err)
        told = self.shop.main("retry", "a", "b")
        self.assertIn("next: rorchestrator retry a b --yes", told.err)
        self.assertIn("unknown feature 'x'", self.shop.main("retry", "a", "x").err)

    def test_a_cluster_that_does_not_answer_is_said(self) -> None:
        self.open(feature("a"))
        self.submitted()
        self.slurm.refuse("squeue", "slurm_load_jobs error: Unable to contact slurm controller")
        told = self.on("status")
        self.assertEqual(told.code, 2)
        self.assertIn("squeue failed: slurm_load_jobs error", told.err)

    def test_without_the_remote_it_shows_what_slurm_knows(self) -> None:
        self.open(*(feature(id) for id in "abcdef"))
        run = self.submit("--json", env=KEY).json["run_id"]
        self.slurm.set("a", state="RUNNING", reason="None", node="node7")
        self.slurm.set("b", state="COMPLETED", reason="None")
        self.slurm.set("c", state="FAILED", reason="NonZeroExitCode")
        self.slurm.set("d", state="OUT_OF_MEMORY")
        self.slurm.forget("e")
        os.rename(self.remote, f"{self.remote}.away")
        told = self.on("status")
        self.assertEqual(told.code, 1)
        rows = {line.split()[0]: line.split()[1:] for line in told.out.splitlines()[2:]}
        self.assertEqual(rows["a"], ["running", "11", "node7"])
        self.assertEqual(rows["b"], ["completed", "12"])
        self.assertEqual(rows["c"], ["failed", "13"])
        self.assertIn("    its job failed\n", told.out)
        self.assertIn("    its job needed more memory", told.out)
        self.assertEqual(rows["e"], ["unknown", "15"])
        self.assertEqual(rows["f"], ["pending", "16"])
        self.assertTrue(told.out.endswith("1 of 6 completed, by the state of their jobs\n"))
        self.assertIn(f"the repository {self.remote} could not be read: ", told.err)
        self.assertIn("only Slurm was asked: reports, branches and costs are unknown", told.err)
        again = f"rorchestrator status --engine slurm --run-id {run}"
        self.assertIn(f"next: once git ls-remote {self.remote} works: {again}\n", told.err)

    def test_json_without_the_remote_says_so(self) -> None:
        self.open()
        run = self.submit("--json", env=KEY).json["run_id"]
        for id in "abc":
            self.slurm.set(id, state="FAILED")
        os.rename(self.remote, f"{self.remote}.away")
        told = self.on("status", "--json")
        self.assertEqual(told.code, 1)
        self.assertIn("could not be read", told.json["remote_error"])
        self.assertEqual(told.json["counts"]["failed"], 3)
        self.assertIsNone(told.json["cost_usd"])
        self.assertNotIn("retry", self.on("status").out)
        self.assertFalse(os.path.exists(os.path.join(self.folder(run), "environment")))
        os.rename(f"{self.remote}.away", self.remote)
        self.assertEqual(self.status()["remote_error"], "")

    def test_another_clone_without_the_remote_knows_jobs_alone(self) -> None:
        self.open()
        run = self.submitted()
        os.rename(
            os.path.join(self.shop.state_folder, "engines"),
            os.path.join(self.shop.state_folder, "away"),
        )
        os.rename(self.remote, f"{self.remote}.away")
        told = self.on("status", "--run-id", run, "--json")
        self.assertEqual((told.code, told.json["counts"]["pending"]), (1, 3))
        told = self.on("status", "--run-id", "other")
        self.assertEqual((told.code, told.out), (2, ""))
        self.assertIn("could not be read", told.err)

    def test_the_file_with_the_key_stays_for_a_retry_that_began_meanwhile(self) -> None:
        self.open(feature("a"))
        run = self.submit("--json", env=KEY).json["run_id"]
        self.ended(run, "a", status="failed")
        path = os.path.join(self.folder(run), "environment")
        lock = RunLock(self.shop.state_folder)
        lock.acquire(Holder(os.getpid(), "now", "retry"))
        self.assertTrue(self.status()["is_over"])
        lock.release()
        self.assertTrue(os.path.exists(path))
        ask = run_on_slurm.reports_of

        def asked(*words: Any) -> Any:
            told = ask(*words)
            with mock.patch.object(run_on_slurm, "reports_of", ask):
                self.assertEqual(self.on("retry", "a", "--yes").code, 0)
            return told

        with mock.patch.object(run_on_slurm, "reports_of", asked):
            self.assertTrue(self.status()["is_over"])
        self.assertTrue(os.path.exists(path))
        self.ended(run, "a")
        self.status()
        self.assertFalse(os.path.exists(path))


class StopTest(SlurmTest):
    def stop(self, *words: str) -> Any:
        with mock.patch.object(run_on_slurm, "POLL_SECONDS", 0.01):
            return self.on("stop", *words)

    def test_all_jobs_of_the_run_are_cancelled_those_that_wait_first(self) -> None:
        self.open()
        run = self.submit("--json", env=KEY).json["run_id"]
        self.slurm.know(looks=2)
        self.slurm.set("a", state="RUNNING", reason="None")
        self.tell(run, "a", "cancelled", commit="1" * 40, reason="stopped")
        told = self.stop()
        self.assertEqual(told.code, 0, told)
        told_to_end = ["scancel", "--batch", "--signal=TERM", "11"]
        self.assertEqual(self.slurm.calls("scancel"), [["scancel", "12", "13"], told_to_end])
        self.assertIn("a: cancelled; its work so far is on the remote (1111111111)", told.out)
        self.assertIn("b: cancelled\n", told.out)
        self.assertIn("waiting for the end of 3 jobs", told.err)
        self.assertFalse(os.path.exists(os.path.join(self.folder(run), "environment")))
        told = self.stop()
        self.assertEqual(told.code, 2)
        self.assertIn("nothing to stop", told.err)
        self.assertEqual(self.stop("--json").json["stopped"], [])

    def test_jobs_end_also_while_the_remote_does_not_answer(self) -> None:
        self.open()
        run = self.submit("--json", env=KEY).json["run_id"]
        os.rename(self.remote, f"{self.remote}.away")
        told = self.stop()
        self.assertEqual((told.code, told.err.count("could not be read")), (0, 0), told)
        self.assertIn("a: cancelled\n", told.out)
        self.assertFalse(os.path.exists(os.path.join(self.folder(run), "environment")))

    def test_one_feature_can_be_stopped(self) -> None:
        self.open()
        self.submitted()
        told = self.stop("c", "--json", "--quiet")
        self.assertEqual(told.json["stopped"], ["c"])
        self.assertEqual(self.phases(), {"a": "pending", "b": "pending", "c": "cancelled"})
        # Before it could say anything.
        self.slurm.set("c", state="FAILED", reason="NonZeroExitCode")
        self.assertEqual(self.why("c"), "its job was cancelled")
        self.slurm.forget("c")
        self.assertEqual(self.why("c"), "its job was cancelled")
        self.assertIn("unknown feature 'x'", self.stop("x").err)

    def test_a_retry_at_the_same_time_keeps_its_jobs(self) -> None:
        self.open()
        run = self.submitted()
        lock = RunLock(self.shop.state_folder)
        lock.acquire(Holder(os.getpid(), "now", "retry"))

        def retried(seconds: float) -> None:
            known = submission.load(self.shop.state_folder, run)
            assert known is not None
            self.assertEqual(known.cancelled, ())
            jobs = {**known.jobs, "a": "14"}
            submission.save(self.shop.state_folder, replace(known, jobs=jobs))
            lock.release()

        with mock.patch.object(run_on_slurm.time, "sleep", retried):
            self.stop("c")
        noted = submission.load(self.shop.state_folder, run)
        assert noted is not None
        self.assertEqual((noted.jobs["a"], noted.cancelled), ("14", ("c",)))

    def test_a_retry_that_goes_on_is_not_waited_for(self) -> None:
        self.open()
        self.submitted()
        lock = RunLock(self.shop.state_folder)
        lock.acquire(Holder(os.getpid(), "now", "retry"))
        self.addCleanup(lock.release)
        with mock.patch.object(run_on_slurm, "SETTLE_SECONDS", 0.0):
            self.assertEqual(self.stop("c").code, 0)

    def test_a_job_that_does_not_end_is_cancelled(self) -> None:
        self.open(feature("a"))
        self.submitted()
        self.slurm.know(looks=0)
        self.slurm.set("a", state="RUNNING")
        with mock.patch.object(run_on_slurm, "GRACE_SECONDS", 0.0):
            self.assertIn("a: cancelled", self.stop().out)
        self.assertEqual(self.slurm.calls("scancel")[1], ["scancel", "11"])

    def test_a_job_that_does_not_end_even_then_is_told(self) -> None:
        self.open(feature("a"))
        self.submitted()
        self.slurm.set("a", state="RUNNING")
        put_program(self.bin, "scancel", "#!/bin/sh\n")
        with mock.patch.multiple(run_on_slurm, GRACE_SECONDS=0.0, SETTLE_SECONDS=0.0):
            told = self.stop()
        self.assertEqual(told.code, 1)
        self.assertIn("1 job still in progress: a", told.err)
