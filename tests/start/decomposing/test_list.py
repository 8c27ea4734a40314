"""The list that an answer would make: as a new one, or in an existing one."""

from __future__ import annotations

import json
import os
import tempfile
import unittest

from core.model.errors import UserError
from core.model.frozen import replace
from core.start.decomposing.list import Checked, Draft, check_answer
from core.start.decomposing.target import Target, existing_target, new_target
from tests.support.answering_claude import proposed

LIST = """\
{
  "project": {"name": "Shop", "repo_path": "."},
  "features": [
    {"id": "auth",  "prompt": "Build it in auth.py."}
  ]
}
"""


class Lists(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = os.path.realpath(folder.name)
        self.path = os.path.join(self.top, "config", "feature_list.json")

    def put(self, name: str, text: str) -> str:
        path = os.path.join(self.top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def new(self) -> Target:
        return new_target(self.path, self.top)

    def existing(self) -> Target:
        return existing_target(self.put("config/feature_list.json", LIST))

    def check(self, target: Target, *features: object, **more: object) -> Checked:
        return check_answer(target, 20, {"features": list(features), **more})

    def draft(self, target: Target, *features: object, **more: object) -> Draft:
        checked = self.check(target, *features, **more)
        self.assertEqual((checked.faults, checked.findings), ((), ()))
        assert checked.draft is not None
        return checked.draft

    def test_a_new_list_has_the_project_the_checks_and_the_features(self) -> None:
        api = proposed("api", depends_on=["auth"], uses=["path:src/auth.py"], tags=["web"])
        draft = self.draft(
            self.new(), proposed("auth"), api, verify=["python3 -m unittest"], questions=["Q?"]
        )
        document = json.loads(draft.text)
        name = os.path.basename(self.top)
        checks = ["python3 -m unittest"]
        project = {"name": name, "repo_path": ".", "verify": checks}
        self.assertEqual(document["project"], project)
        first, second = document["features"]
        self.assertEqual(list(first), ["id", "name", "prompt_file", "estimated_tokens", "creates"])
        self.assertEqual((second["depends_on"], second["tags"]), (["auth"], ["web"]))
        self.assertEqual(second["prompt_file"], "api.md")
        self.assertEqual(draft.ids, ("auth", "api"))
        self.assertEqual(draft.questions, ("Q?",))
        self.assertEqual(draft.config.features[1].prompt, draft.prompts["api.md"])
        self.assertNotIn(
            "verify", json.loads(self.draft(self.new(), proposed("a")).text)["project"]
        )

    def test_a_repository_elsewhere_is_found_from_the_list(self) -> None:
        target = new_target(os.path.join(self.top, "plans", "list.json"), self.top)
        draft = self.draft(target, proposed("a"))
        self.assertEqual(json.loads(draft.text)["project"]["repo_path"], "..")
        self.assertEqual(draft.config.project.repo_path, self.top)

    def test_an_existing_list_keeps_every_other_byte(self) -> None:
        draft = self.draft(self.existing(), proposed("api", depends_on=["auth"]))
        self.assertTrue(draft.text.startswith(LIST[: LIST.index("\n  ]")]))
        self.assertEqual([each.id for each in draft.config.features], ["auth", "api"])
        self.assertEqual(draft.ids, ("api",))

    def test_faults_of_the_loader_have_the_places_of_the_answer(self) -> None:
        checked = self.check(
            self.existing(),
            proposed("AUTH"),
            proposed("api", depends_on=["apy"], verify=[""]),
            proposed("../web", creates=["path:../../x"]),
        )
        self.assertIsNone(checked.draft)
        self.assertEqual(
            sorted(checked.faults),
            [
                "features[0].id: duplicate id 'AUTH' (also a feature of the list)",
                "features[1].depends_on[0]: unknown feature 'apy' (did you mean 'api'?)",
                "features[1].verify[0]: is empty",
                "features[2].creates[0]: 'path:../../x' is no path inside the repository",
                "features[2].id: '../web' must begin with a letter or digit; then . _ - are "
                "allowed as well",
            ],
        )

    def test_cycles_and_wrong_types_are_faults(self) -> None:
        one, two = proposed("a", depends_on=["b"]), proposed("b", depends_on=["a"])
        (fault,) = self.check(self.new(), one, two).faults
        self.assertEqual(fault, "features[0].depends_on: dependency cycle: a → b → a")
        checked = self.check(self.new(), proposed("a", estimated_tokens="3"), verify=7)
        self.assertEqual(len(checked.faults), 2)
        self.assertEqual(check_answer(self.new(), 3, []).faults[0][:18], "expected an object")

    def test_prompts_get_names_that_are_free(self) -> None:
        for name in ("prompts/auth.md", "prompts/auth-2.md", "api.md"):
            self.put(name, "mine")
        draft = self.draft(self.new(), proposed("auth"), proposed("api"), proposed("auth-3"))
        self.assertEqual(list(draft.prompts), ["auth-3.md", "api-2.md", "auth-3-2.md"])
        self.assertEqual(draft.config.features[0].prompt_file, "auth-3.md")

    def test_findings_of_the_linter_are_about_new_features_only(self) -> None:
        vague = proposed("api", prompt="Write `src/api.py` properly.\r\nRun `src/x.py`.")
        checked = self.check(self.existing(), vague)
        self.assertEqual(
            checked.findings,
            (
                "api:1: vague: 'properly'; say exactly what is meant",
                "api:2: src/x.py does not exist, and no feature creates it (add 'path:src/x.py')",
            ),
        )
        assert checked.draft is not None
        self.assertNotIn("\r", checked.draft.prompts["api.md"])

    def test_a_list_with_faults_is_no_target(self) -> None:
        self.put("config/feature_list.json", "{}")
        with self.assertRaises(UserError):
            existing_target(self.path)

    def test_a_list_that_can_not_be_edited_is_a_fault(self) -> None:
        target = self.existing()
        assert target.file is not None
        broken = replace(target, file=replace(target.file, text="[]"))
        self.assertIn("it has no list of features", self.check(broken, proposed("a")).faults[0])


if __name__ == "__main__":
    unittest.main()
