"""A workspace with finished features whose remote is a forge, for `push` and `pr`."""

from __future__ import annotations

import unittest
from typing import Any

from tests.support.commands import CommandResult
from tests.support.forges import TestForge
from tests.support.workspace import Workspace, feature


class HandoverTest(unittest.TestCase):
    """A list of features, and the forge that they go to."""

    shop: Workspace
    forge: TestForge

    def open(self, *features: dict[str, object], program: str = "gh", **project: object) -> None:
        self.shop = Workspace(features, project=project)
        self.addCleanup(self.shop.close)
        self.forge = TestForge(self.shop, program)

    def chain(self, program: str = "gh") -> None:
        """``api`` depends on ``auth``; both are finished."""
        self.open(feature("auth"), feature("api", depends_on=["auth"]), program=program)
        self.shop.finish("auth")
        self.shop.finish("api", start="feature/auth")

    def push(self, *words: str) -> CommandResult:
        return self.shop.main("push", *words)

    def pr(self, *words: str) -> CommandResult:
        return self.shop.main("pr", *words)

    def states(self, said: CommandResult) -> dict[str, str]:
        return {each["id"]: each["state"] for each in said.json["features"]}

    def ending(self, said: CommandResult, id: str) -> Any:
        return next(each for each in said.json["features"] if each["id"] == id)

    def bases(self) -> dict[str, str]:
        """The base of each pull request."""
        return {branch: pull["base"] for branch, pull in self.forge.pulls.items()}

    def tip(self, id: str) -> str:
        return self.shop.commit_of(f"feature/{id}")
