"""The JSON Schema of events, which the documents publish, describes the events of the program."""

from __future__ import annotations

import re
import unittest

from core.model import event_json
from tests.support.event_schema import HAS_JSONSCHEMA, event_schema, faults_of
from tests.support.every_event import EVERY
from tests.support.paths import ROOT

VALUES = {"start", "resume"}
"""What the page names beside keys."""


class EventSchemaTest(unittest.TestCase):
    def test_it_knows_every_kind_and_no_other(self) -> None:
        schema = event_schema()
        conditions = [each["if"]["properties"]["event"]["const"] for each in schema["allOf"]]
        leads_to = [each["then"]["$ref"].rpartition("/")[2] for each in schema["allOf"]]
        self.assertEqual(conditions, leads_to)
        self.assertEqual(set(conditions), set(EVERY))
        self.assertEqual(set(schema["$defs"]) - {"time", "strategy"}, set(EVERY))

    def test_the_page_has_the_same_kinds_and_keys(self) -> None:
        with open(f"{ROOT}/docs/EVENTS.md", encoding="utf-8") as file:
            rows = re.findall(r"^\| (`[a-z_]+`.*?) \| .*? \| (.*?) ?\|$", file.read(), re.M)
        shown = {kind: keys for kinds, keys in rows for kind in re.findall(r"`([a-z_]+)`", kinds)}
        definitions = event_schema()["$defs"]
        self.assertLessEqual(set(EVERY), set(shown))
        for kind in EVERY:
            if not kind.startswith("resolution_"):  # whose keys are those of other kinds
                with self.subTest(kind):
                    named = set(re.findall(r"`([a-z_]+)`", shown[kind]))
                    self.assertEqual(named - VALUES, set(definitions[kind]["properties"]))

    @unittest.skipUnless(HAS_JSONSCHEMA, "jsonschema is a development tool")
    def test_every_event_is_as_it_says(self) -> None:
        for kind, event in EVERY.items():
            with self.subTest(kind):
                document = event_json.to_json(event)
                self.assertEqual(faults_of(document), [])
                missing = set(event_schema()["$defs"][kind]["properties"]) - set(document)
                self.assertEqual(missing, set(), "tests/support/every_event.py lacks a key")

    @unittest.skipUnless(HAS_JSONSCHEMA, "jsonschema is a development tool")
    def test_another_event_is_not(self) -> None:
        good = event_json.to_json(EVERY["ended"])
        for bad, expected in (
            ({**good, "v": 2}, "1 was expected"),
            ({**good, "status": "running"}, "'running' is not one of"),
            ({**good, "at": "yesterday"}, "'yesterday' does not match"),
            ({**good, "news": 1}, "news is unknown"),
            ({**good, "event": "news"}, "news is unknown"),
            ({k: v for k, v in good.items() if k != "feature"}, "'feature' is a required"),
            ({k: v for k, v in good.items() if k != "files_changed"}, "'files_changed' is a"),
        ):
            with self.subTest(expected):
                self.assertIn(expected, "\n".join(faults_of(bad)))


if __name__ == "__main__":
    unittest.main()
