"""A run in a CI job: its files, its lines that the system obeys, and none from anybody else."""

from __future__ import annotations

import os
import re
import unittest
import xml.etree.ElementTree as ET

from core.model.ci_commands import CommandGuard
from tests.support.commands import CommandResult, read_text
from tests.support.event_schema import HAS_JSONSCHEMA, faults_of
from tests.support.junit_schema import junit_faults
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere

HOSTILE = "::error::pwned\n  ::add-mask::pwned\n##[error]pwned\nsection_start:1:pwned\r\x1b[0Kx"
HOSTILE_SHELL = HOSTILE.replace("\n", r"\n").replace("\r", r"\r").replace("\x1b", r"\033")

GITHUB = re.compile(r"^\s*(::.*)$", re.M)
GITLAB = re.compile(r"section_(?:start|end):\d+:[^\r]*")


class CiTest(unittest.TestCase):
    """One feature completes at the second attempt, one fails its check, one is blocked."""

    workspace: Workspace
    github: CommandResult
    gitlab: CommandResult

    @classmethod
    def setUpClass(cls) -> None:
        place = cls.workspace = Workspace()
        cls.addClassCleanup(place.close)
        check = ["sh", "-c", f"printf '{HOSTILE_SHELL}\\n'; exit 1"]
        place.features(
            feature("flaky", {"fail": "Overloaded", "status": 529}, {"write": "flaky.md"}),
            feature(
                "broken",
                {"say": HOSTILE},
                {"write": "broken.md"},
                name="::error::pwned ##[error]",
                verify=[check],
            ),
            feature("behind", depends_on=["broken", "flaky"]),
            retry={"attempts": 3, "backoff_seconds": 0},
        )
        text = read_text(place.list_file).replace('{"id"', '\n{"id"')
        place.commit({os.path.relpath(place.list_file, place.path): text}, "the list")
        cls.step = place.beside("step.md")
        with open(cls.step, "w") as file:
            file.write("# Before")
        words = ("run", "--yes", "--junit", place.beside("junit.xml"))
        cls.github = place.command(
            *(*words, "--summary", place.beside("made", "summary.md")),
            env={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": cls.step},
        )
        cls.gitlab = place.command(*words, env={"GITLAB_CI": "true"})

    def test_the_junit_report_has_all_features(self) -> None:
        document = read_text(self.workspace.beside("junit.xml"))
        self.assertEqual(junit_faults(document), [])
        # The second run wrote it anew: what completed in the first is up to date.
        children = {
            case.get("name"): [child.tag for child in case]
            for case in ET.fromstring(document.encode()).iter("testcase")
        }
        self.assertEqual(children["flaky"], ["system-out"])
        self.assertEqual(children["broken"][0], "failure")
        self.assertEqual(children["behind"], ["skipped", "system-out"])
        self.assertIn("pwned", document)

    def test_the_summary_has_the_graph_the_table_and_the_errors(self) -> None:
        text = read_text(self.workspace.beside("made", "summary.md"))
        self.assertTrue(text.startswith("## ❌ Shop: 1 of 3 features completed\n"), text)
        self.assertIn("```mermaid\nflowchart LR\n", text)
        self.assertIn("| `flaky` | ✅ completed |", text)
        self.assertIn("<details><summary>❌ `broken` failed</summary>", text)
        self.assertEqual(read_text(self.step), f"# Before\n\n{text}")

    def test_github_obeys_our_lines_and_no_others(self) -> None:
        for text in (self.github.out, self.github.err):
            self.assertNotRegex(text, r"##\w*\[")
        self.assertEqual(GITHUB.findall(self.github.out), [])
        plan, checks, error, warning = self._folded(GITHUB.findall(self.github.err))
        self.assertEqual(plan, ["::group::Plan: 3 features to run", "::endgroup::"])
        self.assertEqual(checks, ["::group::broken: checks", "::endgroup::"])
        self.assertRegex(
            error[0], r"^::error file=config/feature_list.json,line=3,title=broken%3A failed::"
        )
        self.assertIn("%0Anext: rorchestrator logs broken", error[0])
        self.assertEqual(
            warning,
            ["::warning file=config/feature_list.json,line=4,title=1 feature did not run::behind"],
        )

    def _folded(self, lines: list[str]) -> list[list[str]]:
        return [lines[:2], lines[2:4], lines[4:5], lines[5:]]

    def test_gitlab_folds_what_is_printed_at_once(self) -> None:
        self.assertEqual(self.gitlab.code, 1)
        names = [found.split(":")[2] for found in GITLAB.findall(self.gitlab.err)]
        self.assertEqual(names, ["plan", "plan", "checks_1", "checks_1"])
        self.assertEqual(GITLAB.findall(self.gitlab.out), [])
        self.assertIsNone(GITHUB.search(self.gitlab.err + self.gitlab.out))

    @unittest.skipUnless(HAS_JSONSCHEMA, "jsonschema is a development tool")
    def test_their_events_are_as_the_schema_says(self) -> None:
        for event in self.workspace.journal():
            self.assertEqual(faults_of(event), [], event)

    def test_the_hostile_text_was_there(self) -> None:
        for said in (self.github.err, self.gitlab.err):
            self.assertIn("\\::error::pwned", said)
        self.assertEqual(CommandGuard()(self.github.out), self.github.out)


if __name__ == "__main__":
    unittest.main()
