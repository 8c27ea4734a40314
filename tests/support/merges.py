"""A repository with finished features, for `merge`."""

from __future__ import annotations

import os
import unittest

from tests.support.commands import CommandResult
from tests.support.workspace import Workspace, feature

HAS_NO = "! test -e {}"


def listed(*ids: str, **needs: str) -> list[dict[str, object]]:
    """Entries of a list; a keyword is a feature and what it needs."""
    plain: list[dict[str, object]] = [feature(id) for id in ids]
    return plain + [feature(id, depends_on=[need]) for id, need in needs.items()]


class MergeTest(unittest.TestCase):
    shop: Workspace

    def open(self, *features: dict[str, object], **project: object) -> Workspace:
        self.shop = Workspace(features, project=project)
        self.addCleanup(self.shop.close)
        self.addCleanup(self._assert_clean, self.shop)
        return self.shop

    def _assert_clean(self, shop: Workspace) -> None:
        """No fault of ours, no scratch worktree, and a sound repository."""
        temporary = shop.environ["TMPDIR"]
        self.assertEqual([name for name in os.listdir(temporary) if "ror" in name], [])
        folder = shop.worktrees
        there = os.listdir(folder) if os.path.isdir(folder) else []
        self.assertEqual([name for name in there if "~" in name], [])
        shop.git("fsck", "--no-dangling")

    def merge(self, *words: str) -> CommandResult:
        return self.shop.main("merge", *words)

    def landed(self) -> list[str]:
        """The subjects on main since its list."""
        log = ("log", "--reverse", "--first-parent", "--format=%s", "main")
        return self.shop.git(*log).splitlines()[2:]

    def states(self, said: CommandResult) -> dict[str, str]:
        return {ending["id"]: ending["state"] for ending in said.json["features"]}

    def held(self, said: CommandResult) -> dict[str, str]:
        ending = said.json["features"]
        return {each["id"]: each["reason"] for each in ending if each["state"] == "held"}

    def assert_untouched(self, before: tuple[str, str, bytes, bytes]) -> None:
        self.assertEqual(self.shop.seen_by_user(), before)
