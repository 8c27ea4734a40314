"""The features that a command names."""

from __future__ import annotations

import argparse
import unittest
from collections.abc import Mapping

from core.commands import options
from core.dag.resolver import DAGResolver
from core.model.decision import Action, Decision
from core.model.errors import UserError
from core.model.feature import Feature
from core.project import selection
from core.project.selection import ALL, Selection


class StillTest(unittest.TestCase):
    """What a selection means in a list that changed."""

    DAG = DAGResolver((Feature("auth", "", tags=("core",)), Feature("api", "")))

    def test_features_that_are_gone_do_not_matter(self) -> None:
        for given, begun, expected in (
            (Selection(), (), Selection()),
            (Selection(("auth", "gone")), (), Selection(("auth",))),
            (Selection(("gone",)), (), None),
            (Selection(tag="core", deps=False), (), Selection(tag="core", deps=False)),
            (Selection(tag="gone"), (), None),
            (Selection(("api",), "core"), (), None),
            (Selection(fresh=ALL), ("auth",), Selection(fresh=("api",))),
            (Selection(fresh=ALL), ("auth", "api"), Selection()),
            (Selection(tag="core", fresh=ALL), (), Selection(tag="core", fresh=("auth",))),
            (Selection(fresh=("api", "gone")), (), Selection(fresh=("api",))),
        ):
            with self.subTest(given=given):
                self.assertEqual(selection.still(given, self.DAG, begun), expected)


class Choosing(unittest.TestCase):
    FEATURES = (
        Feature("auth", "", tags=("x",)),
        Feature("api", "", depends_on=("auth",)),
        Feature("app", "", depends_on=("api",), tags=("x", "y")),
        Feature("idle", ""),
    )

    def select(self, *words: str, done: tuple[str, ...] = ()) -> list[str]:
        parser = argparse.ArgumentParser()
        options.add_selection_options(parser)
        dag = DAGResolver(self.FEATURES)
        decisions: Mapping[str, Decision] = {
            id: Decision(id, Action.SKIP if id in done else Action.START, "") for id in dag.features
        }
        given = options.selection_of(parser.parse_args(words))
        return selection.select(given, dag, decisions)

    def test_a_selection_includes_its_out_of_date_dependencies(self) -> None:
        cases: list[tuple[tuple[str, ...], tuple[str, ...], list[str]]] = [
            ((), (), ["auth", "api", "app", "idle"]),
            ((), ("auth", "idle"), ["api", "app"]),
            (("--only", "api"), (), ["auth", "api"]),
            (("--only", "api"), ("auth",), ["api"]),
            (("--only", "api"), ("auth", "api"), []),
            (("--only", "app", "--no-deps"), (), ["app"]),
            (("--tag", "y"), ("auth",), ["api", "app"]),
            (("--tag", "x", "--no-deps"), (), ["auth", "app"]),
            (("--tag", "x", "--only", "auth,idle"), (), ["auth"]),
        ]
        for words, done, expected in cases:
            with self.subTest(words=words, done=done):
                self.assertEqual(sorted(self.select(*words, done=done)), sorted(expected))

    def test_a_name_that_nobody_knows_is_never_left_out_silently(self) -> None:
        for words, expected in {
            ("--only", "auth,q"): "--only: unknown feature 'q'",
            ("--tag", "z"): "--tag: no feature has the tag 'z'",
            ("--tag", "y", "--only", "auth"): "no feature of --only has the tag 'y'",
        }.items():
            with self.subTest(words), self.assertRaises(UserError) as raised:
                self.select(*words)
            self.assertEqual(raised.exception.message.split(" (did")[0], expected)
            self.assertTrue(raised.exception.hint)

    def test_a_list_of_ids_may_have_spaces_but_must_name_one(self) -> None:
        self.assertEqual(options.ids("a, b ,,c"), ["a", "b", "c"])
        for text in ("", " ", ",", " , "):
            with self.subTest(text), self.assertRaises(argparse.ArgumentTypeError):
                options.ids(text)
