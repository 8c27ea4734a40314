"""The pipeline of GitLab CI, read back as GitLab reads it: by a YAML library."""

from __future__ import annotations

import shlex
import unittest
from collections.abc import Mapping, Sequence
from typing import Any
from unittest import mock

from core.dag.resolver import DAGResolver
from core.engines.exported import Exported, jobs_of
from core.engines.gitlab_ci import FILE, NEEDS_LIMIT, REPORT, TOKENS, body, next_steps
from core.model.feature import Feature
from core.model.frozen import replace
from tests.support.once import skip_if_run_elsewhere

try:
    import yaml
except ImportError:
    yaml = None  # type: ignore[assignment]

setUpModule = skip_if_run_elsewhere

Json = Any

DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("a", "b", "c")}


def export(
    needs: Mapping[str, Sequence[str]], slots: int = 9, *, file: str = "l.json", prefix: str = "f/"
) -> Exported:
    dag = DAGResolver(Feature(id, id, depends_on=tuple(ids)) for id, ids in needs.items())
    return Exported(file, "main", jobs_of(dag, slots), (), (), "0" * 16, prefix)


@unittest.skipIf(yaml is None, "pyyaml is a development tool")
class Pipeline(unittest.TestCase):
    def pipeline(self, found: Exported) -> Json:
        return yaml.safe_load(body(found))

    def needs(self, pipeline: Json) -> dict[str, list[str]]:
        return {name: job["needs"] for name, job in pipeline.items() if "needs" in job}

    def test_a_feature_runs_when_its_dependencies_were_pushed(self) -> None:
        expected = {"run:a": [], "run:b": ["push:a"], "run:c": ["push:a"]}
        expected["run:d"] = ["push:b", "push:c"]
        found = self.needs(self.pipeline(export(DIAMOND)))
        self.assertEqual(found, {**expected, **{f"push:{id}": [f"run:{id}"] for id in "abcd"}})

    def test_one_feature_of_a_lane_runs_at_a_time(self) -> None:
        found = self.pipeline(export({**DIAMOND, "e": (), "f": ()}, 2))
        groups = {id: found[f"run:{id}"]["resource_group"] for id in "abcdef"}
        self.assertEqual(set(groups.values()), {"rorchestrator-1", "rorchestrator-2"})
        free = self.pipeline(export(DIAMOND))
        # A wait for a lane is no need: the one before may have failed.
        self.assertEqual(self.needs(found), {**self.needs(found), **self.needs(free)})
        self.assertFalse([name for name, job in free.items() if "resource_group" in job])

    def test_no_job_needs_more_jobs_than_gitlab_allows(self) -> None:
        self.assertEqual(NEEDS_LIMIT, 50)
        ids = [f"f{number}" for number in range(28)]
        list_ = {**dict.fromkeys(ids, ()), "end": ids}
        self.assertEqual(len(self.needs(self.pipeline(export(list_, 99)))["run:end"]), 28)
        with mock.patch("core.engines.gitlab_ci.NEEDS_LIMIT", 3):
            found = self.needs(self.pipeline(export(list_, 99)))
        self.assertLessEqual(max(map(len, found.values())), 3)
        reached, seeking = set(), ["run:end"]
        for job in seeking:
            reached.add(job)
            seeking += found.get(job, [])
        self.assertLessEqual({f"push:{id}" for id in ids}, reached)

    def test_no_push_starts_it(self) -> None:
        """Neither the branches of features nor others, whatever the prefix has for a pattern."""
        for prefix, pattern in (("feature/", "feature\\/"), ("a.b+é_-", "a\\.b\\+é_-"), ("", None)):
            rules = self.pipeline(export(DIAMOND, prefix=prefix))["workflow"]["rules"]
            never = [rule["if"] for rule in rules if rule.get("when") == "never"]
            self.assertEqual(never, [f"$CI_COMMIT_BRANCH =~ /^{pattern}/"] if pattern else [])
            sources = "web|schedule|api|trigger|pipeline|parent_pipeline"
            self.assertEqual(rules[-1], {"if": f"$CI_PIPELINE_SOURCE =~ /^({sources})$/"})
        script = self.pipeline(export(DIAMOND))[".push"]["script"]
        self.assertIn("git config --global push.pushOption ci.skip", script)

    def test_only_faults_of_runners_are_retried(self) -> None:
        found = self.pipeline(export(DIAMOND))
        retry = found[".rorchestrator"]["retry"]
        self.assertEqual(retry["max"], 2)
        self.assertNotIn("script_failure", retry["when"])
        self.assertNotIn("job_execution_timeout", retry["when"])
        self.assertIn("runner_system_failure", retry["when"])
        self.assertIs(found[".rorchestrator"]["interruptible"], False)
        self.assertFalse([job for name, job in found.items() if "retry" in job and name[0] != "."])

    def test_what_a_failed_feature_left_is_kept(self) -> None:
        found = self.pipeline(export(DIAMOND))
        folder = "rorchestrator-$CI_PIPELINE_ID"
        self.assertEqual(found[".run"]["artifacts"]["when"], "always")
        self.assertEqual(found[".run"]["artifacts"]["paths"], [f"{folder}/"])
        for option in ("report", "bundle"):
            self.assertIn(f'--{option} "{folder}/', found[".run"]["script"][-1])

    def test_the_report_is_the_last_job_and_knows_every_feature(self) -> None:
        found = self.pipeline(export(DIAMOND))
        self.assertEqual(found["stages"][-1], "report")
        self.assertEqual((found["report"]["stage"], found["report"]["when"]), ("report", "always"))
        self.assertNotIn("needs", found["report"])
        script = "\n".join(found["report"]["script"])
        self.assertIn(" --only a,b,c,d\n", script)
        # Its page is in a folder that no artifact of another job has, and it asks the remote.
        self.assertEqual(found["report"]["artifacts"]["paths"], [f"{REPORT}/"])
        self.assertIn(f'rm -rf "{REPORT}"', script)
        self.assertIn('--remote "$CI_REPOSITORY_URL"', script)

    def test_nothing_but_the_branch_of_the_feature_is_pushed(self) -> None:
        script = self.pipeline(export(DIAMOND, prefix="it's $x/"))[".push"]["script"][-1]
        words = shlex.split(script.replace("\\\n", ""))
        self.assertEqual(words[words.index("--branch") + 1], "it's $x/$FEATURE_ID")
        self.assertIn("""'it'"'"'s $x/'"$FEATURE_ID" """, script)

    def test_claude_gets_neither_the_token_nor_what_may_push(self) -> None:
        found = self.pipeline(export(DIAMOND))
        script = found[".run"]["script"]
        (unset,) = (line for line in script if line.startswith("unset "))
        self.assertLessEqual(set(TOKENS), set(unset.split()))
        self.assertIn('--remote "$PWD/repository.git"', script[-1])
        names = {
            name: job["environment"]["name"] for name, job in found.items() if "environment" in job
        }
        self.assertEqual(names, {".run": "rorchestrator-run", ".push": "rorchestrator-push"})
        self.assertFalse([line for line in found[".push"]["before_script"] if "claude" in line])

    def test_a_bypass_is_allowed_where_claude_works(self) -> None:
        for allowed in (False, True):
            found = self.pipeline(replace(export(DIAMOND), allow_bypass=allowed))
            self.assertIs(" --allow-bypass" in found[".run"]["script"][-1], allowed)

    def test_ids_and_paths_are_read_as_they_are(self) -> None:
        ids = ("1.0", "true", "No", "null", "0x1f", "1e3", "a.b_c-d")
        found = self.pipeline(export(dict.fromkeys(ids, ()), file="$(id) it's.json"))
        self.assertEqual([found[f"run:{id}"]["variables"]["FEATURE_ID"] for id in ids], list(ids))
        self.assertIn("--config '$(id) it'\"'\"'s.json'", found[".run"]["script"][-1])


class Text(unittest.TestCase):
    def test_it_is_readable_and_what_to_do_next_is_said(self) -> None:
        found = export(DIAMOND, 1)
        job = (
            '\nrun:c:\n  extends: ".run"\n  variables:\n    FEATURE_ID: c\n  needs:\n    - push:a\n'
        )
        self.assertIn(job, body(found))
        steps = next_steps(found, FILE)
        self.assertIn("docs/commands/export.md", steps[1])
        costly = next_steps(replace(found, max_cost_usd=5.0), FILE)
        self.assertEqual(costly[:-1], steps)
        self.assertEqual(
            costly[-1], "The budget of the list, $5.00, applies to each of the 4 jobs."
        )


if __name__ == "__main__":
    unittest.main()
