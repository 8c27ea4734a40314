"""Cancellation of a run, or of one feature."""

from __future__ import annotations

import asyncio
import unittest

from core.process.cancellation import Cancellation, first_of


class StopTest(unittest.TestCase):
    def test_one_feature_ends_alone_and_all_end_with_the_run(self) -> None:
        async def scene() -> None:
            stop = Cancellation()
            one, other = stop.of("one"), stop.of("other")
            stop.of("one").set()
            self.assertEqual((one.is_set(), other.is_set(), stop.is_set()), (True, False, False))
            stop.forget("one")
            self.assertFalse(stop.of("one").is_set())
            stop.set()
            late = stop.of("late")
            self.assertTrue(other.is_set() and stop.of("one").is_set() and late.is_set())

        asyncio.run(scene())

    def test_a_thread_may_ask_for_a_feature_that_was_never_mentioned(self) -> None:
        async def scene() -> None:
            stop, loop = Cancellation(), asyncio.get_running_loop()
            stop.of("one").set()
            asked = ("one", "other")
            found = [await loop.run_in_executor(None, stop.is_for, each) for each in asked]
            stop.set()
            found.append(stop.is_for("other"))
            self.assertEqual(found, [True, False, True])

        asyncio.run(scene())


class FirstOfTest(unittest.IsolatedAsyncioTestCase):
    async def test_one_event_that_is_set_already_is_enough(self) -> None:
        one, other = asyncio.Event(), asyncio.Event()
        other.set()
        self.assertTrue(await first_of(one, other))

    async def test_the_first_event_to_be_set_ends_the_wait(self) -> None:
        one, other = asyncio.Event(), asyncio.Event()
        wait = asyncio.ensure_future(first_of(one, other, timeout_seconds=20))
        await asyncio.sleep(0)
        self.assertFalse(wait.done())
        one.set()
        self.assertTrue(await wait)
        self.assertFalse(other.is_set())

    async def test_without_an_event_the_wait_ends_at_the_timeout(self) -> None:
        for seconds in (0.0, 0.001):
            self.assertFalse(await first_of(asyncio.Event(), timeout_seconds=seconds))

    async def test_no_task_is_left_after_the_wait_ended_or_was_cancelled(self) -> None:
        one = asyncio.Event()
        await first_of(one, timeout_seconds=0.0)
        wait = asyncio.ensure_future(first_of(one))
        await asyncio.sleep(0)
        wait.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await wait
        await asyncio.sleep(0)
        self.assertEqual(asyncio.all_tasks(), {asyncio.current_task()})
