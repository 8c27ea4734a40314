"""A repository with finished features, for `merge`."""

from __future__ import annotations

import os
import unittest
from collections.abc import Mapping

from core.git.opening import open_repository
from core.model import events
from core.model.decision import Action, Decision
from core.model.outcome import AttemptOutcome, FeatureOutcome, Status, Work
from core.process.spawner import Spawner, run_sync
from core.worktree.manager import WorktreeManager
from tests.support.commands import CommandResult
from tests.support.lives import RUN, attempt
from tests.support.repository import Content
from tests.support.workspace import Workspace, feature

HAS_NO = "! test -e {}"


def listed(*ids: str, **needs: str) -> list[dict[str, object]]:
    """Entries of a list; a keyword is a feature and what it needs."""
    plain: list[dict[str, object]] = [feature(id) for id in ids]
    return plain + [feature(id, depends_on=[need]) for id, need in needs.items()]


class Shop(Workspace):
    """A workspace with features that a run completed."""

    def finish(self, id: str, *changes: Mapping[str, Content], start: str = "main") -> str:
        """A feature with a commit for each of its changes; its result."""
        base, first = self.commit_of("main"), self.commit_of(start)
        git = run_sync(open_repository(Spawner(), self.path, self.environ))
        manager = WorktreeManager(git, self.worktrees, "feature/")
        made = run_sync(manager.create(id, first))
        tip = first
        for files in changes or ({f"{id}.txt": f"{id}\n"},):
            tip = self.commit(files, f"feat({id})", at=made.path)
        run_sync(manager.publish(id, RUN, tip))
        outcome = FeatureOutcome(Status.COMPLETED, work=Work(tip, 0 if tip == first else 1))
        prepared, begun = attempt(id, worktree=made.path)
        decision = Decision(id, Action.START, "new", "key")
        based = events.based(prepared.at, RUN, decision, start_commit=first, base_commit=base)
        self.record(
            prepared,
            based,
            begun,
            events.attempt_ended(begun.at, RUN, id, AttemptOutcome(Status.COMPLETED)),
            events.ended(begun.at, RUN, id, outcome),
        )
        return tip


class MergeTest(unittest.TestCase):
    shop: Shop

    def open(self, *features: dict[str, object], **project: object) -> Shop:
        self.shop = Shop(features, project=project)
        self.addCleanup(self.shop.close)
        self.addCleanup(self._assert_clean, self.shop)
        return self.shop

    def _assert_clean(self, shop: Shop) -> None:
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
