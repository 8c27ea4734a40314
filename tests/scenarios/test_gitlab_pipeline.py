"""The pipeline of `export gitlab-ci`, run by gitlab-ci-local: jobs in folders of their own.

`RORCHESTRATOR_TEST_GITLAB` is the program; it needs rsync. It acts on `needs`, `extends`, stages
and artifacts. It doesn't act on `retry`, `resource_group`, `workflow:rules`, and `when: always`
after a job that failed: `tests.engines.test_gitlab_ci` looks for these in the file.
"""

from __future__ import annotations

import glob
import json
import os
import re
import subprocess
import sys
import unittest
from typing import Any

from tests.support.commands import read_text
from tests.support.once import skip_if_run_elsewhere
from tests.support.paths import ROOT
from tests.support.workspace import Workspace, WorkspaceTest, feature

try:
    import yaml
except ImportError:
    yaml = None  # type: ignore[assignment]

setUpModule = skip_if_run_elsewhere

VARIABLE = "RORCHESTRATOR_TEST_GITLAB"
LIMIT_SECONDS = 120
FILE = ".gitlab/features.yml"
PIPELINE = "4711"

RECORD = '#!/bin/sh\necho "${0##*/} $CI_JOB_NAME" >>"$INSTALLED"\n'

Json = Any


def examples() -> list[str]:
    """The YAML of the page, as it stands there."""
    page = read_text(os.path.join(ROOT, "docs", "commands", "export.md"))
    part = page.partition("\n## GitLab CI\n")[2].partition("\n## ")[0]
    return re.findall(r"^```yaml\n(.*?)^```$", part, re.M | re.S)


