"""The prompts for Claude."""

from __future__ import annotations

import unittest

from core.claude import prompt
from core.claude.prompt import Failing, PromptWriter
from core.model.feature import Config, Feature, Project
from core.model.frozen import replace
from core.model.review import Comment

AUTH = Feature("auth", "Sign-in", prompt="Build it.", creates=("auth.py", "session.py"))
DOCS = Feature("docs", "Manual", prompt="Write it.")
API = Feature(
    "api",
    "REST API",
    prompt="\n/login is one of the routes.\n",
    description="All routes.",
    depends_on=("auth", "docs"),
    creates=("api.py",),
    uses=("auth.py",),
)
FEATURES = (AUTH, DOCS, API)

WHOLE = """\
Task: bring the feature "api" (REST API) to completion.

A shop.

All routes.

/login is one of the routes.

## What is already done, and merged into this folder
- auth (Sign-in), from branch `feature/auth`: auth.py, session.py
- docs (Manual), from branch `feature/docs`

## What this feature uses
- auth.py

## What this feature has to create
- api.py

## Before you finish, check each of these
- [ ] tests pass
- [ ] no secrets

## How you work here
- You run unattended: nobody can answer, so do not ask. Decide, and say in your closing
  message what you decided.
- Work only in this folder. It is a git worktree of its own, already on branch `feature/api`:
  do not switch branches, do not rebase, do not touch other worktrees, do not use `git stash`.
- Finish the whole feature before you stop. What you leave uncommitted is committed for you.
- Your subagents work in this folder too. A worktree of their own (`isolation: "worktree"`) is
  refused: work in it would belong to no feature.
- Commits of your own hold no build products: no `__pycache__`, no tool caches, no
  `node_modules`, no virtual environment, unless the task asks for them.
"""


def _config(context: str = "", rules: tuple[str, ...] = ()) -> Config:
    project = Project("shop", "/repo")
    return Config("/l.json", "/", project, FEATURES, context=context, quality_rules=rules)


class First(unittest.TestCase):
    def test_it_holds_every_part_in_its_place(self) -> None:
        config = _config("\nA shop.\n", ("tests pass", "no secrets"))
        self.assertEqual(PromptWriter(config).first(API), WHOLE)

    def test_omitted_parts_of_the_list_have_no_heading(self) -> None:
        text = PromptWriter(_config()).first(DOCS)
        headings = [line for line in text.splitlines() if line.startswith("#")]
        self.assertEqual(headings, ["## How you work here"])
        self.assertNotIn("\n\n\n", text)

    def test_the_first_line_of_the_prompt_is_ours_whatever_the_list_says(self) -> None:
        slash = Feature("x", "/clear", prompt="/compact", description="/exit")
        text = PromptWriter(_config("/login")).first(slash)
        self.assertTrue(text.startswith("Task: "))

    def test_braces_in_the_list_are_only_text(self) -> None:
        project = Project("shop", "/repo", branch_prefix="{b}/")
        config = replace(_config("{context}"), project=project)
        odd = Feature("x", "{id}", prompt="{branch} %s {0}", creates=("{}",))
        text = PromptWriter(config).first(odd)
        for part in ("({id})", "{branch} %s {0}", "- {}", "{context}", "`{b}/x`"):
            self.assertIn(part, text)

    def test_only_a_start_on_kept_work_says_so(self) -> None:
        for kept in (False, True):
            text = PromptWriter(_config()).first(AUTH, kept_work=kept)
            with self.subTest(kept=kept):
                self.assertEqual("An earlier attempt" in text, kept)


class Resumed(unittest.TestCase):
    def test_a_session_that_knows_its_task_is_asked_to_continue(self) -> None:
        text = prompt.resume(API)
        self.assertTrue(text.startswith("Continue: "))
        self.assertIn('"api"', text)
        self.assertIn("do not ask", text)
        self.assertNotIn("routes", text)


class Comments(unittest.TestCase):
    def test_each_comment_has_its_id_its_place_and_is_quoted(self) -> None:
        given = (
            Comment("c1", "Use the clock.\n\n## Not a heading\x1b[2J", "src/a b.py", 12, "Ada\nB"),
            Comment("c2", "```\nsimulate: x", 'odd\n"name"'),
            Comment("c3", "More tests."),
        )
        text = prompt.comments(API, given)
        self.assertTrue(text.startswith('Continue: the work on the feature "api" was reviewed'))
        for part in (
            'Comment c1 on "src/a b.py:12", by Ada B:\n> Use the clock.\n>\n> ## Not a heading\n',
            'Comment c2 on "odd\\n\\"name\\"":\n> ```\n> simulate: x\n',
            "Comment c3:\n> More tests.\n",
        ):
            self.assertIn(part, text)

    def test_one_that_starts_over_gets_what_was_said_before(self) -> None:
        said = prompt.comments(API, (Comment("c1", "No."),), is_new=True)
        text = PromptWriter(_config()).first(API, feedback=said)
        self.assertTrue(text.startswith("Task: "))
        self.assertIn("This feature starts over.", text)
        self.assertIn("Comment c1:\n> No.", text)


class FailingChecks(unittest.TestCase):
    def test_one_is_told_with_the_end_of_its_output(self) -> None:
        said = prompt.failing_checks(AUTH, [Failing("make ended with exit 1", "a\nb\n")])
        self.assertIn("and a check failed.\n\nmake ended with exit 1\n\nThe end of", said)
        self.assertIn("```\na\nb\n```\n\nFix the cause in this folder, not the check.", said)

    def test_several_share_the_lines_and_more_than_ten_are_only_named(self) -> None:
        output = "\n".join(map(str, range(1000)))
        failing = [Failing(f"check {n} failed", output, passed_before=n == 1) for n in range(12)]
        said = prompt.failing_checks(AUTH, failing)
        self.assertIn("and 12 checks failed.", said)
        self.assertEqual(said.count("```"), 20)
        self.assertEqual(said.count("\n979\n"), 0)
        self.assertEqual(said.count("\n980\n"), 10)
        self.assertIn("check 10 failed\n\ncheck 11 failed\n\nFix the causes", said)
        self.assertEqual(said.count(prompt.PASSED_BEFORE), 1)
        self.assertIn(f"check 1 failed\n\n{prompt.PASSED_BEFORE}", said)

    def test_one_that_printed_nothing_says_so(self) -> None:
        self.assertIn("(nothing)", prompt.failing_checks(AUTH, [Failing("it failed", " ")]))


if __name__ == "__main__":
    unittest.main()
