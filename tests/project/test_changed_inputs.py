"""The changed inputs of a feature, by name, with the difference where the old text is known."""

from __future__ import annotations

import os
import tempfile
import unittest

from core.claude.prompt import PromptWriter
from core.dag.feature_inputs import inputs
from core.dag.incremental import MADE
from core.model.attempt import Attempt
from core.model.decision import Action, Decision
from core.model.feature import Command, Config, Feature, Project
from core.model.frozen import replace
from core.model.state import FeatureState
from core.project.changed_inputs import DIFF_LINES, ChangedInput, changed_inputs

OLD = Feature(
    "api",
    "API",
    prompt="Build it.\nWith SECRET tests.\n",
    prompt_file="api.md",
    description="An API",
    creates=("path:api.py",),
)


def config(feature: Feature, context: str = "", rules: tuple[str, ...] = ()) -> Config:
    project = Project("Shop", "/shop", verify=(Command(("true",), "true"),))
    return Config("/l", "/w", project, (feature,), context=context, quality_rules=rules)


def hashed(given: Config) -> dict[str, str]:
    (feature,) = given.features
    return inputs(PromptWriter(given), feature, dict.fromkeys(feature.depends_on, "key"))


class Changed(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = os.path.join(folder.name, "api.1.jsonl")
        before = config(OLD)
        with open(os.path.join(folder.name, "api.1.prompt"), "w") as file:
            file.write(PromptWriter(before).first(OLD))
        attempts = (
            Attempt("r1", 1, "s", 0.0, self.log),
            Attempt("r1", 2, "s", 0.0, "/elsewhere/api.2.jsonl", resumed=True),
        )
        self.known = FeatureState("api", inputs=hashed(before), attempts=attempts)

    def changed(self, now: Config, known: FeatureState | None = None) -> tuple[ChangedInput, ...]:
        (feature,) = now.features
        decision = Decision("api", Action.START, "", inputs=hashed(now))
        return changed_inputs(
            now, feature, known or self.known, decision, lambda text: text.replace("SECRET", "***")
        )

    def test_the_mark_of_another_result_is_no_input_of_the_list(self) -> None:
        made = replace(self.known, inputs={**self.known.inputs, MADE: "an earlier run"})
        self.assertEqual(self.changed(config(OLD), made), ())

    def test_nothing_is_named_if_nothing_changed_or_the_feature_never_started(self) -> None:
        self.assertEqual(self.changed(config(OLD)), ())
        self.assertEqual(self.changed(config(OLD), FeatureState("api")), ())
        of_1_0 = replace(self.known, inputs={"prompt": "1"})
        self.assertEqual(self.changed(config(OLD), of_1_0), ())

    def test_a_changed_file_is_named_with_its_changed_lines(self) -> None:
        (found,) = self.changed(config(replace(OLD, prompt="Build it.\nWith SECRET docs.\n")))
        self.assertEqual((found.input, found.names), ("prompt", ("prompt_file api.md",)))
        lines = [line for line in found.diff if line[0] in "+-"]
        self.assertEqual(lines, ["-With *** tests.", "+With *** docs."])

    def test_each_part_of_the_prompt_has_its_key(self) -> None:
        cases = {
            ("description",): config(replace(OLD, description="The API")),
            ("prompts.context_file",): config(OLD, context="Be brief."),
            ("creates",): config(replace(OLD, creates=("path:api.py", "path:b.py"))),
            ("uses", "prompts.quality_rules"): config(replace(OLD, uses=("x",)), rules=("y",)),
            ("prompt",): config(replace(OLD, prompt="Other.", prompt_file="")),
            (): config(replace(OLD, description="")),
        }
        for names, now in cases.items():
            with self.subTest(names):
                (found,) = self.changed(now)
                self.assertEqual(found.names, names)
                self.assertTrue(found.diff)

    def test_a_long_difference_is_cut(self) -> None:
        (found,) = self.changed(config(replace(OLD, prompt="line\n" * 100)))
        self.assertEqual(len(found.diff), DIFF_LINES + 1)
        self.assertRegex(found.diff[-1], r"^… \d+ more lines$")

    def test_without_the_old_prompt_only_the_input_is_named(self) -> None:
        now = config(replace(OLD, prompt="Other."))
        for log in ("/nowhere/api.1.jsonl", "", "/nowhere/api.1.log"):
            attempts = (Attempt("r1", 1, "s", 0.0, log),)
            known = replace(self.known, attempts=attempts if log else ())
            self.assertEqual(self.changed(now, known), (ChangedInput("prompt"),))

    def test_an_old_prompt_that_is_another_text_is_compared_as_it_is(self) -> None:
        with open(self.log.replace(".jsonl", ".prompt"), "w") as file:
            file.write("Resolve it.")
        (found,) = self.changed(config(replace(OLD, prompt="Other.")))
        self.assertIn("-Resolve it.", found.diff)

    def test_options_checks_and_dependencies_are_named_without_their_old_values(self) -> None:
        now = config(replace(OLD, model="opus", depends_on=("auth",), verify=(Command((), "x"),)))
        found = {each.input: each for each in self.changed(now)}
        self.assertEqual(found["options"].names, ("claude", "model", "allowed_tools"))
        self.assertEqual(found["checks"].names, ("project.verify", "verify"))
        self.assertEqual(found["dependency auth"].dependency, "auth")
        self.assertEqual(found["options"].dependency, "")
