"""``reload`` at a terminal, and without its answers."""

from __future__ import annotations

import json
import os

from core.model.control_action import ControlAction
from core.project.running_list import FILE
from tests.support.runs import RunTest
from tests.support.workspace import feature


class ReloadCommandTest(RunTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace.features(self.held("a"))
        self.running = self.start_held("a")
        # The list is a link by now, to a file elsewhere.
        elsewhere = self.workspace.beside("elsewhere.json")
        os.rename(self.workspace.list_file, elsewhere)
        os.symlink(elsewhere, self.workspace.list_file)
        self.workspace.features(self.held("a"), feature("b", verify=["true"]))

    def finish(self) -> None:
        self.workspace.touch("a.go")
        self.assert_code(self.running.end(), 0)

    def test_it_asks_at_a_terminal_and_a_no_changes_nothing(self) -> None:
        no = self.workspace.main("reload", terminal=True, stdin=b"n\n")
        self.assertEqual(no.code, 2)
        self.assertIn("Let the run take up these changes? [y/N]", no.err)
        self.assertIn("you did not agree; nothing was changed", no.err)
        self.assertEqual(self.workspace.events("steered"), [])
        yes = self.workspace.main("reload", terminal=True, stdin=b"y\n")
        self.assertEqual(yes.code, 0, yes.err)
        self.assertIn("joins the run: b", yes.out)
        quiet = self.workspace.main("reload", "--quiet")
        self.assertEqual((quiet.code, quiet.out), (0, ""))
        self.finish()
        self.assert_statuses(a="completed", b="completed")

    def test_a_dry_run_with_json_prints_one_object(self) -> None:
        done = self.workspace.main("reload", "--dry-run", "--json")
        document = json.loads(done.out)
        self.assertEqual((document["reply"], document["change"]["joins"]), (None, ["b"]))
        self.assertEqual(
            document["change"]["needs_consent"],
            [{"feature": "b", "text": "b: a new command under verify: true"}],
        )
        self.finish()

    def test_consent_that_cannot_be_saved_is_none(self) -> None:
        path = self.workspace.beside("a file")
        self.workspace.touch("a file")
        done = self.workspace.main("reload", "--yes", env={"XDG_STATE_HOME": path})
        self.assertEqual(done.code, 2)
        self.assertIn("your consent could not be saved, so the run can't know it: ", done.err)
        self.finish()

    def test_the_run_refuses_what_it_has_no_consent_for(self) -> None:
        other = self.workspace.beside("state")
        env = {"XDG_STATE_HOME": other}
        done = self.workspace.main("reload", "--yes", env=env)
        self.assertEqual(done.code, 1)
        self.assertIn("something new in the list needs your consent", done.err)
        done = self.workspace.main("reload", "--yes", "--json", env=env)
        self.assertEqual((done.code, json.loads(done.out)["reply"]["done"]), (1, False))
        self.finish()

    def test_a_run_whose_list_is_unknown_keeps_it(self) -> None:
        os.unlink(os.path.join(self.workspace.state_folder, FILE))
        done = self.workspace.main("reload", "--dry-run")
        self.assertEqual(done.code, 2)
        self.assertIn(f"the list that the run of pid {self.running.pid} follows", done.err)
        self.assertNotIn(ControlAction.RELOAD.value, str(self.workspace.events("steered")))
        self.finish()
