"""Which checks start a testing tool, and how it runs a single file."""

from __future__ import annotations

import unittest

from core.model.list_commands import shell_command
from core.model.testing_tools import (
    JEST,
    PYTEST,
    RAILS,
    RSPEC,
    UNITTEST,
    VITEST,
    ToolCall,
    belongs_to_tests,
    tool_call,
)


def call(line: str) -> ToolCall:
    found = tool_call(shell_command(line))
    assert found is not None, line
    return found


class Recognised(unittest.TestCase):
    def test_a_check_is_repeated_with_one_file_instead_of_what_it_selects(self) -> None:
        python, jest = "tests/test_a.py", "--ci --coverage=false --runTestsByPath"
        for line, file, expected in (
            ("pytest", python, "pytest tests/test_a.py"),
            ("py.test -q tests/unit", python, "py.test tests/test_a.py"),
            (
                "python -m pytest -q -k 'a b' -c x.ini --cov=src -p no:cacheprovider",
                python,
                "python -m pytest -c x.ini -p no:cacheprovider tests/test_a.py",
            ),
            (
                ".venv/bin/pytest --import-mode=importlib -k",
                python,
                ".venv/bin/pytest --import-mode importlib tests/test_a.py",
            ),
            ("python3 -m unittest", python, "python3 -m unittest tests/test_a.py"),
            (
                "PYTHONPATH='a b' python3.11 -B -W error -m unittest discover -s tests -p 'test*'",
                python,
                "env 'PYTHONPATH=a b' python3.11 -B -W error -m unittest tests/test_a.py",
            ),
            ("uv run --frozen pytest", python, "uv run --frozen pytest tests/test_a.py"),
            ("npx --yes jest", "a.test.js", f"npx --yes jest {jest} a.test.js"),
            (
                "node --experimental-vm-modules node_modules/jest/bin/jest.js --config x.js",
                "a.test.js",
                "node --experimental-vm-modules node_modules/jest/bin/jest.js "
                f"{jest} --config x.js a.test.js",
            ),
            ("vitest", "a.spec.tsx", "vitest run a.spec.tsx"),
            (
                "yarn vitest run --root=web src",
                "a.spec.tsx",
                "yarn vitest run --root web a.spec.tsx",
            ),
            ("bundle exec rspec spec/models", "spec/a_spec.rb", "bundle exec rspec spec/a_spec.rb"),
            ("bin/rails test test/models", "test/a_test.rb", "bin/rails test test/a_test.rb"),
            (
                "cd 'my app' && npx jest",
                "my app/-a.test.js",
                f"cd 'my app' && npx jest {jest} ./-a.test.js",
            ),
            ("pytest", "tests/test a;b.py", "pytest 'tests/test a;b.py'"),
        ):
            with self.subTest(line):
                command = call(line).command(file)
                self.assertEqual(command.line, expected)
                self.assertEqual(command.argv, ("/bin/sh", "-c", expected))

    def test_what_may_be_something_else_is_left_alone(self) -> None:
        for line in (
            *(
                "",
                "make test",
                "npm test",
                "echo pytest",
                "rails",
                "rails db:migrate",
                "python x.py",
            ),
            *(
                "pytest || true",
                "pytest; true",
                "pytest > log",
                "pytest $TESTS",
                "pytest test_*.py",
            ),
            *(
                "`pytest`",
                'pytest "$X"',
                "pytest 'a",
                "~/bin/pytest",
                "tox -e py",
                "coverage run x",
            ),
            *("cd .. && pytest", "cd /tmp && pytest", "cd a && cd b && pytest", "cd a && make"),
            *("python -m", "python", "node", "env", "pytestx", "xpytest", "python -m pytest.x"),
        ):
            with self.subTest(line):
                self.assertIsNone(tool_call(shell_command(line)))

    def test_a_hostile_line_takes_no_time(self) -> None:
        for line in ("A=" * 50_000, "env " * 50_000, "python -b " + "-b " * 50_000, "a/" * 50_000):
            self.assertIsNone(tool_call(shell_command(line)))


