"""Claims and reports as files: what is written is read again, and anything else is refused."""

from __future__ import annotations

import json
import unittest

from core.engines.feature_report import (
    Claim,
    FeatureReport,
    Listed,
    claim_in,
    encoded,
    report_in,
    report_ref,
)
from core.model import events
from core.model.errors import UserError
from core.model.outcome import Status

WHOLE = FeatureReport(
    "r1",
    "auth",
    2,
    Status.FAILED,
    reason="line 1\nline 2",
    branch="feature/auth",
    commit="a" * 40,
    start_commit="b" * 40,
    base_branch="main",
    base_commit="c" * 64,
    key="k",
    inputs={"prompt": "1"},
    branch_lease="d" * 40,
    report_lease="e" * 40,
    listed=(Listed("auth", "Auth"), Listed("api", "API", ("auth",))),
    project="Shop",
    max_parallel=3,
    events=(
        events.note(1.0, "x", "hello", "auth"),
        events.attempt_started(2.0, "x", "auth", attempt=4, session_id="", resumed=False, log=""),
    ),
    document={"run": "x"},
)


class FeatureReportTest(unittest.TestCase):
    def test_what_is_written_is_read_again(self) -> None:
        self.assertEqual(report_in(encoded(WHOLE.to_json()), "it"), WHOLE)
        bare = FeatureReport("r1", "auth", 1, Status.COMPLETED)
        self.assertEqual(report_in(encoded(bare.to_json()), "it"), bare)
        claim = Claim(3, "host", 17, "2026-01-02T14:30:15+00:00")
        self.assertEqual(claim_in(encoded(claim.to_json())), claim)
        self.assertEqual((WHOLE.last_number, bare.last_number), (4, 1))
        self.assertEqual(report_ref("r1", "auth"), "refs/rorchestrator/runs/r1/auth")

    def test_a_file_that_is_no_report_is_refused(self) -> None:
        good = WHOLE.to_json()
        for changes in (
            {"format": 2},
            {"commit": "main"},
            {"commit": 1},
            {"status": "fine"},
            {"status": "running"},
            {"status": "pending"},
            {"branch": "a\nb"},
            {"feature": 1},
            {"events": {}},
            {"events": [{}]},
            {"list": ["auth"]},
        ):
            with self.subTest(changes), self.assertRaises(UserError) as met:
                report_in(encoded({**good, **changes}), "it.json")
            self.assertIn("it.json is not a report of run --report: ", met.exception.message)
        for content in (b"", b"[]", b"\xff", b"[" * 100_000):
            with self.assertRaises(UserError):
                report_in(content, "it")
            self.assertEqual(claim_in(content), Claim(0))

    def test_what_has_another_form_in_a_report_is_left_out(self) -> None:
        odd = {**WHOLE.to_json(), "inputs": [], "report": [], "max_parallel": -1}
        found = report_in(json.dumps(odd).encode(), "it")
        self.assertEqual((found.inputs, found.document, found.max_parallel), ({}, {}, 1))


if __name__ == "__main__":
    unittest.main()
