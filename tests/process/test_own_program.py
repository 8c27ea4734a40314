"""A module of the package as a program of its own."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest

from core.process.own_program import own_program


class OwnProgram(unittest.TestCase):
    def test_it_calls_main_and_imports_nothing_from_the_current_folder(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name in ("core.py", "os.py"):
                with open(os.path.join(folder, name), "w") as file:
                    file.write("raise SystemExit('planted')")
            argv = own_program("core.cli", ["--version"])
            env = {**os.environ, "PYTHONPATH": folder}
            done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True)
        self.assertEqual((done.stdout.split()[:1], done.stderr), (["rorchestrator"], ""))


if __name__ == "__main__":
    unittest.main()
