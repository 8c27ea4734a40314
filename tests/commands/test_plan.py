"""``plan``: the waves, what would run and why, and what it will take. Changes nothing."""

from __future__ import annotations

import os
import shutil
import unittest
from collections.abc import Mapping
from unittest import mock

from core.views import plan_graph
from tests.support.commands import CommandResult
from tests.support.once import once
from tests.support.paths import AGENT, ROOT
from tests.support.workspace import Workspace, feature

RUNS = f"Runs: {' '.join(AGENT)} -p\n"

DIAMOND = (
    feature("auth", name="Sign-in", estimated_tokens=50_000, tags=["x"]),
    feature("api", name="Lookup", depends_on=["auth"], estimated_tokens=40_000),
    feature("batch", depends_on=["auth"], estimated_tokens=60_000, tags=["x"]),
    feature("app", name="App", depends_on=["api", "batch"]),
)


def listing(folder: str) -> dict[str, tuple[int, int, int]]:
    """Every file and folder below ``folder``: its kind, its size and when it changed."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            path = os.path.join(root, name)
            seen = os.lstat(path)
            found[path] = (seen.st_mode, seen.st_size, seen.st_mtime_ns)
    return found


class WhatItShows(unittest.TestCase):
    maxDiff = None
    space: Workspace

    @classmethod
    def setUpClass(cls) -> None:
        cls.space = Workspace(DIAMOND, project={"max_parallel": 2, "description": "All of it"})
        cls.addClassCleanup(cls.space.close)

    def plan(self, *words: str, **options: str) -> CommandResult:
        return self.space.main("plan", *words, env=options)

    def test_waves_features_and_what_they_take(self) -> None:
        expected = """\
PLAN Shop
All of it

WAVE 1
  │ auth: Sign-in (~50k tokens, $1.50) [new]

WAVE 2 [PARALLEL]
  │ api: Lookup ← auth (~40k tokens, $1.20) [new]
  │ batch ← auth (~60k tokens, $1.80) [new]

WAVE 3
  │ app: App ← api, batch (? tokens) [new]

