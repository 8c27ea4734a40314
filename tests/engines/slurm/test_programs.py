"""What squeue prints, and how the programs are called."""

from __future__ import annotations

from unittest import mock

from core.engines.slurm import programs
from core.engines.slurm.programs import AT_ONCE, Job, Slurm
from core.model.errors import UserError
from tests.support.forges import put_program
from tests.support.on_slurm import SlurmTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class SlurmProgramsTest(SlurmTest):
    def setUp(self) -> None:
        self.open(feature("a"))

    def test_the_users_own_settings_change_no_answer(self) -> None:
        environ = {
            **self.shop.environ,
            "SQUEUE_FORMAT": "%i",
            "SBATCH_WAIT": "1",
            "SBATCH_CLUSTERS": "other",
            "SLURM_CLUSTERS": "other",
            "SLURM_CONF": "c",
        }
        kept = Slurm(environ).environ
        self.assertFalse((environ.keys() - self.shop.environ.keys() - {"SLURM_CONF"}) & kept.keys())
        self.assertEqual(kept["SLURM_CONF"], "c")

    def test_the_id_of_a_job_comes_without_its_cluster(self) -> None:
        self.slurm.know(cluster=";mine")
        self.assertEqual(Slurm(self.shop.environ).submit(["sbatch", "--job-name=ror-R-a"]), "11")

    def test_a_site_may_print_more_than_the_id(self) -> None:
        def submitted(says: str) -> str:
            put_program(self.bin, "sbatch", f"#!/bin/sh\nprintf '{says}'\n")
            return Slurm(self.shop.environ).submit(["sbatch"])

        self.assertEqual(submitted(r"Your project has 7\n hours left.\n 8\n12;mine\n\n"), "12")
        for garbage in ("", "Submitted batch job 12", r"12\nwelcome\n"):
            with self.assertRaises(UserError) as caught:
                submitted(garbage)
            self.assertIn("no id of a job", caught.exception.message)

    def test_an_sbatch_that_takes_long_is_told(self) -> None:
        told: list[str] = []
        path = self.shop.beside("told")

        def tell() -> None:
            told.append("slow")
            with open(path, "w", encoding="utf-8"):
                pass

        wait = f"while ! test -e '{path}'; do sleep 0.01; done"
        put_program(self.bin, "sbatch", f"#!/bin/sh\n{wait}\necho 12\n")
        with mock.patch.object(programs, "SLOW_SECONDS", 0.01):
            self.assertEqual(Slurm(self.shop.environ, tell).submit(["sbatch"]), "12")
        self.assertEqual(told, ["slow"])

    def test_only_our_jobs_are_read(self) -> None:
        jobs = [
            {"number": "1", "name": "theirs", "state": "RUNNING", "reason": "None", "node": "n1"},
            {"number": "2", "name": "ror-R-a", "state": "RUNNING", "reason": "None", "node": "n1"},
            {"number": "3", "name": "a|b", "state": "RUNNING", "reason": "None", "node": "n1"},
        ]
        self.slurm.know(jobs=jobs)
        slurm = Slurm(self.shop.environ)
        self.assertEqual(slurm.jobs(), [Job("2", "ror-R-a", "RUNNING", "", "n1")])

    def test_a_command_line_has_not_more_ids_than_a_system_allows(self) -> None:
        slurm = Slurm(self.shop.environ)
        slurm.ask_to_end(Job(str(number), "ror-R-a", "PENDING") for number in range(AT_ONCE + 1))
        self.assertEqual([len(c) for c in self.slurm.calls("scancel")], [AT_ONCE + 1, 2])
