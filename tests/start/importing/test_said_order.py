"""What a section on dependencies says."""

from __future__ import annotations

import unittest

from core.start.importing.markdown import sections_of
from core.start.importing.said_order import places_in, said_keys, said_places, section_lines


def places(*lines: str) -> list[str]:
    """Each pair as ``later<earlier``: ``P1`` is a phase, ``S1`` a story."""
    pairs = said_places(lines)
    return ["<".join(f"P{a}" if a else f"S{b}" for a, b in pair) for pair in pairs]


def keys(*lines: str) -> list[str]:
    return ["<".join(pair) for pair in said_keys(lines)]


class SaidOrder(unittest.TestCase):
    def test_an_arrow_leads_from_the_earlier_to_the_later(self) -> None:
        self.assertEqual(places("Phase 1 → Phase 02 -> US1"), ["P2<P1", "S1<P2"])
        self.assertEqual(places("P1 → P2", "Setup --> US1"), [])
        self.assertEqual(places("US1 + US2 → Phase 9"), ["P9<S1", "P9<S2"])

    def test_a_sentence_says_what_its_subject_waits_for(self) -> None:
        for line, expected in {
            "- **US5+US6 (Phase 6)**: Depends on Phase 5 (its page)": ["P6<P5"],
            "- **User Story 2 (P2)**: Can start after Phase 2 - may use US1": ["S2<P2"],
            "- **US8**: Depends on Phase 4 and US9. US1 is apart": ["S8<P4", "S8<S9"],
            "- **Polish**: depends on US1": [],
            "US1 depends on US2": [],
        }.items():
            with self.subTest(line):
                self.assertEqual(places(line), expected)

    def test_a_tree_shows_what_comes_after_what(self) -> None:
        tree = (
            "Phase 1 (Setup)",
            "   └─→ Phase 2 (Base)",
            "            ├─→ Phase 3 (US1)",
            "            │     └─→ Phase 4 (US2)",
            "            └─→ Phase 5",
            "",
            "   └─→ Phase 6",
        )
        self.assertEqual(places(*tree), ["P2<P1", "P3<P2", "P4<P3", "P5<P2"])

    def test_single_items_are_named_by_arrows_and_in_sentences(self) -> None:
        several = "- **US1**: T4 depends on T3; T6, T7 depend on T4+T5. T8 is apart"
        self.assertEqual(keys(several), ["T4<T3", "T6<T4", "T7<T4", "T6<T5", "T7<T5"])
        self.assertEqual(keys("T1 → T2, T3 → T4; T5 with T1"), ["T2<T1", "T3<T1", "T4<T2", "T4<T3"])
        self.assertEqual(
            keys("- T003 depends on T001 and T002", "T5 is first"), ["T003<T001", "T003<T002"]
        )

    def test_only_the_sections_on_dependencies_count(self) -> None:
        text = "a\n## Dependencies\nb\n### Stories\nc\n## Notes\nd\n### Task dependencies\ne"
        self.assertEqual(list(section_lines(sections_of(text))), ["b", "c", "e"])

    def test_places_are_phases_and_stories(self) -> None:
        self.assertEqual(
            places_in("Phase 03, US-4, User Story 5"), [("3", ""), ("", "4"), ("", "5")]
        )