@unittest.skipUnless(
    os.environ.get(VARIABLE),
    f"npm install --prefix DIR gitlab-ci-local; {VARIABLE}=DIR/node_modules/.bin/gitlab-ci-local",
)
class PipelineTest(WorkspaceTest):
    def setUp(self) -> None:
        self.use(Workspace())
        place = self.workspace
        self.flag, self.installed = place.beside("b-works"), place.beside("installed")
        self.origin = place.beside("origin.git")
        place.features(
            feature("a"),
            feature("b", {"bash": f"test ! -e {self.flag} || touch b.md"}, depends_on=["a"]),
            feature("c", {"bash": "env >c.md"}, depends_on=["a"]),
            feature("d", depends_on=["b", "c"]),
            max_parallel=2,
        )
        place.commit({}, "the list")
        self.assertEqual(place.main("export", "gitlab-ci", "-q").code, 0)
        place.git("add", FILE)
        place.git("commit", "-qm", "the pipeline")
        place.git("clone", "-q", "--bare", place.path, self.origin)
        place.git("config", "receive.advertisePushOptions", "true", at=self.origin)
        self.options = place.beside("push-options")
        hook = os.path.join(self.origin, "hooks", "post-receive")
        place.script(hook, f'#!/bin/sh\necho "$GIT_PUSH_OPTION_0" >>"{self.options}"\n')
        place.git("remote", "add", "origin", self.origin)
        place.git("fetch", "-q", "origin")
        place.git("remote", "set-head", "origin", "main")
        os.mkdir(place.beside("bin"))
        for name in ("npm", "apt-get", "pipx"):
            place.script(os.path.join("bin", name), RECORD)
        place.script("bin/rorchestrator", f'#!/bin/sh\nexec {" ".join(place.argv())} "$@"\n')

    def pipeline(self, *jobs: str) -> tuple[int, str]:
        """Run these jobs or all: exit code and output."""
        variables = {
            "CI_PIPELINE_ID": PIPELINE,
            "CI_REPOSITORY_URL": self.origin,
            "CI_JOB_TOKEN": "t0ken",
        }
        given = (f"--variable={name}={value}" for name, value in variables.items())
        done = self.gitlab("--file", FILE, *given, *jobs)
        return done.returncode, done.stdout + done.stderr

    def gitlab(self, *words: str) -> subprocess.CompletedProcess[str]:
        place = self.workspace
        environ = {
            **place.environ,
            "PATH": f"{place.beside('bin')}:{place.environ['PATH']}",
            "INSTALLED": self.installed,
        }
        options = ("--no-color", "--shell-isolation", "--force-shell-executor")
        return subprocess.run(
            [os.environ[VARIABLE], *options, *words],
            cwd=place.path,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )

    def artifacts(self, name: str, folder: str = "rorchestrator") -> list[str]:
        """The files of a name that jobs left, by their paths."""
        kept = os.path.join(self.workspace.path, ".gitlab-ci-local", "artifacts")
        return glob.glob(os.path.join(kept, "*", f"{folder}-{PIPELINE}", name))

    def pushed(self) -> list[str]:
        """What was pushed: branches of features, and reports of the run."""
        listed = self.workspace.git("for-each-ref", "--format=%(refname)", at=self.origin)
        return [name for name in listed.split() if name != "refs/heads/main"]

    def refs(self, ids: str) -> list[str]:
        runs = f"refs/rorchestrator/runs/{PIPELINE}"
        return [*(f"refs/heads/feature/{id}" for id in ids), *(f"{runs}/{id}" for id in ids)]

    def test_a_failed_feature_stops_its_dependents_until_its_job_is_retried(self) -> None:
        code, said = self.pipeline()
        self.assertEqual(code, 1, said)
        self.assertNotIn("run:d", said)
        self.assertNotIn("push:b", said)
        (report,) = map(read_text, self.artifacts("b.json"))
        self.assertEqual(
            {name: json.loads(report)[name] for name in ("feature", "run_id", "completed")},
            {"feature": "b", "run_id": PIPELINE, "completed": False},
        )
        self.assertEqual(len(self.artifacts("b.bundle")), 1)
        self.assertLessEqual(set(self.refs("a")), set(self.pushed()))
        self.assertEqual(set(self.pushed()) & set(self.refs("bd")), set())

        self.workspace.touch("b-works")
        left = [job for job in ("run:c", "push:c") if job.replace("run", "push") not in said]
        code, said = self.pipeline("run:b", "push:b", *left, "run:d", "push:d", "report")
        self.assertEqual(code, 0, said)
        self.assertEqual(self.pushed(), self.refs("abcd"))
        names = self.workspace.git("ls-tree", "--name-only", "feature/d", at=self.origin).split()
        self.assertLessEqual({"a.md", "b.md", "c.md", "d.md"}, set(names))

        seen = self.workspace.git("show", "feature/c:c.md", at=self.origin)
        self.assertNotIn("t0ken", seen)
        self.assertNotIn(self.origin, seen)
        self.assertEqual(set(read_text(self.options).split()), {"ci.skip"})
        self.assertNotIn("npm push", read_text(self.installed))
        self.assertEqual(len(self.artifacts("report.html", "rorchestrator-report")), 1)

    def test_gitlab_reads_it_alone_and_as_the_page_shows(self) -> None:
        starts, settings = examples()
        both = "include:\n  - local: .gitlab/features.yml\n  - local: .gitlab/own.yml\n"
        files = {".gitlab-ci.yml": starts, ".gitlab/own.yml": settings, "both.yml": both}
        self.workspace.commit(files, "our own settings")
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
        done = subprocess.run(
            [*command, FILE, *files], cwd=self.workspace.path, capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        read = self.gitlab("--file", "both.yml", "--preview")
        self.assertEqual(read.returncode, 0, read.stderr)
        jobs = yaml.safe_load(read.stdout)
        own = yaml.safe_load(settings)
        for name in ("run:a", "push:a", "report"):
            self.assertEqual(jobs[name]["image"], {"name": own[".rorchestrator"]["image"]})
            self.assertEqual(jobs[name]["before_script"], [])
        self.assertEqual(
            jobs["run:b"]["needs"], [{"job": "push:a", "artifacts": True, "optional": False}]
        )


if __name__ == "__main__":
    unittest.main()
