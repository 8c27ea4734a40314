"""`decompose`: from a specification to a list and its prompts, with a stand-in for Claude."""

from __future__ import annotations

import glob
import io
import json
import os
import signal
import unittest
from typing import Any
from unittest import mock

from core import cli
from core.commands import decomposed
from core.model.errors import UserError
from core.start import reading_claude
from tests.support.answering_claude import INIT, AnsweringClaude, proposed, result
from tests.support.commands import (
    CommandResult,
    Terminal,
    read_text,
    standing_in,
    streams,
    terminal,
    wait_until,
)
from tests.support.runs import read_until
from tests.support.workspace import Workspace, WorkspaceTest, feature

AUTH = proposed("auth")
API = proposed("api", depends_on=["auth"], uses=["path:src/auth.py"])
GOOD = {"features": [AUTH, API], "verify": ["python3 -m unittest"], "questions": ["Which port?"]}
VAGUE = {"features": [AUTH, {**API, "prompt": f"Do it properly.\n{API['prompt']}"}]}
CYCLE = {"features": [{**AUTH, "depends_on": ["api"]}, API]}


class DecomposeTest(WorkspaceTest):
    """In a repository without a list."""

    def setUp(self) -> None:
        self.use(Workspace(apart=True))
        self.with_claude()
        self.space = self.workspace
        self.list_file = os.path.join(self.space.path, "config", "feature_list.json")
        self.space.write({"SPEC.md": "Build a shop.\n"})

    def with_claude(self) -> None:
        self.claude = AnsweringClaude(self.workspace.beside("bin"))
        path = f"{self.claude.folder}{os.pathsep}{self.workspace.environ['PATH']}"
        self.workspace.environ["PATH"] = path

    def decompose(self, *words: str, spec: str = "SPEC.md", **more: Any) -> CommandResult:
        return self.space.main("decompose", spec, *words, at=self.space.path, **more)

    def at_a_terminal(self, answers: str, *words: str) -> CommandResult:
        """Type it in this process, and give answers to its questions."""
        out, err = io.StringIO(), io.StringIO()
        err.isatty = lambda: True  # type: ignore[method-assign]
        typed = Terminal(io.BytesIO(answers.encode()))
        at, env = self.space.path, {**self.space.environ, "TERM": "dumb"}
        with standing_in(at, env), streams(out, err, typed):
            code = cli.main(("decompose", "SPEC.md", *words))
        return CommandResult(code, out.getvalue(), err.getvalue())

    def assert_nothing_written(self) -> None:
        self.assertEqual(self.space.git("status", "--porcelain"), "?? SPEC.md")
        self.assertEqual(os.listdir(self.space.temporary), [])


