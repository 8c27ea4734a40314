"""Pushes and pull requests, as event data and back."""

from __future__ import annotations

import unittest

from core.model.handover import PullRequest, Push, pull_request_of_data, push_of_data


class HandoverTest(unittest.TestCase):
    def test_their_data_lead_back_to_them(self) -> None:
        push = Push("origin", "feature/auth", "c0ffee")
        self.assertEqual(push_of_data(vars(push)), push)
        request = PullRequest("gitlab", 7, "https://example.com/7", "main", "open")
        self.assertEqual(pull_request_of_data(vars(request)), request)


if __name__ == "__main__":
    unittest.main()
