"""Files about a run: made of one view of it, with the output of its checks."""

from __future__ import annotations

import os

from core.model.fold import fold
from core.views.run_files import Collected, RunFile
from tests.support.in_a_folder import InAFolder
from tests.support.run_views import STORY, report_of


class RunFilesTest(InAFolder):
    def test_all_files_of_a_run_are_made_of_one_view(self) -> None:
        os.mkdir(self.folder)
        with open(os.path.join(self.folder, "api.verify.log"), "w") as file:
            file.write("$ npm run lint\nclean\n$ npm test\nFAIL hunter2\n")
        collected = Collected(self.folder, lambda text: text.replace("hunter2", "***"), {})
        for event in STORY:
            collected.on_event(fold([]), event)
        written: list[str] = []
        file_of_ids = RunFile(
            written.append, lambda view: " ".join(f.id for f in view.features), collected.view
        )
        report = report_of(STORY)
        file_of_ids.at_end(report)
        self.assertEqual(written, ["auth api app docs"])
        view = collected.view(report)
        self.assertIs(collected.view(report), view)
        checks = {check.command: check.lines for check in view.features[1].checks}
        self.assertEqual(checks, {"npm run lint": ("clean",), "npm test": ("FAIL ***",)})
        file_of_ids.nothing_to_do(report_of(STORY[:1]))
        self.assertEqual(len(written), 2)
        self.assertIsNot(collected.view(report), view)