4 features, 3 waves
Estimated: ~150k tokens, $4.50 (1 without an estimate)
Critical path: auth → batch → app
Predicted: 17m47s on 2 slots, 22m13s one after the other – speedup 1.25x
"""
        expected += RUNS
        self.assertEqual(self.plan(), CommandResult(0, expected, ""))
        self.assertEqual(self.space.command("plan"), CommandResult(0, expected, ""))

    def test_json_gives_all_of_it(self) -> None:
        document = self.plan("--json").json
        assert isinstance(document, dict)
        (command,) = document.pop("commands")
        self.assertEqual(command.pop("argv")[:4], [*AGENT, "-p"])
        expected = {"purpose": "claude", "env": {}, "features": "all", "bypass": []}
        self.assertEqual(command, expected)
        features = {entry["id"]: entry for entry in document.pop("features")}
        self.assertAlmostEqual(document.pop("predicted_seconds"), 160_000 / 150)
        self.assertAlmostEqual(document.pop("predicted_sequential_seconds"), 200_000 / 150)
        self.assertAlmostEqual(document.pop("predicted_speedup"), 1.25)
        self.assertEqual(
            document,
            {
                "project_name": "Shop",
                "description": "All of it",
                "total_features": 4,
                "total_waves": 3,
                "max_parallel": 2,
                "estimated_tokens": 150_000,
                "features_without_estimate": 1,
                "estimated_cost_usd": 4.5,
                "usd_per_million_tokens": 30.0,
                "max_cost_usd": None,
                "features_to_run": ["auth", "api", "batch", "app"],
                "estimated_tokens_to_run": 150_000,
                "estimated_cost_to_run_usd": 4.5,
                "critical_path": ["auth", "batch", "app"],
                "predicted_p90_seconds": None,
                "predicted_cost_usd": None,
                "predicted_cost_p90_usd": None,
                "past_prediction_error": None,
                "waves": [["auth"], ["api", "batch"], ["app"]],
                "copy": [],
                "caught": {},
                "link": [],
                "setup_cache": [],
                "warnings": [],
            },
        )
        self.assertEqual(
            features["auth"],
            {
                "id": "auth",
                "name": "Sign-in",
                "depends_on": [],
                "tags": ["x"],
                "branch": "feature/auth",
                "estimated_tokens": 50_000,
                "estimated_cost_usd": 1.5,
                "max_cost_usd": None,
                "creates": [],
                "uses": [],
                "action": "start",
                "reason": "new",
                "selected": True,
                "predicted_start_seconds": 0.0,
                "prediction": {
                    "seconds": 50_000 / 150,
                    "seconds_p90": 50_000 / 150,
                    "cost_usd": 1.5,
                    "cost_p90_usd": 1.5,
                    "from": "tokens",
                    "runs": 0,
                },
            },
        )
        self.assertIsNone(features["app"]["estimated_cost_usd"])

    def test_other_numbers_of_slots_are_compared(self) -> None:
        said = self.plan("--what-if", "--max-parallel", "1").out
        self.assertIn("1      22m13s  1.00x    ~$4.50  (now)\n", said)
        self.assertIn("2 slots are enough: 17m47s is within 5 % of the best", said)
        found = self.plan("--what-if", "--json").json["what_if"]
        self.assertEqual([each["slots"] for each in found["choices"]], [1, 2])
        self.assertEqual(found["enough"], 2)

    def test_what_is_done_by_a_time_is_shown_with_its_confidence(self) -> None:
        said = self.plan("--by", "15m", "--max-cost", "3.5").out
        self.assertIn("(in 15m00s) on 2 slots, at most $3.50:\n", said)
        self.assertIn("2 of 4 features, with a confidence of ", said)
        self.assertIn("%: auth, api\n", said)
        self.assertIn("(in ", self.plan("--by", "00:00").out)
        self.assertEqual(self.plan("--by", "never").code, 2)
        found = self.plan("--by", "15m", "--max-cost", "3.5", "--json").json["by"]
        self.assertEqual((found["seconds"], found["features"]), (900, ["auth", "api"]))

    def test_the_graph_is_printed_for_mermaid_and_for_graphviz(self) -> None:
        drawn = self.plan("--mermaid", "--only", "api")
        self.assertTrue(drawn.out.startswith("flowchart LR\n"), drawn.out)
        self.assertIn('n0["auth<br/>Sign-in<br/>will run#58; new"]:::will-run', drawn.out)
        self.assertIn('"batch<br/>not selected#58; new"', drawn.out)
        self.assertIn("    n0 --> n1\n", drawn.out)
        graph = self.plan("--dot")
        self.assertIn('    "auth" -> "api";\n', graph.out)
        self.assertEqual((drawn.code, drawn.err, graph.code, graph.err), (0, "", 0, ""))
        self.assertIn("<title>auth: Sign-in (will run: new)</title>", self.plan("--svg", "-").out)
        with mock.patch.object(plan_graph, "MOST_EDGES", 2):
            self.assertIn("Mermaid draws at most 2 edges and 50,000", self.plan("--mermaid").err)

    def test_the_prediction_is_for_this_list_on_that_many_slots(self) -> None:
        predicted = {
            slots: self.plan("--json", "--max-parallel", slots).json for slots in ("1", "2", "9")
        }
        speedups = [document["predicted_speedup"] for document in predicted.values()]
        self.assertEqual([round(speedup, 2) for speedup in speedups], [1.0, 1.25, 1.25])
        self.assertIn("on 1 slot, ", self.plan("--max-parallel", "1").out)

    def test_the_choice_of_features_is_marked_and_priced(self) -> None:
        one = self.plan("--only", "api").out
        self.assertIn("batch ← auth (~60k tokens, $1.80) [new, not selected]", one)
        self.assertIn("auth: Sign-in (~50k tokens, $1.50) [new]\n", one)
        self.assertTrue(one.endswith("To run: 2 of 4 features, ~90k tokens, $2.70\n" + RUNS), one)
        cases: dict[tuple[str, ...], list[str]] = {
            ("--only", "api,batch"): ["auth", "api", "batch"],
            ("--only", " api , api "): ["auth", "api"],
            ("--only", "app", "--no-deps"): ["app"],
            ("--tag", "x"): ["auth", "batch"],
            ("--tag", "x", "--only", "batch", "--no-deps"): ["batch"],
        }
        for words, expected in cases.items():
            with self.subTest(words):
                document = self.plan("--json", *words).json
                self.assertEqual(document["features_to_run"], expected)

    def test_a_feature_without_an_estimate_has_no_price(self) -> None:
        document = self.plan("--json", "--only", "app", "--no-deps").json
        self.assertIsNone(document["estimated_tokens_to_run"])
        self.assertIsNone(document["estimated_cost_to_run_usd"])

    def test_a_choice_of_nothing_is_an_error_that_names_everything_wrong(self) -> None:
        cases = {
            ("--only", "atuh"): "--only: unknown feature 'atuh' (did you mean 'auth'?)",
            ("--only", "q,w"): "--only: unknown feature 'q', unknown feature 'w'",
            ("--tag", "xx"): "--tag: no feature has the tag 'xx' (did you mean 'x'?)",
            ("--tag", ""): "--tag: no feature has the tag ''",
            ("--tag", "x", "--only", "api"): "no feature of --only has the tag 'x'",
        }
        for words, expected in cases.items():
            with self.subTest(words):
                said = self.plan(*words)
                self.assertEqual((said.code, said.out), (2, ""))
                self.assertIn(expected, said.err)
                self.assertIn("\n  next: rorchestrator ", said.err)

    def test_verbose_tells_more_and_quiet_less(self) -> None:
        self.assertIn("  │     branch: feature/auth", self.plan("--verbose").out)
        self.assertNotIn("WAVE", self.plan("--quiet").out)

    def test_colours_and_glyphs_are_there_only_where_they_fit(self) -> None:
        on_a_terminal = self.space.main("plan", terminal=True).out
        self.assertIn("\x1b[1mPLAN Shop\x1b[0m", on_a_terminal)
        self.assertNotIn("\x1b", self.plan().out)
        self.assertIn("\x1b", self.plan("--color", "always").out)
        for options in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            said = self.space.main("plan", terminal=True, env=options).out
            self.assertNotIn("\x1b", said)
        never = self.space.main("plan", "--color", "never", terminal=True, encoding="ascii").out
        self.assertTrue(never.isascii() and "\x1b" not in never)

    def test_the_list_is_found_from_below_and_by_its_name(self) -> None:
        below = os.path.join(self.space.path, "src", "deep")
        os.makedirs(below)
        expected = self.plan().out
        self.assertEqual(self.space.main("plan", at=below).out, expected)
        named = self.space.main("plan", "--config", self.space.list_file, at="/")
        self.assertEqual(named.out, expected)
        missing = self.space.main("plan", at=self.space.home)
        self.assertEqual(missing.code, 2)
        self.assertIn("no feature list in ", missing.err)


class WhatItLeaves(unittest.TestCase):
    def test_nothing_is_written_anywhere_before_and_after_a_run(self) -> None:
        with Workspace(DIAMOND) as space:
            before = listing(space.root)
            self.assertEqual(space.command("plan", "--verbose").code, 0)
            self.assertEqual(listing(space.root), before)
            space.run()
            cache = os.path.join(space.root, "home", ".cache", "rorchestrator")
            os.makedirs(cache)  # for what git said of commits
            before = listing(space.root)
            for words in (("--json",), ("--fresh",)):
                self.assertEqual(space.command("plan", *words).code, 0)
            changed = dict(listing(space.root).items() ^ before.items())
            self.assertEqual([path for path in changed if not path.startswith(cache)], [])

    def test_plan_needs_no_claude_and_starts_only_git(self) -> None:
        with Workspace(DIAMOND, claude={"command": ["no-such-program"]}) as space:
            only_git = os.path.join(space.root, "bin")
            os.mkdir(only_git)
            git = shutil.which("git")
            assert git is not None
            log = os.path.join(space.root, "started")
            script = f'#!/bin/sh\necho "$3 $*" >> {log}\nexec {git} "$@"\n'
            space.write({"git": script}, at=only_git)
            os.chmod(os.path.join(only_git, "git"), 0o755)
            said = space.command("plan", env={"PATH": only_git})
            self.assertEqual((said.code, said.err), (0, ""))
            self.assertTrue(os.path.getsize(log))

    def test_a_run_in_progress_does_not_prevent_it(self) -> None:
        with Workspace(DIAMOND) as space, space.at_work():
            self.assertEqual(space.main("plan").code, 0)


class WhatWouldRun(unittest.TestCase):
    """One story: each step changes what the plan says."""

    def reasons(self, space: Workspace, *words: str) -> dict[str, str]:
        document = space.main("plan", "--json", *words).json
        assert isinstance(document, dict)
        return {entry["id"]: entry["reason"] for entry in document["features"]}

    def test_plan_gives_a_reason_for_each_feature(self) -> None:
        auth, api = feature("auth"), feature("api", depends_on=["auth"])
        broken = feature("broken", {"exit": 3}, estimated_tokens=10_000)
        with Workspace([auth, api, broken, feature("idle")]) as space:
            space.run("--only", "api,broken")
            self.assertEqual(
                self.reasons(space),
                {
                    "auth": "up to date",
                    "api": "up to date",
                    "broken": "failed before",
                    "idle": "new",
                },
            )
            self.assertIn("[resumes: failed before]", space.main("plan").out)
            nothing = space.main("plan", "--only", "api").out
            self.assertIn("The selection is up to date: run would do nothing.", nothing)
            for words in (("--what-if",), ("--by", "3h")):
                said = space.main("plan", "--only", "auth", *words).out
                self.assertEqual(said, "Nothing would run. With --fresh, all features count.\n")
            said = space.main("plan", "--only", "auth", "--by", "3h", "--json")
            self.assertIsNone(said.json["by"])
            self.assertEqual(set(self.reasons(space, "--fresh").values()), {"requested again"})

            space.change([feature("auth", {"write": "other.txt"}), api, broken, feature("idle")])
            changed = self.reasons(space)
            self.assertEqual(changed["auth"], "prompt changed")
            self.assertEqual(changed["api"], "dependency auth changed")

            space.change([auth, api, broken, feature("idle")])
            space.git("merge", "--quiet", "feature/api")
            space.git("update-ref", "-d", "refs/heads/feature/auth")
            merged = self.reasons(space)
            self.assertEqual(merged["auth"], "merged (ancestor)")
            self.assertEqual(merged["api"], "merged (ancestor)")

    def test_a_result_that_nobody_can_reach_any_more_is_made_again(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            refs = space.git("for-each-ref", "--format=%(refname)", "refs/rorchestrator/results")
            space.git("update-ref", "-d", refs)
            self.assertEqual(self.reasons(space), {"auth": "its result is gone"})


@once
class WhatIsInTheWay(unittest.TestCase):
    def refused(self, space: Workspace, *expected: str) -> None:
        for said in (space.main("plan"), space.command("run", "--yes")):
            self.assertEqual((said.code, said.out), (2, ""))
            for words in expected:
                self.assertIn(words, said.err)
            self.assertNotIn("Traceback", said.err)

    def test_branches_and_folders_that_no_run_made_are_named_all_at_once(self) -> None:
        with Workspace(DIAMOND) as space:
            space.branch("feature/auth")
            space.branch("feature/api/old")
            os.makedirs(space.worktree("batch"))
            self.refused(
                space,
                "branches or folders not created by RoRchestrator are in the way",
                "feature auth: the branch 'feature/auth' already exists",
                "feature api: branches below 'feature/api' prevent a branch of that name",
                f"feature batch: {space.worktree('batch')} already exists",
                "next: rename or remove them",
            )
            self.assertEqual(space.git("for-each-ref", "refs/rorchestrator"), "")

    def test_a_branch_called_as_the_prefix_is_leaves_no_room(self) -> None:
        with Workspace(DIAMOND) as space:
            space.branch("feature")
            self.refused(space, "the branch 'feature' prevents branches feature/<id>")
            space.change(branch_prefix="work-")
            self.assertEqual(space.main("plan").code, 0)

    def test_branches_and_worktrees_of_a_run_are_no_obstructions(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            self.assertEqual(space.main("plan").code, 0)
            self.assertEqual(space.main("cleanup", "auth", "--discard").code, 0)
            self.assertEqual(space.main("plan").code, 0)

    def test_a_branch_of_the_users_is_in_the_way_even_after_one_of_that_name_was_ours(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            space.main("cleanup", "auth", "--discard")
            space.branch("feature/auth")
            self.refused(space, "the branch 'feature/auth' already exists")

    def test_a_worktree_with_the_old_prefix_is_named_as_such(self) -> None:
        with Workspace([feature("auth"), feature("api")]) as space:
            space.run("--only", "auth")
            other = feature("auth", {"write": "other"})
            space.change([other, feature("api")], branch_prefix="work/")
            self.refused(
                space,
                "project.branch_prefix was changed; worktrees with the old prefix are in the way",
                f"feature auth: {space.worktree('auth')} is its worktree of an earlier run, "
                "on the branch 'feature/auth'",
                "next: rorchestrator cleanup auth, or set project.branch_prefix back to 'feature/'",
            )
            space.branch("work/api")
            self.refused(
                space,
                "not created by RoRchestrator",
                "'work/api' already exists",
                "its worktree of an earlier run",
            )
            self.assertEqual(space.main("cleanup", "auth", "--discard").code, 0)
            space.git("branch", "--delete", "--force", "work/api")
            self.assertEqual(space.main("plan").code, 0)

    def test_another_folder_for_the_worktrees_leaves_the_old_ones_in_no_ones_way(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            space.change([feature("auth", {"write": "new"})], worktrees_path="../trees")
            theirs = os.path.join(space.root, "trees", "auth")
            os.makedirs(theirs)
            self.refused(space, f"feature auth: {theirs} already exists")
            os.rmdir(theirs)
            self.assertEqual(space.main("plan").code, 0)
            space.git("worktree", "move", space.worktree("auth"), theirs)
            self.assertEqual(space.main("plan").code, 0)
            space.git("worktree", "move", theirs, space.worktree("auth"))
            self.assertEqual(space.run().code, 0)
            self.assertIn("new", space.files("feature/auth"))

    def test_a_worktree_of_another_repository_is_named_as_such(self) -> None:
        with Workspace([feature("auth")]) as space, Workspace() as other:
            other.git("worktree", "add", "--quiet", "--detach", space.worktree("auth"))
            self.refused(
                space,
                "another repository has worktrees with the same names",
                f"{space.worktree('auth')} is a worktree of the repository {other.path}",
                "next: set project.worktrees_path",
            )
            other.git("worktree", "remove", space.worktree("auth"))
            space.git("worktree", "add", "--quiet", "--detach", space.worktree("auth"))
            self.refused(space, f"{space.worktree('auth')} is one of your worktrees")

    def test_a_branch_that_cleanup_says_how_to_bring_back_is_ours_again(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            cleaned = space.main("cleanup", "auth", "--discard").out
            space.git(*cleaned.split("to restore it: git ")[1].split())
            tip = space.commit_of("feature/auth")
            self.assertEqual(space.main("plan").code, 0)
            self.assertEqual(space.run().code, 0)
            kept = space.git("for-each-ref", "--format=%(objectname)", "refs/rorchestrator/kept")
            self.assertEqual(set(kept.split()), {tip})
            self.assertNotEqual(space.commit_of("feature/auth"), tip)

    def test_a_branch_that_continues_one_of_ours_is_the_users(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.run()
            cleaned = space.main("cleanup", "auth", "--discard").out
            space.git(*cleaned.split("to restore it: git ")[1].split())
            tree = "feature/auth^{tree}"
            more = space.git("commit-tree", "-p", "feature/auth", "-m", "more", tree)
            space.git("branch", "--force", "feature/auth", more)
            self.refused(
                space,
                "the branch 'feature/auth' already exists; "
                "it has commits on top of refs/rorchestrator/kept/auth/",
                ": merge or rename it",
            )

    def test_a_file_where_the_worktrees_should_go_is_named(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.write({"worktrees": ""}, at=space.root)
            self.refused(space, f"{space.worktrees} is not a folder")


class WhatItStartsFrom(unittest.TestCase):
    def refused(self, space: Workspace, expected: str, hint: str = "") -> None:
        said = space.main("plan")
        self.assertEqual((said.code, said.out), (2, ""))
        self.assertIn(expected, said.err)
        self.assertIn(f"next: {hint}", said.err)

    def test_a_base_branch_that_is_not_there_is_named_with_the_nearest(self) -> None:
        with Workspace([feature("auth")], project={"base_branch": "mian"}) as space:
            self.refused(
                space,
                "the base branch 'mian' does not exist (did you mean 'main'?)",
                "set project.base_branch, or --base REF (existing: main)",
            )

    def test_a_base_may_be_anything_that_names_a_commit(self) -> None:
        with Workspace([feature("auth")], project={"base_branch": "v1"}) as space:
            space.git("tag", "v1")
            space.git("checkout", "--quiet", "--detach")
            self.assertEqual(space.main("plan").code, 0)

    def test_a_repository_without_a_commit_has_nothing_to_start_from(self) -> None:
        with Workspace([feature("auth")]) as space:
            shutil.rmtree(os.path.join(space.path, ".git"))
            space.git("init", "--quiet")
            self.refused(space, "no commit yet", "git add . && git commit")

    def test_a_folder_that_is_no_repository_is_refused(self) -> None:
        with Workspace([feature("auth")]) as space:
            space.change(repo_path=space.home)
            # Else git would look above the temporary folder.
            outside = {"GIT_CEILING_DIRECTORIES": space.root}
            said = space.main("plan", env=outside)
            self.assertEqual(said.code, 2)
            self.assertIn(space.home, said.err)
            self.assertIn("next: ", said.err)
            space.change(repo_path="no/such/folder")
            self.refused(space, "does not exist", "correct project.repo_path")

    def test_every_fault_of_the_list_is_reported_at_once(self) -> None:
        with Workspace([feature("auth")]) as space:
            broken: list[dict[str, object]] = [
                {"id": "a b", "prompt": "x"},
                {"id": "c", "prompt_file": "missing.md", "depends_on": ["d"]},
            ]
            space.change(broken, max_parallel=0)
            said = space.main("plan")
            self.assertEqual((said.code, said.out), (2, ""))
            for place in (
                "project.max_parallel: ",
                "features[0].id: ",
                "features[1].prompt_file: missing.md",
                "features[1].depends_on[0]: unknown feature 'd'",
            ):
                self.assertIn(f"\n  {place}", said.err)

    def test_names_and_prompts_that_would_steer_a_terminal_do_not(self) -> None:
        hostile = "\x1b]0;owned\x07\u202e\x9b31m"
        # A name with a control character is a fault of the list; one that turns the text is not.
        turned = "exe.\u202egnp"
        entry = feature("auth", name=turned, description=hostile, tags=[hostile])
        with Workspace([entry], project={"name": turned, "description": hostile}) as space:
            for words in (("plan", "-v"), ("status",), ("plan", "--tag", hostile)):
                said = space.command(*words)
                self.assertEqual(said.code, 0)
                for character in "\x1b\x07\u202e\x9b":
                    self.assertNotIn(character, said.out + said.err)
            self.assertTrue(space.main("plan", "--json").out.isascii())


class Examples(unittest.TestCase):
    """The lists that come with it, as they stand, in somebody's repository."""

    EXPECTED: Mapping[str, tuple[list[list[str]], int]] = {
        "feature_list.example.json": (
            [["auth-gtin"], ["api-lookup", "batch-import"], ["dashboard"]],
            180_000,
        ),
        "test-project.json": ([["task-model"], ["task-storage"], ["cli-interface"]], 0),
        "react.example.json": ([["setup-vite"], ["header", "sidebar"], ["main-view"]], 0),
    }

    def test_all_three_pass_and_show_their_waves(self) -> None:
        with Workspace([feature("auth")]) as space:
            for folder in ("config", "prompts"):
                source = os.path.join(ROOT, folder)
                shutil.copytree(source, os.path.join(space.path, folder), dirs_exist_ok=True)
            for name, (waves, tokens) in self.EXPECTED.items():
                with self.subTest(name):
                    said = space.main("plan", "--config", f"config/{name}", "--json")
                    self.assertEqual((said.code, said.err), (0, ""))
                    document = said.json
                    assert isinstance(document, dict)
                    self.assertEqual(document["waves"], waves)
                    if tokens:
                        self.assertEqual(document["estimated_tokens"], tokens)
                        self.assertAlmostEqual(document["estimated_cost_usd"], 5.4)
                    text = space.main("plan", "--config", f"config/{name}").out
                    parallel = [len(wave) > 1 for wave in waves]
                    headings = [line for line in text.splitlines() if line.startswith("WAVE")]
                    self.assertEqual(["[PARALLEL]" in line for line in headings], parallel)


if __name__ == "__main__":
    unittest.main()