class NewList(DecomposeTest):
    def test_faults_and_findings_go_back_and_the_result_is_shown_and_written(self) -> None:
        self.claude.answers(CYCLE, VAGUE, GOOD)
        said = self.decompose("--yes", "--max-cost", "0.5", "--max-features", "7")
        self.assertEqual(said.code, 0, said)
        self.assertIn("Claude splits SPEC.md into at most 7 features: at most", said.err)
        self.assertIn("The answer has 1 fault: sent back to Claude.\n", said.err)
        self.assertIn("The answer has 1 finding: sent back to Claude.\n", said.err)
        self.assertIn("Spent: $0.09 in 3 calls to Claude.\n", said.err)
        self.assertIn(
            "Written: config/feature_list.json, prompts/_context.md, prompts/auth.md, prompts/api",
            said.err,
        )
        for words in ("WAVE 2\n", "+++ b/prompts/api.md\n", "leaves open:\n  Which port?\n"):
            self.assertIn(words, said.out)
        self.assertEqual(os.listdir(self.space.temporary), [])
        document = json.loads(read_text(self.list_file))
        self.assertEqual([each["id"] for each in document["features"]], ["auth", "api"])
        self.assertEqual(self.space.main("plan", at=self.space.path).code, 0)
        self.assertEqual(self.space.main("lint", at=self.space.path).code, 0)
        self._look_at_the_calls()

    def _look_at_the_calls(self) -> None:
        first, second, third = (self.claude.words(number) for number in (1, 2, 3))
        self.assertEqual(os.path.realpath(first[0]), os.path.realpath(self.space.path))
        self.assertIn("--tools=Read,Grep,Glob", first)
        self.assertIn("--permission-mode=dontAsk", first)
        self.assertFalse([word for word in first if word.startswith("--allowedTools")])
        (denied,) = (word for word in first if word.startswith("--disallowedTools="))
        self.assertLessEqual({"Bash", "Write", "Edit", "WebFetch"}, set(denied.split(",")))
        (started,) = (w.partition("=")[2] for w in first if w.startswith("--session-id="))
        for words in (second, third):
            self.assertIn(f"--resume={started}", words)
        budgets = [w for words in (first, second, third) for w in words if "budget" in w]
        self.assertEqual(budgets, [f"--max-budget-usd={usd}" for usd in (0.5, 0.47, 0.44)])
        most = self.claude.schema(1)["properties"]["features"]["maxItems"]
        self.assertEqual(most, 7)
        self.assertIn("Build a shop.", self.claude.prompt(1))
        self.assertIn("dependency cycle: auth → api → auth", self.claude.prompt(2))
        self.assertIn("- api:1: vague: 'properly'", self.claude.prompt(3))

    def test_a_new_list_has_what_init_finds(self) -> None:
        self.space.commit({"Makefile": "test:\n\ttrue\n", "prompts/_context.md": "Mine.\n"})
        self.claude.answers({"features": [AUTH]})
        self.assertEqual(self.decompose("--yes").code, 0)
        document = json.loads(read_text(self.list_file))
        self.assertEqual(document["project"]["verify"], ["make test"])
        self.assertEqual(document["project"]["worktrees_path"], "../shop-worktrees")
        self.assertEqual(list(document), ["project", "prompts", "features"])
        self.assertNotIn("verify", self.claude.schema(1)["properties"])
        self.assertIn("- After each feature: `make test`\n", self.claude.prompt(1))
        self.assertIn("\nMine.\n", self.claude.prompt(1))
        context = os.path.join(self.space.path, "prompts", "_context.md")
        self.assertEqual(read_text(context), "Mine.\n")

    def test_what_the_dependency_assistant_finds_goes_back_too(self) -> None:
        apart = {"features": [AUTH, {**API, "depends_on": []}]}
        self.claude.answers(apart, GOOD)
        said = self.decompose("--yes")
        self.assertEqual((said.code, self.claude.calls), (0, 2), said.err)
        self.assertIn("- api: a dependency may be missing: ", self.claude.prompt(2))
        self.assertIn("; add auth\n", self.claude.prompt(2))

    def test_the_specification_comes_from_standard_input(self) -> None:
        self.claude.answers(GOOD)
        with standing_in(self.space.path, self.space.environ):
            given = io.TextIOWrapper(io.BytesIO("Café".encode()))
            with streams(io.StringIO(), err := io.StringIO(), given):
                code = cli.main(("decompose", "-", "--yes", "-q"))
        self.assertEqual((code, err.getvalue()), (0, "Spent: $0.03 in 1 call to Claude.\n"))
        self.assertIn("\nCafé\n", self.claude.prompt(1))

    def test_json_has_everything_and_a_named_list_is_made(self) -> None:
        self.claude.answers(VAGUE, VAGUE, VAGUE)
        said = self.decompose("--yes", "--json", "--config", "plans/shop.json")
        self.assertEqual(said.code, 0, said.err)
        found = said.json
        self.assertEqual(found["written"][0], os.path.join(self.space.path, "plans", "shop.json"))
        self.assertEqual([each["id"] for each in found["features"]], ["auth", "api"])
        self.assertEqual(found["waves"], [["auth"], ["api"]])
        self.assertEqual(found["findings"], ["api:1: vague: 'properly'; say exactly what is meant"])
        self.assertEqual((found["calls"], found["cost_is_complete"]), (3, True))
        self.assertAlmostEqual(found["cost_usd"], 0.09)

    def test_the_best_answer_is_kept_where_a_later_one_is_worse_or_fails(self) -> None:
        self.claude.answers(VAGUE, CYCLE)
        self.claude.prints(3, INIT, result(is_error=True, result="Overloaded"))
        said = self.decompose("--yes")
        self.assertEqual(said.code, 0, said.err)
        self.assertIn("1 finding left:\n  api:1: vague", said.out)
        self.assertIn("Not improved further: Overloaded\n", said.err)
        self.assertIn("properly", read_text(os.path.join(self.space.path, "prompts", "api.md")))

    def test_no_call_is_made_with_what_the_budget_has_not(self) -> None:
        self.claude.prints(1, INIT, result(VAGUE, total_cost_usd=1.995))
        said = self.decompose("--yes")
        self.assertEqual((said.code, self.claude.calls), (0, 1))
        self.assertIn("Not improved further: budget: nothing is left of $2.00", said.err)

    def test_an_unknown_cost_counts_as_all_that_was_granted(self) -> None:
        self.claude.prints(1, INIT, result(VAGUE, total_cost_usd=0))
        said = self.decompose("--yes")
        self.assertEqual((said.code, self.claude.calls), (0, 1), said.err)
        self.assertIn("Spent: an unknown amount, in 1 call to Claude.", said.err)


