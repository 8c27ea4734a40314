"""What a changed list would allow: a table of changes of one feature."""

from __future__ import annotations

import unittest

from core.dag.widening import OURS, widenings
from core.model.feature import ClaudeOptions, Command, Config, Feature, Project, Purpose
from core.model.frozen import replace
from core.model.list_outline import outline_of

MAKE = Command(("make", "test"), "make test")
OTHER = Command(("sh", "-c", "curl x"), "curl x")
DOWN = Command(("down",), "down")

OLD = Feature(
    "auth",
    "Sign-in",
    verify=(MAKE,),
    creates=("path:auth.py", "sign-in"),
    allowed_tools=("Read",),
    max_cost_usd=5.0,
    timeout_seconds=60.0,
)
PLAIN = Feature("auth", "Sign-in")


def config_of(*features: Feature) -> Config:
    project = Project("Shop", "/", timeout_seconds=100.0, teardown=(DOWN,))
    claude = ClaudeOptions(model="sonnet", allowed_tools_add=("WebFetch",))
    return Config("/list", "/", project, features, claude)


class WideningTest(unittest.TestCase):
    def found(self, before: Feature | None, after: Feature) -> list[str]:
        old = outline_of(config_of(*([] if before is None else [before])), str)
        found = widenings(old, {after.id: after}, [after.id])
        self.assertEqual({each.feature for each in found}, {after.id} if found else set())
        return [each.text.removeprefix("auth: ") for each in found]

    def test_what_a_known_feature_may_do_anew_is_named(self) -> None:
        for change, expected in (
            ({}, []),
            ({"prompt": "Other.", "depends_on": ("api",), "priority": 1}, []),
            ({"verify": (MAKE, OTHER)}, ["a new command under verify: curl x"]),
            ({"setup": (OTHER,)}, ["a new command under setup: curl x"]),
            ({"uses": ("command:true",)}, ["a new command under uses: true"]),
            ({"verify": ()}, ["no longer checked by make test"]),
            ({"creates": ("sign-in",)}, ["no longer checked by path:auth.py"]),
            ({"creates": ("path:auth.py",)}, []),
            ({"allow_empty": True}, ["it may be completed without a change"]),
            ({"allowed_tools": ("Read", "Bash")}, ["Claude may use Bash without asking"]),
            ({"allowed_tools": ("WebFetch",)}, []),
            ({"model": "opus"}, ["another model, opus"]),
            ({"model": "sonnet"}, []),
            ({"timeout_seconds": 50.0}, []),
            ({"timeout_seconds": 70.0}, ["a time limit of 70 s instead of 60 s"]),
            ({"timeout_seconds": None}, ["a time limit of 100 s instead of 60 s"]),
            ({"max_cost_usd": 4.0}, []),
            ({"max_cost_usd": 6.5}, ["a budget of $6.50 instead of $5.00"]),
            ({"max_cost_usd": None}, ["no budget of its own instead of $5.00"]),
        ):
            with self.subTest(change=change):
                self.assertEqual(self.found(OLD, replace(OLD, **change)), expected)  # type: ignore[arg-type]

    def test_a_new_feature_gets_what_the_list_gives_everybody(self) -> None:
        for feature, expected in (
            (PLAIN, []),
            (replace(PLAIN, max_cost_usd=9.0, timeout_seconds=100.0, creates=("path:x",)), []),
            (replace(PLAIN, timeout_seconds=101.0), ["a time limit of 101 s instead of 100 s"]),
            (replace(PLAIN, allowed_tools=("Read",)), []),
            (replace(PLAIN, allowed_tools=("Bash",)), ["Claude may use Bash without asking"]),
            (replace(PLAIN, allow_empty=True), ["it may be completed without a change"]),
            (replace(PLAIN, verify=(MAKE,)), ["a new command under verify: make test"]),
            # The teardown runs at the end of a worktree, which says nothing about its checks.
            (replace(PLAIN, verify=(DOWN,)), ["a new command under verify: down"]),
        ):
            with self.subTest(feature=feature):
                self.assertEqual(self.found(None, feature), expected)

    def test_rules_of_the_list_are_new_to_a_feature_that_had_fewer(self) -> None:
        found = self.found(OLD, replace(OLD, allowed_tools=None))
        self.assertIn("Claude may use Edit(./**) without asking", found)
        self.assertNotIn("Claude may use Read without asking", found)

    def test_only_the_named_features_count(self) -> None:
        new = {"auth": replace(PLAIN, setup=(OTHER,))}
        self.assertEqual(widenings(outline_of(config_of(), str), new, ()), ())

    def test_consent_is_for_the_command_itself_or_for_words_that_no_command_has(self) -> None:
        after = replace(OLD, setup=(OTHER,), model="opus")
        old = outline_of(config_of(OLD), str)
        command, model = (each.command for each in widenings(old, {"auth": after}, ["auth"]))
        self.assertEqual((command.argv, command.purpose), (OTHER.argv, Purpose.SETUP))
        self.assertEqual(model.argv, (OURS, "auth", "model", "opus"))
