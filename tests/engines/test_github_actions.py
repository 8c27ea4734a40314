"""The workflow of GitHub Actions: who may do what, what waits for what, and no text in scripts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import Any
from unittest import mock

from core.dag.resolver import DAGResolver
from core.engines import github_actions
from core.engines.exported import Exported, job_names, jobs_of, release
from core.model.errors import UserError
from core.model.feature import Feature
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

PARSER = os.environ.get("RORCHESTRATOR_TEST_WORKFLOW_PARSER", "")
"""GitHub's own parser, as `.ci/run` bundles it; a test without it is skipped elsewhere only."""

DIAMOND = {"a": "", "b": "a", "c": "a", "d": "b c a"}

Document = Any


def exported(needs: dict[str, str], slots: int = 3, **more: Any) -> Exported:
    """What is exported of features and their dependencies, separated by blanks."""
    dag = DAGResolver(Feature(id, id, depends_on=tuple(d.split())) for id, d in needs.items())
    facts = {"list_file": "l.json", "base": "main", "landed": (), "words": (), "digest": "0" * 16}
    return Exported(jobs=jobs_of(dag, slots), **{**facts, **more})


def jobs(export: Exported) -> Document:
    """The jobs of a workflow, as plain values."""
    return {name: noted.value for name, noted in _value(github_actions.workflow(export)["jobs"])}


def _value(noted: Document) -> Document:
    return noted.value.items()


class WhatWaits(unittest.TestCase):
    def test_a_feature_waits_for_the_pushes_of_its_dependencies(self) -> None:
        found = jobs(exported(DIAMOND))
        names = [f"{kind}-{id}" for id in "abcd" for kind in ("run", "push")]
        self.assertEqual(sorted(found), sorted(["plan", *names, "report"]))
        self.assertEqual(found["run-a"]["needs"], ["plan"])
        self.assertNotIn("if", found["run-a"])
        self.assertEqual(found["run-d"]["needs"], ["plan", "run-b", "push-b", "run-c", "push-c"])
        self.assertEqual(
            found["run-b"]["if"],
            "${{ !cancelled() && needs.run-a.result == 'success'"
            " && needs.push-a.result == 'success' }}",
        )
        self.assertEqual(found["push-b"]["needs"], ["plan", "run-b"])
        self.assertEqual(found["report"]["needs"], ["plan", "push-d"])

    def test_a_lane_waits_for_a_job_and_not_for_its_success(self) -> None:
        found = jobs(exported({"a": "", "b": ""}, 1))
        self.assertEqual(found["run-b"]["needs"], ["plan", "run-a"])
        self.assertEqual(
            found["run-b"]["if"], "${{ !cancelled() && needs.plan.result == 'success' }}"
        )
        self.assertEqual(found["report"]["needs"], ["plan", "push-a", "push-b"])

    def test_names_of_jobs_are_valid(self) -> None:
        found = jobs(exported({"1.2": "", "A_b": "1.2"}))
        self.assertEqual(found["run-A_b"]["needs"], ["plan", "run-1-2", "push-1-2"])
        for name in found:
            self.assertRegex(name, r"^[A-Za-z_][A-Za-z0-9_-]*$")


class WhoMay(unittest.TestCase):
    def setUp(self) -> None:
        self.jobs = jobs(exported(DIAMOND))

    def test_only_jobs_without_an_agent_can_write(self) -> None:
        export = exported(DIAMOND)
        self.assertEqual(github_actions.workflow(export)["permissions"].value, {})
        for name, job in self.jobs.items():
            kind = name.partition("-")[0]
            expected = {"contents": "write" if kind in ("push", "report") else "read"}
            if kind == "report":
                expected["pull-requests"] = "write"
            self.assertEqual(job["permissions"], expected, name)

    def test_a_checkout_leaves_no_token_and_the_pushing_job_has_none(self) -> None:
        for name, job in self.jobs.items():
            found = [each for each in job["steps"] if "checkout" in each.get("uses", "")]
            self.assertEqual(len(found), 0 if name.startswith("push") else 1, name)
            for each in found:
                self.assertIs(each["with"]["persist-credentials"], False)
                self.assertEqual(each["with"]["fetch-depth"], 0)

    def test_the_key_is_in_the_step_that_runs_claude_and_a_token_in_no_step_with_it(self) -> None:
        for name, job in self.jobs.items():
            for each in job["steps"]:
                env = str(each.get("env", {}))
                is_run = name.startswith("run-") and each.get("name") == "Run"
                self.assertEqual("secrets." in env, is_run, (name, each))
                self.assertFalse(is_run and "token" in env.replace("secrets.CLAUDE", ""), env)
        self.assertNotIn("secrets", str(github_actions.workflow(exported({"a": ""}))["env"]))

    def test_a_run_ends_before_its_job_does_and_that_before_six_hours(self) -> None:
        job = self.jobs["run-a"]
        text = next(each["run"] for each in job["steps"] if each.get("name") == "Run")
        found = re.search(r"--max-time (\d+)m", text)
        assert found
        self.assertLess(int(found[1]) + 10, job["timeout-minutes"])
        self.assertLess(job["timeout-minutes"], 360)

    def test_actions_are_of_a_version(self) -> None:
        for job in self.jobs.values():
            for each in job["steps"]:
                self.assertRegex(each.get("uses", "actions/x@v4"), r"^actions/[a-z-]+@v\d+$")


