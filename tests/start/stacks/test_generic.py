"""Repositories of no known stack: targets, build systems, CI files."""

from __future__ import annotations

import unittest

from core.start.stacks import generic
from tests.support.trees import tree


class Generic(unittest.TestCase):
    def checks(self, files: dict[str, str]) -> tuple[str, ...]:
        stack = generic.detect(tree(files))
        return stack.verify if stack else ()

    def test_targets_that_check_something(self) -> None:
        makefile = "CC := gcc\ntest := no\nlint:\n\ttrue\ncheck: lint\n\ttrue\n"
        self.assertEqual(self.checks({"Makefile": makefile}), ("make lint", "make check"))
        self.assertEqual(self.checks({"makefile": "test : all\n"}), ("make test",))
        self.assertEqual(self.checks({"justfile": "test filter='':\n  x\n"}), ("just test",))
        self.assertEqual(self.checks({"Taskfile.yml": "tasks:\n  test:\n    x\n"}), ("task test",))

    def test_a_makefile_without_such_targets_is_passed_over(self) -> None:
        files = {"Makefile": "all:\n", "CMakeLists.txt": ""}
        checks = ("cmake --build build", "ctest --test-dir build --output-on-failure")
        self.assertEqual(self.checks(files), checks)

    def test_build_systems(self) -> None:
        for marker, check in (
            ("gradlew", "./gradlew check"),
            ("mvnw", "./mvnw -q -B verify"),
            ("pom.xml", "mvn -q -B verify"),
            ("mix.exs", "mix test"),
            ("phpunit.xml.dist", "vendor/bin/phpunit"),
            ("Shop.sln", "dotnet test"),
            ("Package.swift", "swift test"),
            ("build.zig", "zig build test"),
            ("deno.json", "deno test"),
            ("meson.build", "meson test -C build"),
        ):
            with self.subTest(marker):
                self.assertEqual(self.checks({marker: ""}), (check,))
                self.assertEqual(self.checks({f"inner/{marker}": ""}), ())

    def test_the_tests_of_the_ci_files(self) -> None:
        script = "script:\n  - bats test\n  - ./run-tests.sh\n"
        stack = generic.detect(tree({".travis.yml": script}))
        assert stack is not None
        self.assertEqual(stack.verify, ("bats test", "./run-tests.sh"))
        self.assertEqual(stack.programs, ("bats",))
        self.assertIn("come from the CI files", stack.notes[0])

    def test_a_folder_that_nothing_recognises_has_no_stack(self) -> None:
        self.assertIsNone(generic.detect(tree({"notes.txt": ""})))


if __name__ == "__main__":
    unittest.main()