class Nonsense(DecomposeTest):
    def test_an_answer_that_never_becomes_useful_writes_nothing_and_says_why(self) -> None:
        many = {"features": [proposed(f"f{number}") for number in range(500)]}
        twice = {"features": [AUTH, AUTH]}
        escaping = {"features": [proposed("../../auth", prompt="\x1b[2Jhidden")]}
        self.claude.answers(many, twice, escaping)
        said = self.decompose("--yes")
        self.assertEqual(said.code, 1)
        self.assertIn("the answer has 500 features; 1 to 20 are allowed", self.claude.prompt(2))
        self.assertIn("duplicate id 'auth'", self.claude.prompt(3))
        self.assertIn("Claude's answer can't be used", said.err)
        self.assertIn("features[0].prompt: contains control or format characters", said.err)
        self.assertIn("Spent: $0.09 in 3 calls to Claude.", said.err)
        self.assertRegex(said.err, r"next: to continue by hand: cd \S+ && claude --resume [\w-]+\n")
        self.assert_nothing_written()

    def test_no_json_no_output_and_an_empty_answer_are_no_answers(self) -> None:
        self.claude.does(1, "echo not JSON; exit 1")
        said = self.decompose("--yes")
        self.assertEqual(said.code, 1)
        self.assertIn("Claude ended without a result (exit 1)", said.err)
        self.claude = AnsweringClaude(self.space.beside("other"))
        self.space.environ["PATH"] = f"{self.claude.folder}:{os.environ['PATH']}"
        self.claude.prints(1, INIT, result(result="Here you are."))
        self.claude.answers(*(None, "", {"features": []}))
        said = self.decompose("--yes", "--json")
        self.assertEqual((said.code, said.json["written"], said.json["list"]), (1, [], None))
        self.assertEqual(said.json["faults"], ["the answer has 0 features; 1 to 20 are allowed"])
        self.assertIn("there is no structured output", self.claude.prompt(2))
        self.assertIn("with features, not a string", self.claude.prompt(3))
        self.assert_nothing_written()

    def test_a_claude_that_fails_is_named(self) -> None:
        ended = {"subtype": "error_max_structured_output_retries", "is_error": True}
        self.claude.prints(1, INIT, result(**ended))
        said = self.decompose("--yes")
        self.assertEqual((said.code, self.claude.calls), (1, 1))
        self.assertIn("rorchestrator: no valid structured output\n", said.err)
        failing = mock.patch.object(
            reading_claude.ReadingClaude, "ask", side_effect=UserError("the disk is full")
        )
        with failing:
            said = self.decompose("--yes")
        self.assertIn("the disk is full\n  next: correct that, then try again", said.err)
        self.assert_nothing_written()


