"""`submit` and `retry` with a Slurm that stand-ins play."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import stat

from core.engines.slurm import environment_file, submission
from core.engines.slurm.environment_file import handed_over
from core.engines.slurm.jobs import Settings
from core.engines.slurm.submission import Submission
from core.journal.lock import Holder, RunLock
from core.model.errors import UserError
from tests.support.commands import read_text
from tests.support.forges import put_program
from tests.support.on_slurm import SlurmTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.page_samples import lasting, samples
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere

KEY = "sk-ant-api03-0123456789abcdefghij"


class SubmitTest(SlurmTest):
    def test_a_job_for_each_feature_waits_for_its_dependencies_and_roots_are_held(self) -> None:
        middle = (feature(id, depends_on=["a"]) for id in "bc")
        self.open(feature("a"), *middle, feature("d", depends_on=["b", "c"]))
        told = self.submit()
        self.assertEqual(told.code, 0, told)
        jobs = self.slurm.jobs()
        self.assertEqual({id: job["number"] for id, job in jobs.items()}, dict(zip("abcd", _ids())))
        self.assertEqual(self.slurm.waits()["b"], "afterok:11")
        self.assertEqual(self.slurm.waits()["d"], "afterok:12:13")
        held = {id: "--hold" in job["words"] for id, job in jobs.items()}
        self.assertEqual(held, {"a": True, "b": False, "c": False, "d": False})
        self.assertEqual(self.slurm.calls("scontrol"), [["scontrol", "release", "11"]])
        self.assertIn("4 jobs submitted to Slurm", told.out)
        self.assertIn("submitted a: job 11", told.err)
        self.assertIn("  d after b, c completed", told.err)
        script = jobs["b"]["words"][-1]
        base = self.shop.commit_of("main")
        self.assertIn(f"run --only b --remote {self.remote} --run-id ", script)
        self.assertTrue(script.endswith(f"--config config/feature_list.json --base {base}"), script)

    def test_the_key_goes_through_a_file_for_this_user_only(self) -> None:
        self.open(feature("a"))
        env = {"ANTHROPIC_API_KEY": KEY, "CLAUDE_CODE_ENTRYPOINT": "cli", "TOKEN": "it's"}
        told = self.submit("--json", "--env", "TOKEN", env=env)
        path = os.path.join(self.folder(told.json["run_id"]), "environment")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        for folder in ("engines", os.path.join("engines", "slurm"), os.path.dirname(path)):
            mode = os.stat(os.path.join(self.shop.state_folder, folder)).st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o700, folder)
        text = read_text(path)
        self.assertIn(f"export ANTHROPIC_API_KEY={KEY}\n", text)
        self.assertIn("export TOKEN='it'\"'\"'s'\n", text)
        self.assertNotIn("ENTRYPOINT", text)
        self.assertNotIn(KEY, json.dumps(self.slurm.state))
        self.assertIn(f". {path} && exec", self.slurm.jobs()["a"]["words"][-1])

    def test_max_parallel_makes_features_wait_for_those_in_their_lane(self) -> None:
        self.open(*(feature(id) for id in "abc"))
        told = self.submit("--max-parallel", "1")
        self.assertEqual(self.slurm.waits(), {"a": "", "b": "afterany:11", "c": "afterany:11:12"})
        self.assertIn("  c after a, b ended", told.err)
        self.assertEqual(self.slurm.calls("scontrol"), [["scontrol", "release", "11"]])

    def test_a_feature_can_wait_for_both(self) -> None:
        self.open(feature("a"), feature("b"), feature("c", depends_on=["b"]))
        told = self.submit("--max-parallel", "1")
        waits = self.slurm.waits()
        self.assertTrue(any("afterok" in w and "afterany" in w for w in waits.values()), waits)
        self.assertIn(" completed and ", told.err)

    def test_options_of_the_user_reach_each_job(self) -> None:
        self.open()
        prologue = self.shop.beside("modules.sh")
        with open(prologue, "w", encoding="utf-8") as file:
            file.write("module load node\n")
        shared = self.shop.beside("shared")
        os.mkdir(shared)
        os.unlink(os.path.join(self.bin, "rorchestrator"))
        words = ("--sbatch-option=--mem=8G", "--sbatch-option=-pgpu", "--only", "b")
        told = self.submit("--json", *words, "--prologue", prologue, "--folder", shared)
        self.assertEqual(told.json["submitted"], ["a", "b"])
        job = self.slurm.jobs()["b"]["words"]
        self.assertIn("--mem=8G", job)
        self.assertIn("-pgpu", job)
        self.assertTrue(job[-1].startswith(f". {prologue}; "), job)
        self.assertTrue(told.json["folder"].startswith(f"{shared}/rorchestrator-"))
        self.assertIn(f"--output={told.json['folder']}/b.%j.out", job)

    def test_a_dry_run_prints_the_commands_and_changes_nothing(self) -> None:
        self.open()
        told = self.shop.main("submit", "--engine", "slurm", "--dry-run", env={"AWS_REGION": "x"})
        self.assertEqual(told.code, 0, told)
        commands = told.out.splitlines()
        self.assertEqual(len(commands), 4)
        self.assertIn("'--dependency=afterok:<b>'", commands[2])
        self.assertEqual(commands[3], "scontrol release '<a>'")
        self.assertIn("/environment && exec", commands[0])
        told = self.shop.main("submit", "--engine", "slurm", "--dry-run", "--json")
        self.assertEqual(told.json["commands"][3], ["scontrol", "release", "<a>"])
        self.assertNotIn("/environment", json.dumps(told.json))
        self.assertEqual(self.slurm.state["calls"], [])
        self.assertFalse(os.path.exists(os.path.join(self.shop.state_folder, "engines")))

    def test_it_asks_first_and_a_no_submits_nothing(self) -> None:
        self.open()
        words = ("submit", "--engine", "slurm")
        self.assertEqual(self.shop.main(*words).code, 2)
        told = self.shop.main(*words, terminal=True, stdin=b"n\n")
        self.assertEqual(told.code, 2)
        self.assertIn("Nothing was submitted.", told.err)
        self.assertEqual(self.slurm.calls("sbatch"), [])
        told = self.shop.main(*words, terminal=True, stdin=b"y\n")
        self.assertEqual(told.code, 0, told)
        self.assertIn("Submit 3 features from main @", told.err)

    def test_the_page_shows_what_it_prints(self) -> None:
        api = feature("api", depends_on=["auth", "search"])
        self.open(feature("auth"), feature("search"), api)
        words = ("--engine", "slurm", "--sbatch-option=--partition=long")
        env = {"ANTHROPIC_API_KEY": KEY}
        told = self.shop.main("submit", *words, terminal=True, stdin=b"y\n", env=env)
        (sample,) = samples("commands/submit.md")
        hint = "rorchestrator status --engine slurm shows their progress\n"
        printed = f"{told.err}{told.out}".replace(hint, "").replace("to\nor", "to or")
        printed = printed.replace("[y/N] ", "[y/N] y\n")
        shown, real = (
            re.sub(r"(Run|@) [\w-]+", r"\1 x", text) for text in (sample.split("\n", 1)[1], printed)
        )
        self.assertEqual(sorted(lasting(real)), sorted(lasting(shown)), told)

    def test_what_has_landed_is_left_out(self) -> None:
        self.open()
        self.shop.finish("a")
        self.shop.git("merge", "--quiet", "--no-edit", "feature/a")
        self.shop.git("push", "--quiet", "origin", "main")
        told = self.submit()
        self.assertEqual(sorted(self.slurm.jobs()), ["b", "c"])
        self.assertIn("left out, already landed: a", told.err)

    def test_a_list_that_bypasses_permissions_needs_the_option(self) -> None:
        self.open(feature("a"))
        self.shop.features(feature("a"), claude={"permission_mode": "bypassPermissions"})
        self.shop.commit({}, "bypass")
        self.shop.git("push", "--quiet", "origin", "main")
        self.assertIn("--allow-bypass", self.submit().err)
        self.assertEqual(self.submit("--allow-bypass").code, 0)
        self.assertTrue(self.slurm.jobs()["a"]["words"][-1].endswith("--allow-bypass"))


class RefusedTest(SlurmTest):
    def refused(self, *words: str, **env: str) -> str:
        told = self.submit(*words, env=env)
        self.assertEqual(told.code, 2, told)
        self.assertIn("next:", told.err)
        self.assertEqual(self.slurm.jobs(), {})
        return told.err

    def test_what_is_missing_is_said_with_the_next_step(self) -> None:
        self.open()
        self.assertIn("--prologue /none: there is no such", self.refused("--prologue", "/none"))
        self.assertIn("--folder /none: there is no such", self.refused("--folder", "/none"))
        self.assertIn("options of sbatch", self.refused("--sbatch-option=--export=ALL"))
        self.assertIn("--env NONE: the variable is not set", self.refused("--env", "NONE"))
        for program in ("git", "sh"):
            os.symlink(shutil.which(program) or "", os.path.join(self.bin, program))
        os.unlink(os.path.join(self.bin, "rorchestrator"))
        self.assertIn("rorchestrator is not on PATH", self.refused(PATH=self.bin))
        os.unlink(os.path.join(self.bin, "scontrol"))
        self.assertIn("scontrol was not found", self.refused(PATH=self.bin))
        self.assertIn("scontrol was not found", self.on("status", env={"PATH": self.bin}).err)

    def test_a_folder_that_can_not_be_written_is_said(self) -> None:
        self.open(feature("a"))
        os.makedirs(self.shop.state_folder)
        with open(os.path.join(self.shop.state_folder, "engines"), "w", encoding="utf-8"):
            pass
        self.assertIn("can't be written", self.refused())

    def test_a_failure_while_submitting_cancels_what_was_submitted(self) -> None:
        self.open()
        self.slurm.refuse("sbatch", "sbatch: error: Batch job submission failed", after=2)
        told = self.submit(env={"ANTHROPIC_API_KEY": KEY})
        self.assertEqual(told.code, 2)
        self.assertIn("2 of 3 jobs were submitted before that, and are cancelled", told.err)
        self.assertIn("--only or --tag", told.err)
        # Nothing is left, and above all no key.
        folder = os.path.join(self.shop.state_folder, "engines", "slurm")
        self.assertEqual(os.listdir(folder), [])
        self.assertIn("sbatch failed: sbatch: error: Batch job submission failed", told.err)
        states = {id: job["state"] for id, job in self.slurm.jobs().items()}
        self.assertEqual(states, {"a": "CANCELLED", "b": "CANCELLED"})
        self.assertEqual(submission.all_of(self.shop.state_folder, "config/feature_list.json"), [])
        self.slurm.refuse("scontrol", "")
        self.assertIn("scontrol failed: exit 1", self.submit().err)
        self.slurm.know(refuse={})
        self.assertEqual(self.submit().code, 0)

    def test_a_controller_that_does_not_answer_leaves_nothing_to_stop(self) -> None:
        self.open()
        says = {"says": "Unable to contact slurm controller", "after": 0}
        self.slurm.know(refuse={"sbatch": says, "squeue": says})
        told = self.submit()
        self.assertIn("sbatch failed: Unable to contact", told.err)
        self.assertIn("sinfo shows whether Slurm answers", told.err)
        self.assertNotIn("could not be cancelled", told.err)

    def test_what_can_not_be_cancelled_is_named_and_stop_finds_it(self) -> None:
        self.open()
        says = {"says": "Unable to contact slurm controller", "after": 0}
        self.slurm.know(refuse={"sbatch": {**says, "after": 2}, "scancel": says})
        told = self.submit()
        self.assertIn("2 held jobs could not be cancelled", told.err)
        self.assertIn("rorchestrator stop --engine slurm --run-id ", told.err)
        self.slurm.know(refuse={})
        told = self.submit()
        self.assertIn("was interrupted, and left 2 jobs behind", told.err)
        shown = self.on("status").out
        self.assertIn("The submission was interrupted; rorchestrator stop", shown)
        self.assertEqual(self.on("stop").code, 0)
        self.assertEqual(self.submit().code, 0)

    def test_an_interruption_while_submitting_cancels_what_was_submitted(self) -> None:
        self.open()
        for program, left in (("squeue", "PENDING"), ("", "CANCELLED")):
            hits = os.path.join(self.bin, "sbatch")
            script = read_text(hits)
            with open(hits, "w", encoding="utf-8") as file:
                file.write(script.replace("exec ", "") + "kill -INT $PPID; sleep 5\n")
            self.slurm.know(refuse={program: {"says": "no", "after": 0}} if program else {})
            told = self.shop.command("submit", "--engine", "slurm", "--yes")
            with open(hits, "w", encoding="utf-8") as file:
                file.write(script)
            self.assertEqual(told.code, 130, told)
            self.assertEqual(self.slurm.jobs()["a"]["state"], left)
            self.slurm.know(jobs=[], refuse={})

    def test_a_submission_may_be_killed_at_any_moment(self) -> None:
        self.open()
        env = {"ANTHROPIC_API_KEY": KEY}
        kill = "kill -KILL $PPID"
        after = "state=$?; {}; exit $state\n"
        for program, script, phase in (
            ("sbatch", f"#!/bin/sh\n{kill}\n", "cancelled"),
            ("sbatch", "exec " + after.format(f"case $* in *-b*) {kill} ;; esac"), "pending"),
            ("scontrol", "exec " + after.format(kill), "pending"),
        ):
            path = os.path.join(self.bin, program)
            plain = read_text(path)
            killing = plain.replace("exec ", "") + script[5:] if script[:4] == "exec" else script
            put_program(self.bin, program, killing)
            told = self.shop.command("submit", "--engine", "slurm", "--yes", env=env)
            put_program(self.bin, program, plain)
            self.assertEqual(told.code, -9, told)
            self.assertEqual(self.phases()["a"], phase)
            if phase == "pending":
                # Once the jobs are released, nothing is missing.
                left = "is still in progress" if program == "scontrol" else "was interrupted, and"
                self.assertIn(left, self.submit().err)
                is_said = "was interrupted;" in self.on("status").out
                self.assertEqual(is_said, program == "sbatch")
                self.assertEqual(self.on("stop").code, 0)
            self.assertEqual(self.phases(), dict.fromkeys("abc", "cancelled"))
            self.assertNotIn("was interrupted;", self.on("status").out)
            for parent, _, names in os.walk(self.shop.state_folder):
                self.assertNotIn("environment", names, parent)
            self.slurm.know(jobs=[])
            self.assertEqual(self.phases(), dict.fromkeys("abc", "cancelled"))

    def test_a_look_during_a_submission_takes_it_for_no_interrupted_one(self) -> None:
        self.open()
        put_program(self.bin, "sbatch", "#!/bin/sh\nkill -KILL $PPID\n")
        told = self.shop.command(
            "submit", "--engine", "slurm", "--yes", env={"ANTHROPIC_API_KEY": KEY}
        )
        self.assertEqual(told.code, -9, told)
        lock = RunLock(self.shop.state_folder)
        lock.acquire(Holder(os.getpid(), "now", "submit"))
        self.assertEqual(self.phases(), dict.fromkeys("abc", "pending"))
        self.assertEqual(self.why("a"), "it is not submitted yet")
        self.assertNotIn("interrupted", self.on("status").out)
        (folder,) = glob.glob(f"{self.shop.state_folder}/engines/slurm/*/")
        self.assertEqual(os.listdir(folder), ["environment"])
        lock.release()
        self.assertEqual(self.phases(), dict.fromkeys("abc", "cancelled"))
        self.assertEqual(os.listdir(folder), [])

    def test_features_of_a_run_in_progress_are_not_submitted_twice(self) -> None:
        self.open()
        run = self.submitted("--only", "b")
        told = self.submit()
        self.assertEqual(told.code, 2)
        self.assertIn(f"run {run} on Slurm is still in progress: a, b", told.err)
        self.assertEqual(len(self.slurm.state["jobs"]), 2)
        self.slurm.know(jobs=[])
        self.assertEqual(self.submit().code, 0)

    def test_the_key_of_a_run_that_ended_unseen_goes_with_the_next_submission(self) -> None:
        self.open(feature("a"), feature("b"))
        env = {"ANTHROPIC_API_KEY": KEY}
        paths = []
        for id, state in (("b", "RUNNING"), ("a", "FAILED"), ("a", "FAILED")):
            run = self.submit("--json", "--only", id, env=env).json["run_id"]
            paths.append(os.path.join(self.folder(run), "environment"))
            self.slurm.set(id, state=state)
        kept = [os.path.exists(path) for path in paths]
        self.assertEqual(kept, [True, False, True], "b still runs")


class RetryTest(SlurmTest):
    def failed(self, *words: str) -> str:
        """A run whose ``b`` failed, so that ``c`` did not start."""
        self.open()
        run = self.submitted(*words)
        self.ended(run, "a")
        self.ended(run, "b", status="failed")
        self.slurm.set("c", state="CANCELLED", reason="DependencyNeverSatisfied")
        return run

    def retry(self, *words: str) -> str:
        told = self.on("retry", *words, "--yes")
        self.assertEqual(told.code, 2, told)
        return told.err

    def test_the_failed_one_and_its_dependents_are_submitted_again(self) -> None:
        run = self.failed()
        told = self.on("retry", "b", "--yes")
        self.assertEqual(told.code, 0, told)
        jobs = self.slurm.jobs()
        self.assertEqual((jobs["b"]["number"], jobs["c"]["number"]), ("14", "15"))
        waits = self.slurm.waits()
        self.assertEqual((waits["b"], waits["c"]), ("", "afterok:14"))
        self.assertEqual(self.slurm.calls("scontrol")[-1], ["scontrol", "release", "14"])
        phases = {"a": "completed", "b": "pending", "c": "pending"}
        self.assertEqual(self.phases(), phases)
        self.assertIn(f"Run {run}: 2 jobs submitted to Slurm", told.out)
        told = self.on("retry", "b", "--json", "--yes", "--quiet")
        self.assertEqual(told.code, 2)
        self.assertIn("b is pending; nothing to retry", told.err)

    def test_typed_twice_at_once_it_submits_once(self) -> None:
        self.failed()
        both = [self.shop.start("retry", "b", "--engine", "slurm", "--yes") for _ in range(2)]
        told = sorted((each.end() for each in both), key=lambda each: each.code)
        self.assertEqual([each.code for each in told], [0, 2])
        self.assertRegex(told[1].err, "retry is running in this repository|b is pending; nothing")
        self.assertEqual(len(self.slurm.calls("sbatch")), 5)

    def test_the_file_with_the_key_is_there_again(self) -> None:
        self.open(feature("a"))
        env = {"ANTHROPIC_API_KEY": KEY}
        run = self.submit("--json", env=env).json["run_id"]
        self.ended(run, "a", status="failed")
        path = os.path.join(self.folder(run), "environment")
        self.assertEqual(self.phases(), {"a": "failed"})
        self.assertFalse(os.path.exists(path))
        self.assertEqual(self.on("retry", "a", "--yes", env=env).code, 0)
        self.assertIn(KEY, read_text(path))
        self.slurm.set("a", state="FAILED")
        self.assertEqual(self.on("retry", "a", "--yes").code, 0)
        self.assertIn(f". {path} && ", self.slurm.jobs()["a"]["words"][-1])

    def test_dependents_that_still_wait_are_cancelled_first(self) -> None:
        self.failed()
        self.slurm.set("c", state="PENDING", reason="DependencyNeverSatisfied")
        self.assertEqual(self.on("retry", "b", "--yes").code, 0)
        self.assertEqual(self.slurm.calls("scancel"), [["scancel", "13"]])

    def test_features_in_progress_in_its_lane_are_waited_for(self) -> None:
        self.open(*(feature(id) for id in "abc"))
        run = self.submitted("--max-parallel", "1")
        self.ended(run, "a", status="failed")
        self.slurm.set("b", state="RUNNING")
        self.assertEqual(self.on("retry", "a", "--yes").code, 0)
        self.assertEqual(self.slurm.waits()["a"], "afterany:12:13")
        self.assertIn("--hold", self.slurm.jobs()["a"]["words"])
        for id in "abc":
            self.slurm.set(id, state="FAILED", reason="None")
        self.assertEqual(self.on("retry", "c", "a", "--yes").code, 0)
        self.assertEqual(self.slurm.waits()["c"], "afterany:15")

    def test_a_dependency_in_progress_is_waited_for(self) -> None:
        self.open(feature("a"), feature("b"), feature("c", depends_on=["a", "b"]))
        run = self.submitted()
        self.ended(run, "a", status="failed")
        self.slurm.set("b", state="RUNNING")
        self.slurm.set("c", state="CANCELLED", reason="DependencyNeverSatisfied")
        self.assertEqual(self.on("retry", "a", "--yes").code, 0)
        self.assertEqual(self.slurm.waits()["c"], "afterok:14:12")

    def test_what_makes_no_sense_is_refused(self) -> None:
        run = self.failed()
        self.assertIn("a is completed; nothing to retry", self.retry("a"))
        said = self.retry("c")
        self.assertIn("c depends on b, which did not complete", said)
        self.assertIn("rorchestrator retry b --engine slurm", said)
        self.assertIn("unknown feature 'x'", self.retry("x"))
        os.rename(self.remote, f"{self.remote}.away")
        self.assertIn("could not be read", self.retry("b"))
        os.rename(f"{self.remote}.away", self.remote)
        self.assertIn("a session does not follow", self.retry("b", "-m", "again"))
        record = os.path.join(self.shop.state_folder, "engines", "slurm", f"{run}.json")
        os.unlink(record)
        self.assertIn("no feature of this list was submitted", self.retry("b"))
        self.assertIn(
            f"run {run} was submitted from another clone", self.retry("b", "--run-id", run)
        )

    def test_a_failure_cancels_new_jobs_whose_ids_are_used_again(self) -> None:
        self.failed()
        # The controller lost its state: it counts from the beginning.
        self.slurm.know(jobs=[], next=12)
        self.slurm.refuse("sbatch", after=1)
        self.retry("b")
        self.assertEqual(self.slurm.jobs()["b"]["number"], "12")
        self.assertEqual(self.slurm.jobs()["b"]["state"], "CANCELLED")

    def test_a_failure_leaves_the_record_of_the_run(self) -> None:
        self.failed()
        self.slurm.refuse("sbatch", after=1)
        self.retry("b")
        self.slurm.know(refuse={})
        self.assertEqual(self.slurm.jobs()["b"]["state"], "CANCELLED")
        self.assertEqual(self.phases()["b"], "failed")
        told = self.on("retry", "b", terminal=True, stdin=b"n\n")
        self.assertEqual(told.code, 2)
        self.assertIn("Submit 2 features of run", told.err)
        self.assertEqual(self.on("retry", "b", "--yes").code, 0)


class VariablesTest(SlurmTest):
    def test_keys_proxies_and_what_git_needs_are_handed_over(self) -> None:
        given = {"ANTHROPIC_API_KEY": "k", "https_proxy": "p", "EDITOR": "vi", "GIT_DIR": "/x"}
        self.assertEqual(sorted(handed_over(given, ())), ["ANTHROPIC_API_KEY", "https_proxy"])
        self.assertEqual(handed_over({"AWS_a.b": "x"}, ()), {})
        names = ("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0", "GIT_SSL_CAINFO")
        git = dict.fromkeys((*names, "GIT_SSH"), "x")
        self.assertEqual(handed_over({**git, "GIT_INDEX_FILE": "x"}, ()), git)

    def test_a_folder_that_can_not_be_written_is_an_error(self) -> None:
        with self.assertRaises(UserError):
            environment_file.write("/dev/null/environment", {"A": "b"})
        with self.assertRaises(UserError) as caught:
            environment_file.remove("/dev/null/environment")
        self.assertIn("holds your keys", caught.exception.message)
        settings = Settings("R", "u", "c", "l", "/f")
        with self.assertRaises(UserError):
            submission.save("/dev/null", Submission(settings, "l", "main", "f/", "now", {}))


def _ids() -> list[str]:
    return [str(number) for number in range(11, 15)]
