"""docs/SCALING.md: its loop over ssh runs a list, with folders in the place of machines.

Beside it, docs/commands/export.md, whose commands need features that have not landed.
"""

from __future__ import annotations

import os
import re
import subprocess

from tests.support.commands import LIMIT_SECONDS, read_text
from tests.support.once import skip_if_run_elsewhere
from tests.support.paths import ROOT
from tests.support.workspace import Workspace, WorkspaceTest, feature

setUpModule = skip_if_run_elsewhere

URL = "git@example.com:shop.git"

SSH = """\
#!/bin/sh
[ "$1" = -n ] && shift
cd "$MACHINES/$1" && shift && exec sh -c "$*"
"""
"""What ssh does with a command: words become a line for the shell of the other side."""


class TheLoop(WorkspaceTest):
    def test_each_feature_runs_somewhere_and_the_reports_are_joined(self) -> None:
        self.use(Workspace([feature("api", depends_on=["auth"]), feature("auth")]))
        place = self.workspace
        origin = place.beside("origin.git")
        place.git("clone", "-q", "--bare", place.path, origin)
        for folder in ("bin", "one", "two"):
            os.mkdir(place.beside(folder))
        place.write({"machines": "one\ntwo\n"})
        place.script("bin/ssh", SSH)
        place.script("bin/rorchestrator", f'#!/bin/sh\nexec {" ".join(place.argv())} "$@"\n')
        page = read_text(os.path.join(ROOT, "docs", "SCALING.md"))
        (loop,) = re.findall(r"^ *```bash\n( *R=.*?)^ *```$", page, re.M | re.S)
        (joined,) = re.findall(r"^5\. `(rorchestrator report --merge .*?)`", page, re.M)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{loop.replace(URL, origin)}\n{joined} --json"],
            cwd=place.path,
            env={
                **place.environ,
                "PATH": f"{place.beside('bin')}:{place.environ['PATH']}",
                "MACHINES": place.root,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        names = place.git("ls-tree", "--name-only", "feature/api", at=origin).split()
        self.assertLessEqual({"api.md", "auth.md"}, set(names))
        left = os.listdir(place.beside("one")) + os.listdir(place.beside("two"))
        self.assertEqual(sorted(left), ["api.json", "auth.json"])


class Export(WorkspaceTest):
    def test_the_commands_of_its_page_work(self) -> None:
        self.use(Workspace([feature("api", depends_on=["auth"]), feature("auth")]))
        page = read_text(os.path.join(ROOT, "docs", "commands", "export.md"))
        (block,) = re.findall(r"^```bash\n(.*?)^```$", page, re.M | re.S)
        codes = [self.workspace.main(*line.split()[1:]).code for line in block.splitlines()]
        self.assertEqual(codes, [0, 0, 0])
