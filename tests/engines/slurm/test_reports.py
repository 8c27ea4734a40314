"""What the remote says of a run, whoever wrote it."""

from __future__ import annotations

import os
import unittest

from core.engines.feature_report import Claim, FeatureReport, encoded, report_ref
from core.engines.slurm.progress import Reported
from core.engines.slurm.reports import reports_of
from core.git.channel import Update, open_channel
from core.model.outcome import Status
from core.process.spawner import run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository

setUpModule = skip_if_run_elsewhere


class Reports(unittest.TestCase):
    def setUp(self) -> None:
        self.remote = Repository()
        self.addCleanup(self.remote.close)

    def reported(self, report: bytes) -> Reported:
        """What is said of a feature whose ref has this report and a claim of the node n1."""
        place = os.path.join(self.remote.root, "channel.git")
        channel = run_sync(open_channel(place, self.remote.path, self.remote.environ))
        files = {"claim.json": encoded(Claim(1, "n1").to_json()), "report.json": report}
        update = Update(report_ref("r1", "auth"), run_sync(channel.write(files, (), "x")), "")
        self.assertTrue(run_sync(channel.push([update])).is_done)
        found = reports_of(self.remote.path, "r1", self.remote.environ)
        return found["auth"]

    def made(self, feature: str, **document: object) -> bytes:
        report = FeatureReport("r1", feature, 1, Status.FAILED, "no", document=document)
        return encoded(report.to_json())

    def test_a_report_tells_what_the_feature_cost(self) -> None:
        expected = Reported("failed", "no", cost_usd=1.5)
        self.assertEqual(self.reported(self.made("auth", total_cost_usd=1.5)), expected)

    def test_no_number_is_too_large_for_a_cost(self) -> None:
        for huge in (10**400, float("nan")):
            with self.subTest(huge=huge):
                self.setUp()
                self.assertIsNone(self.reported(self.made("auth", total_cost_usd=huge)).cost_usd)

    def test_a_report_of_another_feature_says_nothing(self) -> None:
        self.assertEqual(self.reported(self.made("api")), Reported("", machine="n1"))


if __name__ == "__main__":
    unittest.main()