class NoTextInScripts(unittest.TestCase):
    HOSTILE = '${{ secrets.X }}"; curl $(id) `id` #'

    def test_what_a_user_wrote_is_in_no_script_and_no_expression(self) -> None:
        hostile = exported(
            {"a": ""},
            list_file=f"{self.HOSTILE}.json",
            base="x${{ y }}",
            words=("--tag", self.HOSTILE),
        )
        text = github_actions.body(hostile)
        self.assertNotIn("${{ secrets.X }}", text)
        self.assertNotIn("${{ y }}", text)
        self.assertEqual(text.count("curl"), 2)
        for job in jobs(hostile).values():
            for step in job["steps"]:
                self.assertNotIn("curl", step.get("run", ""))
                self.assertNotIn("${{", step.get("run", ""))
        self.assertIn('--tag "$TAG"', text)

    def test_a_script_names_no_feature(self) -> None:
        for job in jobs(exported({"hugo": ""})).values():
            for step in job["steps"]:
                self.assertNotIn("hugo", step.get("run", ""))


class TheFile(unittest.TestCase):
    def test_a_workflow_that_is_too_large_for_github_is_refused(self) -> None:
        with (
            mock.patch.object(github_actions, "LIMIT_BYTES", 5000),
            self.assertRaisesRegex(UserError, r"workflow of 4 features has \d+ KB"),
        ):
            github_actions.body(exported(DIAMOND))

    def test_a_feature_with_more_dependencies_than_a_condition_holds_is_refused(self) -> None:
        ids = [f"{'x' * 96}{number:03d}" for number in range(90)]
        with self.assertRaises(UserError) as caught:
            github_actions.body(exported({**dict.fromkeys(ids, ""), "all": " ".join(ids)}, 90))
        self.assertIn("all depends directly on 90 features", caught.exception.message)

    def test_a_hundred_features_fit(self) -> None:
        names = {f"feature-{number}": "" for number in range(100)}
        self.assertLess(len(github_actions.body(exported(names, 8))), github_actions.LIMIT_BYTES)
        self.assertEqual(len(job_names(names)), 100)

    def test_the_next_steps_name_the_secret_and_what_it_may_cost(self) -> None:
        said = github_actions.next_steps(exported(DIAMOND, max_cost_usd=5.0), "a/b.yml")
        self.assertIn("gh secret set ANTHROPIC_API_KEY", said[1])
        self.assertIn("gh workflow run b.yml", said[3])
        self.assertIn("$5.00, applies to each of the 4 jobs", said[4])
        self.assertIn("run features.yml", github_actions.next_steps(exported(DIAMOND), "-")[3])

    def test_a_bypass_is_allowed_where_the_list_runs(self) -> None:
        for count, each in enumerate((exported(DIAMOND), exported(DIAMOND, allow_bypass=True))):
            text = github_actions.body(each)
            self.assertEqual(text.count(" --allow-bypass\n"), count * (1 + len(DIAMOND)))

    def test_a_release_installs_itself(self) -> None:
        self.assertEqual(release("1.2.3"), "@v1.2.3")
        self.assertEqual(release("1.2.3.dev"), "")


@unittest.skipUnless(PARSER, "RORCHESTRATOR_TEST_WORKFLOW_PARSER names GitHub's parser")
class AsGitHubReadsIt(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def written(self, *texts: str) -> list[str]:
        """Files with these texts, named by their places."""
        paths = [os.path.join(self.folder, f"{number}.yml") for number in range(len(texts))]
        for path, text in zip(paths, texts):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return paths

    def test_github_finds_the_planted_faults_and_no_other(self) -> None:
        hostile = NoTextInScripts.HOSTILE
        lists = (
            exported(DIAMOND),
            exported({f"f{number}": "" for number in range(12)}, 3, max_cost_usd=5.0),
            exported({"1.2": "", "A_b": "1.2", "on": ""}, 1, list_file=hostile, base=hostile),
            exported({"a": ""}, words=("--only", "a", "--tag", hostile, "--max-parallel", "2")),
        )
        good = [github_actions.body(each) for each in lists]
        planted = (
            ("needs: [plan, run-b]", "needs: [plan, run-x]", "unknown job 'run-x'"),
            ("needs: [plan]", "needs: [plan, push-d]", "creates a cycle"),
            ("!cancelled()", "!canceled()", "Unrecognized function: 'canceled'"),
            ("timeout-minutes", "timeout-minuts", "Unexpected value 'timeout-minuts'"),
        )
        bad = [good[0].replace(old, new) for old, new, _ in planted]
        words = ("node", PARSER, *self.written(*good, *bad))
        done = subprocess.run(words, capture_output=True, check=False, cwd=self.folder)
        self.assertEqual((done.returncode, done.stderr), (1, b""))
        told = done.stdout.decode().splitlines()
        for number in range(len(good) + len(bad)):
            of_file = "".join(line for line in told if f"{number}.yml (" in line)
            if number < len(good):
                self.assertEqual(of_file, "")
            else:
                self.assertIn(planted[number - len(good)][2], of_file)

    def test_the_schema_of_workflows_holds(self) -> None:
        paths = self.written(github_actions.body(exported(DIAMOND, 1)), "on: 1\n")
        options = ("--builtin-schema", "vendor.github-workflows")
        words = (sys.executable, "-m", "check_jsonschema", *options, *paths)
        done = subprocess.run(words, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (1, b""))
        self.assertIn(b"1.yml::$", done.stdout)
        self.assertNotIn(b"0.yml::$", done.stdout)


if __name__ == "__main__":
    unittest.main()
