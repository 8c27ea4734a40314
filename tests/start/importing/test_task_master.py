"""`tasks.json` of Task Master."""

from __future__ import annotations

import unittest

from core.start.importing.items import Item, Source
from core.start.importing.task_master import read as read_task_master

TASKS = [
    {"id": 1, "title": "Base", "status": "done", "priority": "low"},
    {
        "id": 2,
        "title": "API",
        "description": "Serve it.",
        "details": "With\nroutes.",
        "testStrategy": "Run `npm test`",
        "dependencies": [1, "3.2", None],
        "priority": "high",
        "status": "in-progress",
        "subtasks": [
            {"id": 1, "title": "Routes", "status": "done", "details": "x"},
            {"id": 2, "title": "Errors", "details": "a\n\nb", "testStrategy": "look"},
            "not a subtask",
        ],
    },
    {"id": "3", "title": "Page", "status": "deferred"},
    {"title": "without an id"},
    {"id": 4},
    5,
]


def read(data: object) -> Source:
    found = read_task_master(data)
    assert found
    return found


class TaskMaster(unittest.TestCase):
    def test_a_task_has_its_texts_and_its_subtasks_as_steps(self) -> None:
        found = read({"tasks": TASKS, "metadata": {}})
        self.assertEqual([item.key for item in found.items], ["1", "2", "3"])
        steps = "1. Routes (done)\n2. Errors\n   a\n   b\n   look"
        text = f"Serve it.\n\nWith\nroutes.\n\n## Steps\n\n{steps}"
        api = Item("2", "API", text, ("Run `npm test`",), ("1", "3"), priority=1)
        self.assertEqual(found.items[1], api)
        self.assertEqual([item.is_done for item in found.items], [True, False, True])
        self.assertEqual(found.notes, ("Left out with the status deferred: 3.",))

    def test_each_tag_has_its_own_tasks(self) -> None:
        other = {"tasks": [{"id": 1, "title": "A"}, {"id": 2, "title": "B", "dependencies": [1]}]}
        found = read({"master": {"tasks": TASKS[:2]}, "next": other, "empty": {"tasks": []}})
        self.assertEqual([item.key for item in found.items], ["1", "2", "next.1", "next.2"])
        self.assertEqual(found.items[3].depends_on, ("next.1",))
        self.assertEqual([item.tags for item in found.items[1:3]], [(), ("next",)])
        self.assertIn("Each tag of the file is a tag of its features: master, next.", found.notes)

    def test_other_json_is_not_read(self) -> None:
        for data in ([], {}, {"tasks": []}, {"a": {"tasks": 1}}, {"tasks": [{"id": 1}]}, None):
            self.assertIsNone(read_task_master(data))