class Existing(DecomposeTest):
    def setUp(self) -> None:
        listed = [feature("auth", creates=["path:a.py"]), feature("web", uses=["path:a.py"])]
        self.use(Workspace(listed))
        self.with_claude()
        self.space = self.workspace
        self.space.write({"SPEC.md": "Build an API.\n"})

    def lists(self, command: str = "", **claude: object) -> None:
        options = {"command": [command or self.claude.program], "model": "opus", **claude}
        self.space.document["claude"] = options
        self.space.change()
        self.space.commit({}, "the list")

    def test_features_are_added_to_the_list(self) -> None:
        self.lists()
        before = read_text(self.space.list_file)
        self.claude.answers({"features": [proposed("api", depends_on=["auth"])]})
        said = self.decompose("--yes", "--add")
        self.assertEqual(said.code, 0, said.err)
        self.assertIn("- `auth`: auth", self.claude.prompt(1))
        self.assertIn("--model=opus", self.claude.words(1))
        self.assertNotIn("verify", self.claude.schema(1)["properties"])
        after = read_text(self.space.list_file)
        self.assertTrue(after.startswith(before[: before.rindex("]")]), after)
        self.assertEqual(json.loads(after)["features"][2]["depends_on"], ["auth"])
        self.assertIn("--- a/config/feature_list.json\n", said.out)
        self.assertEqual(self.claude.calls, 1, "web lacks a dependency, but is not new")

    def test_without_add_an_existing_list_is_refused_and_with_it_a_missing_one(self) -> None:
        self.lists()
        said = self.decompose("--yes")
        self.assertEqual(said.code, 2)
        self.assertIn("feature_list.json exists already\n  next: rorchestrator decompose", said.err)
        self.assertIn("SPEC.md --add adds the features to it", said.err)
        os.remove(self.space.list_file)
        said = self.decompose("--yes", "--add")
        self.assertIn("does not exist, so nothing can be added to it", said.err)
        self.space.write({"config/feature_list.json": "[]"})
        self.assertIn("has 1 fault", self.decompose("--yes", "--add").err)
        self.assertEqual(self.claude.calls, 0)

    def test_the_lists_own_claude_needs_consent(self) -> None:
        self.lists()
        said = self.decompose("--add")
        self.assertEqual((said.code, self.claude.calls), (2, 0))
        self.assertIn("this list has commands that need your consent", said.err)

    def test_a_list_that_bypasses_permissions_needs_the_users_word(self) -> None:
        self.lists(env={"BASH_ENV": "/x"})
        self.claude.answers({"features": [proposed("api")]})
        said = self.decompose("--add", "--yes")
        self.assertIn("decompose SPEC.md --add --yes --allow-bypass", said.err)
        self.assertEqual(self.decompose("--add", "--yes", "--allow-bypass").code, 0)

    def test_a_folder_without_a_list_and_a_dangling_link_are_no_new_lists(self) -> None:
        os.mkdir(os.path.join(self.space.path, "empty"))
        self.assertIn("no feature list in empty", self.decompose("--config", "empty").err)
        self.assertIn("name a list that ends in .json", self.decompose("--config", "plans").err)
        os.remove(self.space.list_file)
        os.symlink("/nowhere/list.json", self.space.list_file)
        said = self.decompose("--yes")
        self.assertIn("no feature list in", said.err)


