"""Inputs that make a result out of date: the user's text, none of our own."""

from __future__ import annotations

import unittest

from core.claude.prompt import PromptWriter
from core.dag import incremental
from core.dag.feature_inputs import FORM, inputs
from core.dag.incremental import Facts
from core.dag.resolver import DAGResolver
from core.model.attempt import Attempt
from core.model.decision import Action
from core.model.feature import (
    DEFAULT_ALLOWED_TOOLS,
    ClaudeOptions,
    Command,
    Config,
    Feature,
    Project,
)
from core.model.frozen import replace
from core.model.list_commands import shell_command
from core.model.outcome import AttemptOutcome, Status, Work
from core.model.state import FeatureState, RunState

AUTH = Feature("auth", "Sign-in", prompt="Build it.", description="D.", creates=("app/auth.py",))
API = Feature(
    "api",
    "API",
    prompt="Build it on auth.",
    depends_on=("auth",),
    uses=("app/auth.py",),
    model="opus",
    verify=(Command(("make", "api"), "make api"),),
)
CONFIG = Config(
    "/l.json",
    "/",
    Project("shop", "/repo", verify=(Command(("/bin/sh", "-c", "make test"), "make test"),)),
    (AUTH, API),
    ClaudeOptions(
        disallowed_tools=("WebFetch",),
        env={"ANTHROPIC_MODEL": "x"},
        extra_args=("--x=1",),
        append_system_prompt="S",
    ),
    context="C",
    quality_rules=("R",),
)

WRITTEN_BY_1_0 = {
    "auth": {
        "prompt": "c567196df4da9ee0e020",
        "options": "49816111353feafb28f9",
        "checks": "b0549f664f8d3c9532e9",
    },
    "api": {
        "prompt": "572e51d732fb0f2e3759",
        "options": "d6a6a428bcce48f084e6",
        "checks": "0c5199e505366a7b0059",
        "dependency auth": "af18302b8b6af99fd976",
    },
}
"""The inputs of the list above in a journal of version 1.0."""


def _known(id: str, written: dict[str, str]) -> FeatureState:
    done = AttemptOutcome(Status.COMPLETED)
    attempts = (Attempt("r1", 1, "s1", 1.0, outcome=done),)
    key = incremental.digest(written)
    return FeatureState(
        id,
        status=Status.COMPLETED,
        run="r1",
        key=key,
        inputs=written,
        attempts=attempts,
        work=Work("c"),
    )


JOURNAL_OF_1_0 = RunState({id: _known(id, written) for id, written in WRITTEN_BY_1_0.items()})


def _decide(config: Config, state: RunState, facts: Facts | None = None) -> dict[str, str]:
    """The reason for each feature."""
    facts = facts or Facts(reachable=("auth", "api"))
    dag = DAGResolver(config.features)
    decisions = incremental.decide(config, dag, state, facts)
    return {id: made.reason for id, made in decisions.items()}


