"""The text that Claude gets."""

from __future__ import annotations

import unittest

from core.claude import prompt
from core.model.feature import Config, Feature, Project

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
FEATURES = {feature.id: feature for feature in (AUTH, DOCS, API)}
BRANCHES = {id: f"feature/{id}" for id in FEATURES}

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
    return Config("/l.json", "/", project, (), context=context, quality_rules=rules)


class First(unittest.TestCase):
    def test_it_holds_every_part_in_its_place(self) -> None:
        config = _config("\nA shop.\n", ("tests pass", "no secrets"))
        self.assertEqual(prompt.assemble(config, API, FEATURES, BRANCHES), WHOLE)

    def test_what_the_list_leaves_out_leaves_no_heading(self) -> None:
        text = prompt.assemble(_config(), DOCS, FEATURES, BRANCHES)
        headings = [line for line in text.splitlines() if line.startswith("#")]
        self.assertEqual(headings, ["## How you work here"])
        self.assertNotIn("\n\n\n", text)

    def test_its_first_line_is_ours_whatever_the_list_says(self) -> None:
        slash = Feature("x", "/clear", prompt="/compact", description="/exit")
        text = prompt.assemble(_config("/login"), slash, {}, {"x": "feature/x"})
        self.assertTrue(text.startswith("Task: "))

    def test_braces_in_the_list_are_only_text(self) -> None:
        odd = Feature("x", "{id}", prompt="{branch} %s {0}", creates=("{}",))
        text = prompt.assemble(_config("{context}"), odd, {}, {"x": "{b}/x"})
        for part in ("({id})", "{branch} %s {0}", "- {}", "{context}", "`{b}/x`"):
            self.assertIn(part, text)

    def test_only_a_start_on_kept_work_says_so(self) -> None:
        for kept in (False, True):
            text = prompt.assemble(_config(), AUTH, FEATURES, BRANCHES, kept_work=kept)
            with self.subTest(kept=kept):
                self.assertEqual("An earlier attempt" in text, kept)


class Resumed(unittest.TestCase):
    def test_a_session_that_knows_its_task_is_told_to_go_on(self) -> None:
        text = prompt.resume(API)
        self.assertTrue(text.startswith("Go on: "))
        self.assertIn('"api"', text)
        self.assertIn("do not ask", text)
        self.assertNotIn("routes", text)


if __name__ == "__main__":
    unittest.main()
