"""The format of a plan is known by its content."""

from __future__ import annotations

import json
import unittest

from core.model.errors import UserError
from core.start.importing.source import EXPECTED, recognised


class Formats(unittest.TestCase):
    def test_each_format_is_recognised(self) -> None:
        for text, kind in {
            "- [ ] T001 a": "spec-kit",
            "- [ ] a": "checklist",
            "[x]: y\n\n- [ ] a": "checklist",
            json.dumps({"tasks": [{"id": 1, "title": "a"}]}): "task-master",
            json.dumps({"userStories": [{"title": "a"}]}): "prd",
            json.dumps([{"number": 1, "title": "a"}]): "github-issues",
        }.items():
            with self.subTest(kind):
                self.assertEqual(recognised("plan", text).kind, kind)

    def test_everything_else_is_refused_with_the_formats(self) -> None:
        for text, why in {
            " \n": "plan is empty",
            "# Title": "plan has no plan that import can read",
            '{"a": 1}': "plan has no plan that import can read",
            "[]": "plan is empty",
        }.items():
            with self.subTest(text), self.assertRaises(UserError) as raised:
                recognised("plan", text)
            self.assertEqual((raised.exception.message, raised.exception.details), (why, EXPECTED))

    def test_invalid_json_is_refused_with_its_fault(self) -> None:
        for text in ('{"a": }', "[1, ]"):
            with self.assertRaisesRegex(UserError, "plan is not JSON at line 1"):
                recognised("plan", text)
        with self.assertRaisesRegex(UserError, "plan can't be read: it is nested too deeply"):
            recognised("plan", "[" * 200_000)
