"""The courier: three tries, one fault a receiver, and an end that comes soon."""

from __future__ import annotations

import os
import pickle
import tempfile
import threading
import time
import unittest
from typing import Any
from unittest import mock

from core.model.feature import Command, Occasion, Receiver, ReceiverType
from core.views import courier
from core.views.courier import Carrier, End, Last, Setup
from core.views.notice import Notice
from tests.support.endpoints import Endpoints
from tests.support.once import skip_if_run_elsewhere

setUpModule = skip_if_run_elsewhere

ON = (Occasion.FINISHED,)

SOON_SECONDS = 8.0
"""Less than one try takes that has its whole time."""


def notice(id: str, *occasions: Occasion) -> Notice:
    return Notice(id, occasions or ON, 1.0, "Shop: 1 of 1 feature completed")


class CourierTest(unittest.TestCase):
    endpoints: Endpoints

    @classmethod
    def setUpClass(cls) -> None:
        cls.endpoints = Endpoints()
        cls.addClassCleanup(cls.endpoints.close)

    def setUp(self) -> None:
        self.endpoints.got.clear()
        names = ("ok", "later", "500", "gone", "hang", "429")
        given = {name.upper(): self.endpoints.url(f"/{name}") for name in names}
        patched = mock.patch.dict(os.environ, given)
        patched.start()
        self.addCleanup(patched.stop)

    def carry(self, *values: object, rest: bytes = b"") -> list[str]:
        """Run a courier in this process on these values; what it reports."""
        (reading, given), (told, report) = os.pipe(), os.pipe()
        os.write(given, b"".join(map(pickle.dumps, values)) + rest)
        os.close(given)
        courier.main(reading, report, (0.0, 0.0))
        os.close(reading)
        os.close(report)
        with open(told, encoding="utf-8") as file:
            return sorted(file.read().splitlines())

    def ids(self, path: str) -> list[str]:
        return [body["id"] for body in self.endpoints.bodies(path)]

    def test_each_receiver_gets_what_it_wants(self) -> None:
        receivers = {
            0: Receiver(ReceiverType.WEBHOOK, "OK", on=(Occasion.FINISHED,)),
            1: Receiver(ReceiverType.WEBHOOK, "LATER", on=(Occasion.LIMIT,)),
        }
        first, second = notice("1"), notice("2", Occasion.LIMIT, Occasion.BUDGET)
        told = self.carry(Setup(receivers, "/"), first, second, Last(notice("x")), End())
        self.assertEqual(told, [])
        self.assertEqual(self.ids("/ok"), ["1"])
        self.assertEqual(self.ids("/later"), ["2", "2", "2"], "three tries")

    def test_a_fault_is_told_once_and_then_there_is_one_try_each(self) -> None:
        receivers = {
            3: Receiver(ReceiverType.WEBHOOK, "500", on=ON),
            5: Receiver(ReceiverType.WEBHOOK, "GONE", on=ON),
        }
        told = self.carry(Setup(receivers, "/"), notice("1"), notice("2"), End())
        self.assertEqual(told, ["3 HTTP 500", "5 HTTP 404 no such hook"])
        self.assertEqual(self.ids("/500"), ["1", "1", "1", "2"])
        self.assertEqual(self.ids("/gone"), ["1", "2"])

    def test_a_command_gets_three_tries_as_well(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            count = ("sh", "-c", "echo >>tries; test $(wc -l <tries) -eq 3")
            receivers = {
                0: Receiver(ReceiverType.COMMAND, command=Command(count, "count"), on=ON),
                1: Receiver(ReceiverType.COMMAND, command=Command(("no-such",), "no-such"), on=ON),
            }
            told = self.carry(Setup(receivers, folder), notice("1"), End())
        self.assertEqual([line[:30] for line in told], ["1 no-such ended with exit 127:"])

    def test_a_killed_run_has_its_last_words_delivered(self) -> None:
        receiver = {0: Receiver(ReceiverType.WEBHOOK, "OK", on=ON)}
        torn = pickle.dumps(notice("torn"))[:20]
        self.carry(Setup(receiver, "/"), Last(notice("killed")), rest=torn)
        self.assertEqual(self.ids("/ok"), ["killed"])

    def test_without_a_run_nothing_is_delivered(self) -> None:
        self.assertEqual(self.carry(), [])

    def test_the_end_comes_soon_if_an_endpoint_hangs_or_asks_for_time(self) -> None:
        receivers = {
            0: Receiver(ReceiverType.WEBHOOK, "HANG", on=ON),
            1: Receiver(ReceiverType.WEBHOOK, "429", on=ON),
        }
        begun = time.monotonic()
        told = self.carry(Setup(receivers, "/"), notice("1"), notice("2"), End(3.0))
        self.assertLess(time.monotonic() - begun, SOON_SECONDS)
        self.assertEqual(told, ["0 no answer in time", "1 HTTP 429"])

    def test_an_endpoint_that_hangs_at_the_end_is_told(self) -> None:
        (reading, given), (told, report) = os.pipe(), os.pipe()
        receiver = {0: Receiver(ReceiverType.WEBHOOK, "HANG", on=ON)}
        os.write(given, pickle.dumps(Setup(receiver, "/")) + pickle.dumps(notice("1")))
        made: list[Carrier] = []

        def carrier(*words: Any) -> Carrier:
            made.append(Carrier(*words))
            return made[-1]

        running = threading.Thread(target=courier.main, args=(reading, report, (0.0, 0.0)))
        with mock.patch.multiple(courier, TIMEOUT_SECONDS=1.0, Carrier=carrier):
            running.start()
            self.endpoints.wait_for(1, "/hang")
            os.write(given, pickle.dumps(End(0.0)))
            os.close(given)
            running.join()
            self.assertEqual(os.read(told, 100), b"0 no answer in time\n")
            made[0].thread.join()  # it writes to the pipe that is closed below
        for descriptor in (reading, report, told):
            os.close(descriptor)

    def test_nothing_is_tried_when_the_time_is_over(self) -> None:
        told_to, report = os.pipe()
        receiver = Receiver(ReceiverType.WEBHOOK, "OK", on=ON)
        carrier = Carrier(receiver, 0, "/", report, (0.0, 0.0))
        carrier.deadline = -1.0
        carrier.take(notice("1"))
        carrier.end(-1.0)
        carrier.thread.join()
        self.assertIn(b"there was no time left", os.read(told_to, 100))
        os.close(report)
        os.close(told_to)

    def test_a_server_that_recovers_gets_it_while_the_run_goes_on(self) -> None:
        told, report = os.pipe()
        receiver = Receiver(ReceiverType.WEBHOOK, "LATER", on=ON)
        carrier = Carrier(receiver, 0, "/", report, (0.0, 0.0))
        carrier.take(notice("1"))
        self.endpoints.wait_for(3, "/later")
        carrier.end(float("inf"))
        carrier.thread.join()
        os.close(report)
        self.assertEqual(os.read(told, 100), b"")
        os.close(told)

    def test_more_than_a_hundred_that_wait_are_dropped_and_counted(self) -> None:
        receiver = Receiver(ReceiverType.COMMAND, command=Command(("true",), "true"), on=ON)
        told, report = os.pipe()
        with mock.patch.object(courier, "WAITING", 0):
            carrier = Carrier(receiver, 0, "/", report)
            carrier.take(notice("1"))
        carrier.end(float("inf"))
        carrier.thread.join()
        os.close(report)
        with open(told, encoding="utf-8") as file:
            expected = "0 1 notification too many at once, dropped\n"
            self.assertEqual(file.read(), expected)

    def test_a_run_that_no_longer_listens_is_no_fault(self) -> None:
        told, report = os.pipe()
        os.close(told)
        courier.tell(report, 0, "nobody hears it")
        os.close(report)


if __name__ == "__main__":
    unittest.main()
