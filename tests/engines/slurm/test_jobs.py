"""Command lines of sbatch, and the scripts of jobs."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest

from core.engines.slurm.jobs import (
    Settings,
    Waits,
    check_options,
    feature_of,
    job_name,
    sbatch,
    script,
)
from core.model.errors import UserError
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

SETTINGS = Settings("R1", "/srv/shop.git", "c0ffee", "config/feature_list.json", "/home/me/jobs")


class CommandTest(unittest.TestCase):
    def words(self, waits: Waits, **jobs: str) -> list[str]:
        return sbatch(SETTINGS, waits, jobs, {"PATH": "/bin", "HOME": "/home/me"}, held=False)

    def test_a_job_waits_for_the_success_of_some_and_for_the_end_of_others(self) -> None:
        words = self.words(Waits("d", ("b", "c"), ("a", "e")), b="4", c="5", a="3", e="6")
        self.assertIn("--dependency=afterok:4:5,afterany:3:6", words)
        self.assertIn("--kill-on-invalid-dep=yes", words)
        self.assertIn("--job-name=ror-R1-d", words)

    def test_what_has_no_job_is_not_waited_for(self) -> None:
        self.assertFalse([w for w in self.words(Waits("b", ("a",))) if "--dependency" in w])
        self.assertIn("--dependency=afterany:9", self.words(Waits("b", ("a",), ("c",)), c="9"))

    def test_only_plain_variables_are_exported(self) -> None:
        self.assertIn("--export=HOME,PATH", self.words(Waits("a")))
        self.assertIn("--export=NONE", sbatch(SETTINGS, Waits("a"), {}, {}, held=False))

    def test_options_of_the_user_can_replace_the_limits_but_not_what_is_ours(self) -> None:
        settings = Settings("R1", "u", "c", "l", "/50%off", options=("--signal=USR1", "-p", "x"))
        words = sbatch(settings, Waits("a"), {}, {}, held=True)
        self.assertLess(words.index("--signal=B:TERM@60"), words.index("--signal=USR1"))
        self.assertLess(words.index("--signal=USR1"), words.index("--export=NONE"))
        self.assertIn("--hold", words)
        self.assertIn("--output=/50%%off/a.%j.out", words)

    def test_the_script_replaces_itself_with_the_command(self) -> None:
        self.assertEqual(
            script(SETTINGS, "auth"),
            "exec rorchestrator run --only auth --remote /srv/shop.git --run-id R1 "
            "--report /home/me/jobs/auth.json --config config/feature_list.json --base c0ffee",
        )

    def test_the_script_first_reads_the_prologue_then_the_variables(self) -> None:
        settings = Settings(
            *("R1", "u", "c", "l", "/f"),
            prologue="/my modules",
            environment="/e",
            allow_bypass=True,
        )
        said = script(settings, "auth")
        self.assertTrue(said.startswith(". '/my modules'; . /e && exec rorchestrator run "), said)
        self.assertTrue(said.endswith(" --allow-bypass"), said)

    def code(self, **files: str) -> int:
        """The exit code of a script whose command exits with 7; the files have these texts."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**files, "rorchestrator": "#!/bin/sh\nexit 7"}.items():
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(f"{text}\n")
            os.chmod(os.path.join(folder, "rorchestrator"), 0o755)
            prologue, environment = (f"{folder}/{name}" for name in ("prologue", "environment"))
            settings = Settings("R1", "u", "c", "l", "/f", (), prologue, environment)
            words = ("/bin/sh", "-c", script(settings, "auth"))
            env = {"PATH": f"{folder}{os.pathsep}{os.defpath}"}
            return subprocess.run(words, env=env, capture_output=True, check=False).returncode

    def test_a_prologue_may_end_with_a_test_that_fails(self) -> None:
        self.assertEqual(self.code(prologue="[ -n '' ] && echo", environment=""), 7)

    def test_a_file_that_is_missing_ends_a_job(self) -> None:
        for given in ("prologue", "environment"):
            self.assertIn(self.code(**{given: ""}), (1, 2, 127))

    def test_the_name_of_a_job_tells_run_and_feature(self) -> None:
        self.assertEqual(feature_of(job_name("R1", "a-b"), "R1"), "a-b")
        self.assertEqual(feature_of(job_name("R2", "a"), "R1"), "")


class OptionTest(unittest.TestCase):
    def test_what_a_user_of_slurm_needs_is_accepted(self) -> None:
        check_options(
            ("--partition=gpu", "-Amine", "--mem=8G", "--cpus-per-task=4", "-t4:00:00", "--qos=low")
        )

    def test_another_cluster_is_refused_with_the_place_for_it(self) -> None:
        for option in ("--clusters=big", "--cluster", "-Mbig", "-M"):
            with self.subTest(option), self.assertRaises(UserError) as caught:
                check_options((option,))
            self.assertIn("can't be added: a run is on one cluster", caught.exception.message)
            self.assertIn("on a login node of that cluster", caught.exception.hint)

    def test_what_would_break_a_submission_or_show_a_key_is_refused(self) -> None:
        for option in (
            *("--export=ALL", "--exp=ALL", "--wrap=x", "-d5", "--dependency=5", "-Jname", "--wait"),
            *("--array=1-3", "-H", "--output=x", "--", "-", "", "script.sh", "--parsable"),
        ):
            with self.subTest(option), self.assertRaises(UserError) as caught:
                check_options(("--mem=1G", option))
            self.assertIn("can't be added to the options of sbatch", caught.exception.message)
