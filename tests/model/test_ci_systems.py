"""The CI system, by its variables."""

from __future__ import annotations

import unittest

from core.model.ci_systems import Ci, ci_of, obeys_lines


class SystemTest(unittest.TestCase):
    def test_it_is_known_by_its_variables(self) -> None:
        for environ, expected, obeys in (
            ({}, Ci.NONE, False),
            ({"CI": "true", "GITHUB_ACTIONS": ""}, Ci.NONE, False),
            ({"GITHUB_ACTIONS": "true"}, Ci.GITHUB, True),
            ({"GITLAB_CI": "true"}, Ci.GITLAB, True),
            ({"TF_BUILD": "True"}, Ci.NONE, True),
            ({"TEAMCITY_VERSION": "2026.1"}, Ci.NONE, True),
        ):
            self.assertIs(ci_of(environ), expected)
            self.assertIs(obeys_lines(environ), obeys)


if __name__ == "__main__":
    unittest.main()
