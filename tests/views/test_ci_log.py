"""The end of a run in the log of a CI job."""

from __future__ import annotations

import os

from core.model.ci_systems import Ci
from core.model.outcome import FeatureOutcome, Status
from core.views.ci_log import CiLog, Place, Places, groups, problems
from core.views.run_view import Extras
from tests.support.in_a_folder import InAFolder
from tests.support.run_views import FAILED, STORY, begun, feature_story, report_of, view_of
from tests.support.story import AT

OUTPUT = Extras({"api": [(), ("FAIL a", "1 failed")]}, {})


def at(id: str) -> Place:
    return Place("list.json", len(id))


class CiLogTest(InAFolder):
    def test_the_checks_of_failed_features_are_folded(self) -> None:
        text = (
            "$ npm run lint\nended with exit 0\n$ npm test\nFAIL a\n1 failed\nended with exit 1\n"
        )
        self.assertEqual(
            list(groups(view_of(extras=OUTPUT), Ci.GITHUB)),
            ["::group::api: checks\n", text, "::endgroup::\n"],
        )
        self.assertEqual(list(groups(view_of(), Ci.GITHUB)), [])

    def test_on_github_failures_are_errors_and_the_rest_is_one_warning(self) -> None:
        error, warning = problems(view_of(), Ci.GITHUB, at)
        self.assertTrue(
            error.startswith(
                "::error file=list.json,line=3,title=api%3A failed::check: `npm test` ended with"
                " exit 1%0AFAIL src/api.test.ts%0Anext: rorchestrator logs api"
            ),
            error,
        )
        self.assertEqual(
            warning, "::warning file=list.json,line=3,title=1 feature did not run::app\n"
        )
        self.assertEqual(list(problems(view_of(), Ci.GITLAB, at)), [])

    def test_there_are_at_most_ten_of_a_kind(self) -> None:
        for count, expected in ((10, 10), (11, 10), (300, 10)):
            ids = [f"f{n}" for n in range(count)]
            story = [begun(ids)]
            for id in ids:
                story += feature_story(id, AT, end=FAILED)
            found = list(problems(view_of(story), Ci.GITHUB, at))
            self.assertEqual(len(found), expected)
        self.assertIn("title=291 more features did not complete::f9, f10, ", found[-1])

    def test_a_long_reason_is_cut(self) -> None:
        end = FeatureOutcome(Status.FAILED, "x\n" * 100_000)
        view = view_of([begun(["a"]), *feature_story("a", AT, end=end)])
        (error,) = problems(view, Ci.GITHUB, at)
        self.assertLess(len(error), 4_000)

    def test_a_feature_is_where_the_list_names_it(self) -> None:
        os.mkdir(self.folder)
        path = os.path.join(self.folder, "list.json")
        with open(path, "w") as file:
            file.write('{"features": [\n{"id": "a"},\n{"name": "b", "id" : "b"}, {"id": "a"}]}')
        places = Places(path, "config/list.json")
        self.assertEqual(places("a"), Place("config/list.json", 2))
        self.assertEqual(places("b"), Place("config/list.json", 3))
        self.assertEqual(places("c"), Place("config/list.json"))
        self.assertEqual(Places(path, path)("a"), Place(""))
        self.assertEqual(Places(f"{path}x", "list.json")("a"), Place("list.json"))

    def test_at_the_end_of_a_run_all_of_it_is_printed(self) -> None:
        said: list[str] = []
        view = CiLog(Ci.GITHUB, lambda report: view_of(extras=OUTPUT), at, said.append)
        view.at_end(report_of(STORY))
        self.assertEqual(
            [line.split("::")[1][:5] for line in said if "::" in line],
            ["group", "endgr", "error", "warni"],
        )
        self.assertTrue(view.is_optional)
