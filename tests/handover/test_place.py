"""What each branch is built on, and what a pull request would show of it: its own work only."""

from __future__ import annotations

from tests.support.handovers import HandoverTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class DiamondTest(HandoverTest):
    """``page`` depends on ``auth`` and ``api``, and ``last`` on ``page`` and ``auth``."""

    def setUp(self) -> None:
        self.open(
            feature("auth"),
            feature("api"),
            feature("page", depends_on=["auth", "api"]),
            feature("last", depends_on=["page", "auth"]),
        )
        for id in ("auth", "api"):
            self.shop.finish(id)

    def both(self) -> str:
        """The merge of both, which a run starts ``page`` from."""
        tree = self.shop.git("merge-tree", "--write-tree", "feature/auth", "feature/api")
        sides = ("-p", "feature/auth", "-p", "feature/api")
        return self.shop.git("commit-tree", *sides, "-m", "both", tree)

    def rest(self) -> str:
        """Finish ``page`` and ``last``; the start of ``page``."""
        start = self.both()
        self.shop.finish("page", start=start)
        self.shop.finish("last", start="feature/page")
        return start

    def test_several_dependencies_have_a_branch_that_merges_them_until_they_land(self) -> None:
        start = self.rest()
        self.assertEqual(self.push("--dry-run").code, 0)
        self.pr()
        self.assertEqual(
            self.bases(),
            {
                "feature/auth": "main",
                "feature/api": "main",
                "feature/page": "feature/page+base",
                "feature/last": "feature/page",
            },
        )
        self.assertEqual(self.forge.branches()["feature/page+base"], start)
        self.assertEqual(self.shop.commit_of("refs/rorchestrator/bases/page"), start)
        for id in ("auth", "api", "page", "last"):
            self.assertEqual(self.forge.shown(f"feature/{id}"), {f"{id}.txt"})
        self.assertIn(
            "**Built on**: #11 (`auth`), #12 (`api`)", self.forge.pulls["feature/page"]["body"]
        )
        self.forge.merge("feature/auth", squash=True)
        self.pr("--sync")
        self.assertEqual(self.bases()["feature/page"], "feature/api")
        self.forge.merge("feature/api", squash=True)
        self.pr("--sync")
        self.assertEqual(self.bases()["feature/page"], "main")
        for id in ("page", "last"):
            self.assertEqual(self.forge.shown(f"feature/{id}"), {f"{id}.txt"})
            self.assertEqual(
                self.forge.git(
                    "rev-list", "--count", f"{self.bases()[f'feature/{id}']}..feature/{id}"
                ),
                "1",
            )

    def test_a_changed_dependency_gives_a_new_merge_that_is_the_same_each_time(self) -> None:
        start = self.rest()
        self.push()
        self.shop.commit({"more": "1"}, at=self.shop.worktree("auth"))
        self.assertEqual(self.push().code, 0)
        there = self.forge.branches()
        ref = "refs/rorchestrator/bases/page"
        self.shop.git("update-ref", ref, start)  # as after a kill before the new one was kept
        self.assertEqual(set(self.states(self.push("--json")).values()), {"up to date"})
        self.assertEqual(self.forge.branches(), there)
        self.assertEqual(self.shop.commit_of(ref), there["feature/page+base"])

    def test_dependencies_that_conflict_hold_what_needs_both(self) -> None:
        self.rest()
        for id in ("auth", "api"):
            self.shop.commit({"same": id}, at=self.shop.worktree(id))
        said = self.push("--json")
        self.assertEqual(
            self.states(said), {"auth": "pushed", "api": "pushed", "page": "held", "last": "held"}
        )
        self.assertEqual(
            self.ending(said, "page")["reason"],
            "auth and api, which it depends on, conflict in same",
        )

    def test_a_merge_that_somebody_else_changed_stays(self) -> None:
        self.rest()
        self.push()
        theirs = self.forge.commit("feature/page+base", {"theirs": "1"})
        self.shop.commit({"more": "1"}, at=self.shop.worktree("auth"))
        said = self.push("--json")
        self.assertEqual(self.states(said)["page"], "held")
        self.assertIn(theirs[:10], self.ending(said, "page")["reason"])


