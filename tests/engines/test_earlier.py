"""What a remote has of a feature: attempts that reported, and whose its branch is."""

from __future__ import annotations

import os
import unittest

from core.engines.earlier import Earlier, earlier_of, is_of_a_run
from core.engines.feature_report import Claim, FeatureReport, encoded, report_ref
from core.git.channel import Update, open_channel
from core.model.outcome import Status
from core.process.spawner import run_sync
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository

setUpModule = skip_if_run_elsewhere


class EarlierTest(unittest.TestCase):
    def setUp(self) -> None:
        self.remote = Repository()
        self.addCleanup(self.remote.close)
        self.base = self.remote.commit_of("main")
        place = os.path.join(self.remote.root, "channel.git")
        opened = open_channel(place, self.remote.path, self.remote.environ)
        self.channel = run_sync(opened)

    def put(self, run: str, id: str, attempt: int, *parents: str, tip: str = "") -> str:
        """Push a claim, with a report if there is a ``tip``."""
        files = {"claim.json": encoded(Claim(attempt).to_json())}
        if tip:
            report = FeatureReport(run, id, attempt, Status.FAILED, commit=tip)
            files["report.json"] = encoded(report.to_json())
        commit = run_sync(self.channel.write(files, parents, "x"))
        update = Update(report_ref(run, id), commit, "".join(parents))
        self.assertTrue(run_sync(self.channel.push([update])).is_done)
        return commit

    def known(self) -> Earlier:
        return run_sync(earlier_of(self.channel, "r1", ["auth"])).get("auth", Earlier())

    def test_the_newest_claim_counts_and_the_newest_report_behind_it(self) -> None:
        self.assertEqual(self.known(), Earlier())
        claim = self.put("r1", "auth", 1)
        self.assertEqual(self.known(), Earlier(claim, Claim(1)))
        first = self.put("r1", "auth", 1, claim, tip=self.base)
        self.assertTrue(self.known().has_reported)
        again = self.put("r1", "auth", 2, first)
        known = self.known()
        self.assertEqual((known.commit, known.claim.attempt), (again, 2))
        self.assertFalse(known.has_reported)
        assert known.report is not None
        self.assertEqual(known.report.attempt, 1)
        self.assertEqual(run_sync(earlier_of(self.channel, "r1", [])), {})

    def test_a_file_that_is_no_report_of_this_feature_counts_for_nothing(self) -> None:
        first = self.put("r1", "auth", 1, tip=self.base)
        files = {"claim.json": encoded(Claim(2).to_json())}
        other = FeatureReport("r1", "api", 2, Status.COMPLETED, commit=self.base)
        for content in (b"{", encoded(other.to_json())):
            files["report.json"] = content
            commit = run_sync(self.channel.write(files, [first], "x"))
            update = Update(report_ref("r1", "auth"), commit, self.known().commit)
            self.assertTrue(run_sync(self.channel.push([update])).is_done)
            known = self.known()
            self.assertEqual(known.report and known.report.attempt, 1)
            self.assertFalse(known.has_reported or known.has_completed)

    def test_a_ref_that_is_no_commit_counts_for_nothing(self) -> None:
        self.put("r1", "api", 1, tip=self.base)
        ref, tag = report_ref("r1", "auth"), ("tag", "-a", "-m", "x", "v1", "main")
        self.remote.git(*tag)
        for name in ("main:", "main^{tree}", "v1", f"{report_ref('r1', 'api')}:claim.json"):
            self.remote.git("update-ref", ref, self.remote.git("rev-parse", name).strip())
            found = run_sync(earlier_of(self.channel, "r1", ["auth", "api"]))
            self.assertEqual((found["auth"].claim, found["auth"].report), (Claim(0), None))
            self.assertTrue(found["api"].has_reported)

    def test_a_commit_that_git_would_not_make_hides_no_other(self) -> None:
        self.put("r1", "auth", 1, tip=self.base)
        tree = self.remote.git("rev-parse", "main^{tree}")
        odd = f"tree {tree}\nauthor x 1 +0000\ncommitter x 1 +0000\n\nx\n".encode()
        words = ("hash-object", "-t", "commit", "-w", "--literally", "--stdin")
        self.remote.git("update-ref", report_ref("r1", "api"), self.remote.git(*words, stdin=odd))
        found = run_sync(earlier_of(self.channel, "r1", ["auth", "api"]))
        self.assertTrue(found["auth"].has_reported)
        self.assertEqual(found["api"].claim, Claim(0))

    def is_ours(self, tip: str) -> bool:
        run_sync(self.channel.fetch("+refs/heads/*:refs/known/*"))
        return run_sync(is_of_a_run(self.channel, self.channel.git, tip, self.base, "auth"))

    def test_a_trailer_or_a_report_of_any_run_says_whose_a_branch_is(self) -> None:
        self.assertTrue(self.is_ours(self.base))
        tip = self.remote.commit({"a": "1"}, "x\n\nRoRchestrator-Feature: other")
        self.assertFalse(self.is_ours(tip))
        self.put("r0", "auth", 1, tip=tip)
        self.assertTrue(self.is_ours(tip))
        made = self.remote.commit({"b": "1"}, "x\n\nRoRchestrator-Feature: auth")
        self.assertTrue(self.is_ours(made))


if __name__ == "__main__":
    unittest.main()
