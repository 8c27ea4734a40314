"""Statuses and faults: which are active, fatal or resumable."""

from __future__ import annotations

import unittest

from core.model.outcome import Fault, Status, Usage

ACTIVE = {"preparing", "running", "verifying", "committing"}


UNSUCCESSFUL = {"failed", "timed_out", "empty", "conflict", "blocked", "cancelled", "skipped"}


class Statuses(unittest.TestCase):
    def test_each_is_waiting_active_completed_or_unsuccessful(self) -> None:
        for status in Status:
            with self.subTest(status=status):
                self.assertEqual(status.active, status.value in ACTIVE)
                self.assertEqual(status.unsuccessful, status.value in UNSUCCESSFUL)
        both = ACTIVE | UNSUCCESSFUL
        self.assertEqual({s.value for s in Status} - both, {"pending", "completed"})


class Faults(unittest.TestCase):
    def test_each_says_whether_its_session_is_worth_resuming_and_whether_it_ends_the_run(
        self,
    ) -> None:
        cases = {
            Fault.NONE: (False, False),
            Fault.INTERRUPTED: (True, False),
            Fault.TIMEOUT: (True, False),
            Fault.TRANSIENT: (True, False),
            Fault.LIMIT: (True, False),
            Fault.RATE: (True, False),
            Fault.STALL: (True, False),
            Fault.BUDGET: (True, False),
            Fault.SETUP: (False, False),
            Fault.CHECK: (False, False),
            Fault.ACCOUNT: (True, True),
            Fault.USAGE: (True, True),
            Fault.SESSION: (True, False),
            Fault.TURNS: (True, False),
            Fault.ALLOWANCE: (True, False),
            Fault.COMMIT: (True, False),
            Fault.REQUEST: (True, False),
            Fault.PROGRAM: (True, True),
            Fault.GIT: (True, False),
            Fault.TAMPERED: (True, True),
            Fault.OUTPUT: (False, False),
            Fault.SPACE: (True, True),
        }
        self.assertEqual(set(cases), set(Fault))
        for fault, (resumable, fatal) in cases.items():
            with self.subTest(fault=fault):
                self.assertEqual((fault.resumable, fault.fatal), (resumable, fatal))


class Tokens(unittest.TestCase):
    def test_they_add_up_kind_by_kind(self) -> None:
        self.assertEqual(Usage(1, 2, 3, 4) + Usage(10, 20, 30, 40), Usage(11, 22, 33, 44))
        self.assertEqual(sum([], Usage()), Usage(0, 0, 0, 0))