class CopyTest(HandoverTest):
    def setUp(self) -> None:
        self.chain()
        self.push()

    def auth_lands(self) -> str:
        """As a squash merge of the forge."""
        commit = self.shop.git(
            *("commit-tree", "-p", "main", "-m", "auth (#11)", "feature/auth^{tree}")
        )
        self.shop.git("push", "--quiet", "origin", f"{commit}:refs/heads/main")
        return commit

    def test_a_copy_stays_where_it_is_while_the_base_moves_on(self) -> None:
        landed = self.auth_lands()
        self.assertEqual(self.states(self.push("--json")), {"auth": "landed", "api": "pushed"})
        copy = self.forge.branches()["feature/api"]
        self.assertEqual(self.forge.git("rev-parse", "feature/api^"), landed)
        self.forge.commit("main", {"later": "1"})
        self.assertEqual(self.states(self.push("--json"))["api"], "up to date")
        self.assertEqual(self.forge.branches()["feature/api"], copy)

    def test_a_copy_that_conflicts_is_held_with_the_files(self) -> None:
        self.auth_lands()
        self.forge.commit("main", {"api.txt": "theirs\n"})
        said = self.push("--json")
        self.assertEqual(
            self.ending(said, "api")["reason"], "its commits conflict with main in api.txt"
        )

    def test_one_that_conflicts_with_a_changed_dependency_is_held(self) -> None:
        self.shop.commit({"api.txt": "theirs\n"}, at=self.shop.worktree("auth"))
        said = self.push("--json")
        self.assertEqual(
            self.ending(said, "api")["reason"], "its commits conflict with feature/auth in api.txt"
        )

    def test_a_merge_by_hand_is_copied_only_if_nothing_is_lost(self) -> None:
        place = self.shop.worktree("api")
        self.shop.commit({"side": "1"})
        self.shop.git("push", "--quiet", "origin", "main")
        self.shop.git("merge", "--quiet", "--no-edit", "main", at=place)
        landed = self.shop.git(*("commit-tree", "-p", "main", "-m", "auth", self.both_trees()))
        self.shop.git("push", "--quiet", "origin", f"{landed}:refs/heads/main")
        self.assertEqual(self.states(self.push("--json"))["api"], "pushed")
        self.shop.write({"evil": "1"}, at=place)
        self.shop.git("add", "evil", at=place)
        self.shop.git("commit", "--quiet", "--amend", "--no-edit", at=place)
        said = self.push("--json")
        self.assertIn("changes of its own", self.ending(said, "api")["reason"])

    def both_trees(self) -> str:
        """The tree of main and auth."""
        return self.shop.git("merge-tree", "--write-tree", "main", "feature/auth")

    def test_work_that_the_base_has_in_another_form_has_landed(self) -> None:
        self.pr()
        self.forge.commit("feature/auth", {"auth.txt": "better\n", "api.txt": "api\n"})
        self.forge.merge("feature/auth", squash=True)
        self.forge.commit("main", {"auth.txt": "best\n"})
        said = self.pr("--json")
        self.assertEqual(self.states(said), {"auth": "landed", "api": "landed"})
        self.assertEqual(self.ending(said, "api")["reason"], "main has all of its changes already")

    def test_a_copy_that_was_merged_with_changes_of_a_reviewer_has_landed(self) -> None:
        self.pr()
        self.forge.merge("feature/auth", squash=True)
        self.pr("--sync")
        self.forge.commit("feature/api", {"api.txt": "better\n"})
        self.forge.merge("feature/api", squash=True)
        self.forge.commit("main", {"api.txt": "best\n"})
        self.assertEqual(self.states(self.pr("--json")), {"auth": "landed", "api": "landed"})
        self.shop.commit({"more": "1"}, at=self.shop.worktree("api"))
        said = self.pr("--json")
        self.assertIn("conflict", self.ending(said, "api")["reason"])
