"""`prd.json` with user stories."""

from __future__ import annotations

import unittest

from core.start.importing.items import Source
from core.start.importing.prd import read as read_prd


def story(key: str, **fields: object) -> dict[str, object]:
    return {"id": key, "title": f"Story {key}", **fields}


def read(*stories: object, **fields: object) -> Source:
    found = read_prd({"userStories": list(stories), **fields})
    assert found
    return found


class Prd(unittest.TestCase):
    def test_a_story_has_its_criteria_and_what_the_whole_is_for(self) -> None:
        fields = {"acceptanceCriteria": ["a", "b"], "notes": "soon", "passes": True}
        (item,) = read(
            story("US-1", description="As a user.", **fields), description="A shop"
        ).items
        self.assertEqual((item.key, item.title, item.criteria), ("US-1", "Story US-1", ("a", "b")))
        self.assertEqual(item.text, "As a user.\n\nsoon\n\nIt is part of: A shop")
        self.assertTrue(item.is_done)
        self.assertTrue(read(story("1", status="Done")).items[0].is_done)

    def test_stories_wait_for_the_priority_before(self) -> None:
        stories = [story("c", priority=5), story("a", priority=1), story("b", priority=1)]
        found = read(*stories)
        self.assertEqual([item.depends_on for item in found.items], [("a", "b"), (), ()])
        self.assertIn("only priorities", found.notes[0])

    def test_without_priorities_they_wait_in_their_order(self) -> None:
        found = read(story("a"), {"name": "B", "priority": True}, story("c", priority=10**12))
        self.assertEqual([item.key for item in found.items], ["a", "story 2", "c"])
        self.assertEqual([item.depends_on for item in found.items], [(), ("a",), ("story 2",)])
        self.assertEqual(read(story("a")).notes, ())

    def test_named_dependencies_replace_the_order(self) -> None:
        found = read(story("a"), story("b", dependsOn=[]), story("c", dependencies="a"))
        self.assertEqual([item.depends_on for item in found.items], [(), (), ("a",)])
        self.assertEqual(found.notes, ())

    def test_other_json_is_not_read(self) -> None:
        for data in ([], {}, {"userStories": 1}, {"stories": [1, {"id": 2}]}, "x"):
            self.assertIsNone(read_prd(data))
