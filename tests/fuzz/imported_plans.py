"""Any text as a plan from elsewhere: features that load and that a second import leaves alone."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from core.model.errors import UserError
from core.project.feature_list import of_text
from core.start import list_edit
from core.start.importing.merge import Merge, Target, merged
from core.start.importing.place import first_list
from core.start.importing.source import recognised
from core.start.list_edit import ListFile
from tests.fuzz.harness import Target as FuzzTarget
from tests.fuzz.mutations import damaged, documents

TASKS = """\
# Tasks: Shop

**Input**: specs/001

## Phase 1: Setup

- [ ] T001 Set up
- [x] T002 [P] Lint in lint.toml
  - Run `npm test`

## Phase 2: User Story 1

**Goal**: a cart

- [ ] T003 [P] [US1] Cart (depends on T001, T004)
- [ ] T004 [US1] Page
  ```sh
  - [ ] T009 no
  ```

## Dependencies

Phase 1 → US1; T004 depends on T003-T001
   └─→ Phase 3
"""
CHECKLIST = "# A\n- [ ] Sign in\n  - [x] form\n1. [ ] Cart (depends on: Sign in, cart)\n* [X] b\n"
MARKDOWN = st.sampled_from([TASKS, CHECKLIST]).map(str.encode)

JSON = [
    {"tasks": [{"id": 1, "title": "a", "dependencies": [2]}, {"id": "2", "title": "b"}]},
    {
        "master": {"tasks": [{"id": 1, "title": "a", "subtasks": [{"title": "x"}]}]},
        "x": {"tasks": [{"id": 1, "title": "a", "status": "done", "testStrategy": "`npm test`"}]},
    },
    {
        "description": "d",
        "userStories": [
            {"id": "US-1", "title": "a", "acceptanceCriteria": ["Run `npm test`"], "priority": 1},
            {"id": "US-2", "title": "b", "passes": False, "priority": 2, "dependsOn": ["US-1"]},
        ],
    },
    [
        {"number": 1, "title": "a", "body": "blocked by #2\n- [ ] #3", "labels": [{"name": "l"}]},
        {"number": 2, "title": "b", "body": None, "blockedBy": {"nodes": [{"number": 1}]}},
        {"number": 3, "title": "c", "state": "CLOSED", "url": "https://github.com/o/r/issues/3"},
    ],
]
DOCUMENTS = documents(JSON).map(lambda document: json.dumps(document).encode())
CASES = st.one_of(
    *(DOCUMENTS, MARKDOWN, damaged(MARKDOWN), damaged(DOCUMENTS)),
    st.text("-*[]x #T01P(US)>`\n\t~→:.,", max_size=200).map(str.encode),
).map(lambda content: content.decode("utf-8", "surrogateescape"))


def check(case: str) -> None:
    """The features load, and importing the same again changes nothing; or there is an error."""
    try:
        source = recognised("plan", case)
    except UserError as error:
        assert error.message
        return
    features: list[Any] = []
    prompts: dict[str, str] = {}
    target = Target(features, (), prompts.get, prompts.get, lambda file: False)
    made = merged(source, "plan", target)
    if not made.added:
        return
    text = list_edit.edited(ListFile("/list.json", b"", first_list("shop")), (), made.added)
    prompts.update({prompt.name: prompt.text for prompt in made.prompts})
    loaded = of_text("/nowhere/config/feature_list.json", text, prompts)
    assert [feature.id for feature in loaded.features] == [row.id for row in made.rows]
    features += json.loads(text)["features"]
    _check_again(merged(source, "plan", target))


def _check_again(made: Merge) -> None:
    assert made.is_empty, made
    assert {row.action.value for row in made.rows} <= {"left"}


TARGET = FuzzTarget("imported plans", CASES, check)
