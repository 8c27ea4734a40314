"""Branches and folders that are in the way of a run."""

from __future__ import annotations

import os
import unittest

from core.model import events
from core.model.decision import Action, Decision
from core.model.errors import UserError
from core.model.fold import fold
from core.model.state import FeatureState, RunState
from core.project import obstructions
from core.project.open import OpenProject
from tests.support.projects import place_of
from tests.support.workspace import Workspace, feature


class WhoMadeIt(unittest.TestCase):
    def test_a_branch_is_ours_from_its_start_until_it_was_cleaned_up(self) -> None:
        ours = FeatureState("auth", branch="feature/auth", start_commit="c0ffee")
        self.assertTrue(obstructions.made_by_us(ours, "feature/auth"))
        cleaned = events.cleaned(
            1.0, "auth", merged_into="main", kept_ref="", discarded=False, detail=""
        )
        for other in (
            FeatureState("auth"),
            FeatureState("auth", branch="old/auth", start_commit="c0ffee"),
            FeatureState("auth", branch="feature/auth"),
            fold([cleaned], RunState({"auth": ours})).feature("auth"),
        ):
            self.assertFalse(obstructions.made_by_us(other, "feature/auth"), other)


class RoomForBranches(unittest.TestCase):
    """Each branch that stands in the way, or does not, of a feature ``auth``."""

    def faults(self, place: OpenProject, action: Action = Action.START) -> list[str]:
        """What ``check_names`` finds where the feature is to be started."""
        decisions = {"auth": Decision("auth", action, "")}
        try:
            obstructions.check_names(place, place.state(), decisions)
        except UserError as error:
            return list(error.details)
        return []

    def test_the_rules_of_git_for_names_below_names_are_kept(self) -> None:
        cases: list[tuple[str, str, str]] = [
            ("feature/", "feature/auth", "'feature/auth' already exists"),
            ("feature/", "feature/auth/x/y", "branches below 'feature/auth' prevent a branch"),
            ("feature/", "feature", "'feature' prevents branches feature/<id>"),
            ("a/b/", "a", "'a' prevents branches a/b/<id>"),
            ("a/b/", "a/b", "'a/b' prevents branches a/b/<id>"),
            ("", "auth", "'auth' already exists"),
            ("", "auth/x", "branches below 'auth' prevent a branch"),
            ("feature/", "feature/other", ""),
            ("feature/", "feature/authority", ""),
            ("feature-", "feature", ""),
            ("a/b/", "a/c", ""),
        ]
        for prefix, branch, expected in cases:
            made = Workspace([feature("auth")], project={"branch_prefix": prefix})
            with self.subTest(prefix=prefix, branch=branch), made as space:
                space.branch(branch)
                place = place_of(space)
                self.assertEqual(len(self.faults(place)), 1 if expected else 0)
                self.assertIn(expected, "".join(self.faults(place)))
                self.assertEqual(self.faults(place, Action.SKIP), [])

    def test_a_ref_where_a_run_keeps_its_refs_is_in_the_way(self) -> None:
        names = ("", "/results", "/results/auth", "/kept", "/kept/auth")
        for ref in (f"refs/rorchestrator{name}" for name in names):
            with self.subTest(ref), Workspace([feature("auth")]) as space:
                space.git("update-ref", ref, "main")
                (fault,) = self.faults(place_of(space))
                self.assertEqual(
                    fault, f"the ref {ref} prevents refs below it: git update-ref -d {ref}"
                )

    def test_worktrees_need_a_folder_that_can_be_written_to(self) -> None:
        with Workspace([feature("auth")]) as space:
            allowed: list[str] = []

            def access(path: str, mode: int) -> bool:
                self.assertEqual(mode, os.W_OK | os.X_OK)
                allowed.append(path)
                return path != space.path

            obstructions.check_writable(os.path.join(space.root, "a", "b"), access)
            obstructions.check_writable(space.root, access)
            self.assertEqual(allowed, [space.root, space.root])
            with self.assertRaises(UserError) as raised:
                obstructions.check_writable(os.path.join(space.path, "a", "b"), access)
            self.assertEqual(raised.exception.details, (f"{space.path} is not writable",))
            self.assertEqual(os.listdir(space.root).count("a"), 0)

    @unittest.skipIf(os.access("/proc/sys", os.W_OK), "needs a folder that nobody can write to")
    def test_plan_and_run_refuse_a_folder_that_is_read_only(self) -> None:
        with Workspace([feature("auth")], project={"worktrees_path": "/proc/sys/x"}) as space:
            space.environ[obstructions.WORKTREES] = "/proc/sys"
            for said in (space.main("plan"), space.command("run", "--yes")):
                self.assertEqual(said.code, 2)
                self.assertIn("/proc/sys/x cannot be used for worktrees", said.err)
                self.assertIn("/proc/sys is not writable", said.err)
