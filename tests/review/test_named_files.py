"""Which files a feature names."""

from __future__ import annotations

import unittest

from core.model.feature import Command, Feature
from core.review.named_files import is_named_by, names_files


class NamedFiles(unittest.TestCase):
    def test_a_path_a_name_a_folder_or_a_pattern_names_a_file(self) -> None:
        for prompt, named, others in (
            ("Write `src/auth.py`, with unit tests.", "src/auth.py", "src/api.py"),
            ("Change ./auth.py: it is slow.", "src/auth.py", "src/author.py"),
            ("All of it goes into src/api/.", "src/api/v1/users.py", "src/app.py"),
            ("Add lib/*.rb and *.yml.", "lib/a.rb", "bin/a.rb"),
            ("Add lib/*.rb and *.yml.", "config/ci.yml", "config/ci.toml"),
            ("Extend the Makefile.", "Makefile", "src/make.c"),
        ):
            with self.subTest(prompt):
                is_named = is_named_by(Feature("a", "A", prompt))
                self.assertEqual((is_named(named), is_named(others)), (True, False))

    def test_contracts_checks_and_the_description_name_files_too(self) -> None:
        verify = (Command(("pytest",), "pytest tests/smoke.py"),)
        feature = Feature(
            *("a", "A", "Do it."), creates=("path:src/a.py",), uses=("src/b.py",), verify=verify
        )
        is_named = is_named_by(feature)
        for path in ("src/a.py", "src/b.py", "tests/smoke.py"):
            self.assertTrue(is_named(path), path)
        self.assertTrue(is_named_by(Feature("a", "A", description="In src/c.py."))("src/c.py"))

    def test_the_tests_of_a_named_file_are_named_with_it(self) -> None:
        is_named = is_named_by(Feature("a", "A", "Write src/auth.py and src/user.rb."))
        for path in ("tests/test_auth.py", "src/auth_test.go", "auth.spec.ts", "spec/user_spec.rb"):
            self.assertTrue(is_named(path), path)
        for path in ("tests/test_other.py", "tests/helpers.py", "test.py"):
            self.assertFalse(is_named(path), path)

    def test_a_feature_that_names_no_file_is_told_apart(self) -> None:
        for prompt, expected in (
            ("Add sign-in.", False),
            ("Add sign-in, e.g. with OAuth 2.0!", False),
            ("Edit app.py", True),
            ("Put it into src/", True),
            ("See the Dockerfile", True),
        ):
            with self.subTest(prompt):
                self.assertEqual(names_files(Feature("a", "A", prompt)), expected)


if __name__ == "__main__":
    unittest.main()
