"""A test in a temporary folder, and an event for its journal."""

from __future__ import annotations

import json
import os
import signal
import threading
from unittest import mock

from core.journal.lock import Holder, RunLock
from core.model.errors import StateError, UserError
from tests.support.in_a_folder import InAFolder

SINCE = "2024-01-01T00:00:00+00:00"


class Starters:
    """Processes that try to take a lock at the same moment, and keep it if they get it."""

    def __init__(self, folder: str, count: int) -> None:
        self._wait, self._go = os.pipe()
        self._hear, self._say = os.pipe()
        self.pids = [self._fork(folder) for _ in range(count)]
        os.close(self._wait)
        os.close(self._say)

    def _fork(self, folder: str) -> int:
        pid = os.fork()
        if pid:
            return pid
        try:
            os.close(self._go)
            os.read(self._wait, 1)  # ends when the parent closes the other end
            os.write(self._say, f"{os.getpid()} {self._try(RunLock(folder))}\n".encode())
            signal.pause()
        finally:
            os._exit(1)

    def _try(self, lock: RunLock) -> str:
        try:
            lock.acquire(Holder(os.getpid(), SINCE, "cleanup"))
        except UserError as error:
            return error.message
        return "won"

    def answers(self) -> dict[int, str]:
        """Let them all start; what each of them met, by pid."""
        os.close(self._go)
        with os.fdopen(self._hear, encoding="utf-8") as file:
            lines = [file.readline() for _ in self.pids]
        return {int(pid): said.strip() for pid, said in (line.split(" ", 1) for line in lines)}

    def end(self) -> None:
        """Kill what is left of them."""
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.pids.clear()


class Locking(InAFolder):
    def test_a_free_lock_can_be_kept_free(self) -> None:
        lock, other = RunLock(self.folder), RunLock(self.folder)
        with lock.kept_free() as is_free:
            self.assertFalse(is_free)  # nobody made it yet
        holder = Holder(os.getpid(), SINCE, "run")
        other.acquire(holder)
        with lock.kept_free() as is_free:
            self.assertFalse(is_free)
        other.release()
        with lock.kept_free() as is_free:
            self.assertTrue(is_free)
            waiting = threading.Thread(target=other.acquire, args=(holder,))
            waiting.start()
            waiting.join(0.05)
            self.assertTrue(waiting.is_alive())
        waiting.join()
        self.assertEqual(lock.holder(), holder)
        other.release()

    def _started(self, count: int) -> Starters:
        starters = Starters(self.folder, count)
        self.addCleanup(starters.end)
        return starters

    def test_one_of_twenty_simultaneous_starts_gets_the_lock(self) -> None:
        answers = self._started(20).answers()
        self.assertEqual(len(answers), 20)
        (winner,) = (pid for pid, said in answers.items() if said == "won")
        refused = "rorchestrator cleanup is running in this repository"
        who = (f"(pid {winner}, since {SINCE})", "(it has just started)")
        for pid, said in answers.items():
            if pid != winner:
                self.assertIn(said.replace(" run ", " cleanup "), [f"{refused} {w}" for w in who])
        lock = RunLock(self.folder)
        self.assertEqual(lock.holder(), Holder(winner, SINCE, "cleanup"))
        with self.assertRaises(UserError) as caught:
            lock.acquire(Holder(1, "now", "run"))
        self.assertEqual(caught.exception.message, f"{refused} {who[0]}")
        self.assertEqual(caught.exception.hint, "wait for it")

    def test_a_lock_dies_with_its_holder(self) -> None:
        starters = self._started(1)
        self.assertEqual(set(starters.answers().values()), {"won"})
        lock = RunLock(self.folder)
        self.assertIsNotNone(lock.holder())
        starters.end()
        self.assertIsNone(lock.holder())
        lock.acquire(Holder(1, "now", "run"))
        lock.release()

    def test_a_reader_of_the_lock_delays_a_start_and_does_not_prevent_it(self) -> None:
        lock = RunLock(self.folder)
        looks = [False, True, True]  # not to be had alone, but beside another one; then alone
        with mock.patch("core.journal.lock._locked", side_effect=looks) as asked:
            lock.acquire(Holder(1, SINCE, "run"))
        lock.release()
        self.assertEqual(asked.call_count, 3)

    def test_reading_the_lock_never_prevents_a_start(self) -> None:
        own = RunLock(self.folder)
        own.acquire(Holder(1, "now", "run"))
        own.release()
        parent = os.getpid()
        looker = os.fork()
        if looker == 0:
            while os.getppid() == parent:
                own.holder()
            os._exit(0)
        try:
            for _ in range(300):
                own.acquire(Holder(1, "now", "run"))
                own.release()
        finally:
            os.kill(looker, signal.SIGKILL)
            os.waitpid(looker, 0)

    def test_a_released_lock_can_be_taken_again(self) -> None:
        lock, other = RunLock(self.folder), RunLock(self.folder)
        self.assertIsNone(lock.holder())
        for number in (1, 22, 3):
            holder = Holder(number, "now", "run")
            lock.acquire(holder)
            self.assertEqual(other.holder(), holder)
            lock.release()
            self.assertIsNone(other.holder())

    def test_a_holder_that_has_not_said_who_it_is_is_no_process_to_kill(self) -> None:
        lock, other = RunLock(self.folder), RunLock(self.folder, introduction_tries=2)
        lock.acquire(Holder(1, "now", "run"))
        cases: list[object] = ["", "nonsense", [], {}, {"pid": "x"}, {"pid": None}]
        for content in cases:
            with open(lock.path, "w", encoding="utf-8") as file:
                file.write(content if isinstance(content, str) else json.dumps(content))
            with self.subTest(content=content):
                with self.assertRaises(UserError) as caught:
                    other.acquire(Holder(2, "now", "run"))
                message = "rorchestrator run is running in this repository (it has just started)"
                self.assertEqual(caught.exception.message, message)
                self.assertEqual(caught.exception.hint, "wait for it")
        lock.release()

    def test_a_holder_that_is_about_to_say_who_it_is_is_named(self) -> None:
        lock = RunLock(self.folder)
        lock.acquire(Holder(7, "before", "run"))
        lock.release()
        self.assertEqual(os.path.getsize(lock.path), 0, "it would be taken for the next holder")
        lock.acquire(Holder(8, "now", "run"))
        os.truncate(lock.path, 0)

        def introduce() -> None:
            with open(lock.path, "w", encoding="utf-8") as file:
                json.dump(vars(Holder(8, "now", "run")), file)

        timer = threading.Timer(0.1, introduce)
        timer.start()
        self.addCleanup(timer.join)
        with self.assertRaisesRegex(UserError, r"\(pid 8, since now\)"):
            RunLock(self.folder, introduction_tries=3000).acquire(Holder(9, "now", "run"))
        lock.release()

    def test_a_lock_that_cannot_be_made_is_an_error(self) -> None:
        with open(self.folder, "w"):
            pass
        with self.assertRaises(StateError) as caught:
            RunLock(self.folder).acquire(Holder(1, "now", "run"))
        self.assertIn("can't be written", caught.exception.message)
