"""What squeue prints, and how the programs are called."""

from __future__ import annotations

from core.engines.slurm.programs import AT_ONCE, Job, Slurm
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
            "SLURM_CONF": "c",
        }
        kept = Slurm(environ).environ
        self.assertFalse({"SQUEUE_FORMAT", "SBATCH_WAIT"} & kept.keys())
        self.assertEqual(kept["SLURM_CONF"], "c")

    def test_the_id_of_a_job_comes_without_its_cluster(self) -> None:
        self.slurm.know(cluster=";mine")
        self.assertEqual(Slurm(self.shop.environ).submit(["sbatch", "--job-name=ror-R-a"]), "11")

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
