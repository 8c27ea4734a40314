"""The logs of the attempts that run now."""

from __future__ import annotations

import os
import shutil
import tempfile
import unittest

from core.model import events
from core.model.fold import fold
from core.model.frozen import replace
from core.model.state import RunState
from core.views.activities import Activities, active_features
from tests.support.live_runs import NOW, RUN, at_work, begun, busy


class Logs(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def log(self, name: str, action: str) -> str:
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(
                '{"type": "assistant", "message": {"content": [{"type": "tool_use", '
                f'"id": "t", "name": "Bash", "input": {{"command": "{action}"}}}}]}}}}\n'
            )
        return path

    def started(self, number: int, path: str) -> events.Event:
        return events.attempt_started(
            NOW, RUN, "api", attempt=number, session_id="s", resumed=number > 1, log=path
        )

    def test_each_attempt_has_its_log_and_the_next_one_another(self) -> None:
        story = [begun(["api"]), *at_work("api", NOW)]
        state = fold([*story, self.started(1, self.log("1", "make"))])
        activities = Activities(str)
        self.assertEqual(activities.read(state)["api"].action, "$ make")
        self.assertIs(activities.read(state)["api"], activities.read(state)["api"])
        state = fold([self.started(2, self.log("2", "make test"))], state)
        self.assertEqual(activities.read(state)["api"].action, "$ make test")
        state = fold([events.verifying(NOW, RUN, "api")], state)
        self.assertEqual(activities.read(state), {})

    def test_active_features_are_those_of_the_last_run(self) -> None:
        state, _ = busy()
        ids = [feature.id for feature in active_features(state)]
        self.assertEqual(ids, ["api", "search", "billing-and-invoices"])
        self.assertEqual(active_features(RunState()), [])

    def test_a_journal_without_an_attempt_has_no_log(self) -> None:
        state = fold([begun(["api"]), *at_work("api", NOW)])
        api = replace(state.feature("api"), attempts=())
        bare = replace(state, features={"api": api})
        self.assertEqual(Activities(str).read(bare)["api"].action, "")
