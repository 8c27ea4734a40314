"""Refs that are in the way of a new one."""

from __future__ import annotations

from core.git.ref_conflicts import above, around, in_the_way
from core.model.errors import UserError
from core.process.spawner import run_sync
from tests.support.git import GitTest
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere


class ConflictTest(GitTest):
    def test_what_is_above_or_below_a_ref_is_in_its_way(self) -> None:
        ref = "refs/heads/feature/auth"
        self.assertEqual(above(ref), ("refs/heads", "refs/heads/feature"))
        self.assertEqual(around(ref)[-1], "refs/heads/feature/auth/*")
        for other in ("refs/heads/feature", "refs/heads/feature/auth/x", "refs/heads"):
            self.assertEqual(in_the_way(ref, ["refs/heads/main", other]), other)
        for other in (ref, "refs/heads/feature/auth2", "refs/heads/feature/api", "refs/heads/feat"):
            self.assertEqual(in_the_way(ref, [other]), "")

    def test_a_ref_that_can_not_be_created_names_the_one_in_its_way(self) -> None:
        for other, ref, hint in (
            ("refs/rorchestrator/x/a", "refs/rorchestrator/x/a/b", "git update-ref -d refs/ror"),
            ("refs/rorchestrator/y/a/b", "refs/rorchestrator/y/a", "git update-ref -d refs/ror"),
            ("refs/heads/feature", "refs/heads/feature/a", "git branch -m feature NEW"),
        ):
            with self.subTest(other), self.assertRaises(UserError) as caught:
                self.repository.git("update-ref", other, "main")
                run_sync(self.git.create_ref(ref, self.repository.commit_of("main")))
            self.assertIn(f"{other} is in the way of {ref}: git", caught.exception.message)
            self.assertIn(f"rename or delete it: {hint}", caught.exception.hint)

    def test_any_other_failure_has_the_words_of_git(self) -> None:
        with self.assertRaises(UserError) as caught:
            run_sync(self.git.create_ref("refs/rorchestrator/x..y", "main"))
        self.assertIn("git could not create refs/rorchestrator/x..y: ", caught.exception.message)
