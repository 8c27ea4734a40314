"""The view that notifies: it hands everything to a courier and waits for it at the end only."""

from __future__ import annotations

import os
import time
import unittest
from unittest import mock

from core.model import events
from core.model.feature import Occasion, Receiver, ReceiverType
from core.model.fold import fold
from core.model.mask import Mask
from core.reporter.documents import RunReport
from core.views import notify
from core.views.notice import Notices
from core.views.notify import Notifier
from tests.support.commands import wait_until
from tests.support.endpoints import Endpoints
from tests.support.lives import RUN
from tests.support.notices import started

STATE = fold([started("auth"), events.run_ended(9.0, RUN, exit_code=1)])


class NotifierTest(unittest.TestCase):
    endpoints: Endpoints

    @classmethod
    def setUpClass(cls) -> None:
        cls.endpoints = Endpoints()
        cls.addClassCleanup(cls.endpoints.close)

    def setUp(self) -> None:
        self.endpoints.got.clear()
        self.said: list[str] = []

    def notifier(self, *receivers: Receiver) -> Notifier:
        given = {name: self.endpoints.url(f"/{name.lower()}") for name in ("OK", "HANG", "GONE")}
        environ = {**os.environ, **given}
        notices = Notices("Shop", Mask({}))
        made = Notifier(receivers, notices, self.said.append, "/", environ)
        made.at_start()
        return made

    def end(self, made: Notifier) -> None:
        assert STATE.run is not None
        made.at_end(RunReport(STATE, STATE.run, "Shop", (), (), ()))

    def test_a_run_is_told_from_its_start_to_its_end(self) -> None:
        made = self.notifier(Receiver(ReceiverType.WEBHOOK, "OK", on=tuple(Occasion)))
        made.on_event(STATE, started("auth"))
        self.assertEqual(self.endpoints.wait_for(1)[0]["event"], "started")
        self.end(made)
        self.assertEqual([b["event"] for b in self.endpoints.bodies()], ["started", "failed"])
        self.assertEqual(self.said, [])
        made.on_tick()  # the progress line may tick once more

    def test_a_receiver_that_cannot_work_is_said_at_the_start(self) -> None:
        made = self.notifier(Receiver(ReceiverType.SLACK, "NO_SUCH_VARIABLE"))
        made.on_event(STATE, started("auth"))
        self.end(made)
        self.assertEqual(
            self.said,
            [
                "Notifications to notify[0] (slack) fail: the environment variable "
                "NO_SUCH_VARIABLE is not set. The run continues."
            ],
        )

    def test_a_fault_is_said_while_the_run_goes_on(self) -> None:
        made = self.notifier(Receiver(ReceiverType.DISCORD, "GONE", on=(Occasion.STARTED,)))
        made.on_event(STATE, started("auth"))

        def is_said() -> bool:
            made.on_tick()
            return bool(self.said)

        wait_until(is_said, "the fault is said")
        self.assertIn("notify[0] (discord) fail: HTTP 404 no such hook", self.said[0])
        self.end(made)

    def test_a_killed_run_is_told_by_its_courier(self) -> None:
        made = self.notifier(Receiver(ReceiverType.WEBHOOK, "OK", on=(Occasion.FAILED,)))
        made.on_event(STATE, started("auth"))
        made._close_given()  # as the kernel does
        self.assertEqual(self.endpoints.wait_for(1)[0]["title"], "Shop: run killed")
        wait_until(lambda: not made.on_tick() and made._report < 0, "the courier has ended")

    def test_a_dead_endpoint_holds_the_end_up_for_a_moment_only(self) -> None:
        made = self.notifier(Receiver(ReceiverType.WEBHOOK, "HANG"))
        begun = time.monotonic()
        with mock.patch.multiple(notify, PATIENCE_SECONDS=0.5, SAID_AFTER_SECONDS=0.1):
            self.end(made)
        self.assertLess(time.monotonic() - begun, 6)
        self.assertEqual(self.said, ["Delivering the last notifications ..."])

    def test_a_courier_that_is_gone_turns_notifications_off(self) -> None:
        made = self.notifier(Receiver(ReceiverType.WEBHOOK, "OK", on=tuple(Occasion)))
        os.killpg(made._group, notify.signal.SIGKILL)
        wait_until(lambda: not made.on_tick() and made._report < 0, "the courier has ended")
        made.on_event(STATE, started("auth"))
        made.on_event(STATE, started("auth"))
        self.assertEqual(self.said, ["Notifications are off: their process does not answer"])
        self.end(made)

    def test_a_courier_that_takes_nothing_more_turns_notifications_off(self) -> None:
        made = self.notifier(Receiver(ReceiverType.WEBHOOK, "OK"))
        with mock.patch.object(notify.pickle, "dumps", return_value=b"x" * (1 << 22)):
            made.on_event(STATE, started("auth"))
        self.assertEqual(self.said, ["Notifications are off: their process does not answer"])
        self.end(made)
        wait_until(lambda: not made.on_tick() and made._report < 0, "the courier has ended")


if __name__ == "__main__":
    unittest.main()
