"""The end of an attempt: what is kept, what is told, and that nothing else is pushed."""

from __future__ import annotations

from core.engines.hand_in import HandIn
from core.model.errors import UserError
from tests.support.elsewhere import MachineTest
from tests.support.once import skip_if_run_elsewhere
from tests.support.workspace import feature

setUpModule = skip_if_run_elsewhere


class HandInTest(MachineTest):
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
