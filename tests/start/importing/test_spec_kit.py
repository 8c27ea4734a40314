"""`tasks.md` of spec-kit."""

from __future__ import annotations

import unittest

from core.start.importing.items import Source
from core.start.importing.spec_kit import read as read_spec_kit

PLAN = """\
# Tasks: Shop

**Input**: the documents in specs/001-shop/

## Phase 1: Setup

- [x] T001 Make the project
- [ ] T002 [P] Set up the linter in lint.toml
- [ ] T003 [P] Set up CI

## Phase 2: Foundational

**Purpose**: what all stories need,
and nothing else

- [ ] T004 Database in src/db.py
- [ ] **T005** Models in src/models.py
- [ ] write everything down

## Phase 3: User Story 1 - Cart

**Goal**: a visitor fills a cart

**Independent Test**: put something into it

### Tests

- [ ] T006 [P] [US1] Test of the cart
  - verify: `pytest tests/test_cart.py`

### Implementation

- [ ] T007 [P] [US1] Cart in src/cart.py
- [ ] T008 [US1] Checkout in src/checkout.py (depends on T007)
- [ ] T009 [US1] [API] Route

## Phase 4: User Story 2 - Search

- [ ] T010 [US2] Index
- [ ] T011 [P] [US2] Page (requires T008)

## Phase 5: Polish

- [ ] T012 [P] Documents

## Notes

- [P] tasks are side by side
"""


def read(text: str) -> Source:
    found = read_spec_kit(text)
    assert found
    return found


def links(text: str) -> dict[str, tuple[str, ...]]:
    return {item.key: item.depends_on for item in read(text).items}


def phases(*headings: str, end: str = "") -> dict[str, tuple[str, ...]]:
    """The dependencies of one task for each phase."""
    tasks = (f"## {each}\n\n- [ ] T{n} x\n" for n, each in enumerate(headings, 1))
    return links("\n".join((*tasks, end)))


class SpecKit(unittest.TestCase):
    def test_tasks_wait_for_their_phase_and_for_those_before_them_without_p(self) -> None:
        expected = {
            "T001": (),
            "T002": ("T001",),
            "T003": ("T001",),
            "T004": ("T002", "T003"),
            "T005": ("T004",),
            "T006": ("T005",),
            "T007": ("T005",),
            "T008": ("T006", "T007"),
            "T009": ("T008",),
            "T010": ("T005",),
            "T011": ("T010", "T008"),
            "T012": ("T009", "T011"),
        }
        self.assertEqual(links(PLAN), expected)

    def test_a_task_has_a_title_tags_and_what_is_said_of_its_phase(self) -> None:
        found = {item.key: item for item in read(PLAN).items}
        self.assertTrue(found["T001"].is_done)
        self.assertEqual(found["T005"].title, "Models in src/models.py")
        self.assertEqual(found["T009"].tags, ("US1", "API"))
        text = (
            "- verify: `pytest tests/test_cart.py`\n\n"
            "This task belongs to “Phase 3: User Story 1 - Cart”.\n\n"
            "**Goal**: a visitor fills a cart\n\n"
            "**Independent Test**: put something into it\n\n"
            "**Input**: the documents in specs/001-shop/"
        )
        self.assertEqual(found["T006"].text, text)
        self.assertIn("**Purpose**: what all stories need, and nothing else", found["T004"].text)

    def test_what_was_decided_is_noted(self) -> None:
        notes = (
            "Left out, because they have no number such as T001: 1.",
            "User stories 1, 2 do not wait for each other, as spec-kit intends.",
        )
        self.assertEqual(read(PLAN).notes, notes)
        two = read("- [ ] T1 a\n- [ ] b\n- [ ] c\n")
        self.assertEqual(two.notes, ("Left out, because they have no number such as T001: 2.",))

    def test_what_a_task_names_comes_before_it_whatever_their_order(self) -> None:
        found = links("- [ ] T1 a (depends on T3)\n- [ ] T2 b\n- [ ] T3 c\n")
        self.assertEqual(found, {"T1": ("T3",), "T2": ("T1",), "T3": ()})

    def test_stories_that_are_done_are_not_noted(self) -> None:
        self.assertEqual(read(PLAN.replace("- [ ]", "- [x]")).notes[1:], ())

    def test_a_story_is_known_by_its_heading_or_by_its_labels(self) -> None:
        story, other = "Phase 2: US1", "Phase 3: the rest"
        self.assertEqual(phases("Phase 1", story, other)["T3"], ("T2",))
        labelled = (
            "## Phase 1\n- [ ] T1 a\n## Phase 2\n- [ ] T2 [US1] b\n## Phase 3\n- [ ] T3 [US2] c"
        )
        self.assertEqual(links(labelled)["T3"], ("T1",))
        again = "## Phase 1: US1\n- [ ] T1 a\n## Phase 2: US1\n- [ ] T2 b\n"
        self.assertEqual(links(again)["T2"], ("T1",))

    def test_without_phases_the_second_headings_are_phases(self) -> None:
        text = (
            "# All\n- [ ] T1 a\n## One\n- [ ] T2 b\n### Part\n- [ ] T3 [P] c\n## Two\n- [ ] T4 d\n"
        )
        expected = {"T1": (), "T2": ("T1",), "T3": ("T2",), "T4": ("T3",)}
        self.assertEqual(links(text), expected)

    def test_what_the_file_says_of_phases_and_stories_counts(self) -> None:
        stories = (
            "Phase 1: Base",
            "Phase 2: User Story 1",
            "Phase 3: User Story 2",
            "Phase 4: US3",
        )
        said = (
            "## Dependencies\n\nPhase 1 → US1 -> US2 → nothing\n\n### Stories\n"
            "- **User Story 3 (P3)**: can start after Phase 1 and US2 - may use US1\n"
            "- **Polish**: depends on US1\n- **US1**: depends on US3\n"
            "- T4 depends on T9\n\nT1 → T3\n## Notes\n\nUS1 → US3\n"
        )
        found = phases(*stories, end=said)
        expected = {"T1": (), "T2": ("T1",), "T3": ("T1", "T2"), "T4": ("T1", "T3", "T9")}
        self.assertEqual(found, expected)

    def test_a_line_without_words_is_called_by_its_number(self) -> None:
        self.assertEqual(read("- [ ] T1 [P]\n").items[0].title, "T1")

    def test_another_file_is_not_read(self) -> None:
        for text in ("", "- [ ] TXXX a", "- T001 a", "```\n- [ ] T001 a\n```", "- [ ] Task 1"):
            self.assertIsNone(read_spec_kit(text))
