"""The stack of a folder, as the root of the repository sees it."""

from __future__ import annotations

import unittest

from core.start.stacks.stack import Stack, in_folder, moved


class Moved(unittest.TestCase):
    def test_everything_is_said_from_the_root(self) -> None:
        stack = Stack(
            "Node with npm",
            ("package.json",),
            setup=("npm ci",),
            verify=("npm test",),
            allowed=("npx tsc",),
            ignored=("node_modules/", "/tmp/*"),
            copy=("config/x.yml",),
            notes=("no lockfile",),
        )
        found = moved(stack, "my web")
        self.assertEqual(found.files, ("my web/package.json",))
        self.assertEqual(found.setup, ("cd 'my web' && npm ci",))
        self.assertEqual(found.verify, ("cd 'my web' && npm test",))
        self.assertEqual(found.allowed, ("npm test", "npx tsc"))
        self.assertEqual(found.ignored, ("/my web/**/node_modules/", "/my web/tmp/*"))
        self.assertEqual(found.copy, ("my web/config/x.yml",))
        self.assertEqual(found.notes, ("my web: no lockfile",))
        self.assertEqual(found.folder, "my web")

    def test_a_folder_in_a_folder(self) -> None:
        inner = moved(moved(Stack("Go", verify=("go test ./...",)), "api"), "apps")
        self.assertEqual(inner.folder, "apps/api")
        self.assertEqual(inner.verify, ("cd apps && cd api && go test ./...",))
        self.assertEqual(inner.allowed, ("go test ./...",))

    def test_a_folder_with_a_leading_dash_is_no_option(self) -> None:
        self.assertEqual(in_folder("-rf", "make"), "cd ./-rf && make")

    def test_an_alternative_stays_together(self) -> None:
        self.assertEqual(in_folder("a", "b || c"), "cd a && (b || c)")


if __name__ == "__main__":
    unittest.main()
