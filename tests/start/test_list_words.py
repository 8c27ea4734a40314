"""Ids and tags of a list for completion, whatever its faults."""

from __future__ import annotations

import json
import os
import tempfile
import unittest

from core.start.list_words import ids_and_tags


class Words(unittest.TestCase):
    def found(self, text: str) -> tuple[dict[str, str], dict[str, str]]:
        with tempfile.TemporaryDirectory(prefix="ror-") as folder:
            path = os.path.join(folder, "list.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return ids_and_tags(path)

    def test_ids_have_the_names_of_the_features(self) -> None:
        features = [
            {"id": "auth", "name": "Sign\tin\x1b[31m", "tags": ["web", "data"]},
            {"id": "api", "tags": ["web"]},
        ]
        ids, tags = self.found(json.dumps({"features": features}))
        self.assertEqual(list(ids), ["auth", "api"])
        self.assertTrue(ids["auth"].isprintable())
        self.assertEqual((ids["api"], list(tags)), ("", ["web", "data"]))

    def test_a_list_with_faults_gives_what_it_can(self) -> None:
        features = [1, {"id": 2, "tags": 3}, {"tags": [4]}, {"id": "api", "name": 5}]
        self.assertEqual(self.found(json.dumps({"features": features})), ({"api": ""}, {}))
        for text in ("", "{", "[]", "{}", '{"features": 1}', "[" * 100_000):
            with self.subTest(text[:20]):
                self.assertEqual(self.found(text), ({}, {}))

    def test_without_a_list_there_is_nothing(self) -> None:
        self.assertEqual(ids_and_tags("/nowhere/list.json"), ({}, {}))


if __name__ == "__main__":
    unittest.main()
