"""What every command opens first: feature list, repository, state folder."""

from __future__ import annotations

import os
import unittest

from tests.support.projects import place_of
from tests.support.workspace import Workspace, feature


class Opening(unittest.TestCase):
    def test_all_that_run_needs_is_there_and_nothing_was_changed(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            before = space.seen_by_user()
            place = place_of(space)
            self.assertEqual(place.config.path, space.list_file)
            self.assertEqual(place.git.repository.top, space.path)
            self.assertEqual(place.base_commit, space.commit_of("main"))
            self.assertEqual(place.worktrees.folder, space.worktrees)
            self.assertEqual(place.tip("auth"), "")
            self.assertEqual(place.state().features, {})
            self.assertIsNone(place.lock.holder())
            self.assertFalse(os.path.exists(space.state_folder))
            self.assertEqual(space.seen_by_user(), before)

    def test_the_base_is_pinned_when_it_is_opened(self) -> None:
        with Workspace([feature("auth")]) as space:
            place = place_of(space)
            space.commit({}, "meanwhile")
            self.assertEqual(place.base_commit, space.commit_of("main~1"))

    def test_a_branch_is_preferred_to_a_tag_of_its_name(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.git("tag", "main", "main~1")
            self.assertEqual(place_of(space).base_commit, space.commit_of("refs/heads/main"))

    def test_worktrees_go_where_the_list_says_seen_from_the_repository(self) -> None:
        for given, expected in {
            "trees": "shop/trees",
            "../x/../y": "y",
            "~/trees": "home/trees",
        }.items():
            with Workspace([feature("auth")], project={"worktrees_path": given}) as space:
                folder = os.path.join(space.root, expected)
                self.assertEqual(place_of(space).worktrees.folder, folder)

    def test_the_repository_may_lie_elsewhere_and_be_of_any_form(self) -> None:
        with Workspace([feature("auth")], name='it\'s a "shop" – ü') as space:
            bare = os.path.join(space.root, "bare.git")
            space.git("clone", "--quiet", "--bare", space.path, bare)
            linked = os.path.join(space.root, "linked")
            space.git("worktree", "add", "--quiet", "--detach", linked)
            for repo_path, top in ((bare, bare), (linked, linked), ("config", space.path)):
                with self.subTest(repo_path):
                    space.change(repo_path=repo_path)
                    place = place_of(space)
                    self.assertEqual(place.git.repository.top, top)
                    self.assertEqual(place.base_commit, space.commit_of("main"))
                    self.assertEqual(space.main("plan").code, 0)


if __name__ == "__main__":
    unittest.main()