class Selected(unittest.TestCase):
    def test_a_check_runs_the_test_files_that_it_selects(self) -> None:
        for line, path, expected in (
            ("pytest", "tests/test_a.py", True),
            ("pytest", "a_test.py", True),
            ("pytest", "tests/helpers.py", False),
            ("pytest ./tests/", "tests/test_a.py", True),
            ("pytest tests/test_a.py::Case::test_b", "tests/test_a.py", True),
            ("pytest tests", "tests2/test_a.py", False),
            ("pytest --ignore tests .", "tests/test_a.py", True),
            ("cd web && pytest tests", "web/tests/test_a.py", True),
            ("cd web && pytest tests", "tests/test_a.py", False),
            ("python -m unittest", "tests/testing.py", True),
            ("python -m unittest discover tests", "tests/a/test_a.py", True),
            ("python -m unittest discover tests", "other/test_a.py", False),
            ("python -m unittest discover tests '*_check.py'", "tests/a_check.py", True),
            ("python -m unittest discover -p '*_check.py'", "tests/test_a.py", False),
            ("python -m unittest tests.test_a.Case", "tests/test_a.py", True),
            ("python -m unittest tests.test_a", "tests/test_ab.py", False),
            ("python -m unittest tests/test_a.py", "tests/test_a.py", True),
            ("jest", "src/a.test.tsx", True),
            ("jest", "src/__tests__/a.js", True),
            ("jest src/b", "src/a.test.tsx", False),
            ("jest src/a", "web/src/a.test.tsx", True),
            ("vitest run", "src/a.spec.mts", True),
            ("vitest run", "src/__tests__/a.js", False),
            ("rspec spec/a_spec.rb:3:7", "spec/a_spec.rb", True),
            ("rspec", "spec/spec_helper.rb", False),
            ("rails test", "test/models/a_test.rb", True),
        ):
            with self.subTest(line, path=path):
                self.assertEqual(call(line).runs(path), expected)

    def test_what_tests_need_is_beside_them(self) -> None:
        for path, expected in (
            ("tests/data/a.json", True),
            ("src/conftest.py", True),
            ("src/__snapshots__/a.snap", True),
            ("src/testing/a.py", False),
            ("tests.py", False),
        ):
            self.assertEqual(belongs_to_tests(path), expected, path)


class Passed(unittest.TestCase):
    def test_tests_passed_if_one_ran_and_was_not_skipped(self) -> None:
        for tool, output, expected in (
            (PYTEST, "..\n2 passed in 0.01s", True),
            (PYTEST, "==== \x1b[32m1 passed\x1b[0m, 1 warning in 0.01s ====", True),
            (PYTEST, "2 skipped in 0.01s", False),
            (PYTEST, "no tests ran in 0.01s", False),
            (UNITTEST, "Ran 1 test in 0.000s\n\nOK\n", True),
            (UNITTEST, "Ran 3 tests in 0.000s\n\nOK (skipped=1, expected failures=1)", True),
            (UNITTEST, "Ran 2 tests in 0.000s\n\nOK (skipped=1, expected failures=1)", False),
            (UNITTEST, "Ran 1 test in 0.000s\n\nOK (expected failures=1)", False),
            (UNITTEST, "Ran 0 tests in 0.000s\n\nNO TESTS RAN", False),
            (UNITTEST, "Ran 0 tests in 0.000s\n\nOK", False),
            (JEST, "Tests:       1 skipped, 1 passed, 2 total", True),
            (JEST, "Tests:       1 skipped, 1 total", False),
            (VITEST, " Test Files  1 passed (1)\n      Tests  2 passed (2)\n", True),
            (VITEST, " Test Files  1 skipped (1)\n      Tests  2 skipped (2)\n", False),
            (RSPEC, "2 examples, 0 failures, 1 pending", True),
            (RSPEC, "2 examples, 0 failures, 2 pending", False),
            (RSPEC, "0 examples, 0 failures", False),
            (RAILS, "2 runs, 3 assertions, 0 failures, 0 errors, 1 skips", True),
            (RAILS, "1 runs, 0 assertions, 0 failures, 0 errors, 1 skips", False),
            (RAILS, "", False),
        ):
            with self.subTest(output):
                self.assertEqual(tool.passed(output), expected)


if __name__ == "__main__":
    unittest.main()
