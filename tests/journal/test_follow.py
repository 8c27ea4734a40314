"""A journal is followed while another process appends to it, cuts it or replaces it."""

from __future__ import annotations

import os

from core.journal.follow import Follower
from core.model import events
from core.model.errors import UserError
from core.model.events import Event
from tests.support.faulty import nth_call
from tests.support.in_a_folder import InAFolder, note


def started(run: str) -> Event:
    return events.run_started(
        1_700_000_000.0,
        run,
        pid=1,
        base_branch="main",
        base_commit="c" * 40,
        features=["a"],
        max_parallel=1,
    )


class Following(InAFolder):
    def setUp(self) -> None:
        super().setUp()
        self.follower = Follower(self.journal.path)

    def test_each_call_gives_the_events_since_the_last_one(self) -> None:
        self.assertEqual(self.follower.catch_up(), [])
        self.written(note(1), note(2))
        self.assertEqual(self.follower.catch_up(), [note(1), note(2)])
        self.assertEqual(self.follower.catch_up(), [])
        self.written(note(3))
        self.assertEqual(list(self.follower.new_events()), [note(3)])
        self.assertEqual(self.follower.restarts, 0)

    def test_the_state_is_that_after_each_event(self) -> None:
        self.written(started("r1"), started("r2"))
        runs = []
        for _ in self.follower.new_events():
            assert self.follower.state.run is not None
            runs.append(self.follower.state.run.id)
        self.assertEqual(runs, ["r1", "r2"])

    def test_events_that_were_not_taken_come_with_the_next_call(self) -> None:
        self.written(note(1), note(2))
        next(self.follower.new_events())
        self.assertEqual(list(self.follower.new_events()), [note(2)])

    def test_a_position_is_known_again_by_another_follower_and_in_this_journal_only(self) -> None:
        self.written(note(1))
        self.follower.catch_up()
        first = self.follower.position
        self.written(note(2))
        other = Follower(self.journal.path)
        self.assertIsNone(other.offset_of(first))  # It is not there yet.
        other.catch_up()
        self.assertEqual(other.offset_of(first), self.follower.offset)
        self.assertEqual(other.offset_of(other.position), os.path.getsize(self.journal.path))
        self.assertEqual(other.offset_of(Follower("nowhere").position), 0)
        for wrong in ("", "-", "1-", "x", "\u0663-0", first + "0", "9" * 5000, "-1-00000000"):
            self.assertIsNone(other.offset_of(wrong), wrong)
        os.unlink(self.journal.path)
        self.written(note(3), note(4))
        other.catch_up()
        self.assertIsNone(other.offset_of(first))

    def test_an_unchanged_file_is_not_opened(self) -> None:
        self.written(note(1))
        self.follower.catch_up()
        with nth_call("open", 0) as calls:
            self.assertEqual(self.follower.catch_up(), [])
        self.assertEqual(calls, [0])

    def test_an_incomplete_line_is_read_once_it_is_whole(self) -> None:
        whole = self.written(note(1), note(2))
        self.put(whole[:-5])
        self.assertEqual(self.follower.catch_up(), [note(1)])
        with open(self.journal.path, "ab") as file:
            file.write(whole[-5:])
        self.assertEqual(self.follower.catch_up(), [note(2)])

    def test_a_torn_line_that_is_cut_off_starts_nothing_over(self) -> None:
        whole = self.written(note(1), note(2))
        self.put(whole[:-5])
        self.follower.catch_up()
        self.written(note(3))
        self.assertEqual(self.follower.catch_up(), [note(3)])
        self.assertEqual(self.follower.restarts, 0)


class StartingOver(InAFolder):
    def setUp(self) -> None:
        super().setUp()
        self.whole = self.written(started("r1"), note(1), note(2))
        self.follower = Follower(self.journal.path)
        self.follower.catch_up()

    def assertStartedOver(self, *story: Event) -> None:
        self.assertEqual(self.follower.catch_up(), list(story))
        self.assertEqual(self.follower.restarts, 1)
        self.assertIsNone(self.follower.state.run)

    def test_a_shorter_file_is_read_from_its_start(self) -> None:
        self.put(self.whole.splitlines(keepends=True)[1])
        self.assertStartedOver(note(1))

    def test_a_file_that_was_rewritten_is_read_from_its_start(self) -> None:
        os.truncate(self.journal.path, 0)
        story = [note(number) for number in range(5, 15)]
        self.assertGreater(len(self.written(*story)), len(self.whole))
        self.assertStartedOver(*story)

    def test_another_file_of_that_name_is_read_from_its_start(self) -> None:
        os.rename(self.journal.path, self.journal.path + ".old")
        self.written(note(9))
        self.assertStartedOver(note(9))

    def test_a_deleted_file_has_no_events_until_there_is_one_again(self) -> None:
        os.unlink(self.journal.path)
        self.assertStartedOver()
        self.assertStartedOver()
        self.written(note(9))
        self.assertStartedOver(note(9))

    def test_a_file_that_can_no_longer_be_compared_is_read_from_its_start(self) -> None:
        self.written(note(3))
        with nth_call("open", 1):
            self.assertEqual(len(self.follower.catch_up()), 4)
        self.assertEqual(self.follower.restarts, 1)

    def test_a_file_that_can_not_be_read_is_an_error(self) -> None:
        os.rename(self.folder, self.folder + ".old")
        with open(self.folder, "w"):
            pass
        with self.assertRaisesRegex(UserError, "can't be read: Not a directory"):
            self.follower.catch_up()

    def test_a_damaged_line_is_an_error_until_it_is_repaired(self) -> None:
        with open(self.journal.path, "ab") as file:
            file.write(b"damage\n")
        for _ in range(2):
            with self.assertRaisesRegex(UserError, r"journal.jsonl:4 is damaged"):
                self.follower.catch_up()
        self.put(self.whole)
        self.assertEqual(len(self.follower.catch_up()), 3)
