"""docs/CI.md: its workflows are valid, and keep their state between fresh clones."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import unittest
from collections.abc import Sequence
from typing import Any

from tests.support.commands import LIMIT_SECONDS, read_text
from tests.support.once import skip_if_run_elsewhere
from tests.support.paths import ROOT
from tests.support.workspace import Workspace, feature

try:
    import yaml
except ImportError:
    yaml = None  # type: ignore[assignment]

setUpModule = skip_if_run_elsewhere

REMOTE = "https://gitlab-ci-token:t0ken@gitlab.example/group/shop.git"

READS_ALL = 'f() { git-receive-pack "$@"; code=$?; exec >&-; cat >/dev/null; return $code; }; f'
"""As a server over HTTP, it reads what git sends to the end. By a path, a push with ``-o`` and
nothing to push may be killed by SIGPIPE: git still writes when the other side has ended."""


def workflows() -> list[Any]:
    """The workflows of the page: GitHub's, then GitLab's."""
    with open(os.path.join(ROOT, "docs", "CI.md"), encoding="utf-8") as page:
        blocks = re.findall(r"^```yaml\n(.*?)^```$", page.read(), re.M | re.S)
    return [yaml.safe_load(block) for block in blocks]


@unittest.skipIf(yaml is None, "pyyaml is a development tool")
class CiPageTest(unittest.TestCase):
    def setUp(self) -> None:
        self.workspace = place = Workspace()
        self.addCleanup(place.close)
        self.remote = place.beside("remote.git")
        place.features(
            feature("auth"),
            feature(
                "api",
                {"fail": "Overloaded", "status": 529},
                {"bash": self.a_person_pushes()},
                {"write": "api.md"},
            ),
            feature("app", depends_on=["auth", "api"]),
        )
        place.commit({}, "the list")
        place.git("clone", "-q", "--bare", place.path, self.remote)
        place.git("config", "receive.advertisePushOptions", "true", at=self.remote)
        place.git("config", "--global", f"url.{self.remote}.insteadOf", REMOTE)
        place.script("rorchestrator", f'#!/bin/sh\nexec {" ".join(place.argv())} "$@"\n')
        self.cache = place.beside("cache")
        os.mkdir(self.cache)
        self.jobs = 0

    def a_person_pushes(self) -> str:
        """Commands that push a commit to the branch of ``auth``, while a job runs."""
        self.person = self.workspace.beside("person")
        return (
            f"git clone -q -b feature/auth '{self.remote}' '{self.person}' && "
            f"cd '{self.person}' && echo x > by-hand && git add . && "
            "git commit -qm 'by hand' && git push -q"
        )

    def fresh_clone(self) -> str:
        self.jobs += 1
        folder = self.workspace.beside(f"job{self.jobs}", "shop")
        self.workspace.git("clone", "-q", self.remote, folder)
        self.workspace.git("config", "remote.origin.receivepack", READS_ALL, at=folder)
        return folder

    def script(self, lines: str, folder: str) -> int:
        """Run lines as a CI system does: up to the first that fails."""
        place = self.workspace
        environ = {
            **place.environ,
            "PATH": f"{place.root}:{place.environ['PATH']}",
            "CI_JOB_TOKEN": "t0ken",
            "CI_SERVER_HOST": "gitlab.example",
            "CI_PROJECT_PATH": "group/shop",
        }
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", lines],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT_SECONDS,
        )
        self.said += done.stdout.decode() + done.stderr.decode()
        return done.returncode

    def restore(self, paths: Sequence[str], folder: str) -> None:
        for path in paths:
            if os.path.exists(os.path.join(self.cache, os.path.basename(path))):
                os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
                shutil.copy(
                    os.path.join(self.cache, os.path.basename(path)), os.path.join(folder, path)
                )

    def save(self, paths: Sequence[str], folder: str) -> None:
        for path in paths:
            shutil.copy(os.path.join(folder, path), self.cache)

    def on_github(self, workflow: Any) -> int:
        """The exit code of a job."""
        folder, code, self.said = self.fresh_clone(), 0, ""
        for step in workflow["jobs"]["run"]["steps"]:
            if step.get("name") == "Install" or (code and step.get("if") != "always()"):
                continue
            uses, given = step.get("uses", ""), step.get("with", {})
            if uses.startswith("actions/cache/restore@"):
                self.restore(given["path"].split(), folder)
            elif uses.startswith("actions/cache/save@"):
                self.save(given["path"].split(), folder)
            elif "run" in step:
                code = self.script(step["run"], folder) or code
        return code

    def on_gitlab(self, job: Any) -> int:
        """The exit code of a job."""
        folder, self.said = self.fresh_clone(), ""
        self.workspace.git("checkout", "-q", "--detach", at=folder)
        self.workspace.git("branch", "-q", "-D", "main", at=folder)
        self.restore(job["cache"]["paths"], folder)
        code = self.script("\n".join(job["script"]), folder)
        self.assertEqual(self.script("\n".join(job["after_script"]), folder), 0, self.said)
        self.save(job["cache"]["paths"], folder)
        return code

    def started(self) -> list[str]:
        """The features that Claude was started for, in all jobs so far."""
        journal = read_text(os.path.join(self.cache, "journal.jsonl"))
        return re.findall(r'"attempt_started",.*?"feature":"(\w+)"', journal)

    def test_on_github_a_second_fresh_clone_starts_no_claude(self) -> None:
        workflow = workflows()[0]
        self.assertEqual(self.on_github(workflow), 1, self.said)
        self.assertEqual(sorted(self.started()), ["api", "auth"])
        # A feature that failed is run again, and nothing else. What a person pushed stays.
        self.assertEqual(self.on_github(workflow), 1, self.said)
        self.assertIn("2/2 features completed", self.said)
        self.assertRegex(self.said, r"rejected\].* feature/auth -> feature/auth \(stale info\)")
        self.assertEqual(self.started()[2:], ["api", "app"])
        self.assertEqual(self.on_github(workflow), 0, self.said)
        self.assertEqual(self.started()[4:], [])
        self.assertIn("Everything is up to date", self.said)
        branches = self.workspace.git("branch", "--format=%(refname:short)", at=self.remote)
        self.assertEqual(branches.split(), ["feature/api", "feature/app", "feature/auth", "main"])

    def test_on_gitlab_a_second_fresh_clone_starts_no_claude(self) -> None:
        job = workflows()[1]["features"]
        self.workspace.features(feature("auth"))
        self.workspace.commit({}, "one feature")
        self.workspace.git("push", "-q", self.remote, "main")
        self.assertEqual(self.on_gitlab(job), 0, self.said)
        self.assertEqual(self.started(), ["auth"])
        self.assertEqual(self.on_gitlab(job), 0, self.said)
        self.assertEqual(self.started(), ["auth"])
        self.assertIn("Everything is up to date", self.said)

    def test_the_workflows_say_what_they_have_to(self) -> None:
        github, gitlab = workflows()
        job = github["jobs"]["run"]
        checkout = job["steps"][0]
        self.assertEqual(checkout["with"]["fetch-depth"], 0)  # merges need the history
        self.assertEqual(github["permissions"], {"contents": "write"})
        self.assertNotIn("cancel-in-progress", github["concurrency"])
        self.assertEqual(gitlab["features"]["resource_group"], github["concurrency"]["group"])
        always = {step["name"] for step in job["steps"] if step.get("if") == "always()"}
        self.assertLessEqual({"Push results and branches", "Save the journal"}, always)
        self.assertEqual(gitlab["features"]["variables"]["GIT_DEPTH"], "0")
        self.assertEqual(gitlab["features"]["cache"]["when"], "always")
        for text in (job["steps"][1]["run"], "\n".join(gitlab["features"]["before_script"])):
            self.assertIn("@anthropic-ai/claude-code", text)
            self.assertIn("git+https://github.com/RollandMELET/RoRchestrator.git", text)


if __name__ == "__main__":
    unittest.main()
