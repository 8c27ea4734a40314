"""From a fresh tree to a run: `init --yes`, a green rehearsal, and a run, with no file edited."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import unittest
from collections.abc import Mapping

from tests.support.commands import CommandResult
from tests.support.fresh import Fresh
from tests.support.once import skip_if_run_elsewhere
from tests.support.trees import GO, NODE, PYTHON, RAILS, RUST, package_json
from tests.support.workspace import WorkspaceTest

setUpModule = skip_if_run_elsewhere

FEATURE = "describe-development"


class FromAFreshTree(WorkspaceTest):
    workspace: Fresh

    def go(self, files: Mapping[str, str], **programs: str) -> CommandResult:
        """``init --yes``, which rehearses, and then a run."""
        self.use(Fresh({}))
        self.workspace.write(files)
        if "bin/rails" in files:
            script = f"#!/bin/sh\n{programs['bundle']}\n"
            self.workspace.script(os.path.join(self.workspace.path, "bin", "rails"), script)
        self.workspace.commit({}, "a fresh tree")
        for name, script in programs.items():
            self.workspace.program(name, script)
        said = self.workspace.main("init", "--yes")
        self.assertEqual(said.code, 0, said)
        self.assertIn("No problems found.", said.out)
        done = self.workspace.run()
        self.assert_statuses(**{FEATURE: "completed"})
        return done

    def passed(self) -> str:
        """The checks of the feature, as they were logged."""
        return self.workspace.main("logs", FEATURE, "--checks").out

    def test_python(self) -> None:
        self.go(PYTHON)
        self.assertIn("$ python3 -m unittest discover -s tests", self.passed())

    def test_python_with_packages_in_an_environment_of_the_worktree(self) -> None:
        # One without pip, which takes seconds to install; the stand-in for pip installs nothing.
        pip = "printf '#!/bin/sh\\nexit 0\\n' > .venv/bin/pip && chmod +x .venv/bin/pip"
        python = shlex.quote(sys.executable)
        script = f'[ "$2" != venv ] && exec {python} "$@"\n{python} "$@" --without-pip && {pip}'
        self.go({**PYTHON, "requirements.txt": "example\n"}, python3=script)
        self.assertIn("$ .venv/bin/python -m unittest discover -s tests", self.passed())
        made = os.path.join(self.workspace.worktree(FEATURE), ".venv", "bin", "python")
        self.assertTrue(os.path.exists(made))

    @unittest.skipUnless(shutil.which("npm"), "needs npm")
    def test_node(self) -> None:
        manifest = package_json(scripts={"test": "node --test"})
        self.go({**NODE, "package.json": manifest})
        self.assertIn("$ npm test", self.passed())

    def test_rails_go_and_rust_with_stand_ins_for_their_programs(self) -> None:
        said = 'echo "$(basename "$0") $*" >> "$HOME/ran"'
        for files, programs, ran in (
            (RAILS, ("ruby", "bundle"), ("bundle check", "rails db:prepare", "rails test")),
            (GO, ("go",), ("go mod download", "go vet ./...", "go test ./...")),
            (RUST, ("cargo",), ("cargo fetch --locked", "cargo test")),
        ):
            with self.subTest(programs):
                self.go(files, **dict.fromkeys(programs, said))
                with open(os.path.join(self.workspace.home, "ran"), encoding="utf-8") as file:
                    self.assertLessEqual({*ran}, {*file.read().splitlines()})


if __name__ == "__main__":
    unittest.main()
