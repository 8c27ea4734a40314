"""Whether the base holds the work of a feature."""

from __future__ import annotations

import unittest

from core.model.outcome import Status, Work
from core.model.state import FeatureState
from core.process.spawner import run_sync
from core.project import landed
from tests.support.projects import place_of
from tests.support.workspace import Workspace, feature


class WhetherItIsMerged(unittest.TestCase):
    def how(self, space: Workspace, known: FeatureState, target: str = "main") -> str:
        place = place_of(space)
        commit = space.commit_of(target)
        return run_sync(landed.how_merged_into(place, known, commit, target))

    def test_a_merge_is_proved_from_git_once_the_target_moved(self) -> None:
        with Workspace([feature("auth")]) as space:
            base = space.commit_of("main")
            space.git("switch", "--quiet", "-c", "feature/auth")
            work = Work(space.commit({"auth.txt": ""}), files_changed=1)
            space.git("switch", "--quiet", "main")
            known = FeatureState("auth", status=Status.COMPLETED, work=work, base_commit=base)
            self.assertEqual(self.how(space, known), "")
            space.commit({"other.txt": ""})
            self.assertEqual(self.how(space, known), "")
            space.git("merge", "--quiet", "feature/auth")
            self.assertEqual(self.how(space, known), "ancestor")
            # What was committed by hand on top of a result counts as well; what took its place
            # does not: then the result is what counts, as where the branch is gone.
            space.git("branch", "--force", "feature/auth", "main~2")
            self.assertEqual(self.how(space, known), "ancestor")
            tree = space.git("mktree", stdin=b"")
            more = space.git("commit-tree", "-p", work.commit, "-m", "more", tree)
            space.git("branch", "--force", "feature/auth", more)
            self.assertEqual(self.how(space, known), "")
            space.git("update-ref", "-d", "refs/heads/feature/auth")
            self.assertEqual(self.how(space, known), "ancestor")

    def test_a_cleanup_proves_a_merge_for_its_own_target_only(self) -> None:
        with Workspace([feature("auth")]) as space:
            work = Work(space.commit_of("main~1"), files_changed=1)
            known = FeatureState("auth", work=work, merged_into="main")
            self.assertEqual(self.how(space, known), "cleaned up")
            self.assertEqual(self.how(space, known, "HEAD"), "ancestor")

    def test_work_without_a_change_proves_nothing(self) -> None:
        with Workspace([feature("auth")]) as space:
            known = FeatureState("auth", work=Work(space.commit_of("main~1")))
            self.assertEqual(self.how(space, known), "")
