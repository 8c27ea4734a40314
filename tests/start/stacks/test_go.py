"""Go: modules."""

from __future__ import annotations

import unittest

from core.start.stacks import go
from tests.support.trees import GO, tree


class GoTest(unittest.TestCase):
    def test_a_sample_tree(self) -> None:
        stack = go.detect(tree(GO))
        assert stack is not None
        self.assertEqual(stack.setup, ("go mod download",))
        self.assertEqual(stack.verify, ("go vet ./...", "go test ./..."))
        self.assertEqual(stack.files, ("go.mod", "go.sum"))
        self.assertEqual(stack.port_variable, "")

    def test_without_modules_to_download_there_is_no_setup(self) -> None:
        for files in ({"go.mod": "module shop\n"}, {**GO, "vendor/modules.txt": ""}):
            stack = go.detect(tree(files))
            assert stack is not None
            self.assertEqual(stack.setup, ())

    def test_gin_reads_its_port_from_a_variable(self) -> None:
        stack = go.detect(tree({"go.mod": "require github.com/gin-gonic/gin v1.9.0\n"}))
        assert stack is not None
        self.assertEqual(stack.port_variable, "PORT")

    def test_a_folder_without_a_go_mod_is_not_go(self) -> None:
        self.assertIsNone(go.detect(tree({"main.go": ""})))


if __name__ == "__main__":
    unittest.main()
