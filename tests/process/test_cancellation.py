"""Cancellation of a run, or of one feature."""

from __future__ import annotations

import asyncio
import unittest

from core.process.cancellation import Cancellation


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

    def test_a_thread_may_ask_also_for_a_feature_of_which_nobody_spoke(self) -> None:
        async def scene() -> None:
            stop, loop = Cancellation(), asyncio.get_running_loop()
            stop.of("one").set()
            asked = ("one", "other")
            found = [await loop.run_in_executor(None, stop.is_for, each) for each in asked]
            stop.set()
            found.append(stop.is_for("other"))
            self.assertEqual(found, [True, False, True])

        asyncio.run(scene())
