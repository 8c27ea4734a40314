"""Rust: cargo."""

from __future__ import annotations

import unittest

from core.start.stacks import rust
from core.start.stacks.stack import Stack
from tests.support.trees import RUST, tree

CI = "jobs:\n  test:\n    steps:\n      - run: cargo fmt --all --check\n"


class RustTest(unittest.TestCase):
    def found(self, **more: str) -> Stack:
        files = {name.replace("__", "."): text for name, text in more.items()}
        stack = rust.detect(tree({**RUST, **files}))
        assert stack is not None
        return stack

    def test_a_sample_tree(self) -> None:
        stack = self.found()
        self.assertEqual(stack.setup, ("cargo fetch --locked",))
        self.assertEqual(stack.verify, ("cargo test",))
        self.assertEqual(stack.files, ("Cargo.toml", "Cargo.lock"))
        self.assertEqual((stack.ignored, stack.port_variable), (("target/",), ""))

    def test_without_a_lockfile_cargo_chooses_the_versions(self) -> None:
        stack = rust.detect(tree({"Cargo.toml": ""}))
        assert stack is not None
        self.assertEqual(stack.setup, ("cargo fetch",))

    def test_formatting_and_clippy_are_checks_where_the_project_or_its_ci_has_them(self) -> None:
        self.assertIn("cargo fmt --check", self.found(rustfmt__toml="").verify)
        self.assertIn("cargo clippy", self.found(clippy__toml="").verify)
        ci = {**RUST, ".github/workflows/ci.yml": f"{CI}      - run: cargo clippy -- -D warnings\n"}
        stack = rust.detect(tree(ci))
        assert stack is not None
        checks = ("cargo fmt --check", "cargo clippy -- -D warnings", "cargo test")
        self.assertEqual(stack.verify, checks)

    def test_a_workspace_is_tested_whole_and_rocket_has_its_variable(self) -> None:
        stack = self.found(Cargo__toml='[workspace]\n[dependencies]\nrocket = "0.5"\n')
        self.assertEqual(stack.verify, ("cargo test --workspace",))
        self.assertEqual(stack.port_variable, "ROCKET_PORT")

    def test_a_folder_without_a_cargo_toml_is_not_rust(self) -> None:
        self.assertIsNone(rust.detect(tree({"src/main.rs": ""})))


if __name__ == "__main__":
    unittest.main()
