"""Tests that a feature added, run at the commit that it started from, with the real tools."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import time
import unittest
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from core.git.opening import open_repository
from core.model.list_commands import shell_command
from core.process.cancellation import Cancellation
from core.process.supervisor import Supervisor
from core.runner.added_tests import MOST, AddedTest, AddedTests
from core.runner.context import RunContext
from core.runner.steps import StepRunner
from core.worktree.manager import WorktreeManager
from tests.support.once import skip_if_run_elsewhere
from tests.support.repository import Repository

setUpModule = skip_if_run_elsewhere

PYTHON = shlex.quote(sys.executable)
UNITTEST = f"{PYTHON} -m unittest discover -s tests"
PYTEST = f"{PYTHON} -m pytest -q"

IN_CI = os.environ.get("RORCHESTRATOR_TEST_PACKAGE") == "1"
"""Whether the tools of .ci/requirements.txt have to be there."""

CALC = "def add(a, b):\n    return a + b\n"
DOUBLED = f"{CALC}\n\ndef double(a):\n    return 2 * a\n"


def test_of(line: str, before: str = "") -> str:
    """A test file whose only test has this line."""
    return (
        f"import unittest\n\nimport calc\n{before}\n\nclass T(unittest.TestCase):\n"
        f"    def test(self):\n        {line}\n"
    )


REAL = test_of("self.assertEqual(calc.double(2), 4)")
VAIN = test_of("self.assertEqual(calc.add(1, 1), int(open('tests/two.txt').read()))")
SKIPPED = test_of("self.skipTest('not here')")


BELOW_TESTS = ("tests/sub folder/test_b.py", "tests/test_vain.py")
"""The added tests that pass without the change, as far as unittest is told to run them."""

FIXTURE = "import pytest\n\n@pytest.fixture\ndef two():\n    return 2\n"
WITH_FIXTURE = "import calc\n\ndef test(two):\n    assert calc.add(1, 1) == two\n"


class AddedTestsTest(unittest.TestCase):
    repository: Repository
    start: str
    commit: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.repository = Repository("the repository")
        cls.addClassCleanup(cls.repository.close)
        cls.start = cls.repository.commit({"calc.py": CALC, "tests/test_old.py": VAIN})
        cls.commit = cls.repository.commit(
            {
                "calc.py": DOUBLED,
                "tests/test_old.py": REAL,
                "tests/test_real.py": REAL,
                "tests/test_vain.py": VAIN,
                "tests/two.txt": "2",
                "tests/test_skipped.py": SKIPPED,
                "tests/sub folder/test_b.py": VAIN,
                "other/test_elsewhere.py": VAIN,
            }
        )

    def prove(
        self, *checks: str, commit: str = "", stopped: bool = False
    ) -> tuple[Mapping[str, Sequence[str]], str]:
        """What proves nothing, and the log of the commands."""
        logs = os.path.join(self.repository.root, f"logs {time.monotonic_ns()}")

        async def look() -> Mapping[str, Sequence[str]]:
            stop = Cancellation()
            if stopped:
                stop.set()
            run = f"added-{os.getpid()}"
            async with Supervisor(run) as supervisor:
                git = await open_repository(
                    supervisor, self.repository.path, self.repository.environ
                )
                manager = WorktreeManager(
                    git, os.path.join(self.repository.root, "worktrees"), "feature/"
                )
                context = RunContext(run, logs, time.time, lambda event: None, stop)
                added = AddedTests(manager, StepRunner(supervisor, context), limit_seconds=60)
                async with manager.scratch("_look_a", self.start) as scratch:
                    return await added.proving_nothing(
                        map(shell_command, checks),
                        scratch,
                        commit or self.commit,
                        self.repository.environ,
                    )

        found = asyncio.run(asyncio.wait_for(look(), 60))
        try:
            with open(os.path.join(logs, "_look_a.verify.log"), encoding="utf-8") as file:
                return found, file.read()
        except FileNotFoundError:
            return found, ""

    def found(self, check: str, commit: str) -> list[AddedTest]:
        """What would run."""

        async def look() -> list[AddedTest]:
            async with Supervisor(f"added-{os.getpid()}") as supervisor:
                git = await open_repository(
                    supervisor, self.repository.path, self.repository.environ
                )
                manager = WorktreeManager(
                    git, os.path.join(self.repository.root, "worktrees"), "feature/"
                )
                context = RunContext("", "", time.time, lambda event: None, Cancellation())
                added = AddedTests(manager, StepRunner(supervisor, context), limit_seconds=60)
                return await added.find([shell_command(check)], self.start, commit)

        return asyncio.run(look())


class Unittest(AddedTestsTest):
    def test_added_tests_that_pass_without_the_change_prove_nothing(self) -> None:
        found, log = self.prove("make test", UNITTEST)
        self.assertEqual(found, {UNITTEST: BELOW_TESTS})
        self.assertEqual(log.count("\n$ ") + log.startswith("$ "), 4, log)
        self.assertIn("has no attribute 'double'", log)

    def test_a_file_is_run_once_for_checks_that_run_it_in_the_same_way(self) -> None:
        again = f"{UNITTEST} -v"
        found, log = self.prove(UNITTEST, again)
        self.assertEqual(found, {UNITTEST: BELOW_TESTS, again: BELOW_TESTS})
        self.assertEqual(log.count("[in "), 4, log)

    def test_without_a_tool_or_an_added_test_nothing_runs(self) -> None:
        self.assertEqual(self.prove("make test"), ({}, ""))
        self.assertEqual(self.prove(f"{PYTHON} -m unittest discover -s src"), ({}, ""))
        self.assertEqual(self.prove(UNITTEST, commit=self.start), ({}, ""))

    def test_after_a_stop_nothing_runs_and_nothing_is_said(self) -> None:
        self.assertEqual(self.prove(UNITTEST, stopped=True), ({}, ""))

    def test_where_git_can_not_put_the_tests_nothing_is_said(self) -> None:
        commit = self.repository.commit({"tests/test_x.py": VAIN})
        for name, value in (("smudge", "false"), ("required", "true")):
            self.repository.git("config", f"filter.broken.{name}", value)
        self.addCleanup(self.repository.git, "config", "--remove-section", "filter.broken")
        attributes = os.path.join(self.repository.path, ".git", "info", "attributes")
        os.makedirs(os.path.dirname(attributes), exist_ok=True)
        with open(attributes, "w", encoding="utf-8") as file:
            file.write("test_x.py filter=broken\n")
        self.addCleanup(os.unlink, attributes)
        self.assertEqual(self.prove(UNITTEST, commit=commit), ({}, ""))

    def test_of_many_files_the_first_are_tried(self) -> None:
        commit = self.repository.commit(
            {f"tests/test_many_{number:03}.py": VAIN for number in range(MOST + 5)}
        )
        self.assertEqual(len(self.found(UNITTEST, commit)), MOST)


@unittest.skipUnless(find_spec("pytest") or IN_CI, "pytest is a development tool")
class Pytest(AddedTestsTest):
    def test_added_tests_that_pass_without_the_change_prove_nothing(self) -> None:
        # Those that happen to be installed, such as hypothesis', take most of a start.
        self.repository.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        commit = self.repository.commit(
            {"tests/conftest.py": FIXTURE, "tests/test_fixture.py": WITH_FIXTURE}
        )
        found, log = self.prove(PYTEST, commit=commit)
        vain = ("other/test_elsewhere.py", *BELOW_TESTS[:1], "tests/test_fixture.py")
        self.assertEqual(found, {PYTEST: (*vain, *BELOW_TESTS[1:])}, log)
        self.assertIn("1 failed", log)
        self.assertIn("1 skipped", log)


if __name__ == "__main__":
    unittest.main()
