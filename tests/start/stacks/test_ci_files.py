"""Commands in CI files, of several systems."""

from __future__ import annotations

import unittest

from core.start.stacks.ci_files import commands_of_ci, tests_of_ci
from tests.support.trees import tree

GITHUB = """\
on: push
jobs:
  test:
    steps:
      - uses: actions/checkout@v4
      # - run: make nothing
      - name: Install
        run: pip install -r requirements.txt
      - run: |
          make lint
          make test

      - run: "pytest -q"
      - name: Matrix
        run: make test PYTHON=${{ matrix.python }}
        env:
          A: b
"""
GITLAB = """\
test:
  script:
  - ./scripts/run-tests.sh
  - echo done
  only:
  - main
lint: {script: ignored}
"""


class CiFiles(unittest.TestCase):
    def test_commands_of_one_line_and_of_blocks_are_read(self) -> None:
        found = commands_of_ci(tree({".github/workflows/ci.yml": GITHUB}))
        install = "pip install -r requirements.txt"
        varying = "make test PYTHON=${{ matrix.python }}"
        self.assertEqual(found, [install, "make lint", "make test", "pytest -q", varying])

    def test_a_list_may_stand_below_its_key(self) -> None:
        found = commands_of_ci(tree({".gitlab-ci.yml": GITLAB}))
        self.assertEqual(found, ["./scripts/run-tests.sh", "echo done"])

    def test_only_tests_count_and_those_that_need_nothing_of_the_ci_system(self) -> None:
        both = {".github/workflows/ci.yml": GITHUB, ".gitlab-ci.yml": GITLAB, "ci.yml": "run: tox"}
        expected = ["make lint", "make test", "pytest -q", "./scripts/run-tests.sh"]
        self.assertEqual(tests_of_ci(tree(both)), expected)

    def test_what_is_a_test(self) -> None:
        for line, is_one in (
            ("go test ./...", True),
            ("./gradlew clean check", False),
            ("./gradlew check", True),
            ("mvn -B verify", True),
            ("tests.sh", True),
            ("test -f README.md", True),
            ("npm testing", False),
            ("make deploy", False),
            ("pytest `cat x`", False),
            ("make test \\", False),
        ):
            with self.subTest(line):
                found = tests_of_ci(tree({".travis.yml": f"script: {line}\n"}))
                self.assertEqual(found, [line] if is_one else [])


if __name__ == "__main__":
    unittest.main()
