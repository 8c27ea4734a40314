"""The end of an attempt: what is kept, what is told, and that nothing else is pushed."""

from __future__ import annotations

from core.engines.hand_in import HandIn
from core.model.errors import UserError
from tests.support.elsewhere import MachineTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class HandInTest(MachineTest):
    def test_work_that_a_commit_can_not_contain_is_named_and_the_rest_is_pushed(self) -> None:
        steps = ("git init -q nested", "cd nested", "echo 1 > a", "git add a", "git commit -qm x")
        space = self.use()
        space.features(
            feature(
                "auth",
                {"bash": "echo 1 > auth.md; git add auth.md; git commit -qm auth"},
                {"bash": " && ".join(steps)},
                {"fail": "no"},
            ),
            feature("api", {"bash": " && ".join(steps)}, {"fail": "no"}),
        )
        space.publish()
        for id in ("auth", "api"):
            done = space.run_there(id)
            self.assert_code(done, 1)
            self.assertIn("contains work that a commit cannot contain: nested/", done.err)
        self.assertEqual(space.file_there("feature/auth", "auth.md"), "1")
        self.assertEqual(space.tip_there("api"), "")
        self.assertIn("there was no work to keep", done.err)

    def test_a_run_that_could_not_begin_is_reported_with_its_reason(self) -> None:
        space = self.use(feature("auth"))
        machine = self.machine()
        machine.open()
        machine.begin()
        hand_in = HandIn(machine)
        ended = hand_in.ended(UserError("claude was not found"))
        self.assertTrue(hand_in.push(ended).is_done)
        report = space.pushed_report("auth")
        self.assertEqual(report["status"], "failed")
        self.assertEqual((report["reason"], report["commit"]), ("claude was not found", None))
