"""JUnit XML: what Jenkins and GitLab show of a run."""

from __future__ import annotations

import os
import unittest
import xml.etree.ElementTree as ET

from core.model import events
from core.model.frozen import replace
from core.model.outcome import AttemptOutcome, Fault, FeatureOutcome, Status
from core.views.junit import junit, kind_of
from core.views.run_view import Extras
from tests.support.junit_schema import HAS_LXML, OURS, junit_faults
from tests.support.run_views import (
    COMPLETED,
    DONE,
    FAILED,
    LATE,
    STORY,
    VERDICTS,
    begun,
    checked,
    feature_story,
    judged,
    view_of,
)
from tests.support.story import AT, RUN

OF_JENKINS = os.environ.get("RORCHESTRATOR_JUNIT_XSD", "")
"""A further schema, such as ``junit-10.xsd`` of Jenkins' xUnit plugin."""

ODD = "\0\x0b\x1b[31m\ufffe\ud800]]>&<\"'\u202e\U0001f600"


class JunitTest(unittest.TestCase):
    def parsed(self, document: str) -> ET.Element:
        for schema in filter(None, (OURS, OF_JENKINS)):
            self.assertEqual(junit_faults(document, schema), [], document)
        return ET.fromstring(document.encode())

    def test_each_feature_is_a_case(self) -> None:
        outputs = Extras({"api": [("clean",), ("FAIL a & b", "1 failed")]}, {})
        given = view_of(extras=outputs, up_to_date=("lib",), left=("old",))
        suite = self.parsed(junit(given))
        self.assertEqual(
            {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped")},
            {"name": "Shop", "tests": "6", "failures": "1", "errors": "0", "skipped": "2"},
        )
        cases = {case.get("name"): case for case in suite.iter("testcase")}
        self.assertEqual(list(cases), ["auth", "api", "app", "docs", "lib", "old"])
        children = {id: [child.tag for child in case] for id, case in cases.items()}
        self.assertEqual(
            children,
            {
                "auth": ["system-out"],
                "api": ["failure", "rerunError", "system-out"],
                "app": ["skipped", "system-out"],
                "docs": ["system-out"],
                "lib": ["system-out"],
                "old": ["skipped"],
            },
        )
        self.assertEqual(
            (cases["auth"].get("classname"), cases["auth"].get("time")), ("Shop", "12.000")
        )
        self.assertEqual(
            cases["auth"].findtext("system-out"),
            "Auth: completed in 12s, 1 attempt, $0.12\n"
            "feature/auth at c0ffeec0ffee: 3 files +12 −4",
        )
        self.assertEqual(
            cases["api"].findtext("system-out", "").split("\n", 2)[2],
            "check `npm run lint` passed\nclean\n\n"
            "check `npm test` ended with exit 1\nFAIL a & b\n1 failed",
        )
        failure = cases["api"][0]
        self.assertEqual(failure.get("type"), "check")
        self.assertEqual(failure.get("message"), "check: `npm test` ended with exit 1")
        self.assertIn("FAIL src/api.test.ts\nnext: rorchestrator logs api", failure.text or "")
        rerun = cases["api"][1]
        self.assertEqual(rerun.attrib, {"message": "attempt 1: no output", "type": "stall"})
        self.assertEqual(rerun.findtext("stackTrace"), "no output")
        self.assertEqual(cases["app"][0].get("message"), "api did not complete")

    def test_the_attempts_before_a_success_are_flaky(self) -> None:
        story = [
            begun(["a"]),
            *feature_story("a", AT, DONE, replace(LATE, result="half of it"), DONE, end=COMPLETED),
        ]
        story.insert(-4, checked("a", AT + 12.5, "npm test", passed=False))
        case = self.parsed(junit(view_of(story)))[1]
        self.assertEqual(
            [child.tag for child in case], ["flakyFailure", "flakyError", "system-out"]
        )
        self.assertEqual(
            [child.get("message") for child in case[:2]],
            ["attempt 1: check `npm test` ended with exit 1", "attempt 2: no output"],
        )
        self.assertEqual([child.get("type") for child in case[:2]], ["check", "stall"])
        self.assertEqual(case[1].findtext("system-out"), "half of it")

    def test_an_attempt_without_an_end_was_interrupted(self) -> None:
        story = [begun(["a"]), *feature_story("a", AT, LATE, DONE, end=FAILED)]
        story = [e for e in story if e.data.get("reason") != LATE.reason]
        case = self.parsed(junit(view_of(story)))[1]
        self.assertEqual([child.tag for child in case], ["failure", "rerunError", "system-out"])
        self.assertEqual(case[1].get("type"), "interrupted")

    def test_what_is_a_failure_an_error_or_skipped(self) -> None:
        for status, fault, attempts, expected in (
            (Status.COMPLETED, Fault.NONE, 1, ""),
            (Status.FAILED, Fault.NONE, 1, "failure"),
            (Status.FAILED, Fault.CHECK, 1, "failure"),
            (Status.EMPTY, Fault.NONE, 1, "failure"),
            (Status.CONFLICT, Fault.NONE, 0, "failure"),
            (Status.FAILED, Fault.LIMIT, 1, "error"),
            (Status.TIMED_OUT, Fault.TIMEOUT, 1, "error"),
            (Status.CANCELLED, Fault.INTERRUPTED, 1, "error"),
            (Status.CANCELLED, Fault.BUDGET, 0, "skipped"),
            (Status.BLOCKED, Fault.NONE, 0, "skipped"),
            (Status.SKIPPED, Fault.NONE, 0, "skipped"),
        ):
            outcomes = [AttemptOutcome(status, fault=fault)] * attempts
            end = FeatureOutcome(status, "", fault)
            view = view_of([begun(["a"]), *feature_story("a", AT, *outcomes, end=end)])
            with self.subTest(status=status, fault=fault):
                self.assertEqual(kind_of(view.features[0]), expected)
                self.parsed(junit(view))
        pending = view_of([begun(["a"])])
        self.assertEqual(kind_of(pending.features[0]), "skipped")

    def test_each_check_with_a_verdict_is_a_case(self) -> None:
        story = [begun(["a"]), *feature_story("a", AT, DONE, end=COMPLETED)]
        twice = replace(VERDICTS[0], check="x" * 300)
        other = replace(twice, check=f"{'x' * 299}y")
        suite = self.parsed(junit(view_of([*story, *judged("a", *VERDICTS, twice, other)])))
        counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
        self.assertEqual(counts, {"tests": "7", "failures": "1", "errors": "0", "skipped": "1"})
        cases = {case.get("name"): case for case in suite.iter("testcase")}
        self.assertEqual(
            [name for name in cases if "xx" not in str(name)],
            [
                *("a", "a: make z (project)", "a: make <y> (project)"),
                *("a: make x (project)", "a: make x"),
            ],
        )
        self.assertEqual(len([name for name in cases if str(name).endswith(" #2")]), 1)
        self.assertEqual(cases["a: make x"].get("classname"), "Shop.checks")
        self.assertEqual(
            {
                name: [child.tag for child in case]
                for name, case in cases.items()
                if "make" in str(name)
            },
            {
                "a: make z (project)": ["failure", "system-out"],
                "a: make <y> (project)": ["flakyFailure", "system-out"],
                "a: make x (project)": ["skipped", "system-out"],
                "a: make x": ["system-out"],
            },
        )
        self.assertEqual(
            cases["a: make <y> (project)"].findtext("system-out"),
            "flaky: failed, then passed on the same tree\nat the start: -\n"
            "now: ended with exit 0\nproves nothing: test_a.py",
        )
        self.assertEqual(cases["a: make z (project)"][0].get("type"), "broken")

    def test_characters_that_xml_has_not_are_left_out(self) -> None:
        odd = FeatureOutcome(Status.FAILED, ODD)
        outcome = AttemptOutcome(Status.FAILED, ODD, result=ODD)
        story = [
            begun(["a"]),
            *feature_story("a", AT, outcome, outcome, end=odd, name=ODD),
            checked("a", AT + 30, f"{ODD}\nx", passed=False),
            events.run_ended(AT + 40, RUN, exit_code=1),
        ]
        view = view_of(story, Extras({"a": [(ODD,)]}, {}), project_name=f"{ODD}\n\t")
        suite = self.parsed(junit(view))
        self.assertIn("]]>&<\"'\ufffd\U0001f600", suite.findtext(".//failure") or "")
        self.assertIn("'\ufffd\U0001f600\n", suite.get("name") or "")

    @unittest.skipUnless(HAS_LXML, "lxml is a development tool")
    def test_the_schema_finds_faults(self) -> None:
        good = junit(view_of(STORY))
        for old, new in (
            ("<testsuite ", '<testsuite odd="1" '),
            ('name="auth"', 'name="api"'),
            ('type="stall"', ""),
            ('time="12.000"', 'time="12s"'),
            ("<system-out>Auth", "<system-in/><system-out>Auth"),
        ):
            self.assertIn(old, good)
            self.assertNotEqual(junit_faults(good.replace(old, new, 1)), [], new)


if __name__ == "__main__":
    unittest.main()