class WhatCounts(unittest.TestCase):
    def test_options_that_change_no_result_are_in_no_key(self) -> None:
        plain = inputs(PromptWriter(CONFIG), API, {"auth": "k"})
        same = replace(
            API,
            name="Other",
            tags=("t",),
            priority=7,
            estimated_tokens=9,
            timeout_seconds=5.0,
            max_cost_usd=1.0,
        )
        self.assertEqual(inputs(PromptWriter(CONFIG), same, {"auth": "k"}), plain)
        options = replace(
            CONFIG.claude,
            command=("x",),
            max_turns=3,
            max_budget_usd=1.0,
            allowed_tools=DEFAULT_ALLOWED_TOOLS,
            env={**CONFIG.claude.env, "ANTHROPIC_API_KEY": "k"},
        )
        self.assertEqual(
            inputs(PromptWriter(replace(CONFIG, claude=options)), API, {"auth": "k"}), plain
        )
        self.assertEqual(plain[FORM], "2")

    def test_inputs_written_by_the_user_are_hashed(self) -> None:
        def hashed(config: Config = CONFIG, feature: Feature = API) -> dict[str, str]:
            return inputs(PromptWriter(config), feature, {"auth": "k"})

        def of(options: ClaudeOptions) -> Config:
            return replace(CONFIG, claude=options)

        claude = CONFIG.claude
        cases = {
            "prompt": [
                hashed(replace(CONFIG, context="other")),
                hashed(replace(CONFIG, quality_rules=("R", "S"))),
                hashed(feature=replace(API, prompt="other")),
                hashed(feature=replace(API, description="other")),
                hashed(feature=replace(API, creates=("app/api.py",))),
                hashed(feature=replace(API, uses=())),
            ],
            "options": [
                hashed(feature=replace(API, model="haiku")),
                hashed(feature=replace(API, allowed_tools=("Read",))),
                hashed(of(replace(claude, allowed_tools=("Read",)))),
                hashed(of(replace(claude, allowed_tools_add=("Read",)))),
                hashed(of(replace(claude, disallowed_tools=()))),
                hashed(of(replace(claude, permission_mode="plan"))),
                hashed(of(replace(claude, fallback_model="haiku"))),
                hashed(of(replace(claude, append_system_prompt="T"))),
                hashed(of(replace(claude, extra_args=()))),
                hashed(of(replace(claude, env={"ANTHROPIC_MODEL": "y"}))),
            ],
            "checks": [hashed(feature=replace(API, verify=()))],
        }
        for name, changed in cases.items():
            for number, found in enumerate(changed):
                with self.subTest(name, number=number):
                    plain = hashed()
                    self.assertEqual([n for n in plain if plain[n] != found[n]], [name])
        other = inputs(PromptWriter(CONFIG), API, {"auth": "l"})
        self.assertNotEqual(other["dependency auth"], hashed()["dependency auth"])

    def test_rules_count_the_same_wherever_the_list_has_them(self) -> None:
        def hashed(**given: object) -> str:
            claude = replace(CONFIG.claude, **given)
            writer = PromptWriter(replace(CONFIG, claude=claude))
            return inputs(writer, API, {"auth": "k"})["options"]

        apart = hashed(allowed_tools=("Read",), allowed_tools_add=("Bash(x)",))
        self.assertEqual(apart, hashed(allowed_tools=("Read", "Bash(x)")))

    def test_the_rules_of_the_checks_are_in_no_key(self) -> None:
        project = replace(CONFIG.project, verify=(shell_command("npm test"),))
        writer, plain = PromptWriter(replace(CONFIG, project=project)), PromptWriter(CONFIG)
        found = [inputs(each, API, {"auth": "k"})["options"] for each in (writer, plain)]
        self.assertEqual(found[0], found[1])


class JournalOfTheFirstForm(unittest.TestCase):
    def test_features_completed_by_version_1_0_are_up_to_date(self) -> None:
        same = dict.fromkeys(("auth", "api"), "up to date")
        self.assertEqual(_decide(CONFIG, JOURNAL_OF_1_0), same)

    def test_changes_since_version_1_0_are_named(self) -> None:
        for feature, expected in (
            (replace(AUTH, prompt="Other."), ["prompt changed", "dependency auth changed"]),
            (replace(AUTH, model="opus"), ["options changed", "dependency auth changed"]),
        ):
            config = replace(CONFIG, features=(feature, API))
            self.assertEqual(list(_decide(config, JOURNAL_OF_1_0).values()), expected)

    def test_a_dependent_run_on_a_result_of_version_1_0_is_up_to_date_afterwards(self) -> None:
        dag, facts = DAGResolver(CONFIG.features), Facts(reachable=("auth", "api"))
        older = RunState({"auth": JOURNAL_OF_1_0.feature("auth")})
        made = incremental.decide(CONFIG, dag, older, facts)["api"]
        state = RunState({**older.features, "api": _known("api", dict(made.inputs))})
        self.assertEqual(_decide(CONFIG, state), dict.fromkeys(("auth", "api"), "up to date"))

    def test_a_result_made_again_puts_out_of_date_what_1_0_built_on_it(self) -> None:
        found = _decide(CONFIG, JOURNAL_OF_1_0, Facts(reachable=("api",), run="r2"))
        self.assertEqual(found["api"], "dependency auth changed")
        marked = {**WRITTEN_BY_1_0["auth"], incremental.MADE: "r0"}
        auth = _known("auth", marked)
        api = _known("api", {**WRITTEN_BY_1_0["api"], "dependency auth": auth.key})
        state = RunState({"auth": auth, "api": api})
        self.assertEqual(_decide(CONFIG, state), dict.fromkeys(("auth", "api"), "up to date"))

    def test_a_dependency_of_another_branch_name_is_the_same_result(self) -> None:
        """Only the first form holds the branch's name; today's does not."""
        moved = replace(CONFIG, project=replace(CONFIG.project, branch_prefix="other/"))
        dag, facts = DAGResolver(CONFIG.features), Facts(reachable=("auth", "api"))
        today = {
            id: _known(id, dict(made.inputs))
            for id, made in incremental.decide(CONFIG, dag, RunState(), facts).items()
        }
        found = incremental.decide(moved, dag, RunState(today), facts)
        self.assertEqual({made.action for made in found.values()}, {Action.SKIP})


if __name__ == "__main__":
    unittest.main()
