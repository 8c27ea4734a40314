"""The state as JSON and back."""

from __future__ import annotations

import json
import unittest

from core.model.fold import fold
from core.model.state import RunState
from core.model.state_json import decoded, encoded
from tests.support.every_event import EVERY
from tests.support.story import STORY


class StateAsJson(unittest.TestCase):
    def test_a_state_comes_back_as_it_was(self) -> None:
        for story in ([], STORY, list(EVERY.values())):
            state = fold(story)
            again = decoded(json.loads(json.dumps(encoded(state))))
            self.assertEqual(again, state)
            assert isinstance(again, RunState)
            self.assertIsInstance(again.passed, frozenset)

    def test_nothing_else_is_written_or_made(self) -> None:
        class Run:
            """Not ours, in spite of its name."""

        for value in (object(), Run(), {1: [object()]}):
            with self.assertRaises(TypeError):
                encoded(value)
        strangers = (["v", "Popen", {}], ["e", "Status", "odd"], ["x"], ["v", "Run", {"odd": 1}])
        for given in strangers:
            with self.assertRaises((ValueError, TypeError, LookupError)):
                decoded(given)
        self.assertEqual(decoded(["l", 1, ["t"]]), [1, ()])


if __name__ == "__main__":
    unittest.main()
