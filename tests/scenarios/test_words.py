"""Messages that lead the right way: each names what is wrong, and what to type."""

from __future__ import annotations

import json
import os
import unittest
from unittest import mock

from core.git import unreadable_entries
from core.process import temporary_folder
from core.worktree import manager
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import Workspace, feature

setUpModule = skip_if_run_elsewhere


class MovedRepository(unittest.TestCase):
    def test_every_command_names_git_worktree_repair_and_that_helps(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            moved = f"{space.path} 2"
            os.rename(space.path, moved)
            space.path = space.folder = moved
            space.list_file = os.path.join(moved, "config", "feature_list.json")
            space.write({"config/feature_list.json": json.dumps(space.document)})
            repair = f"git -C '{moved}' worktree repair"
            for words in (("plan", "--fresh"), ("run", "--yes", "--fresh"), ("status",)):
                said = space.main(*words)
                self.assertIn(repair, said.out + said.err, words)
                self.assertNotIn("remove it", said.out + said.err)
            said = space.main("cleanup", "--all", "--yes")
            self.assertIn(repair, said.out)
            space.git("worktree", "repair")
            said = space.main("merge", "--yes")
            self.assertEqual(said.code, 0, said)
            self.assertEqual(space.main("cleanup", "--merged", "--yes").code, 0)
            self.assertFalse(os.path.exists(space.worktree("auth")))


class FilesOfSomebodyElse(unittest.TestCase):
    """As a container leaves them, whose user is root."""

    def test_a_folder_is_named_whose_files_we_cannot_remove(self) -> None:
        with Workspace() as space:
            space.write({"a/b/c": ""})
            folder = os.path.join(space.path, "a", "b")
            other, us = os.geteuid() + 1, os.geteuid()

            def access(path: str, mode: int) -> bool:
                return path != folder

            found = unreadable_entries.undeletable(space.path, access, lambda path: other)
            self.assertEqual(found, folder)
            self.assertEqual(
                unreadable_entries.undeletable(space.path, access, lambda path: us), ""
            )
            self.assertEqual(unreadable_entries.undeletable(space.path, access), "")

    def test_cleanup_removes_nothing_and_says_so_and_a_leftover_is_no_fault_of_ours(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            there = space.worktree("auth")
            stuck = os.path.join(there, "data")
            with mock.patch.object(unreadable_entries, "undeletable", lambda path: stuck):
                said = space.main("cleanup", "--all", "--discard", "--yes")
            self.assertEqual(said.code, 1)
            self.assertIn(f"kept auth (feature/auth): {stuck} belongs to another user", said.out)
            self.assertIn(f"next: sudo rm -r {stuck}", said.out)
            self.assertTrue(os.path.isdir(there))
            with mock.patch.object(manager, "remove_tree", lambda path: os.makedirs(path)):
                said = space.main("cleanup", "--all", "--discard", "--yes")
            self.assertEqual(said.code, 1)
            self.assertIn(
                "could not be removed: you have no permission to remove some of its files", said.out
            )
            self.assertTrue(os.path.isdir(there))

    def test_a_file_that_cannot_be_removed_does_not_end_the_removal(self) -> None:
        with Workspace() as space:
            space.write({"a/b": ""})
            with (
                mock.patch.object(temporary_folder.os, "chmod", side_effect=PermissionError),
                mock.patch("shutil.rmtree"),
            ):
                temporary_folder.remove_tree(os.path.join(space.path, "a"))


class WhatIsNoMore(unittest.TestCase):
    def test_no_hint_suggests_to_retry_a_feature_that_is_not_in_the_list(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            space.run()
            space.main("cleanup", "--all", "--discard", "--yes")
            self.assertIn("next: rorchestrator retry auth", space.main("attach", "auth").err)
            space.change([feature("api")])
            said = space.main("attach", "auth")
            self.assertIn("next: it is no longer in the list", said.err)
            self.assertNotIn("retry", said.err)


class ClosedFolders(unittest.TestCase):
    def test_cleanup_says_how_to_open_one(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            found = unreadable_entries.UnreadableEntries(unreadable=("data/",))
            with mock.patch.object(unreadable_entries, "scan", lambda path: found):
                said = space.main("cleanup", "--all", "--discard", "--yes")
                again = space.main("run", "--yes", "--fresh")
            self.assertIn("contains unreadable folders: data/", again.out + again.err)
            where = os.path.join(space.worktree("auth"), "data/")
            self.assertEqual(said.code, 1, said)
            self.assertIn("contains unreadable folders: data/", said.out + said.err)
            self.assertIn(f"chmod -R u+rwX {where}", said.out + said.err)
            self.assertNotIn("commit and push", said.out + said.err)


if __name__ == "__main__":
    unittest.main()
