"""How many may work at once."""

from __future__ import annotations

import asyncio
import unittest

from core.runner.slots import Slots


class NarrowTest(unittest.IsolatedAsyncioTestCase):
    async def test_each_answer_that_asks_for_patience_halves_them_down_to_one(self) -> None:
        slots = Slots(10)
        seen = []
        for _ in range(5):
            slots.narrow(slots.narrowed)
            seen.append(slots.open)
        self.assertEqual(seen, [5, 2, 1, 1, 1])

    async def test_answers_to_attempts_that_went_on_side_by_side_count_once(self) -> None:
        slots = Slots(8)
        began = slots.narrowed
        for _ in range(3):
            slots.narrow(began)
        self.assertEqual(slots.open, 4)
        slots.narrow(slots.narrowed)
        self.assertEqual(slots.open, 2)

    async def test_each_success_gives_one_back_but_no_more_than_there_were(self) -> None:
        slots = Slots(4)
        slots.narrow(slots.narrowed)
        seen = []
        for _ in range(3):
            slots.widen()
            seen.append(slots.open)
        self.assertEqual(seen, [3, 4, 4])

    async def test_a_first_attempt_waits_in_its_slot_and_later_ones_do_not(self) -> None:
        slots = Slots(1)
        turn, stop = slots.turn((0.0, 0, 0), is_first=True), asyncio.Event()
        self.assertEqual(await turn.begin(), "")
        slots.hold_back(True)
        waits = asyncio.create_task(turn.until_resumed(stop))
        await asyncio.sleep(0)
        self.assertTrue(turn.held and not waits.done())
        slots.hold_back(False)
        self.assertEqual(await waits, "")
        turn.begin_attempt()
        slots.hold_back(True)
        self.assertEqual(await turn.until_resumed(stop), "")
        self.assertFalse(turn.held)

    async def test_a_feature_narrows_and_widens_the_slots_of_its_run(self) -> None:
        slots = Slots(4)
        turn = slots.turn((0.0, 0, 0))
        turn.narrow(turn.narrowed)
        self.assertEqual((turn.slot_count, turn.narrowed, slots.open), (4, 1, 2))
        turn.widen()
        self.assertEqual((slots.open, turn.closed), (3, ""))
        slots.close("interrupted")
        self.assertEqual(turn.closed, "interrupted")


if __name__ == "__main__":
    unittest.main()