class Asking(DecomposeTest):
    def test_it_asks_before_it_spends_and_before_it_writes(self) -> None:
        self.claude.answers(GOOD)
        said = self.at_a_terminal("n\n")
        self.assertEqual((said.code, self.claude.calls), (2, 0))
        self.assertIn("at most 20 features: at most $2.00? [y/N]", " ".join(said.err.split()))
        self.assertIn("nothing was started, and nothing was spent", said.err)
        said = self.at_a_terminal("y\nn\n")
        self.assertEqual((said.code, self.claude.calls), (2, 1))
        self.assertIn("Write config/feature_list.json and 3 prompt files? [y/N]", said.err)
        self.assertIn("Nothing was written.\n  to continue by hand: cd ", said.err)
        self.assert_nothing_written()
        self.claude.answers(GOOD, GOOD)
        self.assertEqual(self.at_a_terminal("y\ny\n", "-q").code, 0)
        self.assertTrue(os.path.exists(self.list_file))
        self.claude.answers(*[{"features": [proposed("web")]}] * 3)
        said = self.at_a_terminal("y\nn\n", "--add")
        self.assertIn("Add 1 feature to config/feature_list.json, and write 1 prompt", said.err)

    def test_with_json_the_diff_is_shown_where_the_question_is(self) -> None:
        self.claude.answers(GOOD)
        said = self.at_a_terminal("y\ny\n", "--json")
        self.assertEqual((said.code, len(said.json["written"])), (0, 4))
        self.assertIn("+++ b/prompts/api.md\n", said.err)

    def test_what_was_paid_for_is_named_where_it_can_not_be_written(self) -> None:
        self.claude.answers(GOOD)
        full = UserError("the disk is full", hint="free some space")
        with mock.patch.object(decomposed, "write_draft", side_effect=full):
            said = self.decompose("--yes")
        self.assertEqual(said.code, 2)
        self.assertIn(
            "the disk is full\n  free some space\n  next: to continue by hand: ", said.err
        )

    def test_ctrl_c_at_the_last_question_names_the_session(self) -> None:
        self.claude.answers(GOOD)
        with mock.patch.object(decomposed, "agrees", side_effect=KeyboardInterrupt):
            said = self.at_a_terminal("y\n")
        self.assertEqual(said.code, 130)
        self.assertIn("\nto continue by hand: cd ", said.err)
        self.assert_nothing_written()

    def test_without_a_terminal_and_without_yes_nothing_is_started(self) -> None:
        said = self.decompose()
        self.assertEqual((said.code, self.claude.calls), (2, 0))
        self.assertIn("next: rorchestrator decompose SPEC.md --yes\n", said.err)
        said = self.decompose("--max-features", "3")
        self.assertIn("next: rorchestrator decompose SPEC.md --max-features 3 --yes\n", said.err)

    def test_what_is_missing_is_named_before_anything_is_paid_for(self) -> None:
        for words, spec, message in (
            ((), "", "decompose needs a specification"),
            (("--yes",), "none.md", "none.md can't be read"),
            (("--max-features", "0"), "SPEC.md", "'0' is not a number of features"),
            (("--max-features", "²"), "SPEC.md", "'²' is not a number of features"),
            (("--max-cost", "0.001"), "SPEC.md", "--max-cost 0.001 is less than a call costs"),
        ):
            with self.subTest(message):
                given = [word for word in (spec, *words) if word]
                said = self.space.main("decompose", *given, at=self.space.path)
                self.assertEqual(said.code, 2)
                self.assertIn(message, said.err)
        outside = self.space.beside("tmp")
        said = self.space.main("decompose", f"{self.space.path}/SPEC.md", "--yes", at=outside)
        self.assertIn("is not in a git repository", said.err)
        os.unlink(self.claude.program)
        said = self.decompose("--yes", env={"PATH": "/nowhere"})
        self.assertEqual(said.code, 2)


class Stopped(DecomposeTest):
    def test_ctrl_c_ends_claude_says_what_was_spent_and_leaves_nothing(self) -> None:
        self.claude.prints(1, INIT, result(is_error=True, subtype="error_during_execution"))
        self.claude.does(
            1, "trap 'cat 1.lines; exit 0' INT\ntouch up\nwhile :; do sleep 0.05; done"
        )
        running = self.space.start("decompose", "SPEC.md", "--yes", at=self.space.path)
        wait_until(lambda: os.path.exists(self.claude.path("up")), "Claude is at work")
        running.signal(signal.SIGINT)
        said = running.end()
        self.assertEqual(said.code, 130, said.err)
        self.assertIn("Stopping Claude ...\n", said.err)
        self.assertIn("Spent: $0.03 in 1 call to Claude.\nStopped, and nothing was", said.err)
        self.assert_nothing_written()


class OnATerminal(DecomposeTest):
    def test_a_line_says_what_claude_does(self) -> None:
        use = {"type": "tool_use", "id": "t", "name": "Read", "input": {"file_path": "/src/a.py"}}
        answer = {"type": "assistant", "message": {"id": "m", "content": [use]}}
        self.claude.answers(VAGUE, GOOD)
        self.claude.prints(3, INIT, answer)
        self.claude.does(1, "cat 3.lines; while [ ! -e go ]; do sleep 0.05; done; cat 1.lines")
        with terminal() as (ours, theirs):
            running = self.space.start(
                *("decompose", "SPEC.md"),
                at=self.space.path,
                terminal=theirs,
                env={"TERM": "xterm"},
            )
            os.close(theirs)
            read_until(ours, "$2.00?")
            os.write(ours, b"y\n")
            read_until(ours, "Read src/a.py  1 turn")
            with open(self.claude.path("go"), "w", encoding="utf-8"):
                pass
            said = read_until(ours, "3 prompt files?")
            self.assertIn("The answer has 1 finding: sent back to Claude.", said)
            os.write(ours, b"y\n")
            read_until(ours, "rehearse")
            self.assertEqual(running.end().code, 0)
        self.assertEqual(len(glob.glob(os.path.join(self.space.path, "prompts", "*"))), 3)


if __name__ == "__main__":
    unittest.main()
