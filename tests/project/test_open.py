"""What every command opens first: feature list, repository, state folder."""

from __future__ import annotations

import argparse
import os
import unittest
from collections.abc import Mapping

from core.commands import options
from core.dag.resolver import DAGResolver
from core.model import events
from core.model.decision import Action, Decision
from core.model.errors import UserError
from core.model.feature import Feature
from core.model.fold import fold
from core.model.mask import Mask
from core.model.outcome import Status, Work
from core.model.state import FeatureState, RunState
from core.process.spawner import drive
from core.project import landed, obstructions, selection
from core.project.open import OpenProject, open_project
from tests.support.scratch import Workspace, feature, standing_in


def place_of(space: Workspace) -> OpenProject:
    """The project of a workspace, opened as every command does."""
    with standing_in(space.path, space.environ):
        return open_project("", "", Mask({}))


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


class WhetherItIsMerged(unittest.TestCase):
    def how(self, space: Workspace, known: FeatureState, target: str = "main") -> str:
        place = place_of(space)
        commit = space.commit_of(target)
        return drive(landed.merged_how(place, known, commit, target))

    def test_it_is_proved_from_git_once_the_target_moved(self) -> None:
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

    def test_what_was_cleaned_up_was_proved_then_for_that_target_only(self) -> None:
        with Workspace([feature("auth")]) as space:
            work = Work(space.commit_of("main~1"), files_changed=1)
            known = FeatureState("auth", work=work, merged_into="main")
            self.assertEqual(self.how(space, known), "cleaned up")
            self.assertEqual(self.how(space, known, "HEAD"), "ancestor")

    def test_work_without_a_change_proves_nothing(self) -> None:
        with Workspace([feature("auth")]) as space:
            known = FeatureState("auth", work=Work(space.commit_of("main~1")))
            self.assertEqual(self.how(space, known), "")


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

    def test_a_choice_comes_with_what_it_needs_that_is_not_up_to_date(self) -> None:
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
            ("--tag", "y", "--only", "auth"): "none of --only has the tag 'y'",
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
            ("feature/", "feature/auth", "'feature/auth' exists already"),
            ("feature/", "feature/auth/x/y", "branches below 'feature/auth' leave no room"),
            ("feature/", "feature", "'feature' leaves no room for feature/<id>"),
            ("a/b/", "a", "'a' leaves no room for a/b/<id>"),
            ("a/b/", "a/b", "'a/b' leaves no room for a/b/<id>"),
            ("", "auth", "'auth' exists already"),
            ("", "auth/x", "branches below 'auth' leave no room"),
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

    def test_worktrees_need_a_folder_that_can_be_written_to(self) -> None:
        with Workspace([feature("auth")]) as space:
            allowed: list[str] = []

            def access(path: str, mode: int) -> bool:
                self.assertEqual(mode, os.W_OK | os.X_OK)
                allowed.append(path)
                return path != space.path

            obstructions.check_room(os.path.join(space.root, "a", "b"), access)
            obstructions.check_room(space.root, access)
            self.assertEqual(allowed, [space.root, space.root])
            with self.assertRaises(UserError) as raised:
                obstructions.check_room(os.path.join(space.path, "a", "b"), access)
            self.assertEqual(raised.exception.details, (f"{space.path} can't be written to",))
            self.assertEqual(os.listdir(space.root).count("a"), 0)

    @unittest.skipIf(os.access("/proc/sys", os.W_OK), "needs a folder that nobody can write to")
    def test_plan_and_run_refuse_a_folder_that_is_read_only(self) -> None:
        with Workspace([feature("auth")], project={"worktrees_path": "/proc/sys/x"}) as space:
            space.environ[obstructions.WORKTREES] = "/proc/sys"
            for said in (space.main("plan"), space.command("run", "--yes")):
                self.assertEqual(said.code, 2)
                self.assertIn("/proc/sys/x can't hold the worktrees", said.err)
                self.assertIn("/proc/sys can't be written to", said.err)


if __name__ == "__main__":
    unittest.main()
