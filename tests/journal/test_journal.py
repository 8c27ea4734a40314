"""The journal survives what may happen to a file, and the lock has one holder, or none."""

from __future__ import annotations

import contextlib
import os
import resource
import stat
import unittest
from collections.abc import Iterator
from itertools import accumulate

from core.journal.journal import Journal
from core.journal.lock import Holder, RunLock
from core.journal.reader import Reader, summed
from core.model import events
from core.model.errors import StateError, UserError
from core.model.events import Event
from core.model.lines import MAX_LINE_BYTES
from tests.support.faulty import fails, nth_call, writes_half
from tests.support.in_a_folder import InAFolder, note
from tests.support.paths import ROOT


def _fixture(name: str) -> bytes:
    """The journal of the same runs, as a version wrote it."""
    path = os.path.join(ROOT, "tests", "fixtures", "journal", name)
    with open(path, "rb") as file:
        return file.read()


class Writing(InAFolder):
    def test_appended_events_are_read_again_by_any_reader(self) -> None:
        story = [note(1), note(2)]
        self.written(*story[:1])
        self.written(*story[1:])
        self.assertEqual(Journal(self.folder).read(), story)

    def test_reading_makes_nothing(self) -> None:
        self.assertEqual(self.journal.read(), [])
        self.assertFalse(os.path.exists(self.folder))

    def test_the_journal_is_readable_by_its_owner_only(self) -> None:
        os.makedirs(self.folder, mode=0o755)
        self.written(note(1))
        self.assertEqual(stat.S_IMODE(os.stat(self.folder).st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(os.stat(self.journal.path).st_mode), 0o600)

    def test_an_event_is_one_line_whatever_it_holds(self) -> None:
        odd = events.note(1.0, "r1", "a\nb\r\u0085\u2028 \ud800 \0")
        content = self.written(odd, note(2))
        self.assertEqual(content.count(b"\n"), 2)
        self.assertEqual(self.journal.read(), [odd, note(2)])

    def test_a_very_long_event_is_read_like_any_other(self) -> None:
        made = [f"file {number}" for number in range(30_000)]
        story = [events.ready(1.0, "r1", "a", made=made), note(2)]
        self.written(*story)
        self.assertEqual(self.journal.read(), story)

    def test_an_error_names_a_state_folder_that_cannot_be_made(self) -> None:
        with open(self.folder, "w"):
            pass
        with self.assertRaises(StateError) as caught:
            self.journal.open()
        self.assertEqual(
            caught.exception.message, f"{self.journal.path} can't be written: File exists"
        )
        self.assertIn("run again", caught.exception.hint)


class Tears(InAFolder):
    def test_every_prefix_of_a_journal_is_read_to_its_last_whole_line_and_repaired(self) -> None:
        story = [note(1), note(2), note(3)]
        whole = self.written(*story)
        for length in range(len(whole) + 1):
            with self.subTest(length=length):
                prefix = whole[:length]
                self.put(prefix)
                kept = story[: prefix.count(b"\n")]
                self.assertEqual(self.journal.read(), kept)
                torn = length - (prefix.rfind(b"\n") + 1)
                said = f"{self.journal.path}: cut off {torn} bytes of an incomplete event"
                self.assertEqual(self.journal.open(), said if torn else "")
                self.journal.append(note(9))
                self.journal.close()
                self.assertEqual(self.journal.read(), [*kept, note(9)])

    def test_a_long_tear_is_cut_off_whole(self) -> None:
        whole = self.written(note(1))
        for tear in (b"x" * 65_536, b"x" * 200_000, b"\0" * 4096):
            for before in (b"", b"\n", whole):
                with self.subTest(tear=len(tear), before=len(before)):
                    self.put(before + tear)
                    self.assertIn(f"cut off {len(tear)} bytes", self.journal.open())
                    self.journal.close()
                    self.assertEqual(self.content(), before)


class Damage(InAFolder):
    def test_a_damaged_line_before_the_last_is_named(self) -> None:
        whole = self.written(note(1), note(2), note(3))
        first, second, third = whole.splitlines(keepends=True)
        cases = [
            (first + second[:-9] + b"\n" + third, 2, ""),
            (first + second[:30] + third, 2, ""),
            (b"\n" + whole, 1, ""),
            (first + second + b"[1]\n", 3, "not a JSON object"),
            (first + b'{"v": 7}\n' + third, 2, "format version 7; this program reads version 1"),
            (first + b"\xff\xfe\n" + third, 2, ""),
            (first + b"[" * 100_000 + b"\n", 2, "maximum recursion depth exceeded"),
            (first + b" " * MAX_LINE_BYTES + second, 2, "longer than 64 MiB"),
        ]
        for content, line, reason in cases:
            with self.subTest(content=content[:60]):
                self.put(content)
                with self.assertRaises(UserError) as caught:
                    self.journal.read()
                said = f"{self.journal.path}:{line} is damaged: {reason}"
                self.assertTrue(caught.exception.message.startswith(said))
                self.assertIn("delete this line", caught.exception.hint)

    def test_an_intact_line_that_this_version_cannot_read_is_of_a_newer_one(self) -> None:
        whole = self.written(note(1))
        for newer in (b'{"v":2,"event":"note","at":"2026-01-02T14:30:15+00:00"}', b'{"v":1}'):
            self.put(whole + summed(newer))
            with self.assertRaises(UserError) as caught:
                self.journal.read()
            said = f"{self.journal.path}:2 was written by a newer version of RoRchestrator: "
            self.assertTrue(caught.exception.message.startswith(said))
            self.assertIn("self-update", caught.exception.hint)

    def test_a_flipped_bit_anywhere_is_noticed(self) -> None:
        """Else "failed" could become another word, or work move to another feature's id."""
        lines = _fixture("summed.jsonl").splitlines(keepends=True)[-4:]
        self.put(b"".join(lines))
        with open(self.journal.path, "r+b", buffering=0) as file:
            for line, place in zip(lines, accumulate(map(len, lines), initial=0)):
                for index in range(len(line) - 1):
                    for bit in range(8):
                        os.pwrite(file.fileno(), bytes([line[index] ^ 1 << bit]), place + index)
                        with self.assertRaises(UserError, msg=(line, index, bit)):
                            self.journal.read()
                    os.pwrite(file.fileno(), line[index : index + 1], place + index)
        self.assertEqual(len(self.journal.read()), len(lines))

    def test_a_line_of_another_ones_halves_is_noticed(self) -> None:
        lines = _fixture("summed.jsonl").splitlines(keepends=True)
        for one, other in zip(lines, lines[1:]):
            for cut in range(1, 11):
                merged = one[: len(one) * cut // 11] + other[len(other) * cut // 11 :]
                if merged not in (one, other):
                    with self.subTest(merged=merged), self.assertRaises(UserError):
                        self.events_of(merged)

    def test_the_journal_of_an_earlier_version_is_read_and_continued(self) -> None:
        earlier = _fixture("v1.0.0.jsonl")
        story = self.events_of(earlier)
        self.assertEqual(len(story), earlier.count(b"\n"))
        self.assertEqual(story, self.events_of(_fixture("summed.jsonl")))
        self.put(earlier)
        self.written(note(1))
        self.assertEqual(self.journal.read(), [*story, note(1)])

    def test_half_a_checksum_does_not_pass_for_none(self) -> None:
        line = self.written(note(1))
        for old, new in ((b'"sum"', b'"sun"'), (b'"sum":"', b'"sum":"g')):
            with self.assertRaisesRegex(UserError, "the checksum does not match"):
                self.events_of(line.replace(old, new))

    def events_of(self, content: bytes) -> list[Event]:
        self.put(content)
        return self.journal.read()

    def test_a_journal_that_cannot_be_read_is_no_empty_one(self) -> None:
        os.makedirs(self.journal.path)
        with self.assertRaises(UserError) as caught:
            self.journal.read()
        message = f"{self.journal.path} can't be read: it is not a regular file"
        self.assertEqual(caught.exception.message, message)


class Following(InAFolder):
    def test_each_call_gives_what_is_new(self) -> None:
        reader = Reader(self.journal.path)
        self.assertEqual(list(reader.new_events()), [])
        self.written(note(1), note(2))
        self.assertEqual(list(reader.new_events()), [note(1), note(2)])
        self.assertEqual(list(reader.new_events()), [])
        self.written(note(3))
        self.assertEqual(list(reader.new_events()), [note(3)])

    def test_a_line_that_is_being_written_is_read_once_it_is_whole(self) -> None:
        line = self.written(note(1))
        reader = Reader(self.journal.path)
        for length in range(len(line)):
            self.put(line[:length])
            self.assertEqual(list(reader.new_events()), [])
        self.put(line)
        self.assertEqual(list(reader.new_events()), [note(1)])

    def test_a_tear_that_was_cut_off_meanwhile_does_not_matter(self) -> None:
        first = self.written(note(1))
        reader = Reader(self.journal.path)
        self.put(first + first[:20])
        self.assertEqual(list(reader.new_events()), [note(1)])
        self.written(note(2))
        self.assertEqual(list(reader.new_events()), [note(2)])

    def test_a_reader_continues_where_it_stopped(self) -> None:
        self.written(note(1), note(2), note(3))
        reader = Reader(self.journal.path)
        self.assertEqual(next(reader.new_events()), note(1))
        self.assertEqual(list(reader.new_events()), [note(2), note(3)])

    def test_damage_is_named_again_by_the_next_call(self) -> None:
        self.put(self.written(note(1)) + b"{}\n")
        reader = Reader(self.journal.path)
        for expected in ([note(1)], []):
            found = []
            with self.assertRaises(UserError) as caught:
                for event in reader.new_events():
                    found.append(event)
            self.assertIn(f"{self.journal.path}:2 is damaged", caught.exception.message)
            self.assertEqual(found, expected)


@contextlib.contextmanager
def _room(bytes_: int, path: str) -> Iterator[None]:
    """Let a file grow by so much and no more: as on a full disk, a short write, then an error."""
    size = os.path.getsize(path) if os.path.exists(path) else 0
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + bytes_, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class FullDisk(InAFolder):
    def test_the_journal_stays_as_it_was_and_later_appends_work(self) -> None:
        before = self.written(note(1))
        for room in (0, 1, 40):
            with self.subTest(room=room):
                self.journal.open()
                with _room(room, self.journal.path), self.assertRaises(StateError) as caught:
                    self.journal.append(note(2))
                self.journal.close()
                self.assertIn(f"{self.journal.path} can't be written: ", caught.exception.message)
                self.assertEqual(self.content(), before)
        self.written(note(3))
        self.assertEqual(self.journal.read(), [note(1), note(3)])

    def test_a_lock_whose_holder_cannot_be_written_is_not_held(self) -> None:
        lock = RunLock(self.folder)
        with _room(0, lock.path), self.assertRaises(StateError):
            lock.acquire(Holder(1, "now", "run"))
        self.assertIsNone(lock.holder())
        lock.acquire(Holder(2, "now", "run"))
        lock.release()

    def test_a_write_to_a_deleted_journal_fails(self) -> None:
        journal = Journal(self.folder)
        journal.open()
        os.unlink(journal.path)
        with self.assertRaisesRegex(StateError, "can't be written: it was deleted"):
            journal.append(events.note(1.0, "run", "hello"))
        journal.close()

    def test_a_closed_or_read_only_file_is_reported_too(self) -> None:
        self.written(note(1))
        for flags in (None, os.O_RDONLY):
            with self.subTest(flags=flags):
                self.journal.open()
                inner = self.journal._file
                if flags is None:
                    os.close(inner)
                else:
                    other = os.open(self.journal.path, flags)
                    os.dup2(other, inner)
                    os.close(other)
                with self.assertRaises(StateError):
                    self.journal.append(note(2))
                self.assertEqual(self.journal.read(), [note(1)])
                if flags is not None:
                    self.journal.close()


class FaultyDisk(InAFolder):
    """Whichever call fails: what was acknowledged is there, and nothing else."""

    STORY = (note(1), note(2, 5000), note(3), note(4))

    def acknowledged(self) -> list[Event]:
        """Append the story; what of it was taken for written."""
        done = []
        for event in self.STORY:
            with contextlib.suppress(StateError):
                done.append(self.journal.append(event))
        return done

    def test_the_journal_holds_all_acknowledged_events_whichever_write_or_fsync_fails(self) -> None:
        for name, instead in (("write", fails), ("write", writes_half), ("fsync", fails)):
            for nth in range(1, len(self.STORY) + 1):
                with self.subTest(name=name, instead=instead.__name__, nth=nth):
                    self.put(b"")
                    self.journal.open()
                    with nth_call(name, nth, instead) as calls:
                        done = self.acknowledged()
                    self.journal.close()
                    self.assertEqual(calls, [len(self.STORY)])
                    expected = [event for n, event in enumerate(self.STORY, 1) if n != nth]
                    self.assertEqual(done, expected)
                    self.assertEqual(self.journal.read(), expected)
                    self.assertEqual(self.content().count(b"\n"), len(expected))

    def test_a_torn_line_that_cannot_be_undone_is_cut_off_by_the_next_start(self) -> None:
        self.written(*self.STORY[:2])
        self.journal.open()
        stuck = nth_call("ftruncate", 1)
        with nth_call("write", 1, writes_half), stuck, self.assertRaises(StateError):
            self.journal.append(self.STORY[2])
        self.journal.close()
        self.assertEqual(self.journal.read(), list(self.STORY[:2]))
        self.assertIn("cut off", self.journal.open())
        self.journal.append(self.STORY[3])
        self.journal.close()
        self.assertEqual(self.journal.read(), [*self.STORY[:2], self.STORY[3]])

    def test_a_tear_that_cannot_be_cut_off_starts_no_run(self) -> None:
        torn = self.written(*self.STORY) + b"x"
        self.put(torn)
        with nth_call("ftruncate", 1), self.assertRaises(StateError):
            self.journal.open()
        self.assertEqual(self.content(), torn)


if __name__ == "__main__":
    unittest.main()
