"""`core.pause`: everybody waits for a usage limit, one tries, the others follow."""

from __future__ import annotations

import asyncio
import time
import unittest
from collections.abc import Awaitable, Callable

from core.runner.slots import Slots
from core.runner.usage_limit import UsageLimitGate


class Stage:
    """A pause under a clock that the test moves."""

    def __init__(self, max_wait_seconds: float = 1000.0) -> None:
        self.now = 0.0
        self.slots = Slots(4)
        self.stop = asyncio.Event()
        self.told: list[float] = []
        self.pause = UsageLimitGate(
            self.slots,
            self.stop,
            lambda: self.now,
            self.told.append,
            grace_seconds=10.0,
            max_wait_seconds=max_wait_seconds,
        )

    def wait(self, resets_at: float | None) -> asyncio.Task[str]:
        """Meet a limit, and wait."""
        self.pause.begin(resets_at)
        return asyncio.ensure_future(self.pause.wait())

    async def move(self, now: float) -> None:
        """Let the clock jump, as on a machine that slept, and everybody look at it."""
        self.now = now
        self.pause._changed.set()
        await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class PauseTest(unittest.TestCase):
    def play(self, scene: Callable[[], Awaitable[None]]) -> None:
        async def limited() -> None:
            await asyncio.wait_for(scene(), 20)

        asyncio.run(limited())

    def test_a_hold_lets_nobody_start_before_the_reset_and_one_try_after_it(self) -> None:
        async def scene() -> None:
            stage = Stage()
            self.assertFalse(stage.pause.hold(None))
            self.assertFalse(stage.pause.hold(0.0))
            self.assertTrue(stage.pause.hold(100.0))
            self.assertFalse(stage.pause.hold(200.0), "it waits already")
            waits = [asyncio.ensure_future(stage.pause.wait()) for _ in range(2)]
            await settle()
            self.assertEqual((stage.slots.free, stage.told), (4, [110.0]))
            await stage.move(111.0)
            self.assertEqual([wait.done() for wait in waits].count(True), 1)
            stage.pause.lift()
            await settle()
            self.assertEqual([wait.result() for wait in waits], ["", ""])
            self.assertEqual(stage.told, [110.0, 0.0])

        self.play(scene)

    def test_one_feature_tries_after_the_reset_and_the_others_follow_its_first_answer(self) -> None:
        async def scene() -> None:
            stage = Stage()
            waits = [stage.wait(100.0) for _ in range(3)]
            await settle()
            self.assertEqual((stage.slots.free, stage.told), (0, [110.0]))
            await stage.move(109.0)
            self.assertFalse(any(wait.done() for wait in waits))
            await stage.move(110.0)
            self.assertEqual([wait.done() for wait in waits].count(True), 1)
            self.assertEqual(stage.slots.free, 0)
            stage.pause.lift()
            self.assertEqual(await asyncio.gather(*waits), ["", "", ""])
            self.assertEqual((stage.slots.free, stage.told), (4, [110.0, 0.0]))

        self.play(scene)

    def test_a_try_that_meets_the_limit_again_waits_again_and_so_do_the_others(self) -> None:
        async def scene() -> None:
            stage = Stage()
            first, other = stage.wait(100.0), stage.wait(100.0)
            await settle()
            await stage.move(110.0)
            self.assertTrue(first.done())
            again = stage.wait(500.0)
            await settle()
            self.assertEqual(stage.told, [110.0, 510.0])
            await stage.move(509.0)
            self.assertFalse(other.done() or again.done())
            await stage.move(510.0)
            stage.pause.lift()
            self.assertEqual((await other, await again), ("", ""))

        self.play(scene)

    def test_the_latest_of_several_resets_counts(self) -> None:
        async def scene() -> None:
            stage = Stage()
            waits = [stage.wait(at) for at in (100.0, 300.0, 200.0)]
            await settle()
            self.assertEqual((stage.pause.until, stage.told), (310.0, [110.0, 310.0]))
            for wait in waits:
                wait.cancel()

        self.play(scene)

    def test_each_wait_without_a_known_reset_is_twice_the_last(self) -> None:
        async def scene() -> None:
            stage = Stage(max_wait_seconds=1e9)
            for expected in (70.0, 200.0, 450.0):
                wait = stage.wait(None)
                await settle()
                self.assertEqual(stage.pause.until, expected)
                await stage.move(expected)
                self.assertEqual(await wait, "")

        self.play(scene)

    def test_a_reset_beyond_the_longest_wait_is_not_waited_for(self) -> None:
        async def scene() -> None:
            stage = Stage(max_wait_seconds=50.0)
            self.assertIn("--max-wait", await stage.wait(1000.0))
            self.assertIn("--max-wait", stage.slots.closed)

        self.play(scene)

    def test_a_reset_after_the_end_of_the_run_is_not_waited_for(self) -> None:
        async def scene() -> None:
            stage = Stage()
            stage.pause.deadline = time.monotonic() + 60
            self.assertIn("--max-time", await stage.wait(100.0))
            self.assertIn("--max-time", stage.slots.closed)

        self.play(scene)

    def test_a_reset_that_is_over_tells_nothing_and_nobody_is_asked_again_and_again(self) -> None:
        async def scene() -> None:
            stage = Stage(max_wait_seconds=1e9)
            for now, expected in ((5000.0, 5070.0), (5070.0, 5200.0)):
                await stage.move(now)
                wait = stage.wait(4000.0)
                await settle()
                self.assertEqual((stage.pause.until, wait.done()), (expected, False))
                await stage.move(expected)
                self.assertEqual(await wait, "")

        self.play(scene)

    def test_features_that_did_not_hit_the_usage_limit_wait_before_they_begin(self) -> None:
        async def scene() -> None:
            stage = Stage()
            self.assertEqual(await stage.pause.wait(), "")
            first, later = stage.wait(100.0), asyncio.ensure_future(stage.pause.wait())
            await stage.move(110.0)
            self.assertEqual((first.done(), later.done()), (True, False))
            stage.pause.lift()
            self.assertEqual(await later, "")

        self.play(scene)

    def test_a_stop_ends_the_wait(self) -> None:
        async def scene() -> None:
            stage = Stage()
            wait = stage.wait(100.0)
            await settle()
            stage.stop.set()
            self.assertEqual(await wait, "interrupted")

        self.play(scene)

    def test_the_last_one_that_is_stopped_alone_lets_the_others_start_and_try(self) -> None:
        async def scene() -> None:
            stage = Stage()
            own = [asyncio.Event(), asyncio.Event()]
            stage.pause.begin(100.0)
            waits = [asyncio.ensure_future(stage.pause.wait(stop)) for stop in own]
            await settle()
            own[0].set()
            self.assertEqual(await waits[0], "interrupted")
            self.assertEqual((stage.slots.free, waits[1].done()), (0, False))
            own[1].set()
            self.assertEqual(await waits[1], "interrupted")
            self.assertEqual((stage.slots.free, stage.told), (4, [110.0, 0.0]))

        self.play(scene)

    def test_an_answer_while_nobody_tries_lifts_nothing(self) -> None:
        async def scene() -> None:
            stage = Stage()
            wait = stage.wait(100.0)
            await settle()
            stage.pause.lift()
            await settle()
            self.assertEqual((stage.told, wait.done()), ([110.0], False))
            wait.cancel()

        self.play(scene)


if __name__ == "__main__":
    unittest.main()
